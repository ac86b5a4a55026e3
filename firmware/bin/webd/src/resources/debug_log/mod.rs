//! The Debug log (LOG-1): SIP messages and what becomes of calls, in the memory of the exchange.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::control::{self, Reply, Request};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Actor;
use crate::app::{App, exchange_failed};
use crate::clock;
use crate::input::{Body, Params};
use crate::problem::{FieldCode, Problem};
use crate::words::LogRow;

/// For how long it may be wanted.
const MINUTES: core::ops::RangeInclusive<u16> = 1..=24 * 60;

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DebugRows {
    /// Newer rows than the one with this id: what happened since.
    #[param(minimum = 0)]
    since: Option<u64>,
}

/// The Debug log.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebugLog {
    /// SIP messages are written.
    messages: bool,
    /// What becomes of calls is written.
    decisions: bool,
    /// When it ends by itself; nothing where it is off.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// The newest first.
    rows: Vec<LogRow>,
    /// There are newer ones: ask again with the id of the first.
    more: bool,
}

/// What the Debug log is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DebugWish {
    /// SIP messages, without passwords, keys and digits.
    messages: bool,
    /// What becomes of calls, and why.
    decisions: bool,
    /// For how many minutes.
    #[schema(minimum = 1, maximum = 1440, example = 15)]
    minutes: u16,
}

/// The Debug log
///
/// It is off until somebody wants it, and ends by itself. It is in memory: a restart of the exchange ends
/// and empties it.
#[utoipa::path(get, path = "/debug-log", operation_id = "show_debug_log", tag = "records",
    params(DebugRows),
    responses((status = 200, description = "Its rows, piece by piece", body = DebugLog)))]
pub async fn show(
    State(app): State<App>,
    Params(rows): Params<DebugRows>,
) -> Result<Json<DebugLog>, Problem> {
    match app.ask(Request::DebugLog { after: rows.since }).await? {
        Reply::DebugLog(log) => Ok(Json(log.into())),
        other => Err(exchange_failed(&other)),
    }
}

/// Begin or end the Debug log
///
/// Where nothing is wanted it ends; what was written stays until newer rows need the room.
#[utoipa::path(put, path = "/debug-log", operation_id = "set_debug_log", tag = "records",
    request_body = DebugWish,
    responses((status = 204, description = "It is as wanted")))]
pub async fn set(
    State(app): State<App>,
    actor: Actor,
    Body(wish): Body<DebugWish>,
) -> Result<StatusCode, Problem> {
    if !MINUTES.contains(&wish.minutes) {
        let detail = format!(
            "write it for {} to {} minutes",
            MINUTES.start(),
            MINUTES.end()
        );
        return Err(Problem::field("/minutes", FieldCode::OutOfRange, detail));
    }
    let request = Request::Debug {
        messages: wish.messages,
        decisions: wish.decisions,
        minutes: wish.minutes,
    };
    match app.ask(request).await? {
        Reply::Done => {}
        other => return Err(exchange_failed(&other)),
    }
    app.config_note(actor.author(), said(&wish)).await;
    Ok(StatusCode::NO_CONTENT)
}

/// What was done, as the Config log says it.
fn said(wish: &DebugWish) -> String {
    let what = match (wish.messages, wish.decisions) {
        (true, true) => "SIP messages and calls",
        (true, false) => "SIP messages",
        (false, true) => "calls",
        (false, false) => return "Ended the Debug log".into(),
    };
    format!("Began the Debug log of {what} for {} minutes", wish.minutes)
}

impl From<control::DebugLog> for DebugLog {
    fn from(log: control::DebugLog) -> Self {
        Self {
            messages: log.messages,
            decisions: log.decisions,
            until: log.until.map(clock::rfc3339),
            rows: log.rows.into_iter().rev().map(Into::into).collect(),
            more: log.more,
        }
    }
}

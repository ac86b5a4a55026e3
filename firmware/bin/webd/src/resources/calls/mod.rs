//! Calls under way, as the exchange tells them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::CallId;
use model::control::{Reply, Request};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Actor;
use crate::app::{App, exchange_failed};
use crate::input::PathId;
use crate::problem::Problem;
use crate::words::Call;

/// Calls under way.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calls {
    /// The oldest first.
    calls: Vec<Call>,
}

/// Calls under way
#[utoipa::path(get, path = "/calls", operation_id = "list_calls", tag = "live",
    responses((status = 200, description = "The oldest first", body = Calls)))]
pub async fn list(State(app): State<App>) -> Result<Json<Calls>, Problem> {
    match app.ask(Request::Calls).await? {
        Reply::Calls { calls } => Ok(Json(Calls {
            calls: calls.into_iter().map(Into::into).collect(),
        })),
        other => Err(exchange_failed(&other)),
    }
}

/// End a call
#[utoipa::path(delete, path = "/calls/{id}", operation_id = "end_call", tag = "live",
    params(("id" = u64, Path, description = "Id of the call")),
    responses((status = 204, description = "It is being ended")))]
pub async fn end(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u64>,
) -> Result<StatusCode, Problem> {
    let call = CallId::new(id);
    let author = actor.author();
    let by = author.name.clone();
    let text = told(&app, call).await?;
    match app.ask(Request::HangUp { call, by }).await? {
        Reply::Done => {
            app.config_note(author, text).await;
            Ok(StatusCode::NO_CONTENT)
        }
        Reply::NotFound => Err(Problem::not_found("call")),
        other => Err(exchange_failed(&other)),
    }
}

/// What the Config log says of a call that is ended.
async fn told(app: &App, call: CallId) -> Result<String, Problem> {
    let calls = match app.ask(Request::Calls).await? {
        Reply::Calls { calls } => calls,
        other => return Err(exchange_failed(&other)),
    };
    let found = calls.into_iter().find(|active| active.call == call);
    let call = found.ok_or_else(|| Problem::not_found("call"))?;
    Ok(format!(
        "Ended call {} from {} to {}",
        call.call, call.caller.number, call.dialled
    ))
}

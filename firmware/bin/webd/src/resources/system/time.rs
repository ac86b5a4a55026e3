//! The clock of the machine: its zone, the servers that tell it the time, and setting it by hand.

use axum::Json;
use axum::extract::State;
use model::system::{self, Reply, Request};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Seen, ask, change, change_as_seen, refused};
use crate::api::Actor;
use crate::app::App;
use crate::clock;
use crate::input::Body;
use crate::object::WithETag;
use crate::problem::{FieldCode, Problem};
use crate::revision::{IfMatch, etag_of, header_of};

/// The clock as it is set and as it goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Time {
    /// As it is set.
    settings: TimeSettings,
    /// The time of the machine.
    #[schema(format = DateTime)]
    now: String,
    /// When a server last told the time; nothing where none has.
    #[schema(format = DateTime)]
    synchronised: Option<String>,
    /// What the clock was off by then, in milliseconds.
    offset_ms: Option<i64>,
}

/// Zone and servers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSettings {
    /// A zone of the tz database.
    #[schema(example = "Europe/Prague")]
    zone: String,
    /// NTP servers by name or address; none: the clock is set by hand.
    #[serde(default)]
    #[schema(max_items = 4)]
    servers: Vec<String>,
}

/// The time it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClock {
    /// Now.
    #[schema(format = DateTime)]
    now: String,
}

/// The clock as it is set and as it goes
#[utoipa::path(get, path = "/system/time", operation_id = "show_time", tag = "system",
    responses((status = 200, description = "As it is now", body = Time,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show_time(State(app): State<App>, actor: Actor) -> Result<WithETag<Time>, Problem> {
    shown(ask(&app, &actor, Request::Time).await?)
}

/// Set zone and time servers
#[utoipa::path(put, path = "/system/time", operation_id = "change_time", tag = "system",
    params(("If-Match" = String, Header, description = "The ETag as it was read, or `*`",
        example = "*")),
    request_body = TimeSettings,
    responses((status = 200, description = "They are set", body = Time,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn change_time(
    State(app): State<App>,
    actor: Actor,
    if_match: IfMatch,
    Body(TimeSettings { zone, servers }): Body<TimeSettings>,
) -> Result<WithETag<Time>, Problem> {
    let text = format!("Changed the time: {zone} ({})", told_by(&servers));
    let settings = system::TimeSettings { zone, servers };
    let seen = Seen {
        if_match,
        now: Request::Time,
        tag,
        said: "Changed the time",
    };
    shown(change_as_seen(&app, &actor, seen, Request::SetTime { settings }, text).await?)
}

/// Set the clock by hand
///
/// Where servers are set they win.
#[utoipa::path(post, path = "/system/clock", operation_id = "set_clock", tag = "system",
    request_body = NewClock,
    responses((status = 200, description = "It is set", body = Time,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn set_clock(
    State(app): State<App>,
    actor: Actor,
    Body(NewClock { now }): Body<NewClock>,
) -> Result<WithETag<Time>, Problem> {
    let Some(now) = clock::parse(&now) else {
        let detail = "write it as 2026-11-22T08:35:53+01:00";
        return Err(Problem::field("/now", FieldCode::Invalid, detail));
    };
    let text = format!("Set the clock to {}", clock::rfc3339(now));
    shown(change(&app, &actor, Request::SetClock { now }, text).await?)
}

/// The entity tag of what is set.
fn tag(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Time(time) => Some(etag_of(&time.settings)),
        _ => None,
    }
}

fn shown(reply: Reply) -> Result<WithETag<Time>, Problem> {
    match reply {
        Reply::Time(time) => Ok((header_of(&time.settings), Json(time.into()))),
        other => Err(refused(other)),
    }
}

/// Who tells the time, as the Config log says it.
fn told_by(servers: &[String]) -> String {
    if servers.is_empty() {
        "set by hand".to_owned()
    } else {
        servers.join(", ")
    }
}

impl From<system::Time> for Time {
    fn from(time: system::Time) -> Self {
        let system::TimeSettings { zone, servers } = time.settings;
        Self {
            settings: TimeSettings { zone, servers },
            now: clock::rfc3339(time.now),
            synchronised: time.synchronised.map(clock::rfc3339),
            offset_ms: time.offset_ms,
        }
    }
}

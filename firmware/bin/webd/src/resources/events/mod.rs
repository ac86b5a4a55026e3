//! Live events over one long answer (server-sent events).
//!
//! A stream begins with `hello`, which has everything a reader needs to know; then come the changes.
//! A reader that lost its connection or fell behind gets `hello` again: nothing is replayed, so
//! `Last-Event-ID` isn't needed, though ids grow. The stream ends when its session does.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event as SseEvent, Sse};
use futures_util::Stream;

use crate::api::Actor;
use crate::app::App;
use crate::problem::{Code, Problem};

mod hello;
mod reader;

/// Where it is.
pub const EVENTS: &str = "/api/v1/events";

/// Live events
///
/// Server-sent events; the schema `EventData` has the data of each by its name. `hello` comes first,
/// and again after a gap; then the changes, and `heartbeat` every 15 seconds; at the end `bye` with
/// a reason. Needs no `Last-Event-ID`.
#[utoipa::path(get, path = "/events", operation_id = "listen", tag = "live",
    responses(
        (status = 200, description = "Events without end", body = String,
            content_type = "text/event-stream"),
        (status = 429, description = "Too many streams are open (`too_many_streams`)",
            content_type = "application/problem+json", body = crate::problem::ProblemBody),
    ))]
pub async fn listen(
    State(app): State<App>,
    actor: Actor,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    let permit = std::sync::Arc::clone(&app.streams)
        .try_acquire_owned()
        .map_err(|_| {
            Problem::new(Code::TooManyStreams, "Close a page that shows live events.")
                .retry_after(60)
        })?;
    let stream = reader::stream(app, actor.logged_in, permit);
    Ok(Sse::new(stream))
}

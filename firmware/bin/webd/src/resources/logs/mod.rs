//! The logs people read (LOG-1).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{LogKind, LogQuery, Store, StoreError};
use utoipa::{IntoParams, ToSchema};

use crate::api::Actor;
use crate::app::{self, App};
use crate::clearing::{Cleared, Clearing};
use crate::clock;
use crate::input::{Body, Params, PathId, parameter};
use crate::problem::{FieldCode, Problem, word};
use crate::words::{Log, LogRow};

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Rows {
    /// Older rows than the one with this id: the next page.
    #[param(minimum = 0)]
    before: Option<i64>,
    /// Newer rows than the one with this id: what happened since.
    #[param(minimum = 0)]
    since: Option<i64>,
    /// Rows with this in their text, in any case.
    #[param(max_length = 200, example = "Admin")]
    search: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Rows of a log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogRows {
    /// The newest first.
    rows: Vec<LogRow>,
    /// `before` of the next page; nothing where this is the last.
    next: Option<i64>,
}

/// Rows of a log
#[utoipa::path(get, path = "/logs/{log}", operation_id = "list_log", tag = "records",
    params(("log" = Log, Path, description = "Which log"), Rows),
    responses((status = 200, description = "The newest first", body = LogRows)))]
pub async fn list(
    State(app): State<App>,
    PathId(log): PathId<Log>,
    Params(rows): Params<Rows>,
) -> Result<Json<LogRows>, Problem> {
    let limit = rows.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(parameter("limit", FieldCode::OutOfRange, "use 1 to 1000"));
    }
    for (name, id) in [("before", rows.before), ("since", rows.since)] {
        if id.is_some_and(|id| id < 0) {
            return Err(parameter(
                name,
                FieldCode::OutOfRange,
                "use the id of a row",
            ));
        }
    }
    if rows
        .search
        .as_deref()
        .is_some_and(|text| text.chars().count() > 200)
    {
        return Err(parameter(
            "search",
            FieldCode::TooLong,
            "use at most 200 characters",
        ));
    }
    let kind = LogKind::from(log);
    let query = LogQuery {
        before: rows.before,
        after: rows.since,
        contains: rows.search.filter(|text| !text.is_empty()),
        // One more tells whether there is a next page.
        limit: limit + 1,
    };
    let mut rows: Vec<LogRow> = app
        .with_store(move |store: &Store| store.log_query(kind, &query))
        .await?
        .into_iter()
        .map(Into::into)
        .collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    Ok(Json(LogRows { rows, next }))
}

/// Remove rows of a log
///
/// Those from before a time; later ones stay. The Config log says who did it, also where it is the
/// one that is cleared.
#[utoipa::path(post, path = "/logs/{log}/clear", operation_id = "clear_log", tag = "records",
    params(("log" = Log, Path, description = "Which log")),
    request_body = Clearing,
    responses((status = 200, description = "Removed", body = Cleared)))]
pub async fn clear(
    State(app): State<App>,
    actor: Actor,
    PathId(log): PathId<Log>,
    Body(clearing): Body<Clearing>,
) -> Result<Json<Cleared>, Problem> {
    let before = clearing.before()?;
    let author = actor.author();
    let kind = LogKind::from(log);
    let removed = app
        .with_store(move |store: &Store| -> Result<_, StoreError> {
            let newest = LogQuery {
                limit: 1,
                ..LogQuery::default()
            };
            let newest = store.log_query(kind, &newest)?;
            let newest = newest.first().map_or(0, |row| row.id);
            // Said first, as with the call history; the row itself is younger than all that goes.
            let text = format!(
                "Cleared {} log before {}",
                word(&log),
                clock::log_style(before)
            );
            app::say_and_clear(store, &author, &text, || {
                store.log_clear(kind, before, newest)
            })
        })
        .await?;
    app.hub.logged();
    Ok(Json(Cleared { removed }))
}

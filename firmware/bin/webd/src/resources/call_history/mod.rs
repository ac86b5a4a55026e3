//! The call history: filter, order, pages, and a file for spreadsheets.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use model::CallId;
use store::{HistoryFilter as Filter, HistoryQuery, Store, StoreError};

use crate::api::Actor;
use crate::app::{self, App};
use crate::clearing::{Cleared, Clearing};
use crate::clock;
use crate::input::{Body, Params, PathId};
use crate::problem::Problem;

mod body;
mod export;
mod filter;

pub use body::{HistoryCall, HistoryCalls};
pub use filter::{CallSort, HistoryFilter, HistoryPage};

/// Calls that are over
#[utoipa::path(get, path = "/call-history", operation_id = "list_call_history", tag = "records",
    params(HistoryPage),
    responses((status = 200, description = "A page of calls", body = HistoryCalls)))]
pub async fn list(
    State(app): State<App>,
    Params(page): Params<HistoryPage>,
) -> Result<Json<HistoryCalls>, Problem> {
    let query: HistoryQuery = page.query()?;
    let (total, calls) = app
        .with_store(move |store: &Store| {
            let total = store.history_count(&query.filter)?;
            Ok::<_, store::StoreError>((total, store.history_query(&query)?))
        })
        .await?;
    Ok(Json(HistoryCalls {
        total,
        calls: calls.into_iter().map(Into::into).collect(),
    }))
}

/// One call that is over
#[utoipa::path(get, path = "/call-history/{id}", operation_id = "show_call_history",
    tag = "records",
    params(("id" = u64, Path, description = "Id of the call")),
    responses((status = 200, description = "The call", body = HistoryCall)))]
pub async fn show(
    State(app): State<App>,
    PathId(id): PathId<u64>,
) -> Result<Json<HistoryCall>, Problem> {
    app.with_store(move |store: &Store| store.history_call(CallId::new(id)))
        .await?
        .map(|call| Json(call.into()))
        .ok_or_else(|| Problem::not_found("call"))
}

/// Calls that are over, as a file
///
/// All that the filter lets through, the newest first, UTF-8 with byte order mark. Cells that a
/// spreadsheet would take for a formula begin with an apostrophe.
#[utoipa::path(get, path = "/call-history.csv", operation_id = "export_call_history",
    tag = "records", params(HistoryFilter),
    responses((status = 200, description = "The newest first", body = String,
        content_type = "text/csv")))]
pub async fn export(
    State(app): State<App>,
    Params(filter): Params<HistoryFilter>,
) -> Result<Response, Problem> {
    export::file(&app, filter.parse()?)
}

/// Remove calls from the history
///
/// Those that started before a time; later ones stay. The Config log says who did it.
#[utoipa::path(post, path = "/call-history/clear", operation_id = "clear_call_history",
    tag = "records", request_body = Clearing,
    responses((status = 200, description = "Removed", body = Cleared)))]
pub async fn clear(
    State(app): State<App>,
    actor: Actor,
    Body(clearing): Body<Clearing>,
) -> Result<Json<Cleared>, Problem> {
    let before = clearing.before()?;
    let author = actor.author();
    let removed = app
        .with_store(move |store: &Store| -> Result<_, StoreError> {
            let filter = Filter {
                until: Some(before),
                ..Filter::default()
            };
            let calls = store.history_count(&filter)?;
            // Said first: nobody removes anything in silence by a lucky failure.
            let text = format!(
                "Cleared call history before {} ({calls} calls)",
                clock::log_style(before)
            );
            app::say_and_clear(store, &author, &text, || store.history_clear(Some(before)))
        })
        .await?;
    app.hub.logged();
    Ok(Json(Cleared { removed }))
}

//! The call history: filter, order, pages, and a file for spreadsheets.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use model::CallId;
use store::{HistoryQuery, Store};

use crate::app::App;
use crate::input::{Params, PathId};
use crate::problem::Problem;

mod body;
mod export;
mod filter;

pub use body::{HistoryCall, HistoryCalls};
pub use filter::{HistoryFilter, HistoryPage};

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

//! The history as a file of any size: read and sent a piece at a time.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use futures_util::stream;
use model::CallRecord;
use store::{HistoryFilter, StoreError};
use tokio::sync::mpsc;

use super::body::HistoryCall;
use crate::app::App;
use crate::clock;
use crate::csv;
use crate::problem::{Code, Problem, word};

/// Pieces that wait for a slow reader.
const PIECES: usize = 4;
/// Bytes of a piece.
const PIECE: usize = 32 * 1024;

const COLUMNS: [&str; 16] = [
    "ID",
    "Started",
    "Answered",
    "Ended",
    "Duration (s)",
    "Caller",
    "Caller name",
    "Dialled",
    "Called",
    "Called name",
    "Shown outside",
    "Disposition",
    "Cause",
    "Ended by",
    "Administrator",
    // A decimal point is a date to spreadsheets of some languages.
    "Worse MOS (hundredths)",
];

/// The answer that has all calls of `filter`.
///
/// # Errors
/// [`Code::Busy`] where others export.
pub(super) fn file(app: &App, filter: HistoryFilter) -> Result<Response, Problem> {
    let permit = Arc::clone(&app.exports).try_acquire_owned().map_err(|_| {
        Problem::new(Code::Busy, "Others export the history now: try again.").retry_after(10)
    })?;
    let (send, receive) = mpsc::channel::<Result<String, StoreError>>(PIECES);
    let store = app.store.clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let mut piece = csv::BOM.to_owned();
        csv::row(&mut piece, COLUMNS);
        for record in store.history_export(filter) {
            match record {
                Ok(record) => push(&mut piece, record),
                Err(error) => {
                    tracing::error!(%error, "An export of the history ended early.");
                    let _ = send.blocking_send(Err(error));
                    return;
                }
            }
            if piece.len() >= PIECE && send.blocking_send(Ok(std::mem::take(&mut piece))).is_err() {
                return;
            }
        }
        let _ = send.blocking_send(Ok(piece));
    });
    let pieces = stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|piece| (piece, receive))
    });
    Ok(csv::attachment(
        "call-history.csv",
        Body::from_stream(pieces),
    ))
}

fn push(out: &mut String, record: CallRecord) {
    let times = [Some(record.started), record.answered, Some(record.ended)];
    let [started, answered, ended] = times.map(|at| at.map(clock::table_style).unwrap_or_default());
    let call = HistoryCall::from(record);
    let measured = |leg: &crate::words::Leg| leg.quality.as_ref()?.mos_hundredths;
    let mos = call.legs.iter().filter_map(measured).min();
    let called = call.called.as_ref();
    let name = |party: Option<&crate::words::Party>| {
        party
            .and_then(|party| party.name.clone())
            .unwrap_or_default()
    };
    let cells = [
        call.id.to_string(),
        started,
        answered,
        ended,
        call.duration_s.to_string(),
        call.caller.number.clone(),
        name(Some(&call.caller)),
        call.dialled.clone(),
        called.map(|party| party.number.clone()).unwrap_or_default(),
        name(called),
        match call.shown_outside.as_deref() {
            Some("") => "anonymous".into(),
            shown => shown.unwrap_or_default().to_owned(),
        },
        word(&call.disposition),
        call.cause.to_string(),
        word(&call.ended_by),
        call.administrator.clone().unwrap_or_default(),
        mos.map(|mos| mos.to_string()).unwrap_or_default(),
    ];
    csv::row(out, cells.iter().map(String::as_str));
}

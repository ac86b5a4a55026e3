//! How long the logs are kept and where they go besides.

use std::io;

use axum::Json;
use axum::extract::State;

use crate::api::Actor;
use crate::app::App;
use crate::input::Body;
use crate::keeping::{LogSettings, MEGABYTES, ROWS};
use crate::object::WithETag;
use crate::problem::{Code, FieldCode, FieldError, Problem, word};
use crate::revision::{IfMatch, etag_of, header_of};

/// How the logs are kept
#[utoipa::path(get, path = "/log-settings", operation_id = "show_log_settings", tag = "records",
    responses((status = 200, description = "As they are", body = LogSettings,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(State(app): State<App>) -> WithETag<LogSettings> {
    shown(app.keeping.settings())
}

/// Change how the logs are kept
///
/// At once: rows that are too old or too many then are removed.
#[utoipa::path(put, path = "/log-settings", operation_id = "change_log_settings", tag = "records",
    params(("If-Match" = String, Header, description = "The ETag as it was read, or `*`",
        example = "*")),
    request_body = LogSettings,
    responses((status = 200, description = "Changed", body = LogSettings,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    if_match: IfMatch,
    Body(settings): Body<LogSettings>,
) -> Result<WithETag<LogSettings>, Problem> {
    let mut errors = Vec::new();
    if !ROWS.contains(&settings.rows) {
        let (least, most) = (ROWS.start(), ROWS.end());
        let detail = format!("keep {least} to {most} rows");
        errors.push(FieldError::new("/rows", FieldCode::OutOfRange, detail));
    }
    if settings
        .megabytes
        .is_some_and(|size| !MEGABYTES.contains(&size))
    {
        let (least, most) = (MEGABYTES.start(), MEGABYTES.end());
        let detail = format!("keep {least} to {most} MB, or all");
        errors.push(FieldError::new("/megabytes", FieldCode::OutOfRange, detail));
    }
    if settings
        .syslog
        .as_ref()
        .is_some_and(|syslog| !syslog.is_well_formed())
    {
        let detail = "write a name or an address, and a port where it is not 514";
        errors.push(FieldError::new(
            "/syslog/server",
            FieldCode::Invalid,
            detail,
        ));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let _turn = app.settings.lock().await;
    let current = etag_of(&app.keeping.settings());
    app.expect_settings(&if_match, current, "Changed the logs")
        .await?;
    let kept = app.keeping.clone();
    let wished = settings.clone();
    let written = tokio::task::spawn_blocking(move || kept.set(wished)).await;
    written
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|error| failed(&error))?;
    app.config_note(actor.author(), said(&settings)).await;
    Ok(shown(settings))
}

fn shown(settings: LogSettings) -> WithETag<LogSettings> {
    (header_of(&settings), Json(settings))
}

/// The change as the Config log says it.
fn said(settings: &LogSettings) -> String {
    let to = settings.syslog.as_ref().map_or_else(String::new, |to| {
        let (facility, severity) = (word(&to.facility), word(&to.severity));
        format!(", sent to {} ({facility}, {severity})", to.server)
    });
    let (keep, rows) = (word(&settings.keep), settings.rows);
    let size = (settings.megabytes).map_or_else(String::new, |size| format!(", {size} MB"));
    format!("Changed the logs: kept {keep}, {rows} rows{size}{to}")
}

fn failed(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::StorageFull {
        return Problem::new(Code::DiskFull, "Make room, then try again.");
    }
    tracing::error!(%error, "The settings of the logs can't be written.");
    Problem::internal()
}

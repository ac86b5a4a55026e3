//! How the box is (WEB-6, SYS-9).

use axum::Json;
use axum::extract::State;
use model::control::{Reply, Request};
use serde::Serialize;
use store::Store;
use utoipa::ToSchema;

use crate::app::App;
use crate::clock;
use crate::host;
use crate::problem::Problem;

/// How the box is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// Version of the software.
    #[schema(example = "0.1.0")]
    version: String,
    /// The time of the box.
    #[schema(format = DateTime)]
    time: String,
    /// How long the system has been up, in seconds.
    uptime_s: Option<u64>,
    /// When the administration started.
    #[schema(format = DateTime)]
    started: String,
    /// Version of the stored configuration.
    pub(super) config_version: u64,
    /// The exchange; nothing where it doesn't answer.
    pub(super) exchange: Option<ExchangeStatus>,
    /// The disk with the data; nothing where Linux does not tell.
    pub(super) disk: Option<Disk>,
}

/// How the exchange is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExchangeStatus {
    /// Version of its program.
    version: String,
    /// When it started.
    #[schema(format = DateTime)]
    started: String,
    /// How long it has run, in seconds.
    uptime_s: u64,
    /// Version of the configuration in force.
    pub(super) config_version: u64,
    /// Calls under way.
    calls: u32,
    /// Registered phones.
    registrations: u32,
    /// True where sound has real-time priority and locked memory.
    pub(super) real_time: bool,
    /// Requests refused because of overload since the start.
    overload_refusals: u64,
}

/// A disk, without what is kept for the system.
#[derive(Debug, Serialize, ToSchema)]
pub struct Disk {
    /// What is used and what is free, together, in bytes.
    pub(super) total_bytes: u64,
    /// What is used of it, in bytes.
    used_bytes: u64,
    /// What the box may still write, in bytes.
    pub(super) free_bytes: u64,
}

/// How the box is
#[utoipa::path(get, path = "/status", operation_id = "show_status", tag = "live",
    responses((status = 200, description = "How it is now", body = Status)))]
pub async fn show(State(app): State<App>) -> Result<Json<Status>, Problem> {
    now(&app).await.map(Json)
}

/// How the box is now.
pub(super) async fn now(app: &App) -> Result<Status, Problem> {
    let version = app.with_store(|store: &Store| store.version()).await?;
    let exchange = match app.control.ask(Request::Status).await {
        Ok(Reply::Status(status)) => Some(ExchangeStatus {
            version: status.version,
            started: clock::rfc3339(status.started),
            uptime_s: status.uptime_s,
            config_version: status.config.raw(),
            calls: status.calls,
            registrations: status.registrations,
            real_time: status.real_time,
            overload_refusals: status.overload_refusals,
        }),
        _ => None,
    };
    let disk = host::disk(&app.data).map(|disk| Disk {
        total_bytes: disk.used.saturating_add(disk.free),
        used_bytes: disk.used,
        free_bytes: disk.free,
    });
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: clock::rfc3339(clock::now()),
        uptime_s: host::uptime_s(),
        started: clock::rfc3339(app.started),
        config_version: version.raw(),
        exchange,
        disk,
    })
}

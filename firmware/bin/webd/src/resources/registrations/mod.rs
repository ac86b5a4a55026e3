//! Registered phones, as the exchange tells them.

use axum::Json;
use axum::extract::State;
use model::control::{Reply, Request};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, exchange_failed};
use crate::problem::Problem;
use crate::words::Registration;

/// Registered phones.
#[derive(Debug, Serialize, ToSchema)]
pub struct Registrations {
    /// By extension.
    registrations: Vec<Registration>,
}

/// Registered phones
#[utoipa::path(get, path = "/registrations", operation_id = "list_registrations", tag = "live",
    responses((status = 200, description = "By extension", body = Registrations)))]
pub async fn list(State(app): State<App>) -> Result<Json<Registrations>, Problem> {
    match app.ask(Request::Registrations).await? {
        Reply::Registrations { registrations } => Ok(Json(Registrations {
            registrations: registrations.into_iter().map(Into::into).collect(),
        })),
        other => Err(exchange_failed(&other)),
    }
}

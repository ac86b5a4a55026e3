//! Registered phones, as the exchange tells them.

use axum::Json;
use axum::extract::State;
use model::ExtensionId;
use model::control::{self, Reply, Request};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, exchange_failed};
use crate::clock;
use crate::input::PathId;
use crate::problem::Problem;
use crate::words::{Registration, Transport};

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

/// What is known of the phone that an extension had last.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastRegistration {
    /// None where a phone is registered, or none has been since the exchange was started.
    phone: Option<LastPhone>,
}

/// A phone that is registered no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastPhone {
    /// From where it registered.
    #[schema(example = "192.0.2.7:5060")]
    address: String,
    /// By what.
    transport: Transport,
    /// What the phone calls itself.
    user_agent: Option<String>,
    /// Until when it was registered.
    #[schema(format = DateTime)]
    until: String,
    /// True where its registration was ended; otherwise it was not refreshed in time.
    left: bool,
}

/// The last phone of an extension that has none
#[utoipa::path(get, path = "/extensions/{id}/last-phone", operation_id = "show_last_phone", tag = "live",
    params(("id" = u32, Path, description = "Id of the extension")),
    responses((status = 200, description = "As far as it is known", body = LastRegistration)))]
pub async fn show_last(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<Json<LastRegistration>, Problem> {
    let extension = ExtensionId::new(id);
    match app.ask(Request::LastPhone { extension }).await? {
        Reply::LastPhone { phone } => Ok(Json(LastRegistration {
            phone: phone.map(Into::into),
        })),
        other => Err(exchange_failed(&other)),
    }
}

impl From<control::LastPhone> for LastPhone {
    fn from(phone: control::LastPhone) -> Self {
        Self {
            address: phone.address,
            transport: phone.transport.into(),
            user_agent: phone.user_agent,
            until: clock::rfc3339(phone.until),
            left: phone.left,
        }
    }
}

//! Phones that were not let in, as the exchange tells them: why a phone that should be registered is not.

use axum::Json;
use axum::extract::State;
use model::control::{self, Reply, Request};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, exchange_failed};
use crate::clock;
use crate::problem::Problem;
use crate::words::LoginFailure;

/// How phones fail to log in.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailedLogins {
    /// Of each extension the last one within a day, until a phone of it is let in; the last first.
    extensions: Vec<FailedLogin>,
    /// Those with a user name that no extension has, within an hour; the last first.
    unknown: Vec<UnknownLogin>,
}

/// A phone that was not let in.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailedLogin {
    /// The id of the extension whose user name it had.
    extension: u32,
    /// When.
    #[schema(format = DateTime)]
    time: String,
    /// From where.
    #[schema(example = "192.0.2.7")]
    host: String,
    /// Why.
    reason: LoginFailure,
}

/// A phone with a user name that no extension has.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnknownLogin {
    /// The user name.
    #[schema(example = "phone7")]
    username: String,
    /// When it was tried last.
    #[schema(format = DateTime)]
    time: String,
    /// From where.
    #[schema(example = "192.0.2.7")]
    host: String,
    /// How often so far.
    times: u32,
}

/// Phones that were not let in
///
/// Why a phone that should be registered is not: the last try of each extension, and user names that
/// no extension has.
#[utoipa::path(get, path = "/failed-logins", operation_id = "list_failed_logins", tag = "live",
    responses((status = 200, description = "The last first", body = FailedLogins)))]
pub async fn list(State(app): State<App>) -> Result<Json<FailedLogins>, Problem> {
    match app.ask(Request::FailedLogins).await? {
        Reply::FailedLogins { failed, unknown } => Ok(Json(FailedLogins {
            extensions: failed.into_iter().map(Into::into).collect(),
            unknown: unknown.into_iter().map(Into::into).collect(),
        })),
        other => Err(exchange_failed(&other)),
    }
}

impl From<control::FailedLogin> for FailedLogin {
    fn from(failed: control::FailedLogin) -> Self {
        Self {
            extension: failed.extension.raw(),
            time: clock::rfc3339(failed.at),
            host: failed.host.to_canonical().to_string(),
            reason: failed.reason.into(),
        }
    }
}

impl From<control::UnknownLogin> for UnknownLogin {
    fn from(login: control::UnknownLogin) -> Self {
        Self {
            username: login.username,
            time: clock::rfc3339(login.at),
            host: login.host.to_canonical().to_string(),
            times: login.times,
        }
    }
}

//! The first visit (WEB-2): until the password of `Admin` is set, nothing else is reachable.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::Secret;
use serde::{Deserialize, Serialize};
use store::{ChangeError, Store};
use utoipa::ToSchema;

use crate::app::App;
use crate::clock;
use crate::gate::From;
use crate::input::Body;
use crate::password;
use crate::problem::{Code, Problem};

/// The name of the first account.
const ACCOUNT: &str = "Admin";

/// Whether this is the first visit.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirstVisit {
    /// True until the password is set.
    needed: bool,
    /// The account whose password is to be set.
    #[schema(example = "Admin")]
    account: String,
}

/// The password to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstPassword {
    /// 8 to 128 characters, not the user name, not a common one.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128,
        example = "correct horse battery staple")]
    password: Secret,
}

/// Whether the first password has to be set
#[utoipa::path(get, path = "/first-visit", operation_id = "show_first_visit", tag = "access",
    responses((status = 200, description = "Whether it is the first visit", body = FirstVisit)))]
pub async fn show(State(app): State<App>) -> Result<Json<FirstVisit>, Problem> {
    Ok(Json(FirstVisit {
        needed: app.is_first_visit().await?,
        account: ACCOUNT.to_owned(),
    }))
}

/// Set the first password
///
/// Once only; then log in as `Admin` with it.
#[utoipa::path(post, path = "/first-visit", operation_id = "set_first_password", tag = "access",
    request_body = FirstPassword,
    responses(
        (status = 204, description = "It is set: log in"),
        (status = 409, description = "It was set before (`first_visit_over`)",
            content_type = "application/problem+json", body = crate::problem::ProblemBody),
    ))]
pub async fn set(
    State(app): State<App>,
    From(address): From,
    Body(body): Body<FirstPassword>,
) -> Result<StatusCode, Problem> {
    if !app.is_first_visit().await? {
        return Err(ChangeError::AlreadySet.into());
    }
    password::check(body.password.expose(), ACCOUNT)?;
    let hash = app.hasher.hash(body.password).await?;
    let told = app.clone();
    app.with_store(move |store: &Store| {
        store.set_first_password(clock::now(), &address.to_string(), &hash)?;
        told.announce(store.version()?, Some(ACCOUNT));
        Ok::<_, ChangeError>(())
    })
    .await
    .inspect_err(|problem| {
        if problem.code() == Code::FirstVisitOver {
            tracing::info!(%address, "Somebody else set the first password meanwhile.");
        }
    })?;
    tracing::info!(%address, "The first password was set.");
    Ok(StatusCode::NO_CONTENT)
}

//! Sessions: logging in, who one is, logging out, and one's own password.
//!
//! The cookie is a 256-bit random token of which the store keeps the SHA-256. Logging in makes a
//! new one always and ends the one the browser had.

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use model::Secret;
use serde::{Deserialize, Serialize};
use store::{Expected, NewSession, Operation, Snapshot, Store};
use utoipa::ToSchema;

use crate::api::{Actor, not_logged_in};
use crate::app::{App, SESSION_ABSOLUTE, SESSION_IDLE};
use crate::clock;
use crate::gate::{self, COOKIE_NAME, From};
use crate::input::Body;
use crate::object::amend;
use crate::password;
use crate::problem::{Code, FieldCode, FieldError, Problem};
use crate::words::{Language, Person};

mod login;

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Login name, in any case.
    #[schema(example = "Admin", max_length = 64)]
    name: String,
    /// The password.
    #[schema(value_type = String, format = Password, max_length = 128,
        example = "correct horse battery staple")]
    password: Secret,
}

/// Whose session this is, and until when.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionInfo {
    /// Who is logged in.
    user: Person,
    /// When the session was opened.
    #[schema(format = DateTime)]
    opened: String,
    /// When it ends in any case.
    #[schema(format = DateTime)]
    expires: String,
    /// It ends when not used for so many seconds.
    idle_s: u64,
    /// It ends in so many seconds where it is not used any more.
    remaining_s: u64,
}

/// One's own language.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnLanguage {
    /// Language of pages and messages.
    language: Language,
}

/// One's own new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    /// The password until now.
    #[schema(value_type = String, format = Password, max_length = 128)]
    current: Secret,
    /// 8 to 128 characters, not the user name, not a common one.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128)]
    password: Secret,
}

type WithCookie<T> = ([(HeaderName, String); 1], T);

/// Log in
///
/// The answer sets the cookie `__Host-session`. Failed attempts are slowed down by account and by
/// address; the answer doesn't tell whether the user exists.
#[utoipa::path(post, path = "/session", operation_id = "log_in", tag = "access",
    request_body = Login,
    responses(
        (status = 200, description = "Logged in", body = SessionInfo,
            headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "Name or password is wrong (`wrong_credentials`)",
            content_type = "application/problem+json", body = crate::problem::ProblemBody),
        (status = 429, description = "Too many failed attempts (`too_many_attempts`)",
            content_type = "application/problem+json", body = crate::problem::ProblemBody,
            headers(("Retry-After" = u32, description = "Seconds to wait"))),
    ))]
pub async fn open(
    State(app): State<App>,
    From(address): From,
    headers: HeaderMap,
    Body(body): Body<Login>,
) -> Result<WithCookie<Json<SessionInfo>>, Problem> {
    let user = login::verify(&app, address, &body.name, body.password).await?;
    let token = password::random_token().map_err(|error| {
        tracing::error!(%error, "No session can be opened.");
        Problem::internal()
    })?;
    let new = NewSession {
        token: token.clone(),
        user: user.id,
        address: address.to_string(),
        idle: SESSION_IDLE,
        absolute: SESSION_ABSOLUTE,
    };
    let old = gate::token(&headers);
    let session = app
        .with_store(move |store: &Store| -> Result<_, Problem> {
            let now = clock::now();
            if let Some(old) = old {
                store.session_delete(now, &old)?;
            }
            store.session_create(now, &new)?;
            Ok(store.session_lookup(now, &new.token)?)
        })
        .await?
        .ok_or_else(Problem::internal)?;
    app.hub.sessions_changed();
    app.hub.logged();
    tracing::info!(user = session.user.name, %address, "Session opened.");
    let cookie = format!(
        "{COOKIE_NAME}={}; Path=/; Secure; HttpOnly; SameSite=Strict",
        token.expose()
    );
    Ok(([(SET_COOKIE, cookie)], Json(info(session))))
}

/// Who is logged in
///
/// Asking is a use of the session. A page adds the header `X-Unattended` to what nobody asked it for:
/// such a request, whatever it is, keeps no session open, and neither does the stream of events.
#[utoipa::path(get, path = "/session", operation_id = "show_session", tag = "access",
    responses((status = 200, description = "The session", body = SessionInfo)))]
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Json<SessionInfo>, Problem> {
    current(&app, actor.logged_in.token).await.map(Json)
}

/// Log out
#[utoipa::path(delete, path = "/session", operation_id = "log_out", tag = "access",
    responses((status = 204, description = "Logged out",
        headers(("Set-Cookie" = String, description = "Removes the cookie")))))]
pub async fn close(
    State(app): State<App>,
    actor: Actor,
) -> Result<WithCookie<StatusCode>, Problem> {
    let token = actor.logged_in.token;
    app.with_store(move |store: &Store| store.session_delete(clock::now(), &token))
        .await?;
    app.hub.sessions_changed();
    app.hub.logged();
    let cookie = format!("{COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok(([(SET_COOKIE, cookie)], StatusCode::NO_CONTENT))
}

/// Change one's own language
#[utoipa::path(put, path = "/session/language", operation_id = "set_own_language", tag = "access",
    request_body = OwnLanguage,
    responses((status = 200, description = "It is changed", body = SessionInfo)))]
pub async fn set_language(
    State(app): State<App>,
    actor: Actor,
    Body(body): Body<OwnLanguage>,
) -> Result<Json<SessionInfo>, Problem> {
    let id = actor.logged_in.session.user.id;
    let set = |snapshot: &Snapshot| {
        let mut user = snapshot.configuration.user(id)?.clone();
        user.language = body.language.into();
        Some(Operation::UpdateUser(user))
    };
    amend(&app, actor.author(), id, set).await??;
    current(&app, actor.logged_in.token).await.map(Json)
}

/// Change one's own password
///
/// Ends all other sessions of the user.
#[utoipa::path(put, path = "/session/password", operation_id = "set_own_password", tag = "access",
    request_body = OwnPassword,
    responses(
        (status = 204, description = "It is changed"),
        (status = 429, description = "Too many failed attempts (`too_many_attempts`)",
            content_type = "application/problem+json", body = crate::problem::ProblemBody,
            headers(("Retry-After" = u32, description = "Seconds to wait"))),
    ))]
pub async fn set_password(
    State(app): State<App>,
    actor: Actor,
    Body(body): Body<OwnPassword>,
) -> Result<StatusCode, Problem> {
    let user = actor.logged_in.session.user.clone();
    password::check(body.password.expose(), &user.name)?;
    login::verify(&app, actor.address.0, &user.name, body.current)
        .await
        .map_err(|problem| match problem.code() {
            Code::WrongCredentials => Problem::invalid(vec![FieldError::new(
                "/current",
                FieldCode::WrongPassword,
                "this is not your password: enter the one you logged in with",
            )]),
            _ => problem,
        })?;
    let hash = app.hasher.hash(body.password).await?;
    let set = Operation::SetUserPassword {
        user: user.id,
        hash: Some(hash),
        keep_session: Some(actor.logged_in.token.clone()),
    };
    app.change(actor.author(), Expected::Anything, vec![set])
        .await?;
    app.hub.sessions_changed();
    Ok(StatusCode::NO_CONTENT)
}

/// Seconds until a session ends where it is not used any more.
pub fn remaining_s(session: &store::Session) -> u64 {
    let ends = session.expires.min(session.last_seen + SESSION_IDLE);
    ends.since(clock::now()).as_secs()
}

/// A session as it is now.
async fn current(app: &App, token: Secret) -> Result<SessionInfo, Problem> {
    let session = app
        .with_store(move |store: &Store| store.session_peek(clock::now(), &token))
        .await?;
    session.map(info).ok_or_else(not_logged_in)
}

fn info(session: store::Session) -> SessionInfo {
    SessionInfo {
        opened: clock::rfc3339(session.created),
        expires: clock::rfc3339(session.expires),
        idle_s: SESSION_IDLE.as_secs(),
        remaining_s: remaining_s(&session),
        user: session.user.into(),
    }
}

//! Users (USR-1): who has extensions, who administers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{ConfigVersion, UserId, config};
use serde::Deserialize;
use store::{Changed, Expected, NewUser, Operation, Orphans, Snapshot, Store};
use utoipa::IntoParams;

use super::row::{self, Row};
use crate::api::Actor;
use crate::app::App;
use crate::input::{Body, Params, PathId};
use crate::object::{Created, WithETag, created, find, find_as_seen, tagged};
use crate::password;
use crate::problem::Problem;
use crate::revision::IfMatch;
use crate::words::{Dependent, Dependents};

mod body;
mod own;
mod query;
mod ringing;

use own::Own;

pub use body::{ExtensionsThen, Password, SavedUser, User, UserChange, UserCreation, Users};
pub use query::{UserPage, UserSort};

/// How a user is removed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Removal {
    /// What becomes of the user's extensions.
    #[serde(default)]
    #[param(required = false)]
    extensions: ExtensionsThen,
}

impl Row for UserId {
    type Shown = User;

    async fn shown(self, _: &App, snapshot: &Snapshot) -> Option<User> {
        let user = snapshot.configuration.user(self)?;
        Some(User::new(snapshot, user))
    }

    async fn dependents(self, _: &App, snapshot: &Snapshot) -> Vec<Dependent> {
        (snapshot.configuration.extensions.iter())
            .filter(|extension| extension.user == Some(self))
            .map(|extension| Dependent::extension(extension.id.raw(), extension.number.to_string()))
            .collect()
    }
}

/// Users
#[utoipa::path(get, path = "/users", operation_id = "list_users", tag = "configuration",
    params(UserPage),
    responses((status = 200, description = "A page of users", body = Users)))]
pub async fn list(
    State(app): State<App>,
    Params(page): Params<UserPage>,
) -> Result<Json<Users>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let users = snapshot
        .configuration
        .users
        .iter()
        .map(|user| User::new(&snapshot, user))
        .collect();
    let (total, users) = page.of(users)?;
    Ok(Json(Users { total, users }))
}

/// Add a user
///
/// Without a password the user can't log in. All of it is stored or nothing; the answer is the only one that
/// tells the SIP passwords of extensions that are added.
#[utoipa::path(post, path = "/users", operation_id = "add_user", tag = "configuration",
    request_body = UserCreation,
    responses((status = 201, description = "Added", body = SavedUser, headers(
        ("ETag" = String, description = "For If-Match"),
        ("Location" = String, description = "Where the user is")))))]
pub async fn add(
    State(app): State<App>,
    actor: Actor,
    Body(body): Body<UserCreation>,
) -> Result<Created<SavedUser>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let given = Some(body.extensions);
    let own = Own::read(&snapshot, UserId::ADDED, given, body.new_extensions);
    let password = match &body.password {
        Some(password) => password::check(password.expose(), &body.name),
        None => Ok(()),
    };
    let mut own = match (own, password) {
        (Ok(own), Ok(())) => own,
        (own, password) => {
            let mut errors: Vec<_> = password.err().into_iter().collect();
            errors.extend(own.err().into_iter().flatten());
            return Err(Problem::invalid(errors));
        }
    };
    let hash = match body.password {
        Some(password) => Some(app.hasher.hash(password).await?),
        None => None,
    };
    let new = NewUser {
        name: body.name,
        full_name: body.full_name,
        email: body.email,
        language: body.language.into(),
        role: body.role.into(),
        enabled: body.enabled,
        password_hash: hash,
    };
    let operations = own.with(Operation::AddUser(new));
    let changed = (app.change_raw(actor.author(), Expected::Anything, operations)).await?;
    let changed = changed.map_err(|error| Problem::of_change(error, &own.places))?;
    let id = *changed.users.first().ok_or_else(Problem::internal)?;
    let (revision, saved) = saved(&app, id, own, &changed).await?;
    Ok(created(id, revision, saved))
}

/// One user
#[utoipa::path(get, path = "/users/{id}", operation_id = "show_user", tag = "configuration",
    params(("id" = u32, Path, description = "Id of the user")),
    responses((status = 200, description = "The user", body = User,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<WithETag<User>, Problem> {
    row::show(&app, UserId::new(id)).await
}

/// Change a user
///
/// Everything but the password is replaced; ringing rules and extensions that are left out stay. All of it is stored or nothing. A user
/// who is disabled or gets another role is logged out.
#[utoipa::path(put, path = "/users/{id}", operation_id = "change_user", tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the user"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    request_body = UserChange,
    responses((status = 200, description = "Changed", body = SavedUser,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
    Body(body): Body<UserChange>,
) -> Result<WithETag<SavedUser>, Problem> {
    let id = UserId::new(id);
    let (snapshot, _, expected) = find_as_seen(&app, id, &if_match).await?;
    let role = model::Role::from(body.role);
    let ringing = match body.ringing {
        Some(rules) => rules.read()?,
        None => (snapshot.configuration.user(id))
            .map_or_else(Default::default, |user| user.ringing.clone()),
    };
    let mut own =
        Own::read(&snapshot, id, body.extensions, body.new_extensions).map_err(Problem::invalid)?;
    let user = config::User {
        id,
        name: body.name,
        full_name: body.full_name,
        email: body.email,
        language: body.language.into(),
        role,
        enabled: body.enabled,
        ringing,
    };
    let operations = own.with(Operation::UpdateUser(user));
    let changed = (app.change_raw(actor.author(), expected, operations)).await?;
    let changed = changed.map_err(|error| Problem::of_change(error, &own.places))?;
    let before = snapshot.configuration.user(id).map(|user| user.role);
    if before.is_some_and(|before| before != role) {
        app.with_store(move |store: &Store| store.session_delete_all(id))
            .await?;
        app.hub.sessions_changed();
    }
    let (revision, saved) = saved(&app, id, own, &changed).await?;
    Ok(tagged(revision, saved))
}

/// Remove a user
#[utoipa::path(delete, path = "/users/{id}", operation_id = "remove_user", tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the user"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
        Removal,
    ),
    responses(
        (status = 204, description = "Removed"),
    ))]
pub async fn remove(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    Params(removal): Params<Removal>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let user = UserId::new(id);
    let operation = Operation::RemoveUser {
        user,
        extensions: Orphans::from(removal.extensions),
    };
    row::remove(&app, &actor, user, &if_match, operation).await
}

/// What depends on a user
///
/// To ask before the user is removed: `extensions` of the removal says what becomes of them.
#[utoipa::path(get, path = "/users/{id}/dependents", operation_id = "list_user_dependents",
    tag = "configuration",
    params(("id" = u32, Path, description = "Id of the user")),
    responses((status = 200, description = "The user's extensions", body = Dependents)))]
pub async fn dependents(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<Json<Dependents>, Problem> {
    row::dependents(&app, UserId::new(id)).await
}

/// Set a user's password
///
/// Ends the user's sessions; one's own session goes on.
#[utoipa::path(put, path = "/users/{id}/password", operation_id = "set_user_password",
    tag = "configuration",
    params(("id" = u32, Path, description = "Id of the user")),
    request_body = Password,
    responses((status = 204, description = "Set")))]
pub async fn set_password(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    Body(body): Body<Password>,
) -> Result<StatusCode, Problem> {
    let user = UserId::new(id);
    let (snapshot, _) = find(&app, user).await?;
    let name = snapshot
        .configuration
        .user(user)
        .map_or("", |user| user.name.as_str());
    password::check(body.password.expose(), name)?;
    let hash = app.hasher.hash(body.password).await?;
    let set = Operation::SetUserPassword {
        user,
        hash: Some(hash),
        keep_session: Some(actor.logged_in.token.clone()),
    };
    app.change(actor.author(), Expected::Anything, vec![set])
        .await?;
    app.hub.sessions_changed();
    Ok(StatusCode::NO_CONTENT)
}

/// A user as it was just stored, with the extensions that were added.
async fn saved(
    app: &App,
    id: UserId,
    own: Own,
    changed: &Changed,
) -> Result<(ConfigVersion, SavedUser), Problem> {
    let (snapshot, revision) = find(app, id).await?;
    let user = id.shown(app, &snapshot).await;
    let saved = SavedUser {
        user: user.ok_or_else(|| Problem::not_found("user"))?,
        new_extensions: own.added(app, &snapshot, changed).await,
    };
    Ok((revision, saved))
}

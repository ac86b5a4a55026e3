//! What all objects of the configuration have in common: an id, a revision, and how they are read,
//! shown and changed by it.

use std::fmt::Display;

use axum::Json;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderName, StatusCode};
use model::{ConfigVersion, ExtensionId, InterfaceId, PermissionGroupId, RouteId, UserId};
use store::{Author, ChangeError, Expected, ItemId, Operation, Snapshot, Store};

use crate::app::App;
use crate::problem::{Code, Problem};
use crate::revision::{self, IfMatch, etag};

/// An answer with the entity tag of what it shows.
pub type WithETag<T> = ([(HeaderName, String); 1], Json<T>);
/// The answer to an addition.
pub type Created<T> = (StatusCode, [(HeaderName, String); 2], Json<T>);

/// How often a change that nobody based on a revision is tried while others change the object.
const TRIES: usize = 5;

/// Names an object of the configuration.
pub trait Id: Copy + Display + Send + 'static {
    /// The kind as the Config log has it.
    const KIND: &'static str;
    /// Where such objects are.
    const PATH: &'static str;

    /// At which version the object last changed; none where there is no such object.
    fn revision(self, snapshot: &Snapshot) -> Option<ConfigVersion>;
}

impl Id for UserId {
    const KIND: &'static str = "user";
    const PATH: &'static str = "/api/v1/users";

    fn revision(self, snapshot: &Snapshot) -> Option<ConfigVersion> {
        snapshot.revisions.users.get(&self).copied()
    }
}

impl Id for ExtensionId {
    const KIND: &'static str = "extension";
    const PATH: &'static str = "/api/v1/extensions";

    fn revision(self, snapshot: &Snapshot) -> Option<ConfigVersion> {
        snapshot.revisions.extensions.get(&self).copied()
    }
}

impl Id for InterfaceId {
    const KIND: &'static str = "interface";
    const PATH: &'static str = "/api/v1/interfaces";

    fn revision(self, snapshot: &Snapshot) -> Option<ConfigVersion> {
        let id = ItemId::Interface(self);
        snapshot.revisions.items.get(&id).copied()
    }
}

impl Id for RouteId {
    const KIND: &'static str = "route";
    const PATH: &'static str = "/api/v1/routes";

    fn revision(self, snapshot: &Snapshot) -> Option<ConfigVersion> {
        snapshot.revisions.items.get(&ItemId::Route(self)).copied()
    }
}

impl Id for PermissionGroupId {
    const KIND: &'static str = "call permission group";
    const PATH: &'static str = "/api/v1/call-permission-groups";

    fn revision(self, snapshot: &Snapshot) -> Option<ConfigVersion> {
        let id = ItemId::PermissionGroup(self);
        snapshot.revisions.items.get(&id).copied()
    }
}

/// The configuration, and the revision of an object that is in it.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn find<I: Id>(app: &App, id: I) -> Result<(Snapshot, ConfigVersion), Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    match id.revision(&snapshot) {
        Some(revision) => Ok((snapshot, revision)),
        None => Err(Problem::not_found(I::KIND)),
    }
}

/// As [`find`], for a change by who saw a certain revision.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Changed`] with the revision there is.
pub async fn find_as_seen<I: Id>(
    app: &App,
    id: I,
    if_match: &IfMatch,
) -> Result<(Snapshot, ConfigVersion, Expected), Problem> {
    let (snapshot, revision) = find(app, id).await?;
    let expected = app.expect(if_match, revision).await?;
    Ok((snapshot, revision, expected))
}

/// An object with its entity tag.
pub fn tagged<T>(revision: ConfigVersion, object: T) -> WithETag<T> {
    (revision::header(revision), Json(object))
}

/// An object that was just added.
pub fn created<I: Id, T>(id: I, revision: ConfigVersion, object: T) -> Created<T> {
    let location = format!("{}/{id}", I::PATH);
    let headers = [(LOCATION, location), (ETAG, etag(revision))];
    (StatusCode::CREATED, headers, Json(object))
}

/// Changes an object where nobody says what the change is based on: what else changes meanwhile
/// stays changed. Returns the object's revision then; inside, the store's own refusal.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Busy`].
pub async fn amend<I: Id>(
    app: &App,
    author: Author,
    id: I,
    operation: impl Fn(&Snapshot) -> Option<Operation>,
) -> Result<Result<ConfigVersion, ChangeError>, Problem> {
    for _ in 0..TRIES {
        let (snapshot, revision) = find(app, id).await?;
        let operation = operation(&snapshot).ok_or_else(|| Problem::not_found(I::KIND))?;
        let expected = Expected::Object(revision);
        match app
            .change_raw(author.clone(), expected, vec![operation])
            .await?
        {
            Ok(changed) if changed.different => return Ok(Ok(changed.version)),
            Ok(_) => return Ok(Ok(revision)),
            Err(ChangeError::Conflict { .. }) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Err(Problem::new(Code::Busy, "Others change it at this moment: try again.").retry_after(1))
}

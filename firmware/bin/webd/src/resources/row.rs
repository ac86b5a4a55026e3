//! What the editors of the configuration's lists have in common: an object is read, changed and removed by
//! its id, each change says what it is based on, and before a removal it is told what depends on it.

use std::future::Future;

use axum::Json;
use axum::http::StatusCode;
use model::ConfigVersion;
use store::{ChangeError, Expected, Operation, Snapshot};

use crate::api::Actor;
use crate::app::App;
use crate::object::{Created, Id, WithETag, created, find, find_as_seen, tagged};
use crate::problem::{Code, Problem};
use crate::revision::IfMatch;
use crate::words::{Dependent, Dependents};

/// Dependents that are named where they are in the way; the rest is counted.
const NAMED: usize = 20;

/// An object of a list, by its id.
pub trait Row: Id + Sync {
    /// As the API shows it.
    type Shown: Send;
    /// A change keeps something that the body does not have, such as a password: it must be of the revision
    /// that was read.
    const KEEPS: bool = false;
    /// Where dependents are in the way of a removal: what they do, before their names, and what to do.
    const IN_THE_WAY: Option<(&'static str, &'static str)> = None;

    /// As it is shown; nothing where it is not there.
    fn shown(
        self,
        app: &App,
        snapshot: &Snapshot,
    ) -> impl Future<Output = Option<Self::Shown>> + Send;

    /// What depends on it.
    fn dependents(
        self,
        app: &App,
        snapshot: &Snapshot,
    ) -> impl Future<Output = Vec<Dependent>> + Send;
}

/// An object and its revision.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn read<I: Row>(app: &App, id: I) -> Result<(ConfigVersion, I::Shown), Problem> {
    let (snapshot, revision) = find(app, id).await?;
    let shown = id.shown(app, &snapshot).await;
    Ok((revision, shown.ok_or_else(|| Problem::not_found(I::KIND))?))
}

/// The answer that shows an object.
///
/// # Errors
/// As [`read`].
pub async fn show<I: Row>(app: &App, id: I) -> Result<WithETag<I::Shown>, Problem> {
    let (revision, shown) = read(app, id).await?;
    Ok(tagged(revision, shown))
}

/// The answer to an addition.
///
/// # Errors
/// As [`read`].
pub async fn added<I: Row>(app: &App, id: I) -> Result<Created<I::Shown>, Problem> {
    let (revision, shown) = read(app, id).await?;
    Ok(created(id, revision, shown))
}

/// Puts something in an object's place, and shows it.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Changed`], and what is wrong with the operation.
pub async fn replace<I: Row>(
    app: &App,
    actor: &Actor,
    id: I,
    if_match: &IfMatch,
    operation: impl FnOnce(&Snapshot) -> Result<Operation, Problem>,
) -> Result<WithETag<I::Shown>, Problem> {
    let (snapshot, revision, mut expected) = find_as_seen(app, id, if_match).await?;
    if I::KEEPS {
        expected = Expected::Object(revision);
    }
    let operation = operation(&snapshot)?;
    app.change(actor.author(), expected, vec![operation])
        .await?;
    show(app, id).await
}

/// Removes an object.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Changed`], [`Code::Conflict`] with what is in the way.
pub async fn remove<I: Row>(
    app: &App,
    actor: &Actor,
    id: I,
    if_match: &IfMatch,
    operation: Operation,
) -> Result<StatusCode, Problem> {
    let (_, _, expected) = find_as_seen(app, id, if_match).await?;
    let changed = app.change_raw(actor.author(), expected, vec![operation]);
    match (changed.await?, I::IN_THE_WAY) {
        (Ok(_), _) => Ok(StatusCode::NO_CONTENT),
        (Err(ChangeError::Faults { .. }), Some(words)) => Err(in_use(app, id, words).await?),
        (Err(error), _) => Err(error.into()),
    }
}

/// What depends on an object, to ask before it is removed.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn dependents<I: Row>(app: &App, id: I) -> Result<Json<Dependents>, Problem> {
    let (snapshot, _) = find(app, id).await?;
    let dependents = id.dependents(app, &snapshot).await;
    Ok(Json(Dependents { dependents }))
}

/// An object that others have can't go.
async fn in_use<I: Row>(
    app: &App,
    id: I,
    (what, advice): (&str, &str),
) -> Result<Problem, Problem> {
    let (snapshot, _) = find(app, id).await?;
    let all = id.dependents(app, &snapshot).await;
    let mut named: Vec<&str> = all.iter().take(NAMED).map(Dependent::known_by).collect();
    let more = format!("{} more", all.len() - named.len());
    if all.len() > named.len() {
        named.push(&more);
    }
    let named = named.join(", ");
    Ok(Problem::new(
        Code::Conflict,
        format!("{what}: {named}. {advice}"),
    ))
}

//! Extensions (USR-2): internal numbers and the SIP accounts of their phones.
//!
//! A SIP password is told once: to who creates the extension or sets the password.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::control::{Reply, Request};
use model::{DialPlan, ExtensionId, ExtensionNumber, PermissionGroupId, UserId, config};
use serde::Deserialize;
use store::{ChangeError, Expected, Operation, Snapshot, Store, StoreError};
use utoipa::IntoParams;

use super::row::{self, Row};
use crate::api::Actor;
use crate::app::App;
use crate::input::{Body, Params, PathId, parameter};
use crate::object::{Created, WithETag, amend, created, tagged};
use crate::phones::Phones;
use crate::problem::{FieldCode, Problem};
use crate::revision::IfMatch;
use crate::words::{Dependent, Dependents};

mod body;
mod caller_id;
mod query;

use body::{number, random_sip_password};

pub use body::{
    CreatedExtension, Extension, ExtensionChange, ExtensionCreation, Extensions, NewSipPassword,
    SipPassword, Suggestion,
};
pub use query::{ExtensionPage, ExtensionSort};

/// Where to look for an unused number.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// The first number that would do; the one offered has as many digits.
    #[serde(default = "first_number")]
    #[param(
        default = "100",
        example = "100",
        pattern = "^[0-9]+$",
        min_length = 1,
        max_length = 16
    )]
    first: String,
}

impl Row for ExtensionId {
    type Shown = Extension;
    const KEEPS: bool = true;

    async fn shown(self, app: &App, snapshot: &Snapshot) -> Option<Extension> {
        let extension = snapshot.configuration.extension(self)?;
        let phones = Phones::now(app).await;
        Some(Extension::new(snapshot, phones.as_ref(), extension))
    }

    async fn dependents(self, app: &App, snapshot: &Snapshot) -> Vec<Dependent> {
        let interfaces = (snapshot.configuration.interfaces.iter())
            .filter(|interface| interface.rings(self))
            .map(|interface| Dependent::interface(interface.id.raw(), &interface.name));
        let showing = (snapshot.configuration.extensions.iter())
            .filter(|extension| extension.caller_id.other() == Some(self))
            .map(|extension| {
                Dependent::extension(extension.id.raw(), extension.number.to_string())
            });
        let ringing = (snapshot.configuration.users.iter())
            .filter(|user| user.ringing.calls(self))
            .map(Dependent::user);
        // Where the exchange does not answer nothing is known to depend on it.
        let phones = match app.control.ask(Request::Registrations).await {
            Ok(Reply::Registrations { registrations }) => registrations,
            _ => Vec::new(),
        };
        phones
            .into_iter()
            .filter(|phone| phone.extension == self)
            .map(|phone| Dependent::phone(phone.user_agent, phone.address))
            .chain(interfaces)
            .chain(showing)
            .chain(ringing)
            .collect()
    }
}

/// Extensions
#[utoipa::path(get, path = "/extensions", operation_id = "list_extensions", tag = "configuration",
    params(ExtensionPage),
    responses((status = 200, description = "A page of extensions", body = Extensions)))]
pub async fn list(
    State(app): State<App>,
    Params(page): Params<ExtensionPage>,
) -> Result<Json<Extensions>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let phones = Phones::now(&app).await;
    let extensions = snapshot
        .configuration
        .extensions
        .iter()
        .map(|extension| Extension::new(&snapshot, phones.as_ref(), extension))
        .collect();
    let (total, extensions) = page.of(extensions)?;
    Ok(Json(Extensions { total, extensions }))
}

/// Add an extension
///
/// The SIP user name is the number where none is given, the SIP password a strong random one. The
/// answer is the only one that tells the password.
#[utoipa::path(post, path = "/extensions", operation_id = "add_extension", tag = "configuration",
    request_body = ExtensionCreation,
    responses((status = 201, description = "Added", body = CreatedExtension, headers(
        ("ETag" = String, description = "For If-Match"),
        ("Location" = String, description = "Where the extension is")))))]
pub async fn add(
    State(app): State<App>,
    actor: Actor,
    Body(body): Body<ExtensionCreation>,
) -> Result<Created<CreatedExtension>, Problem> {
    let new = body.read()?;
    let password = new.sip_password.clone();
    let changed = app
        .change(
            actor.author(),
            Expected::Anything,
            vec![Operation::AddExtension(new)],
        )
        .await?;
    let id = *changed.extensions.first().ok_or_else(Problem::internal)?;
    let (revision, extension) = row::read(&app, id).await?;
    let extension = CreatedExtension::new(extension, password.expose());
    Ok(created(id, revision, extension))
}

/// The first unused number
///
/// From a number on, of the same count of digits: one that no extension had before, as long as there is one.
#[utoipa::path(get, path = "/extensions/suggestion", operation_id = "suggest_number",
    tag = "configuration", params(From),
    responses(
        (status = 200, description = "Nothing has this number", body = Suggestion),
        (status = 404, description = "All numbers of that count of digits are taken (`not_found`)",
            content_type = "application/problem+json", body = crate::problem::ProblemBody),
    ))]
pub async fn suggestion(
    State(app): State<App>,
    Params(from): Params<From>,
) -> Result<Json<Suggestion>, Problem> {
    let first: ExtensionNumber = from.first.parse().map_err(|error: model::InvalidNumber| {
        parameter("first", FieldCode::Invalid, error.to_string())
    })?;
    let (configuration, former) = app
        .with_store(|store: &Store| Ok::<_, StoreError>((store.load()?, store.former_numbers()?)))
        .await?;
    let plan = DialPlan::build(&configuration).map_err(|_| Problem::internal())?;
    let number = plan
        .first_unused_but(&first, &former)
        .or_else(|| plan.first_unused(&first))
        .ok_or_else(|| Problem::not_found("unused number with so many digits"))?;
    Ok(Json(Suggestion::new(&number)))
}

/// One extension
#[utoipa::path(get, path = "/extensions/{id}", operation_id = "show_extension",
    tag = "configuration",
    params(("id" = u32, Path, description = "Id of the extension")),
    responses((status = 200, description = "The extension", body = Extension,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<WithETag<Extension>, Problem> {
    row::show(&app, ExtensionId::new(id)).await
}

/// Change an extension
///
/// Everything but the SIP password is replaced.
#[utoipa::path(put, path = "/extensions/{id}", operation_id = "change_extension",
    tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the extension"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    request_body = ExtensionChange,
    responses((status = 200, description = "Changed", body = Extension,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
    Body(body): Body<ExtensionChange>,
) -> Result<WithETag<Extension>, Problem> {
    let id = ExtensionId::new(id);
    let number = number(&body.number)?;
    let update = |snapshot: &Snapshot| {
        let before = snapshot.configuration.extension(id);
        let before = before.ok_or_else(|| Problem::not_found("extension"))?;
        Ok(Operation::UpdateExtension(config::Extension {
            id,
            number,
            description: body.description,
            user: body.user.map(UserId::new),
            caller_name: body.caller_name,
            caller_id: body.caller_id.into(),
            enabled: body.enabled,
            sip_username: body.sip_username,
            sip_password: before.sip_password.clone(),
            codecs: body.codecs.into_iter().map(Into::into).collect(),
            srtp: body.srtp.into(),
            permission_group: body.permission_group.map(PermissionGroupId::new),
        }))
    };
    row::replace(&app, &actor, id, &if_match, update).await
}

/// Remove an extension
#[utoipa::path(delete, path = "/extensions/{id}", operation_id = "remove_extension",
    tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the extension"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    responses((status = 204, description = "Removed")))]
pub async fn remove(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let id = ExtensionId::new(id);
    let operation = Operation::RemoveExtension(id);
    row::remove(&app, &actor, id, &if_match, operation).await
}

/// Set or generate the SIP password
///
/// Without a password in the body a strong random one is made. The answer is the only one that
/// tells it. Phones with the old one can't register any more.
#[utoipa::path(post, path = "/extensions/{id}/sip-password", operation_id = "set_sip_password",
    tag = "configuration",
    params(("id" = u32, Path, description = "Id of the extension")),
    request_body = NewSipPassword,
    responses((status = 200, description = "Set", body = SipPassword,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn set_sip_password(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    Body(body): Body<NewSipPassword>,
) -> Result<WithETag<SipPassword>, Problem> {
    let id = ExtensionId::new(id);
    let password = match body.password {
        Some(password) => password,
        None => random_sip_password()?,
    };
    let set = |snapshot: &Snapshot| {
        let mut extension = snapshot.configuration.extension(id)?.clone();
        extension.sip_password = password.clone();
        Some(Operation::UpdateExtension(extension))
    };
    match amend(&app, actor.author(), id, set).await? {
        Ok(revision) => Ok(tagged(revision, SipPassword::new(password.expose()))),
        Err(ChangeError::Faults { faults, .. }) => {
            let text = faults
                .first()
                .map_or("use another", |fault| fault.text.as_str());
            Err(Problem::field("/password", FieldCode::WeakPassword, text))
        }
        Err(error) => Err(error.into()),
    }
}

/// What depends on an extension
///
/// To ask before it is removed: the phones that are registered on it now, the interfaces whose calls
/// ring it, which ring nobody in its place, the extensions that show its number outside, which show none then,
/// and the users whose ringing rules call it, which do so no more.
#[utoipa::path(get, path = "/extensions/{id}/dependents", operation_id = "list_extension_dependents",
    tag = "configuration",
    params(("id" = u32, Path, description = "Id of the extension")),
    responses((status = 200, description = "What there is of them", body = Dependents)))]
pub async fn dependents(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<Json<Dependents>, Problem> {
    row::dependents(&app, ExtensionId::new(id)).await
}

fn first_number() -> String {
    "100".to_owned()
}

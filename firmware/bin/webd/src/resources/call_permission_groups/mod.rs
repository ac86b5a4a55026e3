//! Call permission groups (PRM-1): which numbers outside an extension may call.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{PermissionGroupId, config};
use serde::{Deserialize, Serialize};
use store::{Expected, Item, ItemId, Operation, Snapshot, Store};
use utoipa::ToSchema;

use super::row::{self, Row};
use crate::api::Actor;
use crate::app::App;
use crate::input::{Body, PathId};
use crate::list::folded;
use crate::object::{Created, WithETag};
use crate::problem::Problem;
use crate::revision::{IfMatch, etag};
use crate::words::{Dependent, Dependents, Permission};

/// One rule of a group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionRule {
    /// What the number begins with, as it is dialled: with the prefix for calls out.
    #[schema(
        example = "0900",
        min_length = 1,
        max_length = 32,
        pattern = r"^(\+|\+?[0-9*#]+)$"
    )]
    prefix: String,
    /// What becomes of it.
    permission: Permission,
}

/// An ordered list of rules: the first that fits a dialled number decides.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionGroup {
    /// Never reused.
    id: u32,
    /// What people know it by; unique.
    #[schema(example = "No premium rates")]
    name: String,
    /// What the administrator wrote about it.
    description: String,
    /// The rules, the first first.
    rules: Vec<PermissionRule>,
    /// What becomes of a number that no rule fits.
    default: Permission,
    /// The fraud protection holds for its extensions.
    fraud_protection: bool,
    /// For If-Match.
    #[schema(example = "\"r17\"")]
    etag: String,
}

/// All call permission groups.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionGroups {
    /// By name.
    groups: Vec<PermissionGroup>,
}

/// What a group is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionGroupChange {
    /// What people know it by; unique without regard to case.
    #[schema(
        example = "No premium rates",
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$"
    )]
    name: String,
    /// What the administrator writes about it.
    #[serde(default)]
    #[schema(max_length = 128, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    description: String,
    /// The rules, the first first.
    #[schema(max_items = 500)]
    rules: Vec<PermissionRule>,
    /// What becomes of a number that no rule fits.
    default: Permission,
    /// The fraud protection holds for its extensions.
    #[serde(default = "yes")]
    #[schema(default = true)]
    fraud_protection: bool,
}

const fn yes() -> bool {
    true
}

impl PermissionGroup {
    fn new(snapshot: &Snapshot, group: &config::PermissionGroup) -> Self {
        let revision = (snapshot.revisions.items).get(&ItemId::PermissionGroup(group.id));
        Self {
            id: group.id.raw(),
            name: group.name.clone(),
            description: group.description.clone(),
            rules: (group.rules.iter())
                .map(|rule| PermissionRule {
                    prefix: rule.prefix.clone(),
                    permission: rule.permission.into(),
                })
                .collect(),
            default: group.default.into(),
            fraud_protection: group.fraud_protection,
            etag: revision.map(|revision| etag(*revision)).unwrap_or_default(),
        }
    }
}

impl PermissionGroupChange {
    fn into_model(self, id: PermissionGroupId) -> config::PermissionGroup {
        let rules = self.rules.into_iter().map(|rule| config::PermissionRule {
            prefix: rule.prefix,
            permission: rule.permission.into(),
        });
        config::PermissionGroup {
            id,
            name: self.name.trim().to_owned(),
            description: self.description,
            rules: rules.collect(),
            default: self.default.into(),
            fraud_protection: self.fraud_protection,
        }
    }
}

impl Row for PermissionGroupId {
    type Shown = PermissionGroup;
    const IN_THE_WAY: Option<(&'static str, &'static str)> = Some((
        "Extensions have this group",
        "Give them another first, or none.",
    ));

    async fn shown(self, _: &App, snapshot: &Snapshot) -> Option<PermissionGroup> {
        let group = snapshot.configuration.permission_group(self)?;
        Some(PermissionGroup::new(snapshot, group))
    }

    async fn dependents(self, _: &App, snapshot: &Snapshot) -> Vec<Dependent> {
        (snapshot.configuration.extensions.iter())
            .filter(|extension| extension.permission_group == Some(self))
            .map(|extension| Dependent::extension(extension.id.raw(), extension.number.to_string()))
            .collect()
    }
}

/// Call permission groups
#[utoipa::path(get, path = "/call-permission-groups", operation_id = "list_permission_groups",
    tag = "configuration",
    responses((status = 200, description = "All groups, by name", body = PermissionGroups)))]
pub async fn list(State(app): State<App>) -> Result<Json<PermissionGroups>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let mut groups: Vec<PermissionGroup> = (snapshot.configuration.permission_groups.iter())
        .map(|group| PermissionGroup::new(&snapshot, group))
        .collect();
    groups.sort_by_cached_key(|group| folded(&group.name));
    Ok(Json(PermissionGroups { groups }))
}

/// Add a call permission group
#[utoipa::path(post, path = "/call-permission-groups", operation_id = "add_permission_group",
    tag = "configuration", request_body = PermissionGroupChange,
    responses((status = 201, description = "Added", body = PermissionGroup, headers(
        ("ETag" = String, description = "For If-Match"),
        ("Location" = String, description = "Where the group is")))))]
pub async fn add(
    State(app): State<App>,
    actor: Actor,
    Body(body): Body<PermissionGroupChange>,
) -> Result<Created<PermissionGroup>, Problem> {
    let group = body.into_model(PermissionGroupId::new(0));
    let add = Operation::AddItem(Item::PermissionGroup(group));
    let add = app.change(actor.author(), Expected::Anything, vec![add]);
    let Some(&ItemId::PermissionGroup(id)) = add.await?.items.first() else {
        return Err(Problem::internal());
    };
    row::added(&app, id).await
}

/// One call permission group
#[utoipa::path(get, path = "/call-permission-groups/{id}", operation_id = "show_permission_group",
    tag = "configuration", params(("id" = u32, Path, description = "Id of the group")),
    responses((status = 200, description = "The group", body = PermissionGroup,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<WithETag<PermissionGroup>, Problem> {
    row::show(&app, PermissionGroupId::new(id)).await
}

/// Change a call permission group
#[utoipa::path(put, path = "/call-permission-groups/{id}", operation_id = "change_permission_group",
    tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the group"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    request_body = PermissionGroupChange,
    responses((status = 200, description = "Changed", body = PermissionGroup,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
    Body(body): Body<PermissionGroupChange>,
) -> Result<WithETag<PermissionGroup>, Problem> {
    let id = PermissionGroupId::new(id);
    let group = Operation::UpdateItem(Item::PermissionGroup(body.into_model(id)));
    row::replace(&app, &actor, id, &if_match, |_| Ok(group)).await
}

/// Remove a call permission group
///
/// No extension may have it any more.
#[utoipa::path(delete, path = "/call-permission-groups/{id}",
    operation_id = "remove_permission_group", tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the group"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    responses((status = 204, description = "Removed")))]
pub async fn remove(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let id = PermissionGroupId::new(id);
    let operation = Operation::RemoveItem(ItemId::PermissionGroup(id));
    row::remove(&app, &actor, id, &if_match, operation).await
}

/// What depends on a call permission group
///
/// To ask before it is removed: the extensions that have it.
#[utoipa::path(get, path = "/call-permission-groups/{id}/dependents",
    operation_id = "list_permission_group_dependents", tag = "configuration",
    params(("id" = u32, Path, description = "Id of the group")),
    responses((status = 200, description = "Its extensions", body = Dependents)))]
pub async fn dependents(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<Json<Dependents>, Problem> {
    row::dependents(&app, PermissionGroupId::new(id)).await
}

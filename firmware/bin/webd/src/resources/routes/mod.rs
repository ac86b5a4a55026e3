//! Routes of outgoing calls (SIP-3, SIP-4).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{InterfaceId, RouteId, config};
use serde::{Deserialize, Serialize};
use store::{Expected, Item, ItemId, Operation, Snapshot, Store};
use utoipa::ToSchema;

use super::interfaces::Rewriting;
use super::row::{self, Row};
use crate::api::Actor;
use crate::app::App;
use crate::input::{Body, PathId};
use crate::object::{Created, WithETag};
use crate::problem::Problem;
use crate::revision::{IfMatch, etag};
use crate::words::Dependent;

/// Where dialled numbers that begin with a prefix go.
#[derive(Debug, Serialize, ToSchema)]
pub struct Route {
    /// Never reused.
    id: u32,
    /// What the dialled number begins with; the longest that fits decides. Empty fits every number.
    #[schema(example = "9")]
    prefix: String,
    /// What the administrator wrote about it.
    description: String,
    /// A disabled route is passed over.
    enabled: bool,
    /// Ids of the interfaces, in the order in which they are tried.
    interfaces: Vec<u32>,
    /// What is done to the numbers of calls that leave by it.
    outgoing: Rewriting,
    /// For If-Match.
    #[schema(example = "\"r17\"")]
    etag: String,
}

/// All routes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Routes {
    /// By prefix.
    routes: Vec<Route>,
}

/// What a route is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteChange {
    /// What the dialled number begins with; empty fits every number.
    #[schema(example = "9", max_length = 32, pattern = r"^(\+?[0-9*#]+)?$")]
    prefix: String,
    /// What the administrator writes about it.
    #[serde(default)]
    #[schema(max_length = 128, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    description: String,
    /// A disabled route is passed over.
    #[serde(default = "yes")]
    enabled: bool,
    /// Ids of the interfaces, in the order in which they are tried, each once.
    #[schema(value_type = BTreeSet<u32>, min_items = 1, max_items = 100)]
    interfaces: Vec<u32>,
    /// What is done to the numbers of calls that leave by it.
    #[serde(default)]
    outgoing: Rewriting,
}

impl Route {
    fn new(snapshot: &Snapshot, route: &config::Route) -> Self {
        let revision = snapshot.revisions.items.get(&ItemId::Route(route.id));
        Self {
            id: route.id.raw(),
            prefix: route.prefix.clone(),
            description: route.description.clone(),
            enabled: route.enabled,
            interfaces: route.interfaces.iter().map(|id| id.raw()).collect(),
            outgoing: (&route.outgoing).into(),
            etag: revision.map(|revision| etag(*revision)).unwrap_or_default(),
        }
    }
}

impl RouteChange {
    fn into_model(self, id: RouteId) -> config::Route {
        config::Route {
            id,
            prefix: self.prefix,
            description: self.description,
            enabled: self.enabled,
            interfaces: self.interfaces.into_iter().map(InterfaceId::new).collect(),
            outgoing: self.outgoing.to_model(),
        }
    }
}

impl Row for RouteId {
    type Shown = Route;

    async fn shown(self, _: &App, snapshot: &Snapshot) -> Option<Route> {
        let mut routes = snapshot.configuration.routes.iter();
        let route = routes.find(|route| route.id == self)?;
        Some(Route::new(snapshot, route))
    }

    async fn dependents(self, _: &App, _: &Snapshot) -> Vec<Dependent> {
        Vec::new()
    }
}

/// Routes
#[utoipa::path(get, path = "/routes", operation_id = "list_routes", tag = "configuration",
    responses((status = 200, description = "All routes, by prefix", body = Routes)))]
pub async fn list(State(app): State<App>) -> Result<Json<Routes>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let mut routes: Vec<Route> = (snapshot.configuration.routes.iter())
        .map(|route| Route::new(&snapshot, route))
        .collect();
    routes.sort_by(|one, two| one.prefix.cmp(&two.prefix));
    Ok(Json(Routes { routes }))
}

/// Add a route
#[utoipa::path(post, path = "/routes", operation_id = "add_route", tag = "configuration",
    request_body = RouteChange,
    responses((status = 201, description = "Added", body = Route, headers(
        ("ETag" = String, description = "For If-Match"),
        ("Location" = String, description = "Where the route is")))))]
pub async fn add(
    State(app): State<App>,
    actor: Actor,
    Body(body): Body<RouteChange>,
) -> Result<Created<Route>, Problem> {
    let add = Operation::AddItem(Item::Route(body.into_model(RouteId::new(0))));
    let add = app.change(actor.author(), Expected::Anything, vec![add]);
    let Some(&ItemId::Route(id)) = add.await?.items.first() else {
        return Err(Problem::internal());
    };
    row::added(&app, id).await
}

/// One route
#[utoipa::path(get, path = "/routes/{id}", operation_id = "show_route", tag = "configuration",
    params(("id" = u32, Path, description = "Id of the route")),
    responses((status = 200, description = "The route", body = Route,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<WithETag<Route>, Problem> {
    row::show(&app, RouteId::new(id)).await
}

/// Change a route
#[utoipa::path(put, path = "/routes/{id}", operation_id = "change_route", tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the route"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    request_body = RouteChange,
    responses((status = 200, description = "Changed", body = Route,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
    Body(body): Body<RouteChange>,
) -> Result<WithETag<Route>, Problem> {
    let id = RouteId::new(id);
    let route = Operation::UpdateItem(Item::Route(body.into_model(id)));
    row::replace(&app, &actor, id, &if_match, |_| Ok(route)).await
}

/// Remove a route
#[utoipa::path(delete, path = "/routes/{id}", operation_id = "remove_route", tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the route"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    responses((status = 204, description = "Removed")))]
pub async fn remove(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let id = RouteId::new(id);
    let operation = Operation::RemoveItem(ItemId::Route(id));
    row::remove(&app, &actor, id, &if_match, operation).await
}

const fn yes() -> bool {
    true
}

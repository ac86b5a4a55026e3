//! Interfaces (SIP-1, SIP-2): the ways to other networks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::config::{self, Rewrite};
use model::control::{InterfaceState, Reply, Request};
use model::{InterfaceId, RouteId};
use store::{ChangeError, Expected, Item, ItemId, Operation, Snapshot, Store};

use super::row::{self, Row};
use crate::api::Actor;
use crate::app::App;
use crate::input::{Body, PathId};
use crate::list::folded;
use crate::object::{Created, WithETag};
use crate::problem::{FieldCode, Problem};
use crate::revision::IfMatch;
use crate::words::{Dependent, Dependents};

mod body;

pub use body::{Interface, InterfaceChange, Interfaces, Rewriting};

impl Row for InterfaceId {
    type Shown = Interface;
    const KEEPS: bool = true;
    const IN_THE_WAY: Option<(&'static str, &'static str)> = Some((
        "Routes lead to this interface",
        "To remove it, take it from the route first, or remove the route.",
    ));

    async fn shown(self, app: &App, snapshot: &Snapshot) -> Option<Interface> {
        let interface = snapshot.configuration.interface(self)?;
        let states = states(app).await;
        Some(Interface::new(snapshot, states.as_deref(), interface))
    }

    async fn dependents(self, _: &App, snapshot: &Snapshot) -> Vec<Dependent> {
        (snapshot.configuration.routes.iter())
            .filter(|route| route.interfaces.contains(&self))
            .map(|route| Dependent::route(route.id.raw(), &route.prefix))
            .collect()
    }
}

/// Interfaces
#[utoipa::path(get, path = "/interfaces", operation_id = "list_interfaces", tag = "configuration",
    responses((status = 200, description = "All interfaces, by name", body = Interfaces)))]
pub async fn list(State(app): State<App>) -> Result<Json<Interfaces>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let states = states(&app).await;
    let mut interfaces: Vec<Interface> = (snapshot.configuration.interfaces.iter())
        .map(|interface| Interface::new(&snapshot, states.as_deref(), interface))
        .collect();
    interfaces.sort_by_cached_key(|interface| folded(&interface.name));
    Ok(Json(Interfaces { interfaces }))
}

/// Add an interface
///
/// With a prefix a route to it is added too. Where there is one of that prefix, to partners of the same kind,
/// the interface becomes its last: the one that is tried where the others fail.
#[utoipa::path(post, path = "/interfaces", operation_id = "add_interface", tag = "configuration",
    request_body = InterfaceChange,
    responses((status = 201, description = "Added", body = Interface, headers(
        ("ETag" = String, description = "For If-Match"),
        ("Location" = String, description = "Where the interface is")))))]
pub async fn add(
    State(app): State<App>,
    actor: Actor,
    Body(body): Body<InterfaceChange>,
) -> Result<Created<Interface>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let operations = body.added(&snapshot)?;
    let joins = operations
        .iter()
        .any(|one| matches!(one, Operation::UpdateItem(_)));
    let seen = if joins {
        // A route that is joined is the one that was read.
        Expected::Configuration(snapshot.configuration.version)
    } else {
        Expected::Anything
    };
    let changed = (app.change_raw(actor.author(), seen, operations)).await?;
    let changed = changed.map_err(by_field)?;
    let id = (changed.items.iter()).find_map(|id| match id {
        ItemId::Interface(id) => Some(*id),
        ItemId::Route(_)
        | ItemId::Emergency
        | ItemId::PermissionGroup(_)
        | ItemId::FraudProtection => None,
    });
    let id = id.ok_or_else(Problem::internal)?;
    row::added(&app, id).await
}

/// Check an interface to be added
///
/// The same body as an addition takes: it is refused for the same reasons, and nothing is stored.
#[utoipa::path(post, path = "/interfaces/check", operation_id = "check_interface",
    tag = "configuration", request_body = InterfaceChange,
    responses((status = 204, description = "It could be added now")))]
pub async fn check(
    State(app): State<App>,
    Body(body): Body<InterfaceChange>,
) -> Result<StatusCode, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let operations = body.added(&snapshot)?;
    app.with_store(move |store: &Store| store.check_all(operations).map_err(by_field))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A fault of the route that is added with an interface is one of the field it comes from.
fn by_field(error: ChangeError) -> Problem {
    let ChangeError::Faults {
        mut faults,
        objects,
    } = error
    else {
        return error.into();
    };
    let interface = objects.first().and_then(Option::as_deref);
    for fault in &mut faults {
        if fault.path.starts_with("/routes/") && fault.path.ends_with("/prefix") {
            fault.path = format!("{}/prefix", interface.unwrap_or_default());
        }
    }
    ChangeError::Faults { faults, objects }.into()
}

impl InterfaceChange {
    /// What adds it, and with a prefix the route to it, or its place in the one that there is.
    fn added(mut self, snapshot: &Snapshot) -> Result<Vec<Operation>, Problem> {
        let prefix = self.prefix.take();
        let interface = self.into_model(InterfaceId::ADDED, None)?;
        let route = prefix.map(
            |prefix| match joined(snapshot, &prefix, interface.partner) {
                Some(route) => Operation::UpdateItem(Item::Route(route)),
                None => Operation::AddItem(Item::Route(route(prefix, &interface))),
            },
        );
        let mut operations = vec![Operation::AddItem(Item::Interface(interface))];
        operations.extend(route);
        Ok(operations)
    }
}

/// The route of this prefix with a new interface as its last. Not one to partners of another kind: what it
/// does to the numbers is for them.
fn joined(snapshot: &Snapshot, prefix: &str, partner: config::Partner) -> Option<config::Route> {
    let configuration = &snapshot.configuration;
    let mut routes = configuration.routes.iter();
    let mut route = routes.find(|route| route.prefix == prefix)?.clone();
    let fits = (route.interfaces.iter())
        .filter_map(|id| configuration.interface(*id))
        .all(|interface| interface.partner == partner);
    fits.then(|| {
        route.interfaces.push(InterfaceId::ADDED);
        route
    })
}

/// The route that leads to a new interface.
fn route(prefix: String, interface: &config::Interface) -> config::Route {
    let strip = match interface.partner {
        config::Partner::Provider => u8::try_from(prefix.len()).unwrap_or(u8::MAX),
        // The other exchange's numbers begin with the prefix.
        config::Partner::Exchange => 0,
    };
    config::Route {
        id: RouteId::new(0),
        prefix,
        description: interface.name.clone(),
        enabled: true,
        interfaces: vec![InterfaceId::ADDED],
        outgoing: config::Rewriting {
            called: Rewrite {
                strip,
                prefix: String::new(),
            },
            calling: Rewrite::default(),
        },
    }
}

/// One interface
#[utoipa::path(get, path = "/interfaces/{id}", operation_id = "show_interface",
    tag = "configuration",
    params(("id" = u32, Path, description = "Id of the interface")),
    responses((status = 200, description = "The interface", body = Interface,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<WithETag<Interface>, Problem> {
    row::show(&app, InterfaceId::new(id)).await
}

/// Change an interface
///
/// All of it is replaced but the password, where none is given.
#[utoipa::path(put, path = "/interfaces/{id}", operation_id = "change_interface",
    tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the interface"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    request_body = InterfaceChange,
    responses((status = 200, description = "Changed", body = Interface,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
    Body(body): Body<InterfaceChange>,
) -> Result<WithETag<Interface>, Problem> {
    let id = InterfaceId::new(id);
    let update = |snapshot: &Snapshot| {
        if body.prefix.is_some() {
            let text = "a route is changed by itself: leave the prefix out";
            return Err(Problem::field("/prefix", FieldCode::Invalid, text));
        }
        let before = snapshot.configuration.interface(id);
        let interface = body.into_model(id, before)?;
        Ok(Operation::UpdateItem(Item::Interface(interface)))
    };
    row::replace(&app, &actor, id, &if_match, update).await
}

/// Remove an interface
///
/// No route may use it any more.
#[utoipa::path(delete, path = "/interfaces/{id}", operation_id = "remove_interface",
    tag = "configuration",
    params(
        ("id" = u32, Path, description = "Id of the interface"),
        ("If-Match" = String, Header, description = "The ETag as it was read, or `*`", example = "*"),
    ),
    responses((status = 204, description = "Removed")))]
pub async fn remove(
    State(app): State<App>,
    actor: Actor,
    PathId(id): PathId<u32>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let id = InterfaceId::new(id);
    let operation = Operation::RemoveItem(ItemId::Interface(id));
    row::remove(&app, &actor, id, &if_match, operation).await
}

/// What depends on an interface
///
/// To ask before it is removed: the routes that use it.
#[utoipa::path(get, path = "/interfaces/{id}/dependents", operation_id = "list_interface_dependents",
    tag = "configuration",
    params(("id" = u32, Path, description = "Id of the interface")),
    responses((status = 200, description = "Its routes", body = Dependents)))]
pub async fn dependents(
    State(app): State<App>,
    PathId(id): PathId<u32>,
) -> Result<Json<Dependents>, Problem> {
    row::dependents(&app, InterfaceId::new(id)).await
}

/// How the interfaces are; nothing where the exchange does not answer.
async fn states(app: &App) -> Option<Vec<InterfaceState>> {
    match app.control.ask(Request::Interfaces).await {
        Ok(Reply::Interfaces { interfaces }) => Some(interfaces),
        _ => None,
    }
}

//! The network of the machine: a change is made at once, and taken back unless it is confirmed.

use axum::Json;
use axum::extract::State;
use model::system::{Reply, Request};

use super::body::{Network, NetworkSettings};
use super::{Seen, ask, change, change_as_seen, refused};
use crate::api::Actor;
use crate::app::App;
use crate::input::Body;
use crate::object::WithETag;
use crate::problem::Problem;
use crate::revision::{IfMatch, etag_of, header_of};

/// The network as it is set and as it is
#[utoipa::path(get, path = "/system/network", operation_id = "show_network", tag = "system",
    responses((status = 200, description = "As it is now", body = Network,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show_network(
    State(app): State<App>,
    actor: Actor,
) -> Result<WithETag<Network>, Problem> {
    shown(ask(&app, &actor, Request::Network).await?)
}

/// Change the network
///
/// At once; it is taken back unless it is confirmed within `confirm_within_s`, from the new address.
#[utoipa::path(put, path = "/system/network", operation_id = "change_network", tag = "system",
    params(("If-Match" = String, Header, description = "The ETag as it was read, or `*`",
        example = "*")),
    request_body = NetworkSettings,
    responses((status = 200, description = "Changed until it is taken back", body = Network,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn change_network(
    State(app): State<App>,
    actor: Actor,
    if_match: IfMatch,
    Body(body): Body<NetworkSettings>,
) -> Result<WithETag<Network>, Problem> {
    let settings = body.read()?;
    let text = format!("Changed the network: {}", said(&settings));
    let request = Request::SetNetwork { settings };
    let seen = Seen {
        if_match,
        now: Request::Network,
        tag,
        said: "Changed the network",
    };
    shown(change_as_seen(&app, &actor, seen, request, text).await?)
}

/// Keep the network as it was changed
#[utoipa::path(post, path = "/system/network/confirm", operation_id = "confirm_network",
    tag = "system", responses((status = 200, description = "It stays so", body = Network,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn confirm_network(
    State(app): State<App>,
    actor: Actor,
) -> Result<WithETag<Network>, Problem> {
    let text = "Confirmed the change of the network".to_owned();
    shown(change(&app, &actor, Request::ConfirmNetwork, text).await?)
}

/// Take a change of the network back
#[utoipa::path(post, path = "/system/network/revert", operation_id = "revert_network",
    tag = "system", responses((status = 200, description = "It is as before", body = Network,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn revert_network(
    State(app): State<App>,
    actor: Actor,
) -> Result<WithETag<Network>, Problem> {
    let text = "Took the change of the network back".to_owned();
    shown(change(&app, &actor, Request::RevertNetwork, text).await?)
}

/// The entity tag of what is set.
fn tag(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Network(network) => Some(etag_of(&network.settings)),
        _ => None,
    }
}

fn shown(reply: Reply) -> Result<WithETag<Network>, Problem> {
    match reply {
        Reply::Network(network) => Ok((header_of(&network.settings), Json(network.into()))),
        other => Err(refused(other)),
    }
}

/// The change as the Config log says it.
fn said(settings: &model::system::NetworkSettings) -> String {
    use model::system::Addressing;
    let ports = settings
        .interfaces
        .iter()
        .map(|port| match port.addressing {
            Addressing::Static { address } => format!("{} {address}", port.name),
            Addressing::Dhcp { .. } => format!("{} DHCP", port.name),
        });
    let ports: Vec<String> = ports.collect();
    format!("{} ({})", settings.host_name, ports.join(", "))
}

//! The menu of the machine over ssh: whether it is on, and for whose keys. There is no password: a key is
//! what comes in.

use axum::Json;
use axum::extract::State;
use model::system::{self, Reply, Request};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Seen, ask, change_as_seen, refused};
use crate::api::Actor;
use crate::app::App;
use crate::input::Body;
use crate::object::WithETag;
use crate::problem::Problem;
use crate::revision::{IfMatch, etag_of, header_of};

/// The menu over ssh as it is set, and the machine's own key.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemoteMenu {
    /// As it is set.
    settings: RemoteMenuSettings,
    /// By which a client of ssh knows this machine; nothing until it was on for the first time.
    #[schema(example = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")]
    fingerprint: Option<String>,
}

/// Whether the menu can be reached by ssh, and by whom.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteMenuSettings {
    /// Whether anybody can come in by ssh at all.
    enabled: bool,
    /// Public keys as OpenSSH writes them; where it is on there is one at least.
    #[schema(max_items = 16, example = json!(["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA... name"]))]
    keys: Vec<String>,
}

/// The menu over ssh
#[utoipa::path(get, path = "/system/remote-menu", operation_id = "show_remote_menu", tag = "system",
    responses((status = 200, description = "As it is now", body = RemoteMenu,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show_remote_menu(
    State(app): State<App>,
    actor: Actor,
) -> Result<WithETag<RemoteMenu>, Problem> {
    shown(ask(&app, &actor, Request::RemoteMenu).await?)
}

/// Switch the menu over ssh on or off
///
/// `ssh admin@ADDRESS` with the private half of one of the keys leads to it. Where a key is taken away,
/// everybody who is in it is sent out.
#[utoipa::path(put, path = "/system/remote-menu", operation_id = "change_remote_menu",
    tag = "system", params(("If-Match" = String, Header, description = "The ETag as it was read, or `*`",
        example = "*")),
    request_body = RemoteMenuSettings,
    responses((status = 200, description = "It is set", body = RemoteMenu,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn change_remote_menu(
    State(app): State<App>,
    actor: Actor,
    if_match: IfMatch,
    Body(RemoteMenuSettings { enabled, keys }): Body<RemoteMenuSettings>,
) -> Result<WithETag<RemoteMenu>, Problem> {
    let text = format!(
        "Switched the menu over SSH {} ({} keys)",
        if enabled { "on" } else { "off" },
        keys.len()
    );
    let settings = system::RemoteMenuSettings { enabled, keys };
    let seen = Seen {
        if_match,
        now: Request::RemoteMenu,
        tag,
        said: "Switched the menu",
    };
    shown(
        change_as_seen(
            &app,
            &actor,
            seen,
            Request::SetRemoteMenu { settings },
            text,
        )
        .await?,
    )
}

/// The entity tag of what is set.
fn tag(reply: &Reply) -> Option<String> {
    match reply {
        Reply::RemoteMenu(remote) => Some(etag_of(&remote.settings)),
        _ => None,
    }
}

fn shown(reply: Reply) -> Result<WithETag<RemoteMenu>, Problem> {
    match reply {
        Reply::RemoteMenu(remote) => Ok((header_of(&remote.settings), Json(remote.into()))),
        other => Err(refused(other)),
    }
}

impl From<system::RemoteMenu> for RemoteMenu {
    fn from(remote: system::RemoteMenu) -> Self {
        let system::RemoteMenuSettings { enabled, keys } = remote.settings;
        Self {
            settings: RemoteMenuSettings { enabled, keys },
            fingerprint: remote.fingerprint,
        }
    }
}

//! The machine under the exchange: what runs, how it is, its network, its clock, and its end. All of it is
//! carried out by the `system` child of the supervisor.

mod body;
mod fault;
mod network;
mod remote_menu;
mod time;
mod upload;

use std::io;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::system::{Reply, Request};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Actor;
use crate::app::App;
use crate::input::Params;
use crate::problem::{Code, FieldCode, Problem};
use crate::revision::IfMatch;
use crate::system::Silent;
use body::{Health, KernelLog, Slots};

pub use network::{
    __path_change_network, __path_confirm_network, __path_revert_network, __path_show_network,
    change_network, confirm_network, revert_network, show_network,
};
pub use remote_menu::{
    __path_change_remote_menu, __path_show_remote_menu, change_remote_menu, show_remote_menu,
};
pub use time::{
    __path_change_time, __path_set_clock, __path_show_time, change_time, set_clock, show_time,
};
pub use upload::{__path_upgrade, LONGEST_UPLOAD, UPLOAD, upgrade};

/// What runs, and how far an upgrade is
#[utoipa::path(get, path = "/system/slots", operation_id = "show_slots", tag = "system",
    responses((status = 200, description = "As it is now", body = Slots)))]
pub async fn show_slots(State(app): State<App>, actor: Actor) -> Result<Json<Slots>, Problem> {
    match ask(&app, &actor, Request::Slots).await? {
        Reply::Slots(slots) => Ok(Json(slots.into())),
        other => Err(refused(other)),
    }
}

/// How the machine is
#[utoipa::path(get, path = "/system/health", operation_id = "show_health", tag = "system",
    responses((status = 200, description = "As it is now", body = Health)))]
pub async fn show_health(State(app): State<App>, actor: Actor) -> Result<Json<Health>, Problem> {
    match ask(&app, &actor, Request::Health).await? {
        Reply::Health(health) => Ok(Json(health.into())),
        other => Err(refused(other)),
    }
}

/// Which rows of the kernel's log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KernelRows {
    /// Newer rows than the one with this id: what happened since.
    #[param(minimum = 0)]
    since: Option<u64>,
}

/// The kernel's log
///
/// What the kernel and, on the appliance, all programs say. It goes with the power.
#[utoipa::path(get, path = "/system/kernel-log", operation_id = "list_kernel_log", tag = "system",
    params(KernelRows),
    responses((status = 200, description = "Its newest rows", body = KernelLog)))]
pub async fn show_kernel_log(
    State(app): State<App>,
    actor: Actor,
    Params(rows): Params<KernelRows>,
) -> Result<Json<KernelLog>, Problem> {
    let request = Request::KernelLog { after: rows.since };
    match ask(&app, &actor, request).await? {
        Reply::KernelLog { rows } => Ok(Json(rows.into())),
        other => Err(refused(other)),
    }
}

/// Restart the machine
#[utoipa::path(post, path = "/system/reboot", operation_id = "reboot", tag = "system",
    responses((status = 204, description = "It restarts; calls end")))]
pub async fn reboot(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    order(app, actor, Request::Reboot, "Restarted the machine").await
}

/// Power the machine off
#[utoipa::path(post, path = "/system/power-off", operation_id = "power_off", tag = "system",
    responses((status = 204, description = "It stops; somebody has to go there to start it")))]
pub async fn power_off(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    order(app, actor, Request::PowerOff, "Powered the machine off").await
}

/// Restart the exchange
#[utoipa::path(post, path = "/system/restart-exchange", operation_id = "restart_exchange",
    tag = "system", responses((status = 204, description = "It restarts; calls end")))]
pub async fn restart_exchange(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    order(
        app,
        actor,
        Request::RestartExchange,
        "Restarted the exchange",
    )
    .await
}

/// Begin as delivered
///
/// All settings, logs and history are removed, and the machine restarts.
#[utoipa::path(post, path = "/system/factory-reset", operation_id = "factory_reset",
    tag = "system", responses((status = 204, description = "It restarts without settings")))]
pub async fn factory_reset(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    let text = "Reset the machine to the factory settings";
    order(app, actor, Request::FactoryReset, text).await
}

async fn order(
    app: App,
    actor: Actor,
    request: Request,
    text: &'static str,
) -> Result<StatusCode, Problem> {
    match change(&app, &actor, request, text.to_owned()).await? {
        Reply::Done => Ok(StatusCode::NO_CONTENT),
        other => Err(refused(other)),
    }
}

/// Asks what changes nothing.
async fn ask(app: &App, actor: &Actor, request: Request) -> Result<Reply, Problem> {
    let by = actor.author().name;
    app.system
        .ask(by, request)
        .await
        .map_err(|why| silent(&why))
}

/// Why nothing was changed, or nobody knows.
enum Unchanged {
    Silent(Silent),
    Refused(Box<Reply>),
}

impl From<Unchanged> for Problem {
    fn from(unchanged: Unchanged) -> Self {
        match unchanged {
            Unchanged::Silent(why) => silent(&why),
            Unchanged::Refused(reply) => refused(*reply),
        }
    }
}

/// What who changes settings saw of them.
struct Seen {
    if_match: IfMatch,
    /// Asks for them as they are now.
    now: Request,
    /// Their entity tag in the answer to that.
    tag: fn(&Reply) -> Option<String>,
    /// What changes of them begin with in the Config log.
    said: &'static str,
}

/// As [`change`], unless somebody changed it since it was seen. One such change waits for the other.
async fn change_as_seen(
    app: &App,
    actor: &Actor,
    seen: Seen,
    request: Request,
    text: String,
) -> Result<Reply, Problem> {
    let turn = std::sync::Arc::clone(&app.settings).lock_owned().await;
    if seen.if_match != IfMatch::Anything {
        let reply = ask(app, actor, seen.now).await?;
        let Some(current) = (seen.tag)(&reply) else {
            return Err(refused(reply));
        };
        app.expect_settings(&seen.if_match, current, seen.said)
            .await?;
    }
    Ok(change_in_turn(app, actor, request, text, Some(turn)).await?)
}

/// Asks what changes the machine, and says so in the Config log where it is done. Both happen even
/// where the one who asked has gone meanwhile: a change of the network may be what cut him off.
async fn change(
    app: &App,
    actor: &Actor,
    request: Request,
    text: String,
) -> Result<Reply, Unchanged> {
    change_in_turn(app, actor, request, text, None).await
}

async fn change_in_turn(
    app: &App,
    actor: &Actor,
    request: Request,
    text: String,
    turn: Option<tokio::sync::OwnedMutexGuard<()>>,
) -> Result<Reply, Unchanged> {
    let (app, author) = (app.clone(), actor.author());
    let task = tokio::spawn(async move {
        let _turn = turn;
        let reply = app.system.ask(author.name.clone(), request).await;
        match reply.map_err(Unchanged::Silent)? {
            reply @ (Reply::ReadOnly | Reply::Refused { .. } | Reply::Failed { .. }) => {
                Err(Unchanged::Refused(Box::new(reply)))
            }
            reply => {
                app.config_note(author, text).await;
                Ok(reply)
            }
        }
    });
    let lost = |error| Err(Unchanged::Silent(Silent::Failed(io::Error::other(error))));
    task.await.unwrap_or_else(lost)
}

fn silent(why: &Silent) -> Problem {
    match why {
        Silent::Missing => no_system(),
        Silent::Busy => {
            Problem::new(Code::Busy, "Many ask the machine at once: try again.").retry_after(1)
        }
        Silent::Late | Silent::Failed(_) => {
            tracing::warn!(%why, "The machine does not answer.");
            Problem::new(Code::Busy, "The machine does not answer: try again.").retry_after(5)
        }
    }
}

fn no_system() -> Problem {
    Problem::new(
        Code::NoSystem,
        "The exchange runs here as a program on somebody else's system: network, upgrades and \
         restarts are done there.",
    )
}

/// What an answer means that is none of those wished for.
fn refused(reply: Reply) -> Problem {
    match reply {
        Reply::ReadOnly => no_system(),
        // The body of an upload is the file itself: no field of it is to blame.
        Reply::Refused { field, text } if field.is_empty() || field == "file" => {
            let under_way = fault::is_under_way(&text);
            let code = if under_way {
                Code::UpgradeUnderWay
            } else {
                Code::Conflict
            };
            Problem::new(code, text)
        }
        Reply::Refused { field, text } => {
            Problem::field(&pointer(&field), FieldCode::Invalid, text)
        }
        Reply::Failed { text } => Problem::new(Code::SystemFailed, text),
        other => {
            tracing::error!(reply = ?other, "The machine answers what it was not asked.");
            Problem::internal()
        }
    }
}

/// `interfaces[0].address` as a JSON pointer.
fn pointer(field: &str) -> String {
    let path = field.replace(']', "").replace(['[', '.'], "/");
    format!("/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_system_is_one_of_the_body() {
        assert_eq!(pointer("interfaces[0].address"), "/interfaces/0/address");
        assert_eq!(pointer("dns[1]"), "/dns/1");
        assert_eq!(pointer("host_name"), "/host_name");
    }
}

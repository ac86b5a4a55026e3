//! The menu over ssh: on or off, and for whose keys. The server itself is the supervisor's to start.

use std::path::Path;

use model::system::{RemoteMenuSettings, Reply};
use nix::unistd::User;
use platform::{data, ssh};
use tracing::{info, warn};

use super::machine::{failed, order};
use crate::orders::Order;

/// Who comes in: the one user whose shell is the menu.
pub const USER: &str = "admin";

/// The home of that user, in memory.
pub const HOME: &str = "/run/ssh";

/// Where its settings and files are.
pub fn paths(data: &Path, home: &Path) -> ssh::Paths {
    ssh::Paths {
        system: data::system(data),
        home: home.to_owned(),
    }
}

/// Has the server run, or not, as it is set. Who is in stays.
pub fn carry_out(paths: &ssh::Paths) -> Reply {
    run(paths, false)
}

/// Has the server run, or not; where it runs `anew`, whoever is in is out.
fn run(paths: &ssh::Paths, anew: bool) -> Reply {
    let user = User::from_name(USER).ok().flatten();
    let is_on = match ssh::prepare(paths, user.map(|user| user.uid.as_raw())) {
        Ok(is_on) => is_on,
        Err(error) => {
            warn!(%error, "the menu over ssh can't be prepared");
            return failed(&format!("It can't be prepared: {error}."));
        }
    };
    if is_on && anew {
        let stopped = order(Order::StopRemoteMenu);
        if stopped != Reply::Done {
            return stopped;
        }
    }
    let what = if is_on {
        info!("the menu can be reached by ssh");
        Order::StartRemoteMenu
    } else {
        Order::StopRemoteMenu
    };
    match order(what) {
        Reply::Done => Reply::RemoteMenu(ssh::show(paths)),
        refused => refused,
    }
}

/// Sets it, and has the server run, or not. Where a key was taken away nobody stays who came in by it: which
/// connection that is the server tells nobody, so all end, and who still has a key comes in again.
pub fn set(paths: &ssh::Paths, settings: &RemoteMenuSettings) -> Reply {
    let before = ssh::show(paths).settings;
    match ssh::set(paths, settings) {
        Ok(Ok(())) => {
            let now = ssh::show(paths).settings;
            let anew = before.keys.iter().any(|key| !now.keys.contains(key));
            run(paths, anew)
        }
        Ok(Err((field, text))) => Reply::Refused { field, text },
        Err(error) => {
            warn!(%error, "what is set of the menu over ssh can't be written");
            failed(&format!("It can't be written: {error}."))
        }
    }
}

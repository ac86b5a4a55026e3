//! Processes that ended by themselves: taken from where the supervisor leaves them to the Warning log, and
//! what they said of it themselves to the Error log.

use std::time::Duration;

use platform::endings::{Ending, Endings, LAST_WORDS};
use store::{Ended, LogKind, Store};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::hub::Hub;

/// What was left is looked for so often, and when the exchange comes or goes.
const LOOK: Duration = Duration::from_secs(5);

/// Keeps what is left, as long as the process runs.
pub async fn keep(endings: Endings, store: Store, hub: Hub, mut reachable: watch::Receiver<bool>) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            changed = reachable.changed() => if changed.is_err() {
                return;
            },
        }
        let (endings, store, hub) = (endings.clone(), store.clone(), hub.clone());
        let kept = tokio::task::spawn_blocking(move || {
            for ending in endings.found() {
                keep_one(&endings, &store, &hub, &ending);
            }
        });
        if kept.await.is_err() {
            tracing::error!("Keeping what ended by itself failed.");
        }
    }
}

/// Killed between its two steps it does the first again, which does nothing then.
fn keep_one(endings: &Endings, store: &Store, hub: &Hub, ending: &Ending) {
    let (name, process) = (&ending.process, ending.process.strip_suffix(LAST_WORDS));
    let log = process.map_or(LogKind::Warning, |_| LogKind::Error);
    let process = process.unwrap_or(name);
    let what = match process {
        "pbxd" => "The exchange",
        "webd" => "The administration",
        _ => "A process",
    };
    let text = format!("{what} ({process}) {}.", ending.text);
    let ended = Ended {
        at: ending.at,
        process: ending.process.clone(),
    };
    match store.ending_append(&ended, log, &text) {
        Ok(new) => {
            if new {
                hub.logged();
            }
            if let Err(error) = endings.take(ending) {
                tracing::debug!(%error, "What was kept stays where it was left.");
            }
        }
        // It stays where it is, and is tried again.
        Err(error) => tracing::debug!(%error, "What ended by itself can't be kept now."),
    }
}

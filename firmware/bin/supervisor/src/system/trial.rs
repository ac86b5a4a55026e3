//! The proof of the running system: at each start the exchange calls itself; one that is tried is watched
//! besides, until it is kept or given up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Instant;
use platform::network;
use tracing::{error, warn};

use super::judge::{Judge, Ports, Signs, Verdict};
use super::machine::order;
use super::proof::Proof;
use super::restarts;
use super::upgrade::Keeper;
use super::visit::Visits;
use crate::orders::Order;
use model::system::Reply;

/// A system that has run for so long has come up, whether its exchange can call itself or not.
const UP_AFTER: Duration = Duration::from_secs(60);

/// Between two looks at what is tried.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The proof of this start.
pub struct Trial {
    run: PathBuf,
    proof: Proof,
    visits: Visits,
    judge: Judge,
    look_due: Instant,
    /// When the boot loader is told that the system has come up; none once it knows.
    up_due: Option<Instant>,
    /// Whether PID 1 knows that the running system is kept.
    is_told: bool,
}

impl Trial {
    /// Begins now; `run` is the folder of sockets.
    pub fn new(run: &Path, data_in_memory: bool, before: Ports, now: Instant) -> Self {
        Self {
            run: run.to_owned(),
            proof: Proof::new(run, now),
            visits: Visits::new(now),
            judge: Judge::new(data_in_memory, before, now),
            look_due: now,
            up_due: Some(now + UP_AFTER),
            is_told: false,
        }
    }

    /// Does what there is to do; a machine without slots has its exchange call itself too.
    pub fn turn(
        &mut self,
        now: Instant,
        slots: Option<&mut Keeper>,
        network: &mut network::Manager,
    ) {
        let is_tried = slots.as_ref().is_some_and(|slots| slots.is_tried());
        if self.proof.turn(now, is_tried) {
            self.judge.passed();
            self.up_due = self.up_due.map(|due| due.min(now));
            if !is_tried {
                self.proof.put_away();
            }
        }
        let Some(slots) = slots else { return };
        if is_tried {
            self.look(now, network);
            self.judge(now, slots);
        }
        if self.up_due.is_some_and(|due| due <= now) {
            self.up_due = None;
            if let Err(error) = slots.came_up() {
                warn!(%error, "the boot loader counts this start as one that came to nothing");
            }
        }
        // Also where an earlier one of this process has confirmed it, and could not say so any more.
        if !self.is_told && slots.is_kept() {
            self.is_told = order(Order::Proved) == Reply::Done;
        }
    }

    fn look(&mut self, now: Instant, network: &mut network::Manager) {
        let administration = self.visits.turn(now);
        if now < self.look_due {
            return;
        }
        self.look_due = now + LOOK_EVERY;
        let signs = Signs {
            administration: administration.clone(),
            ports: ports(network),
            endings: restarts::told(&self.run),
        };
        self.judge.see(now, &signs);
    }

    fn judge(&mut self, now: Instant, slots: &mut Keeper) {
        let told = match self.judge.verdict(now, self.proof.reason()) {
            Verdict::Wait => Ok(()),
            Verdict::Keep => slots.confirm().map(|()| self.proof.put_away()),
            Verdict::GiveUp(reason) => {
                let told = slots.give_up(&reason);
                order(Order::Reboot);
                told
            }
        };
        if let Err(error) = told {
            error!(%error, "the boot loader can't be told");
        }
    }
}

/// The ports that are set to be used, as they are; none where the kernel can't say.
pub fn ports(network: &mut network::Manager) -> Option<Ports> {
    match network.ports() {
        Ok(ports) => Some(Ports {
            linked: ports.iter().any(|port| port.carrier),
            there: ports.into_iter().map(|port| port.name).collect(),
        }),
        Err(error) => {
            warn!(%error, "the network ports can't be read");
            None
        }
    }
}

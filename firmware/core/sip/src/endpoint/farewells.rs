//! Dialogs of before a restart: their peers still believe in a call that nobody carries any more, so they
//! get a BYE (RFC 3261 §15.1.1).
//!
//! ```text
//!  kept --UDP, or no phone of ours: its turn comes--> BYE sent
//!    | over a connection: that ended with the process, and only the phone can open a new one
//!    +--> waiting --it registers anew--> BYE on the new connection
//!            | 10 min: forgotten; what it asks for in the dialog gets 481, as anything unknown does
//! ```

use core::time::Duration;
use std::collections::VecDeque;

use model::{Cause, ExtensionId, Flow, Instant, KeptDialog};

use super::peer::is_weaker;
use super::{ClientUser, Endpoint, IdMap, Outcome, Purpose, SessionId, TimerHandle, TimerKey};
use crate::dialog::Dialog;
use crate::message::{HeaderName, Method};
use crate::registrar::Phone;
use crate::session::reason_value;
use crate::transaction::ClientId;

/// BYEs sent at a time, and how long until the next: 200 a second are a fraction of what a core does, and
/// the 1,000 of 500 calls are out in 5 s.
const AT_A_TIME: usize = 20;
const PACE: Duration = Duration::from_millis(100);

/// How long a phone may take to register on a new connection: by then every one has that registers for
/// the usual time, and whoever still listened has hung up.
const PATIENCE: Duration = Duration::from_mins(10);

/// No session: their numbers begin at one.
const NOBODY: ClientUser = ClientUser {
    session: SessionId(0),
    purpose: Purpose::Stray,
};

/// The dialogs that are still to be ended.
#[derive(Debug, Default)]
pub(super) struct Farewells {
    due: VecDeque<Farewell>,
    waiting: Vec<(Farewell, Phone)>,
    /// Their BYE has no answer yet.
    said: IdMap<ClientId, KeptDialog>,
    /// When those are forgotten that wait.
    until: Instant,
    timer: Option<TimerHandle>,
}

#[derive(Debug)]
struct Farewell {
    extension: Option<ExtensionId>,
    dialog: Dialog,
}

impl Farewell {
    fn kept(&self) -> KeptDialog {
        self.dialog.kept(self.extension)
    }
}

impl Endpoint {
    /// What ending a session after a restart takes, where it has been answered and is not over.
    #[must_use]
    pub fn kept_dialog(&self, session: SessionId) -> Option<KeptDialog> {
        self.sessions.get(session)?.kept()
    }

    /// What is still under way with peers that are to know of an end: sessions, requests of ours without
    /// a final answer, refusals without ACK.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.sessions.len() + self.core.clients.unanswered() + self.core.servers.unacknowledged()
    }

    /// What the next process is to end: dialogs whose peers have not answered our BYE, and those of before
    /// the last restart likewise.
    #[must_use]
    pub fn unended_dialogs(&self) -> Vec<KeptDialog> {
        let waiting = self.farewells.waiting.iter().map(|(farewell, _)| farewell);
        (self.sessions.unended())
            .chain((self.farewells.due.iter().chain(waiting)).map(Farewell::kept))
            .chain(self.farewells.said.values().cloned())
            .collect()
    }

    /// Ends dialogs of before a restart, bit by bit. Bindings are to be restored before.
    pub fn end_dialogs(&mut self, now: Instant, dialogs: &[KeptDialog]) {
        self.at(now);
        let mut seen = std::collections::BTreeSet::new();
        for kept in dialogs {
            // A party that was being transferred is in two calls.
            let new = seen.insert((&kept.call_id, &kept.local));
            let Some(dialog) = new.then(|| Dialog::restored(kept)).flatten() else {
                continue;
            };
            let farewell = Farewell {
                extension: kept.extension,
                dialog,
            };
            let (extension, dialog) = (farewell.extension, &farewell.dialog);
            let is_phone = extension.is_some() && dialog.flow.transport.is_stream();
            if !is_phone {
                self.farewells.due.push_back(farewell);
            } else if let Some(phone) =
                (self.registrar).phone_at(extension, dialog.flow, &dialog.target)
            {
                self.farewells.waiting.push((farewell, phone));
            }
        }
        self.farewells.until = self.core.now + PATIENCE;
        self.say_farewells();
    }

    /// Sends the next few, and forgets what has waited for too long.
    pub(super) fn say_farewells(&mut self) {
        let now = self.core.now;
        let next = self.farewells.due.len().min(AT_A_TIME);
        let next: Vec<Farewell> = self.farewells.due.drain(..next).collect();
        for mut farewell in next {
            // Which of the two is newer nobody knows: the call has moved, or the phone has registered.
            if let Some(registered) = self.find_by_datagram(&farewell) {
                let kept = core::mem::replace(&mut farewell.dialog.flow, registered);
                self.say_farewell(&mut farewell);
                farewell.dialog.flow = kept;
            }
            self.say_farewell(&mut farewell);
        }
        let farewells = &mut self.farewells;
        if farewells.until <= now {
            farewells.waiting.clear();
        }
        let at = if farewells.due.is_empty() {
            (!farewells.waiting.is_empty()).then_some(farewells.until)
        } else {
            Some(now + PACE)
        };
        self.core.timers.stop_in(&mut farewells.timer);
        farewells.timer = at.map(|at| self.core.timers.start(at, TimerKey::Farewells));
    }

    /// An extension has registered: sends what waited for it.
    pub(super) fn say_farewells_to(&mut self, extension: ExtensionId) {
        if self.farewells.waiting.is_empty() {
            return;
        }
        let (streams, registrar) = (&self.streams, &self.registrar);
        let mut found = Vec::new();
        let ways = self.farewells.waiting.extract_if(.., |(farewell, phone)| {
            let known = farewell.dialog.flow;
            let way = (farewell.extension == Some(extension))
                .then(|| {
                    registrar.way_to(phone, |flow| {
                        streams.is_open(flow) && !is_weaker(flow, known)
                    })
                })
                .flatten();
            farewell.dialog.flow = way.unwrap_or(known);
            way.is_some()
        });
        found.extend(ways.map(|(farewell, _)| farewell));
        for mut farewell in found {
            self.say_farewell(&mut farewell);
        }
        if self.farewells.due.is_empty() && self.farewells.waiting.is_empty() {
            self.core.timers.stop_in(&mut self.farewells.timer);
        }
    }

    /// A phone behind NAT is where it registered last.
    fn find_by_datagram(&self, farewell: &Farewell) -> Option<Flow> {
        let dialog = &farewell.dialog;
        (self.bindings(farewell.extension?).iter())
            .find(|binding| binding.contact.equivalent(&dialog.target))
            .map(|binding| binding.flow)
            .filter(|flow| flow.transport == dialog.flow.transport && *flow != dialog.flow)
    }

    fn say_farewell(&mut self, farewell: &mut Farewell) {
        let dialog = &mut farewell.dialog;
        let mut bye = dialog.request(Method::Bye, &self.core.values);
        if let Some(reason) = reason_value(Some(Cause::TEMPORARY_FAILURE)) {
            bye.headers.push(HeaderName::Reason, reason);
        }
        let flow = dialog.flow;
        let bye = self.core.request(flow, bye, NOBODY);
        self.farewells.said.insert(bye, farewell.kept());
    }

    /// A BYE that no session waits for has its answer, or will have none.
    pub(super) fn farewell_answered(&mut self, bye: ClientId, outcome: &Outcome) {
        let (last, success) = match outcome {
            Outcome::Response(response) => {
                let status = response.status;
                (status.is_final(), status.is_success())
            }
            Outcome::Timeout | Outcome::TransportFailed => (true, false),
        };
        let answered = last.then(|| self.farewells.said.remove(&bye)).flatten();
        if let Some(told) = answered.filter(|_| success) {
            // It may have been said on two ways.
            let is_told = |other: &KeptDialog| other.call_id == told.call_id;
            self.farewells
                .said
                .retain(|_, other| !is_told(other) || other.local != told.local);
        }
    }
}

//! Dialogs of before a restart, and those whose BYE could not be sent: their peers still believe in a call
//! that nobody carries any more, so they get a BYE (RFC 3261 §15.1.1).
//!
//! ```text
//!  kept --UDP, or no phone of ours: its turn comes--> BYE sent --it can't be: 5 s later--> BYE sent
//!    | over a connection: that is gone, and only the phone can open a new one
//!    +--> waiting --it registers anew--> BYE on the new connection --that is gone, or silent--> waiting
//!            | 10 min: forgotten; what it asks for in the dialog gets 481, as anything unknown does
//! ```
//! Phones that rang then ring on until the Expires of their INVITE; one that is answered meanwhile is told.

use core::time::Duration;
use std::collections::VecDeque;

use model::{Cause, ExtensionId, Flow, Instant, KeptDialog};

use super::peer::is_weaker;
use super::streams::StreamId;
use super::{
    ClientUser, Endpoint, IdMap, Outcome, Purpose, SessionId, TimerHandle, TimerKey, send_ack,
};
use crate::dialog::Dialog;
use crate::message::{Essentials, HeaderName, Method, Response};
use crate::registrar::Phone;
use crate::session::{Unended, forgotten_dialog, reason_value, session_in};
use crate::transaction::ClientId;

/// BYEs sent at a time, and how long until the next: 200 a second are a fraction of what a core does, and
/// the 1,000 of 500 calls are out in 5 s.
const AT_A_TIME: usize = 20;
const PACE: Duration = Duration::from_millis(100);

/// How long a phone may take to register on a new connection: by then every one has that registers for
/// the usual time, and whoever still listened has hung up.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long until a BYE that could not be sent is tried again: after a power cut the network of the box is
/// there some seconds later than its programs.
const PAUSE: Duration = Duration::from_secs(5);

/// No session: their numbers begin at one.
const NOBODY: ClientUser = ClientUser {
    session: SessionId(0),
    purpose: Purpose::Stray,
};

/// The dialogs that are still to be ended.
#[derive(Debug, Default)]
pub(super) struct Farewells {
    /// From when on; the first is the earliest.
    due: VecDeque<(Instant, Farewell)>,
    /// Their phones are to register first.
    waiting: Vec<(Farewell, Phone)>,
    /// Their BYE has no answer yet.
    said: IdMap<ClientId, Farewell>,
    /// Peers that there was no room to keep in mind.
    given_up: u64,
    /// When the next few may be said.
    next: Instant,
    timer: Option<TimerHandle>,
}

#[derive(Clone, Debug)]
struct Farewell {
    extension: Option<ExtensionId>,
    dialog: Dialog,
    /// Who opens a new connection where the old one is gone.
    phone: Option<Phone>,
    /// The connection on which nobody has answered.
    silent: Option<StreamId>,
    /// What the BYE says.
    cause: Option<Cause>,
    /// The process before has left it.
    is_of_before: bool,
    /// When it is forgotten.
    until: Instant,
}

/// How a BYE has failed that may yet be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    /// It could not be sent, or its connection is gone.
    NotSent,
    /// Nobody has answered on this connection: that of a phone that lost its power or its network stays
    /// open for long.
    Silence(StreamId),
}

impl Farewell {
    /// One that says what became of the call of a process that is gone.
    fn new(
        now: Instant,
        extension: Option<ExtensionId>,
        dialog: Dialog,
        phone: Option<Phone>,
    ) -> Self {
        Self {
            extension,
            dialog,
            phone,
            silent: None,
            cause: Some(Cause::TEMPORARY_FAILURE),
            is_of_before: false,
            until: now + PATIENCE,
        }
    }

    fn kept(&self) -> KeptDialog {
        self.dialog.kept(self.extension, self.phone.as_ref())
    }

    fn is_of(&self, other: &Self) -> bool {
        self.dialog.call_id == other.dialog.call_id && self.dialog.local == other.dialog.local
    }
}

/// Who is to open a new connection, where a dialog is with a phone over one. Its contact may have ended with
/// the connection (RFC 5626 §6): then it is known by what it said of itself in the dialog.
fn phone_of(
    extension: Option<ExtensionId>,
    dialog: &Dialog,
    known: Option<Phone>,
    instance: Option<String>,
) -> Option<Phone> {
    let extension = extension.filter(|_| dialog.flow.transport.is_stream())?;
    let unknown = || Phone::in_dialog(extension, instance, dialog.target.clone());
    Some(known.unwrap_or_else(unknown))
}

impl Farewells {
    fn all(&self) -> impl Iterator<Item = &Farewell> {
        let due = self.due.iter().map(|(_, farewell)| farewell);
        let waiting = self.waiting.iter().map(|(farewell, _)| farewell);
        due.chain(waiting).chain(self.said.values())
    }

    /// Takes one that is to be said from then on, or as soon as its phone is there.
    fn add(&mut self, at: Instant, farewell: Farewell) {
        match &farewell.phone {
            Some(phone) => {
                let phone = phone.clone();
                self.waiting.push((farewell, phone));
            }
            None => self.due.push_back((at, farewell)),
        }
    }

    /// One could not be said, or its connection is gone before the answer. Where it was said on two ways,
    /// the last of them counts.
    fn say_again(&mut self, now: Instant, farewell: Farewell) {
        let others = self
            .said
            .values()
            .chain(self.due.iter().map(|(_, other)| other));
        if farewell.until > now && !others.into_iter().any(|other| other.is_of(&farewell)) {
            self.add(now + PAUSE, farewell);
        }
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
        (self.sessions.unended())
            .chain(self.farewells.all().map(Farewell::kept))
            .collect()
    }

    /// Whether dialogs of before the last restart are still to be ended.
    #[must_use]
    pub fn is_ending_dialogs(&self) -> bool {
        self.farewells.all().any(|farewell| farewell.is_of_before)
    }

    /// How many peers were given up for want of room that could not be told of the end of their call.
    #[must_use]
    pub const fn given_up_dialogs(&self) -> u64 {
        self.farewells.given_up
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
            let extension = kept.extension;
            let known = match kept.instance {
                // It says more than any contact.
                Some(_) => None,
                None => (self.registrar).phone_at(extension, dialog.flow, &dialog.target),
            };
            let phone = phone_of(extension, &dialog, known, kept.instance.clone());
            let now = self.core.now;
            let farewell = Farewell {
                is_of_before: true,
                ..Farewell::new(now, extension, dialog, phone)
            };
            self.farewells.add(now, farewell);
        }
        self.say_farewells();
    }

    /// A BYE of a session failed: its dialog is ended when its peer can be reached. The session
    /// is forgotten.
    pub(super) fn take_farewell(&mut self, unended: Unended, failure: Failure) {
        if !self.has_room_for_farewells() {
            self.farewells.given_up += 1;
            return;
        }
        let Unended {
            extension,
            dialog,
            phone,
            cause,
        } = unended;
        let phone = phone_of(extension, &dialog, phone, None);
        let farewell = Farewell {
            cause,
            ..Farewell::new(self.core.now, extension, dialog, phone)
        };
        self.say_again(farewell, failure);
    }

    /// Beside those of before there are as many as there may be sessions: at an end of the network all of
    /// them may fail.
    fn has_room_for_farewells(&self) -> bool {
        let of_now = (self.farewells.all()).filter(|farewell| !farewell.is_of_before);
        of_now.count() < self.core.config.sessions
    }

    /// How a request of ours that went by a flow has failed, where it was not answered.
    pub(super) fn failure(&self, flow: Flow, outcome: &Outcome) -> Option<Failure> {
        match outcome {
            Outcome::Response(_) => None,
            Outcome::TransportFailed => Some(Failure::NotSent),
            Outcome::Timeout => self.streams.id(flow).map(Failure::Silence),
        }
    }

    /// One was not heard. Its phone may have come back by another connection already.
    fn say_again(&mut self, mut farewell: Farewell, failure: Failure) {
        if let Failure::Silence(stream) = failure {
            // Who is no phone of ours does not come back by another.
            if farewell.phone.is_none() {
                return;
            }
            farewell.silent = Some(stream);
        }
        let phone = farewell.phone.as_ref().map(Phone::extension);
        self.farewells.say_again(self.core.now, farewell);
        self.time_farewells();
        if let Some(extension) = phone {
            self.say_farewells_to(extension);
        }
    }

    /// Sends the next few, and forgets what has waited for too long.
    pub(super) fn say_farewells(&mut self) {
        let now = self.core.now;
        for _ in 0..AT_A_TIME {
            let Some((_, mut farewell)) = self.farewells.due.pop_front_if(|(at, _)| *at <= now)
            else {
                break;
            };
            // Which of the two is newer nobody knows: the call has moved, or the phone has registered.
            if let Some(registered) = self.find_by_datagram(&farewell) {
                self.say_farewell(&mut farewell, registered);
            }
            let flow = farewell.dialog.flow;
            self.say_farewell(&mut farewell, flow);
        }
        (self.farewells.waiting).retain(|(farewell, _)| farewell.until > now);
        self.farewells.next = now + PACE;
        self.time_farewells();
    }

    /// Has the timer run out when the next are to be said or forgotten.
    fn time_farewells(&mut self) {
        let farewells = &mut self.farewells;
        let forgotten = farewells.waiting.iter().map(|(farewell, _)| farewell.until);
        let next = (farewells.due.front()).map(|(at, _)| (*at).max(farewells.next));
        let at = forgotten.chain(next).min();
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
                        let stream = streams.id(flow);
                        stream.is_some() && stream != farewell.silent && !is_weaker(flow, known)
                    })
                })
                .flatten();
            farewell.dialog.flow = way.unwrap_or(known);
            way.is_some()
        });
        found.extend(ways.map(|(farewell, _)| farewell));
        for mut farewell in found {
            let flow = farewell.dialog.flow;
            self.say_farewell(&mut farewell, flow);
        }
        self.time_farewells();
    }

    /// A phone behind NAT is where it registered last.
    fn find_by_datagram(&self, farewell: &Farewell) -> Option<Flow> {
        let dialog = &farewell.dialog;
        (self.bindings(farewell.extension?).iter())
            .find(|binding| binding.contact.equivalent(&dialog.target))
            .map(|binding| binding.flow)
            .filter(|flow| flow.transport == dialog.flow.transport && *flow != dialog.flow)
    }

    fn say_farewell(&mut self, farewell: &mut Farewell, flow: Flow) {
        let mut bye = farewell.dialog.request(Method::Bye, &self.core.values);
        if let Some(reason) = reason_value(farewell.cause) {
            bye.headers.push(HeaderName::Reason, reason);
        }
        let bye = self.core.request(flow, bye, NOBODY);
        self.farewells.said.insert(bye, farewell.clone());
    }

    /// True for an answer to an INVITE that this process has not sent, or that is over for long.
    pub(super) fn is_forgotten(&self, response: &Response, essentials: &Essentials) -> bool {
        let method = &essentials.cseq.method;
        let tag = essentials.from.tag().unwrap_or_default();
        let sent = || {
            let branch = essentials.via.branch();
            branch.is_some_and(|branch| self.core.clients.matching(branch, method).is_some())
        };
        let in_session = || {
            let session = session_in(tag).and_then(|id| self.sessions.get(id));
            session.is_some_and(|session| session.local_tag() == tag)
        };
        response.status.is_success() && *method == Method::Invite && !sent() && !in_session()
    }

    /// Somebody answers a phone that still rang for the process before: nobody could cancel it. ACK and BYE
    /// (RFC 3261 §13.2.2.4), where the answer is from a place that phones log in from.
    pub(super) fn end_forgotten(
        &mut self,
        flow: Flow,
        response: &Response,
        essentials: &Essentials,
    ) {
        let is_known = self.sources.is_known(self.core.now, flow.remote.ip());
        if !is_known || !self.has_room_for_farewells() {
            return;
        }
        let Some(dialog) = forgotten_dialog(flow, response, essentials) else {
            return;
        };
        let ack = dialog.numbered(Method::Ack, essentials.cseq.seq, &self.core.values);
        send_ack(&mut self.core, flow, ack);
        let mut farewell = Farewell::new(self.core.now, None, dialog, None);
        // The answer comes until the ACK has arrived.
        if !(self.farewells.said.values()).any(|said| said.is_of(&farewell)) {
            self.say_farewell(&mut farewell, flow);
        }
    }

    /// A BYE that no session waits for has its answer, or will have none.
    pub(super) fn farewell_answered(
        &mut self,
        bye: ClientId,
        outcome: &Outcome,
        failure: Option<Failure>,
    ) {
        let is_success = match outcome {
            Outcome::Response(response) if !response.status.is_final() => return,
            Outcome::Response(response) => response.status.is_success(),
            Outcome::Timeout | Outcome::TransportFailed => false,
        };
        let Some(told) = self.farewells.said.remove(&bye) else {
            return;
        };
        if is_success {
            // It may have been said on two ways.
            (self.farewells.said).retain(|_, other| !other.is_of(&told));
        } else if let Some(failure) = failure {
            self.say_again(told, failure);
        }
    }
}

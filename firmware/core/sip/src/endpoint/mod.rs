//! The endpoint: everything SIP of the exchange behind one pair of bytes-in and bytes-out.
//!
//! * [`receive`](self): octets to messages, and messages to transactions
//! * `server`: what a request has to pass before a session or the registrar sees it (RFC 3261 §8.2)
//! * `auth`: digest (§22)
//! * `reach`: by which way a peer is reached (§18.2.2)
//! * `farewells`: dialogs of before a restart, which are ended
//! * `registrations`: ours at the servers of others
//! * `core`: time, chance, timers, transactions and the way out, for all parts
//!
//! Sessions are in [`crate::session`], contacts of phones in [`crate::registrar`].

mod api;
mod auth;
mod core;
mod farewells;
mod hash;
mod inspect;
mod kept;
pub(crate) mod limits;
mod peer;
mod random;
mod reach;
mod receive;
mod registrations;
mod server;
mod sources;
mod streams;
mod timers;
mod values;

#[cfg(test)]
mod tests;

use ::core::net::IpAddr;
use std::collections::BTreeSet;

use bytes::Bytes;
use model::{Cause, ExtensionId, Instant};

pub use api::*;
pub use limits::STREAMS;
pub use registrations::{Registration, RegistrationId};

pub(crate) use self::core::{ClientUser, Core, Outcome, Purpose, ServerTold, TimerKey, send_ack};
pub(crate) use hash::{IdMap, KeyMap, Seeded};
pub(crate) use kept::{are_short, fits, product};
pub(crate) use random::Random;
pub(crate) use timers::{TimerHandle, Timers};
pub(crate) use values::Values;

use self::core::Told;
use auth::Gatekeeper;
use farewells::Farewells;
use reach::listens_at;
use registrations::Registrations;
use sources::Sources;
use streams::Streams;

use crate::digest::DigestOffer;
use crate::message::{Replaces, StatusCode};
use crate::registrar::Registrar;
use crate::session::{Session, Sessions};

/// A user agent and registrar for all phones and peers of the exchange (RFC 3261 §8, §10, §13).
///
/// One input, then `poll_output` to `None`, then `poll_timeout`. The methods of the exchange follow
/// the same rule: what they have to send comes out of `poll_output`. A method that does not fit the
/// session's state, or names one that is over, does nothing: its end is on the way as an event.
#[derive(Debug)]
pub struct Endpoint {
    core: Core,
    gatekeeper: Gatekeeper,
    sessions: Sessions,
    registrar: Registrar,
    streams: Streams,
    refers: IdMap<ReferId, SessionId>,
    last_refer: u64,
    admission: Admission,
    refusals: u64,
    /// Makes the tags of answers that leave no state behind.
    stateless: Seeded,
    trusted: BTreeSet<IpAddr>,
    urgent: Urgent,
    /// Each message that comes is told.
    overheard: bool,
    sources: Sources,
    farewells: Farewells,
    registrations: Registrations,
}

/// How much the endpoint holds at the moment. All are zero once nothing is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Client and server transactions.
    pub transactions: usize,
    /// Sessions, the ending ones among them.
    pub sessions: usize,
    /// Contacts of phones.
    pub bindings: usize,
    /// Running timers.
    pub timers: usize,
    /// Open connections.
    pub streams: usize,
}

impl Endpoint {
    /// An endpoint without accounts, calls or contacts.
    #[must_use]
    pub fn new(now: Instant, config: EndpointConfig) -> Self {
        let (realm, offer) = (config.realm.clone(), config.digest);
        let streams = Streams::new(config.streams);
        let core = Core::new(now, config);
        let gatekeeper = Gatekeeper::new(&realm, offer, &core.random);
        let sources = Sources::new(Seeded::new(core.random.derive("sources")));
        let stateless = Seeded::new(core.random.derive("tags without state"));
        Self {
            core,
            gatekeeper,
            sessions: Sessions::new(),
            registrar: Registrar::new(),
            streams,
            refers: IdMap::default(),
            last_refer: 0,
            admission: Admission::Open,
            refusals: 0,
            stateless,
            trusted: BTreeSet::new(),
            urgent: Urgent::default(),
            overheard: false,
            sources,
            farewells: Farewells::default(),
            registrations: Registrations::default(),
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.poll_output()
    }

    /// When [`Input::Timeout`] is to be handed in, if nothing comes before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.timers.next()
    }

    /// How much is held.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            transactions: self.core.clients.len() + self.core.servers.len(),
            sessions: self.sessions.len(),
            bindings: self.registrar.len(),
            timers: self.core.timers.len(),
            streams: self.streams.len(),
        }
    }

    /// How many new requests were refused by [`Admission`] or by a limit.
    #[must_use]
    pub const fn refusals(&self) -> u64 {
        self.refusals
    }

    /// Accounts in force from now on; bindings of accounts that are gone, or have another
    /// user name or password, end.
    pub fn set_accounts(&mut self, now: Instant, accounts: Vec<Account>) {
        self.at(now);
        let unchanged = self.gatekeeper.set_accounts(accounts);
        self.registrar
            .retain(&mut self.core, |extension| unchanged.contains(&extension));
    }

    /// What phones are asked for from now on. Those that are registered stay so, and prove themselves
    /// by it at their next request.
    pub fn set_digest(&mut self, realm: &str, offer: DigestOffer) {
        self.gatekeeper.reconfigure(realm, offer);
    }

    /// Peers whose calls need no digest: providers and other exchanges, known by their address. Their
    /// calls come without an account.
    pub fn set_trusted(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        self.trusted = addresses.into_iter().collect();
    }

    /// Calls to these pass every limit that others are refused by, and a reserve is kept for them.
    pub fn set_urgent(&mut self, urgent: Urgent) {
        self.urgent = urgent;
    }

    /// Whether each message that comes is told: [`Event::Heard`].
    pub const fn set_overheard(&mut self, overheard: bool) {
        self.overheard = overheard;
    }

    /// What new requests are taken from now on.
    pub const fn set_admission(&mut self, admission: Admission) {
        self.admission = admission;
    }

    /// Bindings known from before a restart.
    pub fn restore_bindings(&mut self, now: Instant, bindings: Vec<Binding>) {
        self.at(now);
        for binding in &bindings {
            self.sources.prove(self.core.now, binding.flow.remote.ip());
        }
        self.registrar.restore(&mut self.core, bindings);
    }

    /// The contacts of an extension, the preferred first.
    #[must_use]
    pub fn bindings(&self, extension: ExtensionId) -> &[Binding] {
        self.registrar.bindings(extension)
    }

    /// All contacts, by extension.
    pub fn all_bindings(&self) -> impl Iterator<Item = &Binding> {
        self.registrar.after(None)
    }

    /// Those of the extensions after this one.
    pub fn bindings_after(&self, after: Option<ExtensionId>) -> impl Iterator<Item = &Binding> {
        self.registrar.after(after)
    }
}

/// Calls.
impl Endpoint {
    /// Sends an INVITE.
    pub fn invite(&mut self, now: Instant, invite: OutgoingInvite) -> SessionId {
        self.call(now, invite, None)
    }

    /// Sends an INVITE to a peer that may ask who we are (RFC 3261 §22.2).
    pub fn invite_as(
        &mut self,
        now: Instant,
        invite: OutgoingInvite,
        credentials: Credentials,
    ) -> SessionId {
        self.call(now, invite, Some(credentials))
    }

    fn call(
        &mut self,
        now: Instant,
        invite: OutgoingInvite,
        credentials: Option<Credentials>,
    ) -> SessionId {
        self.at(now);
        let id = self.sessions.next_id();
        let target = &invite.target;
        let phone = self
            .registrar
            .phone_at(invite.account, target.flow, &target.uri);
        let mut session = Session::call(&mut self.core, id, invite, credentials);
        session.is_with(phone);
        self.sessions.add(session);
        id
    }

    /// Whether the peer of a call of ours has answered anything at all, be it 100.
    #[must_use]
    pub fn is_heard_of(&self, session: SessionId) -> bool {
        (self.sessions.get(session)).is_some_and(|session| session.is_heard_of(&self.core))
    }

    /// Provisional response 101 to 199; with SDP, reliably where the peer can (RFC 3262).
    pub fn ring(
        &mut self,
        now: Instant,
        session: SessionId,
        status: StatusCode,
        sdp: Option<Bytes>,
    ) {
        self.with(now, session, |session, core| {
            session.ring(core, status, sdp);
        });
    }

    /// 200 with our answer, or our offer where the INVITE had none.
    ///
    /// Where a reliable provisional response had a session description already, this one is left out
    /// (RFC 6337 §2.2), and the 200 waits for its PRACK.
    pub fn accept(&mut self, now: Instant, session: SessionId, sdp: Bytes) {
        self.with(now, session, |session, core| session.accept(core, sdp));
    }

    /// Refuses a call.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a refusal is made for one call and used up by it"
    )]
    pub fn refuse(&mut self, now: Instant, session: SessionId, refusal: Refusal) {
        self.with(now, session, |session, core| session.refuse(core, &refusal));
    }

    /// Ends the session by what its state asks for: CANCEL, BYE, or a final response.
    pub fn end(&mut self, now: Instant, session: SessionId, cause: Option<Cause>) {
        self.with(now, session, |session, core| session.end(core, cause));
    }

    /// Makes an offer in the session (UPDATE or re-INVITE); 491 is retried by itself.
    pub fn offer(&mut self, now: Instant, session: SessionId, sdp: Bytes) {
        self.with(now, session, |session, core| session.offer(core, sdp));
    }

    /// Asks the peer whether it is there (OPTIONS); where it is, [`Event::Alive`] comes within 64·T1.
    pub fn ask(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, Session::ask);
    }

    /// Answers an offer, or makes the one that was asked for.
    pub fn answer(&mut self, now: Instant, session: SessionId, sdp: Bytes) {
        self.with(now, session, |session, core| session.answer(core, sdp));
    }

    /// Refuses an offer; what was agreed before holds.
    pub fn refuse_offer(&mut self, now: Instant, session: SessionId, status: StatusCode) {
        self.with(now, session, |session, core| {
            session.refuse_offer(core, status);
        });
    }

    /// 202, and a NOTIFY that says 100 Trying.
    pub fn accept_refer(&mut self, now: Instant, refer: ReferId) {
        self.with_refer(now, refer, |session, core| {
            session.accept_refer(core, refer);
        });
    }

    /// Refuses a transfer.
    pub fn refuse_refer(&mut self, now: Instant, refer: ReferId, status: StatusCode) {
        self.with_refer(now, refer, |session, core| {
            session.refuse_refer(core, refer, status);
        });
    }

    /// NOTIFY with a sipfrag; a final status ends the subscription.
    pub fn notify_refer(&mut self, now: Instant, refer: ReferId, status: StatusCode) {
        self.with_refer(now, refer, |session, core| {
            session.notify_refer(core, refer, status);
        });
    }

    /// The session of a dialog named by Replaces (RFC 3891 §3).
    #[must_use]
    pub fn find_dialog(&self, replaces: &Replaces) -> Option<SessionId> {
        self.sessions
            .find(
                replaces.call_id.as_str(),
                &replaces.to_tag,
                &replaces.from_tag,
            )
            .map(|(session, _)| session.id())
    }
}

/// Who hears what.
impl Endpoint {
    /// Time never goes back.
    fn at(&mut self, now: Instant) {
        self.core.now = self.core.now.max(now);
    }

    fn with(&mut self, now: Instant, id: SessionId, act: impl FnOnce(&mut Session, &mut Core)) {
        self.at(now);
        self.in_session(id, act);
    }

    /// Has a session do something, and forgets it where it is over then.
    fn in_session(&mut self, id: SessionId, act: impl FnOnce(&mut Session, &mut Core)) {
        if let Some((session, core)) = self.session(id) {
            act(session, core);
            self.sessions.tidy(id);
        }
    }

    /// A session that is about to do something. Where its phone's connection is gone and the phone has
    /// registered on another since, it goes on there (RFC 5626 §5.3 in spirit); what was encrypted stays so.
    /// Else a new connection is opened to where the peer listens, if it can be.
    fn session(&mut self, id: SessionId) -> Option<(&mut Session, &mut Core)> {
        let (streams, registrar) = (&self.streams, &self.registrar);
        let session = self.sessions.get_mut(id)?;
        session.follow_phone(&mut self.core, |phone, dialog| {
            let old = dialog.flow;
            if streams.is_open(old) {
                return None;
            }
            let will_do = |new| streams.is_open(new) && !peer::is_weaker(new, old);
            phone
                .and_then(|phone| registrar.way_to(phone, will_do))
                .or_else(|| listens_at(old, dialog.next_hop()))
        });
        Some((session, &mut self.core))
    }

    fn with_refer(
        &mut self,
        now: Instant,
        refer: ReferId,
        act: impl FnOnce(&mut Session, &mut Core),
    ) {
        let Some(id) = self.refers.get(&refer).copied() else {
            return;
        };
        self.with(now, id, act);
    }

    /// Hands on what a transaction of ours says.
    fn on_told(&mut self, told: Told) {
        let Told {
            id,
            user,
            flow,
            outcome,
            moved,
        } = told;
        let failure = self.failure(flow, &outcome);
        match user.purpose {
            Purpose::Stray => {
                self.farewell_answered(id, &outcome, failure);
                return;
            }
            Purpose::Register(registration) => {
                self.on_registration(registration, id, &outcome);
                return;
            }
            _ => {}
        }
        if let (Some((old, new)), Some(session)) = (moved, self.sessions.get_mut(user.session)) {
            let streams = &self.streams;
            session.move_to(&mut self.core, new, |flow| {
                flow == old || !streams.is_open(flow)
            });
        }
        match self.session(user.session) {
            Some((session, core)) => {
                let unended = failure.zip(session.unended_by(id));
                session.on_told(core, id, user, outcome);
                self.sessions.tidy(user.session);
                if let Some((failure, unended)) = unended {
                    self.take_farewell(unended, failure);
                }
            }
            None => {
                // RFC 3261 §13.2.2.4: a 2xx gets its ACK and BYE even where nobody waits for it.
                if matches!(user.purpose, Purpose::Invite | Purpose::Reinvite)
                    && let Outcome::Response(response) = &outcome
                    && response.status.is_success()
                {
                    crate::session::stray_success(&mut self.core, id, response);
                }
            }
        }
    }
}

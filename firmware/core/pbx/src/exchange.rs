//! All that call scripts and events act upon: calls, legs, ports, the endpoint, what goes out.
//!
//! The switch owns it and shares it with the scripts, which change it by the operations of their
//! `Call` handle. The parts:
//!
//! - `invite`: calls that come in, and those that replace a party
//! - `events`: what the endpoint and the media thread tell
//! - `line`: what is said to one party: ring, accept, refuse, end, sound
//! - `outside`: the ways to other networks
//! - `permissions`: what is told of calls that are not allowed
//! - `ringing`: many phones, one answer
//! - `forwarding`: calls that go on elsewhere
//! - `hunt`: what rings by the rules of a user
//! - `brakes`: the fraud protection
//! - `bridge`: two parties, hold, tones
//! - `transfer`: parties that go on in another call
//! - `finish`: the end of a call, and its record
//! - `unresponsive`: phones that do not respond
//! - `live`: what watchers see

mod brakes;
mod bridge;
mod emergency;
mod events;
mod finish;
mod forwarding;
mod hunt;
mod invite;
mod line;
mod live;
mod moves;
mod outside;
mod permissions;
mod ringing;
mod transfer;
mod unresponsive;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use model::config::{Configuration, DigestChoice, General};
use model::control::{LastPhone, Notice};
use model::{CallId, Disposition, EndedBy, ExtensionId, Instant, LegId, LegSide, PortId, WallTime};
use sip::digest::DigestOffer;
use sip::endpoint::{Admission, Binding, Endpoint, EndpointConfig};
use sip::sdp::KeySource;

use crate::admission::Controller;
use crate::bindings;
use crate::brakes::Brakes;
use crate::call::{CallState, MAX_CALLS, Outcome};
use crate::chance::Chance;
use crate::decision;
use crate::directory::Directory;
use crate::executor::Wakes;
use crate::leg::{Failure, Legs};
use crate::logins::FailedLogins;
use crate::ports::Ports;
use crate::record::Records;
use crate::refusals::Refusals;
use crate::script::Plot;
use crate::security::SecurityLog;
use crate::switch::{Output, SwitchConfig};

pub(crate) use hunt::Hunt;
use live::Live;
use moves::Moves;
use outside::Trunks;
use unresponsive::Unresponsive;

/// Shortest, default and longest registration, in seconds: below a minute a thousand phones keep
/// the exchange busy with nothing else; beyond an hour a phone that is gone stays listed too long.
const EXPIRES_S: (u32, u32, u32) = (60, 600, 3600);

/// Session timer (RFC 4028 §4 recommends half an hour).
const SESSION_EXPIRES_S: u32 = 1800;

/// Sessions for each call that the ports allow: its two parties, and as many again for phones that ring
/// together and for ended ones, which wait for the answer to BYE.
const SESSIONS_PER_CALL: usize = 4;

/// Sessions at least: a small exchange too can tell many callers that its ports are taken.
const LEAST_SESSIONS: usize = 100;

/// Server transactions for each session. Over UDP each lives 32 s: so many of a call that lasts long (a
/// digit by INFO is one), and a call each second in the place of it.
const TRANSACTIONS_PER_SESSION: usize = 25;

/// Server transactions at least: after a power cut the phones of a small exchange too register all at
/// once, 600 a second. At most: what two cores take in 32 s.
const LEAST_TRANSACTIONS: usize = 20_000;
const MOST_TRANSACTIONS: usize = 250_000;

/// Retry-After while the exchange stops: a restart takes about so long.
const SHUTDOWN_RETRY_S: u32 = 30;

/// A smaller change of civil time makes no difference to a registration.
const CLOCK_STEP: Duration = Duration::from_secs(1);

/// The user of a party that hides its number (RFC 3323 §4.1.1.3).
pub(crate) const ANONYMOUS: &str = "anonymous";

/// The most sessions, where each call takes two ports.
fn sessions(ports: usize) -> usize {
    let calls = (ports / 2).min(MAX_CALLS);
    (SESSIONS_PER_CALL * calls).max(LEAST_SESSIONS)
}

/// The most server transactions, where there may be so many sessions.
fn server_transactions(sessions: usize) -> usize {
    (TRANSACTIONS_PER_SESSION * sessions).clamp(LEAST_TRANSACTIONS, MOST_TRANSACTIONS)
}

/// Where civil time stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    at: Instant,
    wall: WallTime,
}

impl Clock {
    /// Civil time was `wall` at `at`.
    pub(crate) const fn new(at: Instant, wall: WallTime) -> Self {
        Self { at, wall }
    }

    /// Civil time at `moment`.
    pub(crate) fn wall(self, moment: Instant) -> WallTime {
        if moment >= self.at {
            return self.wall + moment.since(self.at);
        }
        let before = i64::try_from(self.at.since(moment).as_micros()).unwrap_or(i64::MAX);
        WallTime::from_unix_micros(self.wall.as_unix_micros().saturating_sub(before))
    }

    /// The moment at which civil time is `wall`; not before the clock was set.
    pub(crate) fn moment(self, wall: WallTime) -> Instant {
        self.at + wall.since(self.wall)
    }
}

/// The exchange without its scripts.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) now: Instant,
    pub(crate) clock: Clock,
    /// How far the time of the box is east of UTC, in seconds.
    pub(crate) zone_s: i32,
    pub(crate) directory: Directory,
    pub(crate) endpoint: Endpoint,
    pub(crate) legs: Legs,
    pub(crate) calls: BTreeMap<CallId, CallState>,
    pub(crate) ports: Ports,
    pub(crate) wakes: Wakes,
    /// Calls whose script is to be started.
    pub(crate) starting: Vec<(CallId, Plot)>,
    /// Calls whose script is to be dropped.
    pub(crate) doomed: Vec<CallId>,
    pub(crate) outputs: VecDeque<Output>,
    records: Records,
    /// Ports measured now for a call that their leg has left.
    measuring: BTreeMap<PortId, Vec<(CallId, LegSide)>>,
    security: SecurityLog,
    refusals: Refusals,
    brakes: Brakes,
    controller: Controller,
    admission: Admission,
    live: Live,
    unresponsive: Unresponsive,
    /// Of each extension without a phone the last one.
    pub(crate) last_phones: BTreeMap<ExtensionId, LastPhone>,
    pub(crate) failed_logins: FailedLogins,
    moves: Moves,
    trunks: Trunks,
    chance: Chance,
    /// Keys of encrypted sound.
    keys: KeySource,
    next_call: u64,
    /// Calls that are not answered yet.
    in_setup: usize,
    overload_refusals: u64,
    /// What becomes of calls is told in words.
    telling: bool,
    stopping: bool,
}

impl Exchange {
    pub(crate) fn new(now: Instant, config: SwitchConfig) -> Self {
        let directory = Directory::new(config.configuration);
        let clock = Clock::new(now, config.wall);
        let sessions = sessions(config.rtp_ports.len());
        let mut endpoint = Endpoint::new(
            now,
            EndpointConfig {
                realm: directory.configuration().general.realm.clone(),
                digest: offer(&directory.configuration().general),
                product: config.product,
                seed: config.seed,
                expires_s: EXPIRES_S,
                session_expires_s: SESSION_EXPIRES_S,
                sessions,
                server_transactions: server_transactions(sessions),
                streams: config.streams,
            },
        );
        endpoint.set_accounts(now, directory.accounts());
        endpoint.set_urgent(directory.urgent());
        let mut outputs = VecDeque::new();
        let mut known: Vec<Binding> = Vec::new();
        let latest = now + Duration::from_secs(EXPIRES_S.2.into());
        for binding in &config.bindings {
            let active = (directory.extension(binding.extension))
                .is_some_and(|extension| directory.is_active(extension));
            match bindings::restored(binding, clock, latest) {
                Some(restored) if active && restored.expires > now => known.push(restored),
                // Expired meanwhile, of an extension that is gone, or not readable any more.
                _ => outputs.push_back(Output::BindingRemove {
                    extension: binding.extension,
                    contact: binding.contact.clone(),
                }),
            }
        }
        endpoint.restore_bindings(now, known);
        endpoint.end_dialogs(now, &config.dialogs);
        let mut exchange = Self {
            now,
            clock,
            zone_s: 0,
            directory,
            endpoint,
            legs: Legs::default(),
            calls: BTreeMap::new(),
            ports: Ports::new(config.rtp_ports),
            wakes: Wakes::default(),
            starting: Vec::new(),
            doomed: Vec::new(),
            outputs,
            records: Records::default(),
            measuring: BTreeMap::new(),
            security: SecurityLog::default(),
            refusals: Refusals::default(),
            brakes: Brakes::default(),
            controller: Controller::new(now),
            admission: Admission::Open,
            live: Live::default(),
            unresponsive: Unresponsive::default(),
            last_phones: BTreeMap::new(),
            failed_logins: FailedLogins::default(),
            moves: Moves::default(),
            trunks: Trunks::default(),
            chance: Chance::new(&config.seed),
            keys: KeySource::new(&config.seed),
            next_call: config.first_call.raw(),
            in_setup: 0,
            overload_refusals: 0,
            telling: false,
            stopping: false,
        };
        exchange.configure_interfaces();
        exchange
    }

    /// A new input begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let now = self.now;
        self.wakes.expire(now);
        for (row, times) in self.security.expire(now) {
            self.security_row(row, times);
        }
        self.tell_refusals();
        for record in self.records.expire(now) {
            self.outputs.push_back(Output::CallClosed(Box::new(record)));
        }
        self.controller.advance(now);
        self.admit();
        self.live_timer();
        self.moves_timer();
        self.brake();
        self.look_up();
    }

    /// When the exchange wants to be woken.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        [
            self.endpoint.poll_timeout(),
            self.wakes.next_moment(),
            self.records.timeout(),
            self.security.timeout(),
            self.refusals.timeout(),
            self.brakes.look,
            self.controller.timeout(),
            self.live.timeout(),
            self.moves.timeout(),
            self.trunks.timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A configuration comes into force.
    pub(crate) fn configure(&mut self, configuration: Arc<Configuration>) {
        let version = configuration.version;
        self.directory = Directory::new(configuration);
        let general = &self.directory.configuration().general;
        self.endpoint.set_digest(&general.realm, offer(general));
        self.endpoint
            .set_accounts(self.now, self.directory.accounts());
        self.endpoint.set_urgent(self.directory.urgent());
        let directory = &self.directory;
        self.failed_logins.retain(
            |extension| directory.extension(extension).is_some(),
            |username| directory.named(username).is_some(),
        );
        self.brakes
            .retain(|extension| directory.extension(extension).is_some());
        self.brakes.look = Some(self.now);
        (self.last_phones).retain(|extension, _| directory.extension(*extension).is_some());
        self.configure_interfaces();
        self.notice(Notice::Config { version });
    }

    /// Civil time was set, or has drifted. What is kept by civil time is kept anew where it steps.
    pub(crate) fn set_clock(&mut self, wall: WallTime) {
        let before = self.wall();
        self.clock = Clock::new(self.now, wall);
        if wall.since(before).max(before.since(wall)) < CLOCK_STEP {
            return;
        }
        let kept: Vec<_> = (self.endpoint.all_bindings())
            .map(|binding| Box::new(bindings::kept(binding, self.clock)))
            .collect();
        self.outputs
            .extend(kept.into_iter().map(Output::BindingPut));
    }

    /// The shell measured how long datagrams wait.
    pub(crate) fn measured_delay(&mut self, delay_us: u64) {
        self.controller.measured(self.now, delay_us);
        self.admit();
    }

    /// An administrator ends a call.
    pub(crate) fn hang_up(&mut self, call: CallId, by: String) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        let mut outcome = Outcome::failed(Failure::of_cause(model::Cause::NORMAL_CALL_CLEARING));
        outcome.ended_by = EndedBy::Administrator;
        if state.answered.is_some() {
            outcome.disposition = Disposition::Answered;
        }
        if state.outcome.is_none() {
            state.administrator = Some(by);
        }
        state.settle(outcome);
        self.doomed.push(call);
    }

    /// Ends all calls and takes no new ones.
    pub(crate) fn shut_down(&mut self) {
        self.stopping = true;
        self.admit();
        // A caller without an answer is told to come again; the call itself has not failed.
        let failure = Failure::of_cause(model::Cause::TEMPORARY_FAILURE);
        for (call, state) in &mut self.calls {
            state.settle(Outcome {
                disposition: match state.answered {
                    Some(_) => Disposition::Answered,
                    None => Disposition::Interrupted,
                },
                cause: model::Cause::NORMAL_UNSPECIFIED,
                ended_by: EndedBy::Stop,
                failure: Some(failure),
            });
            self.doomed.push(*call);
        }
    }

    /// Tells the endpoint what to admit, where that has changed.
    fn admit(&mut self) {
        let admission = if self.stopping {
            Admission::RefuseAll {
                retry_after_s: SHUTDOWN_RETRY_S,
            }
        } else {
            self.controller.admission()
        };
        if admission != self.admission {
            self.admission = admission;
            self.endpoint.set_admission(admission);
        }
    }

    /// Civil time now.
    pub(crate) fn wall(&self) -> WallTime {
        self.clock.wall(self.now)
    }

    pub(crate) fn media(&mut self, command: media::Command) {
        self.outputs.push_back(Output::Media(command));
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(Box::new(notice)));
    }

    pub(crate) fn security_row(&mut self, text: String, times: u32) {
        self.outputs.push_back(Output::Security { text, times });
    }

    /// What is wanted for the Debug log.
    pub(crate) fn debug(&mut self, messages: bool, decisions: bool) {
        self.endpoint.set_overheard(messages);
        self.telling = decisions;
    }

    /// Tells what becomes of a call, where anybody wants to know: else nothing is put into words.
    pub(crate) fn tell(&mut self, call: CallId, words: impl FnOnce(&Self) -> Option<String>) {
        if !self.telling {
            return;
        }
        let caller = (self.calls.get(&call)).and_then(|call| call.caller.extension);
        if let Some(text) = words(self) {
            self.outputs.push_back(Output::Decision { caller, text });
        }
    }

    /// Likewise of what a party did.
    pub(crate) fn tell_of(&mut self, id: LegId, what: impl FnOnce() -> String) {
        if let Some(call) = self.legs.get(id).map(|leg| leg.call) {
            self.tell(call, |exchange| {
                Some(decision::of_leg(exchange.legs.get(id)?, &what()))
            });
        }
    }

    /// Drops the script of a call with this end, if none was decided before.
    pub(crate) fn doom(&mut self, call: CallId, outcome: Outcome) {
        if let Some(state) = self.calls.get_mut(&call) {
            state.settle(outcome);
            self.doomed.push(call);
        }
    }

    /// Takes in a call and starts its script.
    fn open_call(&mut self, call: CallState, plot: Plot) {
        let id = call.id;
        let kept = self.kept_call(&call);
        self.outputs.push_back(kept);
        if call.answered.is_none() {
            self.in_setup += 1;
        }
        self.calls.insert(id, call);
        self.starting.push((id, plot));
        self.wakes.wake(id);
        self.live.changed(id);
    }

    const fn next_call_id(&mut self) -> CallId {
        let id = CallId::new(self.next_call);
        self.next_call += 1;
        id
    }

    /// Nothing is left of any call.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.legs.len() == 0
            && self.ports.in_use() == 0
            && self.wakes.next_moment().is_none()
            && self.records.timeout().is_none()
            && self.measuring.is_empty()
            && self.in_setup == 0
            && self.endpoint.counts().sessions == 0
    }

    /// Calls refused here because of overload.
    pub(crate) const fn overload_refusals(&self) -> u64 {
        self.overload_refusals
    }

    /// The media thread has closed a port.
    fn port_closed(&mut self, port: PortId) {
        self.ports.closed(port);
    }
}

const fn offer(general: &General) -> DigestOffer {
    match general.digest {
        DigestChoice::Md5 => DigestOffer::Md5,
        DigestChoice::Sha256ThenMd5 => DigestOffer::Sha256ThenMd5,
        DigestChoice::Sha256 => DigestOffer::Sha256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_follow_from_the_ports() {
        assert_eq!(sessions(0), 100);
        assert_eq!(sessions(1000), 2000);
        assert_eq!(sessions(2 * MAX_CALLS), 40_000);
        assert_eq!(sessions(usize::MAX), 40_000);
    }

    #[test]
    fn server_transactions_follow_from_the_sessions() {
        assert_eq!(server_transactions(sessions(0)), 20_000);
        assert_eq!(server_transactions(sessions(1000)), 50_000);
        assert_eq!(server_transactions(sessions(2 * MAX_CALLS)), 250_000);
    }
}

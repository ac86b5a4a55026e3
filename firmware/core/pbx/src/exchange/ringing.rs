//! Many phones, one answer: the phones of an extension ring at once, each in a session of its own
//! (RFC 3261 §16.7 in the manner of a back-to-back user agent).
//!
//! ```text
//!   start_ringing ──► every phone: INVITE with our offer, all for one media port
//!   look_at_ringing:  180 ───────────► caller: 180, once
//!                     183 with sound ► caller: 183, connected early
//!                     2xx ───────────► the others: CANCEL, "completed elsewhere"; done
//!                     6xx ───────────► the others: CANCEL; failed
//!                     all refused ───► failed, with the best refusal
//! ```

use core::net::SocketAddr;
use std::sync::Arc;

use media::Command;
use model::{
    CallId, Cause, Codec, ExtensionId, Flow, LegId, LegSide, Party, PortId, SrtpPolicy, Transport,
};
use sip::endpoint::{Credentials, OutgoingInvite, Target};
use sip::message::{HeaderName, Host, StatusCode};
use sip::sdp::{Encryption, Negotiation};

use super::{ANONYMOUS, Exchange};
use crate::brakes::Charge;
use crate::call::{MAX_RINGING, Phase};
use crate::leg::negotiation::{capabilities, offered_codecs, towards};
use crate::leg::{Failure, Leg, LegState, PHONE_SILENT_FOR, Tone};
use crate::ports::Released;

/// So long after its CANCEL was due a phone stops ringing by itself (RFC 3261 §13.3.1): the process that
/// would have sent it may be gone, and the journal knows no call that has no answer.
const STOPS_BY_ITSELF_S: u32 = 5;

/// What all phones of a ring have in common.
pub(super) struct Ring {
    pub(super) call: CallId,
    /// Shown to the phones.
    pub(super) caller: Party,
    /// Whose phones they are.
    pub(super) party: Party,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// What is offered, in this order.
    pub(super) codecs: Vec<Codec>,
    /// Those of them that the caller can be reached by, the preferred first.
    pub(super) offered: Vec<Codec>,
    /// Whether their sound is encrypted.
    pub(super) srtp: SrtpPolicy,
    /// They share it until one answers.
    pub(super) port: PortId,
    pub(super) seed: u64,
}

/// One of those who ring.
pub(super) struct Way {
    pub(super) target: Target,
    /// What it calls itself.
    pub(super) user_agent: Option<String>,
    /// Who we are there.
    pub(super) credentials: Option<Credentials>,
    /// The host of From, where it is not ours.
    pub(super) from_host: Option<Host>,
    /// The name of the interface that leads there.
    pub(super) interface: Option<Box<str>>,
    /// To whose account it goes.
    pub(super) charge: Option<Charge>,
}

impl Exchange {
    /// Begins to ring all phones of an extension.
    pub(crate) fn start_ringing(
        &mut self,
        call: CallId,
        extension: ExtensionId,
    ) -> Result<(), Failure> {
        let absent = Failure::of_cause(Cause::SUBSCRIBER_ABSENT);
        let party = self.directory.party(extension).ok_or(absent)?;
        let configured = self.directory.extension(extension).ok_or(absent)?;
        let (codecs, srtp) = (configured.codecs.clone(), configured.srtp);
        let phones: Vec<Way> = (self.endpoint.reachable(extension))
            .take(MAX_RINGING)
            .map(|(binding, target)| Way {
                target,
                user_agent: binding.user_agent.clone(),
                credentials: None,
                from_host: None,
                interface: None,
                charge: None,
            })
            .collect();
        if phones.is_empty() {
            return Err(absent);
        }
        let state = self.calls.get_mut(&call).ok_or(absent)?;
        state.called = Some(party.clone());
        // RFC 3892 §2.2: as it came, for the phone that is called to show.
        let referred_by = state.referred_by.clone();
        // As long as any rule may let them ring.
        let limit = (self.directory.configuration().general.no_answer_s)
            .max(state.rings_s.unwrap_or_default());
        let expires_s = limit + STOPS_BY_ITSELF_S;
        let headers = (referred_by.into_iter())
            .map(|value| (HeaderName::ReferredBy, value))
            .chain([(HeaderName::Expires, expires_s.to_string())])
            .collect();
        let caller = state.leg(LegSide::Caller).ok_or(absent)?;
        let caller_party = (self.legs.get(caller).ok_or(absent)?).party.clone();
        let port = self.ports_for(caller)?;
        let ring = Ring {
            call,
            caller: caller_party,
            party,
            offered: towards(&codecs, &self.spoken(caller)),
            codecs,
            srtp,
            headers,
            port,
            seed: self.chance.next(),
        };
        self.ring(&ring, phones)
    }

    /// Rings all of them.
    pub(super) fn ring(&mut self, ring: &Ring, ways: Vec<Way>) -> Result<(), Failure> {
        let mut rung = Ok(());
        for way in ways {
            rung = rung.and(self.ring_phone(ring, way));
        }
        // The one that taking it counted; each phone counts for itself.
        if self.ports.release(ring.port) == Released::Close {
            self.media(Command::Close { port: ring.port });
        }
        self.wakes.wake(ring.call);
        match self.calls.get(&ring.call) {
            Some(state) if !state.ringing.is_empty() => Ok(()),
            _ => rung.and(Err(Failure::of_cause(Cause::SUBSCRIBER_ABSENT))),
        }
    }

    /// A port for the caller, if it has none, and one for those who are called.
    pub(super) fn ports_for(&mut self, caller: LegId) -> Result<PortId, Failure> {
        let port = if self.give_port(caller) {
            self.ports.take()
        } else {
            None
        };
        port.ok_or_else(|| {
            self.overload_refusals += 1;
            Failure::congestion(Cause::NO_CIRCUIT_AVAILABLE)
        })
    }

    /// Sends an INVITE to a phone: a leg of its own.
    fn ring_phone(&mut self, ring: &Ring, way: Way) -> Result<(), Failure> {
        let flow = way.target.flow;
        let address = SocketAddr::new(flow.local.ip(), self.ports.number(ring.port));
        let mut encryption = self.encryption(ring.srtp, &flow);
        if (self.calls.get(&ring.call)).is_some_and(|state| state.emergency) {
            encryption = encryption.map(Encryption::lenient);
        }
        let mut negotiation = Negotiation::new(
            self.chance.next() & SESSION_ID_BITS,
            capabilities(address, &ring.offered, None, encryption.as_ref()),
        );
        let offer = (negotiation.offer()).map_err(|error| Failure::of_description(&error))?;
        let invite = OutgoingInvite {
            target: way.target,
            account: ring.party.extension,
            from_display: ring.caller.name.clone(),
            from_user: shown_number(&ring.caller).to_owned(),
            from_host: way.from_host,
            to_user: ring.party.number.clone(),
            sdp: Some(offer),
            headers: ring.headers.clone(),
        };
        let session = match way.credentials {
            Some(credentials) => self.endpoint.invite_as(self.now, invite, credentials),
            None => self.endpoint.invite(self.now, invite),
        };
        let id = self.legs.next_id();
        self.ports.hold(ring.port);
        self.legs.insert(Leg {
            id,
            call: ring.call,
            lender: None,
            session,
            made: false,
            state: LegState::Calling,
            party: ring.party.clone(),
            flow,
            user_agent: way.user_agent,
            interface: way.interface,
            codecs: ring.codecs.clone(),
            encryption,
            negotiation,
            offered: false,
            port: Some(ring.port),
            settings: None,
            seed: ring.seed,
            playing: None,
            described: true,
            rang: false,
            asked: None,
            quality: None,
            silent_since: None,
            began: self.now,
            lost: false,
            was_clear: false,
            charge: way.charge,
        });
        if let Some(charge) = way.charge {
            self.brakes.begins(id, charge);
        }
        if let Some(state) = self.calls.get_mut(&ring.call) {
            state.ringing.push(id);
        }
        Ok(())
    }

    /// What a leg that goes this way does by its policy. Keys are offered where nobody can read them on their way.
    pub(super) fn encryption(
        &mut self,
        policy: SrtpPolicy,
        flow: &Flow,
    ) -> Option<Arc<Encryption>> {
        Encryption::new(policy, flow.transport == Transport::Tls, &mut self.keys)
    }

    /// The codecs a caller speaks, the preferred first.
    pub(super) fn spoken(&self, caller: LegId) -> Vec<Codec> {
        let Some(leg) = self.legs.get(caller) else {
            return Vec::new();
        };
        if let Some(codec) = leg.codec() {
            return towards(&leg.codecs, &[codec]);
        }
        match leg.negotiation.remote_description() {
            Some(offer) if leg.offered => offered_codecs(offer, &leg.codecs),
            _ => leg.codecs.clone(),
        }
    }

    /// Phones of which nothing at all has come are given up after a while; the others ring on.
    pub(super) fn give_up_silent(&mut self, call: CallId) {
        let ringing = (self.calls.get(&call)).map_or(Vec::new(), |state| state.ringing.clone());
        for id in ringing {
            let Some(leg) = self.legs.get(id) else {
                continue;
            };
            // Interfaces have a limit of their own.
            let waits = leg.state == LegState::Calling && leg.interface.is_none();
            if !waits || self.endpoint.is_heard_of(leg.session) {
                continue;
            }
            let until = leg.began + PHONE_SILENT_FOR;
            if until > self.now {
                self.wakes.wake_at(call, until);
                continue;
            }
            self.unanswered(leg.flow);
            let absent = Failure::new(StatusCode::REQUEST_TIMEOUT, Cause::NO_USER_RESPONDING);
            self.fail_leg(id, absent);
        }
    }

    /// Who has answered, or picked the call up; the others ring no more then.
    pub(super) fn taken(&mut self, call: CallId) -> Option<LegId> {
        let state = self.calls.get_mut(&call)?;
        let taken = match state.picked_up.take() {
            Some(leg) => leg,
            None => {
                let answered = |id: &&LegId| {
                    (self.legs.get(**id)).is_some_and(|leg| leg.state == LegState::Answered)
                };
                let winner = *state.ringing.iter().find(answered)?;
                state.ringing.retain(|id| *id != winner);
                winner
            }
        };
        self.stop_ringing(call, Some(Cause::NON_SELECTED_USER_CLEARING));
        Some(taken)
    }

    /// How the ringing stands: none while it goes on, else who answered, or why nobody did.
    pub(crate) fn look_at_ringing(&mut self, call: CallId) -> Option<Result<LegId, Failure>> {
        self.give_up_silent(call);
        if let Some(leg) = self.taken(call) {
            return Some(Ok(leg));
        }
        let ringing = self.calls.get(&call)?.ringing.clone();
        let state_of = |id: &LegId| self.legs.get(*id).map(|leg| (leg.state, leg.rang));
        let failures: Vec<Failure> = ringing
            .iter()
            .filter_map(|id| match self.legs.get(*id).map(|leg| leg.state) {
                Some(LegState::Failed(failure)) => Some(failure),
                _ => None,
            })
            .collect();
        let best = failures.iter().copied().reduce(Failure::or_better);
        let global = failures.iter().any(|failure| failure.status.class() == 6);
        if global || failures.len() == ringing.len() {
            let rang = ringing.iter().filter_map(state_of).any(|(_, rang)| rang);
            let outside = (ringing.iter())
                .filter_map(|id| self.legs.get(*id))
                .any(|leg| leg.interface.is_some());
            self.stop_ringing(call, None);
            let mut failure = best.unwrap_or(Failure::of_cause(Cause::SUBSCRIBER_ABSENT));
            failure.rang = rang;
            return Some(Err(if outside {
                failure
            } else {
                failure.towards_caller()
            }));
        }
        self.tell_caller(call, &ringing);
        None
    }

    /// Tells the caller what the phones do. What a network plays while others ring too is not heard: it may
    /// say that nobody can be reached there.
    pub(super) fn tell_caller(&mut self, call: CallId, ringing: &[LegId]) {
        let ring = || ringing.iter().filter_map(|id| self.legs.get(*id));
        let several = ring().filter(|leg| !leg.is_over()).count() > 1;
        let sounds = |leg: &&Leg| {
            !leg.is_over() && leg.port.and_then(|port| self.legs.of_port(port)) == Some(leg.id)
        };
        let heard = |leg: &&Leg| !several || leg.interface.is_none();
        let rings = ring().any(|leg| leg.rang) || ring().filter(sounds).any(|leg| !heard(&leg));
        let sounding = ring().filter(sounds).find(heard).map(|leg| leg.id);
        if rings {
            self.alert(call);
        }
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        if state.early != sounding {
            state.early = sounding;
            match sounding {
                Some(leg) => self.early_sound(call, leg),
                None => self.early_sound_gone(call),
            }
        }
    }

    /// A phone rings: the caller hears so, once.
    pub(super) fn alert(&mut self, call: CallId) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        if state.phase == Phase::Setup {
            state.phase = Phase::Ringing;
            self.live.changed(call);
        }
        if state.alerted {
            return;
        }
        state.alerted = true;
        let transfer = state.transfer;
        let early = state.early.is_some();
        let Some(caller) = state.leg(LegSide::Caller) else {
            return;
        };
        if let Some(transfer) = transfer {
            self.endpoint
                .notify_refer(self.now, transfer.refer, StatusCode::RINGING);
            self.sync_tones(transfer.parent);
        }
        let now = self.now;
        let Some(leg) = self.legs.get_mut(caller) else {
            return;
        };
        match leg.state {
            LegState::Invited => {
                let session = leg.session;
                self.endpoint.ring(now, session, StatusCode::RINGING, None);
            }
            LegState::Answered if !early => self.play(caller, Some(Tone::Ringback)),
            _ => {}
        }
    }

    /// A phone has sound before it answers (RFC 3261 §13.2.1, RFC 3960): the caller hears it.
    fn early_sound(&mut self, call: CallId, phone: LegId) {
        let Some(caller) = self
            .calls
            .get(&call)
            .and_then(|state| state.leg(LegSide::Caller))
        else {
            return;
        };
        let codec = self.legs.get(phone).and_then(Leg::codec);
        let Some(leg) = self.legs.get(caller) else {
            return;
        };
        match leg.state {
            // A caller that made no offer would have to answer ours in a PRACK: it waits.
            LegState::Invited if !leg.offered => {
                self.alert(call);
                return;
            }
            LegState::Invited if !leg.described => {
                let session = leg.session;
                let Ok(description) = self.describe(caller, codec) else {
                    return;
                };
                self.apply_media(caller);
                self.endpoint.ring(
                    self.now,
                    session,
                    StatusCode::SESSION_PROGRESS,
                    Some(description),
                );
            }
            LegState::Answered => self.play(caller, None),
            _ => {}
        }
        if let Some(state) = self.calls.get_mut(&call)
            && state.phase == Phase::Setup
        {
            state.phase = Phase::Ringing;
        }
        self.join(call, caller, phone, false);
        self.live.changed(call);
    }

    /// The phone whose sound the caller heard is gone, others still ring.
    pub(super) fn early_sound_gone(&mut self, call: CallId) {
        let Some(caller) = self
            .calls
            .get(&call)
            .and_then(|state| state.leg(LegSide::Caller))
        else {
            return;
        };
        self.part(call);
        self.play(caller, Some(Tone::Ringback));
    }

    /// Ends all that still rings for a call.
    pub(crate) fn stop_ringing(&mut self, call: CallId, cause: Option<Cause>) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        state.early = None;
        state.ring_until = None;
        for leg in core::mem::take(&mut state.ringing) {
            self.end_leg(leg, cause, None);
        }
    }
}

/// The number of a caller; the word for it of one that hides its own (RFC 3323 §4.1.1.3).
const fn shown_number(caller: &Party) -> &str {
    if caller.number.is_empty() {
        ANONYMOUS
    } else {
        caller.number.as_str()
    }
}

/// Session ids of SDP stay below 2^31, as old phones do.
pub(super) const SESSION_ID_BITS: u64 = 0x7fff_ffff;

//! A leg: one party's half of a call, in one vocabulary whatever line it is on.
//!
//! Owns what the rest of the exchange knows of a party: who it is, how far its line is, what sound
//! was agreed, which media port it has. [`cause`] maps the causes of the lines to each other, and
//! [`negotiation`] turns agreed session descriptions into settings of a port. The line itself (a
//! session of the SIP endpoint) is moved by the exchange.

pub(crate) mod cause;
pub(crate) mod negotiation;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use media::PortSettings;
use model::config::Brake;
use model::{
    CallId, Cause, Codec, Disposition, EndedBy, ExtensionId, Flow, Instant, LegId, Party, PortId,
    Quality,
};
use sip::endpoint::{EndReason, SessionId};
use sip::message::StatusCode;
use sip::sdp::{Encryption, Negotiation};

use crate::brakes::Charge;

/// How far a leg is.
///
/// ```text
///   in:   INVITED ────────────────────────────────► ANSWERED ──► OVER
///   out:  CALLING ──► RINGING ──► (early sound) ──► ANSWERED ──► OVER
///            └───────────┴──────► FAILED
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegState {
    /// The party calls us and has no answer yet.
    Invited,
    /// We call the party and have heard nothing yet.
    Calling,
    /// The party's phone rings.
    Ringing,
    /// The party has answered, or has been answered.
    Answered,
    /// The party refused, or could not be reached.
    Failed(Failure),
    /// The party is gone.
    Over(Parting),
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What a SIP caller is told.
    pub(crate) status: StatusCode,
    /// What everyone else is told, and the call history.
    pub(crate) cause: Cause,
    /// When to try again, in seconds, where that is known.
    pub(crate) retry_after_s: Option<u32>,
    /// A phone had rung.
    pub(crate) rang: bool,
    /// The caller may not call the number.
    pub(crate) not_permitted: bool,
    /// The limit of the fraud protection that it came upon.
    pub(crate) brake: Option<Brake>,
    /// SIP's words about a session description that can't be used (RFC 3261 §20.43).
    pub(crate) warning: Option<sip::sdp::Warning>,
}

impl Failure {
    /// A failure with both codes.
    pub(crate) const fn new(status: StatusCode, cause: Cause) -> Self {
        Self {
            status,
            cause,
            retry_after_s: None,
            rang: false,
            not_permitted: false,
            brake: None,
            warning: None,
        }
    }

    /// What a SIP party answered.
    pub(crate) const fn of_status(status: StatusCode, cause: Option<Cause>) -> Self {
        let cause = match cause {
            Some(cause) => cause,
            None => cause::cause_of_status(status),
        };
        Self::new(status, cause)
    }

    /// By cause alone.
    pub(crate) const fn of_cause(cause: Cause) -> Self {
        Self::new(cause::status_of_cause(cause), cause)
    }

    /// The limit of ringing was reached.
    pub(crate) const fn no_answer() -> Self {
        let mut failure = Self::of_cause(Cause::NO_ANSWER);
        failure.rang = true;
        failure
    }

    /// The caller may not call the number; what a phone may show of it.
    pub(crate) const fn not_permitted(why: sip::sdp::Warning) -> Self {
        let mut failure = Self::new(StatusCode::FORBIDDEN, Cause::CALL_REJECTED);
        failure.not_permitted = true;
        failure.warning = Some(why);
        failure
    }

    /// The fraud protection holds the call; what a phone may show of it.
    pub(crate) const fn braked(brake: Brake, why: sip::sdp::Warning) -> Self {
        let mut failure = Self::not_permitted(why);
        failure.brake = Some(brake);
        failure
    }

    /// Media ports or calls are at their limit.
    pub(crate) const fn congestion(cause: Cause) -> Self {
        let mut failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, cause);
        failure.retry_after_s = Some(CONGESTION_RETRY_S);
        failure
    }

    /// A session description can't be used.
    pub(crate) fn of_description(error: &sip::sdp::NegotiationError) -> Self {
        let status = StatusCode::new(error.status()).unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
        let mut failure = Self::new(status, Cause::INCOMPATIBLE_DESTINATION);
        failure.warning = error.warning();
        failure
    }

    /// The word for the call history.
    pub(crate) const fn disposition(&self) -> Disposition {
        if self.not_permitted {
            return Disposition::NotPermitted;
        }
        cause::disposition_of(self.cause, self.rang)
    }

    /// The better of two, to speak for both (RFC 3261 §16.7).
    pub(crate) fn or_better(self, other: Self) -> Self {
        let mut best = if cause::rank(other.status) < cause::rank(self.status) {
            other
        } else {
            self
        };
        best.rang = self.rang || other.rang;
        best
    }

    /// What a caller is told of a refusal of another network: what concerns our account there says
    /// nothing to it.
    pub(crate) const fn past_network(mut self) -> Self {
        self.status = match self.status.code() {
            300..=399 | 401..=403 | 407 => StatusCode::BAD_GATEWAY,
            430 | 481 | 487 => StatusCode::TEMPORARILY_UNAVAILABLE,
            // RFC 3261 §16.7: a 503 of one server is no overload of the exchange.
            503 if self.retry_after_s.is_none() => StatusCode::BAD_GATEWAY,
            _ => self.status,
        };
        self
    }

    /// Whether a network, or the exchange, had no line for it.
    pub(crate) const fn is_congestion(&self) -> bool {
        !self.rang && (self.status.code() == 503 || matches!(self.cause.value(), 34 | 42 | 44 | 47))
    }

    /// Whether another network may do better: this one failed, not the called party.
    pub(crate) const fn is_of_network(&self) -> bool {
        !self.rang && cause::is_of_network(self.status, self.cause)
    }

    /// What a caller is told of a phone's refusal: those that make sense between
    /// phone and exchange only don't pass.
    pub(crate) const fn towards_caller(mut self) -> Self {
        self.status = match self.status.code() {
            // RFC 3261 §16.7: a 503 of one phone is no overload of the exchange.
            503 if self.retry_after_s.is_none() => StatusCode::SERVER_INTERNAL_ERROR,
            // The phone challenged or redirected us, did not know the dialog, did not answer, or its
            // connection is gone: nothing the caller could act upon.
            300..=399 | 401 | 407 => StatusCode::FORBIDDEN,
            408 | 430 | 481 | 487 => StatusCode::TEMPORARILY_UNAVAILABLE,
            // The number is in our dial plan: a phone that does not know it is set up wrongly, and
            // as good as absent.
            404 | 410 | 416 | 484 | 485 | 604 => {
                self.cause = Cause::SUBSCRIBER_ABSENT;
                StatusCode::TEMPORARILY_UNAVAILABLE
            }
            _ => self.status,
        };
        self
    }
}

/// How long a server may say nothing at all to a call before the next way is tried: an INVITE has been sent
/// four times by then (RFC 3261 §17.1.1.2).
pub(crate) const SILENT_FOR: core::time::Duration = core::time::Duration::from_secs(4);

/// How long a phone of ours may say nothing at all to a call before it is taken for absent: an INVITE has been
/// sent five times by then, the last one half a second ago. Who is there sends 100 at once.
pub(crate) const PHONE_SILENT_FOR: core::time::Duration = core::time::Duration::from_secs(8);

/// Ports come free as fast as calls end; a person tries again after about so long.
const CONGESTION_RETRY_S: u32 = 10;

/// How a leg that was part of a call came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parting {
    /// Why.
    pub(crate) reason: EndReason,
    /// The cause for the call history.
    pub(crate) cause: Cause,
}

impl Parting {
    /// From the endpoint's words.
    pub(crate) fn new(reason: EndReason, cause: Option<Cause>) -> Self {
        let usual = match reason {
            EndReason::Bye | EndReason::Cancelled => Cause::NORMAL_CALL_CLEARING,
            EndReason::SessionExpired | EndReason::NotAcknowledged => {
                Cause::RECOVERY_ON_TIMER_EXPIRY
            }
            EndReason::DialogGone | EndReason::TransportFailed => Cause::DESTINATION_OUT_OF_ORDER,
            EndReason::ProtocolError => Cause::PROTOCOL_ERROR,
        };
        Self {
            reason,
            cause: cause.unwrap_or(usual),
        }
    }

    /// Whether the party itself wanted the end.
    pub(crate) const fn by_party(self) -> bool {
        matches!(self.reason, EndReason::Bye | EndReason::Cancelled)
    }

    /// Who ended the call, where the party was on this side of it.
    pub(crate) const fn ended_by(self, side: EndedBy) -> EndedBy {
        if self.by_party() {
            side
        } else {
            EndedBy::Exchange
        }
    }
}

/// What a party hears in place of the other party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// The other party has put it on hold.
    Hold,
    /// A phone rings for it.
    Ringback,
    /// The called party is busy.
    Busy,
    /// There is no way through.
    Congestion,
}

/// A phone of which nothing had come was asked whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// When.
    pub(crate) at: Instant,
    /// It is.
    pub(crate) there: bool,
}

/// One party's half of a call.
#[derive(Debug)]
pub(crate) struct Leg {
    /// Its name.
    pub(crate) id: LegId,
    /// The call that holds it now.
    pub(crate) call: CallId,
    /// The call it goes back to when the one that holds it fails: a transfer under way.
    pub(crate) lender: Option<CallId>,
    /// Its line.
    pub(crate) session: SessionId,
    /// The party called us.
    pub(crate) made: bool,
    /// How far it is.
    pub(crate) state: LegState,
    /// Who is on it.
    pub(crate) party: Party,
    /// Signalling goes this way.
    pub(crate) flow: Flow,
    /// What the peer calls itself.
    pub(crate) user_agent: Option<String>,
    /// The name of the interface that leads to it, where it is outside.
    pub(crate) interface: Option<Box<str>>,
    /// Codecs the extension or the interface may use, the preferred first.
    pub(crate) codecs: Vec<Codec>,
    /// Whether its sound may or must be encrypted, and our keys.
    pub(crate) encryption: Option<Arc<Encryption>>,
    /// What sound was agreed.
    pub(crate) negotiation: Negotiation,
    /// The party made the first offer; if not, ours is answered in its ACK.
    pub(crate) offered: bool,
    /// Where its sound goes through.
    pub(crate) port: Option<PortId>,
    /// What the media thread was told last.
    pub(crate) settings: Option<PortSettings>,
    /// Start of our stream towards it.
    pub(crate) seed: u64,
    /// What it hears in place of the other party.
    pub(crate) playing: Option<Tone>,
    /// A session description has gone out to it (incoming leg).
    pub(crate) described: bool,
    /// Its phone has rung (outgoing leg).
    pub(crate) rang: bool,
    /// Its phone was asked whether it is there.
    pub(crate) asked: Option<Asked>,
    /// Measured so far, asked for while someone watches.
    pub(crate) quality: Option<Quality>,
    /// Since when nothing has come of it, though it is to be heard.
    pub(crate) silent_since: Option<Instant>,
    /// When it was made.
    pub(crate) began: Instant,
    /// Its phone has stopped responding.
    pub(crate) lost: bool,
    /// Its sound was in the clear at some time since the answer.
    pub(crate) was_clear: bool,
    /// To whose account it goes, where it has left.
    pub(crate) charge: Option<Charge>,
}

impl Leg {
    /// The codec we send to the party.
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.settings.map(|settings| settings.send_codec)
    }

    /// Its sound is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.settings
            .is_some_and(|settings| settings.srtp.is_some())
    }

    /// Its sound was encrypted for as long as there was any since the answer.
    pub(crate) fn was_encrypted(&self) -> bool {
        self.is_encrypted() && !self.was_clear
    }

    /// The party is answered, and not gone.
    pub(crate) const fn is_answered(&self) -> bool {
        matches!(self.state, LegState::Answered)
    }

    /// The line is down: nothing more can be said on it.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, LegState::Failed(_) | LegState::Over(_))
    }

    /// The party has put the other one on hold: it does not want its sound.
    pub(crate) fn holds(&self) -> bool {
        self.settings.is_some_and(|settings| !settings.may_send)
    }

    /// The extension of the party.
    pub(crate) const fn extension(&self) -> Option<ExtensionId> {
        self.party.extension
    }
}

/// All legs, and whose session and port is whose.
#[derive(Debug, Default)]
pub(crate) struct Legs {
    legs: BTreeMap<LegId, Leg>,
    sessions: BTreeMap<SessionId, LegId>,
    ports: BTreeMap<PortId, LegId>,
    /// How many each extension has made by a call of its own.
    made: BTreeMap<ExtensionId, usize>,
    last: u64,
}

impl Legs {
    /// A name for a new leg.
    pub(crate) const fn next_id(&mut self) -> LegId {
        self.last += 1;
        LegId::new(self.last)
    }

    /// Takes in a leg.
    pub(crate) fn insert(&mut self, leg: Leg) {
        self.sessions.insert(leg.session, leg.id);
        if let (true, Some(extension)) = (leg.made, leg.extension()) {
            *self.made.entry(extension).or_insert(0) += 1;
        }
        self.legs.insert(leg.id, leg);
    }

    /// Lets go of a leg.
    pub(crate) fn remove(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&id)?;
        self.sessions.remove(&leg.session);
        if let (true, Some(extension)) = (leg.made, leg.extension())
            && let Entry::Occupied(mut made) = self.made.entry(extension)
        {
            *made.get_mut() -= 1;
            if *made.get() == 0 {
                made.remove();
            }
        }
        if let Some(port) = leg.port
            && self.ports.get(&port) == Some(&id)
        {
            self.ports.remove(&port);
        }
        Some(leg)
    }

    /// A leg by name.
    pub(crate) fn get(&self, id: LegId) -> Option<&Leg> {
        self.legs.get(&id)
    }

    /// A leg by name, to change it.
    pub(crate) fn get_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(&id)
    }

    /// Whose session it is.
    pub(crate) fn of_session(&self, session: SessionId) -> Option<LegId> {
        self.sessions.get(&session).copied()
    }

    /// Whose sound goes through the port: of several phones that share it, the one that was heard
    /// or answered last.
    pub(crate) fn of_port(&self, port: PortId) -> Option<LegId> {
        self.ports.get(&port).copied()
    }

    /// From now on the port's sound is this leg's.
    pub(crate) fn owns_port(&mut self, port: PortId, leg: LegId) {
        self.ports.insert(port, leg);
    }

    /// How many the extension has made by calls of its own.
    pub(crate) fn made_by(&self, extension: ExtensionId) -> usize {
        self.made.get(&extension).copied().unwrap_or(0)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.legs.len()
    }
}

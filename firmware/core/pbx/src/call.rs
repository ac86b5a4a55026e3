//! What the exchange knows of a call, and the limits of calls.

use model::config::Brake;
use model::{
    CallId, Cause, Disposition, EndedBy, ExtensionId, Instant, LegId, LegSide, Party, PortId,
};
use sip::endpoint::ReferId;

use crate::leg::Failure;
use crate::record::KeptLeg;
use crate::route::Past;
use model::explain::Caller;

/// Calls at a time, whatever the ports would allow: ten times what the hardware carries; beyond it
/// something is wrong, and memory stays bounded.
pub(crate) const MAX_CALLS: usize = 10_000;

/// Calls that are not answered yet. Phones ring for a minute: this is 30 new calls a second that
/// nobody answers, more than any site makes and less than a flood.
pub(crate) const MAX_CALLS_IN_SETUP: usize = 2_000;

/// Calls that one extension makes at a time. People make two or three; a switchboard or a gateway with
/// an account makes dozens; whoever has stolen a password must not get all that 500 calls need.
pub(crate) const MAX_CALLS_OF_EXTENSION: usize = 100;

/// Phones of one extension that ring together: each INVITE to it costs one from here.
pub(crate) const MAX_RINGING: usize = 10;

/// Transfers in sequence: people pass a caller on three or four times; two phones that transfer to
/// each other by a fault of configuration are stopped here.
pub(crate) const MAX_TRANSFERS: u8 = 10;

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Nothing rings yet.
    Setup,
    /// A phone rings.
    Ringing,
    /// Both parties are connected.
    Connected,
}

/// How a call ended, decided but not yet carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The word for it.
    pub(crate) disposition: Disposition,
    /// The cause, for the record and for the parties still there.
    pub(crate) cause: Cause,
    /// Who wanted it.
    pub(crate) ended_by: EndedBy,
    /// What a caller that has no answer yet is told.
    pub(crate) failure: Option<Failure>,
}

impl Outcome {
    /// A call that was answered and has ended.
    pub(crate) const fn answered(cause: Cause, ended_by: EndedBy) -> Self {
        Self {
            disposition: Disposition::Answered,
            cause,
            ended_by,
            failure: None,
        }
    }

    /// A call that found no answer; the called party had its say, or the exchange.
    pub(crate) const fn failed(failure: Failure) -> Self {
        let disposition = failure.disposition();
        Self {
            disposition,
            cause: failure.cause,
            ended_by: match disposition {
                Disposition::Busy | Disposition::Rejected => EndedBy::Called,
                _ => EndedBy::Exchange,
            },
            failure: Some(failure),
        }
    }

    /// The caller did not want to wait any longer.
    pub(crate) const fn cancelled(cause: Cause) -> Self {
        Self {
            disposition: Disposition::Cancelled,
            cause,
            ended_by: EndedBy::Caller,
            failure: None,
        }
    }
}

/// A transfer that this call carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// Whom to tell how it goes.
    pub(crate) refer: ReferId,
    /// The call it came from; the transferred party goes back there if it fails.
    pub(crate) parent: CallId,
}

/// One half of a call.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// Who is on it now.
    pub(crate) leg: Option<LegId>,
    /// What the record says of it: who was on it when it left the call.
    pub(crate) kept: Option<KeptLeg>,
}

/// A call.
#[derive(Debug)]
pub(crate) struct CallState {
    /// Its name.
    pub(crate) id: CallId,
    /// When it came in.
    pub(crate) started: Instant,
    /// When it was answered.
    pub(crate) answered: Option<Instant>,
    /// Who calls.
    pub(crate) caller: Party,
    /// By whose rights the number is dialled: the caller's, or those of who transferred it.
    pub(crate) origin: Option<Caller>,
    /// What was dialled.
    pub(crate) dialled: String,
    /// It is for help: no limit stops it, and no other call takes its line.
    pub(crate) emergency: bool,
    /// Its next way out may leave unencrypted what is demanded to be.
    pub(crate) relaxed: bool,
    /// The calling number as those outside saw it last; empty where it was hidden.
    pub(crate) shown_outside: Option<String>,
    /// For how long the rules of a user let it ring, in seconds.
    pub(crate) rings_s: Option<u32>,
    /// Where it has been before.
    pub(crate) past: Past,
    /// The extension that was called, where the rules of its user led the call elsewhere.
    pub(crate) forwarded_from: Option<Party>,
    /// By the rules of whose user it has left.
    pub(crate) diverted_by: Option<ExtensionId>,
    /// The last way out that it was sent by: the name of the interface, and where its server is.
    pub(crate) tried: Option<(Box<str>, String)>,
    /// Whom the number stands for, or who was reached.
    pub(crate) called: Option<Party>,
    /// How far it is.
    pub(crate) phase: Phase,
    /// The caller's half.
    pub(crate) caller_half: Half,
    /// The called half.
    pub(crate) called_half: Half,
    /// Phones that ring for it.
    pub(crate) ringing: Vec<LegId>,
    /// Until when they ring.
    pub(crate) ring_until: Option<Instant>,
    /// The phone whose sound before the answer the caller hears.
    pub(crate) early: Option<LegId>,
    /// The caller knows that a phone rings.
    pub(crate) alerted: bool,
    /// Another phone has picked the call up.
    pub(crate) picked_up: Option<LegId>,
    /// Ports that the media thread has connected for it, and whether both parties have answered.
    pub(crate) joined: Option<(PortId, PortId, bool)>,
    /// The call this one goes on from.
    pub(crate) transferred_from: Option<CallId>,
    /// Transfers that led to it.
    pub(crate) transfers: u8,
    /// The transfer it carries out.
    pub(crate) transfer: Option<Transfer>,
    /// Who says to have transferred it (RFC 3892).
    pub(crate) referred_by: Option<String>,
    /// The half whose party is being transferred, and the call that tries it.
    pub(crate) lent: Option<(LegSide, CallId)>,
    /// The parties go on in another call; the half whose party is left over here.
    pub(crate) handed_over: Option<LegSide>,
    /// How it ends.
    pub(crate) outcome: Option<Outcome>,
    /// The limit of the fraud protection that ends it.
    pub(crate) brake: Option<Brake>,
    /// The administrator who ends it.
    pub(crate) administrator: Option<String>,
}

impl CallState {
    /// A call at its start.
    pub(crate) fn new(id: CallId, started: Instant, caller: Party, dialled: String) -> Self {
        Self {
            id,
            started,
            answered: None,
            caller,
            origin: None,
            dialled,
            emergency: false,
            relaxed: false,
            shown_outside: None,
            rings_s: None,
            past: Past::default(),
            forwarded_from: None,
            diverted_by: None,
            tried: None,
            called: None,
            phase: Phase::Setup,
            caller_half: Half::default(),
            called_half: Half::default(),
            ringing: Vec::new(),
            ring_until: None,
            early: None,
            alerted: false,
            picked_up: None,
            joined: None,
            transferred_from: None,
            transfers: 0,
            transfer: None,
            referred_by: None,
            lent: None,
            handed_over: None,
            outcome: None,
            brake: None,
            administrator: None,
        }
    }

    /// One half.
    pub(crate) const fn half(&self, side: LegSide) -> &Half {
        match side {
            LegSide::Caller => &self.caller_half,
            LegSide::Called => &self.called_half,
        }
    }

    /// One half, to change it.
    pub(crate) const fn half_mut(&mut self, side: LegSide) -> &mut Half {
        match side {
            LegSide::Caller => &mut self.caller_half,
            LegSide::Called => &mut self.called_half,
        }
    }

    /// The leg on one half.
    pub(crate) const fn leg(&self, side: LegSide) -> Option<LegId> {
        self.half(side).leg
    }

    /// On which half the leg is.
    pub(crate) fn side_of(&self, leg: LegId) -> Option<LegSide> {
        SIDES
            .into_iter()
            .find(|side| self.half(*side).leg == Some(leg))
    }

    /// The leg at the other end of this one.
    pub(crate) fn other(&self, leg: LegId) -> Option<LegId> {
        self.leg(other_side(self.side_of(leg)?))
    }

    /// Decides how the call ends, if nothing has decided before.
    pub(crate) fn settle(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }
}

/// Both halves, the caller's first.
pub(crate) const SIDES: [LegSide; 2] = [LegSide::Caller, LegSide::Called];

/// The half at the other end.
pub(crate) const fn other_side(side: LegSide) -> LegSide {
    match side {
        LegSide::Caller => LegSide::Called,
        LegSide::Called => LegSide::Caller,
    }
}

/// Who ended a call, where the party of this half did.
pub(crate) const fn ended_by(side: LegSide) -> EndedBy {
    match side {
        LegSide::Caller => EndedBy::Caller,
        LegSide::Called => EndedBy::Called,
    }
}

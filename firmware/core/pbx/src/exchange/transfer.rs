//! Transfers: parties of a call that go on in another one (RFC 3515, RFC 3891, RFC 5589).
//!
//! ```text
//!   blind:     A ═ B, B says: A to C.  A is lent to a new call, which rings C. B hears it ring, and is
//!                notified of it, while it stays.
//!                C answers: A ═ C goes on there, B is told 200 and ends.
//!                C does not: B is told why, A comes back to B; or, if B is gone, hears so and ends.
//!   attended:  A ═ B and B ═ C, B says: A to the dialog with C.  A ═ C go on in a new call,
//!                B is told 200, both its calls end.
//!   semi-attended: as attended, while C still rings: what rings goes on ringing for A.
//! ```
//!
//! Each original call ends with a record of its own; the one that goes on names the call it came
//! from. A transferred party is never asked to do anything: its sound is connected otherwise.

use model::{CallId, Cause, LegId, LegSide};
use sip::endpoint::{ReferId, SessionId};
use sip::message::{Replaces, StatusCode, Uri};

use super::Exchange;
use super::invite::dialled;
use crate::call::{
    CallState, MAX_CALLS, MAX_TRANSFERS, Outcome, Phase, SIDES, Transfer, ended_by, other_side,
};
use crate::leg::{Failure, Leg, LegState};
use crate::route::Past;
use crate::script::Plot;
use model::explain::Caller;

/// The parties of a transfer, as they stand in the call it starts from.
#[derive(Clone, Copy, Debug)]
struct Parties {
    call: CallId,
    /// The half of the one who transfers.
    side: LegSide,
    transferor: LegId,
    transferee: LegId,
}

impl Exchange {
    /// A party wants the other one transferred.
    pub(super) fn referred(
        &mut self,
        session: SessionId,
        refer: ReferId,
        to: &Uri,
        replaces: Option<&Replaces>,
        referred_by: Option<String>,
    ) {
        let result = match (self.parties(session), replaces) {
            (Err(failure), _) => Err(failure),
            (Ok(parties), None) => self.blind(parties, refer, to, referred_by),
            (Ok(parties), Some(replaces)) => self.attended(parties, refer, replaces),
        };
        if let Err(failure) = result {
            self.endpoint.refuse_refer(self.now, refer, failure.status);
        }
    }

    /// Who transfers whom; an error where that can't be now.
    fn parties(&self, session: SessionId) -> Result<Parties, Failure> {
        let pending = Failure::new(StatusCode::REQUEST_PENDING, Cause::TEMPORARY_FAILURE);
        let transferor = self.legs.of_session(session).ok_or(pending)?;
        let leg = self.legs.get(transferor).ok_or(pending)?;
        let call = self.calls.get(&leg.call).ok_or(pending)?;
        let side = call.side_of(transferor).ok_or(pending)?;
        let transferee = call.leg(other_side(side)).ok_or(pending)?;
        let busy = call.phase != Phase::Connected
            || call.lent.is_some()
            || call.handed_over.is_some()
            || !self.legs.get(transferee).is_some_and(Leg::is_answered);
        if busy {
            return Err(pending);
        }
        self.may_transfer(call.id)?;
        Ok(Parties {
            call: call.id,
            side,
            transferor,
            transferee,
        })
    }

    /// Whether the parties of a call may go on in another one.
    pub(super) fn may_transfer(&self, call: CallId) -> Result<(), Failure> {
        let transfers = self.calls.get(&call).map_or(0, |state| state.transfers);
        if transfers >= MAX_TRANSFERS {
            return Err(Failure::new(
                StatusCode::TOO_MANY_HOPS,
                Cause::FACILITY_REJECTED,
            ));
        }
        if self.calls.len() >= MAX_CALLS || self.stopping {
            return Err(Failure::congestion(Cause::SWITCHING_EQUIPMENT_CONGESTION));
        }
        Ok(())
    }

    fn blind(
        &mut self,
        parties: Parties,
        refer: ReferId,
        to: &Uri,
        referred_by: Option<String>,
    ) -> Result<(), Failure> {
        let dialled = dialled(to);
        let extension = |id: LegId| self.legs.get(id).and_then(Leg::extension);
        let rejected = Failure::of_cause(Cause::CALL_REJECTED);
        let transferor = extension(parties.transferor).ok_or(rejected)?;
        let transferee = extension(parties.transferee);
        // The one who transfers answers for the call; it can't name itself either.
        let origin = Caller::Extension(transferor);
        let route = self.route(origin, &dialled, Past::default());
        self.tell_refused(origin, &dialled, &route);
        let target = route.decision?;
        if transferee.is_some_and(|id| target.is_for(id)) {
            return Err(Failure::of_cause(Cause::USER_BUSY));
        }
        let child = self.lend(parties, refer, dialled);
        self.endpoint.accept_refer(self.now, refer);
        if let Some(mut child) = child {
            child.referred_by = referred_by;
            child.origin = Some(origin);
            self.open_call(child, Plot::Dial);
        }
        Ok(())
    }

    /// Lends the transferred party to a new call, which is yet to be opened.
    fn lend(&mut self, parties: Parties, refer: ReferId, dialled: String) -> Option<CallState> {
        let id = self.next_call_id();
        let now = self.now;
        let side = other_side(parties.side);
        self.part(parties.call);
        let kept = self.keep_of_leaving(parties.call, side, parties.transferee);
        let leg = self.legs.get_mut(parties.transferee)?;
        leg.lender = Some(parties.call);
        leg.call = id;
        let mut child = CallState::new(id, now, leg.party.clone(), dialled);
        child.caller_half.leg = Some(parties.transferee);
        child.transfer = Some(Transfer {
            refer,
            parent: parties.call,
        });
        let parent = self.calls.get_mut(&parties.call)?;
        let half = parent.half_mut(side);
        half.leg = None;
        half.kept = kept;
        parent.lent = Some((side, id));
        child.transferred_from = Some(parties.call);
        child.transfers = parent.transfers.saturating_add(1);
        self.live.changed(parties.call);
        Some(child)
    }

    fn attended(
        &mut self,
        parties: Parties,
        refer: ReferId,
        replaces: &Replaces,
    ) -> Result<(), Failure> {
        let found = (self.endpoint.find_dialog(replaces))
            .and_then(|session| self.legs.of_session(session))
            .and_then(|leg| {
                let call = self.calls.get(&self.legs.get(leg)?.call)?;
                Some((call.id, call.side_of(leg)?, call.phase))
            });
        let Some((second, side, phase)) = found else {
            // As if an INVITE with this Replaces had been refused: RFC 5589 §7.3.
            self.endpoint.accept_refer(self.now, refer);
            self.endpoint
                .notify_refer(self.now, refer, StatusCode::CALL_DOES_NOT_EXIST);
            return Ok(());
        };
        // RFC 3891 §3: `early-only` of a dialog that is confirmed is answered by 486.
        if second == parties.call || (replaces.early_only && phase == Phase::Connected) {
            return Err(Failure::of_cause(Cause::USER_BUSY));
        }
        self.may_transfer(second)?;
        match phase {
            Phase::Connected => self.attended_connected(parties, refer, second, side),
            Phase::Setup | Phase::Ringing if side == LegSide::Caller => {
                self.attended_ringing(parties, refer, second)
            }
            Phase::Setup | Phase::Ringing => Err(Failure::new(
                StatusCode::REQUEST_PENDING,
                Cause::TEMPORARY_FAILURE,
            )),
        }
    }

    fn attended_connected(
        &mut self,
        parties: Parties,
        refer: ReferId,
        second: CallId,
        side: LegSide,
    ) -> Result<(), Failure> {
        let pending = Failure::new(StatusCode::REQUEST_PENDING, Cause::TEMPORARY_FAILURE);
        let state = self.calls.get(&second).ok_or(pending)?;
        let other = state.leg(other_side(side)).ok_or(pending)?;
        if state.lent.is_some()
            || state.handed_over.is_some()
            || !self.legs.get(other).is_some_and(Leg::is_answered)
        {
            return Err(pending);
        }
        self.endpoint.accept_refer(self.now, refer);
        self.continue_as(parties.call, [parties.transferee, other]);
        self.hand_over(parties.call, parties.side);
        self.hand_over(second, side);
        self.endpoint.notify_refer(self.now, refer, StatusCode::OK);
        Ok(())
    }

    fn attended_ringing(
        &mut self,
        parties: Parties,
        refer: ReferId,
        second: CallId,
    ) -> Result<(), Failure> {
        let pending = Failure::new(StatusCode::REQUEST_PENDING, Cause::TEMPORARY_FAILURE);
        let state = self.calls.get(&second).ok_or(pending)?;
        // A call for help has further ways, which nobody else would go.
        if state.ringing.is_empty() || state.transfer.is_some() || state.emergency {
            return Err(pending);
        }
        let dialled = state.dialled.clone();
        let Some(mut child) = self.lend(parties, refer, dialled) else {
            return Err(pending);
        };
        self.endpoint.accept_refer(self.now, refer);
        if let Some(state) = self.calls.get_mut(&second) {
            child.ringing = core::mem::take(&mut state.ringing);
            child.ring_until = state.ring_until;
            child.called = state.called.clone();
            state.early = None;
        }
        for leg in &child.ringing {
            if let Some(leg) = self.legs.get_mut(*leg) {
                leg.call = child.id;
            }
        }
        self.part(second);
        self.open_call(child, Plot::KeepRinging);
        let mut outcome = Outcome::cancelled(Cause::NORMAL_CALL_CLEARING);
        outcome.failure = Some(Failure::new(
            StatusCode::REQUEST_TERMINATED,
            Cause::NORMAL_CALL_CLEARING,
        ));
        self.doom(second, outcome);
        Ok(())
    }

    /// Two answered parties go on in a new call that comes from `from`.
    pub(super) fn continue_as(&mut self, from: CallId, pair: [LegId; 2]) {
        let id = self.next_call_id();
        let now = self.now;
        let party =
            |exchange: &Self, leg: LegId| exchange.legs.get(leg).map(|leg| leg.party.clone());
        let (Some(caller), Some(called)) = (party(self, pair[0]), party(self, pair[1])) else {
            return;
        };
        let transfers = (pair.iter())
            .filter_map(|leg| Some(self.legs.get(*leg)?.call))
            .chain([from])
            .filter_map(|call| Some(self.calls.get(&call)?.transfers))
            .max()
            .unwrap_or(0);
        let mut call = CallState::new(id, now, caller, called.number.clone());
        call.called = Some(called);
        call.answered = Some(now);
        call.phase = Phase::Connected;
        call.transferred_from = Some(from);
        call.transfers = transfers.saturating_add(1);
        // Who is connected with help stays so.
        call.emergency = (pair.iter())
            .filter_map(|leg| self.calls.get(&self.legs.get(*leg)?.call))
            .any(|call| call.emergency);
        for (side, leg) in SIDES.into_iter().zip(pair) {
            self.withdraw(leg);
            if let Some(leg) = self.legs.get_mut(leg) {
                leg.call = id;
                leg.lender = None;
            }
            call.half_mut(side).leg = Some(leg);
        }
        self.open_call(call, Plot::Converse);
        self.connect(id);
    }

    /// Takes a leg out of the call that has it; the record of that call keeps what it was.
    fn withdraw(&mut self, id: LegId) {
        let Some(call) = self.legs.get(id).map(|leg| leg.call) else {
            return;
        };
        let Some(side) = (self.calls.get(&call)).and_then(|state| state.side_of(id)) else {
            return;
        };
        let kept = self.keep_of_leaving(call, side, id);
        if let Some(state) = self.calls.get_mut(&call) {
            let half = state.half_mut(side);
            half.leg = None;
            half.kept = kept;
            // Its sound is connected elsewhere now; nothing is left to take apart.
            state.joined = None;
        }
    }

    /// The other parties of a call have gone on elsewhere; the one on `side` is left, and may end.
    pub(super) fn hand_over(&mut self, call: CallId, side: LegSide) {
        if let Some(state) = self.calls.get_mut(&call) {
            let left = state.leg(side);
            state.lent = None;
            state.handed_over = Some(side);
            state.settle(Outcome::answered(
                Cause::NORMAL_CALL_CLEARING,
                ended_by(side),
            ));
            if let Some(left) = left {
                self.play(left, None);
            }
            self.changed(call);
        }
    }

    /// The transferred party has reached its new one.
    pub(super) fn transfer_succeeded(&mut self, call: CallId) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        let Some(transfer) = state.transfer.take() else {
            return;
        };
        let caller = state.leg(LegSide::Caller);
        if let Some(leg) = caller.and_then(|caller| self.legs.get_mut(caller)) {
            leg.lender = None;
        }
        self.endpoint
            .notify_refer(self.now, transfer.refer, StatusCode::OK);
        let side = (self.calls.get(&transfer.parent))
            .and_then(|parent| parent.lent)
            .map(|(side, _)| side);
        if let Some(side) = side {
            self.hand_over(transfer.parent, other_side(side));
        }
    }

    /// A transfer has failed: says why, and brings the party back to the one it came from. The
    /// call that tried it is ending.
    pub(super) fn transfer_failed(&mut self, call: &mut CallState, outcome: &Outcome) {
        let Some(transfer) = call.transfer.take() else {
            return;
        };
        let status = outcome
            .failure
            .map_or(StatusCode::REQUEST_TERMINATED, |failure| failure.status);
        self.endpoint.notify_refer(self.now, transfer.refer, status);
        let caller = call.caller_half.leg;
        let Some(parent) = self.calls.get_mut(&transfer.parent) else {
            return;
        };
        let Some((side, _)) = parent.lent.take() else {
            return;
        };
        let back = caller.filter(|id| self.legs.get(*id).is_some_and(Leg::is_answered));
        if let Some(id) = back {
            call.caller_half.kept = self.keep_of_leaving(call.id, LegSide::Caller, id);
            call.caller_half.leg = None;
            if let Some(leg) = self.legs.get_mut(id) {
                leg.call = transfer.parent;
                leg.lender = None;
            }
            if let Some(parent) = self.calls.get_mut(&transfer.parent) {
                *parent.half_mut(side) = crate::call::Half {
                    leg: Some(id),
                    kept: None,
                };
            }
            self.keep_again(transfer.parent);
            self.connect(transfer.parent);
        }
        self.changed(transfer.parent);
    }

    /// Whether the party of a transfer could still go back to the one it came from.
    pub(crate) fn can_go_back(&self, call: CallId) -> bool {
        let parent = self
            .calls
            .get(&call)
            .and_then(|state| self.calls.get(&state.transfer?.parent));
        parent.is_some_and(|parent| {
            parent.lent.is_some_and(|(side, _)| {
                (parent
                    .leg(other_side(side))
                    .and_then(|id| self.legs.get(id)))
                .is_some_and(|leg| leg.state == LegState::Answered)
            })
        })
    }
}

//! The end of a call: its record, and everything it held.

use model::control::Notice;
use model::{CallId, CallRecord, Cause, Disposition, EndedBy, LegSide, OpenCall};

use super::Exchange;
use crate::call::{CallState, Outcome, SIDES};
use crate::decision;
use crate::leg::Failure;
use crate::record::KeptLeg;
use crate::switch::Output;

impl Exchange {
    /// A call is over: its script has ended or was dropped. The record comes out before anything
    /// that tells a party; then every leg, port and tone it holds is let go.
    pub(crate) fn finish(&mut self, id: CallId) {
        let Some(mut call) = self.calls.remove(&id) else {
            return;
        };
        self.wakes.forget(id);
        if call.answered.is_none() {
            self.in_setup = self.in_setup.saturating_sub(1);
        }
        // A script that ends without a word is a fault of ours.
        let outcome = call
            .outcome
            .unwrap_or(Outcome::failed(Failure::of_cause(Cause::TEMPORARY_FAILURE)));
        self.transfer_failed(&mut call, &outcome);
        self.write_record(&mut call, &outcome);
        self.live.ended(id);
        self.moves.forget(id);
        if self.live.is_watched() {
            self.notice(Notice::CallEnded { call: id });
        }
        let parties = SIDES.into_iter().filter_map(|side| call.leg(side));
        let waiting = call.ringing.iter().copied().chain(call.picked_up);
        for leg in parties.chain(waiting) {
            self.end_leg(leg, Some(outcome.cause), outcome.failure);
        }
    }

    fn write_record(&mut self, call: &mut CallState, outcome: &Outcome) {
        let mut legs = Vec::with_capacity(2);
        for side in SIDES {
            match call.leg(side) {
                Some(leg) => legs.extend(self.keep(side, leg)),
                None => legs.extend(call.half_mut(side).kept.take()),
            }
        }
        // Nobody has answered outside: which way it went is to be known all the same.
        if legs.iter().all(|leg| leg.record.side != LegSide::Called)
            && let Some((interface, address)) = call.tried.take()
            && let Some(party) = call.called.clone()
        {
            legs.push(KeptLeg::tried(party, interface.into(), address));
        }
        let record = CallRecord {
            ended: self.wall(),
            disposition: outcome.disposition,
            cause: outcome.cause,
            ended_by: outcome.ended_by,
            administrator: call.administrator.take(),
            brake: call
                .brake
                .or(outcome.failure.and_then(|failure| failure.brake)),
            ..self.opening_record(call)
        };
        let record = self.records.close(self.now, record, legs);
        if self.telling {
            let caller = record.caller.extension;
            let text = decision::ended(&record);
            self.outputs.push_back(Output::Decision { caller, text });
        }
        self.outputs.push_back(Output::CallClosed(Box::new(record)));
    }

    /// What is to be kept of a call as it is now, in case nothing follows: its record with the
    /// phones so far, and what ends the dialogs of its answered parties.
    pub(super) fn kept_call(&self, call: &CallState) -> Output {
        let dialogs = (SIDES.into_iter())
            .filter_map(|side| self.legs.get(call.leg(side)?))
            .filter(|leg| leg.is_answered())
            .filter_map(|leg| self.endpoint.kept_dialog(leg.session))
            .collect();
        let legs = SIDES.map(|side| match call.leg(side) {
            Some(leg) => self.keep(side, leg),
            None => call.half(side).kept.clone(),
        });
        let record = CallRecord {
            legs: legs.into_iter().flatten().map(|leg| leg.record).collect(),
            ..self.opening_record(call)
        };
        Output::CallOpened(Box::new(OpenCall { record, dialogs }))
    }

    /// Keeps a call anew where what ends one of its dialogs has changed.
    pub(super) fn keep_again(&mut self, call: CallId) {
        if let Some(state) = self.calls.get(&call) {
            let kept = self.kept_call(state);
            self.outputs.push_back(kept);
        }
    }

    /// The record of a call that has just begun, in case nothing follows.
    fn opening_record(&self, call: &CallState) -> CallRecord {
        CallRecord {
            call: call.id,
            caller: call.caller.clone(),
            dialled: call.dialled.clone(),
            shown_outside: call.shown_outside.clone(),
            forwarded_from: call.forwarded_from.clone(),
            brake: None,
            called: call.called.clone(),
            started: self.clock.wall(call.started),
            answered: call.answered.map(|moment| self.clock.wall(moment)),
            ended: self.clock.wall(call.started),
            disposition: Disposition::Interrupted,
            cause: Cause::TEMPORARY_FAILURE,
            ended_by: EndedBy::Exchange,
            administrator: None,
            transferred_from: call.transferred_from,
            legs: Vec::new(),
        }
    }
}

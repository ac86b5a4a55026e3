//! Two parties of a call: their sound is connected, one holds the other, a tone in its place.
//!
//! Hold is a matter between one party and the exchange: who holds is answered (RFC 3264 §8.4), the
//! other is not asked again, it hears a tone. So parties that are brought together later, by a
//! transfer, have nothing to resume.

use media::Command;
use model::{CallId, Cause, LegId, LegSide, PortId};
use sip::message::StatusCode;

use super::Exchange;
use crate::call::{Outcome, Phase, SIDES};
use crate::leg::negotiation::capabilities;
use crate::leg::{Failure, Leg, LegState, Tone};

impl Exchange {
    /// The called party has answered: answers the caller too, where it has no answer yet, and
    /// connects both.
    pub(crate) fn bridge(&mut self, call: CallId, called: LegId) -> Result<(), Failure> {
        let gone = Failure::of_cause(Cause::NORMAL_UNSPECIFIED);
        let state = self.calls.get(&call).ok_or(gone)?;
        let caller = state.leg(LegSide::Caller).ok_or(gone)?;
        let unanswered = (self.legs.get(caller)).is_some_and(|leg| leg.state == LegState::Invited);
        if unanswered {
            let codec = self.legs.get(called).and_then(Leg::codec);
            if let Err(failure) = self.accept(caller, codec) {
                self.end_leg(called, Some(failure.cause), None);
                return Err(failure);
            }
        }
        let party = self.legs.get(called).map(|leg| leg.party.clone());
        let now = self.now;
        if let Some(state) = self.calls.get_mut(&call) {
            state.called_half.leg = Some(called);
            state.called = party.or(state.called.take());
            if state.answered.is_none() {
                self.in_setup = self.in_setup.saturating_sub(1);
            }
            state.answered = Some(now);
            state.phase = Phase::Connected;
            state.early = None;
        }
        // Again, now that it is known who talks: this is what is left of it where the power goes.
        self.keep_again(call);
        self.transfer_succeeded(call);
        self.connect(call);
        self.changed(call);
        Ok(())
    }

    /// Connects the sound of both parties, as far as it is agreed.
    pub(super) fn connect(&mut self, call: CallId) {
        let Some(state) = self.calls.get(&call) else {
            return;
        };
        if let [Some(caller), Some(called)] = SIDES.map(|side| state.leg(side)) {
            self.join(call, caller, called, true);
            self.agree(caller, called);
        }
        self.sync_tones(call);
    }

    /// Two parties who have come together with codecs that can't be made into one another: one of them is
    /// offered the other's, or one that can.
    fn agree(&mut self, a: LegId, b: LegId) {
        let codec = |id: LegId| {
            let leg = self.legs.get(id).filter(|leg| leg.is_answered())?;
            leg.codec()
        };
        let (Some(of_a), Some(of_b)) = (codec(a), codec(b)) else {
            return;
        };
        if of_a == of_b || of_a.is_transcoded() && of_b.is_transcoded() {
            return;
        }
        let (id, other) = if of_a.is_transcoded() {
            (b, of_a)
        } else {
            (a, of_b)
        };
        let now = self.now;
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let before = leg.negotiation.capabilities().clone();
        let wanted = capabilities(
            before.address,
            &leg.codecs,
            Some(other),
            leg.encryption.as_ref(),
        );
        if wanted.codecs.is_empty() || leg.negotiation.offer_pending() {
            return;
        }
        leg.negotiation.set_capabilities(wanted);
        match leg.negotiation.offer() {
            Ok(offer) => self.endpoint.offer(now, leg.session, offer),
            Err(_) => leg.negotiation.set_capabilities(before),
        }
    }

    /// Connects the ports of two legs, if both are open and it is not done yet. `talk`: both have answered.
    pub(super) fn join(&mut self, call: CallId, a: LegId, b: LegId, talk: bool) {
        let port = |id: LegId| -> Option<PortId> {
            let port = self.legs.get(id)?.port?;
            self.ports.is_open(port).then_some(port)
        };
        let (Some(a), Some(b)) = (port(a), port(b)) else {
            return;
        };
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        if state.joined != Some((a, b, talk)) {
            state.joined = Some((a, b, talk));
            self.media(Command::Connect { a, b, talk });
        }
    }

    /// Takes the sound of both parties apart.
    pub(super) fn part(&mut self, call: CallId) {
        if let Some(state) = self.calls.get_mut(&call)
            && let Some((port, ..)) = state.joined.take()
        {
            self.media(Command::Disconnect { port });
        }
    }

    /// Lets each party hear what it is to hear: the other one, or that it is on hold. The one who
    /// transfers may wait for the outcome (RFC 5589 §6.1), and hears meanwhile that a phone rings.
    pub(super) fn sync_tones(&mut self, call: CallId) {
        let Some(state) = self.calls.get(&call) else {
            return;
        };
        if state.phase != Phase::Connected {
            return;
        }
        let legs = SIDES.map(|side| state.leg(side));
        let [Some(caller), Some(called)] = legs else {
            let rings = (state.lent)
                .and_then(|(_, child)| self.calls.get(&child))
                .is_some_and(|child| child.alerted);
            if let Some(left) = legs.into_iter().flatten().next() {
                let listens = !self.legs.get(left).is_some_and(Leg::holds);
                self.play(left, (rings && listens).then_some(Tone::Ringback));
            }
            return;
        };
        let holds = |id: LegId| self.legs.get(id).is_some_and(Leg::holds);
        let (caller_holds, called_holds) = (holds(caller), holds(called));
        // Who holds the other does not listen: it is sent nothing at all.
        let tone = |held: bool, holds: bool| (held && !holds).then_some(Tone::Hold);
        self.play(caller, tone(called_holds, caller_holds));
        self.play(called, tone(caller_holds, called_holds));
    }

    /// A party makes a new offer: hold, resume, another codec, another address, or none of them.
    pub(super) fn offered(&mut self, id: LegId, offer: &[u8]) {
        let preferred = self.other_codec(id);
        let now = self.now;
        let Some(address) = self.legs.get(id).map(|leg| self.address_of(leg)) else {
            return;
        };
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let (session, call) = (leg.session, leg.call);
        settle_stale_offer(leg);
        let status = |error: &sip::sdp::NegotiationError| {
            StatusCode::new(error.status()).unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE)
        };
        if let Err(error) = leg.negotiation.offer_received(offer) {
            self.endpoint.refuse_offer(now, session, status(&error));
            return;
        }
        // A phone that has moved may reach us by another address of ours now.
        (leg.negotiation).set_capabilities(capabilities(
            address,
            &leg.codecs,
            preferred,
            leg.encryption.as_ref(),
        ));
        match leg.negotiation.answer() {
            Ok(answer) => {
                let target = |exchange: &Self| {
                    (exchange.endpoint.kept_dialog(session)).map(|dialog| dialog.target)
                };
                let before = target(self);
                self.endpoint.answer(now, session, answer.body);
                self.media_changed(id);
                if target(self) != before {
                    self.keep_again(call);
                }
            }
            Err(error) => {
                leg.negotiation.rollback();
                self.endpoint.refuse_offer(now, session, status(&error));
            }
        }
    }

    /// A party asks for our offer in mid-call (RFC 3261 §14.2).
    pub(super) fn asked_for_offer(&mut self, id: LegId) {
        let now = self.now;
        let Some(address) = self.legs.get(id).map(|leg| self.address_of(leg)) else {
            return;
        };
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let session = leg.session;
        settle_stale_offer(leg);
        let mut capabilities = leg.negotiation.capabilities().clone();
        capabilities.address = address;
        leg.negotiation.set_capabilities(capabilities);
        match leg.negotiation.offer() {
            Ok(offer) => self.endpoint.answer(now, session, offer),
            Err(error) => {
                let status =
                    StatusCode::new(error.status()).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
                self.endpoint.refuse_offer(now, session, status);
            }
        }
    }

    /// The answer to an offer of ours came, in the ACK of a call or in mid-call.
    pub(super) fn answered(&mut self, id: LegId, answer: Option<&[u8]>) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        if leg.negotiation.pending() != sip::sdp::PendingOffer::Ours {
            return;
        }
        let agreed = answer.and_then(|answer| leg.negotiation.answer_received(answer).ok());
        let call = leg.call;
        if agreed.is_none() {
            leg.negotiation.rollback();
            // Without any agreement there is no sound: RFC 3261 §13.2.2.4 lets us end the call.
            if leg.settings.is_none() {
                let failure =
                    Outcome::answered(Cause::INCOMPATIBLE_DESTINATION, model::EndedBy::Exchange);
                self.doom(call, failure);
            }
            return;
        }
        self.media_changed(id);
    }

    /// The answer to what we said last came once more, with a refresh: the party may be elsewhere now, or
    /// hold.
    pub(super) fn answered_anew(&mut self, id: LegId, answer: &[u8]) {
        let leg = self.legs.get_mut(id);
        let changed = leg.map(|leg| leg.negotiation.refresh_answered(answer));
        if let Some(Ok(true)) = changed {
            self.media_changed(id);
        }
    }

    /// What was agreed with a party has changed.
    fn media_changed(&mut self, id: LegId) {
        self.apply_media(id);
        let Some(call) = self.legs.get(id).map(|leg| leg.call) else {
            return;
        };
        if (self.calls.get(&call)).is_some_and(|state| state.phase == Phase::Connected) {
            self.connect(call);
        }
        self.live.changed(call);
    }

    /// The codec of the party at the other end.
    pub(super) fn other_codec(&self, id: LegId) -> Option<model::Codec> {
        let call = self.calls.get(&self.legs.get(id)?.call)?;
        self.legs.get(call.other(id)?)?.codec()
    }
}

/// An offer of ours that was asked for and never answered: the ACK came without one, and what was
/// agreed before holds. Glare can't be meant here, the endpoint keeps it away.
fn settle_stale_offer(leg: &mut Leg) {
    if leg.negotiation.pending() == sip::sdp::PendingOffer::Ours {
        leg.negotiation.rollback();
    }
}

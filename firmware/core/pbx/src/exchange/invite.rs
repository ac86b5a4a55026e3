//! Calls that come in.

use model::{CallId, Cause, ExtensionId, LegId, LegSide, Party, SrtpPolicy};
use sip::endpoint::{IncomingInvite, SessionId};
use sip::message::{StatusCode, Uri};
use sip::sdp::Negotiation;

use super::Exchange;
use super::ringing::SESSION_ID_BITS;
use crate::call::{
    CallState, MAX_CALLS, MAX_CALLS_IN_SETUP, MAX_CALLS_OF_EXTENSION, Outcome, Phase, other_side,
};
use crate::leg::negotiation::{Sound, capabilities};
use crate::leg::{Failure, Leg, LegState};
use crate::script::Plot;
use crate::security::shown;
use model::explain::Caller;

impl Exchange {
    /// An authenticated INVITE came.
    pub(super) fn invited(&mut self, session: SessionId, invite: &IncomingInvite) {
        let Some(account) = invite.account else {
            self.invited_from_outside(session, invite);
            return;
        };
        self.controller.call_admitted(self.now);
        self.admit();
        let party = self.directory.party(account).unwrap_or_else(|| Party {
            number: invite.from.uri.user().unwrap_or_default(),
            name: None,
            extension: Some(account),
        });
        let active = (self.directory.extension(account))
            .is_some_and(|extension| self.directory.is_active(extension));
        if let Some(replaced) = invite.replaces.filter(|_| active) {
            self.replacing(session, invite, account, party, replaced);
            return;
        }
        // Who calls for help is not told to wait.
        let for_help = self.is_for_help(account, &dialled(&invite.request_uri));
        let refused = if invite.replaces.is_some() {
            // Who is disabled calls for help, and takes over no call.
            Some(Failure::of_cause(Cause::CALL_REJECTED))
        } else if for_help && !self.stopping && !self.calls_enough_for_help(account) {
            None
        } else {
            self.overloaded(Some(account))
        };
        self.call_in(session, invite, account, party, refused);
    }

    /// Opens a call for an INVITE; one that is refused already gets its record too.
    fn call_in(
        &mut self,
        session: SessionId,
        invite: &IncomingInvite,
        account: ExtensionId,
        party: Party,
        refused: Option<Failure>,
    ) {
        let id = self.next_call_id();
        let dialled = dialled(&invite.request_uri);
        let mut call = CallState::new(id, self.now, party.clone(), dialled);
        call.emergency = self.is_for_help(account, &call.dialled);
        call.origin = Some(Caller::Extension(account));
        let mut sound = self.sound_of(account);
        if call.emergency {
            // Whatever is demanded of its sound, no call for help is refused for it.
            sound.srtp = SrtpPolicy::Offered;
        }
        let (leg, offer) = self.incoming_leg(id, session, invite, sound, None, party);
        call.caller_half.leg = Some(leg);
        let refused = refused.or(offer.err());
        self.open_call(call, Plot::Dial);
        if let Some(failure) = refused {
            self.doom(id, Outcome::failed(failure));
        }
    }

    /// Why no new call is taken now, if so.
    pub(super) fn overloaded(&mut self, account: Option<ExtensionId>) -> Option<Failure> {
        let cause = if self.stopping {
            Cause::TEMPORARY_FAILURE
        } else if self.calls.len() >= MAX_CALLS || self.in_setup >= MAX_CALLS_IN_SETUP {
            Cause::SWITCHING_EQUIPMENT_CONGESTION
        } else if account.is_some_and(|id| self.legs.made_by(id) >= MAX_CALLS_OF_EXTENSION) {
            Cause::NO_CIRCUIT_AVAILABLE
        } else {
            return None;
        };
        self.overload_refusals += 1;
        Some(Failure::congestion(cause))
    }

    fn sound_of(&self, account: ExtensionId) -> Sound {
        let extension = self.directory.extension(account);
        Sound {
            codecs: extension.map_or(Vec::new(), |extension| extension.codecs.clone()),
            srtp: extension.map_or(SrtpPolicy::Off, |extension| extension.srtp),
        }
    }

    /// A leg for a party that calls us, and whether its offer can be taken.
    pub(super) fn incoming_leg(
        &mut self,
        call: CallId,
        session: SessionId,
        invite: &IncomingInvite,
        Sound { codecs, srtp }: Sound,
        interface: Option<Box<str>>,
        party: Party,
    ) -> (LegId, Result<(), Failure>) {
        let id = self.legs.next_id();
        // The port is taken when the call gets so far.
        let address = core::net::SocketAddr::new(invite.flow.local.ip(), 0);
        let encryption = self.encryption(srtp, &invite.flow);
        let mut negotiation = Negotiation::new(
            self.chance.next() & SESSION_ID_BITS,
            capabilities(address, &codecs, None, encryption.as_ref()),
        );
        let offer = match &invite.sdp {
            Some(offer) => negotiation
                .offer_received(offer)
                .map(|_| ())
                .map_err(|error| Failure::of_description(&error)),
            None => Ok(()),
        };
        self.legs.insert(Leg {
            id,
            call,
            lender: None,
            session,
            made: true,
            state: LegState::Invited,
            party,
            flow: invite.flow,
            user_agent: invite.user_agent.clone(),
            interface,
            codecs,
            encryption,
            negotiation,
            offered: invite.sdp.is_some(),
            port: None,
            settings: None,
            seed: self.chance.next(),
            playing: None,
            described: false,
            rang: false,
            asked: None,
            quality: None,
            silent_since: None,
            began: self.now,
            lost: false,
            was_clear: false,
            charge: None,
        });
        (id, offer)
    }

    /// INVITE with Replaces (RFC 3891): a phone takes over a party, or picks up a call that rings.
    /// Knowing the dialog is the right to do so: its tags can't be guessed.
    fn replacing(
        &mut self,
        session: SessionId,
        invite: &IncomingInvite,
        account: ExtensionId,
        party: Party,
        replaced: SessionId,
    ) {
        let found = self.legs.of_session(replaced).and_then(|leg| {
            let call = self.calls.get(&self.legs.get(leg)?.call)?;
            Some((leg, call.id, call.phase, call.side_of(leg)))
        });
        let result = match found {
            _ if self.stopping => Err(Failure::congestion(Cause::TEMPORARY_FAILURE)),
            Some((replaced, call, Phase::Connected, Some(side))) => self.take_over(
                session,
                invite,
                account,
                party.clone(),
                (replaced, call, side),
            ),
            Some((_, call, Phase::Setup | Phase::Ringing, None)) => {
                self.pick_up(session, invite, account, party.clone(), call)
            }
            // A call's own caller before the answer can't be replaced (RFC 3891 §3); nor what is gone.
            _ => Err(Failure::new(
                StatusCode::CALL_DOES_NOT_EXIST,
                Cause::NORMAL_UNSPECIFIED,
            )),
        };
        if let Err(failure) = result {
            self.call_in(session, invite, account, party, Some(failure));
        }
    }

    /// A leg for a party that replaces another, already answered.
    fn replacing_leg(
        &mut self,
        call: CallId,
        session: SessionId,
        invite: &IncomingInvite,
        account: ExtensionId,
        party: Party,
        preferred: Option<model::Codec>,
    ) -> Result<LegId, Failure> {
        let sound = self.sound_of(account);
        let (leg, offer) = self.incoming_leg(call, session, invite, sound, None, party);
        let accepted = offer.and_then(|()| self.accept(leg, preferred));
        if let Err(failure) = accepted {
            self.drop_leg(leg);
            return Err(failure);
        }
        Ok(leg)
    }

    fn pick_up(
        &mut self,
        session: SessionId,
        invite: &IncomingInvite,
        account: ExtensionId,
        party: Party,
        call: CallId,
    ) -> Result<(), Failure> {
        let taken = (self.calls.get(&call)).is_none_or(|state| state.picked_up.is_some());
        if taken {
            return Err(Failure::of_cause(Cause::USER_BUSY));
        }
        let caller = (self.calls.get(&call)).and_then(|state| state.leg(LegSide::Caller));
        let preferred = caller.and_then(|caller| self.spoken(caller).first().copied());
        let leg = self.replacing_leg(call, session, invite, account, party, preferred)?;
        if let Some(state) = self.calls.get_mut(&call) {
            state.picked_up = Some(leg);
        }
        self.changed(call);
        Ok(())
    }

    fn take_over(
        &mut self,
        session: SessionId,
        invite: &IncomingInvite,
        account: ExtensionId,
        party: Party,
        (replaced, old, side): (LegId, CallId, LegSide),
    ) -> Result<(), Failure> {
        let gone = Failure::new(StatusCode::CALL_DOES_NOT_EXIST, Cause::NORMAL_UNSPECIFIED);
        let remaining = (self.calls.get(&old).ok_or(gone)?)
            .leg(other_side(side))
            .ok_or(gone)?;
        self.may_transfer(old)?;
        let preferred = self.other_codec(replaced);
        let leg = self.replacing_leg(old, session, invite, account, party, preferred)?;
        let pair = match side {
            LegSide::Caller => [leg, remaining],
            LegSide::Called => [remaining, leg],
        };
        self.continue_as(old, pair);
        self.hand_over(old, side);
        Ok(())
    }
}

/// What was dialled: the user part, whatever host it names, its escapes undone; the digits of a
/// `tel` URI. Phones put anything there: it is cut to what a log and a table can show.
pub(super) fn dialled(uri: &Uri) -> String {
    let text = match uri {
        Uri::Tel(tel) => tel.digits(),
        Uri::Sip(_) | Uri::Other(_) => uri.user().unwrap_or_default(),
    };
    shown(&text)
}

//! What is said to one party: its call rings, is accepted, refused or ended; its sound and tones.

use core::net::SocketAddr;

use bytes::Bytes;
use dsp::tone::{Country, ToneKind, ToneSpec};
use media::Command;
use model::{CallId, Cause, Codec, LegId, LegSide};
use sip::endpoint::Refusal;
use sip::message::StatusCode;
use sip::sdp::NegotiationError;

use super::Exchange;
use crate::leg::negotiation::{self, capabilities};
use crate::leg::{Failure, Leg, LegState, SILENT_FOR, Tone};
use crate::ports::Released;
use crate::record::KeptLeg;

/// What a party on hold hears: a short soft beep every five seconds, so that it knows that the call
/// is still there.
const HOLD_TONE: &str = "425/150 0/5000";
/// Well below speech (ITU-T E.182 asks that such tones not annoy).
const HOLD_LEVEL_DBM0: f32 = -24.0;

impl Exchange {
    /// Gives a leg a media port of its own; false where all are busy.
    pub(super) fn give_port(&mut self, id: LegId) -> bool {
        match self.legs.get(id) {
            Some(leg) if leg.port.is_none() => {}
            Some(_) => return true,
            None => return false,
        }
        let Some(port) = self.ports.take() else {
            return false;
        };
        if let Some(leg) = self.legs.get_mut(id) {
            leg.port = Some(port);
        }
        true
    }

    /// Our address for a leg's sound.
    pub(super) fn address_of(&self, leg: &Leg) -> SocketAddr {
        let number = leg.port.map_or(0, |port| self.ports.number(port));
        SocketAddr::new(leg.flow.local.ip(), number)
    }

    /// Our session description to a party: the answer to its offer, or an offer where it made none.
    /// `preferred` is the codec of the party at the other end.
    pub(super) fn describe(
        &mut self,
        id: LegId,
        preferred: Option<Codec>,
    ) -> Result<Bytes, NegotiationError> {
        let Some(address) = self.legs.get(id).map(|leg| self.address_of(leg)) else {
            return Err(NegotiationError::NothingPending);
        };
        let Some(leg) = self.legs.get_mut(id) else {
            return Err(NegotiationError::NothingPending);
        };
        if leg.described
            && let Some(description) = leg.negotiation.local_description()
        {
            return Ok(description.to_bytes());
        }
        leg.negotiation.set_capabilities(capabilities(
            address,
            &leg.codecs,
            preferred,
            leg.encryption.as_ref(),
        ));
        let body = if leg.offered {
            leg.negotiation.answer()?.body
        } else {
            leg.negotiation.offer()?
        };
        leg.described = true;
        Ok(body)
    }

    /// Tells the media thread what was agreed with a party.
    pub(super) fn apply_media(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let Some(port) = leg.port else {
            return;
        };
        let settings = match leg.negotiation.current() {
            Some(agreed) => negotiation::settings(agreed, leg.flow.remote.ip(), leg.seed),
            None => leg.settings.map(negotiation::switched_off),
        };
        let Some(settings) = settings else {
            return;
        };
        let open = self.ports.is_open(port);
        if open && leg.settings == Some(settings) && self.legs.of_port(port) == Some(id) {
            return;
        }
        let mut bared = None;
        if let Some(leg) = self.legs.get_mut(id) {
            if settings.srtp.is_none() && leg.is_answered() {
                bared = leg.was_encrypted().then(|| leg.party.number.clone());
                leg.was_clear = true;
            }
            leg.settings = Some(settings);
        }
        if let Some(number) = bared {
            let row = format!(
                "SIP - the sound of {number} is not encrypted any more: its phone asked for that"
            );
            self.security_row(row, 1);
        }
        self.legs.owns_port(port, id);
        if open {
            self.media(Command::Update { port, settings });
        } else {
            self.ports.opened(port);
            self.media(Command::Open { port, settings });
        }
    }

    /// Lets a party hear a tone in place of the other party, or the other party again.
    pub(super) fn play(&mut self, id: LegId, tone: Option<Tone>) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let Some(port) = leg.port.filter(|port| self.ports.is_open(*port)) else {
            return;
        };
        if leg.playing == tone {
            return;
        }
        leg.playing = tone;
        match tone {
            Some(tone) => {
                let tone = self.tone(tone);
                self.media(Command::Play { port, tone });
            }
            None => self.media(Command::Stop { port }),
        }
    }

    /// Lets the caller of a call hear a tone, or silence again.
    pub(crate) fn play_to_caller(&mut self, call: CallId, tone: Option<Tone>) {
        let caller = (self.calls.get(&call)).and_then(|state| state.leg(LegSide::Caller));
        if let Some(caller) = caller {
            self.play(caller, tone);
        }
    }

    fn tone(&self, tone: Tone) -> ToneSpec {
        let country = &self.directory.configuration().general.country;
        let national = |kind| match Country::parse(country) {
            Some(country) => ToneSpec::for_country(country, kind),
            None => ToneSpec::continuous(425),
        };
        match tone {
            Tone::Hold => ToneSpec::parse(HOLD_TONE)
                .unwrap_or(ToneSpec::continuous(425))
                .with_level_dbm0(HOLD_LEVEL_DBM0),
            Tone::Ringback => national(ToneKind::Ringback),
            Tone::Busy => national(ToneKind::Busy),
            Tone::Congestion => national(ToneKind::Congestion),
        }
    }

    /// Answers a party that calls us.
    pub(super) fn accept(&mut self, id: LegId, preferred: Option<Codec>) -> Result<(), Failure> {
        if !self.give_port(id) {
            return Err(Failure::congestion(Cause::NO_CIRCUIT_AVAILABLE));
        }
        let description = self
            .describe(id, preferred)
            .map_err(|error| Failure::of_description(&error))?;
        let now = self.now;
        if let Some(leg) = self.legs.get_mut(id) {
            leg.state = LegState::Answered;
            self.endpoint.accept(now, leg.session, description);
        }
        // Where the offer is ours, the port opens with the answer in the ACK.
        self.apply_media(id);
        Ok(())
    }

    /// Ends a leg by what its state asks for, and lets go of it.
    pub(super) fn end_leg(&mut self, id: LegId, cause: Option<Cause>, failure: Option<Failure>) {
        if let Some(leg) = self.legs.get(id)
            && !leg.is_over()
        {
            let session = leg.session;
            let asked = leg.asked.filter(|asked| !asked.there);
            if asked.is_some_and(|asked| self.now.since(asked.at) >= SILENT_FOR) {
                self.unanswered(leg.flow);
            }
            let Some(leg) = self.legs.get(id) else {
                return;
            };
            if leg.state == LegState::Invited {
                let failure = failure
                    .or_else(|| cause.map(Failure::of_cause))
                    .unwrap_or(Failure::of_cause(Cause::NORMAL_UNSPECIFIED));
                self.endpoint.refuse(self.now, session, refusal(&failure));
            } else {
                self.endpoint.end(self.now, session, cause);
            }
        }
        self.drop_leg(id);
    }

    /// Lets go of a leg whose line is down.
    pub(super) fn drop_leg(&mut self, id: LegId) {
        let Some(leg) = self.legs.remove(id) else {
            return;
        };
        if leg.charge.is_some() {
            self.brakes.ended(self.now, id);
        }
        if let Some(port) = leg.port
            && self.ports.release(port) == Released::Close
        {
            self.media(Command::Close { port });
        }
    }

    /// An outgoing leg that can't be used after all: as if it had been refused.
    pub(super) fn fail_leg(&mut self, id: LegId, failure: Failure) {
        let now = self.now;
        if let Some(leg) = self.legs.get_mut(id) {
            let mut failure = failure;
            failure.rang = leg.rang;
            leg.state = LegState::Failed(failure);
            self.endpoint.end(now, leg.session, Some(failure.cause));
        }
    }

    /// What the record of a call says of a leg; its port is measured when it is closed.
    pub(super) fn keep(&self, side: LegSide, id: LegId) -> Option<KeptLeg> {
        let leg = self.legs.get(id)?;
        let port = leg
            .port
            .filter(|port| self.ports.is_open(*port) && self.legs.of_port(*port) == Some(id));
        Some(KeptLeg::new(side, leg, port))
    }

    /// The same of a leg that goes on in another call: its port is measured now.
    pub(super) fn keep_of_leaving(
        &mut self,
        call: CallId,
        side: LegSide,
        id: LegId,
    ) -> Option<KeptLeg> {
        let kept = self.keep(side, id)?;
        if let Some(port) = kept.port {
            self.measuring.entry(port).or_default().push((call, side));
            self.media(Command::Report { port });
        }
        Some(kept)
    }

    /// Wakes the script of a call and shows the call again.
    pub(super) fn changed(&mut self, call: CallId) {
        self.wakes.wake(call);
        self.live.changed(call);
    }
}

/// A failure in SIP's words.
pub(super) fn refusal(failure: &Failure) -> Refusal {
    let status = if failure.status.is_failure() {
        failure.status
    } else {
        StatusCode::SERVER_INTERNAL_ERROR
    };
    Refusal {
        status,
        cause: Some(failure.cause),
        retry_after_s: failure.retry_after_s,
        warning: failure
            .warning
            .map(|warning| (warning.code, warning.text.to_owned())),
    }
}

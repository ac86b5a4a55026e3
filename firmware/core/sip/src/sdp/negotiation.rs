//! The offer/answer machine of one leg: RFC 3264 §4 to §8.
//!
//! ```text
//!              offer()                     offer_received()
//!   OURS ◄─────────────────── NONE ───────────────────► THEIRS
//!     │                        ▲ ▲                         │
//!     └── answer_received() ───┘ └──────── answer() ───────┘
//!           or rollback()                or rollback()
//! ```
//!
//! A refusal (a SIP error to the request that carried the offer) is a rollback: what was agreed
//! before goes on. Glare never changes the state: it is an error with the status to send.

use core::net::SocketAddr;

use bytes::Bytes;

use super::answer;
use super::capabilities::{Capabilities, Hold, Tolerance};
use super::description::SessionDescription;
use super::error::NegotiationError;
use super::media::MediaDescription;
use super::negotiated::Negotiated;
use super::offer::{self, OurOffer, PayloadTypes};

/// Whose offer is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PendingOffer {
    /// None.
    None,
    /// Ours: the answer is awaited.
    Ours,
    /// Theirs: we owe the answer.
    Theirs,
}

/// An answer we made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The body to send.
    pub body: Bytes,
    /// What is agreed now. None: the far end switched the stream off (port 0), or offered no
    /// streams yet.
    pub media: Option<Negotiated>,
}

/// The offer/answer state of one leg.
#[derive(Clone, Debug)]
pub struct Negotiation {
    session_id: u64,
    capabilities: Capabilities,
    tolerance: Tolerance,
    hold: Hold,
    /// Our last description, whatever became of it: the next version is counted from it.
    sent: Option<SessionDescription>,
    payload_types: PayloadTypes,
    pending: Pending,
    agreed: Option<Agreed>,
}

#[derive(Clone, Debug)]
enum Pending {
    None,
    Ours(OurOffer),
    Theirs(SessionDescription),
}

/// The last exchange that came to an end.
#[derive(Clone, Debug)]
struct Agreed {
    /// The lines of the session, as we printed them.
    lines: Vec<MediaDescription>,
    /// The position of the audio line.
    line: usize,
    remote: SessionDescription,
    /// Our offer, if it was ours.
    offer: Option<OurOffer>,
    media: Option<Negotiated>,
    /// Our address in this session.
    local: SocketAddr,
}

impl Agreed {
    /// Our part as an offer, where it was an answer.
    fn as_offer(&self, media: &Negotiated, capabilities: &Capabilities) -> OurOffer {
        self.offer.clone().unwrap_or_else(|| OurOffer {
            description: offer::description(0, self.local, Hold::No, self.lines.clone()),
            line: self.line,
            codecs: media.receive.clone(),
            telephone_event: media.telephone_event.map(|te| te.receive_payload_type),
            capabilities: capabilities.clone(),
            direction: media.direction,
            local: self.local,
        })
    }
}

impl Negotiation {
    /// A leg that has negotiated nothing yet. `session_id` should be unique among our sessions
    /// (RFC 8866 §5.2); below 2^31 it suits old phones too.
    #[must_use]
    pub fn new(session_id: u64, capabilities: Capabilities) -> Self {
        Self {
            session_id,
            capabilities,
            tolerance: Tolerance::default(),
            hold: Hold::default(),
            sent: None,
            payload_types: PayloadTypes::default(),
            pending: Pending::None,
            agreed: None,
        }
    }

    /// The same, as strict or tolerant as said.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// What this leg can do.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Changes what this leg can do. Counts from the next offer or answer on.
    pub fn set_capabilities(&mut self, capabilities: Capabilities) {
        self.capabilities = capabilities;
    }

    /// Holds or resumes. Counts from the next offer or answer on.
    pub const fn set_hold(&mut self, hold: Hold) {
        self.hold = hold;
    }

    /// How we hold the far end.
    #[must_use]
    pub const fn hold(&self) -> Hold {
        self.hold
    }

    /// Makes an offer: the first, or one that keeps the lines of the session.
    ///
    /// # Errors
    /// An offer is open already, or the capabilities have no codec. Nothing changes.
    pub fn offer(&mut self) -> Result<Bytes, NegotiationError> {
        self.no_offer_pending()?;
        let (lines, line, local) = match &self.agreed {
            // The family of addresses stays that of the session.
            Some(agreed) => (
                agreed.lines.as_slice(),
                agreed.line,
                self.capabilities
                    .address_for(agreed.local.ip())
                    .unwrap_or(self.capabilities.address),
            ),
            None => (&[][..], 0, self.capabilities.address),
        };
        let mut offer = offer::make(
            self.session_id,
            &self.capabilities,
            self.hold,
            lines,
            line,
            local,
            &mut self.payload_types,
        )?;
        offer.description = self.numbered(offer.description);
        let body = offer.description.to_bytes();
        self.pending = Pending::Ours(offer);
        Ok(body)
    }

    /// Takes the answer to our offer. The same answer again (183, then 200) changes nothing; on the
    /// tolerant side a later, different one replaces it. `None`: the far end refused the stream
    /// (port 0).
    ///
    /// # Errors
    /// Nothing was offered; or the answer can't be used. Nothing changes: an answer that can be may still
    /// come (183, then 200), else [`rollback`](Self::rollback).
    pub fn answer_received(&mut self, body: &[u8]) -> Result<Option<Negotiated>, NegotiationError> {
        let offer = match &self.pending {
            Pending::Ours(offer) => offer.clone(),
            Pending::Theirs(_) => return Err(NegotiationError::NothingPending),
            Pending::None => return self.answer_again(body),
        };
        let answer = SessionDescription::parse(body)?;
        let media = self.conclude(offer, answer)?;
        self.pending = Pending::None;
        Ok(media)
    }

    /// An answer after the answer.
    fn answer_again(&mut self, body: &[u8]) -> Result<Option<Negotiated>, NegotiationError> {
        let Some((agreed, offer)) = self
            .agreed
            .as_ref()
            .and_then(|agreed| Some((agreed, agreed.offer.as_ref()?)))
        else {
            return Err(NegotiationError::NothingPending);
        };
        let answer = SessionDescription::parse(body)?;
        if answer == agreed.remote {
            return Ok(agreed.media.clone());
        }
        if self.tolerance == Tolerance::Strict {
            return Err(NegotiationError::NothingPending);
        }
        let offer = offer.clone();
        self.conclude(offer, answer)
    }

    /// Takes the answer to our part of what is agreed, sent once more to refresh the session
    /// (RFC 4028 §7.4): whether it changes anything. An offer that is open meanwhile stays open.
    ///
    /// # Errors
    /// Nothing is agreed, or the answer can't be used. Nothing changes.
    pub fn refresh_answered(&mut self, body: &[u8]) -> Result<bool, NegotiationError> {
        let Some(agreed) = &self.agreed else {
            return Err(NegotiationError::NothingPending);
        };
        let answer = SessionDescription::parse(body)?;
        let Some(before) = agreed.media.clone().filter(|_| answer != agreed.remote) else {
            return Ok(false);
        };
        let offer = agreed.as_offer(&before, &self.capabilities);
        let may_send = offer.direction.may_send();
        self.conclude(offer, answer)?;
        let media = self
            .agreed
            .as_mut()
            .and_then(|agreed| agreed.media.as_mut());
        if let (false, Some(media)) = (may_send, media) {
            // Where we did not offer to send, it says nothing of it.
            media.held_by_remote = before.held_by_remote;
        }
        Ok(self.current() != Some(&before))
    }

    fn conclude(
        &mut self,
        offer: OurOffer,
        answer: SessionDescription,
    ) -> Result<Option<Negotiated>, NegotiationError> {
        let media = answer::read(&answer, &offer, self.tolerance)?;
        self.agreed = Some(Agreed {
            lines: offer.description.media.clone(),
            line: offer.line,
            remote: answer,
            local: media.as_ref().map_or(offer.local, |media| media.local),
            offer: Some(offer),
            media: media.clone(),
        });
        Ok(media)
    }

    /// Takes an offer and looks whether this leg can accept it, so that a call can be refused
    /// before it rings. [`answer`](Self::answer) then makes the answer.
    ///
    /// # Errors
    /// The offer is not taken: refuse it with the error's status. Nothing changes.
    pub fn offer_received(&mut self, body: &[u8]) -> Result<&SessionDescription, NegotiationError> {
        self.no_offer_pending()?;
        let offer = SessionDescription::parse(body)?;
        let expected = self.agreed.as_ref().map_or(0, |agreed| agreed.lines.len());
        let found = offer.media.len();
        // RFC 3264 §8: lines are never taken away. Without any there is not even one to answer.
        if found < expected && (found == 0 || self.tolerance == Tolerance::Strict) {
            return Err(NegotiationError::LineMismatch { expected, found });
        }
        answer::check(&offer, &self.capabilities, self.audio_line())?;
        self.pending = Pending::Theirs(offer);
        match &self.pending {
            Pending::Theirs(offer) => Ok(offer),
            Pending::None | Pending::Ours(_) => Err(NegotiationError::NothingPending),
        }
    }

    /// Answers the open offer.
    ///
    /// # Errors
    /// Nothing was offered, or the capabilities have shrunk since the offer came. The offer stays
    /// open: change the capabilities, or refuse and [`rollback`](Self::rollback).
    pub fn answer(&mut self) -> Result<Answered, NegotiationError> {
        let Pending::Theirs(offer) = &self.pending else {
            return Err(NegotiationError::NothingPending);
        };
        let answer = self.make_answer(offer)?;
        let Pending::Theirs(remote) = core::mem::replace(&mut self.pending, Pending::None) else {
            return Err(NegotiationError::NothingPending);
        };
        let description = self.numbered(answer.description);
        let body = description.to_bytes();
        if let Some(media) = &answer.media {
            self.payload_types.learn_answer(
                &media.receive,
                media.telephone_event.map(|te| te.receive_payload_type),
            );
        }
        let local = answer
            .media
            .as_ref()
            .map(|media| media.local)
            .or_else(|| self.agreed.as_ref().map(|agreed| agreed.local))
            .unwrap_or(self.capabilities.address);
        self.agreed = Some(Agreed {
            lines: description.media,
            line: answer.line,
            remote,
            offer: None,
            media: answer.media.clone(),
            local,
        });
        Ok(Answered {
            body,
            media: answer.media,
        })
    }

    fn make_answer(
        &self,
        offer: &SessionDescription,
    ) -> Result<answer::OurAnswer, NegotiationError> {
        answer::make(
            self.session_id,
            offer,
            &self.capabilities,
            self.hold,
            self.audio_line(),
        )
    }

    /// The position of the audio line in use so far.
    fn audio_line(&self) -> Option<usize> {
        self.agreed.as_ref().map(|agreed| agreed.line)
    }

    /// Puts the version in: that of the last description if nothing changed, else the next one
    /// (RFC 3264 §8), also where that last one was refused.
    fn numbered(&mut self, mut description: SessionDescription) -> SessionDescription {
        if let Some(last) = &self.sent {
            description.origin.version = last.origin.version;
            if description != *last {
                description.origin.version = last.origin.version.saturating_add(1);
            }
        } else {
            description.origin.version = 1;
        }
        self.sent = Some(description.clone());
        description
    }

    /// Forgets the open offer, of either side: it was refused, or its transaction died.
    pub fn rollback(&mut self) {
        self.pending = Pending::None;
    }

    /// Whose offer is open.
    #[must_use]
    pub const fn pending(&self) -> PendingOffer {
        match self.pending {
            Pending::None => PendingOffer::None,
            Pending::Ours(_) => PendingOffer::Ours,
            Pending::Theirs(_) => PendingOffer::Theirs,
        }
    }

    /// An offer is open, of either side: none may be made now.
    #[must_use]
    pub const fn offer_pending(&self) -> bool {
        !matches!(self.pending, Pending::None)
    }

    const fn no_offer_pending(&self) -> Result<(), NegotiationError> {
        match self.pending {
            Pending::None => Ok(()),
            Pending::Ours(_) => Err(NegotiationError::OurOfferPending),
            Pending::Theirs(_) => Err(NegotiationError::TheirOfferPending),
        }
    }

    /// What is agreed now. None before the first answer, and while the stream is off.
    #[must_use]
    pub fn current(&self) -> Option<&Negotiated> {
        self.agreed.as_ref()?.media.as_ref()
    }

    /// The last description of the far end: its open offer, else its part of what is agreed.
    #[must_use]
    pub fn remote_description(&self) -> Option<&SessionDescription> {
        match &self.pending {
            Pending::Theirs(offer) => Some(offer),
            Pending::None | Pending::Ours(_) => Some(&self.agreed.as_ref()?.remote),
        }
    }

    /// Our last description sent, offer or answer.
    #[must_use]
    pub const fn local_description(&self) -> Option<&SessionDescription> {
        self.sent.as_ref()
    }
}

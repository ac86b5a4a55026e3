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

use bytes::Bytes;

use super::capabilities::{Capabilities, Hold, Tolerance};
use super::description::SessionDescription;
use super::error::NegotiationError;
use super::negotiated::Negotiated;

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
    /// What is agreed now. None: the far end switched the stream off (port 0).
    pub media: Option<Negotiated>,
}

/// The offer/answer state of one leg.
#[derive(Clone, Debug)]
pub struct Negotiation {
    session_id: u64,
    capabilities: Capabilities,
    tolerance: Tolerance,
    hold: Hold,
}

impl Negotiation {
    /// A leg that has negotiated nothing yet. `session_id` should be unique among our sessions
    /// (RFC 8866 §5.2); keep it below 2^31, as old phones do.
    #[must_use]
    pub const fn new(session_id: u64, capabilities: Capabilities) -> Self {
        Self {
            session_id,
            capabilities,
            tolerance: Tolerance::Tolerant,
            hold: Hold::No,
        }
    }

    /// The same, as strict or tolerant as said.
    #[must_use]
    pub const fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
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
    /// An offer is open already.
    pub fn offer(&mut self) -> Result<Bytes, NegotiationError> {
        Err(NegotiationError::NothingPending)
    }

    /// Takes the answer to our offer. The same answer again (183, then 200) changes nothing; on the
    /// tolerant side a later, different one replaces it. `None`: the far end refused the stream
    /// (port 0).
    ///
    /// # Errors
    /// Nothing was offered (nothing changes); or the answer can't be used: then the offer is closed
    /// and what was agreed before holds.
    pub fn answer_received(&mut self, body: &[u8]) -> Result<Option<Negotiated>, NegotiationError> {
        Err(SessionDescription::parse(body)
            .err()
            .map_or(NegotiationError::NothingPending, NegotiationError::from))
    }

    /// Takes an offer and looks whether this leg can accept it, so that a call can be refused
    /// before it rings. [`answer`](Self::answer) then makes the answer.
    ///
    /// # Errors
    /// The offer is not taken: refuse it with the error's status. Nothing changes.
    pub fn offer_received(&mut self, body: &[u8]) -> Result<&SessionDescription, NegotiationError> {
        Err(SessionDescription::parse(body)
            .err()
            .map_or(NegotiationError::NothingPending, NegotiationError::from))
    }

    /// Answers the open offer.
    ///
    /// # Errors
    /// Nothing was offered, or the capabilities have shrunk since the offer came. The offer stays
    /// open: change the capabilities, or refuse and [`rollback`](Self::rollback).
    pub fn answer(&mut self) -> Result<Answered, NegotiationError> {
        Err(NegotiationError::NothingPending)
    }

    /// Forgets the open offer, of either side: it was refused, or its transaction died.
    pub fn rollback(&mut self) {}

    /// Whose offer is open.
    #[must_use]
    pub const fn pending(&self) -> PendingOffer {
        PendingOffer::None
    }

    /// An offer is open, of either side: none may be made now.
    #[must_use]
    pub const fn offer_pending(&self) -> bool {
        !matches!(self.pending(), PendingOffer::None)
    }

    /// What is agreed now. None before the first answer, and while the stream is off.
    #[must_use]
    pub const fn current(&self) -> Option<&Negotiated> {
        None
    }

    /// The last description of the far end: its open offer, else its part of what is agreed.
    #[must_use]
    pub const fn remote_description(&self) -> Option<&SessionDescription> {
        None
    }

    /// Our last description sent, offer or answer.
    #[must_use]
    pub const fn local_description(&self) -> Option<&SessionDescription> {
        None
    }
}

//! Offers and answers in a session: re-INVITE (RFC 3261 §14), UPDATE (RFC 3311), PRACK (RFC 3262 §5).
//!
//! Two halves that never run at once:
//!
//! ```text
//!  owed:   Nothing --offer came--> Request, Invite, Prack, Ack --answer, refuse_offer--> Nothing
//!  asked:  Nothing --offer sent--> Invite, Reliable, Success, Request --answer came----> Nothing
//!                                     | 491: Nothing, and again after a time of chance (§14.1)
//! ```
//! An offer that comes while one of ours is open gets 491; while one of the peer's is open, 500 with
//! Retry-After. An offer of the exchange that can't go out yet waits.

use core::time::Duration;

use bytes::Bytes;

use crate::endpoint::{Core, TimerHandle};
use crate::message::RAck;
use crate::transaction::{ClientId, ServerId};

/// An offer of the peer that has no answer.
#[derive(Debug)]
pub(super) enum Owed {
    /// None.
    Nothing,
    /// That of its first INVITE.
    Invite,
    /// In a reliable provisional response: the answer goes in the PRACK.
    Prack {
        /// The fork.
        tag: Box<str>,
        /// What to acknowledge.
        rack: RAck,
    },
    /// In a 2xx: the answer goes in the ACK.
    Ack {
        /// `CSeq` number of the INVITE.
        seq: u32,
    },
    /// In a request of the session. `wanted`: it is a re-INVITE without one, and wants ours.
    Request {
        /// Its transaction.
        server: ServerId,
        /// For a re-INVITE its `CSeq` number.
        invite: Option<u32>,
        /// Our offer is wanted.
        wanted: bool,
    },
}

/// An offer of ours that has no answer.
#[derive(Debug)]
pub(super) enum Asked {
    /// None.
    Nothing,
    /// In our first INVITE.
    Invite,
    /// In a reliable provisional response: the answer comes in the PRACK.
    Reliable,
    /// In a 2xx: the answer comes in the ACK.
    Success,
    /// In a re-INVITE or UPDATE.
    Request {
        /// Its transaction.
        client: ClientId,
        /// The offer.
        sdp: Bytes,
        /// The exchange has made it, not a refresh.
        told: bool,
    },
}

/// The state of offer and answer.
#[derive(Debug)]
pub(super) struct Offers {
    pub(super) owed: Owed,
    pub(super) asked: Asked,
    /// Our first INVITE had an offer.
    pub(super) we_offered: bool,
    /// A provisional response to our first INVITE had one.
    pub(super) peer_offered: bool,
    /// A re-INVITE or UPDATE without an offer is under way.
    pub(super) refreshing: Option<ClientId>,
    /// To be sent as soon as it can be; told or not as in [`Asked::Request`].
    pub(super) queued: Option<(Bytes, bool)>,
    pub(super) glare: Option<TimerHandle>,
    /// How often the offer was sent again.
    pub(super) retries: u8,
    /// We made the Call-ID.
    pub(super) owns_call_id: bool,
}

/// How long a peer may think about a re-INVITE after its last word: Timer C (RFC 3261 §16.6).
pub(super) const REINVITE_LIMIT: Duration = Duration::from_secs(180);
/// A peer that always answers 491 is broken.
pub(super) const RETRIES: u8 = 5;

impl Offers {
    pub(super) const fn new() -> Self {
        Self {
            owed: Owed::Nothing,
            asked: Asked::Nothing,
            we_offered: false,
            peer_offered: false,
            refreshing: None,
            queued: None,
            glare: None,
            retries: 0,
            owns_call_id: false,
        }
    }

    pub(super) fn stop(&mut self, core: &mut Core) {
        core.timers.stop_in(&mut self.glare);
        self.queued = None;
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.owed, Owed::Nothing)
            && matches!(self.asked, Asked::Nothing)
            && self.refreshing.is_none()
            && self.glare.is_none()
    }
}

//! What a phone knows of one of its calls.

use core::time::Duration;

use model::{Instant, MasterKey};

use super::message::Msg;
use super::sdp::{Description, Direction};
use super::sound::Sound;

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// We called; there is no answer yet. The last provisional status, 0 at first.
    Calling(u16),
    /// It rings here.
    Ringing,
    /// We answered; the ACK is missing.
    Answered,
    /// Both talk.
    Talking,
    /// It is over.
    Over(End),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// We called and were refused, or we refused.
    Refused(u16),
    /// The caller gave up.
    Cancelled,
    /// We hung up.
    HungUp,
    /// The other side hung up.
    Bye,
    /// Nobody answered a request of ours.
    TimedOut,
    /// The power went.
    PowerCut,
}

/// An offer of ours that has no answer yet.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) direction: Direction,
}

/// One call of a phone.
#[derive(Clone, Debug)]
pub struct Call {
    /// How far it is.
    pub state: State,
    /// We called.
    pub outgoing: bool,
    /// Every status heard for our INVITE, 100 included.
    pub heard: Vec<u16>,
    /// Voice and ear.
    pub sound: Sound,
    /// What the other side last described.
    pub remote: Option<Description>,
    /// The direction we want.
    pub direction: Direction,
    /// What NOTIFY said about a transfer.
    pub notified: Vec<u16>,
    /// The final status of a REFER.
    pub referred: Option<u16>,
    /// The final status of the last re-INVITE or UPDATE.
    pub renegotiated: Option<u16>,
    /// Requests of the other side in the dialog: INVITE and UPDATE.
    pub offers_heard: u32,
    /// Session refreshes we sent.
    pub refreshes: u32,
    /// The Reason header of the BYE or CANCEL that ended it.
    pub reason: Option<String>,
    /// Display name and number of the caller, as shown.
    pub shown: Option<String>,
    /// `Call-ID`.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The other side's tag.
    pub remote_tag: Option<String>,
    pub(crate) local: String,
    pub(crate) peer: String,
    pub(crate) target: String,
    pub(crate) seq: u32,
    pub(crate) invite_seq: u32,
    pub(crate) remote_seq: Option<u32>,
    pub(crate) invite: Option<Msg>,
    pub(crate) invite_branch: String,
    pub(crate) origin: (u64, u64),
    pub(crate) description: Option<Description>,
    pub(crate) pending: Option<Pending>,
    pub(crate) we_offered: bool,
    pub(crate) acks: Vec<(u32, Vec<u8>)>,
    pub(crate) answer_at: Option<Instant>,
    pub(crate) retry_offer_at: Option<Instant>,
    pub(crate) session: Option<Session>,
    pub(crate) rseq: Option<u32>,
    pub(crate) our_rseq: u32,
    pub(crate) awaits_prack: Option<(u32, Instant, Vec<u8>, Duration)>,
    pub(crate) cancelling: bool,
    pub(crate) early_media: bool,
    pub(crate) extra: Vec<(String, String)>,
}

/// The session timer (RFC 4028).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) interval: Duration,
    pub(crate) we_refresh: bool,
    pub(crate) at: Instant,
}

impl Call {
    /// It is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// It is answered and not over.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Answered | State::Talking)
    }

    pub(crate) const fn speaks(&self) -> bool {
        self.is_up() || (self.early_media && !self.is_over())
    }

    /// Our key and theirs, where both descriptions have one.
    pub(crate) fn keys(&self) -> Option<(MasterKey, MasterKey)> {
        let (_, ours) = *self.description.as_ref()?.keys.first()?;
        let (_, theirs) = self.remote.as_ref()?.key_of(ours.suite())?;
        Some((ours, theirs))
    }

    /// The From of our requests in the dialog.
    pub(crate) fn local_value(&self) -> String {
        format!("{};tag={}", self.local, self.local_tag)
    }

    /// The To of our requests in the dialog.
    pub(crate) fn peer_value(&self) -> String {
        match &self.remote_tag {
            Some(tag) => format!("{};tag={tag}", self.peer),
            None => self.peer.clone(),
        }
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let talk = if self.speaks() {
            self.sound.next_at()
        } else {
            None
        };
        [
            self.answer_at,
            self.retry_offer_at,
            self.session.map(|session| session.at),
            self.awaits_prack.as_ref().map(|(_, at, ..)| *at),
            talk,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

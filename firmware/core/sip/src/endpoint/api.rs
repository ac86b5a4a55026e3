//! The words in which the exchange and its SIP endpoint speak: inputs, outputs, commands, events.
//!
//! The shell hands in [`Input`] and carries out [`Output`]; the exchange obeys [`Event`] and calls
//! the endpoint's methods. An INVITE dialog with all its transactions, early dialogs, timers and
//! retransmissions is one *session* here (RFC 3261 §13 to §15), named by a [`SessionId`].

use std::collections::BTreeSet;

use bytes::Bytes;
use model::{Cause, ExtensionId, Flow, Instant, Secret};

use super::RegistrationId;
use crate::digest::DigestOffer;
use crate::message::{HeaderName, Host, NameAddr, Replaces, Request, StatusCode, Uri};

/// One INVITE session, as caller or callee. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u64);

impl SessionId {
    /// For logs.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }
}

/// One REFER that came in a session, until its outcome has been notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferId(pub(crate) u64);

/// What the shell hands in.
#[derive(Clone, Debug)]
pub enum Input {
    /// A datagram came.
    Datagram {
        /// From where, to where.
        flow: Flow,
        /// Its content.
        bytes: Bytes,
    },
    /// A connection is open, whoever opened it.
    StreamOpened {
        /// Which.
        flow: Flow,
    },
    /// Bytes came on a connection.
    StreamData {
        /// Which.
        flow: Flow,
        /// The next bytes of the stream.
        bytes: Bytes,
    },
    /// A connection is closed, or could not be opened.
    StreamClosed {
        /// Which.
        flow: Flow,
    },
    /// What was to be sent can't be: the peer's port is closed, or there is no route to it.
    SendFailed {
        /// To where.
        flow: Flow,
    },
    /// The moment of `poll_timeout` has come.
    Timeout,
}

/// What the shell has to do, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send; over a stream transport, on the open connection to `flow.remote`, or on a new one.
    Transmit {
        /// From where, to where.
        flow: Flow,
        /// One message.
        bytes: Bytes,
    },
    /// Close a connection after what was sent on it.
    CloseStream {
        /// Which.
        flow: Flow,
        /// For the log.
        why: Closing,
    },
    /// The exchange has to know.
    Event(Event),
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Where its messages end can't be told any more (RFC 3261 §18.3).
    Nonsense,
    /// Nothing was proved on it, and it sends a message longer than it may without.
    TooLong,
    /// Nothing was proved on it, or a message not finished, in time.
    TooSlow,
    /// Nothing was proved on it, and nobody has logged in from its source, which sends too much.
    TooMany,
    /// Too many wrong credentials came on it.
    TooWrong,
    /// Nothing was proved on it, and a new one needs its place.
    GivesWay,
    /// There is no place for it.
    NoRoom,
}

/// A digest identity: phones register and call with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub extension: ExtensionId,
    /// Digest user name.
    pub username: String,
    /// Digest password.
    pub password: Secret,
    /// User part of the address of record; the To of a REGISTER must name it.
    pub aor_user: String,
    /// It exists for requests from this machine only; to others its name is unknown.
    pub loopback_only: bool,
    /// It exists for calls to urgent numbers only; to all other requests its name is unknown.
    pub urgent_only: bool,
}

/// Numbers whose calls no limit stops (RFC 4412 speaks of such precedence): the user part of a request
/// URI is one of them, by itself or behind a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urgent {
    /// The numbers.
    pub numbers: BTreeSet<String>,
    /// They may be dialled without anything before them.
    pub direct: bool,
    /// What may stand before them.
    pub prefixes: BTreeSet<String>,
}

impl Urgent {
    pub(super) fn holds(&self, dialled: &str) -> bool {
        let splits = (0..dialled.len()).filter_map(|at| dialled.split_at_checked(at));
        let mut splits = splits.filter(|(_, number)| self.numbers.contains(*number));
        splits.any(|(prefix, _)| prefix.is_empty() && self.direct || self.prefixes.contains(prefix))
    }
}

/// What the endpoint is told once.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Protection space of digest.
    pub realm: String,
    /// Which digest algorithms are offered and accepted.
    pub digest: DigestOffer,
    /// `Server` and `User-Agent` header.
    pub product: String,
    /// Random bytes: the start of everything unpredictable (tags, branches, nonces). Never the same twice.
    pub seed: [u8; 32],
    /// Shortest, default and longest registration, in seconds.
    pub expires_s: (u32, u32, u32),
    /// Session-Expires asked for (RFC 4028), in seconds.
    pub session_expires_s: u32,
    /// The most sessions: above it INVITEs are refused, once it is known who sends them.
    pub sessions: usize,
    /// The most server transactions: above it new requests are refused, and at twice as many also those
    /// in dialogs.
    pub server_transactions: usize,
    /// The most connections, [`super::STREAMS`] at most.
    pub streams: usize,
}

/// What new requests the endpoint takes at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// All.
    Open,
    /// New calls are refused at once: 503 with Retry-After, without state (RFC 3261 §21.5.4, RFC 7339 in spirit).
    RefuseCalls {
        /// Seconds, spread by the Call-ID from three fifths to twice of it.
        retry_after_s: u32,
    },
    /// New calls and registrations are refused.
    RefuseAll {
        /// Seconds, spread likewise.
        retry_after_s: u32,
    },
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The Request-URI.
    pub uri: Uri,
    /// Route set in front of it (Path of RFC 3327).
    pub route: Vec<Uri>,
    /// The way bytes go: for a registered phone the flow it registered on.
    pub flow: Flow,
}

/// An INVITE to be sent.
#[derive(Clone, Debug)]
pub struct OutgoingInvite {
    /// Where it goes.
    pub target: Target,
    /// Whose phone it rings: requests in the dialog that come from another address have to prove it.
    pub account: Option<ExtensionId>,
    /// Name shown for the caller.
    pub from_display: Option<String>,
    /// User part of From.
    pub from_user: String,
    /// Host of From; none means our address on the flow.
    pub from_host: Option<Host>,
    /// User part of To.
    pub to_user: String,
    /// The offer; none asks the peer for one.
    pub sdp: Option<Bytes>,
    /// Further headers, as they are.
    pub headers: Vec<(HeaderName, String)>,
}

/// What a challenge to an INVITE of ours is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Digest user name.
    pub username: String,
    /// Digest password.
    pub password: Secret,
}

/// An INVITE that came, authenticated and in order.
#[derive(Clone, Debug)]
pub struct IncomingInvite {
    /// On which flow.
    pub flow: Flow,
    /// Who proved to be the caller.
    pub account: Option<ExtensionId>,
    /// Request-URI: what was dialled.
    pub request_uri: Uri,
    /// From.
    pub from: NameAddr,
    /// To.
    pub to: NameAddr,
    /// The offer; none means the peer wants ours.
    pub sdp: Option<Bytes>,
    /// The session that this one is to replace (RFC 3891), already found.
    pub replaces: Option<SessionId>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// The whole request.
    pub request: Request,
}

/// A final refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 300 to 699.
    pub status: StatusCode,
    /// Reason header (RFC 3326).
    pub cause: Option<Cause>,
    /// Retry-After, in seconds; spread by the Call-ID from three fifths to twice of it.
    pub retry_after_s: Option<u32>,
    /// Warning header: code and text.
    pub warning: Option<(u16, String)>,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The peer sent BYE.
    Bye,
    /// The caller sent CANCEL before an answer.
    Cancelled,
    /// The session timer ran out (RFC 4028 §10).
    SessionExpired,
    /// Our 2xx was never acknowledged (RFC 3261 §13.3.1.4).
    NotAcknowledged,
    /// The peer does not know the dialog any more (481 or 408 to a request in it).
    DialogGone,
    /// The peer can't be reached.
    TransportFailed,
    /// The peer broke the protocol in a way that ends the session.
    ProtocolError,
}

/// What became of a phone's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingChange {
    /// A new contact.
    Added,
    /// A known contact, again.
    Refreshed,
    /// Taken away by the phone, or pushed out by the limit.
    Removed,
    /// Its time has run out.
    Expired,
}

/// One contact of an extension (RFC 3261 §10.2, RFC 5626).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Whose.
    pub extension: ExtensionId,
    /// Contact URI with its parameters.
    pub contact: Uri,
    /// `+sip.instance`.
    pub instance: Option<String>,
    /// `reg-id`.
    pub reg_id: Option<u32>,
    /// Path (RFC 3327).
    pub path: Vec<Uri>,
    /// The flow of the REGISTER. What is on its way to the phone goes by what
    /// [`Endpoint::reachable`](super::Endpoint::reachable) says.
    pub flow: Flow,
    /// Call-ID of the REGISTER.
    pub call_id: String,
    /// `CSeq` number of the REGISTER.
    pub cseq: u32,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// When it ends.
    pub expires: Instant,
}

impl Binding {
    /// Whether it ends with its flow (RFC 5626 §6). Datagrams would take STUN from the phone to tell whether
    /// theirs is still there (§3.5.2), and nobody answers that here.
    #[must_use]
    pub const fn ends_with_flow(&self) -> bool {
        self.reg_id.is_some() && self.flow.transport.is_stream()
    }
}

/// Why a request was not believed. All look the same on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationFailure {
    /// No account has the user name.
    UnknownUser,
    /// The response does not fit the password.
    WrongPassword,
    /// Proved to be one account, acted for another.
    NotAllowed,
    /// A nonce count was used twice.
    Replayed,
    /// They are wrong and answer no challenge of ours to that address: its name may be borrowed.
    Unasked,
}

/// What the exchange has to know.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message came; only where that is wanted.
    Heard {
        /// From where, to where.
        flow: Flow,
        /// As it came.
        bytes: Bytes,
    },
    /// A call came in. Answer with `ring`, `accept`, `refuse` or `end`.
    Invited {
        /// The new session.
        session: SessionId,
        /// The INVITE.
        invite: Box<IncomingInvite>,
    },
    /// Our 2xx has been acknowledged; the session is confirmed.
    Acknowledged {
        /// Which.
        session: SessionId,
        /// The answer, where our 2xx made the offer.
        sdp: Option<Bytes>,
    },
    /// A provisional response (101 to 199) to our INVITE.
    Progress {
        /// Which.
        session: SessionId,
        /// The To tag: several where the call was forked on the way (RFC 3261 §12.1).
        fork: String,
        /// 101 to 199.
        status: StatusCode,
        /// A session description: an answer to our offer, or an offer where it came reliably.
        sdp: Option<Bytes>,
    },
    /// A 2xx to our INVITE. Where we made no offer, `sdp` is one: answer with `answer`.
    Accepted {
        /// Which.
        session: SessionId,
        /// The To tag.
        fork: String,
        /// The session description; none where offer and answer went before, by `Progress`.
        sdp: Option<Bytes>,
        /// `User-Agent` or `Server` of the peer.
        user_agent: Option<String>,
    },
    /// A final refusal of our INVITE, or none in time (408). The session is over.
    Refused {
        /// Which.
        session: SessionId,
        /// 300 to 699.
        status: StatusCode,
        /// Reason header's Q.850 cause.
        cause: Option<Cause>,
        /// Contacts of a 3xx.
        contacts: Vec<Uri>,
        /// Retry-After in seconds.
        retry_after_s: Option<u32>,
    },
    /// The peer makes a new offer (re-INVITE, UPDATE, PRACK), or with none asks for one.
    /// Answer with `answer` or `refuse_offer`.
    Offered {
        /// Which.
        session: SessionId,
        /// The offer; none asks for ours, and the answer comes as [`Event::Answered`].
        sdp: Option<Bytes>,
    },
    /// The phone is somewhere else now, and proved to be itself: requests of ours go there, and so may its
    /// sound. Comes before the offer that tells so.
    Moved {
        /// Which.
        session: SessionId,
        /// The way there.
        flow: Flow,
    },
    /// The answer to an offer made by `offer`.
    Answered {
        /// Which.
        session: SessionId,
        /// The answer.
        sdp: Bytes,
    },
    /// The answer to what we described ourselves as last, sent once more to refresh the session
    /// (RFC 4028 §7.4): mostly the one of before.
    AnsweredAnew {
        /// Which.
        session: SessionId,
        /// The answer.
        sdp: Bytes,
    },
    /// The offer made by `offer` was refused; what was agreed before holds (RFC 3261 §14.1).
    OfferRefused {
        /// Which.
        session: SessionId,
        /// Why.
        status: StatusCode,
    },
    /// The peer wants the other side of its call transferred (RFC 3515).
    /// Answer with `accept_refer` or `refuse_refer`.
    Referred {
        /// Which.
        session: SessionId,
        /// Names the REFER.
        refer: ReferId,
        /// Refer-To without its headers.
        to: Uri,
        /// The dialog to replace, for an attended transfer.
        replaces: Option<Replaces>,
        /// Referred-By, as it came; none where it is too long to be kept.
        referred_by: Option<String>,
    },
    /// DTMF or flash by INFO (`application/dtmf-relay` or `application/dtmf`); each once, whatever
    /// comes twice on the wire.
    Digit {
        /// Which.
        session: SessionId,
        /// `0` to `9`, `*`, `#`, `A` to `D`; `!` for the flash.
        digit: char,
        /// How long it was held, in ms.
        duration_ms: u32,
    },
    /// The peer has answered [`Endpoint::ask`](super::Endpoint::ask): it is there, and knows the session.
    Alive {
        /// Which.
        session: SessionId,
    },
    /// A peer has let a request within a session go by without any answer, for all the time that it had.
    Unanswered {
        /// The way there.
        flow: Flow,
    },
    /// The session is over, by the peer or by fault. Not sent after our own `end`.
    Ended {
        /// Which.
        session: SessionId,
        /// Why.
        reason: EndReason,
        /// Reason header's Q.850 cause.
        cause: Option<Cause>,
    },
    /// The contacts of an extension changed. Comes before the 200 that says so is transmitted.
    Binding {
        /// What became of it.
        change: BindingChange,
        /// The contact.
        binding: Box<Binding>,
    },
    /// The connection by which contacts of an extension came is closed, and they stay: what
    /// [`Endpoint::can_reach`](super::Endpoint::can_reach) says of them may be another thing now.
    Parted {
        /// Whose.
        extension: ExtensionId,
    },
    /// A server has taken a registration of ours, for the first time or again.
    Registered {
        /// Which.
        id: RegistrationId,
    },
    /// A server has not taken a registration of ours; it is tried again.
    NotRegistered {
        /// Which.
        id: RegistrationId,
        /// Its answer; none where it gave none.
        status: Option<StatusCode>,
    },
    /// A source nobody has logged in from sends too much: more is passed over. Told once, until it has
    /// been quiet.
    Ignored {
        /// From where.
        flow: Flow,
    },
    /// A request with wrong credentials.
    AuthenticationFailed {
        /// From where.
        flow: Flow,
        /// The user name that was claimed.
        username: String,
        /// Why.
        failure: AuthenticationFailure,
    },
}

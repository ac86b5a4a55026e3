//! INVITE sessions (RFC 3261 §13 to §15): one machine for both roles, cut by topic.
//!
//! ```text
//!  call -----> Calling --2xx: ACK--------------+
//!                | 300-699, timeout            v    BYE came           (transfers notified)
//!                +--------> Over <-------- Confirmed ---------> Ending -------------------> Over
//!                +--------> Over               ^ |  BYE sent      ^        BYE answered
//!                | 300-699 sent                | +----------------+
//! called ----> Ringing --2xx sent--------------+
//! ```
//! * [`caller`], [`again`]: our INVITE until it is answered, forks among it (§13.2, §9.1)
//! * [`challenged`]: credentials for requests of ours (§22.2)
//! * [`strays`]: forks that answer after another has (§13.2.2.4)
//! * [`callee`]: the peer's INVITE until our answer is acknowledged (§13.3)
//! * [`reliable`]: provisional responses of ours that need PRACK (RFC 3262 §3)
//! * [`offers`], [`offering`], [`offered`]: offers and answers in the session by re-INVITE, UPDATE and
//!   PRACK (§14, RFC 3311)
//! * [`refresh`]: session timers (RFC 4028)
//! * [`asking`]: whether the peer is there
//! * [`refer`]: transfers the peer asks for (RFC 3515)
//! * [`ending`]: CANCEL and BYE, both ways (§9, §15)
//!
//! A session never looks at a body but to hand it on.

mod again;
mod asking;
mod callee;
mod caller;
mod challenged;
mod ending;
mod info;
mod offered;
mod offering;
mod offers;
mod refer;
mod refresh;
mod reliable;
mod requests;
mod strays;
mod table;

use core::fmt::Write;

use bytes::Bytes;
use model::{Cause, ExtensionId, Flow, KeptDialog};

use crate::dialog::Dialog;
use crate::endpoint::{Core, Event, Random, ReferId, SessionId, TimerHandle, TimerKey};
use crate::message::{
    Field, HeaderName, HeaderValue, Headers, Host, NameAddr, Request, Response, SipUri, Uri,
};
use crate::registrar::Phone;
use crate::transaction::{ClientId, number_in};

pub(crate) use callee::Called;
pub(crate) use requests::InDialog;
pub(crate) use strays::{forgotten_dialog, stray_success};
pub(crate) use table::Sessions;

use callee::{Answered, Ringing};
use caller::Calling;
use challenged::Own;
use offers::Offers;
use refer::Refer;
use refresh::Refresh;
use reliable::Overtaken;
use strays::Stray;

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionTimer {
    /// Our 2xx again (RFC 3261 §13.3.1.4).
    Success,
    /// No ACK in 64·T1.
    AckLimit,
    /// Another word that the call goes on (RFC 3261 §13.3.1.1).
    Ringing,
    /// Our reliable provisional response again (RFC 3262 §3).
    Provisional,
    /// No PRACK in 64·T1.
    PrackLimit,
    /// The next try after 491 (RFC 3261 §14.1).
    Glare,
    /// No final answer to a cancelled INVITE in 64·T1 (RFC 3261 §9.1).
    CancelLimit,
    /// Time to refresh (RFC 4028 §10).
    Refresh,
    /// Nobody has refreshed (RFC 4028 §10).
    Expiry,
    /// The exchange has not said how a transfer ended.
    Refer(ReferId),
}

/// Where a session is.
#[derive(Debug)]
enum Stage {
    /// Our INVITE has no final answer.
    Calling(Calling),
    /// The peer's INVITE has none.
    Ringing(Ringing),
    /// A 2xx was sent or came.
    Confirmed,
    /// It is over for the exchange; the answer to BYE or the end of a transfer is waited for.
    Ending {
        /// The BYE under way.
        bye: Option<Bye>,
    },
    /// Nothing is left to do.
    Over,
}

/// Our BYE.
#[derive(Clone, Copy, Debug)]
struct Bye {
    client: ClientId,
    /// What it says.
    cause: Option<Cause>,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    /// Our tag, in all its dialogs.
    local_tag: Box<str>,
    /// Our Contact.
    contact: HeaderValue,
    /// Whose phone it is with.
    account: Option<ExtensionId>,
    stage: Stage,
    /// One; before an answer none, or one for each fork.
    dialogs: Vec<Dialog>,
    /// The exchange knows that it is over: no events any more.
    silent: bool,
    offers: Offers,
    /// Our 2xx that has no ACK yet.
    answered: Option<Answered>,
    /// Our provisional response that this 2xx overtook.
    overtaken: Option<Overtaken>,
    /// Runs while the session is kept for the PRACK of a call that was refused.
    late_prack: Option<TimerHandle>,
    /// Forks that lost.
    strays: Vec<Stray>,
    /// BYE waits for ACK (RFC 3261 §15): with which reason.
    bye_after_ack: Option<Option<Cause>>,
    /// Our last ACK for a 2xx, by `CSeq` number.
    acknowledged: Option<(u32, Bytes)>,
    refresh: Refresh,
    refers: Vec<Refer>,
    /// What we last described ourselves as, to refresh by re-INVITE.
    local_sdp: Option<Bytes>,
    cancel_limit: Option<TimerHandle>,
    /// Who is at the other end, where he registered over a connection.
    phone: Option<Box<Phone>>,
    /// Who we are to a peer that asks.
    own: Option<Box<Own>>,
}

/// What is left of a session whose peer could not be told of its end.
#[derive(Debug)]
pub(crate) struct Unended {
    pub(crate) extension: Option<ExtensionId>,
    pub(crate) dialog: Dialog,
    pub(crate) phone: Option<Phone>,
    /// What our BYE said.
    pub(crate) cause: Option<Cause>,
}

impl Session {
    fn new(id: SessionId, local_tag: Box<str>, contact: HeaderValue, stage: Stage) -> Self {
        Self {
            id,
            local_tag,
            contact,
            account: None,
            stage,
            dialogs: Vec::with_capacity(1),
            silent: false,
            offers: Offers::new(),
            answered: None,
            overtaken: None,
            late_prack: None,
            strays: Vec::new(),
            bye_after_ack: None,
            acknowledged: None,
            refresh: Refresh::new(),
            refers: Vec::new(),
            local_sdp: None,
            cancel_limit: None,
            phone: None,
            own: None,
        }
    }

    /// Who is at the other end.
    pub(crate) fn is_with(&mut self, phone: Option<Phone>) {
        self.phone = phone.map(Box::new);
    }

    /// The peer's Contact.
    pub(crate) fn target(&self) -> Option<&Uri> {
        self.dialogs.first().map(|dialog| &dialog.target)
    }

    /// Requests of ours go on by the way that the peer has now, where its old one is gone.
    pub(crate) fn follow_phone(
        &mut self,
        core: &mut Core,
        way: impl Fn(Option<&Phone>, &Dialog) -> Option<Flow>,
    ) {
        let mut moved = None;
        for dialog in &mut self.dialogs {
            if dialog.flow.transport.is_stream()
                && let Some(flow) = way(self.phone.as_deref(), dialog)
                && flow != dialog.flow
            {
                dialog.flow = flow;
                moved = Some(flow);
            }
        }
        self.moved(core, moved);
    }

    /// The peer speaks by another connection: what went by those that are left goes on there.
    pub(crate) fn move_to(&mut self, core: &mut Core, flow: Flow, is_left: impl Fn(Flow) -> bool) {
        let mut moved = None;
        for dialog in &mut self.dialogs {
            if dialog.flow.transport.is_stream() && is_left(dialog.flow) {
                dialog.flow = flow;
                moved = Some(flow);
            }
        }
        if let Stage::Calling(calling) = &mut self.stage
            && let Some((way, _)) = &mut calling.sent
        {
            *way = flow;
        }
        self.moved(core, moved);
    }

    /// Our Contact follows the way; the peer reads it in the next message that has one (RFC 3261 §12.2.1.1).
    fn moved(&mut self, core: &mut Core, moved: Option<Flow>) {
        if let Some(flow) = moved {
            let contact = NameAddr::parse(self.contact.as_bytes());
            let user = (contact.as_ref().ok())
                .and_then(|contact| contact.uri.user())
                .unwrap_or_default();
            self.contact = own_contact(flow, &user);
            let session = self.id;
            self.tell(core, Event::Moved { session, flow });
        }
    }

    /// Its number.
    pub(crate) const fn id(&self) -> SessionId {
        self.id
    }

    /// Our tag.
    pub(crate) fn local_tag(&self) -> &str {
        &self.local_tag
    }

    /// True where it is over but for an answer that is waited for.
    pub(crate) const fn is_ending(&self) -> bool {
        matches!(self.stage, Stage::Ending { .. }) || self.silent
    }

    /// True where a transfer of that name is under way.
    pub(crate) fn has_refer(&self, id: ReferId) -> bool {
        self.refers.iter().any(|refer| refer.id == id)
    }

    /// True where it can be forgotten.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// True from the first 2xx to the end.
    pub(crate) const fn is_confirmed(&self) -> bool {
        matches!(self.stage, Stage::Confirmed) && !self.silent
    }

    /// True for an INVITE of ours without a final answer.
    pub(crate) const fn is_calling(&self) -> bool {
        matches!(self.stage, Stage::Calling(_)) && !self.silent
    }

    /// The dialog with these tags and Call-ID.
    pub(crate) fn dialog_at(
        &self,
        call_id: &str,
        local_tag: &str,
        remote_tag: &str,
    ) -> Option<usize> {
        if *self.local_tag != *local_tag {
            return None;
        }
        self.dialogs.iter().position(|dialog| {
            *dialog.remote_tag == *remote_tag && dialog.call_id.as_bytes() == call_id.as_bytes()
        })
    }

    /// What ending it after a restart takes; none before an answer of the peer, or at the end. An answer
    /// of ours may still wait for a PRACK.
    pub(crate) fn kept(&self) -> Option<KeptDialog> {
        let up = matches!(self.stage, Stage::Confirmed | Stage::Ringing(_)) && !self.silent;
        let dialog = up.then(|| self.dialogs.first())??;
        Some(dialog.kept(self.account, self.phone.as_deref()))
    }

    /// What ending it takes where our BYE, which is this one, can't be sent.
    pub(crate) fn unended_by(&self, bye: ClientId) -> Option<Unended> {
        let Stage::Ending { bye: Some(own) } = self.stage else {
            return None;
        };
        let dialog = (own.client == bye).then(|| self.dialogs.first())??;
        let phone = self.phone.as_deref();
        Some(Unended {
            extension: self.account.or_else(|| phone.map(Phone::extension)),
            dialog: dialog.clone(),
            phone: phone.cloned(),
            cause: own.cause,
        })
    }

    /// What ending it after a restart takes, where our BYE has no answer yet or waits for an ACK.
    pub(crate) fn unended(&self) -> Option<KeptDialog> {
        let ends = match self.stage {
            Stage::Ending { bye } => bye.is_some(),
            Stage::Confirmed => self.silent,
            Stage::Calling(_) | Stage::Ringing(_) | Stage::Over => false,
        };
        let dialog = ends.then(|| self.dialogs.first())??;
        Some(dialog.kept(self.account, self.phone.as_deref()))
    }

    /// The way of a dialog, and whose phone it is with.
    pub(crate) fn peer(&self, at: usize) -> Option<(Flow, Option<ExtensionId>)> {
        Some((self.dialogs.get(at)?.flow, self.account))
    }

    fn tell(&self, core: &mut Core, event: Event) {
        if !self.silent {
            core.event(event);
        }
    }

    /// Starts a timer of this session.
    fn start(
        &self,
        core: &mut Core,
        place: &mut Option<TimerHandle>,
        timer: SessionTimer,
        ms: u64,
    ) {
        let at = core.now + core::time::Duration::from_millis(ms);
        core.timers
            .restart(place, at, TimerKey::Session(self.id, timer));
    }

    /// Takes a timer that ran out.
    pub(crate) fn on_timer(&mut self, core: &mut Core, timer: SessionTimer) {
        match timer {
            SessionTimer::Success => self.repeat_success(core),
            SessionTimer::AckLimit => self.not_acknowledged(core),
            SessionTimer::Ringing => self.still_ringing(core),
            SessionTimer::Provisional => self.repeat_provisional(core),
            SessionTimer::PrackLimit => self.not_pracked(core),
            SessionTimer::Glare => self.glare_over(core),
            SessionTimer::CancelLimit => self.cancel_unanswered(core),
            SessionTimer::Refresh => self.time_to_refresh(core),
            SessionTimer::Expiry => self.expired(core),
            SessionTimer::Refer(refer) => self.refer_forgotten(core, refer),
        }
    }

    /// Stops all timers but those of transfers.
    fn stop_timers(&mut self, core: &mut Core) {
        if let Some(mut answered) = self.answered.take() {
            answered.stop(core);
        }
        if let Stage::Ringing(ringing) = &mut self.stage {
            ringing.stop(core);
        }
        self.offers.stop(core);
        self.refresh.stop(core);
        core.timers.stop_in(&mut self.cancel_limit);
    }

    /// What a response of ours in the session's dialog has (RFC 3261 §12.1.1).
    fn in_dialog(&self, core: &Core, response: &mut Response) {
        if let Some(dialog) = self.dialogs.first() {
            crate::dialog::tag_response(response, &dialog.local);
        }
        response
            .headers
            .push(HeaderName::Contact, self.contact.clone());
        core.values.introduce(&mut response.headers);
    }
}

/// A tag of ours: chance, and the number of the session, so that finding it takes no text map.
pub(crate) fn local_tag(random: &mut Random, id: SessionId) -> Box<str> {
    let mut tag = random.tag();
    // Writing to a string can't fail.
    let _ = write!(tag, ".{:x}", id.raw());
    tag.into()
}

/// The session that a tag of ours names; the rest of the tag is still to be compared.
pub(crate) fn session_in(tag: &str) -> Option<SessionId> {
    number_in(tag).map(SessionId)
}

/// Our address as a URI.
pub(crate) fn own_uri(flow: Flow, user: &str) -> SipUri {
    SipUri::new(Host::from(flow.local.ip()))
        .with_user(user)
        .with_port(Some(flow.local.port()))
}

/// Our Contact on a flow (RFC 3261 §8.1.1.8).
pub(crate) fn own_contact(flow: Flow, user: &str) -> HeaderValue {
    let uri = own_uri(flow, user);
    let uri = match flow.transport {
        model::Transport::Udp => uri,
        model::Transport::Tcp => uri.with_param("transport", "tcp"),
        model::Transport::Tls => uri.with_param("transport", "tls"),
    };
    HeaderValue::from(NameAddr::new(uri))
}

/// The session description in a message, where it has one.
pub(crate) fn sdp_in(headers: &Headers, body: &Bytes) -> Option<Bytes> {
    if body.is_empty() {
        return None;
    }
    match headers.content_type() {
        Ok(Some(kind)) if kind.is_sdp() => Some(body.clone()),
        Ok(_) | Err(_) => None,
    }
}

fn sdp_of(response: &Response) -> Option<Bytes> {
    sdp_in(&response.headers, &response.body)
}

fn put_sdp(core: &Core, headers: &mut Headers, body: &mut Bytes, sdp: Bytes) {
    headers.push(HeaderName::ContentType, core.values.sdp.clone());
    *body = sdp;
}

fn put_request_sdp(core: &Core, request: &mut Request, sdp: Bytes) {
    put_sdp(core, &mut request.headers, &mut request.body, sdp);
}

fn put_response_sdp(core: &Core, response: &mut Response, sdp: Bytes) {
    put_sdp(core, &mut response.headers, &mut response.body, sdp);
}

/// The Q.850 cause of a message (RFC 3326).
pub(crate) fn cause_in(headers: &Headers) -> Option<Cause> {
    if !headers.contains(&HeaderName::Reason) {
        return None;
    }
    let reasons = headers.reasons().ok()?;
    reasons.iter().find_map(crate::message::Reason::q850_cause)
}

pub(crate) fn reason_value(cause: Option<Cause>) -> Option<HeaderValue> {
    cause.map(|cause| match cause {
        // RFC 3326 §2: in these words phones know that the call is none they have missed.
        Cause::NON_SELECTED_USER_CLEARING => {
            HeaderValue::from("SIP;cause=200;text=\"Call completed elsewhere\"")
        }
        cause => HeaderValue::from(crate::message::Reason::q850(cause)),
    })
}

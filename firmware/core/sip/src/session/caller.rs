//! Our INVITE until it is answered (RFC 3261 §13.2), and its forks (§12.1.2, §13.2.2.4).
//!
//! ```text
//!  Calling --1xx--> Calling (an early dialog for each To tag; reliable ones get PRACK, RFC 3262 §4)
//!     | 422: again with the callee's Min-SE (RFC 4028 §7.4)
//!     | 2xx: ACK, or the answer is waited for; other forks that answer get ACK and BYE
//!     v 300-699: Refused
//! ```

use std::sync::Arc;

use bytes::Bytes;
use model::Flow;

use super::challenged::Own;
use super::offers::{Asked, Owed};
use super::{Session, Stage, cause_in, own_contact, own_uri, put_request_sdp, sdp_of};
use crate::dialog::Dialog;
use crate::endpoint::limits::FORKS;
use crate::endpoint::{
    ClientUser, Core, Credentials, Event, Outcome, OutgoingInvite, Purpose, SessionId, product,
    send_ack,
};
use crate::message::{
    CSeq, Contacts, HeaderName, HeaderValue, Host, Method, NameAddr, RAck, Request, Response,
    SipUri, StatusCode, Uri,
};
use crate::transaction::ClientId;

/// Whether the INVITE is to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    /// No.
    No,
    /// As soon as a provisional answer has come (RFC 3261 §9.1), with this Reason.
    Wanted(Option<HeaderValue>),
    /// CANCEL is sent.
    Sent,
}

/// An INVITE of ours without a final answer.
#[derive(Debug)]
pub(super) struct Calling {
    /// Its transaction.
    pub(super) invite: ClientId,
    /// Whether to cancel it.
    pub(super) cancel: Cancel,
    /// As it was sent, and by which way: its transaction may be over when it is to be sent anew.
    pub(super) sent: Option<(Flow, Arc<Request>)>,
    /// Its `CSeq` number.
    pub(super) seq: u32,
    /// How often it was sent anew with another Min-SE.
    pub(super) retries: u8,
    /// How many challenges were answered.
    pub(super) challenges: u8,
}

impl Session {
    /// Sends an INVITE.
    pub(crate) fn call(
        core: &mut Core,
        id: SessionId,
        invite: OutgoingInvite,
        credentials: Option<Credentials>,
    ) -> Self {
        let flow = invite.target.flow;
        let tag = super::local_tag(&mut core.random, id);
        let contact = own_contact(flow, &invite.from_user);
        let sdp = invite.sdp.clone();
        let account = invite.account;
        let request = invite_request(core, &tag, &contact, invite);
        let user = ClientUser {
            session: id,
            purpose: Purpose::Invite,
        };
        let invite = core.request(flow, request, user);
        let calling = Calling {
            invite,
            sent: sent(core, invite),
            cancel: Cancel::No,
            seq: 1,
            retries: 0,
            challenges: 0,
        };
        let mut session = Self::new(id, tag, contact, Stage::Calling(calling));
        session.account = account;
        session.offers.owns_call_id = true;
        session.own = credentials.map(|credentials| Box::new(Own::new(credentials)));
        if sdp.is_some() {
            session.offers.asked = Asked::Invite;
            session.offers.we_offered = true;
        }
        session.local_sdp = sdp;
        session
    }

    /// Whether the peer that we call has answered anything at all.
    pub(crate) fn is_heard_of(&self, core: &Core) -> bool {
        let Stage::Calling(calling) = &self.stage else {
            return true;
        };
        calling.challenges > 0
            || (core.clients.get(calling.invite))
                .is_some_and(|client| client.is_proceeding_invite())
    }

    /// Takes what came of the first INVITE.
    pub(super) fn on_invite(&mut self, core: &mut Core, id: ClientId, outcome: Outcome) {
        let calling = matches!(&self.stage, Stage::Calling(calling) if calling.invite == id);
        match outcome {
            Outcome::Response(response) if response.status.is_success() => {
                self.on_success(core, id, &response);
            }
            Outcome::Response(response) if calling => {
                if response.status.is_provisional() {
                    self.on_provisional(core, &response);
                } else {
                    self.on_refusal(core, &response);
                }
            }
            Outcome::Timeout if calling => self.call_failed(core, StatusCode::REQUEST_TIMEOUT),
            // RFC 3261 §8.1.3.1 makes it 503; but it is not the peer that is busy, it is not there
            // (RFC 5626 §11.6).
            Outcome::TransportFailed if calling => {
                self.call_failed(core, StatusCode::FLOW_FAILED);
            }
            Outcome::Response(_) | Outcome::Timeout | Outcome::TransportFailed => {}
        }
    }

    fn on_provisional(&mut self, core: &mut Core, response: &Response) {
        self.cancel_if_wanted(core);
        if response.status == StatusCode::TRYING {
            return;
        }
        let Ok(to) = response.headers.to() else {
            return;
        };
        let fork = to.tag().unwrap_or_default();
        let at = self.fork(core, fork, response);
        let mut sdp = sdp_of(response);
        let reliable = response
            .headers
            .require()
            .is_ok_and(|required| required.contains("100rel"));
        if reliable && let Some(at) = at {
            match self.on_reliable(core, at, response, sdp.is_some()) {
                Reliable::Next => {}
                Reliable::OutOfOrder => return,
            }
        } else if !self.offers.we_offered {
            // Not an answer, for we made no offer; nor an offer, for it may be lost (RFC 3261 §13.2.1).
            sdp = None;
        }
        let event = Event::Progress {
            session: self.id,
            fork: fork.to_owned(),
            status: response.status,
            sdp,
        };
        self.tell(core, event);
    }

    /// The early dialog of a To tag, made where it is new.
    fn fork(&mut self, core: &Core, tag: &str, response: &Response) -> Option<usize> {
        if tag.is_empty() {
            return None;
        }
        let known = self
            .dialogs
            .iter()
            .position(|dialog| *dialog.remote_tag == *tag);
        if let Some(at) = known {
            if let Some(dialog) = self.dialogs.get_mut(at) {
                dialog.peer.learn(&response.headers);
            }
            return Some(at);
        }
        let Stage::Calling(calling) = &self.stage else {
            return None;
        };
        if self.dialogs.len() >= FORKS {
            return None;
        }
        let transaction = core.clients.get(calling.invite)?;
        let invite = transaction.invite.as_deref()?;
        self.dialogs
            .push(Dialog::as_caller(invite, response, transaction.flow)?);
        Some(self.dialogs.len() - 1)
    }

    /// A provisional response that wants PRACK (RFC 3262 §4).
    fn on_reliable(
        &mut self,
        core: &mut Core,
        at: usize,
        response: &Response,
        has_sdp: bool,
    ) -> Reliable {
        let (Ok(Some(rseq)), Ok(cseq)) = (response.headers.rseq(), response.headers.cseq()) else {
            return Reliable::OutOfOrder;
        };
        let Some(dialog) = self.dialogs.get_mut(at) else {
            return Reliable::OutOfOrder;
        };
        if dialog
            .peer_rseq
            .is_some_and(|last| Some(rseq) != last.checked_add(1))
        {
            return Reliable::OutOfOrder;
        }
        dialog.peer_rseq = Some(rseq);
        let rack = RAck { rseq, cseq };
        if has_sdp && !self.offers.we_offered && !self.offers.peer_offered {
            self.offers.peer_offered = true;
            // An offer: PRACK carries the answer, once the exchange has given it.
            if self.silent {
                self.prack(core, at, rack, None);
            } else {
                let tag = dialog.remote_tag.clone();
                self.offers.owed = Owed::Prack { tag, rack };
            }
            return Reliable::Next;
        }
        if has_sdp && self.offers.we_offered {
            dialog.answered = true;
            self.offers.asked = Asked::Nothing;
        }
        self.prack(core, at, rack, None);
        Reliable::Next
    }

    pub(super) fn prack(&mut self, core: &mut Core, at: usize, rack: RAck, sdp: Option<Bytes>) {
        let Some(dialog) = self.dialogs.get_mut(at) else {
            return;
        };
        let mut request = dialog.request(Method::Prack, &core.values);
        request.headers.push(HeaderName::RAck, rack);
        if let Some(sdp) = sdp {
            self.local_sdp = Some(sdp.clone());
            put_request_sdp(core, &mut request, sdp);
        }
        let flow = dialog.flow;
        self.send(core, flow, request, Purpose::Prack);
    }

    fn on_success(&mut self, core: &mut Core, id: ClientId, response: &Response) {
        let (Ok(to), Ok(cseq)) = (response.headers.to(), response.headers.cseq()) else {
            return;
        };
        let tag = to.tag().unwrap_or_default();
        if !matches!(&self.stage, Stage::Calling(calling) if calling.invite == id) {
            let ours = self
                .dialogs
                .first()
                .is_some_and(|dialog| *dialog.remote_tag == *tag);
            if ours {
                self.acknowledge_again(core, cseq.seq);
            } else {
                self.end_stray(core, id, tag, response);
            }
            return;
        }
        let Some(dialog) = self.choose(core, id, tag, response) else {
            return;
        };
        let answered = dialog.answered;
        self.part_from_strays(tag);
        self.dialogs.push(dialog);
        self.stage = Stage::Confirmed;
        core.timers.stop_in(&mut self.cancel_limit);
        self.take_session_expires(core, &response.headers);
        if self.silent {
            // RFC 3261 §9.1: the answer crossed our CANCEL.
            self.acknowledge(core, cseq.seq, None);
            self.bye(core, None);
            return;
        }
        self.confirmed_by(core, cseq.seq, answered, response, tag);
    }

    /// Acknowledges the 2xx at once, or once its offer has been answered.
    fn confirmed_by(
        &mut self,
        core: &mut Core,
        seq: u32,
        answered: bool,
        response: &Response,
        tag: &str,
    ) {
        let mut sdp = sdp_of(response);
        if matches!(self.offers.asked, Asked::Invite) {
            self.offers.asked = Asked::Nothing;
        }
        if answered || self.offers.peer_offered {
            // Offer and answer went before, reliably; what comes here is but a copy.
            sdp = None;
        }
        if !self.offers.we_offered && sdp.is_some() {
            self.offers.owed = Owed::Ack { seq };
        } else {
            self.offers.owed = Owed::Nothing;
            self.acknowledge(core, seq, None);
        }
        let event = Event::Accepted {
            session: self.id,
            fork: tag.to_owned(),
            sdp,
            user_agent: product_of(response),
        };
        self.tell(core, event);
        self.send_queued_offer(core);
    }

    /// The dialog that a 2xx confirms: an early one, or a new one.
    fn choose(&self, core: &Core, id: ClientId, tag: &str, response: &Response) -> Option<Dialog> {
        let early = self
            .dialogs
            .iter()
            .find(|dialog| *dialog.remote_tag == *tag && !tag.is_empty());
        if let Some(early) = early {
            let mut dialog = early.clone();
            dialog.confirm(response);
            return Some(dialog);
        }
        let transaction = core.clients.get(id)?;
        Dialog::as_caller(transaction.invite.as_deref()?, response, transaction.flow)
    }

    /// ACK for a 2xx: a request of the dialog, in no transaction (RFC 3261 §13.2.2.4).
    pub(super) fn acknowledge(&mut self, core: &mut Core, seq: u32, sdp: Option<Bytes>) {
        let Some(dialog) = self.dialogs.first() else {
            return;
        };
        let mut ack = dialog.numbered(Method::Ack, seq, &core.values);
        if let Some(sdp) = sdp {
            self.local_sdp = Some(sdp.clone());
            put_request_sdp(core, &mut ack, sdp);
        }
        self.authorize_ack(&mut ack);
        let wire = send_ack(core, dialog.flow, ack);
        self.acknowledged = Some((seq, wire));
    }

    /// Nobody may challenge an ACK (RFC 3261 §22.1).
    fn authorize_ack(&self, ack: &mut Request) {
        if let Some((name, value)) = self.own.as_ref().and_then(|own| own.of_invite()) {
            ack.headers.push(name.clone(), value.clone());
        }
    }

    /// The 2xx came again: so does the ACK. That of an INVITE before the last one is made anew: a peer that
    /// took the next INVITE without it still waits, and would hang up (RFC 3261 §13.3.1.4).
    pub(super) fn acknowledge_again(&self, core: &mut Core, seq: u32) {
        let (Some((acknowledged, wire)), Some(dialog)) = (&self.acknowledged, self.dialogs.first())
        else {
            return;
        };
        if *acknowledged == seq {
            core.transmit(dialog.flow, wire.clone());
        } else if *acknowledged > seq {
            let mut ack = dialog.numbered(Method::Ack, seq, &core.values);
            self.authorize_ack(&mut ack);
            send_ack(core, dialog.flow, ack);
        }
    }

    fn on_refusal(&mut self, core: &mut Core, response: &Response) {
        let again = match response.status {
            StatusCode::SESSION_INTERVAL_TOO_SMALL => self.call_again(core, response),
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                self.call_with_credentials(core, response)
            }
            _ => false,
        };
        if again {
            return;
        }
        let contacts = match response.headers.contacts() {
            Ok(Contacts::List(list)) if response.status.is_redirect() => {
                list.into_iter().map(|contact| contact.uri).collect()
            }
            Ok(_) | Err(_) => Vec::new(),
        };
        let retry_after = response.headers.retry_after().ok().flatten();
        let event = Event::Refused {
            session: self.id,
            status: response.status,
            cause: cause_in(&response.headers),
            contacts,
            retry_after_s: retry_after.map(|retry| retry.seconds),
        };
        self.tell(core, event);
        self.finish(core, None, None);
    }

    pub(super) fn call_failed(&mut self, core: &mut Core, status: StatusCode) {
        let event = Event::Refused {
            session: self.id,
            status,
            cause: None,
            contacts: Vec::new(),
            retry_after_s: None,
        };
        self.tell(core, event);
        self.finish(core, None, None);
    }
}

/// What a reliable provisional response is to those before.
enum Reliable {
    Next,
    OutOfOrder,
}

/// An INVITE that has just been sent; shared with its transaction.
pub(super) fn sent(core: &Core, invite: ClientId) -> Option<(Flow, Arc<Request>)> {
    let transaction = core.clients.get(invite)?;
    Some((transaction.flow, transaction.invite.clone()?))
}

fn invite_request(
    core: &mut Core,
    tag: &str,
    contact: &HeaderValue,
    invite: OutgoingInvite,
) -> Request {
    let target = invite.target;
    let from = match invite.from_host {
        Some(host) => SipUri::new(host).with_user(&invite.from_user),
        None => own_uri(target.flow, &invite.from_user),
    };
    let mut from = NameAddr::new(from).with_tag(tag);
    from.display = invite.from_display.filter(|name| !name.is_empty());
    let to_host = target
        .uri
        .host()
        .cloned()
        .unwrap_or_else(|| Host::from(target.flow.remote.ip()));
    let to: Uri = SipUri::new(to_host).with_user(&invite.to_user).into();
    let mut call_id = String::with_capacity(20);
    core.random.token(20, &mut call_id);

    let mut request = Request::new(Method::Invite, target.uri);
    let headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, core.values.max_forwards.clone());
    for route in target.route {
        headers.push(HeaderName::Route, NameAddr::new(route));
    }
    headers.push(HeaderName::From, from);
    headers.push(HeaderName::To, NameAddr::new(to));
    headers.push(HeaderName::CallId, call_id);
    headers.push(HeaderName::CSeq, CSeq::new(1, Method::Invite));
    headers.push(HeaderName::Contact, contact.clone());
    core.values.introduce(headers);
    super::Refresh::new().ask(core, headers);
    headers.push(HeaderName::UserAgent, core.values.product.clone());
    for (name, value) in invite.headers {
        headers.push(name, value);
    }
    if let Some(sdp) = invite.sdp {
        put_request_sdp(core, &mut request, sdp);
    }
    request
}

fn product_of(response: &Response) -> Option<String> {
    product(&response.headers)
}

//! The peer's INVITE until our answer is acknowledged (RFC 3261 §13.3).
//!
//! ```text
//!  Ringing --ring--> Ringing (1xx, and again each minute; reliably: see `reliable`)
//!     | refuse: 300-699 --> Over
//!     | CANCEL: 487, Ended --> Over            BYE: 487, Ended --> Over
//!     v accept: 200
//!  Confirmed, not acknowledged: 200 again after T1, 2·T1, … T2
//!     | ACK: Acknowledged          | 64·T1: BYE, Ended
//! ```

use core::time::Duration;

use bytes::Bytes;

use super::offers::{Asked, Owed};
use super::refresh::Refresh;
use super::reliable::Reliable;
use super::{Session, SessionTimer, Stage, own_contact, put_response_sdp, reason_value, sdp_in};
use crate::dialog::Dialog;
use crate::endpoint::{Core, EndReason, Event, IncomingInvite, Refusal, SessionId, TimerHandle};
use crate::message::{Essentials, HeaderName, Headers, Request, RetryAfter, StatusCode, Warning};
use crate::transaction::{ServerId, T1, T1_64, doubled};

/// A proxy that has heard nothing for three minutes cancels; what it is told may get lost.
const SAY_AGAIN: Duration = Duration::from_mins(1);

/// An INVITE of the peer without a final answer.
#[derive(Debug)]
pub(super) struct Ringing {
    /// Its transaction.
    pub(super) invite: ServerId,
    /// Its `CSeq` number.
    pub(super) seq: u32,
    /// It has an offer.
    pub(super) offered: bool,
    /// Our session description went out reliably.
    pub(super) described: bool,
    /// Provisional responses must be reliable (RFC 3262 §3).
    pub(super) required: bool,
    /// Those that are.
    pub(super) reliable: Reliable,
    /// The last one.
    said: Option<StatusCode>,
    again: Option<TimerHandle>,
}

impl Ringing {
    /// Nothing is sent again any more.
    pub(super) fn stop(&mut self, core: &mut Core) {
        self.reliable.stop(core);
        core.timers.stop_in(&mut self.again);
    }
}

/// A 2xx of ours that has no ACK.
#[derive(Debug)]
pub(super) struct Answered {
    /// `CSeq` number of the INVITE.
    pub(super) seq: u32,
    /// Of the first INVITE, not of one in the session.
    pub(super) first: bool,
    wire: Bytes,
    interval: Duration,
    again: Option<TimerHandle>,
    limit: Option<TimerHandle>,
}

impl Answered {
    pub(super) fn stop(&mut self, core: &mut Core) {
        core.timers.stop_in(&mut self.again);
        core.timers.stop_in(&mut self.limit);
    }
}

/// What is known of a new INVITE.
pub(crate) struct Called<'a> {
    /// Its transaction.
    pub(crate) server: ServerId,
    /// The request.
    pub(crate) request: &'a Request,
    /// Its fields.
    pub(crate) essentials: &'a Essentials,
    /// The session's number.
    pub(crate) id: SessionId,
}

impl Session {
    /// Takes an INVITE, and tells the exchange. `None` where it was refused: 422.
    pub(crate) fn called(
        core: &mut Core,
        called: &Called<'_>,
        invite: IncomingInvite,
    ) -> Option<Self> {
        let Called {
            server,
            request,
            essentials,
            id,
        } = *called;
        let tag = super::local_tag(&mut core.random, id);
        let user = request.uri.user().unwrap_or_default();
        let dialog = Dialog::as_callee(request, essentials, invite.flow, &tag);
        let required = request
            .headers
            .require()
            .is_ok_and(|required| required.contains("100rel"));
        let ringing = Ringing {
            invite: server,
            seq: essentials.cseq.seq,
            offered: invite.sdp.is_some(),
            described: false,
            required,
            reliable: Reliable::new(),
            said: None,
            again: None,
        };
        let contact = own_contact(invite.flow, &user);
        let mut session = Self::new(id, tag, contact, Stage::Ringing(ringing));
        session.account = invite.account;
        if invite.sdp.is_some() {
            session.offers.owed = Owed::Invite;
        }
        session.dialogs.push(dialog);
        if !session.check_interval(core, server, &request.headers) {
            return None;
        }
        session.agree_on_interval(core, &request.headers);
        if let Some(transaction) = core.servers.get_mut(server) {
            transaction.session = Some(id);
        }
        core.event(Event::Invited {
            session: id,
            invite: Box::new(invite),
        });
        Some(session)
    }

    /// RFC 4028 §9: 422 where the interval is too short; false then.
    pub(super) fn check_interval(
        &self,
        core: &mut Core,
        server: ServerId,
        headers: &Headers,
    ) -> bool {
        let peer = self.dialogs.first().map(|dialog| {
            let mut peer = dialog.peer;
            peer.learn(headers);
            peer
        });
        let peer_can = peer.is_some_and(|peer| peer.timer);
        let Some(min_se) = Refresh::too_short(headers, peer_can) else {
            return true;
        };
        if let Some(mut response) = core.response(server, StatusCode::SESSION_INTERVAL_TOO_SMALL) {
            response.headers.push(HeaderName::MinSe, min_se);
            let response = response.with_to_tag(&self.local_tag);
            core.respond(server, &response);
        }
        false
    }

    /// Takes the interval that a request asks for, as its 2xx will say.
    pub(super) fn agree_on_interval(&mut self, core: &Core, headers: &Headers) {
        let peer_can = self.dialogs.first().is_some_and(|dialog| dialog.peer.timer);
        self.refresh.decide(core, headers, peer_can);
    }

    /// 101 to 199.
    pub(crate) fn ring(&mut self, core: &mut Core, status: StatusCode, sdp: Option<Bytes>) {
        let Stage::Ringing(ringing) = &self.stage else {
            return;
        };
        if !matches!(status.code(), 101..=199) || ringing.reliable.held.is_some() {
            return;
        }
        self.say(core, status, sdp);
        let mut again = None;
        if let Stage::Ringing(ringing) = &mut self.stage {
            ringing.said = Some(status);
            again = ringing.again.take();
        }
        self.start(core, &mut again, SessionTimer::Ringing, millis(SAY_AGAIN));
        if let Stage::Ringing(ringing) = &mut self.stage {
            ringing.again = again;
        }
    }

    /// RFC 3261 §13.3.1.1: a provisional response "at every minute", so that no proxy gives the call up.
    pub(super) fn still_ringing(&mut self, core: &mut Core) {
        if let Stage::Ringing(ringing) = &self.stage
            && let Some(status) = ringing.said
        {
            self.ring(core, status, None);
        }
    }

    fn say(&mut self, core: &mut Core, status: StatusCode, sdp: Option<Bytes>) {
        let Stage::Ringing(ringing) = &self.stage else {
            return;
        };
        let can = self
            .dialogs
            .first()
            .is_some_and(|dialog| dialog.peer.reliable);
        if ringing.required || (can && sdp.is_some() && !ringing.described) {
            self.ring_reliably(core, status, sdp);
            return;
        }
        let (invite, offered) = (ringing.invite, ringing.offered);
        let Some(mut response) = core.response(invite, status) else {
            return;
        };
        self.in_dialog(core, &mut response);
        // An offer must not be lost (RFC 3261 §13.2.1): without 100rel there is none before the 2xx.
        if let Some(sdp) = sdp.filter(|_| offered) {
            put_response_sdp(core, &mut response, sdp);
        }
        core.respond(invite, &response);
    }

    /// 200, at once or after the PRACK that is waited for.
    pub(crate) fn accept(&mut self, core: &mut Core, sdp: Bytes) {
        let Stage::Ringing(ringing) = &mut self.stage else {
            return;
        };
        if ringing.reliable.holds_success() {
            ringing.reliable.held.get_or_insert(sdp);
        } else if ringing.reliable.held.is_none() {
            self.succeed(core, sdp);
        }
    }

    pub(super) fn succeed(&mut self, core: &mut Core, sdp: Bytes) {
        let Stage::Ringing(ringing) = &mut self.stage else {
            return;
        };
        let (invite, seq) = (ringing.invite, ringing.seq);
        self.overtaken = ringing.reliable.overtaken(core.now, seq);
        ringing.stop(core);
        // RFC 3262 §5, RFC 6337 §2.2: one answer, or offer, to an INVITE.
        let body = (!ringing.described).then_some(sdp);
        if !ringing.offered && body.is_some() {
            self.offers.asked = Asked::Success;
        }
        if matches!(self.offers.owed, Owed::Invite) {
            self.offers.owed = Owed::Nothing;
        }
        self.stage = Stage::Confirmed;
        self.success(core, invite, seq, true, body);
    }

    /// Sends a 2xx for an INVITE, the first or a later one, and again until it is acknowledged.
    pub(super) fn success(
        &mut self,
        core: &mut Core,
        invite: ServerId,
        seq: u32,
        first: bool,
        sdp: Option<Bytes>,
    ) {
        let Some(mut response) = core.response(invite, StatusCode::OK) else {
            return;
        };
        if !first {
            self.take_changes(core, invite);
        }
        self.in_dialog(core, &mut response);
        self.refresh.answer(&mut response.headers);
        if let Some(sdp) = sdp {
            self.local_sdp = Some(sdp.clone());
            put_response_sdp(core, &mut response, sdp);
        }
        let wire = core.respond(invite, &response);
        let mut answered = Answered {
            seq,
            first,
            wire: wire.unwrap_or_default(),
            interval: T1,
            again: None,
            limit: None,
        };
        self.start(core, &mut answered.again, SessionTimer::Success, millis(T1));
        self.start(
            core,
            &mut answered.limit,
            SessionTimer::AckLimit,
            millis(T1_64),
        );
        self.answered = Some(answered);
        self.restart_refresh(core);
    }

    pub(super) fn repeat_success(&mut self, core: &mut Core) {
        let Some(mut answered) = self.answered.take() else {
            return;
        };
        // Over TCP too: a proxy on the way may use UDP (RFC 3261 §13.3.1.4).
        if let Some(dialog) = self.dialogs.first() {
            core.transmit(dialog.flow, answered.wire.clone());
        }
        answered.interval = doubled(answered.interval);
        let interval = millis(answered.interval);
        self.start(core, &mut answered.again, SessionTimer::Success, interval);
        self.answered = Some(answered);
    }

    /// RFC 3261 §13.3.1.4: "the dialog is confirmed, but the session SHOULD be terminated".
    pub(super) fn not_acknowledged(&mut self, core: &mut Core) {
        if let Some(mut answered) = self.answered.take() {
            answered.stop(core);
        }
        let cause = self.bye_after_ack.take().flatten();
        self.give_up(core, EndReason::NotAcknowledged, cause);
    }

    /// ACK for a 2xx.
    pub(crate) fn on_ack(&mut self, core: &mut Core, request: &Request, seq: u32) {
        match &mut self.answered {
            Some(answered) if answered.seq == seq => answered.stop(core),
            Some(_) | None => return,
        }
        let first = self.answered.take().is_some_and(|answered| answered.first);
        let mut sdp = sdp_in(&request.headers, &request.body);
        if matches!(self.offers.asked, Asked::Success) {
            self.offers.asked = Asked::Nothing;
        } else {
            // Offer and answer went before; an ACK can't make another offer (RFC 6337 §2.1).
            sdp = None;
        }
        if let Some(cause) = self.bye_after_ack.take() {
            self.bye(core, cause);
            return;
        }
        let session = self.id;
        if first {
            self.tell(core, Event::Acknowledged { session, sdp });
        } else if let Some(sdp) = sdp {
            self.tell(core, Event::Answered { session, sdp });
        }
        self.send_queued_offer(core);
    }

    /// 300 to 699.
    pub(crate) fn refuse(&mut self, core: &mut Core, refusal: &Refusal) {
        let Stage::Ringing(ringing) = &self.stage else {
            return;
        };
        let status = if refusal.status.is_failure() {
            refusal.status
        } else {
            StatusCode::SERVER_INTERNAL_ERROR
        };
        if let Some(response) = core.response(ringing.invite, status) {
            let mut response = response.with_to_tag(&self.local_tag);
            let headers = &mut response.headers;
            if let Some(reason) = reason_value(refusal.cause) {
                headers.push(HeaderName::Reason, reason);
            }
            if let Some(seconds) = refusal.retry_after_s {
                let seconds = core.spread(seconds, headers);
                headers.push(HeaderName::RetryAfter, RetryAfter::new(seconds));
            }
            if let (Some((code, text)), Some(dialog)) = (&refusal.warning, self.dialogs.first()) {
                let warning = Warning {
                    code: *code,
                    agent: dialog.flow.local.to_string(),
                    text: text.clone(),
                };
                headers.push(HeaderName::Warning, warning);
            }
            core.respond(ringing.invite, &response);
        }
        self.silent = true;
        self.finish(core, None, None);
    }
}

fn millis(interval: Duration) -> u64 {
    u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)
}

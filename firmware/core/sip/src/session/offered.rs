//! The peer's offers: re-INVITE, UPDATE and PRACK (RFC 3261 §14.2, RFC 3311 §5.2).

use bytes::Bytes;

use super::offers::{Asked, Owed};
use super::{Session, Stage, put_response_sdp, sdp_in};
use crate::endpoint::{Core, Event};
use crate::message::{HeaderName, Headers, Method, Request, RetryAfter, StatusCode};
use crate::transaction::{ServerId, T1_64};

impl Session {
    /// re-INVITE (RFC 3261 §14.2).
    pub(super) fn on_reinvite(
        &mut self,
        core: &mut Core,
        server: ServerId,
        request: &Request,
        seq: u32,
    ) {
        if matches!(self.stage, Stage::Ringing(_))
            || matches!(self.offers.owed, Owed::Request { .. })
        {
            self.refuse_for_now(core, server);
            return;
        }
        // Ours is under way, or our 2xx has not been acknowledged (RFC 5407 §3.1.4).
        let busy = !matches!(self.stage, Stage::Confirmed)
            || !matches!(self.offers.asked, Asked::Nothing)
            || !matches!(self.offers.owed, Owed::Nothing)
            || self.answered.is_some();
        if busy {
            core.respond_status(server, StatusCode::REQUEST_PENDING);
            return;
        }
        if !self.check_interval(core, server, &request.headers) {
            return;
        }
        let sdp = sdp_in(&request.headers, &request.body);
        self.offers.owed = Owed::Request {
            server,
            invite: Some(seq),
            wanted: sdp.is_none(),
        };
        let session = self.id;
        self.tell(core, Event::Offered { session, sdp });
    }

    /// UPDATE (RFC 3311 §5.2).
    pub(super) fn on_update(&mut self, core: &mut Core, server: ServerId, request: &Request) {
        let sdp = sdp_in(&request.headers, &request.body);
        if sdp.is_some() && !self.may_offer(core, server) {
            return;
        }
        if matches!(self.stage, Stage::Confirmed)
            && !self.check_interval(core, server, &request.headers)
        {
            return;
        }
        match sdp {
            Some(sdp) => self.on_offer(core, server, Some(sdp)),
            None => self.answer_request(core, server, None),
        }
    }

    /// RFC 3311 §5.2: 500 while the peer's own offer is open, 491 while ours is. Where the exchange has
    /// ended the session, and only waits to say so, nobody would answer.
    fn may_offer(&mut self, core: &mut Core, server: ServerId) -> bool {
        if self.silent {
            core.respond_status(server, StatusCode::CALL_DOES_NOT_EXIST);
            return false;
        }
        if !matches!(self.offers.owed, Owed::Nothing) {
            self.refuse_for_now(core, server);
            return false;
        }
        if !matches!(self.offers.asked, Asked::Nothing) {
            core.respond_status(server, StatusCode::REQUEST_PENDING);
            return false;
        }
        true
    }

    /// An offer in an UPDATE or PRACK goes to the exchange.
    pub(super) fn on_offer(&mut self, core: &mut Core, server: ServerId, sdp: Option<Bytes>) {
        if !self.may_offer(core, server) {
            return;
        }
        self.offers.owed = Owed::Request {
            server,
            invite: None,
            wanted: false,
        };
        let session = self.id;
        self.tell(core, Event::Offered { session, sdp });
    }

    /// The answer of the exchange, or its offer where one was wanted.
    pub(crate) fn answer(&mut self, core: &mut Core, sdp: Bytes) {
        if self.silent {
            return;
        }
        match core::mem::replace(&mut self.offers.owed, Owed::Nothing) {
            Owed::Nothing => {}
            Owed::Invite => self.offers.owed = Owed::Invite,
            Owed::Ack { seq } => self.acknowledge(core, seq, Some(sdp)),
            Owed::Prack { tag, rack } => {
                let at = self
                    .dialogs
                    .iter()
                    .position(|dialog| dialog.remote_tag == tag);
                if let Some(at) = at {
                    self.prack(core, at, rack, Some(sdp));
                    if let Some(dialog) = self.dialogs.get_mut(at) {
                        dialog.answered = true;
                    }
                }
            }
            Owed::Request {
                server,
                invite: Some(seq),
                wanted,
            } => {
                if wanted {
                    self.offers.asked = Asked::Success;
                }
                self.success(core, server, seq, false, Some(sdp));
            }
            Owed::Request {
                server,
                invite: None,
                ..
            } => self.answer_request(core, server, Some(sdp)),
        }
        self.send_queued_offer(core);
    }

    /// The exchange does not want the offer.
    pub(crate) fn refuse_offer(&mut self, core: &mut Core, status: StatusCode) {
        match core::mem::replace(&mut self.offers.owed, Owed::Nothing) {
            Owed::Nothing => {}
            Owed::Invite => self.offers.owed = Owed::Invite,
            // RFC 3261 §13.2.2.4: a 2xx can't be refused; it is acknowledged, and the session ended.
            Owed::Ack { seq } => {
                self.acknowledge(core, seq, None);
                self.end(core, None);
            }
            Owed::Prack { .. } => self.end(core, None),
            Owed::Request { server, .. } => {
                let status = if status.is_failure() {
                    status
                } else {
                    StatusCode::NOT_ACCEPTABLE_HERE
                };
                core.respond_status(server, status);
            }
        }
        self.send_queued_offer(core);
    }

    /// 200 to UPDATE or PRACK.
    fn answer_request(&mut self, core: &mut Core, server: ServerId, sdp: Option<Bytes>) {
        let Some(mut response) = core.response(server, StatusCode::OK) else {
            return;
        };
        let method = core
            .servers
            .get(server)
            .and_then(|transaction| transaction.request.as_ref())
            .map(|request| request.method.clone());
        if method == Some(Method::Update) {
            self.take_changes(core, server);
            self.describe_update(core, &mut response.headers);
        }
        if let Some(sdp) = sdp {
            self.local_sdp = Some(sdp.clone());
            put_response_sdp(core, &mut response, sdp);
        }
        core.respond(server, &response);
    }

    /// What an accepted re-INVITE or UPDATE changes beside the offer: the peer's target, and the
    /// session timer. One that is refused changes nothing (RFC 3261 §14.2, RFC 3311 §5.2).
    pub(super) fn take_changes(&mut self, core: &Core, server: ServerId) {
        let transaction = core.servers.get(server);
        let Some(request) = transaction.and_then(|transaction| transaction.request.as_ref()) else {
            return;
        };
        let headers = &request.headers;
        let from = headers.from();
        let tag = from.as_ref().ok().and_then(|from| from.tag());
        let tag = tag.unwrap_or_default();
        let dialog = self
            .dialogs
            .iter_mut()
            .find(|dialog| *dialog.remote_tag == *tag);
        if let Some(dialog) = dialog {
            dialog.refresh(headers);
        }
        if matches!(self.stage, Stage::Confirmed) {
            self.agree_on_interval(core, headers);
        }
    }

    fn describe_update(&mut self, core: &mut Core, headers: &mut Headers) {
        headers.push(HeaderName::Contact, self.contact.clone());
        core.values.introduce(headers);
        if matches!(self.stage, Stage::Confirmed) {
            self.refresh.answer(headers);
            self.restart_refresh(core);
        }
    }

    /// 500 with Retry-After (RFC 3261 §14.2, RFC 3311 §5.2).
    fn refuse_for_now(&mut self, core: &mut Core, server: ServerId) {
        let Some(mut response) = core.response(server, StatusCode::SERVER_INTERNAL_ERROR) else {
            return;
        };
        let seconds = core.random.below(11);
        response
            .headers
            .push(HeaderName::RetryAfter, RetryAfter::new(seconds));
        core.respond(server, &response);
    }

    /// The peer waits for an answer that will not come any more.
    pub(super) fn drop_owed(&mut self, core: &mut Core) {
        if let Owed::Request { server, .. } =
            core::mem::replace(&mut self.offers.owed, Owed::Nothing)
        {
            // RFC 3261 §15.1.2
            core.respond_status(server, StatusCode::REQUEST_TERMINATED);
        }
    }

    /// Our re-INVITE, if one is under way, need not last longer than any other request now.
    pub(super) fn bound_asked(&self, core: &mut Core) {
        if let Asked::Request { client, .. } = &self.offers.asked {
            core.bound(*client, T1_64);
        }
    }

    /// The transaction that the exchange should have answered has ended.
    pub(super) fn owed_timed_out(&mut self, server: ServerId) {
        if matches!(&self.offers.owed, Owed::Request { server: own, .. } if *own == server) {
            self.offers.owed = Owed::Nothing;
        }
    }
}

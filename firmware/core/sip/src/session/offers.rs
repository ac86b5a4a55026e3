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

use super::{Session, SessionTimer, Stage, put_request_sdp, put_response_sdp, sdp_of};
use crate::endpoint::{ClientUser, Core, EndReason, Event, Outcome, Purpose, TimerHandle};
use crate::message::{
    HeaderName, Headers, Method, RAck, Request, Response, RetryAfter, StatusCode,
};
use crate::transaction::{ClientId, ServerId, T1_64};

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
    queued: Option<(Bytes, bool)>,
    glare: Option<TimerHandle>,
    /// How often the offer was sent again.
    retries: u8,
    /// We made the Call-ID.
    pub(super) owns_call_id: bool,
}

/// How long a peer may think about a re-INVITE after its last word: Timer C (RFC 3261 §16.6).
const REINVITE_LIMIT: Duration = Duration::from_secs(180);
/// A peer that always answers 491 is broken.
const RETRIES: u8 = 5;

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

    const fn is_idle(&self) -> bool {
        matches!(self.owed, Owed::Nothing)
            && matches!(self.asked, Asked::Nothing)
            && self.refreshing.is_none()
            && self.glare.is_none()
    }
}

/// Ours.
impl Session {
    /// Makes an offer, now or as soon as it can be made.
    pub(crate) fn offer(&mut self, core: &mut Core, sdp: Bytes) {
        if self.silent || matches!(self.stage, Stage::Over | Stage::Ending { .. }) {
            return;
        }
        self.offers.queued = Some((sdp, true));
        self.offers.retries = 0;
        self.send_queued_offer(core);
    }

    pub(super) fn send_queued_offer(&mut self, core: &mut Core) {
        // RFC 3261 §14.1: no INVITE while another one is under way in either direction.
        if !self.offers.is_idle() || self.answered.is_some() || self.silent {
            return;
        }
        let method = match &self.stage {
            Stage::Confirmed => Method::Invite,
            Stage::Calling(_) | Stage::Ringing(_) if self.can_update() => Method::Update,
            Stage::Calling(_) | Stage::Ringing(_) | Stage::Ending { .. } | Stage::Over => return,
        };
        if let Some((sdp, told)) = self.offers.queued.take() {
            self.send_offer(core, method, sdp, told);
        }
    }

    /// In an early dialog UPDATE can carry an offer once the first one has been answered reliably
    /// (RFC 3311 §5.1).
    fn can_update(&self) -> bool {
        let [dialog] = self.dialogs.as_slice() else {
            return false;
        };
        let answered = match &self.stage {
            Stage::Calling(_) => dialog.answered,
            Stage::Ringing(ringing) => ringing.described,
            Stage::Confirmed => true,
            Stage::Ending { .. } | Stage::Over => false,
        };
        dialog.peer.update && answered
    }

    fn send_offer(&mut self, core: &mut Core, method: Method, sdp: Bytes, told: bool) {
        let Some(client) = self.target_refresh(core, method, Some(sdp.clone())) else {
            return;
        };
        self.offers.asked = Asked::Request { client, sdp, told };
    }

    /// Sends re-INVITE or UPDATE.
    fn target_refresh(
        &mut self,
        core: &mut Core,
        method: Method,
        sdp: Option<Bytes>,
    ) -> Option<ClientId> {
        let purpose = if method == Method::Invite {
            Purpose::Reinvite
        } else {
            Purpose::Update
        };
        let dialog = self.dialogs.first_mut()?;
        let flow = dialog.flow;
        let mut request = dialog.request(method, &core.values);
        let headers = &mut request.headers;
        headers.push(HeaderName::Contact, self.contact.clone());
        // Without 100rel: a re-INVITE is answered at once, provisional responses say nothing.
        headers.push(HeaderName::Allow, core.values.allow.clone());
        headers.push(HeaderName::Supported, "timer, replaces, norefersub");
        if matches!(self.stage, Stage::Confirmed) {
            self.refresh.ask(core, headers);
        }
        if let Some(sdp) = sdp {
            put_request_sdp(core, &mut request, sdp);
        }
        let user = ClientUser {
            session: self.id,
            purpose,
        };
        Some(core.request(flow, request, user))
    }

    /// Refreshes the session (RFC 4028 §7.4); false where something else is under way.
    pub(super) fn send_refresh(&mut self, core: &mut Core) -> bool {
        if !self.offers.is_idle() || self.answered.is_some() {
            return false;
        }
        let update = self
            .dialogs
            .first()
            .is_some_and(|dialog| dialog.peer.update);
        match (update, self.local_sdp.clone()) {
            (false, Some(sdp)) => self.send_offer(core, Method::Invite, sdp, false),
            (true, _) | (false, None) => {
                self.offers.refreshing = self.target_refresh(core, Method::Update, None);
            }
        }
        true
    }

    /// What came of a re-INVITE or UPDATE of ours.
    pub(super) fn on_target_refresh(
        &mut self,
        core: &mut Core,
        id: ClientId,
        invite: bool,
        outcome: Outcome,
    ) {
        let status = match outcome {
            Outcome::Response(response) if response.status.is_provisional() => {
                core.bound(id, REINVITE_LIMIT);
                return;
            }
            Outcome::Response(response) if response.status.is_success() => {
                self.refreshed(core, id, invite, &response);
                return;
            }
            Outcome::Response(response) => {
                if self.try_again(core, id, &response) {
                    return;
                }
                response.status
            }
            Outcome::Timeout => StatusCode::REQUEST_TIMEOUT,
            Outcome::TransportFailed => StatusCode::SERVICE_UNAVAILABLE,
        };
        let told = self.close_request(id);
        // RFC 3261 §12.2.1.2
        if status == StatusCode::CALL_DOES_NOT_EXIST || status == StatusCode::REQUEST_TIMEOUT {
            self.give_up(core, EndReason::DialogGone, None);
            return;
        }
        if told.is_some_and(|(_, told)| told) {
            let session = self.id;
            self.tell(core, Event::OfferRefused { session, status });
        }
        self.send_queued_offer(core);
    }

    fn refreshed(&mut self, core: &mut Core, id: ClientId, invite: bool, response: &Response) {
        let Ok(cseq) = response.headers.cseq() else {
            return;
        };
        let ours = matches!(&self.offers.asked, Asked::Request { client, .. } if *client == id)
            || self.offers.refreshing == Some(id);
        if !ours {
            // The 2xx again, for its ACK was lost.
            if invite {
                self.acknowledge_again(core, cseq.seq);
            }
            return;
        }
        if let Some(dialog) = self.dialogs.first_mut() {
            dialog.refresh(&response.headers);
        }
        if invite {
            self.acknowledge(core, cseq.seq, None);
        }
        let Some((offer, told)) = self.close_request(id) else {
            self.take_session_expires(core, &response.headers);
            return;
        };
        if matches!(self.stage, Stage::Confirmed) {
            self.take_session_expires(core, &response.headers);
        }
        self.offers.retries = 0;
        let session = self.id;
        match (told, sdp_of(response)) {
            (true, Some(sdp)) => {
                self.local_sdp = Some(offer);
                self.tell(core, Event::Answered { session, sdp });
            }
            // RFC 3264 wants an answer; without one nothing has changed.
            (true, None) => {
                let status = StatusCode::NOT_ACCEPTABLE_HERE;
                self.tell(core, Event::OfferRefused { session, status });
            }
            (false, _) => {}
        }
        self.send_queued_offer(core);
    }

    /// Forgets the request; its offer, and whether the exchange made it.
    fn close_request(&mut self, id: ClientId) -> Option<(Bytes, bool)> {
        if self.offers.refreshing == Some(id) {
            self.offers.refreshing = None;
            return None;
        }
        match core::mem::replace(&mut self.offers.asked, Asked::Nothing) {
            Asked::Request { client, sdp, told } if client == id => Some((sdp, told)),
            other => {
                self.offers.asked = other;
                None
            }
        }
    }

    /// 491 is tried again after a time of chance, 500 when it says so, 422 at once.
    fn try_again(&mut self, core: &mut Core, id: ClientId, response: &Response) -> bool {
        let wait_ms = match response.status {
            StatusCode::REQUEST_PENDING => self.glare_ms(core),
            StatusCode::SERVER_INTERNAL_ERROR => match response.headers.retry_after() {
                // RFC 3261 §14.2: "chosen randomly … between 0 and 10"
                Ok(Some(retry)) if retry.seconds <= 10 => u64::from(retry.seconds) * 1000,
                Ok(_) | Err(_) => return false,
            },
            StatusCode::SESSION_INTERVAL_TOO_SMALL => match response.headers.min_se() {
                Ok(Some(min_se)) => {
                    self.refresh.raise(min_se);
                    0
                }
                Ok(None) | Err(_) => return false,
            },
            _ => return false,
        };
        if self.offers.retries >= RETRIES {
            return false;
        }
        self.offers.retries += 1;
        let again = self.close_request(id);
        // A newer offer of the exchange takes the place of this one.
        if self.offers.queued.is_none() {
            self.offers.queued = again;
        }
        let mut glare = self.offers.glare.take();
        self.start(core, &mut glare, SessionTimer::Glare, wait_ms);
        self.offers.glare = glare;
        true
    }

    /// RFC 3261 §14.1: the owner of the Call-ID waits longer, so that they don't meet again.
    fn glare_ms(&self, core: &mut Core) -> u64 {
        if self.offers.owns_call_id {
            u64::from(core.random.below(190)) * 10 + 2100
        } else {
            u64::from(core.random.below(200)) * 10
        }
    }

    pub(super) fn glare_over(&mut self, core: &mut Core) {
        self.offers.glare = None;
        if self.offers.queued.is_some() {
            self.send_queued_offer(core);
        } else if matches!(self.stage, Stage::Confirmed) {
            self.send_refresh(core);
        }
    }
}

/// The peer's.
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
        if !self.agree_on_interval(core, server, &request.headers) {
            return;
        }
        if let Some(dialog) = self.dialogs.first_mut() {
            dialog.refresh(&request.headers);
        }
        let sdp = super::sdp_in(&request.headers, &request.body);
        self.offers.owed = Owed::Request {
            server,
            invite: Some(seq),
            wanted: sdp.is_none(),
        };
        let session = self.id;
        self.tell(core, Event::Offered { session, sdp });
    }

    /// UPDATE (RFC 3311 §5.2).
    pub(super) fn on_update(
        &mut self,
        core: &mut Core,
        at: usize,
        server: ServerId,
        request: &Request,
    ) {
        let sdp = super::sdp_in(&request.headers, &request.body);
        if sdp.is_some() && !self.may_offer(core, server) {
            return;
        }
        if matches!(self.stage, Stage::Confirmed)
            && !self.agree_on_interval(core, server, &request.headers)
        {
            return;
        }
        if let Some(dialog) = self.dialogs.get_mut(at) {
            dialog.refresh(&request.headers);
        }
        match sdp {
            Some(sdp) => self.on_offer(core, server, Some(sdp)),
            None => self.answer_request(core, server, None),
        }
    }

    /// RFC 3311 §5.2: 500 while the peer's own offer is open, 491 while ours is.
    fn may_offer(&mut self, core: &mut Core, server: ServerId) -> bool {
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
            .map(|transaction| transaction.request.method.clone());
        if method == Some(Method::Update) {
            self.describe_update(core, &mut response.headers);
        }
        if let Some(sdp) = sdp {
            self.local_sdp = Some(sdp.clone());
            put_response_sdp(core, &mut response, sdp);
        }
        core.respond(server, &response);
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

//! Our offers: re-INVITE and UPDATE (RFC 3261 §14.1, RFC 3311 §5.1).

use bytes::Bytes;

use super::offers::{Asked, REINVITE_LIMIT, RETRIES};
use super::{Session, SessionTimer, Stage, put_request_sdp, sdp_of};
use crate::endpoint::{Core, EndReason, Event, Outcome, Purpose};
use crate::message::{HeaderName, Method, Response, StatusCode};
use crate::transaction::ClientId;

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
        Some(self.send(core, flow, request, purpose))
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
        let refreshing = self.offers.refreshing == Some(id);
        let told = self.close_request(id);
        if refreshing && self.has_no_update(status) {
            self.time_to_refresh(core);
            return;
        }
        // RFC 3261 §12.2.1.2
        if status == StatusCode::CALL_DOES_NOT_EXIST || status == StatusCode::REQUEST_TIMEOUT {
            self.give_up(core, EndReason::DialogGone, None);
            return;
        }
        if told.is_some_and(|(_, told)| told) {
            let session = self.id;
            self.tell(core, Event::OfferRefused { session, status });
        }
        self.refresh_later(core);
        self.send_queued_offer(core);
    }

    /// A peer that names UPDATE in `Allow` and does not know it is refreshed by re-INVITE.
    fn has_no_update(&mut self, status: StatusCode) -> bool {
        let unknown =
            status == StatusCode::METHOD_NOT_ALLOWED || status == StatusCode::NOT_IMPLEMENTED;
        let can_reinvite = self.local_sdp.is_some();
        if let (true, true, Some(dialog)) = (unknown, can_reinvite, self.dialogs.first_mut()) {
            dialog.peer.update = false;
            return true;
        }
        false
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
        self.offers.retries = 0;
        let Some((offer, told)) = self.close_request(id) else {
            self.take_session_expires(core, &response.headers);
            return;
        };
        if matches!(self.stage, Stage::Confirmed) {
            self.take_session_expires(core, &response.headers);
        }
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
            // What it was asked before; it may answer otherwise now.
            (false, Some(sdp)) => self.tell(core, Event::AnsweredAnew { session, sdp }),
            (false, None) => {}
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
            self.time_to_refresh(core);
        }
    }
}

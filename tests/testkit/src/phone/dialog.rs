//! In a call: new offers, hold, the session timer, digits, BYE (RFC 3261 §12.2, §14, §15; RFC 3311;
//! RFC 4028).

use core::time::Duration;

use model::Instant;
use rsip::Method;

use super::call::{Pending, Session};
use super::message::{Basics, Draft, Msg, param};
use super::sdp::{Description, Direction};
use super::transactions::{Client, Purpose, Request};
use super::{End, Keys, Phone, State};

impl Phone {
    /// The next `CSeq` number of a call.
    pub(super) fn next_seq(&mut self, index: usize) -> u32 {
        let old = self.profile.quirks.old_cseq;
        let call = &mut self.calls[index];
        if old {
            call.seq = call.seq.saturating_sub(1);
        } else {
            call.seq += 1;
        }
        call.seq
    }

    /// A request in the dialog.
    pub(super) fn request_in(
        &mut self,
        now: Instant,
        index: usize,
        method: Method,
        headers: Vec<(String, String)>,
        body: Option<(&'static str, String)>,
        purpose: Purpose,
    ) {
        let seq = self.next_seq(index);
        let call = &self.calls[index];
        let mut request = Request {
            method,
            uri: call.target.clone(),
            from: call.local_value(),
            to: call.peer_value(),
            call_id: call.call_id.clone(),
            seq,
            headers,
            body,
        };
        if self.profile.quirks.replays_count {
            self.put_credentials(&mut request);
        }
        self.request(now, request, purpose, 0);
    }

    /// BYE; the call is over for us at once.
    pub(super) fn bye(&mut self, now: Instant, index: usize) {
        self.bye_request(now, index);
        self.end(index, End::HungUp);
    }

    pub(super) fn bye_request(&mut self, now: Instant, index: usize) {
        self.request_in(
            now,
            index,
            Method::Bye,
            Vec::new(),
            None,
            Purpose::Bye(index),
        );
    }

    /// Makes an offer with this direction: hold is `SendOnly`.
    pub(crate) fn offer(&mut self, now: Instant, index: usize, direction: Direction) {
        if !self.calls[index].is_up() {
            return;
        }
        let by_update = self.profile.update;
        self.calls[index].pending = Some(Pending { direction });
        self.calls[index].direction = direction;
        let text = self.describe(index, direction, None);
        self.calls[index].we_offered = true;
        let headers = self.refresh_headers(index);
        let (method, purpose) = if by_update {
            (Method::Update, Purpose::Update(index))
        } else {
            (Method::Invite, Purpose::Reinvite(index))
        };
        self.request_in(
            now,
            index,
            method,
            headers,
            Some(("application/sdp", text)),
            purpose,
        );
    }

    /// Its sound moves to another port, and it says so by a new offer.
    pub(crate) fn move_media(&mut self, now: Instant, index: usize) {
        let port = self.next_port;
        self.next_port += 2;
        self.calls[index].sound.port = port;
        let direction = self.calls[index].direction;
        self.offer(now, index, direction);
    }

    fn refresh_headers(&self, index: usize) -> Vec<(String, String)> {
        let mut headers = self.invite_headers();
        if let Some(session) = self.calls[index].session {
            headers.retain(|(name, _)| name != "Session-Expires");
            let refresher = if session.we_refresh { "uac" } else { "uas" };
            let value = format!("{};refresher={refresher}", session.interval.as_secs());
            headers.push(("Session-Expires".into(), value));
        }
        headers
    }

    /// A re-INVITE or UPDATE has its final response.
    pub(super) fn offer_finished(
        &mut self,
        now: Instant,
        index: usize,
        client: &Client,
        status: u16,
        msg: &Msg,
        basics: &Basics,
    ) {
        self.calls[index].renegotiated = Some(status);
        let invite = basics.method == Method::Invite;
        if status < 300 {
            let had_offer = client.request.body.is_some();
            let mut answer = None;
            if had_offer {
                self.described(now, index, msg);
            } else if invite {
                answer = self.answer_to(index, &msg.body());
            }
            if invite {
                self.acknowledge(index, client.request.seq, answer);
            }
            self.calls[index].pending = None;
            self.session_agreed(now, index, msg, true);
            return;
        }
        self.calls[index].pending = None;
        match status {
            // RFC 3261 §14.1: who made the Call-ID waits longer.
            491 => {
                let (least, spread) = if self.calls[index].outgoing {
                    (2100, 1900)
                } else {
                    (0, 2000)
                };
                let wait = least + self.chance.below(spread);
                self.calls[index].retry_offer_at = Some(now + Duration::from_millis(wait));
            }
            408 | 481 => {
                self.bye(now, index);
            }
            _ => {}
        }
    }

    /// A request came in a dialog.
    pub(super) fn in_dialog(&mut self, now: Instant, method: Method, msg: &Msg, basics: &Basics) {
        let quirks = self.profile.quirks;
        let found = (self.dialog(basics)).filter(|index| {
            !quirks.forgets && (!self.calls[*index].is_over() || method == Method::Notify)
        });
        let Some(index) = found else {
            self.respond(now, msg, basics, 481, |draft| draft);
            return;
        };
        let call = &mut self.calls[index];
        if let Some(last) = call.remote_seq
            && basics.seq <= last
        {
            self.out_of_order += 1;
            self.respond(now, msg, basics, 500, |draft| draft);
            return;
        }
        call.remote_seq = Some(basics.seq);
        match method {
            Method::Bye if quirks.ignores_bye => {}
            Method::Bye => {
                call.reason = msg.header("Reason").map(str::to_owned);
                self.respond(now, msg, basics, 200, |draft| draft);
                self.end(index, End::Bye);
            }
            Method::Notify if quirks.refuses_notify => {
                self.respond(now, msg, basics, 481, |draft| draft);
            }
            Method::Notify => {
                self.respond(now, msg, basics, 200, |draft| draft);
                self.notified(now, index, msg);
            }
            Method::Invite | Method::Update => self.offered(now, index, method, msg, basics),
            Method::PRack => {
                let rack = msg
                    .header("RAck")
                    .and_then(|value| value.split(' ').next()?.parse().ok());
                let call = &mut self.calls[index];
                let fits = call
                    .awaits_prack
                    .as_ref()
                    .is_some_and(|(rseq, ..)| rack == Some(*rseq));
                if fits {
                    call.awaits_prack = None;
                }
                let status = if fits { 200 } else { 481 };
                self.respond(now, msg, basics, status, |draft| draft);
            }
            Method::Info | Method::Options => self.respond(now, msg, basics, 200, |draft| draft),
            Method::Ack
            | Method::Cancel
            | Method::Message
            | Method::Publish
            | Method::Refer
            | Method::Register
            | Method::Subscribe => self.respond(now, msg, basics, 405, |draft| draft),
        }
    }

    /// A re-INVITE or UPDATE came.
    fn offered(&mut self, now: Instant, index: usize, method: Method, msg: &Msg, basics: &Basics) {
        let call = &mut self.calls[index];
        call.offers_heard += 1;
        if call.is_over() {
            self.respond(now, msg, basics, 481, |draft| draft);
            return;
        }
        if call.pending.is_some() {
            self.respond(now, msg, basics, 491, |draft| draft);
            return;
        }
        if let Some(target) = msg.contact() {
            call.target = target;
        }
        let offered = msg.header("Content-Type").is_some();
        let sdp = if offered {
            let answer = self.answer_to(index, &msg.body());
            if answer.is_none() {
                self.respond(now, msg, basics, 488, |draft| draft);
                return;
            }
            answer
        } else if method == Method::Invite {
            self.calls[index].we_offered = true;
            let direction = self.calls[index].direction;
            Some(self.describe(index, direction, None))
        } else {
            None
        };
        let session = self.session_answer(now, index, msg);
        let contact = self.contact();
        let allow = self.profile.allow();
        let tag = self.calls[index].local_tag.clone();
        let draft = Draft::response(msg, 200, &tag)
            .with("Contact", contact)
            .with("Allow", allow)
            .with_some("Session-Expires", session)
            .sdp(sdp);
        self.respond_with(
            now,
            &basics.branch,
            method,
            200,
            draft.octets(),
            Some(index),
        );
    }

    /// The `Session-Expires` of our 2xx; the timer runs from now.
    pub(super) fn session_answer(
        &mut self,
        now: Instant,
        index: usize,
        msg: &Msg,
    ) -> Option<String> {
        if !(self.profile.knows_timer || self.profile.session_s.is_some()) {
            return None;
        }
        let asked = msg.header("Session-Expires")?;
        let seconds: u64 = asked.split(';').next()?.trim().parse().ok()?;
        // RFC 4028 §9: it may be lowered.
        let seconds = self
            .profile
            .session_s
            .map_or(seconds, |ours| seconds.min(ours.into()));
        // RFC 4028 §9: what the request says holds; else we choose.
        let refresher = match param(asked, "refresher") {
            Some(refresher) => refresher.to_owned(),
            None if self.profile.refreshes => "uas".to_owned(),
            None => "uac".to_owned(),
        };
        self.start_session(now, index, seconds, refresher == "uas");
        Some(format!("{seconds};refresher={refresher}"))
    }

    /// A 2xx came to our INVITE or UPDATE.
    pub(super) fn session_agreed(&mut self, now: Instant, index: usize, msg: &Msg, uac: bool) {
        let Some(value) = msg.header("Session-Expires") else {
            self.calls[index].session = None;
            return;
        };
        let seconds = value
            .split(';')
            .next()
            .and_then(|text| text.trim().parse().ok());
        let Some(seconds) = seconds else {
            self.complaints.push(format!("Session-Expires: {value}"));
            return;
        };
        let we = param(value, "refresher") == Some(if uac { "uac" } else { "uas" });
        if self.profile.knows_timer || self.profile.session_s.is_some() {
            self.start_session(now, index, seconds, we);
        }
    }

    fn start_session(&mut self, now: Instant, index: usize, seconds: u64, we_refresh: bool) {
        let interval = Duration::from_secs(seconds);
        // RFC 4028 §10: half of it to refresh; a third before its end to give up.
        let at = if we_refresh {
            now + interval / 2
        } else {
            now + interval - (interval / 3).min(Duration::from_secs(32))
        };
        self.calls[index].session = Some(Session {
            interval,
            we_refresh,
            at,
        });
    }

    pub(super) fn session_timer(&mut self, now: Instant, index: usize) {
        let Some(session) = self.calls[index]
            .session
            .filter(|session| session.at <= now)
        else {
            return;
        };
        if !self.calls[index].is_up() {
            return;
        }
        self.calls[index].session = None;
        if !session.we_refresh {
            self.bye(now, index);
            return;
        }
        self.calls[index].refreshes += 1;
        self.calls[index].session = Some(session);
        if self.profile.update {
            let headers = self.refresh_headers(index);
            self.request_in(
                now,
                index,
                Method::Update,
                headers,
                None,
                Purpose::Update(index),
            );
        } else {
            let direction = self.calls[index].direction;
            self.offer(now, index, direction);
        }
        if let Some(session) = &mut self.calls[index].session {
            session.at = now + session.interval;
        }
    }

    /// A key is pressed.
    pub(crate) fn press(&mut self, now: Instant, index: usize, digit: char, keys: Keys) {
        match keys {
            Keys::Rtp => self.calls[index].sound.press(digit),
            Keys::Info => {
                let body = format!("Signal={digit}\r\nDuration=160\r\n");
                let body = Some(("application/dtmf-relay", body));
                self.request_in(now, index, Method::Info, Vec::new(), body, Purpose::Other);
            }
        }
    }

    /// Any request in the dialog, for scenarios that need odd ones.
    pub(crate) fn odd_request(
        &mut self,
        now: Instant,
        index: usize,
        method: Method,
        headers: Vec<(String, String)>,
        body: Option<(&'static str, String)>,
    ) {
        let purpose = match method {
            Method::Invite => Purpose::Reinvite(index),
            _ => Purpose::Other,
        };
        self.request_in(now, index, method, headers, body, purpose);
    }

    /// OPTIONS outside of any dialog.
    pub(crate) fn options(&mut self, now: Instant) {
        let aor = format!("<{}>", self.exchange_uri(&self.profile.number));
        let request = Request {
            method: Method::Options,
            uri: format!("sip:{}", self.exchange.ip()),
            from: format!("{aor};tag={}", self.chance.token()),
            to: format!("<sip:{}>", self.exchange.ip()),
            call_id: self.chance.token(),
            seq: 1,
            headers: vec![("Contact".into(), self.contact())],
            body: None,
        };
        self.request(now, request, Purpose::Other, 0);
    }

    /// The direction the other side wants now.
    #[must_use]
    pub fn remote_direction(&self, index: usize) -> Option<Direction> {
        let remote: Option<&Description> = self.calls.get(index)?.remote.as_ref();
        remote.map(|remote| remote.direction)
    }

    /// Calls that are up.
    #[must_use]
    pub fn calls_up(&self) -> usize {
        self.calls
            .iter()
            .filter(|call| matches!(call.state, State::Answered | State::Talking))
            .count()
    }
}

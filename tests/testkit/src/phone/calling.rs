//! The calling side: INVITE, what comes of it, CANCEL (RFC 3261 §13.2, §9.1; RFC 3262).

use core::time::Duration;

use model::Instant;
use rsip::Method;

use super::call::Pending;
use super::message::{Basics, Msg};
use super::sdp::{Description, Direction};
use super::transactions::{Client, Purpose, Request};
use super::{Call, End, Phone, Reliable, Sound, Srtp, State};

impl Phone {
    /// A new call, not yet sent.
    pub(super) fn new_call(&mut self, outgoing: bool) -> Call {
        let port = self.next_port;
        self.next_port = self.next_port.wrapping_add(2).max(20_000);
        let id = self.chance.next() & 0x7fff_ffff;
        Call {
            state: if outgoing {
                State::Calling(0)
            } else {
                State::Ringing
            },
            outgoing,
            heard: Vec::new(),
            sound: Sound::new(port, self.chance.next()),
            remote: None,
            direction: Direction::SendRecv,
            notified: Vec::new(),
            referred: None,
            renegotiated: None,
            offers_heard: 0,
            refreshes: 0,
            reason: None,
            shown: None,
            call_id: self.chance.token(),
            local_tag: self.chance.token(),
            remote_tag: None,
            local: String::new(),
            peer: String::new(),
            target: String::new(),
            seq: 1,
            invite_seq: 1,
            remote_seq: None,
            invite: None,
            invite_branch: String::new(),
            origin: (id, id),
            description: None,
            pending: None,
            we_offered: false,
            acks: Vec::new(),
            answer_at: None,
            retry_offer_at: None,
            session: None,
            rseq: None,
            our_rseq: 0,
            awaits_prack: None,
            cancelling: false,
            early_media: false,
            extra: Vec::new(),
        }
    }

    /// Calls a number; returns which call it is.
    pub(crate) fn dial(
        &mut self,
        now: Instant,
        number: &str,
        extra: Vec<(String, String)>,
    ) -> usize {
        let mut call = self.new_call(true);
        let user = self
            .profile
            .quirks
            .foreign_from
            .unwrap_or(&self.profile.number);
        call.local = format!("<{}>", self.exchange_uri(user));
        call.target = self.exchange_uri(number);
        call.peer = format!("<{}>", call.target);
        call.extra = extra;
        self.calls.push(call);
        let index = self.calls.len() - 1;
        let offer =
            (!self.profile.offerless).then(|| self.describe(index, Direction::SendRecv, None));
        self.calls[index].we_offered = offer.is_some();
        let request = self.invite_request(index, offer);
        let branch = self.request(now, request, Purpose::Invite(index), 0);
        self.calls[index].invite_branch = branch;
        index
    }

    fn invite_request(&mut self, index: usize, offer: Option<String>) -> Request {
        let mut headers = self.invite_headers();
        if self.profile.reliable == Reliable::Required {
            headers.push(("Require".into(), "100rel".into()));
        }
        let call = &self.calls[index];
        headers.extend(call.extra.clone());
        Request {
            method: Method::Invite,
            uri: call.target.clone(),
            from: call.local_value(),
            to: call.peer.clone(),
            call_id: call.call_id.clone(),
            seq: call.seq,
            headers,
            body: offer.map(|text| ("application/sdp", text)),
        }
    }

    /// Headers of every INVITE and UPDATE.
    pub(super) fn invite_headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("Contact".into(), self.contact()),
            ("Allow".into(), self.profile.allow().into()),
            ("User-Agent".into(), format!("Testkit {}", self.name)),
        ];
        headers.extend(
            self.profile
                .supported()
                .map(|tags| ("Supported".into(), tags)),
        );
        if let Some(seconds) = self.profile.session_s {
            headers.push(("Session-Expires".into(), seconds.to_string()));
        }
        headers
    }

    pub(super) fn provisional(
        &mut self,
        now: Instant,
        index: usize,
        status: u16,
        msg: &Msg,
        basics: &Basics,
    ) {
        let call = &mut self.calls[index];
        call.heard.push(status);
        if call.cancelling && !call.is_over() && call.heard.len() == 1 {
            self.send_cancel(now, index);
        }
        let call = &mut self.calls[index];
        if !matches!(call.state, State::Calling(_)) {
            return;
        }
        call.state = State::Calling(status);
        if call.remote_tag.is_none() {
            call.remote_tag.clone_from(&basics.to_tag);
        }
        let rseq: Option<u32> = msg.header("RSeq").and_then(|value| value.parse().ok());
        let reliable = msg.lists("Require", "100rel");
        if reliable && let Some(rseq) = rseq {
            let first = call.rseq.is_none_or(|last| rseq == last + 1);
            if !first && call.rseq.is_none_or(|last| rseq > last) {
                return;
            }
            call.rseq = call.rseq.max(Some(rseq));
            if let Some(target) = msg.contact() {
                call.target = target;
            }
            if first && !self.profile.quirks.never_pracks {
                let rack = format!("{rseq} {} INVITE", basics.seq);
                let extra = vec![("RAck".to_owned(), rack)];
                self.request_in(
                    now,
                    index,
                    Method::PRack,
                    extra,
                    None,
                    Purpose::Prack(index),
                );
            }
        }
        if status > 100 && msg.header("Content-Type").is_some() {
            self.described(now, index, msg);
            self.calls[index].early_media = true;
        }
    }

    pub(super) fn invite_finished(
        &mut self,
        now: Instant,
        index: usize,
        client: &Client,
        status: u16,
        msg: &Msg,
        basics: &Basics,
    ) {
        self.calls[index].heard.push(status);
        if status == 422 {
            let least = msg.header("Min-SE").and_then(|value| value.parse().ok());
            self.profile.session_s = least;
            let mut request = client.request.clone();
            request.replace("Session-Expires", least.unwrap_or(1800).to_string());
            request.replace("Min-SE", least.unwrap_or(1800).to_string());
            request.seq = self.next_seq(index);
            let branch = self.request(now, request.clone(), Purpose::Invite(index), 0);
            self.calls[index].invite_branch = branch;
            self.calls[index].invite_seq = request.seq;
            return;
        }
        if status >= 300 {
            let end = if self.calls[index].cancelling && status == 487 {
                End::HungUp
            } else {
                End::Refused(status)
            };
            self.end(index, end);
            return;
        }
        let call = &mut self.calls[index];
        call.remote_tag.clone_from(&basics.to_tag);
        if let Some(target) = msg.contact() {
            call.target = target;
        } else {
            self.complaints
                .push("a 200 to INVITE without Contact".into());
        }
        if call.is_over() {
            // It was given up, yet it was answered: RFC 3261 §9.1.
            self.acknowledge(index, client.request.seq, None);
            self.bye_request(now, index);
            return;
        }
        call.state = State::Talking;
        let repeated = call.remote.is_some() && msg.header("Content-Type").is_none();
        let answer = if repeated {
            // The answer came reliably before (RFC 3262 §5).
            None
        } else if call.we_offered {
            self.described(now, index, msg);
            None
        } else {
            self.answer_to(index, &msg.body())
        };
        self.acknowledge(index, client.request.seq, answer);
        self.session_agreed(now, index, msg, true);
        self.calls[index].sound.start(now);
        if self.calls[index].cancelling {
            self.bye(now, index);
        }
    }

    /// ACK of a 2xx, with the answer where it made the offer.
    pub(super) fn acknowledge(&mut self, index: usize, seq: u32, sdp: Option<String>) {
        let branch = format!("z9hG4bK{}", self.chance.token());
        let call = &mut self.calls[index];
        let request = Request {
            method: Method::Ack,
            uri: call.target.clone(),
            from: call.local_value(),
            to: call.peer_value(),
            call_id: call.call_id.clone(),
            seq,
            headers: Vec::new(),
            body: sdp.map(|text| ("application/sdp", text)),
        };
        let octets = request.draft(&self.via(&branch)).octets();
        self.calls[index].acks.push((seq, octets.clone()));
        if !self.profile.quirks.never_acks {
            self.send(octets);
        }
    }

    /// The handset is put down, whatever the call's state asks for.
    pub(crate) fn hang_up(&mut self, now: Instant, index: usize) {
        match self.calls[index].state {
            State::Calling(status) => {
                let sent = self.calls[index].cancelling;
                self.calls[index].cancelling = true;
                // RFC 3261 §9.1: not before a provisional response.
                if status > 0 && !sent {
                    self.send_cancel(now, index);
                }
            }
            State::Ringing => self.refuse(now, index, 603),
            State::Answered | State::Talking => self.bye(now, index),
            State::Over(_) => {}
        }
    }

    fn send_cancel(&mut self, now: Instant, index: usize) {
        let call = &self.calls[index];
        let branch = call.invite_branch.clone();
        let invite = self
            .clients
            .iter_mut()
            .find(|client| client.branch == branch);
        let Some(invite) = invite else { return };
        // If no 487 comes, the call is given up all the same (RFC 3261 §9.1).
        invite.deadline = now + super::transactions::GIVE_UP;
        let request = Request {
            method: Method::Cancel,
            headers: Vec::new(),
            body: None,
            ..invite.request.clone()
        };
        self.request_on(now, request, Purpose::Cancel(index), 0, branch);
    }

    /// What the other side describes, in answer to our offer.
    pub(super) fn described(&mut self, now: Instant, index: usize, msg: &Msg) {
        match Description::parse(&msg.body()) {
            Ok(description) => {
                self.check_origin(index, &description);
                let call = &mut self.calls[index];
                if let Some(Pending { direction }) = call.pending.take() {
                    call.direction = direction;
                }
                call.remote = Some(description);
                call.sound.start(now);
            }
            Err(fault) => {
                self.complaints
                    .push(format!("an answer can't be read: {fault}\n{}", msg.body()));
            }
        }
    }

    /// RFC 3264 §8: the session keeps its id, and its version grows by one where it changes.
    pub(super) fn check_origin(&mut self, index: usize, new: &Description) {
        let Some(old) = &self.calls[index].remote else {
            return;
        };
        let (same_id, step) = (
            old.origin.0 == new.origin.0,
            new.origin.1.wrapping_sub(old.origin.1),
        );
        let unchanged = Description {
            origin: old.origin,
            ..new.clone()
        } == *old;
        if !same_id || step > 1 || (step == 0 && !unchanged) {
            let text = format!("o= went from {:?} to {:?}", old.origin, new.origin);
            self.complaints.push(text);
        }
    }

    /// Our description, in answer to `offer` or as an offer.
    pub(super) fn describe(
        &mut self,
        index: usize,
        direction: Direction,
        offer: Option<&Description>,
    ) -> String {
        let ip = self.ip();
        let profile = &self.profile;
        let call = &mut self.calls[index];
        let codecs = match offer {
            Some(_) if profile.quirks.answers_unoffered => vec![18],
            Some(offer) => (offer.codecs.iter().copied())
                .filter(|codec| profile.codecs.contains(codec))
                .take(1)
                .collect(),
            None => profile.codecs.clone(),
        };
        let event = match offer {
            Some(offer) => profile.event.and(offer.event),
            None => profile.event,
        };
        let own = call.sound.key(profile.suite);
        let (keys, secure) = match offer {
            _ if profile.srtp == Srtp::Never => (Vec::new(), false),
            Some(offer) => {
                let theirs = offer.key_of(profile.suite);
                let keys = theirs.map(|(tag, _)| (tag, own)).into_iter().collect();
                (keys, offer.secure)
            }
            None => (vec![(1, own)], profile.srtp == Srtp::Insists),
        };
        let mut description = Description {
            origin: call.origin,
            address: (ip, call.sound.port).into(),
            codecs,
            event,
            direction,
            secure,
            keys,
        };
        if let Some(old) = &call.description
            && *old != description
        {
            call.origin.1 += 1;
            description.origin = call.origin;
        }
        let text = description.text();
        call.description = Some(description);
        text
    }

    /// The answer to what the other side offers; none where it can't be read or nothing is shared.
    pub(super) fn answer_to(&mut self, index: usize, offer: &str) -> Option<String> {
        let offer = match Description::parse(offer) {
            Ok(offer) => offer,
            Err(fault) => {
                self.complaints
                    .push(format!("an offer can't be read: {fault}\n{offer}"));
                return None;
            }
        };
        if !offer
            .codecs
            .iter()
            .any(|codec| self.profile.codecs.contains(codec))
        {
            return None;
        }
        let insists = offer.secure || self.profile.srtp == Srtp::Insists;
        let can = self.profile.srtp != Srtp::Never && offer.key_of(self.profile.suite).is_some();
        if insists && !can {
            return None;
        }
        self.check_origin(index, &offer);
        let direction = self.calls[index].direction.answer_to(offer.direction);
        let text = self.describe(index, direction, Some(&offer));
        self.calls[index].remote = Some(offer);
        Some(text)
    }

    pub(super) fn end(&mut self, index: usize, end: End) {
        let call = &mut self.calls[index];
        if !call.is_over() {
            call.state = State::Over(end);
        }
        call.sound.stop();
        call.answer_at = None;
        call.awaits_prack = None;
    }

    /// What is due in a call.
    pub(super) fn call_timers(&mut self, now: Instant, index: usize) {
        let call = &mut self.calls[index];
        if call.is_over() {
            return;
        }
        if call.answer_at.is_some_and(|at| at <= now) {
            call.answer_at = None;
            self.answer(now, index);
        }
        let call = &mut self.calls[index];
        if call.retry_offer_at.is_some_and(|at| at <= now) {
            call.retry_offer_at = None;
            let direction = call.direction;
            self.offer(now, index, direction);
        }
        let call = &mut self.calls[index];
        if let Some((_, at, octets, interval)) = &mut call.awaits_prack
            && *at <= now
        {
            *interval *= 2;
            *at = now + *interval;
            let give_up = *interval > Duration::from_secs(32);
            let octets = octets.clone();
            if give_up {
                call.awaits_prack = None;
            } else {
                self.send(octets);
            }
        }
        self.session_timer(now, index);
    }
}

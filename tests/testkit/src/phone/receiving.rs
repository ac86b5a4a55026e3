//! What comes in: octets to messages, messages to transactions.

use model::Instant;
use rsip::Method;

use super::digest::Challenge;
use super::message::{Basics, Draft, Msg};
use super::transactions::{Client, GIVE_UP, Purpose, Request, Server, T1, T2};
use super::{End, Phone, State};

/// Messages kept to look at.
const INBOX: usize = 100;

impl Phone {
    /// Bytes came on the phone's connection.
    pub(crate) fn stream(&mut self, now: Instant, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
        loop {
            // Keep-alive answers of RFC 5626 §3.5.1.
            while self.buffer.starts_with(b"\r\n") {
                self.buffer.drain(..2);
            }
            let Some(head) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            else {
                return;
            };
            let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(0);
            let end = head + 4 + length;
            if self.buffer.len() < end {
                return;
            }
            let message: Vec<u8> = self.buffer.drain(..end).collect();
            self.receive(now, &message);
        }
    }

    /// A message came.
    pub(crate) fn receive(&mut self, now: Instant, octets: &[u8]) {
        if !self.on {
            return;
        }
        let parsed = Msg::parse(octets).and_then(|msg| Ok((msg.basics()?, msg)));
        let (basics, msg) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                let text = String::from_utf8_lossy(octets);
                self.complaints
                    .push(format!("rsip can't read this: {error}\n{text}"));
                return;
            }
        };
        if self.inbox.len() == INBOX {
            self.inbox.pop_front();
        }
        self.inbox.push_back(msg.clone());
        match (msg.method(), msg.status()) {
            (Some(method), _) => self.on_request(now, method, &msg, &basics),
            (None, Some(status)) => self.on_response(now, status, &msg, &basics),
            (None, None) => {}
        }
    }

    fn on_response(&mut self, now: Instant, status: u16, msg: &Msg, basics: &Basics) {
        let found = (self.clients.iter()).position(|client| {
            client.branch == basics.branch && client.request.method == basics.method
        });
        let Some(index) = found else {
            self.stray_response(status, basics);
            return;
        };
        self.responses.push((basics.method, status));
        let invite = basics.method == Method::Invite;
        let client = &mut self.clients[index];
        if let Some(ack) = client.ack.clone() {
            self.send(ack);
            return;
        }
        if status < 200 {
            client.provisional = true;
            if invite {
                client.retry_at = None;
                // Ringing may take long: the caller decides when it is enough.
                client.deadline = now + GIVE_UP * 10;
            } else if client.retry_at.is_some() {
                client.interval = T2;
            }
            let purpose = client.purpose;
            if let Purpose::Invite(call) = purpose {
                self.provisional(now, call, status, msg, basics);
            }
            return;
        }
        let client = if invite && status >= 300 {
            // RFC 3261 §17.1.1.3: the ACK of a refusal belongs to the transaction.
            let ack = self.ack_of_refusal(&self.clients[index].clone(), msg);
            let client = &mut self.clients[index];
            client.ack = Some(ack.clone());
            client.retry_at = None;
            client.deadline = now + GIVE_UP;
            let client = client.clone();
            if !self.profile.quirks.never_pracks {
                self.send(ack);
            }
            client
        } else {
            self.clients.swap_remove(index)
        };
        if matches!(status, 401 | 407) && self.authenticate(now, &client, msg) {
            return;
        }
        self.finished(now, &client, status, msg, basics);
    }

    fn ack_of_refusal(&self, client: &Client, response: &Msg) -> Vec<u8> {
        let request = Request {
            method: Method::Ack,
            to: response
                .header("To")
                .unwrap_or(&client.request.to)
                .to_owned(),
            headers: Vec::new(),
            body: None,
            ..client.request.clone()
        };
        request.draft(&self.via(&client.branch)).octets()
    }

    /// A response to nothing that waits: a 2xx that comes again gets its ACK again.
    fn stray_response(&mut self, status: u16, basics: &Basics) {
        if !(200..300).contains(&status)
            || basics.method != Method::Invite
            || self.profile.quirks.never_acks
        {
            return;
        }
        let ack = (self.calls.iter())
            .filter(|call| call.call_id == basics.call_id)
            .flat_map(|call| &call.acks)
            .find(|(seq, _)| *seq == basics.seq)
            .map(|(_, ack)| ack.clone());
        if let Some(ack) = ack {
            self.send(ack);
        }
    }

    /// Sends the request again with credentials; false where that was tried or can't be.
    fn authenticate(&mut self, now: Instant, client: &Client, msg: &Msg) -> bool {
        let quirks = self.profile.quirks;
        if quirks.ignores_challenge {
            return false;
        }
        let values = msg
            .headers("WWW-Authenticate")
            .chain(msg.headers("Proxy-Authenticate"));
        let Some(challenge) = Challenge::choose(values, self.profile.algorithm) else {
            self.complaints
                .push("a 401 without a challenge we know".into());
            return false;
        };
        if client.challenged > 0 && !challenge.stale || client.challenged > 3 {
            return false;
        }
        let mut request = client.request.clone();
        request.seq = match client.purpose {
            Purpose::Register => self.next_register_seq(),
            Purpose::Invite(call)
            | Purpose::Reinvite(call)
            | Purpose::Update(call)
            | Purpose::Bye(call)
            | Purpose::Cancel(call)
            | Purpose::Refer(call)
            | Purpose::Prack(call) => self.next_seq(call),
            Purpose::Other => {
                let next = request.seq + 1;
                let call = (self.calls.iter_mut()).find(|call| call.call_id == request.call_id);
                if let Some(call) = call {
                    call.seq = call.seq.max(next);
                }
                next
            }
        };
        if quirks.invented_nonce && client.challenged == 0 {
            let invented = Challenge {
                nonce: self.chance.token(),
                ..challenge
            };
            self.nonce = Some((invented, 0));
        } else {
            self.nonce = Some((challenge, 0));
        }
        self.put_credentials(&mut request);
        let purpose = client.purpose;
        let branch = self.request(now, request.clone(), purpose, client.challenged + 1);
        if let Purpose::Invite(call) = purpose {
            self.calls[call].invite_branch = branch;
            self.calls[call].invite_seq = request.seq;
        }
        true
    }

    /// Credentials made with the nonce that was last heard.
    pub(super) fn put_credentials(&mut self, request: &mut Request) {
        let cnonce = self.chance.token();
        let replays = self.profile.quirks.replays_count;
        let Some((challenge, count)) = &mut self.nonce else {
            return;
        };
        *count = if replays { 1 } else { *count + 1 };
        let account = (
            self.profile.username.as_str(),
            self.profile.password.as_str(),
        );
        let method = request.method.to_string();
        let value = challenge.answer(account, &method, &request.uri, *count, &cnonce);
        request.replace("Authorization", value);
    }

    /// A request has its final response.
    fn finished(&mut self, now: Instant, client: &Client, status: u16, msg: &Msg, basics: &Basics) {
        match client.purpose {
            Purpose::Register => self.registered(now, status, msg),
            Purpose::Invite(call) => self.invite_finished(now, call, client, status, msg, basics),
            Purpose::Reinvite(call) | Purpose::Update(call) => {
                self.offer_finished(now, call, client, status, msg, basics);
            }
            Purpose::Refer(call) => self.calls[call].referred = Some(status),
            Purpose::Bye(_) | Purpose::Cancel(_) | Purpose::Prack(_) | Purpose::Other => {}
        }
    }

    /// Nobody answered.
    pub(super) fn unanswered(&mut self, now: Instant, client: &Client) {
        match client.purpose {
            Purpose::Register => {
                self.registering.status = Some(408);
                self.registering.refresh_at = Some(now + T2);
            }
            Purpose::Invite(call) => self.end(call, End::TimedOut),
            Purpose::Reinvite(call) | Purpose::Update(call) => {
                // RFC 3261 §14.1: a re-INVITE that nobody answers ends the call.
                if !self.calls[call].is_over() {
                    self.bye(now, call);
                    self.calls[call].state = State::Over(End::TimedOut);
                }
            }
            Purpose::Refer(call) => self.calls[call].referred = Some(408),
            Purpose::Bye(_) | Purpose::Cancel(_) | Purpose::Prack(_) | Purpose::Other => {}
        }
    }

    fn on_request(&mut self, now: Instant, method: Method, msg: &Msg, basics: &Basics) {
        let key = if method == Method::Ack {
            Method::Invite
        } else {
            method
        };
        let known = (self.servers.iter())
            .position(|server| server.branch == basics.branch && server.method == key);
        if let Some(index) = known {
            let server = &mut self.servers[index];
            if method == Method::Ack {
                server.retry_at = None;
            } else if let Some(response) = server.response.clone() {
                self.send(response);
            }
            return;
        }
        if method == Method::Ack {
            self.acknowledged(now, msg, basics);
            return;
        }
        self.servers.push(Server {
            branch: basics.branch.clone(),
            method,
            request: msg.clone(),
            response: None,
            retry_at: None,
            interval: T1,
            deadline: now + GIVE_UP * 10,
            call: None,
        });
        match (method, &basics.to_tag) {
            (Method::Invite, None) => self.invited(now, msg, basics),
            (Method::Cancel, _) => self.cancelled(now, msg, basics),
            (Method::Options, None) => self.respond(now, msg, basics, 200, |draft| draft),
            (_, Some(_)) => self.in_dialog(now, method, msg, basics),
            (_, None) => self.respond(now, msg, basics, 481, |draft| draft),
        }
    }

    /// Answers a request that came.
    pub(super) fn respond(
        &mut self,
        now: Instant,
        msg: &Msg,
        basics: &Basics,
        status: u16,
        add: impl FnOnce(Draft) -> Draft,
    ) {
        let tag = basics.to_tag.clone().unwrap_or_else(|| self.chance.token());
        let draft = add(Draft::response(msg, status, &tag));
        self.respond_with(
            now,
            &basics.branch,
            basics.method,
            status,
            draft.octets(),
            None,
        );
    }

    /// Sends a response, and again as its transaction asks for.
    pub(super) fn respond_with(
        &mut self,
        now: Instant,
        branch: &str,
        method: Method,
        status: u16,
        octets: Vec<u8>,
        call: Option<usize>,
    ) {
        let found = (self.servers.iter_mut())
            .find(|server| server.branch == branch && server.method == method);
        if let Some(server) = found {
            server.response = Some(octets.clone());
            if status >= 200 {
                server.deadline = now + GIVE_UP;
                server.call = call;
                if method == Method::Invite {
                    server.interval = T1;
                    server.retry_at = Some(now + T1);
                }
            }
        }
        self.send(octets);
    }

    /// The ACK of a 2xx came.
    fn acknowledged(&mut self, now: Instant, msg: &Msg, basics: &Basics) {
        for server in &mut self.servers {
            if server.method == Method::Invite
                && server.retry_at.is_some()
                && (server.request.basics())
                    .is_ok_and(|one| one.call_id == basics.call_id && one.seq == basics.seq)
            {
                server.retry_at = None;
            }
        }
        if let Some(call) = self.dialog(basics) {
            self.call_acknowledged(now, call, msg);
        }
    }

    /// The call whose dialog a request belongs to.
    pub(super) fn dialog(&self, basics: &Basics) -> Option<usize> {
        self.calls.iter().rposition(|call| {
            call.call_id == basics.call_id
                && Some(call.local_tag.as_str()) == basics.to_tag.as_deref()
                && (call.remote_tag.as_deref()).is_none_or(|tag| tag == basics.from_tag)
        })
    }
}

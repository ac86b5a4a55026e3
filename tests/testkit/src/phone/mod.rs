//! A SIP phone of our own: the far end of every scenario, on rsip's messages.
//!
//! It has the exchange's shape: octets and time in, [`Packet`]s out. It knows nothing of the exchange's
//! code but the models' `Instant` and `Transport`. A person's acts (dial, answer, hang up, hold,
//! transfer) are methods; the world offers them by name.

mod answering;
mod call;
mod calling;
mod dialog;
pub mod digest;
pub mod message;
mod profile;
mod receiving;
mod registering;
pub mod sdp;
mod sound;
mod transactions;
mod transfer;

use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;

use model::{Instant, Transport};
use rsip::Method;

pub use call::{Call, End, State};
pub use digest::Algorithm;
pub use profile::{Greeting, Keys, Profile, Quirks, Reliable, Srtp, password_of};
pub use registering::Registering;
pub use sound::{Counts, Sound};

use crate::chance::Chance;
use message::Msg;
use sound::Voice;
use transactions::{Client, GIVE_UP, Purpose, Request, Server, T1};

/// What a phone sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A SIP message, by the phone's transport.
    Sip(Vec<u8>),
    /// RTP from this port of the phone.
    Rtp {
        /// Its port.
        from: u16,
        /// To where.
        to: SocketAddr,
        /// The packet.
        octets: Vec<u8>,
    },
}

/// A phone.
#[derive(Debug)]
pub struct Phone {
    /// Account, abilities, misbehaviours.
    pub profile: Profile,
    /// On the tape.
    pub name: String,
    /// It has power.
    pub on: bool,
    /// All calls it ever had, the oldest first.
    pub calls: Vec<Call>,
    /// How its registration stands.
    pub registering: Registering,
    /// What the exchange did that no phone should have to bear.
    pub complaints: Vec<String>,
    /// Requests that came behind later ones of their dialog.
    pub out_of_order: u32,
    /// Method and status of every response that came.
    pub responses: Vec<(Method, u16)>,
    /// The messages that came, the latest last; the last hundred.
    pub inbox: VecDeque<Msg>,
    /// Where it believes to be.
    pub address: SocketAddr,
    exchange: SocketAddr,
    chance: Chance,
    clients: Vec<Client>,
    servers: Vec<Server>,
    out: VecDeque<Packet>,
    buffer: Vec<u8>,
    nonce: Option<(digest::Challenge, u32)>,
    /// Calls before this one are over.
    settled: usize,
    next_port: u16,
    talks_to_nobody: bool,
}

impl Phone {
    pub(crate) fn new(
        name: String,
        profile: Profile,
        address: SocketAddr,
        exchange: SocketAddr,
        mut chance: Chance,
    ) -> Self {
        let registering = Registering::new(&mut chance);
        Self {
            profile,
            name,
            on: true,
            calls: Vec::new(),
            registering,
            complaints: Vec::new(),
            out_of_order: 0,
            responses: Vec::new(),
            inbox: VecDeque::new(),
            address,
            exchange,
            chance,
            clients: Vec::new(),
            servers: Vec::new(),
            out: VecDeque::new(),
            buffer: Vec::new(),
            nonce: None,
            settled: 0,
            next_port: 20_000,
            talks_to_nobody: false,
        }
    }

    /// The algorithm of its last credentials.
    #[must_use]
    pub fn proved_with(&self) -> Option<Algorithm> {
        self.nonce
            .as_ref()
            .map(|(challenge, _)| challenge.algorithm)
    }

    /// The protection space that its last credentials were for.
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        self.nonce
            .as_ref()
            .map(|(challenge, _)| challenge.realm.as_str())
    }

    /// The next packet to be sent.
    pub(crate) fn poll(&mut self) -> Option<Packet> {
        self.out.pop_front()
    }

    /// When the phone wants to be woken.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        if !self.on {
            return None;
        }
        let clients = self.clients.iter().map(Client::timeout).min();
        let servers = self.servers.iter().map(Server::timeout).min();
        let calls = self.calls[self.settled..]
            .iter()
            .filter_map(Call::timeout)
            .min();
        [clients, servers, calls, self.registering.refresh_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// The moment has come.
    pub(crate) fn on_timeout(&mut self, now: Instant) {
        if !self.on {
            return;
        }
        self.client_timers(now);
        self.server_timers(now);
        if self.registering.refresh_at.is_some_and(|at| at <= now) {
            self.register(now);
        }
        while self.calls.get(self.settled).is_some_and(Call::is_over) {
            self.settled += 1;
        }
        for index in self.settled..self.calls.len() {
            self.call_timers(now, index);
        }
        self.speak(now);
    }

    fn client_timers(&mut self, now: Instant) {
        let mut given_up = Vec::new();
        let mut again = Vec::new();
        self.clients.retain_mut(|client| {
            if client.deadline <= now {
                if client.ack.is_none() {
                    given_up.push(client.clone());
                }
                return false;
            }
            if client.retry_at.is_some_and(|at| at <= now) {
                again.push(client.octets.clone());
                client.back_off(now);
            }
            true
        });
        for octets in again {
            self.send(octets);
        }
        for client in given_up {
            self.unanswered(now, &client);
        }
    }

    fn server_timers(&mut self, now: Instant) {
        let mut again = Vec::new();
        let mut given_up = Vec::new();
        self.servers.retain_mut(|server| {
            if server.deadline <= now {
                if server.retry_at.is_some() {
                    given_up.extend(server.call);
                }
                return false;
            }
            if server.retry_at.is_some_and(|at| at <= now) {
                again.extend(server.response.clone());
                server.interval = (server.interval * 2).min(transactions::T2);
                server.retry_at = Some(now + server.interval);
            }
            true
        });
        for octets in again {
            self.send(octets);
        }
        for call in given_up {
            // RFC 3261 §13.3.1.4: no ACK came, so BYE.
            if self
                .calls
                .get(call)
                .is_some_and(|call| call.state == State::Answered)
            {
                self.bye(now, call);
            }
        }
    }

    /// Sends the RTP that is due.
    fn speak(&mut self, now: Instant) {
        let speaks = self.profile.speaks && !self.talks_to_nobody;
        let hz = self.profile.voice_hz;
        for call in &mut self.calls[self.settled..] {
            if !call.speaks() {
                continue;
            }
            let keys = call.keys();
            call.sound.agree(keys);
            while call.sound.next_at().is_some_and(|at| at <= now) {
                let remote = call
                    .remote
                    .as_ref()
                    .filter(|remote| !remote.codecs.is_empty());
                let direction = call
                    .description
                    .as_ref()
                    .map_or(call.direction, |ours| ours.direction);
                let voice = Voice {
                    to: remote.map_or(self.exchange, |remote| remote.address),
                    codec: remote.map_or(0, |remote| spoken(remote, call.description.as_ref())),
                    event: remote.and_then(|remote| remote.event),
                    hz,
                    speaks: speaks && direction.sends() && remote.is_some(),
                };
                if let Some(octets) = call.sound.packet(now, &voice) {
                    self.out.push_back(Packet::Rtp {
                        from: call.sound.port,
                        to: voice.to,
                        octets,
                    });
                }
            }
        }
    }

    /// RTP came to one of the phone's ports.
    pub(crate) fn rtp(&mut self, now: Instant, port: u16, octets: &[u8]) {
        if !self.on {
            return;
        }
        let Some(call) = self
            .calls
            .iter_mut()
            .rev()
            .find(|call| call.sound.port == port)
        else {
            return;
        };
        let event = call
            .description
            .as_ref()
            .and_then(|description| description.event);
        let keys = call.keys();
        call.sound.agree(keys);
        if let Err(fault) = call.sound.receive(now, event, octets) {
            self.complaints.push(fault);
        }
    }

    /// Sends a message; twice where that is its habit.
    fn send(&mut self, mut octets: Vec<u8>) {
        if let Some(length) = self.profile.quirks.truncates {
            octets.truncate(length);
        }
        if self.profile.quirks.doubles {
            self.out.push_back(Packet::Sip(octets.clone()));
        }
        self.out.push_back(Packet::Sip(octets));
    }

    /// Sends octets that are no message.
    pub(crate) fn send_raw(&mut self, octets: &[u8]) {
        self.out.push_back(Packet::Sip(octets.to_vec()));
    }

    /// Sends a request in a transaction of its own.
    fn request(
        &mut self,
        now: Instant,
        request: Request,
        purpose: Purpose,
        challenged: u8,
    ) -> String {
        let branch = format!("z9hG4bK{}", self.chance.token());
        self.request_on(now, request, purpose, challenged, branch)
    }

    /// As `request`, with a branch that is given: a CANCEL has that of its INVITE.
    fn request_on(
        &mut self,
        now: Instant,
        request: Request,
        purpose: Purpose,
        challenged: u8,
        branch: String,
    ) -> String {
        let octets = request.draft(&self.via(&branch)).octets();
        let udp = self.profile.transport == Transport::Udp;
        self.clients.push(Client {
            branch: branch.clone(),
            octets: octets.clone(),
            purpose,
            retry_at: udp.then(|| now + T1),
            interval: T1,
            deadline: now + GIVE_UP,
            provisional: false,
            challenged,
            ack: None,
            request,
        });
        self.send(octets);
        branch
    }

    fn via(&self, branch: &str) -> String {
        let transport = self.profile.transport.via_name();
        format!("SIP/2.0/{transport} {};branch={branch};rport", self.address)
    }

    /// Contact in calls.
    fn contact(&self) -> String {
        format!("<{}>", self.contact_uri())
    }

    fn contact_uri(&self) -> String {
        let number = &self.profile.number;
        let transport = match self.profile.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
        };
        format!("sip:{number}@{}{transport}", self.address)
    }

    /// `sip:user@exchange`
    fn exchange_uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.exchange.ip())
    }

    /// Where it believes to be.
    #[must_use]
    pub const fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// What it had is forgotten, as when the power goes.
    pub(crate) fn power_off(&mut self) {
        self.on = false;
        self.clients.clear();
        self.servers.clear();
        self.out.clear();
        self.buffer.clear();
        self.nonce = None;
        for call in &mut self.calls {
            if !call.is_over() {
                call.state = State::Over(End::PowerCut);
            }
        }
        self.registering.forget();
    }

    /// The power is back: a new Call-ID, and another port where asked for.
    pub(crate) fn power_on(&mut self, now: Instant, port: u16) {
        self.on = true;
        self.address.set_port(port);
        self.registering = Registering::new(&mut self.chance);
        self.register(now);
    }

    /// The microphone gives nothing any more: no packets at all.
    pub(crate) const fn silence(&mut self, silent: bool) {
        self.talks_to_nobody = silent;
    }

    /// Nothing is left to be done.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.iter().all(Call::is_over) && self.clients.is_empty()
    }

    /// The call that is meant where none is named: the youngest that is not over, else the youngest.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        let up = self.calls.iter().rposition(|call| !call.is_over());
        up.or_else(|| self.calls.len().checked_sub(1))
    }
}

/// What a phone speaks: the first codec of the other side's that it has said itself (RFC 3264 §6.1).
fn spoken(remote: &sdp::Description, ours: Option<&sdp::Description>) -> u8 {
    let both =
        (remote.codecs.iter()).find(|codec| ours.is_some_and(|ours| ours.codecs.contains(codec)));
    both.or(remote.codecs.first()).copied().unwrap_or(0)
}

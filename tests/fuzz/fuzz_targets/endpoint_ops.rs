//! Two endpoints, operations of chance and a link that loses and repeats: nothing panics, every
//! session ends once, nothing is left.
//!
//! Each four octets of the input are one step: who does what, to which session, what the link does to
//! messages meanwhile, and how much time passes.

#![no_main]

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use model::{Cause, Flow, Instant, Transport};
use sip::digest::DigestOffer;
use sip::endpoint::{
    Endpoint, EndpointConfig, Event, Input, OutgoingInvite, Output, ReferId, Refusal, SessionId,
    Target,
};
use sip::message::StatusCode;

const ADDRESSES: [&str; 2] = ["192.0.2.1:5060", "192.0.2.2:5060"];

struct World {
    ends: [Endpoint; 2],
    sessions: [Vec<SessionId>; 2],
    open: [BTreeSet<SessionId>; 2],
    refers: [Vec<ReferId>; 2],
    link: VecDeque<(usize, Flow, Bytes)>,
    now: Instant,
    /// Bits: lose, repeat, hold back.
    weather: u8,
    /// 100rel alone can let two ends wait for each other; chance of the link decides.
    carried: u32,
}

fn flow(from: usize) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: ADDRESSES[from].parse().expect("an address"),
        remote: ADDRESSES[1 - from].parse().expect("an address"),
    }
}

impl World {
    fn new() -> Self {
        let end = |seed: u8| {
            let config = EndpointConfig {
                realm: "box".to_owned(),
                digest: DigestOffer::Md5,
                product: "Box".to_owned(),
                seed: [seed; 32],
                expires_s: (60, 3600, 7200),
                session_expires_s: 90,
                sessions: 2000,
                server_transactions: 50_000,
                streams: sip::endpoint::STREAMS,
            };
            let mut end = Endpoint::new(Instant::ZERO, config);
            end.set_trusted(ADDRESSES.map(|address| {
                let address: std::net::SocketAddr = address.parse().expect("an address");
                address.ip()
            }));
            end
        };
        Self {
            ends: [end(1), end(2)],
            sessions: [Vec::new(), Vec::new()],
            open: [BTreeSet::new(), BTreeSet::new()],
            refers: [Vec::new(), Vec::new()],
            link: VecDeque::new(),
            now: Instant::ZERO,
            weather: 0,
            carried: 0,
        }
    }

    fn drain(&mut self, end: usize) {
        while let Some(output) = self.ends[end].poll_output() {
            match output {
                Output::Transmit { flow, bytes } => self.carry(end, flow, bytes),
                Output::Event(event) => self.hear(end, event),
                Output::CloseStream { .. } => {}
            }
        }
    }

    fn carry(&mut self, from: usize, flow: Flow, bytes: Bytes) {
        self.carried = self
            .carried
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let chance = (self.carried >> 24) as u8;
        if self.weather & 1 != 0 && chance < 100 {
            return;
        }
        let back = Flow {
            local: flow.remote,
            remote: flow.local,
            ..flow
        };
        if self.weather & 2 != 0 && chance & 1 != 0 {
            self.link.push_back((1 - from, back, bytes.clone()));
        }
        if self.weather & 4 != 0 && chance & 2 != 0 {
            self.link.push_front((1 - from, back, bytes));
        } else {
            self.link.push_back((1 - from, back, bytes));
        }
    }

    fn hear(&mut self, end: usize, event: Event) {
        match event {
            Event::Invited { session, .. } => {
                self.sessions[end].push(session);
                self.open[end].insert(session);
            }
            Event::Refused { session, .. } | Event::Ended { session, .. } => {
                assert!(self.open[end].remove(&session), "over twice");
            }
            Event::Offered { session, .. } => {
                self.ends[end].answer(self.now, session, "answer".into());
            }
            Event::Accepted {
                session,
                sdp: Some(_),
                ..
            } => self.ends[end].answer(self.now, session, "answer".into()),
            Event::Referred { refer, .. } => self.refers[end].push(refer),
            Event::Accepted { session, .. }
            | Event::Progress { session, .. }
            | Event::Acknowledged { session, .. }
            | Event::Answered { session, .. }
            | Event::AnsweredAnew { session, .. }
            | Event::Moved { session, .. }
            | Event::OfferRefused { session, .. }
            | Event::Digit { session, .. } => assert!(self.open[end].contains(&session)),
            Event::Binding { .. }
            | Event::AuthenticationFailed { .. }
            | Event::Parted { .. }
            | Event::Ignored { .. }
            | Event::Alive { .. }
            | Event::Unanswered { .. }
            | Event::Registered { .. }
            | Event::NotRegistered { .. }
            | Event::Heard { .. } => {}
        }
    }

    /// Delivers some messages, and lets time pass.
    fn run(&mut self, messages: usize, ms: u64) {
        for _ in 0..messages {
            let Some((end, flow, bytes)) = self.link.pop_front() else {
                break;
            };
            self.ends[end].handle_input(self.now, Input::Datagram { flow, bytes });
            self.drain(end);
        }
        let until = Instant::from_micros(self.now.as_micros() + ms * 1000);
        while let Some((at, end)) = self.next_timer()
            && at <= until
        {
            self.now = self.now.max(at);
            self.ends[end].handle_input(at, Input::Timeout);
            self.drain(end);
            if self.link.len() > 200 {
                self.link.truncate(100);
            }
        }
        self.now = until;
    }

    fn next_timer(&self) -> Option<(Instant, usize)> {
        let timer = |end: usize| self.ends[end].poll_timeout().map(|at| (at, end));
        timer(0).into_iter().chain(timer(1)).min()
    }

    fn step(&mut self, step: [u8; 4]) {
        let [who, which, weather, time] = step;
        let end = usize::from(who & 1);
        self.weather = weather;
        let now = self.now;
        let list = &self.sessions[end];
        let session = list
            .len()
            .checked_sub(1 + usize::from(which) % 4)
            .and_then(|at| list.get(at))
            .copied();
        let endpoint = &mut self.ends[end];
        match (who >> 1, session) {
            (0..10, _) => self.call(end, which & 64 != 0),
            (10..20, Some(session)) => endpoint.ring(now, session, StatusCode::RINGING, None),
            (20..30, Some(session)) => {
                endpoint.ring(
                    now,
                    session,
                    StatusCode::SESSION_PROGRESS,
                    Some("early".into()),
                );
            }
            (30..50, Some(session)) => endpoint.accept(now, session, "answer".into()),
            (50..70, Some(session)) => endpoint.offer(now, session, "offer".into()),
            (70..80, Some(session)) => endpoint.answer(now, session, "answer".into()),
            (80..90, Some(session)) => {
                endpoint.refuse_offer(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
            }
            (90..100, _) => {
                if let Some(refer) = self.refers[end].pop() {
                    endpoint.accept_refer(now, refer);
                    endpoint.notify_refer(now, refer, StatusCode::OK);
                }
            }
            (100..110, Some(session)) => {
                let refusal = Refusal {
                    status: StatusCode::BUSY_HERE,
                    cause: Some(Cause::USER_BUSY),
                    retry_after_s: None,
                    warning: None,
                };
                endpoint.refuse(now, session, refusal);
                self.end(end, session);
            }
            (_, Some(session)) => self.end(end, session),
            (_, None) => {}
        }
        self.drain(end);
        self.run(usize::from(time & 15), u64::from(time >> 4).pow(4));
    }

    fn call(&mut self, end: usize, offer: bool) {
        let flow = flow(end);
        let invite = OutgoingInvite {
            target: Target {
                uri: format!("sip:peer@{}", flow.remote).parse().expect("a URI"),
                route: Vec::new(),
                flow,
            },
            account: None,
            from_display: None,
            from_user: "peer".to_owned(),
            from_host: None,
            to_user: "peer".to_owned(),
            sdp: offer.then(|| "offer".into()),
            headers: Vec::new(),
        };
        let session = self.ends[end].invite(self.now, invite);
        self.sessions[end].push(session);
        self.open[end].insert(session);
    }

    fn end(&mut self, end: usize, session: SessionId) {
        self.ends[end].end(self.now, session, None);
        self.open[end].remove(&session);
    }

    fn wind_up(&mut self) {
        self.weather = 0;
        for _ in 0..30 {
            for end in 0..2 {
                for session in core::mem::take(&mut self.sessions[end]) {
                    self.end(end, session);
                    self.drain(end);
                }
            }
            self.run(1000, 60_000);
        }
        self.link.clear();
        self.run(0, 600_000);
        for end in &self.ends {
            let counts = end.counts();
            assert_eq!(
                (counts.transactions, counts.sessions, counts.timers),
                (0, 0, 0),
                "{counts:?}"
            );
        }
        assert!(self.open.iter().all(BTreeSet::is_empty));
    }
}

fuzz_target!(|octets: &[u8]| {
    let mut world = World::new();
    for step in octets.as_chunks::<4>().0.iter().take(64) {
        world.step(*step);
    }
    world.wind_up();
});

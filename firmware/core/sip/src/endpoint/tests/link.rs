//! Two endpoints over a link that loses, repeats and reorders, with operations of chance: nothing
//! panics, every session ends, nothing is left, and the same seed gives the same octets.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::{Cause, ExtensionId, Flow, Instant, Secret, Transport};
use proptest::prelude::*;

use crate::endpoint::{
    Account, Credentials, Endpoint, EndpointConfig, Event, Input, OutgoingInvite, Output, Random,
    ReferId, Refusal, SessionId, Target,
};
use crate::message::StatusCode;

const ADDRESSES: [&str; 2] = ["192.0.2.1:5060", "192.0.2.2:5060"];

/// How bad the link is, in 256ths.
#[derive(Clone, Copy, Debug)]
struct Weather {
    loss: u32,
    repeat: u32,
    delay_ms: u32,
}

struct Pair {
    ends: [Endpoint; 2],
    known: [Vec<SessionId>; 2],
    refers: [Vec<ReferId>; 2],
    /// By arrival and order of sending: to whom, on what flow, what.
    under_way: BTreeMap<(Instant, u64), (usize, Flow, Bytes)>,
    /// Connections that an end was told of.
    streams: BTreeSet<(usize, Flow)>,
    now: Instant,
    sent: u64,
    chance: Random,
    weather: Weather,
    /// Everything that was sent, for comparing.
    log: Vec<Bytes>,
    /// Sessions that were begun less those that ended, as the exchanges see it.
    open: [BTreeSet<SessionId>; 2],
}

fn flow(from: usize, transport: Transport) -> Flow {
    Flow {
        transport,
        local: ADDRESSES[from].parse().unwrap(),
        remote: ADDRESSES[1 - from].parse().unwrap(),
    }
}

impl Pair {
    fn new(seed: u8, weather: Weather) -> Self {
        let end = |n: u8| {
            let config = EndpointConfig {
                realm: "pair".to_owned(),
                digest: crate::digest::DigestOffer::Sha256ThenMd5,
                product: "Pair".to_owned(),
                seed: [n; 32],
                expires_s: (60, 3600, 7200),
                session_expires_s: if seed.is_multiple_of(2) { 90 } else { 1800 },
                sessions: 2000,
                server_transactions: 50_000,
                streams: crate::endpoint::STREAMS,
            };
            let mut end = Endpoint::new(Instant::ZERO, config);
            let account = Account {
                extension: ExtensionId::new(1),
                username: "peer".to_owned(),
                password: Secret::new("key"),
                aor_user: "peer".to_owned(),
                loopback_only: false,
                urgent_only: false,
            };
            end.set_accounts(Instant::ZERO, vec![account]);
            end
        };
        Self {
            ends: [
                end(seed.wrapping_mul(2)),
                end(seed.wrapping_mul(2).wrapping_add(1)),
            ],
            known: [Vec::new(), Vec::new()],
            refers: [Vec::new(), Vec::new()],
            under_way: BTreeMap::new(),
            streams: BTreeSet::new(),
            now: Instant::ZERO,
            sent: 0,
            chance: Random::new([seed; 32]),
            weather,
            log: Vec::new(),
            open: Default::default(),
        }
    }

    fn drain(&mut self, end: usize) {
        while let Some(output) = self.ends[end].poll_output() {
            match output {
                Output::Transmit { flow, bytes } => self.carry(end, flow, &bytes),
                Output::Event(event) => self.hear(end, event),
                Output::CloseStream { flow, .. } => drop(self.streams.remove(&(end, flow))),
            }
        }
    }

    fn carry(&mut self, from: usize, flow: Flow, bytes: &Bytes) {
        self.log.push(bytes.clone());
        let back = Flow {
            local: flow.remote,
            remote: flow.local,
            ..flow
        };
        let reliable = flow.transport.is_stream();
        if !reliable && self.chance.below(256) < self.weather.loss {
            return;
        }
        let copies = if !reliable && self.chance.below(256) < self.weather.repeat {
            2
        } else {
            1
        };
        for _ in 0..copies {
            self.sent += 1;
            let delay_ms = if reliable {
                5
            } else {
                self.chance.below(self.weather.delay_ms + 1)
            };
            let at = self.now + core::time::Duration::from_millis(delay_ms.into());
            self.under_way
                .insert((at, self.sent), (1 - from, back, bytes.clone()));
        }
    }

    fn hear(&mut self, end: usize, event: Event) {
        match event {
            Event::Invited { session, .. } => {
                self.known[end].push(session);
                self.open[end].insert(session);
            }
            Event::Refused { session, .. } | Event::Ended { session, .. } => {
                assert!(self.open[end].remove(&session), "over twice: {session:?}");
            }
            Event::Referred { refer, .. } => self.refers[end].push(refer),
            Event::Offered { session, .. } => {
                let (now, answer) = (self.now, self.chance.below(4) > 0);
                if answer {
                    self.ends[end].answer(now, session, "answer".into());
                } else {
                    self.ends[end].refuse_offer(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
                }
            }
            Event::Accepted { session, sdp, .. } => {
                assert!(self.open[end].contains(&session));
                if sdp.is_some() {
                    self.ends[end].answer(self.now, session, "answer".into());
                }
            }
            Event::Progress { session, .. }
            | Event::Acknowledged { session, .. }
            | Event::Answered { session, .. }
            | Event::AnsweredAnew { session, .. }
            | Event::Moved { session, .. }
            | Event::OfferRefused { session, .. }
            | Event::Digit { session, .. } => {
                assert!(self.open[end].contains(&session), "an event after the end");
            }
            Event::Binding { .. }
            | Event::AuthenticationFailed { .. }
            | Event::Parted { .. }
            | Event::Unanswered { .. }
            | Event::Ignored { .. }
            | Event::Alive { .. }
            | Event::Registered { .. }
            | Event::NotRegistered { .. }
            | Event::Heard { .. } => {}
        }
    }

    /// What comes next on the link or runs out at an end, if not after `until`.
    fn step(&mut self, until: Instant) -> bool {
        let timer = |end: usize| self.ends[end].poll_timeout().map(|at| (at, end));
        let next_timer = [timer(0), timer(1)].into_iter().flatten().min();
        let next_message = self.under_way.first_key_value().map(|((at, _), _)| *at);
        let message_first = match (next_message, next_timer) {
            (Some(message), Some((timer, _))) => message <= timer,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if message_first {
            let ((at, _), _) = self.under_way.first_key_value().unwrap();
            if *at > until {
                return false;
            }
            let ((at, _), (end, flow, bytes)) = self.under_way.pop_first().unwrap();
            self.now = self.now.max(at);
            let input = if flow.transport.is_stream() {
                if self.streams.insert((end, flow)) {
                    self.ends[end].handle_input(self.now, Input::StreamOpened { flow });
                }
                Input::StreamData { flow, bytes }
            } else {
                Input::Datagram { flow, bytes }
            };
            self.ends[end].handle_input(self.now, input);
            self.drain(end);
            return true;
        }
        match next_timer {
            Some((at, end)) if at <= until => {
                self.now = self.now.max(at);
                self.ends[end].handle_input(self.now, Input::Timeout);
                self.drain(end);
                true
            }
            Some(_) | None => false,
        }
    }

    fn run_until(&mut self, until: Instant) {
        while self.step(until) {}
        self.now = until;
    }

    fn call(&mut self, end: usize, offer: bool, stream: bool) {
        let transport = if stream {
            Transport::Tcp
        } else {
            Transport::Udp
        };
        let flow = flow(end, transport);
        let invite = OutgoingInvite {
            target: Target {
                uri: format!("sip:peer@{}", flow.remote).parse().unwrap(),
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
        let credentials = Credentials {
            username: "peer".to_owned(),
            password: Secret::new("key"),
        };
        let session = self.ends[end].invite_as(self.now, invite, credentials);
        self.known[end].push(session);
        self.open[end].insert(session);
        self.drain(end);
    }

    fn operate(&mut self, operation: Operation) {
        let Operation { end, kind, which } = operation;
        let end = usize::from(end);
        let now = self.now;
        let pick = |list: &[SessionId]| -> Option<SessionId> {
            let last = list.len().checked_sub(1)?;
            // The newest ones are the ones that live.
            list.get(last - usize::from(which) % list.len().min(3))
                .copied()
        };
        let session = pick(&self.known[end]);
        let endpoint = &mut self.ends[end];
        match (kind % 12, session) {
            (0 | 1, _) => self.call(end, which % 4 != 0, which % 5 == 0),
            (2, Some(session)) => endpoint.ring(now, session, StatusCode::RINGING, None),
            (3, Some(session)) => {
                endpoint.ring(
                    now,
                    session,
                    StatusCode::SESSION_PROGRESS,
                    Some("early".into()),
                );
            }
            (4 | 5, Some(session)) => endpoint.accept(now, session, "answer".into()),
            (6, Some(session)) => {
                let refusal = Refusal {
                    status: StatusCode::BUSY_HERE,
                    cause: Some(Cause::USER_BUSY),
                    retry_after_s: None,
                    warning: None,
                };
                endpoint.refuse(now, session, refusal);
                // Where it was not ringing nothing happens, and the session is ended later.
            }
            (7 | 8, Some(session)) => endpoint.offer(now, session, "another offer".into()),
            (9, Some(session)) => {
                endpoint.end(now, session, Some(Cause::NORMAL_CALL_CLEARING));
                self.open[end].remove(&session);
            }
            (10, _) => {
                if let Some(refer) = self.refers[end].pop() {
                    endpoint.accept_refer(now, refer);
                    endpoint.notify_refer(now, refer, StatusCode::OK);
                }
            }
            (_, Some(session)) => endpoint.answer(now, session, "answer".into()),
            (_, None) => {}
        }
        self.drain(end);
        // `refuse` of a ringing call ends it without an event.
        if let (6, Some(session)) = (kind % 12, session) {
            self.ends[end].end(now, session, None);
            self.open[end].remove(&session);
            self.drain(end);
        }
    }

    /// Everybody hangs up; after a while nothing is left.
    fn wind_up(&mut self) {
        for end in 0..2 {
            for session in core::mem::take(&mut self.known[end]) {
                self.ends[end].end(self.now, session, None);
                self.open[end].remove(&session);
                self.drain(end);
            }
        }
        for _ in 0..20 {
            let until = self.now + core::time::Duration::from_secs(60);
            self.run_until(until);
            // Calls that were under way when their callee hung up everything.
            for end in 0..2 {
                for session in core::mem::take(&mut self.known[end]) {
                    self.ends[end].end(self.now, session, None);
                    self.open[end].remove(&session);
                    self.drain(end);
                }
            }
        }
        for end in &self.ends {
            let counts = end.counts();
            assert_eq!(
                (counts.transactions, counts.sessions, counts.timers),
                (0, 0, 0),
                "{counts:?}"
            );
        }
        assert!(self.open.iter().all(std::collections::BTreeSet::is_empty));
    }
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    end: bool,
    kind: u8,
    which: u8,
}

fn play(seed: u8, weather: Weather, operations: &[(Operation, u16)]) -> Vec<Bytes> {
    let mut pair = Pair::new(seed, weather);
    for (operation, wait_ms) in operations {
        pair.operate(*operation);
        let until = pair.now + core::time::Duration::from_millis((*wait_ms).into());
        pair.run_until(until);
    }
    pair.wind_up();
    pair.log
}

fn operation() -> impl Strategy<Value = (Operation, u16)> {
    let wait = prop_oneof![4 => 0..50u16, 3 => 50..1500u16, 1 => 1500..40_000u16];
    ((any::<bool>(), any::<u8>(), any::<u8>()), wait)
        .prop_map(|((end, kind, which), wait)| (Operation { end, kind, which }, wait))
}

fn weather() -> impl Strategy<Value = Weather> {
    (0..120u32, 0..80u32, 0..300u32).prop_map(|(loss, repeat, delay_ms)| Weather {
        loss,
        repeat,
        delay_ms,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_all_sessions_end(
        seed in any::<u8>(),
        weather in weather(),
        operations in proptest::collection::vec(operation(), 1..60),
    ) {
        play(seed, weather, &operations);
    }
}

#[test]
fn the_same_seed_gives_the_same_octets() {
    let weather = Weather {
        loss: 60,
        repeat: 40,
        delay_ms: 200,
    };
    let mut chance = Random::new([9; 32]);
    let operations: Vec<(Operation, u16)> = (0..400)
        .map(|_| {
            let operation = Operation {
                end: chance.below(2) == 0,
                kind: u8::try_from(chance.below(12)).unwrap(),
                which: u8::try_from(chance.below(255)).unwrap(),
            };
            (operation, u16::try_from(chance.below(3000)).unwrap())
        })
        .collect();
    let first = play(7, weather, &operations);
    assert!(first.len() > 500, "{}", first.len());
    assert_eq!(first, play(7, weather, &operations));
    assert_ne!(first, play(8, weather, &operations));
}

#[test]
fn in_fair_weather_a_call_takes_the_messages_it_must() {
    let fair = Weather {
        loss: 0,
        repeat: 0,
        delay_ms: 0,
    };
    let mut pair = Pair::new(1, fair);
    pair.call(0, true, false);
    let soon = |pair: &Pair| pair.now + core::time::Duration::from_millis(10);
    pair.run_until(soon(&pair));
    let callee = pair.known[1][0];
    pair.ends[1].accept(pair.now, callee, "answer".into());
    pair.drain(1);
    pair.run_until(soon(&pair));
    let caller = pair.known[0][0];
    pair.ends[0].end(pair.now, caller, None);
    pair.open[0].clear();
    pair.drain(0);
    pair.run_until(soon(&pair));
    let starts: Vec<String> = pair
        .log
        .iter()
        .map(|bytes| String::from_utf8_lossy(bytes).chars().take(11).collect())
        .collect();
    assert_eq!(
        starts,
        [
            "INVITE sip:",
            "SIP/2.0 401",
            "ACK sip:pee",
            "INVITE sip:",
            "SIP/2.0 200",
            "ACK sip:pee",
            "BYE sip:pee",
            "SIP/2.0 200"
        ]
    );
    pair.wind_up();
}

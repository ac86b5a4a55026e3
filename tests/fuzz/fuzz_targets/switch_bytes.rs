//! The whole exchange with two phones that send real messages, some of them spoilt, in any order:
//! nothing panics, every input comes to an end, what leaves is SIP, time goes on, and when all is
//! over nothing is left of any call.

#![no_main]

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use model::config::{CallerId, Configuration, Extension};
use model::{CallId, Codec, ExtensionId, Instant, PortId, Quality, Secret, SrtpPolicy};
use model::{Transport, WallTime};
use pbx::{Input, Load, Output, Switch, SwitchConfig};
use sip::message::{Limits, Message};

use phone::Phone;

#[path = "switch_bytes/phone.rs"]
mod phone;

const PASSWORD: &str = "correct-horse";
/// More than any one input may make the exchange and both phones say.
const MOST_MESSAGES: usize = 2000;

#[derive(Arbitrary, Debug)]
struct Made {
    /// The second phone comes by TCP.
    tcp: bool,
    /// The phones don't answer by themselves.
    mute: bool,
    acts: Vec<Act>,
}

#[derive(Arbitrary, Debug)]
enum Act {
    /// A request outside of any dialog.
    Fresh {
        phone: bool,
        kind: u8,
        to: u8,
        body: u8,
        spoilt: Option<Spoil>,
    },
    /// A request in a dialog.
    Inside {
        phone: bool,
        dialog: u8,
        kind: u8,
        other: u8,
        body: u8,
        spoilt: Option<Spoil>,
    },
    /// A response to something the exchange has asked.
    Respond {
        phone: bool,
        request: u8,
        status: u8,
        body: u8,
        spoilt: Option<Spoil>,
    },
    /// What was sent once is sent again, by either phone.
    Again {
        phone: bool,
        which: u8,
        spoilt: Option<Spoil>,
    },
    Octets {
        phone: bool,
        octets: Vec<u8>,
    },
    Lost {
        phone: bool,
    },
    Reconnect {
        phone: bool,
    },
    Pass {
        ms: u16,
    },
    PassLong {
        seconds: u8,
    },
    Media {
        port: u8,
        kind: u8,
        digit: u8,
    },
    HangUp {
        call: u8,
    },
    Watch(bool),
    Configure {
        second: bool,
    },
    Load {
        ms: u16,
    },
    Clock {
        seconds: i32,
    },
}

/// What is done to a message before it leaves.
#[derive(Arbitrary, Debug)]
struct Spoil {
    at: u16,
    how: u8,
    with: u8,
    more: Option<(u16, u8, u8)>,
}

impl Spoil {
    fn apply(&self, mut octets: Vec<u8>) -> Vec<u8> {
        spoil(&mut octets, self.at, self.how, self.with);
        if let Some((at, how, with)) = self.more {
            spoil(&mut octets, at, how, with);
        }
        octets
    }
}

fn spoil(octets: &mut Vec<u8>, at: u16, how: u8, with: u8) {
    if octets.is_empty() {
        return;
    }
    let at = usize::from(at) % octets.len();
    let is_line = |octet: &u8| *octet == b'\n';
    let from = octets[..at].iter().rposition(is_line).map_or(0, |n| n + 1);
    let to = octets[at..]
        .iter()
        .position(is_line)
        .map_or(octets.len(), |n| at + n + 1);
    match how % 9 {
        0 => octets[at] = with,
        1 => octets.insert(at, with),
        2 => drop(octets.remove(at)),
        3 => octets.truncate(at),
        4 => drop(octets.drain(from..to)),
        5 => {
            let line = octets[from..to].to_vec();
            octets.splice(from..from, line);
        }
        6 => {
            let digits = octets[at..]
                .iter()
                .take_while(|octet| octet.is_ascii_digit())
                .count();
            octets.splice(at..at + digits, b"4294967296".iter().copied());
        }
        7 => drop(octets.splice(at..at, core::iter::repeat_n(with, 300))),
        _ => {
            let odd: [&[u8]; 4] = [b"\r\n ", b"\"", b";tag=x", b"%00"];
            octets.splice(at..at, odd[usize::from(with) % 4].iter().copied());
        }
    }
}

fn hang_up(call: CallId) -> Input {
    Input::HangUp {
        call,
        by: "Admin".into(),
    }
}

fn configuration(second: bool) -> Arc<Configuration> {
    let mut configuration = Configuration::initial();
    for n in 1..=2 {
        configuration.extensions.push(Extension {
            id: ExtensionId::new(n),
            number: (100 + n).to_string().parse().expect("digits"),
            description: String::new(),
            user: None,
            caller_name: None,
            caller_id: CallerId::Own,
            enabled: n == 1 || second,
            sip_username: (100 + n).to_string(),
            sip_password: Secret::new(PASSWORD),
            codecs: Codec::DEFAULT.to_vec(),
            srtp: SrtpPolicy::Off,
            permission_group: None,
        });
    }
    Arc::new(configuration)
}

struct World {
    switch: Switch,
    now: Instant,
    phones: [Phone; 2],
}

impl World {
    fn new(made: &Made) -> Self {
        let now = Instant::from_millis(1000);
        let wall = WallTime::from_unix_seconds(1_700_000_000);
        let transport = if made.tcp {
            Transport::Tcp
        } else {
            Transport::Udp
        };
        let phones = [
            Phone::new("101", "10.0.1.1:5060", Transport::Udp, made.mute),
            Phone::new("102", "10.0.1.2:5060", transport, made.mute),
        ];
        let switch = Switch::new(
            now,
            SwitchConfig {
                configuration: configuration(true),
                wall,
                seed: [7; 32],
                first_call: CallId::new(1),
                rtp_ports: (0..8).map(|n| 10_000 + 2 * n).collect(),
                streams: sip::endpoint::STREAMS,
                bindings: Vec::new(),
                dialogs: Vec::new(),
                product: "Operator Box".into(),
            },
        );
        let mut world = Self {
            switch,
            now,
            phones,
        };
        world.reconnect(1);
        for phone in 0..2 {
            let register = world.phones[phone].fresh(15, 0, 2);
            world.send(phone, register);
        }
        world
    }

    fn reconnect(&mut self, phone: usize) {
        let flow = self.phones[phone].flow;
        if flow.transport.is_stream() {
            self.happen(Input::Sip(sip::endpoint::Input::StreamOpened { flow }));
        }
    }

    fn send(&mut self, phone: usize, octets: impl Into<Bytes>) {
        let mut wire = VecDeque::from([(phone, octets.into())]);
        let mut count = 0;
        while let Some((phone, bytes)) = wire.pop_front() {
            count += 1;
            assert!(count < MOST_MESSAGES, "they never stop talking");
            let at = &mut self.phones[phone];
            at.sent.push(bytes.clone());
            let flow = at.flow;
            let input = if flow.transport.is_stream() {
                sip::endpoint::Input::StreamData { flow, bytes }
            } else {
                sip::endpoint::Input::Datagram { flow, bytes }
            };
            self.switch.handle_input(self.now, Input::Sip(input));
            wire.extend(self.drain());
        }
    }

    fn happen(&mut self, input: Input) {
        self.switch.handle_input(self.now, input);
        for (phone, bytes) in self.drain() {
            self.send(phone, bytes);
        }
    }

    /// Takes all outputs; what the phones say to them.
    fn drain(&mut self) -> Vec<(usize, Bytes)> {
        let mut replies = Vec::new();
        let mut count = 0;
        while let Some(output) = self.switch.poll_output() {
            count += 1;
            assert!(count < MOST_MESSAGES, "the outputs never end");
            match output {
                Output::Transmit { flow, bytes } => {
                    let phone = self
                        .phones
                        .iter()
                        .position(|at| at.flow.remote == flow.remote);
                    match phone {
                        Some(phone) => {
                            let said = self.phones[phone].receive(&bytes);
                            replies.extend(said.into_iter().map(|bytes| (phone, bytes)));
                        }
                        None => assert!(Message::parse_bytes(&bytes, &Limits::default()).is_ok()),
                    }
                }
                Output::Media(command) => {
                    let quality = Quality::default();
                    let event = match command {
                        media::Command::Close { port } => media::Event::Closed { port, quality },
                        media::Command::Report { port } => media::Event::Report { port, quality },
                        _ => continue,
                    };
                    self.switch.handle_input(self.now, Input::Media(event));
                }
                _ => {}
            }
        }
        replies
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        let mut at_once = 0;
        while let Some(next) = self.switch.poll_timeout().filter(|next| *next <= until) {
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 100, "time stands still");
            self.now = self.now.max(next);
            self.happen(Input::Timeout);
        }
        self.now = until;
    }

    fn act(&mut self, act: Act) {
        let (phone, bytes, spoilt) = match act {
            Act::Fresh {
                phone,
                kind,
                to,
                body,
                spoilt,
            } => (
                phone,
                Some(self.phones[usize::from(phone)].fresh(kind, to, body)),
                spoilt,
            ),
            Act::Inside {
                phone,
                dialog,
                kind,
                other,
                body,
                spoilt,
            } => {
                let bytes = self.phones[usize::from(phone)].inside(dialog, kind, other, body);
                (phone, bytes, spoilt)
            }
            Act::Respond {
                phone,
                request,
                status,
                body,
                spoilt,
            } => {
                let bytes = self.phones[usize::from(phone)].respond(request, status, body);
                (phone, bytes, spoilt)
            }
            Act::Again {
                phone,
                which,
                spoilt,
            } => {
                let sent = &self.phones[usize::from(which & 1 == 0)].sent;
                let back = usize::from(which / 2).checked_rem(sent.len());
                let bytes = back.and_then(|back| sent.get(sent.len() - 1 - back).cloned());
                (phone, bytes, spoilt)
            }
            Act::Octets { phone, octets } => (phone, Some(octets.into()), None),
            other => return self.other(other),
        };
        let Some(bytes) = bytes else { return };
        let bytes = match spoilt {
            Some(spoilt) => Bytes::from(spoilt.apply(bytes.to_vec())),
            None => bytes,
        };
        self.send(usize::from(phone), bytes);
    }

    fn other(&mut self, act: Act) {
        match act {
            Act::Lost { phone } => {
                let flow = self.phones[usize::from(phone)].flow;
                let input = if flow.transport.is_stream() {
                    sip::endpoint::Input::StreamClosed { flow }
                } else {
                    sip::endpoint::Input::SendFailed { flow }
                };
                self.happen(Input::Sip(input));
            }
            Act::Reconnect { phone } => self.reconnect(usize::from(phone)),
            Act::Pass { ms } => self.pass(Duration::from_millis(u64::from(ms))),
            Act::PassLong { seconds } => self.pass(Duration::from_secs(u64::from(seconds))),
            Act::Media { port, kind, digit } => {
                let port = PortId::new(u16::from(port % 10));
                let digit = char::from(b"0123456789*#ABCD"[usize::from(digit % 16)]);
                self.happen(Input::Media(match kind % 4 {
                    0 => media::Event::Heard {
                        port,
                        source: self.phones[0].flow.remote,
                    },
                    1 => media::Event::Silent {
                        port,
                        for_ms: 60_000,
                    },
                    2 => media::Event::Report {
                        port,
                        quality: Quality::default(),
                    },
                    _ => media::Event::Digit {
                        port,
                        digit,
                        duration_ms: 100,
                    },
                }));
            }
            Act::HangUp { call } => self.happen(hang_up(CallId::new(u64::from(call % 8)))),
            Act::Watch(watched) => self.happen(Input::Watch(watched)),
            Act::Configure { second } => self.happen(Input::Configure(configuration(second))),
            Act::Load { ms } => self.happen(Input::Load(Load {
                queue_delay_us: u64::from(ms) * 1000,
            })),
            Act::Clock { seconds } => {
                let wall = WallTime::from_unix_seconds(1_700_000_000 + i64::from(seconds));
                self.happen(Input::Clock(wall));
            }
            Act::Fresh { .. }
            | Act::Inside { .. }
            | Act::Respond { .. }
            | Act::Again { .. }
            | Act::Octets { .. } => {}
        }
    }

    /// All calls end, and what waits for something has waited.
    fn end(&mut self) {
        self.happen(Input::Watch(false));
        for _ in 0..2 {
            for call in self.switch.calls() {
                self.happen(hang_up(call.call));
            }
            self.pass(Duration::from_secs(120));
        }
        assert!(self.switch.is_idle(), "left: {:?}", self.switch.calls());
        assert_eq!(self.switch.ports_in_use(), 0);
    }
}

fuzz_target!(|made: Made| {
    let mut world = World::new(&made);
    for act in made.acts.into_iter().take(64) {
        world.act(act);
    }
    world.end();
});

//! Commands, packets and ticks in any order: nothing panics or allocates, what leaves is RTP or RTCP
//! from an open port, none speaks that has nothing to say, and a closed port is told once.

#![no_main]

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use dsp::tone::ToneSpec;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use media::{Channel, Command, Event, Graph, MAX_PAYLOADS, PortSettings, TICK, Transmit};
use model::{Codec, Instant, PortId, WallTime};
use platform::sys::alloc::{Guarded, forbidden};
use rtp::packet::Packet;
use rtp::rtcp::{Compound, NtpClock};

#[global_allocator]
static ALLOCATOR: Guarded = Guarded;

const PORTS: u16 = 4;
const EVENT: u8 = 101;

#[derive(Arbitrary, Debug)]
struct Agreed {
    remote: Option<u8>,
    remote_rtcp: Option<u8>,
    signalling: u8,
    mux: bool,
    mu: bool,
    both: bool,
    send_event: bool,
    receive_event: bool,
    may_send: bool,
    may_receive: bool,
    detect: bool,
    seed: u64,
}

#[derive(Arbitrary, Debug)]
enum Act {
    Open(u8, Agreed),
    Update(u8, Agreed),
    Connect(u8, u8),
    Disconnect(u8),
    Play(u8, u16),
    PlayOnce(u8),
    Stop(u8),
    Digit(u8, u8, u16),
    Report(u8),
    Close(u8),
    /// The next packet of a party, in order.
    Speak {
        port: u8,
        mu: bool,
        frames: u8,
        times: u8,
    },
    /// A key of a party.
    Key {
        port: u8,
        code: u8,
        end: bool,
        duration: u16,
        again: bool,
    },
    /// Any packet to a port.
    Octets {
        port: u8,
        rtcp: bool,
        from: u8,
        octets: Vec<u8>,
    },
    Tick {
        times: u8,
        late_ms: u8,
    },
    Pass {
        ms: u16,
    },
    Listen,
}

/// What is known of a port.
#[derive(Default)]
struct Known {
    open: bool,
    closing: bool,
    settings: Option<PortSettings>,
    peer: Option<usize>,
    /// It was told to play something; whether that is over isn't known.
    plays: bool,
    sequence: u16,
    timestamp: u32,
    key: u32,
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, number % 4], 4000 + u16::from(number / 4 % 4)))
}

fn settings(agreed: &Agreed) -> PortSettings {
    let (one, other) = if agreed.mu {
        (Codec::Pcmu, Codec::Pcma)
    } else {
        (Codec::Pcma, Codec::Pcmu)
    };
    let number = |codec: Codec| codec.static_payload_type().expect("G.711 has one");
    let mut receive = [None; MAX_PAYLOADS];
    receive[0] = Some((number(one), one));
    receive[1] = agreed.both.then_some((number(other), other));
    PortSettings {
        local_ip: [10, 0, 0, 100].into(),
        remote: agreed.remote.map(address),
        remote_rtcp: agreed.remote_rtcp.map(address),
        rtcp_mux: agreed.mux,
        signalling_ip: address(agreed.signalling).ip(),
        send_codec: one,
        send_payload_type: number(one),
        receive,
        send_event: agreed.send_event.then_some(EVENT),
        receive_event: agreed.receive_event.then_some(EVENT),
        may_send: agreed.may_send,
        may_receive: agreed.may_receive,
        srtp: None,
        seed: agreed.seed,
        detect_digits: agreed.detect,
    }
}

/// What left, kept without allocating: a fault within [`forbidden`] would not be told.
struct Sent {
    packets: Vec<(Left, usize)>,
    octets: Vec<u8>,
}

/// From where to where a packet left.
struct Left {
    port: PortId,
    channel: Channel,
    from: IpAddr,
    to: SocketAddr,
}

impl Sent {
    fn take(&mut self, out: &Transmit<'_>) {
        self.octets.extend_from_slice(out.octets);
        let left = Left {
            port: out.port,
            channel: out.channel,
            from: out.from,
            to: out.to,
        };
        self.packets.push((left, self.octets.len()));
    }
}

struct World {
    graph: Graph,
    now: Instant,
    ports: [Known; PORTS as usize],
    sent: Sent,
}

impl World {
    fn new() -> Self {
        let ntp = NtpClock::new(Instant::ZERO, WallTime::from_unix_seconds(1_800_000_000));
        Self {
            graph: Graph::new(usize::from(PORTS), ntp),
            now: Instant::from_millis(1000),
            ports: Default::default(),
            sent: Sent {
                packets: Vec::with_capacity(64),
                octets: Vec::with_capacity(16 * 1024),
            },
        }
    }

    fn command(&mut self, command: Command) {
        let (graph, now) = (&mut self.graph, self.now);
        forbidden(|| graph.command(now, command));
    }

    fn unlink(&mut self, port: usize) {
        if let Some(peer) = self.ports[port].peer.take() {
            self.ports[peer].peer = None;
        }
    }

    fn packet(&mut self, port: usize, channel: Channel, from: SocketAddr, octets: &mut [u8]) {
        let (graph, now, sent) = (&mut self.graph, self.now, &mut self.sent);
        let port = PortId::new(port as u16);
        forbidden(|| {
            graph.packet(now, port, channel, from, octets, &mut |out| sent.take(&out));
        });
        self.check();
    }

    fn tick(&mut self) {
        let (graph, now, sent) = (&mut self.graph, self.now, &mut self.sent);
        forbidden(|| graph.tick(now, &mut |out| sent.take(&out)));
        self.check();
    }

    fn check(&mut self) {
        let mut start = 0;
        for (out, end) in self.sent.packets.drain(..) {
            check(&self.ports, &out, &self.sent.octets[start..end]);
            start = end;
        }
        self.sent.octets.clear();
    }

    fn listen(&mut self) {
        while let Some(event) = self.graph.poll_event() {
            match event {
                Event::Closed { port, .. } => {
                    self.unlink(usize::from(port.raw()));
                    let known = &mut self.ports[usize::from(port.raw())];
                    assert!(known.open && known.closing, "closed without being told to");
                    *known = Known::default();
                }
                Event::Digit { digit, .. } => assert!("0123456789*#ABCD!".contains(digit)),
                Event::Heard { port, .. }
                | Event::Silent { port, .. }
                | Event::Report { port, .. } => {
                    assert!(self.ports[usize::from(port.raw())].open);
                }
            }
        }
    }

    fn speak(&mut self, port: usize, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let known = &mut self.ports[port];
        known.sequence = known.sequence.wrapping_add(1);
        let from = known
            .settings
            .and_then(|settings| settings.remote)
            .unwrap_or(address(port as u8));
        let mut octets = vec![0x80, payload_type];
        octets.extend(known.sequence.to_be_bytes());
        octets.extend(timestamp.to_be_bytes());
        octets.extend((port as u32 + 1).to_be_bytes());
        octets.extend(payload);
        self.packet(port, Channel::Rtp, from, &mut octets);
    }

    fn act(&mut self, act: Act) {
        let index = |port: u8| usize::from(u16::from(port) % PORTS);
        let id = |port: u8| PortId::new(u16::from(port) % PORTS);
        match act {
            // The exchange opens only what is free: what `Closed` was told of.
            Act::Open(port, _) if self.ports[index(port)].open => {}
            Act::Open(port, agreed) => {
                let settings = settings(&agreed);
                self.ports[index(port)] = Known {
                    open: true,
                    settings: Some(settings),
                    ..Known::default()
                };
                self.command(Command::Open {
                    port: id(port),
                    settings,
                });
            }
            Act::Update(port, agreed) => {
                let mut settings = settings(&agreed);
                // The stream goes on under the source it began with.
                if let Some(before) = &mut self.ports[index(port)].settings {
                    settings.seed = before.seed;
                    *before = settings;
                }
                self.command(Command::Update {
                    port: id(port),
                    settings,
                });
            }
            Act::Connect(a, b) => {
                let (one, other) = (index(a), index(b));
                if one != other && self.ports[one].open && self.ports[other].open {
                    self.unlink(one);
                    self.unlink(other);
                    self.ports[one].peer = Some(other);
                    self.ports[other].peer = Some(one);
                }
                self.command(Command::Connect {
                    a: id(a),
                    b: id(b),
                    talk: a % 2 == 0,
                });
            }
            Act::Disconnect(port) => {
                self.unlink(index(port));
                self.command(Command::Disconnect { port: id(port) });
            }
            Act::Play(port, hz) => {
                self.ports[index(port)].plays = true;
                let tone = ToneSpec::continuous(hz);
                self.command(Command::Play {
                    port: id(port),
                    tone,
                });
            }
            Act::PlayOnce(port) => {
                self.ports[index(port)].plays = true;
                let tone = ToneSpec::parse("!950/330 !1400/330 !1800/330").expect("a tone");
                self.command(Command::Play {
                    port: id(port),
                    tone,
                });
            }
            Act::Stop(port) => self.command(Command::Stop { port: id(port) }),
            Act::Digit(port, digit, duration_ms) => {
                self.ports[index(port)].plays = true;
                let digit = char::from(b"0123456789*#ABCD!x"[usize::from(digit) % 18]);
                self.command(Command::SendDigit {
                    port: id(port),
                    digit,
                    duration_ms,
                });
            }
            Act::Report(port) => self.command(Command::Report { port: id(port) }),
            Act::Close(port) => {
                let port_index = index(port);
                self.unlink(port_index);
                self.ports[port_index].closing = self.ports[port_index].open;
                self.command(Command::Close { port: id(port) });
            }
            Act::Speak {
                port,
                mu,
                frames,
                times,
            } => {
                for _ in 0..=times % 16 {
                    let payload = vec![0x55 ^ port; usize::from(frames % 8) * 80];
                    let known = &mut self.ports[index(port)];
                    known.timestamp = known.timestamp.wrapping_add(payload.len() as u32);
                    let timestamp = known.timestamp;
                    self.speak(index(port), if mu { 0 } else { 8 }, timestamp, &payload);
                    self.now += Duration::from_millis(u64::from(frames % 8) * 10);
                }
            }
            Act::Key {
                port,
                code,
                end,
                duration,
                again,
            } => {
                let known = &mut self.ports[index(port)];
                if !again {
                    known.key = known.timestamp;
                }
                let timestamp = known.key;
                let [high, low] = duration.to_be_bytes();
                let flags = if end { 0x8A } else { 0x0A };
                // The other side's own keys may be passed on as sound.
                if let Some(peer) = known.peer {
                    self.ports[peer].plays = true;
                }
                self.speak(
                    index(port),
                    EVENT,
                    timestamp,
                    &[code % 20, flags, high, low],
                );
            }
            Act::Octets {
                port,
                rtcp,
                from,
                mut octets,
            } => {
                if let Some(peer) = self.ports[index(port)].peer {
                    self.ports[peer].plays = true;
                }
                let channel = if rtcp { Channel::Rtcp } else { Channel::Rtp };
                self.packet(index(port), channel, address(from), &mut octets);
            }
            Act::Tick { times, late_ms } => {
                for _ in 0..=times % 64 {
                    self.now += TICK + Duration::from_millis(u64::from(late_ms));
                    self.tick();
                }
            }
            Act::Pass { ms } => self.now += Duration::from_millis(u64::from(ms)),
            Act::Listen => self.listen(),
        }
    }
}

fn check(ports: &[Known], out: &Left, octets: &[u8]) {
    let known = &ports[usize::from(out.port.raw())];
    assert!(known.open, "sent from a closed port");
    let settings = known.settings.as_ref().expect("open");
    assert_eq!(out.from, settings.local_ip);
    assert_ne!(out.to.port(), 0, "nobody is there");
    match Packet::parse(octets) {
        Ok(packet) => {
            assert_eq!(out.channel, Channel::Rtp);
            assert!(settings.may_send, "the party wants no sound");
            assert!(known.peer.is_some() || known.plays, "sound from nowhere");
            assert_eq!(packet.header.ssrc.0, (settings.seed >> 32) as u32);
            let number = packet.header.payload_type.number();
            assert!(
                number == settings.send_payload_type || settings.send_event == Some(number),
                "{number} was not agreed"
            );
        }
        Err(_) => {
            assert!(Compound::parse(octets).is_ok(), "neither RTP nor RTCP");
            assert!(settings.rtcp_mux == (out.channel == Channel::Rtp));
        }
    }
}

fuzz_target!(|acts: Vec<Act>| {
    let mut world = World::new();
    for act in acts {
        world.act(act);
    }
    for port in 0..PORTS {
        world.act(Act::Close(port as u8));
    }
    // Room for what has to be told.
    world.listen();
    world.tick();
    world.listen();
    assert!(
        world.ports.iter().all(|known| !known.open),
        "closed, but not told"
    );
    world.tick();
    assert!(world.graph.poll_event().is_none());
});

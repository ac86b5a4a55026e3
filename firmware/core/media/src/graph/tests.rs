use dsp::measure::{dominant_frequency, tone_level_dbm0};
use dsp::tone::ToneSpec;
use model::{Codec, WallTime};
use rtp::event::{EventPacket, EventSender};
use rtp::packet::{RtpTime, SequenceNumber, Ssrc};
use rtp::rtcp::{Compound, RtcpPacket};

use super::*;
use crate::coder::{Decoder, Encoder};

mod codecs;
mod encrypted;
mod parties;
mod silence;

const A: PortId = PortId::new(0);
const B: PortId = PortId::new(1);
const EVENT_PT: u8 = 101;

/// A graph with two parties on it, and all that leaves it.
struct World {
    graph: Graph,
    now: Instant,
    sent: Vec<(PortId, Channel, SocketAddr, Vec<u8>)>,
}

/// What a party sends: a stream of its own.
struct Talker {
    port: PortId,
    address: SocketAddr,
    codec: Codec,
    encoder: Encoder,
    sequence: u16,
    timestamp: u32,
    phase: usize,
}

fn address(port: PortId) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + port.raw() as u8], 4000))
}

fn settings(port: PortId, codec: Codec) -> PortSettings {
    let number = codec.static_payload_type().expect("it has one");
    let mut receive = [None; crate::MAX_PAYLOADS];
    receive[0] = Some((number, codec));
    PortSettings {
        local_ip: [10, 0, 0, 100].into(),
        remote: Some(address(port)),
        remote_rtcp: None,
        rtcp_mux: false,
        signalling_ip: address(port).ip(),
        send_codec: codec,
        send_payload_type: number,
        receive,
        send_event: Some(EVENT_PT),
        receive_event: Some(EVENT_PT),
        may_send: true,
        may_receive: true,
        srtp: None,
        seed: 0x1234_5678_9abc_def0 + u64::from(port.raw()),
        detect_digits: false,
    }
}

impl World {
    fn of(a: Codec, b: Codec) -> Self {
        Self::with(settings(A, a), settings(B, b))
    }

    fn with(a: PortSettings, b: PortSettings) -> Self {
        let wall = WallTime::from_unix_seconds(1_800_000_000);
        let mut world = Self {
            graph: Graph::new(4, NtpClock::new(Instant::ZERO, wall)),
            now: Instant::from_millis(1000),
            sent: Vec::new(),
        };
        for (port, settings) in [(A, a), (B, b)] {
            world.command(Command::Open { port, settings });
        }
        world.command(Command::Connect {
            a: A,
            b: B,
            talk: true,
        });
        world
    }

    fn command(&mut self, command: Command) {
        self.graph.command(self.now, command);
    }

    fn packet(&mut self, port: PortId, channel: Channel, source: SocketAddr, octets: &[u8]) {
        let sent = &mut self.sent;
        let mut octets = octets.to_vec();
        self.graph
            .packet(self.now, port, channel, source, &mut octets, &mut |out| {
                sent.push((out.port, out.channel, out.to, out.octets.to_vec()));
            });
    }

    /// 20 ms pass: the talkers speak, then the tick.
    fn turn(&mut self, talkers: &mut [&mut Talker]) {
        for talker in talkers.iter_mut() {
            let octets = talker.speak();
            self.packet(talker.port, Channel::Rtp, talker.address, &octets);
        }
        self.now += TICK;
        let sent = &mut self.sent;
        self.graph.tick(self.now, &mut |out| {
            sent.push((out.port, out.channel, out.to, out.octets.to_vec()));
        });
    }

    fn rtp(&self, port: PortId) -> Vec<Packet<'_>> {
        self.sent
            .iter()
            .filter(|(from, channel, ..)| *from == port && *channel == Channel::Rtp)
            .map(|(.., octets)| Packet::parse(octets).expect("we send RTP"))
            .collect()
    }

    fn heard(&self, port: PortId, codec: Codec) -> Vec<i16> {
        let mut decoder = Decoder::new(codec);
        self.rtp(port)
            .iter()
            .flat_map(|packet| {
                let mut samples = vec![0; SAMPLES];
                let count = decoder.decode(packet.payload, &mut samples);
                samples.truncate(count);
                samples
            })
            .collect()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.graph.poll_event()).collect()
    }
}

impl Talker {
    fn new(port: PortId, codec: Codec) -> Self {
        Self {
            port,
            address: address(port),
            codec,
            encoder: Encoder::new(codec),
            sequence: 65_530,
            timestamp: 77,
            phase: 0,
        }
    }

    fn header(&self, payload_type: u8) -> Header {
        Header {
            marker: false,
            payload_type: PayloadType::new(payload_type).expect("seven bits"),
            sequence: SequenceNumber(self.sequence),
            timestamp: RtpTime(self.timestamp),
            ssrc: Ssrc(42),
        }
    }

    /// 20 ms of 1000 Hz.
    fn speak(&mut self) -> Vec<u8> {
        let samples: Vec<i16> = (0..SAMPLES)
            .map(|i| {
                let turn = (self.phase + i) as f32 / 8.0 * core::f32::consts::TAU;
                (turn.sin() * 8000.0) as i16
            })
            .collect();
        self.phase += SAMPLES;
        let mut payload = [0; SAMPLES];
        let len = self.encoder.encode(&samples, &mut payload);
        let number = self.codec.static_payload_type().expect("it has one");
        self.packet(number, &payload[..len], SAMPLES as u32)
    }

    fn packet(&mut self, payload_type: u8, payload: &[u8], ticks: u32) -> Vec<u8> {
        let mut out = vec![0; 12 + payload.len()];
        self.header(payload_type)
            .write(payload, &mut out)
            .expect("it fits");
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(ticks);
        out
    }

    fn event(&mut self, event: &EventPacket) -> Vec<u8> {
        let mut header = self.header(EVENT_PT);
        header.timestamp = event.timestamp;
        header.marker = event.marker;
        self.sequence = self.sequence.wrapping_add(1);
        let mut out = vec![0; 16];
        header.write(&event.payload, &mut out).expect("it fits");
        out
    }
}

#[test]
fn a_packet_is_passed_on_at_once_under_our_numbers() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut talker = Talker::new(A, Codec::Pcma);
    let octets = talker.speak();
    world.packet(A, Channel::Rtp, address(A), &octets);
    let (port, channel, to, relayed) = world.sent.first().expect("no tick was needed").clone();
    assert_eq!((port, channel, to), (B, Channel::Rtp, address(B)));
    assert_eq!(relayed[12..], octets[12..], "the payload is untouched");
    let packet = Packet::parse(&relayed).expect("RTP");
    assert_ne!(packet.header.ssrc, Ssrc(42), "the stream is ours");
    assert!(matches!(world.events()[..], [Event::Heard { port: A, .. }]));
}

#[test]
fn header_extensions_and_sources_are_left_behind() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut octets = Talker::new(A, Codec::Pcma).speak();
    // One contributing source and an extension of one word.
    octets[0] = 0x91;
    let tail = octets.split_off(12);
    octets.extend([9, 9, 9, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    octets.extend(&tail);
    world.packet(A, Channel::Rtp, address(A), &octets);
    let relayed = &world.sent.first().expect("passed on").3;
    assert_eq!((relayed[0], relayed.len()), (0x80, 12 + SAMPLES));
    assert_eq!(relayed[12..], tail[..]);
}

#[test]
fn a_third_address_is_never_heard() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut talker = Talker::new(A, Codec::Pcma);
    world.turn(&mut [&mut talker]);
    let mut thief = Talker::new(A, Codec::Pcma);
    thief.address = "192.0.2.66:4000".parse().expect("an address");
    world.sent.clear();
    for _ in 0..100 {
        world.turn(&mut [&mut thief]);
    }
    assert_eq!(world.rtp(B).len(), 0);
    world.command(Command::Report { port: A });
    let quality = world.events().into_iter().find_map(|event| match event {
        Event::Report { quality, .. } => Some(quality),
        _ => None,
    });
    assert_eq!(quality.map(|q| q.packets_foreign), Some(100));
}

#[test]
fn a_tone_takes_the_place_of_the_other_party_until_stopped() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    let tone = ToneSpec::continuous(425);
    world.turn(&mut [&mut a]);
    world.command(Command::Play { port: B, tone });
    for _ in 0..50 {
        world.turn(&mut [&mut a]);
    }
    let heard = world.heard(B, Codec::Pcma);
    let found = dominant_frequency(&heard[800..], 8000).expect("a tone");
    assert!((found - 425.0).abs() < 5.0, "{found} Hz");
    world.command(Command::Stop { port: B });
    world.sent.clear();
    for _ in 0..50 {
        world.turn(&mut [&mut a]);
    }
    let heard = world.heard(B, Codec::Pcma);
    let found = dominant_frequency(&heard, 8000).expect("a tone");
    assert!((found - 1000.0).abs() < 5.0, "{found} Hz");
}

#[test]
fn one_stream_leaves_whatever_it_is_made_of() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    let tone = ToneSpec::continuous(425);
    for phase in 0..6 {
        if phase % 2 == 1 {
            world.command(Command::Play { port: B, tone });
        } else {
            world.command(Command::Stop { port: B });
        }
        for _ in 0..10 {
            world.turn(&mut [&mut a]);
        }
    }
    let packets = world.rtp(B);
    for pair in packets.windows(2) {
        let (one, next) = (pair[0].header, pair[1].header);
        assert_eq!(next.ssrc, one.ssrc);
        assert_eq!(next.sequence.minus(one.sequence), 1);
        let step = next.timestamp.minus(one.timestamp);
        assert!((80..=480).contains(&step), "the clock jumps by {step}");
    }
}

fn press(world: &mut World, talker: &mut Talker, key: char) {
    let mut sender = EventSender::new(160);
    let code = EventCode::from_char(key).expect("a key");
    sender.start(code, 10, 800, RtpTime(talker.timestamp));
    while let Some(event) = sender.next() {
        let octets = talker.event(&event);
        world.packet(talker.port, Channel::Rtp, talker.address, &octets);
        world.turn(&mut []);
    }
    talker.timestamp += 1200;
}

#[test]
fn keys_are_told_and_passed_on_as_events() {
    let mut world = World::of(Codec::Pcma, Codec::Pcmu);
    let mut a = Talker::new(A, Codec::Pcma);
    for key in ['4', '2', '#'] {
        press(&mut world, &mut a, key);
    }
    let told: Vec<char> = world
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Digit { port: A, digit, .. } => Some(*digit),
            _ => None,
        })
        .collect();
    assert_eq!(told, ['4', '2', '#']);
    let events = world
        .rtp(B)
        .iter()
        .filter(|packet| packet.header.payload_type.number() == EVENT_PT)
        .count();
    assert!(events >= 3 * 5, "{events} packets");
}

#[test]
fn a_key_passed_on_amid_other_sound_stays_one_event() {
    let mut world = World::of(Codec::Pcma, Codec::Pcmu);
    let mut a = Talker::new(A, Codec::Pcma);
    for _ in 0..20 {
        world.turn(&mut [&mut a]);
    }
    world.sent.clear();
    // What waits to be transcoded is still sent while the key is pressed.
    let mut sender = EventSender::new(160);
    sender.start(EventCode(5), 10, 1280, RtpTime(a.timestamp));
    while let Some(event) = sender.next() {
        let octets = a.event(&event);
        world.packet(A, Channel::Rtp, address(A), &octets);
        world.turn(&mut []);
    }
    let packets = world.rtp(B);
    let of_type = |number: u8| {
        (packets.iter()).filter(move |packet| packet.header.payload_type.number() == number)
    };
    assert!(of_type(0).count() > 0, "there was other sound");
    let mut starts: Vec<u32> = of_type(EVENT_PT).map(|p| p.header.timestamp.0).collect();
    assert!(starts.len() > 5);
    starts.dedup();
    assert_eq!(starts.len(), 1);
}

#[test]
fn who_was_silent_while_holding_is_not_silent_at_once_when_it_resumes() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    world.turn(&mut [&mut a]);
    let mut held = settings(A, Codec::Pcma);
    held.may_send = false;
    world.command(Command::Update {
        port: A,
        settings: held,
    });
    for _ in 0..4500 {
        world.turn(&mut []);
    }
    world.events();
    world.command(Command::Update {
        port: A,
        settings: settings(A, Codec::Pcma),
    });
    world.turn(&mut []);
    let silent = |event: &Event| matches!(event, Event::Silent { port: A, .. });
    assert!(!world.events().iter().any(silent));
}

#[test]
fn digits_that_come_faster_than_they_are_played_wait() {
    for event in [Some(EVENT_PT), None] {
        let mut b = settings(B, Codec::Pcma);
        b.send_event = event;
        let mut world = World::with(settings(A, Codec::Pcma), b);
        for digit in "159#".chars() {
            world.command(Command::SendDigit {
                port: B,
                digit,
                duration_ms: 100,
            });
        }
        for _ in 0..60 {
            world.turn(&mut []);
        }
        let mut heard = String::new();
        if event.is_some() {
            let mut last = None;
            for packet in world.rtp(B) {
                if last != Some(packet.header.timestamp) {
                    last = Some(packet.header.timestamp);
                    let code = EventCode(packet.payload[0]);
                    heard.extend(EventCode::to_char(code));
                }
            }
        } else {
            let mut detector = dsp::dtmf::DtmfDetector::new();
            detector.feed(&world.heard(B, Codec::Pcma), |report| {
                if let DtmfReport::Down(digit) = report {
                    heard.push(digit.to_char());
                }
            });
        }
        assert_eq!(heard, "159#", "{event:?}");
    }
}

#[test]
fn keys_become_sound_for_a_party_without_events() {
    let mut b = settings(B, Codec::Pcma);
    b.send_event = None;
    let mut world = World::with(settings(A, Codec::Pcma), b);
    let mut a = Talker::new(A, Codec::Pcma);
    press(&mut world, &mut a, '5');
    for _ in 0..10 {
        world.turn(&mut []);
    }
    let mut found = Vec::new();
    let mut detector = dsp::dtmf::DtmfDetector::new();
    detector.feed(&world.heard(B, Codec::Pcma), |report| {
        if let DtmfReport::Down(digit) = report {
            found.push(digit.to_char());
        }
    });
    assert_eq!(found, ['5']);
}

#[test]
fn keys_in_band_are_told_where_asked_for() {
    let mut b = settings(B, Codec::Pcma);
    b.send_event = None;
    let mut a = settings(A, Codec::Pcma);
    a.detect_digits = true;
    let mut world = World::with(a, b);
    // A sends what a digit played to B sounds like.
    world.command(Command::SendDigit {
        port: B,
        digit: '7',
        duration_ms: 100,
    });
    for _ in 0..15 {
        world.turn(&mut []);
    }
    let sound: Vec<Vec<u8>> = world
        .rtp(B)
        .iter()
        .map(|packet| packet.payload.to_vec())
        .collect();
    let mut talker = Talker::new(A, Codec::Pcma);
    let silence = [0xd5; SAMPLES];
    for payload in sound.iter().map(Vec::as_slice).chain([&silence[..]; 5]) {
        let octets = talker.packet(8, payload, 160);
        world.packet(A, Channel::Rtp, address(A), &octets);
    }
    assert!(world.events().iter().any(|event| matches!(
        event,
        Event::Digit {
            port: A,
            digit: '7',
            ..
        }
    )));
}

#[test]
fn a_party_that_may_not_be_heard_or_sent_to_is_not() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    world.turn(&mut [&mut a]);
    let mut held = settings(B, Codec::Pcma);
    held.may_send = false;
    world.command(Command::Update {
        port: B,
        settings: held,
    });
    world.sent.clear();
    world.turn(&mut [&mut a]);
    assert_eq!(world.rtp(B).len(), 0);
    world.command(Command::Update {
        port: B,
        settings: settings(B, Codec::Pcma),
    });
    world.turn(&mut [&mut a]);
    assert_eq!(world.rtp(B).len(), 1);
}

#[test]
fn a_silent_party_is_told_of_unless_it_is_held() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut held = settings(B, Codec::Pcma);
    held.may_receive = false;
    world.command(Command::Update {
        port: B,
        settings: held,
    });
    for _ in 0..550 {
        world.turn(&mut []);
    }
    let silent: Vec<(PortId, u32)> = world
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Silent { port, for_ms } => Some((*port, *for_ms)),
            _ => None,
        })
        .collect();
    assert_eq!(silent, [(A, 5000), (A, 10_000)]);
}

#[test]
fn both_legs_are_reported_on_and_measured() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    for turn in 0..600 {
        if turn % 50 == 49 {
            a.speak();
            world.turn(&mut []);
        } else {
            world.turn(&mut [&mut a]);
        }
    }
    let reports: Vec<&(PortId, Channel, SocketAddr, Vec<u8>)> = world
        .sent
        .iter()
        .filter(|(_, channel, ..)| *channel == Channel::Rtcp)
        .collect();
    assert!(reports.len() >= 3, "{} reports", reports.len());
    let mut lost = None;
    for (port, _, to, octets) in reports {
        assert_eq!(*to, SocketAddr::new(address(*port).ip(), 4001));
        let compound = Compound::parse(octets).expect("we send RTCP");
        for packet in compound.packets() {
            match (port, packet) {
                (&B, RtcpPacket::SenderReport { info, .. }) => assert!(info.packets > 50),
                (&A, RtcpPacket::ReceiverReport { reports, .. }) => {
                    lost = reports.iter().next().map(|block| block.cumulative_lost);
                }
                (_, RtcpPacket::SourceDescription(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(lost.is_some_and(|lost| lost >= 5), "{lost:?}");
    world.command(Command::Close { port: A });
    world.turn(&mut []);
    let quality = world.events().into_iter().find_map(|event| match event {
        Event::Closed { port: A, quality } => Some(quality),
        _ => None,
    });
    let quality = quality.expect("the end is told");
    assert_eq!(quality.packets_received, 588);
    assert_eq!(quality.packets_lost, 11, "the last gap is not seen yet");
    assert!(quality.mos_hundredths.is_some_and(|mos| mos > 350));
}

#[test]
fn who_was_connected_to_a_closing_port_does_not_hear_its_next_party() {
    let mut world = World::of(Codec::Pcma, Codec::Pcmu);
    world.command(Command::Close { port: B });
    world.command(Command::Connect {
        a: A,
        b: B,
        talk: true,
    });
    world.turn(&mut []);
    let (next, c) = (settings(B, Codec::Pcmu), PortId::new(2));
    let other = settings(c, Codec::Pcma);
    for (port, settings) in [(B, next), (c, other)] {
        world.command(Command::Open { port, settings });
    }
    world.command(Command::Connect {
        a: B,
        b: c,
        talk: true,
    });
    let mut b = Talker::new(B, Codec::Pcmu);
    for _ in 0..10 {
        world.turn(&mut [&mut b]);
    }
    assert!(world.rtp(c).len() > 5);
    assert_eq!(world.rtp(A).len(), 0, "another call is heard");
}

#[test]
fn a_port_is_free_again_after_its_end_was_told() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    for round in 0..50 {
        let mut a = Talker::new(A, Codec::Pcma);
        world.turn(&mut [&mut a]);
        assert_eq!(world.rtp(B).len(), 1, "round {round}");
        for port in [A, B] {
            world.command(Command::Close { port });
        }
        world.turn(&mut [&mut a]);
        let closed = world
            .events()
            .iter()
            .filter(|event| matches!(event, Event::Closed { .. }))
            .count();
        assert_eq!(closed, 2);
        world.sent.clear();
        for port in [A, B] {
            world.command(Command::Open {
                port,
                settings: settings(port, Codec::Pcma),
            });
        }
        world.command(Command::Connect {
            a: A,
            b: B,
            talk: true,
        });
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_comes_nothing_breaks(
            inputs in prop::collection::vec(
                (0_u16..5, any::<bool>(), 0_u8..4, prop::collection::vec(any::<u8>(), 0..40), 0_u8..8),
                1..60,
            ),
        ) {
            let mut world = World::of(Codec::Pcma, Codec::Pcmu);
            for (port, rtcp, host, mut octets, action) in inputs {
                let port = PortId::new(port);
                if let Some(first) = octets.first_mut() {
                    *first = 0x80 | (*first & 0x3f);
                }
                let channel = if rtcp { Channel::Rtcp } else { Channel::Rtp };
                let source = SocketAddr::from(([10, 0, 0, host], 4000));
                world.packet(port, channel, source, &octets);
                match action {
                    0 => world.command(Command::Connect {
            a: port,
            b: A,
            talk: true,
        }),
                    1 => world.command(Command::Close { port }),
                    2 => world.command(Command::Open { port, settings: settings(A, Codec::Pcma) }),
                    3 => world.command(Command::Disconnect { port }),
                    4 => world.command(Command::SendDigit { port, digit: '1', duration_ms: 60 }),
                    _ => world.turn(&mut []),
                }
            }
            for (.., octets) in &world.sent {
                prop_assert!(octets.len() >= 8);
            }
        }
    }
}

//! Encrypted parties: each with its own keys, or one of them without.

use model::{MasterKey, MasterKeys, SrtpSuite};
use rtp::rtcp::Writer;
use rtp::srtp::{MAX_OVERHEAD, Receiver, Sender};

use super::*;

/// The phone's end of an encrypted leg.
struct Far {
    keys: MasterKeys,
    sender: Sender,
    receiver: Receiver,
}

fn key(suite: SrtpSuite, of: u8) -> MasterKey {
    let octets: Vec<u8> = (0..MasterKey::MAX as u8).map(|n| n ^ of).collect();
    let len = suite.key_len() + suite.salt_len();
    MasterKey::new(suite, &octets[..len]).expect("as long as it is to be")
}

impl Far {
    fn new(suite: SrtpSuite, of: u8) -> Self {
        let keys = MasterKeys {
            send: key(suite, of),
            receive: key(suite, of + 1),
        };
        Self {
            keys,
            sender: Sender::new(&keys.receive),
            receiver: Receiver::new(&keys.send),
        }
    }

    fn says(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut octets = packet.to_vec();
        octets.resize(packet.len() + MAX_OVERHEAD, 0);
        let len = if rtp::packet::is_rtcp(packet) {
            self.sender.protect_rtcp(&mut octets, packet.len())
        } else {
            self.sender.protect(&mut octets, packet.len())
        };
        octets.truncate(len.expect("a packet"));
        octets
    }

    fn hears(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut octets = packet.to_vec();
        let len = if rtp::packet::is_rtcp(packet) {
            self.receiver.unprotect_rtcp(&mut octets)
        } else {
            self.receiver.unprotect(&mut octets)
        };
        octets.truncate(len.expect("ours"));
        octets
    }
}

fn leg(port: PortId, codec: Codec, far: Option<&Far>) -> PortSettings {
    let mut settings = settings(port, codec);
    settings.srtp = far.map(|far| far.keys);
    settings
}

/// A second of speech from A to B; what B hears, decrypted.
fn second(world: &mut World, a: &mut Talker, far: [&mut Option<Far>; 2]) -> Vec<Vec<u8>> {
    let [of_a, of_b] = far;
    for _ in 0..50 {
        let plain = a.speak();
        let octets = of_a.as_mut().map_or(plain.clone(), |far| far.says(&plain));
        world.packet(A, Channel::Rtp, a.address, &octets);
        world.turn(&mut []);
    }
    let sent = core::mem::take(&mut world.sent).into_iter();
    let to_b = sent.filter(|(port, channel, ..)| *port == B && *channel == Channel::Rtp);
    to_b.map(|(.., octets)| match of_b {
        Some(far) => far.hears(&octets),
        None => octets,
    })
    .collect()
}

fn suites() -> Vec<Option<SrtpSuite>> {
    let some = SrtpSuite::ALL.into_iter().map(Some);
    [None].into_iter().chain(some).collect()
}

#[test]
fn any_two_suites_meet() {
    for (one, other) in suites()
        .into_iter()
        .flat_map(|one| suites().into_iter().map(move |other| (one, other)))
    {
        for codecs in [(Codec::Pcma, Codec::Pcma), (Codec::Pcma, Codec::Pcmu)] {
            let mut of_a = one.map(|suite| Far::new(suite, 10));
            let mut of_b = other.map(|suite| Far::new(suite, 20));
            let mut world = World::with(
                leg(A, codecs.0, of_a.as_ref()),
                leg(B, codecs.1, of_b.as_ref()),
            );
            let mut a = Talker::new(A, codecs.0);
            let heard = second(&mut world, &mut a, [&mut of_a, &mut of_b]);
            assert!(heard.len() > 40, "{one:?} {other:?}: {}", heard.len());
            for octets in heard {
                let packet = Packet::parse(&octets).expect("RTP");
                assert_eq!(packet.payload.len(), 160);
            }
        }
    }
}

#[test]
fn what_is_not_encrypted_is_not_of_the_party_and_nothing_leaves_in_the_clear() {
    let mut of_a = Far::new(SrtpSuite::AesCm128HmacSha1_80, 10);
    let mut world = World::with(leg(A, Codec::Pcma, Some(&of_a)), leg(B, Codec::Pcma, None));
    let (mut a, mut b) = (Talker::new(A, Codec::Pcma), Talker::new(B, Codec::Pcma));
    let mut clear = Vec::new();
    for _ in 0..20 {
        clear.push(b.speak());
        world.packet(B, Channel::Rtp, b.address, clear.last().expect("just said"));
        let thief = a.speak();
        world.packet(A, Channel::Rtp, a.address, &thief);
        world.turn(&mut []);
    }
    assert_eq!(
        world.rtp(B).len(),
        0,
        "B hears nothing of what A never said"
    );
    let to_a: Vec<Vec<u8>> = world
        .sent
        .iter()
        .map(|(.., octets)| octets.clone())
        .collect();
    assert_eq!(to_a.len(), 20);
    for (octets, clear) in to_a.iter().zip(&clear) {
        assert_ne!(octets[12..172], clear[12..]);
        assert_eq!(of_a.hears(octets)[12..], clear[12..]);
    }
    world.command(Command::Report { port: A });
    let foreign = world.events().into_iter().find_map(|event| match event {
        Event::Report { port: A, quality } => Some(quality.packets_foreign),
        _ => None,
    });
    assert_eq!(foreign, Some(20));
}

#[test]
fn reports_are_encrypted_too() {
    let mut of_a = Far::new(SrtpSuite::AeadAes256Gcm, 10);
    let mut world = World::with(leg(A, Codec::Pcma, Some(&of_a)), leg(B, Codec::Pcma, None));
    let mut report = [0; 128];
    let mut writer = Writer::new(&mut report);
    writer.receiver_report(Ssrc(42), &[]).expect("it fits");
    writer.sdes_cname(Ssrc(42), b"a").expect("it fits");
    let len = writer.finish();
    let from = SocketAddr::new(address(A).ip(), 4001);
    let octets = of_a.says(&report[..len]);
    world.packet(A, Channel::Rtcp, from, &octets);
    for _ in 0..600 {
        world.turn(&mut []);
    }
    let silent = world.events().into_iter().find_map(|event| match event {
        Event::Silent { port: A, for_ms } => Some(for_ms),
        _ => None,
    });
    assert_eq!(silent, Some(5000));
    let sent = core::mem::take(&mut world.sent).into_iter();
    let reports: Vec<Vec<u8>> = sent
        .filter(|(port, channel, to, _)| *port == A && *channel == Channel::Rtcp && *to == from)
        .map(|(.., octets)| of_a.hears(&octets))
        .collect();
    assert!(
        !reports.is_empty(),
        "they go to where the party's come from"
    );
    assert!(reports.iter().all(|octets| Compound::parse(octets).is_ok()));
}

#[test]
fn a_new_negotiation_with_the_same_keys_goes_on_and_with_others_begins_anew() {
    let suite = SrtpSuite::AeadAes128Gcm;
    let mut of_a = Some(Far::new(suite, 10));
    let mut world = World::with(
        leg(A, Codec::Pcma, of_a.as_ref()),
        leg(B, Codec::Pcma, None),
    );
    let mut a = Talker::new(A, Codec::Pcma);
    assert_eq!(second(&mut world, &mut a, [&mut of_a, &mut None]).len(), 50);
    let settings = leg(A, Codec::Pcma, of_a.as_ref());
    world.command(Command::Update { port: A, settings });
    assert_eq!(second(&mut world, &mut a, [&mut of_a, &mut None]).len(), 50);
    of_a = Some(Far::new(SrtpSuite::AesCm128HmacSha1_32, 30));
    let settings = leg(A, Codec::Pcma, of_a.as_ref());
    world.command(Command::Update { port: A, settings });
    assert_eq!(second(&mut world, &mut a, [&mut of_a, &mut None]).len(), 50);
    let settings = leg(A, Codec::Pcma, None);
    world.command(Command::Update { port: A, settings });
    assert_eq!(second(&mut world, &mut a, [&mut None, &mut None]).len(), 50);
}

#[test]
fn a_key_that_comes_back_meets_no_number_that_it_has_seen() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let keys = Far::new(suite, 20).keys;
    let mut world = World::with(leg(A, Codec::Pcma, None), leg(B, Codec::Pcma, None));
    let mut a = Talker::new(A, Codec::Pcma);
    let mut seen = std::collections::BTreeSet::new();
    for srtp in [Some(keys), None, Some(keys), None, Some(keys)] {
        let mut settings = leg(B, Codec::Pcma, None);
        settings.srtp = srtp;
        world.command(Command::Update { port: B, settings });
        for octets in second(&mut world, &mut a, [&mut None, &mut None]) {
            let header = Packet::parse(&octets).expect("RTP").header;
            let number = (header.ssrc.0, header.sequence.0);
            assert!(srtp.is_none() || seen.insert(number), "{number:?} twice");
            if srtp.is_some() {
                assert!(seen.len() < 32_768);
            }
        }
    }
    let sources: std::collections::BTreeSet<u32> = seen.iter().map(|(ssrc, _)| *ssrc).collect();
    assert_eq!(sources.len(), 3, "a source of its own each time");
}

//! Parties of different codecs hear each other; parties of one pass packets on.

use super::*;

fn pairs() -> impl Iterator<Item = (Codec, Codec)> {
    Codec::DEFAULT
        .into_iter()
        .flat_map(|a| Codec::DEFAULT.map(|b| (a, b)))
}

#[test]
fn any_two_codecs_meet() {
    for (of_a, of_b) in pairs() {
        let mut world = World::of(of_a, of_b);
        let (mut a, mut b) = (Talker::new(A, of_a), Talker::new(B, of_b));
        for _ in 0..100 {
            world.turn(&mut [&mut a, &mut b]);
        }
        for (port, codec) in [(B, of_b), (A, of_a)] {
            let heard = world.heard(port, codec);
            assert!(heard.len() > 8000 * 19 / 10, "{} samples", heard.len());
            let steady = &heard[4000..12_000];
            let found = dominant_frequency(steady, 8000).expect("a tone");
            assert!(
                (found - 1000.0).abs() < 5.0,
                "{of_a:?} {of_b:?}: {found} Hz"
            );
            let level = tone_level_dbm0(steady, 1000.0, 8000);
            assert!((level + 9.1).abs() < 1.0, "{of_a:?} {of_b:?}: {level} dBm0");
        }
    }
}

#[test]
fn what_one_codec_says_is_passed_on_untouched() {
    for codec in Codec::DEFAULT {
        let mut world = World::of(codec, codec);
        let mut a = Talker::new(A, codec);
        let mut said = Vec::new();
        for _ in 0..20 {
            let octets = a.speak();
            said.push(octets[HEADER_LEN..].to_vec());
            world.packet(A, Channel::Rtp, address(A), &octets);
            world.turn(&mut []);
        }
        let passed: Vec<Vec<u8>> = (world.rtp(B).iter())
            .map(|packet| packet.payload.to_vec())
            .collect();
        assert_eq!(passed, said, "{codec:?}");
    }
}

#[test]
fn a_codec_that_changes_in_mid_call_is_heard() {
    for (before, after) in pairs() {
        let mut world = World::of(before, Codec::Pcmu);
        let mut b = Talker::new(B, Codec::Pcmu);
        for _ in 0..50 {
            world.turn(&mut [&mut b]);
        }
        let settings = settings(A, after);
        world.command(Command::Update { port: A, settings });
        world.sent.clear();
        for _ in 0..60 {
            world.turn(&mut [&mut b]);
        }
        let heard = world.heard(A, after);
        let found = dominant_frequency(&heard[1600..], 8000).expect("a tone");
        assert!(
            (found - 1000.0).abs() < 5.0,
            "{before:?} {after:?}: {found} Hz"
        );
    }
}

#[test]
fn tones_and_keys_are_heard_in_any_codec() {
    for codec in Codec::DEFAULT {
        let mut settings = settings(B, codec);
        settings.send_event = None;
        let mut world = World::with(super::settings(A, Codec::Pcma), settings);
        let tone = ToneSpec::continuous(425);
        world.command(Command::Play { port: B, tone });
        for _ in 0..30 {
            world.turn(&mut []);
        }
        let found = dominant_frequency(&world.heard(B, codec)[800..], 8000).expect("a tone");
        assert!((found - 425.0).abs() < 5.0, "{codec:?}: {found} Hz");
    }
}

#[test]
fn keys_in_band_are_told_in_any_codec() {
    for codec in Codec::DEFAULT {
        let mut heard = settings(A, codec);
        heard.detect_digits = true;
        let mut world = World::with(heard, settings(B, Codec::Pcma));
        let mut a = Talker::new(A, codec);
        let mut key = dsp::dtmf::DtmfGenerator::new(
            DtmfDigit::from_char('7').expect("a key"),
            dsp::dtmf::DtmfTiming::default(),
        );
        for _ in 0..30 {
            let (mut samples, mut payload) = ([0; SAMPLES], [0; SAMPLES]);
            key.fill(&mut samples);
            let len = a.encoder.encode(&samples, &mut payload);
            let number = codec.static_payload_type().expect("it has one");
            let octets = a.packet(number, &payload[..len], SAMPLES as u32);
            world.packet(A, Channel::Rtp, address(A), &octets);
            world.turn(&mut []);
        }
        let keys: Vec<char> = (world.events().iter())
            .filter_map(|event| match event {
                Event::Digit { digit, .. } => Some(*digit),
                _ => None,
            })
            .collect();
        assert_eq!(keys, ['7'], "{codec:?}");
    }
}

#[test]
fn loss_is_concealed_where_codecs_differ_and_passed_on_where_not() {
    for (to, codec) in [(Codec::Pcmu, Codec::Pcmu), (Codec::Pcma, Codec::Pcma)] {
        let mut world = World::of(Codec::Pcma, to);
        let mut a = Talker::new(A, Codec::Pcma);
        for turn in 0..100 {
            if turn % 10 == 9 {
                a.speak();
                world.turn(&mut []);
            } else {
                world.turn(&mut [&mut a]);
            }
        }
        let packets = world.rtp(B).len();
        if to == Codec::Pcma {
            assert_eq!(packets, 90, "a gap stays a gap");
        } else {
            let heard = world.heard(B, codec);
            let level = tone_level_dbm0(&heard[4000..12_000], 1000.0, 8000);
            assert!(
                packets > 95 && level > -16.0,
                "{packets} packets, {level} dBm0"
            );
        }
    }
}

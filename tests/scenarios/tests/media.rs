//! What parties hear: codecs, digits, one stream, and nobody else's sound.

use model::Codec;
use testkit::{Keys, Line, Network, PhoneId, World, assert_hears, assert_silence};

/// Two phones with these payload types talk for a while.
fn talking(a_codecs: &[u8], b_codecs: &[u8]) -> (World, Line, Line) {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.codecs = a_codecs.to_vec());
    w.set(b, |p| p.codecs = b_codecs.to_vec());
    let (a, b) = w.talk(a, b);
    w.run_for(800);
    (w, a, b)
}

fn heard_types(w: &World, line: Line) -> Vec<u8> {
    w.call(line)
        .sound
        .counts
        .payload_types
        .iter()
        .copied()
        .collect()
}

#[test]
fn any_two_phones_of_g711_hear_each_other() {
    let lists: [&[u8]; 4] = [&[8], &[0], &[0, 8], &[9, 8]];
    for a_codecs in lists {
        for b_codecs in lists {
            let (mut w, a, b) = talking(a_codecs, b_codecs);
            w.assert_talk(a, b);
            w.finish();
        }
    }
}

#[test]
fn phones_of_g722_hear_each_other_and_any_other() {
    let lists: [(&[u8], u8); 3] = [(&[9], 9), (&[8], 8), (&[0], 0)];
    for (a_codecs, a_heard) in lists {
        for (b_codecs, b_heard) in lists {
            let (mut w, a, b) = talking(a_codecs, b_codecs);
            w.assert_talk(a, b);
            let heard = (heard_types(&w, a), heard_types(&w, b));
            assert_eq!(heard, (vec![a_heard], vec![b_heard]));
            w.finish();
        }
    }
}

#[test]
fn a_codec_of_both_is_found_whatever_they_prefer() {
    let lists: [(&[u8], &[u8], u8); 4] = [
        // The administrator's order decides: 8, 0, 9, 3.
        (&[9, 8, 0], &[0, 8, 9], 8),
        (&[3, 9], &[9, 3], 9),
        (&[9, 8], &[8, 0], 8),
        (&[3, 0, 9], &[9, 3], 9),
    ];
    for (a_codecs, b_codecs, both) in lists {
        let (mut w, a, b) = talking(a_codecs, b_codecs);
        w.assert_talk(a, b);
        let heard = (heard_types(&w, a), heard_types(&w, b));
        assert_eq!(heard, (vec![both], vec![both]), "{a_codecs:?} {b_codecs:?}");
        w.finish();
    }
}

/// Phones that may use all codecs, those first that are passed on only, with these payload types.
fn may_use_all<const N: usize>(numbers: [&str; N], codecs: [&[u8]; N]) -> World {
    let mut w = World::of(numbers);
    w.configure(|c| {
        for extension in &mut c.extensions {
            extension.codecs = Codec::ALL.to_vec();
            extension.codecs.sort_by_key(|codec| codec.is_transcoded());
        }
    });
    for (number, codecs) in numbers.into_iter().zip(codecs) {
        let phone = w.phone(number);
        w.set(phone, |p| p.codecs = codecs.to_vec());
    }
    w
}

#[test]
fn what_the_exchange_can_not_decode_is_passed_on() {
    let mut w = may_use_all(["101", "102"], [&[18, 8], &[0, 18]]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(800);
    for line in [a, b] {
        assert_eq!(heard_types(&w, line), [18]);
        assert!(w.call(line).sound.counts.received > 30);
    }
    w.finish();
    let codecs: Vec<Option<Codec>> = w.record(0).legs.iter().map(|leg| leg.codec).collect();
    assert_eq!(codecs, [Some(Codec::G729); 2]);
}

#[test]
fn what_can_not_be_decoded_is_no_call_with_another_codec() {
    for (caller, called) in [(&[18][..], &[8][..]), (&[8], &[18])] {
        let mut w = may_use_all(["101", "102"], [caller, called]);
        let call = w.dial(w.phone("101"), "102");
        w.run_for(500);
        w.answer(w.phone("102"));
        w.run_for(500);
        assert!(matches!(w.end(call), Some(testkit::End::Refused(488))));
        w.finish();
    }
}

#[test]
fn a_transfer_brings_parties_to_a_codec_of_both() {
    let mut w = may_use_all(["101", "102", "103"], [&[18, 8], &[18, 8], &[8]]);
    let (a, b1) = w.talk(w.phone("101"), w.phone("102"));
    w.hold(b1);
    w.run_for(200);
    let (b2, c) = w.talk(b1.phone, w.phone("103"));
    w.run_for(300);
    assert_eq!(
        (heard_types(&w, a), heard_types(&w, c)),
        (vec![18], vec![8])
    );
    w.transfer_to(b1, b2);
    w.run_for(3000);
    w.assert_talk(a, c);
    w.hang_up(a);
    w.run_for(200);
    w.finish();
}

#[test]
fn a_law_against_mu_law_is_transcoded() {
    let (mut w, a, b) = talking(&[8], &[0]);
    assert_eq!((heard_types(&w, a), heard_types(&w, b)), (vec![8], vec![0]));
    w.finish();
    let codecs: Vec<Option<Codec>> = w.record(0).legs.iter().map(|leg| leg.codec).collect();
    assert_eq!(codecs, [Some(Codec::Pcma), Some(Codec::Pcmu)]);
}

#[test]
fn a_shared_codec_is_preferred_to_transcoding() {
    let (mut w, a, b) = talking(&[8, 0], &[0]);
    assert_eq!(heard_types(&w, a), heard_types(&w, b));
    w.finish();
}

#[test]
fn a_caller_without_a_known_codec_is_refused() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.codecs = vec![4, 18]);
    let call = w.dial(a, "102");
    w.run_for(500);
    assert_eq!(w.end(call), Some(testkit::End::Refused(488)));
    assert!(w.at(b).calls.is_empty(), "nobody is rung for it");
    w.finish();
}

#[test]
fn a_called_phone_without_a_known_codec_refuses() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(b, |p| p.codecs = vec![18]);
    let call = w.dial(a, "102");
    w.run_for(500);
    w.answer(b);
    w.run_for(500);
    assert!(matches!(w.end(call), Some(testkit::End::Refused(_))));
    w.finish();
}

#[test]
fn an_extension_speaks_only_its_codecs() {
    let mut w = World::of(["101", "102"]);
    w.configure(|c| c.extensions[1].codecs = vec![Codec::Pcmu]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(700);
    w.assert_talk(a, b);
    assert_eq!(heard_types(&w, b), [0]);
    w.finish();
}

fn digits_arrive(keys: Keys, sender: &[u8], receiver: &[u8]) {
    let (mut w, a, b) = talking(sender, receiver);
    for digit in ["1", "5", "9", "#", "*", "0"] {
        w.press(a, digit, keys);
        w.run_for(300);
    }
    assert_eq!(w.call(b).sound.digits, "159#*0", "{keys:?}");
    w.press(b, "4", keys);
    w.run_for(300);
    w.press(b, "2", keys);
    w.run_for(300);
    assert_eq!(w.call(a).sound.digits, "42");
    w.run_for(500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn digits_by_rtp_arrive() {
    digits_arrive(Keys::Rtp, &[8], &[8]);
    digits_arrive(Keys::Rtp, &[8], &[0]);
}

#[test]
fn digits_by_info_arrive_as_events() {
    digits_arrive(Keys::Info, &[8], &[8]);
}

#[test]
fn digits_under_other_payload_types_arrive() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.event = Some(96));
    w.set(b, |p| p.event = Some(120));
    w.talk(a, b);
    w.run_for(300);
    w.press(a, "123", Keys::Rtp);
    w.run_for(1500);
    assert_eq!(w.call(b).sound.digits, "123");
    w.finish();
}

#[test]
fn digits_reach_a_phone_that_knows_no_events_as_tones() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(b, |p| p.event = None);
    w.set(a, |p| p.speaks = false);
    w.talk(a, b);
    w.run_for(300);
    w.press(a, "7", Keys::Rtp);
    w.run_for(1000);
    assert_eq!(w.call(b).sound.tones(), "7");
    w.finish();
}

#[test]
fn nothing_is_heard_before_the_answer() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.dial(a, "102");
    w.run_for(1000);
    assert_eq!(w.call(b).sound.counts.received, 0);
    assert_silence(&w, a);
    w.finish();
}

#[test]
fn nothing_is_sent_after_the_end() {
    let (mut w, a, b) = talking(&[8], &[8]);
    w.hang_up(a);
    w.run_for(200);
    let before = w.call(b).sound.counts.received;
    w.run_for(1000);
    assert_eq!(w.call(b).sound.counts.received, before);
    w.finish();
}

#[test]
fn a_thief_is_not_heard_and_hears_nothing() {
    let (mut w, a, b) = talking(&[8], &[8]);
    let thief = "198.51.100.7:4000".parse().unwrap();
    for n in 0..100_u16 {
        let mut packet = vec![0x80, 8];
        packet.extend((30_000 + n).to_be_bytes());
        packet.extend((u32::from(n) * 160).to_be_bytes());
        packet.extend(0xdead_beef_u32.to_be_bytes());
        packet.extend([0x2a; 160]);
        w.inject_rtp(thief, a, &packet);
        w.run_for(20);
    }
    w.assert_talk(a, b);
    w.hang_up(a);
    w.finish();
    assert!(w.strays.is_empty(), "nothing went to the thief");
    let foreign: Vec<u64> = (w.record(0).legs.iter())
        .filter_map(|leg| leg.quality.map(|quality| quality.packets_foreign))
        .collect();
    assert_eq!(foreign, [100, 0]);
}

#[test]
fn quality_is_in_the_record() {
    let (mut w, a, _) = talking(&[8], &[8]);
    w.run_for(10_000);
    w.hang_up(a);
    w.finish();
    for leg in &w.record(0).legs {
        let quality = leg.quality.expect("sound flowed");
        assert!(
            (500..600).contains(&quality.packets_received),
            "{quality:?}"
        );
        assert!((500..600).contains(&quality.packets_sent), "{quality:?}");
        assert_eq!((quality.packets_lost, quality.packets_foreign), (0, 0));
        assert!(
            quality.mos_hundredths.is_some_and(|mos| mos > 400),
            "{quality:?}"
        );
    }
}

#[test]
fn a_bad_network_shows_in_the_record() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.talk(a, b);
    w.set_network(a, Network::lossy(10).jitter_ms(20));
    w.run_for(20_000);
    w.set_network(a, Network::quiet());
    w.finish();
    let [caller, called] = [0, 1].map(|n| w.record(0).legs[n].quality.expect("sound flowed"));
    assert!((50..170).contains(&caller.packets_lost), "{caller:?}");
    assert!(caller.jitter_us > 2000, "{caller:?}");
    assert!(
        caller.mos_hundredths < called.mos_hundredths,
        "{caller:?} {called:?}"
    );
    assert_eq!(called.packets_lost, 0, "{called:?}");
}

#[test]
fn transcoded_sound_survives_loss_and_jitter() {
    for seed in 0..5 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .build();
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(a, |p| p.codecs = vec![8]);
        w.set(b, |p| p.codecs = vec![0]);
        w.talk(a, b);
        w.set_all_networks(Network::lossy(3).jitter_ms(15));
        w.run_for(4000);
        w.assert_talk(a, b);
        w.set_all_networks(Network::quiet());
        w.finish();
    }
}

#[test]
fn whoever_sends_from_another_port_than_told_is_heard() {
    // A phone behind NAT is heard where it sends from, though its description says otherwise.
    let mut w = World::builder()
        .extensions(["101", "102"])
        .without_phones()
        .build();
    let (a, b): (PhoneId, PhoneId) = (w.add_phone("101"), w.add_phone_behind_nat("102"));
    w.register(a);
    w.register(b);
    w.run_for(100);
    w.talk(a, b);
    w.run_for(700);
    assert_hears(&w, b, w.voice(a));
    assert_hears(&w, a, w.voice(b));
    w.finish();
}

#[test]
fn a_party_that_moves_its_sound_is_heard_and_hears() {
    for codecs in [&[8_u8][..], &[0]] {
        let (mut w, a, b) = talking(&[8], codecs);
        for line in [a, b, a] {
            w.move_media(line);
            w.run_for(800);
            w.assert_talk(a, b);
        }
        w.finish();
    }
}

#[test]
fn digits_pressed_faster_than_they_sound_all_arrive() {
    let (mut w, a, b) = talking(&[8], &[8]);
    w.press(a, "1234567890", Keys::Info);
    w.run_for(4000);
    assert_eq!(w.call(b).sound.digits, "1234567890");
    w.assert_talk(a, b);
    w.finish();
}

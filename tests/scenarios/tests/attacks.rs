//! Those who want in, or want to disturb: digest, malformed messages, forged requests.

use testkit::{Chance, End, Quirks, World};

#[test]
fn a_call_with_a_wrong_password_is_refused() {
    let mut w = World::of(["101", "102"]);
    let a = w.phone("101");
    w.set(a, |p| p.password = "wrong-password".into());
    let call = w.dial(a, "102");
    w.run_for(500);
    assert!(matches!(w.end(call), Some(End::Refused(401 | 403))));
    assert_eq!(w.calls_opened(), 0, "no call without proof");
    assert_eq!(w.security.len(), 1);
    w.finish();
}

#[test]
fn a_call_without_credentials_is_refused() {
    let mut w = World::of(["101", "102"]);
    let a = w.phone("101");
    w.set(a, |p| p.quirks.ignores_challenge = true);
    let call = w.dial(a, "102");
    w.run_for(500);
    assert_eq!(w.end(call), Some(End::Refused(401)));
    w.finish();
    assert!(w.records().is_empty());
}

#[test]
fn a_caller_can_not_pretend_to_be_another() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.quirks.foreign_from = Some("103"));
    w.dial(a, "102");
    w.run_for(500);
    if w.is_ringing(b) {
        let shown = w.call(b).shown.clone().unwrap_or_default();
        assert!(
            shown.contains("101"),
            "the account counts, not the From: {shown}"
        );
    }
    w.finish();
}

#[test]
fn a_nonce_count_that_is_used_again_is_challenged_anew() {
    let mut w = World::of(["101", "102"]);
    let a = w.phone("101");
    w.set(a, |p| p.quirks.replays_count = true);
    let (a, b) = w.talk(a, w.phone("102"));
    w.run_for(500);
    w.hold(a);
    w.run_for(500);
    w.set(a.phone, |p| p.quirks = Quirks::default());
    w.resume(a);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn guessing_passwords_fills_no_log() {
    let mut w = World::of(["101", "102"]);
    let a = w.phone("101");
    w.set(a, |p| p.password = "wrong-password".into());
    for _ in 0..200 {
        w.register(a);
        w.run_for(10);
    }
    w.run_for(2000);
    assert!(w.security.len() <= 10, "{} rows", w.security.len());
    w.set(a, |p| p.password = testkit::phone::password_of("101"));
    w.register(a);
    w.run_for(100);
    w.finish();
}

#[test]
fn a_forged_bye_ends_nothing() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(300);
    let call = w.call(a).clone();
    let remote = call.remote_tag.clone().unwrap_or_default();
    let source = "198.51.100.66:5060".parse().unwrap();
    for (from_tag, to_tag) in [
        ("guess", "guess"),
        (call.local_tag.as_str(), "guess"),
        ("guess", &remote),
    ] {
        let octets = format!(
            "BYE sip:102@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.66:5060;branch=z9hG4bK{from_tag}{to_tag}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:101@10.0.0.1>;tag={from_tag}\r\nTo: <sip:102@10.0.0.1>;tag={to_tag}\r\n\
             Call-ID: {}\r\nCSeq: 99 BYE\r\nContent-Length: 0\r\n\r\n",
            call.call_id
        );
        w.inject(source, octets.as_bytes());
        w.run_for(100);
    }
    w.run_for(500);
    w.assert_talk(a, b);
    assert!(
        w.strays
            .iter()
            .all(|(_, octets)| octets.starts_with(b"SIP/2.0 481"))
    );
    w.finish();
}

#[test]
fn a_forged_response_answers_nothing() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.dial(a, "102");
    w.run_for(500);
    let source = "198.51.100.66:5060".parse().unwrap();
    for status in ["200 OK", "486 Busy Here", "180 Ringing"] {
        let octets = format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKguess\r\n\
             From: <sip:101@10.0.0.1>;tag=x\r\nTo: <sip:102@10.0.0.1>;tag=y\r\nCall-ID: guess\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:evil@198.51.100.66>\r\nContent-Length: 0\r\n\r\n"
        );
        w.inject(source, octets.as_bytes());
    }
    w.run_for(500);
    assert!(w.is_ringing(b) && w.strays.is_empty());
    w.answer(b);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

/// Octets that are nearly a message: a good one with bytes changed, cut, doubled.
fn mutant(chance: &mut Chance, good: &[u8]) -> Vec<u8> {
    let mut octets = good.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(octets.len().max(1) as u64) as usize;
        match chance.below(5) {
            0 => octets.truncate(at),
            1 if at < octets.len() => octets[at] = chance.next() as u8,
            2 if at < octets.len() => {
                octets.remove(at);
            }
            3 => octets.insert(at, chance.next() as u8),
            _ => {
                let tail = octets[at..].to_vec();
                octets.extend(tail);
            }
        }
        octets.truncate(4000);
    }
    octets
}

const GOOD: &str = "INVITE sip:102@10.0.0.1 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 198.51.100.66:5060;branch=z9hG4bKgood;rport\r\nMax-Forwards: 70\r\n\
    From: \"A\" <sip:101@10.0.0.1>;tag=1\r\nTo: <sip:102@10.0.0.1>\r\nCall-ID: good\r\nCSeq: 1 INVITE\r\n\
    Contact: <sip:101@198.51.100.66>\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";

#[test]
fn malformed_messages_disturb_no_call() {
    for seed in 0..10 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .build();
        w.lenient = true;
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        let mut chance = Chance::new(seed);
        for n in 0..400 {
            let octets = mutant(&mut chance, GOOD.as_bytes());
            w.inject("198.51.100.66:5060".parse().unwrap(), &octets);
            if n % 10 == 0 {
                w.run_for(15);
            }
        }
        w.run_for(500);
        w.assert_talk(a, b);
        w.finish();
        assert_eq!(w.records().len(), 1);
    }
}

#[test]
fn malformed_messages_of_a_phone_in_a_call_disturb_it_not() {
    for seed in 0..10 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .build();
        w.lenient = true;
        w.forgiving = true;
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        let call = w.call(a).clone();
        let good = format!(
            "INFO sip:102@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.1.10:5060;branch=z9hG4bKmutant\r\n\
             Max-Forwards: 70\r\nFrom: <sip:101@10.0.0.1>;tag={}\r\nTo: <sip:102@10.0.0.1>;tag={}\r\n\
             Call-ID: {}\r\nCSeq: 9 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 10\r\n\r\nSignal=5\r\n",
            call.local_tag,
            call.remote_tag.clone().unwrap_or_default(),
            call.call_id
        );
        let mut chance = Chance::new(seed);
        for n in 0..200 {
            let octets = mutant(&mut chance, good.as_bytes());
            w.send_raw(a.phone, &octets);
            if n % 10 == 0 {
                w.run_for(15);
            }
        }
        w.run_for(500);
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn noise_on_the_sip_port_is_dropped() {
    let mut w = World::of(["101", "102"]);
    w.lenient = true;
    let mut chance = Chance::new(3);
    for length in 0..600_usize {
        let octets: Vec<u8> = (0..length).map(|_| chance.next() as u8).collect();
        w.inject("198.51.100.66:5060".parse().unwrap(), &octets);
    }
    for octets in [
        "",
        "\r\n",
        "\r\n\r\n",
        "\0\0\0\0",
        "SIP/2.0",
        "INVITE",
        "GET / HTTP/1.1\r\n\r\n",
    ] {
        w.inject("198.51.100.66:5060".parse().unwrap(), octets.as_bytes());
    }
    w.run_for(200);
    assert!(w.strays.len() < 10, "{} answers to noise", w.strays.len());
    w.finish();
}

#[test]
fn noise_on_rtp_ports_is_dropped() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    let mut chance = Chance::new(4);
    for length in 0..300_usize {
        let octets: Vec<u8> = (0..length).map(|_| chance.next() as u8).collect();
        w.inject_rtp("198.51.100.66:4000".parse().unwrap(), a, &octets);
        w.run_for(5);
    }
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_register_for_others_from_inside_a_call_changes_nothing() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.set(a.phone, |p| p.quirks.foreign_from = Some("102"));
    w.register(a.phone);
    w.run_for(500);
    assert_eq!(w.contacts("102").len(), 1);
    w.set(a.phone, |p| p.quirks = Quirks::default());
    w.assert_talk(a, b);
    w.register(a.phone);
    w.run_for(100);
    w.finish();
}

//! Encrypted sound: who encrypts with whom, and that each leg has keys of its own.

use model::{Cause, SrtpPolicy, SrtpSuite, Transport};
use testkit::{End, Line, Srtp, World};

/// Phones that encrypt or don't, each by the policy of its extension.
fn world<const N: usize>(phones: [(&str, Srtp, SrtpPolicy); N]) -> World {
    let mut w = World::of(phones.map(|(number, ..)| number));
    w.configure(|c| {
        for (extension, (.., policy)) in c.extensions.iter_mut().zip(phones) {
            extension.srtp = policy;
        }
    });
    for (number, srtp, _) in phones {
        let phone = w.phone(number);
        w.set(phone, |p| p.srtp = srtp);
    }
    w
}

/// The last record says of each leg whether it was encrypted.
fn encrypted(w: &World, n: usize) -> Vec<bool> {
    w.record(n).legs.iter().map(|leg| leg.encrypted).collect()
}

#[test]
fn phones_that_insist_hear_each_other() {
    let policy = SrtpPolicy::Offered;
    let mut w = world([
        ("101", Srtp::Insists, policy),
        ("102", Srtp::Insists, SrtpPolicy::Required),
    ]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(1500);
    w.assert_talk(a, b);
    let [ours, theirs] = [a, b].map(|line| {
        let remote = w.call(line).remote.clone().expect("it is described");
        assert!(remote.secure);
        remote.key_of(SrtpSuite::AesCm128HmacSha1_80)
    });
    assert_ne!(ours, theirs, "a key for each leg");
    w.hang_up(a);
    w.run_for(200);
    w.finish();
    assert_eq!(encrypted(&w, 0), [true, true]);
}

#[test]
fn one_is_encrypted_and_the_other_is_not() {
    for (caller, called) in [(Srtp::Insists, Srtp::Never), (Srtp::Offers, Srtp::Never)] {
        let policy = SrtpPolicy::Offered;
        let mut w = world([("101", caller, policy), ("102", called, policy)]);
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.run_for(1500);
        w.assert_talk(a, b);
        w.hang_up(b);
        w.run_for(200);
        w.finish();
        assert_eq!(encrypted(&w, 0), [true, false]);
    }
}

#[test]
fn suites_are_each_legs_own_and_codecs_are_transcoded() {
    for (one, other) in [
        (SrtpSuite::AesCm128HmacSha1_32, SrtpSuite::AeadAes256Gcm),
        (SrtpSuite::AeadAes128Gcm, SrtpSuite::AesCm128HmacSha1_80),
    ] {
        let policy = SrtpPolicy::Required;
        let mut w = world([
            ("101", Srtp::Insists, policy),
            ("102", Srtp::Insists, policy),
        ]);
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(a, |p| (p.suite, p.codecs) = (one, vec![8]));
        w.set(b, |p| (p.suite, p.codecs) = (other, vec![0]));
        let (a, b) = w.talk(a, b);
        w.run_for(1500);
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn who_can_not_is_refused_where_it_is_required() {
    for (caller, called) in [
        (
            (Srtp::Never, SrtpPolicy::Required),
            (Srtp::Insists, SrtpPolicy::Required),
        ),
        (
            (Srtp::Insists, SrtpPolicy::Required),
            (Srtp::Never, SrtpPolicy::Required),
        ),
        (
            (Srtp::Insists, SrtpPolicy::Off),
            (Srtp::Never, SrtpPolicy::Off),
        ),
        (
            (Srtp::Never, SrtpPolicy::Off),
            (Srtp::Insists, SrtpPolicy::Off),
        ),
    ] {
        let mut w = world([("101", caller.0, caller.1), ("102", called.0, called.1)]);
        let call = w.dial(w.phone("101"), "102");
        w.run_for(500);
        let phone = w.phone("102");
        if !w.is_over(phone) {
            w.answer(phone);
            w.run_for(500);
        }
        assert_eq!(
            w.end(call),
            Some(End::Refused(488)),
            "{caller:?} {called:?}"
        );
        w.finish();
        assert_eq!(w.record(0).cause, Cause::INCOMPATIBLE_DESTINATION);
    }
}

#[test]
fn keys_are_offered_where_nobody_can_read_them() {
    for (transport, offered) in [
        (Transport::Udp, false),
        (Transport::Tcp, false),
        (Transport::Tls, true),
    ] {
        let numbers = ["101", "102"];
        let mut w = (World::builder().extensions(numbers).without_phones()).build();
        w.configure(|c| {
            for extension in &mut c.extensions {
                extension.srtp = SrtpPolicy::Offered;
            }
        });
        let [_, called] = numbers.map(|number| {
            let phone = w.add_phone(number);
            if number == "102" {
                w.set(phone, |p| (p.transport, p.srtp) = (transport, Srtp::Offers));
            }
            w.register(phone);
            w.run_for(500);
            phone
        });
        let (a, b) = w.talk(w.phone("101"), called);
        w.run_for(1500);
        w.assert_talk(a, b);
        let remote = w.call(b).remote.clone().expect("we offered");
        assert_eq!((remote.secure, !remote.keys.is_empty()), (false, offered));
        w.hang_up(a);
        w.run_for(200);
        w.finish();
        assert_eq!(encrypted(&w, 0), [false, offered]);
    }
}

#[test]
fn hold_and_transfer_go_on_encrypted() {
    let policy = SrtpPolicy::Required;
    let mut w = world([
        ("101", Srtp::Insists, policy),
        ("102", Srtp::Insists, policy),
        ("103", Srtp::Never, SrtpPolicy::Off),
    ]);
    let (a, b1) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(1500);
    w.hold(b1);
    w.run_for(1500);
    w.resume(b1);
    w.run_for(1500);
    w.assert_talk(a, b1);
    w.hold(b1);
    let (b2, c): (Line, Line) = w.talk(b1.phone, w.phone("103"));
    w.run_for(300);
    w.transfer_to(b1, b2);
    w.run_for(3000);
    w.assert_talk(a, c);
    w.hang_up(a);
    w.run_for(200);
    w.finish();
}

#[test]
fn a_long_call_is_heard_past_a_rollover_of_its_numbers() {
    let policy = SrtpPolicy::Required;
    let mut w = world([
        ("101", Srtp::Insists, policy),
        ("102", Srtp::Insists, policy),
    ]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    // 65,536 packets are 22 minutes.
    w.run_for(23 * 60_000);
    w.assert_talk(a, b);
    w.finish();
}

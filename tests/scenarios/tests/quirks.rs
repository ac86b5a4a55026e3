//! Phones that misbehave: each switch, and the exchange ends every call in order.

use model::Disposition;
use testkit::{End, Greeting, PhoneId, Profile, Quirks, World};

fn world(change: impl Fn(&mut Profile), who: &str) -> (World, PhoneId, PhoneId) {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(w.phone(who), change);
    w.set(b, |p| p.answers_after_ms = Some(500));
    (w, a, b)
}

#[test]
fn a_caller_that_never_acks() {
    let (mut w, a, b) = world(|p| p.quirks.never_acks = true, "101");
    w.dial(a, "102");
    w.run_for(40_000);
    assert!(w.is_over(b), "without an ACK the call ends after 32 s");
    w.finish();
}

#[test]
fn a_caller_that_never_acks_but_hangs_up() {
    let (mut w, a, b) = world(|p| p.quirks.never_acks = true, "101");
    w.dial(a, "102");
    w.run_for(5000);
    w.hang_up(a);
    w.run_for(1000);
    assert!(w.is_over(b));
    w.finish();
}

#[test]
fn a_phone_that_ignores_bye() {
    let (mut w, a, b) = world(|p| p.quirks.ignores_bye = true, "102");
    w.dial(a, "102");
    w.run_for(1500);
    w.hang_up(a);
    w.run_for(40_000);
    assert!(w.calls().is_empty());
    assert_eq!(w.ports_in_use(), 0);
    w.set(b, |p| p.quirks = Quirks::default());
    w.finish();
}

#[test]
fn a_phone_that_ignores_cancel() {
    let (mut w, a, b) = world(|p| p.quirks.ignores_cancel = true, "102");
    w.set(b, |p| p.answers_after_ms = None);
    let call = w.dial(a, "102");
    w.run_for(1500);
    w.hang_up(a);
    w.run_for(500);
    assert!(w.is_over(call));
    w.run_for(70_000);
    assert!(w.calls().is_empty());
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Cancelled);
}

#[test]
fn a_phone_that_ignores_cancel_and_answers_later() {
    for wait in [100, 5_000, 30_000] {
        let (mut w, a, b) = world(|p| p.quirks.ignores_cancel = true, "102");
        w.set(b, |p| p.answers_after_ms = None);
        w.dial(a, "102");
        w.run_for(1500);
        w.hang_up(a);
        w.run_for(wait);
        w.answer(b);
        w.run_for(1000);
        assert_eq!(
            w.end(b),
            Some(End::Bye),
            "answered after {wait} ms: ACK and BYE"
        );
        w.finish();
        assert_eq!(w.record(0).disposition, Disposition::Cancelled);
    }
}

#[test]
fn a_phone_that_answers_after_cancel() {
    let (mut w, a, b) = world(|p| p.quirks.answers_after_cancel = true, "102");
    w.set(b, |p| p.answers_after_ms = None);
    w.dial(a, "102");
    w.run_for(1500);
    w.hang_up(a);
    w.run_for(1000);
    assert_eq!(w.end(b), Some(End::Bye));
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Cancelled);
}

#[test]
fn an_answer_that_crosses_a_cancel() {
    for us in 0..8 {
        let mut w = World::builder().extensions(["101", "102"]).seed(us).build();
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.dial(a, "102");
        w.run_for(1000);
        w.hang_up(a);
        w.run_for(us);
        if w.is_ringing(b) {
            w.answer(b);
        }
        w.run_for(1000);
        assert!(w.is_over(a) && w.is_over(b), "{us}");
        w.finish();
    }
}

#[test]
fn a_phone_that_answers_twice() {
    let (mut w, a, b) = world(|p| p.quirks.answers_twice = true, "102");
    w.forgiving = true;
    w.dial(a, "102");
    w.run_for(1500);
    w.assert_talk(a, b);
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Answered);
}

#[test]
fn a_phone_that_forks() {
    for forks in [1, 5, 40] {
        let (mut w, a, b) = world(|p| p.quirks.forks = forks, "102");
        w.dial(a, "102");
        w.run_for(1500);
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn phones_that_send_everything_twice() {
    let mut w = World::of(["101", "102", "103"]);
    w.set_all(|p| p.quirks.doubles = true);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    w.hold(a);
    w.run_for(300);
    w.resume(a);
    w.run_for(300);
    w.transfer(b, "103");
    w.run_for(300);
    let c = w.phone("103");
    w.answer(c);
    w.run_for(1500);
    w.assert_talk(a, c);
    w.finish();
    assert_eq!(w.records().len(), 2);
}

#[test]
fn a_phone_without_100() {
    let (mut w, a, b) = world(|p| p.quirks.no_100 = true, "102");
    w.dial(a, "102");
    w.run_for(1500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_phone_that_says_nothing_but_100() {
    let (mut w, a, b) = world(|p| p.greeting = Greeting::Nothing, "102");
    w.set(b, |p| p.answers_after_ms = None);
    let call = w.dial(a, "102");
    w.run_for(32_000);
    assert!(w.is_over(call) && w.is_over(b));
    w.finish();
}

#[test]
fn a_phone_that_answers_at_once() {
    let (mut w, a, b) = world(|p| p.greeting = Greeting::Answer, "102");
    w.dial(a, "102");
    w.run_for(800);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn ringing_after_the_answer() {
    let (mut w, a, b) = world(|p| p.quirks.late_ringing = true, "102");
    w.dial(a, "102");
    w.run_for(1500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn old_sequence_numbers_in_a_call() {
    let (mut w, a, b) = world(|_| (), "101");
    w.dial(a, "102");
    w.run_for(1500);
    w.set(a, |p| p.quirks.old_cseq = true);
    w.hold(a);
    w.run_for(500);
    assert_eq!(w.call(a).renegotiated, Some(500));
    w.run_for(500);
    assert!(w.is_talking(b));
    w.set(a, |p| p.quirks = Quirks::default());
    w.finish();
}

#[test]
fn an_answer_with_what_was_not_offered() {
    let (mut w, a, b) = world(|p| p.quirks.answers_unoffered = true, "102");
    let call = w.dial(a, "102");
    w.run_for(3000);
    assert!(w.is_over(call) && w.is_over(b));
    w.finish();
    assert_ne!(w.record(0).disposition, Disposition::Answered);
}

#[test]
fn an_answer_without_a_description() {
    let (mut w, a, b) = world(|p| p.quirks.answers_without_sdp = true, "102");
    w.forgiving = true;
    let call = w.dial(a, "102");
    w.run_for(3000);
    assert!(w.is_over(call) && w.is_over(b));
    w.finish();
}

#[test]
fn a_phone_whose_messages_are_cut() {
    for length in [1, 20, 100, 200, 300, 400] {
        let mut w = World::of(["101", "102"]);
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.lenient = true;
        w.forgiving = true;
        w.set(b, |p| p.quirks.truncates = Some(length));
        w.dial(a, "102");
        w.run_for(5000);
        w.set(b, |p| p.quirks = Quirks::default());
        w.finish();
    }
}

#[test]
fn a_phone_that_reboots_in_a_call() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    w.power_off(b.phone);
    w.run_for(5000);
    w.power_on(b.phone, 5062);
    w.run_for(500);
    assert_eq!(
        w.contacts("102").len(),
        2,
        "the old one has not expired yet"
    );
    w.hang_up(a);
    w.run_for(500);
    w.dial(a.phone, "102");
    w.run_for(500);
    assert!(w.is_ringing(b.phone), "the new contact rings");
    w.answer(b.phone);
    w.run_for(700);
    w.assert_talk(a.phone, b.phone);
    w.finish();
}

#[test]
fn every_quirk_of_either_phone_over_a_wild_network() {
    let quirks: [fn(&mut Quirks); 9] = [
        |q| q.never_acks = true,
        |q| q.ignores_bye = true,
        |q| q.ignores_cancel = true,
        |q| q.answers_after_cancel = true,
        |q| q.answers_twice = true,
        |q| q.forks = 3,
        |q| q.doubles = true,
        |q| q.late_ringing = true,
        |q| q.no_100 = true,
    ];
    for (n, quirk) in quirks.iter().enumerate() {
        for seed in 0..4 {
            let mut w = World::builder()
                .extensions(["101", "102"])
                .seed(seed)
                .build();
            w.forgiving = true;
            let (a, b) = (w.phone("101"), w.phone("102"));
            w.set(if seed % 2 == 0 { a } else { b }, |p| quirk(&mut p.quirks));
            w.set(b, |p| p.answers_after_ms = Some(700));
            w.set_all_networks(testkit::Network::wild(20));
            w.dial(a, "102");
            w.run_for(400 + 600 * (n as u64 % 3));
            w.hang_up(a);
            w.run_for(3000);
            w.set_all_networks(testkit::Network::quiet());
            w.set_all(|p| p.quirks = Quirks::default());
            w.finish();
        }
    }
}

//! Calls between two phones, from dialling to the record.

use model::{Cause, Disposition, EndedBy};
use testkit::{End, Greeting, State, World, assert_hears, assert_silence};

/// What the record says of the one call of a world.
fn ended(w: &World) -> (Disposition, Cause, EndedBy) {
    let record = w.record(0);
    (record.disposition, record.cause, record.ended_by)
}

/// One call from 101 to `number` that is refused; the status the caller hears, 0 where it is none.
fn refused(w: &mut World, number: &str) -> u16 {
    let call = w.dial(w.phone("101"), number);
    assert!(w.run_until(|w| w.is_over(call), 70_000));
    w.finish();
    let Some(End::Refused(status)) = w.end(call) else {
        return 0;
    };
    status
}

#[test]
fn a_call_is_answered_and_both_talk() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let call = w.dial(a, "102");
    w.run_for(500);
    assert!(w.is_ringing(b) && w.hears_ringing(a));
    w.answer(b);
    w.run_for(1000);
    w.assert_talk(a, b);
    w.hang_up(a);
    w.run_for(100);
    assert_eq!(w.end(b), Some(End::Bye));
    assert_eq!(w.end(call), Some(End::HungUp));
    w.finish();
    assert_eq!(
        ended(&w),
        (
            Disposition::Answered,
            Cause::NORMAL_CALL_CLEARING,
            EndedBy::Caller
        )
    );
    let record = w.record(0);
    assert_eq!((record.dialled.as_str(), record.legs.len()), ("102", 2));
    assert_eq!(record.caller.number, "101");
    assert_eq!(
        record.called.as_ref().map(|party| party.number.as_str()),
        Some("102")
    );
}

#[test]
fn the_ladder_of_a_simple_call() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let before = w.ladder().len();
    w.dial(a, "102");
    w.run_for(100);
    w.answer(b);
    w.run_for(100);
    w.hang_up(b);
    w.run_for(100);
    assert_eq!(
        w.ladder()[before..],
        [
            "101 → box  INVITE 102",
            "box → 101  401 INVITE",
            "101 → box  ACK 102",
            "101 → box  INVITE 102",
            "box → 102  INVITE 102",
            "102 → box  100 INVITE",
            "102 → box  180 INVITE",
            "box → 101  180 INVITE",
            "102 → box  200 INVITE",
            "box → 102  ACK 102",
            "box → 101  200 INVITE",
            "101 → box  ACK 102",
            "102 → box  BYE 101",
            "box → 102  200 BYE",
            "box → 101  BYE 101",
            "101 → box  200 BYE",
        ]
    );
    w.finish();
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let run = |seed| {
        let network = testkit::Network::wild(10);
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .network(network)
            .build();
        w.talk(w.phone("101"), w.phone("102"));
        w.run_for(500);
        w.finish();
        (w.tape(), w.digest())
    };
    let (first, second, other) = (run(7), run(7), run(8));
    assert_eq!(first.0, second.0);
    assert_eq!(first.1, second.1, "every octet and its time");
    assert_ne!(first.1, other.1);
}

#[test]
fn the_called_party_hangs_up() {
    let mut w = World::of(["101", "102"]);
    let (_, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(300);
    w.hang_up(b);
    w.finish();
    assert_eq!(
        ended(&w),
        (
            Disposition::Answered,
            Cause::NORMAL_CALL_CLEARING,
            EndedBy::Called
        )
    );
}

#[test]
fn a_busy_phone() {
    let mut w = World::of(["101", "102"]);
    let b = w.phone("102");
    w.set(b, |p| p.greeting = Greeting::Refuse(486));
    assert_eq!(refused(&mut w, "102"), 486);
    assert_eq!(
        ended(&w),
        (Disposition::Busy, Cause::USER_BUSY, EndedBy::Called)
    );
}

#[test]
fn every_refusal_of_a_phone_reaches_the_caller_and_the_record() {
    let cases = [
        (486, Disposition::Busy),
        (600, Disposition::Busy),
        (603, Disposition::Rejected),
        (403, Disposition::Rejected),
        (480, Disposition::Unreachable),
        (404, Disposition::Unreachable),
        (488, Disposition::Failed),
        (500, Disposition::Failed),
        (503, Disposition::Failed),
        (302, Disposition::Rejected),
    ];
    for (status, disposition) in cases {
        let mut w = World::of(["101", "102"]);
        let b = w.phone("102");
        w.set(b, |p| p.greeting = Greeting::Refuse(status));
        let heard = refused(&mut w, "102");
        assert!((400..700).contains(&heard), "{status} became {heard}");
        assert_eq!(w.record(0).disposition, disposition, "{status}");
    }
}

#[test]
fn a_ringing_phone_is_refused_by_hand() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let call = w.dial(a, "102");
    w.run_for(2000);
    w.hang_up(b);
    w.run_for(100);
    assert!(matches!(w.end(call), Some(End::Refused(_))));
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Rejected);
}

#[test]
fn nobody_answers() {
    let mut w = World::builder()
        .extensions(["101", "102"])
        .no_answer_s(10)
        .build();
    let (a, b) = (w.phone("101"), w.phone("102"));
    let call = w.dial(a, "102");
    w.run_for(9_500);
    assert!(w.is_ringing(b));
    w.run_for(1000);
    assert_eq!(w.end(b), Some(End::Cancelled));
    assert!(
        matches!(w.end(call), Some(End::Refused(480 | 408))),
        "{:?}",
        w.end(call)
    );
    w.finish();
    assert_eq!(
        ended(&w),
        (Disposition::NoAnswer, Cause::NO_ANSWER, EndedBy::Exchange)
    );
}

#[test]
fn the_caller_gives_up() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let call = w.dial(a, "102");
    w.run_for(2000);
    w.hang_up(a);
    w.run_for(100);
    assert_eq!(w.end(call), Some(End::HungUp));
    assert_eq!(w.end(b), Some(End::Cancelled));
    w.finish();
    let (disposition, _, by) = ended(&w);
    assert_eq!((disposition, by), (Disposition::Cancelled, EndedBy::Caller));
}

#[test]
fn the_caller_gives_up_at_any_moment() {
    for ms in 0..40 {
        let mut w = World::builder().extensions(["101", "102"]).seed(ms).build();
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.answers_after_ms = Some(10));
        w.dial(a, "102");
        w.run_for(ms);
        w.hang_up(a);
        w.run_for(200);
        assert!(w.is_over(a) && w.is_over(b), "after {ms} ms");
        w.finish();
    }
}

#[test]
fn numbers_that_lead_nowhere() {
    for (number, status, disposition) in [
        ("199", 404, Disposition::UnknownNumber),
        ("alice", 404, Disposition::UnknownNumber),
        ("*99", 404, Disposition::UnknownNumber),
        ("101", 486, Disposition::Busy),
    ] {
        let mut w = World::of(["101", "102"]);
        assert_eq!(refused(&mut w, number), status, "{number}");
        assert_eq!(w.record(0).disposition, disposition, "{number}");
        assert_eq!(w.record(0).dialled, number);
    }
}

#[test]
fn a_phone_that_is_not_registered() {
    let mut w = World::of(["101", "102"]);
    w.unregister(w.phone("102"));
    w.run_for(100);
    assert_eq!(refused(&mut w, "102"), 480);
    assert_eq!(
        ended(&w),
        (
            Disposition::Unreachable,
            Cause::SUBSCRIBER_ABSENT,
            EndedBy::Exchange
        )
    );
}

#[test]
fn a_disabled_extension_is_not_called() {
    let mut w = World::of(["101", "102"]);
    w.forgiving = true;
    w.configure(|c| c.extensions[1].enabled = false);
    assert_eq!(refused(&mut w, "102"), 480);
    assert_eq!(w.record(0).disposition, Disposition::Unreachable);
}

#[test]
fn a_phone_that_is_gone_without_a_word() {
    let mut w = World::of(["101", "102"]);
    w.power_off(w.phone("102"));
    let status = refused(&mut w, "102");
    assert!(matches!(status, 408 | 480 | 504), "{status}");
    assert_eq!(w.record(0).disposition, Disposition::Unreachable);
}

#[test]
fn a_closed_port_is_found_at_once() {
    let mut w = World::of(["101", "102"]);
    w.icmp = true;
    w.power_off(w.phone("102"));
    let call = w.dial(w.phone("101"), "102");
    w.run_for(200);
    assert!(w.is_over(call), "no waiting for 32 s");
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Unreachable);
    assert_eq!(w.record(0).cause, Cause::SUBSCRIBER_ABSENT);
}

#[test]
fn all_phones_of_an_extension_ring_and_the_first_wins() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let (c, d) = (w.add_phone("102"), w.add_phone("102"));
    w.register(c);
    w.register(d);
    w.run_for(100);
    w.dial(a, "102");
    w.run_for(500);
    assert!(w.is_ringing(b) && w.is_ringing(c) && w.is_ringing(d));
    w.answer(c);
    w.run_for(700);
    w.assert_talk(a, c);
    assert_eq!(w.end(b), Some(End::Cancelled));
    assert_eq!(w.end(d), Some(End::Cancelled));
    let reason = w.call(b).reason.clone().unwrap_or_default();
    assert!(
        reason.contains("completed elsewhere") || reason.contains("cause=26"),
        "{reason}"
    );
    w.hang_up(c);
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Answered);
}

#[test]
fn two_phones_answer_at_once_and_one_gets_the_call() {
    for seed in 0..20 {
        let network = testkit::Network::quiet().jitter_ms(10);
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .network(network)
            .build();
        let (a, b) = (w.phone("101"), w.phone("102"));
        let c = w.add_phone("102");
        w.register(c);
        w.run_for(100);
        w.dial(a, "102");
        w.run_for(500);
        w.answer(b);
        w.answer(c);
        w.run_for(700);
        let winner = if w.is_talking(b) { b } else { c };
        let loser = if winner == b { c } else { b };
        assert!(w.is_over(loser), "seed {seed}");
        w.assert_talk(a, winner);
        w.finish();
        assert_eq!(w.record(0).disposition, Disposition::Answered);
    }
}

#[test]
fn one_phone_refuses_the_other_rings_on() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let c = w.add_phone("102");
    w.register(c);
    w.run_for(100);
    w.dial(a, "102");
    w.run_for(500);
    w.refuse(b, 486);
    w.run_for(500);
    assert!(w.is_ringing(c) && w.hears_ringing(a));
    w.answer(c);
    w.run_for(500);
    w.assert_talk(a, c);
    w.finish();
}

#[test]
fn a_decline_for_all_ends_all() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let c = w.add_phone("102");
    w.register(c);
    w.run_for(100);
    let call = w.dial(a, "102");
    w.run_for(500);
    w.refuse(b, 603);
    w.run_for(100);
    assert_eq!(w.end(c), Some(End::Cancelled));
    assert!(w.is_over(call));
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Rejected);
}

#[test]
fn both_hang_up_at_once() {
    for seed in 0..20 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .build();
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.run_for(200);
        w.hang_up(a);
        w.run_for(seed % 5);
        w.hang_up(b);
        w.finish();
        assert_eq!(w.record(0).disposition, Disposition::Answered);
    }
}

#[test]
fn a_caller_without_an_offer() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.offerless = true);
    w.talk(a, b);
    w.run_for(600);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn the_caller_hears_sound_before_the_answer() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(b, |p| p.greeting = Greeting::EarlyMedia);
    w.dial(a, "102");
    w.run_for(1000);
    assert!(matches!(w.call(a).state, State::Calling(183)));
    assert_hears(&w, a, w.voice(b));
    w.answer(b);
    w.run_for(600);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_caller_that_does_not_speak_is_heard_no_less() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.talk(a, b);
    w.run_for(600);
    w.silence(b, true);
    w.run_for(600);
    assert_silence(&w, a);
    assert_hears(&w, b, w.voice(a));
    w.silence(b, false);
    w.run_for(600);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn the_phone_shows_who_calls() {
    let mut w = World::of(["101", "102"]);
    w.dial(w.phone("101"), "102");
    w.run_for(200);
    let shown = w.call(w.phone("102")).shown.clone().unwrap_or_default();
    assert!(
        shown.contains("User 101") && shown.contains("sip:101@"),
        "{shown}"
    );
    w.finish();
}

#[test]
fn the_phone_shows_the_name_that_was_chosen_for_calls() {
    let mut w = World::of(["101", "102"]);
    w.configure(|c| c.extensions[0].caller_name = Some("Front \"desk\"".into()));
    w.dial(w.phone("101"), "102");
    w.run_for(200);
    let shown = w.call(w.phone("102")).shown.clone().unwrap_or_default();
    assert!(
        shown.starts_with(r#""Front \"desk\"" <sip:101@"#),
        "{shown}"
    );
    w.answer(w.phone("102"));
    w.run_for(200);
    assert_eq!(w.calls()[0].caller.name.as_deref(), Some("Front \"desk\""));
    w.configure(|c| c.extensions[0].caller_name = None);
    w.hang_up(w.phone("101"));
    w.run_for(200);
    w.dial(w.phone("101"), "102");
    w.run_for(200);
    let shown = w.call(w.phone("102")).shown.clone().unwrap_or_default();
    assert!(shown.contains("User 101"), "{shown}");
    w.finish();
}

#[test]
fn many_calls_at_once() {
    let mut w = World::builder().many(200, 20).ports(64).build();
    let phones: Vec<_> = w.phones().collect();
    for pair in phones.chunks_exact(2) {
        let number = w.at(pair[1]).profile.number.clone();
        w.set(pair[1], |p| p.answers_after_ms = Some(300));
        w.dial(pair[0], &number);
        w.run_for(7);
    }
    w.run_for(1500);
    for pair in phones.chunks_exact(2) {
        w.assert_talk(pair[0], pair[1]);
    }
    assert_eq!(w.calls().len(), 10);
    w.finish();
    assert_eq!(w.records().len(), 10);
}

//! Blind transfers: A talks with B, B sends A to C (RFC 5589 §6).

use model::Disposition;
use testkit::{End, Greeting, Line, World, assert_hears};

/// A and B talk, C is there too.
fn three() -> (World, Line, Line) {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(300);
    (w, a, b)
}

#[test]
fn the_transferred_party_talks_to_the_third() {
    for by_caller in [false, true] {
        let (mut w, a, b) = three();
        let (by, stays) = if by_caller { (a, b) } else { (b, a) };
        let c = w.phone("103");
        w.transfer(by, "103");
        w.run_for(500);
        assert!(w.is_ringing(c));
        assert_eq!(w.call(by).referred, Some(202));
        w.answer(c);
        w.run_for(1500);
        w.assert_talk(stays, c);
        assert!(w.is_over(by));
        assert_eq!(w.call(by).notified.last(), Some(&200));
        assert_eq!(
            w.call(stays).offers_heard,
            0,
            "who is transferred is asked nothing"
        );
        w.hang_up(c);
        w.run_for(200);
        assert!(w.is_over(stays));
        w.finish();
        let records = w.records();
        assert_eq!(records.len(), 2);
        assert_eq!(records[1].transferred_from, Some(records[0].call));
        assert!(
            records
                .iter()
                .all(|record| record.disposition == Disposition::Answered)
        );
    }
}

#[test]
fn the_transferred_party_hears_ringing() {
    let (mut w, a, b) = three();
    w.transfer(b, "103");
    w.run_for(900);
    // The Czech ringing tone: 425 Hz.
    assert_hears(&w, a, 425.0);
    w.finish();
}

#[test]
fn the_one_who_transfers_hears_ringing_while_it_stays() {
    for holds in [false, true] {
        let (mut w, a, b) = three();
        let c = w.phone("103");
        w.set(b.phone, |p| p.hangs_up_after_transfer = false);
        w.transfer(b, "103");
        w.run_for(900);
        assert_hears(&w, b, 425.0);
        if holds {
            // It does not listen any more; and then again.
            w.hold(b);
            w.run_for(300);
            w.resume(b);
            w.run_for(900);
            assert_hears(&w, b, 425.0);
        }
        assert_eq!(w.call(b).notified, [100, 180]);
        w.answer(c);
        w.run_for(700);
        assert_eq!(w.call(b).notified, [100, 180, 200]);
        assert_eq!(w.hears(b), None, "the ringing is over");
        w.run_for(1000);
        assert_eq!(w.end(b), Some(End::Bye));
        w.assert_talk(a, c);
        w.finish();
    }
}

#[test]
fn the_third_is_told_who_transfers() {
    let (mut w, _, b) = three();
    w.transfer(b, "103");
    w.run_for(300);
    let told: Vec<String> = (w.at(w.phone("103")).inbox.iter())
        .filter_map(|msg| msg.header("Referred-By").map(str::to_owned))
        .collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("sip:102@"), "{told:?}");
    w.finish();
}

#[test]
fn a_refused_transfer_brings_the_party_back() {
    for (status, notified) in [(486, 486), (603, 603), (480, 480)] {
        let (mut w, a, b) = three();
        let c = w.phone("103");
        w.set(c, |p| p.greeting = Greeting::Refuse(status));
        w.transfer(b, "103");
        w.run_for(1500);
        assert_eq!(w.call(b).notified.last(), Some(&notified));
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn an_unanswered_transfer_brings_the_party_back() {
    let mut w = World::builder()
        .extensions(["101", "102", "103"])
        .no_answer_s(10)
        .build();
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.transfer(b, "103");
    w.run_for(12_000);
    assert!(
        w.call(b)
            .notified
            .last()
            .is_some_and(|status| *status >= 400)
    );
    assert_eq!(w.end(w.phone("103")), Some(End::Cancelled));
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_transfer_that_can_not_be_is_refused_at_once() {
    for number in ["199", "alice", "101", "102", ""] {
        let (mut w, a, b) = three();
        w.refer(b, &format!("<sip:{number}@10.0.0.1>"));
        w.run_for(700);
        let referred = w.call(b).referred;
        assert!(
            referred.is_some_and(|status| status >= 400),
            "{number}: {referred:?}"
        );
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn a_refer_that_says_nothing_is_refused() {
    for to in ["", "nonsense", "<tel:103>", "<mailto:a@b>"] {
        let (mut w, a, b) = three();
        w.refer(b, to);
        w.run_for(700);
        let referred = w.call(b).referred;
        assert!(referred.is_some(), "{to}");
        w.run_for(3000);
        assert!(w.calls().len() <= 2);
        let _ = a;
        w.finish();
    }
}

#[test]
fn somebody_hangs_up_while_the_third_rings() {
    for who in 0..3 {
        for seed in 0..3 {
            let mut w = World::builder()
                .extensions(["101", "102", "103"])
                .seed(seed)
                .build();
            let (a, b) = w.talk(w.phone("101"), w.phone("102"));
            let c = w.phone("103");
            w.transfer(b, "103");
            w.run_for(500);
            match who {
                0 => w.hang_up(a),
                1 => w.hang_up(b),
                _ => w.refuse(c, 486),
            }
            w.run_for(1000);
            match who {
                0 => assert!(w.is_over(c), "nobody is left to talk to"),
                1 => {
                    // The transfer goes on without the one who started it.
                    assert!(w.is_ringing(c));
                    w.answer(c);
                    w.run_for(1000);
                    w.assert_talk(a, c);
                }
                _ => w.assert_talk(a, b),
            }
            w.finish();
        }
    }
}

#[test]
fn somebody_hangs_up_at_every_moment_of_a_transfer() {
    for ms in (0..60).step_by(2) {
        for who in 0..3 {
            let mut w = World::builder()
                .extensions(["101", "102", "103"])
                .seed(ms)
                .build();
            let c = w.phone("103");
            w.set(c, |p| p.answers_after_ms = Some(20));
            let (a, b) = w.talk(w.phone("101"), w.phone("102"));
            w.transfer(b, "103");
            w.run_for(ms);
            match who {
                0 => w.hang_up(a),
                1 => w.hang_up(b),
                _ if w.at(c).current().is_some() => w.hang_up(c),
                _ => {}
            }
            w.run_for(300);
            w.finish();
        }
    }
}

#[test]
fn after_a_failed_transfer_without_its_maker_the_party_hears_why() {
    let (mut w, a, b) = three();
    let c = w.phone("103");
    w.transfer(b, "103");
    w.run_for(500);
    w.hang_up(b);
    w.run_for(200);
    w.refuse(c, 486);
    w.run_for(1000);
    assert!(w.is_talking(a));
    w.run_for(6000);
    assert!(w.is_over(a));
    w.finish();
}

#[test]
fn a_chain_of_transfers() {
    let mut w = World::builder().many(101, 6).build();
    let (a, mut b) = w.talk(w.phone("101"), w.phone("102"));
    for number in ["103", "104", "105", "106"] {
        w.transfer(b, number);
        w.run_for(500);
        let next = w.phone(number);
        w.answer(next);
        w.run_for(1000);
        w.assert_talk(a, next);
        b = w.line(next);
    }
    w.hang_up(b);
    w.finish();
    assert_eq!(w.records().len(), 5);
}

#[test]
fn two_phones_that_transfer_for_ever_are_stopped() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, mut b) = w.talk(w.phone("101"), w.phone("102"));
    let mut transfers = 0;
    for round in 0..30 {
        let number = if round % 2 == 0 { "103" } else { "102" };
        w.transfer(b, number);
        w.run_for(300);
        if w.call(b).referred != Some(202) {
            break;
        }
        transfers += 1;
        let next = w.phone(number);
        w.answer(next);
        w.run_for(1500);
        b = w.line(next);
    }
    assert_eq!(transfers, 10);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_transferor_that_does_not_hang_up_is_hung_up() {
    let (mut w, a, b) = three();
    let c = w.phone("103");
    w.set(b.phone, |p| p.hangs_up_after_transfer = false);
    w.transfer(b, "103");
    w.run_for(300);
    w.answer(c);
    w.run_for(3000);
    assert_eq!(w.end(b), Some(End::Bye));
    w.assert_talk(a, c);
    w.finish();
}

#[test]
fn a_transferor_that_refuses_notify_still_transfers() {
    let (mut w, a, b) = three();
    let c = w.phone("103");
    w.set(b.phone, |p| p.quirks.refuses_notify = true);
    w.transfer(b, "103");
    w.run_for(300);
    w.answer(c);
    w.run_for(3000);
    w.assert_talk(a, c);
    w.finish();
}

#[test]
fn a_held_party_is_transferred() {
    let (mut w, a, b) = three();
    let c = w.phone("103");
    w.hold(b);
    w.run_for(300);
    w.transfer(b, "103");
    w.run_for(300);
    w.answer(c);
    w.run_for(1500);
    w.assert_talk(a, c);
    w.finish();
}

#[test]
fn a_transfer_to_another_codec_is_transcoded() {
    let (mut w, a, b) = three();
    let c = w.phone("103");
    w.set(c, |p| p.codecs = vec![0]);
    w.transfer(b, "103");
    w.run_for(300);
    w.answer(c);
    w.run_for(1500);
    w.assert_talk(a, c);
    w.finish();
}

#[test]
fn two_transfers_at_once_in_one_call() {
    for seed in 0..6 {
        let mut w = World::builder()
            .extensions(["101", "102", "103", "104"])
            .seed(seed)
            .build();
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.transfer(a, "103");
        w.run_for(seed);
        w.transfer(b, "104");
        w.run_for(500);
        for phone in [w.phone("103"), w.phone("104")] {
            if w.is_ringing(phone) {
                w.answer(phone);
            }
        }
        w.run_for(2000);
        w.finish();
    }
}

#[test]
fn transfers_over_a_lossy_network() {
    for seed in 0..15 {
        let mut w = World::builder()
            .extensions(["101", "102", "103"])
            .seed(seed)
            .build();
        let (_, b) = w.talk(w.phone("101"), w.phone("102"));
        let c = w.phone("103");
        w.set(c, |p| p.answers_after_ms = Some(1000));
        w.set_all_networks(testkit::Network::wild(25));
        w.transfer(b, "103");
        w.run_for(20_000);
        w.finish();
    }
}

#[test]
fn a_transfer_that_crosses_the_end_is_refused() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.quirks.never_acks = true);
    w.set(b, |p| p.answers_after_ms = Some(100));
    let call = w.dial(a, "102");
    w.run_for(500);
    // The exchange ends the call, but may not say so before the ACK (RFC 3261 §15).
    w.hang_up_call(w.calls()[0].call);
    w.run_for(100);
    w.transfer(call, "103");
    w.run_for(1000);
    assert_eq!(w.call(call).referred, Some(481));
    w.finish();
}

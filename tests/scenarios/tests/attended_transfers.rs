//! Attended transfers: B talks with A and with C, and joins them (RFC 5589 §7).

use model::Disposition;
use testkit::{Line, World};

/// A ═ B held, B ═ C; lines of A, of B towards A, of B towards C, of C.
fn consulting(seed: u64) -> (World, Line, Line, Line, Line) {
    let mut w = World::builder()
        .extensions(["101", "102", "103"])
        .seed(seed)
        .build();
    let (a, b1) = w.talk(w.phone("101"), w.phone("102"));
    w.hold(b1);
    w.run_for(200);
    let (b2, c) = w.talk(b1.phone, w.phone("103"));
    w.run_for(300);
    (w, a, b1, b2, c)
}

#[test]
fn both_parties_are_joined() {
    for first in [true, false] {
        let (mut w, a, b1, b2, c) = consulting(1);
        if first {
            w.transfer_to(b1, b2);
        } else {
            w.transfer_to(b2, b1);
        }
        w.run_for(2000);
        w.assert_talk(a, c);
        assert!(w.is_over(b1) && w.is_over(b2));
        w.hang_up(a);
        w.run_for(200);
        assert!(w.is_over(c));
        w.finish();
        let records = w.records();
        assert_eq!(records.len(), 3);
        assert!(
            records
                .iter()
                .all(|record| record.disposition == Disposition::Answered)
        );
        assert!(records[2].transferred_from.is_some());
    }
}

#[test]
fn the_one_who_joins_need_not_hang_up() {
    let (mut w, a, b1, b2, c) = consulting(1);
    w.set(b1.phone, |p| p.hangs_up_after_transfer = false);
    w.transfer_to(b1, b2);
    w.run_for(4000);
    w.assert_talk(a, c);
    assert!(w.is_over(b1) && w.is_over(b2));
    w.finish();
}

#[test]
fn a_party_that_still_rings_rings_on_for_the_other() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b1) = w.talk(w.phone("101"), w.phone("102"));
    let c = w.phone("103");
    w.hold(b1);
    w.run_for(200);
    let b2 = w.dial(b1.phone, "103");
    w.run_for(500);
    assert!(w.is_ringing(c));
    w.transfer_to(b1, b2);
    w.run_for(1000);
    assert!(w.is_ringing(c) && w.is_over(b2));
    assert_eq!(w.at(c).calls.len(), 1, "it is not rung anew");
    w.answer(c);
    w.run_for(1500);
    w.assert_talk(a, c);
    w.finish();
}

#[test]
fn a_party_that_rings_and_refuses_brings_the_other_back() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b1) = w.talk(w.phone("101"), w.phone("102"));
    let c = w.phone("103");
    w.run_for(200);
    let b2 = w.dial(b1.phone, "103");
    w.run_for(500);
    w.transfer_to(b1, b2);
    w.run_for(500);
    w.refuse(c, 486);
    w.run_for(1500);
    if w.is_talking(b1) {
        w.assert_talk(a, b1);
    } else {
        w.run_for(7000);
        assert!(w.is_over(a));
    }
    w.finish();
}

#[test]
fn somebody_hangs_up_at_every_moment() {
    for ms in (0..24).step_by(2) {
        for who in 0..4 {
            let (mut w, a, b1, b2, c) = consulting(ms);
            w.transfer_to(b1, b2);
            w.run_for(ms);
            w.hang_up([a, b1, b2, c][who]);
            w.run_for(2500);
            w.finish();
        }
    }
}

#[test]
fn a_dialog_that_is_not_there_leaves_all_as_it_was() {
    let (mut w, a, b1, _, _) = consulting(1);
    w.refer(
        b1,
        "<sip:103@10.0.0.1?Replaces=nobody%3Bto-tag%3D1%3Bfrom-tag%3D2>",
    );
    w.run_for(1000);
    assert!(
        w.call(b1)
            .notified
            .last()
            .is_some_and(|status| *status >= 400)
    );
    w.resume(b1);
    w.run_for(700);
    w.assert_talk(a, b1);
    w.finish();
}

#[test]
fn a_call_is_not_joined_with_itself() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.transfer_to(b, b);
    w.run_for(1000);
    let refused = w.call(b).referred.is_some_and(|status| status >= 400)
        || w.call(b)
            .notified
            .last()
            .is_some_and(|status| *status >= 400);
    assert!(refused);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn joined_over_a_lossy_network() {
    for seed in 0..15 {
        let (mut w, _, b1, b2, _) = consulting(seed);
        w.set_all_networks(testkit::Network::wild(25));
        w.transfer_to(b1, b2);
        w.run_for(20_000);
        w.finish();
    }
}

#[test]
fn the_joined_parties_are_transferred_on() {
    let mut w = World::of(["101", "102", "103", "104"]);
    let (a, b1) = w.talk(w.phone("101"), w.phone("102"));
    w.hold(b1);
    w.run_for(200);
    let (b2, c) = w.talk(b1.phone, w.phone("103"));
    w.run_for(300);
    w.transfer_to(b1, b2);
    w.run_for(1500);
    w.transfer(c, "104");
    w.run_for(500);
    let d = w.phone("104");
    w.answer(d);
    w.run_for(1500);
    w.assert_talk(a, d);
    w.finish();
    assert_eq!(w.records().len(), 4);
}

#[test]
fn parties_that_are_joined_for_ever_are_stopped_whichever_call_is_the_newer() {
    for newer in [true, false] {
        let mut w = World::of(["101", "102", "103"]);
        let (mut b, a) = w.talk(w.phone("102"), w.phone("101"));
        let mut joined = 0;
        for round in 0..30 {
            let next = w.phone(if round % 2 == 0 { "103" } else { "102" });
            w.hold(b);
            w.run_for(200);
            let (b2, c) = w.talk(b.phone, next);
            w.run_for(200);
            let (of, to) = if newer { (b2, b) } else { (b, b2) };
            w.transfer_to(of, to);
            w.run_for(2000);
            if !w.is_talking(a) || w.call(of).referred != Some(202) {
                break;
            }
            joined += 1;
            b = c;
        }
        assert_eq!(joined, 10, "{newer}");
        assert!(w.is_talking(a));
        w.finish();
    }
}

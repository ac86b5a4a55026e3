//! Phones that disappear: power cuts, cut networks, and what finds them.

use model::{Disposition, EndedBy};
use testkit::{Network, World, assert_hears};

#[test]
fn a_call_with_a_dead_phone_ends_after_a_minute() {
    for caller in [true, false] {
        let mut w = World::of(["101", "102"]);
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.run_for(2000);
        let (dead, alive) = if caller { (a, b) } else { (b, a) };
        w.power_off(dead.phone);
        w.run_for(55_000);
        assert!(w.is_talking(alive));
        w.run_for(15_000);
        assert!(w.is_over(alive));
        w.finish();
        let record = w.record(0);
        assert_eq!(
            (record.disposition, record.ended_by),
            (Disposition::Answered, EndedBy::Exchange)
        );
    }
}

#[test]
fn both_phones_lose_power() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(2000);
    w.power_off(a.phone);
    w.power_off(b.phone);
    w.run_for(70_000);
    assert!(w.calls().is_empty());
    w.finish();
}

#[test]
fn the_caller_loses_power_while_it_rings() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.dial(a, "102");
    w.run_for(1000);
    w.power_off(a);
    w.run_for(1000);
    w.answer(b);
    w.run_for(120_000);
    assert!(w.calls().is_empty());
    assert!(w.is_over(b));
    w.finish();
}

#[test]
fn a_silent_party_on_hold_is_not_dead() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.hold(a);
    w.run_for(200);
    w.silence(a.phone, true);
    w.run_for(90_000);
    assert!(w.is_talking(a) && w.is_talking(b));
    w.silence(a.phone, false);
    w.resume(a);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_network_that_is_cut_for_a_while() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    w.cut(b.phone, true);
    w.run_for(20_000);
    w.cut(b.phone, false);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_transfer_to_a_phone_without_power_comes_back() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.power_off(w.phone("103"));
    w.transfer(b, "103");
    w.run_for(2000);
    w.run_for(33_000);
    assert!(
        w.call(b)
            .notified
            .last()
            .is_some_and(|status| *status >= 400)
    );
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_party_loses_power_at_every_stage_of_a_transfer() {
    for ms in (0..30).step_by(3) {
        for who in 0..3 {
            let mut w = World::builder()
                .extensions(["101", "102", "103"])
                .seed(ms)
                .build();
            let c = w.phone("103");
            w.set(c, |p| p.answers_after_ms = Some(10));
            let (a, b) = w.talk(w.phone("101"), w.phone("102"));
            w.transfer(b, "103");
            w.run_for(ms);
            w.power_off([a.phone, b.phone, c][who]);
            w.run_for(3000);
            w.finish();
        }
    }
}

#[test]
fn one_of_two_phones_is_off_and_the_other_answers() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let c = w.add_phone("102");
    w.register(c);
    w.run_for(100);
    w.power_off(b);
    w.dial(a, "102");
    w.run_for(1000);
    w.answer(c);
    w.run_for(1000);
    w.assert_talk(a, c);
    w.finish();
}

#[test]
fn the_exchange_is_killed_in_a_call_and_phones_call_again() {
    let mut w = World::of(["101", "102"]);
    w.forgiving = true;
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(1000);
    w.restart();
    w.run_for(1000);
    // The new process knows nothing of the call: 481 ends it for the phones.
    w.hang_up(a);
    w.hang_up(b);
    w.run_for(1000);
    let (a, b) = w.talk(a.phone, b.phone);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_way_back_that_is_dead_hurts_one_direction_only() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    let mut network = Network::quiet();
    network.down.cut = true;
    w.set_network(b.phone, network);
    w.run_for(2000);
    assert_hears(&w, a, w.voice(b.phone));
    w.set_network(b.phone, Network::quiet());
    w.finish();
}

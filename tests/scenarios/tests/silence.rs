//! A party that is not heard any more: seen while the call lasts, and in its record.

use model::{LegSide, Quality};
use testkit::{Line, World};

/// What is seen of a party now: how long it has been silent, in seconds.
fn silent_s(w: &World, side: LegSide) -> Option<u64> {
    let call = &w.calls()[0];
    let leg = call.legs.iter().find(|leg| leg.side == side);
    let since = leg.expect("it is there").silent_since?;
    Some(w.wall().since(since).as_secs())
}

fn measured(w: &World) -> [Quality; 2] {
    [0, 1].map(|n| w.record(0).legs[n].quality.expect("sound flowed"))
}

fn talking() -> (World, Line, Line) {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(10_000);
    (w, a, b)
}

#[test]
fn a_phone_that_dies_in_mid_call_is_seen_at_once_and_in_the_record() {
    let (mut w, a, b) = talking();
    w.power_off(b.phone);
    w.run_for(1900);
    assert_eq!(silent_s(&w, LegSide::Called), None);
    w.run_for(200);
    assert_eq!(silent_s(&w, LegSide::Called), Some(2));
    assert_eq!(silent_s(&w, LegSide::Caller), None);
    w.run_for(41_000);
    assert_eq!(silent_s(&w, LegSide::Called), Some(43));
    w.hang_up(a);
    w.finish();
    let [caller, called] = measured(&w);
    assert_eq!((caller.silent_ms, caller.packets_lost), (0, 0));
    assert!((43_000..43_300).contains(&called.silent_ms), "{called:?}");
    assert_eq!(called.silent_now_ms, called.silent_ms);
    assert!((2150..2165).contains(&called.packets_lost), "{called:?}");
    assert!(called.mos_hundredths < Some(200), "{called:?}");
}

#[test]
fn a_network_that_was_cut_is_in_the_record_though_both_talk_again() {
    let (mut w, a, b) = talking();
    w.cut(b.phone, true);
    w.run_for(20_000);
    w.cut(b.phone, false);
    w.run_for(700);
    assert_eq!(silent_s(&w, LegSide::Called), None);
    w.assert_talk(a, b);
    w.hang_up(a);
    w.finish();
    let [caller, called] = measured(&w);
    assert_eq!(caller.silent_ms, 0);
    assert!((19_900..20_100).contains(&called.silent_ms), "{called:?}");
    assert_eq!(called.silent_now_ms, 0);
    assert!((990..1010).contains(&called.packets_lost), "{called:?}");
}

#[test]
fn nobody_is_missed_while_one_holds_the_other_or_is_muted() {
    let (mut w, a, b) = talking();
    w.hold(a);
    w.run_for(200);
    w.silence(a.phone, true);
    w.silence(b.phone, true);
    w.run_for(20_000);
    assert_eq!(silent_s(&w, LegSide::Caller), None);
    assert_eq!(silent_s(&w, LegSide::Called), None);
    w.silence(a.phone, false);
    w.silence(b.phone, false);
    w.resume(a);
    w.run_for(700);
    w.assert_talk(a, b);
    // Muted, without a report that says so: for its length nobody can tell it from a fault.
    w.set(b.phone, |p| p.speaks = false);
    w.run_for(10_000);
    assert!(silent_s(&w, LegSide::Called).is_some());
    w.set(b.phone, |p| p.speaks = true);
    w.run_for(700);
    w.hang_up(a);
    w.finish();
    for leg in measured(&w) {
        assert_eq!(leg.silent_ms, 0, "{leg:?}");
    }
}

#[test]
fn a_caller_that_sends_nothing_before_the_answer_is_not_missed() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.speaks = false);
    let line = w.dial(a, "102");
    w.run_for(500);
    w.ring(b, 183, true);
    w.run_for(20_000);
    w.set(a, |p| p.speaks = true);
    w.answer(b);
    w.run_for(2000);
    w.hang_up(line);
    w.finish();
    for leg in measured(&w) {
        assert_eq!(leg.silent_ms, 0, "{leg:?}");
    }
}

//! Phones that are registered and do not respond: what a caller hears, and what is seen of them.

use model::{Cause, Disposition, EndedBy};
use testkit::{End, World};

/// How many phones of a number do not respond.
fn unresponsive(w: &World, number: &str) -> usize {
    let extension = w.extension(number).expect("it is there");
    (w.registrations().iter())
        .filter(|phone| phone.extension == extension && phone.unresponsive_since.is_some())
        .count()
}

const ROW: &str = "The phone of extension 102 at 10.0.1.11:5060 (UDP) does not respond";

#[test]
fn a_phone_that_says_nothing_at_all_is_given_up_after_eight_seconds() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.cut(b, true);
    let line = w.dial(a, "102");
    w.run_for(7900);
    assert!(!w.is_over(line));
    assert_eq!(unresponsive(&w, "102"), 0);
    w.run_for(300);
    assert_eq!(w.end(line), Some(End::Refused(480)));
    assert_eq!(unresponsive(&w, "102"), 1);
    assert_eq!(w.tape().matches(ROW).count(), 1);
    let record = w.record(0);
    assert_eq!(
        (record.disposition, record.cause),
        (Disposition::Unreachable, Cause::NO_USER_RESPONDING)
    );
    // It is still called; the row stands once.
    let again = w.dial(a, "102");
    w.run_for(9000);
    assert_eq!(w.end(again), Some(End::Refused(480)));
    assert_eq!(w.tape().matches(ROW).count(), 1);
    w.run_for(60_000);
    w.cut(b, false);
    let back = w.dial(a, "102");
    w.run_for(500);
    assert!(w.hears_ringing(back));
    assert_eq!(unresponsive(&w, "102"), 0);
    w.finish();
}

#[test]
fn a_phone_that_registers_again_is_well() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.cut(b, true);
    w.dial(a, "102");
    w.run_for(50_000);
    assert_eq!(unresponsive(&w, "102"), 1);
    w.cut(b, false);
    w.register(b);
    w.run_for(200);
    assert_eq!(unresponsive(&w, "102"), 0);
    w.finish();
}

#[test]
fn the_other_phones_of_an_extension_ring_on() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let other = w.add_phone("102");
    w.register(other);
    w.run_for(200);
    w.cut(b, true);
    let line = w.dial(a, "102");
    w.run_for(20_000);
    assert!(w.hears_ringing(line) && w.is_ringing(other));
    assert_eq!(unresponsive(&w, "102"), 1);
    w.answer(other);
    w.run_for(700);
    w.assert_talk(line, other);
    w.run_for(30_000);
    w.cut(b, false);
    w.finish();
}

#[test]
fn the_record_says_whose_phone_has_stopped_responding() {
    for caller in [true, false] {
        let mut w = World::of(["101", "102"]);
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.run_for(2000);
        let dead = if caller { a } else { b };
        w.power_off(dead.phone);
        w.run_for(70_000);
        assert!(w.calls().is_empty());
        let number = if caller { "101" } else { "102" };
        assert_eq!(unresponsive(&w, number), 1);
        w.finish();
        let record = w.record(0);
        assert_eq!(record.ended_by, EndedBy::Exchange);
        let lost: Vec<bool> = (record.legs.iter())
            .map(|leg| leg.stopped_responding)
            .collect();
        assert_eq!(lost, [caller, !caller]);
    }
}

#[test]
fn a_phone_that_had_not_answered_when_its_silent_call_was_hung_up_is_seen() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(2000);
    w.power_off(b.phone);
    w.run_for(43_000);
    w.hang_up(a);
    w.run_for(100);
    assert_eq!(unresponsive(&w, "102"), 1);
    assert_eq!(w.tape().matches(ROW).count(), 1);
    w.finish();
}

#[test]
fn a_phone_that_lets_the_end_of_its_call_go_by_is_seen() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(2000);
    w.power_off(b.phone);
    w.run_for(1000);
    w.hang_up(a);
    w.run_for(31_000);
    assert_eq!(unresponsive(&w, "102"), 0);
    w.run_for(2000);
    assert_eq!(unresponsive(&w, "102"), 1);
    assert_eq!(w.tape().matches(ROW).count(), 1);
    w.finish();
}

#[test]
fn the_last_phone_of_an_extension_is_known_until_another_comes() {
    let mut w = World::of(["101", "102"]);
    let b = w.phone("102");
    let extension = w.extension("102").expect("it is there");
    assert_eq!(w.last_phone(extension), None);
    w.unregister(b);
    w.run_for(200);
    let last = w.last_phone(extension).expect("it was there");
    assert!(last.left);
    assert_eq!(last.address, "10.0.1.11:5060");
    w.register(b);
    w.run_for(200);
    assert_eq!(w.last_phone(extension), None);
    let before = w.wall();
    w.power_off(b);
    w.run_for(4_000_000);
    let last = w.last_phone(extension).expect("it was there");
    assert!(!last.left && last.until > before);
    w.finish();
}

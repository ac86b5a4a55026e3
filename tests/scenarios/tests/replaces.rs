//! INVITE with Replaces (RFC 3891): a phone takes a call over, or picks one up.

use testkit::{End, World};

#[test]
fn a_phone_takes_over_a_call() {
    for of_caller in [true, false] {
        let mut w = World::of(["101", "102", "103"]);
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        let c = w.phone("103");
        w.run_for(300);
        let (of, stays) = if of_caller { (a, b) } else { (b, a) };
        let line = w.take_over(c, of);
        w.run_for(1500);
        assert!(w.is_talking(line));
        w.assert_talk(line, stays);
        assert_eq!(w.end(of), Some(End::Bye));
        w.finish();
        assert!(w.records().len() >= 2);
    }
}

#[test]
fn a_dialog_that_is_unknown_is_not_replaced() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    let c = w.phone("103");
    for replaces in [
        "nobody;to-tag=1;from-tag=2",
        "nobody;to-tag=1",
        "nobody",
        ";;;",
    ] {
        w.forgiving = true;
        let line = w.dial_with(c, "102", &[("Replaces", replaces)]);
        w.run_for(500);
        let end = w.end(line);
        assert!(
            matches!(end, Some(End::Refused(400 | 481 | 603))),
            "{replaces}: {end:?}"
        );
    }
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_ringing_call_is_picked_up_by_the_dialog_of_its_phone() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b, c) = (w.phone("101"), w.phone("102"), w.phone("103"));
    w.dial(a, "102");
    w.run_for(500);
    assert!(w.is_ringing(b));
    let line = w.take_over(c, w.line(b));
    w.run_for(1500);
    assert!(w.is_over(b));
    w.assert_talk(a, line);
    w.finish();
}

#[test]
fn the_caller_is_not_replaced_before_the_answer() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b, c) = (w.phone("101"), w.phone("102"), w.phone("103"));
    let call = w.dial(a, "102");
    w.run_for(500);
    let line = w.take_over(c, call);
    w.run_for(500);
    assert_eq!(w.end(line), Some(End::Refused(481)));
    w.answer(b);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn somebody_hangs_up_while_a_call_is_taken_over() {
    for ms in 0..16 {
        for who in 0..3 {
            let mut w = World::builder()
                .extensions(["101", "102", "103"])
                .seed(ms)
                .build();
            let (a, b) = w.talk(w.phone("101"), w.phone("102"));
            let line = w.take_over(w.phone("103"), b);
            w.run_for(ms);
            w.hang_up([a, b, line][who]);
            w.run_for(1000);
            w.finish();
        }
    }
}

#[test]
fn two_phones_take_over_the_same_call() {
    for seed in 0..8 {
        let mut w = World::builder()
            .extensions(["101", "102", "103", "104"])
            .seed(seed)
            .build();
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        let c = w.take_over(w.phone("103"), b);
        w.run_for(seed);
        let d = w.take_over(w.phone("104"), b);
        w.run_for(1500);
        let winner = if w.is_talking(c) { c } else { d };
        w.assert_talk(a, winner);
        w.finish();
    }
}

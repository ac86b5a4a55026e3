//! Hold and resume, from either side and both, by re-INVITE and by UPDATE.

use model::control::CallState;
use testkit::phone::sdp::Direction;
use testkit::{Line, World, assert_silence};

fn talking(update: bool) -> (World, Line, Line) {
    let mut w = World::of(["101", "102"]);
    w.set_all(|p| p.update = update);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    (w, a, b)
}

fn hold_and_resume(update: bool, by_caller: bool) {
    let (mut w, a, b) = talking(update);
    let (holder, held) = if by_caller { (a, b) } else { (b, a) };
    w.hold(holder);
    w.run_for(700);
    assert_eq!(w.call(holder).renegotiated, Some(200));
    assert_eq!(w.calls()[0].state, CallState::Held);
    let remote = w
        .at(holder.phone)
        .remote_direction(holder.index.unwrap_or(0));
    assert!(
        matches!(remote, Some(Direction::RecvOnly | Direction::Inactive)),
        "{remote:?}"
    );
    assert_eq!(
        w.call(held).offers_heard,
        0,
        "the held party is asked nothing"
    );
    w.resume(holder);
    w.run_for(700);
    assert_eq!(w.calls()[0].state, CallState::Connected);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn the_caller_holds_and_resumes() {
    hold_and_resume(false, true);
    hold_and_resume(true, true);
}

#[test]
fn the_called_party_holds_and_resumes() {
    hold_and_resume(false, false);
    hold_and_resume(true, false);
}

#[test]
fn a_held_party_hears_the_exchange_and_the_holder_nothing() {
    let (mut w, a, b) = talking(false);
    w.hold(a);
    w.run_for(700);
    assert_silence(&w, a);
    assert!(!w.hears_voice(b, a.phone), "{:?}", w.hears(b));
    let before = w.call(b).sound.counts.received;
    w.run_for(10_000);
    let beeps = w.call(b).sound.counts.received - before;
    assert!(beeps >= 490, "the stream goes on: {beeps} packets");
    w.finish();
}

#[test]
fn an_inactive_hold_lets_the_other_hear_the_exchange() {
    let (mut w, a, b) = talking(false);
    w.offer(a, Direction::Inactive);
    w.run_for(700);
    assert_silence(&w, a);
    let heard = w.hears(b);
    assert!(
        heard.is_none_or(|hz| (hz - w.voice(a.phone)).abs() > 10.0),
        "{heard:?}"
    );
    w.resume(a);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn both_hold_and_one_after_the_other_resumes() {
    let (mut w, a, b) = talking(false);
    w.hold(a);
    w.run_for(300);
    w.hold(b);
    w.run_for(500);
    assert_eq!(w.calls()[0].state, CallState::Held);
    w.resume(a);
    w.run_for(500);
    assert_eq!(w.calls()[0].state, CallState::Held, "the other still holds");
    w.resume(b);
    w.run_for(700);
    assert_eq!(w.calls()[0].state, CallState::Connected);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn both_hold_at_the_same_moment() {
    for seed in 0..10 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .build();
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.run_for(200);
        w.hold(a);
        w.hold(b);
        w.run_for(5000);
        w.resume(a);
        w.resume(b);
        w.run_for(5000);
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn hold_again_and_again() {
    let (mut w, a, b) = talking(false);
    for _ in 0..20 {
        w.hold(a);
        w.run_for(100);
        w.resume(a);
        w.run_for(100);
    }
    w.run_for(500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_held_party_hangs_up() {
    let (mut w, a, b) = talking(false);
    w.hold(a);
    w.run_for(300);
    w.hang_up(b);
    w.run_for(200);
    assert!(w.is_over(a));
    w.finish();
}

#[test]
fn the_holder_hangs_up() {
    let (mut w, a, b) = talking(false);
    w.hold(a);
    w.run_for(300);
    w.hang_up(a);
    w.run_for(200);
    assert!(w.is_over(b));
    w.finish();
}

#[test]
fn a_second_call_while_the_first_is_held() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b, c) = (w.phone("101"), w.phone("102"), w.phone("103"));
    let (first, _) = w.talk(a, b);
    w.hold(first);
    w.run_for(300);
    let (second, _) = w.talk(a, c);
    w.run_for(700);
    w.assert_talk(second, c);
    w.hang_up(second);
    w.run_for(200);
    w.resume(first);
    w.run_for(700);
    w.assert_talk(first, b);
    w.finish();
    assert_eq!(w.records().len(), 2);
}

#[test]
fn a_hold_during_transcoding() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.codecs = vec![8]);
    w.set(b, |p| p.codecs = vec![0]);
    w.talk(a, b);
    w.hold(a);
    w.run_for(500);
    w.resume(a);
    w.run_for(800);
    w.assert_talk(a, b);
    w.finish();
}

//! Phones that disappear: power cuts, cut networks, and what finds them.

use model::{Disposition, EndedBy, Transport};
use testkit::{End, Line, Network, State, World, assert_hears};

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
fn a_call_with_muted_phones_goes_on() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(2000);
    // Neither sound nor reports: they do answer when asked.
    w.set_all(|p| p.speaks = false);
    w.run_for(600_000);
    assert!(w.is_talking(a) && w.is_talking(b));
    // The same while one holds the other.
    w.hold(a);
    w.run_for(600_000);
    assert!(w.is_talking(a) && w.is_talking(b));
    w.resume(a);
    w.set_all(|p| p.speaks = true);
    w.run_for(1000);
    w.assert_talk(a, b);
    w.finish();
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
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    // Holding and resuming makes the numbers of requests go on.
    w.hold(a);
    w.run_for(1000);
    w.resume(a);
    w.run_for(1000);
    w.restart();
    w.run_for(1000);
    for line in [a, b] {
        assert!(w.is_over(line), "{:?}", w.call(line).state);
    }
    let (a, b) = w.talk(a.phone, b.phone);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_crash_ends_the_calls_of_phones_on_any_transport() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let (mut w, a, b) = talking_over(transport);
        w.restart();
        w.run_for(1000);
        if transport.is_stream() {
            // Their connections have ended with the process; they notice and register anew.
            for line in [a, b] {
                assert!(w.is_talking(line));
                w.register(line.phone);
                w.run_for(1000);
                assert_eq!(w.end(line), Some(End::Bye));
            }
        }
        assert_eq!((w.end(a), w.end(b)), (Some(End::Bye), Some(End::Bye)));
        w.finish();
    }
}

/// Two phones in a call over a transport.
fn talking_over(transport: Transport) -> (World, Line, Line) {
    let mut w = World::builder()
        .extensions(["101", "102"])
        .without_phones()
        .build();
    for number in ["101", "102"] {
        let phone = w.add_phone(number);
        w.set(phone, |p| p.transport = transport);
        w.register(phone);
    }
    w.run_for(500);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    (w, a, b)
}

#[test]
fn a_stop_waits_until_all_phones_know_and_no_longer() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let (mut w, a, b) = talking_over(transport);
        assert!(w.unfinished() >= 2);
        w.shut_down();
        assert!(w.calls().is_empty() && w.unfinished() >= 2, "{transport}");
        w.run_for(1000);
        assert_eq!((w.end(a), w.end(b)), (Some(End::Bye), Some(End::Bye)));
        assert_eq!(w.unfinished(), 0, "what absorbs repeats is not waited for");
        w.finish();
    }
}

#[test]
fn a_stop_that_phones_do_not_answer_is_told_to_them_after_the_next_start() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let (mut w, a, b) = talking_over(transport);
        w.cut(a.phone, true);
        w.cut(b.phone, true);
        w.shut_down();
        w.run_for(3000);
        assert!(w.unfinished() > 0 && w.is_talking(a) && w.is_talking(b));
        w.restart();
        // They have to wait once more: stopped again before anybody was told.
        w.shut_down();
        w.restart();
        w.cut(a.phone, false);
        w.cut(b.phone, false);
        w.run_for(1000);
        for line in [a, b] {
            if transport.is_stream() {
                assert!(w.is_talking(line));
                w.register(line.phone);
                w.run_for(1000);
            }
            assert_eq!(w.end(line), Some(End::Bye), "{transport}");
        }
        w.finish();
    }
}

#[test]
fn a_crash_at_every_stage_of_a_transfer_leaves_no_phone_in_a_dead_call() {
    for attended in [false, true] {
        for ms in (0..200).step_by(10) {
            let mut w = World::builder()
                .extensions(["101", "102", "103"])
                .seed(ms)
                .build();
            // A transfer that the crash cuts is given up by the phones in their own words.
            w.forgiving = true;
            let c = w.phone("103");
            let (_, b) = w.talk(w.phone("101"), w.phone("102"));
            if attended {
                w.hold(b);
                w.run_for(200);
                let (second, _) = w.talk(b.phone, c);
                w.run_for(300);
                w.transfer_to(b, second);
            } else {
                w.set(c, |p| p.answers_after_ms = Some(100));
                w.transfer(b, "103");
            }
            w.run_for(ms);
            w.restart();
            w.run_for(5000);
            for phone in w.phones() {
                let talks = (w.at(phone).calls.iter()).any(|call| call.state == State::Talking);
                assert!(!talks, "{attended} {ms}: {}", w.at(phone).name);
            }
            w.finish();
        }
    }
}

#[test]
fn what_a_phone_asks_for_in_a_call_that_a_crash_has_ended_ends_it_there_too() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    // Nothing reaches them while the exchange tries.
    w.cut(a.phone, true);
    w.cut(b.phone, true);
    w.restart();
    w.run_for(40_000);
    w.cut(a.phone, false);
    w.cut(b.phone, false);
    assert!(w.is_talking(a) && w.is_talking(b));
    w.hold(a);
    w.hang_up(b);
    w.run_for(2000);
    assert!(w.is_over(a) && w.is_over(b));
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

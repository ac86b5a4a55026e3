//! RFC 3261 §17.1.2.

use super::super::{Action, Client};
use super::ClientEvent::{Failure, Provisional, Success, Timer, TransportFailed};
use super::*;

fn trying() -> Client {
    Client::start(false).0
}

fn after(events: &[ClientEvent]) -> Client {
    let mut machine = trying();
    for event in events {
        machine.on(*event);
    }
    machine
}

#[test]
fn the_request_is_sent_with_timers_e_and_f() {
    let (_, actions) = Client::start(false);
    assert_eq!(*actions, [Send, Start(E, ms(500)), Start(F, s(32))]);
}

#[test]
fn over_a_stream_there_is_no_timer_e() {
    let (_, actions) = Client::start(true);
    assert_eq!(*actions, [Send, Start(F, s(32))]);
}

#[test]
fn timer_e_doubles_up_to_t2() {
    let mut machine = trying();
    for next in [1000, 2000, 4000, 4000, 4000] {
        assert_eq!(*machine.on(Timer(E)), [Send, Start(E, ms(next))]);
    }
}

#[test]
fn in_proceeding_timer_e_is_t2() {
    let mut machine = trying();
    assert_eq!(*machine.on(Provisional), [Tell]);
    assert_eq!(*machine.on(Timer(E)), [Send, Start(E, s(4))]);
    assert_eq!(*machine.on(Provisional), [Tell]);
}

#[test]
fn timer_f_is_a_time_out_in_both_states() {
    for mut machine in [trying(), after(&[Provisional])] {
        assert_eq!(*machine.on(Timer(F)), [Stop(E), TellTimeout, Terminate]);
    }
}

#[test]
fn a_final_answer_is_told_once() {
    for event in [Success, Failure] {
        for mut machine in [trying(), after(&[Provisional])] {
            assert_eq!(*machine.on(event), [Stop(E), Tell, Start(K, s(5))]);
            assert_eq!(*machine.on(event), NOTHING);
            assert_eq!(*machine.on(Timer(K)), [Terminate]);
        }
    }
}

#[test]
fn over_a_stream_timer_k_is_zero() {
    let (mut machine, _) = Client::start(true);
    assert_eq!(*machine.on(Success), [Tell, Terminate]);
    let (mut machine, _) = Client::start(true);
    machine.on(Provisional);
    assert_eq!(*machine.on(Failure), [Tell, Terminate]);
}

#[test]
fn a_failed_transport_is_told() {
    for mut machine in [trying(), after(&[Provisional])] {
        let told = [Action::TellTransportFailed, Terminate];
        assert_eq!(*machine.on(TransportFailed), told);
    }
}

#[test]
fn completed_absorbs_all() {
    let mut machine = after(&[Success]);
    for event in [
        Provisional,
        Success,
        Failure,
        TransportFailed,
        Timer(E),
        Timer(F),
    ] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

#[test]
fn nothing_wakes_the_terminated() {
    let mut machine = after(&[Timer(F)]);
    for event in [
        Provisional,
        Success,
        Failure,
        TransportFailed,
        Timer(E),
        Timer(F),
        Timer(K),
    ] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

#[test]
fn timer_k_does_nothing_before_completed() {
    assert_eq!(*trying().on(Timer(K)), NOTHING);
    assert_eq!(*after(&[Provisional]).on(Timer(K)), NOTHING);
}

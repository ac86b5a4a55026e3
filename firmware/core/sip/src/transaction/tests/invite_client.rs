//! RFC 3261 §17.1.1, RFC 6026 §7.2.

use super::super::{Action, InviteClient};
use super::ClientEvent::{Failure, Provisional, Success, Timer, TransportFailed};
use super::*;

const ALL: [ClientEvent; 8] = [
    Provisional,
    Success,
    Failure,
    TransportFailed,
    Timer(A),
    Timer(B),
    Timer(D),
    Timer(M),
];

fn calling() -> InviteClient {
    InviteClient::start(false).0
}

fn after(events: &[ClientEvent]) -> InviteClient {
    let mut machine = calling();
    for event in events {
        machine.on(*event);
    }
    machine
}

#[test]
fn the_invite_is_sent_with_timers_a_and_b() {
    let (_, actions) = InviteClient::start(false);
    assert_eq!(*actions, [Send, Start(A, ms(500)), Start(B, s(32))]);
}

#[test]
fn over_a_stream_there_is_no_timer_a() {
    let (_, actions) = InviteClient::start(true);
    assert_eq!(*actions, [Send, Start(B, s(32))]);
}

#[test]
fn timer_a_doubles_without_limit() {
    let mut machine = calling();
    for next in [1000, 2000, 4000, 8000, 16_000, 32_000] {
        assert_eq!(*machine.on(Timer(A)), [Send, Start(A, ms(next))]);
    }
}

#[test]
fn timer_b_is_a_time_out() {
    let mut machine = calling();
    assert_eq!(*machine.on(Timer(B)), [Stop(A), TellTimeout, Terminate]);
    assert_eq!(machine, InviteClient::Terminated);
}

#[test]
fn a_1xx_stops_both_timers() {
    let mut machine = calling();
    assert_eq!(*machine.on(Provisional), [Stop(A), Stop(B), Tell]);
    assert!(machine.is_proceeding());
    assert_eq!(*machine.on(Provisional), [Tell]);
}

#[test]
fn a_2xx_in_calling_is_told() {
    let mut machine = calling();
    assert_eq!(*machine.on(Success), [Stop(A), Tell, Start(M, s(32))]);
    assert_eq!(machine, InviteClient::Accepted);
}

#[test]
fn a_2xx_in_proceeding_is_told() {
    let mut machine = after(&[Provisional]);
    assert_eq!(*machine.on(Success), [Stop(A), Tell, Start(M, s(32))]);
}

#[test]
fn every_2xx_is_told_until_timer_m() {
    let mut machine = after(&[Success]);
    assert_eq!(*machine.on(Success), [Tell]);
    assert_eq!(*machine.on(Success), [Tell]);
    assert_eq!(*machine.on(Timer(M)), [Terminate]);
    assert_eq!(*machine.on(Success), NOTHING);
}

#[test]
fn in_accepted_only_2xx_count() {
    let mut machine = after(&[Success]);
    for event in [
        Provisional,
        Failure,
        TransportFailed,
        Timer(A),
        Timer(B),
        Timer(D),
    ] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

#[test]
fn a_refusal_in_calling_is_acknowledged() {
    let mut machine = calling();
    assert_eq!(
        *machine.on(Failure),
        [Stop(A), SendAck, Tell, Start(D, s(32))]
    );
    assert_eq!(machine, InviteClient::Completed);
}

#[test]
fn a_refusal_in_proceeding_is_acknowledged() {
    let mut machine = after(&[Provisional]);
    assert_eq!(
        *machine.on(Failure),
        [Stop(A), SendAck, Tell, Start(D, s(32))]
    );
}

#[test]
fn a_refusal_that_comes_again_is_only_acknowledged() {
    let mut machine = after(&[Failure]);
    assert_eq!(*machine.on(Failure), [SendAck]);
    assert_eq!(*machine.on(Timer(D)), [Terminate]);
    assert_eq!(*machine.on(Failure), NOTHING);
}

#[test]
fn in_completed_nothing_else_counts() {
    let mut machine = after(&[Failure]);
    for event in [Provisional, Success, Timer(A), Timer(B), Timer(M)] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

#[test]
fn over_a_stream_timer_d_is_zero() {
    let (mut machine, _) = InviteClient::start(true);
    assert_eq!(*machine.on(Failure), [SendAck, Tell, Terminate]);
}

#[test]
fn a_failed_transport_ends_calling_and_proceeding() {
    for mut machine in [calling(), after(&[Provisional])] {
        let told = [Action::TellTransportFailed, Terminate];
        assert_eq!(*machine.on(TransportFailed), told);
        assert_eq!(machine, InviteClient::Terminated);
    }
}

#[test]
fn an_ack_that_fails_ends_completed() {
    let mut machine = after(&[Failure]);
    assert_eq!(*machine.on(TransportFailed), [Terminate]);
}

#[test]
fn timers_of_other_states_do_nothing() {
    let mut machine = calling();
    assert_eq!(*machine.on(Timer(D)), NOTHING);
    assert_eq!(*machine.on(Timer(M)), NOTHING);
    let mut machine = after(&[Provisional]);
    for timer in [A, D, M] {
        assert_eq!(*machine.on(Timer(timer)), NOTHING);
    }
}

#[test]
fn timer_b_may_be_started_again_in_proceeding() {
    let mut machine = after(&[Provisional]);
    assert_eq!(*machine.on(Timer(B)), [Stop(A), TellTimeout, Terminate]);
}

#[test]
fn nothing_wakes_the_terminated() {
    let mut machine = after(&[Timer(B)]);
    for event in ALL {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

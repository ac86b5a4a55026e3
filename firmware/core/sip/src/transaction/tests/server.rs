//! RFC 3261 §17.2.2, RFC 4320 §4.

use super::super::Server;
use super::ServerEvent::{Ack, Failure, Provisional, Request, Success, Timer, TransportFailed};
use super::*;

fn trying() -> Server {
    Server::start(false).0
}

fn after(events: &[ServerEvent]) -> Server {
    let mut machine = trying();
    for event in events {
        machine.on(*event);
    }
    machine
}

#[test]
fn trying_is_late_and_the_whole_bounded() {
    let (mut machine, actions) = Server::start(false);
    assert_eq!(*actions, [Start(Trying, ms(3500)), Start(J, s(32))]);
    assert_eq!(*machine.on(Timer(Trying)), [SendTrying]);
    assert_eq!(*machine.on(Request), [Send]);
}

#[test]
fn a_request_that_comes_again_before_any_answer_is_absorbed() {
    assert_eq!(*trying().on(Request), NOTHING);
}

#[test]
fn a_1xx_is_sent_and_sent_again() {
    let mut machine = trying();
    assert_eq!(*machine.on(Provisional), [Stop(Trying), Send]);
    assert_eq!(*machine.on(Request), [Send]);
    assert_eq!(*machine.on(Provisional), [Stop(Trying), Send]);
}

#[test]
fn a_final_answer_is_kept_for_timer_j() {
    for event in [Success, Failure] {
        for mut machine in [trying(), after(&[Provisional])] {
            assert_eq!(*machine.on(event), [Stop(Trying), Send, Start(J, s(32))]);
            assert_eq!(*machine.on(Request), [Send]);
            assert_eq!(*machine.on(Timer(J)), [Terminate]);
            assert_eq!(*machine.on(Request), NOTHING);
        }
    }
}

#[test]
fn over_a_stream_timer_j_is_zero() {
    let (mut machine, _) = Server::start(true);
    assert_eq!(
        *machine.on(Success),
        [Stop(Trying), Stop(J), Send, Terminate]
    );
}

#[test]
fn the_first_final_answer_counts() {
    let mut machine = after(&[Success]);
    for event in [Success, Failure, Provisional, Ack] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

#[test]
fn an_answer_that_would_come_too_late_is_not_sent() {
    for mut machine in [trying(), after(&[Provisional])] {
        assert_eq!(
            *machine.on(Timer(J)),
            [Stop(Trying), TellTimeout, Terminate]
        );
        assert_eq!(*machine.on(Failure), NOTHING);
    }
}

#[test]
fn a_failed_transport_ends_completed_only() {
    assert_eq!(*trying().on(TransportFailed), NOTHING);
    assert_eq!(*after(&[Provisional]).on(TransportFailed), NOTHING);
    assert_eq!(*after(&[Success]).on(TransportFailed), [Terminate]);
}

//! RFC 3261 §17.2.1, RFC 6026 §7.1.

use super::super::{Action, InviteServer};
use super::ServerEvent::{Ack, Failure, Provisional, Request, Success, Timer, TransportFailed};
use super::*;

fn proceeding() -> InviteServer {
    InviteServer::start(false).0
}

fn after(events: &[ServerEvent]) -> InviteServer {
    let mut machine = proceeding();
    for event in events {
        machine.on(*event);
    }
    machine
}

#[test]
fn trying_is_left_to_the_user_for_200_ms() {
    let (mut machine, actions) = InviteServer::start(false);
    assert_eq!(*actions, [Start(Trying, ms(200))]);
    assert_eq!(*machine.on(Timer(Trying)), [SendTrying]);
}

#[test]
fn an_invite_that_comes_again_before_any_answer_is_absorbed() {
    let mut machine = proceeding();
    assert_eq!(*machine.on(Request), NOTHING);
}

#[test]
fn an_invite_that_comes_again_gets_the_last_1xx() {
    assert_eq!(*after(&[Timer(Trying)]).on(Request), [Send]);
    assert_eq!(*after(&[Provisional]).on(Request), [Send]);
}

#[test]
fn a_1xx_is_sent_and_stops_trying() {
    let mut machine = proceeding();
    assert_eq!(*machine.on(Provisional), [Stop(Trying), Send]);
    assert!(machine.is_proceeding());
}

#[test]
fn a_2xx_leads_to_accepted() {
    let mut machine = proceeding();
    assert_eq!(*machine.on(Success), [Stop(Trying), Send, Start(L, s(32))]);
    assert_eq!(machine, InviteServer::Accepted);
}

#[test]
fn accepted_absorbs_invites_and_tells_acks() {
    let mut machine = after(&[Success]);
    assert_eq!(*machine.on(Request), NOTHING);
    assert_eq!(*machine.on(Ack), [Tell]);
    assert_eq!(*machine.on(Success), [Send]);
    assert_eq!(*machine.on(Timer(L)), [Terminate]);
    assert_eq!(*machine.on(Success), NOTHING);
}

#[test]
fn after_a_2xx_no_other_answer_is_sent() {
    let mut machine = after(&[Success]);
    for event in [Provisional, Failure, TransportFailed, Timer(G), Timer(H)] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

#[test]
fn a_refusal_starts_timers_g_and_h() {
    let mut machine = after(&[Provisional]);
    let actions = [Send, Start(G, ms(500)), Start(H, s(32))];
    assert_eq!(*machine.on(Failure), actions);
}

#[test]
fn over_a_stream_there_is_no_timer_g() {
    let (mut machine, _) = InviteServer::start(true);
    let actions = [Stop(Trying), Send, Start(H, s(32))];
    assert_eq!(*machine.on(Failure), actions);
}

#[test]
fn timer_g_doubles_up_to_t2() {
    let mut machine = after(&[Failure]);
    for next in [1000, 2000, 4000, 4000] {
        assert_eq!(*machine.on(Timer(G)), [Send, Start(G, ms(next))]);
    }
}

#[test]
fn an_invite_that_comes_again_gets_the_refusal() {
    assert_eq!(*after(&[Failure]).on(Request), [Send]);
}

#[test]
fn timer_h_ends_a_refusal_without_ack() {
    let mut machine = after(&[Failure]);
    assert_eq!(*machine.on(Timer(H)), [Stop(G), TellTimeout, Terminate]);
}

#[test]
fn an_ack_leads_to_confirmed_for_t4() {
    let mut machine = after(&[Failure]);
    assert_eq!(*machine.on(Ack), [Stop(G), Start(I, s(5))]);
    assert_eq!(machine, InviteServer::Confirmed);
    assert_eq!(*machine.on(Ack), NOTHING);
    assert_eq!(*machine.on(Request), NOTHING);
    assert_eq!(*machine.on(Timer(I)), [Terminate]);
}

#[test]
fn over_a_stream_timer_i_is_zero() {
    let (mut machine, _) = InviteServer::start(true);
    machine.on(Failure);
    assert_eq!(*machine.on(Ack), [Stop(H), Terminate]);
}

#[test]
fn a_caller_that_is_gone_is_told_of() {
    let mut machine = proceeding();
    assert_eq!(*machine.on(TransportFailed), [Action::TellTransportFailed]);
    assert!(machine.is_proceeding());
    assert_eq!(*after(&[Failure]).on(TransportFailed), [Terminate]);
}

#[test]
fn after_a_refusal_no_other_answer_is_sent() {
    let mut machine = after(&[Failure]);
    for event in [
        Provisional,
        Success,
        Failure,
        Timer(Trying),
        Timer(I),
        Timer(L),
    ] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

#[test]
fn an_ack_before_any_answer_is_absorbed() {
    assert_eq!(*proceeding().on(Ack), NOTHING);
}

#[test]
fn nothing_wakes_the_terminated() {
    let mut machine = after(&[Failure, Timer(H)]);
    for event in [
        Request,
        Ack,
        Provisional,
        Success,
        Failure,
        Timer(G),
        Timer(H),
        TransportFailed,
    ] {
        assert_eq!(*machine.on(event), NOTHING, "{event:?}");
    }
}

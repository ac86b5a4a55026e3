//! Reliable provisional responses: RFC 3262, and UPDATE in early dialogs (RFC 3311 §5, its figure 1).

use super::phone::SDP;
use super::{ALICE, BOB, Phone, Sent, Tape};
use crate::endpoint::{EndReason, Event, SessionId};
use crate::message::StatusCode;

const CAN: &str = "Supported: 100rel\r\nAllow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE\r\n";

fn progress(tape: &mut Tape, session: SessionId) -> Sent {
    tape.act(|box_, now| {
        box_.ring(
            now,
            session,
            StatusCode::SESSION_PROGRESS,
            Some("answer".into()),
        );
    });
    tape.sends("183 INVITE")
}

fn prack(phone: &mut Phone, response: &Sent, body: &str) -> String {
    phone.learn(response);
    let rack = format!(
        "RAck: {} {}\r\n",
        response.header("RSeq"),
        response.header("CSeq")
    );
    phone.request("PRACK", &rack, body)
}

fn incoming(lines: &str, body: &str) -> (Tape, Phone, SessionId) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, lines, body);
    (tape, phone, session)
}

#[test]
fn a_description_goes_reliably_where_the_caller_can() {
    let (mut tape, mut phone, session) = incoming(CAN, SDP);
    let sent = progress(&mut tape, session);
    assert_eq!(sent.header("Require"), "100rel");
    assert!(sent.header("RSeq").parse::<u32>().unwrap() > 0);
    assert_eq!(sent.body(), "answer");
    let request = prack(&mut phone, &sent, "");
    tape.recv(phone.flow, &request);
    tape.sends("200 PRACK");
    tape.no_event();
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(ok.body(), "", "the answer went before");
}

#[test]
fn ringing_alone_needs_no_prack_unless_required() {
    let (mut tape, _, session) = incoming(CAN, SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    assert_eq!(tape.sends("180 INVITE").header("RSeq"), "");
    let (mut tape, _, session) = incoming("Require: 100rel\r\n", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    assert_ne!(tape.sends("180 INVITE").header("RSeq"), "");
}

#[test]
fn a_description_goes_unreliably_where_the_caller_can_not() {
    let (mut tape, _, session) = incoming("", SDP);
    let sent = progress(&mut tape, session);
    assert_eq!(
        (sent.header("RSeq"), sent.body().as_str()),
        (String::new(), "answer")
    );
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    assert_eq!(tape.sends("200 INVITE").body(), "answer");
}

#[test]
fn it_is_sent_again_until_prack() {
    let (mut tape, mut phone, session) = incoming(CAN, SDP);
    let sent = progress(&mut tape, session);
    for at_ms in [500, 1500, 3500, 7500, 15_500] {
        tape.at(at_ms);
        let again = tape.sends("183 INVITE");
        assert_eq!((again.at_ms, &again.bytes), (at_ms, &sent.bytes));
    }
    let request = prack(&mut phone, &sent, "");
    tape.recv(phone.flow, &request);
    tape.sends("200 PRACK");
    tape.after(30_000);
    tape.sends_nothing();
}

#[test]
fn without_prack_the_call_is_refused() {
    let (mut tape, phone, session) = incoming(CAN, SDP);
    progress(&mut tape, session);
    tape.at(31_999);
    tape.sent.clear();
    tape.at(32_000);
    let refusal = tape.sends("504 INVITE");
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::NotAcknowledged,
            ..
        }
    ));
    tape.recv(phone.flow, &phone.ack_refusal(&refusal));
    tape.ends_clean();
}

#[test]
fn the_next_one_waits_for_the_prack_of_the_first() {
    let (mut tape, mut phone, session) = incoming("Require: 100rel\r\n", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    let first = tape.sends("180 INVITE");
    tape.act(|box_, now| {
        box_.ring(
            now,
            session,
            StatusCode::SESSION_PROGRESS,
            Some("answer".into()),
        );
    });
    tape.sends_nothing();
    let request = prack(&mut phone, &first, "");
    tape.recv(phone.flow, &request);
    tape.sends("200 PRACK");
    let second = tape.sends("183 INVITE");
    let number = |sent: &Sent| sent.header("RSeq").parse::<u32>().unwrap();
    assert_eq!(number(&second), number(&first) + 1);
}

#[test]
fn a_2xx_waits_where_a_description_is_not_acknowledged() {
    let (mut tape, mut phone, session) = incoming(CAN, SDP);
    let sent = progress(&mut tape, session);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    tape.sends_nothing();
    let request = prack(&mut phone, &sent, "");
    tape.recv(phone.flow, &request);
    tape.sends("200 PRACK");
    tape.sends("200 INVITE");
}

#[test]
fn a_2xx_does_not_wait_for_mere_ringing() {
    let (mut tape, _, session) = incoming("Require: 100rel\r\n", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    tape.sends("180 INVITE");
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    assert_eq!(tape.sends("200 INVITE").body(), "answer");
    tape.after(499);
    tape.sends_nothing();
}

#[test]
fn a_prack_that_the_2xx_has_overtaken_is_taken_once_and_in_time() {
    for (wait_ms, status) in [(100, 200), (31_900, 200), (32_000, 481)] {
        let (mut tape, mut phone, session) = incoming("Require: 100rel\r\n", SDP);
        tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
        let ringing = tape.sends("180 INVITE");
        tape.act(|box_, now| box_.accept(now, session, "answer".into()));
        tape.sends("200 INVITE");
        phone.learn(&ringing);
        let ack = phone.ack(phone.cseq, "");
        tape.recv(phone.flow, &ack);
        tape.after(wait_ms);
        tape.sends_nothing();
        for status in [status, 481] {
            let late = prack(&mut phone, &ringing, "");
            tape.recv(phone.flow, &late);
            tape.sends(&format!("{status} PRACK"));
        }
    }
}

/// RFC 3262 §3: "it MUST be prepared to process PRACK requests for those outstanding responses".
#[test]
fn a_prack_that_a_refusal_has_overtaken_is_taken_once_and_in_time() {
    for after_ms in [0, 31_999, 32_000] {
        let (mut tape, mut phone, session) = incoming(CAN, SDP);
        let sent = progress(&mut tape, session);
        tape.act(|box_, now| box_.end(now, session, None));
        let refusal = tape.sends("480 INVITE");
        tape.recv(phone.flow, &phone.ack_refusal(&refusal));
        tape.after(after_ms);
        tape.sends_nothing();
        let request = prack(&mut phone, &sent, "");
        tape.recv(phone.flow, &request);
        let in_time = after_ms < 32_000;
        tape.sends(if in_time { "200 PRACK" } else { "481 PRACK" });
        let again = prack(&mut phone, &sent, "");
        tape.recv(phone.flow, &again);
        tape.sends("481 PRACK");
        assert_eq!(tape.endpoint.counts().sessions, 0);
        tape.no_event();
        tape.ends_clean();
    }
}

#[test]
fn a_prack_for_nothing_is_481() {
    let (mut tape, mut phone, session) = incoming(CAN, SDP);
    let sent = progress(&mut tape, session);
    phone.learn(&sent);
    for rack in ["RAck: 1 2 INVITE\r\n", "RAck: 0 1 INVITE\r\n"] {
        let request = phone.request("PRACK", rack, "");
        tape.recv(phone.flow, &request);
        tape.sends("481 PRACK");
    }
    let request = phone.request("PRACK", "", "");
    tape.recv(phone.flow, &request);
    tape.sends("400 PRACK");
    let rack = format!("RAck: {} {}\r\n", sent.header("RSeq"), sent.header("CSeq"));
    let request = phone.request("PRACK", &rack, "");
    tape.recv(phone.flow, &request);
    tape.sends("200 PRACK");
    let again = phone.request("PRACK", &rack, "");
    tape.recv(phone.flow, &again);
    tape.sends("481 PRACK");
}

#[test]
fn an_offer_of_ours_goes_reliably_and_prack_answers() {
    let (mut tape, mut phone, session) = incoming(CAN, "");
    tape.act(|box_, now| {
        box_.ring(
            now,
            session,
            StatusCode::SESSION_PROGRESS,
            Some("our offer".into()),
        );
    });
    let sent = tape.sends("183 INVITE");
    assert_eq!(sent.body(), "our offer");
    let request = prack(&mut phone, &sent, "their answer");
    tape.recv(phone.flow, &request);
    tape.sends("200 PRACK");
    match tape.event() {
        Event::Answered { sdp, .. } => assert_eq!(sdp, "their answer"),
        other => panic!("{other:?}"),
    }
    tape.act(|box_, now| box_.accept(now, session, "our offer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(ok.body(), "");
    let ack = phone.ack(2, "");
    tape.recv(phone.flow, &ack);
    assert!(matches!(
        tape.event(),
        Event::Acknowledged { sdp: None, .. }
    ));
}

#[test]
fn a_prack_may_make_another_offer() {
    let (mut tape, mut phone, session) = incoming(CAN, SDP);
    let sent = progress(&mut tape, session);
    let request = prack(&mut phone, &sent, "second offer");
    tape.recv(phone.flow, &request);
    tape.sends_nothing();
    assert!(matches!(tape.event(), Event::Offered { .. }));
    tape.act(|box_, now| box_.answer(now, session, "second answer".into()));
    assert_eq!(tape.sends("200 PRACK").body(), "second answer");
}

#[test]
fn an_update_may_follow_in_the_early_dialog() {
    let (mut tape, mut phone, session) = incoming(CAN, SDP);
    let sent = progress(&mut tape, session);
    let request = prack(&mut phone, &sent, "");
    tape.recv(phone.flow, &request);
    tape.sends("200 PRACK");
    let update = phone.request("UPDATE", "", "second offer");
    tape.recv(phone.flow, &update);
    assert!(matches!(tape.event(), Event::Offered { .. }));
    tape.act(|box_, now| box_.answer(now, session, "second answer".into()));
    assert_eq!(tape.sends("200 UPDATE").body(), "second answer");
    // And one of ours.
    tape.act(|box_, now| box_.offer(now, session, "third offer".into()));
    let ours = tape.sends("UPDATE");
    assert_eq!(ours.body(), "third offer");
    tape.recv(
        phone.flow,
        &phone.answer(&ours, "200 OK", "", "third answer"),
    );
    assert!(matches!(tape.event(), Event::Answered { .. }));
}

fn outgoing(sdp: Option<&'static str>) -> (Tape, Phone, SessionId, Sent) {
    let mut tape = Tape::new();
    let phone = Phone::new(BOB, "200");
    let (session, invite) = phone.called(&mut tape, sdp);
    (tape, phone, session, invite)
}

#[test]
fn we_acknowledge_what_asks_for_it() {
    let (mut tape, phone, _, invite) = outgoing(Some("offer"));
    let lines = "Require: 100rel\r\nRSeq: 77\r\n";
    let reliable = phone.answer(&invite, "183 Session Progress", lines, SDP);
    tape.recv(phone.flow, &reliable);
    let prack = tape.sends("PRACK");
    assert_eq!(prack.header("RAck"), "77 1 INVITE");
    assert_eq!(prack.header("CSeq"), "2 PRACK");
    assert_eq!(prack.tag("To"), "tag-of-200");
    assert!(matches!(tape.event(), Event::Progress { sdp: Some(_), .. }));
    // Again: the PRACK's own transaction repeats it.
    tape.recv(phone.flow, &reliable);
    tape.sends_nothing();
    tape.no_event();
    tape.recv(phone.flow, &phone.answer(&prack, "200 OK", "", ""));
    let next = reliable.replace("RSeq: 77", "RSeq: 78");
    tape.recv(phone.flow, &next);
    assert_eq!(tape.sends("PRACK").header("RAck"), "78 1 INVITE");
}

#[test]
fn what_is_out_of_order_is_neither_acknowledged_nor_believed() {
    let (mut tape, phone, _, invite) = outgoing(Some("offer"));
    let at = |rseq: u32| {
        let lines = format!("Require: 100rel\r\nRSeq: {rseq}\r\n");
        phone.answer(&invite, "183 Session Progress", &lines, "")
    };
    tape.recv(phone.flow, &at(5));
    tape.sends("PRACK");
    tape.event();
    for rseq in [7, 5, 4] {
        tape.recv(phone.flow, &at(rseq));
        tape.sends_nothing();
        tape.no_event();
    }
}

#[test]
fn an_answer_in_a_reliable_response_is_not_repeated_with_the_2xx() {
    let (mut tape, phone, _, invite) = outgoing(Some("offer"));
    let lines = "Require: 100rel\r\nRSeq: 1\r\n";
    tape.recv(
        phone.flow,
        &phone.answer(&invite, "183 Session Progress", lines, SDP),
    );
    tape.sends("PRACK");
    tape.event();
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", ""));
    tape.sends("ACK");
    assert!(matches!(tape.event(), Event::Accepted { sdp: None, .. }));
}

#[test]
fn an_offer_in_a_reliable_response_is_answered_in_the_prack() {
    let (mut tape, phone, session, invite) = outgoing(None);
    let lines = "Require: 100rel\r\nRSeq: 1\r\n";
    tape.recv(
        phone.flow,
        &phone.answer(&invite, "183 Session Progress", lines, "their offer"),
    );
    tape.sends_nothing();
    match tape.event() {
        Event::Progress { sdp, .. } => assert_eq!(sdp.unwrap(), "their offer"),
        other => panic!("{other:?}"),
    }
    tape.act(|box_, now| box_.answer(now, session, "our answer".into()));
    assert_eq!(tape.sends("PRACK").body(), "our answer");
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", ""));
    assert_eq!(tape.sends("ACK").body(), "");
    assert!(matches!(tape.event(), Event::Accepted { sdp: None, .. }));
}

#[test]
fn an_early_description_that_is_no_answer_is_passed_over() {
    let (mut tape, phone, _, invite) = outgoing(None);
    tape.recv(
        phone.flow,
        &phone.answer(&invite, "183 Session Progress", "", SDP),
    );
    assert!(matches!(tape.event(), Event::Progress { sdp: None, .. }));
}

#[test]
fn a_prack_that_is_481_ends_the_call() {
    let (mut tape, phone, _, invite) = outgoing(Some("offer"));
    let lines = "Require: 100rel\r\nRSeq: 1\r\n";
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", lines, ""));
    let prack = tape.sends("PRACK");
    tape.event();
    tape.recv(phone.flow, &phone.answer(&prack, "481 Gone", "", ""));
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::DialogGone,
            ..
        }
    ));
    tape.sends("CANCEL");
    tape.ends_clean();
}

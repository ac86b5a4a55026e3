//! The box calls a phone: RFC 3665 §3.1, §3.9, RFC 3261 §13.2 and §9.1.

use model::Cause;

use super::phone::SDP;
use super::{BOB, Phone, Tape};
use crate::endpoint::{EndReason, Event};
use crate::message::StatusCode;

fn bob() -> Phone {
    Phone::new(BOB, "200")
}

#[test]
fn a_whole_call() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    assert_eq!(invite.flow, phone.flow);
    assert_eq!(invite.request().uri.to_string(), "sip:200@192.0.2.20:5060");
    assert!(
        invite
            .header("From")
            .starts_with("\"Alice\" <sip:100@192.0.2.1:5060>;tag=")
    );
    assert_eq!(invite.header("Contact"), "<sip:100@192.0.2.1:5060>");
    assert!(
        invite
            .header("Via")
            .starts_with("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK")
    );
    assert_eq!(invite.header("Max-Forwards"), "70");
    assert!(invite.header("Supported").contains("100rel"));
    assert_eq!(invite.header("Session-Expires"), "1800");
    assert_eq!(invite.body(), "offer");

    tape.recv(phone.flow, &phone.answer(&invite, "100 Trying", "", ""));
    tape.no_event();
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", "", ""));
    match tape.event() {
        Event::Progress {
            fork, status, sdp, ..
        } => {
            assert_eq!(
                (fork.as_str(), status, sdp),
                ("tag-of-200", StatusCode::RINGING, None)
            );
        }
        other => panic!("{other:?}"),
    }
    tape.after(60_000);
    tape.sends_nothing();
    tape.recv(
        phone.flow,
        &phone.answer(&invite, "200 OK", "Server: Desk\r\n", SDP),
    );
    let ack = tape.sends("ACK");
    assert_eq!(ack.request().uri.to_string(), "sip:200@192.0.2.20:5060");
    assert_eq!(ack.header("CSeq"), "1 ACK");
    assert_eq!(ack.tag("To"), "tag-of-200");
    assert_ne!(ack.header("Via"), invite.header("Via"));
    match tape.event() {
        Event::Accepted {
            sdp,
            user_agent,
            fork,
            ..
        } => {
            assert_eq!(sdp.unwrap(), SDP);
            assert_eq!(user_agent.unwrap(), "Desk");
            assert_eq!(fork, "tag-of-200");
        }
        other => panic!("{other:?}"),
    }
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    assert_eq!(bye.header("CSeq"), "2 BYE");
    tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn the_callee_hangs_up() {
    let mut tape = Tape::new();
    let mut phone = bob();
    let (_, _, _) = phone.answered(&mut tape, "");
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::Bye,
            ..
        }
    ));
    tape.ends_clean();
}

#[test]
fn an_invite_is_sent_again_and_given_up() {
    let mut tape = Tape::new();
    let (_, invite) = bob().called(&mut tape, Some("offer"));
    for at_ms in [500, 1500, 3500, 7500, 15_500, 31_500] {
        tape.at(at_ms);
        let again = tape.sends("INVITE");
        assert_eq!((again.at_ms, &again.bytes), (at_ms, &invite.bytes));
    }
    tape.at(31_999);
    tape.no_event();
    tape.at(32_000);
    assert!(matches!(
        tape.event(),
        Event::Refused {
            status: StatusCode::REQUEST_TIMEOUT,
            ..
        }
    ));
    tape.sends_nothing();
    tape.ends_clean();
}

#[test]
fn a_refusal_is_acknowledged_and_told() {
    let mut tape = Tape::new();
    let phone = bob();
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    let busy = phone.answer(
        &invite,
        "486 Busy Here",
        "Reason: Q.850;cause=17\r\nRetry-After: 20\r\n",
        "",
    );
    tape.recv(phone.flow, &busy);
    let ack = tape.sends("ACK");
    // RFC 3261 §17.1.1.3: the same transaction.
    assert_eq!(ack.header("Via"), invite.header("Via"));
    assert_eq!(ack.header("CSeq"), "1 ACK");
    assert_eq!(ack.tag("To"), "tag-of-200");
    match tape.event() {
        Event::Refused {
            status,
            cause,
            retry_after_s,
            contacts,
            ..
        } => {
            assert_eq!(status, StatusCode::BUSY_HERE);
            assert_eq!(cause, Some(Cause::USER_BUSY));
            assert_eq!(retry_after_s, Some(20));
            assert!(contacts.is_empty());
        }
        other => panic!("{other:?}"),
    }
    tape.after(1000);
    tape.recv(phone.flow, &busy);
    assert_eq!(tape.sends("ACK").bytes, ack.bytes);
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn a_redirect_reports_its_contacts() {
    let mut tape = Tape::new();
    let phone = bob();
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    let moved = phone.answer(
        &invite,
        "302 Moved Temporarily",
        "Contact: <sip:201@192.0.2.1>\r\n",
        "",
    );
    let moved = moved.replace("Contact: <sip:200@192.0.2.20:5060>\r\n", "");
    tape.recv(phone.flow, &moved);
    tape.sends("ACK");
    match tape.event() {
        Event::Refused { contacts, .. } => assert_eq!(contacts[0].to_string(), "sip:201@192.0.2.1"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_200_that_comes_again_is_acknowledged_again() {
    let mut tape = Tape::new();
    let phone = bob();
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    let ok = phone.answer(&invite, "200 OK", "", SDP);
    tape.recv(phone.flow, &ok);
    let ack = tape.sends("ACK");
    tape.event();
    tape.recv(phone.flow, &ok);
    assert_eq!(tape.sends("ACK").bytes, ack.bytes);
    tape.no_event();
}

#[test]
fn cancel_waits_for_a_provisional_answer() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    tape.act(|box_, now| box_.end(now, session, Some(Cause::NORMAL_CALL_CLEARING)));
    tape.sends_nothing();
    tape.recv(phone.flow, &phone.answer(&invite, "100 Trying", "", ""));
    let cancel = tape.sends("CANCEL");
    assert_eq!(cancel.header("Via"), invite.header("Via"));
    assert_eq!(cancel.header("CSeq"), "1 CANCEL");
    assert_eq!(cancel.tag("To"), "");
    assert!(cancel.header("Reason").contains("cause=16"));
    tape.recv(phone.flow, &phone.answer(&cancel, "200 OK", "", ""));
    tape.recv(
        phone.flow,
        &phone.answer(&invite, "487 Request Terminated", "", ""),
    );
    tape.sends("ACK");
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn cancel_goes_at_once_while_it_rings() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", "", ""));
    tape.event();
    tape.act(|box_, now| box_.end(now, session, None));
    tape.sends("CANCEL");
    // It is lost, and sent again like any request.
    tape.after(500);
    let cancel = tape.sends("CANCEL");
    tape.recv(phone.flow, &phone.answer(&cancel, "200 OK", "", ""));
    tape.recv(
        phone.flow,
        &phone.answer(&invite, "487 Request Terminated", "", ""),
    );
    tape.sends("ACK");
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn an_answer_that_crosses_cancel_is_hung_up() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", "", ""));
    tape.event();
    tape.act(|box_, now| box_.end(now, session, None));
    let cancel = tape.sends("CANCEL");
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", SDP));
    tape.sends("ACK");
    let bye = tape.sends("BYE");
    tape.recv(phone.flow, &phone.answer(&cancel, "200 OK", "", ""));
    tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn an_answer_before_any_cancel_could_go_is_hung_up() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    tape.act(|box_, now| box_.end(now, session, None));
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", SDP));
    tape.sends("ACK");
    tape.sends("BYE");
    tape.no_event();
}

#[test]
fn an_invite_that_is_never_answered_after_cancel_is_given_up() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", "", ""));
    tape.event();
    tape.act(|box_, now| box_.end(now, session, None));
    let cancel = tape.sends("CANCEL");
    tape.recv(phone.flow, &phone.answer(&cancel, "200 OK", "", ""));
    tape.at(31_999);
    assert_eq!(tape.endpoint.counts().sessions, 1);
    tape.at(32_000);
    assert_eq!(tape.endpoint.counts().sessions, 0);
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn the_first_fork_that_answers_wins() {
    let mut tape = Tape::new();
    let one = bob();
    let mut other = bob();
    other.tag = "other".to_owned();
    let (_, invite) = one.called(&mut tape, Some("offer"));
    tape.recv(one.flow, &one.answer(&invite, "180 Ringing", "", ""));
    tape.recv(
        one.flow,
        &other.answer(&invite, "183 Session Progress", "", SDP),
    );
    let forks: Vec<String> = tape
        .events
        .drain(..)
        .map(|event| match event {
            Event::Progress { fork, .. } => fork,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(forks, ["tag-of-200", "other"]);

    tape.recv(one.flow, &other.answer(&invite, "200 OK", "", SDP));
    assert_eq!(tape.sends("ACK").tag("To"), "other");
    assert!(matches!(tape.event(), Event::Accepted { fork, .. } if fork == "other"));
    tape.recv(one.flow, &one.answer(&invite, "200 OK", "", SDP));
    assert_eq!(tape.sends("ACK").tag("To"), "tag-of-200");
    let bye = tape.sends("BYE");
    assert_eq!(bye.tag("To"), "tag-of-200");
    tape.no_event();
    tape.recv(one.flow, &one.answer(&bye, "200 OK", "", ""));
    assert_eq!(tape.endpoint.counts().sessions, 1);
}

/// A fork that rang reliably has had PRACK, so its BYE must not have that number again; and its 2xx
/// comes until our ACK has arrived.
#[test]
fn the_bye_of_a_fork_that_lost_has_a_number_of_its_own_and_goes_once() {
    let mut tape = Tape::new();
    let one = bob();
    let mut other = bob();
    other.tag = "other".to_owned();
    let (_, invite) = one.called(&mut tape, Some("offer"));
    let mut numbers = Vec::new();
    for rseq in [7, 8] {
        let lines = format!("Require: 100rel\r\nRSeq: {rseq}\r\n");
        tape.recv(one.flow, &one.answer(&invite, "180 Ringing", &lines, ""));
        let prack = tape.sends("PRACK");
        numbers.push(prack.header("CSeq"));
        tape.recv(one.flow, &one.answer(&prack, "200 OK", "", ""));
    }
    assert_eq!(numbers, ["2 PRACK", "3 PRACK"]);
    tape.recv(one.flow, &other.answer(&invite, "200 OK", "", SDP));
    assert_eq!(tape.sends("ACK").tag("To"), "other");
    let ok = one.answer(&invite, "200 OK", "", SDP);
    tape.recv(one.flow, &ok);
    assert_eq!(tape.sends("ACK").header("CSeq"), "1 ACK");
    assert_eq!(tape.sends("BYE").header("CSeq"), "4 BYE");
    tape.recv(one.flow, &ok);
    assert_eq!(tape.sends("ACK").header("CSeq"), "1 ACK");
    tape.sends_nothing();
}

#[test]
fn a_fork_that_answers_after_the_end_is_hung_up() {
    let mut tape = Tape::new();
    let phone = bob();
    let mut other = bob();
    other.tag = "other".to_owned();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", SDP));
    tape.sends("ACK");
    tape.event();
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
    assert_eq!(tape.endpoint.counts().sessions, 0);
    tape.recv(phone.flow, &other.answer(&invite, "200 OK", "", SDP));
    assert_eq!(tape.sends("ACK").tag("To"), "other");
    let bye = tape.sends("BYE");
    assert_eq!(bye.tag("To"), "other");
    assert_eq!(
        bye.header("CSeq"),
        "102 BYE",
        "past all that it may have had"
    );
    tape.no_event();
}

#[test]
fn an_offer_in_the_200_is_answered_in_the_ack() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, None);
    assert_eq!(invite.body(), "");
    let ok = phone.answer(&invite, "200 OK", "", "their offer");
    tape.recv(phone.flow, &ok);
    tape.sends_nothing();
    match tape.event() {
        Event::Accepted { sdp, .. } => assert_eq!(sdp.unwrap(), "their offer"),
        other => panic!("{other:?}"),
    }
    tape.act(|box_, now| box_.answer(now, session, "our answer".into()));
    let ack = tape.sends("ACK");
    assert_eq!(ack.body(), "our answer");
    tape.recv(phone.flow, &ok);
    assert_eq!(tape.sends("ACK").bytes, ack.bytes);
}

#[test]
fn the_route_set_of_the_200_counts() {
    let mut tape = Tape::new();
    let phone = bob();
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    let lines = "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n";
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", lines, SDP));
    let ack = tape.sends("ACK");
    assert_eq!(
        ack.header("Route"),
        "<sip:p2.example;lr>, <sip:p1.example;lr>"
    );
    tape.event();
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    assert_eq!(
        bye.header("Route"),
        "<sip:p2.example;lr>, <sip:p1.example;lr>"
    );
}

#[test]
fn a_bye_that_is_never_answered_is_given_up() {
    let mut tape = Tape::new();
    let mut phone = bob();
    let (session, _, _) = phone.answered(&mut tape, "");
    tape.act(|box_, now| box_.end(now, session, None));
    tape.sends("BYE");
    for at_ms in [
        500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ] {
        tape.at(at_ms);
        assert_eq!(tape.sends("BYE").at_ms, at_ms);
    }
    tape.at(32_000);
    assert_eq!(tape.endpoint.counts().sessions, 0);
    assert!(matches!(tape.event(), Event::Unanswered { flow } if flow == bob().flow));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn a_response_that_nobody_asked_for_is_dropped() {
    let mut tape = Tape::new();
    let phone = bob();
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    let ok = phone.answer(&invite, "200 OK", "", SDP);
    for forged in [
        ok.replace("z9hG4bK", "z9hG4bKx"),
        ok.replace("CSeq: 1 INVITE", "CSeq: 1 BYE"),
        ok.replace("Via: ", "X-Via: "),
    ] {
        tape.recv(phone.flow, &forged);
        tape.sends_nothing();
        tape.no_event();
    }
}

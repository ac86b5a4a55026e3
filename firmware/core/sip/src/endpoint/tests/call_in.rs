//! A phone calls the box: RFC 3665 §3.1, §3.8, and RFC 3261 §13.3.

use model::Cause;

use super::phone::SDP;
use super::{ALICE, Phone, Tape};
use crate::endpoint::{EndReason, Event, Refusal};
use crate::message::StatusCode;

fn alice() -> Phone {
    Phone::new(ALICE, "100")
}

#[test]
fn a_whole_call_that_the_phone_ends() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, invite) = phone.invite(&mut tape, "User-Agent: Desk\r\n", SDP);
    assert_eq!(invite.account.unwrap().raw(), 1);
    assert_eq!(invite.request_uri.user().unwrap(), "200");
    assert_eq!(invite.sdp.as_deref(), Some(SDP.as_bytes()));
    assert_eq!(invite.user_agent.as_deref(), Some("Desk"));

    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    let ringing = tape.sends("180 INVITE");
    assert!(!ringing.tag("To").is_empty());
    assert_eq!(ringing.header("Contact"), "<sip:200@192.0.2.1:5060>");

    tape.after(3000);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(ok.body(), "answer");
    assert_eq!(ok.tag("To"), ringing.tag("To"));
    assert!(ok.header("Allow").contains("INVITE"));
    phone.learn(&ok);
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    assert!(matches!(
        tape.event(),
        Event::Acknowledged { sdp: None, .. }
    ));

    let bye = phone.request("BYE", "Reason: Q.850;cause=16;text=\"bye\"\r\n", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    match tape.event() {
        Event::Ended { reason, cause, .. } => {
            assert_eq!(reason, EndReason::Bye);
            assert_eq!(cause, Some(Cause::NORMAL_CALL_CLEARING));
        }
        other => panic!("{other:?}"),
    }
    tape.no_event();
    tape.sends_nothing();
    tape.ends_clean();
}

#[test]
fn a_call_that_the_box_ends() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let session = phone.in_call(&mut tape, "");
    tape.act(|box_, now| box_.end(now, session, Some(Cause::NO_ANSWER)));
    let bye = tape.sends("BYE");
    assert_eq!(bye.request().uri.to_string(), "sip:100@192.0.2.10:5060");
    assert_eq!(bye.tag("To"), "tag-of-100");
    assert!(bye.header("Reason").starts_with("Q.850;cause=19"));
    let ok = phone.answer(&bye, "200 OK", "", "");
    tape.recv(phone.flow, &ok);
    tape.no_event();
    tape.sends_nothing();
    tape.ends_clean();
}

#[test]
fn trying_comes_of_itself_after_200_ms() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.invite(&mut tape, "", SDP);
    tape.after(199);
    tape.sends_nothing();
    tape.after(1);
    let trying = tape.sends("100 INVITE");
    assert_eq!(trying.tag("To"), "");
    assert!(trying.header("Via").contains("received=192.0.2.10"));
    assert!(trying.header("Via").contains("rport=5060"));
}

#[test]
fn no_trying_where_ringing_came_first() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    tape.sends("180 INVITE");
    tape.after(10_000);
    tape.sends_nothing();
}

/// RFC 3261 §13.3.1.1
#[test]
fn what_rings_for_long_says_so_each_minute() {
    for required in ["", "Require: 100rel\r\n"] {
        let mut tape = Tape::new();
        let mut phone = alice();
        let (session, _) = phone.invite(&mut tape, required, SDP);
        let ring = |tape: &mut Tape, status, sdp: Option<&'static str>| {
            let sdp = sdp.map(Into::into);
            tape.act(|box_, now| box_.ring(now, session, status, sdp));
        };
        let said = |tape: &mut Tape, phone: &mut Phone, summary: &str| {
            let sent = tape.sends(summary);
            phone.learn(&sent);
            if !required.is_empty() {
                let rack = format!("RAck: {} {} INVITE\r\n", sent.header("RSeq"), 2);
                let prack = phone.request("PRACK", &rack, "");
                tape.recv(phone.flow, &prack);
                tape.sends("200 PRACK");
            }
            sent
        };
        ring(&mut tape, StatusCode::SESSION_PROGRESS, Some("answer"));
        assert_eq!(said(&mut tape, &mut phone, "183 INVITE").body(), "answer");
        tape.after(59_999);
        tape.sends_nothing();
        ring(&mut tape, StatusCode::RINGING, None);
        let first = said(&mut tape, &mut phone, "180 INVITE");
        for _ in 0..3 {
            tape.after(59_999);
            tape.sends_nothing();
            tape.after(1);
            let again = said(&mut tape, &mut phone, "180 INVITE");
            assert_eq!(again.tag("To"), first.tag("To"));
            assert_eq!(again.body(), "");
        }
        tape.act(|box_, now| box_.accept(now, session, "answer".into()));
        tape.sends("200 INVITE");
        let ack = phone.ack(2, "");
        tape.recv(phone.flow, &ack);
        tape.after(120_000);
        tape.sends_nothing();
        tape.act(|box_, now| box_.end(now, session, None));
        let bye = tape.sends("BYE");
        tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
        tape.ends_clean();
    }
}

#[test]
fn the_200_comes_again_until_it_is_acknowledged() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    // RFC 3261 §13.3.1.4: T1, doubled up to T2.
    for at_ms in [500, 1500, 3500, 7500, 11_500] {
        tape.at(at_ms);
        let again = tape.sends("200 INVITE");
        assert_eq!((again.at_ms, &again.bytes), (at_ms, &ok.bytes));
    }
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    assert!(matches!(tape.event(), Event::Acknowledged { .. }));
    tape.after(60_000);
    tape.sends_nothing();
}

#[test]
fn a_200_without_ack_ends_in_bye() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    tape.at(31_999);
    tape.no_event();
    tape.sent.clear();
    tape.at(32_000);
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::NotAcknowledged,
            ..
        }
    ));
    let bye = tape.sends("BYE");
    let ok = phone.answer(&bye, "200 OK", "", "");
    tape.recv(phone.flow, &ok);
    tape.ends_clean();
}

#[test]
fn a_retransmitted_invite_gets_the_last_answer() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("INVITE", "", SDP);
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 INVITE");
    let ack = phone.ack_refusal(&challenge);
    tape.recv(phone.flow, &ack);
    let credentials = phone.credentials(&challenge, "INVITE", "x");
    let invite = phone.request("INVITE", &format!("Authorization: {credentials}\r\n"), SDP);
    tape.recv(phone.flow, &invite);
    let Event::Invited { session, .. } = tape.event() else {
        panic!()
    };
    tape.recv(phone.flow, &invite);
    tape.sends_nothing();
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    let ringing = tape.sends("180 INVITE");
    tape.recv(phone.flow, &invite);
    assert_eq!(tape.sends("180 INVITE").bytes, ringing.bytes);
    tape.no_event();
    assert_eq!(tape.endpoint.counts().sessions, 1);
}

#[test]
fn a_refusal_says_why_and_waits_for_ack() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    let refusal = Refusal {
        status: StatusCode::BUSY_HERE,
        cause: Some(Cause::USER_BUSY),
        retry_after_s: Some(30),
        warning: Some((399, "on the telephone".to_owned())),
    };
    tape.act(|box_, now| box_.refuse(now, session, refusal));
    let busy = tape.sends("486 INVITE");
    assert!(busy.header("Reason").starts_with("Q.850;cause=17"));
    let retry_after: u32 = busy.header("Retry-After").parse().unwrap();
    assert!((18..=60).contains(&retry_after), "30, spread");
    assert_eq!(
        busy.header("Warning"),
        "399 192.0.2.1:5060 \"on the telephone\""
    );
    tape.after(500);
    assert_eq!(tape.sends("486 INVITE").bytes, busy.bytes);
    let ack = phone.ack_refusal(&busy);
    tape.recv(phone.flow, &ack);
    tape.after(60_000);
    tape.sends_nothing();
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn a_caller_that_gives_up() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    let ringing = tape.sends("180 INVITE");
    let cancel = phone.cancel("Reason: SIP;cause=200, Q.850;cause=26\r\n");
    tape.recv(phone.flow, &cancel);
    let ok = tape.sends("200 CANCEL");
    assert_eq!(ok.tag("To"), ringing.tag("To"));
    let terminated = tape.sends("487 INVITE");
    match tape.event() {
        Event::Ended { reason, cause, .. } => {
            assert_eq!(reason, EndReason::Cancelled);
            assert_eq!(cause, Some(Cause::NON_SELECTED_USER_CLEARING));
        }
        other => panic!("{other:?}"),
    }
    let ack = phone.ack_refusal(&terminated);
    tape.recv(phone.flow, &ack);
    tape.recv(phone.flow, &cancel);
    assert_eq!(tape.sends("200 CANCEL").bytes, ok.bytes);
    tape.ends_clean();
}

#[test]
fn a_cancel_after_the_answer_changes_nothing() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    let cancel = phone.cancel("");
    tape.recv(phone.flow, &cancel);
    tape.sends("200 CANCEL");
    tape.no_event();
    phone.learn(&ok);
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    assert!(matches!(tape.event(), Event::Acknowledged { .. }));
}

#[test]
fn a_cancel_for_nothing_is_481() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.request("INVITE", "", SDP);
    let cancel = phone.cancel("");
    tape.recv(phone.flow, &cancel);
    tape.sends("481 CANCEL");
    assert_eq!(tape.endpoint.counts().transactions, 0);
}

#[test]
fn a_caller_may_hang_up_an_early_dialog_by_bye() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    let ringing = tape.sends("180 INVITE");
    let invite = phone.clone();
    phone.learn(&ringing);
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    let terminated = tape.sends("487 INVITE");
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::Bye,
            ..
        }
    ));
    let ack = invite.ack_refusal(&terminated);
    tape.recv(phone.flow, &ack);
    tape.ends_clean();
}

#[test]
fn an_invite_without_offer_gets_one_and_the_ack_answers() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, invite) = phone.invite(&mut tape, "", "");
    assert_eq!(invite.sdp, None);
    // Without 100rel an offer can't go before the 200.
    tape.act(|box_, now| {
        box_.ring(
            now,
            session,
            StatusCode::SESSION_PROGRESS,
            Some("offer".into()),
        );
    });
    assert_eq!(tape.sends("183 INVITE").body(), "");
    tape.act(|box_, now| box_.accept(now, session, "offer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(ok.body(), "offer");
    phone.learn(&ok);
    let ack = phone.ack(phone.cseq, "their answer");
    tape.recv(phone.flow, &ack);
    match tape.event() {
        Event::Acknowledged { sdp, .. } => assert_eq!(sdp.unwrap(), "their answer"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn ending_an_unanswered_call_is_a_refusal() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.end(now, session, Some(Cause::NO_ANSWER)));
    let refusal = tape.sends("480 INVITE");
    assert!(refusal.header("Reason").contains("cause=19"));
    tape.no_event();
    let ack = phone.ack_refusal(&refusal);
    tape.recv(phone.flow, &ack);
    tape.ends_clean();
}

#[test]
fn bye_waits_for_the_ack() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    tape.act(|box_, now| box_.end(now, session, Some(Cause::NORMAL_CALL_CLEARING)));
    tape.sends_nothing();
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    let bye = tape.sends("BYE");
    assert!(bye.header("Reason").contains("cause=16"));
    tape.no_event();
}

#[test]
fn record_routes_become_the_route_of_our_requests() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let lines = "Record-Route: <sip:p2.example;lr>\r\nRecord-Route: <sip:p1.example;lr>\r\n";
    let (session, _) = phone.invite(&mut tape, lines, SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(
        ok.header("Record-Route"),
        "<sip:p2.example;lr>, <sip:p1.example;lr>"
    );
    phone.learn(&ok);
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    assert_eq!(
        bye.header("Route"),
        "<sip:p2.example;lr>, <sip:p1.example;lr>"
    );
    assert_eq!(bye.flow, phone.flow);
}

#[test]
fn a_strict_router_takes_the_place_of_the_request_uri() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let lines = "Record-Route: <sip:old.example>, <sip:p1.example;lr>\r\n";
    let session = {
        let (session, _) = phone.invite(&mut tape, lines, SDP);
        tape.act(|box_, now| box_.accept(now, session, "answer".into()));
        let ok = tape.sends("200 INVITE");
        phone.learn(&ok);
        let ack = phone.ack(phone.cseq, "");
        tape.recv(phone.flow, &ack);
        session
    };
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    assert_eq!(bye.request().uri.to_string(), "sip:old.example");
    assert_eq!(
        bye.header("Route"),
        "<sip:p1.example;lr>, <sip:100@192.0.2.10:5060>"
    );
}

#[test]
fn a_request_out_of_order_is_500() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.in_call(&mut tape, "");
    phone.cseq = 0;
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    tape.sends("500 INFO");
}

#[test]
fn requests_for_an_unknown_dialog_are_481() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.their_tag = "unknown.1".to_owned();
    for method in [
        "BYE", "INFO", "UPDATE", "PRACK", "INVITE", "REFER", "OPTIONS",
    ] {
        let request = phone.request(method, "", "");
        tape.recv(phone.flow, &request);
        tape.sends(&format!("481 {method}"));
    }
    let ack = phone.ack(1, "");
    tape.recv(phone.flow, &ack);
    tape.sends_nothing();
    assert_eq!(tape.endpoint.counts().transactions, 0);
}

#[test]
fn after_bye_the_dialog_is_unknown() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.in_call(&mut tape, "");
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    tape.event();
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    tape.sends("481 INFO");
    tape.no_event();
}

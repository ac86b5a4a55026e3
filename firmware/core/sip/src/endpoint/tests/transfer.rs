//! Transfers: REFER (RFC 3515, RFC 4488) and Replaces (RFC 3891).

use super::phone::SDP;
use super::{ALICE, BOB, Phone, Sent, Tape};
use crate::endpoint::{EndReason, Event, ReferId, SessionId};
use crate::message::{Replaces, StatusCode};

fn in_call() -> (Tape, Phone, SessionId) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    (tape, phone, session)
}

fn refer(tape: &mut Tape, phone: &mut Phone, lines: &str) -> ReferId {
    let request = phone.request("REFER", lines, "");
    tape.recv(phone.flow, &request);
    match tape.event() {
        Event::Referred { refer, .. } => refer,
        other => panic!("{other:?}"),
    }
}

const TO_300: &str = "Refer-To: <sip:300@192.0.2.1>\r\n";

#[test]
fn a_blind_transfer_from_refer_to_the_last_notify() {
    let (mut tape, mut phone, session) = in_call();
    let request = phone.request(
        "REFER",
        "Refer-To: <sip:300@192.0.2.1>\r\nReferred-By: <sip:100@192.0.2.1>\r\n",
        "",
    );
    tape.recv(phone.flow, &request);
    let refer = match tape.event() {
        Event::Referred {
            session: of,
            refer,
            to,
            replaces,
            referred_by,
        } => {
            assert_eq!(of, session);
            assert_eq!(to.to_string(), "sip:300@192.0.2.1");
            assert_eq!(replaces, None);
            assert_eq!(referred_by.unwrap(), "<sip:100@192.0.2.1>");
            refer
        }
        other => panic!("{other:?}"),
    };
    tape.act(|box_, now| box_.accept_refer(now, refer));
    tape.sends("202 REFER");
    let trying = tape.sends("NOTIFY");
    assert_eq!(trying.header("Event"), format!("refer;id={}", phone.cseq));
    assert_eq!(trying.header("Content-Type"), "message/sipfrag;version=2.0");
    assert!(
        trying
            .header("Subscription-State")
            .starts_with("active;expires=")
    );
    assert_eq!(trying.body(), "SIP/2.0 100 Trying\r\n");
    tape.recv(phone.flow, &phone.answer(&trying, "200 OK", "", ""));

    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::RINGING));
    let ringing = tape.sends("NOTIFY");
    assert_eq!(ringing.body(), "SIP/2.0 180 Ringing\r\n");
    tape.recv(phone.flow, &phone.answer(&ringing, "200 OK", "", ""));
    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::OK));
    let done = tape.sends("NOTIFY");
    assert_eq!(done.body(), "SIP/2.0 200 OK\r\n");
    assert!(done.header("Subscription-State").starts_with("terminated"));
    tape.recv(phone.flow, &phone.answer(&done, "200 OK", "", ""));
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
fn notifys_go_one_after_the_other_and_only_the_news() {
    let (mut tape, mut phone, _) = in_call();
    let refer = refer(&mut tape, &mut phone, TO_300);
    tape.act(|box_, now| box_.accept_refer(now, refer));
    tape.sends("202 REFER");
    let first = tape.sends("NOTIFY");
    for status in [
        StatusCode::RINGING,
        StatusCode::SESSION_PROGRESS,
        StatusCode::OK,
        StatusCode::RINGING,
    ] {
        tape.act(|box_, now| box_.notify_refer(now, refer, status));
    }
    tape.sends_nothing();
    tape.recv(phone.flow, &phone.answer(&first, "200 OK", "", ""));
    assert_eq!(tape.sends("NOTIFY").body(), "SIP/2.0 200 OK\r\n");
    tape.sends_nothing();
}

#[test]
fn a_phone_that_hangs_up_at_once_still_hears_the_outcome() {
    let (mut tape, mut phone, _) = in_call();
    let refer = refer(&mut tape, &mut phone, TO_300);
    tape.act(|box_, now| box_.accept_refer(now, refer));
    tape.sends("202 REFER");
    let first = tape.sends("NOTIFY");
    tape.recv(phone.flow, &phone.answer(&first, "200 OK", "", ""));
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    tape.event();
    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::BUSY_HERE));
    let outcome = tape.sends("NOTIFY");
    assert_eq!(outcome.body(), "SIP/2.0 486 Busy Here\r\n");
    tape.recv(phone.flow, &phone.answer(&outcome, "200 OK", "", ""));
    assert_eq!(tape.endpoint.counts().sessions, 0);
}

#[test]
fn a_transfer_that_is_refused() {
    let (mut tape, mut phone, _) = in_call();
    let refer = refer(&mut tape, &mut phone, TO_300);
    tape.act(|box_, now| box_.refuse_refer(now, refer, StatusCode::DECLINE));
    tape.sends("603 REFER");
    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::OK));
    tape.sends_nothing();
}

#[test]
fn without_subscription_there_is_no_notify() {
    let (mut tape, mut phone, _) = in_call();
    let lines = "Refer-To: <sip:300@192.0.2.1>\r\nRefer-Sub: false\r\nSupported: norefersub\r\n";
    let refer = refer(&mut tape, &mut phone, lines);
    tape.act(|box_, now| box_.accept_refer(now, refer));
    assert_eq!(tape.sends("202 REFER").header("Refer-Sub"), "false");
    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::OK));
    tape.sends_nothing();
}

#[test]
fn a_phone_that_refuses_a_notify_gets_no_more() {
    let (mut tape, mut phone, _) = in_call();
    let refer = refer(&mut tape, &mut phone, TO_300);
    tape.act(|box_, now| box_.accept_refer(now, refer));
    tape.sends("202 REFER");
    let first = tape.sends("NOTIFY");
    tape.recv(phone.flow, &phone.answer(&first, "481 Gone", "", ""));
    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::OK));
    tape.sends_nothing();
}

#[test]
fn a_transfer_nobody_speaks_of_is_forgotten() {
    let (mut tape, mut phone, _) = in_call();
    let refer = refer(&mut tape, &mut phone, TO_300);
    tape.act(|box_, now| box_.accept_refer(now, refer));
    tape.sends("202 REFER");
    let first = tape.sends("NOTIFY");
    tape.recv(phone.flow, &phone.answer(&first, "200 OK", "", ""));
    tape.at(299_999);
    tape.sends_nothing();
    tape.at(300_000);
    let last = tape.sends("NOTIFY");
    assert_eq!(
        last.header("Subscription-State"),
        "terminated;reason=timeout"
    );
    assert_eq!(last.body(), "SIP/2.0 408 Request Timeout\r\n");
    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::OK));
    tape.sends_nothing();
    tape.recv(phone.flow, &phone.answer(&last, "200 OK", "", ""));
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    tape.ends_clean();
}

#[test]
fn the_end_of_a_forgotten_transfer_waits_for_the_notify_before() {
    let (mut tape, mut phone, _) = in_call();
    let refer = refer(&mut tape, &mut phone, TO_300);
    tape.act(|box_, now| box_.accept_refer(now, refer));
    tape.sends("202 REFER");
    let first = tape.sends("NOTIFY");
    tape.recv(phone.flow, &phone.answer(&first, "200 OK", "", ""));
    tape.at(299_900);
    tape.act(|box_, now| box_.notify_refer(now, refer, StatusCode::RINGING));
    let ringing = tape.sends("NOTIFY");
    tape.at(300_100);
    tape.sends_nothing();
    tape.recv(phone.flow, &phone.answer(&ringing, "200 OK", "", ""));
    assert_eq!(
        tape.sends("NOTIFY").body(),
        "SIP/2.0 408 Request Timeout\r\n"
    );
}

#[test]
fn refer_needs_one_target_that_can_be_called() {
    let (mut tape, mut phone, _) = in_call();
    for (lines, status) in [
        ("", 400),
        ("Refer-To: <sip:a@x>\r\nRefer-To: <sip:b@x>\r\n", 400),
        ("Refer-To: <\r\n", 400),
        ("Refer-To: <sip:a@x?Replaces=nonsense>\r\n", 400),
        ("Refer-To: <sip:a@x;method=SUBSCRIBE>\r\n", 501),
        ("Refer-To: <http://example.org>\r\n", 416),
    ] {
        let request = phone.request("REFER", lines, "");
        tape.recv(phone.flow, &request);
        tape.sends(&format!("{status} REFER"));
        tape.no_event();
    }
}

#[test]
fn too_many_transfers_at_once_are_503() {
    let (mut tape, mut phone, _) = in_call();
    for _ in 0..4 {
        refer(&mut tape, &mut phone, TO_300);
    }
    let request = phone.request("REFER", TO_300, "");
    tape.recv(phone.flow, &request);
    assert!(!tape.sends("503 REFER").header("Retry-After").is_empty());
}

#[test]
fn an_attended_transfer_names_the_other_dialog() {
    let mut tape = Tape::new();
    let mut alice = Phone::new(ALICE, "100");
    let first = alice.in_call(&mut tape, "");
    let mut consult = Phone::new(ALICE, "100");
    consult.call_id = "second@phone".to_owned();
    consult.branch = 1000;
    let second = consult.in_call(&mut tape, "");
    let lines = format!(
        "Refer-To: <sip:200@192.0.2.1?Replaces=second%40phone%3Bto-tag%3D{}%3Bfrom-tag%3D{}>\r\n",
        consult.their_tag, consult.tag
    );
    let request = alice.request("REFER", &lines, "");
    tape.recv(alice.flow, &request);
    match tape.event() {
        Event::Referred {
            session,
            to,
            replaces,
            ..
        } => {
            assert_eq!(session, first);
            assert_eq!(to.to_string(), "sip:200@192.0.2.1");
            assert_eq!(tape.endpoint.find_dialog(&replaces.unwrap()), Some(second));
        }
        other => panic!("{other:?}"),
    }
}

fn replaces(call_id: &str, to_tag: &str, from_tag: &str) -> String {
    format!("Replaces: {call_id};to-tag={to_tag};from-tag={from_tag}\r\n")
}

/// Bob, registered nowhere, calls with a Replaces header.
fn bob_replaces(tape: &mut Tape, lines: &str) -> Phone {
    let mut bob = Phone::new(BOB, "200");
    bob.authenticated(tape, "INVITE", lines, SDP);
    bob
}

#[test]
fn an_invite_with_replaces_names_the_session() {
    let (mut tape, phone, session) = in_call();
    let lines = replaces("call-of-100", &phone.their_tag, &phone.tag);
    bob_replaces(&mut tape, &lines);
    match tape.event() {
        Event::Invited { invite, .. } => assert_eq!(invite.replaces, Some(session)),
        other => panic!("{other:?}"),
    }
    let value = Replaces {
        call_id: crate::message::CallId::new("call-of-100"),
        to_tag: phone.their_tag.clone(),
        from_tag: phone.tag,
        early_only: false,
    };
    assert_eq!(tape.endpoint.find_dialog(&value), Some(session));
}

#[track_caller]
fn replaces_is_refused(tape: &mut Tape, lines: &str, summary: &str) -> Sent {
    bob_replaces(tape, lines);
    let refusal = tape.sends(summary);
    tape.no_event();
    refusal
}

#[test]
fn replaces_of_no_dialog_is_481() {
    let (mut tape, phone, _) = in_call();
    let lines = replaces("call-of-100", &phone.their_tag, "other");
    replaces_is_refused(&mut tape, &lines, "481 INVITE");
    let (mut tape, phone, _) = in_call();
    let lines = replaces("other", &phone.their_tag, &phone.tag);
    replaces_is_refused(&mut tape, &lines, "481 INVITE");
}

#[test]
fn early_only_of_a_confirmed_dialog_is_486() {
    let (mut tape, phone, _) = in_call();
    let lines = replaces("call-of-100", &phone.their_tag, &phone.tag);
    let lines = lines.replace("\r\n", ";early-only\r\n");
    replaces_is_refused(&mut tape, &lines, "486 INVITE");
}

#[test]
fn two_replaces_are_400() {
    let (mut tape, phone, _) = in_call();
    let lines = replaces("call-of-100", &phone.their_tag, &phone.tag);
    replaces_is_refused(&mut tape, &format!("{lines}{lines}"), "400 INVITE");
    let (mut tape, phone, _) = in_call();
    let lines = replaces("call-of-100", &phone.their_tag, &phone.tag);
    let join = format!("{lines}Join: x;to-tag=1;from-tag=2\r\n");
    replaces_is_refused(&mut tape, &join, "400 INVITE");
}

#[test]
fn replaces_of_a_dialog_that_is_ending_is_603() {
    let (mut tape, phone, session) = in_call();
    tape.act(|box_, now| box_.end(now, session, None));
    tape.sends("BYE");
    let lines = replaces("call-of-100", &phone.their_tag, &phone.tag);
    replaces_is_refused(&mut tape, &lines, "603 INVITE");
}

#[test]
fn a_ringing_phones_call_may_be_picked_up() {
    let mut tape = Tape::new();
    let carol = Phone::new("192.0.2.30:5060", "300");
    let (session, invite) = carol.called(&mut tape, Some("offer"));
    tape.recv(carol.flow, &carol.answer(&invite, "180 Ringing", "", ""));
    tape.event();
    let lines = replaces(&invite.header("Call-ID"), &invite.tag("From"), "tag-of-300");
    let lines = lines.replace("\r\n", ";early-only\r\n");
    bob_replaces(&mut tape, &lines);
    assert!(
        matches!(tape.event(), Event::Invited { invite, .. } if invite.replaces == Some(session))
    );
}

#[test]
fn an_early_dialog_that_we_did_not_begin_is_481() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    let ringing = tape.sends("180 INVITE");
    let lines = replaces("call-of-100", &ringing.tag("To"), &phone.tag);
    replaces_is_refused(&mut tape, &lines, "481 INVITE");
}

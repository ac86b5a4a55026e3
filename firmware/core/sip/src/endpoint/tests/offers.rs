//! Offers in a call: RFC 3261 §14, RFC 3311, RFC 3665 §3.7, RFC 5407 §3.3.

use bytes::Bytes;

use super::phone::SDP;
use super::{ALICE, BOB, Phone, Tape};
use crate::endpoint::{EndReason, Event, SessionId};
use crate::message::StatusCode;

fn in_call(lines: &str) -> (Tape, Phone, SessionId) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, lines);
    (tape, phone, session)
}

fn offer(tape: &mut Tape, session: SessionId, sdp: &'static str) {
    tape.act(|box_, now| box_.offer(now, session, Bytes::from_static(sdp.as_bytes())));
}

fn answer(tape: &mut Tape, session: SessionId, sdp: &'static str) {
    tape.act(|box_, now| box_.answer(now, session, Bytes::from_static(sdp.as_bytes())));
}

#[track_caller]
fn offered(tape: &mut Tape) -> Option<Bytes> {
    match tape.event() {
        Event::Offered { sdp, .. } => sdp,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_phone_holds_and_resumes() {
    let (mut tape, mut phone, session) = in_call("");
    for sdp in ["hold", "resume"] {
        let reinvite = phone.request("INVITE", "", sdp);
        tape.recv(phone.flow, &reinvite);
        assert_eq!(offered(&mut tape).unwrap(), sdp);
        answer(&mut tape, session, "fine");
        let ok = tape.sends("200 INVITE");
        assert_eq!(ok.body(), "fine");
        let ack = phone.ack(phone.cseq, "");
        tape.recv(phone.flow, &ack);
        tape.no_event();
    }
    tape.after(10_000);
    tape.sends_nothing();
}

#[test]
fn our_offer_is_a_reinvite() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "new offer");
    let reinvite = tape.sends("INVITE");
    assert_eq!(reinvite.body(), "new offer");
    assert_eq!(reinvite.header("Contact"), "<sip:200@192.0.2.1:5060>");
    assert_eq!(reinvite.tag("To"), "tag-of-100");
    tape.recv(phone.flow, &phone.answer(&reinvite, "100 Trying", "", ""));
    tape.recv(
        phone.flow,
        &phone.answer(&reinvite, "200 OK", "", "new answer"),
    );
    let ack = tape.sends("ACK");
    assert_eq!(
        ack.header("CSeq").split(' ').next(),
        reinvite.header("CSeq").split(' ').next()
    );
    match tape.event() {
        Event::Answered { sdp, .. } => assert_eq!(sdp, "new answer"),
        other => panic!("{other:?}"),
    }
    tape.recv(
        phone.flow,
        &phone.answer(&reinvite, "200 OK", "", "new answer"),
    );
    assert_eq!(tape.sends("ACK").bytes, ack.bytes);
    tape.no_event();
}

#[test]
fn a_refused_offer_leaves_the_call() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "new offer");
    let reinvite = tape.sends("INVITE");
    tape.recv(
        phone.flow,
        &phone.answer(&reinvite, "488 Not Acceptable Here", "", ""),
    );
    tape.sends("ACK");
    assert!(matches!(
        tape.event(),
        Event::OfferRefused {
            status: StatusCode::NOT_ACCEPTABLE_HERE,
            ..
        }
    ));
    offer(&mut tape, session, "another");
    tape.sends("INVITE");
}

#[test]
fn we_refuse_an_offer() {
    let (mut tape, mut phone, session) = in_call("");
    let reinvite = phone.request("INVITE", "", "strange");
    tape.recv(phone.flow, &reinvite);
    offered(&mut tape);
    tape.act(|box_, now| box_.refuse_offer(now, session, StatusCode::NOT_ACCEPTABLE_HERE));
    let refusal = tape.sends("488 INVITE");
    let ack = phone.ack_refusal(&refusal);
    tape.recv(phone.flow, &ack);
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    tape.sends("200 INFO");
}

#[test]
fn a_reinvite_without_offer_asks_for_ours() {
    let (mut tape, mut phone, session) = in_call("");
    let reinvite = phone.request("INVITE", "", "");
    tape.recv(phone.flow, &reinvite);
    assert_eq!(offered(&mut tape), None);
    answer(&mut tape, session, "our offer");
    assert_eq!(tape.sends("200 INVITE").body(), "our offer");
    let ack = phone.ack(phone.cseq, "their answer");
    tape.recv(phone.flow, &ack);
    match tape.event() {
        Event::Answered { sdp, .. } => assert_eq!(sdp, "their answer"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_at_once_is_491_and_the_owner_of_the_call_id_waits_longer() {
    let (mut tape, mut phone, session) = in_call("");
    offer(&mut tape, session, "ours");
    let ours = tape.sends("INVITE");
    let theirs = phone.request("INVITE", "", "theirs");
    tape.recv(phone.flow, &theirs);
    let pending = tape.sends("491 INVITE");
    let ack = phone.ack_refusal(&pending);
    tape.recv(phone.flow, &ack);
    tape.no_event();
    let start = tape.now().as_millis();
    tape.recv(
        phone.flow,
        &phone.answer(&ours, "491 Request Pending", "", ""),
    );
    tape.sends("ACK");
    tape.no_event();
    // The phone made the Call-ID: we wait 0 to 2 s.
    tape.after(2000);
    let again = tape.sends("INVITE");
    assert!(again.at_ms <= start + 2000);
    assert_eq!(again.body(), "ours");
}

#[test]
fn the_owner_of_the_call_id_waits_2_to_4_s() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(BOB, "200");
    let (session, _, _) = phone.answered(&mut tape, "");
    offer(&mut tape, session, "ours");
    let ours = tape.sends("INVITE");
    tape.recv(
        phone.flow,
        &phone.answer(&ours, "491 Request Pending", "", ""),
    );
    tape.sends("ACK");
    tape.after(2099);
    tape.sends_nothing();
    tape.after(1901);
    let again = tape.sends("INVITE");
    assert!((2100..=4000).contains(&again.at_ms));
    assert_eq!(again.at_ms % 10, 0, "units of 10 ms");
}

#[test]
fn a_newer_offer_replaces_the_one_that_waits() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "old");
    let ours = tape.sends("INVITE");
    tape.recv(
        phone.flow,
        &phone.answer(&ours, "491 Request Pending", "", ""),
    );
    tape.sends("ACK");
    offer(&mut tape, session, "new");
    tape.sends_nothing();
    assert_eq!(tape.sends_in_time("INVITE").body(), "new");
    tape.sends_nothing();
}

#[test]
fn a_peer_that_always_says_491_is_believed_in_the_end() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "ours");
    for _ in 0..6 {
        let ours = tape.sends_in_time("INVITE");
        tape.recv(
            phone.flow,
            &phone.answer(&ours, "491 Request Pending", "", ""),
        );
        tape.sends("ACK");
    }
    assert!(matches!(
        tape.event(),
        Event::OfferRefused {
            status: StatusCode::REQUEST_PENDING,
            ..
        }
    ));
    tape.sends_nothing();
}

#[test]
fn a_second_offer_before_the_answer_is_500_with_a_time() {
    let (mut tape, mut phone, session) = in_call("");
    let first = phone.request("INVITE", "", "one");
    tape.recv(phone.flow, &first);
    offered(&mut tape);
    let second = phone.request("INVITE", "", "two");
    tape.recv(phone.flow, &second);
    let refusal = tape.sends("500 INVITE");
    assert!(refusal.header("Retry-After").parse::<u32>().unwrap() <= 10);
    let update = phone.request("UPDATE", "", "three");
    tape.recv(phone.flow, &update);
    assert!(!tape.sends("500 UPDATE").header("Retry-After").is_empty());
    answer(&mut tape, session, "fine");
    assert_eq!(tape.sends("200 INVITE").header("CSeq"), "3 INVITE");
}

#[test]
fn a_peer_that_says_500_with_a_time_is_asked_again_then() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "ours");
    let ours = tape.sends("INVITE");
    tape.recv(
        phone.flow,
        &phone.answer(&ours, "500 Busy", "Retry-After: 3\r\n", ""),
    );
    tape.sends("ACK");
    tape.after(2999);
    tape.sends_nothing();
    tape.after(1);
    tape.sends("INVITE");
    tape.no_event();
}

#[test]
fn our_offer_waits_for_the_ack() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    offer(&mut tape, session, "ours");
    tape.sends_nothing();
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    tape.event();
    assert_eq!(tape.sends("INVITE").body(), "ours");
}

#[test]
fn our_offer_waits_for_our_answer() {
    let (mut tape, mut phone, session) = in_call("");
    let reinvite = phone.request("INVITE", "", "theirs");
    tape.recv(phone.flow, &reinvite);
    offered(&mut tape);
    offer(&mut tape, session, "ours");
    tape.sends_nothing();
    answer(&mut tape, session, "fine");
    tape.sends("200 INVITE");
    tape.sends_nothing();
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    assert_eq!(tape.sends("INVITE").body(), "ours");
}

#[test]
fn a_reinvite_before_the_ack_is_491() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    let reinvite = phone.request("INVITE", "", "hold");
    tape.recv(phone.flow, &reinvite);
    tape.sends("491 INVITE");
    tape.no_event();
}

#[test]
fn a_reinvite_that_is_cancelled_is_487() {
    let (mut tape, mut phone, session) = in_call("");
    let reinvite = phone.request("INVITE", "", "theirs");
    tape.recv(phone.flow, &reinvite);
    offered(&mut tape);
    let mut cancel = phone.cancel("");
    cancel = cancel.replace(
        "To: <sip:200@192.0.2.1>",
        &format!("To: <sip:200@192.0.2.1>;tag={}", phone.their_tag),
    );
    tape.recv(phone.flow, &cancel);
    tape.sends("200 CANCEL");
    tape.sends("487 INVITE");
    // The exchange's answer comes too late, and the call goes on.
    answer(&mut tape, session, "fine");
    tape.sends_nothing();
    tape.no_event();
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    tape.sends("200 INFO");
}

#[test]
fn an_update_with_an_offer_is_answered() {
    let (mut tape, mut phone, session) = in_call("");
    let update = phone.request("UPDATE", "", "theirs");
    tape.recv(phone.flow, &update);
    assert_eq!(offered(&mut tape).unwrap(), "theirs");
    answer(&mut tape, session, "fine");
    let ok = tape.sends("200 UPDATE");
    assert_eq!(ok.body(), "fine");
    assert!(!ok.header("Contact").is_empty());
}

#[test]
fn an_update_that_meets_our_offer_is_491() {
    let (mut tape, mut phone, session) = in_call("");
    offer(&mut tape, session, "ours");
    tape.sends("INVITE");
    let update = phone.request("UPDATE", "", "theirs");
    tape.recv(phone.flow, &update);
    tape.sends("491 UPDATE");
    tape.no_event();
}

#[test]
fn an_update_without_offer_needs_nobody() {
    let (mut tape, mut phone, _) = in_call("");
    let update = phone.request("UPDATE", "Contact: <sip:100@192.0.2.99>\r\n", "");
    tape.recv(phone.flow, &update);
    tape.sends("200 UPDATE");
    tape.no_event();
}

#[test]
fn an_update_before_the_first_answer_is_500() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.ring(now, session, StatusCode::RINGING, None));
    let ringing = tape.sends("180 INVITE");
    phone.learn(&ringing);
    let update = phone.request("UPDATE", "", "theirs");
    tape.recv(phone.flow, &update);
    assert!(!tape.sends("500 UPDATE").header("Retry-After").is_empty());
    tape.no_event();
}

#[test]
fn an_offer_that_is_never_answered_by_the_exchange_is_forgotten() {
    let (mut tape, mut phone, session) = in_call("");
    let update = phone.request("UPDATE", "", "theirs");
    tape.recv(phone.flow, &update);
    offered(&mut tape);
    tape.after(40_000);
    assert_eq!(tape.sends("100 UPDATE").at_ms, 3500);
    answer(&mut tape, session, "too late");
    tape.sends_nothing();
    offer(&mut tape, session, "ours");
    tape.sends("INVITE");
}

#[test]
fn a_dialog_that_is_gone_ends_the_call() {
    for status in ["481 Call/Transaction Does Not Exist", "408 Request Timeout"] {
        let (mut tape, phone, session) = in_call("");
        offer(&mut tape, session, "ours");
        let ours = tape.sends("INVITE");
        tape.recv(phone.flow, &phone.answer(&ours, status, "", ""));
        tape.sends("ACK");
        assert!(matches!(
            tape.event(),
            Event::Ended {
                reason: EndReason::DialogGone,
                ..
            }
        ));
        let bye = tape.sends("BYE");
        tape.recv(phone.flow, &phone.answer(&bye, "481 Gone", "", ""));
        tape.ends_clean();
    }
}

#[test]
fn an_offer_without_any_answer_ends_the_call() {
    let (mut tape, _, session) = in_call("");
    offer(&mut tape, session, "ours");
    tape.at(32_000);
    assert!(matches!(tape.event(), Event::Unanswered { .. }));
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::DialogGone,
            ..
        }
    ));
    tape.ends_clean();
}

#[test]
fn a_new_contact_is_where_requests_go() {
    let (mut tape, mut phone, session) = in_call("");
    let reinvite = phone.request("INVITE", "Contact: <sip:100@192.0.2.77:7777>\r\n", "theirs");
    tape.recv(phone.flow, &reinvite);
    offered(&mut tape);
    answer(&mut tape, session, "fine");
    tape.sends("200 INVITE");
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    tape.act(|box_, now| box_.end(now, session, None));
    assert_eq!(
        tape.sends("BYE").request().uri.to_string(),
        "sip:100@192.0.2.77:7777"
    );
}

#[test]
fn a_phone_whose_nat_changed_is_followed() {
    let (mut tape, mut phone, session) = in_call("");
    phone.flow.remote = "192.0.2.10:40000".parse().unwrap();
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    assert_eq!(tape.sends("200 INFO").flow, phone.flow);
    tape.act(|box_, now| box_.end(now, session, None));
    assert_eq!(tape.sends("BYE").flow, phone.flow);
}

#[test]
fn bye_ends_an_open_offer() {
    let (mut tape, mut phone, session) = in_call("");
    let reinvite = phone.request("INVITE", "", "theirs");
    tape.recv(phone.flow, &reinvite);
    offered(&mut tape);
    let pending = phone.clone();
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    let terminated = tape.sends("487 INVITE");
    tape.recv(phone.flow, &pending.ack_refusal(&terminated));
    assert!(matches!(tape.event(), Event::Ended { .. }));
    answer(&mut tape, session, "too late");
    tape.sends_nothing();
    tape.ends_clean();
}

#[test]
fn a_2xx_without_answer_is_no_answer() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "ours");
    let ours = tape.sends("INVITE");
    tape.recv(phone.flow, &phone.answer(&ours, "200 OK", "", ""));
    tape.sends("ACK");
    assert!(matches!(tape.event(), Event::OfferRefused { .. }));
}

#[test]
fn a_peer_that_only_says_trying_is_given_up() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "ours");
    let ours = tape.sends("INVITE");
    tape.recv(phone.flow, &phone.answer(&ours, "100 Trying", "", ""));
    tape.at(179_999);
    tape.no_event();
    tape.at(180_000);
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::DialogGone,
            ..
        }
    ));
    tape.ends_clean();
}

#[test]
fn after_our_bye_a_reinvite_lasts_no_longer_than_any_request() {
    let (mut tape, phone, session) = in_call("");
    offer(&mut tape, session, "ours");
    let ours = tape.sends("INVITE");
    tape.recv(phone.flow, &phone.answer(&ours, "100 Trying", "", ""));
    tape.act(|box_, now| box_.end(now, session, None));
    tape.after(64_000);
    assert_eq!(tape.endpoint.counts(), super::Tape::new().endpoint.counts());
}

//! Race conditions: RFC 5407 §3, each where the box is one of the two.

use super::phone::SDP;
use super::{ALICE, BOB, Phone, Sent, Tape};
use crate::endpoint::{EndReason, Event, SessionId};
use crate::message::StatusCode;

/// The box has answered; the ACK is on its way, or lost.
fn moratorium() -> (Tape, Phone, SessionId, Sent) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    (tape, phone, session, ok)
}

/// The box has sent BYE.
fn mortal() -> (Tape, Phone, Sent) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    (tape, phone, bye)
}

#[test]
fn s3_1_1_the_invite_comes_again_after_the_200() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let first = phone.request("INVITE", "", SDP);
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 INVITE");
    let credentials = phone.credentials(&challenge, "INVITE", "x");
    let invite = phone.request("INVITE", &format!("Authorization: {credentials}\r\n"), SDP);
    tape.recv(phone.flow, &invite);
    let Event::Invited { session, .. } = tape.event() else {
        panic!()
    };
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    tape.sends("200 INVITE");
    tape.recv(phone.flow, &invite);
    tape.sends_nothing();
    tape.no_event();
}

#[test]
fn s3_1_2_a_cancel_crosses_the_200() {
    let (mut tape, mut phone, _, _) = moratorium();
    let cancel = phone.cancel("");
    tape.recv(phone.flow, &cancel);
    tape.sends("200 CANCEL");
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    assert!(matches!(tape.event(), Event::Acknowledged { .. }));
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
fn s3_1_3_an_early_bye_crosses_the_200() {
    let (mut tape, mut phone, _, _) = moratorium();
    let seq = phone.cseq;
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
    // The ACK for the 200 comes after all.
    let ack = phone.ack(seq, "");
    tape.recv(phone.flow, &ack);
    tape.after(40_000);
    tape.sends_nothing();
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn s3_1_4_a_reinvite_overtakes_the_ack() {
    let (mut tape, mut phone, _, ok) = moratorium();
    let seq = phone.cseq;
    let reinvite = phone.request("INVITE", "", "hold");
    tape.recv(phone.flow, &reinvite);
    let pending = tape.sends("491 INVITE");
    tape.recv(phone.flow, &phone.ack_refusal(&pending));
    tape.no_event();
    tape.after(500);
    assert_eq!(tape.sends("200 INVITE").bytes, ok.bytes);
    let ack = phone.ack(seq, "");
    tape.recv(phone.flow, &ack);
    assert!(matches!(tape.event(), Event::Acknowledged { .. }));
    let again = phone.request("INVITE", "", "hold");
    tape.recv(phone.flow, &again);
    assert!(matches!(tape.event(), Event::Offered { .. }));
}

#[test]
fn s3_1_5_a_bye_overtakes_the_ack() {
    let (mut tape, mut phone, _, _) = moratorium();
    let ack = phone.ack(phone.cseq, "");
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    assert!(matches!(tape.event(), Event::Ended { .. }));
    tape.recv(phone.flow, &ack);
    tape.after(40_000);
    tape.sends_nothing();
    tape.no_event();
}

#[test]
fn s3_2_1_both_hang_up() {
    let (mut tape, mut phone, ours) = mortal();
    let theirs = phone.request("BYE", "", "");
    tape.recv(phone.flow, &theirs);
    tape.sends("200 BYE");
    tape.recv(phone.flow, &phone.answer(&ours, "200 OK", "", ""));
    tape.no_event();
    assert_eq!(tape.endpoint.counts().sessions, 0);
    tape.ends_clean();
}

#[test]
fn s3_2_2_a_reinvite_crosses_our_bye() {
    let (mut tape, mut phone, ours) = mortal();
    let reinvite = phone.request("INVITE", "", "hold");
    tape.recv(phone.flow, &reinvite);
    let gone = tape.sends("481 INVITE");
    tape.recv(phone.flow, &phone.ack_refusal(&gone));
    tape.recv(phone.flow, &phone.answer(&ours, "200 OK", "", ""));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn s3_2_3_the_200_to_our_reinvite_crosses_our_bye() {
    for answered in [false, true] {
        let mut tape = Tape::new();
        let mut phone = Phone::new(ALICE, "100");
        let session = phone.in_call(&mut tape, "");
        tape.act(|box_, now| box_.offer(now, session, "ours".into()));
        let reinvite = tape.sends("INVITE");
        tape.act(|box_, now| box_.end(now, session, None));
        let bye = tape.sends("BYE");
        if answered {
            tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
        }
        tape.recv(phone.flow, &phone.answer(&reinvite, "200 OK", "", "theirs"));
        let ack = tape.sends("ACK");
        assert_eq!(
            ack.header("CSeq").split(' ').next(),
            reinvite.header("CSeq").split(' ').next()
        );
        tape.sends_nothing();
        tape.no_event();
        if !answered {
            tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
        }
        tape.ends_clean();
    }
}

#[test]
fn s3_2_4_the_ack_comes_after_our_wish_to_hang_up() {
    let (mut tape, mut phone, session, _) = moratorium();
    tape.act(|box_, now| box_.end(now, session, None));
    tape.sends_nothing();
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    let bye = tape.sends("BYE");
    tape.recv(phone.flow, &ack);
    tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn s3_2_4_without_ack_the_bye_goes_at_the_end_of_its_time() {
    let (mut tape, phone, session, _) = moratorium();
    tape.act(|box_, now| box_.end(now, session, None));
    tape.at(31_999);
    tape.sent.clear();
    tape.at(32_000);
    let bye = tape.sends("BYE");
    tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn s3_3_1_both_reinvite() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    tape.act(|box_, now| box_.offer(now, session, "ours".into()));
    let ours = tape.sends("INVITE");
    let theirs = phone.request("INVITE", "", "theirs");
    tape.recv(phone.flow, &theirs);
    let pending = tape.sends("491 INVITE");
    tape.recv(phone.flow, &phone.ack_refusal(&pending));
    tape.recv(
        phone.flow,
        &phone.answer(&ours, "491 Request Pending", "", ""),
    );
    tape.sends("ACK");
    // The phone is first this time.
    let theirs = phone.request("INVITE", "", "theirs");
    tape.recv(phone.flow, &theirs);
    let refused = tape.sent.pop_front();
    assert!(refused.is_none(), "{refused:?}");
    assert!(matches!(tape.event(), Event::Offered { .. }));
    tape.after(3000);
    tape.sent.clear();
    tape.act(|box_, now| box_.answer(now, session, "fine".into()));
    tape.sends("200 INVITE");
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    assert_eq!(tape.sends("INVITE").body(), "ours");
}

#[test]
fn s3_3_2_an_update_crosses_our_reinvite() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    tape.act(|box_, now| box_.offer(now, session, "ours".into()));
    let ours = tape.sends("INVITE");
    let update = phone.request("UPDATE", "", "theirs");
    tape.recv(phone.flow, &update);
    tape.sends("491 UPDATE");
    tape.recv(phone.flow, &phone.answer(&ours, "200 OK", "", "answer"));
    tape.sends("ACK");
    assert!(matches!(tape.event(), Event::Answered { .. }));
}

#[test]
fn s3_3_3_a_refer_crosses_our_bye() {
    let (mut tape, mut phone, ours) = mortal();
    let refer = phone.request("REFER", "Refer-To: <sip:300@192.0.2.1>\r\n", "");
    tape.recv(phone.flow, &refer);
    tape.sends("481 REFER");
    tape.recv(phone.flow, &phone.answer(&ours, "200 OK", "", ""));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn a_180_after_the_200_changes_nothing() {
    let mut tape = Tape::new();
    let phone = Phone::new(BOB, "200");
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", SDP));
    tape.sends("ACK");
    tape.event();
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", "", ""));
    tape.sends_nothing();
    tape.no_event();
}

#[test]
fn the_callees_bye_crosses_the_200_of_another_fork() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(BOB, "200");
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", "", ""));
    tape.event();
    phone.join(&invite);
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    tape.no_event();
    let mut other = Phone::new(BOB, "200");
    other.tag = "other".to_owned();
    tape.recv(phone.flow, &other.answer(&invite, "200 OK", "", SDP));
    tape.sends("ACK");
    assert!(matches!(tape.event(), Event::Accepted { .. }));
}

#[test]
fn what_the_exchange_says_too_late_is_passed_over() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", SDP);
    let cancel = phone.cancel("");
    tape.recv(phone.flow, &cancel);
    tape.sends("200 CANCEL");
    let terminated = tape.sends("487 INVITE");
    tape.recv(phone.flow, &phone.ack_refusal(&terminated));
    tape.event();
    tape.act(|box_, now| {
        box_.ring(now, session, StatusCode::RINGING, None);
        box_.accept(now, session, "answer".into());
        box_.offer(now, session, "offer".into());
        box_.answer(now, session, "answer".into());
        box_.refuse_offer(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
        box_.end(now, session, None);
    });
    tape.sends_nothing();
    tape.no_event();
    tape.ends_clean();
}

/// The phone lost the ACK, and took the next INVITE all the same.
#[test]
fn an_answer_of_before_the_last_invite_is_acknowledged_too() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(BOB, "200");
    let (session, first, _) = phone.answered(&mut tape, "");
    let ok = phone.answer(&first, "200 OK", "", SDP);
    tape.act(|box_, now| box_.offer(now, session, "offer".into()));
    let second = tape.sends("INVITE");
    tape.recv(phone.flow, &phone.answer(&second, "200 OK", "", SDP));
    assert_eq!(tape.sends("ACK").header("CSeq"), "2 ACK");
    tape.recv(phone.flow, &ok);
    let ack = tape.sends("ACK");
    assert_eq!(ack.header("CSeq"), "1 ACK");
    assert_eq!(ack.tag("To"), "tag-of-200");
    tape.recv(phone.flow, &phone.answer(&second, "200 OK", "", SDP));
    assert_eq!(tape.sends("ACK").header("CSeq"), "2 ACK");
}

#[test]
fn an_update_crosses_our_wish_to_hang_up() {
    let (mut tape, mut phone, session, _) = moratorium();
    let seq = phone.cseq;
    tape.act(|box_, now| box_.end(now, session, None));
    let update = phone.request("UPDATE", "", SDP);
    tape.recv(phone.flow, &update);
    tape.sends("481 UPDATE");
    let ack = phone.ack(seq, "");
    tape.recv(phone.flow, &ack);
    tape.sends("BYE");
    tape.no_event();
}

//! Session timers: RFC 4028, its table 2 and its §7 to §10.

use super::phone::SDP;
use super::{ALICE, BOB, Phone, Tape};
use crate::endpoint::{EndReason, Event, SessionId};

const CAN: &str = "Supported: timer\r\n";

fn incoming(lines: &str) -> (Tape, Phone, SessionId, super::Sent) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, lines, SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    tape.event();
    (tape, phone, session, ok)
}

#[test]
fn the_roles_by_what_the_caller_says() {
    // What the INVITE says; what the 200 says; whether it requires `timer`.
    for (asked, agreed, required) in [
        ("", "", ""),
        ("Supported: timer\r\n", "1800;refresher=uas", "timer"),
        (
            "Supported: timer\r\nSession-Expires: 900\r\n",
            "900;refresher=uac",
            "timer",
        ),
        (
            "Supported: timer\r\nSession-Expires: 900;refresher=uac\r\n",
            "900;refresher=uac",
            "timer",
        ),
        (
            "Supported: timer\r\nSession-Expires: 900;refresher=uas\r\n",
            "900;refresher=uas",
            "timer",
        ),
        // A proxy asks for it; the phone does not understand it.
        ("Session-Expires: 900\r\n", "900;refresher=uas", ""),
        // Longer than we want, but Min-SE wants it so.
        (
            "Supported: timer\r\nSession-Expires: 7200\r\n",
            "1800;refresher=uac",
            "timer",
        ),
        (
            "Supported: timer\r\nSession-Expires: 7200\r\nMin-SE: 3600\r\n",
            "3600;refresher=uac",
            "timer",
        ),
    ] {
        let (_, _, _, ok) = incoming(asked);
        assert_eq!(ok.header("Session-Expires"), agreed, "{asked}");
        assert_eq!(ok.header("Require"), required, "{asked}");
    }
}

#[test]
fn too_short_an_interval_is_422() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let lines = "Supported: timer\r\nSession-Expires: 60\r\n";
    phone.authenticated(&mut tape, "INVITE", lines, SDP);
    let refusal = tape.sends("422 INVITE");
    assert_eq!(refusal.header("Min-SE"), "90");
    tape.recv(phone.flow, &phone.ack_refusal(&refusal));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn we_refresh_by_update_after_half_of_the_time() {
    let lines =
        "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 900;refresher=uas\r\n";
    let (mut tape, phone, _, _) = incoming(lines);
    for round in 1..4 {
        tape.at(450_000 * round - 1);
        tape.sends_nothing();
        tape.at(450_000 * round);
        let update = tape.sends("UPDATE");
        assert_eq!(update.header("Session-Expires"), "900;refresher=uac");
        assert_eq!(update.body(), "");
        let lines = "Session-Expires: 900;refresher=uac\r\n";
        tape.recv(phone.flow, &phone.answer(&update, "200 OK", lines, ""));
        tape.no_event();
    }
}

#[test]
fn we_refresh_by_reinvite_where_the_phone_has_no_update() {
    let lines = "Supported: timer\r\nAllow: INVITE\r\nSession-Expires: 900;refresher=uas\r\n";
    let (mut tape, phone, _, _) = incoming(lines);
    tape.at(450_000);
    let reinvite = tape.sends("INVITE");
    assert_eq!(reinvite.body(), "answer", "what we said last");
    let lines = "Session-Expires: 900;refresher=uac\r\n";
    tape.recv(phone.flow, &phone.answer(&reinvite, "200 OK", lines, SDP));
    tape.sends("ACK");
    // It may answer otherwise than before.
    assert!(matches!(tape.event(), Event::AnsweredAnew { sdp, .. } if sdp == SDP));
    tape.no_event();
    tape.at(900_000);
    tape.sends("INVITE");
}

#[test]
fn a_phone_that_does_not_refresh_is_hung_up() {
    let (mut tape, phone, _, _) =
        incoming("Supported: timer\r\nSession-Expires: 900;refresher=uac\r\n");
    // RFC 4028 §10: the lesser of 32 s and a third before the end.
    tape.at(867_999);
    tape.sends_nothing();
    tape.at(868_000);
    let bye = tape.sends("BYE");
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::SessionExpired,
            ..
        }
    ));
    tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
    tape.ends_clean();
}

#[test]
fn the_phones_refresh_starts_the_time_anew() {
    let (mut tape, mut phone, session, _) =
        incoming("Supported: timer\r\nSession-Expires: 900;refresher=uac\r\n");
    tape.at(450_000);
    let lines = "Supported: timer\r\nSession-Expires: 900;refresher=uac\r\n";
    let update = phone.request("UPDATE", lines, "");
    tape.recv(phone.flow, &update);
    let ok = tape.sends("200 UPDATE");
    assert_eq!(ok.header("Session-Expires"), "900;refresher=uac");
    tape.at(900_000);
    tape.no_event();
    let reinvite = phone.request("INVITE", lines, SDP);
    tape.recv(phone.flow, &reinvite);
    tape.event();
    tape.act(|box_, now| box_.answer(now, session, "answer".into()));
    assert_eq!(
        tape.sends("200 INVITE").header("Session-Expires"),
        "900;refresher=uac"
    );
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    tape.at(900_000 + 867_999);
    tape.no_event();
    tape.at(900_000 + 868_000);
    assert!(matches!(tape.event(), Event::Ended { .. }));
}

#[test]
fn a_request_that_is_refused_changes_neither_timer_nor_target() {
    let (mut tape, mut phone, session, _) =
        incoming("Supported: timer\r\nSession-Expires: 900;refresher=uac\r\n");
    let lines = "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\nMin-SE: 1700\r\n\
                 Contact: <sip:elsewhere@192.0.2.99>\r\n";
    for method in ["INVITE", "UPDATE"] {
        let change = phone.request(method, lines, SDP);
        tape.recv(phone.flow, &change);
        assert!(matches!(tape.event(), Event::Offered { .. }));
        let status = crate::message::StatusCode::NOT_ACCEPTABLE_HERE;
        tape.act(|box_, now| box_.refuse_offer(now, session, status));
        let refusal = tape.sends(&format!("488 {method}"));
        if method == "INVITE" {
            tape.recv(phone.flow, &phone.ack_refusal(&refusal));
        }
    }
    tape.at(868_000);
    let bye = tape.sends("BYE").request();
    assert_eq!(bye.uri.to_string(), "sip:100@192.0.2.10:5060");
    // Accepted, the same counts.
    let (mut tape, mut phone, session, _) =
        incoming("Supported: timer\r\nSession-Expires: 900;refresher=uac\r\n");
    let change = phone.request("UPDATE", lines, SDP);
    tape.recv(phone.flow, &change);
    tape.event();
    tape.act(|box_, now| box_.answer(now, session, "answer".into()));
    let ok = tape.sends("200 UPDATE");
    assert_eq!(ok.header("Session-Expires"), "1800;refresher=uas");
    let refresh = tape.sends_in_time("INVITE");
    assert_eq!(refresh.at_ms, 900_000);
    assert_eq!(
        refresh.request().uri.to_string(),
        "sip:elsewhere@192.0.2.99"
    );
}

#[test]
fn no_interval_is_longer_than_a_day() {
    let most = u32::MAX;
    let (_, _, _, ok) = incoming(&format!(
        "Supported: timer\r\nSession-Expires: {most}\r\nMin-SE: {most}\r\n"
    ));
    assert_eq!(ok.header("Session-Expires"), "86400;refresher=uac");
    let (mut tape, _) = outgoing(&format!(
        "Allow: UPDATE\r\nSession-Expires: {most};refresher=uac\r\nRequire: timer\r\n"
    ));
    let update = tape.sends_in_time("UPDATE");
    assert_eq!(update.at_ms, 43_200_000);
    assert_eq!(update.header("Session-Expires"), "86400;refresher=uac");
}

#[test]
fn a_refresh_that_is_too_short_is_422() {
    let (mut tape, mut phone, _, _) =
        incoming("Supported: timer\r\nSession-Expires: 900;refresher=uac\r\n");
    let update = phone.request("UPDATE", "Supported: timer\r\nSession-Expires: 20\r\n", "");
    tape.recv(phone.flow, &update);
    assert_eq!(tape.sends("422 UPDATE").header("Min-SE"), "90");
}

fn outgoing(lines: &str) -> (Tape, Phone) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(BOB, "200");
    phone.answered(&mut tape, lines);
    (tape, phone)
}

#[test]
fn as_caller_we_refresh_where_the_callee_says_so() {
    let (mut tape, phone) =
        outgoing("Allow: UPDATE\r\nSession-Expires: 600;refresher=uac\r\nRequire: timer\r\n");
    tape.at(300_000);
    let update = tape.sends("UPDATE");
    assert_eq!(update.header("Session-Expires"), "600;refresher=uac");
    tape.recv(
        phone.flow,
        &phone.answer(
            &update,
            "200 OK",
            "Session-Expires: 600;refresher=uac\r\n",
            "",
        ),
    );
    tape.at(600_000);
    tape.sends("UPDATE");
}

#[test]
fn as_caller_we_hang_up_where_the_callee_forgets_to_refresh() {
    let (mut tape, _) = outgoing("Session-Expires: 90;refresher=uas\r\nRequire: timer\r\n");
    tape.at(59_999);
    tape.sends_nothing();
    tape.at(60_000);
    tape.sends("BYE");
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::SessionExpired,
            ..
        }
    ));
}

#[test]
fn a_callee_without_timers_lives_for_ever() {
    let (mut tape, _) = outgoing("");
    tape.at(100_000_000);
    tape.sends_nothing();
    tape.no_event();
}

#[test]
fn a_callee_that_wants_longer_intervals_gets_them() {
    let mut tape = Tape::new();
    let phone = Phone::new(BOB, "200");
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(
        phone.flow,
        &phone.answer(
            &invite,
            "422 Session Interval Too Small",
            "Min-SE: 3600\r\n",
            "",
        ),
    );
    tape.sends("ACK");
    tape.no_event();
    let again = tape.sends("INVITE");
    assert_eq!(again.header("Session-Expires"), "3600");
    assert_eq!(again.header("Min-SE"), "3600");
    assert_eq!(again.header("CSeq"), "2 INVITE");
    assert_eq!(again.header("Call-ID"), invite.header("Call-ID"));
    assert_eq!(again.body(), "offer");
    tape.recv(
        phone.flow,
        &phone.answer(
            &again,
            "200 OK",
            "Session-Expires: 3600;refresher=uac\r\n",
            SDP,
        ),
    );
    assert_eq!(tape.sends("ACK").header("CSeq"), "2 ACK");
    assert!(matches!(tape.event(), Event::Accepted { .. }));
}

#[test]
fn a_callee_that_is_never_content_is_given_up() {
    let mut tape = Tape::new();
    let phone = Phone::new(BOB, "200");
    let (_, mut invite) = phone.called(&mut tape, Some("offer"));
    for min_se in [2000, 3000] {
        let lines = format!("Min-SE: {min_se}\r\n");
        tape.recv(phone.flow, &phone.answer(&invite, "422 Small", &lines, ""));
        tape.sends("ACK");
        invite = tape.sends("INVITE");
    }
    tape.recv(
        phone.flow,
        &phone.answer(&invite, "422 Small", "Min-SE: 4000\r\n", ""),
    );
    tape.sends("ACK");
    assert!(matches!(tape.event(), Event::Refused { .. }));
    tape.ends_clean();
}

#[test]
fn a_refresh_that_meets_another_request_comes_later() {
    let lines =
        "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 900;refresher=uas\r\n";
    let (mut tape, mut phone, session, _) = incoming(lines);
    tape.at(449_000);
    let reinvite = phone.request("INVITE", CAN, SDP);
    tape.recv(phone.flow, &reinvite);
    tape.event();
    tape.at(460_000);
    tape.sent.clear();
    tape.act(|box_, now| {
        box_.refuse_offer(
            now,
            session,
            crate::message::StatusCode::NOT_ACCEPTABLE_HERE,
        );
    });
    let refusal = tape.sends("488 INVITE");
    tape.recv(phone.flow, &phone.ack_refusal(&refusal));
    tape.after(5000);
    tape.sends("UPDATE");
}

#[test]
fn a_refresh_that_finds_no_dialog_ends_the_call() {
    let lines =
        "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 900;refresher=uas\r\n";
    let (mut tape, phone, _, _) = incoming(lines);
    tape.at(450_000);
    let update = tape.sends("UPDATE");
    tape.recv(phone.flow, &phone.answer(&update, "481 Gone", "", ""));
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::DialogGone,
            ..
        }
    ));
    tape.sends("BYE");
}

#[test]
fn a_refresh_that_fails_is_tried_again_before_the_end() {
    let lines =
        "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 900;refresher=uas\r\n";
    let (mut tape, phone, _, _) = incoming(lines);
    for at_ms in [450_000, 482_000, 514_000] {
        let update = tape.sends_in_time("UPDATE");
        assert_eq!(update.at_ms, at_ms);
        tape.recv(phone.flow, &phone.answer(&update, "503 Busy", "", ""));
    }
    let update = tape.sends_in_time("UPDATE");
    let agreed = "Session-Expires: 900;refresher=uac\r\n";
    tape.recv(phone.flow, &phone.answer(&update, "200 OK", agreed, ""));
    assert_eq!(tape.sends_in_time("UPDATE").at_ms, 546_000 + 450_000);
    tape.no_event();
}

#[test]
fn a_session_that_is_never_refreshed_ends_in_time() {
    let lines = "Supported: timer\r\nAllow: INVITE\r\nSession-Expires: 90;refresher=uas\r\n";
    let (mut tape, phone, _, _) = incoming(lines);
    let mut tries = 0;
    loop {
        tape.after(500);
        let Some(sent) = tape.sent.pop_front() else {
            continue;
        };
        if sent.summary() == "BYE" {
            assert_eq!(sent.at_ms, 60_000);
            break;
        }
        assert_eq!(
            (sent.summary(), sent.body()),
            ("INVITE".into(), "answer".into())
        );
        tries += 1;
        tape.recv(phone.flow, &phone.answer(&sent, "488 No", "", ""));
        tape.sends("ACK");
    }
    assert!((3..=15).contains(&tries), "{tries}");
}

#[test]
fn glare_counts_anew_after_each_refresh() {
    let lines =
        "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 900;refresher=uas\r\n";
    let (mut tape, phone, _, _) = incoming(lines);
    for _ in 0..3 {
        for _ in 0..4 {
            let update = tape.sends_in_time("UPDATE");
            tape.recv(phone.flow, &phone.answer(&update, "491 Pending", "", ""));
            tape.after(2000);
        }
        let update = tape.sends("UPDATE");
        let agreed = "Session-Expires: 900;refresher=uac\r\n";
        tape.recv(phone.flow, &phone.answer(&update, "200 OK", agreed, ""));
        tape.no_event();
    }
}

#[test]
fn a_phone_that_only_says_it_has_update_is_refreshed_by_reinvite() {
    let lines =
        "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 900;refresher=uas\r\n";
    let (mut tape, phone, _, _) = incoming(lines);
    tape.at(450_000);
    let update = tape.sends("UPDATE");
    tape.recv(phone.flow, &phone.answer(&update, "405 No", "", ""));
    assert_eq!(tape.sends("INVITE").body(), "answer");
}

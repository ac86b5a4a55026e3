//! Who may speak in a dialog: RFC 3261 §22, and what was begun over TLS.

use model::{ExtensionId, Transport};

use super::phone::SDP;
use super::tape::{flow, stream};
use super::{ALICE, BOB, Phone, Tape};
use crate::endpoint::{AuthenticationFailure, EndReason, Event};

const ELSEWHERE: &str = "198.51.100.9:40000";

/// What could do harm in a dialog.
const METHODS: [(&str, &str, &str); 7] = [
    ("BYE", "", ""),
    ("INVITE", "", SDP),
    ("UPDATE", "", SDP),
    ("REFER", "Refer-To: <sip:300@192.0.2.1>\r\n", ""),
    ("INFO", "", ""),
    ("OPTIONS", "", ""),
    ("PRACK", "RAck: 1 1 INVITE\r\n", ""),
];

#[test]
fn a_stranger_who_knows_the_dialog_is_challenged_and_changes_nothing() {
    for called in [false, true] {
        let mut tape = Tape::new();
        let mut phone = Phone::new(if called { BOB } else { ALICE }, "200");
        let session = if called {
            phone.account = Some(ExtensionId::new(2));
            phone.answered(&mut tape, "").0
        } else {
            phone.in_call(&mut tape, "")
        };
        let before = tape.endpoint.counts();
        let mut stranger = phone.clone();
        stranger.flow = flow(ELSEWHERE);
        for (method, lines, body) in METHODS {
            let request = stranger.request(method, lines, body);
            tape.recv(stranger.flow, &request);
            let challenge = tape.sends(&format!("401 {method}"));
            // With another's credentials, and with wrong ones.
            let mut other = stranger.clone();
            other.user = "100".to_owned();
            let right = other.credentials(&challenge, method, "x");
            let lines = format!("{lines}Authorization: {right}\r\n");
            tape.recv(stranger.flow, &stranger.request(method, &lines, body));
            tape.sends(&format!("403 {method}"));
            let lines = lines.replace("username=\"100\"", "username=\"200\"");
            tape.recv(stranger.flow, &stranger.request(method, &lines, body));
            tape.sends(&format!("401 {method}"));
            let failures: Vec<_> = tape.events.drain(..).collect();
            assert!(
                matches!(
                    failures.as_slice(),
                    [
                        Event::AuthenticationFailed {
                            failure: AuthenticationFailure::NotAllowed,
                            ..
                        },
                        Event::AuthenticationFailed {
                            failure: AuthenticationFailure::WrongPassword,
                            ..
                        }
                    ]
                ),
                "{failures:?}"
            );
        }
        assert_eq!(tape.endpoint.counts(), before);
        // The phone itself goes on where it was, by its own numbers.
        let info = phone.request("INFO", "", "");
        tape.recv(phone.flow, &info);
        tape.sends("200 INFO");
        tape.act(|box_, now| box_.end(now, session, None));
        assert_eq!(tape.sends("BYE").flow, phone.flow);
    }
}

#[test]
fn a_phone_that_roams_proves_itself_and_its_call_follows() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    phone.flow = flow(ELSEWHERE);
    phone.authenticated(&mut tape, "INVITE", "", SDP);
    assert!(matches!(tape.event(), Event::Moved { flow, .. } if flow == phone.flow));
    assert!(matches!(tape.event(), Event::Offered { .. }));
    tape.act(|box_, now| box_.answer(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(ok.flow, phone.flow);
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    // It is known there now; where it was before it is not any more.
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    tape.sends("200 INFO");
    let old = phone.clone().request("BYE", "", "");
    tape.recv(flow(ALICE), &old);
    tape.sends("401 BYE");
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
fn our_contact_is_where_the_phone_reaches_us_now() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    let before = "<sip:200@192.0.2.1:5060>";
    phone.flow = stream(Transport::Tls, ELSEWHERE);
    phone.flow.local = "192.0.2.2:5061".parse().unwrap();
    phone.authenticated(&mut tape, "INVITE", "", SDP);
    assert!(matches!(tape.event(), Event::Moved { flow, .. } if flow == phone.flow));
    tape.event();
    tape.act(|box_, now| box_.answer(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(
        ok.header("Contact"),
        "<sip:200@192.0.2.2:5061;transport=tls>",
        "{before}"
    );
    tape.recv(phone.flow, &phone.ack(phone.cseq, ""));
    tape.act(|box_, now| box_.offer(now, session, "offer".into()));
    assert_eq!(tape.sends("INVITE").header("Contact"), ok.header("Contact"));
}

#[test]
fn what_was_begun_over_tls_is_served_over_tls_alone() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut tape = Tape::new();
        let mut phone = Phone::new(ALICE, "100");
        phone.flow = stream(Transport::Tls, ALICE);
        let session = phone.in_call(&mut tape, "");
        let before = tape.endpoint.counts();
        let mut plain = phone.clone();
        plain.flow = stream(transport, ALICE);
        for (method, lines, body) in METHODS {
            let request = plain.request(method, lines, body);
            tape.recv(plain.flow, &request);
            tape.sends(&format!("403 {method}"));
            tape.no_event();
        }
        let counts = tape.endpoint.counts();
        assert_eq!(
            (counts.sessions, counts.transactions),
            (before.sessions, before.transactions)
        );
        // Nor is an ACK believed, nor an answer to a request of ours.
        let reinvite = phone.request("INVITE", "", "");
        tape.recv(phone.flow, &reinvite);
        assert!(matches!(tape.event(), Event::Offered { sdp: None, .. }));
        tape.act(|box_, now| box_.answer(now, session, "offer".into()));
        tape.sends("200 INVITE");
        tape.recv(plain.flow, &phone.ack(phone.cseq, SDP));
        tape.no_event();
        tape.recv(phone.flow, &phone.ack(phone.cseq, SDP));
        assert!(matches!(tape.event(), Event::Answered { .. }));
        tape.act(|box_, now| box_.end(now, session, None));
        let bye = tape.sends("BYE");
        tape.recv(plain.flow, &phone.answer(&bye, "200 OK", "", ""));
        assert_eq!(tape.endpoint.counts().sessions, 1);
        tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
        assert_eq!(tape.endpoint.counts().sessions, 0);
    }
}

#[test]
fn a_call_over_tls_is_not_cancelled_in_the_clear() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    phone.flow = stream(Transport::Tls, ALICE);
    phone.invite(&mut tape, "", SDP);
    let cancel = phone.cancel("");
    tape.recv(flow(ALICE), &cancel);
    tape.sends("481 CANCEL");
    tape.no_event();
    tape.recv(phone.flow, &cancel);
    tape.sends("200 CANCEL");
    tape.sends("487 INVITE");
}

/// An ACK can't be challenged (RFC 3261 §22.1).
#[test]
fn an_ack_from_elsewhere_says_not_where_sound_goes() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", "");
    tape.act(|box_, now| box_.accept(now, session, "offer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    let stolen = phone.ack(phone.cseq, SDP);
    tape.recv(flow(ELSEWHERE), &stolen);
    tape.no_event();
    let ack = phone.ack(phone.cseq, SDP);
    tape.recv(phone.flow, &ack);
    assert!(matches!(
        tape.event(),
        Event::Acknowledged { sdp: Some(_), .. }
    ));
}

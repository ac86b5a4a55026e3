//! What every request has to pass: RFC 3261 §8.2, RFC 3581, RFC 5626 §3.5.1, and what leaves no state.

use super::phone::SDP;
use super::{ALICE, Phone, Tape};
use crate::endpoint::{Admission, Event, Urgent};
use crate::message::StatusCode;

fn alice() -> Phone {
    Phone::new(ALICE, "100")
}

#[track_caller]
fn refused(tape: &mut Tape, text: &str, summary: &str) -> super::Sent {
    tape.recv(alice().flow, text);
    let sent = tape.sends(summary);
    tape.no_event();
    assert_eq!(tape.endpoint.counts(), super::Tape::new().endpoint.counts());
    sent
}

#[test]
fn options_is_answered_for_anybody() {
    let mut tape = Tape::new();
    let options = alice().request("OPTIONS", "", "");
    let ok = refused(&mut tape, &options, "200 OPTIONS");
    assert!(ok.header("Allow").contains("UPDATE"));
    assert!(ok.header("Accept").contains("application/sdp"));
    assert!(ok.header("Supported").contains("100rel"));
    assert_eq!(ok.header("Server"), "Box");
}

#[test]
fn options_in_a_call_is_answered() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.in_call(&mut tape, "");
    let options = phone.request("OPTIONS", "", "");
    tape.recv(phone.flow, &options);
    assert!(tape.sends("200 OPTIONS").header("Allow").contains("REFER"));
}

#[test]
fn a_known_method_without_use_is_405() {
    let mut tape = Tape::new();
    for method in ["SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE"] {
        let request = alice().request(method, "", "");
        let refusal = refused(&mut tape, &request, &format!("405 {method}"));
        assert!(refusal.header("Allow").contains("INVITE"));
    }
}

#[test]
fn an_unknown_method_is_501() {
    let mut tape = Tape::new();
    let request = alice().request("JUGGLE", "", "");
    let refusal = refused(&mut tape, &request, "501 JUGGLE");
    assert!(refusal.header("Allow").contains("INVITE"));
}

#[test]
fn an_unknown_extension_is_420() {
    let mut tape = Tape::new();
    let request = alice().request(
        "INVITE",
        "Require: 100rel, nothingSupportsThis, timer\r\n",
        SDP,
    );
    let refusal = refused(&mut tape, &request, "420 INVITE");
    assert_eq!(refusal.header("Unsupported"), "nothingSupportsThis");
}

#[test]
fn a_strange_scheme_is_416() {
    let mut tape = Tape::new();
    for uri in ["tel:+1234", "nobodyKnowsThisScheme:totallyopaquecontent"] {
        let mut phone = alice();
        phone.target = uri.to_owned();
        let request = phone.request("INVITE", "", SDP);
        refused(&mut tape, &request, "416 INVITE");
    }
}

#[test]
fn no_hop_left_is_483_for_invite_and_no_matter_for_options() {
    let mut tape = Tape::new();
    let invite = alice()
        .request("INVITE", "", SDP)
        .replace("Max-Forwards: 70", "Max-Forwards: 0");
    refused(&mut tape, &invite, "483 INVITE");
    let options = alice()
        .request("OPTIONS", "", "")
        .replace("Max-Forwards: 70", "Max-Forwards: 0");
    refused(&mut tape, &options, "200 OPTIONS");
}

#[test]
fn an_invite_that_has_passed_us_is_482() {
    let mut tape = Tape::new();
    let (_, ours) = alice().called(&mut tape, Some("offer"));
    let via = format!("Via: {}\r\n", ours.header("Via"));
    let mut tape = Tape::new();
    let invite = alice().request("INVITE", &via, SDP);
    refused(&mut tape, &invite, "482 INVITE");
}

#[test]
fn another_body_than_sdp_is_415() {
    let mut tape = Tape::new();
    let invite = alice().request("INVITE", "Content-Type: text/plain\r\n", "hello");
    let refusal = refused(&mut tape, &invite, "415 INVITE");
    assert_eq!(refusal.header("Accept"), "application/sdp");
    let invite = alice().request("INVITE", "Content-Encoding: gzip\r\n", SDP);
    let refusal = refused(&mut tape, &invite, "415 INVITE");
    assert_eq!(refusal.header("Accept-Encoding"), "identity");
}

#[test]
fn a_body_that_may_be_ignored_is() {
    let mut tape = Tape::new();
    let lines = "Content-Type: text/plain\r\nContent-Disposition: icon;handling=optional\r\n";
    let (_, invite) = alice().invite(&mut tape, lines, "hello");
    assert_eq!(invite.sdp, None);
}

#[test]
fn another_version_is_505() {
    let mut tape = Tape::new();
    let options = alice()
        .request("OPTIONS", "", "")
        .replace("2.0\r\nVia", "7.0\r\nVia");
    refused(&mut tape, &options, "505 OPTIONS");
}

#[test]
fn a_message_beyond_the_limits_is_513() {
    let mut tape = Tape::new();
    let lines = format!("Subject: {}\r\n", "x".repeat(40_000));
    let options = alice().request("OPTIONS", &lines, "");
    refused(&mut tape, &options, "513 OPTIONS");
}

#[test]
fn a_request_without_its_essentials_is_400() {
    let mut tape = Tape::new();
    let invite = alice().request("INVITE", "", SDP);
    for (line, spoiled) in [
        ("CSeq: 1 INVITE", "CSeq: 1 OPTIONS"),
        ("CSeq: 1 INVITE", "CSeq: x INVITE"),
        ("Call-ID: call-of-100", "Call-ID: "),
        ("From: <sip:100@192.0.2.1>;tag=tag-of-100", "X-From: nobody"),
        ("Max-Forwards: 70", "Max-Forwards: 300"),
    ] {
        let spoiled = invite.replace(line, spoiled);
        tape.recv(alice().flow, &spoiled);
        let sent = tape.sent.pop_front().expect("an answer");
        assert_eq!(sent.response().status, StatusCode::BAD_REQUEST, "{spoiled}");
    }
    tape.no_event();
}

#[test]
fn what_is_no_sip_is_dropped() {
    let mut tape = Tape::new();
    let flow = alice().flow;
    for junk in [
        &b"\r\n\r\n"[..],
        b"\0\0",
        b"\r\n",
        b"",
        b"hello",
        b"\xff\xfe\xfd",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"ACK sip:x SIP/2.0\r\n\r\n",
        b"INVITE sip:x SIP/2.0\r\n\r\n",
    ] {
        tape.recv_bytes(flow, junk);
        tape.sends_nothing();
        tape.no_event();
    }
}

#[test]
fn the_via_says_where_a_request_came_from() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let options = phone.request("OPTIONS", "", "").replace(
        "Via: SIP/2.0/UDP 192.0.2.10:5060",
        "Via: SIP/2.0/UDP 10.0.0.1:5070",
    );
    phone.flow.remote = "198.51.100.7:1024".parse().unwrap();
    tape.recv(phone.flow, &options);
    let ok = tape.sends("200 OPTIONS");
    assert_eq!(
        ok.flow, phone.flow,
        "answers go where the request came from"
    );
    assert!(ok.header("Via").contains("received=198.51.100.7"));
    assert!(ok.header("Via").contains("rport=1024"));
    // Behind NAT the port of the Via leads nowhere, though the phone does not say so.
    let plain = options.replace(";rport", "").replace("-1;", "-2;");
    tape.recv(phone.flow, &plain);
    let ok = tape.sends("200 OPTIONS");
    assert!(!ok.header("Via").contains("rport"));
    assert_eq!(ok.flow, phone.flow);
}

#[test]
fn without_rport_answers_go_to_the_port_in_the_via() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.flow.remote = "192.0.2.10:49152".parse().unwrap();
    let mut number = 0;
    for (sent_by, port) in [
        ("192.0.2.10:5070", 5070),
        ("192.0.2.10", 5060),
        ("192.0.2.10:0", 49152),
        ("phone.example:5070", 49152),
        ("192.0.2.10:5070;rport", 49152),
    ] {
        for (method, answer) in [("OPTIONS", "200"), ("INVITE", "401"), ("PUBLISH", "405")] {
            number += 1;
            let via = format!("Via: SIP/2.0/UDP {sent_by};branch=z9hG4bK-v{number}\r\n");
            let request = phone.request(method, "", "");
            let (start, rest) = request.split_once("Via: ").unwrap();
            let (_, rest) = rest.split_once("\r\n").unwrap();
            for spoiled in ["", "Max-Forwards: 300\r\n", "CSeq: x"] {
                let rest = match spoiled {
                    "" => rest.to_owned(),
                    "CSeq: x" => rest.replace("CSeq: ", "CSeq: x"),
                    lines => rest.replace("Max-Forwards: 70\r\n", lines),
                };
                tape.recv(phone.flow, &format!("{start}{via}{rest}"));
                let sent = tape.sent.pop_front().expect("an answer");
                let expected = if spoiled.is_empty() { answer } else { "400" };
                assert_eq!(sent.response().status.to_string(), expected);
                assert_eq!(sent.flow.remote.port(), port, "{sent_by} {spoiled}");
            }
        }
    }
}

/// It sends from any port and listens on one, and neither knows of rport nor sits behind NAT.
#[test]
fn a_phone_that_sends_from_any_port_is_reached_where_it_listens() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let from = |port| super::tape::flow(&format!("192.0.2.10:{port}"));
    let here = phone.flow;
    let plain = |text: String| text.replace(";rport", "");
    phone.target = "sip:192.0.2.1".to_owned();
    let first = plain(phone.request("REGISTER", "", ""));
    tape.recv(from(40_000), &first);
    let challenge = tape.sends("401 REGISTER");
    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let lines = format!("Authorization: {credentials}\r\n");
    let again = plain(phone.request("REGISTER", &lines, ""));
    tape.recv(from(40_001), &again);
    let ok = tape.sends("200 REGISTER");
    // Once more, as it came: the transaction answers by the same way.
    tape.recv(from(40_002), &again);
    let repeated = tape.sends("200 REGISTER");
    for sent in [&challenge, &ok, &repeated] {
        assert_eq!(sent.flow, here);
    }
    let (_, target) = (tape.endpoint.reachable(model::ExtensionId::new(1)).next()).unwrap();
    assert_eq!(target.flow, here);

    // What a call of it sends again by itself goes there too, and so does the BYE.
    phone.target = "sip:200@192.0.2.1".to_owned();
    phone.call_id = "another".to_owned();
    let invite = plain(phone.request("INVITE", "", SDP));
    tape.recv(from(40_003), &invite);
    let challenge = tape.sends("401 INVITE");
    tape.recv(from(40_003), &plain(phone.ack_refusal(&challenge)));
    let credentials = phone.credentials(&challenge, "INVITE", "y");
    let lines = format!("Authorization: {credentials}\r\n");
    let invite = plain(phone.request("INVITE", &lines, SDP));
    tape.recv(from(40_004), &invite);
    let Event::Invited { session, .. } = tape.events.pop_back().unwrap() else {
        panic!("a call");
    };
    tape.after(200);
    assert_eq!(tape.sends("100 INVITE").flow, here);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    assert_eq!(ok.flow, here);
    tape.after(500);
    assert_eq!(tape.sends("200 INVITE").flow, here);
    phone.learn(&ok);
    let ack = plain(phone.ack(phone.cseq, ""));
    tape.recv(from(40_005), &ack);
    tape.act(|box_, now| box_.end(now, session, None));
    assert_eq!(tape.sends("BYE").flow, here);
}

#[test]
fn a_repeated_request_gets_a_repeated_answer_without_state() {
    let mut tape = Tape::new();
    let options = alice().request("OPTIONS", "", "");
    let first = refused(&mut tape, &options, "200 OPTIONS");
    let second = refused(&mut tape, &options, "200 OPTIONS");
    assert_eq!(first.bytes, second.bytes);
    let other = Phone::new(ALICE, "200").request("OPTIONS", "", "");
    let other = refused(&mut tape, &other, "200 OPTIONS");
    assert_ne!(first.tag("To"), other.tag("To"));
}

#[test]
fn a_call_without_credentials_leaves_no_state() {
    let mut tape = Tape::new();
    let invite = alice().request("INVITE", "", SDP);
    for _ in 0..100 {
        refused(&mut tape, &invite, "401 INVITE");
    }
    tape.after(60_000);
    tape.sends_nothing();
}

#[test]
fn refer_outside_of_a_dialog_is_forbidden() {
    let mut tape = Tape::new();
    alice().authenticated(&mut tape, "REFER", "Refer-To: <sip:300@192.0.2.1>\r\n", "");
    tape.sends("403 REFER");
    tape.no_event();
}

#[test]
fn the_same_call_on_two_ways_is_merged() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("INVITE", "", SDP);
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 INVITE");
    let line = |cnonce| {
        let credentials = phone.credentials(&challenge, "INVITE", cnonce);
        format!("Authorization: {credentials}\r\n")
    };
    let lines = line("a");
    let mut other_way = phone.clone();
    let again = phone.request("INVITE", &lines, SDP);
    tape.recv(phone.flow, &again);
    assert!(matches!(tape.event(), Event::Invited { .. }));
    // The other branch of a forking proxy: the same CSeq, another branch; its nonce count is the next.
    let second = tape_credentials(&mut tape, &mut other_way);
    tape.recv(phone.flow, &second);
    tape.sends("482 INVITE");
    tape.no_event();
    assert_eq!(tape.endpoint.counts().sessions, 1);
}

/// The phone's second INVITE with another branch and a nonce of its own.
fn tape_credentials(tape: &mut Tape, phone: &mut Phone) -> String {
    phone.branch += 100;
    let mut probe = phone.clone();
    probe.call_id = "probe".to_owned();
    let first = probe.request("INVITE", "", SDP);
    tape.recv(probe.flow, &first);
    let challenge = tape.sends("401 INVITE");
    let credentials = phone.credentials(&challenge, "INVITE", "b");
    phone.request("INVITE", &format!("Authorization: {credentials}\r\n"), SDP)
}

#[test]
fn a_client_of_rfc_2543_is_served() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.tag = String::new();
    let old = |text: &str| {
        text.replace("branch=z9hG4bK", "branch=")
            .replace(";tag=\r\n", "\r\n")
    };
    let first = old(&phone.request("INVITE", "", SDP));
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 INVITE");
    let credentials = phone.credentials(&challenge, "INVITE", "x");
    let invite = old(&phone.request("INVITE", &format!("Authorization: {credentials}\r\n"), SDP));
    tape.recv(phone.flow, &invite);
    let Event::Invited { session, .. } = tape.event() else {
        panic!()
    };
    tape.recv(phone.flow, &invite);
    tape.no_event();
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    phone.learn(&ok);
    // The ACK has the branch of its INVITE.
    let ack = old(&phone.ack(phone.cseq, "")).replace("branch=-100-3", "branch=-100-2");
    tape.recv(phone.flow, &ack);
    assert!(matches!(tape.event(), Event::Acknowledged { .. }));
    let bye = old(&phone.request("BYE", "", ""));
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
    assert!(matches!(tape.event(), Event::Ended { .. }));
}

/// What Retry-After says.
fn seconds(refusal: &super::Sent) -> u32 {
    refusal.header("Retry-After").parse().expect("seconds")
}

#[test]
fn refused_callers_come_back_at_different_times() {
    let mut tape = Tape::new();
    tape.act(|box_, _| box_.set_admission(Admission::RefuseCalls { retry_after_s: 5 }));
    let mut seen = std::collections::BTreeMap::new();
    for call in 0..800 {
        let mut caller = alice();
        caller.call_id = format!("call {call}").replace(' ', "-");
        let [.., a, b] = u32::to_be_bytes(call);
        caller.flow.remote.set_ip([10, 0, a, b].into());
        let invite = caller.request("INVITE", "", SDP);
        tape.recv(caller.flow, &invite);
        *seen.entry(seconds(&tape.sends("503 INVITE"))).or_insert(0) += 1;
    }
    assert_eq!(
        seen.keys().copied().collect::<Vec<_>>(),
        (3..=10).collect::<Vec<_>>()
    );
    assert!(
        seen.values().all(|count| (50..=150).contains(count)),
        "{seen:?}"
    );
}

#[test]
fn a_body_where_none_belongs_is_413() {
    let mut tape = Tape::new();
    let text = "Content-Type: text/plain\r\n";
    for method in ["REGISTER", "OPTIONS", "BYE", "REFER"] {
        let request = alice().request(method, text, &"x".repeat(4097));
        refused(&mut tape, &request, &format!("413 {method}"));
    }
    let request = alice().request("OPTIONS", text, &"x".repeat(4096));
    refused(&mut tape, &request, "200 OPTIONS");
    let request = alice().request("INVITE", "", &"x".repeat(4097));
    refused(&mut tape, &request, "401 INVITE");
}

#[test]
fn what_is_too_long_to_be_kept_is_513() {
    let mut tape = Tape::new();
    let many: String = (0..33).map(|n| format!(";p{n}")).collect();
    let long = "x".repeat(600);
    for (name, lines) in [
        ("Contact", format!("Contact: <sip:{long}@192.0.2.10>\r\n")),
        (
            "Contact",
            format!("Contact: <sip:100@192.0.2.10{many}>\r\n"),
        ),
        (
            "Contact",
            format!("Contact: <sip:100@192.0.2.10>;+sip.instance=\"<{long}>\"\r\n"),
        ),
        (
            "Path",
            format!("Path: <sip:short.example;lr>, <sip:192.0.2.10;lr;x={long}>\r\n"),
        ),
        (
            "Record-Route",
            format!("Record-Route: <sip:192.0.2.10;lr;x={long}>\r\n"),
        ),
    ] {
        for method in ["REGISTER", "INVITE"] {
            let request = alice().request(method, &lines, "");
            let refusal = refused(&mut tape, &request, &format!("513 {method}"));
            assert!(
                refusal
                    .header("Warning")
                    .contains(&format!("{name} is too long"))
            );
        }
    }
    for (name, from, to) in [
        ("Call-ID", "call-of-100", long.as_str()),
        ("From", "tag-of-100", long.as_str()),
    ] {
        let request = alice().request("INVITE", "", SDP).replace(from, to);
        let refusal = refused(&mut tape, &request, "513 INVITE");
        assert!(
            refusal
                .header("Warning")
                .contains(&format!("{name} is too long"))
        );
    }
    let token = "x".repeat(400);
    let push = format!("Contact: <sip:100@192.0.2.10;pn-prid={token}>;methods=\"{token}\"\r\n");
    let request = alice().request("REGISTER", &push, "");
    refused(&mut tape, &request, "401 REGISTER");
}

#[test]
fn a_contact_too_long_in_an_answer_is_passed_over() {
    let mut tape = Tape::new();
    let mut bob = Phone::new(super::BOB, "200");
    let (session, invite) = bob.called(&mut tape, Some("offer"));
    let long = format!("<sip:200@192.0.2.20;x={}>", "x".repeat(600));
    let ok = bob
        .answer(&invite, "200 OK", "", SDP)
        .replace("<sip:200@192.0.2.20:5060>\r\n", &format!("{long}\r\n"));
    assert!(ok.contains(&format!("Contact: {long}")));
    tape.recv(bob.flow, &ok);
    assert_eq!(
        tape.sends("ACK").request().uri.to_string(),
        "sip:200@192.0.2.20:5060"
    );
    bob.join(&invite);
    tape.act(|box_, now| box_.end(now, session, None));
    tape.sends("BYE");
}

#[test]
fn overload_refuses_calls_without_state() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.in_call(&mut tape, "");
    let before = tape.endpoint.counts();
    tape.act(|box_, _| box_.set_admission(Admission::RefuseCalls { retry_after_s: 7 }));
    let mut caller = alice();
    caller.call_id = "another".to_owned();
    let invite = caller.request("INVITE", "", SDP);
    tape.recv(caller.flow, &invite);
    let refusal = tape.sends("503 INVITE");
    assert!((4..=14).contains(&seconds(&refusal)), "7, spread");
    tape.recv(caller.flow, &invite);
    assert_eq!(tape.sends("503 INVITE").bytes, refusal.bytes);
    let ack = caller.ack_refusal(&refusal);
    tape.recv(caller.flow, &ack);
    assert_eq!(tape.endpoint.counts(), before);
    assert_eq!(tape.endpoint.refusals(), 2);
    // What is under way goes on, and phones may register.
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    tape.sends("200 INFO");
    let register = alice().request("REGISTER", "", "");
    tape.recv(caller.flow, &register);
    tape.sends("401 REGISTER");
    tape.act(|box_, _| box_.set_admission(Admission::RefuseAll { retry_after_s: 8 }));
    tape.recv(caller.flow, &register);
    assert!((4..=16).contains(&seconds(&tape.sends("503 REGISTER"))));
    tape.act(|box_, _| box_.set_admission(Admission::Open));
    tape.recv(caller.flow, &invite);
    tape.sends("401 INVITE");
}

#[test]
fn an_urgent_call_passes_every_limit() {
    let mut tape = Tape::new();
    tape.act(|box_, _| {
        box_.set_urgent(Urgent {
            numbers: ["112".to_owned()].into(),
            direct: true,
            prefixes: ["9".to_owned()].into(),
        });
        box_.set_admission(Admission::RefuseAll { retry_after_s: 8 });
    });
    let call = |number: &str| {
        let mut caller = alice();
        caller.call_id = format!("to-{number}");
        caller
            .request("INVITE", "", SDP)
            .replacen("sip:200@", &format!("sip:{number}@"), 1)
    };
    for number in ["112", "9112", "%31%31%32"] {
        tape.recv(alice().flow, &call(number));
        tape.sends("401 INVITE");
    }
    for number in ["1", "8112", "1120", "9"] {
        tape.recv(alice().flow, &call(number));
        tape.sends("503 INVITE");
    }
}

#[test]
fn a_malformed_message_does_not_disturb_a_call() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.in_call(&mut tape, "");
    let before = tape.endpoint.counts();
    let bye = phone.clone().request("BYE", "", "");
    for end in 1..bye.len() - 1 {
        tape.recv(phone.flow, &bye[..end]);
    }
    tape.no_event();
    assert_eq!(tape.endpoint.counts(), before);
}

#[test]
fn a_full_endpoint_refuses_calls_of_those_who_are_known() {
    let mut config = super::tape::config();
    config.sessions = 2;
    let mut tape = Tape::with(config);
    let mut phones = Vec::new();
    for call in ["one", "two"] {
        let mut phone = alice();
        phone.call_id = call.to_owned();
        phone.tag = call.to_owned();
        phone.branch = 100 * u32::try_from(call.len() + phones.len()).unwrap();
        phone.in_call(&mut tape, "");
        phones.push(phone);
    }
    let before = tape.endpoint.counts();
    let mut third = alice();
    third.branch = 1000;
    third.authenticated(&mut tape, "INVITE", "", SDP);
    assert!((6..=20).contains(&seconds(&tape.sends("503 INVITE"))));
    tape.no_event();
    assert_eq!(tape.endpoint.counts(), before);
    assert_eq!(tape.endpoint.refusals(), 1);
    // Nobody else can tell, and phones may register.
    third.password = "wrong".to_owned();
    third.authenticated(&mut tape, "INVITE", "", SDP);
    tape.sends("401 INVITE");
    alice().authenticated(&mut tape, "REGISTER", "", "");
    tape.sends("200 REGISTER");
    let bye = phones[0].request("BYE", "", "");
    tape.recv(phones[0].flow, &bye);
    tape.sends("200 BYE");
    tape.events.clear();
    alice().invite(&mut tape, "", SDP);
}

#[test]
fn beyond_the_transactions_calls_under_way_come_first() {
    let mut config = super::tape::config();
    config.server_transactions = 2;
    let mut tape = Tape::with(config);
    let mut phone = alice();
    phone.in_call(&mut tape, "");
    let mut registering = alice();
    registering.call_id = "registers".to_owned();
    registering.branch = 100;
    registering.authenticated(&mut tape, "REGISTER", "", "");
    tape.sends("200 REGISTER");
    registering.authenticated(&mut tape, "REGISTER", "", "");
    assert!((6..=20).contains(&seconds(&tape.sends("503 REGISTER"))));
    for answer in ["200 OPTIONS", "200 OPTIONS", "503 OPTIONS"] {
        let options = phone.request("OPTIONS", "", "");
        tape.recv(phone.flow, &options);
        tape.sends(answer);
    }
    // They are over in half a minute.
    tape.after(33_000);
    let bye = phone.request("BYE", "", "");
    tape.recv(phone.flow, &bye);
    tape.sends("200 BYE");
}

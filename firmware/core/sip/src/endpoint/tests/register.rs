//! REGISTER: RFC 3665 §2, and RFC 3261 §10.3 clause by clause.

use model::{ExtensionId, Transport};

use super::tape::stream;
use super::{ALICE, Phone, Sent, Tape};
use crate::endpoint::{AuthenticationFailure, BindingChange, Event, Input};

const ALICE_ID: ExtensionId = ExtensionId::new(1);

pub(super) fn alice() -> Phone {
    let mut phone = Phone::new(ALICE, "100");
    phone.target = "sip:192.0.2.1".to_owned();
    phone
}

fn alice_on(transport: Transport) -> Phone {
    let mut phone = alice();
    phone.flow = stream(transport, ALICE);
    phone
}

#[track_caller]
pub(super) fn binding(tape: &mut Tape, expected: BindingChange) -> crate::endpoint::Binding {
    match tape.event() {
        Event::Binding { change, binding } => {
            assert_eq!(change, expected);
            *binding
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn registered(tape: &mut Tape, phone: &mut Phone, lines: &str) -> Sent {
    phone.authenticated(tape, "REGISTER", lines, "");
    tape.sends("200 REGISTER")
}

#[test]
fn a_phone_registers_by_digest() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("REGISTER", "Expires: 600\r\n", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    let offers = challenge.header("WWW-Authenticate");
    let (sha, md5) = (offers.find("SHA-256").unwrap(), offers.find("MD5").unwrap());
    assert!(sha < md5, "the stronger one first: {offers}");
    assert!(offers.contains("realm=\"box.example\""));
    tape.no_event();

    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let lines = format!("Expires: 600\r\nAuthorization: {credentials}\r\n");
    let again = phone.request("REGISTER", &lines, "");
    tape.recv(phone.flow, &again);
    let ok = tape.sends("200 REGISTER");
    assert_eq!(
        ok.header("Contact"),
        "<sip:100@192.0.2.10:5060>;expires=600"
    );
    assert!(!ok.tag("To").is_empty());
    let bound = binding(&mut tape, BindingChange::Added);
    assert_eq!((bound.extension, bound.flow), (ALICE_ID, phone.flow));
    assert_eq!(tape.endpoint.bindings(ALICE_ID), [bound]);
}

#[test]
fn the_event_comes_before_the_answer() {
    use crate::endpoint::{Input, Output};
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let again = phone.request("REGISTER", &format!("Authorization: {credentials}\r\n"), "");
    let input = Input::Datagram {
        flow: phone.flow,
        bytes: again.into_bytes().into(),
    };
    tape.endpoint.handle_input(tape.now(), input);
    assert!(matches!(
        tape.endpoint.poll_output(),
        Some(Output::Event(Event::Binding { .. }))
    ));
    assert!(matches!(
        tape.endpoint.poll_output(),
        Some(Output::Transmit { .. })
    ));
}

#[test]
fn a_retransmitted_register_gets_the_same_answer_and_no_event() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let again = phone.request("REGISTER", &format!("Authorization: {credentials}\r\n"), "");
    tape.recv(phone.flow, &again);
    let ok = tape.sends("200 REGISTER");
    binding(&mut tape, BindingChange::Added);
    tape.after(500);
    tape.recv(phone.flow, &again);
    assert_eq!(tape.sends("200 REGISTER").bytes, ok.bytes);
    tape.no_event();
}

#[test]
fn a_refresh_is_told_as_one() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(&mut tape, &mut phone, "");
    binding(&mut tape, BindingChange::Added);
    tape.after(1000);
    registered(&mut tape, &mut phone, "Expires: 7200\r\n");
    let bound = binding(&mut tape, BindingChange::Refreshed);
    assert_eq!(bound.expires.as_millis(), 7_201_000);
    assert_eq!(tape.endpoint.counts().bindings, 1);
}

#[test]
fn a_binding_ends_when_its_time_is_over() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(&mut tape, &mut phone, "Expires: 100\r\n");
    binding(&mut tape, BindingChange::Added);
    tape.at(99_999);
    tape.no_event();
    tape.at(100_000);
    binding(&mut tape, BindingChange::Expired);
    assert!(tape.endpoint.bindings(ALICE_ID).is_empty());
    tape.ends_clean();
}

#[test]
fn expires_of_the_contact_outranks_the_header_and_both_the_default() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let ok = registered(&mut tape, &mut phone, "");
    assert!(ok.header("Contact").ends_with("expires=3600"));
    let ok = registered(&mut tape, &mut phone, "Expires: 500\r\n");
    assert!(ok.header("Contact").ends_with("expires=500"));
    let both = "Contact: <sip:100@192.0.2.10:5060>;expires=400\r\nExpires: 500\r\n";
    let ok = registered(&mut tape, &mut phone, both);
    assert!(ok.header("Contact").ends_with("expires=400"));
    let ok = registered(&mut tape, &mut phone, "Expires: 99999999999\r\n");
    assert!(ok.header("Contact").ends_with("expires=7200"));
}

#[test]
fn too_short_a_time_is_423_with_the_least() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.authenticated(&mut tape, "REGISTER", "Expires: 30\r\n", "");
    let refusal = tape.sends("423 REGISTER");
    assert_eq!(refusal.header("Min-Expires"), "60");
    tape.no_event();
}

#[test]
fn expires_zero_takes_one_contact_away() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(
        &mut tape,
        &mut phone,
        "Contact: <sip:a@192.0.2.10>, <sip:b@192.0.2.10>\r\n",
    );
    binding(&mut tape, BindingChange::Added);
    binding(&mut tape, BindingChange::Added);
    let ok = registered(
        &mut tape,
        &mut phone,
        "Contact: <sip:a@192.0.2.10>;expires=0\r\n",
    );
    let gone = binding(&mut tape, BindingChange::Removed);
    assert_eq!(gone.contact.to_string(), "sip:a@192.0.2.10");
    assert_eq!(ok.header("Contact"), "<sip:b@192.0.2.10>;expires=3600");
}

#[test]
fn a_star_takes_all_away_and_wants_expires_zero() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(
        &mut tape,
        &mut phone,
        "Contact: <sip:a@192.0.2.10>, <sip:b@192.0.2.10>\r\n",
    );
    tape.events.clear();
    phone.authenticated(&mut tape, "REGISTER", "Contact: *\r\n", "");
    tape.sends("400 REGISTER");
    tape.no_event();
    let ok = registered(&mut tape, &mut phone, "Contact: *\r\nExpires: 0\r\n");
    assert_eq!(ok.header("Contact"), "");
    binding(&mut tape, BindingChange::Removed);
    binding(&mut tape, BindingChange::Removed);
    tape.ends_clean();
}

#[test]
fn a_register_without_contact_asks_only() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(&mut tape, &mut phone, "");
    tape.events.clear();
    // A Contact line of another name keeps the helper from adding one.
    let ok = registered(&mut tape, &mut phone, "Reject-Contact: *;video\r\n");
    assert_eq!(
        ok.header("Contact"),
        "<sip:100@192.0.2.10:5060>;expires=3600"
    );
    tape.no_event();
}

#[test]
fn an_older_register_of_the_same_call_id_is_500() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.cseq = 10;
    registered(&mut tape, &mut phone, "");
    tape.events.clear();
    phone.cseq = 5;
    phone.authenticated(&mut tape, "REGISTER", "", "");
    tape.sends("500 REGISTER");
    tape.no_event();
    // A phone that has restarted has a new Call-ID, and may count anew.
    phone.call_id = "another".to_owned();
    phone.cseq = 0;
    registered(&mut tape, &mut phone, "");
    binding(&mut tape, BindingChange::Refreshed);
}

#[test]
fn the_eleventh_contact_pushes_the_oldest_out() {
    let mut tape = Tape::new();
    let mut phone = alice();
    for n in 0..10 {
        tape.after(10);
        registered(
            &mut tape,
            &mut phone,
            &format!("Contact: <sip:c{n}@192.0.2.10>\r\n"),
        );
        binding(&mut tape, BindingChange::Added);
    }
    tape.after(10);
    registered(&mut tape, &mut phone, "Contact: <sip:c10@192.0.2.10>\r\n");
    let gone = binding(&mut tape, BindingChange::Removed);
    assert_eq!(gone.contact.to_string(), "sip:c0@192.0.2.10");
    binding(&mut tape, BindingChange::Added);
    assert_eq!(tape.endpoint.counts().bindings, 10);
}

#[test]
fn contacts_stand_in_order_of_q() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let lines = "Contact: <sip:low@192.0.2.10>;q=0.2, <sip:high@192.0.2.10>;q=0.9, <sip:none@192.0.2.10>\r\n";
    let ok = registered(&mut tape, &mut phone, lines);
    let users: Vec<String> = tape
        .endpoint
        .bindings(ALICE_ID)
        .iter()
        .map(|binding| binding.contact.user().unwrap())
        .collect();
    assert_eq!(users, ["none", "high", "low"]);
    assert!(ok.header("Contact").contains("q=0.900"));
}

#[test]
fn an_instance_replaces_its_old_contact() {
    let mut tape = Tape::new();
    let mut phone = alice_on(Transport::Tcp);
    let contact = |port: u16, reg_id: u32| {
        format!(
            "Supported: path, outbound\r\nContact: <sip:100@192.0.2.10:{port}>;reg-id={reg_id};\
             +sip.instance=\"<urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128>\"\r\n"
        )
    };
    let ok = registered(&mut tape, &mut phone, &contact(1000, 1));
    binding(&mut tape, BindingChange::Added);
    assert_eq!(ok.header("Require"), "outbound");
    assert!(ok.header("Contact").contains("reg-id=1"));
    assert!(
        ok.header("Contact")
            .contains("+sip.instance=\"<urn:uuid:0c67446e")
    );
    registered(&mut tape, &mut phone, &contact(2000, 1));
    let gone = binding(&mut tape, BindingChange::Removed);
    assert_eq!(gone.contact.port(), Some(1000));
    let bound = binding(&mut tape, BindingChange::Added);
    assert_eq!(bound.contact.port(), Some(2000));
    registered(&mut tape, &mut phone, &contact(3000, 2));
    binding(&mut tape, BindingChange::Added);
    assert_eq!(tape.endpoint.counts().bindings, 2);
}

/// RFC 5626 §6 wants both, and a way that shows when it is gone (§3.5.2).
#[test]
fn without_a_connection_or_an_instance_a_contact_is_no_outbound_one() {
    for (transport, instance) in [
        (Transport::Udp, ";+sip.instance=\"<urn:uuid:1>\""),
        (Transport::Tls, ""),
    ] {
        let mut tape = Tape::new();
        let mut phone = alice_on(transport);
        let lines = |port: u16| {
            format!(
                "Supported: outbound\r\n\
                 Contact: <sip:100@192.0.2.10:{port}>;reg-id=1{instance}\r\n"
            )
        };
        let ok = registered(&mut tape, &mut phone, &lines(1000));
        assert_eq!(ok.header("Require"), "");
        assert!(!ok.header("Contact").contains("reg-id"));
        let ok = registered(&mut tape, &mut phone, &lines(2000));
        assert_eq!(ok.header("Require"), "");
        assert!(!ok.header("Contact").contains("reg-id"));
        // It is known again by its instance all the same.
        let contacts = if instance.is_empty() { 2 } else { 1 };
        assert_eq!(tape.endpoint.counts().bindings, contacts);
        tape.input(Input::StreamClosed { flow: phone.flow });
        assert_eq!(tape.endpoint.counts().bindings, contacts);
    }
}

#[test]
fn a_phone_that_roams_by_datagrams_leaves_no_contact_behind() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let mut port = 1000;
    for (reg_id, contacts) in [(1, 1), (1, 1), (2, 2), (1, 2)] {
        port += 1;
        let lines = format!(
            "Contact: <sip:100@192.0.2.10:{port}>;reg-id={reg_id};\
             +sip.instance=\"<urn:uuid:1>\"\r\n"
        );
        registered(&mut tape, &mut phone, &lines);
        assert_eq!(tape.endpoint.counts().bindings, contacts);
        let bindings = tape.endpoint.bindings(ALICE_ID).iter();
        let newest = bindings.filter(|binding| binding.contact.port() == Some(port));
        assert_eq!(newest.count(), 1);
    }
}

/// RFC 5626 §6: it says how this registration was taken, not another of the extension.
#[test]
fn outbound_is_required_of_the_phone_that_registers_by_it_alone() {
    let mut tape = Tape::new();
    let mut phone = alice_on(Transport::Tls);
    let lines = "Supported: outbound\r\n\
                 Contact: <sip:100@192.0.2.10>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n";
    let ok = registered(&mut tape, &mut phone, lines);
    assert_eq!(ok.header("Require"), "outbound");
    let mut other = alice();
    other.call_id = "another".to_owned();
    other.flow.remote = "192.0.2.11:5060".parse().unwrap();
    for lines in ["", "Contact: <sip:100@192.0.2.10:5070>;expires=0\r\n"] {
        let lines = format!("Supported: outbound\r\n{lines}");
        let ok = registered(&mut tape, &mut other, &lines);
        assert!(ok.header("Contact").contains("reg-id=1"), "{ok}");
        assert_eq!(ok.header("Require"), "", "{ok}");
    }
}

#[test]
fn path_is_kept_returned_and_used() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let lines =
        "Supported: path\r\nRequire: path\r\nPath: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n";
    let ok = registered(&mut tape, &mut phone, lines);
    assert_eq!(
        ok.header("Path"),
        "<sip:p1.example;lr>, <sip:p2.example;lr>"
    );
    let (_, target) = tape.endpoint.reachable(ALICE_ID).next().unwrap();
    let mut invite = phone.outgoing(Some("offer"));
    invite.target = target;
    tape.act(|box_, now| box_.invite(now, invite));
    let sent = tape.sends("INVITE");
    assert_eq!(
        sent.header("Route"),
        "<sip:p1.example;lr>, <sip:p2.example;lr>"
    );
}

#[test]
fn a_wrong_password_is_told_and_challenged_again() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.password = "wrong".to_owned();
    phone.authenticated(&mut tape, "REGISTER", "", "");
    let again = tape.sends("401 REGISTER");
    assert!(!again.header("WWW-Authenticate").contains("stale"));
    match tape.event() {
        Event::AuthenticationFailed {
            username,
            failure,
            flow,
        } => {
            assert_eq!(username, "100");
            assert_eq!(failure, AuthenticationFailure::WrongPassword);
            assert_eq!(flow, phone.flow);
        }
        other => panic!("{other:?}"),
    }
}

/// The answer without what changes from one to the next.
fn shape(sent: &Sent) -> Vec<String> {
    let text = String::from_utf8(sent.bytes.to_vec()).unwrap();
    text.lines()
        .map(|line| match line.split_once(": ") {
            Some((name @ ("From" | "To" | "Via" | "CSeq" | "Call-ID"), _)) => name.to_owned(),
            Some((name @ "WWW-Authenticate", value)) => {
                let rest: Vec<&str> = value
                    .split(", ")
                    .filter(|part| !part.contains("nonce"))
                    .collect();
                format!("{name} {}", rest.join(", "))
            }
            _ => line.to_owned(),
        })
        .collect()
}

fn failures(tape: &Tape) -> Vec<AuthenticationFailure> {
    tape.events
        .iter()
        .map(|event| match event {
            Event::AuthenticationFailed { failure, .. } => *failure,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn an_unknown_user_and_a_wrong_password_look_the_same() {
    let mut tape = Tape::new();
    let mut wrong = alice();
    wrong.password = "wrong".to_owned();
    wrong.authenticated(&mut tape, "REGISTER", "", "");
    let wrong = tape.sends("401 REGISTER");
    let mut unknown = alice();
    unknown.user = "999".to_owned();
    unknown.authenticated(&mut tape, "REGISTER", "", "");
    let unknown = tape.sends("401 REGISTER");
    assert_eq!(shape(&wrong), shape(&unknown));
    assert_eq!(
        failures(&tape),
        [
            AuthenticationFailure::WrongPassword,
            AuthenticationFailure::UnknownUser,
        ]
    );
}

#[test]
fn an_account_of_this_machine_is_unknown_to_others() {
    let mut tape = Tape::new();
    let own = crate::endpoint::Account {
        loopback_only: true,
        urgent_only: false,
        ..super::tape::account(9, "900")
    };
    tape.act(|box_, now| box_.set_accounts(now, vec![own]));
    let phone = |address| {
        let mut phone = Phone::new(address, "900");
        phone.call_id = format!("call-from-{address}");
        phone.target = "sip:192.0.2.1".to_owned();
        phone
    };
    let contact = "Contact: <sip:900@127.0.0.1:5070>\r\n";
    for here in ["127.0.0.1:5070", "[::1]:5070", "[::ffff:127.0.0.1]:5070"] {
        registered(&mut tape, &mut phone(here), contact);
        tape.event();
    }
    phone(ALICE).authenticated(&mut tape, "REGISTER", contact, "");
    tape.sends("401 REGISTER");
    assert_eq!(failures(&tape), [AuthenticationFailure::UnknownUser]);
}

/// A phone that knows its own password acts for another extension, known or not: there are no other
/// credentials to ask for (RFC 3261 §10.3 step 4).
#[test]
fn to_register_for_another_is_forbidden() {
    let mut tape = Tape::new();
    for name in ["200", "999"] {
        let mut other = Phone::new(ALICE, name);
        other.target = "sip:192.0.2.1".to_owned();
        let first = other.request("REGISTER", "", "");
        tape.recv(other.flow, &first);
        let challenge = tape.sends("401 REGISTER");
        let credentials = alice().credentials(&challenge, "REGISTER", "x");
        let again = other.request("REGISTER", &format!("Authorization: {credentials}\r\n"), "");
        tape.recv(other.flow, &again);
        let forbidden = tape.sends("403 REGISTER");
        assert_eq!(forbidden.header("WWW-Authenticate"), "");
    }
    assert_eq!(failures(&tape), [AuthenticationFailure::NotAllowed; 2]);
    assert_eq!(tape.endpoint.counts().bindings, 0);
}

#[test]
fn wrong_credentials_are_a_failed_login_of_whom_was_challenged_alone() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.password = "wrong".to_owned();
    let first = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let lines = format!("Authorization: {credentials}\r\n");
    // With a source that is made up, and with a nonce that is.
    let spoofed = phone.request("REGISTER", &lines, "");
    tape.recv(super::tape::flow("203.0.113.9:5060"), &spoofed);
    tape.sends("401 REGISTER");
    let nonce = credentials.split("nonce=\"").nth(1).unwrap();
    let lines_of_nobody = lines.replace(&nonce[..64], &"0".repeat(64));
    let of_nobody = phone.request("REGISTER", &lines_of_nobody, "");
    tape.recv(phone.flow, &of_nobody);
    tape.sends("401 REGISTER");
    // The one who was asked; and later than the nonce lives.
    let asked = phone.request("REGISTER", &lines, "");
    tape.recv(phone.flow, &asked);
    tape.sends("401 REGISTER");
    tape.after(301_000);
    let late = phone.request("REGISTER", &lines, "");
    tape.recv(phone.flow, &late);
    tape.sends("401 REGISTER");
    assert_eq!(
        failures(&tape),
        [
            AuthenticationFailure::Unasked,
            AuthenticationFailure::Unasked,
            AuthenticationFailure::WrongPassword,
            AuthenticationFailure::Unasked,
        ]
    );
}

#[test]
fn a_right_password_is_believed_wherever_the_challenge_went() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    phone.flow = super::tape::flow("203.0.113.9:5060");
    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let again = phone.request("REGISTER", &format!("Authorization: {credentials}\r\n"), "");
    tape.recv(phone.flow, &again);
    tape.sends("200 REGISTER");
}

#[test]
fn an_old_nonce_is_stale_not_wrong() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    tape.after(3_600_000);
    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let again = phone.request("REGISTER", &format!("Authorization: {credentials}\r\n"), "");
    tape.recv(phone.flow, &again);
    let stale = tape.sends("401 REGISTER");
    assert!(stale.header("WWW-Authenticate").contains("stale=true"));
    tape.no_event();
}

#[test]
fn a_nonce_count_counts_once() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    let credentials = phone.credentials(&challenge, "REGISTER", "x");
    let lines = format!("Authorization: {credentials}\r\n");
    let again = phone.request("REGISTER", &lines, "");
    tape.recv(phone.flow, &again);
    tape.sends("200 REGISTER");
    let replayed = phone.request("REGISTER", &lines, "");
    tape.recv(phone.flow, &replayed);
    tape.sends("401 REGISTER");
}

#[test]
fn md5_without_qop_of_an_old_phone_is_enough() {
    use crate::digest::{Challenge, Client, Side};
    use crate::message::Field;
    let mut tape = Tape::new();
    let mut phone = alice();
    let first = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &first);
    let challenge = tape.sends("401 REGISTER");
    let name = crate::message::HeaderName::WwwAuthenticate;
    let md5 = challenge
        .response()
        .headers
        .values(&name)
        .map(|value| crate::message::AuthValue::parse(value.as_bytes()).unwrap())
        .filter_map(|value| Challenge::from_value(&value).unwrap())
        .find(|challenge| challenge.algorithm == crate::digest::Algorithm::Md5)
        .unwrap();
    let old = Challenge {
        qop: Vec::new(),
        ..md5
    };
    let password = model::Secret::new("secret");
    let mut client = Client::answering(old, Side::Server, "100", &password);
    let credentials = client.authorize("REGISTER", &phone.target, b"", b"");
    let again = phone.request("REGISTER", &format!("Authorization: {credentials}\r\n"), "");
    tape.recv(phone.flow, &again);
    tape.sends("200 REGISTER");
}

#[test]
fn bindings_outlive_a_restart() {
    let mut tape = Tape::new();
    let mut phone = alice();
    registered(&mut tape, &mut phone, "");
    let kept: Vec<_> = tape.endpoint.all_bindings().cloned().collect();
    let mut again = Tape::new();
    again.act(|box_, now| box_.restore_bindings(now, kept.clone()));
    again.no_event();
    assert_eq!(again.endpoint.bindings(ALICE_ID), kept);
    again.at(3_600_000);
    binding(&mut again, BindingChange::Expired);
}

#[test]
fn another_scheme_in_a_contact_is_refused_whole() {
    let mut tape = Tape::new();
    let mut phone = alice();
    let lines = "Contact: <sip:a@192.0.2.10>, <mailto:a@192.0.2.10>\r\n";
    phone.authenticated(&mut tape, "REGISTER", lines, "");
    tape.sends("416 REGISTER");
    tape.no_event();
    assert_eq!(tape.endpoint.counts().bindings, 0);
}

#[test]
fn a_contact_that_takes_the_place_of_another_is_told_as_removal_and_addition() {
    let mut tape = Tape::new();
    let mut phone = alice_on(Transport::Tcp);
    let contact = |port: u16| {
        format!("Contact: <sip:100@192.0.2.10:{port}>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n")
    };
    registered(&mut tape, &mut phone, &contact(5060));
    let old = binding(&mut tape, BindingChange::Added);
    tape.after(1000);
    registered(&mut tape, &mut phone, &contact(5070));
    assert_eq!(binding(&mut tape, BindingChange::Removed), old);
    let new = binding(&mut tape, BindingChange::Added);
    tape.no_event();
    for kept in [[old.clone(), new.clone()], [new.clone(), old]] {
        let mut again = Tape::new();
        again.act(|box_, now| box_.restore_bindings(now, kept.to_vec()));
        assert_eq!(
            again.endpoint.bindings(ALICE_ID),
            core::slice::from_ref(&new)
        );
    }
}

#[test]
fn a_to_tag_does_not_take_a_registration_past_admission() {
    let mut tape = Tape::new();
    let mut phone = alice();
    phone.their_tag = "any".to_owned();
    tape.act(|box_, _| {
        box_.set_admission(crate::endpoint::Admission::RefuseAll { retry_after_s: 5 });
    });
    let request = phone.request("REGISTER", "", "");
    tape.recv(phone.flow, &request);
    tape.sends("503 REGISTER");
}

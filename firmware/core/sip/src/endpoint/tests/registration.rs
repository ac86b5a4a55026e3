//! Our registrations at providers (RFC 3261 §10.2).

use super::tape::stream;
use super::{BOB, Phone, Sent, Tape};
use crate::endpoint::{Credentials, Event, Registration, RegistrationId, Target};
use crate::message::{Host, StatusCode};

const ID: RegistrationId = RegistrationId(7);
const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"provider\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";

fn registration(provider: &Phone) -> Registration {
    Registration {
        target: Target {
            uri: "sip:provider.example".parse().unwrap(),
            route: Vec::new(),
            flow: provider.flow,
        },
        user: "5550101".to_owned(),
        contact_host: None,
        credentials: Some(Credentials {
            username: "box".to_owned(),
            password: model::Secret::new("key"),
        }),
    }
}

/// A box that has asked a provider to register it, and what it sent.
fn asked() -> (Tape, Phone, Sent) {
    let mut tape = Tape::new();
    let provider = Phone::new(BOB, "provider");
    let registration = registration(&provider);
    tape.act(|box_, now| box_.register(now, ID, registration));
    let sent = tape.sends("REGISTER");
    (tape, provider, sent)
}

/// It is registered for so many seconds.
fn registered(granted_s: u32) -> (Tape, Phone, Sent) {
    let (mut tape, provider, sent) = asked();
    let lines = format!(
        "Contact: {};expires={granted_s}\r\n",
        sent.header("Contact")
    );
    tape.recv(provider.flow, &provider.answer(&sent, "200 OK", &lines, ""));
    is_registered(&mut tape);
    (tape, provider, sent)
}

#[track_caller]
fn is_registered(tape: &mut Tape) {
    assert!(matches!(tape.event(), Event::Registered { id: ID }));
}

#[track_caller]
fn is_not_registered(tape: &mut Tape, wanted: Option<u16>) {
    match tape.event() {
        Event::NotRegistered { id: ID, status } => {
            assert_eq!(status.map(StatusCode::code), wanted);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_exchange_registers_and_answers_the_challenge() {
    let (mut tape, provider, first) = asked();
    assert_eq!(first.request().uri.to_string(), "sip:provider.example");
    assert_eq!(first.header("To"), "<sip:5550101@provider.example>");
    assert!(
        first
            .header("From")
            .starts_with("<sip:5550101@provider.example>;tag=")
    );
    assert_eq!(
        first.header("Contact"),
        format!("<sip:5550101@{}>", provider.flow.local)
    );
    assert_eq!(first.header("Expires"), "600");
    tape.recv(
        provider.flow,
        &provider.answer(&first, "401 Who", CHALLENGE, ""),
    );
    let second = tape.sends("REGISTER");
    assert!(second.header("Authorization").contains("username=\"box\""));
    assert_eq!(second.header("Call-ID"), first.header("Call-ID"));
    assert_eq!(second.header("CSeq"), "2 REGISTER");
    tape.no_event();
    tape.recv(
        provider.flow,
        &provider.answer(&second, "200 OK", "Expires: 600\r\n", ""),
    );
    is_registered(&mut tape);
}

#[test]
fn it_is_refreshed_at_half_of_what_was_granted() {
    let (mut tape, provider, first) = registered(120);
    tape.after(59_000);
    tape.sends_nothing();
    tape.after(1_000);
    let again = tape.sends("REGISTER");
    assert_eq!(again.header("CSeq"), "2 REGISTER");
    assert_eq!(again.header("Call-ID"), first.header("Call-ID"));
    tape.recv(
        provider.flow,
        &provider.answer(&again, "200 OK", "Expires: 60\r\n", ""),
    );
    is_registered(&mut tape);
    tape.after(30_000);
    tape.sends("REGISTER");
}

#[test]
fn a_server_that_grants_nothing_is_not_asked_without_end() {
    let (mut tape, ..) = registered(0);
    tape.after(999);
    tape.sends_nothing();
}

#[test]
fn wrong_credentials_are_not_tried_again_soon() {
    let (mut tape, provider, first) = asked();
    tape.recv(
        provider.flow,
        &provider.answer(&first, "401 Who", CHALLENGE, ""),
    );
    let second = tape.sends("REGISTER");
    let again = CHALLENGE.replace("n1", "n2");
    tape.recv(
        provider.flow,
        &provider.answer(&second, "401 Who", &again, ""),
    );
    is_not_registered(&mut tape, Some(401));
    tape.after(224_000);
    tape.sends_nothing();
    tape.after(152_000);
    tape.sends("REGISTER");
}

#[test]
fn a_stale_nonce_is_answered_again() {
    let (mut tape, provider, first) = asked();
    tape.recv(
        provider.flow,
        &provider.answer(&first, "401 Who", CHALLENGE, ""),
    );
    let second = tape.sends("REGISTER");
    let stale = CHALLENGE.replace("n1\"", "n2\", stale=true");
    tape.recv(
        provider.flow,
        &provider.answer(&second, "401 Who", &stale, ""),
    );
    assert!(
        tape.sends("REGISTER")
            .header("Authorization")
            .contains("n2")
    );
}

#[test]
fn a_server_may_want_it_longer() {
    let (mut tape, provider, first) = asked();
    let brief = "Min-Expires: 1800\r\n";
    tape.recv(
        provider.flow,
        &provider.answer(&first, "423 Brief", brief, ""),
    );
    let second = tape.sends("REGISTER");
    assert_eq!(second.header("Expires"), "1800");
    tape.recv(
        provider.flow,
        &provider.answer(&second, "423 Brief", brief, ""),
    );
    is_not_registered(&mut tape, Some(423));
}

#[test]
fn a_server_that_fails_is_tried_at_growing_intervals() {
    let (mut tape, provider, mut sent) = asked();
    for wait_s in [2_u64, 5, 10, 20, 40, 40] {
        let failed = tape.now();
        tape.recv(provider.flow, &provider.answer(&sent, "503 Down", "", ""));
        is_not_registered(&mut tape, Some(503));
        sent = tape.sends_in_time("REGISTER");
        let waited_ms = tape.now().since(failed).as_millis();
        let range = u128::from(wait_s * 750)..=u128::from(wait_s * 1250 + 1);
        assert!(range.contains(&waited_ms), "{waited_ms} ms");
    }
    tape.recv(provider.flow, &provider.answer(&sent, "200 OK", "", ""));
    is_registered(&mut tape);
}

#[test]
fn a_server_may_say_when_to_come_again() {
    let (mut tape, provider, sent) = asked();
    let later = "Retry-After: 100\r\n";
    tape.recv(
        provider.flow,
        &provider.answer(&sent, "503 Down", later, ""),
    );
    is_not_registered(&mut tape, Some(503));
    tape.after(74_000);
    tape.sends_nothing();
    tape.after(52_000);
    tape.sends("REGISTER");
}

#[test]
fn a_silent_server_is_found_out() {
    let (mut tape, ..) = registered(120);
    // The refresh is repeated for 32 s, then it counts as failed, and a new one follows.
    while tape.sends_in_time("REGISTER").header("CSeq") == "2 REGISTER" {}
    is_not_registered(&mut tape, None);
    assert!(
        (93_500..=94_501).contains(&(tape.now().as_micros() / 1000)),
        "{:?}",
        tape.now()
    );
}

#[test]
fn it_is_taken_back() {
    let (mut tape, provider, _) = registered(120);
    tape.act(|box_, now| box_.unregister(now, ID));
    let last = tape.sends("REGISTER");
    assert_eq!(last.header("Expires"), "0");
    tape.recv(provider.flow, &provider.answer(&last, "200 OK", "", ""));
    tape.no_event();
    tape.ends_clean();
}

#[test]
fn the_same_again_changes_nothing_and_another_takes_its_place() {
    let (mut tape, provider, _) = registered(120);
    let mut registration = registration(&provider);
    tape.act(|box_, now| box_.register(now, ID, registration.clone()));
    tape.sends_nothing();
    registration.user = "5550102".to_owned();
    registration.contact_host = Some(Host::from(std::net::IpAddr::from([203, 0, 113, 5])));
    tape.act(|box_, now| box_.register(now, ID, registration));
    assert_eq!(tape.sends("REGISTER").header("Expires"), "0");
    let new = tape.sends("REGISTER");
    assert_eq!(
        new.header("Contact"),
        format!("<sip:5550102@203.0.113.5:{}>", provider.flow.local.port())
    );
}

#[test]
fn a_closed_connection_is_registered_anew() {
    let mut tape = Tape::new();
    let mut provider = Phone::new(BOB, "provider");
    provider.flow = stream(model::Transport::Tcp, BOB);
    let registration = registration(&provider);
    tape.act(|box_, now| box_.register(now, ID, registration));
    let sent = tape.sends("REGISTER");
    assert!(sent.header("Contact").contains(";transport=tcp"));
    tape.input(crate::endpoint::Input::StreamClosed {
        flow: provider.flow,
    });
    is_not_registered(&mut tape, None);
    tape.after(2_500);
    tape.sends("REGISTER");
}

//! Peers that are no phones: calls by address, calls with credentials (RFC 3261 §22.2).

use model::Transport;

use super::phone::SDP;
use super::tape::stream;
use super::{BOB, Phone, Tape};
use crate::endpoint::{Credentials, Event};
use crate::message::StatusCode;

fn credentials() -> Credentials {
    Credentials {
        username: "trunk".to_owned(),
        password: model::Secret::new("key"),
    }
}

const CHALLENGE: &str =
    "Proxy-Authenticate: Digest realm=\"provider\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";

#[test]
fn a_trusted_address_calls_without_credentials_or_account() {
    let mut tape = Tape::new();
    let mut provider = Phone::new(BOB, "provider");
    tape.act(|box_, _| box_.set_trusted([provider.flow.remote.ip()]));
    let invite = provider.request("INVITE", "", SDP);
    tape.recv(provider.flow, &invite);
    assert!(matches!(tape.event(), Event::Invited { invite, .. } if invite.account.is_none()));
    let register = provider.request("REGISTER", "", "");
    tape.recv(provider.flow, &register);
    tape.sends("401 REGISTER");
}

#[test]
fn a_challenge_is_answered_once() {
    let mut tape = Tape::new();
    let provider = Phone::new(BOB, "200");
    let invite = provider.outgoing(Some("offer"));
    tape.act(|box_, now| box_.invite_as(now, invite, credentials()));
    let first = tape.sends("INVITE");
    let challenge = provider.answer(&first, "407 Proxy Authentication Required", CHALLENGE, "");
    tape.recv(provider.flow, &challenge);
    tape.sends("ACK");
    let second = tape.sends("INVITE");
    let answer = second.header("Proxy-Authorization");
    assert!(
        answer.contains("username=\"trunk\"") && answer.contains("nonce=\"n1\""),
        "{answer}"
    );
    assert_eq!(second.header("CSeq"), "2 INVITE");
    assert_eq!(second.header("Call-ID"), first.header("Call-ID"));
    assert_ne!(second.header("Via"), first.header("Via"));
    tape.no_event();
    let again = provider.answer(&second, "407 Proxy Authentication Required", CHALLENGE, "");
    tape.recv(provider.flow, &again);
    tape.sends("ACK");
    assert!(matches!(
        tape.event(),
        Event::Refused {
            status: StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            ..
        }
    ));
    tape.ends_clean();
}

#[test]
fn over_a_stream_a_refusal_that_asks_for_more_is_followed_too() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let mut tape = Tape::new();
        let mut provider = Phone::new(BOB, "200");
        provider.flow = stream(transport, BOB);
        let invite = provider.outgoing(Some("offer"));
        tape.act(|box_, now| box_.invite_as(now, invite, credentials()));
        let first = tape.sends("INVITE");
        let challenge = provider.answer(&first, "407 Who", CHALLENGE, "");
        tape.recv(provider.flow, &challenge);
        assert_eq!(tape.sends("ACK").header("Via"), first.header("Via"));
        let second = tape.sends("INVITE");
        assert!(second.header("Proxy-Authorization").contains("n1"));
        let short = "Session-Expires: 1800\r\nMin-SE: 3600\r\n";
        tape.recv(
            provider.flow,
            &provider.answer(&second, "422 Small", short, ""),
        );
        tape.sends("ACK");
        let third = tape.sends("INVITE");
        assert_eq!(third.flow, provider.flow);
        assert_eq!(third.header("Session-Expires"), "3600");
        assert_eq!(third.header("CSeq"), "3 INVITE");
        assert_eq!(third.body(), "offer");
        tape.no_event();
        tape.recv(provider.flow, &provider.answer(&third, "200 OK", "", SDP));
        tape.sends("ACK");
        assert!(matches!(tape.event(), Event::Accepted { .. }));
    }
}

#[test]
fn a_stale_nonce_is_answered_again() {
    let mut tape = Tape::new();
    let provider = Phone::new(BOB, "200");
    let invite = provider.outgoing(Some("offer"));
    tape.act(|box_, now| box_.invite_as(now, invite, credentials()));
    let mut sent = tape.sends("INVITE");
    for (lines, nonce) in [
        (CHALLENGE.to_owned(), "n1"),
        (CHALLENGE.replace("n1\"", "n2\", stale=true"), "n2"),
    ] {
        tape.recv(
            provider.flow,
            &provider.answer(&sent, "407 Who", &lines, ""),
        );
        tape.sends("ACK");
        sent = tape.sends("INVITE");
        assert!(sent.header("Proxy-Authorization").contains(nonce));
    }
    tape.recv(provider.flow, &provider.answer(&sent, "200 OK", "", SDP));
    assert_eq!(tape.sends("ACK").header("CSeq"), "3 ACK");
    assert!(matches!(tape.event(), Event::Accepted { .. }));
}

#[test]
fn a_nonce_that_is_always_stale_is_a_refusal_in_the_end() {
    let mut tape = Tape::new();
    let provider = Phone::new(BOB, "200");
    let invite = provider.outgoing(Some("offer"));
    tape.act(|box_, now| box_.invite_as(now, invite, credentials()));
    let stale = CHALLENGE.replace("n1\"", "n1\", stale=true");
    for _ in 0..3 {
        let sent = tape.sends("INVITE");
        tape.recv(
            provider.flow,
            &provider.answer(&sent, "407 Who", &stale, ""),
        );
        tape.sends("ACK");
        tape.no_event();
    }
    let sent = tape.sends("INVITE");
    tape.recv(
        provider.flow,
        &provider.answer(&sent, "407 Who", &stale, ""),
    );
    tape.sends("ACK");
    assert!(matches!(tape.event(), Event::Refused { .. }));
    tape.ends_clean();
}

#[test]
fn without_credentials_a_challenge_is_a_refusal() {
    let mut tape = Tape::new();
    let provider = Phone::new(BOB, "200");
    let (_, invite) = provider.called(&mut tape, Some("offer"));
    tape.recv(
        provider.flow,
        &provider.answer(&invite, "407 Who", CHALLENGE, ""),
    );
    tape.sends("ACK");
    assert!(matches!(tape.event(), Event::Refused { .. }));
}

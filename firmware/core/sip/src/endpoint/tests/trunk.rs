//! Peers that are no phones: calls by address, calls with credentials (RFC 3261 §22.2).

use model::Transport;

use super::phone::SDP;
use super::tape::stream;
use super::{BOB, Phone, Sent, Tape};
use crate::endpoint::{Credentials, Event, SessionId};
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

/// A call to a provider that is up; it has asked for nothing yet.
fn in_call(tape: &mut Tape, provider: &mut Phone) -> SessionId {
    let invite = provider.outgoing(Some("offer"));
    let session = tape.act(|box_, now| box_.invite_as(now, invite, credentials()));
    let invite = tape.sends("INVITE");
    let ok = provider.answer(&invite, "200 OK", "Allow: INVITE, UPDATE\r\n", "answer");
    tape.recv(provider.flow, &ok);
    tape.sends("ACK");
    provider.join(&invite);
    tape.events.clear();
    session
}

/// The provider asks who we are; the ACK of an INVITE is taken.
fn challenged(tape: &mut Tape, provider: &Phone, request: &Sent, nonce: &str) {
    let lines = format!(
        "Proxy-Authenticate: Digest realm=\"provider\", qop=\"auth\", algorithm=MD5, nonce={nonce}\r\n"
    );
    let answer = provider.answer(request, "407 Who", &lines, "");
    tape.recv(provider.flow, &answer);
    if request.summary() == "INVITE" {
        let ack = tape.sends("ACK");
        assert_eq!(ack.header("Via"), request.header("Via"));
        assert_eq!(
            ack.header("CSeq"),
            request.header("CSeq").replace("INVITE", "ACK")
        );
    }
}

/// The request is the other one again, with credentials for this nonce and the next number.
#[track_caller]
fn assert_repeats(again: &Sent, first: &Sent, nonce: &str) {
    let credentials = again.header("Proxy-Authorization");
    assert!(
        credentials.contains(&format!("nonce={nonce}")),
        "{credentials}"
    );
    assert!(credentials.contains("nc=00000001"), "{credentials}");
    let seq = |sent: &Sent| sent.request().headers.cseq().unwrap().seq;
    assert_eq!(seq(again), seq(first) + 1);
    assert_ne!(again.header("Via"), first.header("Via"));
    for name in [
        "From",
        "To",
        "Call-ID",
        "Contact",
        "Session-Expires",
        "Reason",
    ] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.body(), first.body());
}

#[test]
fn a_bye_that_is_challenged_goes_again() {
    let mut tape = Tape::new();
    let mut provider = Phone::new(BOB, "200");
    let session = in_call(&mut tape, &mut provider);
    tape.act(|box_, now| box_.end(now, session, Some(model::Cause::NORMAL_CALL_CLEARING)));
    let bye = tape.sends("BYE");
    assert_eq!(bye.header("Proxy-Authorization"), "");
    challenged(&mut tape, &provider, &bye, "\"n1\"");
    let again = tape.sends("BYE");
    assert_repeats(&again, &bye, "\"n1\"");
    // The session waits for the answer to this one.
    assert_eq!(tape.endpoint.counts().sessions, 1);
    tape.recv(provider.flow, &provider.answer(&again, "200 OK", "", ""));
    assert_eq!(tape.endpoint.counts().sessions, 0);
    tape.no_event();
    tape.ends_clean();
    tape.sends_nothing();
}

#[test]
fn an_offer_that_is_challenged_goes_again_and_its_ack_has_credentials_too() {
    let mut tape = Tape::new();
    let mut provider = Phone::new(BOB, "200");
    let session = in_call(&mut tape, &mut provider);
    tape.act(|box_, now| box_.offer(now, session, "new offer".into()));
    let offer = tape.sends("INVITE");
    challenged(&mut tape, &provider, &offer, "\"n1\"");
    let again = tape.sends("INVITE");
    assert_repeats(&again, &offer, "\"n1\"");
    tape.no_event();
    tape.recv(
        provider.flow,
        &provider.answer(&again, "200 OK", "", "answer"),
    );
    let ack = tape.sends("ACK");
    assert_eq!(
        ack.header("Proxy-Authorization"),
        again.header("Proxy-Authorization")
    );
    assert_eq!(
        ack.header("CSeq"),
        again.header("CSeq").replace("INVITE", "ACK")
    );
    assert!(matches!(tape.event(), Event::Answered { .. }));
    // What follows has them unasked.
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    assert!(bye.header("Proxy-Authorization").contains("nc=00000002"));
}

/// The ACK of the INVITE before was lost (RFC 3261 §13.3.1.4).
#[test]
fn the_ack_of_an_earlier_offer_has_credentials_too() {
    let mut tape = Tape::new();
    let mut provider = Phone::new(BOB, "200");
    let session = in_call(&mut tape, &mut provider);
    tape.act(|box_, now| box_.offer(now, session, "one".into()));
    let offer = tape.sends("INVITE");
    challenged(&mut tape, &provider, &offer, "\"n1\"");
    let mut oks = Vec::new();
    for sdp in ["two", "three"] {
        let invite = tape.sends("INVITE");
        oks.push(provider.answer(&invite, "200 OK", "", "answer"));
        tape.recv(provider.flow, &oks[oks.len() - 1]);
        let ack = tape.sends("ACK");
        assert_ne!(ack.header("Proxy-Authorization"), "");
        assert!(matches!(tape.event(), Event::Answered { .. }));
        tape.act(|box_, now| box_.offer(now, session, sdp.into()));
    }
    tape.sends("INVITE");
    tape.recv(provider.flow, &oks[0]);
    let again = tape.sends("ACK");
    assert_ne!(again.header("Proxy-Authorization"), "", "{again}");
}

#[test]
fn a_refresh_that_is_challenged_goes_again() {
    let mut tape = Tape::new();
    let mut provider = Phone::new(BOB, "200");
    let invite = provider.outgoing(Some("offer"));
    tape.act(|box_, now| box_.invite_as(now, invite, credentials()));
    let invite = tape.sends("INVITE");
    let lines = "Allow: UPDATE\r\nSession-Expires: 90;refresher=uac\r\n";
    tape.recv(
        provider.flow,
        &provider.answer(&invite, "200 OK", lines, "answer"),
    );
    tape.sends("ACK");
    provider.join(&invite);
    tape.events.clear();
    let update = tape.sends_in_time("UPDATE");
    challenged(&mut tape, &provider, &update, "\"n1\"");
    let again = tape.sends("UPDATE");
    assert_repeats(&again, &update, "\"n1\"");
    let lines = "Session-Expires: 90;refresher=uac\r\n";
    tape.recv(provider.flow, &provider.answer(&again, "200 OK", lines, ""));
    let next = tape.sends_in_time("UPDATE");
    assert!(next.at_ms >= update.at_ms + 45_000);
    tape.no_event();
}

#[test]
fn a_challenge_in_the_dialog_is_answered_once_and_once_more_where_the_nonce_was_too_old() {
    for (nonce, repeats) in [("\"n2\"", 1), ("\"n2\", stale=true", 2)] {
        let mut tape = Tape::new();
        let mut provider = Phone::new(BOB, "200");
        let session = in_call(&mut tape, &mut provider);
        tape.act(|box_, now| box_.offer(now, session, "new offer".into()));
        let mut offer = tape.sends("INVITE");
        challenged(&mut tape, &provider, &offer, "\"n1\"");
        for _ in 0..repeats {
            offer = tape.sends("INVITE");
            challenged(&mut tape, &provider, &offer, nonce);
        }
        tape.sends_nothing();
        assert!(matches!(
            tape.event(),
            Event::OfferRefused {
                status: StatusCode::PROXY_AUTHENTICATION_REQUIRED,
                ..
            }
        ));
        // The call itself goes on, and ends.
        tape.act(|box_, now| box_.end(now, session, None));
        let bye = tape.sends("BYE");
        challenged(&mut tape, &provider, &bye, "\"n3\"");
        let bye = tape.sends("BYE");
        challenged(&mut tape, &provider, &bye, "\"n4\"");
        tape.sends_nothing();
        tape.ends_clean();
    }
}

#[test]
fn who_asks_and_gave_us_no_credentials_is_not_answered() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(BOB, "200");
    let (session, ..) = phone.answered(&mut tape, "");
    tape.act(|box_, now| box_.offer(now, session, "new offer".into()));
    let offer = tape.sends("INVITE");
    challenged(&mut tape, &phone, &offer, "\"n1\"");
    assert!(matches!(tape.event(), Event::OfferRefused { .. }));
    tape.act(|box_, now| box_.end(now, session, None));
    let bye = tape.sends("BYE");
    challenged(&mut tape, &phone, &bye, "\"n1\"");
    tape.sends_nothing();
    assert_eq!(tape.endpoint.counts().sessions, 0);
    tape.ends_clean();
}

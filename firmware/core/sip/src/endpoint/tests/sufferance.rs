//! Connections on which nothing was proved: how long they live, what they may hold, and who gives way.

use model::{Flow, Transport};

use super::phone::SDP;
use super::tape::stream;
use super::{ALICE, BOB, Phone, Tape};
use crate::endpoint::limits::SHARE_OF_ONE_SOURCE;
use crate::endpoint::{Closing, Input, STREAMS};

fn phone(remote: &str, user: &str) -> Phone {
    let mut phone = Phone::new(remote, user);
    phone.flow = stream(Transport::Tcp, remote);
    phone
}

fn register(tape: &mut Tape, phone: &mut Phone) {
    phone.target = "sip:192.0.2.1".to_owned();
    phone.authenticated(tape, "REGISTER", "", "");
    tape.sends("200 REGISTER");
    tape.event();
}

fn open(tape: &mut Tape, address: &str) -> Flow {
    let flow = stream(Transport::Tcp, address);
    tape.input(Input::StreamOpened { flow });
    flow
}

/// Connections of as many sources, none of which has two.
fn strangers(tape: &mut Tape, count: usize) -> Vec<Flow> {
    (0..count)
        .map(|n| open(tape, &format!("10.1.{}.{}:5060", n / 256, n % 256)))
        .collect()
}

#[test]
fn who_proves_nothing_has_thirty_seconds() {
    let mut tape = Tape::new();
    let flow = open(&mut tape, ALICE);
    tape.after(29_999);
    assert_eq!(tape.closed.pop_front(), None);
    tape.after(1);
    assert_eq!(tape.closed.pop_front(), Some((flow, Closing::TooSlow)));
    assert_eq!(tape.endpoint.counts(), Tape::new().endpoint.counts());
}

#[test]
fn a_message_is_progress_and_a_ping_or_a_piece_is_none() {
    let mut tape = Tape::new();
    let mut phone = phone(ALICE, "100");
    open(&mut tape, ALICE);
    tape.after(20_000);
    let options = phone.request("OPTIONS", "", "");
    tape.recv(phone.flow, &options);
    tape.sends("200 OPTIONS");
    tape.after(20_000);
    tape.recv(phone.flow, "\r\n\r\nOPTIONS sip:a");
    tape.after(9_999);
    assert_eq!(tape.closed.pop_front(), None);
    tape.after(1);
    assert_eq!(
        tape.closed.pop_front(),
        Some((phone.flow, Closing::TooSlow))
    );
}

#[test]
fn a_wrong_password_proves_nothing_and_the_right_one_does() {
    for right in [false, true] {
        let mut tape = Tape::new();
        let mut phone = phone(ALICE, "100");
        phone.target = "sip:192.0.2.1".to_owned();
        if !right {
            phone.password = "guessed".to_owned();
        }
        phone.authenticated(&mut tape, "REGISTER", "", "");
        tape.after(3_600_000);
        let closed = (!right).then_some((phone.flow, Closing::TooSlow));
        assert_eq!(tape.closed.pop_front(), closed);
    }
}

#[test]
fn no_number_of_messages_is_a_proof() {
    let mut tape = Tape::new();
    let mut phone = phone(ALICE, "100");
    open(&mut tape, ALICE);
    for _ in 0..5 {
        let options = phone.request("OPTIONS", "", "");
        tape.recv(phone.flow, &options);
        tape.sends("200 OPTIONS");
        tape.after(23_999);
    }
    assert_eq!(tape.closed.pop_front(), None);
    let options = phone.request("OPTIONS", "", "");
    tape.recv(phone.flow, &options);
    tape.after(5);
    assert_eq!(
        tape.closed.pop_front(),
        Some((phone.flow, Closing::TooSlow))
    );
}

#[test]
fn a_guesser_has_five_passwords_a_connection() {
    for registered in [false, true] {
        let mut tape = Tape::new();
        let mut phone = phone(ALICE, "100");
        if registered {
            register(&mut tape, &mut phone);
        }
        phone.target = "sip:192.0.2.1".to_owned();
        for n in 1..=5 {
            assert_eq!(tape.closed.pop_front(), None);
            phone.password = format!("guess {n}");
            phone.user = if n % 2 == 0 { "100" } else { "999" }.to_owned();
            phone.authenticated(&mut tape, "REGISTER", "", "");
            tape.sends("401 REGISTER");
        }
        let closed = (!registered).then_some((phone.flow, Closing::TooWrong));
        assert_eq!(tape.closed.pop_front(), closed);
        assert_eq!(tape.endpoint.counts().streams, usize::from(registered));
    }
}

#[test]
fn a_call_proves_who_calls_and_who_is_called() {
    let mut tape = Tape::new();
    let mut caller = phone(ALICE, "100");
    caller.in_call(&mut tape, "");
    let mut called = phone(BOB, "200");
    called.answered(&mut tape, "");
    tape.after(60_000);
    assert_eq!(tape.closed.pop_front(), None);
    assert_eq!(tape.endpoint.counts().streams, 2);
}

#[test]
fn a_request_in_a_dialog_is_a_proof() {
    let mut tape = Tape::new();
    let mut phone = phone(ALICE, "100");
    phone.in_call(&mut tape, "");
    tape.input(Input::StreamClosed { flow: phone.flow });
    phone.flow = stream(Transport::Tcp, "192.0.2.10:40001");
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    tape.sends("200 INFO");
    let stranger = open(&mut tape, BOB);
    tape.after(60_000);
    assert_eq!(tape.closed.pop_front(), Some((stranger, Closing::TooSlow)));
    assert_eq!(tape.closed.pop_front(), None);
}

#[test]
fn a_trusted_address_has_nothing_to_prove() {
    let mut tape = Tape::new();
    let flow = stream(Transport::Tls, ALICE);
    tape.endpoint.set_trusted([flow.remote.ip()]);
    tape.input(Input::StreamOpened { flow });
    tape.after(3_600_000);
    assert_eq!(tape.closed.pop_front(), None);
}

#[test]
fn a_message_that_is_never_finished_ends_any_connection() {
    let mut tape = Tape::new();
    let mut phone = phone(ALICE, "100");
    register(&mut tape, &mut phone);
    let options = phone.request("OPTIONS", "", "");
    let (start, rest) = options.split_at(100);
    tape.recv(phone.flow, start);
    tape.after(29_999);
    tape.recv(phone.flow, rest);
    tape.sends("200 OPTIONS");
    // Half a ping is no message.
    tape.recv(phone.flow, "\r\n");
    tape.after(3_000_000);
    assert_eq!(tape.closed.pop_front(), None);
    tape.recv(phone.flow, start);
    tape.after(29_999);
    tape.recv(phone.flow, "X");
    assert_eq!(tape.closed.pop_front(), None);
    tape.after(1);
    assert_eq!(
        tape.closed.pop_front(),
        Some((phone.flow, Closing::TooSlow))
    );
}

#[test]
fn a_long_message_takes_a_proof() {
    let body = SDP.repeat(400);
    for proven in [false, true] {
        let mut tape = Tape::new();
        let mut phone = phone(ALICE, "100");
        if proven {
            register(&mut tape, &mut phone);
        }
        let invite = phone.request("INVITE", "", &body);
        // It says itself how long it will be.
        let (start, rest) = invite.split_at(1000);
        tape.recv(phone.flow, start);
        if proven {
            tape.recv(phone.flow, rest);
            tape.sends("401 INVITE");
        } else {
            assert_eq!(
                tape.closed.pop_front(),
                Some((phone.flow, Closing::TooLong))
            );
        }
    }
    // And this one does not.
    let mut tape = Tape::new();
    let flow = open(&mut tape, ALICE);
    tape.recv(flow, "OPTIONS sip:a@b SIP/2.0\r\n");
    for _ in 0..4 {
        assert_eq!(tape.closed.pop_front(), None);
        tape.recv(flow, &format!("X: {}\r\n", "x".repeat(4090)));
    }
    assert_eq!(tape.closed.pop_front(), Some((flow, Closing::TooLong)));
}

#[test]
fn a_full_table_lets_a_phone_in_and_the_oldest_stranger_out() {
    let mut tape = Tape::new();
    let mut alice = phone(ALICE, "100");
    register(&mut tape, &mut alice);
    let strangers = strangers(&mut tape, STREAMS - 1);
    assert_eq!(tape.closed.pop_front(), None);
    let mut bob = phone(BOB, "200");
    register(&mut tape, &mut bob);
    let gone = (strangers[0], Closing::GivesWay);
    assert_eq!(tape.closed.pop_front(), Some(gone));
    // Who comes next drives out strangers too, and never a phone.
    for (stranger, n) in strangers[1..].iter().zip(0..) {
        open(&mut tape, &format!("10.2.{}.{}:5060", n / 256, n % 256));
        assert_eq!(
            tape.closed.pop_front(),
            Some((*stranger, Closing::GivesWay))
        );
    }
    assert_eq!(tape.endpoint.counts().streams, STREAMS);
    for phone in [&mut alice, &mut bob] {
        let options = phone.request("OPTIONS", "", "");
        tape.recv(phone.flow, &options);
        assert_eq!(tape.sends("200 OPTIONS").flow, phone.flow);
    }
}

#[test]
fn who_has_proved_something_makes_no_room() {
    let mut tape = Tape::new();
    let trusted: Vec<std::net::IpAddr> = (0..STREAMS)
        .map(|n| format!("10.1.{}.{}", n / 256, n % 256).parse().unwrap())
        .collect();
    tape.endpoint.set_trusted(trusted);
    strangers(&mut tape, STREAMS);
    let flow = open(&mut tape, ALICE);
    assert_eq!(tape.closed.pop_front(), Some((flow, Closing::NoRoom)));
    assert_eq!(tape.endpoint.counts().streams, STREAMS);
    tape.recv(flow, "\r\n\r\n");
    tape.sends_nothing();
}

#[test]
fn a_source_fills_its_own_share_only() {
    for network in ["192.0.2.66:", "[2001:db8::"] {
        let mut tape = Tape::new();
        let address = |n: usize| match network {
            "192.0.2.66:" => format!("{network}{}", 1000 + n),
            _ => format!("{network}{n:x}]:5060"),
        };
        let other = open(&mut tape, ALICE);
        let first = open(&mut tape, &address(1));
        for n in 2..=STREAMS / SHARE_OF_ONE_SOURCE {
            open(&mut tape, &address(n));
        }
        assert_eq!(tape.closed.pop_front(), None);
        open(&mut tape, &address(0xffff - 1000));
        assert_eq!(tape.closed.pop_front(), Some((first, Closing::GivesWay)));
        tape.recv(other, "\r\n\r\n");
        assert_eq!(&tape.sent.pop_front().unwrap().bytes[..], b"\r\n");
    }
}

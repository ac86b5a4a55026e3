//! Datagrams of strangers, and of an office whose phones all come from one address.

use std::collections::BTreeSet;

use super::tape::{flow, stream};
use super::{ALICE, Phone, Tape};
use crate::endpoint::{Closing, Event};
use model::Transport;

/// Where an office with many phones stands behind its NAT.
fn phone_of_office(port: u16) -> Phone {
    let mut phone = Phone::new(&format!("198.51.100.1:{port}"), "100");
    phone.target = "sip:192.0.2.1".to_owned();
    phone.call_id = format!("of-{port}");
    phone.tag = format!("tag-{port}");
    phone.branch = 10_000 * u32::from(port);
    phone
}

fn ignored(tape: &Tape) -> usize {
    (tape.events.iter())
        .filter(|event| matches!(event, Event::Ignored { .. }))
        .count()
}

#[test]
fn a_stranger_who_only_asks_is_passed_over_and_nobody_else_is() {
    let mut tape = Tape::new();
    let mut stranger = Phone::new("203.0.113.9:5060", "100");
    for _ in 0..1000 {
        let options = stranger.request("OPTIONS", "", "");
        tape.recv(stranger.flow, &options);
    }
    assert_eq!((tape.sent.len(), ignored(&tape)), (200, 1));
    tape.sent.clear();
    tape.events.clear();
    // Another port is no other source.
    stranger.flow = flow("203.0.113.9:40000");
    let options = stranger.request("OPTIONS", "", "");
    tape.recv(stranger.flow, &options);
    tape.sends_nothing();
    let options = Phone::new(ALICE, "100").request("OPTIONS", "", "");
    tape.recv(flow(ALICE), &options);
    tape.sends("200 OPTIONS");
    tape.after(20);
    tape.recv(stranger.flow, &stranger.request("OPTIONS", "", ""));
    tape.sends("200 OPTIONS");
}

/// Nobody can open a connection in another's name, as datagrams are sent.
#[test]
fn datagrams_in_the_name_of_a_phone_do_not_keep_it_from_registering_over_a_connection() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let mut tape = Tape::new();
        let mut forged = Phone::new("198.51.100.1:5060", "100");
        for _ in 0..1000 {
            let options = forged.request("OPTIONS", "", "");
            tape.recv(forged.flow, &options);
        }
        tape.sent.clear();
        let mut phone = phone_of_office(1000);
        phone.flow.transport = transport;
        phone.authenticated(&mut tape, "REGISTER", "", "");
        tape.sends("200 REGISTER");
        // It is known now, by datagrams too.
        tape.recv(forged.flow, &forged.request("OPTIONS", "", ""));
        tape.sends("200 OPTIONS");
    }
}

#[test]
fn a_provider_that_is_trusted_has_no_limit() {
    let mut tape = Tape::new();
    let mut provider = Phone::new("203.0.113.9:5060", "100");
    tape.act(|box_, _| box_.set_trusted([provider.flow.remote.ip()]));
    for _ in 0..1000 {
        let options = provider.request("OPTIONS", "", "");
        tape.recv(provider.flow, &options);
        tape.sends("200 OPTIONS");
    }
}

#[test]
fn two_thousand_phones_behind_one_address_register_at_two_hundred_a_second() {
    let mut tape = Tape::new();
    for n in 0..2000 {
        let mut phone = phone_of_office(1000 + n);
        phone.authenticated(&mut tape, "REGISTER", "", "");
        tape.sends("200 REGISTER");
        tape.after(5);
    }
    assert_eq!(ignored(&tape), 0);
}

/// After a power cut all ask in the same moment; the exchange has never heard of the address.
#[test]
fn an_office_that_starts_all_at_once_registers_within_a_retransmission() {
    let mut tape = Tape::new();
    let mut phones: Vec<_> = (0..2000).map(|n| phone_of_office(1000 + n)).collect();
    let first: Vec<String> = (phones.iter_mut())
        .map(|phone| phone.request("REGISTER", "", ""))
        .collect();
    for (phone, request) in phones.iter().zip(&first) {
        tape.recv(phone.flow, request);
    }
    let challenges: Vec<_> = tape.sent.drain(..).collect();
    assert_eq!(challenges.len(), 200);
    let challenged: BTreeSet<_> = challenges.iter().map(|sent| sent.flow).collect();
    // The answer to the first challenge takes a while, in which a few datagrams are let in again.
    tape.after(40);
    for (phone, challenge) in phones.iter_mut().zip(&challenges) {
        let credentials = phone.credentials(challenge, "REGISTER", "x");
        let lines = format!("Authorization: {credentials}\r\n");
        let again = phone.request("REGISTER", &lines, "");
        tape.recv(phone.flow, &again);
        tape.sends("200 REGISTER");
    }
    tape.after(460);
    for (phone, request) in phones.iter_mut().zip(&first) {
        if !challenged.contains(&phone.flow) {
            tape.recv(phone.flow, request);
            tape.sends("401 REGISTER");
        }
    }
    assert_eq!(ignored(&tape), 1);
}

#[test]
fn who_was_registered_before_a_restart_is_known_after_it() {
    let mut tape = Tape::new();
    let mut phone = phone_of_office(1000);
    phone.authenticated(&mut tape, "REGISTER", "", "");
    tape.sends("200 REGISTER");
    let kept: Vec<_> = tape.endpoint.all_bindings().cloned().collect();
    let mut tape = Tape::new();
    tape.act(|box_, now| box_.restore_bindings(now, kept));
    for _ in 0..1000 {
        let options = phone.request("OPTIONS", "", "");
        tape.recv(phone.flow, &options);
        tape.sends("200 OPTIONS");
    }
}

#[test]
fn who_only_asks_over_connections_is_as_much_a_stranger() {
    for ping in [false, true] {
        let mut tape = Tape::new();
        let mut stranger = Phone::new("203.0.113.9:5060", "100");
        stranger.flow = stream(Transport::Tcp, "203.0.113.9:40000");
        let ask = |stranger: &mut Phone| match ping {
            true => "\r\n\r\n".to_owned(),
            false => stranger.request("OPTIONS", "", ""),
        };
        // Pings at once are one. A new connection is no other source.
        for n in 0..210 {
            let text = ask(&mut stranger);
            if n == 100 {
                stranger.flow = stream(Transport::Tls, "203.0.113.9:40001");
            }
            tape.recv(stranger.flow, &text);
        }
        assert_eq!((tape.sent.len(), ignored(&tape)), (200, 1));
        let closed: Vec<_> = tape.closed.iter().map(|(_, why)| *why).collect();
        assert_eq!(closed, [Closing::TooMany; 10]);
        assert_eq!(tape.endpoint.counts().streams, 1, "the one that was quiet");
        tape.sent.clear();
        // Who has proved something on one goes on, and is known by datagrams too.
        tape.after(4000);
        let mut phone = Phone::new("203.0.113.9:41000", "100");
        phone.flow = stream(Transport::Tls, "203.0.113.9:41000");
        phone.target = "sip:192.0.2.1".to_owned();
        phone.authenticated(&mut tape, "REGISTER", "", "");
        tape.sends("200 REGISTER");
        stranger.flow = flow("203.0.113.9:42000");
        for _ in 0..1000 {
            for flow in [phone.flow, stranger.flow] {
                let options = phone.request("OPTIONS", "", "");
                tape.recv(flow, &options);
                tape.sends("200 OPTIONS");
            }
        }
    }
}

#[test]
fn who_is_active_stays_known() {
    for transport in [Transport::Udp, Transport::Tls] {
        let mut tape = Tape::new();
        let mut phone = phone_of_office(1000);
        phone.flow.transport = transport;
        for _ in 0..4 {
            phone.authenticated(&mut tape, "REGISTER", "", "");
            tape.sends("200 REGISTER");
            tape.after(35 * 60_000);
        }
        let mut other = phone_of_office(1001);
        for _ in 0..1000 {
            let options = other.request("OPTIONS", "", "");
            tape.recv(other.flow, &options);
            tape.sends("200 OPTIONS");
        }
    }
}

/// Its phone is called and answers; nothing else is known of it.
#[test]
fn who_answers_us_is_known() {
    let mut tape = Tape::new();
    let mut phone = Phone::new("203.0.113.9:5060", "200");
    phone.answered(&mut tape, "");
    for _ in 0..1000 {
        let options = phone.request("OPTIONS", "", "");
        tape.recv(phone.flow, &options);
    }
    assert_eq!(tape.sent.len(), 1000);
}

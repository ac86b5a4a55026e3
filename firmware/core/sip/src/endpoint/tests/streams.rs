//! TCP and TLS: framing, keep-alive, one connection for all, and what happens when it closes
//! (RFC 3261 §18, RFC 5626, RFC 5923).

use bytes::Bytes;
use model::{ExtensionId, Transport};

use super::phone::SDP;
use super::tape::stream;
use super::{ALICE, BOB, Phone, Tape};
use crate::endpoint::{BindingChange, Closing, EndReason, Event, Input, Target};
use crate::message::StatusCode;

fn phone(transport: Transport, remote: &str, user: &str) -> Phone {
    let mut phone = Phone::new(remote, user);
    phone.flow = stream(transport, remote);
    phone
}

#[test]
fn a_message_may_come_in_pieces_and_two_in_one() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tcp, ALICE, "100");
    tape.input(Input::StreamOpened { flow: phone.flow });
    let two = phone.request("OPTIONS", "", "") + &phone.request("OPTIONS", "", "");
    let (start, rest) = two.split_at(100);
    tape.recv(phone.flow, start);
    tape.sends_nothing();
    tape.recv(phone.flow, rest);
    tape.sends("200 OPTIONS");
    tape.sends("200 OPTIONS");
}

#[test]
fn a_ping_gets_a_pong() {
    let mut tape = Tape::new();
    let flow = stream(Transport::Tls, ALICE);
    tape.recv(flow, "\r\n\r\n");
    let pong = tape.sent.pop_front().unwrap();
    assert_eq!((pong.flow, &pong.bytes[..]), (flow, &b"\r\n"[..]));
    tape.sends_nothing();
}

#[test]
fn our_addresses_name_the_transport() {
    for (transport, name, via) in [
        (Transport::Tcp, "tcp", "TCP"),
        (Transport::Tls, "tls", "TLS"),
    ] {
        let mut tape = Tape::new();
        let mut phone = phone(transport, BOB, "200");
        let (_, invite, ack) = phone.answered(&mut tape, "");
        let contact = format!("<sip:100@192.0.2.1:5060;transport={name}>");
        assert_eq!(invite.header("Contact"), contact);
        assert!(
            invite
                .header("Via")
                .starts_with(&format!("SIP/2.0/{via} 192.0.2.1:5060"))
        );
        assert_eq!((invite.flow, ack.flow), (phone.flow, phone.flow));
    }
}

#[test]
fn ipv6_stands_in_brackets() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(BOB, "200");
    phone.flow.local = "[2001:db8::1]:5060".parse().unwrap();
    phone.flow.remote = "[2001:db8::20]:5070".parse().unwrap();
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    assert_eq!(invite.header("Contact"), "<sip:100@[2001:db8::1]:5060>");
    assert!(
        invite
            .header("Via")
            .starts_with("SIP/2.0/UDP [2001:db8::1]:5060;")
    );
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", SDP));
    assert_eq!(
        tape.sends("ACK").request().uri.to_string(),
        "sip:200@[2001:db8::20]:5070"
    );
    let options = phone.request("OPTIONS", "", "");
    tape.recv(phone.flow, &options);
    assert!(
        tape.sends("200 OPTIONS")
            .header("Via")
            .contains("received=2001:db8::20")
    );
}

#[test]
fn nothing_is_sent_twice_over_a_stream_but_the_2xx() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tcp, ALICE, "100");
    let (session, _) = phone.invite(&mut tape, "", SDP);
    tape.act(|box_, now| box_.accept(now, session, "answer".into()));
    let ok = tape.sends("200 INVITE");
    tape.after(500);
    assert_eq!(tape.sends("200 INVITE").bytes, ok.bytes);
    phone.learn(&ok);
    let ack = phone.ack(phone.cseq, "");
    tape.recv(phone.flow, &ack);
    tape.event();
    tape.act(|box_, now| box_.end(now, session, None));
    tape.sends("BYE");
    tape.after(31_000);
    tape.sends_nothing();
    // The phone is waited for: see `farewells`.
    tape.after(600_000);
    tape.ends_clean();
    tape.sends_nothing();
}

#[test]
fn a_closed_connection_fails_our_requests_at_once() {
    let mut tape = Tape::new();
    let phone = phone(Transport::Tcp, BOB, "200");
    phone.called(&mut tape, Some("offer"));
    tape.input(Input::StreamClosed { flow: phone.flow });
    assert!(matches!(
        tape.event(),
        Event::Refused {
            status: StatusCode::FLOW_FAILED,
            ..
        }
    ));
    tape.ends_clean();
}

#[test]
fn a_port_that_is_closed_fails_our_requests_at_once() {
    let mut tape = Tape::new();
    let phone = Phone::new(BOB, "200");
    phone.called(&mut tape, Some("offer"));
    tape.input(Input::SendFailed { flow: phone.flow });
    assert!(matches!(
        tape.event(),
        Event::Refused {
            status: StatusCode::FLOW_FAILED,
            ..
        }
    ));
    tape.ends_clean();
}

#[test]
fn another_flow_is_not_touched() {
    let mut tape = Tape::new();
    let (one, other) = (Phone::new(BOB, "200"), Phone::new(ALICE, "100"));
    one.called(&mut tape, Some("offer"));
    tape.input(Input::SendFailed { flow: other.flow });
    tape.no_event();
}

#[test]
fn a_caller_whose_connection_closes_while_it_rings_is_gone() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tls, ALICE, "100");
    phone.invite(&mut tape, "", SDP);
    tape.input(Input::StreamClosed { flow: phone.flow });
    assert!(matches!(
        tape.event(),
        Event::Ended {
            reason: EndReason::TransportFailed,
            ..
        }
    ));
    assert_eq!(tape.endpoint.counts().sessions, 0);
}

#[test]
fn a_call_outlives_its_connection_and_follows_the_phone_to_the_next() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tls, ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    tape.input(Input::StreamClosed { flow: phone.flow });
    tape.no_event();
    phone.flow = stream(Transport::Tls, "192.0.2.10:40001");
    tape.input(Input::StreamOpened { flow: phone.flow });
    let info = phone.request("INFO", "", "");
    tape.recv(phone.flow, &info);
    assert_eq!(tape.sends("200 INFO").flow, phone.flow);
    tape.act(|box_, now| box_.end(now, session, None));
    assert_eq!(tape.sends("BYE").flow, phone.flow);
}

#[test]
fn a_dialog_follows_only_what_is_in_order_and_never_out_of_tls() {
    for (transport, target, follows) in [
        (Transport::Udp, Transport::Udp, true),
        (Transport::Udp, Transport::Tls, true),
        (Transport::Tls, Transport::Tls, true),
        (Transport::Tls, Transport::Tcp, false),
        (Transport::Tls, Transport::Udp, false),
    ] {
        let mut tape = Tape::new();
        let mut phone = phone(transport, ALICE, "100");
        let session = phone.in_call(&mut tape, "");
        let first = phone.flow;
        phone.flow = stream(target, "192.0.2.10:40001");
        phone.cseq = 0;
        let old = phone.request("INFO", "", "");
        tape.recv(phone.flow, &old);
        tape.sends(if follows { "500 INFO" } else { "403 INFO" });
        tape.act(|box_, now| box_.offer(now, session, "offer".into()));
        let ours = tape.sends("INVITE");
        assert_eq!(ours.flow, first);
        tape.recv(first, &phone.answer(&ours, "200 OK", "", SDP));
        tape.sends("ACK");
        phone.cseq = 100;
        let info = phone.request("INFO", "", "");
        tape.recv(phone.flow, &info);
        tape.sends(if follows { "200 INFO" } else { "403 INFO" });
        tape.act(|box_, now| box_.end(now, session, None));
        let expected = if follows { phone.flow } else { first };
        assert_eq!(tape.sends("BYE").flow, expected);
    }
}

fn register(tape: &mut Tape, phone: &mut Phone, lines: &str) {
    phone.target = "sip:192.0.2.1".to_owned();
    phone.authenticated(tape, "REGISTER", lines, "");
    tape.sends("200 REGISTER");
    tape.event();
}

#[test]
fn an_outbound_contact_ends_with_its_connection() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tls, ALICE, "100");
    let lines = "Contact: <sip:100@192.0.2.10>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n";
    register(&mut tape, &mut phone, lines);
    tape.input(Input::StreamClosed { flow: phone.flow });
    assert!(matches!(
        tape.event(),
        Event::Binding {
            change: BindingChange::Removed,
            ..
        }
    ));
    assert_eq!(tape.endpoint.counts().bindings, 0);
    assert_eq!(tape.endpoint.counts().streams, 0);
}

#[test]
fn another_contact_outlives_it() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tcp, ALICE, "100");
    register(&mut tape, &mut phone, "");
    tape.input(Input::StreamClosed { flow: phone.flow });
    assert!(matches!(tape.event(), Event::Parted { extension } if extension.raw() == 1));
    tape.no_event();
    assert_eq!(tape.endpoint.bindings(ExtensionId::new(1)).len(), 1);
}

/// The first contact of extension 100 that can be called, and how.
fn target(tape: &Tape) -> Option<Target> {
    let (_, target) = tape.endpoint.reachable(ExtensionId::new(1)).next()?;
    Some(target)
}

#[test]
fn a_phone_whose_connection_is_gone_is_called_where_it_listens_or_not_at_all() {
    const PATH: &str = "Supported: path\r\nPath: <sip:192.0.2.10:5080;transport=tcp;lr>\r\n";
    let (udp, tcp, tls) = (Transport::Udp, Transport::Tcp, Transport::Tls);
    for (transport, contact, lines, listens) in [
        (tcp, "sip:100@192.0.2.10:5070;transport=tcp", "", Some(5070)),
        (tcp, "sip:100@192.0.2.10", "", Some(5060)),
        // Behind NAT it listens where nobody comes.
        (tcp, "sip:100@10.0.0.7:5070;transport=tcp", "", None),
        (tcp, "sip:100@phone.example;transport=tcp", "", None),
        (tcp, "sip:100@192.0.2.10:5070;transport=udp", "", None),
        (tcp, "sips:100@192.0.2.10:5070", "", None),
        // It is the proxy that is called, not what is behind.
        (tcp, "sip:100@10.0.0.7:5070", PATH, Some(5080)),
        (tls, "sip:100@192.0.2.10:5061;transport=tls", "", None),
        (udp, "sip:100@192.0.2.10:5070", "", Some(40_000)),
    ] {
        let mut tape = Tape::new();
        let mut phone = phone(transport, "192.0.2.10:40000", "100");
        let lines = format!("Contact: <{contact}>\r\n{lines}");
        register(&mut tape, &mut phone, &lines);
        assert_eq!(target(&tape).unwrap().flow, phone.flow);
        tape.input(Input::StreamClosed { flow: phone.flow });
        if transport.is_stream() {
            assert!(matches!(tape.event(), Event::Parted { .. }));
        }
        tape.no_event();
        let expected = listens.map(|port| stream(transport, &format!("192.0.2.10:{port}")));
        let target = target(&tape);
        assert_eq!(
            target.as_ref().map(|target| target.flow),
            expected,
            "{contact}"
        );
        assert_eq!(tape.endpoint.bindings(ExtensionId::new(1)).len(), 1);
        let Some(target) = target else { continue };
        assert_eq!(target.uri, contact.parse().unwrap());
        // The shell opens the connection.
        let mut invite = phone.outgoing(Some("offer"));
        invite.target = target;
        tape.act(|box_, now| box_.invite(now, invite));
        assert_eq!(Some(tape.sends("INVITE").flow), expected);
    }
}

#[test]
fn the_contacts_that_can_be_called_are_the_rest() {
    let mut tape = Tape::new();
    let mut gone = phone(Transport::Tls, "192.0.2.10:40000", "100");
    register(
        &mut tape,
        &mut gone,
        "Contact: <sip:a@192.0.2.10>;q=1.0\r\n",
    );
    let mut there = phone(Transport::Tls, "192.0.2.11:40000", "100");
    there.call_id = "another".to_owned();
    register(
        &mut tape,
        &mut there,
        "Contact: <sip:b@192.0.2.11>;q=0.5\r\n",
    );
    tape.input(Input::StreamClosed { flow: gone.flow });
    assert_eq!(target(&tape).unwrap().flow, there.flow);
    assert_eq!(tape.endpoint.reachable(ExtensionId::new(1)).count(), 1);
    // Back again, it is called there, first.
    gone.flow = stream(Transport::Tls, "192.0.2.10:40001");
    register(
        &mut tape,
        &mut gone,
        "Contact: <sip:a@192.0.2.10>;q=1.0\r\n",
    );
    assert_eq!(target(&tape).unwrap().flow, gone.flow);
}

#[test]
fn a_call_whose_connection_is_gone_goes_on_where_its_peer_listens() {
    for (transport, contact, port) in [
        (
            Transport::Tcp,
            "sip:100@192.0.2.10:5070;transport=tcp",
            5070,
        ),
        (
            Transport::Tcp,
            "sip:100@10.0.0.7:5070;transport=tcp",
            40_000,
        ),
        (
            Transport::Tls,
            "sip:100@192.0.2.10:5070;transport=tls",
            40_000,
        ),
    ] {
        let mut tape = Tape::new();
        let mut phone = phone(transport, "192.0.2.10:40000", "100");
        let session = phone.in_call(&mut tape, &format!("Contact: <{contact}>\r\n"));
        tape.input(Input::StreamClosed { flow: phone.flow });
        tape.act(|box_, now| box_.end(now, session, None));
        assert_eq!(tape.sends("BYE").flow.remote.port(), port, "{contact}");
    }
}

#[test]
fn an_answer_by_another_connection_takes_the_call_there() {
    for early in ["", "180 Ringing"] {
        let mut tape = Tape::new();
        let mut phone = phone(Transport::Tls, BOB, "200");
        let (session, invite) = phone.called(&mut tape, Some("offer"));
        tape.input(Input::StreamOpened { flow: phone.flow });
        if !early.is_empty() {
            tape.recv(phone.flow, &phone.answer(&invite, early, "", ""));
        }
        // The phone has lost it; for us it is open for as long as nothing is sent.
        let ok = phone.answer(&invite, "200 OK", "", SDP);
        phone.flow = stream(Transport::Tls, "192.0.2.20:40001");
        tape.recv(phone.flow, &ok);
        assert_eq!(tape.sends("ACK").flow, phone.flow, "{early}");
        // By yet another one, as the ACK was lost with the one before.
        tape.input(Input::StreamClosed { flow: phone.flow });
        phone.flow = stream(Transport::Tls, "192.0.2.20:40002");
        tape.recv(phone.flow, &ok);
        assert_eq!(tape.sends("ACK").flow, phone.flow, "{early}");
        // It has shown who it is.
        tape.after(60_000);
        assert_eq!(tape.closed.pop_front(), None);
        tape.act(|box_, now| box_.offer(now, session, "offer".into()));
        let offer = tape.sends("INVITE");
        assert_eq!(offer.flow, phone.flow);
        let ok = phone.answer(&offer, "200 OK", "", SDP);
        phone.flow = stream(Transport::Tls, "192.0.2.20:40003");
        tape.recv(phone.flow, &ok);
        assert_eq!(tape.sends("ACK").flow, phone.flow);
        tape.act(|box_, now| box_.end(now, session, None));
        assert_eq!(tape.sends("BYE").flow, phone.flow);
    }
}

#[test]
fn only_who_was_on_the_connection_ends_with_it() {
    let mut tape = Tape::new();
    let mut phones = [
        phone(Transport::Tls, ALICE, "100"),
        phone(Transport::Tls, BOB, "200"),
    ];
    for (phone, lines) in phones.iter_mut().zip([
        "Contact: <sip:1@192.0.2.10>;reg-id=1;+sip.instance=\"<urn:uuid:1>\",\
         <sip:2@192.0.2.10>;reg-id=2;+sip.instance=\"<urn:uuid:1>\",\
         <sip:3@192.0.2.10>\r\n",
        "Contact: <sip:1@192.0.2.20>;reg-id=1;+sip.instance=\"<urn:uuid:2>\"\r\n",
    ]) {
        register(&mut tape, phone, lines);
    }
    tape.events.clear();
    tape.input(Input::StreamClosed {
        flow: phones[0].flow,
    });
    let left = |tape: &Tape, id| tape.endpoint.bindings(ExtensionId::new(id)).len();
    assert_eq!((left(&tape, 1), left(&tape, 2)), (1, 1));
    // Moved to another connection, it does not end with the one that it left.
    let old = phones[1].flow;
    phones[1].flow = stream(Transport::Tls, "192.0.2.20:40001");
    let lines = "Contact: <sip:1@192.0.2.20>;reg-id=1;+sip.instance=\"<urn:uuid:2>\"\r\n";
    register(&mut tape, &mut phones[1], lines);
    tape.input(Input::StreamClosed { flow: old });
    assert_eq!(left(&tape, 2), 1);
    tape.input(Input::StreamClosed {
        flow: phones[1].flow,
    });
    assert_eq!(left(&tape, 2), 0);
}

#[test]
fn a_call_goes_on_where_its_phone_registers_anew() {
    const OUTBOUND: &str = ";reg-id=1;+sip.instance=\"<urn:uuid:1>\"";
    const OTHER: &str = ";reg-id=1;+sip.instance=\"<urn:uuid:2>\"";
    let (tls, tcp) = (Transport::Tls, Transport::Tcp);
    for (before, after, follows) in [
        // By its address, with outbound and without.
        (
            (tls, "sip:100@192.0.2.10", ""),
            (tls, "sip:100@192.0.2.10", ""),
            true,
        ),
        (
            (tcp, "sip:100@192.0.2.10", OUTBOUND),
            (tcp, "sip:100@192.0.2.10", OUTBOUND),
            true,
        ),
        // By its instance, though its address is another.
        (
            (tls, "sip:100@192.0.2.10", OUTBOUND),
            (tls, "sip:100@192.0.2.99", OUTBOUND),
            true,
        ),
        (
            (tcp, "sip:100@192.0.2.10", OUTBOUND),
            (tls, "sip:100@192.0.2.99", OUTBOUND),
            true,
        ),
        // Another phone of the extension, and one without encryption.
        (
            (tls, "sip:100@192.0.2.10", OUTBOUND),
            (tls, "sip:100@192.0.2.10", OTHER),
            false,
        ),
        (
            (tls, "sip:100@192.0.2.10", ""),
            (tls, "sip:100@192.0.2.99", ""),
            false,
        ),
        (
            (tls, "sip:100@192.0.2.10", OUTBOUND),
            (tcp, "sip:100@192.0.2.10", OUTBOUND),
            false,
        ),
    ] {
        for we_call in [false, true] {
            let mut tape = Tape::new();
            let mut phone = phone(before.0, ALICE, "100");
            let lines = format!("Contact: <{}>{}\r\n", before.1, before.2);
            register(&mut tape, &mut phone, &lines);
            let mut line = phone.clone();
            let session = if we_call {
                line.answered(&mut tape, "").0
            } else {
                line.in_call(&mut tape, "")
            };
            tape.input(Input::StreamClosed { flow: phone.flow });
            phone.flow = stream(after.0, "192.0.2.10:40001");
            let lines = format!("Contact: <{}>{}\r\n", after.1, after.2);
            register(&mut tape, &mut phone, &lines);
            tape.act(|box_, now| box_.end(now, session, None));
            let way = if follows { phone.flow } else { line.flow };
            assert_eq!(
                tape.sends("BYE").flow,
                way,
                "{before:?} {after:?} {we_call}"
            );
        }
    }
}

#[test]
fn a_stream_that_makes_no_sense_is_closed() {
    let mut tape = Tape::new();
    let flow = stream(Transport::Tcp, ALICE);
    tape.input(Input::StreamOpened { flow });
    tape.recv(flow, &"x".repeat(70_000));
    assert_eq!(tape.closed.pop_front(), Some((flow, Closing::Nonsense)));
    assert_eq!(tape.endpoint.counts().streams, 0);
}

#[test]
fn bytes_of_no_open_connection_are_dropped() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tcp, ALICE, "100");
    let bytes = Bytes::from(phone.request("OPTIONS", "", ""));
    let flow = phone.flow;
    tape.input(Input::StreamData {
        flow,
        bytes: bytes.clone(),
    });
    tape.input(Input::StreamOpened { flow });
    tape.input(Input::StreamClosed { flow });
    tape.input(Input::StreamData { flow, bytes });
    tape.sends_nothing();
    assert_eq!(tape.endpoint.counts().streams, 0);
}

#[test]
fn a_connection_that_takes_nothing_more_is_as_good_as_closed() {
    let mut tape = Tape::new();
    let mut phone = phone(Transport::Tls, ALICE, "100");
    let lines = "Contact: <sip:100@192.0.2.10>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n";
    register(&mut tape, &mut phone, lines);
    assert_eq!(tape.endpoint.counts().streams, 1);
    tape.input(Input::SendFailed { flow: phone.flow });
    assert!(matches!(
        tape.event(),
        Event::Binding {
            change: BindingChange::Removed,
            ..
        }
    ));
    assert_eq!(tape.endpoint.counts().streams, 0);
}

#[test]
fn many_pings_at_once_get_one_pong() {
    let mut tape = Tape::new();
    let flow = stream(Transport::Tcp, ALICE);
    tape.recv(flow, &"\r\n\r\n".repeat(1000));
    assert_eq!(&tape.sent.pop_front().unwrap().bytes[..], b"\r\n");
    tape.sends_nothing();
    tape.recv(flow, "\r\n\r\n");
    assert_eq!(&tape.sent.pop_front().unwrap().bytes[..], b"\r\n");
}

//! Calls of before a restart: a new endpoint, which knows nothing of them, ends them (RFC 3261 §12.2.1, §15).

use model::{Cause, ExtensionId, KeptDialog, Transport};

use super::tape::{config, flow, stream};
use super::{ALICE, BOB, Phone, Sent, Tape};
use crate::endpoint::{EndpointConfig, Input, SessionId};

/// The endpoint of the next process, with the contacts that were kept.
fn restarted(before: &Tape) -> Tape {
    let bindings = before.endpoint.all_bindings().cloned().collect();
    let mut tape = Tape::with(EndpointConfig {
        seed: [43; 32],
        ..config()
    });
    tape.act(|box_, now| box_.restore_bindings(now, bindings));
    tape
}

fn kept(tape: &Tape, session: SessionId) -> KeptDialog {
    tape.endpoint.kept_dialog(session).expect("it is up")
}

fn end(tape: &mut Tape, dialogs: &[KeptDialog]) {
    tape.act(|box_, now| box_.end_dialogs(now, dialogs));
}

/// All that a peer knows the dialog by, and where the request goes.
fn dialog_of(bye: &Sent) -> Vec<String> {
    let uri = bye.request().uri.to_string();
    let header = |name| bye.header(name);
    vec![
        bye.flow.to_string(),
        uri,
        header("From"),
        header("To"),
        header("Call-ID"),
        header("Route"),
    ]
}

fn seq_of(request: &Sent) -> u32 {
    request.request().headers.cseq().unwrap().seq
}

#[test]
fn both_roles_are_ended_as_the_process_would_have_ended_them() {
    for (routes, called) in [
        ("", false),
        ("", true),
        ("hop1, hop2", false),
        ("hop", true),
    ] {
        let mut tape = Tape::new();
        let mut phone = Phone::new(BOB, "200");
        let lines: String = routes
            .split(", ")
            .filter(|hop| !hop.is_empty())
            .map(|hop| format!("Record-Route: <sip:{hop}.example;lr>\r\n"))
            .collect();
        let session = if called {
            phone.answered(&mut tape, &lines).0
        } else {
            phone.in_call(&mut tape, &lines)
        };
        let dialog = kept(&tape, session);
        // What is sent after it was kept counts on.
        for _ in 0..3 {
            tape.act(|box_, now| box_.offer(now, session, "offer".into()));
            let offer = tape.sends("INVITE");
            tape.recv(phone.flow, &phone.answer(&offer, "200 OK", "", "answer"));
            tape.sends("ACK");
            tape.event();
        }
        let mut next = restarted(&tape);
        tape.act(|box_, now| box_.end(now, session, None));
        let would_have = tape.sends("BYE");
        end(&mut next, &[dialog]);
        let bye = next.sends("BYE");
        assert_eq!(dialog_of(&bye), dialog_of(&would_have));
        assert!(seq_of(&bye) > seq_of(&would_have));
        assert!(bye.header("Reason").starts_with("Q.850;cause=41"));
        next.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
        next.no_event();
        next.ends_clean();
        next.sends_nothing();
    }
}

#[test]
fn only_what_is_up_is_kept() {
    let mut tape = Tape::new();
    let phone = Phone::new(BOB, "200");
    let (session, invite) = phone.called(&mut tape, Some("offer"));
    tape.recv(phone.flow, &phone.answer(&invite, "180 Ringing", "", ""));
    assert_eq!(tape.endpoint.kept_dialog(session), None);
    tape.recv(phone.flow, &phone.answer(&invite, "200 OK", "", "answer"));
    assert!(tape.endpoint.kept_dialog(session).is_some());
    tape.act(|box_, now| box_.end(now, session, None));
    assert_eq!(tape.endpoint.kept_dialog(session), None);
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again_and_then_given_up() {
    let mut tape = Tape::new();
    let session = Phone::new(ALICE, "100").in_call(&mut tape, "");
    let mut next = restarted(&tape);
    end(&mut next, &[kept(&tape, session)]);
    next.ends_clean();
    // RFC 3261 §17.1.2.2: at 0, 0.5, 1.5, 3.5 s and then every 4 s to 32 s.
    assert_eq!(next.sent.len(), 11);
    next.no_event();
}

#[test]
fn a_thousand_are_ended_bit_by_bit_and_each_once() {
    let mut tape = Tape::new();
    let session = Phone::new(ALICE, "100").in_call(&mut tape, "");
    let one = kept(&tape, session);
    let all: Vec<KeptDialog> = (0..1000)
        .map(|n| KeptDialog {
            call_id: format!("call-{n}"),
            ..one.clone()
        })
        // A party that was being transferred is in two calls.
        .flat_map(|dialog| [dialog.clone(), dialog])
        .collect();
    let mut next = restarted(&tape);
    end(&mut next, &all);
    let mut calls = std::collections::BTreeSet::new();
    let mut most = 0;
    for round in 0..50 {
        next.at(100 * round);
        let new = (next.sent.drain(..)).filter(|sent| calls.insert(sent.header("Call-ID")));
        most = most.max(new.count());
    }
    assert_eq!((calls.len(), most), (1000, 20));
    next.ends_clean();
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    let mut tape = Tape::new();
    let session = Phone::new(ALICE, "100").in_call(&mut tape, "");
    let good = kept(&tape, session);
    let bad = |change: fn(&mut KeptDialog)| {
        let mut dialog = KeptDialog {
            call_id: "other".into(),
            ..good.clone()
        };
        change(&mut dialog);
        dialog
    };
    let all = [
        bad(|dialog| dialog.target = "nowhere".into()),
        bad(|dialog| dialog.routes = vec!["<>".into()]),
        good.clone(),
    ];
    let mut next = restarted(&tape);
    end(&mut next, &all);
    assert_eq!(next.sends("BYE").header("Call-ID"), good.call_id);
    next.sends_nothing();
}

#[test]
fn a_phone_behind_nat_is_where_it_registered_last() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    let dialog = KeptDialog {
        extension: Some(ExtensionId::new(1)),
        ..kept(&tape, session)
    };
    let mut registering = Phone::new(ALICE, "100");
    registering.call_id = "registers".into();
    registering.flow.remote = "192.0.2.10:7777".parse().unwrap();
    let contact = "Contact: <sip:100@192.0.2.10:5060>\r\n";
    registering.authenticated(&mut tape, "REGISTER", contact, "");
    tape.sends("200 REGISTER");
    let mut next = restarted(&tape);
    end(&mut next, &[dialog]);
    let bye = next.sends("BYE");
    assert_eq!(bye.flow, registering.flow);
    assert_eq!(bye.request().uri.to_string(), "sip:100@192.0.2.10:5060");
    // Or where it was in the call, if that is newer.
    assert_eq!(next.sends("BYE").flow, flow(ALICE));
    next.sends_nothing();
}

/// A phone that registered over a connection and is in a call, and its dialog.
fn over_a_connection(transport: Transport) -> (Tape, Phone, KeptDialog) {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    phone.flow = stream(transport, ALICE);
    phone.call_id = "registers".into();
    phone.authenticated(&mut tape, "REGISTER", "", "");
    tape.sends("200 REGISTER");
    tape.event();
    phone.call_id = "calls".into();
    let session = phone.in_call(&mut tape, "");
    let dialog = kept(&tape, session);
    (tape, phone, dialog)
}

fn registers_from(next: &mut Tape, transport: Transport, port: u16) -> Phone {
    let mut phone = Phone::new(ALICE, "100");
    phone.flow = stream(transport, &format!("192.0.2.10:{port}"));
    phone.call_id = "registers".into();
    phone.cseq = 100 + u32::from(port);
    let contact = "Contact: <sip:100@192.0.2.10:5060>\r\n";
    phone.authenticated(next, "REGISTER", contact, "");
    next.sends("200 REGISTER");
    phone
}

#[test]
fn over_a_connection_the_phone_is_waited_for() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let (tape, phone, dialog) = over_a_connection(transport);
        let mut next = restarted(&tape);
        end(&mut next, &[dialog]);
        next.after(60_000);
        next.sends_nothing();
        let again = registers_from(&mut next, transport, 40_000);
        let bye = next.sends("BYE");
        assert_eq!(bye.flow, again.flow);
        assert_eq!(bye.header("Call-ID"), phone.call_id);
        next.recv(again.flow, &again.answer(&bye, "200 OK", "", ""));
        // That was all: the next registration is told nothing.
        registers_from(&mut next, transport, 40_001);
        next.sends_nothing();
        next.ends_clean();
    }
}

#[test]
fn what_was_encrypted_is_not_ended_in_the_clear() {
    let (tape, ..) = over_a_connection(Transport::Tls);
    let (_, _, dialog) = over_a_connection(Transport::Tls);
    let mut next = restarted(&tape);
    end(&mut next, &[dialog]);
    registers_from(&mut next, Transport::Tcp, 40_000);
    next.sends_nothing();
}

#[test]
fn a_phone_that_stays_away_for_long_is_not_waited_for() {
    let (tape, mut phone, dialog) = over_a_connection(Transport::Tcp);
    let mut next = restarted(&tape);
    end(&mut next, &[dialog]);
    next.after(600_001);
    let again = registers_from(&mut next, Transport::Tcp, 40_000);
    next.sends_nothing();
    // What it asks for in the dialog tells it.
    phone.flow = again.flow;
    for method in ["INVITE", "UPDATE", "BYE", "INFO", "REFER", "OPTIONS"] {
        let request = phone.request(method, "", "");
        next.recv(phone.flow, &request);
        next.sends(&format!("481 {method}"));
        if method == "INVITE" {
            let ack = phone.ack(phone.cseq, "");
            next.recv(phone.flow, &ack);
        }
    }
    next.sends_nothing();
}

#[test]
fn what_cannot_be_sent_is_tried_again_until_the_network_is_there() {
    let mut tape = Tape::new();
    let phone = Phone::new(ALICE, "100");
    let session = phone.clone().in_call(&mut tape, "");
    let one = kept(&tape, session);
    let all: Vec<KeptDialog> = (0..100)
        .map(|n| KeptDialog {
            call_id: format!("call-{n}"),
            ..one.clone()
        })
        .collect();
    let mut next = restarted(&tape);
    end(&mut next, &all);
    let mut told = std::collections::BTreeSet::new();
    for at in (0..30_000).step_by(100) {
        next.at(at);
        for bye in next.sent.drain(..).collect::<Vec<_>>() {
            if at < 20_000 {
                next.input(Input::SendFailed { flow: bye.flow });
            } else {
                assert!(told.insert(bye.header("Call-ID")), "{bye}");
                next.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
            }
        }
        let left = next.endpoint.unended_dialogs().len();
        assert_eq!(left, all.len() - told.len(), "{at}");
    }
    assert_eq!(told.len(), 100);
    next.ends_clean();
}

#[test]
fn what_cannot_be_sent_for_long_is_forgotten() {
    let mut tape = Tape::new();
    let session = Phone::new(ALICE, "100").in_call(&mut tape, "");
    let mut next = restarted(&tape);
    end(&mut next, &[kept(&tape, session)]);
    let mut tries = 0;
    while let Some(bye) = next.sent.pop_front() {
        tries += 1;
        next.input(Input::SendFailed { flow: bye.flow });
        next.after(5000);
    }
    assert_eq!(tries, 121);
    assert_eq!(next.endpoint.unended_dialogs(), []);
    next.ends_clean();
}

#[test]
fn who_is_told_on_two_ways_is_told_again_as_long_as_both_fail() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    let dialog = KeptDialog {
        extension: Some(ExtensionId::new(1)),
        ..kept(&tape, session)
    };
    let mut registering = Phone::new(ALICE, "100");
    registering.call_id = "registers".into();
    registering.flow.remote = "192.0.2.10:7777".parse().unwrap();
    let contact = "Contact: <sip:100@192.0.2.10:5060>\r\n";
    registering.authenticated(&mut tape, "REGISTER", contact, "");
    tape.sends("200 REGISTER");
    let mut next = restarted(&tape);
    end(&mut next, &[dialog]);
    for order in [[0, 1], [1, 0]] {
        let ways = [next.sends("BYE"), next.sends("BYE")];
        assert_eq!(ways[0].flow, registering.flow);
        assert_eq!(ways[1].flow, flow(ALICE));
        for way in order {
            next.input(Input::SendFailed {
                flow: ways[way].flow,
            });
        }
        next.sends_nothing();
        next.after(5000);
    }
    let ways = [next.sends("BYE"), next.sends("BYE")];
    next.input(Input::SendFailed { flow: ways[0].flow });
    next.recv(phone.flow, &phone.answer(&ways[1], "200 OK", "", ""));
    assert_eq!(next.endpoint.unended_dialogs(), []);
    next.ends_clean();
    next.sends_nothing();
}

#[test]
fn a_phone_whose_connection_is_gone_at_the_end_of_its_call_is_told_on_the_next() {
    for before in [false, true] {
        let (mut tape, phone, dialog) = over_a_connection(Transport::Tls);
        let session = SessionId(1);
        // The connection goes before the call ends, or before the answer to the BYE.
        if before {
            tape.input(Input::StreamClosed { flow: phone.flow });
        }
        tape.act(|box_, now| box_.end(now, session, None));
        let first = tape.sends("BYE");
        tape.input(Input::SendFailed { flow: phone.flow });
        assert_eq!(tape.endpoint.counts().sessions, 0);
        let left = tape.endpoint.unended_dialogs();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].call_id, dialog.call_id);
        tape.after(60_000);
        tape.sends_nothing();
        let again = registers_from(&mut tape, Transport::Tls, 40_000);
        let bye = tape.sends("BYE");
        assert_eq!(bye.flow, again.flow);
        assert_eq!(bye.header("Call-ID"), phone.call_id);
        assert!(seq_of(&bye) > seq_of(&first));
        tape.recv(again.flow, &again.answer(&bye, "200 OK", "", ""));
        assert_eq!(tape.endpoint.unended_dialogs(), []);
        tape.ends_clean();
        tape.sends_nothing();
    }
}

/// It lost its power or its network: its connection stays open, and nobody answers there.
#[test]
fn a_phone_that_vanished_is_told_on_its_next_connection() {
    for transport in [Transport::Tcp, Transport::Tls] {
        // It is back before the BYE is given up, or after.
        for early in [false, true] {
            let (mut tape, phone, _) = over_a_connection(transport);
            tape.act(|box_, now| box_.end(now, SessionId(1), None));
            let first = tape.sends("BYE");
            tape.at(if early { 10_000 } else { 60_000 });
            let mut again = registers_from(&mut tape, transport, 40_000);
            if early {
                tape.sends_nothing();
                tape.at(32_000);
            }
            let bye = tape.sends("BYE");
            assert_eq!(tape.endpoint.counts().sessions, 0);
            assert_eq!(bye.flow, again.flow);
            assert_eq!(bye.header("Call-ID"), phone.call_id);
            assert!(seq_of(&bye) > seq_of(&first));
            // It does not answer there either: whatever comes on that connection, it is not told there again.
            tape.after(32_000);
            let contact = "Contact: <sip:100@192.0.2.10:5060>\r\n";
            again.authenticated(&mut tape, "REGISTER", contact, "");
            tape.sends("200 REGISTER");
            tape.sends_nothing();
            assert_eq!(tape.endpoint.unended_dialogs().len(), 1);
            let last = registers_from(&mut tape, transport, 50_000);
            let bye = tape.sends("BYE");
            assert_eq!(bye.flow, last.flow);
            tape.recv(last.flow, &last.answer(&bye, "200 OK", "", ""));
            assert_eq!(tape.endpoint.unended_dialogs(), []);
            tape.ends_clean();
            tape.sends_nothing();
        }
    }
}

#[test]
fn who_comes_back_by_no_other_connection_is_told_once() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    phone.flow = stream(Transport::Tcp, ALICE);
    let session = phone.in_call(&mut tape, "");
    let dialog = KeptDialog {
        extension: None,
        ..kept(&tape, session)
    };
    let mut next = restarted(&tape);
    end(&mut next, &[dialog]);
    next.sends("BYE");
    next.input(Input::StreamOpened { flow: phone.flow });
    next.ends_clean();
    next.sends_nothing();
    assert_eq!(next.endpoint.unended_dialogs(), []);
}

#[test]
fn a_bye_that_could_not_be_sent_is_sent_when_it_can_be() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    let cause = Some(Cause::NORMAL_CALL_CLEARING);
    tape.act(|box_, now| box_.end(now, session, cause));
    let first = tape.sends("BYE");
    tape.input(Input::SendFailed { flow: phone.flow });
    assert_eq!(tape.endpoint.unended_dialogs().len(), 1);
    // It has nothing to do with what the process before has left.
    assert!(!tape.endpoint.is_ending_dialogs());
    tape.sends_nothing();
    tape.after(5000);
    let bye = tape.sends("BYE");
    assert_eq!(bye.header("Call-ID"), first.header("Call-ID"));
    assert!(bye.header("Reason").starts_with("Q.850;cause=16"), "{bye}");
    assert!(seq_of(&bye) > seq_of(&first));
    tape.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
    assert_eq!(tape.endpoint.unended_dialogs(), []);
    tape.ends_clean();
    tape.sends_nothing();
}

#[test]
fn what_the_process_before_left_is_ended_whatever_could_not_be_sent_since() {
    let mut tape = Tape::new();
    let session = Phone::new(ALICE, "100").in_call(&mut tape, "");
    let mut next = restarted(&tape);
    assert!(!next.endpoint.is_ending_dialogs());
    end(&mut next, &[kept(&tape, session)]);
    assert!(next.endpoint.is_ending_dialogs());
    let before = next.sends("BYE");
    let mut bob = Phone::new(BOB, "200");
    let session = bob.in_call(&mut next, "");
    next.act(|box_, now| box_.end(now, session, None));
    next.sends("BYE");
    next.input(Input::SendFailed { flow: bob.flow });
    let alice = Phone::new(ALICE, "100");
    next.recv(alice.flow, &alice.answer(&before, "200 OK", "", ""));
    assert!(!next.endpoint.is_ending_dialogs());
    assert_eq!(next.endpoint.unended_dialogs().len(), 1);
}

#[test]
fn as_many_are_told_later_as_there_may_be_sessions_and_the_rest_are_counted() {
    let config = EndpointConfig {
        sessions: 2,
        ..config()
    };
    let mut tape = Tape::with(config);
    for n in 0..3 {
        let mut phone = Phone::new(&format!("192.0.2.{}:5060", 30 + n), "100");
        phone.call_id = format!("call-{n}");
        let session = phone.in_call(&mut tape, "");
        tape.act(|box_, now| box_.end(now, session, None));
        tape.sends("BYE");
        tape.input(Input::SendFailed { flow: phone.flow });
    }
    assert_eq!(tape.endpoint.unended_dialogs().len(), 2);
    assert_eq!(tape.endpoint.given_up_dialogs(), 1);
}

/// Its contact ended with its connection, just before the process did.
#[test]
fn a_phone_that_was_not_registered_at_the_restart_is_told_when_it_is() {
    const INSTANCE: &str = ";+sip.instance=\"<urn:uuid:1>\"";
    for (instance, reg_id, port) in [
        (INSTANCE, ";reg-id=1", 40_000),
        (INSTANCE, "", 40_000),
        ("", "", 5060),
    ] {
        let mut tape = Tape::new();
        let mut phone = Phone::new(ALICE, "100");
        phone.flow = stream(Transport::Tls, ALICE);
        phone.call_id = "registers".into();
        let register = |tape: &mut Tape, phone: &mut Phone, port: u16| {
            let contact = format!("Contact: <sip:100@192.0.2.10:{port}>{instance}{reg_id}\r\n");
            phone.authenticated(tape, "REGISTER", &contact, "");
            tape.sends("200 REGISTER");
            tape.event();
        };
        register(&mut tape, &mut phone, 5060);
        let mut calling = phone.clone();
        calling.call_id = "calls".into();
        let session = calling.in_call(&mut tape, "");
        let dialog = kept(&tape, session);
        let mut next = Tape::with(EndpointConfig {
            seed: [43; 32],
            ..config()
        });
        end(&mut next, &[dialog]);
        next.after(60_000);
        next.sends_nothing();
        // Another phone of the extension is not it.
        let mut other = Phone::new("192.0.2.11:40000", "100");
        other.flow.transport = Transport::Tls;
        other.call_id = "other".into();
        other.authenticated(&mut next, "REGISTER", "", "");
        next.sends("200 REGISTER");
        next.event();
        next.sends_nothing();
        phone.flow = stream(Transport::Tls, "192.0.2.10:40000");
        register(&mut next, &mut phone, port);
        let bye = next.sends("BYE");
        assert_eq!(bye.flow, phone.flow);
        assert_eq!(bye.header("Call-ID"), "calls");
    }
}

/// Bob's phone registers.
fn registered(tape: &mut Tape) {
    let mut phone = Phone::new(BOB, "200");
    phone.call_id = "registers".into();
    let contact = format!("Contact: <sip:200@{BOB}>\r\nExpires: 600\r\n");
    phone.authenticated(tape, "REGISTER", &contact, "");
    tape.sends("200 REGISTER");
    tape.event();
}

#[test]
fn a_phone_that_rang_on_is_told_when_it_is_answered() {
    for prack in ["", "Require: 100rel\r\nRSeq: 1\r\n"] {
        let mut tape = Tape::new();
        let phone = Phone::new(BOB, "200");
        registered(&mut tape);
        let (_, invite) = phone.called(&mut tape, Some("offer"));
        let progress = phone.answer(&invite, "183 Session Progress", prack, "");
        tape.recv(phone.flow, &progress);
        let mut next = restarted(&tape);
        let ok = phone.answer(&invite, "200 OK", "", "answer");
        next.recv(phone.flow, &ok);
        let ack = next.sends("ACK");
        assert_eq!(seq_of(&ack), seq_of(&invite));
        let bye = next.sends("BYE");
        assert_eq!(bye.header("Call-ID"), invite.header("Call-ID"));
        assert_eq!(bye.header("From"), invite.header("From"));
        assert_eq!(bye.request().uri.to_string(), ack.request().uri.to_string());
        assert!(seq_of(&bye) > seq_of(&invite) + 1);
        // The ACK was lost: it comes again, the BYE does not.
        next.recv(phone.flow, &ok);
        next.sends("ACK");
        next.recv(phone.flow, &phone.answer(&bye, "200 OK", "", ""));
        next.sends_nothing();
        // Nobody else has us send anything.
        next.recv(flow("203.0.113.66:5060"), &ok);
        next.sends_nothing();
        next.no_event();
        next.ends_clean();
    }
}

#[test]
fn an_answer_that_comes_late_does_not_end_its_call() {
    let mut tape = Tape::new();
    let phone = Phone::new(BOB, "200");
    registered(&mut tape);
    let (_, invite) = phone.called(&mut tape, Some("offer"));
    let ok = phone.answer(&invite, "200 OK", "", "answer");
    tape.recv(phone.flow, &ok);
    tape.sends("ACK");
    tape.event();
    // Its transaction is over (RFC 6026 §8.4).
    tape.at(60_000);
    tape.recv(phone.flow, &ok);
    tape.sends_nothing();
    tape.no_event();
}

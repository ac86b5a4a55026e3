//! Whether a phone in a call is still there.

use super::{ALICE, Phone, Tape};
use crate::endpoint::Event;

#[test]
fn a_phone_that_answers_is_there_whatever_it_answers() {
    for (status, there) in [
        ("200 OK", true),
        ("405 Method Not Allowed", true),
        ("500 Internal Error", true),
        ("481 Call Does Not Exist", false),
        ("408 Request Timeout", false),
    ] {
        let mut tape = Tape::new();
        let mut phone = Phone::new(ALICE, "100");
        let session = phone.in_call(&mut tape, "");
        tape.act(|box_, now| box_.ask(now, session));
        let options = tape.sends("OPTIONS");
        assert!(options.header("Accept").contains("application/sdp"));
        tape.recv(phone.flow, &phone.answer(&options, status, "", ""));
        if there {
            assert!(matches!(tape.event(), Event::Alive { session: of } if of == session));
        }
        tape.no_event();
        tape.at(60_000);
        tape.sends_nothing();
    }
}

#[test]
fn one_that_does_not_is_not_told_of_and_keeps_its_call() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    tape.act(|box_, now| box_.ask(now, session));
    tape.at(60_000);
    tape.no_event();
    tape.act(|box_, now| box_.end(now, session, None));
    while tape.sent.len() > 1 {
        tape.sends("OPTIONS");
    }
    tape.sends("BYE");
    tape.act(|box_, now| box_.ask(now, session));
    tape.sends_nothing();
}

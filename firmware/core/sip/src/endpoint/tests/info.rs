//! Digits by INFO.

use super::{ALICE, Phone, Tape};
use crate::endpoint::Event;

#[test]
fn digits_and_the_flash_come_as_events() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    let session = phone.in_call(&mut tape, "");
    for (kind, body, expected) in [
        (
            "application/dtmf-relay",
            "Signal=5\r\nDuration=160\r\n",
            ('5', 160),
        ),
        (
            "application/dtmf-relay",
            "Signal=#\r\nDuration=90\r\n",
            ('#', 90),
        ),
        ("application/dtmf", "7", ('7', 160)),
        ("application/dtmf-relay", "Signal=hf\r\n", ('!', 160)),
    ] {
        let info = phone.request("INFO", &format!("Content-Type: {kind}\r\n"), body);
        tape.recv(phone.flow, &info);
        tape.sends("200 INFO");
        match tape.event() {
            Event::Digit {
                session: of,
                digit,
                duration_ms,
            } => {
                assert_eq!((of, (digit, duration_ms)), (session, expected));
            }
            other => panic!("{other:?}"),
        }
        // Again: the same answer, but no second digit.
        tape.recv(phone.flow, &info);
        tape.sends("200 INFO");
        tape.no_event();
    }
}

#[test]
fn what_is_no_digit_is_refused() {
    let mut tape = Tape::new();
    let mut phone = Phone::new(ALICE, "100");
    phone.in_call(&mut tape, "");
    for (kind, body, status) in [
        ("application/dtmf-relay", "Signal=x\r\n", 400),
        ("application/dtmf", "12345", 400),
        ("application/media_control+xml", "<x/>", 415),
    ] {
        let info = phone.request("INFO", &format!("Content-Type: {kind}\r\n"), body);
        tape.recv(phone.flow, &info);
        let refusal = tape.sends(&format!("{status} INFO"));
        assert_eq!(!refusal.header("Accept").is_empty(), status == 415);
        tape.no_event();
    }
}

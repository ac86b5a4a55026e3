//! Any octets as a datagram: nothing panics, what is printed is read back the same, and what is
//! refused can be answered where it says so.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::message::{
    CSeq, Date, Event, Field, HeaderName, Headers, Limits, MediaType, Message, NameAddr, Privacy,
    Reason, Replaces, RetryAfter, SessionExpires, Tokens, Uri, Via, Warning,
};

fuzz_target!(|octets: &[u8]| {
    field::<Via>(octets);
    field::<NameAddr>(octets);
    field::<CSeq>(octets);
    field::<Date>(octets);
    field::<Event>(octets);
    field::<MediaType>(octets);
    field::<Privacy>(octets);
    field::<Reason>(octets);
    field::<Replaces>(octets);
    field::<RetryAfter>(octets);
    field::<SessionExpires>(octets);
    field::<Tokens>(octets);
    field::<Warning>(octets);
    field::<sip::message::AuthValue>(octets);
    if let Ok(uri) = Uri::parse(octets) {
        let again = Uri::parse(uri.to_string().as_bytes()).expect("a printed URI is one");
        assert_eq!(uri, again);
        assert!(uri.equivalent(&again));
    }
    match Message::parse(octets, &Limits::DEFAULT) {
        Ok(message) => {
            read(message.headers());
            let again = Message::parse(&message.to_bytes(), &Limits::DEFAULT);
            assert_eq!(again.expect("a printed message is one"), message);
        }
        Err(error) => {
            if let Some(rejected) = error.rejected {
                let answer = rejected.response().with_to_tag("fuzz").to_bytes();
                assert!(Message::parse(&answer, &Limits::DEFAULT).is_ok());
            }
        }
    }
});

/// What a value prints as reads as the same value, once line ends are out of it.
fn field<T: Field + PartialEq + core::fmt::Debug>(octets: &[u8]) {
    if octets.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
        let _ = T::parse(octets);
        return;
    }
    if let Ok(value) = T::parse(octets) {
        let mut printed = Vec::new();
        value.write(&mut printed);
        assert_eq!(T::parse(&printed).as_ref(), Ok(&value));
    }
}

fn read(headers: &Headers) {
    let _ = (headers.via(), headers.vias(), headers.from(), headers.to());
    let _ = (headers.call_id(), headers.cseq(), headers.contacts());
    let _ = (headers.routes(), headers.record_routes(), headers.allow());
    let _ = (headers.supported(), headers.require(), headers.expires());
    let _ = (
        headers.refer_to(),
        headers.referred_by(),
        headers.replaces(),
    );
    let _ = (headers.reasons(), headers.warnings(), headers.privacy());
    let _ = headers.auth(HeaderName::Authorization);
    let _ = headers.auth(HeaderName::WwwAuthenticate);
}

//! The messages of the standards, of the field, and any octets at all.

mod hard;
mod ipv6;
mod property;
mod torture;
mod uri;

use super::{Limits, Message, ParseErrorKind, Rejected, Request, Response};

fn parse(octets: &[u8]) -> Result<Message, super::ParseError> {
    Message::parse(octets, &Limits::DEFAULT)
}

#[track_caller]
fn request(octets: &[u8]) -> Request {
    match parse(octets) {
        Ok(Message::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

#[track_caller]
fn response(octets: &[u8]) -> Response {
    match parse(octets) {
        Ok(Message::Response(response)) => response,
        other => panic!("no response: {other:?}"),
    }
}

#[track_caller]
fn rejection(octets: &[u8]) -> (ParseErrorKind, Option<Rejected>) {
    let error = parse(octets).expect_err("a message that is refused");
    (error.kind, error.rejected.map(|rejected| *rejected))
}

#[test]
fn an_octet_is_found_where_it_first_stands() {
    for length in 0..40 {
        for at in 0..length {
            let mut octets = vec![b'x'; length];
            octets[at] = b'\n';
            octets[length - 1] = b'\n';
            assert_eq!(super::find(b'\n', &octets), Some(at));
            octets[at] = b'\n' + 1;
            let next = (at < length - 1).then_some(length - 1);
            assert_eq!(super::find(b'\n', &octets), next);
            octets[at] = b'\n' | 0x80;
            assert_eq!(super::find(b'\n', &octets), next);
        }
    }
    assert_eq!(super::find(0, &[0x80; 9]), None);
}

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

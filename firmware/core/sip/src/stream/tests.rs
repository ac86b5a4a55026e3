//! However a stream is cut, the same frames come out of it.

use proptest::prelude::*;

use super::{Frame, Framer, Side, StreamError};
use crate::message::Limits;

type Frames = Vec<Result<Frame, StreamError>>;

fn frames(side: Side, pieces: &[&[u8]]) -> Frames {
    let mut framer = Framer::new(side, Limits::DEFAULT);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        frames.extend(core::iter::from_fn(|| framer.next()));
    }
    frames
}

fn message(body: &str) -> Vec<u8> {
    format!(
        "MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn ok(octets: &[u8]) -> Result<Frame, StreamError> {
    Ok(Frame::Message(octets.to_vec().into()))
}

#[test]
fn messages_come_out_one_by_one() {
    let (one, two) = (message("hello"), message(""));
    let both = [one.clone(), two.clone()].concat();
    assert_eq!(frames(Side::Acceptor, &[&both]), [ok(&one), ok(&two)]);
}

#[test]
fn two_line_ends_from_the_opener_are_a_ping_and_one_is_nothing() {
    let one = message("x");
    let stream = [b"\r\n\r\n\r\n".as_slice(), &one, b"\r\n\r\n"].concat();
    let expected = [Ok(Frame::Ping), ok(&one), Ok(Frame::Ping)];
    assert_eq!(frames(Side::Acceptor, &[&stream]), expected);
    assert_eq!(frames(Side::Acceptor, &[b"\r\n"]), []);
    assert_eq!(
        frames(Side::Acceptor, &[b"\r\n\r", b"\n"]),
        [Ok(Frame::Ping)]
    );
}

#[test]
fn a_line_end_from_the_acceptor_is_a_pong_at_once() {
    assert_eq!(frames(Side::Opener, &[b"\r\n"]), [Ok(Frame::Pong)]);
    let one = message("x");
    let stream = [one.as_slice(), b"\r\n", &one].concat();
    assert_eq!(
        frames(Side::Opener, &[&stream]),
        [ok(&one), Ok(Frame::Pong), ok(&one)]
    );
}

#[test]
fn content_length_must_be_there_once_and_a_number() {
    let with = |line: &str| format!("OPTIONS sip:a@b SIP/2.0\r\n{line}To: x\r\n\r\n");
    for (line, error) in [
        ("", StreamError::NoContentLength),
        ("Content-Length: -5\r\n", StreamError::BadContentLength),
        ("Content-Length:\r\n", StreamError::BadContentLength),
        (
            "l: 0\r\nContent-Length: 0\r\n",
            StreamError::BadContentLength,
        ),
        (
            "l: 99999999999999999999999999\r\n",
            StreamError::BodyTooLong,
        ),
        ("l: 100000\r\n", StreamError::BodyTooLong),
    ] {
        assert_eq!(
            frames(Side::Acceptor, &[with(line).as_bytes()]),
            [Err(error)],
            "{line}"
        );
    }
    for line in ["CONTENT-LENGTH \t: 0\r\n", "L:\r\n 0\r\n", "l: 00\r\n"] {
        let octets = with(line);
        assert_eq!(
            frames(Side::Acceptor, &[octets.as_bytes()]),
            [ok(octets.as_bytes())]
        );
    }
}

#[test]
fn after_an_error_there_is_nothing_more() {
    let mut framer = Framer::new(Side::Acceptor, Limits::DEFAULT);
    framer.push(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n");
    assert_eq!(framer.next(), Some(Err(StreamError::NoContentLength)));
    framer.push(&message("x"));
    assert_eq!(framer.next(), None);
    assert_eq!(framer.unfinished(), None);
}

#[test]
fn a_message_is_unfinished_from_its_first_octet_to_its_last() {
    let mut framer = Framer::new(Side::Acceptor, Limits::DEFAULT);
    let mut after = |octets: &[u8]| {
        framer.push(octets);
        while framer.next().is_some() {}
        framer.unfinished()
    };
    assert_eq!(after(b""), None);
    // Half a ping is no message, however long it lies there.
    assert_eq!(after(b"\r\n"), None);
    assert_eq!(after(b"\r\nO"), Some(1));
    assert_eq!(after(b"PTIONS sip:a@b SIP/2.0\r\n"), Some(25));
    assert_eq!(after(b"l: 7\r\n\r\n"), Some(33 + 7));
    assert_eq!(after(b"123456"), Some(33 + 7));
    assert_eq!(after(b"7"), None);
    assert_eq!(after(&[&message("x")[..], b"O"].concat()), Some(1));
}

#[test]
fn a_header_section_without_end_is_cut_short() {
    let endless = b"x".repeat(Limits::DEFAULT.header_bytes + 1);
    assert_eq!(
        frames(Side::Acceptor, &[&endless]),
        [Err(StreamError::HeaderTooLong)]
    );
}

#[test]
fn octets_that_come_one_by_one_are_looked_at_once() {
    // A header section of the greatest length, octet by octet: quadratic work would show.
    let mut long = b"OPTIONS sip:a@b SIP/2.0\r\nl: 0\r\n".to_vec();
    while long.len() < 32_000 {
        long.extend_from_slice(b"X: y\r\n");
    }
    long.extend_from_slice(b"\r\n");
    let mut framer = Framer::new(Side::Acceptor, Limits::DEFAULT);
    let mut found = 0;
    for octet in &long {
        let before = framer.searched;
        framer.push(core::slice::from_ref(octet));
        found += usize::from(framer.next().is_some());
        assert!(framer.searched + 3 > before || framer.searched == 0);
    }
    assert_eq!(found, 1);
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_frames(
        parts in prop::collection::vec(prop_oneof![
            "[a-z\r\n]{0,40}".prop_map(|body| message(&body)),
            Just(b"\r\n".to_vec()),
            Just(b"\r\n\r\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..20),
        ], 0..8),
        cuts in prop::collection::vec(1usize..30, 1..20),
        opener in any::<bool>(),
    ) {
        let side = if opener { Side::Opener } else { Side::Acceptor };
        let stream = parts.concat();
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        for &cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let whole = frames(side, &[&stream]);
        prop_assert_eq!(&frames(side, &pieces), &whole);
        let single: Vec<_> = stream.chunks(1).collect();
        prop_assert_eq!(frames(side, &single), whole);
    }
}

//! Any octets as a stream: whole or in pieces, the same frames come out of it. The first octet says
//! how long the pieces are and which end opened the connection.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::message::{Limits, Message};
use sip::stream::{Frame, Framer, Side, StreamError};

fuzz_target!(|octets: &[u8]| {
    let Some((&how, stream)) = octets.split_first() else {
        return;
    };
    let side = if how & 1 == 0 {
        Side::Acceptor
    } else {
        Side::Opener
    };
    let whole = frames(side, stream, stream.len().max(1));
    assert_eq!(whole, frames(side, stream, usize::from(how >> 1).max(1)));
    for frame in whole {
        if let Ok(Frame::Message(message)) = frame {
            let _ = Message::parse_bytes(&message, &Limits::DEFAULT);
        }
    }
});

fn frames(side: Side, stream: &[u8], piece: usize) -> Vec<Result<Frame, StreamError>> {
    let mut framer = Framer::new(side, Limits::DEFAULT);
    let mut frames = Vec::new();
    for octets in stream.chunks(piece) {
        framer.push(octets);
        frames.extend(core::iter::from_fn(|| framer.next()));
    }
    frames
}

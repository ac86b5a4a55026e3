//! Messages out of a stream: TCP and TLS (RFC 3261 §7.5, §18.3; RFC 5626 §3.5.1, §4.4.1).
//!
//! A [`Framer`] is fed octets as they come and yields whole messages and keep-alives; how the octets
//! were cut into pieces makes no difference. It reads no more of a message than it must to find its
//! end: [`crate::message::Message::parse_bytes`] does the rest.

#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};

use crate::message::Limits;

/// Which end opened the connection; it decides what a lone line end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We did: a line end between messages answers a ping of ours.
    Opener,
    /// The peer did: two line ends are a ping, one is nothing.
    Acceptor,
}

/// What came out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The octets of one message.
    Message(Bytes),
    /// A keep-alive to be answered with [`Framer::PONG`].
    Ping,
    /// The answer to a keep-alive.
    Pong,
}

/// Why the stream can't go on. The connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A start line and header section longer than the limit.
    #[error("header section exceeds the limit")]
    HeaderTooLong,
    /// A body longer than the limit.
    #[error("body exceeds the limit")]
    BodyTooLong,
    /// No `Content-Length` (RFC 3261 §18.3 demands one in a stream).
    #[error("no Content-Length")]
    NoContentLength,
    /// A `Content-Length` that is no number, or several.
    #[error("malformed Content-Length")]
    BadContentLength,
}

/// Cuts a stream into messages.
#[derive(Debug)]
pub struct Framer {
    side: Side,
    limits: Limits,
    buffer: BytesMut,
    /// Octets of the buffer already searched for the end of the header section.
    searched: usize,
    /// Length of the whole message at the buffer's start, once known.
    message: Option<usize>,
    failed: Option<StreamError>,
}

impl Framer {
    /// What asks the peer for a sign of life.
    pub const PING: &'static [u8] = b"\r\n\r\n";
    /// What answers a ping.
    pub const PONG: &'static [u8] = b"\r\n";

    /// A framer for a new connection.
    #[must_use]
    pub fn new(side: Side, limits: Limits) -> Self {
        Self {
            side,
            limits,
            buffer: BytesMut::new(),
            searched: 0,
            message: None,
            failed: None,
        }
    }

    /// Takes octets as they came. After an error they are dropped.
    pub fn push(&mut self, octets: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(octets);
        }
    }
}

//! Messages out of a stream: TCP and TLS (RFC 3261 §7.5, §18.3; RFC 5626 §3.5.1, §4.4.1).
//!
//! A [`Framer`] is fed octets as they come and yields whole messages and keep-alives; how the octets
//! were cut into pieces makes no difference. It reads no more of a message than it must to find its
//! end: [`crate::message::Message::parse_bytes`] does the rest.

#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes, BytesMut};

use crate::message::{Limits, find, framed_length};

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

    /// The next frame; `None` where more octets are needed.
    ///
    /// After an error there is nothing more: the stream's framing is lost.
    #[expect(
        clippy::should_implement_trait,
        reason = "a framer that says `None` now may yield more later"
    )]
    pub fn next(&mut self) -> Option<Result<Frame, StreamError>> {
        if self.failed.is_some() {
            return None;
        }
        match self.advance() {
            Ok(frame) => frame.map(Ok),
            Err(error) => {
                self.failed = Some(error);
                self.buffer = BytesMut::new();
                self.searched = 0;
                Some(Err(error))
            }
        }
    }

    /// The octets of a message that has begun and not ended: how many there are, or where it said
    /// how long it is, how many there will be. Line ends between messages are none of it.
    #[must_use]
    pub fn unfinished(&self) -> Option<usize> {
        let begun = self.searched > 0 || self.message.is_some();
        begun.then(|| self.message.unwrap_or_default().max(self.buffer.len()))
    }

    fn advance(&mut self) -> Result<Option<Frame>, StreamError> {
        let total = match self.message {
            Some(total) => total,
            None => match self.between_messages() {
                Between::Frame(frame) => return Ok(Some(frame)),
                Between::Wait => return Ok(None),
                Between::Message => {
                    let Some(head) = self.head()? else {
                        return Ok(None);
                    };
                    let total = self.message_length(head)?;
                    *self.message.insert(total)
                }
            },
        };
        if self.buffer.len() < total {
            return Ok(None);
        }
        self.message = None;
        self.searched = 0;
        let octets = self.buffer.split_to(total).freeze();
        Ok(Some(Frame::Message(octets)))
    }

    /// Takes line ends in front of a message (RFC 3261 §7.5, RFC 5626 §4.4.1).
    fn between_messages(&mut self) -> Between {
        while self.searched == 0 {
            match (self.side, self.buffer.as_ref()) {
                (_, [] | [b'\r']) => return Between::Wait,
                (Side::Opener, [b'\r', b'\n', ..]) => {
                    self.buffer.advance(2);
                    return Between::Frame(Frame::Pong);
                }
                (Side::Acceptor, [b'\r', b'\n', b'\r', b'\n', ..]) => {
                    self.buffer.advance(4);
                    return Between::Frame(Frame::Ping);
                }
                // Half of a ping, perhaps.
                (Side::Acceptor, [b'\r', b'\n'] | [b'\r', b'\n', b'\r']) => return Between::Wait,
                (Side::Acceptor, [b'\r', b'\n', ..]) => self.buffer.advance(2),
                (_, [b'\n', ..]) => self.buffer.advance(1),
                _ => break,
            }
        }
        Between::Message
    }

    /// The length of start line and header section, the empty line included, once it is there.
    fn head(&mut self) -> Result<Option<usize>, StreamError> {
        let mut from = self.searched;
        let end = loop {
            let unseen = self.buffer.get(from..).unwrap_or_default();
            let Some(at) = find(b'\n', unseen) else {
                self.searched = self.buffer.len();
                break None;
            };
            let line_end = from + at;
            match self.buffer.get(line_end + 1..).unwrap_or_default() {
                [b'\n', ..] => break Some(line_end + 2),
                [b'\r', b'\n', ..] => break Some(line_end + 3),
                // The next octets decide; this line end is looked at again then.
                [] | [b'\r'] => {
                    self.searched = line_end;
                    break None;
                }
                _ => from = line_end + 1,
            }
        };
        if end.unwrap_or(self.buffer.len()) > self.limits.header_bytes {
            return Err(StreamError::HeaderTooLong);
        }
        Ok(end)
    }

    fn message_length(&self, head: usize) -> Result<usize, StreamError> {
        let section = self.buffer.get(..head).unwrap_or_default();
        let body = framed_length(section)
            .map_err(|()| StreamError::BadContentLength)?
            .ok_or(StreamError::NoContentLength)?;
        if body > self.limits.body_bytes {
            return Err(StreamError::BodyTooLong);
        }
        Ok(head + body)
    }
}

enum Between {
    Frame(Frame),
    /// More octets are needed to tell.
    Wait,
    Message,
}

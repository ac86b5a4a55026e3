//! What can be wrong with a message, and what is left to answer it with (RFC 3261 §8.2, §18.3).

use super::{HeaderName, Headers, Method, Response, StatusCode};

/// A value that breaks the grammar; the text names the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// A header field that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {fault}")]
pub struct HeaderError {
    /// Which.
    pub name: HeaderName,
    /// What about it.
    pub fault: HeaderFault,
}

/// What is wrong with a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// It is not there.
    #[error("missing")]
    Missing,
    /// It is there more than once, and must not be (RFC 3261 §7.3.1).
    #[error("given more than once")]
    Repeated,
    /// It breaks the grammar.
    #[error("{0}")]
    Malformed(Malformed),
    /// It contradicts the start line (RFC 3261 §8.1.1.5).
    #[error("does not match the request's method")]
    Mismatch,
}

impl HeaderError {
    /// The status to answer a request with that has this fault.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    pub(crate) const fn new(name: HeaderName, fault: HeaderFault) -> Self {
        Self { name, fault }
    }

    pub(crate) const fn malformed(name: HeaderName, what: Malformed) -> Self {
        Self::new(name, HeaderFault::Malformed(what))
    }
}

/// Why octets are not a message that can be worked on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct ParseError {
    /// What was wrong.
    pub kind: ParseErrorKind,
    /// What an answer needs, where one can be given. `None`: drop it.
    pub rejected: Option<Box<Rejected>>,
}

/// What was wrong with the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Nothing but line ends or NULs: a keep-alive, nobody's fault (RFC 5626 §3.5.1).
    #[error("keep-alive")]
    KeepAlive,
    /// The first line is neither a request line nor a status line.
    #[error("start line: {0}")]
    StartLine(&'static str),
    /// A version other than SIP/2.0 (RFC 3261 §7.1).
    #[error("version is not SIP/2.0")]
    Version,
    /// The Request-URI breaks the grammar.
    #[error("Request-URI: {0}")]
    RequestUri(Malformed),
    /// The Request-URI is longer than our limit.
    #[error("Request-URI is too long")]
    UriTooLong,
    /// A status code outside 100 to 699.
    #[error("status code is not from 100 to 699")]
    Status,
    /// A header line that is none.
    #[error("header section: {0}")]
    HeaderLine(&'static str),
    /// `Content-Length` is no number, or several different ones.
    #[error("Content-Length: {0}")]
    ContentLength(&'static str),
    /// Fewer octets of body than `Content-Length` announces.
    #[error("body is shorter than Content-Length")]
    ShortBody,
    /// A limit of ours is exceeded.
    #[error("too large: {0}")]
    TooLarge(&'static str),
}

impl ParseErrorKind {
    /// The status for a request with this fault.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Version => StatusCode::VERSION_NOT_SUPPORTED,
            Self::UriTooLong => StatusCode::REQUEST_URI_TOO_LONG,
            Self::TooLarge(_) => StatusCode::MESSAGE_TOO_LARGE,
            Self::KeepAlive
            | Self::StartLine(_)
            | Self::RequestUri(_)
            | Self::Status
            | Self::HeaderLine(_)
            | Self::ContentLength(_)
            | Self::ShortBody => StatusCode::BAD_REQUEST,
        }
    }
}

/// A request that could not be read whole, but well enough to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The status to answer with.
    pub status: StatusCode,
    /// The method, where the start line gave one. Never ACK: that has no answer.
    pub method: Option<Method>,
    /// The header fields that were readable, a Via among them.
    pub headers: Headers,
}

impl Rejected {
    /// The answer (RFC 3261 §8.2.6.2): Via, From, To, Call-ID and `CSeq` as far as they were there.
    #[must_use]
    pub fn response(&self) -> Response {
        Response::copying(&self.headers, self.status)
    }
}

//! The scanner: octets to a [`Message`] (RFC 3261 §7, §18.3; RFC 4475 for the hard cases).
//!
//! The start line is strict, as RFC 4475 §3.1.2 asks. Header lines end with CRLF or a bare LF, are
//! unfolded here, and their values are slices of the input unless a fold forces a copy.

use bytes::Bytes;

use super::chars::{find, is_blank, trim};
use super::error::{Malformed, ParseError, ParseErrorKind, Rejected};
use super::{
    HeaderName, HeaderValue, Headers, Message, Method, Request, Response, StatusCode, Uri,
};

/// What is accepted at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of start line and header section together.
    pub header_bytes: usize,
    /// Header lines.
    pub headers: usize,
    /// Octets of a Request-URI.
    pub uri_bytes: usize,
    /// Octets of a body.
    pub body_bytes: usize,
}

impl Limits {
    /// What the exchange works with.
    pub const DEFAULT: Self = Self {
        // Ten times the longest real header section seen (a transferred call behind several proxies).
        header_bytes: 32 * 1024,
        // 70 hops (Max-Forwards of RFC 3261 §8.1.1.6) with a Via and a Record-Route each, and as
        // many again for all else.
        headers: 280,
        // RFC 3261 sets none; the longest legitimate ones carry an escaped Replaces or a token.
        uri_bytes: 4 * 1024,
        // A datagram holds 64 KiB; over TCP a presence document or image of that size still passes.
        body_bytes: 64 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

pub(super) fn message(input: &Bytes, limits: &Limits) -> Result<Message, ParseError> {
    // RFC 3261 §7.5: line ends before the start line are ignored.
    let blank = input
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let text = input.get(blank..).unwrap_or_default();
    if text.iter().all(|&byte| byte == 0) {
        return Err(dropped(ParseErrorKind::KeepAlive));
    }
    let (line, section) = split_line(text);
    let start = StartLine::parse(line, limits);
    let scan = Scan::section(input, section, text.len(), limits);
    let start = match start {
        Ok(start) => start,
        Err((kind, method)) => return Err(scan.reject(kind, method)),
    };
    let body = match scan.body(input, limits) {
        Ok(body) => body,
        Err(kind) => {
            return Err(match start {
                StartLine::Request { method, .. } => scan.reject(kind, Some(method)),
                StartLine::Status { .. } => dropped(kind),
            });
        }
    };
    Ok(match start {
        StartLine::Request { method, uri } => Message::Request(Request {
            method,
            uri,
            headers: scan.headers,
            body,
        }),
        StartLine::Status { status, reason } => Message::Response(Response::from_parts(
            status,
            HeaderValue::from_clean(input, reason),
            scan.headers,
            body,
        )),
    })
}

const fn dropped(kind: ParseErrorKind) -> ParseError {
    ParseError {
        kind,
        rejected: None,
    }
}

enum StartLine<'a> {
    Request {
        method: Method,
        uri: Uri,
    },
    Status {
        status: StatusCode,
        reason: &'a [u8],
    },
}

type StartError = (ParseErrorKind, Option<Method>);

impl<'a> StartLine<'a> {
    fn parse(line: &'a [u8], limits: &Limits) -> Result<Self, StartError> {
        if line
            .get(..4)
            .is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/"))
        {
            return Self::status_line(line).map_err(|kind| (kind, None));
        }
        // RFC 3261 §7.1: single spaces, nothing else, part the three elements.
        let Some((method, rest)) = split_once(line, b' ') else {
            return Err((ParseErrorKind::StartLine("no Request-URI"), None));
        };
        let Some(method) = Method::from_bytes(method) else {
            return Err((ParseErrorKind::StartLine("method is no token"), None));
        };
        let Some(last) = rest.iter().rposition(|&byte| byte == b' ') else {
            return Err((ParseErrorKind::StartLine("no version"), Some(method)));
        };
        let (uri, version) = rest.split_at(last);
        let version = version.get(1..).unwrap_or_default();
        let kind = match version {
            _ if version.eq_ignore_ascii_case(b"SIP/2.0") => None,
            [] => Some(ParseErrorKind::StartLine("blank after the version")),
            _ if is_version(version) => Some(ParseErrorKind::Version),
            _ => Some(ParseErrorKind::StartLine("no version")),
        };
        if let Some(kind) = kind {
            return Err((kind, Some(method)));
        }
        if uri.len() > limits.uri_bytes {
            return Err((ParseErrorKind::UriTooLong, Some(method)));
        }
        if uri.iter().copied().any(is_blank) {
            let what = Malformed("blank in it or beside it");
            return Err((ParseErrorKind::RequestUri(what), Some(method)));
        }
        match Uri::parse(uri) {
            // RFC 3261 §19.1.1, RFC 4475 §3.1.2.11: a Request-URI has no headers.
            Ok(Uri::Sip(uri)) if uri.raw_headers().next().is_some() => {
                let what = Malformed("headers in it");
                Err((ParseErrorKind::RequestUri(what), Some(method)))
            }
            Ok(uri) => Ok(Self::Request { method, uri }),
            Err(what) => Err((ParseErrorKind::RequestUri(what), Some(method))),
        }
    }

    fn status_line(line: &'a [u8]) -> Result<Self, ParseErrorKind> {
        let (version, rest) =
            split_once(line, b' ').ok_or(ParseErrorKind::StartLine("no status code"))?;
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            return Err(ParseErrorKind::Version);
        }
        // The blank before an empty phrase is often left out.
        let (code, reason) = split_once(rest, b' ').unwrap_or((rest, b""));
        let status = match code {
            [a, b, c] if code.iter().all(u8::is_ascii_digit) => {
                let digit = |byte: &u8| u16::from(byte - b'0');
                StatusCode::new(digit(a) * 100 + digit(b) * 10 + digit(c))
            }
            _ => None,
        }
        .ok_or(ParseErrorKind::Status)?;
        if reason.contains(&b'\r') {
            return Err(ParseErrorKind::StartLine("carriage return in the phrase"));
        }
        Ok(Self::Status {
            status,
            reason: trim(reason),
        })
    }
}

/// The header section as far as it could be read.
struct Scan<'a> {
    headers: Headers,
    /// What was wrong first.
    fault: Option<ParseErrorKind>,
    content_length: Option<usize>,
    rest: &'a [u8],
}

/// Room for the fields of a usual message: a phone's INVITE has about 20, and one more than this makes
/// an allocation of the slow kind.
const FIELDS: usize = 21;

impl<'a> Scan<'a> {
    /// Reads header lines up to the empty one. A bad line is noted and passed over, so that the
    /// others can serve an answer. `text_len` counts from the start line.
    fn section(input: &Bytes, section: &'a [u8], text_len: usize, limits: &Limits) -> Self {
        let mut scan = Self {
            headers: Headers::with_capacity(FIELDS),
            fault: None,
            content_length: None,
            rest: section,
        };
        loop {
            if scan.rest.is_empty() {
                // RFC 3261 §7: the empty line must be there even without a body.
                scan.note(ParseErrorKind::HeaderLine("no empty line at the end"));
                return scan;
            }
            let (line, folded, rest) = split_folded_line(scan.rest);
            let used = text_len - rest.len();
            scan.rest = rest;
            if line.is_empty() && !folded {
                return scan;
            }
            if used > limits.header_bytes {
                scan.note(ParseErrorKind::TooLarge("header section"));
                return scan;
            }
            if scan.headers.len() >= limits.headers {
                scan.note(ParseErrorKind::TooLarge("number of header lines"));
                return scan;
            }
            if let Err(kind) = scan.line(input, line, folded) {
                scan.note(kind);
            }
        }
    }

    fn line(&mut self, input: &Bytes, line: &[u8], folded: bool) -> Result<(), ParseErrorKind> {
        let (name, value) =
            split_once(line, b':').ok_or(ParseErrorKind::HeaderLine("line without colon"))?;
        let name = trim_end(name);
        let name = HeaderName::from_slice(input, name)
            .ok_or(ParseErrorKind::HeaderLine("name is no token"))?;
        if name == HeaderName::ContentLength {
            return self.length(value);
        }
        let value = if folded {
            HeaderValue::new(value.to_vec())
        } else if find(b'\r', value).is_some() {
            return Err(ParseErrorKind::HeaderLine("carriage return in a value"));
        } else {
            HeaderValue::from_clean(input, trim(value))
        };
        self.headers.push_parsed(name, value);
        Ok(())
    }

    fn length(&mut self, value: &[u8]) -> Result<(), ParseErrorKind> {
        let length = content_length(value).ok_or(ParseErrorKind::ContentLength("not a number"))?;
        // Twice the same would do no harm, but says that somebody in between is confused
        // (RFC 4475 §3.3.9).
        if self.content_length.replace(length).is_some() {
            return Err(ParseErrorKind::ContentLength("given more than once"));
        }
        Ok(())
    }

    fn body(&self, input: &Bytes, limits: &Limits) -> Result<Bytes, ParseErrorKind> {
        if let Some(kind) = self.fault {
            return Err(kind);
        }
        let length = self.content_length.unwrap_or(self.rest.len());
        if length > limits.body_bytes {
            return Err(ParseErrorKind::TooLarge("body"));
        }
        match self.rest.get(..length) {
            Some([]) => Ok(Bytes::new()),
            Some(body) => Ok(input.slice_ref(body)),
            None => Err(ParseErrorKind::ShortBody),
        }
    }

    /// The error, with what an answer needs where one can be given: there is a Via to send it back
    /// by, the octets weren't a response, and the request wasn't an ACK.
    fn reject(self, kind: ParseErrorKind, method: Option<Method>) -> ParseError {
        let cseq_method = || self.headers.cseq().ok().map(|cseq| cseq.method);
        let is_response = matches!(kind, ParseErrorKind::Status)
            || (matches!(kind, ParseErrorKind::Version) && method.is_none());
        let answerable = !is_response
            && self.headers.contains(&HeaderName::Via)
            && method != Some(Method::Ack)
            && (method.is_some() || cseq_method() != Some(Method::Ack));
        if !answerable {
            return dropped(kind);
        }
        ParseError {
            kind,
            rejected: Some(Box::new(Rejected {
                status: kind.status(),
                method,
                headers: self.headers,
            })),
        }
    }

    fn note(&mut self, kind: ParseErrorKind) {
        self.fault.get_or_insert(kind);
    }
}

/// The body's length by the header section of a message in a stream; `None` where it isn't said.
pub(crate) fn framed_length(head: &[u8]) -> Result<Option<usize>, ()> {
    let (_, mut rest) = split_line(head);
    let mut found = None;
    while !rest.is_empty() {
        let (line, _, after) = split_folded_line(rest);
        rest = after;
        let Some((name, value)) = split_once(line, b':') else {
            continue;
        };
        let name = trim_end(name);
        if !name.eq_ignore_ascii_case(b"Content-Length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let length = content_length(value).ok_or(())?;
        if found.replace(length).is_some() {
            return Err(());
        }
    }
    Ok(found)
}

/// RFC 3261 §20.14, RFC 4475 §3.1.2.3: digits, perhaps on a continued line; not negative.
fn content_length(value: &[u8]) -> Option<usize> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = value.iter().position(|byte| !is_space(byte))?;
    let end = value.iter().rposition(|byte| !is_space(byte))?;
    value
        .get(start..=end)?
        .iter()
        .try_fold(0usize, |sum, byte| {
            byte.is_ascii_digit().then(|| {
                sum.saturating_mul(10)
                    .saturating_add(usize::from(byte - b'0'))
            })
        })
}

/// The first line without its end, and what follows.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match find(b'\n', text) {
        None => (text, &[]),
        Some(end) => {
            let (line, rest) = text.split_at(end);
            (
                line.strip_suffix(b"\r").unwrap_or(line),
                rest.get(1..).unwrap_or_default(),
            )
        }
    }
}

/// The first line with those that continue it, whether there were any, and what follows
/// (RFC 3261 §7.3.1).
fn split_folded_line(text: &[u8]) -> (&[u8], bool, &[u8]) {
    let (line, mut rest) = split_line(text);
    // The empty line ends the section, whatever the body begins with.
    if line.is_empty() || !rest.first().copied().is_some_and(is_blank) {
        return (line, false, rest);
    }
    while rest.first().copied().is_some_and(is_blank) {
        rest = split_line(rest).1;
    }
    let whole = text.get(..text.len() - rest.len()).unwrap_or_default();
    let whole = whole.strip_suffix(b"\n").unwrap_or(whole);
    (whole.strip_suffix(b"\r").unwrap_or(whole), true, rest)
}

fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = find(at, text)?;
    let (before, after) = text.split_at(place);
    Some((before, after.get(1..).unwrap_or_default()))
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

/// `"SIP" "/" 1*DIGIT "." 1*DIGIT`
fn is_version(version: &[u8]) -> bool {
    let Some(numbers) = version
        .get(..4)
        .filter(|name| name.eq_ignore_ascii_case(b"SIP/"))
        .and(version.get(4..))
    else {
        return false;
    };
    split_once(numbers, b'.').is_some_and(|(major, minor)| {
        !major.is_empty() && !minor.is_empty() && major.iter().chain(minor).all(u8::is_ascii_digit)
    })
}

//! Requests (RFC 3261 §7.1).

use bytes::Bytes;

use super::chars::write_decimal;
use super::{Headers, Method, Uri};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Of whom: the Request-URI.
    pub uri: Uri,
    /// The header fields.
    pub headers: Headers,
    /// The body, octet for octet.
    pub body: Bytes,
}

impl Request {
    /// A request without header fields or body.
    #[must_use]
    pub fn new(method: Method, uri: impl Into<Uri>) -> Self {
        Self {
            method,
            uri: uri.into(),
            headers: Headers::with_capacity(Headers::USUAL),
            body: Bytes::new(),
        }
    }

    /// Prints the request at the end of `out`, `Content-Length` last and computed.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        self.uri.write(out);
        out.extend_from_slice(b" SIP/2.0\r\n");
        write_rest(&self.headers, &self.body, out);
    }

    /// The printed request.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::with_capacity(1024 + self.body.len());
        self.write_to(&mut out);
        super::kept(out)
    }
}

/// Prints header fields and body.
pub(super) fn write_rest(headers: &Headers, body: &[u8], out: &mut Vec<u8>) {
    headers.write_to(out);
    out.extend_from_slice(b"Content-Length: ");
    write_decimal(body.len() as u64, out);
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

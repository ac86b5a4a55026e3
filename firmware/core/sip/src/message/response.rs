//! Responses (RFC 3261 §7.2), and how one is made from its request (§8.2.6, §12.1.1).

use bytes::Bytes;

use super::chars::write_decimal;
use super::fields::{Field, NameAddr};
use super::request::write_rest;
use super::{HeaderName, HeaderValue, Headers, Request, StatusCode};

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    reason: HeaderValue,
    /// The header fields.
    pub headers: Headers,
    /// The body, octet for octet.
    pub body: Bytes,
}

impl Response {
    /// A response without header fields or body, with the phrase of the standard.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            reason: HeaderValue::new(status.reason().as_bytes()),
            headers: Headers::with_capacity(Headers::USUAL),
            body: Bytes::new(),
        }
    }

    /// The response to a request: Via, From, To, Call-ID and `CSeq` as they were; Timestamp for 100;
    /// Record-Route where the response makes a dialog (RFC 3261 §8.2.6, §12.1.1, §16.6).
    ///
    /// The To has no tag yet where the request had none: see [`Response::with_to_tag`].
    #[must_use]
    pub fn to(request: &Request, status: StatusCode) -> Self {
        let mut response = Self::copying(&request.headers, status);
        if status == StatusCode::TRYING {
            response
                .headers
                .copy_from(&request.headers, &HeaderName::Timestamp);
        }
        // RFC 3261 §12.1.1; a 100 makes no dialog.
        if request.method.makes_dialog() && matches!(status.code(), 101..=299) {
            response
                .headers
                .copy_from(&request.headers, &HeaderName::RecordRoute);
        }
        response
    }

    /// This, with another reason phrase.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<HeaderValue>) -> Self {
        self.reason = reason.into();
        self
    }

    /// This, with a tag added to the To where it has none (RFC 3261 §8.2.6.2). A To that can't be
    /// read stays as it is.
    #[must_use]
    pub fn with_to_tag(mut self, tag: &str) -> Self {
        if let Some(raw) = self.headers.raw(&HeaderName::To)
            && let Ok(to) = NameAddr::parse(raw.as_bytes())
            && to.tag().is_none()
        {
            self.headers.set(HeaderName::To, to.with_tag(tag));
        }
        self
    }

    /// The reason phrase as it is; may be empty.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        self.reason.as_bytes()
    }

    /// Prints the response at the end of `out`, `Content-Length` last and computed.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0 ");
        write_decimal(self.status.code().into(), out);
        out.push(b' ');
        out.extend_from_slice(self.reason.as_bytes());
        out.extend_from_slice(b"\r\n");
        write_rest(&self.headers, &self.body, out);
    }

    /// The printed response.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::with_capacity(1024 + self.body.len());
        self.write_to(&mut out);
        super::kept(out)
    }

    pub(super) fn copying(headers: &Headers, status: StatusCode) -> Self {
        let mut response = Self::new(status);
        for name in [
            HeaderName::Via,
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
            HeaderName::CSeq,
        ] {
            response.headers.copy_from(headers, &name);
        }
        response
    }

    pub(super) const fn from_parts(
        status: StatusCode,
        reason: HeaderValue,
        headers: Headers,
        body: Bytes,
    ) -> Self {
        Self {
            status,
            reason,
            headers,
            body,
        }
    }
}

//! Header values that never change, made once.

use bytes::Bytes;

use crate::message::{HeaderName, HeaderValue, Headers, Method};

/// Option tags that may be required of us (RFC 3261 §20.32).
pub(crate) const OPTIONS: [&str; 6] = [
    "100rel",
    "timer",
    "replaces",
    "norefersub",
    "path",
    "outbound",
];

/// The values.
#[derive(Debug)]
pub(crate) struct Values {
    /// `Allow`.
    pub(crate) allow: HeaderValue,
    /// `Supported` in calls.
    pub(crate) supported: HeaderValue,
    /// `Supported` in answers to OPTIONS.
    pub(crate) supported_all: HeaderValue,
    /// `Accept`.
    pub(crate) accept: HeaderValue,
    /// `Content-Type` of a session description.
    pub(crate) sdp: HeaderValue,
    /// `Max-Forwards`.
    pub(crate) max_forwards: HeaderValue,
    /// `Server` and `User-Agent`.
    pub(crate) product: HeaderValue,
}

/// Methods that are carried out (RFC 3261 §20.5).
pub(crate) const fn is_allowed(method: &Method) -> bool {
    match method {
        Method::Invite
        | Method::Ack
        | Method::Cancel
        | Method::Bye
        | Method::Options
        | Method::Register
        | Method::Prack
        | Method::Update
        | Method::Info
        | Method::Refer => true,
        Method::Subscribe
        | Method::Notify
        | Method::Publish
        | Method::Message
        | Method::Other(_) => false,
    }
}

impl Values {
    pub(crate) fn new(product: &str) -> Self {
        Self {
            allow: constant(
                "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER",
            ),
            supported: constant("100rel, timer, replaces, norefersub"),
            supported_all: constant("100rel, timer, replaces, norefersub, path, outbound"),
            accept: constant("application/sdp, application/dtmf-relay, application/dtmf"),
            sdp: constant("application/sdp"),
            max_forwards: constant("70"),
            product: HeaderValue::from(product),
        }
    }

    /// Adds what tells the peer about our abilities (RFC 3261 §20.5, §20.37).
    pub(crate) fn introduce(&self, headers: &mut Headers) {
        headers.push(HeaderName::Allow, self.allow.clone());
        headers.push(HeaderName::Supported, self.supported.clone());
    }
}

fn constant(text: &'static str) -> HeaderValue {
    HeaderValue::new(Bytes::from_static(text.as_bytes()))
}

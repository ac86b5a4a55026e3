//! SIP messages: octets to values and back (RFC 3261 §7, §19, §20, §25).
//!
//! A [`Message`] holds its start line in typed form and its header fields as raw, refcounted slices
//! of the input. A header field becomes a type when it is asked for ([`Headers::via`],
//! [`Headers::contacts`], [`Headers::typed`]); so a proxy-like path pays for nothing it does not read,
//! and a field nobody reads is passed on octet for octet.
//!
//! `Content-Length` is framing, not content: parsing uses it up, printing computes it.
//!
//! Transactions, dialogs and transports are no business of this module; nor is SDP.

mod chars;
mod error;
mod essentials;
pub mod fields;
mod headers;
mod host;
mod list;
mod method;
mod name;
mod params;
mod parse;
mod percent;
mod request;
mod response;
mod status;
mod typed;
mod uri;
mod value;

#[cfg(test)]
mod tests;

use bytes::Bytes;

pub(crate) use chars::find;
pub use error::{HeaderError, HeaderFault, Malformed, ParseError, ParseErrorKind, Rejected};
pub use essentials::Essentials;
pub use fields::{
    AuthValue, CSeq, CallId, Contact, Contacts, Date, Event, Field, MediaType, MinSe, NameAddr,
    Privacy, RAck, Reason, Refresher, Replaces, RetryAfter, SessionExpires, SubscriptionState,
    Tokens, Transport, Via, Warning,
};
pub use headers::Headers;
pub use host::Host;
pub use list::Elements;
pub use method::{ExtensionMethod, Method};
pub use name::{ExtensionName, HeaderName};
pub use params::{Param, ParamValue, Params};
pub use parse::Limits;
pub(crate) use parse::framed_length;
pub use request::Request;
pub use response::Response;
pub use status::StatusCode;
pub use uri::{OpaqueUri, SipUri, TelUri, Uri, UriParams};
pub use value::HeaderValue;

/// A request or a response (RFC 3261 §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Reads one datagram, copying it once.
    ///
    /// Octets after the body that `Content-Length` announces are cut off (RFC 3261 §18.3).
    ///
    /// # Errors
    /// [`ParseError`] says what was wrong, and carries what an answer needs where one can be given.
    pub fn parse(datagram: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        Self::parse_bytes(&Bytes::copy_from_slice(datagram), limits)
    }

    /// Reads one message without copying it: header values and body are slices of `input`.
    ///
    /// # Errors
    /// As [`Message::parse`].
    pub fn parse_bytes(input: &Bytes, limits: &Limits) -> Result<Self, ParseError> {
        parse::message(input, limits)
    }

    /// The header fields.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The header fields, to change them.
    pub const fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Self::Request(request) => &mut request.headers,
            Self::Response(response) => &mut response.headers,
        }
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        match self {
            Self::Request(request) => &request.body,
            Self::Response(response) => &response.body,
        }
    }

    /// Prints the message at the end of `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Request(request) => request.write_to(out),
            Self::Response(response) => response.write_to(out),
        }
    }

    /// The printed message.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::with_capacity(1024 + self.body().len());
        self.write_to(&mut out);
        kept(out)
    }
}

/// A printed message takes no more than its length: transactions keep it for half a minute.
fn kept(printed: Vec<u8>) -> Bytes {
    printed.into_boxed_slice().into()
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

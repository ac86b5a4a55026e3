//! Session descriptions (SDP, RFC 8866) and their negotiation (offer/answer, RFC 3264).
//!
//! Two layers. [`SessionDescription`] turns bytes into values and back: it takes what phones really
//! send and prints what the RFC demands. [`Negotiation`] is the offer/answer machine of one leg: it
//! is told what that leg can do ([`Capabilities`]) and says what was agreed ([`Negotiated`]), which is
//! all that the media graph needs. [`relay`] helps a back-to-back user agent to bring two legs to the
//! same codec.
//!
//! Left to others: SIP itself, resolving host names, ICE.

mod answer;
mod attribute;
mod capabilities;
mod codec;
mod crypto;
mod description;
mod error;
mod media;
mod negotiated;
mod negotiation;
mod offer;
mod parse;
mod print;
pub mod relay;

#[cfg(test)]
mod tests;

pub use attribute::{Attribute, Direction, Fmtp, RtcpAddress, RtpMap};
pub use capabilities::{Capabilities, CodecOrder, Hold, Tolerance};
pub use codec::{MediaCodec, NamedCodec};
pub use crypto::{Encryption, KeySource};
pub use description::{Address, Connection, Origin, RawLine, SessionDescription};
pub use error::{Limit, NegotiationError, SdpError, Warning};
pub use media::{MediaDescription, MediaKind, Protocol};
pub use negotiated::{CodecChoice, Negotiated, TelephoneEvents};
pub use negotiation::{Answered, Negotiation, PendingOffer};

/// The content type of a session description.
pub const CONTENT_TYPE: &str = "application/sdp";

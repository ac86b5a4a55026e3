//! What can go wrong with a session description, whose fault it is, and what to answer.
//!
//! Status and warning codes are those of RFC 3261 §13.3.1.3 and §20.43.

use thiserror::Error;

/// A limit of the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Bytes of the whole description.
    Size,
    /// `m=` lines.
    MediaLines,
    /// `a=` lines of the whole description.
    Attributes,
    /// Formats on one `m=` line.
    Formats,
}

/// Bytes that are no session description, or more than this parser takes. Always the sender's fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SdpError {
    /// Larger than the parser's limit.
    #[error("session description exceeds the limit on {0:?}")]
    TooLarge(Limit),
    /// Neither a `v=` nor an `m=` line in it.
    #[error("not a session description")]
    NotSdp,
    /// A version other than 0.
    #[error("session description of an unknown version")]
    UnknownVersion,
    /// An `m=` line that can't be read; leaving it out would shift the lines after it.
    #[error("media line {index} can't be read")]
    MalformedMedia {
        /// Its position among the `m=` lines, from 0.
        index: usize,
    },
    /// A `c=` line that can't be read.
    #[error("connection line can't be read")]
    MalformedConnection,
}

/// The content of a SIP `Warning` header field (RFC 3261 §20.43).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The three-digit warn-code.
    pub code: u16,
    /// The warn-text.
    pub text: &'static str,
}

/// Why an offer or an answer was not taken, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NegotiationError {
    /// The body is no session description.
    #[error(transparent)]
    Malformed(#[from] SdpError),
    /// No audio line in use.
    #[error("no audio stream offered")]
    NoAudio,
    /// Audio only over a transport this leg does not speak.
    #[error("no audio stream over a known transport")]
    UnsupportedTransport,
    /// Audio only at an address of a family this leg does not have.
    #[error("no audio stream at a reachable kind of address")]
    UnsupportedAddress,
    /// Audio, but no codec in common.
    #[error("no common codec")]
    NoCommonCodec,
    /// An offer took lines away, or an answer has another number of lines than its offer
    /// (RFC 3264 §6, §8).
    #[error("expected {expected} media lines, found {found}")]
    LineMismatch {
        /// How many lines there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The answer breaks a rule that only the strict side enforces.
    #[error("answer names a codec that was not offered")]
    ForeignCodec,
    /// An offer came, or is to be made, while our own is open: glare (RFC 3261 §14.2).
    #[error("our own offer is still open")]
    OurOfferPending,
    /// An offer came, or is to be made, while theirs is unanswered (RFC 3261 §14.2).
    #[error("their offer is still unanswered")]
    TheirOfferPending,
    /// An answer without an offer, or a wish to answer where nothing was offered.
    #[error("no offer to answer")]
    NothingPending,
}

impl NegotiationError {
    /// The SIP status that refuses the request which carried the offer. An answer can't be refused
    /// in SIP: there the call ends, and the status is its reason.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(SdpError::TooLarge(_)) => 413,
            Self::Malformed(_) => 400,
            Self::NoAudio
            | Self::UnsupportedTransport
            | Self::UnsupportedAddress
            | Self::NoCommonCodec
            | Self::LineMismatch { .. }
            | Self::ForeignCodec => 488,
            Self::OurOfferPending => 491,
            Self::TheirOfferPending | Self::NothingPending => 500,
        }
    }

    /// The `Warning` that belongs to [`status`](Self::status), where one is defined.
    #[must_use]
    pub const fn warning(&self) -> Option<Warning> {
        let (code, text) = match self {
            Self::UnsupportedAddress => (301, "Incompatible network address formats"),
            Self::UnsupportedTransport => (302, "Incompatible transport protocol"),
            Self::NoAudio => (304, "Media type not available"),
            Self::NoCommonCodec | Self::ForeignCodec => (305, "Incompatible media format"),
            Self::Malformed(_) | Self::LineMismatch { .. } => {
                (307, "Session description parameter not understood")
            }
            Self::OurOfferPending | Self::TheirOfferPending | Self::NothingPending => return None,
        };
        Some(Warning { code, text })
    }
}

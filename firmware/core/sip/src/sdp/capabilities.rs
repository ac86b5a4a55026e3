//! What one leg of ours offers and accepts.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::Codec;

use super::attribute::Direction;
use super::codec::MediaCodec;
use super::crypto::Encryption;

/// What one leg offers and accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Codecs, the preferred first. At least one; the first [`Self::MAX_CODECS`] are used.
    pub codecs: Vec<MediaCodec>,
    /// Telephone events 0 to 16 at 8 kHz (RFC 4733).
    pub telephone_event: bool,
    /// The packet length we want to receive, in ms.
    pub ptime_ms: u16,
    /// Our RTP address and port; RTCP is at the port above.
    pub address: SocketAddr,
    /// Our address of the other family, used in the answer to an offer of that family.
    pub alternative: Option<SocketAddr>,
    /// Which way we want media to flow.
    pub direction: Direction,
    /// RTP and RTCP may share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// Whose order counts in an answer.
    pub order: CodecOrder,
    /// A codec to take before all others where it is offered: that of the other leg of the call, so
    /// that packets can be relayed.
    pub preferred: Option<MediaCodec>,
    /// Put just one codec into an answer, so that the far end never changes it in mid-call.
    pub answer_with_one: bool,
    /// Media may or must be encrypted.
    pub encryption: Option<Arc<Encryption>>,
}

/// Whose order of codecs an answer follows. RFC 3264 §6.1 recommends the offerer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CodecOrder {
    /// The offerer's.
    #[default]
    Offerer,
    /// Ours.
    Ours,
}

/// How we hold the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Hold {
    /// Not held.
    #[default]
    No,
    /// `sendonly`: the far end hears our music (RFC 3264 §8.4).
    SendOnly,
    /// `inactive`: nothing flows.
    Inactive,
    /// `c=0.0.0.0` besides `sendonly`, for phones that know RFC 2543 alone.
    ZeroAddress,
}

/// How much the far end may deviate from RFC 3264.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tolerance {
    /// Not at all. For tests of what we print ourselves.
    Strict,
    /// As far as can be made sense of: an answer with changed payload types, missing or additional
    /// lines, codecs never offered, or a second answer to the same offer.
    #[default]
    Tolerant,
}

impl Capabilities {
    /// Codecs used of [`Self::codecs`]: half of the
    /// dynamic payload types, so that a session may change them all once. Phones offer about ten.
    pub const MAX_CODECS: usize = 16;

    /// Both ways, 20 ms, telephone events, the offerer's order, RTCP on its own port.
    #[must_use]
    pub fn new(address: SocketAddr, codecs: impl IntoIterator<Item = Codec>) -> Self {
        Self {
            codecs: codecs.into_iter().map(MediaCodec::from).collect(),
            telephone_event: true,
            ptime_ms: 20,
            address,
            alternative: None,
            direction: Direction::SendRecv,
            rtcp_mux: false,
            order: CodecOrder::default(),
            preferred: None,
            answer_with_one: false,
            encryption: None,
        }
    }

    /// The codecs that are offered and accepted.
    pub(super) fn usable_codecs(&self) -> impl Iterator<Item = &MediaCodec> {
        self.codecs
            .iter()
            .filter(|codec| codec.is_voice())
            .take(Self::MAX_CODECS)
    }

    /// Our address for a far end at `remote`: that of the same family, if there is one.
    #[must_use]
    pub fn address_for(&self, remote: IpAddr) -> Option<SocketAddr> {
        [Some(self.address), self.alternative]
            .into_iter()
            .flatten()
            .find(|own| own.is_ipv4() == remote.is_ipv4())
    }
}

impl Hold {
    /// The direction it leaves us.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::No => Direction::SendRecv,
            Self::SendOnly | Self::ZeroAddress => Direction::SendOnly,
            Self::Inactive => Direction::Inactive,
        }
    }
}

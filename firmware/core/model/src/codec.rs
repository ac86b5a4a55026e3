//! The codecs an extension may use.

use serde::{Deserialize, Serialize};

/// A codec by its name in RTP/AVP (RFC 3551 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.722 at 64 kbit/s, static payload type 9.
    G722,
    /// GSM full rate, static payload type 3.
    Gsm,
}

impl Codec {
    /// Every codec, in the order of the default list.
    pub const ALL: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::G722, Self::Gsm];

    /// The encoding name of SDP's `rtpmap`.
    #[must_use]
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::Gsm => "GSM",
        }
    }

    /// The clock rate of SDP's `rtpmap`, in Hz.
    #[must_use]
    pub const fn clock_rate_hz(self) -> u32 {
        match self {
            // G.722 has 16,000 samples a second; RFC 3551 §4.5.2 keeps what was once written by mistake.
            Self::Pcma | Self::Pcmu | Self::G722 | Self::Gsm => 8000,
        }
    }

    /// The static payload type, where RFC 3551 gives one.
    #[must_use]
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcma => Some(8),
            Self::Pcmu => Some(0),
            Self::G722 => Some(9),
            Self::Gsm => Some(3),
        }
    }
}

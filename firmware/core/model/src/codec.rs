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
    /// G.729 with or without its annex A, static payload type 18. Passed on only.
    G729,
    /// iLBC (RFC 3952). Passed on only.
    Ilbc,
    /// Speex at 8 kHz (RFC 5574). Passed on only.
    Speex,
    /// Opus (RFC 7587). Passed on only.
    Opus,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 8] = [
        Self::Pcma,
        Self::Pcmu,
        Self::G722,
        Self::Gsm,
        Self::G729,
        Self::Ilbc,
        Self::Speex,
        Self::Opus,
    ];

    /// What an extension has at first, in this order: those in which it can hear all others, and our tones.
    pub const DEFAULT: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::G722, Self::Gsm];

    /// The exchange can make it into another codec; else it is passed on, between parties that both have it.
    #[must_use]
    pub const fn is_transcoded(self) -> bool {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 | Self::Gsm => true,
            Self::G729 | Self::Ilbc | Self::Speex | Self::Opus => false,
        }
    }

    /// The encoding name of SDP's `rtpmap`.
    #[must_use]
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::Gsm => "GSM",
            Self::G729 => "G729",
            Self::Ilbc => "iLBC",
            Self::Speex => "speex",
            Self::Opus => "opus",
        }
    }

    /// The clock rate of SDP's `rtpmap`, in Hz.
    #[must_use]
    pub const fn clock_rate_hz(self) -> u32 {
        match self {
            // G.722 has 16,000 samples a second; RFC 3551 §4.5.2 keeps what was once written by mistake.
            Self::Pcma
            | Self::Pcmu
            | Self::G722
            | Self::Gsm
            | Self::G729
            | Self::Ilbc
            | Self::Speex => 8000,
            Self::Opus => 48_000,
        }
    }

    /// The channels of SDP's `rtpmap`: Opus has two whatever it carries (RFC 7587 §7).
    #[must_use]
    pub const fn channels(self) -> u8 {
        if matches!(self, Self::Opus) { 2 } else { 1 }
    }

    /// The static payload type, where RFC 3551 gives one.
    #[must_use]
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcma => Some(8),
            Self::Pcmu => Some(0),
            Self::G722 => Some(9),
            Self::Gsm => Some(3),
            Self::G729 => Some(18),
            Self::Ilbc | Self::Speex | Self::Opus => None,
        }
    }
}

//! The words in which phones are described and answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Account;

/// The programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// pjsua2, by a Python script of ours. Knows no IPv6, decodes GSM to silence.
    Pjsua,
    /// baresip 1.0. Its recording stops at the first hold, it sends no DTMF by INFO and knows no attended transfer.
    Baresip,
}

/// How a phone reaches the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// SIP over UDP.
    Udp,
    /// SIP over TCP.
    Tcp,
    /// SIP over TLS 1.2.
    Tls,
}

/// Whether sound is encrypted (SRTP, keys in the SDP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Srtp {
    /// Never.
    Off,
    /// Where the other side can.
    Offered,
    /// Or no call.
    Required,
}

/// How digits are sent in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Telephone events among the sound.
    Rfc4733,
    /// SIP INFO.
    Info,
}

/// How a phone is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Whom it registers as; without, it takes calls at its own address.
    pub account: Option<Account>,
    /// Transport of its SIP.
    pub transport: Transport,
    /// Best first: `PCMA`, `PCMU`, `G722`, `GSM`, `opus` (baresip only).
    pub codecs: Vec<&'static str>,
    /// Encryption of sound.
    pub srtp: Srtp,
    /// What it plays as soon as there is a call.
    pub tone_hz: u32,
    /// Whether all is done by IPv6 (baresip only).
    pub ipv6: bool,
    /// Seconds it asks a registration to last.
    pub expires: u32,
    /// Certificates it trusts; without, it takes any.
    pub trust: Option<PathBuf>,
}

/// A call on a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Call(pub(super) String);

/// What a phone told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the words of SIP")]
pub enum Event {
    Ready,
    /// baresip: the name of the call just dialled.
    Dialled {
        call: Call,
    },
    Registered,
    Unregistered,
    RegisterFailed {
        code: u16,
        reason: String,
    },
    Incoming {
        call: Call,
        remote: String,
    },
    Ringing {
        call: Call,
        code: u16,
    },
    Established {
        call: Call,
        remote: String,
    },
    Ended {
        call: Call,
        code: u16,
        reason: String,
    },
    Media {
        call: Call,
        state: MediaState,
        codec: String,
        remote: String,
    },
    Digit {
        call: Call,
        digit: char,
        by: Option<By>,
    },
    TransferAsked {
        call: Call,
        to: String,
        follow: Option<Call>,
    },
    TransferStatus {
        call: Call,
        code: u16,
    },
    Replaced {
        call: Call,
        follow: Call,
    },
    Mwi {
        body: String,
    },
    #[serde(other)]
    Other,
}

/// Where sound goes in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum MediaState {
    None,
    Active,
    HeldHere,
    HeldThere,
    Error,
    Other,
}

/// What arrived of the sound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "RTP's own words; packets, microseconds")]
pub struct Stats {
    pub codec: String,
    pub received: u64,
    pub sent: u64,
    pub lost: u64,
    pub reordered: u64,
    pub duplicates: u64,
    pub jitter_us: u64,
    pub jitter_max_us: u64,
}

impl Default for Setup {
    /// G.711 in the clear over UDP, silent about no one: plays 1000 Hz.
    fn default() -> Self {
        Self {
            account: None,
            transport: Transport::Udp,
            codecs: vec!["PCMA", "PCMU"],
            srtp: Srtp::Off,
            tone_hz: 1000,
            ipv6: false,
            expires: 300,
            trust: None,
        }
    }
}

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pjsua => "pjsua",
            Self::Baresip => "baresip",
        }
    }
}

impl Transport {
    /// The parameter of a SIP URI.
    pub(crate) fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls => ";transport=tls",
        }
    }
}

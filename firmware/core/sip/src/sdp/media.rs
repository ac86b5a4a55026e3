//! The media level of a description: RFC 8866 §5.14.

use super::attribute::{Attribute, Direction, Fmtp, RtcpAddress, RtpMap};
use super::codec::{self, MediaCodec};
use super::description::{Connection, RawLine};

/// One `m=` line with everything up to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDescription {
    /// Audio, video, …
    pub kind: MediaKind,
    /// The port; 0 means that the line is refused or switched off (RFC 3264 §6, §8.2).
    pub port: u16,
    /// Number of ports, where written (`49170/2`).
    pub port_count: Option<u16>,
    /// The transport.
    pub protocol: Protocol,
    /// The formats as written; payload types where the transport is RTP.
    pub formats: Vec<String>,
    /// `c=` of this line.
    pub connection: Option<Connection>,
    /// The other lines (`i b k` and unknown ones), in printing order.
    pub lines: Vec<RawLine>,
    /// Attributes, in order.
    pub attributes: Vec<Attribute>,
}

/// The media type of an `m=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// `audio`.
    Audio,
    /// `video`.
    Video,
    /// `image` (T.38).
    Image,
    /// `application`.
    Application,
    /// `text`, `message`, or one not known here.
    Other(String),
}

/// The transport of an `m=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `RTP/AVP` (RFC 3551).
    RtpAvp,
    /// `RTP/AVPF` (RFC 4585).
    RtpAvpf,
    /// `RTP/SAVP` (RFC 3711).
    RtpSavp,
    /// `RTP/SAVPF` (RFC 5124).
    RtpSavpf,
    /// `UDP/TLS/RTP/SAVP` (RFC 5764).
    UdpTlsRtpSavp,
    /// `UDP/TLS/RTP/SAVPF` (RFC 5764).
    UdpTlsRtpSavpf,
    /// Anything else, such as `udptl`.
    Other(String),
}

impl Protocol {
    /// RTP without encryption, with or without early feedback.
    #[must_use]
    pub const fn is_plain_rtp(&self) -> bool {
        matches!(self, Self::RtpAvp | Self::RtpAvpf)
    }

    /// RTP that must be encrypted, with keys from the description (RFC 4568).
    #[must_use]
    pub const fn is_secure_rtp(&self) -> bool {
        matches!(self, Self::RtpSavp | Self::RtpSavpf)
    }

    /// RTP as this exchange can speak it.
    pub(super) const fn is_rtp(&self) -> bool {
        self.is_plain_rtp() || self.is_secure_rtp()
    }
}

/// RFC 5761 §4: with the marker set these fall on RTCP's packet types. They are left alone where RTCP
/// has a port of its own too: whoever looks into a packet takes it for RTCP all the same.
pub(super) const fn looks_like_rtcp(payload_type: u8) -> bool {
    matches!(payload_type, 64..=95)
}

impl MediaDescription {
    /// The payload types of an RTP line, in order; formats that are none are left out.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + '_ {
        // `+8` and `008` are numbers to Rust, but no payload types.
        let is_plain = |text: &&String| *text == "0" || !text.starts_with(['0', '+']);
        self.formats
            .iter()
            .filter(is_plain)
            .filter_map(|text| text.parse().ok().filter(|pt| *pt <= 127))
    }

    /// The `rtpmap` of a payload type.
    #[must_use]
    pub fn rtpmap(&self, payload_type: u8) -> Option<&RtpMap> {
        self.attributes.iter().find_map(|a| match a {
            Attribute::RtpMap(map) if map.payload_type == payload_type => Some(map),
            _ => None,
        })
    }

    /// The `fmtp` parameters of a payload type.
    #[must_use]
    pub fn fmtp(&self, payload_type: u8) -> Option<&str> {
        self.attributes.iter().find_map(|a| match a {
            Attribute::Fmtp(Fmtp {
                payload_type: pt,
                parameters,
            }) if *pt == payload_type => Some(parameters.as_str()),
            _ => None,
        })
    }

    /// What a payload type means on this line: by its `rtpmap`, else by the table of RFC 3551 §6.
    #[must_use]
    pub fn codec(&self, payload_type: u8) -> Option<MediaCodec> {
        codec::resolve(
            payload_type,
            self.rtpmap(payload_type),
            self.fmtp(payload_type),
        )
    }

    /// Every payload type that can be used and whose meaning is known, in order.
    pub fn codecs(&self) -> impl Iterator<Item = (u8, MediaCodec)> + '_ {
        self.payload_types()
            .filter(|pt| !looks_like_rtcp(*pt))
            .filter_map(|pt| self.codec(pt).map(|codec| (pt, codec)))
    }

    /// The direction said on this line.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        Attribute::direction_in(&self.attributes)
    }

    /// `ptime`, in ms.
    #[must_use]
    pub fn ptime_ms(&self) -> Option<u16> {
        self.attributes.iter().find_map(|a| match a {
            Attribute::Ptime(ms) => Some(*ms),
            _ => None,
        })
    }

    /// `maxptime`, in ms.
    #[must_use]
    pub fn max_ptime_ms(&self) -> Option<u16> {
        self.attributes.iter().find_map(|a| match a {
            Attribute::MaxPtime(ms) => Some(*ms),
            _ => None,
        })
    }

    /// `rtcp`.
    #[must_use]
    pub fn rtcp(&self) -> Option<RtcpAddress> {
        self.attributes.iter().find_map(|a| match a {
            Attribute::Rtcp(address) => Some(*address),
            _ => None,
        })
    }

    /// `rtcp-mux` is there.
    #[must_use]
    pub fn rtcp_mux(&self) -> bool {
        self.attributes.contains(&Attribute::RtcpMux)
    }

    /// `mid`.
    #[must_use]
    pub fn mid(&self) -> Option<&str> {
        self.attributes.iter().find_map(|a| match a {
            Attribute::Mid(mid) => Some(mid.as_str()),
            _ => None,
        })
    }
}

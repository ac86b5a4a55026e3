//! Attributes: RFC 8866 §6, RFC 3605 (`rtcp`), RFC 5761 (`rtcp-mux`), RFC 5888 (`mid`).

use core::net::IpAddr;

use model::Secret;

/// One `a=` line. What is unknown, or known but can't be read, is [`Attribute::Other`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `rtpmap`.
    RtpMap(RtpMap),
    /// `fmtp`.
    Fmtp(Fmtp),
    /// `ptime`, in ms.
    Ptime(u16),
    /// `maxptime`, in ms.
    MaxPtime(u16),
    /// `sendrecv`, `sendonly`, `recvonly`, `inactive`.
    Direction(Direction),
    /// `rtcp`.
    Rtcp(RtcpAddress),
    /// `rtcp-mux`.
    RtcpMux,
    /// `mid`.
    Mid(String),
    /// `group`, such as `BUNDLE audio video`, as written.
    Group(String),
    /// `crypto` (RFC 4568), as written. It contains a key.
    Crypto(Secret),
    /// `ice-pwd` (RFC 8839), as written.
    IcePassword(Secret),
    /// Everything else, as written.
    Other {
        /// The attribute's name.
        name: String,
        /// What follows the colon, if there is one.
        value: Option<String>,
    },
}

/// `a=rtpmap:<payload type> <encoding name>/<clock rate>[/<channels>]` (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// The payload type, at most 127.
    pub payload_type: u8,
    /// The encoding name; compared without regard to case.
    pub encoding: String,
    /// In Hz.
    pub clock_rate_hz: u32,
    /// Channels, where written.
    pub channels: Option<u8>,
}

/// `a=fmtp:<format> <parameters>` (RFC 8866 §6.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fmtp {
    /// The payload type, at most 127.
    pub payload_type: u8,
    /// The parameters as written.
    pub parameters: String,
}

/// `a=rtcp:<port> [IN IP4|IP6 <address>]` (RFC 3605 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcpAddress {
    /// The port.
    pub port: u16,
    /// The address, where it is not that of `c=`.
    pub ip: Option<IpAddr>,
}

/// Which way media flow, seen by the one who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The speaker sends only.
    SendOnly,
    /// The speaker receives only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 4] = [
        Self::SendRecv,
        Self::SendOnly,
        Self::RecvOnly,
        Self::Inactive,
    ];

    /// From the two questions.
    #[must_use]
    pub const fn from_flags(may_send: bool, may_receive: bool) -> Self {
        match (may_send, may_receive) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The speaker may send.
    #[must_use]
    pub const fn may_send(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The speaker may receive.
    #[must_use]
    pub const fn may_receive(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same, seen by the other side (RFC 3264 §6.1).
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::from_flags(self.may_receive(), self.may_send())
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::from_flags(
            self.may_send() && other.may_send(),
            self.may_receive() && other.may_receive(),
        )
    }

    /// The name of the attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

impl Attribute {
    /// The last direction among `attributes`.
    pub(super) fn direction_in(attributes: &[Self]) -> Option<Direction> {
        attributes.iter().rev().find_map(|a| match a {
            Self::Direction(direction) => Some(*direction),
            _ => None,
        })
    }
}

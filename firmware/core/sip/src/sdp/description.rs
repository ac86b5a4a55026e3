//! The session level of a description: RFC 8866 §5.

use core::fmt::{self, Write as _};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use super::attribute::Attribute;
use super::error::SdpError;
use super::media::MediaDescription;
use super::parse;

/// A whole session description.
///
/// Parsing is lenient: LF or CRLF, odd order, missing `o=`, `s=` and `t=`, unknown lines and
/// attributes (kept), bytes that are not UTF-8 (each becomes `?`). Printing is strict: the order of
/// RFC 8866 §5, CRLF, no line missing. Parsing what was printed gives the same value again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    /// `o=`.
    pub origin: Origin,
    /// `s=`; `-` where there is none.
    pub name: String,
    /// `c=` for all media without one of their own.
    pub connection: Option<Connection>,
    /// The other session-level lines (`i u e p b t r z k` and unknown ones), in printing order.
    pub lines: Vec<RawLine>,
    /// Session-level attributes, in order.
    pub attributes: Vec<Attribute>,
    /// The media, in the order that offer and answer share.
    pub media: Vec<MediaDescription>,
}

/// `o=`: who made this description, and which version of it this is (RFC 8866 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The user, or `-`.
    pub username: String,
    /// Session id. Numbers beyond 64 bits are kept modulo 2^64.
    pub session_id: u64,
    /// Session version: rises when, and only when, the content changes (RFC 3264 §8).
    pub version: u64,
    /// Address of the maker; not where media go.
    pub address: Address,
}

/// `c=`: where media go (RFC 8866 §5.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The address.
    pub address: Address,
    /// Time to live and number of addresses of a multicast group, as written after the first `/`.
    pub multicast: Option<String>,
}

/// An address of `o=`, `c=` or `a=rtcp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A literal `IN IP4` or `IN IP6` address.
    Ip(IpAddr),
    /// A name that someone else must resolve.
    Host {
        /// The name.
        name: String,
        /// Written as `IP6`.
        ipv6: bool,
    },
    /// Another network or address type, kept.
    Other {
        /// Such as `ATM`.
        network: String,
        /// Such as `NSAP`.
        kind: String,
        /// The address.
        address: String,
    },
}

impl Address {
    /// The literal address.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Host { .. } | Self::Other { .. } => None,
        }
    }

    /// The unspecified address of either family: the hold of RFC 2543 (RFC 3264 §8.4, RFC 6157 §5).
    #[must_use]
    pub const fn is_unspecified(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_unspecified(),
            Self::Host { .. } | Self::Other { .. } => false,
        }
    }

    /// The unspecified address of the same family as `ip`.
    #[must_use]
    pub(super) const fn unspecified(ip: IpAddr) -> Self {
        Self::Ip(match ip {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        })
    }
}

/// A line that this crate keeps but does not read.
#[derive(Clone, PartialEq, Eq)]
pub struct RawLine {
    /// The letter before `=`.
    pub kind: char,
    /// What follows.
    pub value: String,
}

impl fmt::Debug for RawLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // k= carries a key (RFC 4566 §5.12).
        let value = if self.kind == 'k' { "…" } else { &self.value };
        write!(f, "{}={value}", self.kind)
    }
}

impl SessionDescription {
    /// Reads a description.
    ///
    /// # Errors
    /// [`SdpError`] where a limit is exceeded, or the bytes can't be a session description.
    pub fn parse(bytes: &[u8]) -> Result<Self, SdpError> {
        parse::session(bytes)
    }

    /// Prints it for a message body. [`fmt::Display`] gives the same text.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        // Longer than what we make for one audio line.
        let mut text = String::with_capacity(512);
        // A string takes whatever is written to it.
        let _always = write!(text, "{self}");
        // It is kept as long as the session: no more than its length.
        Bytes::from(text.into_boxed_str().into_boxed_bytes())
    }

    /// The connection that holds for `media`: its own, or the session's.
    #[must_use]
    pub fn connection_of<'a>(&'a self, media: &'a MediaDescription) -> Option<&'a Connection> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// The direction of `media` from its maker's side: its own, or the session's, or `sendrecv`
    /// (RFC 8866 §6.7).
    #[must_use]
    pub fn direction_of(&self, media: &MediaDescription) -> super::Direction {
        media
            .direction()
            .or_else(|| Attribute::direction_in(&self.attributes))
            .unwrap_or(super::Direction::SendRecv)
    }
}

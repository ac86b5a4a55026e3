//! `Via` (RFC 3261 §20.42, RFC 3581, RFC 5118 §4.5).

use core::fmt;
use core::net::IpAddr;

use super::{Field, display_field};
use crate::message::chars::{Cursor, text, write_decimal};
use crate::message::error::Malformed;
use crate::message::{Host, Params};

/// The transport token of a Via or of a URI's `transport` parameter; unknown ones are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `UDP`
    Udp,
    /// `TCP`
    Tcp,
    /// `TLS`
    Tls,
    /// `SCTP`
    Sctp,
    /// `WS` (RFC 7118)
    Ws,
    /// `WSS` (RFC 7118)
    Wss,
    /// Any other token, in upper case.
    Other(Box<str>),
}

/// One hop of a request's way, and so of its answer's way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// How the request was sent.
    pub transport: Transport,
    /// Where the sender wants the answer: `sent-by`.
    pub host: Host,
    /// The port of `sent-by`, where given.
    pub port: Option<u16>,
    /// Branch and other parameters.
    pub params: Params,
}

impl Via {
    /// What a branch of RFC 3261 begins with (§8.1.1.7).
    pub const COOKIE: &'static str = "z9hG4bK";

    /// A Via of ours: `rport` asked for (RFC 3581 §3), and the branch.
    #[must_use]
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Self {
        let mut params = Params::new();
        params.set_flag("rport");
        params.set("branch", branch);
        Self {
            transport,
            host,
            port,
            params,
        }
    }

    /// The branch, where given.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch")
    }

    /// The branch where it is one of RFC 3261: the cookie, and something after it (RFC 4475 §3.2.1).
    #[must_use]
    pub fn cookie_branch(&self) -> Option<&str> {
        self.branch().filter(|branch| {
            branch.len() > Self::COOKIE.len()
                && branch
                    .get(..Self::COOKIE.len())
                    .is_some_and(|cookie| cookie.eq_ignore_ascii_case(Self::COOKIE))
        })
    }

    /// Where the request really came from, as the server noted it; IPv6 with brackets or without.
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let value = self.params.value("received")?;
        Host::parse(value).ok()?.ip()
    }

    /// True where `rport` is there, with a value or without.
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        self.params.contains("rport")
    }

    /// The value of `rport`.
    #[must_use]
    pub fn rport(&self) -> Option<u16> {
        self.params.value("rport")?.parse().ok()
    }

    /// Where answers go by multicast or through a firewall.
    #[must_use]
    pub fn maddr(&self) -> Option<Host> {
        Host::parse(self.params.value("maddr")?).ok()
    }

    /// The multicast time to live.
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        self.params.value("ttl")?.parse().ok()
    }

    /// Notes where the request came from (RFC 3261 §18.2.1).
    pub fn set_received(&mut self, address: IpAddr) {
        // RFC 3261 §25.1 has it without brackets, `Host` would print them.
        self.params.set("received", address.to_string());
    }

    /// Notes which port the request came from (RFC 3581 §4).
    pub fn set_rport(&mut self, port: u16) {
        self.params.set("rport", port.to_string());
    }
}

impl Field for Via {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        if !cursor.token("protocol")?.eq_ignore_ascii_case(b"SIP") {
            return Err(Malformed("protocol is not SIP"));
        }
        if !cursor.eat_separator(b'/') || cursor.token("version")? != b"2.0" {
            return Err(Malformed("version is not 2.0"));
        }
        if !cursor.eat_separator(b'/') {
            return Err(Malformed("transport"));
        }
        let transport = Transport::from_token(cursor.token("transport")?);
        let before = cursor.rest().len();
        cursor.skip_blanks();
        if cursor.rest().len() == before {
            return Err(Malformed("no blank before sent-by"));
        }
        let (host, port) = Host::take_with_port(&mut cursor, true)?;
        let params = Params::take(&mut cursor)?;
        cursor.finish("octets after the parameters")?;
        Ok(Self {
            transport,
            host,
            port,
            params,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0/");
        out.extend_from_slice(self.transport.as_str().as_bytes());
        out.push(b' ');
        self.host.write(out);
        if let Some(port) = self.port {
            out.push(b':');
            write_decimal(port.into(), out);
        }
        self.params.write(out);
    }
}

impl Transport {
    /// The token as printed in a Via.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(token) => token,
        }
    }

    /// The transport, where it is one of those the exchange speaks.
    #[must_use]
    pub const fn known(&self) -> Option<model::Transport> {
        match self {
            Self::Udp => Some(model::Transport::Udp),
            Self::Tcp => Some(model::Transport::Tcp),
            Self::Tls => Some(model::Transport::Tls),
            Self::Sctp | Self::Ws | Self::Wss | Self::Other(_) => None,
        }
    }

    /// Reads a transport, as in a URI's parameter; `None` where it is no token.
    #[must_use]
    pub fn from_text(token: &str) -> Option<Self> {
        let mut cursor = Cursor::new(token.as_bytes());
        let token = cursor.token("transport").ok()?;
        cursor.at_end().then(|| Self::from_token(token))
    }

    fn from_token(token: &[u8]) -> Self {
        match token {
            _ if token.eq_ignore_ascii_case(b"UDP") => Self::Udp,
            _ if token.eq_ignore_ascii_case(b"TCP") => Self::Tcp,
            _ if token.eq_ignore_ascii_case(b"TLS") => Self::Tls,
            _ if token.eq_ignore_ascii_case(b"SCTP") => Self::Sctp,
            _ if token.eq_ignore_ascii_case(b"WS") => Self::Ws,
            _ if token.eq_ignore_ascii_case(b"WSS") => Self::Wss,
            _ => Self::Other(text(&token.to_ascii_uppercase()).into()),
        }
    }
}

impl From<model::Transport> for Transport {
    fn from(transport: model::Transport) -> Self {
        match transport {
            model::Transport::Udp => Self::Udp,
            model::Transport::Tcp => Self::Tcp,
            model::Transport::Tls => Self::Tls,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

display_field!(Via);

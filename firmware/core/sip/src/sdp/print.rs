//! A session description to text: RFC 8866 §5 and §9, printed strictly.

use core::fmt::{self, Display, Formatter, Write};
use core::net::IpAddr;

use super::attribute::{Attribute, RtcpAddress, RtpMap};
use super::description::{Address, Connection, Origin, RawLine, SessionDescription};
use super::media::{MediaDescription, MediaKind, Protocol};

/// Text without the characters that would end a line (RFC 8866 §9: `byte-string`).
struct Clean<'a>(&'a str);

impl Display for Clean<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0
            .split(char::is_control)
            .try_for_each(|part| f.write_str(part))
    }
}

/// A token: the same, and never empty.
struct Token<'a>(&'a str);

impl Display for Token<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_char('-');
        }
        self.0
            .chars()
            .filter(|c| !c.is_control())
            .try_for_each(|c| f.write_char(if c.is_whitespace() { '_' } else { c }))
    }
}

impl Display for SessionDescription {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("v=0\r\n")?;
        write!(f, "o={}\r\n", self.origin)?;
        let name = if self.name.is_empty() {
            "-"
        } else {
            &self.name
        };
        write!(f, "s={}\r\n", Clean(name))?;
        let timed = self.lines.iter().any(|line| line.kind == 't');
        body(f, &self.lines, self.connection.as_ref(), !timed)?;
        for attribute in &self.attributes {
            write!(f, "a={attribute}\r\n")?;
        }
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

/// The lines between the head and the attributes; with `t=0 0` among them where `add_time`.
fn body(
    f: &mut Formatter<'_>,
    lines: &[RawLine],
    connection: Option<&Connection>,
    add_time: bool,
) -> fmt::Result {
    let mut sorted: Vec<&RawLine> = lines.iter().collect();
    sorted.sort_by_key(|line| line.rank());
    let time = RawLine {
        kind: 't',
        value: "0 0".to_owned(),
    };
    if add_time {
        let at = sorted.partition_point(|line| line.rank() < time.rank());
        sorted.insert(at, &time);
    }
    let at = sorted.partition_point(|line| line.precedes_connection());
    for line in sorted.iter().take(at) {
        write!(f, "{line}\r\n")?;
    }
    if let Some(connection) = connection {
        write!(f, "c={connection}\r\n")?;
    }
    for line in sorted.iter().skip(at) {
        write!(f, "{line}\r\n")?;
    }
    Ok(())
}

impl Display for MediaDescription {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", Token(self.kind.name()), self.port)?;
        if let Some(count) = self.port_count {
            write!(f, "/{count}")?;
        }
        write!(f, " {}", Token(self.protocol.name()))?;
        for format in &self.formats {
            write!(f, " {}", Token(format))?;
        }
        if self.formats.is_empty() {
            f.write_str(" 0")?;
        }
        f.write_str("\r\n")?;
        body(f, &self.lines, self.connection.as_ref(), false)?;
        for attribute in &self.attributes {
            write!(f, "a={attribute}\r\n")?;
        }
        Ok(())
    }
}

impl Display for RawLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, Clean(&self.value))
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {}",
            Token(&self.username),
            self.session_id,
            self.version,
            self.address
        )
    }
}

impl Display for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match &self.multicast {
            Some(suffix) => write!(f, "/{}", Token(suffix)),
            None => Ok(()),
        }
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => write!(f, "IN IP4 {ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "IN IP6 {ip}"),
            Self::Host { name, ipv6 } => {
                write!(
                    f,
                    "IN {} {}",
                    if *ipv6 { "IP6" } else { "IP4" },
                    Token(name)
                )
            }
            Self::Other {
                network,
                kind,
                address,
            } => write!(f, "{} {} {}", Token(network), Token(kind), Token(address)),
        }
    }
}

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::RtpMap(map) => write!(f, "rtpmap:{map}"),
            Self::Fmtp(fmtp) => {
                write!(f, "fmtp:{} {}", fmtp.payload_type, Clean(&fmtp.parameters))
            }
            Self::Ptime(ms) => write!(f, "ptime:{ms}"),
            Self::MaxPtime(ms) => write!(f, "maxptime:{ms}"),
            Self::Direction(direction) => f.write_str(direction.name()),
            Self::Rtcp(address) => write!(f, "rtcp:{address}"),
            Self::RtcpMux => f.write_str("rtcp-mux"),
            Self::Mid(mid) => write!(f, "mid:{}", Clean(mid)),
            Self::Group(group) => write!(f, "group:{}", Clean(group)),
            Self::Crypto(secret) => write!(f, "crypto:{}", Clean(secret.expose())),
            Self::IcePassword(secret) => write!(f, "ice-pwd:{}", Clean(secret.expose())),
            Self::Other { name, value } => match value {
                Some(value) => write!(f, "{}:{}", Clean(name), Clean(value)),
                None => write!(f, "{}", Clean(name)),
            },
        }
    }
}

impl Display for RtpMap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}/{}",
            self.payload_type,
            Token(&self.encoding),
            self.clock_rate_hz
        )?;
        match self.channels {
            Some(channels) => write!(f, "/{channels}"),
            None => Ok(()),
        }
    }
}

impl Display for RtcpAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.port)?;
        match self.ip {
            Some(ip) => write!(f, " {}", Address::Ip(ip)),
            None => Ok(()),
        }
    }
}

impl MediaKind {
    /// As it stands on the `m=` line.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Image => "image",
            Self::Application => "application",
            Self::Other(name) => name,
        }
    }
}

impl Protocol {
    /// As it stands on the `m=` line.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::RtpAvp => "RTP/AVP",
            Self::RtpAvpf => "RTP/AVPF",
            Self::RtpSavp => "RTP/SAVP",
            Self::RtpSavpf => "RTP/SAVPF",
            Self::UdpTlsRtpSavp => "UDP/TLS/RTP/SAVP",
            Self::UdpTlsRtpSavpf => "UDP/TLS/RTP/SAVPF",
            Self::Other(name) => name,
        }
    }
}

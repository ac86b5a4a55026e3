//! Bytes to a session description: RFC 8866 §5 and §9, read leniently.
//!
//! What a phone gets wrong without doubt about its meaning is put right here (order, line ends,
//! missing lines, upper case); what only one attribute says wrongly is kept as
//! [`Attribute::Other`]; what would shift or misdirect media is an error.

use core::net::{IpAddr, Ipv4Addr};

use model::Secret;

use super::attribute::{Attribute, Direction, Fmtp, RtcpAddress, RtpMap};
use super::codec;
use super::description::{Address, Connection, Origin, RawLine, SessionDescription};
use super::error::{Limit, SdpError};
use super::media::{MediaDescription, MediaKind, Protocol};

/// Ten times the largest description that a WebRTC browser makes for audio; twice a full SIP
/// message over UDP would allow.
const MAX_BYTES: usize = 16 * 1024;
/// A phone with audio, video, slides, text and T.38, each in three transports, has 15.
const MAX_MEDIA: usize = 16;
/// ICE brings about 20 candidates a line, video codecs about 60 attributes.
const MAX_ATTRIBUTES: usize = 256;
/// Half of all payload types; browsers list about 40 for video.
const MAX_FORMATS: usize = 64;

/// Reads a whole description.
pub(super) fn session(bytes: &[u8]) -> Result<SessionDescription, SdpError> {
    if bytes.len() > MAX_BYTES {
        return Err(SdpError::TooLarge(Limit::Size));
    }
    let mut reader = Reader {
        description: SessionDescription {
            origin: Origin::unknown(),
            name: String::new(),
            connection: None,
            lines: Vec::new(),
            attributes: Vec::new(),
            media: Vec::new(),
        },
        has_version: false,
        has_origin: false,
        attributes: 0,
    };
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let text = text(line);
        let mut chars = text.trim().chars();
        if let (Some(kind), Some('=')) = (chars.next(), chars.next())
            && kind.is_ascii_alphabetic()
        {
            reader.line(kind, chars.as_str().trim())?;
        }
    }
    reader.finish()
}

/// The text of a line. What is not UTF-8, and control characters, become `?`, byte by byte, so that
/// text never grows.
fn text(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        let (valid, rest) = match core::str::from_utf8(bytes) {
            Ok(valid) => (valid, None),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                (
                    core::str::from_utf8(valid).unwrap_or_default(),
                    rest.get(1..),
                )
            }
        };
        text.extend(valid.chars().map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '?',
            c => c,
        }));
        let Some(rest) = rest else { return text };
        text.push('?');
        bytes = rest;
    }
}

struct Reader {
    description: SessionDescription,
    has_version: bool,
    has_origin: bool,
    attributes: usize,
}

impl Reader {
    fn line(&mut self, kind: char, value: &str) -> Result<(), SdpError> {
        match kind {
            'v' => {
                self.has_version = true;
                if value != "0" {
                    return Err(SdpError::UnknownVersion);
                }
            }
            'o' => {
                if !self.has_origin
                    && let Some(origin) = origin(value)
                {
                    self.has_origin = true;
                    self.description.origin = origin;
                }
            }
            's' => {
                if self.description.name.is_empty() {
                    value.clone_into(&mut self.description.name);
                }
            }
            'c' => {
                let connection = connection(value).ok_or(SdpError::MalformedConnection)?;
                // Several c= lines describe layers of a multicast: the first one is the base.
                let slot = match self.description.media.last_mut() {
                    Some(media) => &mut media.connection,
                    None => &mut self.description.connection,
                };
                slot.get_or_insert(connection);
            }
            'm' => self.media(value)?,
            'a' => self.attribute(value)?,
            // These exist at session level alone, wherever a phone puts them.
            't' | 'r' | 'u' | 'e' | 'p' | 'z' => self.description.lines.push(raw(kind, value)),
            _ => match self.description.media.last_mut() {
                Some(media) => media.lines.push(raw(kind, value)),
                None => self.description.lines.push(raw(kind, value)),
            },
        }
        Ok(())
    }

    fn media(&mut self, value: &str) -> Result<(), SdpError> {
        let index = self.description.media.len();
        if index >= MAX_MEDIA {
            return Err(SdpError::TooLarge(Limit::MediaLines));
        }
        let media = media(value).ok_or(SdpError::MalformedMedia { index })?;
        if media.formats.len() > MAX_FORMATS {
            return Err(SdpError::TooLarge(Limit::Formats));
        }
        self.description.media.push(media);
        Ok(())
    }

    fn attribute(&mut self, value: &str) -> Result<(), SdpError> {
        self.attributes += 1;
        if self.attributes > MAX_ATTRIBUTES {
            return Err(SdpError::TooLarge(Limit::Attributes));
        }
        if let Some(attribute) = attribute(value) {
            match self.description.media.last_mut() {
                Some(media) => media.attributes.push(attribute),
                None => self.description.attributes.push(attribute),
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<SessionDescription, SdpError> {
        let mut description = self.description;
        if !self.has_version && description.media.is_empty() {
            return Err(SdpError::NotSdp);
        }
        if description.name.is_empty() {
            description.name.push('-');
        }
        let mut timed = false;
        for line in description.lines.iter_mut().filter(|l| l.kind == 't') {
            timed = true;
            if line.value.is_empty() {
                line.value.push_str("0 0");
            }
        }
        if !timed {
            description.lines.push(raw('t', "0 0"));
        }
        description.lines.sort_by_key(|line| line.rank());
        for media in &mut description.media {
            media.lines.sort_by_key(|line| line.rank());
        }
        Ok(description)
    }
}

fn raw(kind: char, value: &str) -> RawLine {
    RawLine {
        kind,
        value: value.to_owned(),
    }
}

impl RawLine {
    /// Its place in the order of RFC 8866 §5; unknown lines come last.
    pub(super) const fn rank(&self) -> u8 {
        match self.kind {
            'i' => 0,
            'u' => 1,
            'e' => 2,
            'p' => 3,
            // c= stands here.
            'b' => 4,
            't' | 'r' => 5,
            'z' => 6,
            'k' => 7,
            _ => 8,
        }
    }

    /// It stands before `c=`.
    pub(super) const fn precedes_connection(&self) -> bool {
        self.rank() < 4
    }
}

impl Origin {
    /// The stand-in for a missing `o=`.
    fn unknown() -> Self {
        Self {
            username: "-".to_owned(),
            session_id: 0,
            version: 0,
            address: Address::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        }
    }
}

/// `<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>`. Read from the right:
/// some phones put a name with blanks first, or none at all.
fn origin(value: &str) -> Option<Origin> {
    let mut words = value.split_whitespace().rev();
    let text = words.next()?;
    let kind = words.next()?;
    let network = words.next()?;
    let version = words.next()?;
    let session_id = words.next()?;
    let mut username: Vec<&str> = words.collect();
    username.reverse();
    let username = username.join("_");
    Some(Origin {
        username: if username.is_empty() {
            "-".to_owned()
        } else {
            username
        },
        session_id: number(session_id),
        version: number(version),
        address: address(network, kind, text),
    })
}

/// A number of any length, modulo 2^64, so that a changed one still differs.
fn number(digits: &str) -> u64 {
    digits.bytes().fold(0, |sum: u64, byte| {
        sum.wrapping_mul(10)
            .wrapping_add(u64::from(byte.wrapping_sub(b'0')))
    })
}

fn address(network: &str, kind: &str, text: &str) -> Address {
    let internet = network.eq_ignore_ascii_case("IN");
    let ipv6 = kind.eq_ignore_ascii_case("IP6");
    if internet && let Some(ip) = ip(text) {
        return Address::Ip(ip);
    }
    if internet && (ipv6 || kind.eq_ignore_ascii_case("IP4")) {
        return Address::Host {
            name: text.to_owned(),
            ipv6,
        };
    }
    Address::Other {
        network: network.to_owned(),
        kind: kind.to_owned(),
        address: text.to_owned(),
    }
}

/// A literal address, also in brackets or with a zone, as some stacks write it.
fn ip(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .unwrap_or(text);
    let bare = bare.split_once('%').map_or(bare, |(ip, _zone)| ip);
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

fn connection(value: &str) -> Option<Connection> {
    let mut words = value.split_whitespace();
    let (network, kind, text) = (words.next()?, words.next()?, words.next()?);
    let (text, multicast) = match text.split_once('/') {
        Some((text, suffix)) => (text, (!suffix.is_empty()).then(|| suffix.to_owned())),
        None => (text, None),
    };
    (!text.is_empty()).then(|| Connection {
        address: address(network, kind, text),
        multicast,
    })
}

fn media(value: &str) -> Option<MediaDescription> {
    let mut words = value.split_whitespace();
    let kind = MediaKind::from_name(words.next()?);
    let port = words.next()?;
    let (port, port_count) = match port.split_once('/') {
        Some((port, count)) => (port, count.parse().ok()),
        None => (port, None),
    };
    let port: u16 = port.parse().ok()?;
    let protocol = Protocol::from_name(words.next()?);
    let mut formats: Vec<String> = words.map(str::to_owned).collect();
    if formats.is_empty() {
        // Some phones leave the formats of a refused line out; elsewhere they are the point.
        if port != 0 {
            return None;
        }
        formats.push("0".to_owned());
    }
    Some(MediaDescription {
        kind,
        port,
        port_count,
        protocol,
        formats,
        connection: None,
        lines: Vec::new(),
        attributes: Vec::new(),
    })
}

impl MediaKind {
    fn from_name(name: &str) -> Self {
        [Self::Audio, Self::Video, Self::Image, Self::Application]
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

impl Protocol {
    fn from_name(name: &str) -> Self {
        [
            Self::RtpAvp,
            Self::RtpAvpf,
            Self::RtpSavp,
            Self::RtpSavpf,
            Self::UdpTlsRtpSavp,
            Self::UdpTlsRtpSavpf,
        ]
        .into_iter()
        .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
        .unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

fn attribute(line: &str) -> Option<Attribute> {
    let (name, value) = match line.split_once(':') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (line, None),
    };
    if name.is_empty() {
        return None;
    }
    Some(
        known_attribute(name, value).unwrap_or_else(|| Attribute::Other {
            name: name.to_owned(),
            value: value.map(str::to_owned),
        }),
    )
}

fn known_attribute(name: &str, value: Option<&str>) -> Option<Attribute> {
    let lower = name.to_ascii_lowercase();
    if let Some(direction) = Direction::ALL.into_iter().find(|d| d.name() == lower) {
        return Some(Attribute::Direction(direction));
    }
    if lower == "rtcp-mux" {
        return Some(Attribute::RtcpMux);
    }
    let value = value.filter(|v| !v.is_empty())?;
    match lower.as_str() {
        "rtpmap" => rtpmap(value).map(Attribute::RtpMap),
        "fmtp" => fmtp(value).map(Attribute::Fmtp),
        "ptime" => milliseconds(value).map(Attribute::Ptime),
        "maxptime" => milliseconds(value).map(Attribute::MaxPtime),
        "rtcp" => rtcp(value).map(Attribute::Rtcp),
        "mid" => Some(Attribute::Mid(value.to_owned())),
        "group" => Some(Attribute::Group(value.to_owned())),
        "crypto" => Some(Attribute::Crypto(Secret::new(value))),
        "ice-pwd" => Some(Attribute::IcePassword(Secret::new(value))),
        _ => None,
    }
}

fn payload_type(text: &str) -> Option<u8> {
    text.parse().ok().filter(|pt| *pt <= 127)
}

fn rtpmap(value: &str) -> Option<RtpMap> {
    let (pt, rest) = value.split_once(char::is_whitespace)?;
    let payload_type = payload_type(pt)?;
    let rest: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
    let mut parts = rest.split('/');
    let encoding = parts.next().filter(|name| !name.is_empty())?;
    let clock_rate_hz = match parts.next() {
        Some(text) => text.parse().ok().filter(|hz| *hz > 0)?,
        // Old phones leave it out, for the codecs of 1996.
        None => codec::static_clock_rate_hz(payload_type),
    };
    Some(RtpMap {
        payload_type,
        encoding: encoding.to_owned(),
        clock_rate_hz,
        channels: parts.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0),
    })
}

fn fmtp(value: &str) -> Option<Fmtp> {
    let (pt, parameters) = value.split_once(char::is_whitespace)?;
    Some(Fmtp {
        payload_type: payload_type(pt)?,
        parameters: parameters.trim().to_owned(),
    })
}

fn milliseconds(value: &str) -> Option<u16> {
    let whole = value.split_once('.').map_or(value, |(whole, _)| whole);
    whole.parse().ok()
}

fn rtcp(value: &str) -> Option<RtcpAddress> {
    let mut words = value.split_whitespace();
    let port = words.next()?.parse().ok()?;
    let ip = match (words.next(), words.next(), words.next()) {
        (None, ..) => None,
        (Some(network), Some(kind), Some(text)) => Some(address(network, kind, text).ip()?),
        (Some(_), ..) => return None,
    };
    Some(RtcpAddress { port, ip })
}

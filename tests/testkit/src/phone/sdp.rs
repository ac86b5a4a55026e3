//! The phone's session descriptions, read and written apart from the exchange's (RFC 4566, RFC 3264).

use core::fmt::Write;
use core::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{MasterKey, SrtpSuite};

/// Who may speak to whom, as the writer of the description sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// The writer speaks only: it holds the other.
    SendOnly,
    /// The writer listens only: it is held.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    const fn attribute(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The writer may speak.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The writer may be spoken to.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The answer of someone who wants `self` to an offer of `offered` (RFC 3264 §6.1).
    #[must_use]
    pub const fn answer_to(self, offered: Self) -> Self {
        match (
            self.sends() && offered.receives(),
            self.receives() && offered.sends(),
        ) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}

/// What a description says about the one audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Session id and version of `o=`.
    pub origin: (u64, u64),
    /// Where the writer wants RTP.
    pub address: SocketAddr,
    /// Payload types, the preferred first, without telephone-event.
    pub codecs: Vec<u8>,
    /// Payload type of telephone-event.
    pub event: Option<u8>,
    /// The direction.
    pub direction: Direction,
    /// The transport is RTP/SAVP.
    pub secure: bool,
    /// The keys in it, with their tags.
    pub keys: Vec<(u32, MasterKey)>,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// What is missing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut host: Option<IpAddr> = None;
        let mut media = None;
        let mut origin = None;
        let mut event = None;
        let mut direction = Direction::default();
        let mut secure = false;
        let mut keys = Vec::new();
        for line in text.lines() {
            let Some((kind, value)) = line.split_once('=') else {
                return Err(format!("no `=` in `{line}`"));
            };
            let words: Vec<&str> = value.split_ascii_whitespace().collect();
            match kind {
                "o" => origin = Some((number(words.get(1))?, number(words.get(2))?)),
                "c" => {
                    let address = words.get(2).ok_or("no address in c=")?;
                    host = Some(address.parse().map_err(|_| format!("c={value}"))?);
                }
                "m" => {
                    if media.is_some() || words.first() != Some(&"audio") {
                        return Err(format!("one audio stream was expected: {line}"));
                    }
                    secure = match words.get(2) {
                        Some(&"RTP/AVP") => false,
                        Some(&"RTP/SAVP") => true,
                        _ => return Err(format!("a transport was expected: {line}")),
                    };
                    let types: Result<Vec<u8>, _> =
                        words.iter().skip(3).map(|word| word.parse()).collect();
                    let types = types.map_err(|_| format!("m={value}"))?;
                    media = Some((number(words.get(1))?, types));
                }
                "a" => match value {
                    "sendrecv" => direction = Direction::SendRecv,
                    "sendonly" => direction = Direction::SendOnly,
                    "recvonly" => direction = Direction::RecvOnly,
                    "inactive" => direction = Direction::Inactive,
                    _ => {
                        if let Some(map) = value.strip_prefix("rtpmap:")
                            && let Some((number, name)) = map.split_once(' ')
                            && name.eq_ignore_ascii_case("telephone-event/8000")
                        {
                            event = number.parse().ok();
                        }
                        if let Some(crypto) = value.strip_prefix("crypto:") {
                            keys.push(key(crypto).ok_or(format!("a={value}"))?);
                        }
                    }
                },
                _ => {}
            }
        }
        let (port, types) = media.ok_or("no m=")?;
        let port = u16::try_from(port).map_err(|_| "port")?;
        Ok(Self {
            origin: origin.ok_or("no o=")?,
            address: SocketAddr::new(host.ok_or("no c=")?, port),
            codecs: types
                .into_iter()
                .filter(|number| Some(*number) != event)
                .collect(),
            event,
            direction,
            secure,
            keys,
        })
    }

    /// Its key of this suite, with its tag.
    #[must_use]
    pub fn key_of(&self, suite: SrtpSuite) -> Option<(u32, MasterKey)> {
        let mut keys = self.keys.iter().copied();
        keys.find(|(_, key)| key.suite() == suite)
    }

    /// The printed description.
    #[must_use]
    pub fn text(&self) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        let (id, version) = self.origin;
        let types: Vec<String> = self
            .codecs
            .iter()
            .chain(&self.event)
            .map(ToString::to_string)
            .collect();
        let transport = if self.secure { "RTP/SAVP" } else { "RTP/AVP" };
        let mut out = format!(
            "v=0\r\no=- {id} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio {port} {transport} {}\r\n",
            types.join(" ")
        );
        for codec in &self.codecs {
            let name = match codec {
                0 => "PCMU/8000",
                8 => "PCMA/8000",
                9 => "G722/8000",
                18 => "G729/8000",
                _ => "unknown/8000",
            };
            // Writing to a string can't fail.
            let _ = write!(out, "a=rtpmap:{codec} {name}\r\n");
        }
        if let Some(event) = self.event {
            let _ = write!(
                out,
                "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n"
            );
        }
        for (tag, key) in &self.keys {
            let (suite, key) = (key.suite().name(), STANDARD.encode(key.octets()));
            let _ = write!(out, "a=crypto:{tag} {suite} inline:{key}|2^31\r\n");
        }
        let _ = write!(out, "a=ptime:20\r\na={}\r\n", self.direction.attribute());
        out
    }
}

/// `<tag> <suite> inline:<key>`: nothing else is expected of us.
fn key(value: &str) -> Option<(u32, MasterKey)> {
    let words: Vec<&str> = value.split(' ').collect();
    let [tag, suite, inline] = words[..] else {
        return None;
    };
    let suite = SrtpSuite::ALL
        .into_iter()
        .find(|known| known.name() == suite)?;
    let octets = STANDARD.decode(inline.strip_prefix("inline:")?).ok()?;
    Some((tag.parse().ok()?, MasterKey::new(suite, &octets)?))
}

fn number(word: Option<&&str>) -> Result<u64, String> {
    word.and_then(|word| word.parse().ok())
        .ok_or_else(|| "a number is missing".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let description = Description {
            origin: (7, 8),
            address: "192.0.2.1:4000".parse().unwrap(),
            codecs: vec![8, 0],
            event: Some(101),
            direction: Direction::SendOnly,
            secure: true,
            keys: Vec::new(),
        };
        assert_eq!(Description::parse(&description.text()), Ok(description));
    }

    #[test]
    fn a_held_party_answers_as_the_standard_says() {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        assert_eq!(SendRecv.answer_to(SendOnly), RecvOnly);
        assert_eq!(SendOnly.answer_to(SendOnly), Inactive);
        assert_eq!(SendRecv.answer_to(SendRecv), SendRecv);
        assert_eq!(SendOnly.answer_to(SendRecv), SendOnly);
    }
}

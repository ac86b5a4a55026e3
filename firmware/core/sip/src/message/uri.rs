//! URIs: `sip`, `sips` (RFC 3261 §19.1), `tel` (RFC 3966), and any other, kept as it is.

mod compare;
mod params;
mod sip;

use core::fmt;
use core::str::FromStr;

pub use params::UriParams;
pub use sip::SipUri;

use super::Host;
use super::chars::find;
use super::error::Malformed;
use super::percent::normalise;

/// A URI. `==` is sameness of what would be printed (but for case of the host);
/// [`Uri::equivalent`] is the comparison of the standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// `tel:`.
    Tel(TelUri),
    /// Any other scheme.
    Other(OpaqueUri),
}

/// A telephone number as a URI (RFC 3966).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelUri {
    number: String,
    /// `;phone-context=…`, `;ext=…` and others.
    pub params: UriParams,
}

/// A URI of a scheme this crate gives no meaning to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueUri {
    scheme: String,
    rest: String,
}

impl Uri {
    /// Reads a URI without blanks or brackets around it.
    ///
    /// # Errors
    /// Where it has no scheme, or breaks its scheme's grammar.
    pub fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        let colon = find(b':', raw).ok_or(Malformed("URI without scheme"))?;
        let (scheme, rest) = raw.split_at(colon);
        let rest = rest.get(1..).unwrap_or_default();
        match scheme {
            _ if scheme.eq_ignore_ascii_case(b"sip") => SipUri::parse(rest, false).map(Self::Sip),
            _ if scheme.eq_ignore_ascii_case(b"sips") => SipUri::parse(rest, true).map(Self::Sip),
            _ if scheme.eq_ignore_ascii_case(b"tel") => TelUri::parse(rest).map(Self::Tel),
            _ => OpaqueUri::parse(scheme, rest).map(Self::Other),
        }
    }

    /// A `sip:` URI for a host.
    #[must_use]
    pub const fn sip(host: Host) -> SipUri {
        SipUri::new(host)
    }

    /// The `sip` or `sips` URI, where it is one.
    #[must_use]
    pub const fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other(_) => None,
        }
    }

    /// The `sip` or `sips` URI, to change it.
    pub const fn as_sip_mut(&mut self) -> Option<&mut SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other(_) => None,
        }
    }

    /// The scheme in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self {
            Self::Sip(uri) if uri.secure => "sips",
            Self::Sip(_) => "sip",
            Self::Tel(_) => "tel",
            Self::Other(uri) => &uri.scheme,
        }
    }

    /// Whom the URI means: the user of a SIP URI, escapes undone, or the number of a `tel` URI.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        match self {
            Self::Sip(uri) => uri.user(),
            Self::Tel(uri) => Some(uri.number.clone()),
            Self::Other(_) => None,
        }
    }

    /// The host of a SIP URI.
    #[must_use]
    pub const fn host(&self) -> Option<&Host> {
        match self {
            Self::Sip(uri) => Some(&uri.host),
            Self::Tel(_) | Self::Other(_) => None,
        }
    }

    /// The port of a SIP URI, where it names one.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Sip(uri) => uri.port,
            Self::Tel(_) | Self::Other(_) => None,
        }
    }

    /// The parameters; none for schemes other than `sip`, `sips` and `tel`.
    #[must_use]
    pub const fn params(&self) -> Option<&UriParams> {
        match self {
            Self::Sip(uri) => Some(&uri.params),
            Self::Tel(uri) => Some(&uri.params),
            Self::Other(_) => None,
        }
    }

    /// Whether both mean the same resource (RFC 3261 §19.1.4, RFC 3966 §4). Not transitive.
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        compare::uris(self, other)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sip(uri) => uri.write(out),
            Self::Tel(uri) => {
                out.extend_from_slice(b"tel:");
                out.extend_from_slice(uri.number.as_bytes());
                uri.params.write(out);
            }
            Self::Other(uri) => {
                out.extend_from_slice(uri.scheme.as_bytes());
                out.push(b':');
                out.extend_from_slice(uri.rest.as_bytes());
            }
        }
    }
}

impl TelUri {
    /// A number, global where it starts with `+`. What can't stand in one is left out.
    #[must_use]
    pub fn new(number: &str) -> Self {
        let number: String = number.chars().filter(|&c| is_phone_char(c)).collect();
        Self {
            number,
            params: UriParams::new(),
        }
    }

    /// The number as it was written, visual separators among it.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The digits alone, a leading `+` kept.
    #[must_use]
    pub fn digits(&self) -> String {
        self.number
            .chars()
            .filter(|c| !matches!(c, '-' | '.' | '(' | ')'))
            .collect()
    }

    fn parse(rest: &[u8]) -> Result<Self, Malformed> {
        let end = rest
            .iter()
            .position(|&byte| byte == b';')
            .unwrap_or(rest.len());
        let (number, params) = rest.split_at(end);
        let text = core::str::from_utf8(number).map_err(|_| Malformed("telephone number"))?;
        if text.is_empty() || !text.chars().all(is_phone_char) {
            return Err(Malformed("telephone number"));
        }
        Ok(Self {
            number: text.to_owned(),
            params: UriParams::parse(params)?,
        })
    }
}

impl OpaqueUri {
    /// All after the scheme and its colon.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }

    fn parse(scheme: &[u8], rest: &[u8]) -> Result<Self, Malformed> {
        // RFC 3986 §3.1
        let valid = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !valid || rest.is_empty() {
            return Err(Malformed("URI scheme"));
        }
        Ok(Self {
            scheme: scheme
                .iter()
                .map(|byte| char::from(byte.to_ascii_lowercase()))
                .collect(),
            rest: normalise(rest, |_| true, "URI")?,
        })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(64);
        self.write(&mut out);
        // Every part is kept as ASCII.
        f.write_str(core::str::from_utf8(&out).unwrap_or_default())
    }
}

impl FromStr for Uri {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text.as_bytes())
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

impl From<TelUri> for Uri {
    fn from(uri: TelUri) -> Self {
        Self::Tel(uri)
    }
}

/// `phonedigit`, `+`, and the letters of a local number (RFC 3966 §3).
const fn is_phone_char(c: char) -> bool {
    c.is_ascii_hexdigit() || matches!(c, '+' | '*' | '#' | '-' | '.' | '(' | ')')
}

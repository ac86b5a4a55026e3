//! Hosts: names and addresses, IPv6 in brackets (RFC 3261 §25.1, RFC 5118).

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::chars::{Cursor, decimal, write_decimal};
use super::error::Malformed;

/// Where a URI or Via points.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name of the DNS.
    Name(HostName),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; printed in brackets.
    V6(Ipv6Addr),
}

/// A checked name: letters, digits, `-`, `.` and (seen in the field) `_`. Comparison ignores case.
#[derive(Clone)]
pub struct HostName(Box<str>);

impl Host {
    /// Reads a host; IPv6 with brackets or without.
    ///
    /// # Errors
    /// Where it is neither an address nor a name.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::V6(address));
        }
        let mut cursor = Cursor::new(text.as_bytes());
        let host = Self::take(&mut cursor)?;
        cursor.finish("host")?;
        Ok(host)
    }

    /// The address, where it is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// The name, where it is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name.as_str()),
            Self::V4(_) | Self::V6(_) => None,
        }
    }

    /// Takes a host, IPv6 in brackets, from the cursor.
    pub(crate) fn take(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        if cursor.eat(b'[') {
            let inside = cursor.take_while(|byte| byte != b']');
            let address = core::str::from_utf8(inside)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or(Malformed("IPv6 address"))?;
            return if cursor.eat(b']') {
                Ok(Self::V6(address))
            } else {
                Err(Malformed("IPv6 address without closing bracket"))
            };
        }
        let name = cursor.take_while(is_host_char);
        let text = core::str::from_utf8(name).map_err(|_| Malformed("host"))?;
        if text.is_empty() {
            return Err(Malformed("host"));
        }
        if text
            .bytes()
            .last()
            .is_some_and(|byte| byte.is_ascii_digit())
            && let Ok(address) = text.parse()
        {
            return Ok(Self::V4(address));
        }
        Ok(Self::Name(HostName(text.into())))
    }

    /// Takes `host [":" port]`; blanks around the colon where `blanks` says so.
    pub(crate) fn take_with_port(
        cursor: &mut Cursor<'_>,
        blanks: bool,
    ) -> Result<(Self, Option<u16>), Malformed> {
        let host = Self::take(cursor)?;
        let colon = if blanks {
            cursor.eat_separator(b':')
        } else {
            cursor.eat(b':')
        };
        if !colon {
            return Ok((host, None));
        }
        let digits = cursor.take_while(|byte| byte.is_ascii_digit());
        let port = u16::try_from(decimal(digits, "port")?).map_err(|_| Malformed("port"))?;
        Ok((host, Some(port)))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Name(name) => out.extend_from_slice(name.0.as_bytes()),
            Self::V4(address) => {
                for (at, octet) in address.octets().into_iter().enumerate() {
                    if at > 0 {
                        out.push(b'.');
                    }
                    write_decimal(octet.into(), out);
                }
            }
            Self::V6(_) => out.extend_from_slice(self.to_string().as_bytes()),
        }
    }
}

impl HostName {
    /// The name as it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::ops::Deref for HostName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for HostName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for HostName {}

impl core::hash::Hash for HostName {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&name.0),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

impl core::str::FromStr for Host {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

const fn is_host_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

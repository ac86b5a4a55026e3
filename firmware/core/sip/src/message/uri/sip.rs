//! `sip:` and `sips:` (RFC 3261 §19.1.1).

use super::super::Host;
use super::super::chars::{Cursor, find, is_unreserved, write_decimal};
use super::super::error::Malformed;
use super::super::percent::{decode, encode, normalise};
use super::UriParams;

/// A SIP or SIPS URI. Parts are kept as they were escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipUri {
    /// `sips:`.
    pub secure: bool,
    user: Option<String>,
    password: Option<String>,
    /// The host.
    pub host: Host,
    /// The port, where given.
    pub port: Option<u16>,
    /// `;transport=…`, `;lr` and others.
    pub params: UriParams,
    headers: Vec<(String, String)>,
}

impl SipUri {
    /// `sip:HOST`.
    #[must_use]
    pub const fn new(host: Host) -> Self {
        Self {
            secure: false,
            user: None,
            password: None,
            host,
            port: None,
            params: UriParams::new(),
            headers: Vec::new(),
        }
    }

    /// This, with a user; what needs it is escaped.
    #[must_use]
    pub fn with_user(mut self, user: &str) -> Self {
        self.set_user(Some(user));
        self
    }

    /// This, with a port.
    #[must_use]
    pub const fn with_port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    /// This, with a parameter; what needs it is escaped.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params.set(name, value);
        self
    }

    /// This, with a parameter that has no value.
    #[must_use]
    pub fn with_flag(mut self, name: &str) -> Self {
        self.params.set_flag(name);
        self
    }

    /// This, with a header, as `?Replaces=…`; what needs it is escaped.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((encode(name, is_header_char), encode(value, is_header_char)));
        self
    }

    /// Sets or removes the user, and with it the password. An empty user is none.
    pub fn set_user(&mut self, user: Option<&str>) {
        self.user = user
            .filter(|user| !user.is_empty())
            .map(|user| encode(user, is_user_char));
        self.password = None;
    }

    /// The user, escapes undone; octets that are not UTF-8 then become U+FFFD.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.user
            .as_deref()
            .map(|user| String::from_utf8_lossy(&decode(user)).into_owned())
    }

    /// The user as it was escaped.
    #[must_use]
    pub fn raw_user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password as it was escaped.
    #[must_use]
    pub fn raw_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The value of a header in the URI, escapes undone.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers
            .iter()
            .find(|(own, _)| decode(own).eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| decode(value))
    }

    /// The headers as they were escaped.
    pub fn raw_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Removes all headers, as a Request-URI must have none (RFC 3261 §19.1.1).
    pub fn clear_headers(&mut self) {
        self.headers.clear();
    }

    /// The `transport` parameter.
    #[must_use]
    pub fn transport(&self) -> Option<&str> {
        self.params.value("transport")
    }

    /// True where a route through this URI is a loose one.
    #[must_use]
    pub fn is_loose_router(&self) -> bool {
        self.params.contains("lr")
    }

    /// Reads all after the scheme and its colon.
    pub(super) fn parse(rest: &[u8], secure: bool) -> Result<Self, Malformed> {
        let (userinfo, rest) = match find(b'@', rest) {
            Some(at) => {
                let (userinfo, rest) = rest.split_at(at);
                (Some(userinfo), rest.get(1..).unwrap_or_default())
            }
            None => (None, rest),
        };
        let (user, password) = match userinfo {
            Some(userinfo) => parse_userinfo(userinfo)?,
            None => (None, None),
        };
        let mut cursor = Cursor::new(rest);
        let (host, port) = Host::take_with_port(&mut cursor, false)?;
        let params = cursor.take_while(|byte| byte != b'?');
        let params = UriParams::parse(params)?;
        let headers = match cursor.bump() {
            Some(_) => parse_headers(cursor.rest())?,
            None => Vec::new(),
        };
        Ok(Self {
            secure,
            user,
            password,
            host,
            port,
            params,
            headers,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.secure { b"sips:" } else { b"sip:" });
        if let Some(user) = &self.user {
            out.extend_from_slice(user.as_bytes());
            if let Some(password) = &self.password {
                out.push(b':');
                out.extend_from_slice(password.as_bytes());
            }
            out.push(b'@');
        }
        self.host.write(out);
        if let Some(port) = self.port {
            out.push(b':');
            write_decimal(port.into(), out);
        }
        self.params.write(out);
        for (at, (name, value)) in self.headers.iter().enumerate() {
            out.push(if at == 0 { b'?' } else { b'&' });
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            out.extend_from_slice(value.as_bytes());
        }
    }
}

type UserInfo = (Option<String>, Option<String>);

fn parse_userinfo(userinfo: &[u8]) -> Result<UserInfo, Malformed> {
    let mut parts = userinfo.splitn(2, |&byte| byte == b':');
    let user = parts.next().unwrap_or_default();
    if user.is_empty() {
        return Err(Malformed("empty user"));
    }
    let user = normalise(user, is_lenient_user_char, "user")?;
    let password = parts
        .next()
        .map(|password| normalise(password, is_password_char, "password"))
        .transpose()?;
    Ok((Some(user), password))
}

fn parse_headers(raw: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
    raw.split(|&byte| byte == b'&')
        .map(|header| {
            let mut parts = header.splitn(2, |&byte| byte == b'=');
            let name = parts.next().unwrap_or_default();
            if name.is_empty() {
                return Err(Malformed("URI header without name"));
            }
            let value = parts.next().ok_or(Malformed("URI header without value"))?;
            Ok((
                normalise(name, is_header_char, "URI header")?,
                normalise(value, is_lenient_header_char, "URI header")?,
            ))
        })
        .collect()
}

/// `user`.
const fn is_user_char(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

/// Phones send `#` in feature codes without escaping it.
const fn is_lenient_user_char(byte: u8) -> bool {
    is_user_char(byte) || byte == b'#'
}

/// `password`, and what is seen in it without harm.
const fn is_password_char(byte: u8) -> bool {
    is_lenient_user_char(byte) || byte == b':'
}

/// `hnv-unreserved`.
const fn is_header_char(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$')
}

/// What phones leave unescaped in `?Replaces=…` without making it ambiguous.
const fn is_lenient_header_char(byte: u8) -> bool {
    is_header_char(byte) || matches!(byte, b';' | b'=' | b'@' | b',')
}

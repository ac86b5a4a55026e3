//! Parameters of URIs: escaped, never quoted (RFC 3261 §19.1.1, RFC 3966 §3).

use super::super::chars::is_unreserved;
use super::super::error::Malformed;
use super::super::percent::{decode, encode, normalise};

/// `;name=value` pairs of a URI in their order, as they were escaped. Names compare without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UriParams(Vec<(String, Option<String>)>);

impl UriParams {
    /// No parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// True where there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, in order, as they were escaped.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// The value as it was escaped; `None` where the parameter is absent or has none.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.find(name)?.1.as_deref()
    }

    /// The value, escapes undone.
    #[must_use]
    pub fn decoded(&self, name: &str) -> Option<String> {
        self.value(name)
            .map(|value| String::from_utf8_lossy(&decode(value)).into_owned())
    }

    /// True where the parameter is there, with a value or without.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets a parameter; what needs it is escaped.
    pub fn set(&mut self, name: &str, value: &str) {
        self.put(name, Some(encode(value, is_param_char)));
    }

    /// Sets a parameter without value, as `lr`.
    pub fn set_flag(&mut self, name: &str) {
        self.put(name, None);
    }

    /// Removes a parameter; true where it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self.0.len() != before
    }

    /// Reads `*( ";" name [ "=" value ] )`.
    pub(super) fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        let Some(list) = raw.strip_prefix(b";") else {
            return if raw.is_empty() {
                Ok(Self::new())
            } else {
                Err(Malformed("URI parameters"))
            };
        };
        let mut params = Vec::with_capacity(2);
        for param in list.split(|&byte| byte == b';') {
            let mut parts = param.splitn(2, |&byte| byte == b'=');
            let name = parts.next().unwrap_or_default();
            if name.is_empty() {
                return Err(Malformed("URI parameter without name"));
            }
            let value = parts
                .next()
                .map(|value| normalise(value, is_lenient_char, "URI parameter"))
                .transpose()?;
            params.push((normalise(name, is_param_char, "URI parameter")?, value));
        }
        Ok(Self(params))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            out.push(b';');
            out.extend_from_slice(name.as_bytes());
            if let Some(value) = value {
                out.push(b'=');
                out.extend_from_slice(value.as_bytes());
            }
        }
    }

    fn find(&self, name: &str) -> Option<&(String, Option<String>)> {
        self.0
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    fn put(&mut self, name: &str, value: Option<String>) {
        match self
            .0
            .iter_mut()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
        {
            Some(param) => param.1 = value,
            None => self.0.push((encode(name, is_param_char), value)),
        }
    }
}

/// `paramchar`.
const fn is_param_char(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$')
}

/// What a value may hold besides without becoming ambiguous.
const fn is_lenient_char(byte: u8) -> bool {
    is_param_char(byte) || matches!(byte, b'=' | b',' | b'#')
}

//! Parameters of header fields (RFC 3261 §7.3.1, §25.1 `generic-param`).

use super::chars::{Cursor, is_token, text, unquote, write_quoted};
use super::error::Malformed;

/// `;name=value` pairs in their order. Names compare without case; of a name given twice the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    name: String,
    value: Option<ParamValue>,
}

/// A parameter's value, without quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamValue {
    text: String,
    quoted: bool,
}

impl Params {
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

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    /// The parameter's value; `None` where it is absent or has none.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.find(name)?.value()
    }

    /// True where the parameter is there, with a value or without.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets a parameter, in its old place where it had one.
    pub fn set(&mut self, name: &str, value: impl Into<ParamValue>) {
        self.put(name, Some(value.into()));
    }

    /// Sets a parameter that has no value.
    pub fn set_flag(&mut self, name: &str) {
        self.put(name, None);
    }

    /// Removes a parameter; true where it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|param| !param.is(name));
        self.0.len() != before
    }

    /// This, with one parameter set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<ParamValue>) -> Self {
        self.set(name, value);
        self
    }

    /// Takes `*( ";" name [ "=" value ] )` from the cursor.
    pub(crate) fn take(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let mut params = Vec::new();
        while cursor.eat_separator(b';') {
            params.push(Param::take(cursor)?);
        }
        Ok(Self(params))
    }

    /// Takes `name [ "=" value ] *( "," … )`, as credentials and challenges have it; empty elements
    /// are passed over.
    pub(crate) fn take_comma_list(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let mut params = Vec::new();
        loop {
            while cursor.eat_separator(b',') {}
            cursor.skip_blanks();
            if cursor.at_end() {
                return Ok(Self(params));
            }
            params.push(Param::take(cursor)?);
            if !cursor.eat_separator(b',') {
                cursor.finish("parameters")?;
                return Ok(Self(params));
            }
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for param in &self.0 {
            out.push(b';');
            param.write(out);
        }
    }

    pub(crate) fn write_comma_list(&self, out: &mut Vec<u8>) {
        for (at, param) in self.0.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(b", ");
            }
            param.write(out);
        }
    }

    fn find(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| param.is(name))
    }

    fn put(&mut self, name: &str, value: Option<ParamValue>) {
        match self.0.iter_mut().find(|param| param.is(name)) {
            Some(param) => param.value = value,
            None => self.0.push(Param {
                // What can't stand in a token can't be part of a name.
                name: name
                    .chars()
                    .filter(|&c| u8::try_from(c).is_ok_and(is_token))
                    .collect(),
                value,
            }),
        }
    }
}

impl Param {
    /// The name as it was spelled.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, where there is one.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_ref().map(|value| value.text.as_str())
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let name = text(cursor.token("parameter name")?);
        let value = if cursor.eat_separator(b'=') {
            Some(ParamValue::take(cursor)?)
        } else {
            None
        };
        Ok(Self { name, value })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name.as_bytes());
        let Some(value) = &self.value else { return };
        out.push(b'=');
        if value.quoted {
            write_quoted(&value.text, out);
        } else {
            out.extend_from_slice(value.text.as_bytes());
        }
    }
}

impl ParamValue {
    /// A value that is printed in quotes even where it could do without.
    #[must_use]
    pub fn quoted(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            quoted: true,
        }
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        if cursor.peek() == Some(b'"') {
            return Ok(Self {
                text: unquote(cursor.quoted()?),
                quoted: true,
            });
        }
        // The grammar has token or host here. Real values hold more (`=`, `/`, `@`), and nothing
        // is gained by refusing what can be told apart.
        match cursor.take_while(is_raw) {
            [] => Err(Malformed("parameter value")),
            raw => Ok(Self {
                text: text(raw),
                quoted: false,
            }),
        }
    }
}

impl<T: Into<String>> From<T> for ParamValue {
    fn from(text: T) -> Self {
        let text = text.into();
        let quoted = text.is_empty()
            || !text
                .bytes()
                .all(|byte| is_token(byte) || matches!(byte, b'[' | b']' | b':'));
        Self { text, quoted }
    }
}

const fn is_raw(byte: u8) -> bool {
    !matches!(byte, 0..=b' ' | 0x7f | b',' | b';' | b'"')
}

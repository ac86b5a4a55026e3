//! Lists of tokens: option tags, event packages, media types (RFC 3261 §20.32, §20.37), and Privacy (RFC 3323).

use super::{Field, display_field};
use crate::message::chars::{Cursor, text};
use crate::message::error::Malformed;

/// Tokens of a comma list: `Supported`, `Require`, `Allow-Events` and their kin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(Vec<String>);

/// What the caller wants hidden (RFC 3323 §4.2, RFC 3325 §9.3). Empty where the field is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privacy(Vec<String>);

impl Tokens {
    /// A list of the tokens given.
    #[must_use]
    pub fn new(tokens: &[&str]) -> Self {
        Self(tokens.iter().map(|&token| token.to_owned()).collect())
    }

    /// True where the token is in the list, in any case.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(token))
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// True where there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads elements of a list; empty ones are passed over.
    pub(crate) fn collect<'a>(elements: impl Iterator<Item = &'a [u8]>) -> Result<Self, Malformed> {
        elements
            .filter(|element| !element.is_empty())
            .map(take_token)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Field for Tokens {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        Self::collect(
            value
                .split(|&byte| byte == b',')
                .map(crate::message::chars::trim),
        )
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_list(&self.0, b", ", out);
    }
}

impl Privacy {
    /// A list of the values given.
    #[must_use]
    pub fn new(values: &[&str]) -> Self {
        Self(values.iter().map(|&value| value.to_owned()).collect())
    }

    /// True where the value is asked for.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(value))
    }

    /// True where the caller's identity is to be hidden from the called party.
    #[must_use]
    pub fn hides_identity(&self) -> bool {
        ["id", "user", "header"]
            .iter()
            .any(|value| self.contains(value))
    }
}

impl Field for Privacy {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        // The grammar parts by semicolons; commas are seen.
        value
            .split(|byte| matches!(byte, b';' | b','))
            .map(crate::message::chars::trim)
            .filter(|value| !value.is_empty())
            .map(take_token)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_list(&self.0, b";", out);
    }
}

fn take_token(element: &[u8]) -> Result<String, Malformed> {
    let mut cursor = Cursor::new(element);
    let token = cursor.token("token")?;
    cursor.finish("not a token")?;
    Ok(text(token))
}

fn write_list(list: &[String], between: &[u8], out: &mut Vec<u8>) {
    for (at, token) in list.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(between);
        }
        out.extend_from_slice(token.as_bytes());
    }
}

display_field!(Tokens, Privacy);

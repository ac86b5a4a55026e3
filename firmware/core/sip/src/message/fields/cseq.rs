//! `CSeq` and `Call-ID` (RFC 3261 §20.8, §20.16).

use core::fmt;

use super::{Field, display_field};
use crate::message::Method;
use crate::message::chars::{Cursor, decimal, text, write_decimal};
use crate::message::error::Malformed;

/// A request's number and method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The number.
    pub seq: u32,
    /// The method.
    pub method: Method,
}

/// What names a dialog's or registration's requests; compared octet for octet.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(Box<str>);

impl CSeq {
    /// A number and a method.
    #[must_use]
    pub const fn new(seq: u32, method: Method) -> Self {
        Self { seq, method }
    }
}

impl Field for CSeq {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let seq = decimal(cursor.take_while(|byte| byte.is_ascii_digit()), "number")?;
        let before = cursor.rest().len();
        cursor.skip_blanks();
        if cursor.rest().len() == before {
            return Err(Malformed("no blank after the number"));
        }
        let method = Method::from_bytes(cursor.token("method")?).ok_or(Malformed("method"))?;
        cursor.finish("octets after the method")?;
        Ok(Self { seq, method })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.seq.into(), out);
        out.push(b' ');
        out.extend_from_slice(self.method.as_str().as_bytes());
    }
}

impl CallId {
    /// Takes a Call-ID of ours; what can't stand in one is left out.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(
            id.chars()
                .filter(char::is_ascii_graphic)
                .collect::<String>()
                .into(),
        )
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for CallId {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        // The grammar is `word [ "@" word ]`; a peer's own idea of it is none of our business as
        // long as it is one run of visible characters.
        if value.is_empty() || value.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            return Err(Malformed("not one word"));
        }
        Ok(Self(text(value).into()))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

display_field!(CSeq, CallId);

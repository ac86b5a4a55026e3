//! The raw value of a header field: octets without a line end (RFC 3261 §7.3.1).

use core::fmt;

use bytes::Bytes;

use super::chars::{trim, write_decimal};
use super::fields::Field;

/// A header field's value as it travels: unfolded, blanks at its ends cut off, any octets but CR and LF.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderValue(Bytes);

impl HeaderValue {
    /// Takes octets; CR and LF become spaces, so that no value can smuggle in a header line.
    #[must_use]
    pub fn new(value: impl Into<Bytes>) -> Self {
        let value = value.into();
        if value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            let unfolded: Vec<u8> = value.iter().map(unfold).collect();
            return Self(Bytes::copy_from_slice(trim(&unfolded)));
        }
        let inner = trim(&value);
        if inner.len() == value.len() {
            return Self(value);
        }
        Self(value.slice_ref(inner))
    }

    /// A slice of `input` known to hold no line end and to be trimmed.
    pub(crate) fn from_clean(input: &Bytes, value: &[u8]) -> Self {
        // `slice_ref` wants a slice of `input`; an empty one may come from anywhere.
        if value.is_empty() {
            Self(Bytes::new())
        } else {
            Self(input.slice_ref(value))
        }
    }

    /// The value of a field in typed form.
    pub fn of<T: Field>(field: &T) -> Self {
        let mut out = Vec::with_capacity(96);
        field.write(&mut out);
        Self::new(out)
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value as text, where it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }

    /// The value as text, Latin-1 assumed where it is not UTF-8.
    #[must_use]
    pub fn to_text(&self) -> String {
        super::chars::text(&self.0)
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for HeaderValue {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl From<String> for HeaderValue {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl From<&String> for HeaderValue {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Bytes> for HeaderValue {
    fn from(value: Bytes) -> Self {
        Self::new(value)
    }
}

impl From<u32> for HeaderValue {
    fn from(number: u32) -> Self {
        let mut out = Vec::new();
        write_decimal(number.into(), &mut out);
        Self(out.into())
    }
}

impl<T: Field> From<T> for HeaderValue {
    fn from(field: T) -> Self {
        Self::of(&field)
    }
}

const fn unfold(byte: &u8) -> u8 {
    match *byte {
        b'\r' | b'\n' => b' ',
        other => other,
    }
}

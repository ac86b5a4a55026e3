//! `Retry-After` (RFC 3261 §20.33).

use super::{Field, display_field};
use crate::message::Params;
use crate::message::chars::{Cursor, decimal, seconds, text, write_decimal};
use crate::message::error::Malformed;

/// When to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds from now.
    pub seconds: u32,
    /// The remark in parentheses, where there is one.
    pub comment: Option<String>,
    /// `;duration=…`
    pub params: Params,
}

impl RetryAfter {
    /// Seconds alone.
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        Self {
            seconds,
            comment: None,
            params: Params::new(),
        }
    }

    /// How long the peer will be there once it is, in seconds.
    #[must_use]
    pub fn duration_s(&self) -> Option<u32> {
        decimal(self.params.value("duration")?.as_bytes(), "duration").ok()
    }
}

impl Field for RetryAfter {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let seconds = seconds(cursor.take_while(|byte| byte.is_ascii_digit()), "seconds")?;
        cursor.skip_blanks();
        let comment = if cursor.peek() == Some(b'(') {
            Some(take_comment(&mut cursor)?)
        } else {
            None
        };
        let params = Params::take(&mut cursor)?;
        cursor.finish("octets after the interval")?;
        Ok(Self {
            seconds,
            comment,
            params,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.seconds.into(), out);
        if let Some(comment) = &self.comment {
            out.extend_from_slice(b" (");
            for byte in comment.bytes() {
                if matches!(byte, b'(' | b')' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b')');
        }
        self.params.write(out);
    }
}

/// RFC 3261 §25.1 `comment`; the inner parentheses of a nested one stay in the text.
fn take_comment(cursor: &mut Cursor<'_>) -> Result<String, Malformed> {
    let mut plain = Vec::new();
    let mut depth = 0u32;
    while let Some(byte) = cursor.bump() {
        match byte {
            b'(' => {
                depth = depth.saturating_add(1);
                if depth > 1 {
                    plain.push(byte);
                }
            }
            b')' if depth == 1 => return Ok(text(&plain)),
            b')' => {
                depth = depth.saturating_sub(1);
                plain.push(byte);
            }
            b'\\' => plain.extend(cursor.bump()),
            _ => plain.push(byte),
        }
    }
    Err(Malformed("comment without end"))
}

display_field!(RetryAfter);

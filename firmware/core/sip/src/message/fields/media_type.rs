//! `Content-Type` (RFC 3261 §20.15).

use super::{Field, display_field};
use crate::message::Params;
use crate::message::chars::{Cursor, text};
use crate::message::error::Malformed;

/// A media type: `application/sdp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    kind: String,
    subtype: String,
    /// `;charset=…`, `;boundary=…`
    pub params: Params,
}

impl MediaType {
    /// A media type without parameters, from a text of ours such as `"application/sdp"`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn new(text: &str) -> Result<Self, Malformed> {
        Self::parse(text.as_bytes())
    }

    /// True where it is this type, in any case, whatever its parameters.
    #[must_use]
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// True for `application/sdp`.
    #[must_use]
    pub fn is_sdp(&self) -> bool {
        self.is("application", "sdp")
    }
}

impl Field for MediaType {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let kind = text(cursor.token("media type")?);
        if !cursor.eat_separator(b'/') {
            return Err(Malformed("media type without subtype"));
        }
        let subtype = text(cursor.token("media subtype")?);
        let params = Params::take(&mut cursor)?;
        cursor.finish("octets after the media type")?;
        Ok(Self {
            kind,
            subtype,
            params,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.kind.as_bytes());
        out.push(b'/');
        out.extend_from_slice(self.subtype.as_bytes());
        self.params.write(out);
    }
}

display_field!(MediaType);

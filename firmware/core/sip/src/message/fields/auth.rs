//! Challenges and credentials as they travel, of any scheme (RFC 3261 §20.7, §20.27, §20.28, §20.44).
//! What the Digest scheme makes of them is in [`crate::digest`].

use super::{Field, display_field};
use crate::message::Params;
use crate::message::chars::{Cursor, text};
use crate::message::error::Malformed;

/// A scheme and its parameters, of a challenge or of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthValue {
    /// `Digest`, or another.
    pub scheme: String,
    /// Its parameters.
    pub params: Params,
}

impl AuthValue {
    /// True for the scheme given, in any case.
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }
}

impl Field for AuthValue {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let scheme = text(cursor.token("scheme")?);
        let params = Params::take_comma_list(&mut cursor)?;
        Ok(Self { scheme, params })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.scheme.as_bytes());
        out.push(b' ');
        self.params.write_comma_list(out);
    }
}

display_field!(AuthValue);

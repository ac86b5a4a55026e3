//! `Warning` (RFC 3261 §20.43).

use super::{Field, display_field};
use crate::message::chars::{Cursor, decimal, text, trim, unquote, write_quoted};
use crate::message::error::Malformed;

/// A remark on a status, for a person who searches a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Three digits: 3xx is about session descriptions, 399 anything.
    pub code: u16,
    /// Who adds it: a host, perhaps with a port, or a pseudonym.
    pub agent: String,
    /// The remark.
    pub text: String,
}

impl Field for Warning {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(trim(value));
        let digits = cursor.take_while(|byte| byte.is_ascii_digit());
        // RFC 3261 §25.1: `warn-code = 3DIGIT`
        let code = match digits.len() {
            3 => u16::try_from(decimal(digits, "code")?).map_err(|_| Malformed("code"))?,
            _ => return Err(Malformed("code is not of three digits")),
        };
        cursor.skip_blanks();
        let agent = text(cursor.take_while(|byte| byte > b' ' && byte != b'"'));
        if agent.is_empty() {
            return Err(Malformed("no agent"));
        }
        cursor.skip_blanks();
        let text = unquote(cursor.quoted()?);
        cursor.finish("octets after the text")?;
        Ok(Self { code, agent, text })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{:03}", self.code).as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.agent.as_bytes());
        out.push(b' ');
        write_quoted(&self.text, out);
    }
}

display_field!(Warning);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_code_keeps_its_three_digits() {
        let warning = Warning::parse(b"007 box \"x\"").expect("a warning");
        assert_eq!(warning.code, 7);
        assert_eq!(warning.to_string(), "007 box \"x\"");
    }
}

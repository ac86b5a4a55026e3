//! Reliable provisional responses (RFC 3262 §7).

use super::{CSeq, Field, display_field};
use crate::message::chars::{Cursor, decimal, trim, write_decimal};
use crate::message::error::Malformed;

/// `RSeq`: the number of a provisional response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RSeq(pub u32);

/// `RAck`: which provisional response a PRACK acknowledges.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RAck {
    /// The response's `RSeq`.
    pub rseq: u32,
    /// The response's `CSeq`.
    pub cseq: CSeq,
}

impl Field for RSeq {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        decimal(trim(value), "number").map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.0.into(), out);
    }
}

impl Field for RAck {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let rseq = decimal(cursor.take_while(|byte| byte.is_ascii_digit()), "number")?;
        let cseq = CSeq::parse(cursor.rest())?;
        Ok(Self { rseq, cseq })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.rseq.into(), out);
        out.push(b' ');
        self.cseq.write(out);
    }
}

display_field!(RSeq, RAck);

//! Fields that are a number or plain text (RFC 3261 §20.19, §20.22, §20.23, §20.35, §20.41).

use super::{Field, display_field};
use crate::message::chars::{decimal, seconds, text, trim, write_decimal};
use crate::message::error::Malformed;

/// `Expires`, `Min-Expires`: seconds. Too great a number is read as the greatest (RFC 4475 §3.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeltaSeconds(pub u32);

/// `Max-Forwards`: 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaxForwards(pub u8);

/// `Subject`, `User-Agent`, `Server`: text for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(pub String);

impl Field for DeltaSeconds {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        seconds(trim(value), "seconds").map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.0.into(), out);
    }
}

impl Field for MaxForwards {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        const WHAT: &str = "not a number from 0 to 255";
        let hops = decimal(trim(value), WHAT)?;
        u8::try_from(hops).map(Self).map_err(|_| Malformed(WHAT))
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.0.into(), out);
    }
}

impl Field for Text {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        Ok(Self(text(value)))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

display_field!(DeltaSeconds, MaxForwards, Text);

//! Session timers (RFC 4028 §4, §5).

use super::{Field, display_field};
use crate::message::Params;
use crate::message::chars::{Cursor, seconds, write_decimal};
use crate::message::error::Malformed;

/// Who refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// Who sent the request.
    Uac,
    /// Who answers it.
    Uas,
}

/// `Session-Expires`: how long a session lives without a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds.
    pub seconds: u32,
    /// Who refreshes, where it is said.
    pub refresher: Option<Refresher>,
}

/// `Min-SE`: the shortest interval that is accepted, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinSe(pub u32);

impl Field for SessionExpires {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let (seconds, params) = interval(value)?;
        let refresher = match params.value("refresher") {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => return Err(Malformed("refresher")),
            None => None,
        };
        Ok(Self { seconds, refresher })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.seconds.into(), out);
        match self.refresher {
            Some(Refresher::Uac) => out.extend_from_slice(b";refresher=uac"),
            Some(Refresher::Uas) => out.extend_from_slice(b";refresher=uas"),
            None => {}
        }
    }
}

impl Field for MinSe {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        interval(value).map(|(seconds, _)| Self(seconds))
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_decimal(self.0.into(), out);
    }
}

fn interval(value: &[u8]) -> Result<(u32, Params), Malformed> {
    let mut cursor = Cursor::new(value);
    cursor.skip_blanks();
    let seconds = seconds(cursor.take_while(|byte| byte.is_ascii_digit()), "seconds")?;
    let params = Params::take(&mut cursor)?;
    cursor.finish("octets after the interval")?;
    Ok((seconds, params))
}

display_field!(SessionExpires, MinSe);

//! UDP ports of sound.

use core::fmt;
use core::str::FromStr;

/// Ports of a call: RTP and RTCP for each party.
pub const PORTS_PER_CALL: u32 = 4;

/// The first and the last port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first; never zero.
    pub first: u16,
    /// The last; not before the first.
    pub last: u16,
}

/// Text that is no range of ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPortRange(String);

impl PortRange {
    /// How many calls it has ports for: RTP has the even ones, and RTCP the next (RFC 3550 §11).
    #[must_use]
    pub const fn calls(self) -> u32 {
        let pairs = (self.last as u32).div_ceil(2) - (self.first as u32).div_ceil(2);
        pairs / (PORTS_PER_CALL / 2)
    }
}

impl FromStr for PortRange {
    type Err = InvalidPortRange;

    fn from_str(text: &str) -> Result<Self, InvalidPortRange> {
        let invalid = |words: String| Err(InvalidPortRange(words));
        let Some((first, last)) = text.split_once('-') else {
            return invalid("give a range such as 16384-20479".into());
        };
        let (Ok(first), Ok(last)) = (first.parse(), last.parse()) else {
            return invalid(format!("`{text}` is not a range such as 16384-20479"));
        };
        if first == 0 || first > last {
            return invalid(format!("{first} to {last} is not a range of ports"));
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl fmt::Display for InvalidPortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for InvalidPortRange {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_range_is_read() {
        let range: PortRange = "16384-20479".parse().expect("a range");
        assert_eq!((range.first, range.last), (16_384, 20_479));
        assert_eq!(range.to_string(), "16384-20479");
        for wrong in ["1", "9-1", "0-5", "a-b", "1-65536", ""] {
            assert!(wrong.parse::<PortRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_whole_pairs_count() {
        for (text, calls) in [
            ("16384-20479", 1024),
            ("20000-20003", 1),
            ("20001-20004", 0),
            ("20001-20005", 1),
            ("20000-20002", 0),
            ("1-1", 0),
            ("1-65535", 16_383),
        ] {
            let range: PortRange = text.parse().expect("a range");
            assert_eq!(range.calls(), calls, "{text}");
        }
    }
}

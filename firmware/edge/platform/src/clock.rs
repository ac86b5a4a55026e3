//! The time of day, as the machine has it.

use std::time::{SystemTime, UNIX_EPOCH};

use model::WallTime;

/// How far the time of the box is east of UTC now, in seconds.
#[must_use]
pub fn east_s() -> i32 {
    jiff::Zoned::now().offset().seconds()
}

/// Now.
#[must_use]
pub fn wall() -> WallTime {
    let us = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    };
    WallTime::from_unix_micros(us)
}

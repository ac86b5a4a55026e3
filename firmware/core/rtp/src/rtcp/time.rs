//! Wall-clock time as RTCP tells it, and the round trip that two reports give.
//!
//! Owns the NTP format of RFC 3550 §4 and the computation of §6.4.1, figure 2. The clock itself is handed in.

use core::time::Duration;
use model::{Instant, WallTime};

/// Seconds since 1900 in the upper half, their fraction in the lower; wraps in 2036, harmlessly here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

/// From 1900 to 1970.
const UNIX_EPOCH_S: i64 = 2_208_988_800;

impl NtpTime {
    /// A moment of civil time.
    #[must_use]
    pub fn from_wall(wall: WallTime) -> Self {
        let us = wall.as_unix_micros();
        let seconds = us.div_euclid(1_000_000).wrapping_add(UNIX_EPOCH_S) as u32;
        let fraction = ((us.rem_euclid(1_000_000) as u64) << 32) / 1_000_000;
        Self(u64::from(seconds) << 32 | fraction)
    }

    /// The middle 32 bits: units of 1/65 536 s, as reports repeat them.
    #[must_use]
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// Ties the clock of intervals to the wall's, once, so that stepping the wall clock moves no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtpClock {
    at: Instant,
    wall: WallTime,
}

impl NtpClock {
    /// It was `wall` at `at`.
    #[must_use]
    pub fn new(at: Instant, wall: WallTime) -> Self {
        Self { at, wall }
    }

    /// The time of `now`, not before the two clocks were tied.
    #[must_use]
    pub fn ntp(&self, now: Instant) -> NtpTime {
        NtpTime::from_wall(self.wall + now.since(self.at))
    }
}

/// A span as reports tell it, in 1/65 536 s.
#[must_use]
pub(crate) fn report_units(span: Duration) -> u32 {
    u32::try_from((span.as_micros() << 16) / 1_000_000).unwrap_or(u32::MAX)
}

/// The round trip, from a report block received at `now`: less than nothing, or no report heard yet, gives none.
// RFC 3550 §6.4.1: A - LSR - DLSR
#[must_use]
pub fn round_trip(now: NtpTime, last_report: u32, since_last_report: u32) -> Option<Duration> {
    let units = now
        .middle()
        .wrapping_sub(last_report)
        .wrapping_sub(since_last_report);
    if last_report == 0 || units > MOST_UNITS {
        return None;
    }
    Some(Duration::from_micros((u64::from(units) * 1_000_000) >> 16))
}

/// A longer round trip than a minute is a wrong clock at the far end, or a difference below zero.
const MOST_UNITS: u32 = 60 << 16;

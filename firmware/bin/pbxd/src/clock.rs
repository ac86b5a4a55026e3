//! The one place of the process that reads clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use model::{Instant, WallTime};

/// Monotonic time since the process started. Cheap to copy; all copies agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: std::time::Instant,
}

impl Clock {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Self {
        Self {
            zero: std::time::Instant::now(),
        }
    }

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The moment of the system's monotonic clock that is `at`.
    #[must_use]
    pub fn system(&self, at: Instant) -> std::time::Instant {
        self.zero + std::time::Duration::from_micros(at.as_micros())
    }
}

/// Civil time.
#[must_use]
pub fn wall() -> WallTime {
    let us = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    };
    WallTime::from_unix_micros(us)
}

//! The one place of the process that reads clocks.

use model::Instant;
pub use platform::clock::{east_s, wall};

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

//! A line of the log that a flood would repeat: said once a second, with how often it would have been.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(1);

/// Counts what is said seldom.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    last: Option<Instant>,
    untold: u64,
}

impl Seldom {
    /// It happened: how often since it was last said, where it may be said now.
    pub(super) fn happened(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < EVERY)
        {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_once_a_second() {
        let mut seldom = Seldom::default();
        let start = Instant::now();
        let mut at = |ms| seldom.happened(start + Duration::from_millis(ms));
        assert_eq!(at(0), Some(1));
        assert_eq!((at(1), at(500), at(999)), (None, None, None));
        assert_eq!(at(1000), Some(4));
        assert_eq!(at(1999), None);
        assert_eq!(at(9000), Some(2));
    }
}

//! When a process that ended is started again: a pure function of what happened before.

use core::time::Duration;

use model::Instant;

/// The first wait after an unexpected end: phones notice nothing.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The longest wait: a process that can't start is still tried twice a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A process that ran so long is sound again; its waits start anew.
const SOUND_AFTER: Duration = Duration::from_secs(60);

/// The restarts of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restarts {
    in_a_row: u32,
}

impl Restarts {
    /// How long to wait before the next start of a process that ran from `started` to `ended`.
    pub fn ended(&mut self, started: Instant, ended: Instant) -> Duration {
        if ended - started >= SOUND_AFTER {
            self.in_a_row = 0;
        }
        let wait = FIRST_WAIT
            .saturating_mul(1 << self.in_a_row.min(16))
            .min(LONGEST_WAIT);
        self.in_a_row = self.in_a_row.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(run: Duration, count: usize) -> Vec<u64> {
        let mut restarts = Restarts::default();
        let mut now = Instant::ZERO;
        (0..count)
            .map(|_| {
                let started = now;
                now += run;
                let wait = restarts.ended(started, now);
                now += wait;
                u64::try_from(wait.as_millis()).expect("short")
            })
            .collect()
    }

    #[test]
    fn a_process_that_fails_at_once_is_tried_less_and_less_often() {
        assert_eq!(
            waits(Duration::from_millis(5), 10),
            [
                200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000
            ]
        );
    }

    #[test]
    fn a_process_that_ran_well_comes_back_at_once() {
        assert_eq!(waits(Duration::from_secs(61), 3), [200, 200, 200]);
    }
}

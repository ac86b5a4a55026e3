//! What is done about what servers say of the time, and when they are asked again: a pure function of
//! their answers.
//!
//! The first answer sets the clock, since a clock without a battery may be off by years; where it would go
//! back, or on by more than a day, the second does that says the same. After that
//! small offsets are made up for by a clock that runs a little faster or slower, so that no interval is
//! wrong; a large one only where it is seen twice: one may be a bad moment of the network.

use core::time::Duration;

use model::Instant;

use super::sntp::Sample;

/// Larger offsets are not made up for slowly: at 0.5 ms a second it would take hours (RFC 5905, STEPT).
const LARGE_US: i64 = 128_000;

/// A clock with a battery is not off by more, nor one that goes on from a restart.
const DAY_US: i64 = 86_400_000_000;

/// Where the second look at a large offset comes.
const LOOK_AGAIN: Duration = Duration::from_secs(4);

/// Between rounds, while the clock is being brought to the time, and when it has it.
const OFTEN: Duration = Duration::from_secs(64);
const SELDOM: Duration = Duration::from_secs(512);

/// A clock that is off by less has the time.
const SMALL_US: i64 = 10_000;

/// The first round that nobody answered is repeated so soon: the network is just coming up.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// What is to be done with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjust {
    /// Nothing.
    Nothing,
    /// Set it, further by so many microseconds.
    Step(i64),
    /// Let it make up for so many microseconds.
    Slew(i64),
}

/// The state of the clock.
#[derive(Clone, Debug)]
pub struct Discipline {
    due: Instant,
    interval: Duration,
    /// It had the time once.
    is_set: bool,
    /// A large offset that is to be seen a second time.
    suspicion_us: Option<i64>,
}

impl Discipline {
    /// Nothing is known; servers are asked at once.
    pub const fn new(now: Instant) -> Self {
        Self {
            due: now,
            interval: FIRST_RETRY,
            is_set: false,
            suspicion_us: None,
        }
    }

    /// Servers are asked at once, where they haven't answered yet: the network came up.
    pub fn hurry(&mut self, now: Instant) {
        if !self.is_set {
            self.due = now;
            self.interval = FIRST_RETRY;
        }
    }

    /// When servers are to be asked.
    pub const fn poll_timeout(&self) -> Instant {
        self.due
    }

    /// Nobody answered.
    pub fn unanswered(&mut self, now: Instant) {
        self.due = now + self.interval;
        let longest = if self.is_set { SELDOM } else { OFTEN };
        self.interval = (self.interval * 2).min(longest);
    }

    /// A round was answered so.
    pub fn answered(&mut self, now: Instant, sample: Sample) -> Adjust {
        let offset_us = sample.offset_us;
        let size_us = offset_us.saturating_abs();
        let is_odd = self.is_set || !(0..=DAY_US).contains(&offset_us);
        if size_us > LARGE_US && is_odd {
            let seen_before = (self.suspicion_us)
                .is_some_and(|before| (before - offset_us).saturating_abs() <= LARGE_US);
            if !seen_before {
                self.suspicion_us = Some(offset_us);
                self.due = now + LOOK_AGAIN;
                return Adjust::Nothing;
            }
        }
        self.suspicion_us = None;
        self.is_set = true;
        self.interval = if size_us > SMALL_US {
            OFTEN
        } else {
            (self.interval * 2).clamp(OFTEN, SELDOM)
        };
        self.due = now + self.interval;
        if size_us > LARGE_US {
            Adjust::Step(offset_us)
        } else {
            Adjust::Slew(offset_us)
        }
    }
}

/// One sample for those of a round: of three and more the one in the middle, so that one wrong server
/// does no harm; of fewer that with the shortest way.
pub fn best(mut samples: Vec<Sample>) -> Option<Sample> {
    if samples.len() >= 3 {
        samples.sort_by_key(|sample| sample.offset_us);
        return samples.get(samples.len() / 2).copied();
    }
    samples.into_iter().min_by_key(|sample| sample.delay_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(offset_us: i64) -> Sample {
        Sample {
            offset_us,
            delay_us: 1000,
        }
    }

    fn at(s: u64) -> Instant {
        Instant::from_millis(s * 1000)
    }

    fn synchronised() -> Discipline {
        let mut discipline = Discipline::new(at(0));
        assert_eq!(discipline.answered(at(0), sample(0)), Adjust::Slew(0));
        discipline
    }

    #[test]
    fn the_first_answer_sets_the_clock() {
        let years_us = 20 * 365 * 86_400 * 1_000_000;
        for (offset_us, looks) in [(3_600_000_000, 1), (years_us, 2), (-3_600_000_000, 2)] {
            let mut discipline = Discipline::new(at(0));
            for look in 1..looks {
                let adjust = discipline.answered(at(look), sample(offset_us));
                assert_eq!(adjust, Adjust::Nothing, "{offset_us}");
                let again = discipline.poll_timeout();
                assert_eq!(again, at(look) + LOOK_AGAIN);
            }
            let adjust = discipline.answered(at(9), sample(offset_us));
            assert_eq!(adjust, Adjust::Step(offset_us));
        }
        let mut discipline = Discipline::new(at(0));
        let adjust = discipline.answered(at(0), sample(-5000));
        assert_eq!(adjust, Adjust::Slew(-5000));
    }

    #[test]
    fn later_the_clock_is_set_only_where_an_offset_is_seen_twice() {
        let mut discipline = synchronised();
        assert_eq!(
            discipline.answered(at(64), sample(900_000)),
            Adjust::Nothing
        );
        assert_eq!(discipline.poll_timeout(), at(68));
        assert_eq!(
            discipline.answered(at(68), sample(2000)),
            Adjust::Slew(2000)
        );
        assert_eq!(
            discipline.answered(at(200), sample(900_000)),
            Adjust::Nothing
        );
        let again = discipline.answered(at(204), sample(910_000));
        assert_eq!(again, Adjust::Step(910_000));
        assert_eq!(
            discipline.answered(at(268), sample(-900_000)),
            Adjust::Nothing
        );
    }

    #[test]
    fn servers_are_asked_seldom_where_the_clock_has_the_time() {
        let mut discipline = synchronised();
        let mut waits = Vec::new();
        for _ in 0..5 {
            let due = discipline.poll_timeout();
            discipline.answered(due, sample(100));
            waits.push((discipline.poll_timeout() - due).as_secs());
        }
        assert_eq!(waits, [128, 256, 512, 512, 512]);
        let due = discipline.poll_timeout();
        discipline.answered(due, sample(20_000));
        assert_eq!((discipline.poll_timeout() - due).as_secs(), 64);
    }

    #[test]
    fn servers_that_do_not_answer_are_asked_less_and_less_often_until_the_network_comes() {
        let mut discipline = Discipline::new(at(0));
        let mut waits = Vec::new();
        for _ in 0..7 {
            let due = discipline.poll_timeout();
            discipline.unanswered(due);
            waits.push((discipline.poll_timeout() - due).as_secs());
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 64]);
        discipline.hurry(at(1000));
        assert_eq!(discipline.poll_timeout(), at(1000));
        let mut discipline = synchronised();
        let due = discipline.poll_timeout();
        discipline.hurry(at(1));
        assert_eq!(discipline.poll_timeout(), due, "it has the time");
    }

    #[test]
    fn one_wrong_server_of_three_does_no_harm() {
        let three = vec![sample(100), sample(99_000_000), sample(300)];
        assert_eq!(best(three), Some(sample(300)));
        let near = Sample {
            offset_us: 7,
            delay_us: 10,
        };
        assert_eq!(best(vec![sample(900), near]), Some(near));
        assert_eq!(best(Vec::new()), None);
    }
}

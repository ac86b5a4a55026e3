//! Whether a system that is tried is kept, given up, or has time left.

use std::time::Duration;

use model::Instant;

/// How long it may take to prove itself; phones of a whole office may be registering meanwhile.
const WITHIN: Duration = Duration::from_secs(300);

/// What is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Wait,
    /// It is good.
    Keep,
    /// It is not, for this reason.
    GiveUp(String),
}

/// Says so.
pub struct Judge {
    due: Instant,
    data_in_memory: bool,
}

impl Judge {
    /// The trial begins now.
    pub fn new(data_in_memory: bool, now: Instant) -> Self {
        Self {
            due: now + WITHIN,
            data_in_memory,
        }
    }

    /// What is to be done, once the exchange `passed`, or has not because of this.
    pub fn verdict(&self, now: Instant, passed: bool, reason: &str) -> Verdict {
        if self.data_in_memory {
            // An exchange that begins with nothing calls itself without trouble.
            return Verdict::GiveUp("the new system can't use the data on the card".into());
        }
        if passed {
            return Verdict::Keep;
        }
        if self.due <= now {
            return Verdict::GiveUp(format!(
                "the new system's call to itself did not pass within five minutes: {reason}"
            ));
        }
        Verdict::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_new_system_has_five_minutes() {
        let judge = Judge::new(false, at(1));
        assert_eq!(judge.verdict(at(300), false, "no sound"), Verdict::Wait);
        assert_eq!(judge.verdict(at(300), true, "no sound"), Verdict::Keep);
        let verdict = judge.verdict(at(301), false, "no sound");
        assert!(matches!(verdict, Verdict::GiveUp(reason) if reason.ends_with(": no sound")));
    }

    #[test]
    fn a_new_system_without_its_data_is_given_up_at_once() {
        let judge = Judge::new(true, at(1));
        for passed in [false, true] {
            let verdict = judge.verdict(at(1), passed, "");
            assert!(matches!(verdict, Verdict::GiveUp(reason) if reason.contains("data")));
        }
    }
}

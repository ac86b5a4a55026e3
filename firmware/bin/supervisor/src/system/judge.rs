//! Whether a system that is tried is kept, given up, or has time left.

use std::time::Duration;

use model::Instant;

/// How long it may take to prove itself; phones of a whole office may be registering meanwhile.
const WITHIN: Duration = Duration::from_secs(300);

/// Between two tries to keep it, where the boot loader could not be told.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

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
    /// When it is to be kept, once the exchange has proved itself.
    keep_due: Option<Instant>,
}

impl Judge {
    /// The trial begins now.
    pub fn new(data_in_memory: bool, now: Instant) -> Self {
        Self {
            due: now + WITHIN,
            data_in_memory,
            keep_due: None,
        }
    }

    /// The exchange has called itself: that stays true, whatever becomes of it.
    pub const fn passed(&mut self, now: Instant) {
        self.keep_due = Some(now);
    }

    /// What is to be done; `reason` is why the exchange has not called itself.
    pub fn verdict(&mut self, now: Instant, reason: &str) -> Verdict {
        if self.data_in_memory {
            // An exchange that begins with nothing calls itself without trouble.
            return Verdict::GiveUp("the new system can't use the data on the card".into());
        }
        if self.keep_due.is_some_and(|due| due <= now) {
            self.keep_due = Some(now + AGAIN_AFTER);
            return Verdict::Keep;
        }
        if now < self.due {
            return Verdict::Wait;
        }
        Verdict::GiveUp(match self.keep_due {
            Some(_) => "the boot loader could not be told to keep the new system".into(),
            None => format!(
                "the new system's call to itself did not pass within five minutes: {reason}"
            ),
        })
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
        let mut judge = Judge::new(false, at(1));
        assert_eq!(judge.verdict(at(300), "no sound"), Verdict::Wait);
        let verdict = judge.verdict(at(301), "no sound");
        assert!(matches!(verdict, Verdict::GiveUp(reason) if reason.ends_with(": no sound")));
    }

    #[test]
    fn what_has_passed_is_kept_as_soon_as_the_boot_loader_can_be_told() {
        let mut judge = Judge::new(false, at(1));
        judge.passed(at(60));
        assert_eq!(judge.verdict(at(60), ""), Verdict::Keep);
        assert_eq!(judge.verdict(at(69), ""), Verdict::Wait);
        assert_eq!(judge.verdict(at(70), ""), Verdict::Keep);
        assert_eq!(judge.verdict(at(301), ""), Verdict::Keep, "once more");
        let verdict = judge.verdict(at(301), "");
        assert!(matches!(verdict, Verdict::GiveUp(reason) if reason.contains("boot loader")));
    }

    #[test]
    fn a_new_system_without_its_data_is_given_up_at_once() {
        let mut judge = Judge::new(true, at(1));
        let data = |verdict| matches!(verdict, Verdict::GiveUp(reason) if reason.contains("data"));
        assert!(data(judge.verdict(at(1), "")));
        judge.passed(at(1));
        assert!(data(judge.verdict(at(1), "")));
    }
}

//! How long a new system may take to prove itself, as PID 1 has it: what is to prove it, the `system`
//! child, may be the very part that is broken.

use std::time::Duration;

use model::Instant;

/// A little longer than the `system` child gives it, which looks at it for a minute after the five: that one
/// can say why it was given up.
const WITHIN: Duration = Duration::from_secs(400);

/// The trial of a new system, where this start is one.
pub struct Trial {
    due: Option<Instant>,
}

impl Trial {
    /// Begins now.
    pub fn new(is_tried: bool, now: Instant) -> Self {
        Self {
            due: is_tried.then(|| now + WITHIN),
        }
    }

    /// The `system` child says that it is kept.
    pub const fn proved(&mut self) {
        self.due = None;
    }

    /// Whether it has not been proved in time: only a restart goes on from here.
    pub fn is_over(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_new_system_that_nobody_proves_is_over_in_time() {
        let trial = Trial::new(true, at(10));
        assert!(!trial.is_over(at(409)));
        assert!(trial.is_over(at(410)));
    }

    #[test]
    fn what_is_proved_or_not_tried_goes_on() {
        let mut trial = Trial::new(true, at(10));
        trial.proved();
        assert!(!trial.is_over(at(100_000)));
        assert!(!Trial::new(false, at(10)).is_over(at(100_000)));
    }
}

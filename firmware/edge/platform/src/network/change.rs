//! A change of the network that reverts by itself: an administrator who is cut off by it needs not walk
//! to the box.
//!
//! ```text
//!            propose                confirm (kept, durable)
//!   kept ───────────────► tried ───────────────────────────► kept
//!     ▲                     │ revert, or nobody confirmed in time
//!     └─────────────────────┘
//! ```
//!
//! What is tried is never written down, so a crash or a power cut in between brings back what was kept.
//! A second proposal replaces the first; what was kept stays.

use core::time::Duration;

use model::Instant;
use model::system::{CONFIRM_WITHIN_S, NetworkSettings};

/// What is kept and what is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    kept: NetworkSettings,
    tried: Option<Tried>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tried {
    settings: NetworkSettings,
    until: Instant,
}

impl Change {
    /// These are kept, nothing is tried.
    #[must_use]
    pub const fn new(kept: NetworkSettings) -> Self {
        Self { kept, tried: None }
    }

    /// What is to be in force.
    #[must_use]
    pub fn in_force(&self) -> &NetworkSettings {
        self.tried
            .as_ref()
            .map_or(&self.kept, |tried| &tried.settings)
    }

    /// Tries other settings from now on. Proposing what is kept takes a trial back.
    pub fn propose(&mut self, now: Instant, settings: NetworkSettings) {
        self.tried = (settings != self.kept).then(|| Tried {
            settings,
            until: now + Duration::from_secs(u64::from(CONFIRM_WITHIN_S)),
        });
    }

    /// What is to be written down before [`Self::confirmed`]; none where nothing is tried.
    #[must_use]
    pub fn to_confirm(&self) -> Option<&NetworkSettings> {
        self.tried.as_ref().map(|tried| &tried.settings)
    }

    /// What is tried is written down and kept from now on.
    pub fn confirmed(&mut self) {
        if let Some(tried) = self.tried.take() {
            self.kept = tried.settings;
        }
    }

    /// Goes back; true where there was something to go back from.
    pub fn revert(&mut self) -> bool {
        self.tried.take().is_some()
    }

    /// Goes back where nobody confirmed in time; true where that is now.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = self.poll_timeout().is_some_and(|until| until <= now);
        due && self.revert()
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.tried.as_ref().map(|tried| tried.until)
    }

    /// Seconds left to confirm, begun ones counted.
    #[must_use]
    pub fn left_s(&self, now: Instant) -> Option<u32> {
        let left = self.poll_timeout()? - now;
        u32::try_from(left.as_millis().div_ceil(1000)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> NetworkSettings {
        NetworkSettings {
            host_name: name.into(),
            interfaces: Vec::new(),
            gateway: None,
            dns: Vec::new(),
        }
    }

    fn at(s: u64) -> Instant {
        Instant::from_millis(s * 1000)
    }

    #[test]
    fn what_nobody_confirms_reverts() {
        let mut change = Change::new(named("old"));
        change.propose(at(10), named("new"));
        assert_eq!(change.in_force(), &named("new"));
        assert_eq!(change.left_s(at(10)), Some(CONFIRM_WITHIN_S));
        let end = 10 + u64::from(CONFIRM_WITHIN_S);
        assert!(!change.handle_timeout(at(end - 1)));
        assert_eq!(change.left_s(at(end - 1)), Some(1));
        assert!(change.handle_timeout(at(end)));
        assert_eq!(change.in_force(), &named("old"));
        assert!(!change.handle_timeout(at(end + 1)), "once");
    }

    #[test]
    fn what_is_confirmed_stays() {
        let mut change = Change::new(named("old"));
        assert_eq!(change.to_confirm(), None);
        change.propose(at(10), named("new"));
        assert_eq!(change.to_confirm(), Some(&named("new")));
        change.confirmed();
        assert_eq!(change.poll_timeout(), None);
        assert!(!change.revert());
        assert_eq!(change.in_force(), &named("new"));
    }

    #[test]
    fn a_second_proposal_has_its_own_time_and_the_same_way_back() {
        let mut change = Change::new(named("old"));
        change.propose(at(0), named("new"));
        change.propose(at(100), named("newer"));
        assert!(!change.handle_timeout(at(u64::from(CONFIRM_WITHIN_S))));
        assert_eq!(change.in_force(), &named("newer"));
        assert!(change.revert());
        assert_eq!(change.in_force(), &named("old"));
    }

    #[test]
    fn proposing_what_is_kept_takes_a_trial_back() {
        let mut change = Change::new(named("old"));
        change.propose(at(0), named("new"));
        change.propose(at(1), named("old"));
        assert_eq!(change, Change::new(named("old")));
    }
}

//! Calls whose parties change their port: a BYE after a crash is to find them, but who changes it all the
//! time is not to fill the journal.
//!
//! ```text
//!  quiet --a new port: the call is kept anew--> paused, 1 s --nothing came--> quiet
//!                                                 ^  | a new port came: it is kept anew
//!                                                 +--+
//! ```

use core::time::Duration;
use std::collections::BTreeMap;

use model::{CallId, Flow, Instant};

use super::Exchange;

/// How long after a call was kept anew it is not kept again for a new port. Who answers from the port before
/// still has it: a NAT keeps it for longer.
const PAUSE: Duration = Duration::from_secs(1);

/// The calls that are paused.
#[derive(Debug, Default)]
pub(super) struct Moves(BTreeMap<CallId, Pause>);

#[derive(Debug)]
struct Pause {
    until: Instant,
    /// A port has changed since.
    moved: bool,
}

impl Moves {
    /// When the next pause is over.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.0.values().map(|pause| pause.until).min()
    }

    /// A port has changed: whether the call is to be kept anew now.
    fn note(&mut self, now: Instant, call: CallId) -> bool {
        if let Some(pause) = self.0.get_mut(&call) {
            pause.moved = true;
            return false;
        }
        let pause = Pause {
            until: now + PAUSE,
            moved: false,
        };
        self.0.insert(call, pause);
        true
    }

    /// The calls that are to be kept anew now.
    fn expire(&mut self, now: Instant) -> Vec<CallId> {
        let mut due = Vec::new();
        self.0.retain(|call, pause| {
            if pause.until > now {
                return true;
            }
            if pause.moved {
                due.push(*call);
                pause.moved = false;
                pause.until = now + PAUSE;
                return true;
            }
            false
        });
        due
    }

    pub(super) fn forget(&mut self, call: CallId) {
        self.0.remove(&call);
    }
}

impl Exchange {
    /// A party of a call was there and is here now.
    pub(super) fn keep_moved(&mut self, call: CallId, there: Flow, here: Flow) {
        let place = |flow: Flow| (flow.transport, flow.local, flow.remote.ip());
        if place(there) != place(here) || self.moves.note(self.now, call) {
            self.keep_again(call);
        }
    }

    /// Keeps the calls anew whose pause is over.
    pub(super) fn moves_timer(&mut self) {
        for call in self.moves.expire(self.now) {
            self.keep_again(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_moves_all_the_time_is_kept_anew_each_second() {
        let mut moves = Moves::default();
        let call = CallId::new(1);
        let mut kept = Vec::new();
        for ms in (0..=3000).step_by(20) {
            let now = Instant::from_millis(ms);
            kept.extend(moves.expire(now).iter().map(|_| ms));
            if ms < 2500 && moves.note(now, call) {
                kept.push(ms);
            }
        }
        assert_eq!(kept, [0, 1000, 2000, 3000]);
        assert_eq!(moves.timeout(), Some(Instant::from_millis(4000)));
        assert_eq!(moves.expire(Instant::from_millis(4000)), []);
        assert_eq!(moves.timeout(), None);
        assert!(moves.note(Instant::from_millis(5000), call));
        moves.forget(call);
        assert_eq!(moves.timeout(), None);
    }
}

//! How unequal the packets' ways are: the fastest one, and how much longer the slow ones take.
//!
//! Owns three windows of two seconds. In each the fastest and the two slowest packets are kept; the slowest but one
//! sets the jitter, so that a single straggler costs one frame instead of seconds of delay. Growth shows at once,
//! shrinking when the windows have passed; a drifting clock moves with them.

use core::time::Duration;
use model::Instant;

#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    windows: [Window; 3],
    began: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    fastest_us: i64,
    slowest_us: i64,
    second_us: i64,
}

const WINDOW: Duration = Duration::from_secs(2);
const EMPTY: Window = Window {
    fastest_us: i64::MAX,
    slowest_us: i64::MIN,
    second_us: i64::MIN,
};

impl Spread {
    pub(super) fn new() -> Self {
        Self {
            windows: [EMPTY; 3],
            began: None,
        }
    }

    /// A packet took `transit_us`, on a scale whose zero means nothing.
    pub(super) fn observe(&mut self, now: Instant, transit_us: i64) {
        let began = *self.began.get_or_insert(now);
        if now.since(began) >= WINDOW {
            self.began = Some(now);
            let [newest, middle, _] = self.windows;
            self.windows = [EMPTY, newest, middle];
        }
        let [window, ..] = &mut self.windows;
        window.fastest_us = window.fastest_us.min(transit_us);
        if transit_us > window.slowest_us {
            window.second_us = window.slowest_us;
            window.slowest_us = transit_us;
        } else {
            window.second_us = window.second_us.max(transit_us);
        }
    }

    /// The fastest way of late; none before the first packet.
    pub(super) fn fastest_us(&self) -> Option<i64> {
        self.windows
            .iter()
            .map(|window| window.fastest_us)
            .min()
            .filter(|&fastest| fastest != i64::MAX)
    }

    /// How much longer the slowest way but one took; 0 before the second packet.
    pub(super) fn jitter_us(&self) -> i64 {
        let slow = self
            .windows
            .iter()
            .map(|window| window.second_us)
            .max()
            .unwrap_or(i64::MIN);
        self.fastest_us()
            .map_or(0, |fastest| slow.saturating_sub(fastest).max(0))
    }
}

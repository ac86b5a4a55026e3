//! How many new calls are taken when the process can't keep up.
//!
//! A load controller in the manner of `CoDel` (a delay that lasts is overload, a spike is not) with
//! additive increase and multiplicative decrease of a rate of calls:
//!
//! ```text
//!              delay ≥ 100 ms for 100 ms                delay ≥ 500 ms for 100 ms
//!   OPEN ──────────────────────────────────► LIMITED ─────────────────────────────► CLOSED
//!    ▲        rate = ½ of calls admitted       │ ▲ ▲                                   │
//!    └── rate above all that was asked ────────┘ │ └── delay < 100 ms for 1 s ─────────┘
//!        for 5 s, delay < 50 ms                  └ every 100 ms: rate × ½ while the delay is
//!                                                  high, + 5 calls/s while it is below 50 ms
//! ```
//!
//! `LIMITED` refuses calls beyond the rate at once and without state; registrations are refused in
//! `CLOSED` only: a phone that can't refresh is lost for callers, so this comes last. Measuring is
//! the shell's affair, refusing the endpoint's.

use core::time::Duration;

use model::Instant;
use sip::endpoint::Admission;

/// A datagram that waited so long: more than the round trip to any phone, and the first
/// retransmissions (T1 = 500 ms) are near.
const HIGH_US: u64 = 100_000;
/// Below this there is room again; half of the upper mark, so that the two don't alternate.
const LOW_US: u64 = 50_000;
/// Phones now retransmit (T1): each request comes twice, so even registrations are too many.
const EXTREME_US: u64 = 500_000;
/// `CoDel`'s interval: a delay shorter than this is a burst.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long it must be quiet before registrations are taken again.
const RECOVERY: Duration = Duration::from_secs(1);
/// How long the rate must not have been the limit before the limit goes.
const RELEASE: Duration = Duration::from_secs(5);
/// Calls per second that are taken at least while limited: so few never are the overload.
const MIN_RATE: f64 = 2.0;
/// Calls per second added at each interval: from the least to 100 in two seconds.
const INCREASE: f64 = 5.0;
/// Calls that may come at once within the rate.
const BURST: f64 = 5.0;
/// Retry-After: long enough to take the load away, short enough for a person who waits. The
/// endpoint spreads it from 3 to 10 s, so that those refused together don't come back together.
const RETRY_AFTER_S: u32 = 5;
/// As long as the delay is not reported, it is taken for gone after so long.
const STALE: Duration = Duration::from_secs(1);

/// Which of the three states.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    Limited {
        rate: f64,
        tokens: f64,
        /// When tokens were last counted.
        counted: Instant,
        /// Since when the rate has not been the limit.
        unused_since: Instant,
    },
    Closed {
        /// Since when the delay is below the upper mark.
        quiet_since: Option<Instant>,
    },
}

/// The controller.
#[derive(Debug)]
pub(crate) struct Controller {
    state: State,
    high_since: Option<Instant>,
    extreme_since: Option<Instant>,
    delay_us: u64,
    reported: Instant,
    adjusted: Instant,
    /// Calls admitted in this second and the one before: what "half of it" refers to.
    admitted: [u32; 2],
    second: Instant,
}

impl Controller {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            state: State::Open,
            high_since: None,
            extreme_since: None,
            delay_us: 0,
            reported: now,
            adjusted: now,
            admitted: [0, 0],
            second: now,
        }
    }

    /// The delay was measured.
    pub(crate) fn measured(&mut self, now: Instant, delay_us: u64) {
        self.delay_us = delay_us;
        self.reported = now;
        since(&mut self.high_since, delay_us >= HIGH_US, now);
        since(&mut self.extreme_since, delay_us >= EXTREME_US, now);
        self.advance(now);
    }

    /// A call was admitted.
    pub(crate) fn call_admitted(&mut self, now: Instant) {
        self.advance(now);
        self.admitted[0] = self.admitted[0].saturating_add(1);
        if let State::Limited { tokens, .. } = &mut self.state {
            *tokens -= 1.0;
        }
    }

    /// Time has passed.
    pub(crate) fn advance(&mut self, now: Instant) {
        if now.since(self.second) >= Duration::from_secs(1) {
            let fresh = now.since(self.second) < Duration::from_secs(2);
            self.admitted = [0, if fresh { self.admitted[0] } else { 0 }];
            self.second = now;
        }
        if now.since(self.reported) >= STALE && self.delay_us > 0 {
            self.measured(now, 0);
            return;
        }
        let adjust = now.since(self.adjusted) >= INTERVAL;
        if adjust {
            self.adjusted = now;
        }
        self.state = match self.state {
            State::Open => self.when_open(now),
            State::Limited { .. } => self.when_limited(now, adjust),
            State::Closed { quiet_since } => self.when_closed(now, quiet_since),
        };
    }

    fn when_open(&self, now: Instant) -> State {
        if lasts(self.high_since, now) {
            let seen = self.admitted.iter().copied().max().unwrap_or(0);
            limited(now, f64::from(seen) / 2.0)
        } else {
            State::Open
        }
    }

    fn when_limited(&self, now: Instant, adjust: bool) -> State {
        let State::Limited {
            mut rate,
            mut tokens,
            counted,
            mut unused_since,
        } = self.state
        else {
            return self.state;
        };
        if lasts(self.extreme_since, now) {
            return State::Closed { quiet_since: None };
        }
        let burst = BURST.max(rate);
        tokens = (tokens + rate * now.since(counted).as_secs_f64()).min(burst);
        if tokens < 1.0 {
            unused_since = now;
        }
        if adjust {
            if lasts(self.high_since, now) {
                rate = (rate / 2.0).max(MIN_RATE);
                tokens = tokens.min(rate);
                unused_since = now;
            } else if self.delay_us < LOW_US {
                rate += INCREASE;
            }
        }
        if self.delay_us < LOW_US && now.since(unused_since) >= RELEASE {
            return State::Open;
        }
        State::Limited {
            rate,
            tokens,
            counted: now,
            unused_since,
        }
    }

    fn when_closed(&self, now: Instant, quiet_since: Option<Instant>) -> State {
        if self.delay_us >= HIGH_US {
            return State::Closed { quiet_since: None };
        }
        let quiet_since = quiet_since.unwrap_or(now);
        if now.since(quiet_since) >= RECOVERY {
            limited(now, MIN_RATE)
        } else {
            State::Closed {
                quiet_since: Some(quiet_since),
            }
        }
    }

    /// What the endpoint is to do now.
    pub(crate) fn admission(&self) -> Admission {
        match self.state {
            State::Limited { tokens, .. } if tokens < 1.0 => Admission::RefuseCalls {
                retry_after_s: RETRY_AFTER_S,
            },
            State::Open | State::Limited { .. } => Admission::Open,
            State::Closed { .. } => Admission::RefuseAll {
                retry_after_s: RETRY_AFTER_S,
            },
        }
    }

    /// When `advance` may change something by itself; none while all is open.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        match self.state {
            State::Open if self.delay_us == 0 => None,
            State::Open | State::Limited { .. } | State::Closed { .. } => {
                Some(self.adjusted + INTERVAL)
            }
        }
    }
}

fn limited(now: Instant, rate: f64) -> State {
    State::Limited {
        rate: rate.max(MIN_RATE),
        tokens: 0.0,
        counted: now,
        unused_since: now,
    }
}

fn since(moment: &mut Option<Instant>, holds: bool, now: Instant) {
    *moment = holds.then(|| moment.unwrap_or(now));
}

fn lasts(moment: Option<Instant>, now: Instant) -> bool {
    moment.is_some_and(|since| now.since(since) >= INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs from `from` to `to` (ms) with one delay, reported every 10 ms, and `rate` calls a
    /// second asked for; says how many were admitted.
    fn run(controller: &mut Controller, from: u64, to: u64, delay_us: u64, rate: u64) -> u32 {
        let mut admitted = 0;
        for ms in (from..to).step_by(10) {
            let now = Instant::from_millis(ms);
            controller.measured(now, delay_us);
            if ms % (1000 / rate) < 10 && controller.admission() == Admission::Open {
                controller.call_admitted(now);
                admitted += 1;
            }
        }
        admitted
    }

    #[test]
    fn a_short_delay_changes_nothing() {
        let mut controller = Controller::new(Instant::ZERO);
        assert_eq!(run(&mut controller, 0, 90, 400_000, 100), 9);
        assert_eq!(run(&mut controller, 90, 1090, 0, 100), 100);
        assert_eq!(controller.admission(), Admission::Open);
    }

    #[test]
    fn a_lasting_delay_halves_the_rate_and_again() {
        let mut controller = Controller::new(Instant::ZERO);
        run(&mut controller, 0, 2000, 10_000, 100);
        let first = run(&mut controller, 2000, 3000, 200_000, 100);
        assert!(first < 50, "{first}");
        let second = run(&mut controller, 3000, 4000, 200_000, 100);
        assert!((1..=3).contains(&second), "the least: {second}");
    }

    #[test]
    fn when_the_delay_falls_the_rate_rises_until_the_limit_goes() {
        let mut controller = Controller::new(Instant::ZERO);
        run(&mut controller, 0, 3000, 200_000, 100);
        let first = run(&mut controller, 3000, 4000, 10_000, 100);
        let second = run(&mut controller, 4000, 5000, 10_000, 100);
        assert!(first < second, "{first} {second}");
        run(&mut controller, 5000, 12_000, 10_000, 100);
        assert!(matches!(controller.state, State::Open));
        controller.measured(Instant::from_millis(12_000), 0);
        assert_eq!(controller.timeout(), None);
    }

    #[test]
    fn registrations_are_refused_last_and_taken_again_first() {
        let mut controller = Controller::new(Instant::ZERO);
        run(&mut controller, 0, 1000, 700_000, 10);
        assert!(matches!(
            controller.admission(),
            Admission::RefuseAll { .. }
        ));
        run(&mut controller, 1000, 1500, 20_000, 10);
        assert!(matches!(
            controller.admission(),
            Admission::RefuseAll { .. }
        ));
        run(&mut controller, 1500, 2100, 20_000, 10);
        assert!(!matches!(
            controller.admission(),
            Admission::RefuseAll { .. }
        ));
    }

    #[test]
    fn silence_of_the_shell_counts_as_calm() {
        let mut controller = Controller::new(Instant::ZERO);
        run(&mut controller, 0, 1000, 700_000, 10);
        for ms in (1000..20_000).step_by(100) {
            controller.advance(Instant::from_millis(ms));
        }
        assert!(matches!(controller.state, State::Open));
    }
}

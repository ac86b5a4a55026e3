//! How many new calls are taken when the process can't keep up.
//!
//! A load controller in the manner of `CoDel` (a delay that lasts is overload, a spike is not). Two
//! brakes: a gate that refuses new calls as long as the delay is high, which empties the queue at
//! once because refusing costs little, and a rate of calls that is found by and by, which keeps the
//! later messages of calls (ACK, BYE) within what the core bears:
//!
//! ```text
//!              delay ≥ 100 ms for 100 ms                delay ≥ 500 ms for 100 ms
//!   OPEN ──────────────────────────────────► LIMITED ─────────────────────────────► CLOSED
//!    ▲        rate = 0.85 of calls admitted    │ ▲ ▲                                   │
//!    └── rate above all that was asked ────────┘ │ └── delay < 100 ms for 1 s, ────────┘
//!        for 5 s, delay < 50 ms                  │     rate × ½
//!                                                └ rate × 0.85 each time the delay becomes high,
//!                                                  and each second of it; + 2 % every 100 ms
//!                                                  while it is below 50 ms
//! ```
//!
//! A delay lasts where two readings so far apart are both high: who is late once, in a quiet moment in
//! which nothing follows, proves nothing.
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
/// What is left of the rate when the delay becomes high: little is taken away, since the gate does
/// the urgent part, and a core that idles refuses calls for nothing.
const DECREASE: f64 = 0.85;
/// How long a delay stays high before the rate is lowered again: the queue has to empty first.
const PATIENCE: Duration = Duration::from_secs(1);
/// The part of the rate that is added at each interval, a fifth each second…
const INCREASE: f64 = 0.02;
/// …and calls per second that are added at least: from the least to 100 in five seconds.
const INCREASE_LEAST: f64 = 2.0;
/// Calls that may come at once within the rate…
const BURST: f64 = 5.0;
/// …and as a time of the rate.
const BURST_S: f64 = 0.1;
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
        /// When the rate was lowered for the delay that is high now.
        lowered: Option<Instant>,
    },
    Closed {
        /// The rate before.
        rate: f64,
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
            State::Closed { rate, quiet_since } => self.when_closed(now, rate, quiet_since),
        };
    }

    /// Whether what has been read since then was read long enough.
    fn lasts(&self, since: Option<Instant>) -> bool {
        since.is_some_and(|since| self.reported.since(since) >= INTERVAL)
    }

    fn when_open(&self, now: Instant) -> State {
        if self.lasts(self.high_since) {
            let seen = self.admitted.iter().copied().max().unwrap_or(0);
            limited(now, f64::from(seen) * DECREASE)
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
            mut lowered,
        } = self.state
        else {
            return self.state;
        };
        if self.lasts(self.extreme_since) {
            return State::Closed {
                rate,
                quiet_since: None,
            };
        }
        let burst = BURST.max(rate * BURST_S);
        tokens = (tokens + rate * now.since(counted).as_secs_f64()).min(burst);
        if tokens < 1.0 || self.high_since.is_some() {
            unused_since = now;
        }
        if self.high_since.is_none() {
            lowered = None;
        }
        if self.lasts(self.high_since) && lowered.is_none_or(|at| now.since(at) >= PATIENCE) {
            rate = (rate * DECREASE).max(MIN_RATE);
            lowered = Some(now);
        } else if adjust && self.delay_us < LOW_US {
            rate += (rate * INCREASE).max(INCREASE_LEAST);
        }
        if self.delay_us < LOW_US && now.since(unused_since) >= RELEASE {
            return State::Open;
        }
        State::Limited {
            rate,
            tokens,
            counted: now,
            unused_since,
            lowered,
        }
    }

    fn when_closed(&self, now: Instant, rate: f64, quiet_since: Option<Instant>) -> State {
        if self.delay_us >= HIGH_US {
            return State::Closed {
                rate,
                quiet_since: None,
            };
        }
        let quiet_since = quiet_since.unwrap_or(now);
        if now.since(quiet_since) >= RECOVERY {
            limited(now, rate / 2.0)
        } else {
            State::Closed {
                rate,
                quiet_since: Some(quiet_since),
            }
        }
    }

    /// What the endpoint is to do now.
    pub(crate) fn admission(&self) -> Admission {
        match self.state {
            State::Limited {
                tokens, counted, ..
            } if tokens < 1.0
                || (self.delay_us >= HIGH_US && counted.since(self.reported) < INTERVAL) =>
            {
                Admission::RefuseCalls {
                    retry_after_s: RETRY_AFTER_S,
                }
            }
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
        lowered: Some(now),
    }
}

fn since(moment: &mut Option<Instant>, holds: bool, now: Instant) {
    *moment = holds.then(|| moment.unwrap_or(now));
}

#[cfg(test)]
mod tests {
    use core::cmp::Reverse;
    use std::collections::BinaryHeap;

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
    fn who_is_late_once_in_a_quiet_moment_changes_nothing() {
        for delay_us in [HIGH_US, 10 * EXTREME_US] {
            let mut controller = Controller::new(Instant::ZERO);
            run(&mut controller, 0, 1000, 10_000, 10);
            controller.measured(Instant::from_millis(1000), delay_us);
            for ms in (1000..3000).step_by(10) {
                controller.advance(Instant::from_millis(ms));
                assert!(matches!(controller.state, State::Open), "{ms}");
            }
        }
    }

    #[test]
    fn a_gate_that_nothing_is_known_of_opens() {
        let mut controller = Controller::new(Instant::ZERO);
        run(&mut controller, 0, 1000, 200_000, 100);
        run(&mut controller, 1000, 3000, 10_000, 100);
        controller.measured(Instant::from_millis(3000), 200_000);
        assert_ne!(controller.admission(), Admission::Open);
        controller.advance(Instant::from_millis(3110));
        assert!(matches!(controller.state, State::Limited { .. }));
        assert_eq!(controller.admission(), Admission::Open);
    }

    #[test]
    fn a_lasting_delay_closes_the_gate_and_lowers_the_rate_each_second() {
        let mut controller = Controller::new(Instant::ZERO);
        run(&mut controller, 0, 2000, 10_000, 100);
        let high = run(&mut controller, 2000, 4000, 200_000, 100);
        assert!(high <= 10, "{high}: those of the first 100 ms");
        let State::Limited { rate, .. } = controller.state else {
            panic!("{:?}", controller.state)
        };
        assert!((70.0..75.0).contains(&rate), "0.85 of 100, twice: {rate}");
    }

    #[test]
    fn when_the_delay_falls_the_rate_rises_until_the_limit_goes() {
        let mut controller = Controller::new(Instant::ZERO);
        run(&mut controller, 0, 3000, 200_000, 100);
        let first = run(&mut controller, 3000, 4000, 10_000, 100);
        let second = run(&mut controller, 4000, 5000, 10_000, 100);
        assert!(first < second, "{first} {second}");
        run(&mut controller, 5000, 15_000, 10_000, 100);
        assert!(matches!(controller.state, State::Open));
        controller.measured(Instant::from_millis(15_000), 0);
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

    /// What a core has to do, in order of arrival: a call is three pieces of work, of which two
    /// come later and can't be refused.
    struct Core {
        controller: Controller,
        /// When and what; the number makes the order of equal times certain.
        arrivals: BinaryHeap<Reverse<(u64, u64, Work)>>,
        count: u64,
        /// Until when the core is busy, in µs.
        busy_until: u64,
        answered: u32,
        longest_us: u64,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Work {
        Invite,
        Answer,
        Bye,
        Ack,
    }

    /// Of one call 480 µs in all, so 2,083 calls a second at most; of one refused 30 µs.
    const INVITE_US: u64 = 220;
    const ANSWER_US: u64 = 130;
    const BYE_US: u64 = 130;
    const REFUSED_US: u64 = 22;
    const ACK_US: u64 = 8;
    const MOST: u32 = 1_000_000 / 480;

    impl Core {
        fn new() -> Self {
            Self {
                controller: Controller::new(Instant::ZERO),
                arrivals: BinaryHeap::new(),
                count: 0,
                busy_until: 0,
                answered: 0,
                longest_us: 0,
            }
        }

        fn arrive(&mut self, at: u64, work: Work) {
            self.count += 1;
            self.arrivals.push(Reverse((at, self.count, work)));
        }

        /// `rate` calls a second for `seconds`, each `held` ms long.
        fn run(&mut self, rate: u64, seconds: u64, held: u64) {
            for call in 0..rate * seconds {
                self.arrive(call * 1_000_000 / rate, Work::Invite);
            }
            while let Some(Reverse((at, _, work))) = self.arrivals.pop() {
                let begun = at.max(self.busy_until);
                let now = Instant::from_micros(begun);
                if at <= seconds * 1_000_000 {
                    self.longest_us = self.longest_us.max(begun - at);
                }
                self.controller.advance(now);
                let done = begun
                    + match work {
                        Work::Invite if self.controller.admission() == Admission::Open => {
                            self.controller.call_admitted(now);
                            self.arrive(begun + 5_000, Work::Answer);
                            INVITE_US
                        }
                        Work::Invite => {
                            self.arrive(begun + 1_000, Work::Ack);
                            REFUSED_US
                        }
                        Work::Answer => {
                            self.answered += u32::from(begun <= seconds * 1_000_000);
                            self.arrive(begun + held * 1000, Work::Bye);
                            ANSWER_US
                        }
                        Work::Bye => BYE_US,
                        Work::Ack => ACK_US,
                    };
                self.busy_until = done;
                self.controller.measured(now, begun - at);
            }
        }
    }

    #[test]
    fn at_twice_the_most_nine_in_ten_of_the_most_are_answered() {
        for held in [10, 2000] {
            for times_tenth in [11, 20] {
                let mut core = Core::new();
                core.run(u64::from(MOST) * times_tenth / 10, 40, held);
                let wanted = MOST * u32::try_from(times_tenth.min(10)).unwrap() / 10 * 40;
                let per_cent = core.answered * 100 / wanted;
                assert!(
                    per_cent >= 90,
                    "{per_cent} % at {times_tenth}/10, {held} ms"
                );
            }
        }
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

//! What a piece of work costs: processor time of this thread, and allocations.
//!
//! Time is the thread's own, so that what else the machine does counts as little as it can.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use platform::sys::alloc::{Counted, counted};

/// Processor time this thread has used.
pub fn cpu() -> Duration {
    // The clock of one's own thread always can be read.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map(Duration::from)
        .unwrap_or_default()
}

/// Adds up pieces of work, without what reading the clock costs.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    clock: Duration,
    /// Processor time of all pieces.
    pub spent: Duration,
    /// Allocations of all pieces.
    pub allocations: u64,
}

impl Meter {
    /// One that has measured nothing.
    pub fn new() -> Self {
        const PAIRS: u32 = 20_000;
        let start = cpu();
        for _ in 0..PAIRS {
            std::hint::black_box(cpu());
        }
        Self {
            clock: (cpu() - start) / PAIRS,
            spent: Duration::ZERO,
            allocations: 0,
        }
    }

    /// Does a piece of work.
    pub fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let Counted { allocations, .. } = counted();
        let start = cpu();
        let result = work();
        let took = cpu() - start;
        self.spent += took.saturating_sub(self.clock);
        self.allocations += counted().allocations - allocations;
        result
    }

    /// Forgets what was measured.
    pub fn restart(&mut self) {
        (self.spent, self.allocations) = (Duration::ZERO, 0);
    }

    /// Nanoseconds for each of so many.
    pub fn each_ns(&self, count: u64) -> f64 {
        self.spent.as_nanos() as f64 / count as f64
    }

    /// Allocations for each of so many.
    pub fn each_allocations(&self, count: u64) -> f64 {
        self.allocations as f64 / count as f64
    }
}

/// What one of many equal pieces of work costs.
#[derive(Clone, Copy, Debug)]
pub struct Each {
    /// Processor time: the best round's, for the others were disturbed.
    pub ns: f64,
    /// Allocations.
    pub allocations: f64,
}

impl Each {
    /// In the words of the table.
    pub fn text(self) -> String {
        let Self { ns, allocations } = self;
        if ns < 1000.0 {
            format!("{ns:.0} ns, {allocations:.0} allocations")
        } else {
            format!("{:.2} µs, {allocations:.0} allocations", ns / 1000.0)
        }
    }
}

/// Rounds of which the best counts.
const ROUNDS: u32 = 9;

/// Measures `work`, done `count` times a round; `prepare` makes what a round works on.
pub fn each<T>(count: u32, mut prepare: impl FnMut() -> T, mut work: impl FnMut(&mut T)) -> Each {
    let mut best = Each {
        ns: f64::INFINITY,
        allocations: f64::INFINITY,
    };
    let mut meter = Meter::new();
    for _ in 0..ROUNDS {
        let mut state = prepare();
        meter.restart();
        meter.run(|| {
            for _ in 0..count {
                work(&mut state);
            }
        });
        best.ns = best.ns.min(meter.each_ns(count.into()));
        best.allocations = best.allocations.min(meter.each_allocations(count.into()));
    }
    best
}

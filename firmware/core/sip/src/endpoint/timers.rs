//! All timers of the endpoint in one heap.
//!
//! Stopping a timer only marks it; what is marked is thrown away when it comes to the top, or all at
//! once when more than half of the heap is. So every operation costs O(log n), and the earliest
//! moment is always at hand.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use model::Instant;

/// Names a running timer. It may be kept for longer than the timer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerHandle {
    slot: u32,
    generation: u32,
}

/// When, then in which order they were started, then where to find it.
type Entry = Reverse<(Instant, u64, u32, u32)>;

#[derive(Debug)]
struct Slot<K> {
    generation: u32,
    /// None: free.
    key: Option<K>,
}

/// Timers that say `K` when they run out.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    heap: BinaryHeap<Entry>,
    slots: Vec<Slot<K>>,
    free: Vec<u32>,
    started: u64,
    running: usize,
}

/// Below this size a heap of stopped timers isn't worth rebuilding.
const REBUILD_FROM: usize = 64;

impl<K> Timers<K> {
    pub(crate) const fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            started: 0,
            running: 0,
        }
    }

    /// Starts a timer. Of two for the same moment the one started first runs out first.
    pub(crate) fn start(&mut self, at: Instant, key: K) -> TimerHandle {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                key: None,
            });
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let mut generation = 0;
        if let Some(place) = self.slots.get_mut(slot as usize) {
            place.key = Some(key);
            generation = place.generation;
        }
        self.started += 1;
        self.running += 1;
        self.heap
            .push(Reverse((at, self.started, slot, generation)));
        TimerHandle { slot, generation }
    }

    /// Stops a timer; nothing happens where it has run out.
    pub(crate) fn stop(&mut self, handle: TimerHandle) {
        if self.take(handle.slot, handle.generation).is_some() {
            self.tidy();
        }
    }

    /// Stops the timer in `place`, if any.
    pub(crate) fn stop_in(&mut self, place: &mut Option<TimerHandle>) {
        if let Some(handle) = place.take() {
            self.stop(handle);
        }
    }

    /// Starts a timer in `place`, stopping the one there.
    pub(crate) fn restart(&mut self, place: &mut Option<TimerHandle>, at: Instant, key: K) {
        self.stop_in(place);
        *place = Some(self.start(at, key));
    }

    /// When the next one runs out.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// One that has run out by `now`.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, _, slot, generation)) = self.heap.pop()?;
        let key = self.take(slot, generation);
        self.tidy();
        // The top is never a stopped one: `tidy` sees to it.
        key
    }

    /// How many are running.
    pub(crate) const fn len(&self) -> usize {
        self.running
    }

    fn take(&mut self, slot: u32, generation: u32) -> Option<K> {
        let place = self.slots.get_mut(slot as usize)?;
        if place.generation != generation {
            return None;
        }
        let key = place.key.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(slot);
        self.running -= 1;
        Some(key)
    }

    fn is_running(slots: &[Slot<K>], slot: u32, generation: u32) -> bool {
        slots
            .get(slot as usize)
            .is_some_and(|place| place.generation == generation && place.key.is_some())
    }

    fn tidy(&mut self) {
        if self.heap.len() > REBUILD_FROM && self.heap.len() > 2 * self.running {
            let slots = &self.slots;
            self.heap.retain(|Reverse((_, _, slot, generation))| {
                Self::is_running(slots, *slot, *generation)
            });
        }
        while let Some(Reverse((_, _, slot, generation))) = self.heap.peek() {
            if Self::is_running(&self.slots, *slot, *generation) {
                break;
            }
            self.heap.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn they_run_out_in_order_of_time_then_of_starting() {
        let mut timers = Timers::new();
        timers.start(at(20), 'c');
        timers.start(at(10), 'a');
        timers.start(at(10), 'b');
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.expired(at(9)), None);
        assert_eq!(timers.expired(at(30)), Some('a'));
        assert_eq!(timers.expired(at(30)), Some('b'));
        assert_eq!(timers.expired(at(30)), Some('c'));
        assert_eq!((timers.expired(at(30)), timers.len()), (None, 0));
    }

    #[test]
    fn a_stopped_one_is_never_seen() {
        let mut timers = Timers::new();
        let first = timers.start(at(10), 1);
        timers.start(at(20), 2);
        timers.stop(first);
        assert_eq!(timers.next(), Some(at(20)));
        timers.stop(first);
        assert_eq!(timers.len(), 1);
        let third = timers.start(at(5), 3);
        timers.stop(first);
        assert_eq!(
            timers.next(),
            Some(at(5)),
            "an old handle does not stop a new timer"
        );
        timers.stop(third);
        assert_eq!(timers.expired(at(20)), Some(2));
    }

    #[test]
    fn stopped_ones_do_not_pile_up() {
        let mut timers = Timers::new();
        timers.start(at(1), 0);
        for n in 0..10_000_u64 {
            let handle = timers.start(at(1000 + n), 1);
            timers.stop(handle);
        }
        assert!(
            timers.heap.len() <= 2 * REBUILD_FROM,
            "{}",
            timers.heap.len()
        );
        assert!(timers.slots.len() <= 2);
    }
}

//! The switch's own executor for call scripts.
//!
//! A call feature is an `async fn` over a `Call` handle. Each call runs one such *script*; this
//! module keeps the scripts ([`Scripts`]) and decides which is to be polled ([`Wakes`]).
//!
//! ```text
//!   event of a leg ──► Wakes::wake(call) ─┐
//!   moment reached ──► Wakes::expire(now) ┴─► ready queue ──► Scripts::poll(call) ──► waiting
//!                                                                   └──► finished ──► call ends
//! ```
//!
//! How it works:
//! - **Level, not edge.** An operation of a script doesn't wait for an event but for a state: each
//!   poll looks at the call as it stands now. So no event can be lost between two operations, and a
//!   poll too many does no harm.
//! - **Woken by name.** Whoever changes a call wakes it by its id, so no [`std::task::Waker`] has to
//!   find its way back, and the one handed to the scripts does nothing.
//! - **One moment a call.** While a script is polled, every operation that waits says until when
//!   ([`Wakes::wake_at`]); the earliest counts. Before each poll it is forgotten: an operation that
//!   is no longer awaited leaves no timer.
//! - **Dropping cleans up.** What an operation began and has not handed over (phones that ring, a
//!   tone) ends when it is dropped; what the call holds (legs, ports) ends with the call.
//! - **First come, first served** in the ready queue; everything else is ordered by call: two runs
//!   of the same inputs are the same.
//!
//! Scripts hold the exchange by `Rc`, so a switch stays on the thread that made it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{CallId, Instant};

/// A script under way.
pub(crate) type Script = Pin<Box<dyn Future<Output = ()>>>;

/// Polls of one script for one input, at most: the longest honest chain (answer, open, connect,
/// next menu) takes under ten; a script that wakes itself in a circle is stopped here.
pub(crate) const MAX_STEPS: u32 = 100;

/// What a poll came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// The script waits for something.
    Waiting,
    /// It has come to its end.
    Finished,
    /// There is no such script.
    Unknown,
}

/// The scripts of all calls.
#[derive(Default)]
pub(crate) struct Scripts {
    scripts: BTreeMap<CallId, Script>,
}

impl core::fmt::Debug for Scripts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.scripts.keys()).finish()
    }
}

impl Scripts {
    /// Takes over a call's script. Its first poll comes when the call is woken.
    pub(crate) fn start(&mut self, call: CallId, script: Script) {
        self.scripts.insert(call, script);
    }

    /// Drops a call's script, and with it all that its operations hold.
    pub(crate) fn stop(&mut self, call: CallId) {
        self.scripts.remove(&call);
    }

    /// Runs a script up to its next wait.
    pub(crate) fn poll(&mut self, call: CallId) -> Polled {
        let Some(script) = self.scripts.get_mut(&call) else {
            return Polled::Unknown;
        };
        match script
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Pending => Polled::Waiting,
            Poll::Ready(()) => {
                self.scripts.remove(&call);
                Polled::Finished
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.scripts.len()
    }
}

/// Which scripts are to be polled, and when.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    ready: VecDeque<CallId>,
    queued: BTreeSet<CallId>,
    moments: BTreeMap<CallId, Instant>,
    timers: BTreeSet<(Instant, CallId)>,
    steps: BTreeMap<CallId, u32>,
}

impl Wakes {
    /// Polls `call` soon.
    pub(crate) fn wake(&mut self, call: CallId) {
        if self.queued.insert(call) {
            self.ready.push_back(call);
        }
    }

    /// Polls `call` at `moment`, if nothing wakes it before.
    pub(crate) fn wake_at(&mut self, call: CallId, moment: Instant) {
        match self.moments.get(&call) {
            Some(&earlier) if earlier <= moment => return,
            Some(&later) => {
                self.timers.remove(&(later, call));
            }
            None => {}
        }
        self.moments.insert(call, moment);
        self.timers.insert((moment, call));
    }

    /// The next call to be polled; its moment is forgotten. An error where it has taken too many
    /// steps for one input.
    pub(crate) fn next(&mut self) -> Option<Result<CallId, TooManySteps>> {
        let call = self.ready.pop_front()?;
        self.queued.remove(&call);
        self.forget_moment(call);
        let steps = self.steps.entry(call).or_default();
        *steps += 1;
        if *steps > MAX_STEPS {
            return Some(Err(TooManySteps(call)));
        }
        Some(Ok(call))
    }

    /// A new input begins: moments up to `now` have come, steps count from zero.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.steps.clear();
        while let Some(&(moment, call)) = self.timers.first() {
            if moment > now {
                break;
            }
            self.forget_moment(call);
            self.wake(call);
        }
    }

    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.forget_moment(call);
        if self.queued.remove(&call) {
            self.ready.retain(|other| *other != call);
        }
    }

    /// The earliest moment.
    pub(crate) fn next_moment(&self) -> Option<Instant> {
        self.timers.first().map(|(moment, _)| *moment)
    }

    fn forget_moment(&mut self, call: CallId) {
        if let Some(moment) = self.moments.remove(&call) {
            self.timers.remove(&(moment, call));
        }
    }
}

/// A script that turns in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManySteps(pub(crate) CallId);

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use super::*;

    fn call(id: u64) -> CallId {
        CallId::new(id)
    }

    #[test]
    fn a_script_runs_from_wait_to_wait() {
        let (mut scripts, mut wakes) = (Scripts::default(), Wakes::default());
        let open = Rc::new(Cell::new(false));
        let seen = open.clone();
        scripts.start(
            call(1),
            Box::pin(core::future::poll_fn(move |_| match seen.get() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })),
        );
        wakes.wake(call(1));
        wakes.wake(call(1));
        assert_eq!(wakes.next(), Some(Ok(call(1))));
        assert_eq!(wakes.next(), None, "woken twice, queued once");
        assert_eq!(scripts.poll(call(1)), Polled::Waiting);
        open.set(true);
        assert_eq!(scripts.poll(call(1)), Polled::Finished);
        assert_eq!(scripts.poll(call(1)), Polled::Unknown);
        assert_eq!(scripts.len(), 0);
    }

    #[test]
    fn the_earliest_moment_counts_and_is_forgotten_when_polled() {
        let mut wakes = Wakes::default();
        let at = Instant::from_millis;
        wakes.wake_at(call(1), at(50));
        wakes.wake_at(call(1), at(20));
        wakes.wake_at(call(1), at(30));
        wakes.wake_at(call(2), at(40));
        assert_eq!(wakes.next_moment(), Some(at(20)));
        wakes.expire(at(19));
        assert_eq!(wakes.next(), None);
        wakes.expire(at(45));
        assert_eq!(wakes.next(), Some(Ok(call(1))));
        assert_eq!(wakes.next(), Some(Ok(call(2))));
        assert_eq!(wakes.next_moment(), None);
    }

    #[test]
    fn a_wake_before_the_moment_takes_the_moment_away() {
        let mut wakes = Wakes::default();
        wakes.wake_at(call(1), Instant::from_millis(50));
        wakes.wake(call(1));
        assert_eq!(wakes.next(), Some(Ok(call(1))));
        assert_eq!(wakes.next_moment(), None);
        wakes.wake(call(1));
        wakes.forget(call(1));
        assert_eq!(wakes.next(), None);
    }

    #[test]
    fn a_script_that_turns_in_a_circle_is_found() {
        let mut wakes = Wakes::default();
        for _ in 0..MAX_STEPS {
            wakes.wake(call(1));
            assert_eq!(wakes.next(), Some(Ok(call(1))));
        }
        wakes.wake(call(1));
        assert_eq!(wakes.next(), Some(Err(TooManySteps(call(1)))));
        wakes.expire(Instant::ZERO);
        wakes.wake(call(1));
        assert_eq!(wakes.next(), Some(Ok(call(1))), "a new input, a new count");
    }

    #[test]
    fn dropping_a_script_drops_what_it_holds() {
        struct Held(Rc<RefCell<Vec<&'static str>>>);
        impl Drop for Held {
            fn drop(&mut self) {
                self.0.borrow_mut().push("let go");
            }
        }
        let log = Rc::new(RefCell::new(Vec::new()));
        let held = Held(log.clone());
        let mut scripts = Scripts::default();
        scripts.start(
            call(1),
            Box::pin(async move {
                let _held = held;
                core::future::pending::<()>().await;
            }),
        );
        assert_eq!(scripts.poll(call(1)), Polled::Waiting);
        assert!(log.borrow().is_empty());
        scripts.stop(call(1));
        assert_eq!(*log.borrow(), ["let go"]);
    }
}

//! What a phone said: events, each to be waited for once, and replies to requests.

use std::{
    collections::HashMap,
    fs::File,
    io::Write,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};
use serde_json::Value;

use super::Event;

/// Filled by the reader's thread, emptied by the test's.
#[derive(Debug)]
pub(super) struct Mailbox {
    name: String,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State {
    start: Instant,
    log: File,
    /// With whether someone has waited for it already.
    events: Vec<(Event, bool)>,
    replies: HashMap<u64, Result<Value, String>>,
    closed: bool,
}

impl Mailbox {
    /// What comes in is also written to `<name>.events` there.
    pub(super) fn new(name: &str, evidence: &Path) -> Result<Self> {
        let log = File::create(evidence.join(format!("{name}.events")))?;
        let state = State {
            start: Instant::now(),
            log,
            events: Vec::new(),
            replies: HashMap::new(),
            closed: false,
        };
        Ok(Self {
            name: name.to_owned(),
            state: Mutex::new(state),
            arrived: Condvar::new(),
        })
    }

    /// Keeps a line as evidence.
    pub(super) fn note(&self, line: &str) {
        let mut state = self.lock();
        let at = state.start.elapsed().as_secs_f64();
        let _ = writeln!(state.log, "{at:8.3} {line}");
    }

    pub(super) fn event(&self, event: Event) {
        self.lock().events.push((event, false));
        self.arrived.notify_all();
    }

    pub(super) fn reply(&self, number: u64, reply: Result<Value, String>) {
        self.lock().replies.insert(number, reply);
        self.arrived.notify_all();
    }

    /// The phone is gone: nobody needs to wait any longer.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Waits for the answer to a request.
    pub(super) fn wait_reply(&self, number: u64, what: &str, limit: Duration) -> Result<Value> {
        let reply = self.until(limit, |state| state.replies.remove(&number));
        match reply {
            Some(reply) => {
                reply.map_err(|error| anyhow!("{} could not {what}: {error}", self.name))
            }
            None => bail!(
                "{} did not answer the request to {what}{}",
                self.name,
                self.told()
            ),
        }
    }

    /// Waits for the first event that fits and that nobody has waited for yet.
    pub(super) fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        pick: impl Fn(&Event) -> Option<T>,
    ) -> Result<T> {
        match self.until(limit, |state| take(state, &pick)) {
            Some(found) => Ok(found),
            None => bail!(
                "{} did not {what} within {limit:?}{}",
                self.name,
                self.told()
            ),
        }
    }

    /// Forgets what fits and has not been waited for.
    pub(super) fn forget(&self, fits: impl Fn(&Event) -> bool) {
        self.lock()
            .events
            .retain(|(event, used)| *used || !fits(event));
    }

    /// Whether such an event comes.
    pub(super) fn comes<T>(&self, limit: Duration, pick: impl Fn(&Event) -> Option<T>) -> bool {
        self.until(limit, |state| take(state, &pick)).is_some()
    }

    fn until<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let until = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                return None;
            }
            state = self
                .arrived
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn told(&self) -> String {
        let state = self.lock();
        let mut text = String::from(if state.closed {
            "; it has ended; it told:"
        } else {
            "; it told:"
        });
        for (event, used) in &state.events {
            text += &format!("\n  {} {event:?}", if *used { '*' } else { '-' });
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take<T>(state: &mut State, pick: &impl Fn(&Event) -> Option<T>) -> Option<T> {
    state
        .events
        .iter_mut()
        .filter(|(_, used)| !used)
        .find_map(|(event, used)| {
            let found = pick(event)?;
            *used = true;
            Some(found)
        })
}

//! The thread that takes calls and log rows from the signalling thread to the history.
//!
//! The signalling thread never waits for SQLite: it journals, answers, and hands the call over here.
//! While the disk is full, calls stay queued and in the journal, and are tried again. The journal is
//! told that it may forget a call only once a power cut can't take it from the history.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::{CallId, CallRecord, WallTime};

use crate::db::lock;
use crate::{Blame, LogKind, Store, StoreError, StoredCalls};

/// Calls and rows that wait: a minute of the busiest exchange.
const QUEUE: usize = 4096;
/// Calls in one transaction: some 10 ms on the slowest board.
const BATCH: usize = 256;
/// How long calls that are in the history may wait for the disk, and for others to come along: one
/// sync serves all of them, and a card has only so many writes. Until then the journal has them too.
const SYNC_WITHIN: Duration = Duration::from_secs(30);
/// So many don't wait for more: some 0.6 MB of the journal's memory.
const SYNC_AT: usize = 1024;
/// How long a call waits for others to be stored with: one transaction serves all of them.
const GATHER: Duration = Duration::from_millis(200);
/// First and longest wait before storing is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// The queue is full. A call is still in the journal: see [`crate::Journal::unstored`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the history can't keep up")]
pub struct Refused;

/// Hands calls and log rows to a thread that stores them in batches. Dropping it stores what is
/// queued, where that goes at the first try, and ends the thread.
#[derive(Debug)]
pub struct Writer {
    queue: Option<SyncSender<Message>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Message {
    Call(CallRecord),
    Log(LogKind, WallTime, String),
    /// A row of the Security log that stands for so many.
    Series(WallTime, String, u32),
    /// Somebody waits until all is on the disk.
    Hurry,
    #[cfg(test)]
    Panic,
}

#[derive(Debug, Default)]
struct Shared {
    closing: AtomicBool,
    count: Mutex<Count>,
    done: Condvar,
}

/// Messages queued and dealt with since the start.
#[derive(Debug, Default)]
struct Count {
    queued: u64,
    done: u64,
}

impl Writer {
    /// Starts the thread. It tells `stored` which calls are in the history: take that from
    /// [`crate::Journal::stored_calls`]. It calls `logged` for each row that whoever looks finds in
    /// its log from then on.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(
        store: Store,
        stored: StoredCalls,
        logged: impl Fn(LogKind) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            store,
            stored,
            logged,
            receiver,
            shared: Arc::clone(&shared),
            committed: Committed::default(),
            unsynced: false,
            lost_rows: Cell::new(0),
        };
        let thread = thread::Builder::new()
            .name("history".into())
            .spawn(move || worker.run())?;
        Ok(Self {
            queue: Some(sender),
            shared,
            thread: Some(thread),
        })
    }

    /// Queues a call. Never waits.
    ///
    /// # Errors
    /// [`Refused`] where the queue is full: offer it again later.
    pub fn call(&self, record: CallRecord) -> Result<(), Refused> {
        self.offer(Message::Call(record))
    }

    /// Queues a log row. Never waits.
    ///
    /// # Errors
    /// [`Refused`] where the queue is full: the row is lost.
    pub fn log(&self, kind: LogKind, at: WallTime, text: impl Into<String>) -> Result<(), Refused> {
        self.offer(Message::Log(kind, at, text.into()))
    }

    /// Queues a row of the Security log that stands for so many: see [`Store::log_append_series`].
    /// Never waits.
    ///
    /// # Errors
    /// [`Refused`] where the queue is full: the row is lost.
    pub fn series(&self, at: WallTime, text: String, times: u32) -> Result<(), Refused> {
        self.offer(Message::Series(at, text, times))
    }

    /// Waits until all that was queued before is stored, on the disk; false where that takes longer.
    #[must_use]
    pub fn flush(&self, timeout: Duration) -> bool {
        let goal = lock(&self.shared.count).queued;
        if let Some(queue) = &self.queue {
            // A full queue keeps the thread busy: it syncs soon by itself.
            let _ = queue.try_send(Message::Hurry);
            self.wake();
        }
        let count = lock(&self.shared.count);
        let (count, _) = self
            .shared
            .done
            .wait_timeout_while(count, timeout, |count| count.done < goal)
            .unwrap_or_else(PoisonError::into_inner);
        count.done >= goal
    }

    /// False where the thread has failed: nothing is stored any more.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    fn offer(&self, message: Message) -> Result<(), Refused> {
        let queue = self.queue.as_ref().ok_or(Refused)?;
        // Counted first, so that `done` never runs ahead.
        lock(&self.shared.count).queued += 1;
        queue.try_send(message).map_err(|_| {
            lock(&self.shared.count).queued -= 1;
            Refused
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

struct Worker<F> {
    store: Store,
    stored: StoredCalls,
    logged: F,
    receiver: Receiver<Message>,
    shared: Arc<Shared>,
    committed: Committed,
    /// Said once.
    unsynced: bool,
    /// Rows that could not be stored since one could. Said once: what is said is a row again.
    lost_rows: Cell<u64>,
}

/// What is in the database, but perhaps not on the disk.
#[derive(Debug, Default)]
struct Committed {
    calls: Vec<CallId>,
    /// Messages dealt with, log rows among them: those need no disk, but are counted in order.
    messages: u64,
    /// When the first of the calls was stored.
    since: Option<Instant>,
}

impl<F: Fn(LogKind)> Worker<F> {
    fn run(mut self) {
        let mut calls = Vec::with_capacity(BATCH);
        // A batch was full: more wait already.
        let mut full = false;
        loop {
            let first = match self.receiver.recv_timeout(self.committed.wait()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if matches!(first, Some(Message::Call(_))) && !full && !self.is_closing() {
                // Woken early where somebody waits.
                thread::park_timeout(GATHER);
            }
            let mut hurry = false;
            let mut taken = 0;
            let more = self.receiver.try_iter().take(BATCH - 1);
            for message in first.into_iter().chain(more) {
                taken += 1;
                self.committed.messages += 1;
                match message {
                    Message::Call(call) => calls.push(call),
                    Message::Log(kind, at, text) => self.store_row(kind, at, &text),
                    Message::Series(at, text, times) => {
                        let stored = self.store.log_append_series(at, &text, times);
                        self.stored_row(LogKind::Security, stored);
                    }
                    Message::Hurry => {
                        hurry = true;
                        self.committed.messages -= 1;
                    }
                    #[cfg(test)]
                    Message::Panic => panic!("as told"),
                }
            }
            full = taken == BATCH;
            if !self.store_all(&calls) {
                // They are in the journal; the next start finds them there.
                break;
            }
            self.committed.add(&calls);
            calls.clear();
            if hurry || self.committed.wait().is_zero() {
                self.sync();
            }
        }
        self.sync();
    }

    fn store_row(&self, kind: LogKind, at: WallTime, text: &str) {
        self.stored_row(kind, self.store.log_append(kind, at, text));
    }

    fn stored_row(&self, kind: LogKind, stored: Result<(), StoreError>) {
        match stored {
            Ok(()) => {
                (self.logged)(kind);
                let lost = self.lost_rows.take();
                if lost > 0 {
                    tracing::info!(lost, "rows are added to the logs again");
                }
            }
            Err(error) => {
                if self.lost_rows.get() == 0 {
                    tracing::warn!(%error, "rows of the logs are lost for now");
                }
                self.lost_rows.update(|lost| lost + 1);
            }
        }
    }

    /// Brings all that was stored to the disk, and says so.
    ///
    /// Where the disk refuses, what it has lost of these calls can't be known, and asking again
    /// wouldn't tell: they stay in the journal, and the next start stores them again.
    fn sync(&mut self) {
        let Committed {
            calls, messages, ..
        } = std::mem::take(&mut self.committed);
        if !calls.is_empty() {
            if let Err(error) = self.store.history_sync() {
                if !std::mem::replace(&mut self.unsynced, true) {
                    tracing::error!(%error, "the call history can't be brought to the disk");
                }
                return;
            }
            self.unsynced = false;
            self.stored.add(calls);
        }
        lock(&self.shared.count).done += messages;
        self.shared.done.notify_all();
    }

    fn is_closing(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }

    /// Stores calls, however long it takes; false where the writer is closed before it succeeds.
    fn store_all(&self, calls: &[CallRecord]) -> bool {
        let mut wait = RETRY.0;
        let (mut failed, mut renewed) = (false, false);
        loop {
            match self.try_store(calls) {
                Ok(()) => break,
                Err(StoreError::Damaged(why)) if !renewed => {
                    renewed = true;
                    if let Err(error) = self.store.history_renew(&why) {
                        tracing::error!(%error, "the damaged history can't be replaced");
                    }
                    continue;
                }
                Err(error) if failed => tracing::debug!(%error, "still no call history"),
                Err(error) => {
                    tracing::error!(%error, "calls can't be added to the history for now");
                    failed = true;
                }
            }
            if self.is_closing() {
                return false;
            }
            thread::park_timeout(wait);
            wait = (wait * 2).min(RETRY.1);
        }
        if failed {
            tracing::info!("calls are added to the history again");
        }
        true
    }

    /// Stores all in one transaction. A call that is refused for what it is, and not for how the
    /// machine is, is left out, so that it doesn't keep the others waiting for ever.
    fn try_store(&self, calls: &[CallRecord]) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        match self.store.history_append(calls) {
            Err(error) if error.blame() == Blame::Software => {}
            other => return other.map(|_| ()),
        }
        for call in calls {
            match self.store.history_append(std::slice::from_ref(call)) {
                Ok(_) => {}
                Err(error) if error.blame() == Blame::Software => {
                    tracing::error!(call = call.call.raw(), %error, "the history refuses a call");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Committed {
    fn add(&mut self, calls: &[CallRecord]) {
        if !calls.is_empty() && self.since.is_none() {
            self.since = Some(Instant::now());
        }
        self.calls.extend(calls.iter().map(|record| record.call));
    }

    /// How long nothing has to be done about it.
    fn wait(&self) -> Duration {
        match self.since {
            Some(_) if self.calls.len() >= SYNC_AT => Duration::ZERO,
            Some(since) => SYNC_WITHIN.saturating_sub(since.elapsed()),
            None if self.messages > 0 => Duration::ZERO,
            None => RETRY.1,
        }
    }
}

#[cfg(test)]
mod tests;

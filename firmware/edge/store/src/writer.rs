//! The thread that takes calls and log rows from the signalling thread to the history.
//!
//! The signalling thread never waits for SQLite: it journals, answers, and hands the call over here.
//! While the disk is full, calls stay queued and in the journal, and are tried again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use model::{CallRecord, WallTime};

use crate::db::lock;
use crate::{Blame, LogKind, Store, StoreError, StoredCalls};

/// Calls and rows that wait: a minute of the busiest exchange.
const QUEUE: usize = 4096;
/// Calls in one transaction: some 10 ms on the slowest board.
const BATCH: usize = 256;
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

    /// Waits until all that was queued before is stored; false where that takes longer.
    #[must_use]
    pub fn flush(&self, timeout: Duration) -> bool {
        let count = lock(&self.shared.count);
        let goal = count.queued;
        let (count, _) = self
            .shared
            .done
            .wait_timeout_while(count, timeout, |count| count.done < goal)
            .unwrap_or_else(PoisonError::into_inner);
        count.done >= goal
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
}

impl<F: Fn(LogKind)> Worker<F> {
    fn run(self) {
        let mut calls = Vec::with_capacity(BATCH);
        loop {
            let first = match self.receiver.recv_timeout(RETRY.1) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut rows = 0;
            for message in std::iter::once(first).chain(self.receiver.try_iter().take(BATCH - 1)) {
                match message {
                    Message::Call(call) => calls.push(call),
                    Message::Log(kind, at, text) => {
                        rows += 1;
                        match self.store.log_append(kind, at, &text) {
                            Ok(()) => (self.logged)(kind),
                            Err(error) => tracing::warn!(%error, "a log row is lost"),
                        }
                    }
                }
            }
            let done = rows + calls.len() as u64;
            if !self.store_all(&calls) {
                // They are in the journal; the next start finds them there.
                return;
            }
            calls.clear();
            lock(&self.shared.count).done += done;
            self.shared.done.notify_all();
        }
    }

    /// Stores calls, however long it takes; false where the writer is closed before it succeeds.
    fn store_all(&self, calls: &[CallRecord]) -> bool {
        let mut wait = RETRY.0;
        let mut failed = false;
        loop {
            match self.try_store(calls) {
                Ok(()) => break,
                Err(error) if failed => tracing::debug!(%error, "still no call history"),
                Err(error) => {
                    tracing::error!(%error, "calls can't be added to the history for now");
                    failed = true;
                }
            }
            if self.shared.closing.load(Ordering::Acquire) {
                return false;
            }
            thread::park_timeout(wait);
            wait = (wait * 2).min(RETRY.1);
        }
        if failed {
            tracing::info!("calls are added to the history again");
        }
        self.stored.add(calls.iter().map(|record| record.call));
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

#[cfg(test)]
mod tests;

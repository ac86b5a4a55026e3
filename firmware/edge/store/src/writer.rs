//! The thread that takes calls and log rows from the signalling thread to the history.
//!
//! The signalling thread never waits for SQLite: it journals, answers, and hands the call over here.

use model::{CallRecord, WallTime};

use crate::{LogKind, Store, StoredCalls};

/// The queue is full or the thread has ended. A call is still in the journal: see
/// [`crate::Journal::unstored`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the history can't keep up")]
pub struct Refused;

/// Hands calls and log rows to a thread that stores them in batches. Dropping it stores what is
/// queued and ends the thread.
#[derive(Debug)]
pub struct Writer {
    _private: (),
}

impl Writer {
    /// Starts the thread. It tells `stored` which calls are in the history: take that from
    /// [`crate::Journal::stored_calls`].
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(store: Store, stored: StoredCalls) -> std::io::Result<Self> {
        let _ = (store, stored);
        todo!()
    }

    /// Queues a call. Never waits.
    ///
    /// # Errors
    /// [`Refused`] where the queue is full: offer it again later.
    pub fn call(&self, record: CallRecord) -> Result<(), Refused> {
        let _ = record;
        todo!()
    }

    /// Queues a log row. Never waits.
    ///
    /// # Errors
    /// [`Refused`] where the queue is full: the row is lost.
    pub fn log(&self, kind: LogKind, at: WallTime, text: impl Into<String>) -> Result<(), Refused> {
        let _ = (kind, at, text.into());
        todo!()
    }

    /// Waits until all that was queued before is stored, or storing fails; false in that case.
    #[must_use]
    pub fn flush(&self) -> bool {
        todo!()
    }
}

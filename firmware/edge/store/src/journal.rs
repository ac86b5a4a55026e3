//! The live journal: what has to outlive a kill before an answer goes on the wire. No SQL.
//!
//! [`Journal::append`] is one `write(2)`, without waiting for the disk: what the kernel has, a kill
//! can't take away. [`Syncer`] brings it to the disk now and then, for a power cut.

use std::io;
use std::path::{Path, PathBuf};

use model::{Binding, CallId, CallRecord, ExtensionId, WallTime};

/// Something that has to outlive a kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveRecord {
    /// A registration, new or refreshed; one for each extension and contact.
    BindingPut(Binding),
    /// A registration has ended.
    BindingRemove {
        /// Whose.
        extension: ExtensionId,
        /// Its Contact URI.
        contact: String,
    },
    /// A call is under way; again, where more of it is known. `ended` and what describes the end
    /// mean nothing yet.
    CallOpened(CallRecord),
    /// A call is over.
    CallClosed(CallRecord),
}

/// What the journal held when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Registrations that haven't expired.
    pub bindings: Vec<Binding>,
    /// Calls that are over, but may not be in the history: append them to it.
    pub closed: Vec<CallRecord>,
    /// Calls that were under way: close them as interrupted.
    pub open: Vec<CallRecord>,
    /// The highest call id in it.
    pub last_call_id: Option<CallId>,
    /// Bytes at the end of files that were no whole record and were cut off: a write that a kill or
    /// a power cut stopped halfway.
    pub torn_bytes: u64,
}

/// Why the journal can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process has it open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// It was written by a newer version of the software.
    #[error("{} was written by newer software: install that again", .0.display())]
    Newer(PathBuf),
    /// The directory can't be made, read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The live journal, for one thread of one process.
#[derive(Debug)]
pub struct Journal {
    _private: (),
}

/// Brings the journal to the disk, from any thread.
#[derive(Clone, Debug)]
pub struct Syncer {
    _private: (),
}

/// Tells the journal which calls are in the history, from any thread.
#[derive(Clone, Debug, Default)]
pub struct StoredCalls {
    _private: (),
}

impl Journal {
    /// Opens the journal of a data directory; makes it where there is none.
    ///
    /// # Errors
    /// [`JournalError`]. A torn end is none.
    pub fn open(dir: &Path, now: WallTime) -> Result<(Self, Recovered), JournalError> {
        let _ = (dir, now);
        todo!()
    }

    /// Appends records: when this returns, a kill of the process doesn't lose them. Doesn't wait
    /// for the disk.
    ///
    /// # Errors
    /// Where the disk is full or broken: none of the records counts, and the next append may
    /// succeed again.
    pub fn append(&mut self, records: &[LiveRecord]) -> io::Result<()> {
        let _ = records;
        todo!()
    }

    /// Calls that are over and not known to be in the history: where the [`crate::Writer`] refused
    /// one, offer these again.
    #[must_use]
    pub fn unstored(&self) -> Vec<CallRecord> {
        todo!()
    }

    /// How to tell it that calls are in the history.
    #[must_use]
    pub fn stored_calls(&self) -> StoredCalls {
        todo!()
    }

    /// How to bring it to the disk.
    #[must_use]
    pub fn syncer(&self) -> Syncer {
        todo!()
    }
}

impl Syncer {
    /// Waits until all that was appended before is on the disk.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sync(&self) -> io::Result<()> {
        todo!()
    }
}

impl StoredCalls {
    /// These are in the history now.
    pub fn add(&self, calls: impl IntoIterator<Item = CallId>) {
        let _ = calls.into_iter().count();
        todo!()
    }
}

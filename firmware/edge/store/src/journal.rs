//! The live journal: what has to outlive a kill before an answer goes on the wire. No SQL.
//!
//! [`Journal::append`] is one `write(2)`, without waiting for the disk: what the kernel has, a kill
//! can't take away. [`Syncer`] brings it to the disk now and then, for a power cut.

mod files;
mod frame;
mod state;

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use model::{Binding, CallId, CallRecord, ExtensionId, OpenCall, UnendedDialog, WallTime};

use self::state::State;
use crate::db::lock;
use crate::disk;

/// A log of this length is replaced by a snapshot: it is read in a tenth of a second at a start.
const LOG_BYTES: u64 = 8 * 1024 * 1024;
/// Calls that are over, and that neither the log nor the history takes: some 30 MB. More are lost.
const UNWRITTEN_CALLS: usize = 50_000;
/// After a failure, all is tried to be written anew at every so many appends of nothing at most.
const PATIENCE: u32 = 63;
/// Room for a batch that is kept from one append to the next.
const BATCH_BYTES: usize = 64 * 1024;

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
    /// A call is under way; again, where more of it is known.
    CallOpened(OpenCall),
    /// A call is over.
    CallClosed(CallRecord),
    /// A dialog is left to the next process.
    DialogLeft(UnendedDialog),
    /// That process has those left before.
    DialogsTaken,
}

/// What the journal held when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Registrations that haven't expired.
    pub bindings: Vec<Binding>,
    /// Calls that are over, but may not be in the history: append them to it.
    pub closed: Vec<CallRecord>,
    /// Calls that were under way: close them as interrupted, and tell their parties.
    pub open: Vec<OpenCall>,
    /// Dialogs that the last process left when it stopped: tell their peers too.
    pub left: Vec<UnendedDialog>,
    /// The highest call id in it.
    pub last_call_id: Option<CallId>,
    /// Bytes at the end of files that were no whole record and were cut off: a write that a kill or
    /// a power cut stopped halfway.
    pub torn_bytes: u64,
    /// Whole records that this software doesn't understand and left out.
    pub unknown_records: u64,
}

/// Why the journal can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process has it open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
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
    dir: PathBuf,
    _lock: File,
    file: Arc<File>,
    generation: u64,
    /// Bytes of the log that count.
    length: u64,
    /// The log may have bytes beyond its length, of an append that failed.
    ragged: bool,
    limit: u64,
    /// Length from which a snapshot takes the place of the log.
    rotate_at: u64,
    state: State,
    batch: Vec<u8>,
    places: Vec<Range<usize>>,
    stored: StoredCalls,
    /// Calls that are in the history, but not said to be in the log.
    told: Vec<CallId>,
    syncer: Syncer,
    snapshot: Option<JoinHandle<()>>,
    /// The files lack something that the disk refused.
    behind: Arc<AtomicBool>,
    /// Appends of nothing until it is tried again, and after the next failure.
    wait: u32,
    patience: u32,
}

/// Brings the journal to the disk, from any thread.
#[derive(Clone, Debug)]
pub struct Syncer {
    dir: PathBuf,
    /// Logs not known to be on the disk, the one appended to last.
    files: Arc<Mutex<Vec<Arc<File>>>>,
    /// What was written that no sync has seen.
    unsynced: Arc<AtomicU8>,
}

/// Nothing that a sync has not seen.
const SYNCED: u8 = 0;
/// What may come to the disk with what follows: a registration that goes on, a call that the history
/// has.
const MAY_WAIT: u8 = 1;
/// What is to be on the disk soon.
const SOON: u8 = 2;

/// Tells the journal which calls are in the history to stay, from any thread.
#[derive(Clone, Debug, Default)]
pub struct StoredCalls {
    calls: Arc<Mutex<Vec<CallId>>>,
}

impl Journal {
    /// Opens the journal of a data directory; makes it where there is none.
    ///
    /// # Errors
    /// [`JournalError`]. A torn end is none.
    pub fn open(dir: &Path, now: WallTime) -> Result<(Self, Recovered), JournalError> {
        Self::open_with(dir, now, LOG_BYTES)
    }

    /// [`Journal::open`] with a log length of one's own, in bytes.
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub fn open_with(
        dir: &Path,
        now: WallTime,
        limit: u64,
    ) -> Result<(Self, Recovered), JournalError> {
        let dir = dir.join("live");
        let lock = files::prepare(&dir)?;
        let replay = files::replay(&dir)?;
        let failed = |source| files::io_error(&dir, source);
        files::remove_unfinished(&dir).map_err(failed)?;
        let whole = replay.length.unwrap_or(0);
        let (file, length) = files::open_log(&dir, replay.generation, whole).map_err(failed)?;
        let file = Arc::new(file);
        disk::sync_dir(&dir).map_err(failed)?;
        let mut state = replay.state;
        let recovered = Recovered {
            torn_bytes: replay.torn_bytes,
            unknown_records: replay.unknown,
            ..state.recover(now)
        };
        let journal = Self {
            _lock: lock,
            generation: replay.generation,
            length,
            ragged: false,
            limit,
            rotate_at: limit,
            state,
            batch: Vec::with_capacity(BATCH_BYTES),
            places: Vec::new(),
            stored: StoredCalls::default(),
            told: Vec::new(),
            syncer: Syncer {
                dir: dir.clone(),
                files: Arc::new(Mutex::new(vec![Arc::clone(&file)])),
                unsynced: Arc::new(AtomicU8::new(SOON)),
            },
            snapshot: None,
            behind: Arc::default(),
            wait: 0,
            patience: 0,
            file,
            dir,
        };
        Ok((journal, recovered))
    }

    /// Appends records: when this returns, a kill of the process doesn't lose them. Doesn't wait
    /// for the disk. A registration that runs out needs its `BindingRemove` too.
    ///
    /// # Errors
    /// Where the disk is full or broken: a kill loses the records until an append of nothing, as is
    /// made now and then, finds the disk well again and has all written anew. A record that is too
    /// long is refused, and the others with it.
    pub fn append(&mut self, records: &[LiveRecord]) -> io::Result<()> {
        self.stored.take(&mut self.told);
        if records.is_empty() {
            self.make_good();
            if self.told.is_empty() {
                return Ok(());
            }
        }
        if self.length >= self.rotate_at {
            self.rotate();
        }
        self.batch.clear();
        self.batch.shrink_to(BATCH_BYTES);
        self.places.clear();
        for record in records {
            self.places
                .push(frame::put_record(&mut self.batch, record)?);
        }
        if !self.told.is_empty() {
            frame::put_stored(&mut self.batch, &self.told)?;
        }
        let written = self.write(self.urgency(records));
        let has_room = written.is_ok() || self.state.unstored_len() < UNWRITTEN_CALLS;
        for (record, place) in records.iter().zip(&self.places) {
            match record {
                LiveRecord::CallClosed(call) if !has_room => self.state.forget(call.call),
                _ => self.state.apply(&self.batch[place.clone()], record),
            }
        }
        if written.is_err() {
            self.behind.store(true, Ordering::Relaxed);
        }
        written?;
        self.state.stored(&self.told);
        self.told.clear();
        Ok(())
    }

    /// Calls that are over and not known to be in the history: where the [`crate::Writer`] refused
    /// one, offer these again.
    #[must_use]
    pub fn unstored(&self) -> Vec<CallRecord> {
        self.state.unstored()
    }

    /// One of these.
    #[must_use]
    pub fn unstored_call(&self, call: CallId) -> Option<CallRecord> {
        self.state.unstored_call(call)
    }

    /// How to tell it that calls are in the history.
    #[must_use]
    pub fn stored_calls(&self) -> StoredCalls {
        self.stored.clone()
    }

    /// How to bring it to the disk.
    #[must_use]
    pub fn syncer(&self) -> Syncer {
        self.syncer.clone()
    }

    fn urgency(&self, records: &[LiveRecord]) -> u8 {
        let is_refresh = |record: &LiveRecord| match record {
            LiveRecord::BindingPut(binding) => self.state.goes_on(binding),
            _ => false,
        };
        if records.iter().all(is_refresh) {
            MAY_WAIT
        } else {
            SOON
        }
    }

    /// Writes the batch behind what counts, whole or not at all.
    fn write(&mut self, urgency: u8) -> io::Result<()> {
        if self.ragged {
            self.file.set_len(self.length)?;
            self.ragged = false;
        }
        let header: &[u8] = if self.length == 0 { frame::HEADER } else { &[] };
        let whole = (&*self.file).write_all(header);
        if let Err(error) = whole.and_then(|()| (&*self.file).write_all(&self.batch)) {
            self.ragged = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += (header.len() + self.batch.len()) as u64;
        self.syncer.unsynced.fetch_max(urgency, Ordering::Release);
        Ok(())
    }

    /// After the disk has refused something, writes all that counts anew.
    fn make_good(&mut self) {
        if !self.behind.load(Ordering::Relaxed) {
            self.patience = 0;
            self.wait = 0;
        } else if self.wait > 0 {
            self.wait -= 1;
        } else if (self.snapshot.as_ref()).is_none_or(JoinHandle::is_finished) {
            self.patience = (self.patience * 2 + 1).min(PATIENCE);
            self.wait = self.patience;
            // A short write first: what fails on a full disk leaves no new file behind.
            self.batch.clear();
            if frame::put_stored(&mut self.batch, &[])
                .and_then(|_| self.write(MAY_WAIT))
                .is_ok()
            {
                self.rotate();
            }
        }
    }

    /// Goes on in a new log and has a thread write the snapshot it begins with. Where that fails,
    /// nothing is lost: the older files stay, and the next try comes a log's length later.
    fn rotate(&mut self) {
        if let Some(thread) = self.snapshot.take_if(|thread| thread.is_finished()) {
            // It has logged what went wrong.
            let _ = thread.join();
        }
        self.rotate_at = self.length.saturating_add(self.limit);
        if self.snapshot.is_some() || self.ragged {
            return;
        }
        let generation = self.generation + 1;
        match files::open_log(&self.dir, generation, 0) {
            Ok((file, length)) if length > 0 => {
                self.file = Arc::new(file);
                self.length = length;
            }
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "the live journal can't go on in a new file");
                return;
            }
        }
        self.generation = generation;
        self.rotate_at = self.limit;
        lock(&self.syncer.files).push(Arc::clone(&self.file));
        self.syncer.unsynced.store(SOON, Ordering::Release);
        let (dir, frames, last_call) =
            (self.dir.clone(), self.state.frames(), self.state.last_call);
        let was_behind = self.behind.swap(false, Ordering::Relaxed);
        let behind = Arc::clone(&self.behind);
        let thread =
            thread::Builder::new().name("journal".into()).spawn(
                move || match files::write_snapshot(&dir, generation, &frames, last_call) {
                    Ok(()) if was_behind => tracing::info!("the live journal is whole again"),
                    Ok(()) => {}
                    Err(error) => {
                        behind.fetch_or(was_behind, Ordering::Relaxed);
                        tracing::warn!(%error, "the live journal can't write a snapshot");
                    }
                },
            );
        match thread {
            Ok(thread) => self.snapshot = Some(thread),
            Err(error) => {
                self.behind.fetch_or(was_behind, Ordering::Relaxed);
                tracing::warn!(%error, "the live journal gets no thread for a snapshot");
            }
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(thread) = self.snapshot.take() {
            let _ = thread.join();
        }
    }
}

impl Syncer {
    /// Waits until all that was appended before is on the disk, where anything was.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sync(&self) -> io::Result<()> {
        if self.unsynced.swap(SYNCED, Ordering::Acquire) == SYNCED {
            return Ok(());
        }
        let synced = self.sync_files();
        if synced.is_err() {
            self.unsynced.store(SOON, Ordering::Release);
        }
        synced
    }

    /// Waits until all that was appended before is on the disk, where something of it is worth that by
    /// itself: a card has only so many writes. A registration that goes on, and a call that the history
    /// has, wait for what follows, or for [`Syncer::sync`].
    ///
    /// # Errors
    /// What the disk says.
    pub fn sync_what_is_new(&self) -> io::Result<()> {
        if self.unsynced.load(Ordering::Acquire) < SOON {
            return Ok(());
        }
        self.sync()
    }

    fn sync_files(&self) -> io::Result<()> {
        let files = lock(&self.files).clone();
        for file in &files {
            disk::sync_file(file)?;
        }
        if files.len() > 1 {
            disk::sync_dir(&self.dir)?;
            // All but the one appended to; what was opened meanwhile stays too.
            lock(&self.files).retain(|file| {
                !files[..files.len() - 1]
                    .iter()
                    .any(|done| Arc::ptr_eq(done, file))
            });
        }
        Ok(())
    }
}

impl StoredCalls {
    /// These are in the history now, and a power cut won't take them from it: the journal forgets
    /// them.
    pub fn add(&self, calls: impl IntoIterator<Item = CallId>) {
        lock(&self.calls).extend(calls);
    }

    /// Moves what was added, unless somebody is adding just now.
    fn take(&self, calls: &mut Vec<CallId>) {
        if let Ok(mut added) = self.calls.try_lock() {
            calls.append(&mut added);
        }
    }
}

#[cfg(test)]
mod tests;

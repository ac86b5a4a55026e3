//! The data directory, opened.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::db::{Database, DirLock, Schema};
use crate::{Snapshot, StoreError};

const CONFIG: Schema = Schema {
    file: "config.db",
    synchronous: "FULL",
    steps: &[include_str!("migrations/config_1.sql")],
};

const HISTORY: Schema = Schema {
    file: "history.db",
    synchronous: "NORMAL",
    steps: &[include_str!("migrations/history_1.sql")],
};

/// The databases of one data directory. Cheap to clone; may be used from many threads and processes.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// What has to outlive a power cut.
    pub(crate) config: Database,
    /// What grows with the traffic. The logs that strangers fill are here too, so that a flood of
    /// failed logins neither waits for the disk nor keeps an administrator's change waiting.
    pub(crate) history: Database,
    /// The configuration after this process's last change: good as long as its version is the one
    /// in the database.
    pub(crate) cache: Mutex<Option<Snapshot>>,
    /// Calls in the history, where they were counted.
    pub(crate) calls: Mutex<Option<u64>>,
    pub(crate) limits: Limits,
}

/// How much is kept; the oldest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls in the history.
    pub history_calls: u64,
    /// Rows in each log.
    pub log_rows: u32,
}

impl Default for Limits {
    /// Some 600 MB together: a tenth of the smallest card.
    fn default() -> Self {
        Self {
            history_calls: 1_000_000,
            log_rows: 100_000,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data directory; makes it and what is in it where there is none, for its owner only,
    /// and brings older databases up to this version.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] after a downgrade; else what the disk says.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, Limits::default())
    }

    /// [`Store::open`] with limits of one's own.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open_with(dir: &Path, limits: Limits) -> Result<Self, StoreError> {
        let lock = DirLock::take(dir)?;
        let config = Database::open(dir, CONFIG)?;
        let history = Database::open(dir, HISTORY)?;
        lock.sync(dir)?;
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                history,
                cache: Mutex::new(None),
                calls: Mutex::new(None),
                limits,
            }),
        })
    }
}

//! What can go wrong, and whose fault it is.

use std::io;
use std::path::PathBuf;

use model::ConfigVersion;
use model::config::Fault;

/// Whose fault an error is, and so who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The one who asked: the request has to be another one.
    Caller,
    /// The moment: the same request may succeed when made again.
    Moment,
    /// The machine: its disk is full, broken or not ours to write.
    Machine,
    /// The software: it was downgraded, or there is a bug in it.
    Software,
}

/// Why the store couldn't do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another writer held the database for longer than is reasonable.
    #[error("the database is busy: try again")]
    Busy,
    /// No space is left on the disk.
    #[error("the disk is full")]
    DiskFull,
    /// A file was written by a newer version of the software.
    #[error("{} has schema {found}, this software knows up to {known}: install the newer software again", .file.display())]
    NewerSchema {
        /// Which.
        file: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// A database file isn't one, or is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// Anybody on the machine can change the data directory.
    #[error("anybody can change what is in {}: give the data a directory of its own, or chmod 700 it", .0.display())]
    OpenToAll(PathBuf),
    /// The data directory can't be made, read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite refused for a reason that the disk can't explain.
    #[error("database: {0}")]
    Sqlite(rusqlite::Error),
}

impl StoreError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Busy => Blame::Moment,
            Self::DiskFull | Self::Damaged(_) | Self::OpenToAll(_) | Self::Io { .. } => {
                Blame::Machine
            }
            Self::NewerSchema { .. } | Self::Sqlite(_) => Blame::Software,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        use rusqlite::ffi;
        let extended = error.sqlite_error().map(|error| error.extended_code);
        if let Some(
            ffi::SQLITE_IOERR_READ
            | ffi::SQLITE_IOERR_SHORT_READ
            | ffi::SQLITE_IOERR_DATA
            | ffi::SQLITE_IOERR_CORRUPTFS,
        ) = extended
        {
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Busy,
            Some(Code::DiskFull) => Self::DiskFull,
            // No room for the index of the write-ahead log.
            _ if extended == Some(ffi::SQLITE_IOERR_SHMSIZE) => Self::DiskFull,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Damaged(error.to_string()),
            Some(
                Code::SystemIoFailure | Code::CannotOpen | Code::PermissionDenied | Code::ReadOnly,
            ) => Self::Io {
                path: PathBuf::from("database"),
                source: io::Error::other(error),
            },
            _ => Self::Sqlite(error),
        }
    }
}

/// Why a change of the configuration was refused. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The exchange couldn't run with the result.
    #[error("{}", .faults.first().map_or("the configuration would be faulty", |fault| fault.text.as_str()))]
    Faults {
        /// What is wrong, and what to do; paths go from the root of the configuration.
        faults: Vec<Fault>,
        /// Where the object of each operation stood in that configuration, such as
        /// `/extensions/41`: a fault that is about that object's field begins with it.
        objects: Vec<Option<String>>,
    },
    /// Somebody else changed it since it was read.
    #[error("it was changed meanwhile: look at it again")]
    Conflict {
        /// Its revision now.
        current: ConfigVersion,
    },
    /// The object isn't there, or not any more.
    #[error("there is no such {0}: it may have been removed")]
    NotFound(&'static str),
    /// The first password was set before.
    #[error("the first password is already set: log in with it")]
    AlreadySet,
    /// The store itself failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Faults { .. } | Self::NotFound(_) | Self::Conflict { .. } | Self::AlreadySet => {
                Blame::Caller
            }
            Self::Store(error) => error.blame(),
        }
    }
}

impl From<rusqlite::Error> for ChangeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

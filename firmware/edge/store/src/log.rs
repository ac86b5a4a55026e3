//! The logs people read (LOG-1), each kept to its newest rows.

use model::WallTime;

use crate::{Author, Store, StoreError};

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// Changes of the configuration and logins that succeeded.
    Config,
    /// Attempts that failed, bans.
    Security,
    /// What an administrator should look at.
    Warning,
    /// What went wrong.
    Error,
}

/// One row of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Grows with each row of this log; never reused.
    pub id: i64,
    /// When.
    pub at: WallTime,
    /// What, in English.
    pub text: String,
    /// Who did it, in the Config log.
    pub author: Option<Author>,
}

/// Which rows, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Rows with a lower id only: the next page.
    pub before: Option<i64>,
    /// Rows with a higher id only: what is new.
    pub after: Option<i64>,
    /// Rows with this in their text, without regard to the case of ASCII letters.
    pub contains: Option<String>,
    /// At most so many.
    pub limit: u32,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
            contains: None,
            limit: 100,
        }
    }
}

impl Store {
    /// Appends a row. Control characters become spaces; a text beyond 2,000 characters is cut.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn log_append(&self, kind: LogKind, at: WallTime, text: &str) -> Result<(), StoreError> {
        let _ = (kind, at, text);
        todo!()
    }

    /// The rows asked for, the newest first.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn log_query(&self, kind: LogKind, query: &LogQuery) -> Result<Vec<LogRow>, StoreError> {
        let _ = (kind, query);
        todo!()
    }

    /// Removes all rows; ids go on from where they were.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn log_clear(&self, kind: LogKind) -> Result<(), StoreError> {
        let _ = kind;
        todo!()
    }
}

//! The logs people read (LOG-1), each kept to its newest rows.

use core::time::Duration;

use model::{ConfigVersion, WallTime};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::db::Database;
use crate::{Author, Store, StoreError};

/// Longest row: a whole SIP header fits, a whole message doesn't.
const TEXT_CHARS: usize = 2000;
/// The Security log is looked through so far for the series that a row goes on.
const SERIES_ROWS: u32 = 100;
/// A series ends where nothing more of it happens for so long: a phone that is not let in tries again
/// sooner.
const SERIES: Duration = Duration::from_hours(1);
/// Rows appended between two removals of the oldest.
const TRIM_EVERY: i64 = 64;

/// What every query of a log has in common; SQLite wants the table by name.
macro_rules! page {
    () => {
        " WHERE id < ?1 AND id > ?2 AND (?3 IS NULL OR text LIKE ?3 ESCAPE '\\') ORDER BY id DESC LIMIT ?4"
    };
}

/// The newest row that does not fit into so many octets any more, with all that are newer.
macro_rules! beyond {
    ($table:literal) => {
        concat!(
            "SELECT id FROM (SELECT id, sum(octet_length(text)) OVER (ORDER BY id DESC) AS size FROM ",
            $table,
            ") WHERE size > ?1 ORDER BY id DESC LIMIT 1"
        )
    };
}

/// Removes what is older than the newest so many.
macro_rules! older {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE id <= (SELECT id FROM ",
            $table,
            " ORDER BY id DESC LIMIT 1 OFFSET ?1)"
        )
    };
}

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
    /// How often it happened within a series, in the Security log; once elsewhere.
    pub times: u32,
    /// When it happened first; `at` is the last time.
    pub first: WallTime,
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

impl LogKind {
    fn database(self, store: &Store) -> &Database {
        match self {
            Self::Config => &store.inner.config,
            Self::Security | Self::Warning | Self::Error => &store.inner.history,
        }
    }

    const fn insert(self) -> &'static str {
        match self {
            Self::Config => "INSERT INTO config_log (at, text) VALUES (?1, ?2)",
            Self::Security => "INSERT INTO security_log (at, text) VALUES (?1, ?2)",
            Self::Warning => "INSERT INTO warning_log (at, text) VALUES (?1, ?2)",
            Self::Error => "INSERT INTO error_log (at, text) VALUES (?1, ?2)",
        }
    }

    const fn clear(self) -> &'static str {
        match self {
            Self::Config => "DELETE FROM config_log WHERE at < ?1 AND id <= ?2",
            Self::Security => "DELETE FROM security_log WHERE at < ?1 AND id <= ?2",
            Self::Warning => "DELETE FROM warning_log WHERE at < ?1 AND id <= ?2",
            Self::Error => "DELETE FROM error_log WHERE at < ?1 AND id <= ?2",
        }
    }

    const fn delete_up_to(self) -> &'static str {
        match self {
            Self::Config => "DELETE FROM config_log WHERE id <= ?1",
            Self::Security => "DELETE FROM security_log WHERE id <= ?1",
            Self::Warning => "DELETE FROM warning_log WHERE id <= ?1",
            Self::Error => "DELETE FROM error_log WHERE id <= ?1",
        }
    }

    /// Rows are counted: ids have gaps where series were folded.
    const fn delete_older(self) -> &'static str {
        match self {
            Self::Config => older!("config_log"),
            Self::Security => older!("security_log"),
            Self::Warning => older!("warning_log"),
            Self::Error => older!("error_log"),
        }
    }

    const fn beyond(self) -> &'static str {
        match self {
            Self::Config => beyond!("config_log"),
            Self::Security => beyond!("security_log"),
            Self::Warning => beyond!("warning_log"),
            Self::Error => beyond!("error_log"),
        }
    }

    const fn select(self) -> &'static str {
        match self {
            Self::Config => concat!("SELECT id, at, text, author, host FROM config_log", page!()),
            Self::Security => concat!(
                "SELECT id, at, text, times, coalesce(first, at) FROM security_log",
                page!()
            ),
            Self::Warning => concat!("SELECT id, at, text FROM warning_log", page!()),
            Self::Error => concat!("SELECT id, at, text FROM error_log", page!()),
        }
    }
}

impl Store {
    /// Appends a row. Control characters become spaces; a text beyond 2,000 characters is cut.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn log_append(&self, kind: LogKind, at: WallTime, text: &str) -> Result<(), StoreError> {
        let keep = self.inner.limits.log_rows;
        kind.database(self)
            .write(|tx| Ok(append(tx, kind, keep, at, text)?))
    }

    /// Appends a row to the Security log that stands for so many. Where the same was said within the
    /// last hour it is one series: its row comes anew, under another id, with the count and the first
    /// time.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn log_append_series(
        &self,
        at: WallTime,
        text: &str,
        times: u32,
    ) -> Result<(), StoreError> {
        let keep = self.inner.limits.log_rows;
        self.inner
            .history
            .write(|tx| Ok(append_series(tx, keep, at, &line(text), times)?))
    }

    /// The rows asked for, the newest first.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn log_query(&self, kind: LogKind, query: &LogQuery) -> Result<Vec<LogRow>, StoreError> {
        let like = query.contains.as_deref().map(contains_pattern);
        kind.database(self).read(|tx| {
            let mut statement = tx.prepare_cached(kind.select())?;
            let rows = statement.query_map(
                params![
                    query.before.unwrap_or(i64::MAX),
                    query.after.unwrap_or(i64::MIN),
                    like,
                    query.limit
                ],
                |row| {
                    let author = match kind {
                        LogKind::Config => row.get::<_, Option<String>>(3)?.map(|name| {
                            Ok::<_, rusqlite::Error>(Author {
                                name,
                                host: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                            })
                        }),
                        LogKind::Security | LogKind::Warning | LogKind::Error => None,
                    };
                    let at = row.get(1)?;
                    let (times, first) = match kind {
                        LogKind::Security => (row.get(3)?, row.get(4)?),
                        LogKind::Config | LogKind::Warning | LogKind::Error => (1, at),
                    };
                    Ok(LogRow {
                        id: row.get(0)?,
                        at: WallTime::from_unix_micros(at),
                        text: row.get(2)?,
                        author: author.transpose()?,
                        times,
                        first: WallTime::from_unix_micros(first),
                    })
                },
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Removes the rows from before a moment, up to the one with this id; returns how many. Ids go on
    /// from where they were.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn log_clear(
        &self,
        kind: LogKind,
        before: WallTime,
        newest: i64,
    ) -> Result<u64, StoreError> {
        let removed = kind.database(self).write(|tx| {
            let removed = tx.execute(kind.clear(), params![before.as_unix_micros(), newest])?;
            Ok::<_, StoreError>(removed as u64)
        })?;
        if kind != LogKind::Config {
            self.history_shrink();
        }
        Ok(removed)
    }

    /// Removes all but the newest rows of a log, give or take those that were removed before.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn log_trim(&self, kind: LogKind, keep: u32) -> Result<u64, StoreError> {
        kind.database(self).write(|tx| {
            let removed = tx.execute(kind.delete_older(), [keep])?;
            Ok::<_, StoreError>(removed as u64)
        })
    }

    /// Removes the oldest rows of a log until its texts have so many octets at most.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn log_trim_size(&self, kind: LogKind, octets: u64) -> Result<u64, StoreError> {
        let octets = i64::try_from(octets).unwrap_or(i64::MAX);
        let database = kind.database(self);
        let beyond = database.read(|tx| {
            let mut statement = tx.prepare_cached(kind.beyond())?;
            let id = statement.query_row([octets], |row| row.get::<_, i64>(0));
            Ok::<_, StoreError>(id.optional()?)
        })?;
        let Some(beyond) = beyond else {
            return Ok(0);
        };
        database.write(|tx| {
            let removed = tx.execute(kind.delete_up_to(), [beyond])?;
            Ok::<_, StoreError>(removed as u64)
        })
    }

    /// Says in the Config log what somebody did that is no change of the configuration.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn config_note(&self, at: WallTime, author: &Author, text: &str) -> Result<(), StoreError> {
        let keep = self.inner.limits.log_rows;
        self.inner
            .config
            .write(|tx| Ok(append_config(tx, keep, at, author, None, text)?))
    }
}

/// Appends a row to a log, within a transaction of the database that has it.
pub(crate) fn append(
    tx: &Transaction<'_>,
    kind: LogKind,
    keep: u32,
    at: WallTime,
    text: &str,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached(kind.insert())?
        .execute(params![at.as_unix_micros(), line(text)])?;
    trim(tx, kind, keep)
}

fn append_series(
    tx: &Transaction<'_>,
    keep: u32,
    at: WallTime,
    text: &str,
    times: u32,
) -> Result<(), rusqlite::Error> {
    let hour = i64::try_from(SERIES.as_micros()).unwrap_or(i64::MAX);
    let series = tx
        .prepare_cached(
            "SELECT id, first, times FROM (SELECT id, at, text, coalesce(first, at) AS first, times
             FROM security_log ORDER BY id DESC LIMIT ?1) WHERE text = ?2 AND at >= ?3",
        )?
        .query_row(
            params![SERIES_ROWS, text, at.as_unix_micros().saturating_sub(hour)],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, u32>(2)?,
                ))
            },
        )
        .optional()?;
    let (first, before) = match series {
        Some((id, first, before)) => {
            tx.prepare_cached("DELETE FROM security_log WHERE id = ?1")?
                .execute([id])?;
            // The clock may have been set back meanwhile.
            (first.min(at.as_unix_micros()), before)
        }
        None => (at.as_unix_micros(), 0),
    };
    tx.prepare_cached("INSERT INTO security_log (at, text, times, first) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            at.as_unix_micros(),
            text,
            before.saturating_add(times),
            first
        ])?;
    trim(tx, LogKind::Security, keep)
}

/// Appends a row to the Config log, with the version where it tells of one, within the transaction that it tells of.
pub(crate) fn append_config(
    tx: &Transaction<'_>,
    keep: u32,
    at: WallTime,
    author: &Author,
    version: Option<ConfigVersion>,
    text: &str,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached(
        "INSERT INTO config_log (at, text, author, host, version) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        at.as_unix_micros(),
        line(text),
        line(&author.name),
        line(&author.host),
        version.map(|version| version.raw().cast_signed())
    ])?;
    trim(tx, LogKind::Config, keep)
}

/// A LIKE pattern for text with this in it, to be used with `ESCAPE '\\'`.
pub(crate) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// After the insertion of a row: removes what is beyond the newest `keep`, now and then.
fn trim(tx: &Transaction<'_>, kind: LogKind, keep: u32) -> Result<(), rusqlite::Error> {
    let newest = tx.last_insert_rowid();
    if newest % TRIM_EVERY == 0 {
        tx.prepare_cached(kind.delete_older())?.execute([keep])?;
    }
    Ok(())
}

/// One line of a log: what came from outside can't begin another.
fn line(text: &str) -> String {
    text.chars()
        .take(TEXT_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;

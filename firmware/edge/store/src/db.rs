//! One SQLite file: how it is opened, migrated and shared between threads.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{StoreError, disk, rights};

/// Longer than any transaction of the other process takes, fsync on a slow card included.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Read connections kept open: more at once are rare, and opening one takes well under a millisecond.
const IDLE_READERS: usize = 4;
/// What is left of the write-ahead log after a checkpoint, in bytes.
const WAL_LEFT_BYTES: i64 = 4 * 1024 * 1024;
/// Statements kept compiled in each connection.
const STATEMENTS: usize = 64;

/// What a database file is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema {
    /// Its name in the data directory.
    pub(crate) file: &'static str,
    /// `FULL` outlives a power cut at once, `NORMAL` after [`Database::sync`] or a checkpoint.
    pub(crate) synchronous: &'static str,
    /// Its schema, step by step; the first takes it from nothing to version 1.
    pub(crate) steps: &'static [&'static str],
}

/// An open database file: one connection that writes, several that read.
pub(crate) struct Database {
    path: PathBuf,
    schema: Schema,
    writer: Mutex<Connection>,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens and migrates it; makes it where it isn't there. The caller holds the [`DirLock`].
    pub(crate) fn open(dir: &Path, schema: Schema) -> Result<Self, StoreError> {
        let path = dir.join(schema.file);
        let mut writer = connect(&path, schema, false)?;
        migrate(&mut writer, &path, schema)?;
        Ok(Self {
            path,
            schema,
            writer: Mutex::new(writer),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Runs `work` on one consistent view of the data.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = lock(&self.idle).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, self.schema, true)?,
        };
        let result = connection
            .transaction()
            .map_err(StoreError::from)
            .and_then(|transaction| work(&transaction));
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        result
    }

    /// Runs `work` with the write lock held over all processes; commits where it succeeds.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Waits until all that was committed before is on the disk; others write meanwhile.
    ///
    /// That is the write-ahead log's to do. What is no longer in there was folded into the database,
    /// and SQLite has synced that before it begins the log anew. Opening and closing the log by
    /// hand drops no lock: SQLite's are on the other two files.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let log = PathBuf::from(log);
        File::open(&log)
            .and_then(|file| disk::sync_file(&file))
            .map_err(|source| at(&log, source))
    }
}

#[cfg(test)]
impl Database {
    /// Keeps everything in the write-ahead log.
    pub(crate) fn never_fold(&self) -> Result<(), StoreError> {
        let writer = lock(&self.writer);
        Ok(writer.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?)
    }
}

/// Held while the databases are made or migrated, so that one process does it.
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Makes the directory where it isn't there, for its owner only, and waits for the lock. One that
    /// is there stays as it is: it may be meant for more than this.
    pub(crate) fn take(dir: &Path) -> Result<Self, StoreError> {
        let io = |source| at(dir, source);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(io)?;
        let mode = fs::metadata(dir).map_err(io)?.permissions().mode();
        if mode & 0o002 != 0 {
            return Err(StoreError::OpenToAll(dir.to_owned()));
        }
        // A group that can write there is meant to: the processes are its members.
        let group_only_looks = mode & 0o020 == 0 && mode & 0o050 != 0;
        if mode & 0o007 != 0 || group_only_looks {
            // The files are kept from them; their names aren't.
            tracing::warn!(
                "others than its owner can look into {}: chmod 700 it if it is for this alone",
                dir.display()
            );
        }
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false);
        let file = rights::open(options, &dir.join("store.lock")).map_err(io)?;
        file.lock().map_err(io)?;
        Ok(Self { _file: file })
    }

    /// Brings the names of new files to the disk.
    pub(crate) fn sync(&self, dir: &Path) -> Result<(), StoreError> {
        disk::sync_dir(dir).map_err(|source| at(dir, source))
    }
}

/// A lock whose holder panicked protects nothing that is half done: SQLite rolled back.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn at(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        source,
    }
}

fn connect(path: &Path, schema: Schema, read_only: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // By name: opening and closing the file would drop the locks that other connections of this
    // process hold (POSIX). Before the first write, since -wal and -shm get the same rights.
    rights::settle_file(path).map_err(|source| at(path, source))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", schema.synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_LEFT_BYTES, |_| Ok(()))?;
    if read_only {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path, schema: Schema) -> Result<(), StoreError> {
    let known = i64::try_from(schema.steps.len()).unwrap_or(i64::MAX);
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Some(step) = usize::try_from(found)
            .ok()
            .and_then(|done| schema.steps.get(done))
        else {
            return if found == known {
                Ok(())
            } else {
                Err(StoreError::NewerSchema {
                    file: path.to_owned(),
                    found,
                    known,
                })
            };
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
        tracing::info!(file = %path.display(), version = found + 1, "database migrated");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Schema = Schema {
        file: "test.db",
        synchronous: "FULL",
        steps: &["CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)"],
    };
    const TWO: Schema = Schema {
        steps: &[ONE.steps[0], "ALTER TABLE a ADD COLUMN y TEXT"],
        ..ONE
    };
    const BROKEN: Schema = Schema {
        steps: &[ONE.steps[0], "DELETE FROM a; nonsense"],
        ..ONE
    };

    fn rows(database: &Database) -> i64 {
        database
            .read(|tx| Ok(tx.query_row("SELECT count(*) FROM a", [], |row| row.get(0))?))
            .unwrap()
    }

    #[test]
    fn an_older_schema_is_brought_up_step_by_step() {
        let dir = tempfile::tempdir().unwrap();
        Database::open(dir.path(), ONE).unwrap();
        let database = Database::open(dir.path(), TWO).unwrap();
        assert_eq!(rows(&database), 1);
        database
            .write(|tx| tx.execute("INSERT INTO a VALUES (2, 'y')", []))
            .unwrap();
        assert_eq!(rows(&database), 2);
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        Database::open(dir.path(), TWO).unwrap();
        let refused = Database::open(dir.path(), ONE).err().unwrap();
        assert!(
            matches!(
                refused,
                StoreError::NewerSchema {
                    found: 2,
                    known: 1,
                    ..
                }
            ),
            "{refused}"
        );
        assert!(refused.to_string().contains("install the newer software"));
        assert_eq!(rows(&Database::open(dir.path(), TWO).unwrap()), 1);
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        Database::open(dir.path(), ONE).unwrap();
        assert!(Database::open(dir.path(), BROKEN).is_err());
        assert_eq!(rows(&Database::open(dir.path(), ONE).unwrap()), 1);
    }

    #[test]
    fn a_file_that_is_no_database_is_named_damaged() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("test.db"), [0x55; 8192]).unwrap();
        assert!(matches!(
            Database::open(dir.path(), ONE),
            Err(StoreError::Damaged(_))
        ));
    }

    #[test]
    fn a_reader_can_not_write() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(dir.path(), ONE).unwrap();
        let written = database.read(|tx| Ok(tx.execute("DELETE FROM a", [])?));
        assert!(written.is_err());
        assert_eq!(rows(&database), 1);
    }
}

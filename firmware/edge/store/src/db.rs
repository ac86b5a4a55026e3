//! One SQLite file: how it is opened, migrated and shared between threads.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{StoreError, copies, disk, rights};

/// Longer than any transaction of the other process takes, fsync on a slow card included.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Read connections kept open: more at once are rare, and opening one takes well under a millisecond.
const IDLE_READERS: usize = 4;
/// What is left of the write-ahead log after a checkpoint, in bytes.
const WAL_LEFT_BYTES: i64 = 4 * 1024 * 1024;
/// Pages of a file that is rewritten at the start: 64 MiB.
const REWRITTEN_PAGES: i64 = 16 * 1024;
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
    /// A query of a number that is another after each change that counts, in every schema.
    pub(crate) revision: &'static str,
    /// Where the file can be done without: a query that finds the damage which would keep rows from
    /// being appended. A damaged file is set aside then, and a new one takes its place.
    pub(crate) expendable: Option<&'static str>,
}

/// An open database file: one connection that writes, several that read.
pub(crate) struct Database {
    path: PathBuf,
    schema: Schema,
    writer: Mutex<Open>,
    idle: Mutex<Vec<Open>>,
}

/// A connection, and the file it has open: where that was set aside, another has its name.
struct Open {
    connection: Connection,
    file: Option<FileId>,
}

/// Device and inode.
type FileId = (u64, u64);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Make,
    Write,
    Read,
}

impl Database {
    /// Opens and migrates it; makes it where it isn't there. The caller holds the [`DirLock`].
    pub(crate) fn open(dir: &Path, schema: Schema) -> Result<Self, StoreError> {
        let path = dir.join(schema.file);
        let writer = match make(&path, schema) {
            Err(StoreError::Damaged(why)) if schema.expendable.is_some() => {
                set_aside(&path, &why)?;
                make(&path, schema)?
            }
            Err(StoreError::NewerSchema { found, known, .. })
                if copies::fall_back(&path, found, known)? =>
            {
                make(&path, schema)?
            }
            Err(StoreError::NewerSchema { found, .. })
                if schema.expendable.is_some() && copies::set_newer_aside(&path, found)? =>
            {
                make(&path, schema)?
            }
            done => done?,
        };
        Ok(Self {
            path,
            schema,
            writer: Mutex::new(writer),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Sets a file aside that was found damaged, unless that was done already, and goes on with a new
    /// one; so does whoever else has it open. The caller holds the [`DirLock`].
    pub(crate) fn renew(&self, why: &str) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        if self.is_current(&writer) {
            set_aside(&self.path, why)?;
        }
        *writer = make(&self.path, self.schema)?;
        Ok(())
    }

    /// Runs `work` on one consistent view of the data.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = lock(&self.idle).pop();
        let mut open = match idle {
            Some(open) if self.is_current(&open) => open,
            _ => connect(&self.path, self.schema, Use::Read)?,
        };
        let result = open
            .connection
            .transaction()
            .map_err(StoreError::from)
            .and_then(|transaction| work(&transaction));
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_READERS {
            idle.push(open);
        }
        result
    }

    /// Runs `work` with the write lock held over all processes; commits where it succeeds.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        if !self.is_current(&writer)
            && let Ok(new) = connect(&self.path, self.schema, Use::Write)
        {
            *writer = new;
        }
        let transaction = writer
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Gives the room of what was removed back to the disk, as far as nobody is in the way.
    pub(crate) fn shrink(&self) -> Result<(), StoreError> {
        loop {
            let connection = &lock(&self.writer).connection;
            let mut piece = connection.prepare_cached("PRAGMA incremental_vacuum(1000)")?;
            let mut pages = piece.query([])?;
            while pages.next()?.is_some() {}
            let free: i64 =
                connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
            let kind: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
            if free == 0 || kind == 0 {
                let folded =
                    connection
                        .pragma_update_and_check(None, "wal_checkpoint", "PASSIVE", |_| Ok(()));
                return Ok(folded?);
            }
        }
    }

    /// False where the file was set aside.
    fn is_current(&self, open: &Open) -> bool {
        self.schema.expendable.is_none() || file_id(&self.path) == open.file
    }

    /// Waits until all that was committed before is on the disk; others write meanwhile.
    ///
    /// That is the write-ahead log's to do. What is no longer in there was folded into the database,
    /// and SQLite has synced that before it begins the log anew. Opening and closing the log by
    /// hand drops no lock: SQLite's are on the other two files.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let log = beside(&self.path, "-wal");
        File::open(&log)
            .and_then(|file| disk::sync_file(&file))
            .map_err(|source| at(&log, source))
    }
}

#[cfg(test)]
impl Database {
    /// Brings everything from the write-ahead log into the file, and has nothing in memory.
    pub(crate) fn fold(&self) {
        let writer = lock(&self.writer);
        let checkpoint = "wal_checkpoint";
        let done = writer
            .connection
            .pragma_update_and_check(None, checkpoint, "TRUNCATE", |_| Ok(()));
        done.unwrap();
        let shrink = "PRAGMA shrink_memory";
        writer.connection.execute_batch(shrink).unwrap();
    }

    /// Keeps everything in the write-ahead log.
    pub(crate) fn never_fold(&self) -> Result<(), StoreError> {
        let writer = lock(&self.writer);
        Ok(writer
            .connection
            .pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?)
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

fn make(path: &Path, schema: Schema) -> Result<Open, StoreError> {
    let mut open = connect(path, schema, Use::Make)?;
    let known = i64::try_from(schema.steps.len()).unwrap_or(i64::MAX);
    let found = version(&open.connection)?;
    if 0 < found && found < known {
        drop(open);
        copies::come_back(path, found, known, schema.revision)?;
        open = connect(path, schema, Use::Make)?;
        keep_copy(&open.connection, path, schema)?;
    }
    migrate(&mut open.connection, path, schema)?;
    if let Some(probe) = schema.expendable {
        open.connection.query_row(probe, [], |_| Ok(()))?;
        make_shrinkable(&open.connection)?;
    }
    Ok(open)
}

/// For older software, where the next step is a migration. What can be done without is not worth a long
/// wait or the last room on the disk.
fn keep_copy(connection: &Connection, path: &Path, schema: Schema) -> Result<(), StoreError> {
    let found = version(connection)?;
    if usize::try_from(found).is_ok_and(|found| found >= schema.steps.len()) {
        return Ok(());
    }
    if schema.expendable.is_none() {
        return copies::keep(connection, path, found);
    }
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages <= REWRITTEN_PAGES {
        match copies::keep(connection, path, found) {
            Ok(()) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "older software will not find {}", path.display());
            }
        }
    }
    copies::forget(path, found)
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Rewrites a file of before it could be made smaller, where that takes a second or two and nobody is in
/// the way.
fn make_shrinkable(connection: &Connection) -> Result<(), StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("auto_vacuum")? == 0 && number("page_count")? <= REWRITTEN_PAGES {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        if let Err(error) = connection.execute_batch("VACUUM") {
            tracing::info!(%error, "a database can't be rewritten now");
        }
    }
    Ok(())
}

/// Gives a file and what belongs to it other names, in place of the last that was set aside.
fn set_aside(path: &Path, why: &str) -> Result<(), StoreError> {
    let aside = beside(path, ".damaged");
    tracing::error!(
        "{} is damaged ({why}): it is set aside as {}, and a new one begins",
        path.display(),
        aside.display()
    );
    // The file itself goes last: killed in between, the next start finds it damaged again.
    for part in ["-wal", "-shm", ""] {
        let (from, to) = (beside(path, part), beside(&aside, part));
        for done in [fs::remove_file(&to), fs::rename(&from, &to)] {
            match done {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(at(&from, error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn file_id(path: &Path) -> Option<FileId> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn connect(path: &Path, schema: Schema, purpose: Use) -> Result<Open, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, purpose == Use::Make);
    // Asked before: where the file is set aside meanwhile, its connection is known to be stale.
    let file = file_id(path);
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // By name: opening and closing the file would drop the locks that other connections of this
    // process hold (POSIX). Before the first write, since -wal and -shm get the same rights; those
    // that are left of the last time have theirs.
    for part in ["", "-wal", "-shm"] {
        let part = beside(path, part);
        match rights::settle_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&part, error)),
            _ => {}
        }
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The last connection to a file removes its write-ahead log, by name: of one that was set aside
    // that is the log of the file in its place.
    let expendable = schema.expendable.is_some();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, expendable)?;
    if expendable {
        // It grows with the traffic, and is made smaller again. Of an older file this changes nothing.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", schema.synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_LEFT_BYTES, |_| Ok(()))?;
    if purpose == Use::Read {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(Open {
        connection,
        file: file.or_else(|| file_id(path)),
    })
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
mod downgrade;

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Schema = Schema {
        file: "test.db",
        synchronous: "FULL",
        steps: &["CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)"],
        revision: "SELECT count(*) FROM a",
        expendable: None,
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
    fn a_newer_schema_without_a_copy_is_refused_and_left_alone() {
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
    fn what_can_be_done_without_is_set_aside_under_whoever_has_it_open() {
        let dir = tempfile::tempdir().unwrap();
        let schema = Schema {
            expendable: Some("SELECT max(x) FROM a"),
            ..ONE
        };
        let database = Database::open(dir.path(), schema).unwrap();
        let other = Database::open(dir.path(), schema).unwrap();
        let add = |to: &Database| to.write(|tx| tx.execute("INSERT INTO a VALUES (2)", []));
        add(&database).unwrap();
        assert_eq!((rows(&database), rows(&other)), (2, 2));
        database.renew("as told").unwrap();
        // Whoever comes second finds it done.
        other.renew("as told").unwrap();
        assert_eq!((rows(&database), rows(&other)), (1, 1));
        add(&database).unwrap();
        add(&other).unwrap();
        assert_eq!((rows(&database), rows(&other)), (3, 3));
        drop((database, other));
        let again = Database::open(dir.path(), schema).unwrap();
        assert_eq!(rows(&again), 3);
        let aside = Schema {
            file: "test.db.damaged",
            ..schema
        };
        assert_eq!(rows(&Database::open(dir.path(), aside).unwrap()), 2);
    }

    #[test]
    fn what_is_removed_gives_its_room_back_in_an_older_file_too() {
        let shrinkable = Schema {
            expendable: Some("SELECT max(x) FROM a"),
            ..ONE
        };
        for older in [ONE, shrinkable] {
            let dir = tempfile::tempdir().unwrap();
            drop(Database::open(dir.path(), older).unwrap());
            let database = Database::open(dir.path(), shrinkable).unwrap();
            let length = || fs::metadata(dir.path().join("test.db")).unwrap().len();
            let many =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
                        INSERT INTO a SELECT i FROM n";
            database.write(|tx| tx.execute(many, [])).unwrap();
            database.fold();
            assert!(length() > 1_000_000);
            database
                .write(|tx| tx.execute("DELETE FROM a", []))
                .unwrap();
            database.shrink().unwrap();
            assert!(length() < 100_000, "{}", length());
        }
    }

    #[test]
    fn a_connection_left_over_goes_on_with_the_file_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let schema = Schema {
            expendable: Some("SELECT max(x) FROM a"),
            ..ONE
        };
        let database = Database::open(dir.path(), schema).unwrap();
        let other = Database::open(dir.path(), schema).unwrap();
        assert_eq!((rows(&database), rows(&other)), (1, 1));
        database.renew("as told").unwrap();
        let add = |to: &Database| to.write(|tx| tx.execute("INSERT INTO a VALUES (2)", []));
        add(&database).unwrap();
        add(&other).unwrap();
        drop(other);
        assert_eq!(rows(&database), 3);
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

//! What another version of the software finds: a copy of before a migration, and what newer software
//! left.
//!
//! A new system that does not prove itself gives way to the old one, which doesn't know the schema of
//! the new. So a file is copied before it is migrated, and whoever finds one of a newer schema goes on
//! with the copy of a schema that it knows:
//!
//! ```text
//!   x.db            what is in use
//!   x.db.schema-3   as it was before the migration from schema 3, for software that knows no newer one
//!   x.db.newer-4    what newer software left, set aside by the older: for the next upgrade
//!   x.db.older-3    what the older software did with the copy, where the newer file came back
//! ```
//!
//! At the next upgrade the newer file comes back, unless something was changed under the older software:
//! then that goes on, and the newer file stays as `x.db.newer-4.superseded`. Each is one file at most of
//! each schema.
//!
//! A power cut between two steps leaves a file in use that is whole, and the steps are begun anew.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::{StoreError, disk, rights};

/// The file is as it was before its migration from this schema.
const BEFORE: &str = ".schema-";
/// Newer software left it.
const NEWER: &str = ".newer-";
/// Older software left it.
const OLDER: &str = ".older-";

/// Keeps a copy of a file that is about to be migrated from `schema`.
pub(crate) fn keep(connection: &Connection, path: &Path, schema: i64) -> Result<(), StoreError> {
    let copy = named(path, BEFORE, schema);
    let unfinished = unfinished(path);
    remove(&unfinished)?;
    let name = unfinished.to_string_lossy();
    connection.execute("VACUUM INTO ?1", [name.as_ref()])?;
    settle(&unfinished, &copy)?;
    tracing::info!("{} is as the older software knows it", copy.display());
    Ok(())
}

/// Removes the copy of an earlier migration from `schema`: where none is made now, the older software would
/// find one of long ago.
pub(crate) fn forget(path: &Path, schema: i64) -> Result<(), StoreError> {
    remove(&named(path, BEFORE, schema))
}

/// Puts the newest copy that this software knows in the place of a file of the newer schema `found`,
/// which is set aside; false where there is no copy, or the newer software has the file open.
pub(crate) fn fall_back(path: &Path, found: i64, known: i64) -> Result<bool, StoreError> {
    let Some((schema, copy)) = newest(path, BEFORE, 1..=known)? else {
        return Ok(false);
    };
    if !fold(path)? {
        return Ok(false);
    }
    let aside = named(path, NEWER, found);
    link(path, &aside)?;
    let unfinished = unfinished(path);
    remove(&unfinished)?;
    fs::copy(&copy, &unfinished).map_err(at(&copy))?;
    settle(&unfinished, path)?;
    tracing::error!(
        "{} was written by newer software (schema {found}): this software goes on with it as it was \
         before that upgrade (schema {schema}). What was changed since is kept as {}, for the next \
         upgrade",
        path.display(),
        aside.display()
    );
    Ok(true)
}

/// Sets a file of the newer schema `found` aside that can be done without; false where the newer
/// software has it open.
pub(crate) fn set_newer_aside(path: &Path, found: i64) -> Result<bool, StoreError> {
    if !fold(path)? {
        return Ok(false);
    }
    let aside = named(path, NEWER, found);
    fs::rename(path, &aside).map_err(at(path))?;
    tracing::error!(
        "{} was written by newer software (schema {found}): it is kept as {}, for the next upgrade, and \
         a new one begins",
        path.display(),
        aside.display()
    );
    Ok(true)
}

/// Brings a file back that newer software left, in place of one of schema `found` in which nothing was
/// changed since, as `revision` tells; true where it did. False also where older software has it open.
pub(crate) fn come_back(
    path: &Path,
    found: i64,
    known: i64,
    revision: &str,
) -> Result<bool, StoreError> {
    let Some((schema, newer)) = newest(path, NEWER, found + 1..=known)? else {
        return Ok(false);
    };
    if !fold(path)? {
        return Ok(false);
    }
    let of = |file: &Path| -> Result<i64, StoreError> {
        let connection = Connection::open(file)?;
        Ok(connection.query_row(revision, [], |row| row.get(0))?)
    };
    let copy = named(path, BEFORE, found);
    // Where there was no copy it began empty.
    let before = if copy.exists() { of(&copy)? } else { 0 };
    if of(path)? != before {
        tracing::error!(
            "{} was changed by older software after an upgrade: it goes on with these changes. What the \
             newer software left (schema {schema}) stays as {}",
            path.display(),
            newer.display()
        );
        // Once is enough.
        let said = newer.with_added_extension("superseded");
        fs::rename(&newer, &said).map_err(at(&newer))?;
        return Ok(false);
    }
    link(path, &named(path, OLDER, found))?;
    fs::rename(&newer, path).map_err(at(&newer))?;
    sync_folder(path)?;
    tracing::warn!(
        "{} is again as newer software left it (schema {schema})",
        path.display()
    );
    Ok(true)
}

/// Brings all of a file into the file itself: a log beside it would be taken for its successor's. False
/// where somebody else has it open: whoever closes it last removes the log.
fn fold(path: &Path) -> Result<bool, StoreError> {
    let connection = Connection::open(path)?;
    let fold = "wal_checkpoint";
    connection.pragma_update_and_check(None, fold, "TRUNCATE", |_| Ok(()))?;
    drop(connection);
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Ok(!Path::new(&log).exists())
}

/// The file of the newest of these schemas.
fn newest(
    path: &Path,
    kind: &str,
    schemas: core::ops::RangeInclusive<i64>,
) -> Result<Option<(i64, PathBuf)>, StoreError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let start = format!("{}{kind}", name.to_string_lossy());
    let mut best = None;
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let name = entry.file_name();
        let schema = name
            .to_str()
            .and_then(|name| name.strip_prefix(&start)?.parse().ok());
        if let Some(schema) = schema.filter(|schema| schemas.contains(schema)) {
            best = best.max(Some((schema, entry.path())));
        }
    }
    Ok(best)
}

fn named(path: &Path, kind: &str, schema: i64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{kind}{schema}"));
    PathBuf::from(name)
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    PathBuf::from(name)
}

/// Gives a file a second name, in place of the file that had it.
fn link(path: &Path, name: &Path) -> Result<(), StoreError> {
    remove(name)?;
    fs::hard_link(path, name).map_err(at(name))?;
    sync_folder(name)
}

/// Gives a new file its rights and its name, once it is on the disk.
fn settle(unfinished: &Path, name: &Path) -> Result<(), StoreError> {
    rights::settle_file(unfinished).map_err(at(unfinished))?;
    File::open(unfinished)
        .and_then(|file| disk::sync_file(&file))
        .map_err(at(unfinished))?;
    fs::rename(unfinished, name).map_err(at(name))?;
    sync_folder(name)
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    disk::sync_dir(folder).map_err(at(folder))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull => StoreError::DiskFull,
        _ => StoreError::Io { path, source },
    }
}

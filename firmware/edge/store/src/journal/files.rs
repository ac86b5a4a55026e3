//! The files of the journal: which there are, which count, and how a snapshot takes their place.
//!
//! `N.log` holds what was appended in generation N; `N.snapshot` what everything before it amounts
//! to. A journal is its newest whole snapshot and the logs from there on. A snapshot gets its name
//! only when it is on the disk, and older files go only after that: at any moment between, the
//! files tell the same.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::CallId;

use super::JournalError;
use super::frame::{self, Entry, Frames, HEADER, Header};
use super::state::State;
use crate::{disk, rights};

/// Bytes handed to the kernel at once when a snapshot is written.
const SNAPSHOT_BUFFER: usize = 256 * 1024;

/// What the files of a directory amount to.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub(super) state: State,
    /// The generation to append to.
    pub(super) generation: u64,
    /// How much of its log is whole; none where there is no such log.
    pub(super) length: Option<u64>,
    /// Bytes of all logs and the snapshot that weren't.
    pub(super) torn_bytes: u64,
    /// Whole records that aren't understood.
    pub(super) unknown: u64,
}

/// Makes the directory and takes its lock.
pub(super) fn prepare(dir: &Path) -> Result<File, JournalError> {
    let failed = |source| io_error(dir, source);
    rights::folder(dir).map_err(failed)?;
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    let lock = rights::open(options, &dir.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(JournalError::InUse(dir.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Reads what there is.
pub(super) fn replay(dir: &Path) -> Result<Replay, JournalError> {
    let files = list(dir).map_err(|source| io_error(dir, source))?;
    let mut replay = Replay::default();
    // The newest snapshot that is whole. One that isn't counts only where nothing better is left.
    let mut start = 0;
    for &generation in files.snapshots.iter().rev() {
        let path = snapshot_path(dir, generation);
        let mut attempt = Replay::default();
        let whole = attempt.read(&path)?.1;
        if whole || start == 0 {
            replay = attempt;
            start = generation;
        }
        if whole {
            break;
        }
    }
    replay.generation = start;
    for &generation in files.logs.iter().filter(|generation| **generation >= start) {
        let (length, _) = replay.read(&log_path(dir, generation))?;
        replay.generation = generation;
        replay.length = Some(length);
    }
    Ok(replay)
}

impl Replay {
    /// Takes in a file; returns how much of it is whole, and whether it says that it ends there.
    fn read(&mut self, path: &Path) -> Result<(u64, bool), JournalError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            // Ours to read, but for the rights of it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(io_error(path, error));
            }
            // Phones register anew; an exchange that doesn't start is no exchange.
            Err(error) => {
                tracing::error!(
                    "{} can't be read ({error}): it is set aside",
                    path.display()
                );
                return set_aside(path, "unreadable");
            }
        };
        match frame::header(&bytes) {
            Header::Good => {}
            Header::Newer => {
                tracing::error!(
                    "{} was written by newer software: it is set aside, and phones register anew",
                    path.display()
                );
                return set_aside(path, "newer");
            }
            Header::Torn => {
                self.torn_bytes += bytes.len() as u64;
                return Ok((0, false));
            }
        }
        let mut frames = Frames::new(&bytes);
        let mut ended = false;
        for (bytes, entry) in frames.by_ref() {
            ended = matches!(entry, Entry::End);
            if !self.state.replay(bytes, &entry) {
                self.unknown += 1;
            }
        }
        let whole = frames.at as u64;
        self.torn_bytes += bytes.len() as u64 - whole;
        Ok((whole, ended && whole == bytes.len() as u64))
    }
}

/// Gives a file another name; nothing of it counts.
fn set_aside(path: &Path, why: &str) -> Result<(u64, bool), JournalError> {
    fs::rename(path, path.with_added_extension(why)).map_err(|source| io_error(path, source))?;
    Ok((0, false))
}

/// Opens the log of a generation to append to it, cut to what is whole; makes it where there is none.
/// Its length is zero where the disk refuses even the header.
pub(super) fn open_log(dir: &Path, generation: u64, whole: u64) -> io::Result<(File, u64)> {
    let mut file = rights::open(
        OpenOptions::new().append(true).create(true),
        &log_path(dir, generation),
    )?;
    file.set_len(whole)?;
    if whole > 0 {
        return Ok((file, whole));
    }
    match file.write_all(HEADER) {
        Ok(()) => Ok((file, HEADER.len() as u64)),
        Err(error) => {
            tracing::warn!(%error, "the live journal can't begin a new file");
            file.set_len(0)?;
            Ok((file, 0))
        }
    }
}

/// Writes the snapshot that a generation begins with, then removes what it replaces.
pub(super) fn write_snapshot(
    dir: &Path,
    generation: u64,
    frames: &[Arc<[u8]>],
    last_call: Option<CallId>,
) -> io::Result<()> {
    let temporary = dir.join(format!("{generation:016x}.tmp"));
    if let Err(error) = write_frames(&temporary, frames, last_call) {
        // What there is of it only takes the room that was missing.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    fs::rename(&temporary, snapshot_path(dir, generation))?;
    disk::sync_dir(dir)?;
    remove_older(dir, generation)
}

/// Writes a snapshot and waits until it is on the disk.
fn write_frames(path: &Path, frames: &[Arc<[u8]>], last_call: Option<CallId>) -> io::Result<()> {
    let file = rights::open(
        OpenOptions::new().write(true).create(true).truncate(true),
        path,
    )?;
    let mut writer = io::BufWriter::with_capacity(SNAPSHOT_BUFFER, file);
    writer.write_all(HEADER)?;
    for frame in frames {
        writer.write_all(frame)?;
    }
    let mut end = Vec::new();
    if let Some(call) = last_call {
        frame::put_last_call(&mut end, call)?;
    }
    frame::put_end(&mut end)?;
    writer.write_all(&end)?;
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    disk::sync_file(&file)
}

/// Removes files that a snapshot of this generation replaces, and snapshots that were given up.
fn remove_older(dir: &Path, generation: u64) -> io::Result<()> {
    let files = list(dir)?;
    let older = |list: &[u64]| -> Vec<u64> {
        let older = list.iter().filter(|other| **other < generation);
        older.copied().collect()
    };
    for old in older(&files.logs) {
        fs::remove_file(log_path(dir, old))?;
    }
    for old in older(&files.snapshots) {
        fs::remove_file(snapshot_path(dir, old))?;
    }
    Ok(())
}

/// Removes snapshots that a kill left unfinished.
pub(super) fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for path in list(dir)?.unfinished {
        fs::remove_file(path)?;
    }
    Ok(())
}

pub(super) fn io_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        path: path.to_owned(),
        source,
    }
}

#[derive(Default)]
struct Files {
    logs: Vec<u64>,
    snapshots: Vec<u64>,
    unfinished: Vec<PathBuf>,
}

fn list(dir: &Path) -> io::Result<Files> {
    let mut files = Files::default();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let generation = stem.and_then(|stem| u64::from_str_radix(stem, 16).ok());
        let extension = path.extension().and_then(|extension| extension.to_str());
        match (generation, extension) {
            (Some(generation), Some("log")) if path == log_path(dir, generation) => {
                files.logs.push(generation);
            }
            (Some(generation), Some("snapshot")) if path == snapshot_path(dir, generation) => {
                files.snapshots.push(generation);
            }
            (Some(_), Some("tmp")) => files.unfinished.push(path),
            // The lock, and what isn't ours.
            _ => {}
        }
    }
    files.logs.sort_unstable();
    files.snapshots.sort_unstable();
    Ok(files)
}

fn log_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("{generation:016x}.log"))
}

fn snapshot_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("{generation:016x}.snapshot"))
}

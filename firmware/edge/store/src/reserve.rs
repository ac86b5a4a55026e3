//! Room put by for the moment when the disk is full: without any, nobody could log in and remove what
//! fills it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Store, StoreError, disk, rights};

impl Store {
    /// What the reserve takes: thousands of changes, and the removal of many calls.
    pub const RESERVE_BYTES: u64 = 16 * 1024 * 1024;

    /// Puts room by, unless it is there. To be called where the disk has several times as much.
    ///
    /// # Errors
    /// Where the disk refuses; nothing was taken then.
    pub fn reserve(&self) -> Result<(), StoreError> {
        let dir = &self.inner.dir;
        if path(dir).exists() {
            return Ok(());
        }
        let new = dir.join("reserve.new");
        let made = write(&new).and_then(|()| fs::rename(&new, path(dir)));
        made.map_err(|source| {
            let _ = fs::remove_file(&new);
            StoreError::Io { path: new, source }
        })
    }

    /// Frees that room, for whoever makes more; true where there was some.
    #[must_use]
    pub fn release_reserve(&self) -> bool {
        release(&self.inner.dir)
    }
}

/// Frees the room put by in a data folder; true where there was some.
pub(crate) fn release(dir: &Path) -> bool {
    let released = fs::remove_file(path(dir)).is_ok();
    if released {
        tracing::warn!("the disk is full: what was put by is used now");
    }
    released
}

fn write(path: &Path) -> io::Result<()> {
    static PIECE: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut options = OpenOptions::new();
    let mut file: File = rights::open(options.write(true).create(true).truncate(true), path)?;
    for _ in 0..Store::RESERVE_BYTES / PIECE.len() as u64 {
        file.write_all(&PIECE)?;
    }
    disk::sync_file(&file)
}

fn path(dir: &Path) -> PathBuf {
    dir.join("reserve")
}

//! Where the store waits for the disk by itself. (SQLite does so too, in its own way.)
//!
//! It is one place so that a test can see what a power cut would leave: see `tests::Disk`.

use std::fs::File;
use std::io;
use std::path::Path;

/// Waits until what was written to an open file is on the disk.
pub(crate) fn sync_file(file: &File) -> io::Result<()> {
    #[cfg(test)]
    let seen = tests::Seen::file(file);
    file.sync_data()?;
    #[cfg(test)]
    seen.came_to_the_disk();
    Ok(())
}

/// Waits until the names in a directory are on the disk.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    #[cfg(test)]
    let seen = tests::Seen::dir(path);
    File::open(path)?.sync_all()?;
    #[cfg(test)]
    seen.came_to_the_disk();
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;

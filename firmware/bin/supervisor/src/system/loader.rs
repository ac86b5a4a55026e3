//! The boot loader's memory, on a partition of its own.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use platform::slots::{self, Environment, LOADER_FOLDER};
use tracing::warn;

/// Where the boot loader remembers.
pub struct Loader {
    /// None where its files are there already.
    device: Option<PathBuf>,
    folder: PathBuf,
}

impl Loader {
    /// On a partition. It is mounted for as long as it takes, and no longer: most of the time nothing
    /// can harm it.
    pub fn on(device: &Path) -> Self {
        Self {
            device: Some(device.to_owned()),
            folder: OsStr::from_bytes(LOADER_FOLDER.to_bytes()).into(),
        }
    }

    /// In a folder.
    #[cfg(test)]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            device: None,
            folder: folder.to_owned(),
        }
    }

    /// What it remembers. Its partition is not written for that.
    pub fn read(&self) -> io::Result<Environment> {
        self.mounted(MsFlags::MS_RDONLY, slots::read)
    }

    /// Makes it remember this.
    pub fn write(&self, environment: &Environment) -> io::Result<()> {
        self.mounted(MsFlags::MS_SYNCHRONOUS, |path| {
            slots::write(path, environment)
        })
    }

    fn mounted<T>(&self, how: MsFlags, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
        let path = self.folder.join("grub/grubenv");
        let Some(device) = &self.device else {
            return work(&path);
        };
        fs::create_dir_all(&self.folder)?;
        // What stayed, as of a process that was killed in between, would keep this one out.
        while umount2(&self.folder, MntFlags::MNT_DETACH).is_ok() {}
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(
            Some(device.as_path()),
            &self.folder,
            Some("vfat"),
            flags | how,
            None::<&str>,
        )?;
        let done = work(&path);
        if let Err(error) = umount2(&self.folder, MntFlags::empty()) {
            warn!(%error, "the boot loader's partition stays mounted until the next look");
        }
        done
    }
}

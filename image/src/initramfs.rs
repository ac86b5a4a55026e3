//! An initramfs: an archive in the "newc" form of cpio, which the kernel unpacks at its start.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

/// An archive under way.
pub struct Archive<W> {
    out: W,
    position: u64,
    inode: u32,
    folders: BTreeSet<String>,
}

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

impl<W: Write> Archive<W> {
    /// An empty one.
    pub fn new(out: W) -> Self {
        Self {
            out,
            position: 0,
            inode: 0,
            folders: BTreeSet::new(),
        }
    }

    /// Adds a folder, and those it is in.
    pub fn folder(&mut self, path: &str) -> io::Result<()> {
        let path = path.trim_matches('/');
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        for end in ends.collect::<Vec<_>>() {
            let folder = &path[..end];
            if !folder.is_empty() && self.folders.insert(folder.to_owned()) {
                self.entry(folder, FOLDER, &[])?;
            }
        }
        Ok(())
    }

    /// Adds a file that may be run, and the folders it is in.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = path.trim_matches('/');
        if let Some(folder) = Path::new(path).parent().and_then(Path::to_str) {
            self.folder(folder)?;
        }
        self.entry(path, PROGRAM, bytes)
    }

    /// Writes the end.
    pub fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, &[])?;
        self.pad(512)?;
        Ok(self.out)
    }

    fn entry(&mut self, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.inode += 1;
        let too_large = || io::Error::other(format!("{name} is too large for an initramfs"));
        let size = u32::try_from(bytes.len()).map_err(|_| too_large())?;
        let name_size = u32::try_from(name.len() + 1).map_err(|_| too_large())?;
        let links = if mode == FOLDER { 2 } else { 1 };
        let mut header = String::from("070701");
        // inode, mode, uid, gid, links, time, size, device, device of a device file, name, checksum
        for field in [
            self.inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0,
        ] {
            header.push_str(&format!("{field:08X}"));
        }
        self.write(header.as_bytes())?;
        self.write(name.as_bytes())?;
        self.write(&[0])?;
        self.pad(4)?;
        self.write(bytes)?;
        self.pad(4)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.position += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn pad(&mut self, to: u64) -> io::Result<()> {
        while !self.position.is_multiple_of(to) {
            self.write(&[0])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_what_cpio_reads() {
        let mut archive = Archive::new(Vec::new());
        archive.file("lib/modules/a.ko", b"module").expect("memory");
        archive.file("init", b"#!").expect("memory");
        let bytes = archive.finish().expect("memory");
        let text = String::from_utf8_lossy(&bytes);
        let names: Vec<_> = ["lib\0", "lib/modules\0", "lib/modules/a.ko\0", "init\0"]
            .iter()
            .map(|name| text.find(name).expect("is there"))
            .collect();
        assert!(names.is_sorted());
        assert_eq!(bytes.len() % 512, 0);
        assert!(text.starts_with("07070100000001000041ED"));
    }
}

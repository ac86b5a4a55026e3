//! The system in the slot that does not run: whether there is one that can be started, and its version.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// Where it is while it is looked at.
const PLACE: &str = "/run/other";

/// What a system can't start without.
const NEEDED: [&str; 2] = ["boot/vmlinuz", "sbin/init"];

/// The version of the system on a partition; an error where there is none.
pub fn version(partition: &Path) -> io::Result<String> {
    fs::create_dir_all(PLACE)?;
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(
        Some(partition),
        PLACE,
        Some("squashfs"),
        flags,
        None::<&str>,
    )?;
    let version = version_of(Path::new(PLACE));
    umount2(PLACE, MntFlags::MNT_DETACH)?;
    version
}

fn version_of(root: &Path) -> io::Result<String> {
    for name in NEEDED {
        fs::symlink_metadata(root.join(name))?;
    }
    let version = fs::read_to_string(root.join("etc/operator-box/version"))?;
    match version.trim() {
        "" => Err(io::Error::other("it does not say its version")),
        version => Ok(version.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_has_a_kernel_an_init_and_a_version() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        assert!(version_of(root.path()).is_err());
        write("etc/operator-box/version", "1.2.0\n");
        write("boot/vmlinuz", "");
        assert!(version_of(root.path()).is_err(), "without an init");
        write("sbin/init", "");
        assert_eq!(version_of(root.path()).expect("a system"), "1.2.0");
        write("etc/operator-box/version", "\n");
        assert!(version_of(root.path()).is_err(), "of no version");
    }
}

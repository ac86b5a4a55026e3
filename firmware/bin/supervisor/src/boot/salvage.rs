//! What is saved of data that can't be used: the machine's settings, the configuration and the certificate,
//! copied into memory, so that phones find their exchange where it was. Calls and messages of before stay
//! on the card.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;

use nix::fcntl::OFlag;
use tracing::{info, warn};

/// The configuration; what was written last is beside it. They are of use together only.
const CONFIGURATION: [&str; 2] = ["config.db", "config.db-wal"];

/// Folders of small files, and what of their rights only their owner may have: who may write in the first
/// gives root orders.
const FOLDERS: [(&str, u32); 2] = [("system", 0o022), ("tls", 0)];

/// What others asked of the data on the card is not asked of this.
const NOT_COPIED: [&str; 2] = ["factory-reset", "forget-admin-password"];

/// Most of it is the configuration, which has some MB. The memory for data is twice as large.
const MOST: u64 = 64 << 20;

/// Copies what there is and can be read; `owner` is root.
pub fn copy(card: &Path, memory: &Path, owner: u32) {
    let mut room = MOST;
    for (folder, forbidden) in FOLDERS {
        if let Err(error) = copy_folder(card, memory, folder, (owner, forbidden), &mut room) {
            warn!(folder, %error, "not saved from the card");
        }
    }
    let whole = CONFIGURATION.iter().try_for_each(|name| {
        match copy_file(&card.join(name), &memory.join(name), &mut room) {
            // Where all is in the database there is nothing beside it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    });
    match whole {
        Ok(()) => info!("settings and configuration are copied into memory"),
        Err(error) => {
            warn!(%error, "the configuration is not saved from the card");
            for name in CONFIGURATION {
                let _ = fs::remove_file(memory.join(name));
            }
        }
    }
}

fn copy_folder(
    card: &Path,
    memory: &Path,
    folder: &str,
    (owner, forbidden): (u32, u32),
    room: &mut u64,
) -> io::Result<()> {
    let (from, to) = (card.join(folder), memory.join(folder));
    let found = fs::symlink_metadata(&from)?;
    let is_foreign = forbidden != 0 && (found.uid() != owner || found.mode() & forbidden != 0);
    if !found.is_dir() || is_foreign {
        return Err(io::Error::other("it is not whose it should be"));
    }
    fs::create_dir(&to)?;
    for entry in fs::read_dir(&from)? {
        let name = entry?.file_name();
        if NOT_COPIED.iter().any(|other| name == *other) {
            continue;
        }
        if let Err(error) = copy_file(&from.join(&name), &to.join(&name), room) {
            let _ = fs::remove_file(to.join(&name));
            warn!(folder, ?name, %error, "not saved from the card");
        }
    }
    own(&found, &to)
}

fn copy_file(from: &Path, to: &Path, room: &mut u64) -> io::Result<()> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let source = File::options()
        .read(true)
        .custom_flags(flags.bits())
        .open(from)?;
    let found = source.metadata()?;
    if !found.is_file() || found.len() > *room {
        return Err(io::Error::other("it is no file, or too large"));
    }
    *room -= found.len();
    let mut octets = Vec::new();
    source.take(found.len()).read_to_end(&mut octets)?;
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to)?;
    copy.write_all(&octets)?;
    own(&found, to)
}

fn own(found: &fs::Metadata, path: &Path) -> io::Result<()> {
    chown(path, Some(found.uid()), Some(found.gid()))?;
    fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7777))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Bench(tempfile::TempDir);

    impl Bench {
        fn new() -> Self {
            let bench = Self(tempfile::tempdir().expect("a folder"));
            for folder in ["card/system", "card/tls", "card/voicemail", "memory"] {
                fs::create_dir_all(bench.path(folder)).expect("made");
            }
            for file in [
                "card/config.db",
                "card/config.db-wal",
                "card/history.db",
                "card/system/network.json",
                "card/system/factory-reset",
                "card/system/forget-admin-password",
                "card/tls/key.pem",
                "card/voicemail/1.wav",
            ] {
                fs::write(bench.path(file), file).expect("written");
            }
            bench
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().join(name)
        }

        fn copied(&self) -> Vec<String> {
            let owner = fs::metadata(self.0.path()).expect("there").uid();
            self.copied_for(owner)
        }

        fn copied_for(&self, owner: u32) -> Vec<String> {
            let memory = self.path("memory");
            let _ = fs::remove_dir_all(&memory);
            fs::create_dir(&memory).expect("made");
            copy(&self.path("card"), &memory, owner);
            let mut found = Vec::new();
            for folder in ["", "system", "tls"] {
                for entry in fs::read_dir(memory.join(folder)).into_iter().flatten() {
                    let path = entry.expect("an entry").path();
                    if path.is_file() {
                        let name = path.strip_prefix(&memory).expect("in it");
                        found.push(name.display().to_string());
                    }
                }
            }
            found.sort();
            found
        }
    }

    const ALL: [&str; 4] = [
        "config.db",
        "config.db-wal",
        "system/network.json",
        "tls/key.pem",
    ];

    #[test]
    fn settings_and_configuration_are_saved_with_their_rights_and_nothing_else() {
        let bench = Bench::new();
        let key = bench.path("card/tls/key.pem");
        fs::set_permissions(key, Permissions::from_mode(0o600)).expect("set");
        assert_eq!(bench.copied(), ALL);
        let key = fs::metadata(bench.path("memory/tls/key.pem")).expect("there");
        assert_eq!(key.mode() & 0o7777, 0o600);
        fs::remove_file(bench.path("card/config.db-wal")).expect("removed");
        assert_eq!(bench.copied()[..2], ["config.db", "system/network.json"]);
    }

    #[test]
    fn nothing_is_saved_that_somebody_else_may_have_put_there() {
        let bench = Bench::new();
        let owner = fs::metadata(bench.0.path()).expect("there").uid();
        let all_but_system = ["config.db", "config.db-wal", "tls/key.pem"];
        assert_eq!(bench.copied_for(owner + 1), all_but_system);
        let system = bench.path("card/system");
        fs::set_permissions(&system, Permissions::from_mode(0o2770)).expect("set");
        assert_eq!(bench.copied(), all_but_system);
        fs::set_permissions(&system, Permissions::from_mode(0o2750)).expect("set");
        // Links lead nowhere.
        fs::remove_file(bench.path("card/tls/key.pem")).expect("removed");
        symlink("/etc/passwd", bench.path("card/tls/key.pem")).expect("linked");
        assert_eq!(bench.copied(), &ALL[..3]);
    }

    #[test]
    fn half_a_configuration_is_none() {
        let bench = Bench::new();
        let log = File::create(bench.path("card/config.db-wal")).expect("a file");
        log.set_len(MOST).expect("no octets");
        assert_eq!(bench.copied(), ["system/network.json", "tls/key.pem"]);
    }
}

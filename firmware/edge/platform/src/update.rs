//! An update: one file with a system for a slot, and a signature that says who made it and for which
//! board.
//!
//! ```text
//!   "OBUPDATE1\n"
//!   length of the manifest   4 octets, big end first
//!   manifest                 JSON
//!   signature                64 octets: Ed25519 over everything before it
//!   system                   squashfs, as it is written to the slot
//! ```
//!
//! Nothing is written before signature, board, version and the system's hash are right. Whoever gave the
//! file may change it afterwards: what is written is hashed once more, and read back, before the slot gets
//! its first block, without which nobody finds a system in it.

mod key;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ed25519_dalek::{Signature, Signer, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use key::{InvalidKey, Origin, PrivateKey, PublicKey};

const MAGIC: &[u8; 10] = b"OBUPDATE1\n";
const SIGNATURE: usize = 64;

/// Far more than a manifest has.
const MAX_MANIFEST: u32 = 16 * 1024;

/// Bytes moved at once.
const BLOCK: usize = 1 << 20;

/// The first of a slot, written last: it holds what a squashfs is known by.
const FIRST: usize = 4096;

/// What an update says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The board it is for.
    pub board: String,
    /// The version of the system.
    pub version: String,
    /// How large the system is, in bytes.
    pub size: u64,
    /// SHA-256 of the system, in hexadecimal.
    pub sha256: String,
}

/// Why an update is not taken; in words for an administrator.
#[derive(Debug, Error)]
pub enum Refused {
    /// It is something else.
    #[error("this is not an update file: choose the file that ends in .update")]
    Form,
    /// It was cut off or changed on its way.
    #[error("the file is damaged or incomplete: fetch it again")]
    Damaged,
    /// It was signed by somebody else, or changed.
    #[error("the file is not signed by the maker of this system: fetch it again from the maker")]
    Signature,
    /// It is for other hardware.
    #[error("the file is for the board {found}, this is {board}: fetch the one for {board}")]
    Board {
        /// What it is for.
        found: String,
        /// What this is.
        board: String,
    },
    /// The settings of a newer system can't be read by an older one.
    #[error("the file has version {found}, which is older than {running}, the one that runs")]
    Older {
        /// What it has.
        found: String,
        /// What runs.
        running: String,
    },
    /// It doesn't fit.
    #[error("the system in the file needs {needed} bytes, a slot has {room}")]
    Size {
        /// What it needs.
        needed: u64,
        /// What there is.
        room: u64,
    },
    /// What was written is not what is read.
    #[error("the card does not keep what is written to it: replace it soon")]
    Card,
    /// The file or the card can't be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What an update has to fit.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose signature counts.
    pub key: PublicKey,
    /// The board this is.
    pub board: String,
    /// The version that runs.
    pub running: String,
    /// What a slot holds, in bytes.
    pub room: u64,
}

/// An update that has been found right.
#[derive(Debug)]
pub struct Checked {
    file: File,
    start: u64,
    manifest: Manifest,
}

/// Makes an update of a system.
///
/// # Errors
/// Where a file can't be read or written.
pub fn make(
    system: &Path,
    board: &str,
    version: &str,
    key: &PrivateKey,
    output: &Path,
) -> io::Result<Manifest> {
    let mut system = File::open(system)?;
    let (sha256, size) = hash(&mut system, u64::MAX, &mut |_| ())?;
    let manifest = Manifest {
        board: board.into(),
        version: version.into(),
        size,
        sha256,
    };
    let text = serde_json::to_vec(&manifest)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let mut head = MAGIC.to_vec();
    head.extend(length.to_be_bytes());
    head.extend(text);
    let signature = SigningKey::from(key).sign(&head);
    let mut output = File::create(output)?;
    output.write_all(&head)?;
    output.write_all(&signature.to_bytes())?;
    system.rewind()?;
    io::copy(&mut system, &mut output)?;
    output.sync_all()?;
    Ok(manifest)
}

/// Checks all of an update; `progress` hears of each part of the bytes read.
///
/// # Errors
/// Why it is not taken.
pub fn check(
    mut file: File,
    target: &Target,
    progress: &mut dyn FnMut(u8),
) -> Result<Checked, Refused> {
    let manifest = manifest(&mut file, &target.key)?;
    if manifest.board != target.board {
        return Err(Refused::Board {
            found: manifest.board,
            board: target.board.clone(),
        });
    }
    if order(&manifest.version) < order(&target.running) {
        return Err(Refused::Older {
            found: manifest.version,
            running: target.running.clone(),
        });
    }
    if manifest.size > target.room {
        return Err(Refused::Size {
            needed: manifest.size,
            room: target.room,
        });
    }
    let start = file.stream_position()?;
    let (sha256, size) = hash(
        &mut file,
        manifest.size,
        &mut per_cent(manifest.size, progress),
    )?;
    if size != manifest.size || sha256 != manifest.sha256 || file.read(&mut [0])? != 0 {
        return Err(Refused::Damaged);
    }
    Ok(Checked {
        file,
        start,
        manifest,
    })
}

fn manifest(file: &mut File, key: &PublicKey) -> Result<Manifest, Refused> {
    let mut head = vec![0; MAGIC.len() + 4];
    file.read_exact(&mut head).map_err(|_| Refused::Form)?;
    if !head.starts_with(MAGIC) {
        return Err(Refused::Form);
    }
    let length = [head[10], head[11], head[12], head[13]].map(u32::from);
    let length = (length[0] << 24) | (length[1] << 16) | (length[2] << 8) | length[3];
    if length > MAX_MANIFEST {
        return Err(Refused::Damaged);
    }
    let mut text = vec![0; length as usize];
    let mut signature = [0; SIGNATURE];
    let whole = file
        .read_exact(&mut text)
        .and_then(|()| file.read_exact(&mut signature));
    whole.map_err(|_| Refused::Damaged)?;
    head.extend(&text);
    key.verify(&head, &Signature::from_bytes(&signature))
        .map_err(|_| Refused::Signature)?;
    serde_json::from_slice(&text).map_err(|_| Refused::Damaged)
}

impl Checked {
    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes the system to a slot and reads it back. Until all of it has been found right the slot holds
    /// no system, neither the old one nor a part of the new one.
    ///
    /// # Errors
    /// Where the file has changed since it was checked, or the card doesn't keep it.
    pub fn write(mut self, slot: &Path, progress: &mut dyn FnMut(u8)) -> Result<(), Refused> {
        let mut slot = OpenOptions::new().read(true).write(true).open(slot)?;
        slot.write_all(&[0; FIRST])?;
        slot.sync_all()?;
        let size = self.manifest.size;
        let mut first = vec![0; usize::try_from(size).unwrap_or(FIRST).min(FIRST)];
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_exact(&mut first)?;
        let mut hash = Sha256::new_with_prefix(&first);
        let mut buffer = vec![0; BLOCK];
        let mut left = size - first.len() as u64;
        let mut told = per_cent(size, progress);
        while left > 0 {
            let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            self.file.read_exact(&mut buffer[..part])?;
            hash.update(&buffer[..part]);
            slot.write_all(&buffer[..part])?;
            // The card is slow: what waits in memory would make the end of it a long silence, and
            // hold up everybody else's writing.
            slot.sync_data()?;
            left -= part as u64;
            told(size - left);
        }
        if in_hexadecimal(hash) != self.manifest.sha256 {
            return Err(Refused::Damaged);
        }
        slot.sync_all()?;
        forget_cached(&slot);
        slot.seek(SeekFrom::Start(FIRST as u64))?;
        let read = Sha256::new_with_prefix(&first);
        let (sha256, _) = hash_on(read, &mut slot, size - first.len() as u64, &mut |_| ())?;
        if sha256 != self.manifest.sha256 {
            return Err(Refused::Card);
        }
        slot.rewind()?;
        slot.write_all(&first)?;
        slot.sync_all()?;
        forget_cached(&slot);
        slot.rewind()?;
        let mut kept = vec![0; first.len()];
        slot.read_exact(&mut kept)?;
        if kept == first {
            Ok(())
        } else {
            Err(Refused::Card)
        }
    }
}

/// What is read next comes from the card.
fn forget_cached(file: &File) {
    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
    let _ = posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
}

fn hash(file: &mut File, most: u64, told: &mut dyn FnMut(u64)) -> io::Result<(String, u64)> {
    hash_on(Sha256::new(), file, most, told)
}

/// Goes on with a hash.
fn hash_on(
    mut hash: Sha256,
    file: &mut File,
    most: u64,
    told: &mut dyn FnMut(u64),
) -> io::Result<(String, u64)> {
    let mut reader = file.take(most);
    let mut buffer = vec![0; BLOCK];
    let mut size = 0;
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        size += count as u64;
        told(size);
    }
    Ok((in_hexadecimal(hash), size))
}

fn in_hexadecimal(hash: Sha256) -> String {
    let octets = hash.finalize();
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn per_cent(of: u64, progress: &mut dyn FnMut(u8)) -> impl FnMut(u64) {
    move |done| progress(u8::try_from(done * 100 / of.max(1)).unwrap_or(100))
}

/// Versions are compared number by number, and what leads to a version comes before it: 1.3.0-rc1 before
/// 1.3.0 (Semantic Versioning §11; what follows a `+` says nothing).
fn order(version: &str) -> (Vec<u64>, bool, Vec<Part>) {
    let version = version.split('+').next().unwrap_or_default();
    let numbers = version.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (numbers, candidate) = version.split_at(numbers.unwrap_or(version.len()));
    let numbers = numbers.split('.').filter(|part| !part.is_empty());
    let candidate = parts(candidate);
    (
        numbers
            .map(|part| part.parse().unwrap_or(u64::MAX))
            .collect(),
        candidate.is_empty(),
        candidate,
    )
}

/// A part of what follows the numbers: numbers come before words, and rc9 before rc10.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| c.is_ascii_digit() != first.is_ascii_digit());
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        if first.is_ascii_digit() {
            parts.push(Part::Number(part.parse().unwrap_or(u64::MAX)));
        } else {
            let words = part.split(|c: char| !c.is_ascii_alphanumeric());
            let words = words.filter(|word| !word.is_empty());
            parts.extend(words.map(|word| Part::Word(word.to_owned())));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        folder: tempfile::TempDir,
        key: PrivateKey,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().expect("a folder"),
                key: PrivateKey::new(Origin::Development, [7; 32]),
            }
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.folder.path().join(name)
        }

        /// An update of this board and version, changed by `change`.
        fn update(&self, board: &str, version: &str, change: impl Fn(&mut Vec<u8>)) {
            let system: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
            std::fs::write(self.path("system"), system).expect("written");
            let output = self.path("update");
            make(&self.path("system"), board, version, &self.key, &output).expect("made");
            let mut bytes = std::fs::read(&output).expect("read");
            change(&mut bytes);
            std::fs::write(output, bytes).expect("written");
        }

        fn target(&self) -> Target {
            Target {
                key: self.key.public(),
                board: "generic-pc".into(),
                running: "1.9.3".into(),
                room: 4_000_000,
            }
        }

        fn check(&self) -> Result<Checked, Refused> {
            self.check_for(&self.target())
        }

        fn check_for(&self, target: &Target) -> Result<Checked, Refused> {
            let file = File::open(self.path("update")).expect("an update");
            check(file, target, &mut |_| ())
        }
    }

    #[test]
    fn an_update_is_checked_and_written() {
        let bench = Bench::new();
        bench.update("generic-pc", "1.10.0", |_| ());
        let slot = bench.path("slot");
        std::fs::write(&slot, vec![0xFF; 4_000_000]).expect("written");
        let mut told = Vec::new();
        let checked = bench.check().expect("right");
        assert_eq!(checked.manifest().version, "1.10.0");
        checked
            .write(&slot, &mut |per_cent| told.push(per_cent))
            .expect("written");
        let system = std::fs::read(bench.path("system")).expect("read");
        let written = std::fs::read(&slot).expect("read");
        assert!(written.starts_with(&system));
        assert!(written[system.len()..].iter().all(|byte| *byte == 0xFF));
        assert!(told.is_sorted() && told.last() == Some(&100), "{told:?}");
    }

    /// What a slot holds in which no system is found.
    const NOTHING: [u8; FIRST] = [0; FIRST];

    #[test]
    fn a_slot_has_no_system_while_one_is_written() {
        let bench = Bench::new();
        bench.update("generic-pc", "1.10.0", |_| ());
        let slot = bench.path("slot");
        std::fs::write(&slot, vec![0xFF; 4_000_000]).expect("written");
        let checked = bench.check().expect("right");
        let mut looked = 0;
        let mut look = |_| {
            assert!(std::fs::read(&slot).expect("read").starts_with(&NOTHING));
            looked += 1;
        };
        checked.write(&slot, &mut look).expect("written");
        assert_eq!(looked, 3);
    }

    #[test]
    fn a_file_that_is_changed_after_it_was_checked_leaves_a_slot_without_a_system() {
        use std::os::unix::fs::FileExt;
        let bench = Bench::new();
        let slot = bench.path("slot");
        // In the first block, and beyond it.
        for octet in [1, 2_000_000] {
            bench.update("generic-pc", "1.10.0", |_| ());
            std::fs::write(&slot, vec![0xFF; 4_000_000]).expect("written");
            let checked = bench.check().expect("right");
            let kept = OpenOptions::new().write(true).open(bench.path("update"));
            let place = checked.start + octet;
            kept.expect("open")
                .write_all_at(b"another", place)
                .expect("written");
            let refused = checked.write(&slot, &mut |_| ());
            assert!(matches!(refused, Err(Refused::Damaged)), "{refused:?}");
            let written = std::fs::read(&slot).expect("read");
            assert!(written.starts_with(&NOTHING), "at {octet}");
        }
    }

    #[test]
    fn what_is_not_right_is_refused_with_the_reason() {
        let bench = Bench::new();
        let refused = |board, version, change: &dyn Fn(&mut Vec<u8>)| {
            bench.update(board, version, change);
            bench
                .check()
                .map(|_| ())
                .expect_err("not right")
                .to_string()
        };
        let same = |_: &mut Vec<u8>| ();
        assert!(refused("generic-pc", "2.0", &|bytes| bytes[0] = b'X').contains("not an update"));
        assert!(refused("generic-pc", "2.0", &|bytes| bytes.truncate(50)).contains("incomplete"));
        assert!(refused("generic-pc", "2.0", &|bytes| bytes[40] ^= 1).contains("not signed"));
        assert!(refused("generic-pc", "2.0", &|bytes| bytes[9_000] ^= 1).contains("damaged"));
        assert!(refused("generic-pc", "2.0", &|bytes| bytes.push(0)).contains("damaged"));
        assert!(
            refused("generic-pc", "2.0", &|bytes| {
                bytes.pop();
            })
            .contains("damaged")
        );
        assert!(refused("operator-box-1000", "2.0", &same).contains("for the board"));
        assert!(refused("generic-pc", "1.9.2", &same).contains("older"));
        let other = Bench {
            key: PrivateKey::new(Origin::Product, [8; 32]),
            ..Bench::new()
        };
        other.update("generic-pc", "2.0", same);
        let found = other.check_for(&bench.target());
        assert!(matches!(found, Err(Refused::Signature)));
        let small = Target {
            room: 1000,
            ..other.target()
        };
        let found = other.check_for(&small);
        assert!(matches!(found, Err(Refused::Size { .. })));
    }

    #[test]
    fn versions_are_compared_number_by_number() {
        assert!(order("1.10.0") > order("1.9.9"));
        assert!(order("1.10") < order("1.10.1"));
        assert_eq!(order("1.2.3"), order("1.2.3+6.2026"));
    }

    #[test]
    fn a_candidate_comes_before_its_release() {
        let rising = [
            "1.2.9",
            "1.3.0-1",
            "1.3.0-alpha",
            "1.3.0-beta.2",
            "1.3.0-rc9",
            "1.3.0-rc10",
            "1.3.0",
            "1.3.1-rc1",
        ];
        for pair in rising.windows(2) {
            assert!(order(pair[0]) < order(pair[1]), "{pair:?}");
        }
    }
}

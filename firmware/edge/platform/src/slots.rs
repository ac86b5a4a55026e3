//! Which slot is started: the boot loader's environment block.
//!
//! The block is a file of 1024 bytes that the boot loader reads and writes by its place on the disk, so
//! it is only ever written in place. It holds the variables `slot`, `next`, `tries` and `failed`, the
//! starts of a slot that has proved itself, `starts` and `fallen`, and `bad`, the slot that is started
//! unasked in no case but one: that the other can't be read:
//!
//! ```text
//!   slot=A                        A is started
//!   slot=A next=B tries=3         B is tried; each start takes a try
//!   slot=A next=B tries=0         B used up its tries ─► the loader drops next, sets failed, starts A
//!   slot=A failed=1 bad=B         so it was
//!   slot=B                        B was tried and has proved itself
//!   slot=B starts=2               B was started twice and has not come up yet; it clears that itself
//!   slot=B starts=5               ─► the loader starts A, where there is a system in it
//!   slot=A fallen=B               so it was
//!   slot=B starts=5 bad=A         B is started all the same
//! ```

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use model::system::Slot;
use thiserror::Error;

/// Where the partition of the block is mounted while it is read or written, and at no other time.
pub const LOADER_FOLDER: &CStr = c"/run/boot";

/// Bytes of a block.
pub const BLOCK: usize = 1024;

/// How often a new system is started before the old one comes back: a power cut during its first start
/// doesn't count against it.
pub const TRIES: u8 = 3;

const HEADER: &[u8] = b"# GRUB Environment Block\n";

/// The variables of a block, in their order; those of others are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    variables: Vec<(String, String)>,
}

/// Why something is no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoBlock {
    /// It has another size.
    #[error("the environment block must have 1024 bytes")]
    Size,
    /// It begins otherwise.
    #[error("the environment block does not begin as one")]
    Header,
    /// A line is no variable.
    #[error("the environment block holds what is no variable")]
    Variable,
    /// The variables need more room than there is.
    #[error("the environment block is full")]
    Full,
}

/// Why a slot is not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("slot {0} is the one that is gone back to")]
pub struct Confirmed(pub Slot);

/// Which slot is tried, and how often still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The slot.
    pub slot: Slot,
    /// How often the loader may still start it.
    pub tries: u8,
}

impl Environment {
    /// Reads a block.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(block: &[u8]) -> Result<Self, NoBlock> {
        if block.len() != BLOCK {
            return Err(NoBlock::Size);
        }
        let mut rest = block.strip_prefix(HEADER).ok_or(NoBlock::Header)?;
        let mut variables = Vec::new();
        while !rest.is_empty() {
            let (line, after) = split_line(rest);
            rest = after;
            // Padding, and what other tools remark.
            if line.first() == Some(&b'#') || line.is_empty() {
                continue;
            }
            let line = String::from_utf8(unescaped(line)).map_err(|_| NoBlock::Variable)?;
            let (name, value) = line.split_once('=').ok_or(NoBlock::Variable)?;
            if !is_name(name) {
                return Err(NoBlock::Variable);
            }
            variables.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self { variables })
    }

    /// The block.
    ///
    /// # Errors
    /// [`NoBlock::Full`].
    pub fn print(&self) -> Result<[u8; BLOCK], NoBlock> {
        let mut text = HEADER.to_vec();
        for (name, value) in &self.variables {
            text.extend_from_slice(name.as_bytes());
            text.push(b'=');
            for &octet in value.as_bytes() {
                if matches!(octet, b'\\' | b'\n') {
                    text.push(b'\\');
                }
                text.push(octet);
            }
            text.push(b'\n');
        }
        let mut block = [b'#'; BLOCK];
        let room = block.get_mut(..text.len()).ok_or(NoBlock::Full)?;
        room.copy_from_slice(&text);
        Ok(block)
    }

    /// A variable; an empty one counts as none, as it does for the boot loader.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn set(&mut self, name: &str, value: &str) {
        match self.variables.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.variables.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The slot that has proved itself. Like the boot loader, without a word: A.
    #[must_use]
    pub fn confirmed(&self) -> Slot {
        match self.variable("slot") {
            Some("B") => Slot::B,
            _ => Slot::A,
        }
    }

    /// The slot that is tried.
    #[must_use]
    pub fn trial(&self) -> Option<Trial> {
        let slot = self.slot_in("next")?;
        let tries = self.variable("tries").and_then(|tries| tries.parse().ok());
        Some(Trial {
            slot,
            tries: tries.unwrap_or(0),
        })
    }

    /// Whether the slot that was tried last did not prove itself.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.variable("failed").is_some()
    }

    /// Whether the starts of the slot that has proved itself are being counted: it has not come up yet.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.variable("starts").is_some()
    }

    /// The slot that had proved itself, and gave way to the other one as it came up no more.
    #[must_use]
    pub fn fallen(&self) -> Option<Slot> {
        self.slot_in("fallen")
    }

    /// The slot that did not prove itself, or may hold a part of a system: the other one does not give way
    /// to it.
    #[must_use]
    pub fn bad(&self) -> Option<Slot> {
        self.slot_in("bad")
    }

    fn slot_in(&self, name: &str) -> Option<Slot> {
        match self.variable(name)? {
            "A" => Some(Slot::A),
            "B" => Some(Slot::B),
            _ => None,
        }
    }

    /// A slot does not get what is started unasked, until it is tried.
    pub fn distrust(&mut self, slot: Slot) {
        self.set("bad", &slot.to_string());
    }

    /// The slot that has proved itself has come up once more: its starts are counted anew.
    pub fn came_up(&mut self) {
        self.set("starts", "");
    }

    /// The running slot has proved itself.
    pub fn confirm(&mut self, running: Slot) {
        self.set("slot", &running.to_string());
        self.set("next", "");
        self.set("tries", "0");
        self.set("failed", "");
        self.set("starts", "");
        self.set("fallen", "");
        if self.bad() == Some(running) {
            self.set("bad", "");
        }
    }

    /// The slot that was tried is not good.
    pub fn give_up(&mut self, tried: Slot) {
        self.distrust(tried);
        self.set("next", "");
        self.set("tries", "0");
        self.set("failed", "1");
    }

    /// The next start tries a slot.
    ///
    /// # Errors
    /// Where it is the one that is gone back to: it would be started for ever, good or not.
    pub fn try_next(&mut self, slot: Slot) -> Result<(), Confirmed> {
        if slot == self.confirmed() {
            return Err(Confirmed(slot));
        }
        self.set("next", &slot.to_string());
        self.set("tries", &TRIES.to_string());
        self.set("failed", "");
        self.set("fallen", "");
        // Where it does not prove itself it is bad again.
        self.set("bad", "");
        Ok(())
    }
}

/// Up to the first line end that is not escaped; a block without one ends in padding.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    for (index, &octet) in text.iter().enumerate() {
        if octet == b'\n' && !escaped {
            return (&text[..index], &text[index + 1..]);
        }
        escaped = octet == b'\\' && !escaped;
    }
    (text, &[])
}

fn unescaped(line: &[u8]) -> Vec<u8> {
    let mut octets = line.iter();
    let mut text = Vec::with_capacity(line.len());
    while let Some(&octet) = octets.next() {
        text.push(match octet {
            b'\\' => octets.next().copied().unwrap_or(octet),
            _ => octet,
        });
    }
    text
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && (name.bytes()).all(|octet| octet.is_ascii_alphanumeric() || octet == b'_')
}

/// Reads the block of a file.
///
/// # Errors
/// Where it can't be read, or holds none.
pub fn read(path: &Path) -> io::Result<Environment> {
    let mut block = [0; BLOCK];
    let file = File::open(path)?;
    if file.metadata()?.len() != BLOCK as u64 {
        return Err(io::Error::other(NoBlock::Size));
    }
    file.read_exact_at(&mut block, 0)?;
    Environment::parse(&block).map_err(io::Error::other)
}

/// Whether an error of [`read`] says that there is no block, and not that the disk can't be read: then a
/// new one may be written.
#[must_use]
pub fn is_damaged(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.get_ref().is_some_and(|error| error.is::<NoBlock>())
}

/// Writes the block of a file in place, durably. A file that held none has its size afterwards.
///
/// # Errors
/// Where it does not fit, or can't be written.
pub fn write(path: &Path, environment: &Environment) -> io::Result<()> {
    let block = environment.print().map_err(io::Error::other)?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.write_all_at(&block, 0)?;
    if file.metadata()?.len() != BLOCK as u64 {
        file.set_len(BLOCK as u64)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(text: &str) -> Vec<u8> {
        let mut block = HEADER.to_vec();
        block.extend_from_slice(text.as_bytes());
        block.resize(BLOCK, b'#');
        block
    }

    fn parse(text: &str) -> Result<Environment, NoBlock> {
        Environment::parse(&block(text))
    }

    #[test]
    fn a_block_says_which_slot_is_started() {
        let none = parse("").expect("a block");
        assert_eq!((none.confirmed(), none.trial()), (Slot::A, None));
        let tried = parse("slot=A\nnext=B\ntries=2\nfailed=\n").expect("a block");
        let trial = Trial {
            slot: Slot::B,
            tries: 2,
        };
        assert_eq!((tried.confirmed(), tried.trial()), (Slot::A, Some(trial)));
        assert!(!tried.has_failed());
        let failed = parse("slot=B\nnext=\ntries=0\nfailed=1\n").expect("a block");
        assert_eq!((failed.confirmed(), failed.trial()), (Slot::B, None));
        assert!(failed.has_failed());
    }

    #[test]
    fn a_slot_that_came_up_is_counted_no_more_and_what_fell_is_known_until_the_next_upgrade() {
        let mut fell = parse("slot=B\nstarts=1\nfallen=A\n").expect("a block");
        assert!(fell.is_counted());
        fell.came_up();
        assert!(!fell.is_counted());
        assert_eq!((fell.confirmed(), fell.fallen()), (Slot::B, Some(Slot::A)));
        fell.try_next(Slot::A).expect("the other one");
        assert_eq!(fell.fallen(), None);
        let mut fell = parse("slot=B\nstarts=3\nfallen=A\n").expect("a block");
        fell.confirm(Slot::B);
        assert_eq!((fell.is_counted(), fell.fallen()), (false, None));
    }

    #[test]
    fn what_was_given_up_is_bad_until_it_is_tried_again() {
        let mut tried = parse("slot=A\nnext=B\ntries=2\n").expect("a block");
        tried.give_up(Slot::B);
        assert_eq!((tried.bad(), tried.has_failed()), (Some(Slot::B), true));
        tried.confirm(Slot::A);
        assert_eq!((tried.bad(), tried.has_failed()), (Some(Slot::B), false));
        let mut again = tried.clone();
        again.try_next(Slot::B).expect("the other one");
        assert_eq!(again.bad(), None);
        // It may run all the same, where the other one can't be read.
        tried.confirm(Slot::B);
        assert_eq!(tried.bad(), None);
    }

    #[test]
    fn remarks_of_other_tools_and_their_variables_are_no_harm() {
        let text =
            "# WARNING: Do not edit this file by tools other than its own!\nsaved=x\\\\y\nslot=B\n";
        let mut environment = parse(text).expect("a block");
        assert_eq!(environment.variable("saved"), Some("x\\y"));
        environment.confirm(Slot::A);
        let again = Environment::parse(&environment.print().expect("fits")).expect("a block");
        assert_eq!(again.variable("saved"), Some("x\\y"));
        assert_eq!(again.confirmed(), Slot::A);
    }

    #[test]
    fn what_is_no_block_is_refused() {
        assert_eq!(Environment::parse(b"slot=A\n"), Err(NoBlock::Size));
        assert_eq!(Environment::parse(&[0; BLOCK]), Err(NoBlock::Header));
        assert_eq!(parse("slot\n"), Err(NoBlock::Variable));
        let mut full = Environment::default();
        full.set("long", &"x".repeat(BLOCK));
        assert_eq!(full.print(), Err(NoBlock::Full));
    }

    #[test]
    fn the_slot_that_is_gone_back_to_is_not_tried() {
        for (text, confirmed) in [("", Slot::A), ("slot=A\n", Slot::A), ("slot=B\n", Slot::B)] {
            let mut environment = parse(text).expect("a block");
            let before = environment.clone();
            assert_eq!(environment.try_next(confirmed), Err(Confirmed(confirmed)));
            assert_eq!(environment, before);
            assert_eq!(environment.try_next(confirmed.other()), Ok(()));
        }
    }

    #[test]
    fn a_file_is_changed_in_place() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("grubenv");
        std::fs::write(&path, block("slot=A\n")).expect("written");
        let node = |path: &Path| std::fs::metadata(path).expect("there").ino();
        let before = node(&path);
        let mut environment = read(&path).expect("a block");
        environment.try_next(Slot::B).expect("the other one");
        write(&path, &environment).expect("written");
        assert_eq!(read(&path).expect("a block"), environment);
        assert_eq!(node(&path), before);
        environment.confirm(Slot::B);
        write(&path, &environment).expect("written");
        let confirmed = read(&path).expect("a block");
        assert_eq!((confirmed.confirmed(), confirmed.trial()), (Slot::B, None));
    }

    #[test]
    fn what_is_no_block_is_known_and_written_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("grubenv");
        let mut environment = Environment::default();
        environment.confirm(Slot::B);
        let damaged = |path: &Path| is_damaged(&read(path).expect_err("no block"));
        assert!(damaged(&path), "missing");
        for octets in [&[][..], b"short", &[0; BLOCK], &[b'#'; 2 * BLOCK]] {
            std::fs::write(&path, octets).expect("written");
            assert!(damaged(&path), "{} octets", octets.len());
            write(&path, &environment).expect("written");
            assert_eq!(read(&path).expect("a block"), environment);
        }
        assert!(
            !damaged(&path.join("below")),
            "what can't be read is not written"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_the_same(
            variables in prop::collection::vec(("[a-z_][a-z0-9_]{0,8}", "[ -~\n\\\\]{0,30}"), 0..12),
        ) {
            let environment = Environment { variables };
            let block = environment.print().expect("fits");
            prop_assert_eq!(Environment::parse(&block), Ok(environment));
        }

        #[test]
        fn no_block_is_a_panic(octets in prop::collection::vec(any::<u8>(), BLOCK - HEADER.len())) {
            let mut block = HEADER.to_vec();
            block.extend(octets);
            if let Ok(environment) = Environment::parse(&block) {
                let printed = environment.print();
                if let Ok(printed) = printed {
                    prop_assert_eq!(Environment::parse(&printed), Ok(environment));
                }
            }
        }
    }
}

//! Slots and upgrades: what runs, what is tried, and the writing of another system.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result};
use model::system::{Slots, Upgrade};
use nix::fcntl::OFlag;
use platform::board::Board;
use platform::card::{self, Card, Start, slot_partition};
use platform::files;
use platform::update::{self, Refused, Target};
use tracing::{info, warn};

use super::judge::Ports;
use super::loader::Loader;
use super::other;
use super::record::{CUT_OFF, Note, Record};

/// Whose updates this system takes.
const KEY: &str = "/etc/operator-box/update.pub";
/// What this system calls itself.
const VERSION: &str = "/etc/operator-box/version";

/// The slots of this machine.
pub struct Keeper {
    card: Card,
    board: String,
    uploads: PathBuf,
    record: Record,
    state: Upgrade,
    /// Whether this start is a trial, as the boot loader said.
    trial: bool,
    /// The version in the other slot, where there is a whole system in it.
    other: Option<String>,
}

/// News of the thread that writes.
#[derive(Debug)]
pub enum News {
    /// This part of it is checked or written.
    Progress(String, u8),
    /// It is good, and is written once this is told so.
    Checked(Sender<()>),
    /// All of it is written.
    Written(String),
    /// It was not taken, or could not be written.
    Failed(Option<String>, String),
}

impl Keeper {
    /// Finds out what was started and why.
    pub fn start(data: &Path, board: &Board) -> Result<Self> {
        let line = fs::read_to_string("/proc/cmdline").context("the kernel's command line")?;
        let start = Start::parse(&line)?;
        let card = Card::find(start.signature)?.context("the card is gone")?;
        let version = fs::read_to_string(VERSION).context("the system's version")?;
        let boot = card.partition(card::BOOT);
        let loader = Loader::on(&boot.context("the card has no boot partition")?);
        let note = platform::data::system(data).join("upgrade.json");
        let record = Record::open(start, version.trim(), note, loader)?;
        let state = record.found();
        if matches!(state, Upgrade::Failed { .. }) {
            warn!(?state, "the last upgrade did not prove itself");
        }
        let other = card
            .partition(slot_partition(start.slot.other()))
            .filter(|_| !record.note().is_partial)
            .map(|partition| other::version(&partition));
        Ok(Self {
            card,
            board: board.name.clone(),
            uploads: data.join("upload"),
            record,
            state,
            trial: start.is_tried,
            // An empty slot is what a new card has.
            other: other.and_then(Result::ok),
        })
    }

    /// Both slots.
    pub fn show(&self) -> Slots {
        Slots {
            running: self.record.running(),
            version: self.record.version().into(),
            confirmed: self.record.confirmed(),
            other_version: match self.state {
                Upgrade::Writing { .. } => None,
                _ => self.other.clone(),
            },
            upgrade: self.state.clone(),
        }
    }

    /// Whether the running system has to prove itself.
    pub const fn is_tried(&self) -> bool {
        matches!(self.state, Upgrade::Trying { .. })
    }

    /// Whether the running system is the one that is kept.
    pub fn is_kept(&self) -> bool {
        self.record.is_kept()
    }

    /// Takes an update file, and begins to check and write it; says what is wrong at once where that
    /// is known. Whatever becomes of its name afterwards, and of whoever uploaded it, it is read to
    /// its end.
    pub fn begin(&mut self, file: &str, news: Sender<News>) -> Result<(), String> {
        if matches!(self.state, Upgrade::Writing { .. }) {
            return Err("an upgrade is being written: wait until it is done".into());
        }
        if self.is_tried() || (self.trial && !self.is_kept()) {
            return Err("the running system has not proved itself yet: wait a minute".into());
        }
        // One name in one folder: nothing else can be reached.
        if file.is_empty() || file.contains('/') || file.starts_with('.') {
            return Err("this is no name of an uploaded file".into());
        }
        let target = self.target().map_err(|error| format!("{error:#}"))?;
        let slot = self.record.running().other();
        let partition = self
            .card
            .partition(slot_partition(slot))
            .ok_or("the card has no second slot")?;
        let file = take(&self.uploads.join(file))
            .map_err(|error| format!("the uploaded file can't be read: {error}"))?;
        let note = self.record.note_path().to_owned();
        let thread = thread::Builder::new().name("upgrade".into());
        thread
            .spawn(move || install(file, &target, &note, &partition, &news))
            .map_err(|error| error.to_string())?;
        self.state = Upgrade::Writing {
            version: String::new(),
            per_cent: 0,
        };
        Ok(())
    }

    /// Has the next start be the other slot's, as a trial; the reason where it can't be. A running system
    /// that is tried itself is given up by that.
    pub fn start_other(&mut self, ports: Option<Ports>) -> Result<(), String> {
        if matches!(self.state, Upgrade::Writing { .. }) {
            return Err("an upgrade is being written: wait until it is done".into());
        }
        let told = if self.trial && !self.is_kept() {
            self.record.give_up("somebody has asked for the other one")
        } else {
            let version = self.other.clone();
            let version = version.ok_or("there is no other system: its slot holds none")?;
            let told = self.record.stay();
            let told = told.and_then(|()| self.record.try_other(&version, ports));
            if told.is_ok() {
                self.state = Upgrade::Ready { version };
            }
            told
        };
        told.map_err(|error| format!("the boot loader can't be told: {error}"))
    }

    /// The ports that the system before had, where it said so.
    pub fn ports_before(&self) -> Ports {
        self.record.note().ports.unwrap_or_default()
    }

    /// The thread that writes has news; what it has written is to have the ports that there are now.
    pub fn hear(&mut self, news: News, ports: impl FnOnce() -> Option<Ports>) {
        self.state = match news {
            News::Progress(version, per_cent) => Upgrade::Writing { version, per_cent },
            News::Checked(go) => match may_write(&mut self.record, &go) {
                Ok(()) => return,
                Err(error) => Upgrade::Failed {
                    version: None,
                    reason: format!("the boot loader can't be told: {error}"),
                },
            },
            News::Written(version) => match self.record.try_other(&version, ports()) {
                Ok(()) => {
                    self.other = Some(version.clone());
                    info!(version, "an upgrade is written; the next start tries it");
                    Upgrade::Ready { version }
                }
                Err(error) => Upgrade::Failed {
                    version: Some(version),
                    reason: format!("the boot loader can't be told: {error}"),
                },
            },
            News::Failed(version, reason) => {
                warn!(version, reason, "an upgrade is not taken");
                // Until it was checked nothing was written.
                self.other = self.other.take().filter(|_| version.is_none());
                let waits = self.record.found();
                let reason = if version.is_none() {
                    named_beside(&waits, reason)
                } else {
                    reason
                };
                Upgrade::Failed { version, reason }
            }
        };
    }

    /// The running system has proved itself.
    pub fn confirm(&mut self) -> io::Result<()> {
        let at = self.record.confirm()?;
        let version = self.record.version().into();
        self.state = Upgrade::Done { version, at };
        Ok(())
    }

    /// The running system has come up.
    pub fn came_up(&mut self) -> io::Result<()> {
        self.record.came_up()
    }

    /// The running system has not proved itself: the next start is the old one's.
    pub fn give_up(&mut self, reason: &str) -> io::Result<()> {
        self.record.give_up(reason)
    }

    fn target(&self) -> Result<Target> {
        let key = fs::read_to_string(KEY).context("the key of updates")?;
        let room = self
            .card
            .size(slot_partition(self.record.running().other()));
        Ok(Target {
            key: key.parse()?,
            board: self.board.clone(),
            running: self.record.version().into(),
            room: room.context("the card has no second slot")?,
        })
    }
}

/// Checks an update and writes it to a slot, once it is told that it may.
fn install(file: File, target: &Target, note: &Path, partition: &Path, news: &Sender<News>) {
    let tell = |version: &str, per_cent| {
        drop(news.send(News::Progress(version.into(), per_cent)));
    };
    // Checking is quick and writing is slow.
    let checked = match update::check(file, target, &mut |done| tell("", done / 5)) {
        Ok(checked) => checked,
        Err(error) => {
            drop(news.send(News::Failed(None, error.to_string())));
            return;
        }
    };
    let (go, told) = channel();
    drop(news.send(News::Checked(go)));
    if told.recv().is_err() {
        // Whoever lets go of it instead knows why.
        return;
    }
    let version = checked.manifest().version.clone();
    // What is found where this is never finished.
    let begun = files::write_settings(note, &Note::partial(&version, CUT_OFF));
    let mut last = 0;
    let written = begun.map_err(Refused::from).and_then(|()| {
        checked.write(partition, &mut |done| {
            if done != last {
                last = done;
                tell(&version, 20 + done / 5 * 4);
            }
        })
    });
    let outcome = match written {
        Ok(()) => News::Written(version),
        Err(error) => {
            let reason = error.to_string();
            drop(files::write_settings(
                note,
                &Note::partial(&version, &reason),
            ));
            News::Failed(Some(version), reason)
        }
    };
    drop(news.send(outcome));
}

/// What was refused does not hide the system that the next start tries all the same.
fn named_beside(waits: &Upgrade, reason: String) -> String {
    match waits {
        Upgrade::Ready { version } => format!(
            "{reason}; version {version}, which was written before, is tried at the next restart"
        ),
        _ => reason,
    }
}

/// Lets an update that is good overwrite the other slot. A system that is there, and was to be tried, is
/// forgotten only now.
fn may_write(record: &mut Record, go: &Sender<()>) -> io::Result<()> {
    record.give_over()?;
    // Where nobody waits for it, nothing is written.
    let _ = go.send(());
    Ok(())
}

/// Opens an uploaded file and takes it out of its folder: its room is given back even where this
/// process ends. Who uploads is trusted with no other file and no pipe.
fn take(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    fs::remove_file(path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use model::system::Slot;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use platform::slots::{self, Environment};
    use platform::update::{Origin, PrivateKey};

    use super::*;

    #[test]
    fn a_file_that_is_taken_is_read_whatever_becomes_of_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.update");
        fs::write(&path, "an update").expect("written");
        let mut taken = take(&path).expect("taken");
        assert!(!path.exists());
        fs::write(&path, "another").expect("written");
        let mut text = String::new();
        taken.read_to_string(&mut text).expect("read");
        assert_eq!(text, "an update");
    }

    /// What waits to be tried in slot B, as it is told after each piece of news; and what B holds then.
    fn installed(change: impl FnOnce(&mut Vec<u8>)) -> (Vec<(News, Upgrade)>, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("grub")).expect("made");
        let mut environment = Environment::default();
        environment.try_next(Slot::B).expect("the other one");
        slots::write(&path("grub/grubenv"), &environment).expect("written");
        let start = Start {
            signature: 0x4F42_0001,
            slot: Slot::A,
            is_tried: false,
        };
        let (note, slot) = (path("upgrade.json"), path("slot"));
        let loader = Loader::in_folder(folder.path());
        let mut record = Record::open(start, "1.2.0", note.clone(), loader).expect("a record");
        let key = PrivateKey::new(Origin::Development, [7; 32]);
        fs::write(path("system"), "a new system").expect("written");
        fs::write(&slot, "the old system").expect("written");
        let update = path("x.update");
        update::make(&path("system"), "generic-pc", "1.3.0", &key, &update).expect("made");
        let mut octets = fs::read(&update).expect("read");
        change(&mut octets);
        fs::write(&update, octets).expect("written");
        let target = Target {
            key: key.public(),
            board: "generic-pc".into(),
            running: "1.2.0".into(),
            room: 1000,
        };
        let (news, heard) = channel();
        let file = take(&update).expect("taken");
        let into = slot.clone();
        let thread = thread::spawn(move || install(file, &target, &note, &into, &news));
        let mut told = Vec::new();
        for news in heard {
            if let News::Checked(go) = &news {
                assert_eq!(fs::read(&slot).expect("read"), b"the old system");
                may_write(&mut record, go).expect("told");
            }
            if !matches!(news, News::Progress(..)) {
                told.push((news, record.found()));
            }
        }
        thread.join().expect("ended");
        (told, fs::read(&slot).expect("read"))
    }

    #[test]
    fn a_system_that_waits_to_be_tried_is_forgotten_for_a_good_update_before_it_is_overwritten() {
        let (told, slot) = installed(|_| ());
        let [
            (News::Checked(_), Upgrade::None),
            (News::Written(version), _),
        ] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!(version, "1.3.0");
        assert!(slot.starts_with(b"a new system"));
    }

    #[test]
    fn a_file_that_is_refused_takes_no_place() {
        let (told, slot) = installed(|octets| octets.truncate(40));
        let [(News::Failed(None, _), Upgrade::Ready { .. })] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(slot, b"the old system");
    }

    #[test]
    fn a_refusal_names_the_system_that_waits() {
        let waits = Upgrade::Ready {
            version: "1.3.0".into(),
        };
        let told = named_beside(&waits, "it is damaged".into());
        assert!(told.starts_with("it is damaged; version 1.3.0"), "{told}");
        let told = named_beside(&Upgrade::None, "it is damaged".into());
        assert_eq!(told, "it is damaged");
    }

    #[test]
    fn only_a_file_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("secret"), "of somebody else").expect("written");
        symlink(path("secret"), path("link")).expect("linked");
        mkfifo(&path("pipe"), Mode::S_IRWXU).expect("made");
        for name in ["link", "pipe", "missing", "."] {
            assert!(take(&path(name)).is_err(), "{name}");
        }
        assert!(path("secret").exists());
    }
}

//! Slots and upgrades: what runs, what is tried, and the writing of another system.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::thread;

use anyhow::{Context, Result};
use model::WallTime;
use model::system::{Slot, Slots, Upgrade};
use nix::fcntl::OFlag;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use platform::board::Board;
use platform::card::{self, Card, Start, slot_partition};
use platform::files;
use platform::slots::{self, Environment};
use platform::update::{self, Refused, Target};
use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

/// Whose updates this system takes.
const KEY: &str = "/etc/operator-box/update.pub";
/// What this system calls itself.
const VERSION: &str = "/etc/operator-box/version";
/// Where the boot loader's files are while they are changed.
const BOOT: &str = "/run/boot";

/// Why an upgrade failed that was begun and never finished.
const CUT_OFF: &str =
    "it was cut off while it was written, as by a power cut: upload the file again";

/// What became of the last upgrade, as both slots tell each other: in the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The version that is or was tried.
    version: Option<String>,
    /// When it proved itself.
    done: Option<WallTime>,
    /// Why it didn't.
    reason: Option<String>,
}

impl Note {
    fn failed(version: &str, reason: &str) -> Self {
        Self {
            version: Some(version.into()),
            done: None,
            reason: Some(reason.into()),
        }
    }
}

/// The slots of this machine.
pub struct Keeper {
    start: Start,
    card: Card,
    version: String,
    board: String,
    note: PathBuf,
    uploads: PathBuf,
    environment: Environment,
    state: Upgrade,
}

/// News of the thread that writes.
#[derive(Debug)]
pub enum News {
    /// It is checked; this part of it is written.
    Progress(String, u8),
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
        let mut keeper = Self {
            start,
            card,
            version: version.trim().into(),
            board: board.name.clone(),
            note: platform::data::system(data).join("upgrade.json"),
            uploads: data.join("upload"),
            environment: Environment::default(),
            state: Upgrade::None,
        };
        keeper.environment = keeper.with_environment(|_| ())?;
        keeper.state = keeper.found();
        if matches!(keeper.state, Upgrade::Failed { .. }) {
            warn!(state = ?keeper.state, "the last upgrade did not prove itself");
        }
        Ok(keeper)
    }

    /// What the boot loader and the note say together.
    fn found(&self) -> Upgrade {
        let note: Note = files::read_settings(&self.note).unwrap_or_default();
        if let Some(trial) = self.environment.trial() {
            let version = note.version.unwrap_or_default();
            if trial.slot == self.start.slot {
                return Upgrade::Trying {
                    version: self.version.clone(),
                };
            }
            return Upgrade::Ready { version };
        }
        let reason = note.reason.or_else(|| {
            let reason = "the new system did not start, or did not prove itself in three starts";
            self.environment.has_failed().then(|| reason.into())
        });
        if let Some(reason) = reason {
            return Upgrade::Failed {
                version: note.version,
                reason,
            };
        }
        match (note.version, note.done) {
            (Some(version), Some(at)) => Upgrade::Done { version, at },
            _ => Upgrade::None,
        }
    }

    /// Both slots.
    pub fn show(&self) -> Slots {
        let note: Note = files::read_settings(&self.note).unwrap_or_default();
        Slots {
            running: self.start.slot,
            version: self.version.clone(),
            confirmed: self.environment.confirmed(),
            other_version: match &self.state {
                Upgrade::Ready { version } => Some(version.clone()),
                Upgrade::Writing { .. } => None,
                Upgrade::Failed { reason, .. } if reason == CUT_OFF => None,
                _ => note.version.filter(|version| *version != self.version),
            },
            upgrade: self.state.clone(),
        }
    }

    /// Whether the running system has to prove itself.
    pub const fn is_tried(&self) -> bool {
        matches!(self.state, Upgrade::Trying { .. })
    }

    /// Takes an update file, and begins to check and write it; says what is wrong at once where that
    /// is known. Whatever becomes of its name afterwards, and of whoever uploaded it, it is read to
    /// its end.
    pub fn begin(&mut self, file: &str, news: Sender<News>) -> Result<(), String> {
        if matches!(self.state, Upgrade::Writing { .. }) {
            return Err("an upgrade is being written: wait until it is done".into());
        }
        if self.is_tried() {
            return Err("the running system has not proved itself yet: wait a minute".into());
        }
        // One name in one folder: nothing else can be reached.
        if file.is_empty() || file.contains('/') || file.starts_with('.') {
            return Err("this is no name of an uploaded file".into());
        }
        let target = self.target().map_err(|error| format!("{error:#}"))?;
        let slot = self.start.slot.other();
        let partition = self
            .card
            .partition(slot_partition(slot))
            .ok_or("the card has no second slot")?;
        // A slot that is half written must never be tried.
        self.forget_trial().map_err(|error| error.to_string())?;
        let file = take(&self.uploads.join(file))
            .map_err(|error| format!("the uploaded file can't be read: {error}"))?;
        let note = self.note.clone();
        self.state = Upgrade::Writing {
            version: String::new(),
            per_cent: 0,
        };
        let thread = thread::Builder::new().name("upgrade".into());
        let started = thread.spawn(move || {
            let told = news.clone();
            let tell = move |version: &str, per_cent| {
                let progress = News::Progress(version.into(), per_cent);
                drop(told.send(progress));
            };
            // Checking is quick and writing is slow.
            let checked = update::check(file, &target, &mut |done| tell("", done / 5));
            let outcome = match checked {
                Ok(checked) => {
                    let version = checked.manifest().version.clone();
                    // What is found where this is never finished.
                    let begun = files::write_settings(&note, &Note::failed(&version, CUT_OFF));
                    let mut last = 0;
                    let written = begun.map_err(Refused::from).and_then(|()| {
                        checked.write(&partition, &mut |done| {
                            if done != last {
                                last = done;
                                tell(&version, 20 + done / 5 * 4);
                            }
                        })
                    });
                    match written {
                        Ok(()) => News::Written(version),
                        Err(error) => {
                            let reason = error.to_string();
                            drop(files::write_settings(
                                &note,
                                &Note::failed(&version, &reason),
                            ));
                            News::Failed(Some(version), reason)
                        }
                    }
                }
                Err(error) => News::Failed(None, error.to_string()),
            };
            drop(news.send(outcome));
        });
        started.map(drop).map_err(|error| error.to_string())
    }

    /// The thread that writes has news.
    pub fn hear(&mut self, news: News) {
        self.state = match news {
            News::Progress(version, per_cent) => Upgrade::Writing { version, per_cent },
            News::Written(version) => match self.try_next(&version) {
                Ok(()) => {
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
                Upgrade::Failed { version, reason }
            }
        };
    }

    /// The running system has proved itself.
    pub fn confirm(&mut self) -> io::Result<()> {
        let slot = self.start.slot;
        let version = self.version.clone();
        let at = platform::clock::wall();
        self.write_note(&Note {
            version: Some(version.clone()),
            done: Some(at),
            reason: None,
        })?;
        self.environment = self.with_environment(|environment| environment.confirm(slot))?;
        info!(%slot, version, "the system has proved itself");
        self.state = Upgrade::Done { version, at };
        Ok(())
    }

    /// The running system has not proved itself: the next start is the old one's.
    pub fn give_up(&mut self, reason: &str) -> io::Result<()> {
        error!(
            reason,
            "the new system is not good: going back to the old one"
        );
        self.write_note(&Note::failed(&self.version, reason))?;
        self.environment = self.with_environment(Environment::give_up)?;
        Ok(())
    }

    fn try_next(&mut self, version: &str) -> io::Result<()> {
        self.write_note(&Note {
            version: Some(version.into()),
            done: None,
            reason: None,
        })?;
        let slot: Slot = self.start.slot.other();
        self.environment = self.with_environment(|environment| environment.try_next(slot))?;
        Ok(())
    }

    fn forget_trial(&mut self) -> io::Result<()> {
        if self.environment.trial().is_some() || self.environment.has_failed() {
            let slot = self.start.slot;
            self.environment = self.with_environment(|environment| environment.confirm(slot))?;
        }
        Ok(())
    }

    fn write_note(&self, note: &Note) -> io::Result<()> {
        files::write_settings(&self.note, note)
    }

    fn target(&self) -> Result<Target> {
        let key = fs::read_to_string(KEY).context("the key of updates")?;
        let room = self.card.size(slot_partition(self.start.slot.other()));
        Ok(Target {
            key: key.parse()?,
            board: self.board.clone(),
            running: self.version.clone(),
            room: room.context("the card has no second slot")?,
        })
    }

    /// Mounts the boot partition for as long as it takes, and no longer: most of the time nothing can
    /// harm it.
    fn with_environment(&self, change: impl FnOnce(&mut Environment)) -> io::Result<Environment> {
        let device = self.card.partition(card::BOOT);
        let device = device.ok_or_else(|| io::Error::other("the card has no boot partition"))?;
        fs::create_dir_all(BOOT)?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(
            Some(device.as_path()),
            BOOT,
            Some("vfat"),
            flags | MsFlags::MS_SYNCHRONOUS,
            None::<&str>,
        )?;
        let path = Path::new(BOOT).join("grub/grubenv");
        let before = slots::read(&path);
        let changed = before.and_then(|before| {
            let mut after = before.clone();
            change(&mut after);
            if after == before {
                Ok(before)
            } else {
                slots::change(&path, |environment| *environment = after)
            }
        });
        umount2(BOOT, MntFlags::empty())?;
        changed
    }
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

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

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

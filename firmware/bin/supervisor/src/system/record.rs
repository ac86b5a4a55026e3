//! What is remembered of the slots: by the boot loader, which of them has proved itself and which is
//! tried; in the data, what became of the last upgrade.

use std::io;
use std::path::{Path, PathBuf};

use model::WallTime;
use model::system::{Slot, Upgrade};
use platform::card::Start;
use platform::files;
use platform::slots::{self, Environment};
use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

use super::judge::Ports;
use super::loader::Loader;

/// Why an upgrade failed that was begun and never finished.
pub const CUT_OFF: &str =
    "it was cut off while it was written, as by a power cut: upload the file again";

/// What became of the last upgrade, as both slots tell each other: in the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The version that is or was tried.
    pub version: Option<String>,
    /// When it proved itself.
    pub done: Option<WallTime>,
    /// Why it didn't.
    pub reason: Option<String>,
    /// The other slot holds a part of it only.
    #[serde(default)]
    pub is_partial: bool,
    /// The ports that the other system had when it was made ready.
    #[serde(default)]
    pub ports: Option<Ports>,
}

impl Note {
    /// Of an upgrade that failed.
    pub fn failed(version: &str, reason: &str) -> Self {
        Self {
            version: Some(version.into()),
            reason: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Of one that was not written to its end.
    pub fn partial(version: &str, reason: &str) -> Self {
        Self {
            is_partial: true,
            ..Self::failed(version, reason)
        }
    }
}

/// What is remembered, as the running system sees it.
pub struct Record {
    running: Slot,
    version: String,
    note: PathBuf,
    loader: Loader,
    environment: Environment,
}

impl Record {
    /// Reads what there is. Where the boot loader's memory is damaged it gets a new one, of what this
    /// start says.
    pub fn open(start: Start, version: &str, note: PathBuf, loader: Loader) -> io::Result<Self> {
        let environment = match loader.read() {
            Err(error) if slots::is_damaged(&error) => {
                warn!(%error, "the boot loader's memory is damaged: writing it anew");
                let mut environment = fresh(start);
                // The note says what the boot loader knew of the other slot.
                let note: Note = files::read_settings(&note).unwrap_or_default();
                if note.reason.is_some() && !start.is_tried {
                    environment.distrust(start.slot.other());
                }
                loader.write(&environment)?;
                environment
            }
            read => read?,
        };
        Ok(Self {
            running: start.slot,
            version: version.into(),
            note,
            loader,
            environment,
        })
    }

    /// What the boot loader and the note say together.
    pub fn found(&self) -> Upgrade {
        let note = self.note();
        if let Some(trial) = self.environment.trial() {
            let version = note.version.unwrap_or_default();
            if trial.slot == self.running {
                return Upgrade::Trying {
                    version: self.version.clone(),
                };
            }
            return Upgrade::Ready { version };
        }
        if let Some(slot) = self
            .environment
            .fallen()
            .filter(|slot| *slot != self.running)
        {
            return Upgrade::Failed {
                version: note.version,
                reason: format!(
                    "the system in slot {slot} has not come up in five starts, though it had proved itself"
                ),
            };
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

    /// The running slot.
    pub const fn running(&self) -> Slot {
        self.running
    }

    /// The running system's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The slot that has proved itself, as the boot loader knows it.
    pub fn confirmed(&self) -> Slot {
        self.environment.confirmed()
    }

    /// Whether the running system is the one that is started from now on. One that was given up is not,
    /// though it is tried no more.
    pub fn is_kept(&self) -> bool {
        self.confirmed() == self.running
    }

    /// What became of the last upgrade.
    pub fn note(&self) -> Note {
        files::read_settings(&self.note).unwrap_or_default()
    }

    /// Where that is written.
    pub fn note_path(&self) -> &Path {
        &self.note
    }

    /// The running system has proved itself; says when.
    pub fn confirm(&mut self) -> io::Result<WallTime> {
        let slot = self.running;
        let at = platform::clock::wall();
        self.change(|environment| {
            environment.confirm(slot);
            Ok(())
        })?;
        self.try_to_write_note(&Note {
            version: Some(self.version.clone()),
            done: Some(at),
            ..Note::default()
        });
        info!(%slot, version = self.version, "the system has proved itself");
        Ok(at)
    }

    /// The running system has come up: the boot loader counts its starts anew.
    pub fn came_up(&mut self) -> io::Result<()> {
        if self.environment.is_counted() && self.is_kept() {
            self.change(|environment| {
                environment.came_up();
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The running system has not proved itself: the next start is the old one's.
    pub fn give_up(&mut self, reason: &str) -> io::Result<()> {
        error!(
            reason,
            "the new system is not good: going back to the old one"
        );
        let slot = self.running;
        self.change(|environment| {
            environment.give_up(slot);
            Ok(())
        })?;
        self.try_to_write_note(&Note::failed(&self.version, reason));
        Ok(())
    }

    /// The other slot holds this version now: the next start tries it. It is to have the ports that there
    /// are now.
    pub fn try_other(&mut self, version: &str, ports: Option<Ports>) -> io::Result<()> {
        self.write_note(&Note {
            version: Some(version.into()),
            ports,
            ..Note::default()
        })?;
        let slot = self.running.other();
        self.change(|environment| environment.try_next(slot).map_err(io::Error::other))
    }

    /// From here on the boot loader starts the running system and nothing else. Where that is not the one
    /// that is gone back to, since that one can't be read, it is from now on.
    pub fn stay(&mut self) -> io::Result<()> {
        let slot = self.running;
        self.change(|environment| {
            stay(environment, slot);
            Ok(())
        })
    }

    /// To be called before the other slot is written: the boot loader neither tries nor falls back to
    /// what may be a part of a system only.
    pub fn give_over(&mut self) -> io::Result<()> {
        let slot = self.running;
        self.change(|environment| {
            stay(environment, slot);
            environment.distrust(slot.other());
            Ok(())
        })
    }

    fn change(
        &mut self,
        change: impl FnOnce(&mut Environment) -> io::Result<()>,
    ) -> io::Result<()> {
        let before = match self.loader.read() {
            Err(error) if slots::is_damaged(&error) => None,
            read => Some(read?),
        };
        let mut after = before.clone().unwrap_or_else(|| self.environment.clone());
        change(&mut after)?;
        if before.as_ref() != Some(&after) {
            self.loader.write(&after)?;
        }
        self.environment = after;
        Ok(())
    }

    /// What the boot loader knows counts; the note only tells it to people.
    fn try_to_write_note(&self, note: &Note) {
        if let Err(error) = self.write_note(note) {
            warn!(%error, "what became of the upgrade can't be noted");
        }
    }

    fn write_note(&self, note: &Note) -> io::Result<()> {
        files::write_settings(&self.note, note)
    }
}

/// By what the boot loader remembers now, and not by what was read of it before.
fn stay(environment: &mut Environment, running: Slot) {
    if environment.confirmed() != running
        || environment.trial().is_some()
        || environment.has_failed()
        || environment.fallen().is_some()
    {
        environment.confirm(running);
    }
}

/// What the boot loader must have known to start so.
fn fresh(start: Start) -> Environment {
    let mut environment = Environment::default();
    if start.is_tried {
        environment.confirm(start.slot.other());
        // It is the other one than that.
        let _ = environment.try_next(start.slot);
    } else {
        environment.confirm(start.slot);
    }
    environment
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Card {
        folder: tempfile::TempDir,
    }

    impl Card {
        /// The boot loader remembers this.
        fn new(lines: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            fs::create_dir(folder.path().join("grub")).expect("made");
            let card = Self { folder };
            card.write(lines);
            card
        }

        fn write(&self, lines: &str) {
            let mut block = format!("# GRUB Environment Block\n{lines}").into_bytes();
            block.resize(1024, b'#');
            fs::write(self.folder.path().join("grub/grubenv"), block).expect("written");
        }

        fn loader(&self) -> Loader {
            Loader::in_folder(self.folder.path())
        }

        fn environment(&self) -> Environment {
            self.loader().read().expect("an environment")
        }

        fn record(&self, running: Slot) -> Record {
            self.started(running, false)
        }

        fn started(&self, slot: Slot, is_tried: bool) -> Record {
            let note = self.folder.path().join("system/upgrade.json");
            let start = Start {
                signature: 0x4F42_0001,
                slot,
                is_tried,
            };
            Record::open(start, "1.2.0", note, self.loader()).expect("a record")
        }

        /// What the boot loader starts, as `grub.cfg` has it.
        fn next_start(&self) -> Slot {
            let environment = self.environment();
            let (next, confirmed) = (environment.trial(), environment.confirmed());
            let tries = next.map_or(0, |trial| trial.tries);
            let slot = next.filter(|trial| trial.tries > 0);
            self.write(&match next {
                Some(trial) if tries > 0 => {
                    format!(
                        "slot={confirmed}\nnext={}\ntries={}\n",
                        trial.slot,
                        tries - 1
                    )
                }
                Some(_) => format!("slot={confirmed}\nfailed=1\n"),
                None => format!("slot={confirmed}\n"),
            });
            slot.map_or(confirmed, |trial| trial.slot)
        }
    }

    #[test]
    fn a_slot_is_not_written_while_the_boot_loader_goes_back_to_it() {
        // A has proved itself and can't be read any more: the boot loader has started B.
        let card = Card::new("slot=A\n");
        let mut record = card.record(Slot::B);
        record.stay().expect("written");
        assert_eq!(card.environment().confirmed(), Slot::B);
        record.try_other("1.3.0", None).expect("written");
        for _ in 0..3 {
            assert_eq!(card.next_start(), Slot::A, "it is tried, and panics");
        }
        assert_eq!(card.next_start(), Slot::B);
        assert_eq!(card.next_start(), Slot::B);
    }

    #[test]
    fn a_slot_that_is_written_or_was_given_up_is_no_place_to_fall_back_to() {
        let card = Card::new("slot=A\n");
        let mut record = card.record(Slot::A);
        record.give_over().expect("written");
        assert_eq!(card.environment().bad(), Some(Slot::B));
        record.try_other("1.3.0", None).expect("written");
        assert_eq!(card.environment().bad(), None, "all of it is there");
        let mut tried = card.started(Slot::B, true);
        tried.give_up("it is not good").expect("written");
        assert_eq!(card.environment().bad(), Some(Slot::B));
        // Not even where the boot loader's memory is lost.
        fs::write(card.folder.path().join("grub/grubenv"), [0; 1024]).expect("written");
        card.record(Slot::A).came_up().expect("written");
        assert_eq!(card.environment().bad(), Some(Slot::B));
        card.record(Slot::A).stay().expect("written");
        assert_eq!(card.environment().bad(), Some(Slot::B));
    }

    #[test]
    fn what_the_boot_loader_was_told_by_another_is_seen_before_a_slot_is_written() {
        let card = Card::new("slot=A\n");
        let mut record = card.record(Slot::A);
        card.write("slot=A\nnext=B\ntries=3\n");
        record.stay().expect("written");
        assert_eq!(card.environment().trial(), None);
        assert_eq!(card.next_start(), Slot::A);
    }

    #[test]
    fn what_is_gone_back_to_is_never_tried() {
        let card = Card::new("slot=A\n");
        let mut record = card.record(Slot::B);
        assert!(record.try_other("1.3.0", None).is_err());
        assert_eq!(card.environment().trial(), None);
    }

    #[test]
    fn a_system_is_kept_once_it_has_proved_itself_and_not_before() {
        let card = Card::new("slot=A\nnext=B\ntries=2\n");
        let mut record = card.record(Slot::B);
        assert!(!record.is_kept());
        record.give_up("it is not good").expect("written");
        assert!(!record.is_kept());
        let mut record = card.record(Slot::B);
        assert!(!record.is_kept(), "nor after a restart of the child");
        record.confirm().expect("written");
        assert!(record.is_kept() && card.record(Slot::B).is_kept());
    }

    #[test]
    fn a_note_that_can_not_be_written_keeps_nothing_from_the_boot_loader() {
        for is_good in [true, false] {
            let card = Card::new("slot=A\nnext=B\ntries=2\n");
            fs::write(card.folder.path().join("system"), "no folder").expect("written");
            let mut record = card.record(Slot::B);
            if is_good {
                record.confirm().expect("told");
                assert_eq!(card.environment().confirmed(), Slot::B);
            } else {
                record.give_up("it is not good").expect("told");
                assert!(card.environment().has_failed());
            }
            assert_eq!(card.environment().trial(), None);
        }
    }

    #[test]
    fn a_damaged_memory_of_the_boot_loader_is_written_anew() {
        for (slot, is_tried) in [(Slot::A, false), (Slot::B, false), (Slot::B, true)] {
            let card = Card::new("");
            let path = card.folder.path().join("grub/grubenv");
            fs::write(&path, [0; 1024]).expect("written");
            let mut record = card.started(slot, is_tried);
            let environment = card.environment();
            assert_eq!(
                environment.trial().map(|trial| trial.slot),
                is_tried.then_some(slot)
            );
            let proved = if is_tried { slot.other() } else { slot };
            assert_eq!(environment.confirmed(), proved);
            fs::write(&path, "damaged again").expect("written");
            record.confirm().expect("told");
            assert_eq!(card.environment().confirmed(), slot);
        }
    }

    #[test]
    fn a_system_that_comes_up_clears_its_count_and_says_that_the_other_fell() {
        let card = Card::new("slot=B\nstarts=1\nfallen=A\n");
        let mut record = card.record(Slot::B);
        record.came_up().expect("written");
        assert!(!card.environment().is_counted());
        let fell = |record: &Record| match record.found() {
            Upgrade::Failed { reason, .. } => reason.contains("slot A has not come up"),
            _ => false,
        };
        assert!(fell(&record) && fell(&card.record(Slot::B)));
        record.try_other("1.3.0", None).expect("written");
        assert!(!fell(&record));
    }

    #[test]
    fn what_runs_in_place_of_another_counts_nothing_of_it() {
        let card = Card::new("slot=A\nstarts=4\n");
        card.record(Slot::B).came_up().expect("nothing to do");
        assert!(card.environment().is_counted());
    }

    #[test]
    fn the_ports_of_the_system_before_are_handed_over() {
        let card = Card::new("slot=A\n");
        let ports = Ports {
            there: vec!["eth0".into()],
            linked: true,
        };
        let mut record = card.record(Slot::A);
        record
            .try_other("1.3.0", Some(ports.clone()))
            .expect("written");
        assert_eq!(card.next_start(), Slot::B);
        assert_eq!(card.record(Slot::B).note().ports, Some(ports));
    }

    #[test]
    fn what_is_remembered_already_is_not_written() {
        let card = Card::new("slot=A\n# a remark that is lost where it is written\n");
        let path = card.folder.path().join("grub/grubenv");
        let before = fs::read(&path).expect("there");
        card.record(Slot::A).stay().expect("nothing to do");
        assert_eq!(fs::read(&path).expect("there"), before);
    }

    #[test]
    fn a_trial_is_forgotten_before_its_slot_is_written_again() {
        let card = Card::new("slot=A\nnext=B\ntries=3\n");
        let mut record = card.record(Slot::A);
        assert!(matches!(record.found(), Upgrade::Ready { .. }));
        record.stay().expect("written");
        assert_eq!(card.next_start(), Slot::A);
        assert!(!card.environment().has_failed());
    }
}

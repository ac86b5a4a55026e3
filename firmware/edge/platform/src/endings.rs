//! Processes that ended by themselves, on their way from the supervisor, which has no store, to
//! whoever writes the logs: a small file for each, in a folder of the data directory. The process leaves
//! its own reason there, where it knows one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use model::WallTime;

use crate::rights;

/// Endings that wait: more come only where a process fails over and over, and say nothing new.
const WAITING: usize = 100;
/// Characters of what happened: a system's error and some words around it.
const TEXT_CHARS: usize = 500;

/// Behind the name of a process whose ending is what it said itself before: the reason of one that comes
/// from the supervisor, and not another.
pub const LAST_WORDS: &str = "-last-words";

/// A process that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: WallTime,
    /// The name of its program.
    pub process: String,
    /// What happened, to be read after the name of the process.
    pub text: String,
}

/// Where endings wait in a data directory.
#[derive(Clone, Debug)]
pub struct Endings {
    run: PathBuf,
    folder: PathBuf,
}

impl Endings {
    /// Those of this data directory.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        let run = data.join("run");
        Self {
            folder: run.join("endings"),
            run,
        }
    }

    /// The folder that they wait in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves the reason for which a process is about to end, by its own words.
    ///
    /// # Errors
    /// What the disk says.
    pub fn leave_last_words(&self, process: &str, text: String) -> io::Result<()> {
        self.leave(&Ending {
            at: crate::clock::wall(),
            process: format!("{process}{LAST_WORDS}"),
            text,
        })
    }

    /// Leaves an ending to be found. Where too many wait already it is left out.
    ///
    /// # Errors
    /// What the disk says.
    pub fn leave(&self, ending: &Ending) -> io::Result<()> {
        rights::make_folder(&self.run)?;
        rights::make_folder(&self.folder)?;
        if fs::read_dir(&self.folder)?.count() >= WAITING {
            return Ok(());
        }
        let name = format!("{}-{}", ending.at.as_unix_micros(), ending.process);
        // It is found whole or not at all.
        let new = self.folder.join(format!("{name}.new"));
        rights::make_file(&new)?.write_all(ending.text.as_bytes())?;
        fs::rename(new, self.folder.join(name))
    }

    /// What was left, the first first.
    #[must_use]
    pub fn found(&self) -> Vec<Ending> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let mut endings: Vec<Ending> = entries
            .filter_map(|entry| read(&entry.ok()?.path()))
            .collect();
        endings.sort_by_key(|ending| ending.at);
        endings
    }

    /// Takes one away that is kept elsewhere now.
    ///
    /// # Errors
    /// What the disk says.
    pub fn take(&self, ending: &Ending) -> io::Result<()> {
        let name = format!("{}-{}", ending.at.as_unix_micros(), ending.process);
        fs::remove_file(self.folder.join(name))
    }
}

/// Leaves a file for each panic of this process from now on: the logs are to tell of it, and the process may
/// not live to say so.
pub fn leave_panics(endings: Endings, process: &'static str) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        let said = panic.payload_as_str().unwrap_or("no words");
        let at = panic
            .location()
            .map_or_else(String::new, |at| format!(" at {at}"));
        // Nobody is left to be told where it can't be.
        let _ = endings.leave_last_words(process, format!("has failed{at}: {said}"));
    }));
}

fn read(path: &Path) -> Option<Ending> {
    let (at, process) = path.file_name()?.to_str()?.split_once('-')?;
    if process.contains('.') {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    Some(Ending {
        at: WallTime::from_unix_micros(at.parse().ok()?),
        process: process.to_owned(),
        text: text.chars().take(TEXT_CHARS).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(at: i64, process: &str) -> Ending {
        Ending {
            at: WallTime::from_unix_micros(at),
            process: process.into(),
            text: "ended (signal: 9)".into(),
        }
    }

    fn endings(name: &str) -> (PathBuf, Endings) {
        let data = std::env::temp_dir().join(format!("endings-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        let endings = Endings::of(&data);
        (data, endings)
    }

    #[test]
    fn what_is_left_is_found_until_it_is_taken() {
        let (data, endings) = endings("found");
        assert_eq!(endings.found(), []);
        let both = [ending(1_000, "webd"), ending(20_000, "pbxd")];
        for ending in both.iter().rev() {
            endings.leave(ending).expect("left");
        }
        fs::write(endings.folder.join("30000-pbxd.new"), "half").expect("written");
        fs::write(endings.folder.join("notes"), "of somebody").expect("written");
        assert_eq!(endings.found(), both);
        endings.take(&both[0]).expect("taken");
        assert_eq!(endings.found(), [both[1].clone()]);
        fs::remove_dir_all(data).expect("removed");
    }

    #[test]
    fn a_panic_is_left_with_its_words_and_place() {
        let (data, endings) = endings("panics");
        leave_panics(endings.clone(), "pbxd");
        let thread = std::thread::spawn(|| panic!("out of {}", "order"));
        assert!(thread.join().is_err());
        drop(std::panic::take_hook());
        let found = endings.found();
        let left = (found.iter()).find(|ending| ending.text.ends_with(": out of order"));
        let left = left.expect("it is left");
        assert!(left.text.contains("endings.rs:"), "{left:?}");
        assert_eq!(left.process, "pbxd-last-words");
        fs::remove_dir_all(data).expect("removed");
    }

    #[test]
    fn whoever_can_write_in_the_data_folder_can_take_them() {
        use std::os::unix::fs::PermissionsExt;
        for (mode, folder, file) in [(0o700, 0o700, 0o600), (0o2770, 0o2770, 0o640)] {
            let (data, endings) = endings("rights");
            fs::create_dir(&data).expect("made");
            fs::set_permissions(&data, fs::Permissions::from_mode(mode)).expect("set");
            endings.leave(&ending(1_000, "webd")).expect("left");
            let mode = |path: &str| {
                let found = fs::metadata(data.join(path)).expect("there");
                found.permissions().mode() & 0o7777
            };
            assert_eq!(mode("run"), folder);
            assert_eq!(mode("run/endings"), folder);
            assert_eq!(mode("run/endings/1000-webd"), file);
            fs::remove_dir_all(data).expect("removed");
        }
    }

    #[test]
    fn those_that_wait_are_bounded() {
        let (data, endings) = endings("bounded");
        for at in 0..2 * 100 {
            endings.leave(&ending(at, "pbxd")).expect("left");
        }
        assert_eq!(endings.found().len(), WAITING);
        fs::remove_dir_all(data).expect("removed");
    }
}

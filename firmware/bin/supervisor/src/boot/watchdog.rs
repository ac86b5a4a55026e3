//! The watchdogs: hardware, and the kernel's own, that restart a machine whose PID 1 no longer turns.
//!
//! A board may have several, and nothing says which of them is wired to the reset: all are kept.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use platform::sys::watchdog::set_timeout;
use tracing::{info, warn};

const DEVICES: &str = "/dev";

/// The devices are this and a number; without one it is the first of them by another name.
const NAME: &str = "watchdog";

/// How long they are to wait, the longest first: a slow card takes its time, and what they come with may be half
/// a minute. Not each can wait as long as the first.
const WAITS_S: [u16; 2] = [120, 60];

/// Half a minute is the shortest that watchdogs of PC boards come with.
const EVERY: Duration = Duration::from_secs(5);

/// The watchdogs, where there are any.
pub struct Watchdog {
    devices: Vec<File>,
    kicked: Instant,
}

impl Watchdog {
    /// Opens them, which arms them. They watch over the shutdown too.
    pub fn open() -> Self {
        let watchdog = Self::of(Path::new(DEVICES));
        match watchdog.devices.len() {
            0 => warn!("there is no watchdog: a machine that hangs stays so"),
            count => info!(count, "a watchdog restarts the machine if it hangs"),
        }
        watchdog
    }

    fn of(folder: &Path) -> Self {
        let mut paths = numbered(folder);
        if paths.is_empty() {
            paths.push(folder.join(NAME));
        }
        let opened = paths.iter().filter_map(|path| {
            let opened = OpenOptions::new().write(true).open(path);
            opened
                .inspect(|device| wait_long(WAITS_S, |seconds| set_timeout(device, seconds)))
                .inspect_err(|error| warn!(path = %path.display(), %error, "no watchdog"))
                .ok()
        });
        Self {
            devices: opened.collect(),
            kicked: Instant::now(),
        }
    }

    /// Says that all is well; to be called at least every few seconds.
    pub fn kick(&mut self) {
        if self.kicked.elapsed() >= EVERY {
            self.kicked = Instant::now();
            self.tell(b"1");
        }
    }

    /// Says that nobody will say so any more, and that this is well.
    pub fn disarm(mut self) {
        self.tell(b"V");
    }

    fn tell(&mut self, word: &[u8]) {
        for device in &mut self.devices {
            let _ = device.write_all(word);
        }
    }
}

/// Asks a watchdog for the longest wait that it can do.
fn wait_long<T: Debug>(waits_s: [u16; 2], mut set: impl FnMut(u16) -> io::Result<T>) {
    for seconds in waits_s {
        match set(seconds) {
            Ok(seconds) => return info!(?seconds, "a watchdog waits so long"),
            Err(error) => warn!(seconds, %error, "a watchdog can't wait so long"),
        }
    }
}

fn numbered(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(NAME));
            number.is_some_and(|number| number.parse::<u8>().is_ok())
        })
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each watchdog of a folder is told from its start to its end.
    fn told(names: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            fs::write(folder.path().join(name), "").expect("made");
        }
        let mut watchdog = Watchdog::of(folder.path());
        watchdog.kicked -= EVERY;
        watchdog.kick();
        watchdog.kick();
        watchdog.disarm();
        let read = |name: &&str| fs::read_to_string(folder.path().join(name)).expect("there");
        names.iter().map(read).collect()
    }

    #[test]
    fn a_watchdog_waits_as_long_as_it_can() {
        for (most, asked) in [(200, vec![120]), (100, vec![120, 60]), (30, vec![120, 60])] {
            let mut heard = Vec::new();
            wait_long(WAITS_S, |seconds| {
                heard.push(seconds);
                if seconds <= most {
                    Ok(seconds)
                } else {
                    Err(io::ErrorKind::InvalidInput.into())
                }
            });
            assert_eq!(heard, asked);
        }
    }

    #[test]
    fn every_watchdog_is_kept_and_disarmed_once() {
        assert_eq!(told(&["watchdog", "watchdog0"]), ["", "1V"]);
        assert_eq!(told(&["watchdog0", "watchdog1"]), ["1V", "1V"]);
        assert_eq!(told(&["watchdog"]), ["1V"]);
        assert_eq!(told(&["watchdogs"]), [""]);
    }
}

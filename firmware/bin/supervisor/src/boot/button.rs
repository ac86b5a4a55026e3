//! The power button: who presses it wants the machine stopped in order, and so it is.
//!
//! The kernel tells of it as of a key, on one of the devices that say what was pressed (`linux/input.h`).

use std::ffi::c_ulong;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::mem::size_of;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc::O_NONBLOCK;
use nix::poll::{PollFd, PollFlags};
use tracing::{info, warn};

const DEVICES: &str = "/dev/input";

/// `EV_KEY`
const KEY: u16 = 1;
/// `KEY_POWER`
const POWER: u16 = 116;
/// A key that goes down; 0 is up, 2 is held.
const PRESSED: i32 = 1;

/// An event begins with its time: two words of the machine.
const TIME: usize = 2 * size_of::<c_ulong>();
/// Then its type, its code and its value.
const EVENT: usize = TIME + 8;
/// As many are read at once.
const EVENTS: usize = 64;

/// All devices that may have it: it is the machine's, a keyboard's, or both.
#[derive(Debug)]
pub struct PowerButton {
    devices: Vec<File>,
}

impl PowerButton {
    /// The one of this machine, where it has one: those that were there at the start.
    pub fn open() -> Self {
        let entries = fs::read_dir(DEVICES).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let devices: Vec<File> = paths
            .filter(|path| is_of_events(path))
            .filter_map(|path| {
                let mut options = OpenOptions::new();
                match options.read(true).custom_flags(O_NONBLOCK).open(&path) {
                    Ok(device) => Some(device),
                    Err(error) => {
                        warn!(%error, "{} can't be listened to", path.display());
                        None
                    }
                }
            })
            .collect();
        if devices.is_empty() {
            info!("the machine tells of no power button");
        }
        Self { devices }
    }

    /// What to wait for.
    pub fn waits(&self) -> impl Iterator<Item = PollFd<'_>> {
        (self.devices.iter()).map(|device| PollFd::new(device.as_fd(), PollFlags::POLLIN))
    }

    /// Whether it was pressed.
    pub fn was_pressed(&mut self) -> bool {
        let mut pressed = false;
        self.devices.retain_mut(|device| {
            let mut octets = [0; EVENT * EVENTS];
            // The kernel gives whole events. What is left is there the next time.
            match device.read(&mut octets) {
                Ok(0) => false,
                Ok(count) => {
                    pressed |= has_press(&octets[..count]);
                    true
                }
                Err(error) => {
                    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
                }
            }
        });
        pressed
    }
}

fn is_of_events(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("event"))
}

/// Whether one of these events says that the button went down.
fn has_press(events: &[u8]) -> bool {
    events.chunks_exact(EVENT).any(|event| {
        let word = |at: usize| u16::from_ne_bytes([event[at], event[at + 1]]);
        let value = [TIME + 4, TIME + 5, TIME + 6, TIME + 7].map(|at| event[at]);
        word(TIME) == KEY && word(TIME + 2) == POWER && i32::from_ne_bytes(value) == PRESSED
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        let mut octets = vec![0x55; TIME];
        octets.extend(kind.to_ne_bytes());
        octets.extend(code.to_ne_bytes());
        octets.extend(value.to_ne_bytes());
        octets
    }

    #[test]
    fn only_the_power_button_that_goes_down_counts() {
        let sync = event(0, 0, 0);
        for (kind, code, value, counts) in [
            (KEY, POWER, PRESSED, true),
            (KEY, POWER, 0, false),
            (KEY, POWER, 2, false),
            (KEY, 30, PRESSED, false),
            (4, POWER, PRESSED, false),
        ] {
            let events = [sync.clone(), event(kind, code, value), sync.clone()].concat();
            assert_eq!(has_press(&events), counts, "{kind} {code} {value}");
        }
        let whole = event(KEY, POWER, PRESSED);
        assert!(!has_press(&whole[..whole.len() - 1]));
    }

    #[test]
    fn keyboards_and_buttons_are_listened_to_and_nothing_else() {
        assert!(is_of_events(Path::new("/dev/input/event0")));
        assert!(!is_of_events(Path::new("/dev/input/mice")));
        assert!(!is_of_events(Path::new("/dev/input/by-path")));
    }
}

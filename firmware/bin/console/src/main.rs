//! The menu of the machine on a terminal: its status and addresses, network and time, restart and power
//! off. It decides nothing itself: what it asks is carried out by the `system` child of the supervisor.
//!
//! One thread, no waiting but in `poll`: for keys, answers, a second that went by, the pause after an
//! Escape. It runs until it is told to stop or its terminal goes away.

mod clock;
mod desk;
mod field;
mod key;
mod menu;
mod options;
mod page;
mod peer;
mod plain;
mod screen;
mod terminal;
mod texts;
mod view;
mod zones;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};

use desk::Desk;
use key::{Key, Keys};
use menu::{Effect, Menu};
use plain::Plain;
use screen::Screen;
use terminal::{Kind, Terminal};

/// The longest pause between two bytes of one key: a character takes 1 ms at 9600 bit/s, and over a
/// network they may come apart.
const ONE_KEY: Duration = Duration::from_millis(150);

/// Serial lines lose characters and the kernel writes between ours: the screen is drawn anew after so
/// many seconds without a key.
const REPAIR_EVERY_S: u32 = 60;

/// Who came in by ssh and pressed no key for a quarter of an hour has gone: the server of ssh can't tell, as
/// the menu draws the time each second.
const GONE_AFTER_S: u32 = 15 * 60;

/// A line that is longer is no answer to anything, and no key of ssh with spaces around it.
const LONGEST_LINE: usize = 2 * platform::ssh::KEY_CHARS;

const SECOND: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    let options = options::Options::parse();
    let signals = signals()?;
    let kind = Kind::of(&std::env::var("TERM").unwrap_or_default());
    let mut terminal = Terminal::open(kind).context("the terminal can't be used")?;
    let now = Instant::now();
    let mut face = match kind {
        Kind::Screen => Face::Screen {
            keys: Keys::default(),
            screen: Screen::default(),
        },
        Kind::Lines => Face::Lines {
            line: Vec::new(),
            plain: Plain::default(),
        },
    };
    let mut menu = Menu::new(zones::all());
    let mut desk = Desk::new(&options.run, asker(), now);
    let (mut next, mut typed, mut quiet_s) = (now, now, 0);
    loop {
        let now = Instant::now();
        if next <= now {
            // A machine that slept doesn't catch up.
            next = (next + SECOND).max(now);
            quiet_s += 1;
            if has_gone(by_ssh().is_some(), quiet_s) {
                return Ok(());
            }
            if quiet_s % REPAIR_EVERY_S == 0 {
                face.repair();
            }
            let effects = menu.second();
            desk.carry_out(&mut menu, effects, now);
        }
        desk.pump(&mut menu, now);
        let bytes = match terminal.read() {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(()),
            // A line that has hung up.
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => return Ok(()),
            Err(error) => return Err(error).context("the terminal can't be read"),
        };
        if !bytes.is_empty() {
            (typed, quiet_s) = (now, 0);
        }
        let paused = now.duration_since(typed) >= ONE_KEY;
        let (effects, print) = face.take(&mut menu, &bytes, paused);
        desk.carry_out(&mut menu, effects, now);
        terminal
            .write(print.as_bytes())
            .context("the terminal has gone")?;
        // What is slow gets the newest screen when it has taken the one before.
        if terminal.is_idle() {
            terminal
                .write(&face.show(&menu))
                .context("the terminal has gone")?;
        }
        if wait(
            &terminal,
            &desk,
            &signals,
            face.limit(typed).map_or(next, |limit| limit.min(next)),
        )? {
            return Ok(());
        }
    }
}

/// How the menu looks on this terminal.
enum Face {
    Screen { keys: Keys, screen: Screen },
    Lines { line: Vec<u8>, plain: Plain },
}

impl Face {
    /// Takes what was typed; what it leads to, and what to print at once.
    fn take(&mut self, menu: &mut Menu, bytes: &[u8], paused: bool) -> (Vec<Effect>, String) {
        let (mut effects, mut print) = (Vec::new(), String::new());
        match self {
            Self::Screen { keys, screen } => {
                let pause = if paused { keys.pause() } else { None };
                let typed = bytes.iter().filter_map(|&byte| keys.push(byte));
                for key in pause.into_iter().chain(typed) {
                    if key == Key::Redraw {
                        screen.forget();
                    }
                    effects.extend(menu.key(key));
                }
            }
            Self::Lines { line, plain } => {
                for &byte in bytes {
                    match byte {
                        b'\n' | b'\r' => {
                            let text = String::from_utf8_lossy(line).into_owned();
                            line.clear();
                            let (more, question) = plain.line(menu, &text);
                            effects.extend(more);
                            print.push_str(&question);
                        }
                        0x0c => plain.forget(),
                        _ if line.len() < LONGEST_LINE => line.push(byte),
                        _ => {}
                    }
                }
            }
        }
        (effects, print)
    }

    /// The bytes that bring the terminal up to date.
    fn show(&mut self, menu: &Menu) -> Vec<u8> {
        match self {
            Self::Screen { screen, .. } => screen.draw(&view::grid(&menu.page())),
            Self::Lines { plain, .. } => plain.show(menu).into_bytes(),
        }
    }

    fn repair(&mut self) {
        if let Self::Screen { screen, .. } = self {
            screen.forget();
        }
    }

    /// Until when a key that has begun may go on.
    fn limit(&self, typed: Instant) -> Option<Instant> {
        match self {
            Self::Screen { keys, .. } => keys.is_open().then(|| typed + ONE_KEY),
            Self::Lines { .. } => None,
        }
    }
}

/// Whether nobody is there any more. On the machine's own terminals the menu is always shown.
const fn has_gone(by_ssh: bool, quiet_s: u32) -> bool {
    by_ssh && quiet_s >= GONE_AFTER_S
}

/// Whom to name in the log of the system.
fn asker() -> String {
    by_ssh().map_or_else(
        || "console".to_owned(),
        |address| format!("console, by ssh from {address}"),
    )
}

/// The address of who came in by ssh.
fn by_ssh() -> Option<String> {
    let client = std::env::var("SSH_CONNECTION").ok()?;
    let address = client.split(' ').next()?;
    (!address.is_empty()).then(|| address.to_owned())
}

fn signals() -> Result<SignalFd> {
    let set: SigSet = platform::signals::stops().into_iter().collect();
    set.thread_block().context("signals can be blocked")?;
    SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        .context("signals can be read")
}

/// Sleeps until something happens; true where it is the end.
fn wait(terminal: &Terminal, desk: &Desk, signals: &SignalFd, limit: Instant) -> Result<bool> {
    let left = limit.saturating_duration_since(Instant::now());
    // Rounded up, or the last millisecond is spent in circles.
    let timeout =
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::ZERO);
    let mut ready: Vec<PollFd<'_>> = terminal
        .waits_for()
        .chain(desk.waits_for())
        .map(|(fd, events)| PollFd::new(fd, events))
        .collect();
    ready.push(PollFd::new(signals.as_fd(), PollFlags::POLLIN));
    match poll(&mut ready, timeout) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => {}
        Err(error) => bail!("can't wait: {error}"),
    }
    Ok(matches!(signals.read_signal(), Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_by_ssh_and_presses_no_key_is_gone_after_a_quarter_of_an_hour() {
        assert!(!has_gone(true, 0));
        assert!(!has_gone(true, 899));
        assert!(has_gone(true, 900));
        assert!(!has_gone(false, 1_000_000), "the machine's own terminal");
    }
}

//! The system child: does what needs root, for those who may ask for it.
//!
//! One thread and one loop over everything: the socket it is asked over, DHCP, cables, time. Only what
//! may wait has a thread of its own: asking for the time, writing an upgrade. What concerns the
//! supervisor itself is handed to it as an [`Order`](crate::orders::Order) on the standard output.

mod asker;
mod judge;
mod loader;
mod machine;
mod other;
pub mod proof;
mod record;
pub mod remote;
pub mod restarts;
mod trial;
mod upgrade;
mod visit;

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use model::Instant;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;
use tracing::{info, warn};

use crate::options::System;
use crate::processes::{Clock, stop_is_asked};
use asker::Asker;
use machine::Machine;

/// The name of the socket in the folder of sockets.
const SOCKET: &str = "system.sock";

/// The administration keeps one or two connections, each menu one.
const ASKERS: usize = 32;

/// Serves until it is told to stop.
pub fn run(options: &System, signals: &SignalFd) -> Result<()> {
    let clock = Clock::start();
    let mut machine = Machine::start(options, clock.now())?;
    let path = options.run.join(SOCKET);
    let listener = listen(&path).with_context(|| format!("can't listen on {}", path.display()))?;
    info!(socket = %path.display(), read_only = options.read_only, "the system can be asked");
    let mut askers: Vec<Asker> = Vec::new();
    loop {
        wait(signals, &listener, &machine, &askers, clock.now());
        if stop_is_asked(signals) {
            break;
        }
        accept(&listener, &mut askers);
        machine.turn(clock.now());
        for asker in &mut askers {
            while let Some(question) = asker.next_question() {
                let reply = machine.answer(clock.now(), asker.may(), question);
                asker.tell(&reply);
            }
        }
        askers.retain(Asker::is_there);
    }
    machine.stop();
    let _ = fs::remove_file(&path);
    Ok(())
}

fn listen(path: &Path) -> Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => set_aside(path)?,
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let listener = UnixListener::bind(path)?;
    // Its group is that of the folder. Who of the group may ask is looked at in each asker.
    fs::set_permissions(path, Permissions::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Gives a folder that somebody made where the socket goes a name that nobody can foresee: so nobody is there
/// already, and what is in it, however deep, takes no time.
fn set_aside(path: &Path) -> Result<()> {
    let mut chance = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut chance)?;
    let name = format!("foreign-{:016x}", u64::from_ne_bytes(chance));
    warn!(path = %path.display(), name, "somebody has put a folder here: it is set aside");
    fs::rename(path, path.with_added_extension(name))?;
    Ok(())
}

/// Takes in those who came. No more at once than there are places: a flood of them must not stop the rest.
fn accept(listener: &UnixListener, askers: &mut Vec<Asker>) {
    for _ in 0..ASKERS {
        let Ok((stream, _)) = listener.accept() else {
            return;
        };
        match Asker::new(stream) {
            Ok(asker) => admit(asker, askers),
            Err(error) => warn!(%error, "an asker can't be heard"),
        }
    }
}

/// Gives an asker a place. One who may not ask has none: all of them together can't keep one who may out.
fn admit(mut asker: Asker, askers: &mut Vec<Asker>) {
    if !asker.may() {
        asker.tell(&machine::failed("Whoever asks may not."));
    } else if askers.len() >= ASKERS {
        warn!("too many ask at once: one was turned away");
    } else {
        askers.push(asker);
    }
}

/// Sleeps until something may have happened.
fn wait(
    signals: &SignalFd,
    listener: &UnixListener,
    machine: &Machine,
    askers: &[Asker],
    now: Instant,
) {
    let mut ready: Vec<PollFd<'_>> = [signals.as_fd(), listener.as_fd()]
        .into_iter()
        .chain(machine.descriptors())
        .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
        .collect();
    ready.extend(askers.iter().map(Asker::poll));
    // Rounded up: waking too early would find nothing to do and wake again.
    let left = machine.poll_timeout() - now + Duration::from_micros(999);
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    let _ = poll(&mut ready, timeout);
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn nothing_that_stands_where_the_socket_goes_keeps_the_system_from_being_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(SOCKET);
        for _ in 0..2 {
            fs::create_dir_all(path.join("by/somebody")).expect("made");
            drop(listen(&path).expect("a folder is set aside"));
            drop(listen(&path).expect("the socket of before is replaced"));
            fs::remove_file(&path).expect("removed");
        }
        let aside = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(aside, 2);
    }

    #[test]
    fn those_who_may_not_ask_keep_nobody_out() {
        let mut askers = Vec::new();
        for _ in 0..2 * ASKERS {
            let (mut near, far) = UnixStream::pair().expect("a pair");
            admit(Asker::of(far, false).expect("an asker"), &mut askers);
            let mut told = String::new();
            near.read_to_string(&mut told).expect("told, and closed");
            assert!(told.contains("may not") && told.ends_with('\n'), "{told}");
        }
        assert!(askers.is_empty());
        for _ in 0..2 * ASKERS {
            let (_, far) = UnixStream::pair().expect("a pair");
            admit(Asker::of(far, true).expect("an asker"), &mut askers);
        }
        assert_eq!(askers.len(), ASKERS);
    }
}

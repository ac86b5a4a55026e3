//! Stands in the place of `pbxd` on a machine under test: becomes the real one, which a connection to
//! [`PORT`] then kills.
//!
//! What runs is `pbxd` itself, as the process the supervisor started. Beside it waits a child of the
//! same user, since nobody else in the image may or can end it.

use std::net::TcpListener;
use std::os::unix::process::{CommandExt, parent_id};
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whoever connects here ends the exchange.
const PORT: u16 = 4999;
/// The first word of the child that waits for it.
const WAIT: &str = "--kill-when-asked";
/// The real one.
const REAL: &str = "/usr/bin/pbxd.real";

fn main() -> Result<()> {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let first = words.first().and_then(|word| word.to_str());
    if first == Some(WAIT) {
        let victim = i32::try_from(parent_id()).context("a process id")?;
        // Where the port is taken, whoever has it goes first.
        let listener = TcpListener::bind(("0.0.0.0", PORT))?;
        listener.accept()?;
        return Ok(kill(Pid::from_raw(victim), Signal::SIGKILL)?);
    }
    // The call to itself is another program of the same name.
    if first != Some("self-call") {
        let own = std::env::current_exe()?;
        Command::new(own).arg(WAIT).spawn()?;
    }
    Err(Command::new(REAL).args(words).exec()).context(REAL)
}

//! The exchange on any Linux machine, as an ordinary process.
//!
//! One thread, no waiting on a child: it sleeps in `poll` on a signalfd until a child ends, a stop is
//! asked for, or a restart is due.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use model::{PORTS_PER_CALL, PortRange};
use nix::sys::signalfd::SignalFd;
use platform::endings::Endings;
use platform::rights::make_folder;
use tracing::info;

use crate::options::Run;
use crate::processes::{Clock, Process, asked_to_stop};
use crate::system::restarts;

/// Runs the exchange until SIGINT, SIGTERM or SIGHUP. To be called on the main thread: the processes
/// end with it.
pub fn run(options: &Run, signals: &SignalFd) -> Result<()> {
    has_ports_for(options.rtp_ports, options.calls)?;
    let run = options.data.join("run");
    make_folder(&run).with_context(|| format!("can't make {}", options.data.display()))?;
    let endings = Endings::of(&options.data);
    let mut processes = [
        Process::new("supervisor", system(options)?),
        Process::new("pbxd", pbxd(options)?),
        Process::new("webd", webd(options)?),
    ];
    let clock = Clock::start();
    // What the last supervisor told is over.
    let mut told = None;
    loop {
        for process in &mut processes {
            process.tend(clock.now(), &endings);
        }
        let count = processes.iter().map(Process::endings).sum();
        if told != Some(count) {
            told = Some(count);
            restarts::tell(&run, count);
        }
        if asked_to_stop(signals) {
            break;
        }
    }
    info!("stopping");
    // The web first: nothing is asked of an exchange that is going down.
    for process in processes.iter_mut().rev() {
        process.stop(|| ());
    }
    Ok(())
}

/// This machine is somebody else's to administer: it is only shown.
fn system(options: &Run) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("this program has a path")?);
    command
        .args(["system", "--read-only", "--data"])
        .arg(&options.data)
        .arg("--run")
        .arg(options.data.join("run"));
    Ok(command)
}

fn pbxd(options: &Run) -> Result<Command> {
    let mut command = Command::new(beside("pbxd")?);
    command
        .arg("--data")
        .arg(&options.data)
        .arg("--control")
        .arg(control(options))
        .arg("--sip-port")
        .arg(options.sip_port.to_string())
        .arg("--sips-port")
        .arg(options.sip_port.saturating_add(1).to_string())
        .arg("--rtp-ports")
        .arg(options.rtp_ports.to_string())
        .arg("--calls")
        .arg(options.calls.to_string());
    for address in &options.sip_address {
        command.arg("--sip-address").arg(address.to_string());
    }
    Ok(command)
}

fn webd(options: &Run) -> Result<Command> {
    let mut command = Command::new(beside("webd")?);
    command
        .arg("--data")
        .arg(&options.data)
        .arg("--control")
        .arg(control(options))
        .arg("--listen")
        .arg(format!("[::]:{}", options.https_port));
    if options.no_redirect {
        command.args(["--redirect-http", "off", "--redirect-https", "off"]);
    }
    Ok(command)
}

/// Said at once: the exchange could only say it to a log that nobody reads yet.
fn has_ports_for(range: PortRange, calls: u16) -> Result<()> {
    let room = range.calls();
    anyhow::ensure!(
        room >= calls.into(),
        "--rtp-ports {range} has room for {room} calls at once, and --calls is {calls}: each call takes \
         {PORTS_PER_CALL} ports. Give {} ports or more, beginning with an even one, or fewer calls",
        u32::from(calls) * PORTS_PER_CALL
    );
    Ok(())
}

fn control(options: &Run) -> PathBuf {
    options.data.join("run/pbxd.sock")
}

/// The program of this name in the folder that this program is in.
fn beside(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("this program has a path")?;
    let path = here.parent().unwrap_or(Path::new(".")).join(name);
    anyhow::ensure!(
        path.is_file(),
        "{} is missing: build it first",
        path.display()
    );
    Ok(path)
}

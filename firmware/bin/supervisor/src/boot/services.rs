//! The services of the machine, from the first start to the last stop.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use platform::endings::Endings;
use platform::sys::process::take_terminal;
use tracing::{error, info, warn};

use super::confine::as_user;
use super::machine::{DATA, End, RUN};
use super::watchdog::Watchdog;
use crate::orders::Order;
use crate::processes::{Clock, GLANCE, Process, stop_is_asked};
use crate::system::{proof, restarts};

const PROGRAMS: &str = "/usr/bin";

/// Where the menu is shown, where the machine has it.
const TERMINALS: [&str; 2] = ["/dev/ttyS0", "/dev/tty1"];

/// The most orders read at once.
const ORDERS: usize = 256;

struct Services {
    /// The system child first, the exchange second, the administration third, then the menus.
    processes: Vec<Process>,
    orders: Option<ChildStdout>,
}

const SYSTEM: usize = 0;
const EXCHANGE: usize = 1;
const ADMINISTRATION: usize = 2;

/// Runs everything until the end is asked for, and stops it in order.
pub fn run(signals: &SignalFd, watchdog: &mut Watchdog) -> Result<End> {
    let mut services = Services {
        processes: vec![
            Process::new("supervisor", system()),
            Process::new("pbxd", exchange()?),
            Process::new("webd", administration()?),
        ],
        orders: None,
    };
    for terminal in TERMINALS {
        match menu(terminal) {
            Ok(Some(command)) => services.processes.push(Process::new("console", command)),
            Ok(None) => {}
            Err(error) => warn!("no menu on {terminal}: {error:#}"),
        }
    }
    let endings = Endings::of(Path::new(DATA));
    let clock = Clock::start();
    let mut told = 0;
    let end = loop {
        for (index, process) in services.processes.iter_mut().enumerate() {
            if process.tend(clock.now(), &endings) && index == SYSTEM {
                services.orders = process.child().and_then(|child| child.stdout.take());
                services.orders.iter().for_each(never_wait);
            }
        }
        let count = services.processes.iter().map(Process::endings).sum();
        if count != told {
            told = count;
            restarts::tell(Path::new(RUN), count);
        }
        reap_orphans(&mut services.processes);
        watchdog.kick();
        wait(signals, services.orders.as_ref());
        if stop_is_asked(signals) {
            break End::Reboot;
        }
        if let Some(end) = services.carry_out(watchdog) {
            break end;
        }
    };
    info!(?end, "stopping");
    for process in services.processes.iter_mut().rev() {
        process.stop(|| watchdog.kick());
    }
    Ok(end)
}

impl Services {
    /// Does what the system child asks; says when everything is to end.
    fn carry_out(&mut self, watchdog: &mut Watchdog) -> Option<End> {
        let mut bytes = [0; ORDERS];
        let count = self.orders.as_mut()?.read(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        for line in text.lines() {
            match line.parse() {
                Ok(Order::RestartExchange) => self.restart(EXCHANGE, watchdog),
                Ok(Order::RestartAdministration) => self.restart(ADMINISTRATION, watchdog),
                Ok(Order::Reboot) => return Some(End::Reboot),
                Ok(Order::PowerOff) => return Some(End::PowerOff),
                Err(_) => error!(line, "the system child asks for what there is not"),
            }
        }
        None
    }

    fn restart(&mut self, index: usize, watchdog: &mut Watchdog) {
        if let Some(process) = self.processes.get_mut(index) {
            info!(process = process.name(), "restarting");
            process.stop(|| watchdog.kick());
            process.again();
        }
    }
}

fn program(name: &str) -> Command {
    let mut command = Command::new(Path::new(PROGRAMS).join(name));
    command.current_dir("/").env_clear().stdin(Stdio::null());
    command
}

fn system() -> Command {
    let mut command = program("supervisor");
    command
        .args(["system", "--data", DATA, "--run", RUN])
        .stdout(Stdio::piped());
    command
}

fn exchange() -> Result<Command> {
    let mut command = program("pbxd");
    command
        .args(["--data", DATA, "--control"])
        .arg(Path::new(RUN).join("pbxd.sock"))
        .arg("--self-call")
        .arg(proof::file(Path::new(RUN)));
    as_user(&mut command, "pbxd", true)?;
    Ok(command)
}

fn administration() -> Result<Command> {
    let mut command = program("webd");
    command
        .args(["--data", DATA, "--control"])
        .arg(Path::new(RUN).join("pbxd.sock"));
    as_user(&mut command, "webd", false)?;
    Ok(command)
}

/// The menu on a terminal, where the machine has that.
fn menu(terminal: &str) -> Result<Option<Command>> {
    let Ok(device) = open(terminal) else {
        return Ok(None);
    };
    let mut command = program("console");
    if !Path::new(command.get_program()).exists() {
        return Ok(None);
    }
    command
        .args(["--run", RUN])
        .env(
            "TERM",
            if terminal.contains("ttyS") {
                "vt100"
            } else {
                "linux"
            },
        )
        .stdin(device.try_clone().context("a terminal")?)
        .stdout(device);
    take_terminal(&mut command);
    as_user(&mut command, "console", false)?;
    Ok(Some(command))
}

fn open(terminal: &str) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(terminal)
}

fn never_wait(orders: &ChildStdout) {
    if let Err(error) = fcntl(orders.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)) {
        warn!(%error, "orders may be waited for");
    }
}

/// Sleeps until something may have happened.
fn wait(signals: &SignalFd, orders: Option<&ChildStdout>) {
    let mut ready = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    ready.extend(orders.map(|orders| PollFd::new(orders.as_fd(), PollFlags::POLLIN)));
    let glance = PollTimeout::try_from(GLANCE).unwrap_or(PollTimeout::ZERO);
    let _ = poll(&mut ready, glance);
}

/// Processes whose parent ended are PID 1's to bury; its own are left to [`Process`].
fn reap_orphans(processes: &mut [Process]) {
    let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(status) = waitid(Id::All, peek) {
        let Some(pid) = status.pid() else { return };
        let own = processes.iter_mut().any(|process| {
            let child = process.child().map(|child| child.id());
            child.and_then(|id| i32::try_from(id).ok()) == Some(pid.as_raw())
        });
        if own
            || !matches!(waitpid(pid, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive)
        {
            return;
        }
    }
}

//! The services of the machine, from the first start to the last stop.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use anyhow::Result;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, User};
use platform::endings::Endings;
use platform::sys::process::take_terminal;
use tracing::{error, info, warn};

use super::button::PowerButton;
use super::confine::{as_needed_most, as_user, without_data};
use super::machine::{DATA, End, RUN};
use super::trial::Trial;
use super::watchdog::Watchdog;
use crate::orders::{Incoming, Order};
use crate::processes::{Clock, GLANCE, Process, open_terminal, stop_is_asked};
use crate::system::{proof, remote, restarts};

const PROGRAMS: &str = "/usr/bin";

/// Where the menu is shown, where the machine has it.
const TERMINALS: [&str; 2] = ["/dev/ttyS0", "/dev/tty1"];

struct Services {
    /// The system child first, the exchange second, the administration third, the server of ssh fourth,
    /// then the menus.
    processes: Vec<Process>,
    orders: Incoming<ChildStdout>,
    trial: Trial,
}

/// What the services are to know of this start.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The system has to prove itself.
    pub is_tried: bool,
    /// The card's data can't be used.
    pub data_in_memory: bool,
}

const SYSTEM: usize = 0;
const EXCHANGE: usize = 1;
const ADMINISTRATION: usize = 2;
const REMOTE_MENU: usize = 3;

/// Runs everything until the end is asked for, and stops it in order. A system that is tried ends in a
/// restart, where it is not proved in time.
pub fn run(signals: &SignalFd, watchdog: &mut Watchdog, start: Circumstances) -> Result<End> {
    let clock = Clock::start();
    let Circumstances {
        is_tried,
        data_in_memory,
    } = start;
    let mut services = Services {
        processes: vec![
            Process::new("supervisor", system(data_in_memory)),
            Process::new("pbxd", exchange()?),
            Process::new("webd", administration(data_in_memory)?),
            Process::new("dropbear", remote_menu()?).later(),
        ],
        orders: Incoming::new(None),
        trial: Trial::new(is_tried, clock.now()),
    };
    for terminal in TERMINALS.map(Path::new) {
        // Which there are is known at the start; one that has gone may come back.
        if open_terminal(terminal).is_err() {
            continue;
        }
        match menu(terminal) {
            Ok(command) => {
                let process = Process::new("console", command).on_terminal(terminal);
                services.processes.push(process);
            }
            Err(error) => warn!("no menu on {}: {error:#}", terminal.display()),
        }
    }
    let endings = Endings::of(Path::new(DATA));
    let mut button = PowerButton::open();
    let mut told = 0;
    let end = loop {
        for (index, process) in services.processes.iter_mut().enumerate() {
            if process.tend(clock.now(), &endings) && index == SYSTEM {
                let orders = process.child().and_then(|child| child.stdout.take());
                orders.iter().for_each(never_wait);
                services.orders = Incoming::new(orders);
            }
        }
        let count = services.processes.iter().map(Process::endings).sum();
        if count != told {
            told = count;
            restarts::tell(Path::new(RUN), count);
        }
        reap_orphans(&mut services.processes);
        watchdog.kick();
        wait(signals, services.orders.pipe(), &button);
        if stop_is_asked(signals) {
            break End::Reboot;
        }
        if button.was_pressed() {
            info!("the power button was pressed");
            break End::PowerOff;
        }
        if let Some(end) = services.carry_out(watchdog) {
            break end;
        }
        if services.trial.is_over(clock.now()) {
            error!("the new system has not proved itself in time");
            break End::Reboot;
        }
    };
    info!(?end, "stopping");
    for process in services.processes.iter_mut().rev() {
        process.stop(|| watchdog.kick());
    }
    end_all_of(remote::USER);
    Ok(end)
}

impl Services {
    /// Does what the system child asks; says when everything is to end.
    fn carry_out(&mut self, watchdog: &mut Watchdog) -> Option<End> {
        for line in self.orders.lines() {
            match line.parse() {
                Ok(Order::RestartExchange) => self.restart(EXCHANGE, watchdog),
                Ok(Order::RestartAdministration) => self.restart(ADMINISTRATION, watchdog),
                Ok(Order::StartRemoteMenu) => self.processes[REMOTE_MENU].again(),
                Ok(Order::StopRemoteMenu) => {
                    self.processes[REMOTE_MENU].stop(|| watchdog.kick());
                    end_all_of(remote::USER);
                }
                Ok(Order::Proved) => self.trial.proved(),
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

fn system(data_in_memory: bool) -> Command {
    let mut command = program("supervisor");
    command
        .args(["system", "--data", DATA, "--run", RUN])
        .args(data_in_memory.then_some("--data-in-memory"))
        .stdout(Stdio::piped());
    as_needed_most(&mut command);
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

fn administration(data_in_memory: bool) -> Result<Command> {
    let mut command = program("webd");
    command
        .args(["--data", DATA, "--control"])
        .arg(Path::new(RUN).join("pbxd.sock"));
    if data_in_memory {
        // The administrator has been there long since: nobody else may take that place.
        command.args(["--first-visit", "off"]);
    }
    as_user(&mut command, "webd", false)?;
    Ok(command)
}

/// The server of ssh. It is no user's but its own: so it lets in that user alone, and whatever comes in
/// is what the user's shell is, the menu.
fn remote_menu() -> Result<Command> {
    let mut command = Command::new("/usr/sbin/dropbear");
    command
        .current_dir("/")
        .env_clear()
        .stdin(Stdio::null())
        // In the foreground, its log to the kernel's; keys only; no ways through to elsewhere; a connection
        // without a word for a quarter of an hour is closed. The menu ends by itself where no key is
        // pressed for as long.
        .args([
            "-F", "-E", "-s", "-j", "-k", "-T", "3", "-I", "900", "-p", "22",
        ])
        .arg("-r")
        .arg(remote::paths(Path::new(DATA), Path::new(remote::HOME)).server_key());
    without_data(&mut command, remote::USER)?;
    Ok(command)
}

/// Ends every process of a user: those who are in the menu outlive the server that let them in.
fn end_all_of(user: &str) {
    let Ok(Some(user)) = User::from_name(user) else {
        return;
    };
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && entry
                .metadata()
                .is_ok_and(|process| process.uid() == user.uid.as_raw())
        {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

/// The menu on a terminal.
fn menu(terminal: &Path) -> Result<Command> {
    let mut command = program("console");
    let is_serial = terminal.to_string_lossy().contains("ttyS");
    command
        .args(["--run", RUN])
        .env("TERM", if is_serial { "vt100" } else { "linux" });
    take_terminal(&mut command);
    as_user(&mut command, "console", false)?;
    Ok(command)
}

fn never_wait(orders: &ChildStdout) {
    if let Err(error) = fcntl(orders.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)) {
        warn!(%error, "orders may be waited for");
    }
}

/// Sleeps until something may have happened.
fn wait(signals: &SignalFd, orders: Option<&ChildStdout>, button: &PowerButton) {
    let mut ready = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    ready.extend(orders.map(|orders| PollFd::new(orders.as_fd(), PollFlags::POLLIN)));
    ready.extend(button.waits());
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

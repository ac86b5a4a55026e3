//! The processes themselves: started, watched, restarted, stopped.
//!
//! One thread, no waiting on a child: it sleeps in `poll` on a signalfd until a child ends, a stop is
//! asked for, or a restart is due.

use std::fs::DirBuilder;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result};
use model::Instant;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use platform::endings::{Ending, Endings};
use platform::sys::process::end_with_parent;
use tracing::{error, info, warn};

use crate::options::Run;
use crate::policy::Restarts;

/// How long a process may take to stop before it is killed: calls are cleared within it.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// How often the loop looks round where nothing else is due.
const GLANCE: Duration = Duration::from_millis(500);

struct Process {
    name: &'static str,
    command: Command,
    child: Option<Child>,
    started: Instant,
    due: Option<Instant>,
    restarts: Restarts,
}

/// Runs the exchange until SIGINT, SIGTERM or SIGHUP. To be called on the main thread: the processes
/// end with it.
pub fn run(options: &Run, signals: &SignalFd) -> Result<()> {
    let zero = std::time::Instant::now();
    let now =
        || Instant::from_micros(u64::try_from(zero.elapsed().as_micros()).unwrap_or(u64::MAX));

    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(options.data.join("run"))
        .with_context(|| format!("can't make {}", options.data.display()))?;
    let endings = Endings::of(&options.data);
    let mut processes = [
        process("pbxd", pbxd(options)?, now()),
        process("webd", webd(options)?, now()),
    ];
    for process in &mut processes {
        start(process, now(), &endings);
    }
    loop {
        if asked_to_stop(signals) {
            break;
        }
        for process in &mut processes {
            reap(process, now(), &endings);
            if process.due.is_some_and(|due| due <= now()) {
                start(process, now(), &endings);
            }
        }
    }
    info!("stopping");
    // The web first: nothing is asked of an exchange that is going down.
    for process in processes.iter_mut().rev() {
        stop(process, now);
    }
    Ok(())
}

fn process(name: &'static str, mut command: Command, now: Instant) -> Process {
    // Killed, this one must not leave them behind: the next one couldn't have their ports.
    end_with_parent(&mut command);
    Process {
        name,
        command,
        child: None,
        started: now,
        due: None,
        restarts: Restarts::default(),
    }
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
        .arg(&options.rtp_ports)
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
    Ok(command)
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

fn start(process: &mut Process, now: Instant, endings: &Endings) {
    process.due = None;
    process.started = now;
    match process.command.spawn() {
        Ok(child) => process.child = Some(child),
        Err(error) => {
            let wait = process.restarts.ended(now, now);
            error!(process = process.name, %error, "can't start; trying again in {wait:?}");
            leave(
                endings,
                process.name,
                &format!("can't be started ({error})"),
                wait,
            );
            process.due = Some(now + wait);
        }
    }
}

fn reap(process: &mut Process, now: Instant, endings: &Endings) {
    let Some(child) = &mut process.child else {
        return;
    };
    if let Ok(Some(status)) = child.try_wait() {
        process.child = None;
        let wait = process.restarts.ended(process.started, now);
        warn!(process = process.name, %status, "ended; starting it again in {wait:?}");
        leave(
            endings,
            process.name,
            &format!("ended unexpectedly ({status})"),
            wait,
        );
        process.due = Some(now + wait);
    }
}

/// Leaves what happened to whoever writes the logs.
fn leave(endings: &Endings, name: &str, what: &str, wait: Duration) {
    let ending = Ending {
        at: platform::clock::wall(),
        process: name.to_owned(),
        text: format!("{what} and is started again after {wait:?}"),
    };
    if let Err(error) = endings.leave(&ending) {
        warn!(%error, "the Warning log will not tell of it");
    }
}

fn stop(process: &mut Process, now: impl Fn() -> Instant) {
    let Some(mut child) = process.child.take() else {
        return;
    };
    if let Ok(pid) = i32::try_from(child.id())
        && kill(Pid::from_raw(pid), Signal::SIGTERM).is_err()
    {
        return;
    }
    let limit = now() + STOP_WITHIN;
    while now() < limit {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    warn!(process = process.name, "does not stop; killing it");
    if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
        error!(process = process.name, %error, "can't kill it");
    }
}

/// From here on these signals come as bytes, and to this thread only. To be called before any other
/// thread is started.
pub fn signals() -> Result<SignalFd> {
    let mut set = SigSet::empty();
    for signal in platform::signals::stops() {
        set.add(signal);
    }
    set.add(Signal::SIGCHLD);
    set.thread_block().context("signals can be blocked")?;
    SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        .context("signals can be read")
}

/// Waits for a signal or a glance's time; true where it says stop.
fn asked_to_stop(signals: &SignalFd) -> bool {
    let mut ready = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    let glance = PollTimeout::try_from(GLANCE).unwrap_or(PollTimeout::ZERO);
    if poll(&mut ready, glance).is_err() {
        return false;
    }
    let mut stop = false;
    while let Ok(Some(signal)) = signals.read_signal() {
        stop |= i32::try_from(signal.ssi_signo) != Ok(Signal::SIGCHLD as i32);
    }
    stop
}

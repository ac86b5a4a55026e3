//! Processes of the exchange: started, watched, restarted, stopped. Nobody waits for one without a limit.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use model::Instant;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use platform::endings::{Ending, Endings};
use platform::sys::process::end_with_parent;
use tracing::{debug, error, warn};

use crate::policy::Restarts;

/// How long a process may take to stop before it is killed. Calls are cleared within it (3 s), the last
/// words leave (1 s) and the history is written (5 s).
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Who is killed is gone at once, or waits for what may never come.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// How often a loop looks round where nothing else is due.
pub const GLANCE: Duration = Duration::from_millis(500);

/// Time since this was made, as the policy counts it.
#[derive(Clone, Copy, Debug)]
pub struct Clock(std::time::Instant);

impl Clock {
    /// It is zero now.
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time.
    pub fn now(self) -> Instant {
        Instant::from_micros(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// A process that is kept running.
pub struct Process {
    name: &'static str,
    command: Command,
    /// What its input and output are, where it has one.
    terminal: Option<PathBuf>,
    child: Option<Child>,
    started: Instant,
    due: Option<Instant>,
    restarts: Restarts,
    endings: u32,
}

impl Process {
    /// One that is not started yet.
    pub fn new(name: &'static str, mut command: Command) -> Self {
        // Killed, this one must not leave them behind: the next one couldn't have their ports.
        end_with_parent(&mut command);
        Self {
            name,
            command,
            terminal: None,
            child: None,
            started: Instant::ZERO,
            due: Some(Instant::ZERO),
            restarts: Restarts::default(),
            endings: 0,
        }
    }

    /// How often it ended by itself, or could not be started.
    pub const fn endings(&self) -> u32 {
        self.endings
    }

    /// On a terminal, which is opened anew for each start: once a line has hung up, nothing comes through
    /// what was opened before. It ends by itself, with success, where that happens.
    #[must_use]
    pub fn on_terminal(mut self, terminal: &Path) -> Self {
        self.terminal = Some(terminal.to_owned());
        self
    }

    /// The name of its program.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The process itself, while it runs.
    pub const fn child(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    /// Reaps it where it has ended, and starts it where it is due; true where it was started.
    pub fn tend(&mut self, now: Instant, endings: &Endings) -> bool {
        self.reap(now, endings);
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.start(now, endings);
        }
        due && self.child.is_some()
    }

    fn start(&mut self, now: Instant, endings: &Endings) {
        self.due = None;
        self.started = now;
        match self.spawn() {
            Ok(child) => self.child = Some(child),
            Err(error) => {
                let wait = self.restarts.ended(now, now);
                self.due = Some(now + wait);
                if self.terminal.is_some() {
                    debug!(process = self.name, %error, "no terminal; trying again in {wait:?}");
                    return;
                }
                error!(process = self.name, %error, "can't start; trying again in {wait:?}");
                self.leave(endings, &format!("can't be started ({error})"), wait);
            }
        }
    }

    fn spawn(&mut self) -> io::Result<Child> {
        if let Some(terminal) = &self.terminal {
            let terminal = open_terminal(terminal)?;
            self.command.stdin(terminal.try_clone()?).stdout(terminal);
        }
        let child = self.command.spawn();
        if self.terminal.is_some() {
            // Not kept: a line that is held open never hangs up.
            self.command.stdin(Stdio::null()).stdout(Stdio::null());
        }
        child
    }

    fn reap(&mut self, now: Instant, endings: &Endings) {
        let Some(child) = &mut self.child else {
            return;
        };
        if let Ok(Some(status)) = child.try_wait() {
            self.ended(status, now, endings);
        }
    }

    fn ended(&mut self, status: ExitStatus, now: Instant, endings: &Endings) {
        self.child = None;
        let wait = self.restarts.ended(self.started, now);
        if self.terminal.is_some() && status.success() {
            debug!(
                process = self.name,
                "its terminal has gone; starting it again in {wait:?}"
            );
        } else {
            warn!(process = self.name, %status, "ended; starting it again in {wait:?}");
            self.leave(endings, &format!("ended unexpectedly ({status})"), wait);
        }
        self.due = Some(now + wait);
    }

    /// Leaves what happened to whoever writes the logs.
    fn leave(&mut self, endings: &Endings, what: &str, wait: Duration) {
        self.endings = self.endings.saturating_add(1);
        let ending = Ending {
            at: platform::clock::wall(),
            process: self.name.to_owned(),
            text: format!("{what} and is started again after {wait:?}"),
        };
        if let Err(error) = endings.leave(&ending) {
            warn!(%error, "the Warning log will not tell of it");
        }
    }

    /// Stops it, and kills it where it doesn't; `meanwhile` is called while that takes. It is started
    /// no more, unless [`Self::again`] says so.
    pub fn stop(&mut self, mut meanwhile: impl FnMut()) {
        self.due = None;
        let Some(mut child) = self.child.take() else {
            return;
        };
        if let Ok(pid) = i32::try_from(child.id())
            && kill(Pid::from_raw(pid), Signal::SIGTERM).is_err()
        {
            return;
        }
        if ends(&mut child, STOP_WITHIN, &mut meanwhile) {
            return;
        }
        warn!(process = self.name, "does not stop; killing it");
        if let Err(error) = child.kill() {
            error!(process = self.name, %error, "can't kill it");
        } else if !ends(&mut child, GONE_WITHIN, &mut meanwhile) {
            // It waits for a disk that does not answer; whoever reaps orphans buries it.
            error!(process = self.name, "is killed and still there");
        }
    }

    /// One that is not started before [`Self::again`] says so.
    #[must_use]
    pub const fn later(mut self) -> Self {
        self.due = None;
        self
    }

    /// Starts it again after a stop; one that runs goes on.
    pub const fn again(&mut self) {
        if self.child.is_none() {
            self.due = Some(Instant::ZERO);
        }
    }
}

/// Whether a child ends in time.
fn ends(child: &mut Child, within: Duration, mut meanwhile: impl FnMut()) -> bool {
    let begun = std::time::Instant::now();
    loop {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return true;
        }
        if begun.elapsed() >= within {
            return false;
        }
        meanwhile();
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Opens a terminal, but not as this process's own, and without waiting for a carrier.
pub fn open_terminal(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags.bits())
        .open(path)?;
    let flags = OFlag::from_bits_truncate(fcntl(&terminal, FcntlArg::F_GETFL)?);
    fcntl(
        &terminal,
        FcntlArg::F_SETFL(flags.difference(OFlag::O_NONBLOCK)),
    )?;
    Ok(terminal)
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
pub fn asked_to_stop(signals: &SignalFd) -> bool {
    let mut ready = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    let glance = PollTimeout::try_from(GLANCE).unwrap_or(PollTimeout::ZERO);
    poll(&mut ready, glance).is_ok() && stop_is_asked(signals)
}

/// Whether a signal that has come says stop.
pub fn stop_is_asked(signals: &SignalFd) -> bool {
    let mut stop = false;
    while let Ok(Some(signal)) = signals.read_signal() {
        stop |= i32::try_from(signal.ssi_signo) != Ok(Signal::SIGCHLD as i32);
    }
    stop
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_child_that_does_not_end_is_waited_for_no_longer_than_its_time() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a child");
        assert!(!ends(&mut child, Duration::ZERO, || ()));
        drop(child.stdin.take());
        assert!(ends(&mut child, Duration::MAX, || ()));
    }

    #[test]
    fn what_always_fails_is_started_ever_less_often_and_each_end_is_kept_and_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let endings = Endings::of(folder.path());
        let mut process = Process::new("pbxd", Command::new("false"));
        let mut now = Instant::ZERO;
        let waits_ms = [
            200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
        ];
        for (count, wait_ms) in (1..).zip(waits_ms) {
            now += Duration::from_secs(2);
            while process.endings() < count {
                process.tend(now, &endings);
                std::thread::yield_now();
            }
            now += Duration::from_millis(wait_ms - 1);
            assert!(!process.tend(now, &endings), "before {wait_ms} ms");
            now += Duration::from_millis(1);
            assert!(process.tend(now, &endings), "after {wait_ms} ms");
        }
        let found = endings.found();
        assert_eq!(found.len(), waits_ms.len());
        let text = "ended unexpectedly (exit status: 1) and is started again after 30s";
        assert_eq!(found.last().expect("the last").text, text);
        process.stop(|| ());
    }

    /// Starts it where it is due, and waits for its end.
    fn once(process: &mut Process, endings: &Endings) {
        assert!(process.tend(Instant::from_micros(u64::MAX / 2), endings));
        let child = process.child().expect("it was started");
        let status = child.wait().expect("it ends");
        process.ended(status, Instant::ZERO, endings);
    }

    #[test]
    fn a_terminal_is_opened_anew_for_each_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("run")).expect("made");
        let endings = Endings::of(folder.path());
        let mut command = Command::new("echo");
        command.arg("the menu");
        let mut process = Process::new("console", command).on_terminal(&at("line"));
        for line in ["first", "second"] {
            fs::write(at(line), "").expect("made");
            let _ = fs::remove_file(at("line"));
            symlink(at(line), at("line")).expect("linked");
            once(&mut process, &endings);
            let shown = fs::read_to_string(at(line)).expect("shown");
            assert_eq!(shown, "the menu\n", "{line}");
        }
        fs::remove_file(at("line")).expect("removed");
        process.again();
        assert!(!process.tend(Instant::ZERO, &endings), "there is no line");
        assert!(endings.found().is_empty(), "lines come and go");
    }
}

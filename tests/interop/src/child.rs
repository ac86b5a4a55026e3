//! A program under test: started with its output in the evidence folder, ended by its process id, waited for.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::{Child as Process, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How long a program may take to leave when asked politely.
const POLITE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(10);

/// A running program; ended and reaped on drop.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    process: Process,
    log: PathBuf,
    exit: Option<ExitStatus>,
}

impl Child {
    /// Starts it with standard output and error in `log`.
    pub(crate) fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("open {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        Self::spawn(name, command, log)
    }

    /// Starts it with standard input and output piped to us; only standard error goes to `log`.
    pub(crate) fn start_piped(
        name: &str,
        mut command: Command,
        log: &Path,
    ) -> Result<(Self, ChildStdin, ChildStdout)> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?);
        let mut child = Self::spawn(name, command, log)?;
        let pipes = child.process.stdin.take().zip(child.process.stdout.take());
        let (stdin, stdout) = pipes.context("the child has no pipes")?;
        Ok((child, stdin, stdout))
    }

    fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let process = command
            .spawn()
            .with_context(|| format!("start {name} ({command:?})"))?;
        Ok(Self {
            name: name.to_owned(),
            process,
            log: log.to_owned(),
            exit: None,
        })
    }

    /// Fails, with the end of its log, if the program has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended: {status}\n{}", self.name, self.tail()),
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > until {
                bail!("{} still runs after {limit:?}\n{}", self.name, self.tail());
            }
            thread::sleep(POLL);
        }
    }

    /// `SIGTERM`, then `SIGKILL` if it does not leave; it is gone afterwards.
    pub(crate) fn end(&mut self) -> Result<()> {
        if self.try_wait()?.is_none() {
            self.signal(Signal::SIGTERM)?;
            if self.wait(POLITE).is_err() {
                self.kill()?;
            }
        }
        Ok(())
    }

    /// `SIGTERM`, and waits until it has left by itself, without a fault.
    pub(crate) fn stop(&mut self, limit: Duration) -> Result<()> {
        self.check()?;
        self.signal(Signal::SIGTERM)?;
        let status = self.wait(limit)?;
        ensure!(
            status.success(),
            "{} ended: {status}\n{}",
            self.name,
            self.tail()
        );
        Ok(())
    }

    /// `SIGKILL`, as a power cut would; it is gone afterwards.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if self.try_wait()?.is_none() {
            self.signal(Signal::SIGKILL)?;
            self.exit = Some(self.process.wait()?);
        }
        Ok(())
    }

    /// The last lines it wrote.
    pub(crate) fn tail(&self) -> String {
        let mut text = Vec::new();
        let read = File::open(&self.log).and_then(|mut file| file.read_to_end(&mut text));
        if read.is_err() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        if self.exit.is_none() {
            self.exit = self.process.try_wait()?;
        }
        Ok(self.exit)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid =
            i32::try_from(self.process.id()).map_err(|_| anyhow!("process id out of range"))?;
        kill(Pid::from_raw(pid), signal).with_context(|| format!("end {}", self.name))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

//! The proof that the exchange works: after each start it calls itself, as two phones would. A system
//! that is tried is kept only after that.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::Instant;
use model::control;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use serde::Deserialize;
use tracing::{info, warn};

use crate::boot::as_user;

/// The exchange needs so long to start; where it needs longer the next try finds it.
const FIRST_AFTER: Duration = Duration::from_secs(3);

/// Between two tries.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// A system that is not tried is asked so often and then believed.
const TRIES: u32 = 6;

/// What the program that calls says at its end, in a line.
#[derive(Debug, Deserialize)]
struct Outcome {
    passed: bool,
    #[serde(default)]
    reason: String,
}

/// The tries to prove it.
pub struct Proof {
    run: PathBuf,
    child: Option<Child>,
    due: Option<Instant>,
    tries: u32,
    reason: String,
}

impl Proof {
    /// None was made yet; `run` is the folder of sockets.
    pub fn new(run: &Path, now: Instant) -> Self {
        Self {
            run: run.to_owned(),
            child: None,
            due: Some(now + FIRST_AFTER),
            tries: 0,
            reason: "the exchange did not start".into(),
        }
    }

    /// Why the last try failed.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Makes the next try where it is due, and hears of the one under way; true where it passed now.
    /// [`Self::put_away`] is to be called once that is noted.
    pub fn turn(&mut self, now: Instant, until_it_passes: bool) -> bool {
        if let Some(child) = &mut self.child {
            let Ok(Some(_)) = child.try_wait() else {
                return false;
            };
            let outcome = outcome(child);
            self.child = None;
            return self.ended(now, outcome, until_it_passes);
        }
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.tries += 1;
            match self.start() {
                Ok(child) => self.child = Some(child),
                Err(error) => {
                    let reason = format!("the call can't be made: {error:#}");
                    return self.ended(now, Err(reason), until_it_passes);
                }
            }
        }
        false
    }

    fn start(&self) -> anyhow::Result<Child> {
        let mut command = Command::new("/usr/bin/pbxd");
        command
            .args(["self-call", "--file"])
            .arg(file(&self.run))
            .arg("--control")
            .arg(self.run.join("pbxd.sock"))
            .args([
                "--sip-port",
                "5060",
                "--sips-port",
                "5061",
                "--timeout",
                "40",
            ])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        as_user(&mut command, "pbxd", false)?;
        Ok(command.spawn()?)
    }

    fn ended(&mut self, now: Instant, outcome: Result<(), String>, until_it_passes: bool) -> bool {
        match outcome {
            Ok(()) => {
                info!(
                    tries = self.tries,
                    "the exchange has called itself, and sound has passed"
                );
                true
            }
            Err(reason) => {
                warn!(reason, "the exchange has not called itself");
                self.reason = reason;
                if until_it_passes || self.tries < TRIES {
                    self.due = Some(now + AGAIN_AFTER);
                } else {
                    self.put_away();
                }
                false
            }
        }
    }

    /// Takes the numbers of the call away, which are there only as long as they are needed: a process that
    /// is started anew could not make it without.
    pub fn put_away(&self) {
        let removed = std::fs::remove_file(file(&self.run)).and_then(|()| {
            let mut asked = serde_json::to_vec(&control::Ask {
                id: 1,
                request: control::Request::Reload,
            })?;
            asked.push(b'\n');
            let mut stream = connected(&self.run.join("pbxd.sock"))?;
            // It has room in an empty socket, or not at all.
            stream.write_all(&asked)
        });
        if let Err(error) = removed {
            warn!(%error, "the numbers of the exchange's own call stay");
        }
    }
}

/// A connection to the exchange, which may be stuck: then there is none, and nobody waits.
fn connected(path: &Path) -> io::Result<UnixStream> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(socket.into())
}

/// Where the secret of the call is; written before the exchange starts.
pub fn file(run: &Path) -> PathBuf {
    run.join("self-call.json")
}

/// What a child that has ended said. Whoever it started may have its output still, and is not waited for.
fn outcome(child: &mut Child) -> Result<(), String> {
    child.stdout.take().map_or_else(|| judged(""), said)
}

fn said(output: impl Read + AsFd) -> Result<(), String> {
    /// Far more than the line has.
    const MOST: u64 = 64 * 1024;
    let mut octets = Vec::new();
    if fcntl(output.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).is_ok() {
        // What came until it would have to wait is there all the same.
        let _ = output.take(MOST).read_to_end(&mut octets);
    }
    judged(&String::from_utf8_lossy(&octets))
}

fn judged(text: &str) -> Result<(), String> {
    match serde_json::from_str::<Outcome>(text.trim()) {
        Ok(outcome) if outcome.passed => Ok(()),
        Ok(outcome) => Err(outcome.reason),
        Err(_) => Err("the call ended without saying how".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_was_said_counts_though_somebody_has_the_output_still() {
        for (line, passed) in [
            ("{\"passed\":true,\"setup_ms\":12}\n", true),
            ("{\"passed\":false,\"reason\":\"no sound\"}\n", false),
            ("", false),
        ] {
            let (mut near, far) = UnixStream::pair().expect("a pair");
            near.write_all(line.as_bytes()).expect("written");
            assert_eq!(said(far).is_ok(), passed, "{line}");
        }
    }

    #[test]
    fn an_exchange_that_takes_nobody_in_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pbxd.sock");
        let listener = UnixListener::bind(&path).expect("a socket");
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(1).expect("one"))
            .expect("a short queue");
        let mut waiting = Vec::new();
        let full = (0..10).any(|_| match connected(&path) {
            Ok(stream) => {
                waiting.push(stream);
                false
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        });
        assert!(full, "{} wait", waiting.len());
    }
}

//! Whether the administration answers over HTTPS: visited again and again while a new system is tried.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::Instant;
use tracing::warn;

use crate::boot::as_user;

/// Where it is on a box.
const ADDRESS: &str = "127.0.0.1:4021";

/// Between two visits.
const EVERY: Duration = Duration::from_secs(10);

/// The visits.
pub struct Visits {
    child: Option<Child>,
    due: Instant,
    outcome: Result<(), String>,
}

impl Visits {
    /// None was made yet.
    pub fn new(now: Instant) -> Self {
        Self {
            child: None,
            due: now,
            outcome: Err("it was not visited yet".into()),
        }
    }

    /// Makes the next visit where it is due, and hears of the one under way; how the last one went.
    pub fn turn(&mut self, now: Instant) -> &Result<(), String> {
        if let Some(child) = &mut self.child {
            if let Ok(Some(status)) = child.try_wait() {
                self.outcome = if status.success() {
                    Ok(())
                } else {
                    Err(said(child))
                };
                self.child = None;
                self.due = now + EVERY;
            }
        } else if self.due <= now {
            match start() {
                Ok(child) => self.child = Some(child),
                Err(error) => {
                    warn!("the administration can't be visited: {error:#}");
                    self.outcome = Err(format!("{error:#}"));
                    self.due = now + EVERY;
                }
            }
        }
        &self.outcome
    }
}

/// It ends by itself, whoever answers or doesn't.
fn start() -> anyhow::Result<Child> {
    let mut command = Command::new("/usr/bin/webd");
    command
        .args(["--visit", ADDRESS])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    as_user(&mut command, "webd", false)?;
    Ok(command.spawn()?)
}

fn said(child: &mut Child) -> String {
    /// Far more than a sentence.
    const MOST: u64 = 4096;
    let mut text = String::new();
    if let Some(output) = child.stdout.take() {
        let _ = output.take(MOST).read_to_string(&mut text);
    }
    text.trim().to_owned()
}

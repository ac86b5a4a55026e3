//! Nothing that was acknowledged is lost when a process is killed, at any moment.
//!
//! The test starts itself again as the process to be killed: [`child`] does nothing unless the
//! environment says what it is. A child prints `TRY x` before it does x, and `ACK` once it is
//! promised; the parent reads that, kills, and compares.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test: panics are what it is for"
)]

mod calls;
mod config;
mod full;
mod together;

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use model::WallTime;

const ROLE: &str = "STORE_TEST_ROLE";
const DIR: &str = "STORE_TEST_DIR";
const SEED: &str = "STORE_TEST_SEED";

/// The moment of everything: time doesn't matter here.
fn now() -> WallTime {
    WallTime::from_unix_seconds(1_800_000_000)
}

/// Chance from a seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
}

/// One line to the parent, at once; a long one, so that the pipe holds a child up which runs ahead.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A parent that is gone needs no answer.
    let _ = writeln!(out, "{line:200}").and_then(|()| out.flush());
}

/// What this program does when it was started by one of the tests.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let dir = std::env::var(DIR).unwrap();
    let dir = Path::new(&dir);
    let chance = Chance::new(std::env::var(SEED).unwrap().parse().unwrap());
    match role.as_str() {
        "config" => config::run(dir, chance),
        "calls" => calls::run(dir, chance),
        "full" => full::run(dir),
        "cure" => full::cure(dir),
        "no room" => full::start_without_room(dir),
        "together" => together::run(dir),
        other => panic!("{other}"),
    }
}

/// A child under way.
struct Victim {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it tries, and hasn't acknowledged yet.
    tried: Option<String>,
}

impl Victim {
    fn start(role: &str, dir: &Path, seed: u64) -> Self {
        Self::start_by(
            Command::new(std::env::current_exe().unwrap()),
            role,
            dir,
            seed,
        )
    }

    /// Starts a command that ends up in this program.
    fn start_by(mut command: Command, role: &str, dir: &Path, seed: u64) -> Self {
        let mut process = command
            .args(["--exact", "child", "--nocapture"])
            .env(ROLE, role)
            .env(DIR, dir)
            .env(SEED, seed.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self {
            process,
            lines,
            tried: None,
        }
    }

    /// The next thing that was acknowledged; none where the child is gone.
    fn acknowledged(&mut self) -> Option<String> {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            // The test harness has words of its own, and doesn't always end its line.
            if let Some(at) = line.find("TRY ") {
                self.tried = Some(line[at + 4..].trim_end().to_owned());
            } else if line.trim_end() == "ACK" {
                return self.tried.take();
            }
        }
        None
    }

    /// Lets it do some things, kills it, and says all it acknowledged and what it was at.
    fn kill(mut self, chance: &mut Chance) -> (Vec<String>, Option<String>) {
        let mut done = Vec::new();
        for _ in 0..chance.below(25) {
            done.extend(self.acknowledged());
        }
        // The moment within what it does next: this is the one thing that only time can choose.
        std::thread::sleep(Duration::from_micros(chance.below(3000)));
        self.process.kill().unwrap();
        while let Some(line) = self.acknowledged() {
            done.push(line);
        }
        self.process.wait().unwrap();
        (done, self.tried)
    }

    /// Lets it come to its end.
    fn finish(mut self) -> Vec<String> {
        let mut done = Vec::new();
        while let Some(line) = self.acknowledged() {
            done.push(line);
        }
        assert!(self.process.wait().unwrap().success());
        done
    }
}

/// SQLite's own opinion of the files.
fn check_databases(dir: &Path) {
    for file in ["config.db", "history.db"] {
        let connection = rusqlite::Connection::open(dir.join(file)).unwrap();
        let verdict: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(verdict, "ok", "{file}");
    }
}

/// Both processes on one directory, killed again and again.
#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut chance = Chance::new(20_260_811);
    let mut settings = config::Expected::default();
    let mut calls = calls::Expected::default();
    let mut acknowledged = 0;
    for round in 0..120 {
        let webd = Victim::start("config", dir.path(), round);
        let pbxd = Victim::start("calls", dir.path(), round);
        let (done, change) = webd.kill(&mut chance);
        acknowledged += done.len();
        settings.check(dir.path(), &done, change.as_deref());
        let (done, tried) = pbxd.kill(&mut chance);
        acknowledged += done.len();
        settings.check_alone(dir.path(), change.as_deref());
        calls.check(dir.path(), &done, tried.as_deref());
        check_databases(dir.path());
    }
    println!("{acknowledged} acknowledged over 120 rounds");
    assert!(acknowledged > 1000, "{acknowledged}");
}

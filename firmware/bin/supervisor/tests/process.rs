//! The supervisor as a process, with shell scripts for the processes it starts.

#![expect(clippy::expect_used, reason = "a test: panics are what it is for")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use platform::endings::Endings;
use tempfile::TempDir;

/// Says that it runs, and when it is told to stop; it doesn't for ever without.
const PROCESS: &str = r#"#!/bin/sh
trap 'echo >"$0.stopped"; exit 0' TERM
echo $$ >"$0.new" && mv "$0.new" "$0.running"
for _ in $(seq 600); do sleep 0.1; done
"#;

const NAMES: [&str; 2] = ["pbxd", "webd"];

/// Longer than anything takes on the slowest machine.
const LONG: Duration = Duration::from_secs(30);

struct Stage {
    folder: TempDir,
    supervisor: Child,
}

impl Stage {
    /// Starts it by the shell's word, and waits until both processes run.
    fn start(shell: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("supervisor");
        fs::copy(env!("CARGO_BIN_EXE_supervisor"), &program).expect("copied");
        for name in NAMES {
            let path = folder.path().join(name);
            fs::write(&path, PROCESS).expect("written");
            fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("made a program");
        }
        let supervisor = Command::new("sh")
            .args(["-c", shell])
            .arg(&program)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .env_remove("NO_COLOR")
            .stderr(fs::File::create(folder.path().join("log")).expect("a file"))
            .spawn()
            .expect("started");
        let stage = Self { folder, supervisor };
        stage.both("running");
        stage
    }

    fn path(&self, name: &str, what: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.{what}"))
    }

    /// Waits until both processes have said it.
    fn both(&self, what: &str) {
        let limit = Instant::now() + LONG;
        for name in NAMES {
            while !self.path(name, what).exists() {
                assert!(Instant::now() < limit, "{name} is not {what}");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.supervisor.id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("sent");
    }

    fn ended(&mut self) -> ExitStatus {
        self.supervisor.wait().expect("it was started")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Ended or not: it is the only one that is left.
        let _ = self.supervisor.kill();
        let _ = self.supervisor.wait();
    }
}

#[test]
fn a_supervisor_that_is_killed_leaves_no_process_behind() {
    let mut stage = Stage::start(r#"exec "$0" run"#);
    stage.signal(Signal::SIGKILL);
    assert!(!stage.ended().success());
    stage.both("stopped");
}

#[test]
fn a_terminal_that_goes_away_stops_it_in_order() {
    for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT] {
        let mut stage = Stage::start(r#"exec "$0" run"#);
        stage.signal(signal);
        assert!(stage.ended().success(), "{signal}");
        stage.both("stopped");
    }
}

#[test]
fn what_ends_by_itself_is_left_to_the_logs_once() {
    let mut stage = Stage::start(r#"exec "$0" run"#);
    let endings = Endings::of(&stage.folder.path().join("var"));
    assert_eq!(endings.found(), []);
    let running = stage.path("pbxd", "running");
    let id = fs::read_to_string(&running).expect("it runs");
    fs::remove_file(running).expect("it runs");
    let id = Pid::from_raw(id.trim().parse().expect("its id"));
    kill(id, Signal::SIGKILL).expect("sent");
    stage.both("running");
    let told = || -> Vec<(String, String)> {
        (endings.found().into_iter())
            .map(|ending| (ending.process, ending.text))
            .collect()
    };
    let text = "ended unexpectedly (signal: 9 (SIGKILL)) and is started again after 200ms";
    let once = [("pbxd".to_owned(), text.to_owned())];
    assert_eq!(told(), once);
    let count = stage.folder.path().join("var/run.restarts");
    let limit = Instant::now() + LONG;
    while fs::read_to_string(&count).expect("a count") != "1" {
        assert!(Instant::now() < limit, "it is not counted");
        std::thread::sleep(Duration::from_millis(10));
    }
    let log = fs::read_to_string(stage.folder.path().join("log")).expect("a log");
    assert!(log.contains("SIGKILL") && !log.contains('\x1b'), "{log:?}");
    // A stop in order is nothing to tell of.
    stage.signal(Signal::SIGTERM);
    assert!(stage.ended().success());
    assert_eq!(told(), once);
}

#[test]
fn a_range_without_room_for_the_calls_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_supervisor"))
            .arg("run")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("it ran")
    };
    let refused = run(&["--rtp-ports", "20000-20099"]);
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("20000-20099 has room for 25 calls"), "{text}");
    assert!(text.contains("Give 2000 ports or more"), "{text}");
    assert!(!folder.path().join("var").exists(), "nothing was begun");
    assert!(!run(&["--rtp-ports", "9-1"]).status.success());
}

#[test]
fn with_nohup_it_goes_on_without_a_terminal() {
    let mut stage = Stage::start(r#"trap '' HUP; exec "$0" run"#);
    stage.signal(Signal::SIGHUP);
    // It still starts again what ends.
    let running = stage.path("pbxd", "running");
    let id = fs::read_to_string(&running).expect("it runs");
    fs::remove_file(running).expect("it runs");
    kill(
        Pid::from_raw(id.trim().parse().expect("its id")),
        Signal::SIGTERM,
    )
    .expect("sent");
    stage.both("running");
    assert!(!stage.path("webd", "stopped").exists());
    stage.signal(Signal::SIGTERM);
    assert!(stage.ended().success());
    stage.both("stopped");
}

//! The processes of the box are users of their own in one group: whoever of them is first, the
//! other can use what it made. Users are root's to make, so nothing is shown to anybody else.

#![expect(clippy::unwrap_used, reason = "a test: panics are what it is for")]

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use model::WallTime;
use store::{Journal, LogKind, LogQuery, Store};

const GROUP: u32 = 59_870;
const PBXD: u32 = 59_871;
const WEBD: u32 = 59_872;

/// In a child: the data folder that it uses, and whether it has the journal.
const DATA: &str = "STORE_TEST_USERS_DATA";
const JOURNAL: &str = "STORE_TEST_USERS_JOURNAL";

/// What this program does when it was started as one of the users.
#[test]
fn child() {
    let Some(data) = std::env::var_os(DATA) else {
        return;
    };
    let data = Path::new(&data);
    let store = Store::open(data).unwrap();
    let _journal =
        std::env::var_os(JOURNAL).map(|_| Journal::open(data, WallTime::default()).unwrap());
    let write = || {
        let row = "a row";
        store
            .log_append(LogKind::Error, WallTime::default(), row)
            .unwrap();
        store.session_purge(WallTime::default()).unwrap();
    };
    write();
    println!("\nready");
    // The other comes now, and there are two until it goes.
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
    write();
}

struct User {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl User {
    /// Starts one and waits until it has written.
    fn start(user: u32, folder: &Path, umask: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!(
                "umask {umask} && exec ./program --exact child --nocapture"
            ))
            .current_dir(folder)
            .env(DATA, folder.join("data"))
            .uid(user)
            .gid(GROUP)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if user == PBXD {
            command.env(JOURNAL, "");
        }
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut user = Self { process, lines };
        let mut line = String::new();
        while line != "ready\n" {
            line.clear();
            assert!(user.lines.read_line(&mut line).unwrap() > 0, "it failed");
        }
        user
    }

    /// Has it write again, and end.
    fn stop(mut self) {
        drop(self.process.stdin.take());
        io::copy(&mut self.lines, &mut io::sink()).unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
fn whoever_is_first_the_other_can_use_what_it_made() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("SKIPPED: only root can start other users' processes");
        return;
    }
    for (first, second) in [(PBXD, WEBD), (WEBD, PBXD)] {
        for umask in ["007", "022", "077"] {
            let dir = tempfile::tempdir().unwrap();
            fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
            let program = dir.path().join("program");
            fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
            let data = dir.path().join("data");
            fs::create_dir(&data).unwrap();
            chown(&data, None, Some(GROUP)).unwrap();
            fs::set_permissions(&data, Permissions::from_mode(0o2770)).unwrap();

            let start = |user| User::start(user, dir.path(), umask);
            let one = start(first);
            let other = start(second);
            one.stop();
            other.stop();
            // Each alone, where the last to go has removed SQLite's files.
            start(second).stop();
            start(first).stop();

            let store = Store::open(&data).unwrap();
            let rows = store.log_query(LogKind::Error, &LogQuery::default());
            assert_eq!(rows.unwrap().len(), 8);
        }
    }
}

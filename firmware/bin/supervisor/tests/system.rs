//! The system child as a process, asked over its socket.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test: panics are what it is for"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::system::{
    Addressing, Ask, InterfaceSettings, NetworkSettings, RemoteMenuSettings, Reply, Request,
};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Longer than anything takes on the slowest machine.
const LONG: Duration = Duration::from_secs(30);

struct System {
    folder: TempDir,
    child: Child,
    orders: BufReader<std::process::ChildStdout>,
}

impl System {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let mut child = Command::new(env!("CARGO_BIN_EXE_supervisor"))
            .arg("system")
            .arg("--data")
            .arg(folder.path())
            .arg("--run")
            .arg(folder.path())
            .arg("--resolv")
            .arg(path("resolv.conf"))
            .arg("--local-time")
            .arg(path("localtime"))
            .arg("--remote-home")
            .arg(path("ssh"))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let orders = BufReader::new(child.stdout.take().expect("piped"));
        let system = Self {
            folder,
            child,
            orders,
        };
        let limit = Instant::now() + LONG;
        while UnixStream::connect(system.path("system.sock")).is_err() {
            assert!(Instant::now() < limit, "it can't be asked");
            std::thread::sleep(Duration::from_millis(10));
        }
        system
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ask(&self, requests: Vec<Request>) -> Vec<Reply> {
        let stream = UnixStream::connect(self.path("system.sock")).expect("connected");
        stream.set_read_timeout(Some(LONG)).expect("set");
        let count = requests.len();
        for request in requests {
            let by = "console".into();
            let mut line = serde_json::to_vec(&Ask { by, request }).expect("JSON");
            line.push(b'\n');
            (&stream).write_all(&line).expect("asked");
        }
        let lines = BufReader::new(&stream).lines().take(count);
        let replies = lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"));
        let replies = replies.collect();
        stream.shutdown(Shutdown::Both).expect("ended");
        replies
    }

    fn order(&mut self) -> String {
        let mut line = String::new();
        self.orders.read_line(&mut line).expect("an order");
        line.trim().to_owned()
    }

    fn stop(&mut self) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("sent");
        assert!(self.child.wait().expect("it was started").success());
        assert!(!self.path("system.sock").exists());
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // Ended or not: it is the only one that is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn on_a_developers_machine_it_shows_and_changes_nothing() {
    let mut system = System::start(&["--read-only"]);
    let socket = std::fs::metadata(system.path("system.sock")).expect("a socket");
    assert_eq!(socket.permissions().mode() & 0o777, 0o660);
    let replies = system.ask(vec![Request::Health, Request::Reboot, Request::Network]);
    let [Reply::Health(health), Reply::ReadOnly, Reply::Network(_)] = replies.as_slice() else {
        panic!("in order: {replies:?}");
    };
    assert!(health.disk_total > 0);
    system.stop();
}

#[test]
fn on_a_box_it_does_what_is_asked_and_orders_what_it_cannot_do() {
    // What it starts shares the namespaces of this thread: no port and no name of the host is touched.
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS) {
        println!("SKIPPED: no network namespace can be made here ({error})");
        return;
    }
    let made = Command::new("ip")
        .args("link add eth0 type veth peer name far0".split(' '))
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("SKIPPED: no pair of ports can be made here");
        return;
    }
    let mut system = System::start(&[]);
    let settings = NetworkSettings {
        host_name: "box".into(),
        interfaces: vec![InterfaceSettings {
            name: "eth0".into(),
            addressing: Addressing::Static {
                address: "10.10.10.1/24".parse().expect("an address"),
            },
        }],
        gateway: None,
        dns: Vec::new(),
    };
    remote_menu(&mut system);
    let replies = system.ask(vec![
        Request::SetNetwork {
            settings: settings.clone(),
        },
        Request::ConfirmNetwork,
        Request::Slots,
        Request::Reboot,
        Request::ResetAdminPassword,
        Request::FactoryReset,
    ]);
    let [
        Reply::Network(tried),
        Reply::Network(kept),
        Reply::Failed { .. },
        Reply::Done,
        Reply::Done,
        Reply::Done,
    ] = replies.as_slice()
    else {
        panic!("in order: {replies:?}");
    };
    assert!(tried.confirm_within_s.is_some() && kept.confirm_within_s.is_none());
    assert_eq!(kept.settings, settings);
    assert_eq!(kept.interfaces[0].addresses, ["10.10.10.1/24"]);
    assert!(system.path("system/network.json").exists());
    assert_eq!(system.order(), "reboot");
    assert_eq!(system.order(), "restart-administration");
    assert_eq!(system.order(), "reboot");
    let data = system.folder.path();
    assert!(platform::data::password_reset_is_asked(data).expect("looked"));
    assert!(platform::data::reset_if_asked(data, || ()).expect("looked"));
    system.stop();
}

/// The menu over ssh is off, is switched on for a key, and off again.
fn remote_menu(system: &mut System) {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE7WMmaYrT4SWhjXPK/RxAJdKxHrRQdzRTlT3gSJFzZz jana";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f petr";
    let set = |enabled, keys: &[&str]| Request::SetRemoteMenu {
        settings: RemoteMenuSettings {
            enabled,
            keys: keys.iter().map(|&key| key.into()).collect(),
        },
    };
    let replies = system.ask(vec![
        Request::RemoteMenu,
        set(true, &[]),
        set(true, &[KEY]),
        Request::RemoteMenu,
        set(true, &[KEY, OTHER]),
        set(true, &[KEY]),
        set(false, &[KEY]),
    ]);
    let [
        Reply::RemoteMenu(delivered),
        Reply::Refused { .. },
        Reply::RemoteMenu(on),
        Reply::RemoteMenu(shown),
        Reply::RemoteMenu(_),
        Reply::RemoteMenu(_),
        Reply::RemoteMenu(off),
    ] = replies.as_slice()
    else {
        panic!("in order: {replies:?}");
    };
    assert!(!delivered.settings.enabled && delivered.fingerprint.is_none());
    assert!(on.settings.enabled && on.fingerprint.is_some());
    assert_eq!(on, shown);
    assert!(!off.settings.enabled && off.fingerprint == on.fingerprint);
    assert!(system.path("ssh/.ssh/authorized_keys").exists());
    assert_eq!(system.order(), "start-remote-menu");
    // A key more leaves those who are in alone; one less may be theirs.
    assert_eq!(system.order(), "start-remote-menu");
    assert_eq!(system.order(), "stop-remote-menu");
    assert_eq!(system.order(), "start-remote-menu");
    assert_eq!(system.order(), "stop-remote-menu");
}

//! The program on a pseudo-terminal without a size, as a serial line has none, with others in the
//! places of the system and the exchange.

#![expect(clippy::expect_used, reason = "a test: panics are what it is for")]

mod vt100;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use model::control;
use model::system::{
    Addressing, Ask, Interface, InterfaceSettings, Network, NetworkSettings, Reply, Request,
};
use model::{ConfigVersion, WallTime};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;
use tempfile::TempDir;
use vt100::Vt100;

/// Longer than anything takes on the slowest machine.
const LONG: Duration = Duration::from_secs(60);

const CALLS: u32 = 2;

/// What was asked to be changed, and the network as it is.
#[derive(Clone)]
struct System {
    asked: Arc<Mutex<Vec<Request>>>,
    network: Arc<Mutex<Network>>,
}

impl System {
    fn new() -> Self {
        let addressing = Addressing::Static {
            address: "10.10.10.1/24".parse().expect("an address"),
        };
        let network = Network {
            settings: NetworkSettings {
                host_name: "operator".into(),
                interfaces: vec![InterfaceSettings {
                    name: "eth0".into(),
                    addressing,
                }],
                gateway: None,
                dns: Vec::new(),
            },
            interfaces: vec![Interface {
                name: "eth0".into(),
                mac: "02:00:00:00:00:01".into(),
                carrier: true,
                addresses: vec!["10.10.10.1/24".into()],
                lease_until: None,
            }],
            gateway: None,
            dns: Vec::new(),
            confirm_within_s: None,
        };
        Self {
            asked: Arc::default(),
            network: Arc::new(Mutex::new(network)),
        }
    }

    fn asked(&self) -> Vec<Request> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    fn answer(&self, ask: Ask) -> Reply {
        assert_eq!(ask.by, "console");
        let mut network = self.network.lock().expect("nobody panicked");
        match &ask.request {
            Request::Network => return Reply::Network(network.clone()),
            Request::Health | Request::Slots | Request::Time => {
                let text = "not in this test".into();
                return Reply::Failed { text };
            }
            Request::SetNetwork { settings } if settings.gateway.is_some() => {
                return Reply::Refused {
                    field: "gateway".into(),
                    text: "the router is in no network of the machine".into(),
                };
            }
            Request::SetNetwork { settings } => {
                network.settings = settings.clone();
                network.confirm_within_s = Some(120);
            }
            Request::ConfirmNetwork => network.confirm_within_s = None,
            _ => {}
        }
        let reply = match &ask.request {
            Request::SetNetwork { .. } | Request::ConfirmNetwork => Reply::Network(network.clone()),
            _ => Reply::Done,
        };
        self.asked
            .lock()
            .expect("nobody panicked")
            .push(ask.request);
        reply
    }

    /// Answers at a socket from now on.
    fn listen(&self, path: &Path) {
        let system = self.clone();
        serve(path, move |line| {
            let ask = serde_json::from_str(line).expect("a question");
            serde_json::to_string(&system.answer(ask)).expect("JSON")
        });
    }
}

fn exchange(path: &Path) {
    serve(path, |line| {
        let ask: control::Ask = serde_json::from_str(line).expect("a question");
        assert_eq!(ask.request, control::Request::Status);
        let status = control::Status {
            version: "1.2.3".into(),
            started: WallTime::from_unix_seconds(0),
            uptime_s: 60,
            config: ConfigVersion::new(1),
            calls: CALLS,
            registrations: 5,
            real_time: true,
            overload_refusals: 0,
            sip: control::Listening {
                addresses: Vec::new(),
                port: 5060,
                tls_port: None,
            },
        };
        let message = control::Message::Reply {
            id: ask.id,
            reply: control::Reply::Status(status),
        };
        serde_json::to_string(&message).expect("JSON")
    });
}

fn serve(path: &Path, answer: impl Fn(&str) -> String + Send + Sync + 'static) {
    let listener = UnixListener::bind(path).expect("a socket");
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || converse(stream.expect("a connection"), &*answer));
        }
    });
}

fn converse(stream: UnixStream, answer: &dyn Fn(&str) -> String) {
    let mut writer = stream.try_clone().expect("a second handle");
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        if writeln!(writer, "{}", answer(&line)).is_err() {
            return;
        }
    }
}

struct Stage {
    folder: TempDir,
    system: System,
    console: Child,
    master: File,
    /// Held, so that the line doesn't hang up with the program.
    slave: File,
    /// All that was sent to the terminal.
    sent: Vec<u8>,
    terminal: Vt100,
}

impl Stage {
    fn start(term: &str, with_system: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let system = System::new();
        if with_system {
            system.listen(&folder.path().join("system.sock"));
        }
        exchange(&folder.path().join("pbxd.sock"));
        let pair = openpty(None, None).expect("a pseudo-terminal");
        let slave = File::from(pair.slave);
        let console = Command::new(env!("CARGO_BIN_EXE_console"))
            .arg("--run")
            .arg(folder.path())
            .env("TERM", term)
            .stdin(slave.try_clone().expect("a handle"))
            .stdout(slave.try_clone().expect("a handle"))
            .spawn()
            .expect("started");
        Self {
            folder,
            system,
            console,
            master: File::from(pair.master),
            slave,
            sent: Vec::new(),
            terminal: Vt100::default(),
        }
    }

    fn type_in(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("typed");
    }

    /// Takes what the program sends, for as long as it has to say so.
    fn until(&mut self, what: &str, there: impl Fn(&Self) -> bool) {
        let limit = Instant::now() + LONG;
        while !there(self) {
            assert!(
                Instant::now() < limit,
                "{what} is not there:\n{}\n{}",
                self.terminal.lines().join("\n"),
                String::from_utf8_lossy(&self.sent)
            );
            let mut ready = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            if poll(&mut ready, PollTimeout::from(100_u8)).expect("waited") == 0 {
                continue;
            }
            let mut bytes = [0; 4096];
            let count = self.master.read(&mut bytes).expect("read");
            self.sent.extend_from_slice(&bytes[..count]);
            if self.sent.contains(&0x1b) {
                self.terminal.take(&bytes[..count]);
            }
        }
    }

    fn until_shown(&mut self, text: &str) {
        self.until(text, |stage| {
            stage.terminal.lines().join("\n").contains(text)
        });
    }

    /// Until a text is printed, line by line; what was before it is forgotten.
    fn until_printed(&mut self, text: &str) {
        let found = |sent: &[u8]| String::from_utf8_lossy(sent).contains(text);
        self.until(text, |stage| found(&stage.sent));
        assert!(!self.sent.contains(&0x1b), "an escape sequence");
        self.sent.clear();
    }

    fn until_asked(&mut self, request: &Request) {
        self.until("the request", |stage| {
            stage.system.asked().contains(request)
        });
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Ended or not.
        let _ = self.console.kill();
        let _ = self.console.wait();
    }
}

#[test]
fn a_vt100_sets_the_network_and_keeps_it() {
    let mut stage = Stage::start("vt100", true);
    stage.until_shown("https://10.10.10.1:4021/admin");
    stage.until_shown("2 calls, 5 registered phones");
    stage.type_in("1");
    stage.until_shown("[255.255.255.0");
    // A router that is nowhere near is refused, with the reason.
    stage.type_in("\x1b[B\x1b[B\x1b[B172.16.0.1\x1b[B\x1b[B\x1b[B\r");
    stage.until_shown("Gateway: the router is in no network of the machine");
    stage.type_in("\x15\x1bOA\x1bOA\x15");
    stage.type_in("10.10.10.7\x1b[B\x1b[B\x1b[B\x1b[B\x1b[B\r");
    stage.until_shown("Keep the Network Settings?");
    stage.until_shown("come back");
    stage.type_in("\r");
    stage.until_shown("The new settings stay.");
    stage.until_asked(&Request::ConfirmNetwork);
    assert!(matches!(
        stage.system.asked().first(),
        Some(Request::SetNetwork { settings }) if settings.gateway.is_none()
    ));
}

#[test]
fn an_escape_alone_goes_back_and_ctrl_l_draws_anew() {
    let mut stage = Stage::start("linux", true);
    stage.until_shown("https://10.10.10.1:4021/admin");
    stage.type_in("4");
    stage.until_shown("THIS ENDS 2 CALLS.");
    stage.type_in("\x1b");
    stage.until_shown("Operator Box: Status");
    // The kernel wrote over it.
    stage.terminal.take(b"\x1b[1;1Hkernel: something happened");
    stage.type_in("\x0c");
    stage.until_shown("Operator Box: Status");
    assert_eq!(stage.system.asked(), []);
}

#[test]
fn a_dumb_terminal_has_the_same_menu_line_by_line() {
    let mut stage = Stage::start("dumb", true);
    stage.until_printed("https://10.10.10.1:4021/admin");
    stage.type_in("1\n");
    stage.until_printed("2) Address: 10.10.10.1");
    stage.type_in("2\n");
    stage.until_printed("Address [10.10.10.1]");
    stage.type_in("10.10.10.300\n");
    stage.until_printed("2) Address: 10.10.10.300");
    stage.type_in("7\n");
    stage.until_printed("Address: write the address as 10.10.10.1");
    stage.type_in("2\n10.10.10.7\n7\n");
    stage.until_printed("Keep the Network Settings?");
    stage.type_in("1\n");
    stage.until_asked(&Request::ConfirmNetwork);
    stage.until_printed("The new settings stay.");
    stage.type_in("4\n");
    stage.until_printed("1) Yes, reboot");
    stage.type_in("0\n9\n");
    stage.until_printed("There is no such number.");
    stage.type_in("5\n1\n");
    stage.until_asked(&Request::PowerOff);
    assert!(!stage.system.asked().contains(&Request::Reboot));
}

#[test]
fn a_system_that_comes_late_is_found() {
    let mut stage = Stage::start("vt100", false);
    stage.until_shown("The system service does not answer");
    let path = stage.folder.path().join("system.sock");
    stage.system.listen(&path);
    stage.until_shown("https://10.10.10.1:4021/admin");
}

#[test]
fn rubbish_on_the_line_stops_nothing() {
    let mut stage = Stage::start("vt100", true);
    stage.until_shown("https://10.10.10.1:4021/admin");
    let mut state = 1_u32;
    let rubbish: Vec<u8> = (0..200_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    // Nobody takes what is drawn meanwhile.
    stage.master.write_all(&rubbish).expect("typed");
    stage.type_in("\x03\x03\x03\x0c");
    stage.until_shown("Operator Box: Status");
    stage.type_in("4");
    stage.until_shown("THIS ENDS 2 CALLS.");
}

#[test]
fn told_to_stop_it_leaves_the_terminal_as_it_was() {
    let mut stage = Stage::start("vt100", true);
    stage.until_shown("Operator Box: Status");
    let raw = tcgetattr(&stage.slave).expect("modes").local_flags;
    assert!(!raw.contains(LocalFlags::ICANON));
    let id = i32::try_from(stage.console.id()).expect("a process id");
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("sent");
    assert!(stage.console.wait().expect("it was started").success());
    let restored = tcgetattr(&stage.slave).expect("modes").local_flags;
    assert!(restored.contains(LocalFlags::ICANON | LocalFlags::ECHO));
}

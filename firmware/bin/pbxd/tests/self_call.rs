//! The exchange's call to itself: the real `pbxd` on loopback, called by `pbxd self-call`.

#![expect(clippy::expect_used, reason = "a test: panics are what it is for")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::control::{Ask, Message, Notice, Reply, Request};
use model::{Codec, Secret, WallTime};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use store::{Author, Expected, HistoryFilter, LogKind, LogQuery, NewExtension, Operation, Store};
use tempfile::TempDir;

/// Longer than anything takes on the slowest machine.
const LONG: Duration = Duration::from_secs(60);

const PASSWORD: &str = r#"{"password": "4f0c2b1d9e7a5836"}"#;
const OTHER: &str = r#"{"password": "another-than-that"}"#;

/// An exchange with one extension, and the supervisor's file.
struct Exchange {
    folder: TempDir,
    process: Option<Child>,
    sip: u16,
    sips: u16,
}

impl Exchange {
    fn prepare() -> Self {
        // For its owner alone, as the store wants it.
        let folder = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        store
            .change_all(
                WallTime::default(),
                &Author {
                    name: "test".into(),
                    host: "127.0.0.1".into(),
                },
                Expected::Anything,
                vec![Operation::AddExtension(NewExtension {
                    number: "101".parse().expect("a number"),
                    description: String::new(),
                    user: None,
                    caller_name: None,
                    enabled: true,
                    sip_username: "101".into(),
                    sip_password: Secret::new("correct-horse"),
                    codecs: Codec::ALL.to_vec(),
                })],
            )
            .expect("an extension");
        let pair = rcgen::generate_simple_self_signed(["box".to_owned()]).expect("made");
        let tls = folder.path().join("tls");
        fs::create_dir_all(&tls).expect("a folder");
        fs::write(tls.join("certificate.pem"), pair.cert.pem()).expect("written");
        fs::write(tls.join("key.pem"), pair.signing_key.serialize_pem()).expect("written");
        let [sip, sips] = free_ports();
        let exchange = Self {
            folder,
            process: None,
            sip,
            sips,
        };
        exchange.write("self-call.json", PASSWORD);
        exchange
    }

    fn start(&mut self) {
        let process = Command::new(env!("CARGO_BIN_EXE_pbxd"))
            .arg("--data")
            .arg(self.folder.path())
            .arg("--control")
            .arg(self.path("pbxd.sock"))
            .args(["--sip-address", "127.0.0.1"])
            .args(["--sip-port", &self.sip.to_string()])
            .args(["--sips-port", &self.sips.to_string()])
            .args(["--rtp-ports", "20000-59999", "--calls", "2"])
            .arg("--self-call")
            .arg(self.path("self-call.json"))
            .stdin(Stdio::null())
            .spawn()
            .expect("started");
        self.process = Some(process);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
        path
    }

    /// Calls through it; whether it ended with 0, and what it said.
    fn self_call(&self, file: &Path, timeout_s: u32) -> (bool, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_pbxd"))
            .arg("self-call")
            .arg("--file")
            .arg(file)
            .arg("--control")
            .arg(self.path("pbxd.sock"))
            .args(["--sip-port", &self.sip.to_string()])
            .args(["--sips-port", &self.sips.to_string()])
            .args(["--timeout", &timeout_s.to_string()])
            .output()
            .expect("run");
        let text = String::from_utf8(output.stdout).expect("text");
        assert_eq!(text.lines().count(), 1, "{text}");
        let said = serde_json::from_str(&text).expect("JSON");
        (output.status.success(), said)
    }

    fn fault(&self, file: &Path, timeout_s: u32) -> String {
        let (ended_well, said) = self.self_call(file, timeout_s);
        assert!(!ended_well && said["passed"] == false, "{said}");
        said["reason"].as_str().expect("a reason").to_owned()
    }

    fn ask(&self, request: Request) -> Reply {
        Watcher::connect(&self.path("pbxd.sock")).ask(request)
    }

    /// Ends it in order; its data stay.
    fn stop(&mut self) -> Store {
        let mut process = self.process.take().expect("it runs");
        let id = i32::try_from(process.id()).expect("an id");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("told");
        assert!(process.wait().expect("ended").success());
        Store::open(self.folder.path()).expect("its store")
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

/// A connection to the control socket.
struct Watcher {
    stream: BufReader<UnixStream>,
    notices: Vec<Notice>,
}

impl Watcher {
    fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("connected");
        stream.set_read_timeout(Some(LONG)).expect("set");
        Self {
            stream: BufReader::new(stream),
            notices: Vec::new(),
        }
    }

    /// Asks; notices before the answer are kept.
    fn ask(&mut self, request: Request) -> Reply {
        let ask = serde_json::to_string(&Ask { id: 1, request }).expect("JSON");
        writeln!(self.stream.get_mut(), "{ask}").expect("asked");
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("a line");
            match serde_json::from_str(&line).expect("a message") {
                Message::Reply { reply, .. } => return reply,
                Message::Notice { notice } => self.notices.push(notice),
            }
        }
    }
}

/// Two ports that nobody listens on, by UDP or TCP.
fn free_ports() -> [u16; 2] {
    let mut held = Vec::new();
    while held.len() < 2 {
        let stream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = stream.local_addr().expect("bound").port();
        if let Ok(datagrams) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, stream, datagrams));
        }
    }
    [held[0].0, held[1].0]
}

#[test]
fn it_passes_over_udp_and_tls_and_nobody_sees_it() {
    let mut exchange = Exchange::prepare();
    exchange.start();
    let file = exchange.path("self-call.json");
    // It waits for the exchange, and fails in the end by a password that is not the exchange's.
    let other = exchange.write("other.json", OTHER);
    let reason = exchange.fault(&other, 60);
    assert!(reason.contains("does not take the password"), "{reason}");

    let mut watcher = Watcher::connect(&exchange.path("pbxd.sock"));
    assert_eq!(watcher.ask(Request::Watch), Reply::Done);
    let (ended_well, said) = exchange.self_call(&file, 60);
    assert!(ended_well && said["passed"] == true, "{said}");
    assert!(
        said["setup_ms"].is_u64() && said["loss"].is_number(),
        "{said}"
    );
    let empty = Reply::Registrations {
        registrations: Vec::new(),
    };
    assert_eq!(watcher.ask(Request::Registrations), empty);
    assert!(watcher.notices.is_empty(), "{:?}", watcher.notices);

    let store = exchange.stop();
    let count = store.history_count(&HistoryFilter::default());
    assert_eq!(count.expect("counted"), 0);
    for kind in [LogKind::Security, LogKind::Warning, LogKind::Error] {
        let rows = store.log_query(kind, &LogQuery::default()).expect("rows");
        assert!(rows.is_empty(), "{kind:?}: {rows:?}");
    }
    assert_eq!(store.load().expect("loaded").extensions.len(), 1);
}

#[test]
fn without_the_exchange_or_its_file_the_reason_is_told() {
    let mut exchange = Exchange::prepare();
    let file = exchange.path("self-call.json");
    let reason = exchange.fault(&file, 1);
    assert!(reason.starts_with("the exchange does not run"), "{reason}");
    let missing = exchange.path("missing.json");
    let reason = exchange.fault(&missing, 1);
    assert!(reason.starts_with("there is no file"), "{reason}");

    // The call is possible as long as the file is there.
    exchange.start();
    assert!(exchange.self_call(&file, 60).0);
    let open = exchange.write("self-call.json", "");
    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("a mode");
    exchange.ask(Request::Reload);
    assert!(matches!(
        exchange.ask(Request::SelfCall),
        Reply::Failed { .. }
    ));
    fs::remove_file(&file).expect("removed");
    exchange.ask(Request::Reload);
    assert_eq!(exchange.ask(Request::SelfCall), Reply::NotFound);
    let kept = exchange.write("kept.json", PASSWORD);
    let reason = exchange.fault(&kept, 60);
    assert!(
        reason.contains("was started without --self-call"),
        "{reason}"
    );
    exchange.write("self-call.json", PASSWORD);
    exchange.ask(Request::Reload);
    assert!(exchange.self_call(&kept, 60).0);
    let store = exchange.stop();
    let count = store.history_count(&HistoryFilter::default());
    assert_eq!(count.expect("counted"), 0);
}

#[test]
fn a_port_that_is_closed_or_silent_is_named() {
    let mut exchange = Exchange::prepare();
    exchange.start();
    let file = exchange.path("self-call.json");
    let [sip, sips] = [exchange.sip, exchange.sips];
    [exchange.sips, _] = free_ports();
    let reason = exchange.fault(&file, 60);
    assert!(reason.contains("can't be reached over TLS"), "{reason}");
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    exchange.sip = silent.local_addr().expect("bound").port();
    let reason = exchange.fault(&file, 4);
    assert!(
        reason.contains("did not answer REGISTER over UDP"),
        "{reason}"
    );
    // It was not the exchange.
    [exchange.sip, exchange.sips] = [sip, sips];
    assert!(exchange.self_call(&file, 60).0);
}

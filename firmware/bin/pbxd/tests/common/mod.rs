//! The real `pbxd` on loopback, with a folder of its own.

#![expect(dead_code, reason = "each test file uses its own part of this")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::config::CallerId;
use model::control::{Ask, Message, Notice, Reply, Request};
use model::{Codec, Secret, SrtpPolicy, WallTime};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use store::{Author, Expected, NewExtension, Operation, Store};
use tempfile::TempDir;

/// Longer than anything takes on the slowest machine.
pub const LONG: Duration = Duration::from_secs(60);

pub const PASSWORD: &str = r#"{"password": "4f0c2b1d9e7a5836"}"#;

/// Of another call to itself.
pub const OTHER: &str = r#"{"password": "another-than-that"}"#;

/// Of every extension.
pub const PHONE_PASSWORD: &str = "correct-horse";

/// An exchange with two extensions, and the supervisor's file.
pub struct Exchange {
    folder: TempDir,
    process: Option<Child>,
    /// Its ports on 127.0.0.1.
    pub sip: u16,
    pub sips: u16,
}

impl Exchange {
    pub fn prepare() -> Self {
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
                vec![extension("101"), extension("102")],
            )
            .expect("extensions");
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

    pub fn start(&mut self) {
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

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
        path
    }

    /// Calls through it; whether it ended with 0, and what it said.
    pub fn self_call(&self, file: &Path, timeout_s: u32) -> (bool, Value) {
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

    pub fn fault(&self, file: &Path, timeout_s: u32) -> String {
        let (ended_well, said) = self.self_call(file, timeout_s);
        assert!(!ended_well && said["passed"] == false, "{said}");
        said["reason"].as_str().expect("a reason").to_owned()
    }

    /// Waits until it serves: a phone with a wrong password hears so.
    pub fn wait_until_ready(&self) {
        let other = self.write("other.json", OTHER);
        let reason = self.fault(&other, 60);
        assert!(reason.contains("does not take the password"), "{reason}");
    }

    pub fn ask(&self, request: Request) -> Reply {
        Watcher::connect(&self.path("pbxd.sock")).ask(request)
    }

    /// Tells it to end, and no more.
    pub fn ask_to_stop(&self) {
        let process = self.process.as_ref().expect("it runs");
        let id = i32::try_from(process.id()).expect("an id");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("told");
    }

    /// Ends it in order; its data stay.
    pub fn stop(&mut self) -> Store {
        self.ask_to_stop();
        self.stopped()
    }

    /// Waits until it has ended by a fault.
    pub fn failed(&mut self) {
        let mut process = self.process.take().expect("it runs");
        assert!(!process.wait().expect("ended").success());
    }

    /// Waits until it has ended in order.
    pub fn stopped(&mut self) -> Store {
        let mut process = self.process.take().expect("it runs");
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
pub struct Watcher {
    stream: BufReader<UnixStream>,
    pub notices: Vec<Notice>,
}

impl Watcher {
    pub fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("connected");
        stream.set_read_timeout(Some(LONG)).expect("set");
        Self {
            stream: BufReader::new(stream),
            notices: Vec::new(),
        }
    }

    /// Asks; notices before the answer are kept.
    pub fn ask(&mut self, request: Request) -> Reply {
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

fn extension(number: &str) -> Operation {
    Operation::AddExtension(NewExtension {
        number: number.parse().expect("a number"),
        description: String::new(),
        user: None,
        caller_name: None,
        caller_id: CallerId::Own,
        enabled: true,
        sip_username: number.into(),
        sip_password: Secret::new(PHONE_PASSWORD),
        codecs: Codec::DEFAULT.to_vec(),
        srtp: SrtpPolicy::Off,
        permission_group: None,
    })
}

/// Two ports that nobody listens on, by UDP or TCP.
pub fn free_ports() -> [u16; 2] {
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

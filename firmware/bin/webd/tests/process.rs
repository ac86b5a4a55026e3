//! The program itself: its ports, its certificate, and that it may be killed at any moment.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Once};
use std::time::Duration;

use common::peer::Peer;
use platform::endings::{Ending, Endings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use store::{LogKind, LogQuery, Store};

const PASSWORD: &str = "correct horse battery";

struct Webd {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Webd {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_webd"))
            .args(["--data", data.to_str().unwrap()])
            .args(["--listen", "127.0.0.1:0"])
            .args(more)
            .env_remove("NO_COLOR")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    fn quiet(data: &Path) -> Self {
        Self::start(data, &["--redirect-http", "off", "--redirect-https", "off"])
    }

    /// Waits for a log line with `text` in it.
    fn line(&mut self, text: &str) -> String {
        if let Some(line) = self.seen.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        loop {
            let line = self
                .lines
                .recv_timeout(Duration::from_secs(60))
                .unwrap_or_else(|_| panic!("no line with {text}: {:?}", self.seen));
            assert!(!line.contains('\x1b'), "a pipe has no colours: {line:?}");
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    fn port(&mut self) -> u16 {
        let line = self.line("Listening.");
        let port = line.split("port=").nth(1).unwrap();
        port.trim().parse().unwrap()
    }

    fn signal(&mut self, name: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }
}

/// Waits until a log has rows with `text` in them; returns those.
fn rows(data: &Path, log: LogKind, text: &str) -> Vec<String> {
    let store = Store::open(data).unwrap();
    let query = LogQuery {
        contains: Some(text.to_owned()),
        ..LogQuery::default()
    };
    for _ in 0..3000 {
        let rows = store.log_query(log, &query).unwrap();
        if !rows.is_empty() {
            return rows.into_iter().map(|row| row.text).collect();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no row with {text}");
}

impl Drop for Webd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that trusts the box's own certificate and nothing else.
fn trusting(data: &Path) -> Arc<ClientConfig> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .unwrap();
    });
    let certificate = CertificateDer::from_pem_file(data.join("tls/certificate.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn https(tls: &Arc<ClientConfig>, name: &str, port: u16, request: &str) -> String {
    try_https(tls, name, port, request).unwrap()
}

fn try_https(
    tls: &Arc<ClientConfig>,
    name: &str,
    port: u16,
    request: &str,
) -> std::io::Result<String> {
    let tcp = TcpStream::connect(("127.0.0.1", port))?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::clone(tls), name).unwrap();
    let mut stream = StreamOwned::new(connection, tcp);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    Ok(answer)
}

fn request(method: &str, path: &str, port: u16, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nX-Requested-With: test\r\nContent-Length: {}\r\n\
         {headers}\r\n{body}",
        body.len()
    )
}

fn log_in(tls: &Arc<ClientConfig>, port: u16) -> String {
    let body = format!("{{\"name\":\"Admin\",\"password\":\"{PASSWORD}\"}}");
    let answer = https(
        tls,
        "127.0.0.1",
        port,
        &request("POST", "/api/v1/session", port, "", &body),
    );
    let cookie = answer
        .split("set-cookie: ")
        .nth(1)
        .unwrap_or_else(|| panic!("{answer}"));
    format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
}

fn first_visit(tls: &Arc<ClientConfig>, port: u16) {
    let body = format!("{{\"password\":\"{PASSWORD}\"}}");
    let answer = https(
        tls,
        "127.0.0.1",
        port,
        &request("POST", "/api/v1/first-visit", port, "", &body),
    );
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[test]
fn it_serves_by_a_certificate_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let mut webd = Webd::quiet(data.path());
    let port = webd.port();
    let tls = trusting(data.path());
    for name in ["127.0.0.1", "localhost"] {
        let answer = https(&tls, name, port, &request("GET", "/admin", port, "", ""));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("<title>"), "{answer}");
    }
    let root = https(&tls, "127.0.0.1", port, &request("GET", "/", port, "", ""));
    assert!(root.contains("location: /admin"), "{root}");

    let before = std::fs::read(data.path().join("tls/certificate.pem")).unwrap();
    assert!(webd.signal("-TERM").success());
    let mut webd = Webd::quiet(data.path());
    webd.port();
    let after = std::fs::read(data.path().join("tls/certificate.pem")).unwrap();
    assert_eq!(before, after, "it is kept");
}

#[test]
fn a_visit_tells_whether_an_administration_answers() {
    let visit = |address: &str| {
        let mut webd = Command::new(env!("CARGO_BIN_EXE_webd"));
        webd.args(["--visit", address]).output().unwrap()
    };
    let data = tempfile::tempdir().unwrap();
    let mut webd = Webd::start(
        data.path(),
        &["--redirect-http", "off", "--redirect-https", "127.0.0.1:0"],
    );
    let port = webd.port();
    assert!(visit(&format!("127.0.0.1:{port}")).status.success());
    // HTTPS that only leads there.
    let line = webd.line("Leading visitors");
    let address = line.rsplit("=").next().unwrap().trim().to_owned();
    let led = visit(&address);
    assert_eq!(led.status.code(), Some(1));
    let why = String::from_utf8(led.stdout).unwrap();
    assert!(why.contains("it answers `HTTP/1.1 307"), "{why}");
    // Somebody listens, and says nothing that TLS knows.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let answers = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    });
    assert_eq!(visit(&address.to_string()).status.code(), Some(1));
    answers.join().unwrap();
    webd.signal("-TERM");
    let gone = visit(&format!("127.0.0.1:{port}"));
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stdout).contains("nobody listens"));
}

#[test]
fn other_ports_lead_there() {
    let data = tempfile::tempdir().unwrap();
    let mut webd = Webd::start(
        data.path(),
        &[
            "--redirect-http",
            "127.0.0.1:0",
            "--redirect-https",
            "127.0.0.1:0",
        ],
    );
    let port = webd.port();
    webd.line("Leading visitors");
    let ports: Vec<u16> = webd
        .seen
        .iter()
        .filter(|line| line.contains("Leading visitors"))
        .map(|line| line.rsplit(':').next().unwrap().trim().parse().unwrap())
        .collect();
    let [http, tls_port] = ports[..] else {
        panic!("{:?}", webd.seen);
    };
    let ask = |host: &str| format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", http)).unwrap();
    stream.write_all(ask("localhost").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
    assert!(answer.contains(&format!("location: https://localhost:{port}/admin")));
    // A browser that was given no more than an address and a port tries it without TLS.
    for plain in [port, tls_port] {
        let mut stream = TcpStream::connect(("127.0.0.1", plain)).unwrap();
        stream.write_all(ask("localhost").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
        assert!(answer.contains(&format!("location: https://localhost:{port}/admin")));
    }
    webd.line(&format!("led there from port {http} and {tls_port} too"));
    let tls = trusting(data.path());
    let answer = https(&tls, "127.0.0.1", tls_port, &ask("127.0.0.1"));
    assert!(answer.contains(&format!("location: https://127.0.0.1:{port}/admin")));
    let answer = https(&tls, "127.0.0.1", tls_port, &ask("evil.test"));
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
}

#[test]
fn a_port_that_is_taken_is_said_and_only_the_main_one_matters() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = taken.local_addr().unwrap();
    let address = address.to_string();
    let mut webd = Webd::start(
        data.path(),
        &["--redirect-http", &address, "--redirect-https", "off"],
    );
    webd.line("Not listening there");
    webd.port();
    drop(webd);
    let mut webd = Webd::start(data.path(), &["--listen", &address]);
    webd.line("can't be listened on");
    assert_eq!(webd.child.wait().unwrap().code(), Some(1));
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let mut cookie = None;
    for round in 0..4 {
        let mut webd = Webd::quiet(data.path());
        let port = webd.port();
        let tls = trusting(data.path());
        if round == 0 {
            first_visit(&tls, port);
        }
        let cookie = cookie.get_or_insert_with(|| log_in(&tls, port)).clone();
        let (send, answers) = channel();
        let worker = std::thread::spawn(move || {
            for n in 0.. {
                let number = format!("{}", 1000 + round * 1000 + n);
                let body = format!("{{\"number\":\"{number}\"}}");
                let ask = request("POST", "/api/v1/extensions", port, &cookie, &body);
                match try_https(&tls, "127.0.0.1", port, &ask) {
                    Ok(answer) if answer.starts_with("HTTP/1.1 201") => {
                        let _ = send.send(number);
                    }
                    _ => return,
                }
            }
        });
        // Killed right after an answer, while the next request is under way.
        for _ in 0..5 {
            acknowledged.push(answers.recv_timeout(Duration::from_secs(60)).unwrap());
        }
        webd.signal("-KILL");
        worker.join().unwrap();
        acknowledged.extend(answers.try_iter());
    }
    let store = store::Store::open(data.path()).unwrap();
    let stored = store.load().unwrap();
    assert!(stored.check().is_empty());
    for number in &acknowledged {
        let there = stored
            .extensions
            .iter()
            .any(|extension| extension.number.as_str() == number);
        assert!(there, "{number} was acknowledged and is lost");
    }
    assert!(acknowledged.len() >= 20);
}

#[test]
fn it_ends_in_order_while_somebody_listens() {
    let data = tempfile::tempdir().unwrap();
    let mut webd = Webd::quiet(data.path());
    let port = webd.port();
    let tls = trusting(data.path());
    first_visit(&tls, port);
    let cookie = log_in(&tls, port);
    let ask = request("GET", "/api/v1/events", port, &cookie, "");
    let listener = std::thread::spawn(move || https(&tls, "127.0.0.1", port, &ask));
    webd.line("Session opened.");
    std::thread::sleep(Duration::from_millis(300));
    let begun = std::time::Instant::now();
    assert!(webd.signal("-TERM").success());
    assert!(begun.elapsed() < Duration::from_secs(4));
    let events = listener.join().unwrap();
    assert!(events.contains("event: hello"), "{events}");
    assert!(
        events.contains("{\"reason\":\"shutting_down\"}"),
        "{events}"
    );
}

#[test]
fn a_forgotten_password_is_set_anew_where_the_console_asks_for_it() {
    let data = tempfile::tempdir().unwrap();
    let needed = |tls: &Arc<ClientConfig>, port: u16| {
        let ask = request("GET", "/api/v1/first-visit", port, "", "");
        https(tls, "127.0.0.1", port, &ask).contains("\"needed\":true")
    };
    for _ in 0..2 {
        let mut webd = Webd::quiet(data.path());
        let port = webd.port();
        let tls = trusting(data.path());
        assert!(needed(&tls, port));
        first_visit(&tls, port);
        log_in(&tls, port);
        assert!(!needed(&tls, port));
        assert!(webd.signal("-TERM").success());
        platform::data::ask_for_password_reset(data.path()).unwrap();
    }
    let mut webd = Webd::quiet(data.path());
    webd.port();
    assert!(!platform::data::password_reset_is_asked(data.path()).unwrap());
    let removed = rows(data.path(), LogKind::Config, "password removed");
    assert_eq!(removed.len(), 2);
}

#[test]
fn a_log_has_no_secrets() {
    let data = tempfile::tempdir().unwrap();
    let mut webd = Webd::quiet(data.path());
    let port = webd.port();
    let tls = trusting(data.path());
    first_visit(&tls, port);
    let cookie = log_in(&tls, port);
    let body = "{\"number\":\"122\",\"sip_password\":\"telephone-secret\"}";
    let added = https(
        &tls,
        "127.0.0.1",
        port,
        &request("POST", "/api/v1/extensions", port, &cookie, body),
    );
    assert!(added.starts_with("HTTP/1.1 201"), "{added}");
    assert!(webd.signal("-TERM").success());
    webd.seen.extend(webd.lines.try_iter());
    let token = cookie.split('=').nth(1).unwrap().trim();
    for secret in [PASSWORD, token, "telephone-secret", "argon2"] {
        assert!(
            !webd.seen.iter().any(|line| line.contains(secret)),
            "{secret}"
        );
    }
}

#[test]
fn a_certificate_that_can_not_be_used_keeps_nobody_out() {
    let dir = tempfile::tempdir().unwrap();
    let tls = dir.path().join("tls");
    std::fs::create_dir(&tls).unwrap();
    for (name, content) in [("certificate.pem", "junk"), ("key.pem", "")] {
        std::fs::write(tls.join(name), content).unwrap();
    }
    let mut webd = Webd::quiet(dir.path());
    let port = webd.port();
    let request =
        "GET /api/v1/first-visit HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = https(&trusting(dir.path()), "localhost", port, request);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let told = rows(dir.path(), LogKind::Error, "can't be used");
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("unusable-1-certificate.pem")
            && told[0].contains("To have your own again"),
        "{told:?}"
    );
    let kept = std::fs::read_to_string(tls.join("unusable-1-certificate.pem")).unwrap();
    assert_eq!(kept, "junk");
    assert!(webd.signal("-TERM").success());
}

#[test]
fn what_ended_by_itself_is_in_the_warning_log_once() {
    let dir = tempfile::tempdir().unwrap();
    let ending = Ending {
        at: common::now(),
        process: "pbxd".into(),
        text: "ended unexpectedly (signal: 9 (SIGKILL)) and is started again after 200ms".into(),
    };
    let endings = Endings::of(dir.path());
    let gone = || {
        for _ in 0..3000 {
            if endings.found().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nobody takes it");
    };
    let said = "can't go on: the port is taken";
    endings.leave_last_words("pbxd", said.into()).unwrap();
    // The second time is that of a process killed before it could take it away.
    for _ in 0..2 {
        endings.leave(&ending).unwrap();
        let mut webd = Webd::quiet(dir.path());
        webd.port();
        gone();
        assert!(webd.signal("-TERM").success());
    }
    assert_eq!(
        rows(dir.path(), LogKind::Warning, "unexpectedly"),
        [
            "The exchange (pbxd) ended unexpectedly (signal: 9 (SIGKILL)) and is started again after 200ms."
        ]
    );
    assert_eq!(
        rows(dir.path(), LogKind::Error, "can't go on"),
        ["The exchange (pbxd) can't go on: the port is taken."]
    );
    // It ended once.
    let store = Store::open(dir.path()).unwrap();
    let ended = store
        .endings(model::WallTime::from_unix_seconds(0))
        .unwrap();
    assert_eq!(
        ended.iter().filter(|ended| ended.process == "pbxd").count(),
        1
    );
}

#[test]
fn where_to_go_is_said_when_all_is_up() {
    let dir = tempfile::tempdir().unwrap();
    let _peer = Peer::start(&dir.path().join("pbxd.sock"));
    let mut webd = Webd::quiet(dir.path());
    let line = webd.line("https://");
    let port = webd.port();
    assert_eq!(
        line,
        format!("The administration: https://127.0.0.1:{port}/admin")
    );
    assert!(
        webd.seen
            .iter()
            .any(|line| line.contains("Connected to the exchange."))
    );
}

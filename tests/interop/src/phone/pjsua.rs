//! pjsua2 behind `peers/pjsua_phone.py`: JSON lines both ways.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::ChildStdin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::{By, Call, Event, PATIENCE, Setup, Stats, mailbox::Mailbox, uri};
use crate::{Host, Stage, Transport, Wave, child::Child, stage};

/// From key to key.
const DIGIT: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(super) struct Pjsua {
    // Before the child: at the end of its input the phone hangs up and leaves by itself.
    stdin: Mutex<Option<ChildStdin>>,
    child: Mutex<Child>,
    mailbox: Arc<Mailbox>,
    next: AtomicU64,
    recordings: PathBuf,
    name: String,
}

impl Pjsua {
    pub(super) fn start(
        stage: &Stage,
        name: &str,
        host: &Host,
        setup: &Setup,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Self> {
        let mut command = host.command(stage::python());
        command.arg(stage::here().join("peers/pjsua_phone.py"));
        let log = stage.evidence().join(format!("{name}.log"));
        let (child, mut stdin, stdout) = Child::start_piped(name, command, &log)?;
        let mut line = set_up(stage, name, host, setup)?.to_string();
        line.push('\n');
        stdin.write_all(line.as_bytes())?;
        let post = Arc::clone(mailbox);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                read(&post, &line);
            }
            post.close();
        });
        Ok(Self {
            stdin: Mutex::new(Some(stdin)),
            child: Mutex::new(child),
            mailbox: Arc::clone(mailbox),
            next: AtomicU64::new(1),
            recordings: stage.evidence().to_owned(),
            name: name.to_owned(),
        })
    }

    pub(super) fn register(&self, on: bool) -> Result<()> {
        self.ask(if on { "register" } else { "unregister" }, json!({}))
            .map(drop)
    }

    pub(super) fn dial(&self, to: &str) -> Result<Call> {
        let reply = self.ask("dial", json!({ "to": to }))?;
        serde_json::from_value(reply["call"].clone()).context("the number of the call")
    }

    pub(super) fn answer(&self, call: &Call, code: u16) -> Result<()> {
        self.ask("answer", json!({ "call": call, "code": code }))
            .map(drop)
    }

    pub(super) fn on_call(&self, op: &str, call: &Call) -> Result<()> {
        self.ask(op, json!({ "call": call })).map(drop)
    }

    pub(super) fn transfer(&self, call: &Call, to: &str) -> Result<()> {
        self.ask("transfer", json!({ "call": call, "to": to }))
            .map(drop)
    }

    pub(super) fn transfer_attended(&self, call: &Call, other: &Call) -> Result<()> {
        self.ask("transfer_attended", json!({ "call": call, "other": other }))
            .map(drop)
    }

    pub(super) fn digits(&self, call: &Call, digits: &str, by: By) -> Result<()> {
        if by == By::Rfc4733 {
            return self
                .ask(
                    "digits",
                    json!({ "call": call, "digits": digits, "by": by }),
                )
                .map(drop);
        }
        // It would send all INFOs at once, and UDP keeps no order.
        for digit in digits.chars() {
            self.ask("digits", json!({ "call": call, "digits": digit, "by": by }))?;
            thread::sleep(DIGIT);
        }
        Ok(())
    }

    pub(super) fn listen(&self, call: &Call, length: Duration) -> Result<Wave> {
        // One recording for the whole call: pjsua stumbles when a recorder is taken away.
        let path = self
            .recordings
            .join(format!("{}-call-{}.wav", self.name, call.0));
        if !path.exists() {
            self.ask("record", json!({ "call": call, "path": path }))?;
        }
        let before = Wave::read(&path).map_or(Duration::ZERO, |wave| wave.length());
        thread::sleep(length);
        Ok(Wave::read(&path)?.after(before))
    }

    pub(super) fn stats(&self, call: &Call) -> Result<Stats> {
        let reply = self.ask("stats", json!({ "call": call }))?;
        serde_json::from_value(reply).context("statistics")
    }

    fn ask(&self, op: &str, mut request: Value) -> Result<Value> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        request["n"] = number.into();
        request["op"] = op.into();
        let line = request.to_string();
        self.mailbox.note(&format!("> {line}"));
        {
            let mut stdin = self
                .stdin
                .lock()
                .map_err(|_| anyhow!("another thread panicked"))?;
            let Some(stdin) = stdin.as_mut() else {
                bail!("{} has been ended", self.name)
            };
            if writeln!(stdin, "{line}").is_err() {
                self.child
                    .lock()
                    .map_err(|_| anyhow!("another thread panicked"))?
                    .check()?;
            }
        }
        self.mailbox.wait_reply(number, op, PATIENCE)
    }
}

impl Drop for Pjsua {
    fn drop(&mut self) {
        if let Ok(mut stdin) = self.stdin.lock() {
            stdin.take();
        }
        if let Ok(mut child) = self.child.lock() {
            let _ = child.wait(Duration::from_secs(2));
        }
    }
}

fn set_up(stage: &Stage, name: &str, host: &Host, setup: &Setup) -> Result<Value> {
    ensure!(!setup.ipv6, "the pjsua2 that PyPI has knows no IPv6");
    let codecs = setup
        .codecs
        .iter()
        .map(|name| codec(name))
        .collect::<Result<Vec<_>>>()?;
    let mut lines = json!({
        "name": name,
        "address": host.address(),
        "transport": setup.transport,
        "codecs": codecs,
        "srtp": setup.srtp,
        "tone": stage.tone(8000, setup.tone_hz)?,
        "log": stage.evidence().join(format!("{name}.sip")),
        "uri": uri("phone", setup, host),
        "trust": setup.trust,
    });
    if setup.transport == Transport::Tls {
        let identity = stage.identity(&host.address().to_string())?;
        lines["certificate"] = json!(identity.certificate);
        lines["key"] = json!(identity.key);
    }
    if let Some(account) = &setup.account {
        lines["registrar"] = json!(account.registrar(setup.transport));
        lines["user"] = json!(account.user);
        lines["password"] = json!(account.password);
        lines["expires"] = json!(setup.expires);
    }
    Ok(lines)
}

/// pjsua's name of a codec.
fn codec(name: &str) -> Result<&'static str> {
    Ok(match name {
        "PCMA" => "PCMA/8000/1",
        "PCMU" => "PCMU/8000/1",
        "G722" => "G722/16000/1",
        "GSM" => "GSM/8000/1",
        "iLBC" => "iLBC/8000/1",
        _ => bail!("pjsua has no codec {name}"),
    })
}

fn read(mailbox: &Mailbox, line: &str) {
    mailbox.note(&format!("< {line}"));
    let Ok(mut message) = serde_json::from_str::<Value>(line) else {
        return;
    };
    if let Some(number) = message["n"].as_u64() {
        let reply = match message["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(message["ok"].take()),
        };
        mailbox.reply(number, reply);
    } else if let Ok(event) = serde_json::from_value::<Event>(message) {
        mailbox.event(event);
    }
}

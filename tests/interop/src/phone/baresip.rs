//! baresip behind its own control connection (module `ctrl_tcp`): JSON in netstrings.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::{BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::{Call, Event, PATIENCE, Setup, Srtp, mailbox::Mailbox, uri};
use crate::{Host, Stage, Transport, Wave, child::Child};

const CONTROL: u16 = 4444;
const MODULES: &str = "/usr/lib/baresip/modules";
/// Longest message taken: its answers are a few hundred bytes.
const MESSAGE_LIMIT: usize = 65_536;
/// A digit lasts this long, then as long a pause: what a finger does.
const DIGIT: Duration = Duration::from_millis(150);

#[derive(Debug)]
pub(super) struct Baresip {
    child: Mutex<Child>,
    control: Mutex<TcpStream>,
    mailbox: Arc<Mailbox>,
    next: AtomicU64,
    account: Option<String>,
    recordings: PathBuf,
    name: String,
}

impl Baresip {
    pub(super) fn start(
        stage: &Stage,
        name: &str,
        host: &Host,
        setup: &Setup,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Self> {
        let folder = stage.scratch().join(name);
        let recordings = stage.evidence().join(format!("{name}-recordings"));
        fs::create_dir_all(&folder)?;
        fs::create_dir_all(&recordings)?;
        fs::write(folder.join("config"), config(stage, host, setup)?)?;
        fs::write(folder.join("contacts"), "")?;
        let line = account(host, setup);
        // A phone with an account appears with its registration; one without is there from the start.
        let (account, at_start) = if setup.account.is_some() {
            (Some(line), String::new())
        } else {
            (None, line)
        };
        fs::write(folder.join("accounts"), at_start + "\n")?;

        let mut command = host.command("baresip");
        // It records where it runs: longer than 100 octets, it would cut the path that it is told.
        command
            .args(["-s", "-v", "-f"])
            .arg(&folder)
            .current_dir(&recordings);
        let child = Child::start(name, command, &stage.evidence().join(format!("{name}.log")))?;
        let control = host.connect(SocketAddr::from(([127, 0, 0, 1], CONTROL)), PATIENCE)?;
        let (post, from) = (Arc::clone(mailbox), control.try_clone()?);
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut dialled = HashSet::new();
            while let Ok(message) = netstring(&mut from) {
                read(&post, &message, &mut dialled);
            }
            post.close();
        });
        mailbox.event(Event::Ready);
        Ok(Self {
            child: Mutex::new(child),
            control: Mutex::new(control),
            mailbox: Arc::clone(mailbox),
            next: AtomicU64::new(1),
            account,
            recordings,
            name: name.to_owned(),
        })
    }

    pub(super) fn register(&self) -> Result<()> {
        let account = self
            .account
            .as_ref()
            .with_context(|| format!("{} has no account", self.name))?;
        self.ask("uanew", account).map(drop)
    }

    pub(super) fn dial(&self, to: &str) -> Result<Call> {
        // Its answer doesn't name the call; the first event about it does.
        self.mailbox
            .forget(|event| matches!(event, Event::Dialled { .. }));
        self.ask("dial", to)?;
        self.mailbox.wait(
            "get any answer to its call",
            PATIENCE,
            |event| match event {
                Event::Dialled { call } => Some(call.clone()),
                _ => None,
            },
        )
    }

    pub(super) fn answer(&self, call: &Call) -> Result<()> {
        self.on_call("accept", call)
    }

    pub(super) fn hangup(&self, call: &Call) -> Result<()> {
        self.on_call("hangup", call)
    }

    pub(super) fn on_call(&self, command: &str, call: &Call) -> Result<()> {
        self.choose(call)?;
        self.ask(command, "").map(drop)
    }

    pub(super) fn transfer(&self, call: &Call, to: &str) -> Result<()> {
        self.choose(call)?;
        self.ask("transfer", to).map(drop)
    }

    pub(super) fn digits(&self, call: &Call, digits: &str) -> Result<()> {
        self.choose(call)?;
        for digit in digits.chars() {
            self.ask("sndcode", &digit.to_string())?;
            thread::sleep(DIGIT);
            // EOT: the key is let go.
            self.ask("sndcode", "\u{4}")?;
            thread::sleep(DIGIT);
        }
        Ok(())
    }

    pub(super) fn listen(&self, length: Duration) -> Result<Wave> {
        let path = self.recording()?;
        let before = Wave::read(&path).map_or(Duration::ZERO, |wave| wave.length());
        thread::sleep(length);
        let heard = Wave::read(&path)?.after(before);
        ensure!(
            heard.length() > length / 2,
            "the recording stood still; heard: {heard}"
        );
        Ok(heard)
    }

    /// Commands go to the current call.
    fn choose(&self, call: &Call) -> Result<()> {
        self.ask("callfind", &call.0).map(drop)
    }

    /// The newest recording of received sound.
    fn recording(&self) -> Result<PathBuf> {
        let mut found: BTreeMap<SystemTime, PathBuf> = BTreeMap::new();
        for entry in fs::read_dir(&self.recordings)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with("-dec.wav") {
                found.insert(entry.metadata()?.modified()?, entry.path());
            }
        }
        found
            .pop_last()
            .map(|(_, path)| path)
            .context("nothing was recorded")
    }

    fn ask(&self, command: &str, parameters: &str) -> Result<String> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let request =
            json!({ "command": command, "params": parameters, "token": number.to_string() })
                .to_string();
        self.mailbox.note(&format!("> {request}"));
        {
            let mut control = self
                .control
                .lock()
                .map_err(|_| anyhow!("another thread panicked"))?;
            if write!(control, "{}:{request},", request.len()).is_err() {
                self.child
                    .lock()
                    .map_err(|_| anyhow!("another thread panicked"))?
                    .check()?;
            }
        }
        let reply = self.mailbox.wait_reply(number, command, PATIENCE)?;
        Ok(reply.as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // It unregisters and ends its calls in order, then leaves.
        if let Ok(mut child) = self.child.lock() {
            let _ = child.end();
        }
    }
}

fn config(stage: &Stage, host: &Host, setup: &Setup) -> Result<String> {
    // A source must have the codec's own rate.
    let rate = match setup.codecs.first() {
        Some(&"G722") => 16_000,
        Some(&"opus") => 48_000,
        _ => 8000,
    };
    let tone = stage.tone(rate, setup.tone_hz)?;
    let address = if setup.ipv6 {
        format!("[{}]", host.address6())
    } else {
        host.address().to_string()
    };
    let mut lines = format!(
        "poll_method epoll\n\
         sip_listen {address}:5060\n\
         call_local_timeout 120\n\
         call_max_calls 4\n\
         audio_source aufile,{}\n\
         audio_player aubridge,none\n\
         audio_alert aufile,/dev/null\n\
         ausrc_format s16\nauplay_format s16\nauenc_format s16\naudec_format s16\n\
         rtp_ports 10000-10099\n\
         rtp_stats yes\n\
         snd_path .\n\
         ctrl_tcp_listen 127.0.0.1:{CONTROL}\n\
         module_path {MODULES}\n",
        tone.display(),
    );
    for module in [
        "g711", "g722", "gsm", "opus", "aufile", "aubridge", "sndfile", "srtp",
    ] {
        lines += &format!("module {module}.so\n");
    }
    lines += "module_tmp uuid.so\nmodule_tmp account.so\n";
    for module in ["contact", "menu", "ctrl_tcp"] {
        lines += &format!("module_app {module}.so\n");
    }
    if setup.transport == Transport::Tls {
        let identity = stage.identity(&host.address().to_string())?;
        // Its certificate and key in one file.
        let both = fs::read_to_string(&identity.certificate)? + &fs::read_to_string(&identity.key)?;
        let path = stage.scratch().join(format!("{}.both.pem", host.number));
        fs::write(&path, both)?;
        lines += &format!("sip_certificate {}\n", path.display());
    }
    if let Some(trust) = &setup.trust {
        lines += &format!("sip_cafile {}\n", trust.display());
    }
    Ok(lines)
}

fn account(host: &Host, setup: &Setup) -> String {
    let mut line = format!(
        "<{}{}>",
        uri("phone", setup, host),
        if setup.account.is_some() {
            setup.transport.parameter()
        } else {
            ""
        }
    );
    match &setup.account {
        Some(account) => {
            line += &format!(
                ";auth_user={};auth_pass={};regint={}",
                account.user, account.password, setup.expires
            );
        }
        None => line += ";regint=0",
    }
    let codecs: Vec<String> = setup.codecs.iter().map(|name| codec(name)).collect();
    line += &format!(";audio_codecs={}", codecs.join(","));
    match setup.srtp {
        Srtp::Off => {}
        Srtp::Offered => line += ";mediaenc=srtp",
        Srtp::Required => line += ";mediaenc=srtp-mand",
    }
    line
}

/// baresip's name of a codec.
fn codec(name: &str) -> String {
    match name {
        "G722" => "G722/16000/1".into(),
        "opus" => "opus/48000/2".into(),
        _ => format!("{name}/8000/1"),
    }
}

/// Reads `12:hello world!,`.
fn netstring(from: &mut impl Read) -> Result<String> {
    let mut length = 0;
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        match byte[0] {
            digit @ b'0'..=b'9' => length = length * 10 + usize::from(digit - b'0'),
            b':' => break,
            other => bail!("{other} in the length of a netstring"),
        }
        ensure!(length <= MESSAGE_LIMIT, "a message of {length} bytes");
    }
    let mut text = vec![0; length + 1];
    from.read_exact(&mut text)?;
    text.truncate(length);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn read(mailbox: &Mailbox, line: &str, dialled: &mut HashSet<String>) {
    mailbox.note(&format!("< {line}"));
    let Ok(message) = serde_json::from_str::<Value>(line) else {
        return;
    };
    if message["response"].as_bool() == Some(true) {
        let number = message["token"]
            .as_str()
            .and_then(|token| token.parse().ok())
            .unwrap_or_default();
        let text = message["data"].as_str().unwrap_or_default().to_owned();
        let reply = if message["ok"].as_bool() == Some(true) {
            Ok(text.into())
        } else {
            Err(text)
        };
        mailbox.reply(number, reply);
    } else {
        if let (Some("outgoing"), Some(id)) =
            (message["direction"].as_str(), message["id"].as_str())
            && dialled.insert(id.to_owned())
        {
            mailbox.event(Event::Dialled {
                call: Call(id.to_owned()),
            });
        }
        mailbox.event(event(&message));
    }
}

fn event(message: &Value) -> Event {
    let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
    let (call, param, remote) = (Call(text("id")), text("param"), text("peeruri"));
    match message["type"].as_str().unwrap_or_default() {
        "REGISTER_OK" => Event::Registered,
        "REGISTER_FAIL" => Event::RegisterFailed {
            code: code(&param),
            reason: param,
        },
        "CALL_INCOMING" => Event::Incoming { call, remote },
        "CALL_RINGING" => Event::Ringing { call, code: 180 },
        "CALL_PROGRESS" => Event::Ringing { call, code: 183 },
        "CALL_ESTABLISHED" => Event::Established { call, remote },
        "CALL_CLOSED" => Event::Ended {
            call,
            code: code(&param),
            reason: param,
        },
        "CALL_DTMF_START" => match param.chars().next() {
            Some(digit) => Event::Digit {
                call,
                digit,
                by: None,
            },
            None => Event::Other,
        },
        "CALL_TRANSFER" => Event::TransferAsked {
            call,
            to: param,
            follow: None,
        },
        "CALL_TRANSFER_FAILED" => Event::TransferStatus {
            call,
            code: code(&param),
        },
        _ => Event::Other,
    }
}

/// The number in front of `486 Busy Here`; 0 where the end has no answer's code.
fn code(text: &str) -> u16 {
    text.split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_to_its_end_and_not_further() -> Result<()> {
        let mut bytes: &[u8] = b"5:hello,2:{},";
        assert_eq!(netstring(&mut bytes)?, "hello");
        assert_eq!(netstring(&mut bytes)?, "{}");
        assert!(netstring(&mut bytes).is_err());
        assert!(netstring(&mut &b"99999999999:"[..]).is_err());
        assert!(netstring(&mut &b"x:"[..]).is_err());
        Ok(())
    }

    #[test]
    fn the_end_of_a_call_has_the_answers_code() {
        let message =
            json!({ "event": true, "type": "CALL_CLOSED", "id": "a1", "param": "486 Busy Here" });
        let expected = Event::Ended {
            call: Call("a1".into()),
            code: 486,
            reason: "486 Busy Here".into(),
        };
        assert_eq!(event(&message), expected);
        assert_eq!(code("Connection reset by peer"), 0);
    }
}

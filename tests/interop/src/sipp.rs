//! SIPp: scenarios of our own in `sipp/`, its exit code the verdict.

use std::{fs, net::IpAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{Account, Stage, child::Child, stage};

/// Calls or registrations a scenario may be asked for: no run is without end.
const COUNT_LIMIT: u32 = 20_000;

/// What SIPp is to do.
#[derive(Debug, Clone)]
pub struct Sipp {
    name: String,
    host: u8,
    scenario: &'static str,
    to: Option<String>,
    caller: String,
    arguments: Vec<String>,
    lines: Vec<String>,
    limit: Duration,
    silent: bool,
    expires_s: u32,
}

/// SIPp at work; ended on drop.
#[derive(Debug)]
pub struct SippRun {
    child: Child,
    name: String,
    limit: Duration,
    traces: Vec<PathBuf>,
}

impl Sipp {
    /// Plays `sipp/<scenario>.xml` once, from this host.
    pub fn new(scenario: &'static str, host: u8) -> Self {
        Self {
            name: format!("sipp-{host}-{scenario}"),
            host,
            scenario,
            to: None,
            caller: "sipp".into(),
            arguments: Vec::new(),
            lines: Vec::new(),
            limit: Duration::from_secs(20),
            silent: false,
            expires_s: 300,
        }
    }

    /// Sends to this address and calls this number.
    pub fn to(mut self, address: IpAddr, number: &str) -> Self {
        self.to = Some(address.to_string());
        self.argument("-s", number)
    }

    /// Answers digest challenges as this account; the scenario finds its number as `[caller]`.
    pub fn account(self, account: &Account) -> Self {
        let mut next = self
            .argument("-au", &account.user)
            .argument("-ap", &account.password);
        next.caller.clone_from(&account.number);
        next
    }

    /// Plays it so many times, at this rate a second.
    pub fn times(self, count: u32, per_second: u32) -> Self {
        let count = count.min(COUNT_LIMIT);
        self.argument("-m", &count.to_string())
            .argument("-r", &per_second.to_string())
    }

    /// One line for each run (`[field0]`, `[field1]`, … are parted by `;`), in order.
    pub fn lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines = lines.into_iter().collect();
        self
    }

    /// Sends every RTP packet back.
    pub fn echo(mut self) -> Self {
        self.arguments.push("-rtp_echo".into());
        self
    }

    /// Sends no sound, whatever the scenario plays.
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Answers what a scenario doesn't expect, such as the exchange's questions whether it is still there.
    pub fn alive(mut self) -> Self {
        self.arguments.push("-aa".into());
        self
    }

    /// Registers for so many seconds.
    pub fn expires_s(mut self, expires_s: u32) -> Self {
        self.expires_s = expires_s;
        self
    }

    /// A further argument of SIPp's own.
    pub fn argument(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// How long it may take in all.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it.
    pub fn start(self, stage: &Stage) -> Result<SippRun> {
        let host = stage.net.host(self.host)?;
        let evidence = |kind: &str| stage.evidence().join(format!("{}.{kind}", self.name));
        let scenario = self.prepare(stage)?;
        let mut command = host.command("sipp");
        command.current_dir(stage.scratch());
        command.args(self.to.iter());
        let address = host.address().to_string();
        command
            .args([
                "-i", &address, "-mi", &address, "-p", "5060", "-nostdin", "-sf",
            ])
            .arg(scenario);
        if !self.arguments.iter().any(|argument| argument == "-m") {
            command.args(["-m", "1"]);
        }
        command.args([
            "-timeout",
            &format!("{}s", self.limit.as_secs()),
            "-timeout_error",
        ]);
        command
            .args(["-key", "caller", &self.caller])
            .args(["-key", "expires", &self.expires_s.to_string()])
            .args(&self.arguments);
        if !self.lines.is_empty() {
            let path = stage.scratch().join(format!("{}.csv", self.name));
            fs::write(&path, format!("SEQUENTIAL\n{}\n", self.lines.join("\n")))?;
            command.arg("-inf").arg(path);
        }
        let (errors, messages) = (evidence("errors"), evidence("sip"));
        command.arg("-trace_err").arg("-error_file").arg(&errors);
        // A storm's messages would fill the disk: its statistics tell more.
        if self.lines.len() <= 10 {
            command
                .arg("-trace_msg")
                .arg("-message_file")
                .arg(&messages);
        }
        let child = Child::start(&self.name, command, &evidence("log"))?;
        Ok(SippRun {
            child,
            name: self.name,
            limit: self.limit + Duration::from_secs(5),
            traces: vec![errors, messages],
        })
    }

    /// Starts it and waits for a good end.
    pub fn run(self, stage: &Stage) -> Result<()> {
        self.start(stage)?.finish()
    }

    /// The scenario, with the sound it plays put in.
    fn prepare(&self, stage: &Stage) -> Result<PathBuf> {
        let source = stage::here()
            .join("sipp")
            .join(format!("{}.xml", self.scenario));
        let text =
            fs::read_to_string(&source).with_context(|| format!("read {}", source.display()))?;
        if !text.contains("@TONE@") {
            return Ok(source);
        }
        let path = stage.scratch().join(format!("{}.xml", self.name));
        if self.silent {
            let lines = text.lines().filter(|line| !line.contains("@TONE@"));
            fs::write(&path, lines.collect::<Vec<_>>().join("\n"))?;
            return Ok(path);
        }
        let tone = stage.scratch().join("tone.alaw");
        if !tone.exists() {
            crate::Wave::tone(8000, 1000, Duration::from_secs(1)).write_alaw(&tone)?;
        }
        fs::write(&path, text.replace("@TONE@", &tone.to_string_lossy()))?;
        Ok(path)
    }
}

impl SippRun {
    /// Waits for its end; fails unless every call went as its scenario says.
    pub fn finish(mut self) -> Result<()> {
        let status = self.child.wait(self.limit)?;
        if status.success() {
            return Ok(());
        }
        let errors = self
            .traces
            .first()
            .and_then(|path| fs::read_to_string(path).ok())
            .unwrap_or_default();
        let first: Vec<&str> = errors.lines().take(12).collect();
        // 1: a call failed, 97: time is up, 255: could not begin.
        bail!(
            "{} ended with {status}: {}\n{}",
            self.name,
            first.join("\n"),
            self.child.tail()
        )
    }
}

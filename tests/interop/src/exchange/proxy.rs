//! kamailio with `peers/proxy.cfg`: a registrar and proxy whose subscribers are told to it while it runs.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};

use super::Account;
use crate::{Host, Stage, child::Child, stage};

const READY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Proxy {
    host: Host,
    child: Child,
    run: PathBuf,
    evidence: PathBuf,
    accounts: Mutex<Vec<Account>>,
}

impl Proxy {
    pub(super) fn start(stage: &Stage, number: u8) -> Result<Self> {
        let host = stage.net.host(number)?;
        let run = stage.scratch().join(format!("proxy-{number}"));
        fs::create_dir_all(&run)?;
        let identity = stage.identity(&host.address().to_string())?;
        let text = fs::read_to_string(stage::here().join("peers/proxy.cfg"))?
            .replace("@ADDRESS@", &host.address().to_string())
            .replace("@ADDRESS6@", &host.address6().to_string())
            .replace("@RUN@", &run.to_string_lossy())
            .replace("@CERT@", &identity.certificate.to_string_lossy())
            .replace("@KEY@", &identity.key.to_string_lossy());
        fs::write(run.join("cfg"), text)?;
        let child = begin(&host, &run, stage.evidence())?;
        let evidence = stage.evidence().to_owned();
        Ok(Self {
            host,
            child,
            run,
            evidence,
            accounts: Mutex::default(),
        })
    }

    pub(super) fn add_user(&self, number: &str) -> Result<Account> {
        let account = Account {
            number: number.to_owned(),
            user: number.to_owned(),
            password: format!("secret-of-{number}"),
            host: self.host.number,
        };
        self.tell(&account)?;
        self.accounts
            .lock()
            .map_err(|_| anyhow!("another thread panicked"))?
            .push(account.clone());
        Ok(account)
    }

    pub(super) fn crash(&mut self) -> Result<()> {
        self.kill()?;
        self.child = begin(&self.host, &self.run, &self.evidence)?;
        for account in self
            .accounts
            .lock()
            .map_err(|_| anyhow!("another thread panicked"))?
            .iter()
        {
            self.tell(account)?;
        }
        Ok(())
    }

    fn tell(&self, account: &Account) -> Result<()> {
        self.ask(&[
            "htable.sets",
            "users",
            &format!("s:{}", account.number),
            &format!("s:{}", account.password),
        ])
    }

    /// It answers each new request with this status; `drop` makes it silent, nothing lets it work again.
    pub(super) fn set_mode(&self, mode: Option<&str>) -> Result<()> {
        match mode {
            Some(mode) => self.ask(&["htable.sets", "flags", "mode", &format!("s:{mode}")]),
            None => self.ask(&["htable.delete", "flags", "mode"]),
        }
    }

    /// Ends it, and what it left running.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        // Its workers outlive it, and would go on answering.
        self.host.clear();
        Ok(())
    }

    fn ask(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new("kamcmd");
        command
            .arg("-s")
            .arg(format!("unix:{}", self.run.join("ctl").display()));
        command.args(words);
        // The control socket opens a moment after the telephone's.
        let until = Instant::now() + READY;
        loop {
            let output = command.output().context("run kamcmd")?;
            if output.status.success() {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("kamcmd: {}", String::from_utf8_lossy(&output.stderr).trim());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn begin(host: &Host, run: &Path, evidence: &Path) -> Result<Child> {
    let mut command = host.command("kamailio");
    command
        .arg("-f")
        .arg(run.join("cfg"))
        .args(["-DD", "-E", "-m", "64", "-M", "8"]);
    command.arg("-P").arg(run.join("pid")).arg("-Y").arg(run);
    let mut child = Child::start(
        "kamailio",
        command,
        &evidence.join(format!("kamailio-{}.log", host.number)),
    )?;
    host.connect(SocketAddr::new(host.address(), 5060), READY)
        .with_context(|| format!("kamailio is not ready\n{}", child.tail()))?;
    child.check()?;
    Ok(child)
}

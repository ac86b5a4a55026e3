//! The exchange itself: its supervisor in the exchange's namespace, with a fresh data folder, standard ports.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::Admin;
use crate::{Host, Stage, child::Child, stage};

/// Where the programs are; without it, the folder cargo built the tests into.
const PROGRAMS: &str = "INTEROP_PROGRAMS";
const READY: Duration = Duration::from_secs(20);
const SIP_PORT: u16 = 5060;
/// WEB-1.
const WEB_PORT: u16 = 4021;
const SUPERVISOR: &str = "supervisor";
const TELEPHONY: &str = "pbxd";
const WEB: &str = "webd";

#[derive(Debug)]
pub(super) struct Ours {
    supervisor: Child,
    admin: Admin,
    host: Host,
}

impl Ours {
    pub(super) fn start(stage: &Stage, number: u8) -> Result<Self> {
        let host = stage.net.host(number)?;
        let data = stage.scratch().join("data");
        fs::create_dir_all(&data)?;
        let mut command = host.command(program(SUPERVISOR));
        command.arg("run").arg("--data").arg(&data);
        for address in [host.address(), host.address6()] {
            command.arg("--sip-address").arg(address.to_string());
        }
        command.current_dir(stage.scratch());
        let log = stage.evidence().join("exchange.log");
        let supervisor = Child::start(SUPERVISOR, command, &log)?;
        let admin = Admin::new(&host, WEB_PORT, stage.evidence());
        let mut ours = Self {
            supervisor,
            admin,
            host,
        };
        ours.ready()?;
        ours.admin.first_visit()?;
        Ok(ours)
    }

    pub(super) fn admin(&self) -> &Admin {
        &self.admin
    }

    pub(super) fn crash_telephony(&mut self) -> Result<()> {
        self.crash(TELEPHONY)
    }

    pub(super) fn crash_administration(&mut self) -> Result<()> {
        self.crash(WEB)
    }

    fn crash(&mut self, name: &str) -> Result<()> {
        let pids = self.host.processes(name);
        ensure!(!pids.is_empty(), "{name} does not run");
        for pid in &pids {
            Host::kill(*pid);
        }
        // Another process, not the old one still listed.
        let until = Instant::now() + READY;
        while self
            .host
            .processes(name)
            .iter()
            .all(|pid| pids.contains(pid))
        {
            if Instant::now() > until {
                bail!("{name} did not come back\n{}", self.supervisor.tail());
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.ready()
    }

    pub(super) fn stop(&mut self) -> Result<()> {
        self.supervisor.stop(READY)
    }

    /// Waits until both faces can be reached.
    fn ready(&mut self) -> Result<()> {
        for port in [SIP_PORT, WEB_PORT] {
            let connected = self
                .host
                .connect(SocketAddr::new(self.host.address(), port), READY);
            connected.with_context(|| {
                format!("the exchange is not ready\n{}", self.supervisor.tail())
            })?;
        }
        self.supervisor.check()
    }
}

/// Why the programs can't be started.
pub(crate) fn binaries_missing() -> Option<String> {
    [SUPERVISOR, TELEPHONY, WEB].into_iter().find_map(|name| {
        let path = program(name);
        if !path.exists() {
            return Some(format!("exchange binary not built: {}", path.display()));
        }
        // A skeleton says nothing at all.
        let said = Command::new(&path).arg("--help").output();
        let speaks = said.is_ok_and(|output| output.status.success() && !output.stdout.is_empty());
        (!speaks).then(|| {
            format!(
                "exchange binary not built: {} has no --help",
                path.display()
            )
        })
    })
}

fn program(name: &str) -> PathBuf {
    if let Some(folder) = env::var_os(PROGRAMS) {
        return Path::new(&folder).join(name);
    }
    // target/debug/deps/calls-0123456789abcdef
    let built = env::current_exe()
        .ok()
        .and_then(|path| Some(path.parent()?.parent()?.join(name)));
    match built {
        Some(path) if path.exists() => path,
        _ => stage::workspace().join("target/debug").join(name),
    }
}

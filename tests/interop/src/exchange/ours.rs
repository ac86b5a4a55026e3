//! The exchange itself: its programs in the exchange's namespace, with a fresh data folder.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};

use super::Admin;
use crate::{Host, Stage, child::Child, stage};

/// Where the programs are; without it, the folder cargo built the tests into.
const PROGRAMS: &str = "INTEROP_PROGRAMS";
const READY: Duration = Duration::from_secs(15);
const SIP_PORT: u16 = 5060;
/// WEB-1.
const WEB_PORT: u16 = 4021;

#[derive(Debug)]
pub(super) struct Ours {
    // The order of dropping: first the web, then the telephony it speaks to.
    _web: Child,
    telephony: Child,
    admin: Admin,
    host: Host,
    data: PathBuf,
    evidence: PathBuf,
}

impl Ours {
    pub(super) fn start(stage: &Stage, number: u8) -> Result<Self> {
        let host = stage.net.host(number)?;
        let data = stage.scratch().join("data");
        std::fs::create_dir_all(&data)?;
        let evidence = stage.evidence().to_owned();
        let telephony = begin("pbxd", &host, &data, &evidence, SIP_PORT)?;
        let web = begin("webd", &host, &data, &evidence, WEB_PORT)?;
        let admin = Admin::new(&host, WEB_PORT, &evidence);
        admin.first_visit()?;
        Ok(Self {
            _web: web,
            telephony,
            admin,
            host,
            data,
            evidence,
        })
    }

    pub(super) fn admin(&self) -> &Admin {
        &self.admin
    }

    pub(super) fn crash_telephony(&mut self) -> Result<()> {
        self.telephony.kill()?;
        self.telephony = begin("pbxd", &self.host, &self.data, &self.evidence, SIP_PORT)?;
        Ok(())
    }
}

/// Why the programs can't be started.
pub(crate) fn binaries_missing() -> Option<String> {
    for name in ["pbxd", "webd"] {
        let path = program(name);
        if !path.exists() {
            return Some(format!("exchange binary not built: {}", path.display()));
        }
        // A skeleton says nothing at all.
        let said = Command::new(&path).arg("--version").output();
        if !said.is_ok_and(|output| output.status.success() && !output.stdout.is_empty()) {
            return Some(format!(
                "exchange binary not built: {} does not tell its version",
                path.display()
            ));
        }
    }
    None
}

fn begin(name: &str, host: &Host, data: &Path, evidence: &Path, port: u16) -> Result<Child> {
    let mut command = host.command(program(name));
    command.arg("--data").arg(data);
    let mut child = Child::start(name, command, &evidence.join(format!("{name}.log")))?;
    host.connect(SocketAddr::new(host.address(), port), READY)
        .with_context(|| format!("{name} is not ready\n{}", child.tail()))?;
    child.check()?;
    Ok(child)
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

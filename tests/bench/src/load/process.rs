//! A real `pbxd` under load: started with a data folder of its own, and weighed by /proc.

use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model::config::CallerId;
use model::{Codec, Secret, SrtpPolicy, WallTime};
use store::{Author, Expected, NewExtension, Operation, Store};
use tempfile::TempDir;

/// The password of every extension of the bench.
pub const PASSWORD: &str = "bench-password";

/// A running exchange.
pub struct Exchange {
    child: Child,
    /// Its data; removed at the end.
    folder: TempDir,
    /// Where it takes SIP.
    pub address: SocketAddr,
}

/// What it has used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time.
    pub cpu: Duration,
    /// Resident memory now.
    pub resident_kb: u64,
    /// The most it ever was.
    pub peak_kb: u64,
}

impl Exchange {
    /// Starts one with extensions numbered from `first` on.
    pub fn start(first: u32, count: u32, calls: u16) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        let store = Store::open(folder.path())?;
        let operations: Vec<Operation> = (first..first + count)
            .map(|number| -> Result<Operation> {
                Ok(Operation::AddExtension(NewExtension {
                    number: number.to_string().parse()?,
                    description: String::new(),
                    user: None,
                    caller_name: None,
                    caller_id: CallerId::Own,
                    enabled: true,
                    sip_username: number.to_string(),
                    sip_password: Secret::new(PASSWORD),
                    codecs: vec![Codec::Pcma],
                    srtp: SrtpPolicy::Off,
                    permission_group: None,
                }))
            })
            .collect::<Result<_>>()?;
        let author = Author {
            name: "bench".into(),
            host: "127.0.0.1".into(),
        };
        store.change_all(WallTime::default(), &author, Expected::Anything, operations)?;
        drop(store);
        let program = program()?;
        let port = 15_060;
        let mut child = Command::new(&program)
            .arg("--data")
            .arg(folder.path())
            .arg("--control")
            .arg(folder.path().join("pbxd.sock"))
            .args(["--sip-address", "127.0.0.1", "--sip-port"])
            .arg(port.to_string())
            .args([
                "--sips-port",
                "15061",
                "--rtp-ports",
                "20000-39999",
                "--calls",
            ])
            .arg(calls.to_string())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("{}", program.display()))?;
        let ready = folder.path().join("pbxd.sock");
        let limit = Instant::now() + Duration::from_secs(20);
        while !ready.exists() {
            ensure!(
                child.try_wait()?.is_none() && Instant::now() < limit,
                "pbxd did not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        Ok(Self {
            child,
            folder,
            address: (Ipv4Addr::LOCALHOST, port).into(),
        })
    }

    /// What it has used up to now.
    pub fn usage(&self) -> Result<Usage> {
        let id = self.child.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The second field, the name, may hold anything; numbers begin after its bracket.
        let (_, fields) = stat.rsplit_once(')').context("a stat line")?;
        let ticks = |index: usize| -> Result<u64> {
            let field = fields.split_whitespace().nth(index).context("a field")?;
            Ok(field.parse()?)
        };
        let cpu = Duration::from_millis((ticks(11)? + ticks(12)?) * 10);
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let kb = |name: &str| -> u64 {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.split_whitespace().next())
                .and_then(|number| number.parse().ok())
                .unwrap_or_default()
        };
        Ok(Usage {
            cpu,
            resident_kb: kb("VmRSS:"),
            peak_kb: kb("VmHWM:"),
        })
    }

    /// Calls that its history holds, once it has stopped.
    pub fn stop(mut self) -> Result<u64> {
        let id = i32::try_from(self.child.id())?;
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(id),
            nix::sys::signal::Signal::SIGTERM,
        )?;
        let ended = self.child.wait()?;
        ensure!(ended.success(), "pbxd failed: {ended}");
        let store = Store::open(self.folder.path())?;
        Ok(store.history_count(&store::HistoryFilter::default())?)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Nothing else can be done about it here.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Another `pbxd` than the one beside this program.
const PROGRAM: &str = "BENCH_PBXD";

/// `pbxd` in the folder that this program is in, or the one named by the environment.
fn program() -> Result<PathBuf> {
    let path = match std::env::var_os(PROGRAM) {
        Some(path) => path.into(),
        None => std::env::current_exe()?.with_file_name("pbxd"),
    };
    ensure!(
        path.is_file(),
        "{} is missing: build pbxd in the same profile",
        path.display()
    );
    Ok(path)
}

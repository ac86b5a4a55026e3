//! What one test stands on: a network, a scratch folder, a folder for evidence; and what it needs of the machine.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::unistd::Uid;
use tempfile::TempDir;

use crate::{Wave, child::Child, net::Network};

/// Tones are played from files of this length: longer than any call of a test.
const TONE_LENGTH: Duration = Duration::from_secs(60);
/// Set to keep a packet capture of every test among its evidence.
const CAPTURE: &str = "INTEROP_CAPTURE";

/// A certificate and its key, PEM, made for this stage.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What a test can't do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Root, `ip` and `setpriv`: namespaces can be made.
    Namespaces,
    /// pjsua2 in the harness's own Python environment.
    Pjsua,
    /// baresip with its modules.
    Baresip,
    /// SIPp.
    Sipp,
    /// kamailio, the foreign proxy.
    Kamailio,
    /// The exchange's own programs.
    Exchange,
    /// QEMU and an image to boot.
    Machine,
    /// The client of OpenSSH, with its maker of keys.
    Ssh,
}

/// One test's own world.
#[derive(Debug)]
pub struct Stage {
    // Dropped first: the capture runs in the network.
    _capture: Option<Child>,
    /// The switch and its hosts.
    pub net: Network,
    evidence: PathBuf,
    scratch: TempDir,
    making: Mutex<()>,
}

impl Need {
    /// Why a test that needs this can't run here; `None` if it can.
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Namespaces => namespaces_missing(),
            Self::Pjsua => {
                let python = python();
                let works = runs(Command::new(&python).args(["-c", "import pjsua2"]));
                (!works).then(|| {
                    format!(
                        "{} has no pjsua2 (run tests/interop/install)",
                        python.display()
                    )
                })
            }
            Self::Baresip => no_program("baresip"),
            Self::Sipp => no_program("sipp"),
            Self::Kamailio => no_program("kamailio").or_else(|| no_program("openssl")),
            Self::Machine => no_program("curl").or_else(crate::machine::missing),
            Self::Ssh => no_program("ssh").or_else(|| no_program("ssh-keygen")),
            Self::Exchange => no_program("curl").or_else(crate::exchange::binaries_missing),
        }
    }
}

impl Stage {
    /// A stage with an empty evidence folder, `target/interop/<test>`.
    pub fn new(test: &str) -> Result<Self> {
        let evidence = interop_dir().join(test);
        let _ = fs::remove_dir_all(&evidence);
        fs::create_dir_all(&evidence).with_context(|| format!("make {}", evidence.display()))?;
        // Short on purpose: paths of Unix sockets are limited to 107 bytes.
        let scratch = tempfile::Builder::new().prefix("obx").tempdir()?;
        let net = Network::new()?;
        let mut stage = Self {
            _capture: None,
            net,
            evidence,
            scratch,
            making: Mutex::new(()),
        };
        if env::var_os(CAPTURE).is_some() {
            stage._capture = Some(stage.capture()?);
        }
        Ok(stage)
    }

    /// Logs, traces and recordings go here and are kept.
    pub fn evidence(&self) -> &Path {
        &self.evidence
    }

    /// Keeps a line of what was measured among the evidence.
    pub fn note(&self, text: &str) -> Result<()> {
        let path = self.evidence.join("notes");
        let mut file = fs::File::options().create(true).append(true).open(path)?;
        Ok(writeln!(file, "{text}")?)
    }

    /// Gone with the stage.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// A WAV file of this tone, made when first asked for.
    pub fn tone(&self, rate: u32, hz: u32) -> Result<PathBuf> {
        let path = self.scratch().join(format!("tone-{hz}-{rate}.wav"));
        let _one_at_a_time = self.making.lock();
        if !path.exists() {
            // Opus, alone at this rate, is played in stereo.
            let channels = if rate == 48_000 { 2 } else { 1 };
            Wave::tone(rate, hz, TONE_LENGTH).write(&path, channels)?;
        }
        Ok(path)
    }

    /// A certificate for this address, signed by itself, made when first asked for.
    pub(crate) fn identity(&self, address: &str) -> Result<Identity> {
        let path = |ending| self.scratch().join(format!("{address}.{ending}"));
        let identity = Identity {
            certificate: path("crt"),
            key: path("key"),
        };
        let _one_at_a_time = self.making.lock();
        if !identity.certificate.exists() {
            let mut command = Command::new("openssl");
            command.args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ]);
            command.args([
                "-days",
                "2",
                "-subj",
                &format!("/CN={address}"),
                "-addext",
                &format!("subjectAltName=IP:{address}"),
            ]);
            command
                .arg("-keyout")
                .arg(&identity.key)
                .arg("-out")
                .arg(&identity.certificate);
            anyhow::ensure!(
                runs(&mut command),
                "openssl made no certificate for {address}"
            );
        }
        Ok(identity)
    }

    fn capture(&self) -> Result<Child> {
        let mut command = self.net.tap().command("tcpdump");
        command
            .args(["-i", "br0", "-U", "-n", "-Z", "root", "-w"])
            .arg(self.evidence.join("all.pcap"));
        Child::start("tcpdump", command, &self.evidence.join("tcpdump.log"))
    }
}

/// Where evidence and the Python environment live: `target/interop` of the workspace, or `INTEROP_DIR`.
pub(crate) fn interop_dir() -> PathBuf {
    match env::var_os("INTEROP_DIR") {
        Some(path) => path.into(),
        None => workspace().join("target/interop"),
    }
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The folder of this crate.
pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python that has pjsua2.
pub(crate) fn python() -> PathBuf {
    interop_dir().join("venv/bin/python")
}

/// Says so if the program is not on the path.
fn no_program(name: &str) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(name).is_file());
    (!found).then(|| format!("{name} is not installed (run tests/interop/install)"))
}

fn namespaces_missing() -> Option<String> {
    if !Uid::effective().is_root() {
        return Some("network namespaces need root".into());
    }
    no_program("ip")
        .or_else(|| no_program("setpriv"))
        .or_else(|| {
            // Root without CAP_NET_ADMIN, as in an ordinary container.
            Network::new()
                .and_then(|net| net.host(2))
                .err()
                .map(|error| format!("no network namespaces: {error:#}"))
        })
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

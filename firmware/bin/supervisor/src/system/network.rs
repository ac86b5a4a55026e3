//! The network as the system child keeps it: set, tried, in force.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use model::Instant;
use model::system::{Addressing, InterfaceSettings, Network, NetworkSettings, Reply};
use platform::board::Board;
use platform::files;
use platform::network::change::Change;
use platform::network::link::{Kernel, Wanted};
use platform::network::{check, path, resolv};
use tracing::{error, info, warn};

/// Read by whatever asks name servers.
const RESOLV: &str = "/run/resolv.conf";

/// The network of this machine.
pub struct Administered {
    change: Change,
    kernel: Kernel,
    settings: PathBuf,
}

impl Administered {
    /// Brings up what is kept, or what the board is delivered with.
    pub fn start(data: &std::path::Path, board: &Board) -> Result<Self> {
        let mut kernel = Kernel::open().context("the network of the kernel")?;
        let settings = path(data);
        let kept = match files::read_settings(&settings) {
            Some(kept) => kept,
            None => delivered(&mut kernel, board)?,
        };
        let mut network = Self {
            change: Change::new(kept),
            kernel,
            settings,
        };
        network.apply();
        Ok(network)
    }

    /// As it is set and as it is.
    pub fn show(&mut self, now: Instant) -> Reply {
        let mut shown = || -> io::Result<Network> {
            Ok(Network {
                settings: self.change.in_force().clone(),
                interfaces: self.kernel.interfaces()?,
                gateway: self.kernel.gateway()?.map(IpAddr::V4),
                dns: resolv::read(RESOLV.as_ref()),
                confirm_within_s: self.change.left_s(now),
            })
        };
        or_failed(shown(), Reply::Network)
    }

    /// Tries other settings.
    pub fn propose(&mut self, now: Instant, settings: NetworkSettings, by: &str) -> Reply {
        let ports = match self.kernel.ports() {
            Ok(ports) => ports.into_iter().map(|port| port.name).collect::<Vec<_>>(),
            Err(error) => return failed(&error),
        };
        if let Err(refused) = check(&settings, &ports) {
            return refused.into();
        }
        info!(by, ?settings, "the network is changed, for now");
        self.change.propose(now, settings);
        self.apply();
        self.show(now)
    }

    /// Keeps what is tried.
    pub fn confirm(&mut self, now: Instant, by: &str) -> Reply {
        if let Some(settings) = self.change.to_confirm() {
            if let Err(error) = files::write_settings(&self.settings, settings) {
                return failed(&error);
            }
            info!(by, "the network is kept as it was changed");
            self.change.confirmed();
        }
        self.show(now)
    }

    /// Goes back to what is kept.
    pub fn revert(&mut self, now: Instant, by: &str) -> Reply {
        if self.change.revert() {
            info!(by, "the network is as it was before");
            self.apply();
        }
        self.show(now)
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.change.handle_timeout(now) {
            warn!("nobody confirmed the change of the network: it is as it was before");
            self.apply();
        }
    }

    fn apply(&mut self) {
        let settings = self.change.in_force();
        let mut wanted = Wanted::default();
        for interface in &settings.interfaces {
            let address = match interface.addressing {
                Addressing::Static { address } => Some(address),
                Addressing::Dhcp { fallback } => fallback,
            };
            wanted.ports.push((interface.name.clone(), address));
        }
        wanted.gateway = settings.gateway.and_then(|gateway| {
            let port =
                (wanted.ports.iter()).find(|(_, own)| own.is_some_and(|own| own.reaches(gateway)));
            port.map(|(name, _)| (gateway, name.clone()))
        });
        if let Err(error) = self.kernel.apply(&wanted) {
            error!(%error, "the network can't be set");
        }
        if let Err(error) = resolv::write(RESOLV.as_ref(), &settings.dns, None) {
            error!(%error, "the name servers can't be set");
        }
        if let Err(error) = nix::unistd::sethostname(&settings.host_name) {
            error!(%error, "the name of the machine can't be set");
        }
    }
}

/// What a board has until somebody sets it: its first port.
fn delivered(kernel: &mut Kernel, board: &Board) -> Result<NetworkSettings> {
    let mut ports = kernel.ports().context("the Ethernet ports")?;
    ports.sort_by_key(|port| port.index);
    let first = ports.first().map(|port| InterfaceSettings {
        name: port.name.clone(),
        addressing: board.network.first_port,
    });
    if first.is_none() {
        warn!("there is no Ethernet port");
    }
    Ok(NetworkSettings {
        host_name: "operator-box".into(),
        interfaces: first.into_iter().collect(),
        gateway: None,
        dns: Vec::new(),
    })
}

fn or_failed<T>(result: io::Result<T>, reply: impl FnOnce(T) -> Reply) -> Reply {
    match result {
        Ok(value) => reply(value),
        Err(error) => failed(&error),
    }
}

/// It failed, in the system's words.
pub fn failed(error: &io::Error) -> Reply {
    Reply::Failed {
        text: error.to_string(),
    }
}

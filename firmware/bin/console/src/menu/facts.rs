//! What is known of the machine and the exchange, and the lines of the status.

use std::net::IpAddr;

use model::WallTime;
use model::control::Status;
use model::system::{Addressing, Health, Network, RemoteMenu, Slots, Time, Upgrade};

use crate::{clock, texts};

/// Whether somebody who is asked answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nothing was heard yet.
    #[default]
    Unknown,
    /// It answered.
    Here,
    /// It didn't.
    Away,
}

/// The port of the administration.
const PORT: u16 = 4021;

/// The screen has room for so many addresses of the administration, and ports.
const URLS: usize = 2;
const PORTS: usize = 3;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub system: Reach,
    pub exchange: Reach,
    pub read_only: bool,
    /// Why the network isn't known.
    pub trouble: Option<String>,
    pub health: Option<Health>,
    pub network: Option<Network>,
    pub time: Option<Time>,
    pub slots: Option<Slots>,
    pub remote: Option<RemoteMenu>,
    pub status: Option<Status>,
}

impl Facts {
    /// A second went by.
    pub fn second(&mut self) {
        if let Some(left) = self.confirm_within_s() {
            let left = left.saturating_sub(1);
            if let Some(network) = &mut self.network {
                network.confirm_within_s = Some(left);
            }
        }
        if let Some(health) = &mut self.health {
            health.uptime_s = health.uptime_s.saturating_add(1);
        }
        if let Some(time) = &mut self.time {
            time.now = time.now + core::time::Duration::from_secs(1);
        }
    }

    /// How long a change of the network can still be kept.
    pub fn confirm_within_s(&self) -> Option<u32> {
        self.network.as_ref()?.confirm_within_s
    }

    /// How many calls there are, where the exchange says so.
    pub fn calls(&self) -> Option<u32> {
        self.status.as_ref().map(|status| status.calls)
    }

    /// Where the administration is.
    pub fn urls(&self) -> Vec<String> {
        let all: Vec<IpAddr> = self
            .network
            .iter()
            .flat_map(|network| &network.interfaces)
            .flat_map(|interface| &interface.addresses)
            .filter_map(|address| address.split('/').next()?.parse().ok())
            .filter(|address| !is_local(*address))
            .collect();
        // People type the short ones, as long as there is one.
        let short = all.iter().any(IpAddr::is_ipv4);
        all.into_iter()
            .filter(|address| address.is_ipv4() == short)
            .take(URLS)
            .map(|address| match address {
                IpAddr::V4(address) => format!("https://{address}:{PORT}/admin"),
                IpAddr::V6(address) => format!("https://[{address}]:{PORT}/admin"),
            })
            .collect()
    }

    /// The status.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let urls = self.urls();
        if urls.is_empty() {
            lines.push(texts::line(texts::ADMINISTRATION, texts::NO_URL));
        }
        for (index, url) in urls.iter().enumerate() {
            let label = if index == 0 {
                texts::ADMINISTRATION
            } else {
                ""
            };
            lines.push(texts::line(label, url));
        }
        for (index, port) in self.ports().iter().enumerate() {
            let label = if index == 0 { texts::NETWORK } else { "" };
            lines.push(texts::line(label, port));
        }
        lines.push(texts::line(texts::EXCHANGE, &self.exchange()));
        lines.push(texts::line(texts::VERSION, &self.version()));
        if let Some(health) = &self.health {
            lines.push(texts::line(texts::MACHINE, &texts::machine(health)));
            lines.push(texts::line(texts::FREE, &texts::room(health)));
        }
        if let Some(time) = &self.time {
            lines.push(texts::line(texts::TIME, &moment(time)));
        }
        if self.system == Reach::Away {
            lines.push(texts::SYSTEM_AWAY.to_owned());
        } else if self.read_only {
            lines.push(texts::READ_ONLY.to_owned());
        }
        lines
    }

    fn ports(&self) -> Vec<String> {
        let Some(network) = &self.network else {
            let trouble = self.trouble.as_deref();
            return vec![trouble.unwrap_or(texts::NOT_KNOWN).to_owned()];
        };
        let mut lines: Vec<String> = network
            .interfaces
            .iter()
            .map(|interface| {
                let set = network
                    .settings
                    .interfaces
                    .iter()
                    .find(|set| set.name == interface.name);
                let source = match set.map(|set| set.addressing) {
                    _ if self.read_only => "",
                    Some(Addressing::Dhcp { .. }) => texts::DHCP,
                    Some(Addressing::Static { .. }) => texts::STATIC,
                    None => texts::UNUSED,
                };
                texts::port(interface, source)
            })
            .collect();
        if lines.len() > PORTS {
            let more = lines.len() - (PORTS - 1);
            lines.truncate(PORTS - 1);
            lines.push(texts::more_ports(more));
        }
        lines
    }

    fn exchange(&self) -> String {
        match (&self.status, self.exchange) {
            (Some(status), _) => texts::exchange(status),
            (None, Reach::Away) => texts::EXCHANGE_AWAY.to_owned(),
            (None, _) => texts::NOT_KNOWN.to_owned(),
        }
    }

    fn version(&self) -> String {
        match (&self.slots, &self.status) {
            (Some(slots), _) => {
                let upgrade = match &slots.upgrade {
                    Upgrade::Done { at, .. } => {
                        texts::upgrade_done(&clock::shown(*at, self.zone()))
                    }
                    other => texts::upgrade(other),
                };
                texts::version(slots, &upgrade)
            }
            (None, Some(status)) => status.version.clone(),
            (None, None) => texts::NOT_KNOWN.to_owned(),
        }
    }

    fn zone(&self) -> &str {
        self.time.as_ref().map_or("UTC", |time| &time.settings.zone)
    }
}

/// The clock, and who sets it.
pub fn moment(time: &Time) -> String {
    let shown = |at: WallTime| clock::shown(at, &time.settings.zone);
    let now = shown(time.now);
    if time.settings.servers.is_empty() {
        return texts::time_by_hand(&now);
    }
    texts::time(&now, time.synchronised.map(shown).as_deref())
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    }
}

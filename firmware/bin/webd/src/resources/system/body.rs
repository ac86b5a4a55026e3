//! The machine as the API says it.

use model::system;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::UpgradeFault;
use crate::clock;
use crate::problem::{FieldCode, FieldError, Problem};
use crate::words::LogRow;

/// Both places for a system.
#[derive(Debug, Serialize, ToSchema)]
pub struct Slots {
    /// The one that runs.
    running: Slot,
    /// The version that runs.
    #[schema(example = "0.1.0")]
    version: String,
    /// The one that is started next time.
    confirmed: Slot,
    /// What the other one holds, where it is known.
    other_version: Option<String>,
    /// How far an upgrade is.
    upgrade: Upgrade,
}

/// The kernel's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct KernelLog {
    /// The newest first, 1000 at most.
    rows: Vec<LogRow>,
}

/// One of the two places for a system.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

/// How far an upgrade is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Upgrade {
    /// How far.
    state: UpgradeState,
    /// Its version, where it is known.
    version: Option<String>,
    /// While it is written: of a hundred.
    #[schema(minimum = 0, maximum = 100)]
    per_cent: Option<u8>,
    /// Since when it is proved.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// Why it failed.
    fault: Option<UpgradeFault>,
    /// Why it failed, for people.
    reason: Option<String>,
}

/// The steps of an upgrade.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpgradeState {
    /// None was made since the system was installed.
    None,
    /// It is written to the other slot.
    Writing,
    /// It is written; the next start tries it.
    Ready,
    /// It runs and has not proved itself yet.
    Trying,
    /// It has proved itself.
    Done,
    /// It failed; the old system runs.
    Failed,
}

/// How the machine is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// The board's name.
    board: String,
    /// Seconds since the machine started.
    uptime_s: u64,
    /// Part of all processors in use, 0 to 1.
    cpu: f32,
    /// Memory, in bytes.
    memory_total_bytes: u64,
    /// Memory that programs can still have, in bytes.
    memory_available_bytes: u64,
    /// Room for data on the card, in bytes.
    disk_total_bytes: u64,
    /// Room for data that is left, in bytes.
    disk_available_bytes: u64,
    /// Written to the card since the start, in bytes.
    disk_written_bytes: u64,
    /// Of this within the last hour, or since the start where that was later, in bytes.
    disk_written_hour_bytes: u64,
    /// The hottest sensor, in degrees Celsius.
    temperature_c: Option<f32>,
    /// Unexpected ends of programs since the start.
    restarts: u32,
}

/// The network as it is set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// The name of the machine, one label or a full domain name.
    #[schema(example = "operator-box", max_length = 253)]
    host_name: String,
    /// One of each Ethernet port, the first first. A port that isn't here is not used.
    #[schema(max_items = 16)]
    interfaces: Vec<InterfaceSettings>,
    /// The router; nothing where DHCP says it or where there is none.
    #[serde(default)]
    #[schema(example = "10.10.10.254")]
    gateway: Option<String>,
    /// Name servers, the first asked first; none: those of DHCP.
    #[serde(default)]
    #[schema(max_items = 16)]
    dns: Vec<String>,
}

/// How one Ethernet port is set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterfaceSettings {
    /// As Linux names it.
    #[schema(example = "eth0")]
    name: String,
    /// Ask a DHCP server for the address.
    dhcp: bool,
    /// Address and prefix length; with DHCP, the one that is used where no lease comes.
    #[serde(default)]
    #[schema(example = "10.10.10.1/24")]
    address: Option<String>,
}

/// The network as it is set and as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Network {
    /// As it is set.
    settings: NetworkSettings,
    /// The Ethernet ports as they are.
    interfaces: Vec<EthernetPort>,
    /// The router in use.
    gateway: Option<String>,
    /// The name servers in use.
    dns: Vec<String>,
    /// Seconds left to confirm a change before it is taken back.
    confirm_within_s: Option<u32>,
}

/// An Ethernet port as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct EthernetPort {
    /// As Linux names it.
    name: String,
    /// Hardware address.
    #[schema(example = "02:00:00:00:00:01")]
    mac: String,
    /// A cable with something at its other end is plugged in.
    carrier: bool,
    /// Addresses with prefix lengths, IPv4 first.
    addresses: Vec<String>,
    /// Until when the address is leased.
    #[schema(format = DateTime)]
    lease_until: Option<String>,
}

impl From<system::Slot> for Slot {
    fn from(slot: system::Slot) -> Self {
        match slot {
            system::Slot::A => Self::A,
            system::Slot::B => Self::B,
        }
    }
}

impl From<system::Slots> for Slots {
    fn from(slots: system::Slots) -> Self {
        Self {
            running: slots.running.into(),
            version: slots.version,
            confirmed: slots.confirmed.into(),
            other_version: slots.other_version,
            upgrade: slots.upgrade.into(),
        }
    }
}

impl From<Vec<system::KernelRow>> for KernelLog {
    fn from(rows: Vec<system::KernelRow>) -> Self {
        let rows = rows.into_iter().rev().map(Into::into).collect();
        Self { rows }
    }
}

impl From<system::Upgrade> for Upgrade {
    fn from(upgrade: system::Upgrade) -> Self {
        let mut shown = Self {
            state: UpgradeState::None,
            version: None,
            per_cent: None,
            at: None,
            fault: None,
            reason: None,
        };
        match upgrade {
            system::Upgrade::None => {}
            system::Upgrade::Writing { version, per_cent } => {
                shown.state = UpgradeState::Writing;
                // Until it is checked nobody knows it.
                shown.version = Some(version).filter(|version| !version.is_empty());
                shown.per_cent = Some(per_cent);
            }
            system::Upgrade::Ready { version } => {
                shown.state = UpgradeState::Ready;
                shown.version = Some(version);
            }
            system::Upgrade::Trying { version } => {
                shown.state = UpgradeState::Trying;
                shown.version = Some(version);
            }
            system::Upgrade::Done { version, at } => {
                shown.state = UpgradeState::Done;
                shown.version = Some(version);
                shown.at = Some(clock::rfc3339(at));
            }
            system::Upgrade::Failed { version, reason } => {
                shown.state = UpgradeState::Failed;
                shown.version = version;
                shown.fault = Some(UpgradeFault::of(&reason));
                shown.reason = Some(reason);
            }
        }
        shown
    }
}

impl From<system::Health> for Health {
    fn from(health: system::Health) -> Self {
        Self {
            board: health.board,
            uptime_s: health.uptime_s,
            cpu: health.cpu,
            memory_total_bytes: health.memory_total,
            memory_available_bytes: health.memory_available,
            disk_total_bytes: health.disk_total,
            disk_available_bytes: health.disk_available,
            disk_written_bytes: health.disk_written,
            disk_written_hour_bytes: health.disk_written_hour,
            temperature_c: health.temperature_c,
            restarts: health.restarts,
        }
    }
}

impl From<system::Network> for Network {
    fn from(network: system::Network) -> Self {
        let text = |address: &std::net::IpAddr| address.to_string();
        Self {
            settings: network.settings.into(),
            interfaces: network.interfaces.into_iter().map(Into::into).collect(),
            gateway: network.gateway.as_ref().map(text),
            dns: network.dns.iter().map(text).collect(),
            confirm_within_s: network.confirm_within_s,
        }
    }
}

impl From<system::Interface> for EthernetPort {
    fn from(interface: system::Interface) -> Self {
        Self {
            name: interface.name,
            mac: interface.mac,
            carrier: interface.carrier,
            addresses: interface.addresses,
            lease_until: interface.lease_until.map(clock::rfc3339),
        }
    }
}

impl From<system::NetworkSettings> for NetworkSettings {
    fn from(settings: system::NetworkSettings) -> Self {
        let interfaces = settings.interfaces.into_iter().map(|interface| {
            let (dhcp, address) = match interface.addressing {
                system::Addressing::Static { address } => (false, Some(address)),
                system::Addressing::Dhcp { fallback } => (true, fallback),
            };
            InterfaceSettings {
                name: interface.name,
                dhcp,
                address: address.map(String::from),
            }
        });
        Self {
            host_name: settings.host_name,
            interfaces: interfaces.collect(),
            gateway: settings.gateway.map(|address| address.to_string()),
            dns: settings.dns.iter().map(ToString::to_string).collect(),
        }
    }
}

impl NetworkSettings {
    /// As the machine takes them.
    ///
    /// # Errors
    /// [`crate::problem::Code::Invalid`] with all fields that can't be read.
    pub fn read(self) -> Result<system::NetworkSettings, Problem> {
        let mut errors = Vec::new();
        let mut blame = |pointer: String, code, detail: &str| {
            errors.push(FieldError::new(pointer, code, detail));
        };
        let mut interfaces = Vec::new();
        for (n, interface) in self.interfaces.into_iter().enumerate() {
            let pointer = format!("/interfaces/{n}/address");
            let address = match interface.address.map(|text| text.parse()).transpose() {
                Ok(address) => address,
                Err(error) => {
                    let error: system::InvalidAddress = error;
                    blame(pointer, FieldCode::Invalid, &error.to_string());
                    continue;
                }
            };
            let addressing = match (interface.dhcp, address) {
                (true, fallback) => system::Addressing::Dhcp { fallback },
                (false, Some(address)) => system::Addressing::Static { address },
                (false, None) => {
                    blame(
                        pointer,
                        FieldCode::Missing,
                        "give the port an address, or let it ask a DHCP server",
                    );
                    continue;
                }
            };
            interfaces.push(system::InterfaceSettings {
                name: interface.name,
                addressing,
            });
        }
        let gateway = self.gateway.map(|text| text.parse()).transpose();
        let gateway = gateway.unwrap_or_else(|_| {
            blame(
                "/gateway".to_owned(),
                FieldCode::Invalid,
                "write it as 10.10.10.254",
            );
            None
        });
        let mut dns = Vec::new();
        for (n, text) in self.dns.iter().enumerate() {
            match text.parse() {
                Ok(address) => dns.push(address),
                Err(_) => blame(
                    format!("/dns/{n}"),
                    FieldCode::Invalid,
                    "write an IP address such as 10.10.10.254",
                ),
            }
        }
        if errors.is_empty() {
            Ok(system::NetworkSettings {
                host_name: self.host_name,
                interfaces,
                gateway,
                dns,
            })
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

//! Messages between the programs that administer the machine and the `system` child of the
//! supervisor, which carries out what needs root: JSON, one a line, over a Unix socket.
//!
//! Every [`Request`] gets one [`Reply`] on the same connection, in order. Nothing else is allowed:
//! no path, command or option comes from the asker except what is named here.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::WallTime;

/// The longest line either side accepts, in bytes.
pub const MAX_LINE: usize = 256 * 1024;

/// How long a network change waits for [`Request::ConfirmNetwork`] before it reverts, in seconds:
/// time enough to open the new address in a browser, and to walk to the box.
pub const CONFIRM_WITHIN_S: u32 = 120;

/// The most rows of the kernel's log that are told: some hundred bytes each, they fit into a line.
pub const KERNEL_ROWS: usize = 1000;

/// A question, with whom to name in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Who asks, for the log: an administrator's name, or the console.
    pub by: String,
    /// What is asked.
    pub request: Request,
}

/// What can be asked of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// The network as it is set and as it is.
    Network,
    /// Set the network, at once; it reverts unless it is confirmed within [`CONFIRM_WITHIN_S`].
    SetNetwork {
        /// All of it.
        settings: NetworkSettings,
    },
    /// Keep the network as it was set.
    ConfirmNetwork,
    /// Go back to the network as it was before, now.
    RevertNetwork,
    /// Time, zone and servers.
    Time,
    /// Set zone and servers.
    SetTime {
        /// Both.
        settings: TimeSettings,
    },
    /// Set the clock by hand; where servers are set they win.
    SetClock {
        /// The time it is.
        now: WallTime,
    },
    /// How the machine is.
    Health,
    /// The newest rows of the kernel's log.
    KernelLog {
        /// Those after the row with this number; none given means all that are kept.
        after: Option<u64>,
    },
    /// Which slots hold what, and what became of the last upgrade.
    Slots,
    /// Take the update file that was uploaded, check it, and write it to the other slot. The answer
    /// comes at once, before that; how far it is, [`Request::Slots`] says. A file that is taken is
    /// gone from its folder.
    Upgrade {
        /// Its name in the folder of uploads, without a path.
        file: String,
    },
    /// Restart the machine with the system in the other slot, which is tried: where it does not prove
    /// itself, this one comes back. A running system that is tried itself is given up.
    StartOther,
    /// The menu over ssh: whether it is on, and for whose keys.
    RemoteMenu,
    /// Switch the menu over ssh on or off, and set the keys that it is for.
    SetRemoteMenu {
        /// Both.
        settings: RemoteMenuSettings,
    },
    /// Restart the exchange; calls end.
    RestartExchange,
    /// Restart the machine.
    Reboot,
    /// Stop everything and power off.
    PowerOff,
    /// Let the first account's password be set anew, as at the first visit.
    ResetAdminPassword,
    /// Restart the machine and begin with no settings, as it was delivered.
    FactoryReset,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// To [`Request::Network`], and to what changes it.
    Network(Network),
    /// To [`Request::Time`], and to what changes it.
    Time(Time),
    /// To [`Request::Health`].
    Health(Health),
    /// To [`Request::KernelLog`].
    KernelLog {
        /// The oldest first, [`KERNEL_ROWS`] at most.
        rows: Vec<KernelRow>,
    },
    /// To [`Request::Slots`], and to what changes them.
    Slots(Slots),
    /// To [`Request::RemoteMenu`], and to what changes it.
    RemoteMenu(RemoteMenu),
    /// Done, or begun; there is nothing to say.
    Done,
    /// This machine isn't administered by the exchange: it is a developer's, or a host's.
    ReadOnly,
    /// It can't be done, and which field is to blame.
    Refused {
        /// The field in the settings, as in `interfaces[0].address`; empty for none.
        field: String,
        /// What is wrong and what to do, in English, for people.
        text: String,
    },
    /// It failed, and why, in words for people and the log.
    Failed {
        /// Why.
        text: String,
    },
}

/// A row of the kernel's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelRow {
    /// Grows by one with each.
    pub number: u64,
    /// When.
    pub at: WallTime,
    /// How grave it is: 0 (the machine is lost) to 7 (for who looks for a fault), as in syslog.
    pub level: u8,
    /// What.
    pub text: String,
}

/// The network as an administrator sets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSettings {
    /// The name of the machine, one label or a full domain name.
    pub host_name: String,
    /// One of each Ethernet port, the first first. A port that isn't here is not used.
    pub interfaces: Vec<InterfaceSettings>,
    /// The router; none where DHCP says it or where there is none.
    pub gateway: Option<Ipv4Addr>,
    /// Name servers, the first asked first; where there are none those of DHCP are used.
    pub dns: Vec<IpAddr>,
}

/// One Ethernet port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceSettings {
    /// As Linux names it: `eth0`.
    pub name: String,
    /// Where its address comes from.
    pub addressing: Addressing,
}

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "addressing", rename_all = "snake_case")]
pub enum Addressing {
    /// It was set.
    Static {
        /// Address and prefix length.
        address: InterfaceAddress,
    },
    /// From a DHCP server.
    Dhcp {
        /// Used where no lease comes.
        fallback: Option<InterfaceAddress>,
    },
}

/// An IPv4 address of an interface and its network: `10.10.10.1/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InterfaceAddress {
    address: Ipv4Addr,
    prefix_len: u8,
}

/// Why something is no [`InterfaceAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidAddress {
    /// It isn't written as `10.10.10.1/24`.
    Form,
    /// The prefix length is not 1 to 30: a network of a box and a phone needs four addresses.
    PrefixLength,
    /// It is the network's own address.
    Network,
    /// It is the network's broadcast address.
    Broadcast,
    /// Loopback, multicast, `0.x` and reserved addresses are no machine's.
    Kind,
}

impl InterfaceAddress {
    /// An address in its network.
    ///
    /// # Errors
    /// Where no machine can have it.
    pub fn new(address: Ipv4Addr, prefix_len: u8) -> Result<Self, InvalidAddress> {
        if !(1..=30).contains(&prefix_len) {
            return Err(InvalidAddress::PrefixLength);
        }
        let first = address.octets()[0];
        if first == 0 || first == 127 || first >= 224 {
            return Err(InvalidAddress::Kind);
        }
        let host = u32::MAX >> prefix_len;
        match address.to_bits() & host {
            0 => Err(InvalidAddress::Network),
            bits if bits == host => Err(InvalidAddress::Broadcast),
            _ => Ok(Self {
                address,
                prefix_len,
            }),
        }
    }

    /// The address alone.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        self.address
    }

    /// How many bits name the network.
    #[must_use]
    pub const fn prefix_len(self) -> u8 {
        self.prefix_len
    }

    /// The mask, as `255.255.255.0`.
    #[must_use]
    pub const fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(!(u32::MAX >> self.prefix_len))
    }

    /// Whether another address is in the same network.
    #[must_use]
    pub const fn reaches(self, other: Ipv4Addr) -> bool {
        let mask = self.mask().to_bits();
        self.address.to_bits() & mask == other.to_bits() & mask
    }

    /// The prefix length of a mask such as `255.255.255.0`; none where its ones don't come first.
    #[must_use]
    pub fn prefix_of(mask: Ipv4Addr) -> Option<u8> {
        let bits = mask.to_bits();
        (bits.leading_ones() == bits.count_ones())
            .then(|| u8::try_from(bits.leading_ones()).unwrap_or(32))
    }
}

impl FromStr for InterfaceAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (address, prefix) = text.split_once('/').ok_or(InvalidAddress::Form)?;
        let address = address.parse().map_err(|_| InvalidAddress::Form)?;
        let prefix_len = prefix.parse().map_err(|_| InvalidAddress::Form)?;
        Self::new(address, prefix_len)
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

impl TryFrom<String> for InterfaceAddress {
    type Error = InvalidAddress;

    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        text.parse()
    }
}

impl From<InterfaceAddress> for String {
    fn from(address: InterfaceAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for InvalidAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "write it as 10.10.10.1/24",
            Self::PrefixLength => "the prefix length must be 1 to 30",
            Self::Network => "this is the address of the network itself: take another of it",
            Self::Broadcast => "this is the broadcast address of the network: take another of it",
            Self::Kind => "no machine can have this address: take one of your network",
        })
    }
}

impl core::error::Error for InvalidAddress {}

/// The network as it is set and as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// As it is set.
    pub settings: NetworkSettings,
    /// As it is.
    pub interfaces: Vec<Interface>,
    /// The router in use.
    pub gateway: Option<IpAddr>,
    /// The name servers in use.
    pub dns: Vec<IpAddr>,
    /// Seconds left to confirm a change before it reverts.
    pub confirm_within_s: Option<u32>,
}

/// An Ethernet port as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// As Linux names it.
    pub name: String,
    /// Hardware address, as `02:00:00:00:00:01`.
    pub mac: String,
    /// A cable with something at its other end is plugged in.
    pub carrier: bool,
    /// Addresses with prefix lengths, IPv4 first.
    pub addresses: Vec<String>,
    /// Until when the address is leased; none without DHCP.
    pub lease_until: Option<WallTime>,
}

/// Zone and servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSettings {
    /// A zone of the tz database: `Europe/Prague`.
    pub zone: String,
    /// NTP servers, names or addresses; none: the clock is set by hand.
    pub servers: Vec<String>,
}

/// Time, zone and servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    /// As it is set.
    pub settings: TimeSettings,
    /// The clock.
    pub now: WallTime,
    /// When a server was last heard.
    pub synchronised: Option<WallTime>,
    /// What the clock was off by then, in milliseconds.
    pub offset_ms: Option<i64>,
}

/// The menu of the machine over ssh, as an administrator sets it. As delivered it is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteMenuSettings {
    /// Whether anybody can come in by ssh at all.
    pub enabled: bool,
    /// Who: public keys as OpenSSH writes them, `ssh-ed25519 AAAA… name`. Where it is on there is one at
    /// least.
    pub keys: Vec<String>,
}

/// The menu of the machine over ssh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteMenu {
    /// As it is set.
    pub settings: RemoteMenuSettings,
    /// By which a client knows this machine, `SHA256:…`; none until it was on for the first time.
    pub fingerprint: Option<String>,
}

/// How the machine is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The board's name.
    pub board: String,
    /// Seconds since the machine started.
    pub uptime_s: u64,
    /// Part of all processors in use over the last second, 0 to 1.
    pub cpu: f32,
    /// Memory, in bytes.
    pub memory_total: u64,
    /// Memory that programs can still have, in bytes.
    pub memory_available: u64,
    /// Room for data on the card, without what is kept for the system, in bytes.
    pub disk_total: u64,
    /// Room for data that is left, in bytes.
    pub disk_available: u64,
    /// Written to the card since the start, in bytes.
    pub disk_written: u64,
    /// Of this within the last hour, or since the start where that was later, in bytes.
    #[serde(default)]
    pub disk_written_hour: u64,
    /// The hottest sensor, in degrees Celsius; none where there is none.
    pub temperature_c: Option<f32>,
    /// Unexpected ends of processes since the start.
    pub restarts: u32,
}

/// One of the two places for a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// Both slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// The one that runs.
    pub running: Slot,
    /// The version that runs.
    pub version: String,
    /// The one that is started next time.
    pub confirmed: Slot,
    /// What the other one holds, where it is known.
    pub other_version: Option<String>,
    /// How far an upgrade is.
    pub upgrade: Upgrade,
}

/// How far an upgrade is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Upgrade {
    /// None was made since the system was installed.
    None,
    /// It is written to the other slot.
    Writing {
        /// Its version.
        version: String,
        /// Of a hundred.
        per_cent: u8,
    },
    /// It is written; the next start tries it.
    Ready {
        /// Its version.
        version: String,
    },
    /// It runs and has not proved itself yet.
    Trying {
        /// Its version.
        version: String,
    },
    /// It has proved itself.
    Done {
        /// Its version.
        version: String,
        /// When.
        at: WallTime,
    },
    /// It failed and the old system came back.
    Failed {
        /// Its version, where it was known.
        version: Option<String>,
        /// Why, for people.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<InterfaceAddress, InvalidAddress> {
        text.parse()
    }

    #[test]
    fn addresses_no_machine_can_have_are_refused_with_the_reason() {
        assert_eq!(address("10.10.10.1"), Err(InvalidAddress::Form));
        assert_eq!(address("10.10.10/24"), Err(InvalidAddress::Form));
        assert_eq!(address("10.10.10.1/31"), Err(InvalidAddress::PrefixLength));
        assert_eq!(address("10.10.10.0/24"), Err(InvalidAddress::Network));
        assert_eq!(address("10.10.10.255/24"), Err(InvalidAddress::Broadcast));
        assert_eq!(address("127.0.0.1/8"), Err(InvalidAddress::Kind));
        assert_eq!(address("224.0.0.5/24"), Err(InvalidAddress::Kind));
        assert_eq!(address("0.0.0.5/24"), Err(InvalidAddress::Kind));
    }

    #[test]
    fn masks_and_prefix_lengths_are_the_same_thing() {
        let box_ = address("10.10.10.1/20").expect("an address");
        assert_eq!(box_.mask(), Ipv4Addr::new(255, 255, 240, 0));
        assert_eq!(InterfaceAddress::prefix_of(box_.mask()), Some(20));
        let holes = Ipv4Addr::new(255, 0, 255, 0);
        assert_eq!(InterfaceAddress::prefix_of(holes), None);
        assert!(box_.reaches(Ipv4Addr::new(10, 10, 15, 9)));
        assert!(!box_.reaches(Ipv4Addr::new(10, 10, 16, 9)));
    }

    #[test]
    fn messages_are_one_line_of_json() {
        let ask = Ask {
            by: "console".into(),
            request: Request::SetNetwork {
                settings: NetworkSettings {
                    host_name: "box".into(),
                    interfaces: vec![InterfaceSettings {
                        name: "eth0".into(),
                        addressing: Addressing::Static {
                            address: address("10.10.10.1/24").expect("an address"),
                        },
                    }],
                    gateway: None,
                    dns: Vec::new(),
                },
            },
        };
        let line = serde_json::to_string(&ask).expect("JSON");
        assert!(!line.contains('\n'));
        assert!(line.contains(r#""address":"10.10.10.1/24""#), "{line}");
        assert_eq!(serde_json::from_str::<Ask>(&line).expect("the same"), ask);
    }
}

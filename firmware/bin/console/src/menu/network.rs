//! The form of the network: typed texts of it, and settings made of them.

use std::net::{IpAddr, Ipv4Addr};

use model::system::{
    Addressing, InterfaceAddress, InterfaceSettings, InvalidAddress, Network, NetworkSettings,
};

use super::{choice, field, switch};
use crate::field::{Field, Kind};
use crate::page::{Id, Row};
use crate::texts;

/// Where a port's address comes from, in the order Space goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Dhcp,
    Static,
    Unused,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Port {
    name: String,
    mac: String,
    carrier: bool,
    mode: Mode,
    address: Field,
    mask: Field,
}

/// What is typed of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    ports: Vec<Port>,
    shown: usize,
    gateway: Field,
    dns: Field,
    host_name: Field,
}

/// The row that is wrong, and why.
pub type Fault = (Id, String);

impl Form {
    /// The network as it is set.
    pub fn new(network: &Network) -> Self {
        let settings = &network.settings;
        let mut ports: Vec<Port> = (settings.interfaces.iter())
            .map(|set| port(network, &set.name, Some(set.addressing)))
            .collect();
        for interface in &network.interfaces {
            if !ports.iter().any(|port| port.name == interface.name) {
                ports.push(port(network, &interface.name, None));
            }
        }
        let gateway = settings
            .gateway
            .map_or_else(String::new, |at| at.to_string());
        let dns: Vec<String> = settings.dns.iter().map(IpAddr::to_string).collect();
        Self {
            ports,
            shown: 0,
            gateway: Field::new(Kind::Address, &gateway),
            dns: Field::new(Kind::List, &dns.join(" ")),
            host_name: Field::new(Kind::Name, &settings.host_name),
        }
    }

    /// Its rows.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Some(port) = self.ports.get(self.shown) {
            if self.ports.len() > 1 {
                rows.push(switch(Id::Port, texts::PORT, &port.name));
            }
            let (mode, address, hint) = match port.mode {
                Mode::Dhcp => (texts::BY_DHCP, texts::FALLBACK, texts::HINT_FALLBACK),
                Mode::Static => (texts::BY_HAND, texts::ADDRESS, texts::HINT_ADDRESS),
                Mode::Unused => (texts::NO_USE, "", ""),
            };
            rows.push(switch(Id::Addressing, texts::ADDRESSING, mode));
            if port.mode != Mode::Unused {
                rows.push(field(Id::Address, address, &port.address, hint));
                rows.push(field(Id::Mask, texts::MASK, &port.mask, texts::HINT_MASK));
            }
        }
        let gateway = &self.gateway;
        rows.push(field(
            Id::Gateway,
            texts::GATEWAY,
            gateway,
            texts::HINT_GATEWAY,
        ));
        rows.push(field(Id::Dns, texts::DNS, &self.dns, texts::HINT_DNS));
        let name = &self.host_name;
        rows.push(field(
            Id::HostName,
            texts::HOST_NAME,
            name,
            texts::HINT_HOST_NAME,
        ));
        rows.push(choice(Id::Apply, texts::APPLY));
        rows.push(choice(Id::Back, texts::BACK));
        rows
    }

    /// The port that is shown.
    pub fn text(&self) -> Vec<String> {
        (self.ports.get(self.shown).iter())
            .map(|port| texts::port_text(&port.name, &port.mac, port.carrier))
            .collect()
    }

    /// The field of a row.
    pub fn field(&mut self, row: Id) -> Option<&mut Field> {
        let port = self.ports.get_mut(self.shown);
        match row {
            Id::Address => port.map(|port| &mut port.address),
            Id::Mask => port.map(|port| &mut port.mask),
            Id::Gateway => Some(&mut self.gateway),
            Id::Dns => Some(&mut self.dns),
            Id::HostName => Some(&mut self.host_name),
            _ => None,
        }
    }

    /// The next value of a row.
    pub fn switch(&mut self, row: Id) {
        let count = self.ports.len();
        if row == Id::Port {
            self.shown = (self.shown + 1) % count.max(1);
        } else if row == Id::Addressing
            && let Some(port) = self.ports.get_mut(self.shown)
        {
            port.mode = match port.mode {
                Mode::Dhcp => Mode::Static,
                // A machine with one port can't do without it.
                Mode::Static if count > 1 => Mode::Unused,
                Mode::Static | Mode::Unused => Mode::Dhcp,
            };
        }
    }

    /// What was typed, as settings. Shows the port that is wrong.
    pub fn settings(&mut self) -> Result<NetworkSettings, Fault> {
        let mut interfaces = Vec::new();
        for (index, port) in self.ports.iter().enumerate() {
            match port.addressing() {
                Ok(Some(addressing)) => interfaces.push(InterfaceSettings {
                    name: port.name.clone(),
                    addressing,
                }),
                Ok(None) => {}
                Err(fault) => {
                    self.shown = index;
                    return Err(fault);
                }
            }
        }
        let gateway = match self.gateway.text() {
            "" => None,
            text => Some((text.parse()).map_err(|_| (Id::Gateway, texts::BAD_ADDRESS.to_owned()))?),
        };
        let dns = words(self.dns.text())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| (Id::Dns, texts::BAD_DNS.to_owned()))?;
        Ok(NetworkSettings {
            host_name: self.host_name.text().to_owned(),
            interfaces,
            gateway,
            dns,
        })
    }

    /// The row of a field of [`NetworkSettings`] that was refused; shows its port.
    pub fn row_of(&mut self, refused: &str) -> Option<Id> {
        if refused.starts_with("gateway") {
            return Some(Id::Gateway);
        } else if refused.starts_with("dns") {
            return Some(Id::Dns);
        } else if refused.starts_with("host_name") {
            return Some(Id::HostName);
        }
        let (index, rest) = refused.strip_prefix("interfaces[")?.split_once(']')?;
        let index: usize = index.parse().ok()?;
        let used = (self.ports.iter().enumerate()).filter(|(_, port)| port.mode != Mode::Unused);
        let shown = used.map(|(at, _)| at).nth(index)?;
        self.shown = shown;
        let address = rest.ends_with(".address") || rest.ends_with(".fallback");
        Some(if address { Id::Address } else { Id::Addressing })
    }
}

impl Port {
    fn addressing(&self) -> Result<Option<Addressing>, Fault> {
        Ok(match self.mode {
            Mode::Unused => None,
            Mode::Static => Some(Addressing::Static {
                address: self.address()?,
            }),
            Mode::Dhcp if self.address.text().is_empty() => {
                Some(Addressing::Dhcp { fallback: None })
            }
            Mode::Dhcp => Some(Addressing::Dhcp {
                fallback: Some(self.address()?),
            }),
        })
    }

    fn address(&self) -> Result<InterfaceAddress, Fault> {
        let address: Ipv4Addr = (self.address.text().parse())
            .map_err(|_| (Id::Address, texts::BAD_ADDRESS.to_owned()))?;
        let mask = self.mask.text().trim_start_matches('/');
        let prefix = match mask.parse::<Ipv4Addr>() {
            Ok(mask) => InterfaceAddress::prefix_of(mask),
            Err(_) => mask.parse().ok(),
        };
        let prefix = prefix.ok_or((Id::Mask, texts::BAD_MASK.to_owned()))?;
        InterfaceAddress::new(address, prefix).map_err(|error| {
            let row = match error {
                InvalidAddress::PrefixLength => Id::Mask,
                InvalidAddress::Form
                | InvalidAddress::Network
                | InvalidAddress::Broadcast
                | InvalidAddress::Kind => Id::Address,
            };
            (row, error.to_string())
        })
    }
}

/// What stands between spaces and commas.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',']).filter(|word| !word.is_empty())
}

fn port(network: &Network, name: &str, set: Option<Addressing>) -> Port {
    let is = network.interfaces.iter().find(|is| is.name == name);
    let (mode, address) = match set {
        Some(Addressing::Static { address }) => (Mode::Static, Some(address)),
        Some(Addressing::Dhcp { fallback }) => (Mode::Dhcp, fallback),
        None => (Mode::Unused, None),
    };
    let text = |part: fn(InterfaceAddress) -> Ipv4Addr| {
        address.map_or_else(String::new, |address| part(address).to_string())
    };
    Port {
        name: name.to_owned(),
        mac: is.map_or_else(String::new, |is| is.mac.clone()),
        carrier: is.is_some_and(|is| is.carrier),
        mode,
        address: Field::new(Kind::Address, &text(InterfaceAddress::address)),
        mask: Field::new(Kind::Address, &text(InterfaceAddress::mask)),
    }
}

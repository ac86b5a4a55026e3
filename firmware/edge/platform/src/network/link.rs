//! Ethernet ports, addresses and the default route, as the kernel has them, and making them as wanted.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::system::{Interface, InterfaceAddress};
use tracing::info;

pub use super::netlink::Monitor;
use super::netlink::{Message, Request, Socket};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;

const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;

const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;
const IFF_UP: u32 = 1;
/// Frames are let through (RFC 2863). The kernel knows a little earlier that a cable is plugged in, but
/// what is sent then is lost.
const IFF_RUNNING: u32 = 1 << 6;
/// A cable is plugged in.
const IFF_LOWER_UP: u32 = 1 << 16;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RTN_UNICAST: u8 = 1;

const LINK: usize = 16;
const ADDRESS: usize = 8;
const ROUTE: usize = 12;

/// An Ethernet port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The kernel's number of it.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// It is in use.
    pub up: bool,
    /// A cable with something at its other end is plugged in.
    pub carrier: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address {
    index: u32,
    ip: IpAddr,
    prefix_len: u8,
    scope: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DefaultRoute {
    gateway: Option<Ipv4Addr>,
    index: u32,
    metric: u32,
}

/// What a machine's network is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The ports in use, with the address each is to have.
    pub ports: Vec<(String, Own)>,
    /// The router, and the port it is reached by. Without one there is none, except as long as a port
    /// is left as it is.
    pub gateway: Option<(Ipv4Addr, String)>,
}

/// The address that a port is to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Own {
    /// None.
    #[default]
    Nothing,
    /// Not known yet: calls over the one it has go on meanwhile.
    AsItIs,
    /// This one.
    Is(InterfaceAddress),
}

/// The kernel's network, in the namespace of the thread that opened it.
#[derive(Debug)]
pub struct Kernel(Socket);

impl Kernel {
    /// Ready to be asked.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open() -> io::Result<Self> {
        Socket::open().map(Self)
    }

    /// The Ethernet ports, by name.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn ports(&mut self) -> io::Result<Vec<Port>> {
        let links = self.0.ask(Request::dump(RTM_GETLINK, &[0; LINK]))?;
        let mut ports: Vec<Port> = links.iter().filter_map(port).collect();
        ports.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(ports)
    }

    /// The Ethernet ports with their addresses, IPv4 first.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn interfaces(&mut self) -> io::Result<Vec<Interface>> {
        let ports = self.ports()?;
        let mut addresses = self.addresses(0)?;
        addresses.sort_by_key(|address| address.ip.is_ipv6());
        let of = |port: Port| Interface {
            mac: mac_text(port.mac),
            carrier: port.carrier,
            addresses: addresses
                .iter()
                .filter(|address| address.index == port.index)
                .map(|address| format!("{}/{}", address.ip, address.prefix_len))
                .collect(),
            lease_until: None,
            name: port.name,
        };
        Ok(ports.into_iter().map(of).collect())
    }

    /// The router in use.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn gateway(&mut self) -> io::Result<Option<Ipv4Addr>> {
        let mut routes = self.default_routes()?;
        routes.sort_by_key(|route| route.metric);
        Ok(routes.iter().find_map(|route| route.gateway))
    }

    /// Takes a port into use, so that it is seen whether a cable is plugged in.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_up(&mut self, index: u32, up: bool) -> io::Result<()> {
        let mut fixed = [0; LINK];
        fixed[4..8].copy_from_slice(&index.to_ne_bytes());
        fixed[8..12].copy_from_slice(&u32::from(up).to_ne_bytes());
        fixed[12..16].copy_from_slice(&IFF_UP.to_ne_bytes());
        self.0.ask(Request::change(RTM_NEWLINK, 0, &fixed))?;
        Ok(())
    }

    /// Makes it so: exactly these IPv4 addresses and this router, ports that aren't named out of use.
    /// What is so already is not touched, so calls over it go on.
    ///
    /// # Errors
    /// The first thing that the kernel refuses; what comes after it is tried nevertheless.
    pub fn apply(&mut self, wanted: &Wanted) -> io::Result<()> {
        let mut result = self.loopback();
        let ports = self.ports()?;
        for port in &ports {
            let own = wanted.ports.iter().find(|(name, _)| *name == port.name);
            let done = match own {
                Some((_, own)) => self.make(port, *own),
                None => self.disuse(port),
            };
            result = result.and(done);
        }
        let done = self.route(wanted, &ports);
        result.and(done)
    }

    fn loopback(&mut self) -> io::Result<()> {
        let links = self.0.ask(Request::dump(RTM_GETLINK, &[0; LINK]))?;
        for link in &links {
            let Some(fixed) = link.fixed::<LINK>() else {
                continue;
            };
            if kind_of(&fixed) == ARPHRD_LOOPBACK && flags_of(&fixed) & IFF_UP == 0 {
                self.set_up(index_of(&fixed), true)?;
            }
        }
        Ok(())
    }

    fn disuse(&mut self, port: &Port) -> io::Result<()> {
        self.make_addresses(port, None)?;
        if port.up {
            info!(port = port.name, "not used");
            self.set_up(port.index, false)?;
        }
        Ok(())
    }

    fn make(&mut self, port: &Port, own: Own) -> io::Result<()> {
        if !port.up {
            self.set_up(port.index, true)?;
        }
        match own {
            Own::Nothing => self.make_addresses(port, None),
            Own::AsItIs => Ok(()),
            Own::Is(address) => self.make_addresses(port, Some(address)),
        }
    }

    fn make_addresses(&mut self, port: &Port, wanted: Option<InterfaceAddress>) -> io::Result<()> {
        let is_wanted = |address: &Address| {
            wanted.is_some_and(|wanted| {
                address.ip == wanted.address() && address.prefix_len == wanted.prefix_len()
            })
        };
        for address in self.addresses(AF_INET)? {
            if address.index == port.index && !is_wanted(&address) {
                info!(port = port.name, address = %address.ip, "no longer has its address");
                self.change_address(RTM_DELADDR, 0, address)?;
            }
        }
        let Some(wanted) = wanted else { return Ok(()) };
        // Asked again: with one address the kernel may have removed others of its network.
        let there = self.addresses(AF_INET)?;
        let has = (there.iter()).any(|address| address.index == port.index && is_wanted(address));
        if !has {
            info!(port = port.name, address = %wanted, "has an address");
            let address = Address {
                index: port.index,
                ip: IpAddr::V4(wanted.address()),
                prefix_len: wanted.prefix_len(),
                scope: RT_SCOPE_UNIVERSE,
            };
            self.change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address)?;
        }
        Ok(())
    }

    fn change_address(&mut self, kind: u16, flags: u16, address: Address) -> io::Result<()> {
        let IpAddr::V4(ip) = address.ip else {
            return Ok(());
        };
        let mut fixed = [AF_INET, address.prefix_len, 0, address.scope, 0, 0, 0, 0];
        fixed[4..].copy_from_slice(&address.index.to_ne_bytes());
        let host = u32::MAX.checked_shr(address.prefix_len.into()).unwrap_or(0);
        let broadcast = Ipv4Addr::from_bits(ip.to_bits() | host);
        let mut request = Request::change(kind, flags, &fixed)
            .with(IFA_LOCAL, &ip.octets())
            .with(IFA_ADDRESS, &ip.octets());
        if kind == RTM_NEWADDR {
            request = request.with(IFA_BROADCAST, &broadcast.octets());
        }
        self.0.ask(request)?;
        Ok(())
    }

    fn route(&mut self, wanted: &Wanted, ports: &[Port]) -> io::Result<()> {
        let waits = wanted.ports.iter().any(|(_, own)| *own == Own::AsItIs);
        if waits && wanted.gateway.is_none() {
            return Ok(());
        }
        let wanted = wanted.gateway.as_ref().and_then(|(gateway, name)| {
            let port = ports.iter().find(|port| port.name == *name)?;
            Some(DefaultRoute {
                gateway: Some(*gateway),
                index: port.index,
                metric: 0,
            })
        });
        let mut has = false;
        for route in self.default_routes()? {
            if Some(route) == wanted {
                has = true;
            } else {
                self.change_route(RTM_DELROUTE, 0, route)?;
            }
        }
        if let (Some(route), false) = (wanted, has) {
            info!(gateway = ?route.gateway, "has a router");
            self.change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route)?;
        }
        Ok(())
    }

    fn change_route(&mut self, kind: u16, flags: u16, route: DefaultRoute) -> io::Result<()> {
        let scope = match (kind, route.gateway) {
            (RTM_NEWROUTE, Some(_)) => RT_SCOPE_UNIVERSE,
            (RTM_NEWROUTE, None) => RT_SCOPE_LINK,
            // Of whatever scope it is.
            _ => 255,
        };
        let (protocol, route_kind) = if kind == RTM_NEWROUTE {
            (RTPROT_STATIC, RTN_UNICAST)
        } else {
            (0, 0)
        };
        let mut fixed = [0; ROUTE];
        fixed[..8].copy_from_slice(&[AF_INET, 0, 0, 0, RT_TABLE_MAIN, protocol, scope, route_kind]);
        let mut request = Request::change(kind, flags, &fixed)
            .with(RTA_OIF, &route.index.to_ne_bytes())
            .with(RTA_PRIORITY, &route.metric.to_ne_bytes());
        if let Some(gateway) = route.gateway {
            request = request.with(RTA_GATEWAY, &gateway.octets());
        }
        self.0.ask(request)?;
        Ok(())
    }

    fn addresses(&mut self, family: u8) -> io::Result<Vec<Address>> {
        let mut fixed = [0; ADDRESS];
        fixed[0] = family;
        let answers = self.0.ask(Request::dump(RTM_GETADDR, &fixed))?;
        Ok(answers.iter().filter_map(address).collect())
    }

    fn default_routes(&mut self) -> io::Result<Vec<DefaultRoute>> {
        let mut fixed = [0; ROUTE];
        fixed[0] = AF_INET;
        let answers = self.0.ask(Request::dump(RTM_GETROUTE, &fixed))?;
        Ok(answers.iter().filter_map(default_route).collect())
    }
}

fn kind_of(fixed: &[u8; LINK]) -> u16 {
    u16::from_ne_bytes([fixed[2], fixed[3]])
}

fn index_of(fixed: &[u8; LINK]) -> u32 {
    u32::from_ne_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])
}

fn flags_of(fixed: &[u8; LINK]) -> u32 {
    u32::from_ne_bytes([fixed[8], fixed[9], fixed[10], fixed[11]])
}

fn port(message: &Message) -> Option<Port> {
    let fixed = message.fixed::<LINK>()?;
    if message.kind != RTM_NEWLINK || kind_of(&fixed) != ARPHRD_ETHER {
        return None;
    }
    let name = message.attribute(LINK, IFLA_IFNAME)?;
    let name = name.split(|&octet| octet == 0).next()?;
    const ALL: u32 = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;
    let flags = flags_of(&fixed);
    Some(Port {
        index: index_of(&fixed),
        name: String::from_utf8(name.to_vec()).ok()?,
        mac: message.attribute(LINK, IFLA_ADDRESS)?.try_into().ok()?,
        up: flags & IFF_UP != 0,
        carrier: flags & ALL == ALL,
    })
}

fn address(message: &Message) -> Option<Address> {
    let fixed = message.fixed::<ADDRESS>()?;
    if message.kind != RTM_NEWADDR {
        return None;
    }
    // Where both are there, IFA_ADDRESS is the other end of a line.
    let octets = (message.attribute(ADDRESS, IFA_LOCAL))
        .or_else(|| message.attribute(ADDRESS, IFA_ADDRESS))?;
    let ip = match fixed[0] {
        AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)),
        AF_INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
        _ => return None,
    };
    Some(Address {
        index: u32::from_ne_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        ip,
        prefix_len: fixed[1],
        scope: fixed[3],
    })
}

fn default_route(message: &Message) -> Option<DefaultRoute> {
    let fixed = message.fixed::<ROUTE>()?;
    let is_default = fixed[0] == AF_INET && fixed[1] == 0 && fixed[4] == RT_TABLE_MAIN;
    if message.kind != RTM_NEWROUTE || !is_default || fixed[7] != RTN_UNICAST {
        return None;
    }
    let octets = |kind| <[u8; 4]>::try_from(message.attribute(ROUTE, kind)?).ok();
    Some(DefaultRoute {
        gateway: octets(RTA_GATEWAY).map(Ipv4Addr::from),
        index: u32::from_ne_bytes(octets(RTA_OIF)?),
        metric: octets(RTA_PRIORITY).map_or(0, u32::from_ne_bytes),
    })
}

/// A hardware address as people write it.
#[must_use]
pub fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

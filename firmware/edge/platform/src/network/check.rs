//! Whether a network that an administrator asks for can be.

use core::net::{IpAddr, Ipv4Addr};

use model::system::{Addressing, InterfaceAddress, InterfaceSettings, NetworkSettings, Reply};

/// The most name servers; the resolver of the C library asks no more.
const NAME_SERVERS: usize = 3;

/// The longest host name Linux keeps.
const HOST_NAME: usize = 64;

/// The longest label of a domain name (RFC 1035 §2.3.4).
const LABEL: usize = 63;

/// What can't be, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The field in the settings.
    pub field: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl From<Refused> for Reply {
    fn from(refused: Refused) -> Self {
        Self::Refused {
            field: refused.field,
            text: refused.text,
        }
    }
}

fn refuse<T>(field: impl Into<String>, text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        field: field.into(),
        text: text.into(),
    })
}

/// Whether these settings can be on a machine with these Ethernet ports.
///
/// # Errors
/// The first thing that can't be.
pub fn check(settings: &NetworkSettings, ports: &[String]) -> Result<(), Refused> {
    check_host_name(&settings.host_name)?;
    if settings.interfaces.is_empty() {
        return refuse(
            "interfaces",
            "set at least one Ethernet port, else the machine can't be reached",
        );
    }
    for (index, interface) in settings.interfaces.iter().enumerate() {
        let before = &settings.interfaces[..index];
        check_interface(index, interface, before, ports)?;
    }
    check_gateway(settings)?;
    check_dns(&settings.dns)
}

/// Whether this is a host name (RFC 1123 §2.1): letters, digits and hyphens; labels neither begin nor
/// end with a hyphen. The last one is no number, since that could be an address.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL).contains(&label.len())
            && (label.bytes()).all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    name.split('.').all(is_label) && !last.bytes().all(|octet| octet.is_ascii_digit())
}

fn check_host_name(name: &str) -> Result<(), Refused> {
    if name.is_empty() || name.len() > HOST_NAME {
        return refuse("host_name", "the host name must have 1 to 64 characters");
    }
    if !is_host_name(name) {
        return refuse(
            "host_name",
            "a host name consists of letters, digits and hyphens, with dots between its parts; no \
             part begins or ends with a hyphen, and the last one is no number",
        );
    }
    Ok(())
}

fn check_interface(
    index: usize,
    interface: &InterfaceSettings,
    before: &[InterfaceSettings],
    ports: &[String],
) -> Result<(), Refused> {
    let name = || format!("interfaces[{index}].name");
    if !ports.contains(&interface.name) {
        let there = ports.join(", ");
        return refuse(
            name(),
            format!(
                "this machine has no port {}; it has {there}",
                interface.name
            ),
        );
    }
    if before.iter().any(|other| other.name == interface.name) {
        return refuse(name(), format!("{} is set twice", interface.name));
    }
    let Some(address) = address_of(interface) else {
        return Ok(());
    };
    for other in before {
        let Some(taken) = address_of(other) else {
            continue;
        };
        if taken.address() == address.address() {
            return refuse(
                field_of_address(index, interface),
                format!("{} has this address already", other.name),
            );
        }
        if taken.reaches(address.address()) || address.reaches(taken.address()) {
            return refuse(
                field_of_address(index, interface),
                format!(
                    "{} is in the network {taken} already: two ports can't be in one network",
                    other.name
                ),
            );
        }
    }
    Ok(())
}

const fn address_of(interface: &InterfaceSettings) -> Option<InterfaceAddress> {
    match interface.addressing {
        Addressing::Static { address } => Some(address),
        Addressing::Dhcp { fallback } => fallback,
    }
}

fn field_of_address(index: usize, interface: &InterfaceSettings) -> String {
    let field = match interface.addressing {
        Addressing::Static { .. } => "address",
        Addressing::Dhcp { .. } => "fallback",
    };
    format!("interfaces[{index}].addressing.{field}")
}

/// A router is asked directly, so it must be in a network of the machine. What network DHCP will give
/// isn't known, so with DHCP any router may do, and one said by DHCP is used only where none is set.
fn check_gateway(settings: &NetworkSettings) -> Result<(), Refused> {
    let Some(gateway) = settings.gateway else {
        return Ok(());
    };
    if !is_machine(gateway) {
        return refuse("gateway", "no router can have this address");
    }
    let own = settings.interfaces.iter().filter_map(address_of);
    if own.clone().any(|address| address.address() == gateway) {
        return refuse(
            "gateway",
            "this is the machine's own address: enter the router's",
        );
    }
    let reached: Vec<InterfaceAddress> = own.filter(|own| own.reaches(gateway)).collect();
    for network in &reached {
        if InterfaceAddress::new(gateway, network.prefix_len()).is_err() {
            return refuse(
                "gateway",
                format!("no router can have this address in the network {network}"),
            );
        }
    }
    let by_dhcp = (settings.interfaces.iter())
        .any(|interface| matches!(interface.addressing, Addressing::Dhcp { .. }));
    if reached.is_empty() && !by_dhcp {
        return refuse(
            "gateway",
            "the router must be in the network of one of the ports, else it can't be reached",
        );
    }
    Ok(())
}

fn check_dns(servers: &[IpAddr]) -> Result<(), Refused> {
    if servers.len() > NAME_SERVERS {
        return refuse("dns", "at most three name servers are asked");
    }
    for (index, server) in servers.iter().enumerate() {
        let field = || format!("dns[{index}]");
        let possible = match server {
            // A name server on the machine itself is possible.
            IpAddr::V4(server) => is_machine(*server) || server.is_loopback(),
            IpAddr::V6(server) => !server.is_unspecified() && !server.is_multicast(),
        };
        if !possible {
            return refuse(field(), "no name server can have this address");
        }
        if servers[..index].contains(server) {
            return refuse(field(), "this name server is entered twice");
        }
    }
    Ok(())
}

const fn is_machine(address: Ipv4Addr) -> bool {
    !matches!(address.octets()[0], 0 | 127 | 224..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, address: &str) -> InterfaceSettings {
        InterfaceSettings {
            name: name.into(),
            addressing: Addressing::Static {
                address: address.parse().expect("an address"),
            },
        }
    }

    fn dhcp(name: &str, fallback: Option<&str>) -> InterfaceSettings {
        InterfaceSettings {
            name: name.into(),
            addressing: Addressing::Dhcp {
                fallback: fallback.map(|text| text.parse().expect("an address")),
            },
        }
    }

    fn settings(interfaces: Vec<InterfaceSettings>) -> NetworkSettings {
        NetworkSettings {
            host_name: "box".into(),
            interfaces,
            gateway: None,
            dns: Vec::new(),
        }
    }

    fn field(settings: &NetworkSettings) -> Option<String> {
        let ports = ["eth0".to_owned(), "eth1".to_owned()];
        check(settings, &ports).err().map(|refused| refused.field)
    }

    fn is_refused(settings: &NetworkSettings, at: &str) {
        assert_eq!(field(settings).as_deref(), Some(at), "{settings:?}");
    }

    #[test]
    fn what_boxes_are_delivered_with_is_possible() {
        assert_eq!(field(&settings(vec![port("eth0", "10.10.10.1/24")])), None);
        let pc = settings(vec![dhcp("eth0", Some("192.168.1.10/24"))]);
        assert_eq!(field(&pc), None);
    }

    #[test]
    fn host_names_are_those_of_rfc_1123() {
        let with = |name: &str| NetworkSettings {
            host_name: name.into(),
            ..settings(vec![port("eth0", "10.10.10.1/24")])
        };
        for name in ["a", "box-1", "3com", "pbx.example.com", "2.example"] {
            assert_eq!(field(&with(name)), None, "{name}");
        }
        let long = "x".repeat(65);
        for name in [
            "",
            "-a",
            "a-",
            "a..b",
            ".a",
            "a.",
            "a_b",
            "a b",
            "ústředna",
            "10.0.0.1",
            "5",
            &long,
        ] {
            is_refused(&with(name), "host_name");
        }
    }

    #[test]
    fn ports_are_those_of_the_machine_and_each_is_set_once() {
        is_refused(&settings(Vec::new()), "interfaces");
        is_refused(
            &settings(vec![port("eth7", "10.10.10.1/24")]),
            "interfaces[0].name",
        );
        is_refused(
            &settings(vec![
                port("eth0", "10.10.10.1/24"),
                port("eth0", "10.10.11.1/24"),
            ]),
            "interfaces[1].name",
        );
    }

    #[test]
    fn two_ports_are_in_two_networks() {
        for second in ["10.10.10.1/24", "10.10.10.9/24", "10.10.9.1/16"] {
            is_refused(
                &settings(vec![port("eth0", "10.10.10.1/24"), port("eth1", second)]),
                "interfaces[1].addressing.address",
            );
        }
        is_refused(
            &settings(vec![
                port("eth0", "10.10.10.1/24"),
                dhcp("eth1", Some("10.10.10.2/24")),
            ]),
            "interfaces[1].addressing.fallback",
        );
        let apart = settings(vec![
            port("eth0", "10.10.10.1/24"),
            port("eth1", "10.10.11.1/24"),
        ]);
        assert_eq!(field(&apart), None);
    }

    #[test]
    fn the_router_is_in_a_network_of_the_machine() {
        let with = |gateway: [u8; 4], interfaces| NetworkSettings {
            gateway: Some(gateway.into()),
            ..settings(interfaces)
        };
        let own = || vec![port("eth0", "10.10.10.1/24")];
        assert_eq!(field(&with([10, 10, 10, 254], own())), None);
        for gateway in [
            [10, 10, 10, 1],
            [10, 10, 11, 1],
            [10, 10, 10, 0],
            [10, 10, 10, 255],
            [0, 0, 0, 0],
            [127, 0, 0, 1],
            [224, 0, 0, 1],
        ] {
            is_refused(&with(gateway, own()), "gateway");
        }
        let by_dhcp = vec![dhcp("eth0", None)];
        assert_eq!(field(&with([172, 16, 0, 1], by_dhcp)), None);
    }

    #[test]
    fn name_servers_are_machines_and_few() {
        let with = |dns: &[&str]| NetworkSettings {
            dns: dns
                .iter()
                .map(|text| text.parse().expect("an address"))
                .collect(),
            ..settings(vec![port("eth0", "10.10.10.1/24")])
        };
        assert_eq!(field(&with(&["9.9.9.9", "2620:fe::fe", "127.0.0.1"])), None);
        is_refused(&with(&["9.9.9.9", "0.0.0.0"]), "dns[1]");
        is_refused(&with(&["::"]), "dns[0]");
        is_refused(&with(&["255.255.255.255"]), "dns[0]");
        is_refused(&with(&["9.9.9.9", "9.9.9.9"]), "dns[1]");
        let four = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"];
        is_refused(&with(&four), "dns");
    }
}

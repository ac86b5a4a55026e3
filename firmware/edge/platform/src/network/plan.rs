//! What a network is to be: what is set, joined with what DHCP gave.

use core::net::{IpAddr, Ipv4Addr};

use model::system::{Addressing, NetworkSettings};

use super::dhcp::Lease;
use super::link::{Own, Wanted};

/// What DHCP gave a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given {
    /// Nothing yet, since the client began.
    #[default]
    Nothing,
    /// An address that must not be used any more.
    Lost,
    /// Nothing for so long that the fallback is used.
    Unanswered,
    /// An address.
    Lease(Lease),
}

/// What a network is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// For the kernel.
    pub wanted: Wanted,
    /// The name servers, the first asked first.
    pub dns: Vec<IpAddr>,
    /// Where short names are searched.
    pub domain: Option<String>,
}

/// Joins the settings with what DHCP gave each port. What is set by hand wins over what DHCP says.
#[must_use]
pub fn plan<'a>(settings: &NetworkSettings, given: impl Fn(&str) -> &'a Given) -> Plan {
    let mut plan = Plan::default();
    let mut by_dhcp = None;
    for interface in &settings.interfaces {
        let address = match (&interface.addressing, given(&interface.name)) {
            (Addressing::Static { address }, _) => Own::Is(*address),
            (Addressing::Dhcp { .. }, Given::Lease(lease)) => {
                let router = lease.router.map(|router| (router, interface.name.clone()));
                by_dhcp = by_dhcp.or(router);
                plan.dns.extend(lease.dns.iter().copied().map(IpAddr::V4));
                plan.domain = plan.domain.take().or_else(|| lease.domain.clone());
                Own::Is(lease.address)
            }
            (Addressing::Dhcp { fallback }, Given::Unanswered) => {
                fallback.map_or(Own::Nothing, Own::Is)
            }
            (Addressing::Dhcp { .. }, Given::Lost) => Own::Nothing,
            (Addressing::Dhcp { .. }, Given::Nothing) => Own::AsItIs,
        };
        plan.wanted.ports.push((interface.name.clone(), address));
    }
    plan.wanted.gateway = match settings.gateway {
        Some(gateway) => port_to(gateway, &plan.wanted.ports).map(|port| (gateway, port)),
        None => by_dhcp,
    };
    if !settings.dns.is_empty() {
        plan.dns.clone_from(&settings.dns);
    }
    plan
}

/// The port whose network an address is in.
fn port_to(address: Ipv4Addr, ports: &[(String, Own)]) -> Option<String> {
    let port = (ports.iter()).find(|(_, own)| matches!(own, Own::Is(own) if own.reaches(address)));
    port.map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use model::system::{InterfaceAddress, InterfaceSettings};

    use super::super::dhcp::lease;
    use super::*;

    fn dhcp(name: &str, fallback: Option<&str>) -> InterfaceSettings {
        InterfaceSettings {
            name: name.into(),
            addressing: Addressing::Dhcp {
                fallback: fallback.map(address),
            },
        }
    }

    fn address(text: &str) -> InterfaceAddress {
        text.parse().expect("an address")
    }

    fn settings() -> NetworkSettings {
        NetworkSettings {
            host_name: "box".into(),
            interfaces: vec![
                InterfaceSettings {
                    name: "eth0".into(),
                    addressing: Addressing::Static {
                        address: address("10.10.10.1/24"),
                    },
                },
                dhcp("eth1", Some("192.168.7.1/24")),
            ],
            gateway: None,
            dns: Vec::new(),
        }
    }

    #[test]
    fn what_dhcp_gives_is_used_where_nothing_is_set() {
        let given = Given::Lease(lease("172.16.0.7/16", Some("172.16.0.1")));
        let plan = plan(&settings(), |_| &given);
        assert_eq!(plan.wanted.ports[0].1, Own::Is(address("10.10.10.1/24")));
        assert_eq!(plan.wanted.ports[1].1, Own::Is(address("172.16.0.7/16")));
        let gateway = (Ipv4Addr::new(172, 16, 0, 1), "eth1".to_owned());
        assert_eq!(plan.wanted.gateway, Some(gateway));
        assert_eq!(plan.dns, [IpAddr::from([172, 16, 0, 53])]);
        assert_eq!(plan.domain.as_deref(), Some("example.com"));
    }

    #[test]
    fn what_is_set_wins() {
        let mut settings = settings();
        settings.gateway = Some(Ipv4Addr::new(10, 10, 10, 254));
        settings.dns = vec![IpAddr::from([9, 9, 9, 9])];
        let given = Given::Lease(lease("172.16.0.7/16", Some("172.16.0.1")));
        let plan = plan(&settings, |_| &given);
        let gateway = (Ipv4Addr::new(10, 10, 10, 254), "eth0".to_owned());
        assert_eq!(plan.wanted.gateway, Some(gateway));
        assert_eq!(plan.dns, settings.dns);
    }

    #[test]
    fn the_fallback_is_used_when_nothing_came_for_a_while() {
        let at_first = plan(&settings(), |_| &Given::Nothing);
        assert_eq!(at_first.wanted.ports[1], ("eth1".to_owned(), Own::AsItIs));
        let lost = plan(&settings(), |_| &Given::Lost);
        assert_eq!(lost.wanted.ports[1].1, Own::Nothing);
        let later = plan(&settings(), |_| &Given::Unanswered);
        assert_eq!(later.wanted.ports[1].1, Own::Is(address("192.168.7.1/24")));
        assert_eq!(later.wanted.gateway, None);
    }

    #[test]
    fn a_router_in_a_network_that_is_not_there_yet_waits_for_it() {
        let mut settings = settings();
        settings.gateway = Some(Ipv4Addr::new(172, 16, 0, 254));
        let at_first = plan(&settings, |_| &Given::Nothing);
        assert_eq!(at_first.wanted.gateway, None);
        let given = Given::Lease(lease("172.16.0.7/16", None));
        let leased = plan(&settings, |_| &given);
        assert_eq!(leased.wanted.gateway.expect("a router").1, "eth1");
    }
}

//! What is entered in a phone besides its user and password: where it finds the exchange.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use model::control::{Listening, Reply, Request};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, exchange_failed};
use crate::host;
use crate::problem::Problem;
use crate::words::Transport;

/// Where phones find the exchange.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PhoneSetup {
    /// What may be entered as the server, the likeliest first.
    #[schema(example = json!(["192.168.1.10"]))]
    servers: Vec<String>,
    /// True where only this machine can reach it: it has no network, or SIP listens on none.
    only_here: bool,
    /// By what SIP travels, and the port of each.
    transports: Vec<SipPort>,
}

/// The port of a transport.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SipPort {
    /// By what.
    transport: Transport,
    /// At which port.
    #[schema(example = 5060)]
    port: u16,
}

/// Where phones find the exchange
///
/// With the SIP user name and password of an extension, all that a phone has to be told.
#[utoipa::path(get, path = "/phone-setup", operation_id = "show_phone_setup", tag = "live",
    responses((status = 200, description = "As the exchange listens now", body = PhoneSetup)))]
pub async fn show(State(app): State<App>) -> Result<Json<PhoneSetup>, Problem> {
    match app.ask(Request::Status).await? {
        Reply::Status(status) => Ok(Json(PhoneSetup::new(
            &status.sip,
            &host::addresses(),
            host::outward(),
        ))),
        other => Err(exchange_failed(&other)),
    }
}

impl PhoneSetup {
    /// `here`: the addresses of the machine; `outward`: the one that packets to others leave from.
    fn new(listening: &Listening, here: &[IpAddr], outward: Option<IpAddr>) -> Self {
        let mut servers = listened_on(&listening.addresses, here);
        let only_here = servers.iter().all(IpAddr::is_loopback);
        if !only_here {
            servers.retain(|address| !address.is_loopback());
        }
        // What the way out leads by first; then IPv4, which every phone takes.
        servers.sort_by_key(|address| (Some(*address) != outward, address.is_ipv6()));
        let port = |transport, port| SipPort { transport, port };
        let mut transports = vec![
            port(Transport::Udp, listening.port),
            port(Transport::Tcp, listening.port),
        ];
        transports.extend(listening.tls_port.map(|tls| port(Transport::Tls, tls)));
        Self {
            servers: servers.iter().map(ToString::to_string).collect(),
            only_here,
            transports,
        }
    }
}

/// The addresses of the machine that are listened on.
fn listened_on(given: &[IpAddr], here: &[IpAddr]) -> Vec<IpAddr> {
    let all = |v6: bool| {
        given.is_empty()
            || (given.iter()).any(|given| given.is_unspecified() && given.is_ipv6() == v6)
    };
    let mut addresses: Vec<IpAddr> = (here.iter().copied())
        .filter(|address| all(address.is_ipv6()))
        .collect();
    addresses.extend(given.iter().filter(|address| !address.is_unspecified()));
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split_whitespace()
            .map(|address| address.parse().expect("an address"))
            .collect()
    }

    fn setup(given: &str, here: &str, outward: &str) -> PhoneSetup {
        let listening = Listening {
            addresses: addresses(given),
            port: 5060,
            tls_port: Some(5061),
        };
        let outward = addresses(outward).first().copied();
        PhoneSetup::new(&listening, &addresses(here), outward)
    }

    #[test]
    fn the_address_that_leads_out_comes_first_and_loopback_not_at_all() {
        let here = "127.0.0.1 172.17.0.1 192.168.1.10 ::1 2001:db8::10";
        let found = setup("", here, "192.168.1.10");
        assert_eq!(
            found.servers,
            ["192.168.1.10", "172.17.0.1", "2001:db8::10"]
        );
        assert!(!found.only_here);
        let v4 = setup("0.0.0.0", here, "");
        assert_eq!(v4.servers, ["172.17.0.1", "192.168.1.10"]);
        assert_eq!(
            setup("172.17.0.1", here, "192.168.1.10").servers,
            ["172.17.0.1"]
        );
    }

    #[test]
    fn a_machine_without_a_network_says_so() {
        let alone = setup("", "127.0.0.1 ::1", "");
        assert_eq!(alone.servers, ["127.0.0.1", "::1"]);
        assert!(alone.only_here);
        assert!(setup("127.0.0.1", "127.0.0.1 192.168.1.10", "192.168.1.10").only_here);
    }

    #[test]
    fn tls_is_named_where_it_is_served() {
        let ports = |tls_port| {
            let listening = Listening {
                addresses: Vec::new(),
                port: 5070,
                tls_port,
            };
            let setup = PhoneSetup::new(&listening, &[], None);
            setup
                .transports
                .iter()
                .map(|port| port.port)
                .collect::<Vec<_>>()
        };
        assert_eq!(ports(Some(5071)), [5070, 5070, 5071]);
        assert_eq!(ports(None), [5070, 5070]);
    }
}

//! The SIP sockets: datagrams and connections turned into inputs of the switch, and back.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::errno::Errno;
use tracing::info;

mod connection;
mod handshakes;
mod seldom;
pub mod stream;
pub mod tls;
pub mod udp;

/// Binds to addresses; with none given, to all of both families. On a machine without IPv6 all
/// addresses of that family are none, and `[::]` alone stands for those of IPv4.
fn bind_all<T>(
    given: &[IpAddr],
    what: &str,
    mut bind: impl FnMut(IpAddr) -> io::Result<T>,
) -> io::Result<Vec<T>> {
    let all_v4 = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    let all_v6 = IpAddr::from(Ipv6Addr::UNSPECIFIED);
    let both = [all_v4, all_v6];
    let addresses = if given.is_empty() { &both[..] } else { given };
    let mut bound = Vec::new();
    for address in addresses {
        match bind(*address) {
            Ok(socket) => bound.push(socket),
            Err(error) if *address == all_v6 && is_no_ipv6(&error) => {
                info!(%error, "no {what} over IPv6 on this machine");
                if !addresses.contains(&all_v4) {
                    bound.push(bind(all_v4)?);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(bound)
}

/// True where the machine has no IPv6, rather than that something is wrong.
fn is_no_ipv6(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| {
        matches!(
            Errno::from_raw(number),
            Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is bound to on a machine where IPv6 fails with this.
    fn bound(given: &[&str], v6: Option<Errno>) -> Option<Vec<String>> {
        let given: Vec<IpAddr> = given
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect();
        let bind = |address: IpAddr| match v6 {
            Some(errno) if address.is_ipv6() => Err(errno.into()),
            _ => Ok(address.to_string()),
        };
        bind_all(&given, "SIP", bind).ok()
    }

    #[test]
    fn a_machine_without_ipv6_listens_on_ipv4() {
        let without = Some(Errno::EAFNOSUPPORT);
        let all = |addresses: &[&str]| Some(addresses.iter().map(ToString::to_string).collect());
        assert_eq!(bound(&[], None), all(&["0.0.0.0", "::"]));
        assert_eq!(bound(&["::"], None), all(&["::"]));
        assert_eq!(bound(&[], without), all(&["0.0.0.0"]));
        assert_eq!(bound(&["::"], without), all(&["0.0.0.0"]));
        assert_eq!(bound(&["::", "0.0.0.0"], without), all(&["0.0.0.0"]));
        // One address that is not there, and a port that is taken, are faults.
        assert_eq!(bound(&["2001:db8::1"], without), None);
        assert_eq!(bound(&["::"], Some(Errno::EADDRINUSE)), None);
        assert_eq!(bound(&[], Some(Errno::EADDRINUSE)), None);
    }
}

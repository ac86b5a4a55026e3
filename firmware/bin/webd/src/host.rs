//! What is asked of Linux: the host's names and addresses, its uptime, the room on its disk.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use nix::sys::statvfs::statvfs;

/// Names this host is likely called by on its network: its own, and its own under the domains that
/// routers hand out and that the resolver searches.
#[must_use]
pub fn names() -> Vec<String> {
    let Some(host) = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .map(|name| name.to_ascii_lowercase())
        .filter(|name| is_dns_name(name))
    else {
        return Vec::new();
    };
    let short = host.split('.').next().unwrap_or(&host).to_owned();
    let resolver = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let domains = ["local", "lan", "home.arpa", "internal"]
        .into_iter()
        .chain(search_domains(&resolver));
    let mut names: Vec<String> = domains.map(|domain| format!("{short}.{domain}")).collect();
    names.extend([host, short]);
    names.sort_unstable();
    names.dedup();
    names
}

/// The addresses of all interfaces, without those that name their interface too (link-local IPv6).
#[must_use]
pub fn addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else {
        return Vec::new();
    };
    let mut addresses: Vec<IpAddr> = interfaces
        .filter_map(|interface| interface.address)
        .filter_map(|address| {
            if let Some(v4) = address.as_sockaddr_in() {
                return Some(IpAddr::V4(v4.ip()));
            }
            let v6 = address.as_sockaddr_in6()?.ip();
            (!v6.is_unicast_link_local()).then_some(IpAddr::V6(v6))
        })
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// How long the system has been up, in seconds.
#[must_use]
pub fn uptime_s() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    text.split('.').next()?.parse().ok()
}

/// The address by which this host is found from elsewhere in its network: the one that packets to
/// other networks leave from. None where there is no way to others.
#[must_use]
pub fn outward() -> Option<IpAddr> {
    // A connected datagram socket knows its address; nothing is sent (RFC 5737, RFC 3849).
    let far = [
        IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    ];
    far.into_iter().find_map(|far| {
        let any: IpAddr = match far {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
        socket.connect(SocketAddr::new(far, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    })
}

/// A disk in bytes, as `df` counts: what is kept for the system is neither used nor free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What is used.
    pub used: u64,
    /// What this process may still write.
    pub free: u64,
}

/// The disk that has `path`.
#[must_use]
pub fn disk(path: &Path) -> Option<Disk> {
    let disk = statvfs(path).ok()?;
    Some(Disk::of(
        disk.fragment_size(),
        disk.blocks(),
        disk.blocks_free(),
        disk.blocks_available(),
    ))
}

impl Disk {
    /// `free`: blocks that nobody uses; `available`: those of them that anybody may use.
    const fn of(block: u64, blocks: u64, free: u64, available: u64) -> Self {
        Self {
            used: blocks.saturating_sub(free).saturating_mul(block),
            free: available.saturating_mul(block),
        }
    }
}

fn search_domains(resolver: &str) -> impl Iterator<Item = &str> {
    resolver
        .lines()
        .filter_map(|line| {
            line.strip_prefix("search ")
                .or_else(|| line.strip_prefix("domain "))
        })
        .flat_map(str::split_whitespace)
        .map(|domain| domain.trim_matches('.'))
        .filter(|domain| is_dns_name(domain))
        .take(8)
}

fn is_dns_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_domains_are_read() {
        let text = "# x\nnameserver 192.0.2.1\nsearch example.com. corp.example.com\n";
        let domains: Vec<&str> = search_domains(text).collect();
        assert_eq!(domains, ["example.com", "corp.example.com"]);
    }

    #[test]
    fn blocks_kept_for_the_system_are_neither_used_nor_free() {
        let disk = Disk::of(4096, 1000, 300, 250);
        assert_eq!((disk.used, disk.free), (700 * 4096, 250 * 4096));
    }

    #[test]
    fn this_host_has_an_address() {
        assert!(addresses().iter().any(IpAddr::is_loopback));
    }
}

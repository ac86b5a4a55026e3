//! What is asked of Linux: the host's names and addresses, its uptime, the room on its disk.

use std::fs;
use std::net::IpAddr;
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

/// Size of the disk that has `path`, and what is free of it, in bytes.
#[must_use]
pub fn disk(path: &Path) -> Option<(u64, u64)> {
    let disk = statvfs(path).ok()?;
    let block = disk.fragment_size();
    Some((
        disk.blocks().saturating_mul(block),
        disk.blocks_available().saturating_mul(block),
    ))
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
    fn this_host_has_an_address() {
        assert!(addresses().iter().any(IpAddr::is_loopback));
    }
}

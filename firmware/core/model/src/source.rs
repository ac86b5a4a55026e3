//! Who stands behind an address, as far as it can be counted.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

/// A household, an office or a host: one IPv4 address, or a /64 of IPv6, of which whoever has one
/// address has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(IpAddr);

impl Source {
    /// The source that an address belongs to.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => v4.fmt(f),
            IpAddr::V6(v6) => write!(f, "{v6}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_and_an_ipv6_network_are_one_source_each() {
        let source = |address: &str| Source::of(address.parse().expect("an address")).to_string();
        assert_eq!(source("192.0.2.1"), "192.0.2.1");
        assert_eq!(source("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(source("2001:db8::1"), "2001:db8::/64");
        assert_eq!(source("2001:db8::2:0:0:1"), "2001:db8::/64");
        assert_eq!(source("2001:db8:0:1::1"), "2001:db8:0:1::/64");
    }
}

//! Socket addresses between Rust's form and the kernel's.

use core::mem::{size_of, zeroed};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The kernel's form of `address`, and its length.
///
/// On an IPv6 socket that serves both families an IPv4 address is mapped (RFC 4291 §2.5.5.2).
pub(super) fn to_kernel(
    address: SocketAddr,
    on_ipv6: bool,
) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: all-zero octets are a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { zeroed() };
    match address {
        SocketAddr::V4(v4) if !on_ipv6 => {
            let kernel = libc::sockaddr_in {
                sin_family: family(libc::AF_INET),
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: sockaddr_storage is larger than sockaddr_in and aligned for it.
            unsafe { (&raw mut storage).cast::<libc::sockaddr_in>().write(kernel) };
            (storage, length_of::<libc::sockaddr_in>())
        }
        _ => {
            let (ip, scope) = match address {
                SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
                SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
            };
            let kernel = libc::sockaddr_in6 {
                sin6_family: family(libc::AF_INET6),
                sin6_port: address.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr {
                    s6_addr: ip.octets(),
                },
                sin6_scope_id: scope,
            };
            // SAFETY: sockaddr_storage is larger than sockaddr_in6 and aligned for it.
            unsafe {
                (&raw mut storage)
                    .cast::<libc::sockaddr_in6>()
                    .write(kernel)
            };
            (storage, length_of::<libc::sockaddr_in6>())
        }
    }
}

/// Rust's form of what the kernel wrote; a mapped IPv4 address comes back as IPv4.
pub(super) fn from_kernel(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the kernel wrote a sockaddr_in, and storage is aligned for it.
            let kernel = unsafe { &*core::ptr::from_ref(storage).cast::<libc::sockaddr_in>() };
            Some(SocketAddr::V4(SocketAddrV4::new(
                Ipv4Addr::from(kernel.sin_addr.s_addr.to_ne_bytes()),
                u16::from_be(kernel.sin_port),
            )))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that the kernel wrote a sockaddr_in6, and storage is aligned for it.
            let kernel = unsafe { &*core::ptr::from_ref(storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(kernel.sin6_addr.s6_addr);
            let port = u16::from_be(kernel.sin6_port);
            Some(match unmapped(ip) {
                IpAddr::V4(v4) => SocketAddr::V4(SocketAddrV4::new(v4, port)),
                IpAddr::V6(v6) => {
                    SocketAddr::V6(SocketAddrV6::new(v6, port, 0, kernel.sin6_scope_id))
                }
            })
        }
        _ => None,
    }
}

/// IPv4 where `ip` is a mapped IPv4 address.
pub(super) fn unmapped(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

fn family(family: i32) -> libc::sa_family_t {
    libc::sa_family_t::try_from(family).unwrap_or_default()
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_went() {
        for (text, on_ipv6) in [
            ("10.1.2.3:5060", false),
            ("10.1.2.3:5060", true),
            ("[2001:db8::9]:5061", true),
            ("[fe80::1%3]:9", true),
        ] {
            let address: SocketAddr = text.parse().expect("an address");
            let (storage, _) = to_kernel(address, on_ipv6);
            assert_eq!(from_kernel(&storage), Some(address), "{text}");
        }
    }
}

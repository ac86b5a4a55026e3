//! Datagrams by the batch: one system call takes what is there, with the address each was sent to and
//! the time it waited. Nothing is allocated after [`Batch::new`].

use core::mem::{size_of, zeroed};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::socket::{getsockopt, setsockopt, sockopt};

use super::address::{from_kernel, to_kernel, unmapped};

/// Room for the control messages asked for: a packet's destination (IPv6 the larger) and its time.
const CONTROL_LEN: usize = 128;

/// A control buffer as aligned as its headers.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_LEN]);

/// Buffers for some datagrams, used again and again.
pub struct Batch {
    size: usize,
    octets: Vec<u8>,
    headers: Vec<libc::mmsghdr>,
    parts: Vec<libc::iovec>,
    names: Vec<libc::sockaddr_storage>,
    controls: Vec<Control>,
}

// SAFETY: the raw pointers inside point into the vectors of the same value, which never grow.
unsafe impl Send for Batch {}

/// One datagram of a batch.
#[derive(Debug)]
pub struct Datagram<'a> {
    /// Its content, cut at the size of the buffer.
    pub octets: &'a mut [u8],
    /// Who sent it.
    pub source: SocketAddr,
    /// Which of our addresses it was sent to, where [`report_destination`] was asked for.
    pub destination: Option<IpAddr>,
    /// When it came, since the Unix epoch, where [`report_time`] was asked for.
    pub arrived: Option<Duration>,
}

impl Batch {
    /// Room for `count` datagrams of at most `size` octets each.
    #[must_use]
    pub fn new(count: usize, size: usize) -> Self {
        // SAFETY: all-zero octets are valid for these plain kernel structures.
        let (header, part, name) = unsafe {
            (
                zeroed::<libc::mmsghdr>(),
                zeroed::<libc::iovec>(),
                zeroed::<libc::sockaddr_storage>(),
            )
        };
        Self {
            size,
            octets: vec![0; count * size],
            headers: vec![header; count],
            parts: vec![part; count],
            names: vec![name; count],
            controls: vec![Control([0; CONTROL_LEN]); count],
        }
    }

    /// How many datagrams fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// Takes what is there, without waiting. Fewer than [`Batch::capacity`] means no more were there.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else what the kernel says.
    pub fn receive(&mut self, socket: impl AsFd) -> io::Result<usize> {
        let capacity = self.capacity();
        // Each taken once: a second borrow of a vector would end the pointers into it.
        let octets = self.octets.as_mut_ptr();
        let headers = self.headers.as_mut_ptr();
        let parts = self.parts.as_mut_ptr();
        let names = self.names.as_mut_ptr();
        let controls = self.controls.as_mut_ptr();
        for index in 0..capacity {
            // SAFETY: every vector has `capacity` elements, `octets` that many times `size`; they don't
            // overlap, and no reference to an element is held.
            unsafe {
                let part = parts.add(index);
                (*part).iov_base = octets.add(index * self.size).cast();
                (*part).iov_len = self.size;
                let header = &raw mut (*headers.add(index)).msg_hdr;
                (*header).msg_name = names.add(index).cast();
                (*header).msg_namelen = socklen(size_of::<libc::sockaddr_storage>());
                (*header).msg_iov = part;
                (*header).msg_iovlen = 1;
                (*header).msg_control = controls.add(index).cast();
                (*header).msg_controllen = CONTROL_LEN;
                (*header).msg_flags = 0;
            }
        }
        let count = u32::try_from(capacity).unwrap_or(u32::MAX);
        // SAFETY: each header points to live buffers of the lengths it states, set just above.
        let got = unsafe {
            libc::recvmmsg(
                socket.as_fd().as_raw_fd(),
                headers,
                count,
                libc::MSG_DONTWAIT,
                core::ptr::null_mut(),
            )
        };
        usize::try_from(got).map_err(|_| io::Error::last_os_error())
    }

    /// The datagram at `index` of those just received; none where the kernel gave no usable source.
    pub fn datagram(&mut self, index: usize) -> Option<Datagram<'_>> {
        let header = self.headers.get(index)?;
        let source = from_kernel(self.names.get(index)?)?;
        let (destination, arrived) = read_control(&header.msg_hdr);
        let start = index.checked_mul(self.size)?;
        let len = usize::try_from(header.msg_len).ok()?.min(self.size);
        let octets = self.octets.get_mut(start..start + len)?;
        Some(Datagram {
            octets,
            source,
            destination,
            arrived,
        })
    }
}

fn read_control(header: &libc::msghdr) -> (Option<IpAddr>, Option<Duration>) {
    let (mut destination, mut arrived) = (None, None);
    // SAFETY: the kernel filled in msg_control and msg_controllen of this header.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !at.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give null or a header within the control buffer.
        let message = unsafe { &*at };
        // SAFETY: as above; the data follows the header.
        let data = unsafe { libc::CMSG_DATA(at) };
        match (message.cmsg_level, message.cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                // SAFETY: level and type say that the data is an in_pktinfo.
                let info = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
                destination = Some(IpAddr::V4(Ipv4Addr::from(
                    info.ipi_addr.s_addr.to_ne_bytes(),
                )));
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                // SAFETY: level and type say that the data is an in6_pktinfo.
                let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
                destination = Some(unmapped(Ipv6Addr::from(info.ipi6_addr.s6_addr)));
            }
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                // SAFETY: level and type say that the data is a timespec.
                let time = unsafe { data.cast::<libc::timespec>().read_unaligned() };
                arrived = u64::try_from(time.tv_sec).ok().map(|seconds| {
                    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
                });
            }
            _ => {}
        }
        // SAFETY: header and at belong together, as above.
        at = unsafe { libc::CMSG_NXTHDR(header, at) };
    }
    (destination, arrived)
}

/// Sends one datagram without waiting, from the given address of ours where the socket has several.
///
/// # Errors
/// `WouldBlock` where the kernel's buffer is full; else what the kernel says.
pub fn send(
    socket: BorrowedFd<'_>,
    on_ipv6: bool,
    octets: &[u8],
    to: SocketAddr,
    from: Option<IpAddr>,
) -> io::Result<()> {
    let (mut name, name_len) = to_kernel(to, on_ipv6);
    let mut part = libc::iovec {
        iov_base: octets.as_ptr().cast_mut().cast(),
        iov_len: octets.len(),
    };
    let mut control = Control([0; CONTROL_LEN]);
    // SAFETY: all-zero octets are a valid msghdr.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_name = (&raw mut name).cast();
    header.msg_namelen = name_len;
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    if let Some(from) = from.filter(|ip| !ip.is_unspecified()) {
        write_source(&mut header, &mut control, from, on_ipv6);
    }
    // SAFETY: header points to name, part and control, which outlive the call.
    let sent = unsafe {
        libc::sendmsg(
            socket.as_raw_fd(),
            &raw const header,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn write_source(header: &mut libc::msghdr, control: &mut Control, from: IpAddr, on_ipv6: bool) {
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = CONTROL_LEN;
    // SAFETY: msg_control points to CONTROL_LEN aligned octets: room for one header at least.
    let at = unsafe { libc::CMSG_FIRSTHDR(header) };
    if at.is_null() {
        return;
    }
    // SAFETY: at is the header within the control buffer that CMSG_FIRSTHDR gave.
    let message = unsafe { &mut *at };
    // SAFETY: as above; the data follows the header, and 128 octets hold either structure.
    let data = unsafe { libc::CMSG_DATA(at) };
    let len = match from {
        IpAddr::V4(v4) if !on_ipv6 => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.octets()),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            message.cmsg_level = libc::IPPROTO_IP;
            message.cmsg_type = libc::IP_PKTINFO;
            // SAFETY: there is room for an in_pktinfo at data.
            unsafe { data.cast::<libc::in_pktinfo>().write_unaligned(info) };
            size_of::<libc::in_pktinfo>()
        }
        _ => {
            let ip = match from {
                IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                IpAddr::V6(v6) => v6,
            };
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: ip.octets(),
                },
                ipi6_ifindex: 0,
            };
            message.cmsg_level = libc::IPPROTO_IPV6;
            message.cmsg_type = libc::IPV6_PKTINFO;
            // SAFETY: there is room for an in6_pktinfo at data.
            unsafe { data.cast::<libc::in6_pktinfo>().write_unaligned(info) };
            size_of::<libc::in6_pktinfo>()
        }
    };
    let len = u32::try_from(len).unwrap_or_default();
    // SAFETY: CMSG_LEN only computes.
    message.cmsg_len = unsafe { libc::CMSG_LEN(len) } as usize;
    // SAFETY: CMSG_SPACE only computes.
    header.msg_controllen = unsafe { libc::CMSG_SPACE(len) } as usize;
}

/// Asks for the destination address of each datagram that comes.
///
/// # Errors
/// What the kernel says.
pub fn report_destination(socket: impl AsFd, on_ipv6: bool) -> io::Result<()> {
    if on_ipv6 {
        set(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)
    } else {
        set(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO)
    }
}

/// Asks for the time each datagram came.
///
/// # Errors
/// What the kernel says.
pub fn report_time(socket: impl AsFd) -> io::Result<()> {
    set(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)
}

/// Gives a socket room for `octets` that wait to be read, beyond the system's limit (`rmem_max`)
/// where the process may; returns how much it got.
///
/// # Errors
/// What the kernel says.
pub fn receive_buffer(socket: impl AsFd, octets: usize) -> io::Result<usize> {
    // It needs CAP_NET_ADMIN.
    if setsockopt(&socket, sockopt::RcvBufForce, &octets).is_err() {
        setsockopt(&socket, sockopt::RcvBuf, &octets)?;
    }
    // The kernel doubles it, for its own bookkeeping.
    Ok(getsockopt(&socket, sockopt::RcvBuf)? / 2)
}

fn set(socket: &impl AsFd, level: i32, option: i32) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option value is a live c_int of the length stated.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            option,
            (&raw const on).cast(),
            socklen(size_of::<libc::c_int>()),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn socklen(len: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn receive_all(batch: &mut Batch, socket: &UdpSocket) -> usize {
        loop {
            match batch.receive(socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                other => return other.expect("the socket works"),
            }
        }
    }

    #[test]
    fn a_batch_tells_who_sent_what_to_which_address() {
        let ours = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        report_destination(&ours, false).expect("asked");
        report_time(&ours).expect("asked");
        let port = ours.local_addr().expect("bound").port();
        let theirs = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        for text in ["one", "two", "three"] {
            theirs
                .send_to(text.as_bytes(), ("127.0.0.2", port))
                .expect("sent");
        }
        let mut batch = Batch::new(8, 64);
        assert_eq!(receive_all(&mut batch, &ours), 3);
        let first = batch.datagram(0).expect("the first");
        assert_eq!(first.octets, b"one");
        assert_eq!(Some(first.source), theirs.local_addr().ok());
        assert_eq!(first.destination, Some(IpAddr::from([127, 0, 0, 2])));
        assert!(
            first
                .arrived
                .is_some_and(|time| time.as_secs() > 1_700_000_000)
        );
        assert_eq!(batch.datagram(2).expect("the third").octets, b"three");
        assert_eq!(
            batch.receive(&ours).map_err(|error| error.kind()),
            Err(io::ErrorKind::WouldBlock)
        );
    }

    #[test]
    fn a_datagram_leaves_from_the_address_asked_for() {
        for (bind, on_ipv6) in [("0.0.0.0:0", false), ("[::]:0", true)] {
            let Ok(ours) = UdpSocket::bind(bind) else {
                continue;
            };
            let theirs = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let to = theirs.local_addr().expect("bound");
            let from = IpAddr::from([127, 0, 0, 3]);
            send(ours.as_fd(), on_ipv6, b"hello", to, Some(from)).expect("sent");
            let mut octets = [0; 16];
            let (len, source) = theirs.recv_from(&mut octets).expect("it came");
            assert_eq!((&octets[..len], source.ip()), (&b"hello"[..], from));
        }
    }

    #[test]
    fn a_receive_buffer_is_as_large_as_it_says() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        // Anybody may have this.
        assert_eq!(receive_buffer(&socket, 65_536).ok(), Some(65_536));
        let most: usize = std::fs::read_to_string("/proc/sys/net/core/rmem_max")
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(65_536);
        let got = receive_buffer(&socket, most + 65_536).expect("set");
        assert!(got == most || got == most + 65_536, "{got} of {most}");
    }
}

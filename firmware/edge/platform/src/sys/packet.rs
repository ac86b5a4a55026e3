//! Whole Ethernet frames of one port: what DHCP needs before there is an address.

use core::mem::{size_of, zeroed};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};

const fn step(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    }
}

const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const LOAD_HALF_AFTER_X: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_IND;
const X_IS_IP_HEADER_LENGTH: u32 = libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH;
const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const IF_ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// ARP, and UDP over IPv4 to port 68, whole; nothing else. It is run by the kernel, so that the sound
/// of calls wakes nobody.
const FILTER: [libc::sock_filter; 12] = [
    step(LOAD_HALF, 0, 0, 12),
    step(IF_EQUAL, 9, 0, 0x0806),
    step(IF_EQUAL, 0, 7, 0x0800),
    step(LOAD_BYTE, 0, 0, 23),
    step(IF_EQUAL, 0, 5, 17),
    step(LOAD_HALF, 0, 0, 20),
    step(IF_ANY_BIT, 3, 0, 0x1FFF),
    step(X_IS_IP_HEADER_LENGTH, 0, 0, 14),
    step(LOAD_HALF_AFTER_X, 0, 0, 16),
    step(IF_EQUAL, 1, 0, 68),
    step(RETURN, 0, 0, 0),
    step(RETURN, 0, 0, 0xFFFF),
];

/// The frames of DHCP and ARP of one port.
#[derive(Debug)]
pub struct Tap(OwnedFd);

impl Tap {
    /// Of the port with this number, in the network namespace of this thread.
    ///
    /// # Errors
    /// What the kernel says; it takes `CAP_NET_RAW`.
    pub fn open(index: u32) -> io::Result<Self> {
        let tap = Self::closed()?;
        tap.filter()?;
        tap.bind(index)?;
        Ok(tap)
    }

    /// Of all frames, as a test's far end needs them.
    #[cfg(test)]
    pub(crate) fn of_everything(index: u32) -> io::Result<Self> {
        let tap = Self::closed()?;
        tap.bind(index)?;
        Ok(tap)
    }

    fn closed() -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // Protocol 0 hears nothing until it is bound: so nothing comes in before the filter is there.
        // SAFETY: socket takes numbers only.
        let socket = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just made and is nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(socket) }))
    }

    fn filter(&self) -> io::Result<()> {
        let mut steps = FILTER;
        let program = libc::sock_fprog {
            len: u16::try_from(steps.len()).expect("a dozen"),
            filter: steps.as_mut_ptr(),
        };
        // SAFETY: program and the steps it points to live until the call returns; the kernel copies them.
        let result = unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const program).cast(),
                length_of::<libc::sock_fprog>(),
            )
        };
        done(result)
    }

    fn bind(&self, index: u32) -> io::Result<()> {
        // SAFETY: all-zero octets are a valid sockaddr_ll.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).expect("a small number");
        address.sll_protocol = u16::try_from(libc::ETH_P_ALL)
            .expect("a small number")
            .to_be();
        address.sll_ifindex = i32::try_from(index).map_err(io::Error::other)?;
        // SAFETY: address is a live sockaddr_ll of the length that is said.
        let result = unsafe {
            libc::bind(
                self.0.as_raw_fd(),
                (&raw const address).cast(),
                length_of::<libc::sockaddr_ll>(),
            )
        };
        done(result)
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// What the kernel says: the port is down, or has no room.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(self.0.as_raw_fd(), frame, MsgFlags::empty())?;
        Ok(())
    }

    /// Takes a frame into `buffer`; none where there is none. A port that is down is one error, and
    /// then silence.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        match recv(self.0.as_raw_fd(), buffer, MsgFlags::empty()) {
            Ok(length) => Ok(buffer.get(..length)),
            Err(Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).expect("a few octets")
}

fn done(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

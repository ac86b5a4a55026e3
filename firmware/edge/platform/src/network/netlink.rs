//! The few messages of rtnetlink(7) that a machine with fixed ports needs, and their socket.
//!
//! A message is a header, a fixed part by its kind, and attributes; each is padded to four octets, and
//! numbers are in the machine's own order.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    setsockopt, socket,
};
use nix::sys::time::{TimeVal, TimeValLike};

const HEADER: usize = 16;

/// The kernel packs answers into pieces of at most 32 KiB.
const PIECE: usize = 32 * 1024;

/// A dump of a machine with a thousand addresses is smaller; the kernel is trusted, but not for ever.
const PIECES: usize = 64;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_DUMP: u16 = 0x300;

/// The group that hears of changes of links.
const RTMGRP_LINK: u32 = 1;

/// A message to the kernel.
#[derive(Clone, Debug)]
pub struct Request {
    octets: Vec<u8>,
    is_dump: bool,
}

impl Request {
    /// A question for everything of a kind.
    pub fn dump(kind: u16, fixed: &[u8]) -> Self {
        let mut request = Self::new(kind, NLM_F_DUMP, fixed);
        request.is_dump = true;
        request
    }

    /// A change, with the flags of its kind.
    pub fn change(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        Self::new(kind, NLM_F_ACK | flags, fixed)
    }

    fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut octets = vec![0; 4];
        octets.extend_from_slice(&kind.to_ne_bytes());
        octets.extend_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        // Sequence and port come when it is sent; the kernel's port is 0.
        octets.extend_from_slice(&[0; 8]);
        octets.extend_from_slice(fixed);
        pad(&mut octets);
        Self {
            octets,
            is_dump: false,
        }
    }

    /// With an attribute.
    pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(4 + value.len()).expect("attributes of ours are short");
        self.octets.extend_from_slice(&length.to_ne_bytes());
        self.octets.extend_from_slice(&kind.to_ne_bytes());
        self.octets.extend_from_slice(value);
        pad(&mut self.octets);
        self
    }

    fn numbered(mut self, number: u32) -> Vec<u8> {
        let length = u32::try_from(self.octets.len()).expect("messages of ours are short");
        self.octets[..4].copy_from_slice(&length.to_ne_bytes());
        self.octets[8..12].copy_from_slice(&number.to_ne_bytes());
        self.octets
    }
}

fn pad(octets: &mut Vec<u8>) {
    octets.resize(octets.len().next_multiple_of(4), 0);
}

/// A message from the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is of.
    pub kind: u16,
    number: u32,
    body: Vec<u8>,
}

impl Message {
    /// The fixed part, where it has so many octets.
    pub fn fixed<const N: usize>(&self) -> Option<[u8; N]> {
        self.body.get(..N)?.try_into().ok()
    }

    /// The value of an attribute after a fixed part of so many octets.
    pub fn attribute(&self, fixed: usize, kind: u16) -> Option<&[u8]> {
        let mut rest = self.body.get(fixed.next_multiple_of(4)..)?;
        while let Some((head, after)) = rest.split_at_checked(4) {
            let length = usize::from(u16::from_ne_bytes([head[0], head[1]]));
            let value = after.get(..length.checked_sub(4)?)?;
            // The two highest bits say how the value is made, not which it is.
            if u16::from_ne_bytes([head[2], head[3]]) & 0x3FFF == kind {
                return Some(value);
            }
            rest = rest.get(length.next_multiple_of(4)..)?;
        }
        None
    }
}

/// The messages of a piece; what is cut off at its end is left out.
fn messages(piece: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    let mut rest = piece;
    while let Some(head) = rest.first_chunk::<HEADER>() {
        let number =
            |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let length = usize::try_from(number(0)).unwrap_or(usize::MAX);
        let Some(body) = rest.get(HEADER..length) else {
            break;
        };
        found.push(Message {
            kind: u16::from_ne_bytes([head[4], head[5]]),
            number: number(8),
            body: body.to_vec(),
        });
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// A socket to the kernel's network.
#[derive(Debug)]
pub struct Socket {
    socket: OwnedFd,
    number: u32,
}

impl Socket {
    /// One that asks. It belongs to the network namespace of the thread that opens it.
    pub fn open() -> io::Result<Self> {
        let socket = Self::bound(0, SockFlag::empty())?;
        // The kernel answers at once or not at all.
        setsockopt(&socket, ReceiveTimeout, &TimeVal::seconds(5))?;
        Ok(Self { socket, number: 0 })
    }

    fn bound(groups: u32, flags: SockFlag) -> io::Result<OwnedFd> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | flags,
            SockProtocol::NetlinkRoute,
        )?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        Ok(socket)
    }

    /// Sends a message and returns what the kernel says to it.
    pub fn ask(&mut self, request: Request) -> io::Result<Vec<Message>> {
        self.number = self.number.wrapping_add(1);
        let is_dump = request.is_dump;
        let octets = request.numbered(self.number);
        send(self.socket.as_raw_fd(), &octets, MsgFlags::empty())?;
        let mut piece = vec![0; PIECE];
        let mut answers = Vec::new();
        for _ in 0..PIECES {
            let length = recv(self.socket.as_raw_fd(), &mut piece, MsgFlags::empty())?;
            for message in messages(&piece[..length]) {
                if message.number != self.number {
                    continue;
                }
                match message.kind {
                    NLMSG_ERROR => {
                        let code = message.fixed::<4>().map_or(0, i32::from_ne_bytes);
                        return match code {
                            0 => Ok(answers),
                            code => Err(io::Error::from_raw_os_error(-code)),
                        };
                    }
                    NLMSG_DONE if is_dump => return Ok(answers),
                    _ => answers.push(message),
                }
            }
        }
        Err(io::Error::other("the kernel's answer has no end"))
    }
}

/// Hears that something changed about a link: plugged in, unplugged, added, removed.
#[derive(Debug)]
pub struct Monitor(OwnedFd);

impl Monitor {
    /// One for all links.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open() -> io::Result<Self> {
        Socket::bound(RTMGRP_LINK, SockFlag::SOCK_NONBLOCK).map(Self)
    }

    /// Takes what was heard; true where something was. What exactly is to be asked: messages may have
    /// been lost.
    #[must_use]
    pub fn heard(&self) -> bool {
        let mut piece = [0; 8192];
        let mut heard = false;
        loop {
            match recv(self.0.as_raw_fd(), &mut piece, MsgFlags::empty()) {
                Ok(_) | Err(nix::errno::Errno::ENOBUFS) => heard = true,
                Err(_) => return heard,
            }
        }
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attributes_are_found_where_they_were_put() {
        let request = Request::change(16, 0, &[7; 16])
            .with(3, b"eth0\0")
            .with(1, &[2, 0, 0, 0, 0, 1])
            .numbered(9);
        let found = messages(&request);
        let [message] = found.as_slice() else {
            panic!("one message: {found:?}");
        };
        assert_eq!((message.kind, message.number), (16, 9));
        assert_eq!(message.fixed::<16>(), Some([7; 16]));
        assert_eq!(message.attribute(16, 3), Some(&b"eth0\0"[..]));
        assert_eq!(message.attribute(16, 1), Some(&[2, 0, 0, 0, 0, 1][..]));
        assert_eq!(message.attribute(16, 2), None);
    }

    #[test]
    fn the_kernel_refuses_what_it_does_not_know() {
        let mut socket = Socket::open().expect("a socket");
        assert!(socket.ask(Request::change(0x3FF, 0, &[0; 16])).is_err());
        let links = socket.ask(Request::dump(18, &[0; 16])).expect("links");
        assert!(!links.is_empty(), "at least the loopback");
    }

    proptest! {
        #[test]
        fn no_message_is_a_panic(octets in prop::collection::vec(any::<u8>(), 0..200), length in 0..200_u32) {
            let mut piece = octets;
            if let Some(head) = piece.first_chunk_mut::<4>() {
                *head = length.to_ne_bytes();
            }
            for message in messages(&piece) {
                let _ = message.attribute(8, 1);
            }
        }
    }
}

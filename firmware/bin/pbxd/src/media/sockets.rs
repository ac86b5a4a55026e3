//! The RTP and RTCP sockets: all bound at the start, none made during a call.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Result, ensure};
use mio::net::UdpSocket;
use model::PortRange;
use platform::sys::datagram;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tracing::debug;

/// The RTP socket of a media port and the RTCP socket one above it (RFC 3550 §11).
#[derive(Debug)]
pub struct PortPair {
    /// For RTP.
    pub rtp: UdpSocket,
    /// For RTCP.
    pub rtcp: UdpSocket,
    /// Both take IPv4 too, mapped.
    pub is_ipv6: bool,
    port: u16,
}

impl PortPair {
    /// The port of RTP.
    pub fn rtp_port(&self) -> u16 {
        self.port
    }
}

/// Binds `count` pairs within the range; ports that are taken are passed over.
pub fn bind(count: u16, PortRange { first, last }: PortRange) -> Result<Vec<PortPair>> {
    let mut pairs = Vec::with_capacity(usize::from(count));
    let mut port = first.next_multiple_of(2);
    while pairs.len() < usize::from(count) && port < last {
        match bind_pair(port) {
            Ok(pair) => pairs.push(pair),
            Err(error) => debug!(port, %error, "RTP port passed over"),
        }
        match port.checked_add(2) {
            Some(next) => port = next,
            None => break,
        }
    }
    ensure!(
        pairs.len() == usize::from(count),
        "only {} of {count} RTP ports between {first} and {last} could be opened: widen the range, \
         or raise the limit of open files (ulimit -n)",
        pairs.len()
    );
    Ok(pairs)
}

fn bind_pair(port: u16) -> io::Result<PortPair> {
    let (rtp, is_ipv6) = bind_one(port)?;
    let (rtcp, _) = bind_one(port + 1)?;
    Ok(PortPair {
        rtp,
        rtcp,
        is_ipv6,
        port,
    })
}

/// One socket for both families; IPv4 alone where there is no IPv6.
fn bind_one(port: u16) -> io::Result<(UdpSocket, bool)> {
    let both: SocketAddr = (Ipv6Addr::UNSPECIFIED, port).into();
    match open(both) {
        Ok(socket) => Ok((socket, true)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        Err(_) => Ok((open((Ipv4Addr::UNSPECIFIED, port).into())?, false)),
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM.nonblocking(),
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // RFC 3246, as phones mark their own: voice goes first where the network can. Not a must.
    drop(socket.set_tos_v4(0xb8));
    datagram::report_destination(&socket, address.is_ipv6())?;
    socket.bind(&SockAddr::from(address))?;
    Ok(UdpSocket::from_std(socket.into()))
}

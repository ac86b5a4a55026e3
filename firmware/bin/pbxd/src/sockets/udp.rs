//! SIP over UDP: one socket for each address family or address, read by the batch.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bytes::Bytes;
use model::{Flow, Transport};
use platform::sys::datagram::{self, Batch};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::Interest;
use tokio::net;
use tracing::warn;

/// Datagrams taken by one system call. More would only delay the answers to the first.
const BATCH: usize = 32;

/// The largest datagram there is.
const LARGEST: usize = 65_535;

/// Room for a burst: 4 MiB is some 4000 requests, a quarter of a second of the most there can be.
const RECEIVE_BUFFER: usize = 4 << 20;

/// All UDP sockets.
pub struct UdpSockets {
    sockets: Vec<UdpSocket>,
    batch: Batch,
}

/// What comes of a batch.
pub enum Received {
    /// How long the one that waited longest did; before all datagrams, since whether they are taken depends
    /// on it.
    Waited(Duration),
    /// A datagram.
    Datagram(Flow, Bytes),
}

struct UdpSocket {
    socket: net::UdpSocket,
    address: SocketAddr,
}

impl UdpSockets {
    /// Binds; with no address, to all of both families.
    pub fn bind(addresses: &[IpAddr], port: u16) -> Result<Self> {
        let sockets = super::bind_all(addresses, "SIP over UDP", |address| {
            bind((address, port).into())
        })
        .with_context(|| {
            format!("SIP can't listen on port {port}/udp: is another exchange running? `--help` says how to name another port")
        })?;
        Ok(Self {
            sockets,
            batch: Batch::new(BATCH, LARGEST),
        })
    }

    /// Waits until a datagram is there; its socket's index.
    pub async fn readable(&self) -> usize {
        std::future::poll_fn(|context| {
            for (index, socket) in self.sockets.iter().enumerate() {
                if socket.socket.poll_recv_ready(context).is_ready() {
                    return std::task::Poll::Ready(index);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Takes a batch from a readable socket. True where it may hold more.
    pub fn receive(&mut self, index: usize, mut take: impl FnMut(Received)) -> bool {
        let Some(socket) = self.sockets.get(index) else {
            return false;
        };
        let batch = &mut self.batch;
        let received = socket
            .socket
            .try_io(Interest::READABLE, || batch.receive(&socket.socket));
        let count = match received {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => {
                warn!(%error, "a SIP datagram could not be read");
                return false;
            }
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let waited = |arrived: Duration| now.saturating_sub(arrived);
        let longest = (0..count)
            .filter_map(|at| Some(batch.datagram(at)?.arrived.map_or(Duration::ZERO, waited)))
            .max();
        if let Some(longest) = longest {
            take(Received::Waited(longest));
        }
        for at in 0..count {
            let Some(datagram) = batch.datagram(at) else {
                continue;
            };
            let local = SocketAddr::new(
                datagram.destination.unwrap_or(socket.address.ip()),
                socket.address.port(),
            );
            let flow = Flow {
                transport: Transport::Udp,
                local,
                remote: datagram.source,
            };
            let bytes = Bytes::copy_from_slice(datagram.octets);
            take(Received::Datagram(flow, bytes));
        }
        count == batch.capacity()
    }

    /// Sends from the flow's local address. What the kernel's buffer has no room for is lost, as on
    /// the wire.
    ///
    /// # Errors
    /// Where nothing can be sent there.
    pub fn send(&self, flow: Flow, octets: &[u8]) -> io::Result<()> {
        let socket = self
            .sockets
            .iter()
            .find(|socket| socket.address.ip() == flow.local.ip())
            .or_else(|| {
                self.sockets.iter().find(|socket| {
                    socket.address.ip().is_unspecified()
                        && socket.address.is_ipv4() == flow.remote.is_ipv4()
                })
            })
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        let result = datagram::send(
            socket.socket.as_fd(),
            socket.address.is_ipv6(),
            octets,
            flow.remote,
            Some(flow.local.ip()),
        );
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other,
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM.nonblocking(),
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    let room = datagram::receive_buffer(&socket, RECEIVE_BUFFER)?;
    datagram::report_destination(&socket, address.is_ipv6())?;
    datagram::report_time(&socket)?;
    socket.bind(&SockAddr::from(address))?;
    let socket = net::UdpSocket::from_std(socket.into())?;
    if room < RECEIVE_BUFFER && !SAID.swap(true, Ordering::Relaxed) {
        warn!(
            got = room,
            wanted = RECEIVE_BUFFER,
            "where many phones call at once some of it may be lost: raise net.core.rmem_max"
        );
    }
    Ok(UdpSocket { socket, address })
}

/// It is the same for every socket.
static SAID: AtomicBool = AtomicBool::new(false);

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn how_long_a_batch_has_waited_is_known_before_any_of_it_is_taken() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let here = IpAddr::from(Ipv4Addr::LOCALHOST);
            let mut sockets = UdpSockets::bind(&[here], 0).expect("bound");
            let to = sockets.sockets[0].socket.local_addr().expect("an address");
            let phone = std::net::UdpSocket::bind((here, 0)).expect("bound");
            for _ in 0..3 {
                phone.send_to(b"x", to).expect("sent");
            }
            let index = sockets.readable().await;
            let mut order = String::new();
            sockets.receive(index, |received| {
                order.push(match received {
                    Received::Waited(_) => 'w',
                    Received::Datagram(..) => 'd',
                });
            });
            assert_eq!(order, "wddd");
        });
    }
}

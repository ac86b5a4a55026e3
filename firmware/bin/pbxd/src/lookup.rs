//! Where the servers of interfaces are, and from which of our addresses they are reached.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use model::{Flow, InterfaceId, Transport};
use tokio::net::lookup_host;
use tokio::sync::mpsc;
use tracing::warn;

/// Addresses of one server that are kept: more than any that answers is worth trying.
const MOST: usize = 8;

/// What was found for an interface; nothing where there is nothing.
pub type Found = (InterfaceId, Vec<Flow>);

/// Questions under way.
pub struct Lookups {
    /// Where SIP is listened for: what leaves comes from there.
    port: u16,
    tell: mpsc::UnboundedSender<Found>,
    found: mpsc::UnboundedReceiver<Found>,
}

impl Lookups {
    /// None under way. `port` is the one of SIP over UDP and TCP.
    pub fn new(port: u16) -> Self {
        let (tell, found) = mpsc::unbounded_channel();
        Self { port, tell, found }
    }

    /// Asks where a server is.
    pub fn ask(&self, id: InterfaceId, host: String, port: Option<u16>, transport: Transport) {
        let (tell, own) = (self.tell.clone(), self.port);
        tokio::spawn(async move {
            let usual = if transport == Transport::Tls {
                5061
            } else {
                5060
            };
            let found = lookup_host((host.as_str(), port.unwrap_or(usual))).await;
            let flows = match found {
                Ok(addresses) => (addresses.take(MOST))
                    .filter_map(|remote| flow(transport, own, remote).ok())
                    .collect(),
                Err(error) => {
                    warn!(%host, %error, "the server of an interface is not found: check its name and the DNS servers");
                    Vec::new()
                }
            };
            // Nobody waits for it any more where the process ends.
            drop(tell.send((id, flows)));
        });
    }

    /// The next answer.
    pub async fn next(&mut self) -> Found {
        match self.found.recv().await {
            Some(found) => found,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }

    /// The next answer, if there is one.
    pub fn try_next(&mut self) -> Option<Found> {
        self.found.try_recv().ok()
    }
}

/// The way to an address: the kernel says from which of ours. Nothing is sent.
fn flow(transport: Transport, port: u16, remote: SocketAddr) -> io::Result<Flow> {
    let any = match remote {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(remote)?;
    Ok(Flow {
        transport,
        local: SocketAddr::new(socket.local_addr()?.ip(), port),
        remote,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_found_by_the_way_to_it() {
        let mut lookups = Lookups::new(5070);
        let id = InterfaceId::new(1);
        lookups.ask(id, "127.0.0.1".into(), None, Transport::Udp);
        let (found, flows) = lookups.next().await;
        assert_eq!(found, id);
        let [flow] = flows[..] else {
            panic!("{flows:?}");
        };
        assert_eq!(flow.local, "127.0.0.1:5070".parse().unwrap());
        assert_eq!(flow.remote, "127.0.0.1:5060".parse().unwrap());
    }

    #[tokio::test]
    async fn a_name_that_is_none_finds_nothing() {
        let mut lookups = Lookups::new(5070);
        lookups.ask(InterfaceId::new(2), "..".into(), Some(1), Transport::Tcp);
        assert_eq!(lookups.next().await.1, []);
    }
}

//! SIP over TCP and TLS: one task for each connection, all of them in the signalling thread.
//!
//! A connection is named by its flow: transport and peer address. Whoever opened it, requests and
//! responses go both ways on it (RFC 5923's idea without its header).

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use model::{Flow, Transport};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use super::tls::Tls;

/// Bound of memory and of what one attacker can hold.
const MOST_CONNECTIONS: usize = 4096;

/// Phones behind one NAT share an address; more than this is no office.
const MOST_FROM_ONE_ADDRESS: usize = 512;

/// Messages a slow peer may leave unread before the connection is given up.
const QUEUE: usize = 64;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// A handshake or a connection attempt that takes longer is given up.
const SET_UP_WITHIN: Duration = Duration::from_secs(10);

/// A connection that takes no byte for so long is dead.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

/// Silence of a connection before it is closed: phones refresh or keep alive more often.
const IDLE: Duration = Duration::from_secs(2 * 3600);

/// What happened on a connection.
#[derive(Debug)]
pub enum StreamEvent {
    /// It is open.
    Opened(Flow),
    /// Bytes came.
    Data(Flow, Bytes),
    /// It is closed, or could not be opened.
    Closed(Flow),
}

/// All connections.
pub struct Streams {
    connections: HashMap<(Transport, SocketAddr), Connection>,
    /// Connections that gave way to others: told of before anything else.
    replaced: VecDeque<Flow>,
    news: mpsc::Receiver<News>,
    teller: mpsc::Sender<News>,
    next: u64,
}

struct Connection {
    id: u64,
    flow: Flow,
    /// Where it has no room the peer is slow beyond bearing. None: it takes nothing more, and ends
    /// when its task does.
    queue: Option<mpsc::Sender<Bytes>>,
}

enum News {
    Accepted(TcpStream, Flow, Option<TlsAcceptor>),
    Opened(u64, Flow),
    Data(u64, Flow, Bytes),
    Closed(u64, Flow),
}

impl Streams {
    /// Listens; with no address, on all of both families. TLS begins when its certificate is there.
    pub fn listen(addresses: &[IpAddr], tcp: u16, tls: u16, certificate: &Rc<Tls>) -> Result<Self> {
        let (teller, news) = mpsc::channel(1024);
        let everywhere = [
            IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::from(Ipv6Addr::UNSPECIFIED),
        ];
        let addresses = if addresses.is_empty() {
            &everywhere[..]
        } else {
            addresses
        };
        for address in addresses {
            for (transport, port) in [(Transport::Tcp, tcp), (Transport::Tls, tls)] {
                let at = SocketAddr::new(*address, port);
                match listener(at) {
                    Ok(listener) => {
                        let certificate =
                            (transport == Transport::Tls).then(|| Rc::clone(certificate));
                        spawn_local(accept(listener, transport, certificate, teller.clone()));
                    }
                    Err(error) if address.is_ipv6() && address.is_unspecified() => {
                        info!(%error, "no SIP over {transport} and IPv6");
                    }
                    Err(error) => {
                        return Err(error).with_context(|| {
                            format!(
                                "SIP can't listen on {at}/{transport}: is another exchange running?"
                            )
                        });
                    }
                }
            }
        }
        Ok(Self::new(teller, news))
    }

    fn new(teller: mpsc::Sender<News>, news: mpsc::Receiver<News>) -> Self {
        Self {
            connections: HashMap::new(),
            replaced: VecDeque::new(),
            news,
            teller,
            next: 0,
        }
    }

    /// Waits for the next thing that happens.
    pub async fn next(&mut self) -> StreamEvent {
        loop {
            if let Some(flow) = self.replaced.pop_front() {
                return StreamEvent::Closed(flow);
            }
            // The sender lives in self, so the channel never ends.
            let Some(news) = self.news.recv().await else {
                std::future::pending::<()>().await;
                continue;
            };
            if let Some(event) = self.digest(news) {
                return event;
            }
        }
    }

    /// The next event, where one is there already.
    pub fn try_next(&mut self) -> Option<StreamEvent> {
        if let Some(flow) = self.replaced.pop_front() {
            return Some(StreamEvent::Closed(flow));
        }
        while let Ok(news) = self.news.try_recv() {
            if let Some(event) = self.digest(news) {
                return Some(event);
            }
        }
        None
    }

    fn digest(&mut self, news: News) -> Option<StreamEvent> {
        match news {
            News::Accepted(stream, flow, tls) => {
                self.adopt(stream, flow, tls);
                None
            }
            News::Opened(id, flow) => self.is_open(id, flow).then_some(StreamEvent::Opened(flow)),
            // Bytes of a connection that was given up belong to nobody.
            News::Data(id, flow, bytes) => self
                .is_open(id, flow)
                .then_some(StreamEvent::Data(flow, bytes)),
            News::Closed(id, flow) => {
                if !self.is_current(id, flow) {
                    return None;
                }
                self.connections.remove(&(flow.transport, flow.remote));
                Some(StreamEvent::Closed(flow))
            }
        }
    }

    fn is_current(&self, id: u64, flow: Flow) -> bool {
        self.connections
            .get(&(flow.transport, flow.remote))
            .is_some_and(|connection| connection.id == id)
    }

    fn is_open(&self, id: u64, flow: Flow) -> bool {
        self.connections
            .get(&(flow.transport, flow.remote))
            .is_some_and(|connection| connection.id == id && connection.queue.is_some())
    }

    fn adopt(&mut self, stream: TcpStream, flow: Flow, tls: Option<TlsAcceptor>) {
        let from_there = self
            .connections
            .keys()
            .filter(|(_, remote)| remote.ip() == flow.remote.ip())
            .count();
        if self.connections.len() >= MOST_CONNECTIONS || from_there >= MOST_FROM_ONE_ADDRESS {
            warn!(%flow, "too many connections; this one is refused");
            return;
        }
        let (id, queue) = self.enter(flow);
        let teller = self.teller.clone();
        spawn_local(async move {
            if let Err(error) = serve(id, stream, flow, tls, queue, &teller).await {
                debug!(%flow, %error, "connection ended");
            }
            // Where the signalling loop is gone there is nobody to tell.
            drop(teller.send(News::Closed(id, flow)).await);
        });
    }

    fn enter(&mut self, flow: Flow) -> (u64, mpsc::Receiver<Bytes>) {
        let (queue, messages) = mpsc::channel(QUEUE);
        let id = self.next;
        self.next += 1;
        let connection = Connection {
            id,
            flow,
            queue: Some(queue),
        };
        let at = (flow.transport, flow.remote);
        if let Some(old) = self.connections.insert(at, connection) {
            // Its task's own word comes too late to be told from this one's.
            self.replaced.push_back(old.flow);
        }
        (id, messages)
    }

    /// Sends on the connection to the flow's peer; opens one where there is none.
    ///
    /// # Errors
    /// Where the message can't be sent: no connection can be opened, or the peer is too slow.
    pub fn send(&mut self, flow: Flow, message: Bytes) -> io::Result<()> {
        let at = (flow.transport, flow.remote);
        if let Some(connection) = self.connections.get_mut(&at) {
            let Some(queue) = &connection.queue else {
                return Err(io::ErrorKind::ConnectionAborted.into());
            };
            return queue.try_send(message).map_err(|error| {
                debug!(%flow, %error, "connection is given up");
                connection.queue = None;
                io::ErrorKind::ConnectionAborted.into()
            });
        }
        if flow.transport == Transport::Tls {
            // Phones open their TLS connection themselves; there is no certificate of theirs to check.
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.open(flow, message)
    }

    fn open(&mut self, flow: Flow, first: Bytes) -> io::Result<()> {
        if self.connections.len() >= MOST_CONNECTIONS {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (id, queue) = self.enter(flow);
        self.send(flow, first)?;
        let teller = self.teller.clone();
        spawn_local(async move {
            match timeout(SET_UP_WITHIN, TcpStream::connect(flow.remote)).await {
                Ok(Ok(stream)) => {
                    if let Err(error) = serve(id, stream, flow, None, queue, &teller).await {
                        debug!(%flow, %error, "connection ended");
                    }
                }
                Ok(Err(error)) => debug!(%flow, %error, "can't connect"),
                Err(_) => debug!(%flow, "can't connect in time"),
            }
            drop(teller.send(News::Closed(id, flow)).await);
        });
        Ok(())
    }

    /// Closes a connection once all that was sent on it has left.
    pub fn close(&mut self, flow: Flow) {
        // Its task ends when the queue does, and says so; until then the place is taken.
        let at = (flow.transport, flow.remote);
        if let Some(connection) = self.connections.get_mut(&at) {
            connection.queue = None;
        }
    }
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(256)?;
    TcpListener::from_std(socket.into())
}

async fn accept(
    listener: TcpListener,
    transport: Transport,
    certificate: Option<Rc<Tls>>,
    teller: mpsc::Sender<News>,
) {
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, say: not the end of the listener.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let tls = match &certificate {
            None => None,
            Some(tls) => match tls.acceptor() {
                Some(acceptor) => Some(acceptor),
                None => {
                    debug!("no certificate yet; a TLS connection is refused");
                    continue;
                }
            },
        };
        let Ok(local) = stream.local_addr() else {
            continue;
        };
        let flow = Flow {
            transport,
            local,
            remote,
        };
        if teller
            .send(News::Accepted(stream, flow, tls))
            .await
            .is_err()
        {
            return;
        }
    }
}

async fn serve(
    id: u64,
    stream: TcpStream,
    flow: Flow,
    tls: Option<TlsAcceptor>,
    queue: mpsc::Receiver<Bytes>,
    teller: &mpsc::Sender<News>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => exchange(id, stream, flow, queue, teller).await,
        Some(acceptor) => {
            let stream = timeout(SET_UP_WITHIN, acceptor.accept(stream)).await??;
            exchange(id, stream, flow, queue, teller).await
        }
    }
}

async fn exchange(
    id: u64,
    stream: impl AsyncRead + AsyncWrite,
    flow: Flow,
    mut queue: mpsc::Receiver<Bytes>,
    teller: &mpsc::Sender<News>,
) -> io::Result<()> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    teller
        .send(News::Opened(id, flow))
        .await
        .map_err(|_| gone())?;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let read = async {
        let mut buffer = BytesMut::with_capacity(READ);
        loop {
            buffer.reserve(READ);
            if timeout(IDLE, reader.read_buf(&mut buffer)).await?? == 0 {
                return Ok(());
            }
            let bytes = buffer.split().freeze();
            teller
                .send(News::Data(id, flow, bytes))
                .await
                .map_err(|_| gone())?;
        }
    };
    let write = async {
        while let Some(message) = queue.recv().await {
            timeout(WRITE_WITHIN, async {
                writer.write_all(&message).await?;
                writer.flush().await
            })
            .await??;
        }
        timeout(WRITE_WITHIN, writer.shutdown()).await?
    };
    tokio::select! {
        result = read => result,
        result = write => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs what needs local tasks.
    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, test);
    }

    /// A connection of ours, open, with the peer's end of it.
    async fn connected() -> (Streams, TcpStream, Flow) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let flow = Flow {
            transport: Transport::Tcp,
            local: "127.0.0.1:5060".parse().expect("an address"),
            remote: listener.local_addr().expect("an address"),
        };
        let (teller, news) = mpsc::channel(16);
        let mut streams = Streams::new(teller, news);
        streams.send(flow, Bytes::from_static(b"x")).expect("sent");
        let (peer, _) = listener.accept().await.expect("a connection");
        assert!(matches!(streams.next().await, StreamEvent::Opened(opened) if opened == flow));
        (streams, peer, flow)
    }

    async fn closes_once(streams: &mut Streams, flow: Flow) {
        assert!(matches!(streams.next().await, StreamEvent::Closed(closed) if closed == flow));
        let more = timeout(Duration::from_millis(50), streams.next()).await;
        assert!(more.is_err(), "{more:?}");
        assert!(streams.connections.is_empty());
    }

    #[test]
    fn a_connection_that_we_close_is_told_of_once_and_its_bytes_no_more() {
        run(async {
            let (mut streams, mut peer, flow) = connected().await;
            peer.write_all(b"late").await.expect("written");
            streams.close(flow);
            assert!(streams.send(flow, Bytes::from_static(b"y")).is_err());
            closes_once(&mut streams, flow).await;
        });
    }

    #[test]
    fn a_connection_that_takes_nothing_more_is_told_of_once() {
        run(async {
            let (mut streams, peer, flow) = connected().await;
            let sent = (0..=QUEUE).all(|_| streams.send(flow, Bytes::from_static(b"y")).is_ok());
            assert!(!sent, "no task ran in between");
            closes_once(&mut streams, flow).await;
            drop(peer);
        });
    }
}

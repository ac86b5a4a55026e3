//! SIP over TCP and TLS: one task for each connection, all of them in the signalling thread.
//!
//! A connection is named by its flow: transport and peer address. Whoever opened it, requests and
//! responses go both ways on it (RFC 5923's idea without its header).

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use model::{Flow, Source, Transport};
use sip::endpoint::Closing;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::spawn_local;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::connection::{SET_UP_WITHIN, Shared, Task, serve};
use super::handshakes::{Gone, Handshakes, Place};
use super::seldom::Seldom;
use super::tls::Tls;

/// Messages a slow peer may leave unread before the connection is given up.
const QUEUE: usize = 64;

/// What has happened and is not looked at: of each connection its opening, its end and one piece of
/// what came. Who finds it full waits.
const NEWS: usize = 1024;

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
    shared: Shared,
    handshakes: Handshakes,
    refusals: Seldom,
    /// How many there may be. Who may stay is the endpoint's to say; beside those are some that it does not
    /// know yet or any more: in the handshake, or to be closed.
    most: usize,
    next: u64,
}

struct Connection {
    id: u64,
    flow: Flow,
    /// None: it takes nothing more, and ends when its task does.
    open: Option<Open>,
    taken: Rc<Notify>,
}

struct Open {
    /// Where it has no room the peer is slow beyond bearing.
    queue: mpsc::Sender<Bytes>,
    /// Dropped with it: the task is to end.
    _stay: oneshot::Sender<()>,
}

/// What the tasks tell.
#[derive(Debug)]
pub(super) enum News {
    /// The connection came to a listener.
    Accepted(TcpStream, Flow, Option<Acceptor>),
    /// It is ready.
    Opened(u64, Flow),
    /// Bytes came.
    Data(u64, Flow, Bytes),
    /// Its task ends.
    Closed(u64, Flow),
}

/// What begins a TLS handshake.
pub(super) struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

impl Streams {
    /// Listens; with no address, on all of both families. TLS begins when its certificate is there.
    pub fn listen(
        addresses: &[IpAddr],
        tcp: u16,
        tls: u16,
        certificate: &Rc<Tls>,
        most: usize,
    ) -> Result<Self> {
        let (teller, news) = mpsc::channel(NEWS);
        for (transport, port) in [(Transport::Tcp, tcp), (Transport::Tls, tls)] {
            let listeners =
                super::bind_all(addresses, &format!("SIP over {transport}"), |address| {
                    listener(SocketAddr::new(address, port))
                })
                .with_context(|| {
                    format!(
                        "SIP can't listen on port {port}/{transport}: is another exchange running? `--help` says how to name another port"
                    )
                })?;
            for listener in listeners {
                let certificate = (transport == Transport::Tls).then(|| Rc::clone(certificate));
                spawn_local(accept(listener, transport, certificate, teller.clone()));
            }
        }
        Ok(Self::new(teller, news, most))
    }

    fn new(teller: mpsc::Sender<News>, news: mpsc::Receiver<News>, most: usize) -> Self {
        Self {
            connections: HashMap::new(),
            replaced: VecDeque::new(),
            news,
            shared: Shared::new(teller),
            handshakes: Handshakes::new(),
            refusals: Seldom::default(),
            most,
            next: 0,
        }
    }

    /// Waits for the next thing that happens.
    pub async fn next(&mut self) -> StreamEvent {
        loop {
            if let Some(event) = self.try_next() {
                return event;
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

    /// The next thing that has happened already.
    pub fn try_next(&mut self) -> Option<StreamEvent> {
        loop {
            if let Some(flow) = self.replaced.pop_front() {
                return Some(StreamEvent::Closed(flow));
            }
            let news = self.news.try_recv().ok()?;
            if let Some(event) = self.digest(news) {
                return Some(event);
            }
        }
    }

    fn digest(&mut self, news: News) -> Option<StreamEvent> {
        match news {
            News::Accepted(stream, flow, tls) => {
                self.adopt(stream, flow, tls);
                None
            }
            News::Opened(id, flow) => {
                let connection = self.current(id, flow)?;
                connection
                    .open
                    .is_some()
                    .then_some(StreamEvent::Opened(flow))
            }
            News::Data(id, flow, bytes) => {
                let connection = self.current(id, flow)?;
                connection.taken.notify_one();
                // Bytes of a connection that was given up belong to nobody.
                (connection.open.is_some()).then_some(StreamEvent::Data(flow, bytes))
            }
            News::Closed(id, flow) => {
                self.current(id, flow)?;
                self.connections.remove(&(flow.transport, flow.remote));
                Some(StreamEvent::Closed(flow))
            }
        }
    }

    /// The connection, where no later one has taken its place.
    fn current(&self, id: u64, flow: Flow) -> Option<&Connection> {
        self.connections
            .get(&(flow.transport, flow.remote))
            .filter(|connection| connection.id == id)
    }

    fn adopt(&mut self, stream: TcpStream, flow: Flow, tls: Option<Acceptor>) {
        // Before anybody gives way to it.
        if self.connections.len() >= self.most {
            self.refused(flow, "too many are being opened and closed");
            return;
        }
        let place = match &tls {
            None => None,
            Some(_) => {
                let place = self.handshakes.enter(Source::of(flow.remote.ip()));
                if place.is_none() {
                    self.refused(flow, "too many TLS handshakes are under way");
                    return;
                }
                place
            }
        };
        let task = self.enter(flow);
        let tls = tls.map(|Acceptor(acceptor)| acceptor).zip(place);
        self.run(task, async move { Ok((stream, tls)) });
    }

    fn refused(&mut self, flow: Flow, why: &str) {
        debug!(%flow, why, "a connection is refused");
        if let Some(count) = self.refusals.happened(Instant::now()) {
            warn!(count, last = %flow, why, "SIP connections were refused");
        }
    }

    /// Serves a connection once it is there, and tells of its end.
    fn run(
        &self,
        task: Task,
        stream: impl Future<Output = io::Result<(TcpStream, Option<(TlsAcceptor, (Place, Gone))>)>>
        + 'static,
    ) {
        let shared = self.shared.clone();
        spawn_local(async move {
            let (id, flow) = (task.id, task.flow);
            let served = match stream.await {
                Ok((stream, tls)) => serve(stream, tls, task, &shared).await,
                Err(error) => Err(error),
            };
            if let Err(error) = served {
                debug!(%flow, %error, "connection ended");
            }
            // Where the signalling loop is gone there is nobody to tell.
            drop(shared.teller.send(News::Closed(id, flow)).await);
        });
    }

    fn enter(&mut self, flow: Flow) -> Task {
        let (queue, messages) = mpsc::channel(QUEUE);
        let (stay, leave) = oneshot::channel();
        let taken = Rc::new(Notify::new());
        let id = self.next;
        self.next += 1;
        let connection = Connection {
            id,
            flow,
            open: Some(Open { queue, _stay: stay }),
            taken: Rc::clone(&taken),
        };
        let at = (flow.transport, flow.remote);
        if let Some(old) = self.connections.insert(at, connection) {
            // Its task's own word comes too late to be told from this one's.
            self.replaced.push_back(old.flow);
        }
        Task {
            id,
            flow,
            queue: messages,
            taken,
            leave,
        }
    }

    /// Sends on the connection to the flow's peer; opens one where there is none.
    ///
    /// # Errors
    /// Where the message can't be sent: no connection can be opened, or the peer is too slow.
    pub fn send(&mut self, flow: Flow, message: Bytes) -> io::Result<()> {
        let at = (flow.transport, flow.remote);
        if let Some(connection) = self.connections.get_mut(&at) {
            let Some(open) = &connection.open else {
                return Err(io::ErrorKind::ConnectionAborted.into());
            };
            return open.queue.try_send(message).map_err(|error| {
                debug!(%flow, %error, "connection is given up");
                connection.open = None;
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
        if self.connections.len() >= self.most {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let task = self.enter(flow);
        self.send(flow, first)?;
        self.run(task, async move {
            let stream = timeout(SET_UP_WITHIN, TcpStream::connect(flow.remote)).await??;
            Ok((stream, None))
        });
        Ok(())
    }

    /// Closes a connection once all that was sent on it has left.
    pub fn close(&mut self, flow: Flow, why: Closing) {
        match why {
            Closing::GivesWay => self.refused(flow, "it proved nothing, and others need its place"),
            Closing::NoRoom => self.refused(flow, "all places are taken"),
            Closing::Nonsense
            | Closing::TooLong
            | Closing::TooSlow
            | Closing::TooMany
            | Closing::TooWrong => {
                debug!(%flow, ?why, "connection is closed");
            }
        }
        // Its task ends when the queue does, and says so; until then the place is taken.
        let at = (flow.transport, flow.remote);
        if let Some(connection) = self.connections.get_mut(&at) {
            connection.open = None;
        }
    }

    /// The end of all connections, once what was sent on them has left or the limit has come.
    pub async fn finish(&mut self, limit: Duration) {
        for connection in self.connections.values_mut() {
            connection.open = None;
        }
        let left = async {
            // Those that are accepted meanwhile were sent nothing.
            while (self.connections.values()).any(|connection| connection.open.is_none()) {
                self.next().await;
            }
        };
        if timeout(limit, left).await.is_err() {
            debug!("some connections took no more");
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
    let mut failures = Seldom::default();
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, say: not the end of the listener.
                if let Some(count) = failures.happened(Instant::now()) {
                    warn!(count, %error, "SIP connections could not be accepted");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let tls = match &certificate {
            None => None,
            Some(tls) => match tls.acceptor() {
                Some(acceptor) => Some(Acceptor(acceptor)),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls_pki_types::{PrivateKeyDer, ServerName};
    use socket2::SockRef;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpSocket;
    use tokio_rustls::TlsConnector;

    use crate::self_call::client::wire::any_server;

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
        let mut streams = Streams::new(teller, news, 16);
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
            streams.close(flow, Closing::TooSlow);
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

    /// All that there is to hear at the moment, once the tasks did what they can.
    async fn events(streams: &mut Streams) -> Vec<StreamEvent> {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        std::iter::from_fn(|| streams.try_next()).collect()
    }

    #[test]
    fn one_piece_at_a_time_is_unread_however_fast_the_peer_is() {
        run(async {
            let (mut streams, mut peer, flow) = connected().await;
            let sent = vec![b'x'; 100_000];
            let write = spawn_local(async move {
                peer.write_all(&sent).await.expect("written");
                peer
            });
            let mut came = 0;
            while came < 100_000 {
                match streams.next().await {
                    StreamEvent::Data(from, bytes) => {
                        assert!(from == flow && bytes.len() <= 16 * 1024);
                        came += bytes.len();
                    }
                    other => panic!("{other:?}"),
                }
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                assert!(streams.news.len() <= 1);
            }
            drop(write.await.expect("the peer"));
        });
    }

    #[test]
    fn what_has_happened_is_taken_without_waiting() {
        run(async {
            let (mut streams, mut peer, flow) = connected().await;
            assert!(streams.try_next().is_none());
            peer.write_all(b"one").await.expect("written");
            peer.shutdown().await.expect("shut down");
            let StreamEvent::Data(..) = streams.next().await else {
                panic!("bytes come first");
            };
            let StreamEvent::Closed(closed) = streams.next().await else {
                panic!("then the end");
            };
            assert_eq!(closed, flow);
            assert!(events(&mut streams).await.is_empty());
        });
    }

    #[test]
    fn a_peer_that_takes_nothing_keeps_no_place_when_it_is_to_leave() {
        run(async {
            let (mut streams, peer, flow) = connected().await;
            // More than the kernel's buffers take.
            while streams.send(flow, vec![b'y'; 1 << 20].into()).is_ok() {
                events(&mut streams).await;
            }
            tokio::time::pause();
            streams.close(flow, Closing::GivesWay);
            tokio::time::advance(Duration::from_secs(3)).await;
            closes_once(&mut streams, flow).await;
            drop(peer);
        });
    }

    /// What TLS connections begin with.
    fn acceptor() -> Acceptor {
        let pair = rcgen::generate_simple_self_signed(["box".to_owned()]).expect("made");
        let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key)
            .expect("they fit");
        Acceptor(TlsAcceptor::from(Arc::new(config)))
    }

    #[test]
    fn handshakes_that_say_nothing_keep_no_phone_out() {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let to = listener.local_addr().expect("an address");
            let Acceptor(tls) = acceptor();
            let (teller, news) = mpsc::channel(NEWS);
            let mut streams = Streams::new(teller, news, 100);
            streams.handshakes = Handshakes::with(12);
            let mut silent = Vec::new();
            let connect = async |from: [u8; 4], streams: &mut Streams| {
                let socket = TcpSocket::new_v4().expect("a socket");
                socket.bind((from, 0).into()).expect("an address");
                let peer = socket.connect(to).await.expect("connected");
                let (stream, remote) = listener.accept().await.expect("accepted");
                let flow = Flow {
                    transport: Transport::Tls,
                    local: to,
                    remote,
                };
                streams.adopt(stream, flow, Some(Acceptor(tls.clone())));
                (peer, flow)
            };
            for n in 0..12 {
                silent.push(connect([127, 0, 0, 2 + n % 3], &mut streams).await);
            }
            let (peer, flow) = connect([127, 0, 0, 9], &mut streams).await;
            let phone = TlsConnector::from(Arc::new(any_server().expect("a client")));
            let name = ServerName::IpAddress(to.ip().into());
            let opened = async {
                loop {
                    if let StreamEvent::Opened(flow) = streams.next().await {
                        return flow;
                    }
                }
            };
            let (connected, opened) = tokio::join!(phone.connect(name, peer), opened);
            let _phone = connected.expect("the handshake is made");
            assert_eq!(opened, flow);
            // The others are not waited for.
            events(&mut streams).await;
            assert_eq!(streams.connections.len(), 12);
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(4)).await;
            events(&mut streams).await;
            assert_eq!(streams.connections.len(), 1);
        });
    }

    #[test]
    fn who_is_refused_throws_nobody_out() {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let to = listener.local_addr().expect("an address");
            let (teller, news) = mpsc::channel(16);
            let mut streams = Streams::new(teller, news, 1);
            streams.handshakes = Handshakes::with(1);
            let mut peers = Vec::new();
            for _ in 0..2 {
                peers.push(TcpStream::connect(to).await.expect("connected"));
                let (stream, remote) = listener.accept().await.expect("accepted");
                let flow = Flow {
                    transport: Transport::Tls,
                    local: to,
                    remote,
                };
                streams.adopt(stream, flow, Some(acceptor()));
            }
            assert!(events(&mut streams).await.is_empty());
            assert_eq!(streams.connections.len(), 1);
        });
    }

    #[test]
    fn at_the_end_all_that_was_sent_leaves_and_silent_handshakes_are_not_waited_for() {
        run(async {
            let (mut streams, mut peer, flow) = connected().await;
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let to = listener.local_addr().expect("an address");
            let silent = TcpStream::connect(to).await.expect("connected");
            let (stream, remote) = listener.accept().await.expect("accepted");
            let tls = Flow {
                transport: Transport::Tls,
                local: to,
                remote,
            };
            streams.adopt(stream, tls, Some(acceptor()));
            for _ in 0..QUEUE / 2 {
                streams.send(flow, vec![b'y'; 1000].into()).expect("sent");
            }
            tokio::time::pause();
            streams.finish(Duration::from_secs(3600)).await;
            assert!(streams.connections.is_empty());
            let mut heard = Vec::new();
            peer.read_to_end(&mut heard).await.expect("an orderly end");
            assert_eq!(heard.len(), 1 + QUEUE / 2 * 1000);
            drop(silent);
        });
    }

    #[test]
    fn the_kernel_looks_after_silent_peers() {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let to = listener.local_addr().expect("an address");
            let mut peer = TcpStream::connect(to).await.expect("connected");
            let (stream, remote) = listener.accept().await.expect("accepted");
            let watched = stream.into_std().expect("a socket");
            let stream =
                TcpStream::from_std(watched.try_clone().expect("a copy")).expect("a stream");
            let flow = Flow {
                transport: Transport::Tcp,
                local: to,
                remote,
            };
            let (teller, news) = mpsc::channel(16);
            let mut streams = Streams::new(teller, news, 16);
            streams.adopt(stream, flow, None);
            assert!(matches!(streams.next().await, StreamEvent::Opened(_)));
            let socket = SockRef::from(&watched);
            assert!(socket.keepalive().expect("an option"));
            let minute = Duration::from_secs(60);
            assert_eq!(socket.tcp_keepalive_time().expect("an option"), minute);
            let unacknowledged = socket.tcp_user_timeout().expect("an option");
            assert_eq!(unacknowledged, Some(2 * minute));
            streams.send(flow, Bytes::from_static(b"z")).expect("sent");
            assert_eq!(peer.read_u8().await.expect("read"), b'z');
        });
    }
}

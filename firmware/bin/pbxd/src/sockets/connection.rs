//! One connection: its handshake, what comes and what goes, until it ends.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use model::Flow;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use super::handshakes::{Gone, Place};
use super::stream::News;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// A connection attempt of ours, or a turn for a handshake, that takes longer is given up.
pub(super) const SET_UP_WITHIN: Duration = Duration::from_secs(10);

/// Whoever connects over TLS says hello at once: this is some round trips of the slowest network.
const HELLO_WITHIN: Duration = Duration::from_secs(3);

/// What is left of a handshake after our answer to the hello: a round trip or two, and a slow phone's
/// cryptography.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// A connection that takes no byte for so long is dead.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

/// A connection that is to close has so long to take what was sent before.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// Silence of a connection before it is closed: phones refresh or keep alive more often.
const IDLE: Duration = Duration::from_secs(2 * 3600);

/// A phone that lost its power says nothing. The kernel asks after a minute, and gives up after
/// another: or the dead connections of phones that come and go would take the place of living ones.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);

/// While something that was sent has not arrived the kernel does not ask, and would go on sending for a
/// quarter of an hour. It gives up when it would have by asking: sooner would give up whoever leaves one
/// question unanswered.
const UNACKNOWLEDGED: Duration = Duration::from_secs(120);

/// What all connections share: one thread serves them, one read at a time.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) teller: mpsc::Sender<News>,
    buffer: Rc<RefCell<Box<[u8]>>>,
}

/// The task's end of a connection.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) flow: Flow,
    /// What is to be sent.
    pub(super) queue: mpsc::Receiver<Bytes>,
    /// The bytes told last were taken: the next may be read.
    pub(super) taken: Rc<Notify>,
    /// Its other end is dropped where the connection is to close.
    pub(super) leave: oneshot::Receiver<()>,
}

impl Shared {
    pub(super) fn new(teller: mpsc::Sender<News>) -> Self {
        Self {
            teller,
            buffer: Rc::new(RefCell::new(vec![0; READ].into())),
        }
    }

    async fn tell(&self, news: News) -> io::Result<()> {
        let told = self.teller.send(news).await;
        told.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// The next bytes; none at the end. They are read into one buffer for all connections, so that an
    /// idle one holds none.
    async fn read(&self, reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
        poll_fn(|context| {
            let mut buffer = self.buffer.borrow_mut();
            let mut read = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut *reader).poll_read(context, &mut read))?;
            Poll::Ready(Ok(Bytes::copy_from_slice(read.filled())))
        })
        .await
    }
}

/// Serves a connection; over TLS, after the handshake.
pub(super) async fn serve(
    stream: TcpStream,
    tls: Option<(TlsAcceptor, (Place, Gone))>,
    mut task: Task,
    shared: &Shared,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    keep_alive(&stream)?;
    match tls {
        None => exchange(stream, task, shared).await,
        Some((acceptor, (place, mut gone))) => {
            let config = Arc::clone(acceptor.config());
            let stream = shake_hands(stream, config, (&place, &mut gone), &mut task.leave).await?;
            drop(place);
            exchange(stream, task, shared).await
        }
    }
}

/// The handshake, in its place: see [`super::handshakes`].
async fn shake_hands(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    (place, gone): (&Place, &mut Gone),
    leave: &mut oneshot::Receiver<()>,
) -> io::Result<TlsStream<TcpStream>> {
    let handshake = async {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream);
        let hello = timeout(HELLO_WITHIN, hello).await??;
        place.set_silent(false);
        let turn = timeout(SET_UP_WITHIN, place.turn()).await?;
        // The key exchange and the signature are made here.
        let finish = hello.into_stream(config);
        place.set_silent(true);
        turn.done();
        timeout(FINISH_WITHIN, finish).await?
    };
    tokio::select! {
        result = handshake => result,
        // Nothing is ever sent on either.
        _ = gone => Err(io::Error::other("it gives way to others")),
        _ = leave => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let (time, interval, retries) = KEEPALIVE;
    let keepalive = TcpKeepalive::new()
        .with_time(time)
        .with_interval(interval)
        .with_retries(retries);
    let socket = SockRef::from(stream);
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    socket.set_tcp_keepalive(&keepalive)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite,
    task: Task,
    shared: &Shared,
) -> io::Result<()> {
    let Task {
        id,
        flow,
        mut queue,
        taken,
        leave,
    } = task;
    shared.tell(News::Opened(id, flow)).await?;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let read = async {
        loop {
            let bytes = timeout(IDLE, shared.read(&mut reader)).await??;
            if bytes.is_empty() {
                return Ok(());
            }
            shared.tell(News::Data(id, flow, bytes)).await?;
            // One piece at a time: who sends fast waits in the kernel's buffers, not before others.
            taken.notified().await;
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
    let left = async {
        // Nothing is ever sent on it.
        drop(leave.await);
        sleep(LEAVE_WITHIN).await;
    };
    tokio::select! {
        result = read => result,
        result = write => result,
        () = left => Err(io::ErrorKind::TimedOut.into()),
    }
}

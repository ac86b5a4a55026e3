//! Connections: how many there may be, and how long one may take to say what it wants.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum_server::Server;
use axum_server::accept::Accept;
use hyper_util::rt::TokioTimer;
use model::Source;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Connections at once: each may hold some tens of kilobytes.
const CONNECTIONS: usize = 512;
/// Connections of one address at once, or of one /64 of IPv6: an office behind one address has room,
/// and nobody alone takes all there is.
const OF_ONE: usize = 64;
/// A request's headers come within this, and the next request on an idle connection.
pub const HEADERS: Duration = Duration::from_secs(20);
/// A connection on which nothing moves for so long is closed: longer than a request may take, and
/// than it is between two heartbeats of an event stream.
const IDLE: Duration = Duration::from_secs(60);
/// So long a connection stays on which nobody has logged in and nothing is asked, whatever moves on it.
const STRANGER: Duration = Duration::from_secs(60);
/// HTTP/2 peers are asked whether they are there.
const PING: Duration = Duration::from_secs(30);
/// Requests at once on one HTTP/2 connection: a page asks for ten, and a browser has all its tabs on one
/// connection, each with its stream of events.
const STREAMS: u32 = 32;
/// What an HTTP/2 peer may send before it is read, in bytes: for one request, and for all of a
/// connection. Hyper's own is 1 MiB for each.
const WINDOWS: (u32, u32) = (64 * 1024, 128 * 1024);
/// The first octet of TLS.
const HANDSHAKE: u8 = 22;
/// Bytes of all headers of a request.
const HEADER_BYTES: usize = 32 * 1024;

/// Accepts so many connections at once: beyond that the oldest without a session gives way.
#[derive(Clone, Debug, Default)]
pub struct Limited(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// The oldest first.
    all: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    peer: SocketAddr,
    life: Arc<Mutex<Life>>,
}

/// What decides over the end of a connection.
#[derive(Debug)]
struct Life {
    /// A request on it had a session.
    has_session: bool,
    /// It gave way to another.
    over: bool,
    /// When it came, or its last request.
    asked: Instant,
    waker: Option<Waker>,
}

/// A connection's place in the table.
#[derive(Debug)]
struct Place {
    id: u64,
    life: Arc<Mutex<Life>>,
    table: Limited,
}

/// A connection that counts, and ends when nothing moves on it, or nobody asks anything.
#[derive(Debug)]
pub struct Counted {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    stranger: Pin<Box<Sleep>>,
    place: Place,
}

/// Sets a server's limits.
pub fn limit<A>(server: &mut Server<SocketAddr, A>) {
    let builder = server.http_builder();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEADER_BYTES * 2)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(PING))
        .max_concurrent_streams(Some(STREAMS))
        .initial_stream_window_size(Some(WINDOWS.0))
        .initial_connection_window_size(Some(WINDOWS.1))
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX));
}

impl Limited {
    /// A place for a connection; none where all that could give way have a session.
    fn place(&self, peer: SocketAddr) -> Option<Place> {
        let mut table = lock(&self.0);
        let source = Source::of(peer.ip());
        let is_of = |entry: &Entry| Source::of(entry.peer.ip()) == source;
        let of_one = table.all.values().filter(|entry| is_of(entry)).count();
        if of_one >= OF_ONE || table.all.len() >= CONNECTIONS {
            let (&id, _) = table.all.iter().find(|(_, entry)| {
                (of_one < OF_ONE || is_of(entry)) && !lock(&entry.life).has_session
            })?;
            if let Some(entry) = table.all.remove(&id) {
                let mut life = lock(&entry.life);
                life.over = true;
                if let Some(waker) = life.waker.take() {
                    waker.wake();
                }
            }
        }
        let life = Arc::new(Mutex::new(Life {
            has_session: false,
            over: false,
            asked: Instant::now(),
            waker: None,
        }));
        let id = table.next;
        table.next += 1;
        let entry = Entry {
            peer,
            life: Arc::clone(&life),
        };
        table.all.insert(id, entry);
        Some(Place {
            id,
            life,
            table: self.clone(),
        })
    }

    /// A request has come from this peer.
    pub fn asked(&self, peer: SocketAddr, has_session: bool) {
        for entry in lock(&self.0).all.values() {
            if entry.peer == peer {
                let mut life = lock(&entry.life);
                life.asked = Instant::now();
                life.has_session |= has_session;
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.table.0).all.remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Send + 'static> Accept<TcpStream, S> for Limited {
    type Stream = Counted;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Counted, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = stream.peer_addr().ok().and_then(|peer| self.place(peer));
        std::future::ready(match place {
            Some(place) => {
                // Answers are short and shouldn't wait for more.
                let _ = stream.set_nodelay(true);
                let counted = Counted {
                    stream,
                    idle: Box::pin(sleep(IDLE)),
                    stranger: Box::pin(sleep(STRANGER)),
                    place,
                };
                Ok((counted, service))
            }
            None => Err(io::Error::other("too many connections")),
        })
    }
}

impl Counted {
    /// Whether TLS begins on it, of which the first octet is the record of a handshake (RFC 8446 §5.1);
    /// waits until something has come. An end is as good as TLS: there is nobody to lead anywhere.
    pub async fn begins_tls(&self) -> io::Result<bool> {
        let mut first = [0];
        let come = self.stream.peek(&mut first).await?;
        Ok(come == 0 || first == [HANDSHAKE])
    }

    /// Passes on what the stream answered; an error instead where nothing has moved for too long, or
    /// the connection has to end.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        answer: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        match answer {
            Poll::Ready(done) => {
                self.idle.as_mut().reset(Instant::now() + IDLE);
                Poll::Ready(done)
            }
            Poll::Pending => self
                .idle
                .as_mut()
                .poll(cx)
                .map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }

    /// True where it gave way to another, or a stranger hasn't asked anything for too long.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let mut life = lock(&self.place.life);
        if !(life.waker.as_ref()).is_some_and(|waker| waker.will_wake(cx.waker())) {
            life.waker = Some(cx.waker().clone());
        }
        while !life.over && !life.has_session && self.stranger.as_mut().poll(cx).is_ready() {
            if life.asked.elapsed() >= STRANGER {
                life.over = true;
            }
            self.stranger.as_mut().reset(life.asked + STRANGER);
        }
        life.over
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.watch(cx, answer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, answer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, answer)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_ends_and_a_moving_one_goes_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut peer = TcpStream::connect(address).await.expect("it connects");
        let (stream, _) = listener.accept().await.expect("it is accepted");
        let limited = Limited::default();
        let (mut counted, ()) = limited.accept(stream, ()).await.expect("there is room");
        limited.asked(peer.local_addr().expect("an address"), true);
        let begun = Instant::now();
        for _ in 0..3 {
            tokio::time::advance(IDLE * 3 / 4).await;
            peer.write_all(b"x").await.expect("it is sent");
            counted.read_u8().await.expect("it goes on");
        }
        let error = counted.read_u8().await.expect_err("nothing moves");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= IDLE * 3);
        drop(counted);
        assert!(lock(&limited.0).all.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_who_asks_nothing_ends_whatever_moves() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut peer = TcpStream::connect(address).await.expect("it connects");
        let (stream, _) = listener.accept().await.expect("it is accepted");
        let limited = Limited::default();
        let (mut counted, ()) = limited.accept(stream, ()).await.expect("there is room");
        tokio::time::advance(STRANGER * 3 / 4).await;
        limited.asked(peer.local_addr().expect("an address"), false);
        let asked = Instant::now();
        let error = loop {
            tokio::time::advance(STRANGER / 4).await;
            peer.write_all(b"x").await.expect("it is sent");
            match counted.read_u8().await {
                Ok(_) => assert!(asked.elapsed() < STRANGER * 2),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(asked.elapsed() >= STRANGER);
    }

    fn peer(address: &str, port: usize) -> SocketAddr {
        let port = u16::try_from(port).expect("a port");
        SocketAddr::new(address.parse().expect("an address"), port)
    }

    #[tokio::test]
    async fn one_address_does_not_take_all_there_is() {
        let limited = Limited::default();
        let greedy = |n: usize| peer("2001:db8::1", n);
        let mut places: Vec<_> = (0..OF_ONE).map(|n| limited.place(greedy(n))).collect();
        assert!(places.iter().all(Option::is_some));
        let outside = limited.place(peer("2001:db8:0:1::1", 1));
        assert!(outside.is_some());
        let is_over = |place: &Option<Place>| lock(&place.as_ref().expect("it is").life).over;
        // The next of the same /64 takes the place of the oldest.
        let next = limited.place(peer("2001:db8::2", 1));
        assert!(next.is_some() && is_over(&places[0]) && !is_over(&places[1]));
        limited.asked(greedy(1), true);
        places.push(limited.place(greedy(OF_ONE)));
        assert!(!is_over(&places[1]) && is_over(&places[2]) && !is_over(&outside));
        assert_eq!(lock(&limited.0).all.len(), OF_ONE + 1);
        drop((places, outside, next));
        assert!(lock(&limited.0).all.is_empty());
    }

    #[tokio::test]
    async fn idle_connections_of_many_lock_no_administrator_out() {
        let limited = Limited::default();
        let from = |n: usize| peer(&format!("192.0.2.{}", n % 250), n);
        let places: Vec<_> = (0..CONNECTIONS).map(|n| limited.place(from(n))).collect();
        assert!(places.iter().all(Option::is_some));
        for n in 0..CONNECTIONS - 1 {
            limited.asked(from(n), true);
        }
        let last = limited.place(peer("198.51.100.1", 1));
        assert!(last.is_some());
        assert!(lock(&places[CONNECTIONS - 1].as_ref().expect("it is").life).over);
        limited.asked(peer("198.51.100.1", 1), true);
        assert!(limited.place(peer("198.51.100.1", 2)).is_none());
    }
}

//! Connections: how many there may be, and how long one may take to say what it wants.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::Server;
use axum_server::accept::Accept;
use hyper_util::rt::TokioTimer;
use model::Source;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at once: each may hold some tens of kilobytes.
const CONNECTIONS: usize = 512;
/// Connections of one address at once, or of one /64 of IPv6: an office behind one address has room,
/// and nobody alone takes all there is.
const OF_ONE: usize = 64;
/// A request's headers come within this, and the next request on an idle connection.
const HEADERS: Duration = Duration::from_secs(20);
/// A connection on which nothing moves for so long is closed: longer than a request may take, and
/// than it is between two heartbeats of an event stream.
const IDLE: Duration = Duration::from_secs(60);
/// HTTP/2 peers are asked whether they are there.
const PING: Duration = Duration::from_secs(30);
/// Streams of one HTTP/2 connection.
const STREAMS: u32 = 64;
/// Bytes of all headers of a request.
const HEADER_BYTES: usize = 32 * 1024;

/// Accepts so many connections at once and no more.
#[derive(Clone, Debug)]
pub struct Limited {
    room: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<Source, usize>>>,
}

/// One of the connections of an address.
#[derive(Debug)]
struct Share {
    address: Source,
    by_address: Arc<Mutex<HashMap<Source, usize>>>,
}

/// A connection that counts, and ends when nothing moves on it.
#[derive(Debug)]
pub struct Counted {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
    _share: Share,
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
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX));
}

impl Default for Limited {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(CONNECTIONS)),
            by_address: Arc::default(),
        }
    }
}

impl Limited {
    /// A place for a connection from `address`; none where it, or all together, have as many as they
    /// may.
    fn place(&self, address: IpAddr) -> Option<(OwnedSemaphorePermit, Share)> {
        let share = Share::take(Source::of(address), &self.by_address)?;
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        Some((permit, share))
    }
}

impl Share {
    fn take(address: Source, by_address: &Arc<Mutex<HashMap<Source, usize>>>) -> Option<Self> {
        let mut counts = by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= OF_ONE {
            return None;
        }
        *count += 1;
        Some(Self {
            address,
            by_address: Arc::clone(by_address),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = (self.by_address.lock()).unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = counts.entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Limited {
    type Stream = Counted;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Counted, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = stream
            .peer_addr()
            .ok()
            .and_then(|peer| self.place(peer.ip()));
        std::future::ready(match place {
            Some((permit, share)) => {
                // Answers are short and shouldn't wait for more.
                let _ = stream.set_nodelay(true);
                let counted = Counted {
                    stream,
                    idle: Box::pin(sleep(IDLE)),
                    _permit: permit,
                    _share: share,
                };
                Ok((counted, service))
            }
            None => Err(io::Error::other("too many connections")),
        })
    }
}

impl Counted {
    /// Passes on what the stream answered; an error instead where nothing has moved for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        answer: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
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
        assert_eq!(limited.room.available_permits(), CONNECTIONS - 1);
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
        assert_eq!(limited.room.available_permits(), CONNECTIONS);
    }

    #[test]
    fn one_address_does_not_take_all_there_is() {
        let limited = Limited::default();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let (greedy, neighbour) = (address("2001:db8::1"), address("2001:db8::2"));
        let mut places: Vec<_> = (0..OF_ONE).map(|_| limited.place(greedy)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(limited.place(greedy).is_none());
        assert!(limited.place(neighbour).is_none(), "it is of the same /64");
        assert!(limited.place(address("2001:db8:0:1::1")).is_some());
        assert!(limited.place(address("192.0.2.1")).is_some());
        places.pop();
        assert!(limited.place(neighbour).is_some());
        drop(places);
        assert!(limited.by_address.lock().expect("a lock").is_empty());
        assert_eq!(limited.room.available_permits(), CONNECTIONS);
    }
}

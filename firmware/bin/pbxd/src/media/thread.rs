//! The real-time thread: sockets, one clock, the graph. In its loop nothing is allocated, locked,
//! logged or waited for but the next packet or tick.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use heapless::spsc::{Consumer, Producer};
use media::{Channel, Command, Event, Graph, TICK, Transmit};
use mio::{Events, Interest, Poll, Token, Waker};
use model::{Instant, PortId};
use platform::sys::datagram::{self, Batch};
use platform::sys::schedule::{self, Locked};
use rtp::rtcp::NtpClock;
use tracing::{info, warn};

use super::Shared;
use super::sockets::PortPair;
use crate::clock::{self, Clock};

/// The token of the waker; sockets count up from zero.
const WAKE: Token = Token(usize::MAX);

/// Ready sockets handled in one turn; the rest are handled in the next.
const READY: usize = 1024;

/// Packets taken from a socket at once; more than one are there only after a stall.
const BATCH: usize = 4;

/// Batches taken from a socket in one turn: hundreds of times what a call sends. The rest waits for
/// the next turn, so that a flood on one socket holds up neither the others nor the tick.
const BATCHES: usize = 8;

/// The largest packet (Ethernet's MTU), and room for one that is too large to be seen as such.
const PACKET: usize = 1600;

/// The least time between two looks at the sockets: packets are handled by the handful, which costs
/// a call at most this much delay and saves most of the waking.
const PACE: Duration = Duration::from_millis(2);

/// Above the kernel's threaded interrupts' customers, below the interrupts (50).
const PRIORITY: u8 = 40;

pub(super) struct Thread {
    clock: Clock,
    poll: Poll,
    pairs: Vec<PortPair>,
    graph: Graph,
    commands: Consumer<'static, Command>,
    events: Producer<'static, Event>,
    ringer: OwnedFd,
    shared: Arc<Shared>,
    batch: Batch,
    readable: Readable,
}

/// Sockets that may hold packets, each once. The poll tells only of packets that come, so what is
/// left behind is remembered here. Nothing is allocated after [`Readable::new`].
#[derive(Default)]
struct Readable {
    tokens: Vec<usize>,
    listed: Vec<bool>,
}

impl Readable {
    fn new(sockets: usize) -> Self {
        Self {
            tokens: Vec::with_capacity(sockets),
            listed: vec![false; sockets],
        }
    }

    fn add(&mut self, token: usize) {
        if let Some(listed) = self.listed.get_mut(token)
            && !std::mem::replace(listed, true)
        {
            self.tokens.push(token);
        }
    }

    fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Reads from each; those that `read` says may hold more are kept.
    fn read(&mut self, mut read: impl FnMut(usize) -> bool) {
        let Self { tokens, listed } = self;
        tokens.retain(|&token| {
            let more = read(token);
            if let Some(listed) = listed.get_mut(token) {
                *listed = more;
            }
            more
        });
    }
}

impl Thread {
    pub(super) fn new(
        clock: Clock,
        mut pairs: Vec<PortPair>,
        commands: Consumer<'static, Command>,
        events: Producer<'static, Event>,
        ringer: OwnedFd,
        shared: Arc<Shared>,
    ) -> Result<(Self, Arc<Waker>)> {
        let poll = Poll::new().context("an epoll")?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE).context("a waker")?);
        for (index, pair) in pairs.iter_mut().enumerate() {
            for (channel, socket) in [&mut pair.rtp, &mut pair.rtcp].into_iter().enumerate() {
                poll.registry()
                    .register(socket, Token(index * 2 + channel), Interest::READABLE)
                    .context("an RTP socket")?;
            }
        }
        let ntp = NtpClock::new(clock.now(), clock::wall());
        let graph = Graph::new(pairs.len(), ntp);
        let readable = Readable::new(pairs.len() * 2);
        let thread = Self {
            clock,
            poll,
            pairs,
            graph,
            commands,
            events,
            ringer,
            shared,
            batch: Batch::new(BATCH, PACKET),
            readable,
        };
        Ok((thread, waker))
    }

    pub(super) fn run(mut self) {
        self.become_real_time();
        let mut ready = Events::with_capacity(READY);
        let mut next_tick = self.clock.now() + TICK;
        let mut looked = self.clock.now();
        while !self.shared.stop.load(Ordering::Relaxed) {
            let since = self.clock.now() - looked;
            if let Some(rest) = PACE.checked_sub(since).filter(|rest| !rest.is_zero()) {
                std::thread::sleep(rest);
            }
            let wait = self.wait(next_tick);
            if let Err(error) = self.poll.poll(&mut ready, Some(wait))
                && error.kind() != io::ErrorKind::Interrupted
            {
                // It can't be mended here; going on by ticks keeps tones and timers alive.
                std::thread::sleep(PACE);
            }
            looked = self.clock.now();
            guarded(|| self.turn(&ready, &mut next_tick));
        }
    }

    /// How long to wait for packets that come.
    fn wait(&self, next_tick: Instant) -> Duration {
        if self.readable.is_empty() {
            next_tick - self.clock.now()
        } else {
            Duration::ZERO
        }
    }

    fn turn(&mut self, ready: &Events, next_tick: &mut Instant) {
        let now = self.clock.now();
        while let Some(command) = self.commands.dequeue() {
            self.graph.command(now, command);
        }
        for event in ready {
            // The waker's is none of them.
            self.readable.add(event.token().0);
        }
        let mut readable = std::mem::take(&mut self.readable);
        readable.read(|token| {
            let now = self.clock.now();
            // Many sockets at once don't hold it up.
            self.tick(now, next_tick);
            self.receive(now, token)
        });
        self.readable = readable;
        self.tick(self.clock.now(), next_tick);
        self.tell();
    }

    fn tick(&mut self, now: Instant, next_tick: &mut Instant) {
        if now < *next_tick {
            return;
        }
        if now - *next_tick > TICK / 2 {
            self.shared.late_ticks.fetch_add(1, Ordering::Relaxed);
        }
        *next_tick += TICK;
        if *next_tick <= now {
            // After a stall the missed ticks are not made up for: nobody wants late sound.
            *next_tick = now + TICK;
        }
        let Self {
            graph,
            pairs,
            shared,
            ..
        } = self;
        graph.tick(now, &mut |packet| send(pairs, shared, &packet));
    }

    /// Takes packets from a socket; true where it may hold more.
    fn receive(&mut self, now: Instant, token: usize) -> bool {
        let Self {
            graph,
            pairs,
            shared,
            batch,
            ..
        } = self;
        let Ok(index) = u16::try_from(token / 2) else {
            return false;
        };
        let channel = if token.is_multiple_of(2) {
            Channel::Rtp
        } else {
            Channel::Rtcp
        };
        for _ in 0..BATCHES {
            let Some(pair) = pairs.get(usize::from(index)) else {
                return false;
            };
            let socket = match channel {
                Channel::Rtp => &pair.rtp,
                Channel::Rtcp => &pair.rtcp,
            };
            let count = match batch.receive(socket) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // A peer's closed port coming back; the next packet is read all the same.
                Err(_) => continue,
            };
            for at in 0..count {
                if let Some(packet) = batch.datagram(at) {
                    graph.packet(
                        now,
                        PortId::new(index),
                        channel,
                        packet.source,
                        packet.octets,
                        &mut |packet| send(pairs, shared, &packet),
                    );
                }
            }
            // A full batch may have left some behind, and the poll tells of new ones only.
            if count < batch.capacity() {
                return false;
            }
        }
        true
    }

    /// Hands events over as far as there is room, and rings.
    fn tell(&mut self) {
        let mut told = false;
        while self.events.ready() {
            let Some(event) = self.graph.poll_event() else {
                break;
            };
            told |= self.events.enqueue(event).is_ok();
        }
        if told {
            // A full pipe is ringing already.
            let _rung = nix::unistd::write(&self.ringer, &[1]);
        }
    }

    fn become_real_time(&self) {
        let result = schedule::make_real_time(PRIORITY).and_then(|()| schedule::lock_memory());
        match result {
            Ok(locked) => {
                self.shared.real_time.store(true, Ordering::Relaxed);
                match locked {
                    Locked::All => {
                        info!("the media thread has real-time priority and locked memory");
                    }
                    Locked::Current => info!(
                        "the media thread has real-time priority and locked memory; what other \
                         threads take later is not locked, since RLIMIT_MEMLOCK is finite"
                    ),
                }
            }
            Err(error) => warn!(
                %error,
                "sound may break up under load: it has no real-time priority, or no locked memory"
            ),
        }
    }
}

fn send(pairs: &[PortPair], shared: &Shared, packet: &Transmit<'_>) {
    let Some(pair) = pairs.get(usize::from(packet.port.raw())) else {
        return;
    };
    let socket = match packet.channel {
        Channel::Rtp => pair.rtp.as_fd(),
        Channel::Rtcp => pair.rtcp.as_fd(),
    };
    let from: Option<IpAddr> = Some(packet.from);
    let to: SocketAddr = packet.to;
    if datagram::send(socket, pair.is_ipv6, packet.octets, to, from).is_err() {
        shared.unsent.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(debug_assertions)]
fn guarded(work: impl FnOnce()) {
    platform::sys::alloc::forbidden(work);
}

#[cfg(not(debug_assertions))]
fn guarded(work: impl FnOnce()) {
    work();
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use model::PortRange;
    use nix::fcntl::OFlag;

    use super::super::{ring, sockets};
    use super::*;

    fn thread(ports: u16) -> Thread {
        let range = PortRange {
            first: 40_000,
            last: 49_999,
        };
        let pairs = sockets::bind(ports, range).expect("ports");
        let (_, commands) = ring().expect("a ring");
        let (events, _) = ring().expect("a ring");
        let (_bell, ringer) = nix::unistd::pipe2(OFlag::O_NONBLOCK).expect("a pipe");
        let shared = Arc::new(Shared::default());
        let (thread, _) =
            Thread::new(Clock::start(), pairs, commands, events, ringer, shared).expect("a thread");
        thread
    }

    fn is_empty(thread: &Thread, port: usize) -> bool {
        let peeked = thread.pairs[port].rtp.peek(&mut [0; 16]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    #[test]
    fn a_flood_on_one_socket_leaves_the_others_their_turn_and_is_read_in_the_next_ones() {
        let mut thread = thread(2);
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let send = |thread: &Thread, port: usize| {
            let to = (Ipv4Addr::LOCALHOST, thread.pairs[port].rtp_port());
            peer.send_to(b"no RTP", to).expect("sent");
        };
        for _ in 0..BATCH * BATCHES + 1 {
            send(&thread, 0);
        }
        send(&thread, 1);
        let mut ready = Events::with_capacity(READY);
        while thread.readable.tokens.len() < 2 {
            thread.poll.poll(&mut ready, None).expect("polled");
            for event in &ready {
                thread.readable.add(event.token().0);
            }
        }
        let mut next_tick = thread.clock.now() + TICK;
        thread.turn(&ready, &mut next_tick);
        assert!(!is_empty(&thread, 0) && is_empty(&thread, 1));
        assert_eq!(thread.readable.tokens, [0]);
        assert_eq!(thread.wait(next_tick), Duration::ZERO);
        // Nothing more comes, so the poll tells nothing.
        ready.clear();
        thread.turn(&ready, &mut next_tick);
        assert!(is_empty(&thread, 0) && thread.readable.is_empty());
        // It is told of what comes after.
        send(&thread, 0);
        while ready.is_empty() {
            thread.poll.poll(&mut ready, None).expect("polled");
        }
        thread.turn(&ready, &mut next_tick);
        assert!(is_empty(&thread, 0));
    }

    #[cfg(debug_assertions)]
    const CHILD: &str = "PBXD_TEST_ALLOCATES";

    /// Allocates where nothing may.
    #[cfg(debug_assertions)]
    #[test]
    fn child() {
        if std::env::var_os(CHILD).is_some() {
            guarded(|| drop(std::hint::black_box(vec![0_u8; 16])));
        }
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_debug_build_aborts_where_the_media_thread_allocates() {
        let output = std::process::Command::new(std::env::current_exe().expect("a program"))
            .args(["--exact", "media::thread::tests::child"])
            .env(CHILD, "1")
            .output()
            .expect("started");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("allocated or freed memory: aborting"),
            "{output:?}"
        );
    }
}

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
use platform::sys::schedule;
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
            let wait = next_tick - self.clock.now();
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

    fn turn(&mut self, ready: &Events, next_tick: &mut Instant) {
        let now = self.clock.now();
        while let Some(command) = self.commands.dequeue() {
            self.graph.command(now, command);
        }
        for event in ready {
            if event.token() != WAKE {
                self.receive(now, event.token().0);
            }
        }
        if now >= *next_tick {
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
        self.tell();
    }

    fn receive(&mut self, now: Instant, token: usize) {
        let Self {
            graph,
            pairs,
            shared,
            batch,
            ..
        } = self;
        let Ok(index) = u16::try_from(token / 2) else {
            return;
        };
        let channel = if token.is_multiple_of(2) {
            Channel::Rtp
        } else {
            Channel::Rtcp
        };
        loop {
            let Some(pair) = pairs.get(usize::from(index)) else {
                return;
            };
            let socket = match channel {
                Channel::Rtp => &pair.rtp,
                Channel::Rtcp => &pair.rtcp,
            };
            // An error is a peer's closed port coming back; the next packet is read all the same.
            let Ok(count) = batch.receive(socket) else {
                return;
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
                return;
            }
        }
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
            Ok(()) => {
                self.shared.real_time.store(true, Ordering::Relaxed);
                info!("the media thread has real-time priority and locked memory");
            }
            Err(error) => warn!(
                %error,
                "the media thread runs without real-time priority or locked memory: sound may break up under load"
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

//! The media thread, as the signalling loop sees it: commands in, events out, nothing waited for.

mod sockets;
mod thread;

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, ensure};
use heapless::spsc::{Consumer, Producer, Queue};
use media::{Command, Event};
use mio::Waker;
use model::PortRange;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tokio::net::unix::pipe::Receiver;
use tracing::{info, warn};

use crate::clock::Clock;

/// Room in each ring: a burst of 500 calls set up at once, and then some. What exceeds it waits in
/// the signalling loop.
const RING: usize = 2048;

/// Four times the larger ring: a debug build moves it from place to place.
const RING_STACK: usize = 4 * 1024 * 1024;

pub use sockets::PortPair;

/// What both sides share besides the rings.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// The thread has real-time priority and locked memory.
    real_time: AtomicBool,
    /// Ticks that began more than half a tick late.
    late_ticks: AtomicU64,
    /// Packets that could not be sent.
    unsent: AtomicU64,
}

/// The signalling loop's end.
pub struct Media {
    commands: Producer<'static, Command>,
    /// Commands the ring had no room for, in order.
    waiting: VecDeque<Command>,
    events: Consumer<'static, Event>,
    waker: Arc<Waker>,
    /// Until the signalling loop takes it.
    bell: Option<OwnedFd>,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
    rtp_ports: Vec<u16>,
    dirty: bool,
}

impl Media {
    /// Binds the sockets of `ports` ports within the range and starts the thread.
    pub fn start(clock: Clock, ports: u16, range: PortRange) -> Result<Self> {
        let pairs = sockets::bind(ports, range)?;
        let rtp_ports = pairs.iter().map(PortPair::rtp_port).collect();
        let (commands, command_end) = ring::<Command>()?;
        let (event_end, events) = ring::<Event>()?;
        // A pipe, of which the thread's end never blocks: full, it is ringing already.
        let (bell, ringer) =
            pipe2(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).context("a pipe for the bell")?;
        let shared = Arc::new(Shared::default());
        let (thread, waker) =
            thread::Thread::new(clock, pairs, command_end, event_end, ringer, shared.clone())?;
        let thread = std::thread::Builder::new()
            .name("media".into())
            .spawn(move || thread.run())
            .context("the media thread")?;
        Ok(Self {
            commands,
            waiting: VecDeque::new(),
            events,
            waker,
            bell: Some(bell),
            shared,
            thread: Some(thread),
            rtp_ports,
            dirty: false,
        })
    }

    /// RTP port of each media port.
    #[must_use]
    pub fn rtp_ports(&self) -> &[u16] {
        &self.rtp_ports
    }

    /// Readable when there are events; taken once.
    pub fn take_bell(&mut self) -> Option<Receiver> {
        Receiver::from_owned_fd(self.bell.take()?).ok()
    }

    /// Hands a command over, or keeps it until there is room.
    pub fn command(&mut self, command: Command) {
        self.dirty = true;
        if !self.waiting.is_empty() {
            self.waiting.push_back(command);
        } else if let Err(command) = self.commands.enqueue(command) {
            self.waiting.push_back(command);
        }
    }

    /// Wakes the thread where it has something to do.
    pub fn flush(&mut self) {
        while let Some(command) = self.waiting.pop_front() {
            if let Err(command) = self.commands.enqueue(command) {
                self.waiting.push_front(command);
                break;
            }
        }
        if std::mem::take(&mut self.dirty)
            && let Err(error) = self.waker.wake()
        {
            warn!(%error, "the media thread can't be woken; it will look by itself");
        }
    }

    /// The next event.
    pub fn event(&mut self) -> Option<Event> {
        self.events.dequeue()
    }

    /// True where the thread has real-time priority and locked memory.
    #[must_use]
    pub fn is_real_time(&self) -> bool {
        self.shared.real_time.load(Ordering::Relaxed)
    }

    /// Whether the thread runs.
    ///
    /// # Errors
    /// Where it has failed: nobody hears anything any more.
    pub fn check(&self) -> Result<()> {
        let running = self
            .thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished());
        ensure!(running, "the media thread has failed");
        Ok(())
    }

    /// Ends the thread.
    pub fn stop(mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if self.waker.wake().is_ok()
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("the media thread had failed");
        }
        info!(
            late_ticks = self.shared.late_ticks.load(Ordering::Relaxed),
            unsent = self.shared.unsent.load(Ordering::Relaxed),
            "media stopped"
        );
    }
}

fn ring<T: Send + 'static>() -> Result<(Producer<'static, T>, Consumer<'static, T>)> {
    // A box is filled from the stack, and this is much for one: it gets a stack of its own.
    let made = std::thread::Builder::new()
        .stack_size(RING_STACK)
        .spawn(|| Box::new(Queue::<T, RING>::new()))
        .context("a thread that makes a ring")?;
    let queue = made.join().map_err(|_| anyhow!("a ring can't be made"))?;
    // It lives as long as the process does.
    Ok(Box::leak(queue).split())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ended_by_itself_is_noticed() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let _context = runtime.enter();
        let range = PortRange {
            first: 40_000,
            last: 49_999,
        };
        let media = Media::start(Clock::start(), 1, range).expect("a thread");
        media.check().expect("it runs");
        // As if it had failed.
        media.shared.stop.store(true, Ordering::Relaxed);
        media.waker.wake().expect("woken");
        while media.check().is_ok() {
            std::thread::yield_now();
        }
    }
}

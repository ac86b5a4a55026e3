//! A whole exchange with its phones in virtual time.
//!
//! The world owns the clock and carries bytes: between [`Phone`]s, the real [`pbx::Switch`] and the real
//! [`media::Graph`], over a seeded [`Network`]. It goes from event to event; nothing in it reads a clock
//! or draws chance but from its seed, so that the same scenario gives the same tape octet for octet.

mod acts;
mod builder;
mod exchange;
mod finish;
mod looks;
mod wires;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use model::config::Configuration;
use model::control::Notice;
use model::{Binding, CallId, CallRecord, ExtensionId, Instant, OpenCall, WallTime};

pub use builder::Builder;
pub use looks::{assert_hears, assert_silence};

use crate::chance::Chance;
use crate::network::Network;
use crate::phone::{Packet, Phone};
use crate::tape::Tape;
use exchange::Exchange;
use wires::Due;

/// One phone of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneId(pub(crate) usize);

/// One call of one phone; of a phone alone, the call it has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub phone: PhoneId,
    /// Which; none means the one in hand.
    pub index: Option<usize>,
}

impl From<PhoneId> for Line {
    fn from(phone: PhoneId) -> Self {
        Self { phone, index: None }
    }
}

/// Where a phone is in the network.
#[derive(Debug)]
struct Place {
    network: Network,
    /// Its address as the exchange sees it, where that differs.
    nat: Option<IpAddr>,
    /// Ports that have sent something: a NAT lets nothing in by others.
    holes: BTreeSet<u16>,
    /// The exchange's side of its connection.
    stream: Option<SocketAddr>,
    next_ephemeral: u16,
    last_up: Instant,
    last_down: Instant,
}

/// The world.
pub struct World {
    now: Instant,
    exchange: Exchange,
    phones: Vec<Phone>,
    /// When each phone wants to be woken.
    wakes: Vec<Option<Instant>>,
    places: Vec<Place>,
    outside: BTreeMap<IpAddr, PhoneId>,
    due: BinaryHeap<Due>,
    posted: u64,
    chance: Chance,
    tape: Tape,
    default_network: Network,
    configuration: Configuration,
    next_tick: Instant,
    /// What the journal would hold.
    journal: BTreeMap<(ExtensionId, String), Binding>,
    under_way: BTreeMap<CallId, OpenCall>,
    opened: Vec<CallId>,
    closed: BTreeMap<CallId, Vec<CallRecord>>,
    /// Everything told to those who watch.
    pub notices: Vec<Notice>,
    /// Rows of the Security log.
    pub security: Vec<String>,
    /// What the exchange sent to addresses where no phone is.
    pub strays: Vec<(SocketAddr, Vec<u8>)>,
    /// Connections of strangers that the exchange closed, in order.
    pub turned_away: Vec<SocketAddr>,
    /// A datagram to a closed port is reported back, as by ICMP.
    pub icmp: bool,
    /// Phones may complain: they provoke it.
    pub forgiving: bool,
    /// Nothing is said about the octets sent: garbage is echoed.
    pub lenient: bool,
    /// The network was not quiet all the time.
    rough: bool,
    stopped: bool,
    finished: bool,
}

/// The exchange's address.
const EXCHANGE: [u8; 4] = [10, 0, 0, 1];
/// Its SIP port.
const SIP_PORT: u16 = 5060;
/// Its first RTP port.
const RTP_BASE: u16 = 10_000;
/// Midnight of the first day of 2026, UTC.
const WALL: WallTime = WallTime::from_unix_seconds(1_767_225_600);
/// Events at one moment, beyond which the world spins.
const SPIN: u32 = 200_000;

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl World {
    /// A world to be described further.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An exchange with these extensions, each with a phone that is registered.
    #[must_use]
    pub fn of<const N: usize>(numbers: [&str; N]) -> Self {
        Self::builder().extensions(numbers).build()
    }

    /// The virtual time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Civil time in this world.
    #[must_use]
    pub fn wall(&self) -> WallTime {
        WALL + self.now.since(Instant::ZERO)
    }

    /// Lets so many ms pass.
    pub fn run_for(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while self.step(until) {}
        self.now = until;
    }

    /// Lets time pass until `done`; false where that was not within `limit_ms`.
    pub fn run_until(&mut self, mut done: impl FnMut(&Self) -> bool, limit_ms: u64) -> bool {
        let until = self.now + Duration::from_millis(limit_ms);
        loop {
            if done(self) {
                return true;
            }
            if !self.step(until) {
                self.now = until;
                return done(self);
            }
        }
    }

    /// When something happens next.
    fn next_event(&self) -> Option<Instant> {
        let due = self.due.peek().map(|due| due.at);
        let switch = self.exchange.timeout();
        let phones = self.wakes.iter().flatten().min().copied();
        let tick = self.exchange.has_open_ports().then_some(self.next_tick);
        [due, switch, phones, tick].into_iter().flatten().min()
    }

    /// One event, if there is one by `until`.
    fn step(&mut self, until: Instant) -> bool {
        let Some(at) = self.next_event().filter(|at| *at <= until) else {
            return false;
        };
        if at > self.now {
            self.exchange.spins = 0;
            self.now = at;
        }
        self.exchange.spins += 1;
        assert!(
            self.exchange.spins < SPIN,
            "the world spins at {:?}",
            self.now
        );
        let now = self.now;
        if self.due.peek().is_some_and(|due| due.at <= now) {
            if let Some(due) = self.due.pop() {
                self.arrive(due.delivery);
            }
            return true;
        }
        if self.exchange.timeout().is_some_and(|at| at <= now) {
            self.tell(pbx::Input::Timeout);
            return true;
        }
        let phone = (self.wakes.iter()).position(|wake| wake.is_some_and(|at| at <= now));
        if let Some(index) = phone {
            self.phones[index].on_timeout(now);
            self.flush(PhoneId(index));
            return true;
        }
        self.tick();
        true
    }

    /// 20 ms of the media graph.
    fn tick(&mut self) {
        let us = media::TICK.as_micros() as u64;
        let packets = self.exchange.tick(self.now);
        self.next_tick = Instant::from_micros((self.now.as_micros() / us + 1) * us);
        self.send_rtp(packets);
        self.media_events();
    }

    /// Hands an input to the switch and carries out what it wants.
    fn tell(&mut self, input: pbx::Input) {
        self.exchange.switch.handle_input(self.now, input);
        self.carry_out();
        self.media_events();
    }

    /// What the graph has to tell.
    fn media_events(&mut self) {
        while let Some(event) = self.exchange.media_event() {
            self.exchange
                .switch
                .handle_input(self.now, pbx::Input::Media(event));
            self.carry_out();
        }
    }

    /// Sends what a phone has to send.
    fn flush(&mut self, id: PhoneId) {
        while let Some(packet) = self.phones[id.0].poll() {
            match packet {
                Packet::Sip(octets) => self.phone_sends(id, &octets),
                Packet::Rtp { from, to, octets } => self.phone_speaks(id, from, to, &octets),
            }
        }
        self.wakes[id.0] = self.phones[id.0].timeout();
    }

    /// The tape as a ladder.
    #[must_use]
    pub fn tape(&self) -> String {
        self.tape.text()
    }

    /// Who sent what to whom, without times.
    #[must_use]
    pub fn ladder(&self) -> Vec<&str> {
        self.tape.ladder()
    }

    /// Stands for every octet sent so far and its time.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.tape.digest()
    }

    /// Stops where the exchange broke a promise.
    #[expect(clippy::panic, reason = "a broken promise ends the scenario")]
    fn broken(&self, text: &str) -> ! {
        panic!("at {} ms: {text}", self.now.as_millis());
    }
}

/// Lines of the tape that a failed scenario shows.
const SHOWN: usize = 150;

impl Drop for World {
    #[expect(clippy::print_stderr, reason = "the ladder of a failed scenario")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let tape = self.tape();
            let lines: Vec<&str> = tape.lines().collect();
            let tail = &lines[lines.len().saturating_sub(SHOWN)..];
            eprintln!("{}", tail.join("\n"));
        }
    }
}

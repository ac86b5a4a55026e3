//! The client of one port (RFC 2131 §4.4), with a conflict probe (RFC 5227) before an address is used.
//!
//! ```text
//!            ┌───────────────────── NAK, no answer, conflict ──────────────────┐
//!            ▼                                                                 │
//!   Down ─► Init ─DISCOVER─► Selecting ─OFFER/REQUEST─► Requesting ─ACK─► Probing ─► Bound
//!    ▲                                                                               │ T1
//!    │ cable out                               Init ◄─end─ Rebinding ◄─T2─ Renewing ◄┘
//!    │                                                        │ ACK           │ ACK
//!   any                                                       └─► Bound ◄─────┘
//!
//!   cable in, with a lease ─REQUEST─► Rebooting ─ACK, or no answer─► Bound
//! ```
//!
//! Whole Ethernet frames go in and out. Messages to one server go to the station that its frames came
//! from, which is the server or the router to it: so no ARP is needed.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::VecDeque;

use model::Instant;
use model::system::InterfaceAddress;

use super::message::{
    Answer, Heard, Mac, Message, Reply, Word, arp_announcement, arp_probe, frame, read,
};

/// The first wait for an answer, doubled up to [`LONGEST_WAIT`] (RFC 2131 §4.1).
const FIRST_WAIT: Duration = Duration::from_secs(4);
const LONGEST_WAIT: Duration = Duration::from_secs(64);

/// Each wait is off by up to this, so that a site that gets its power back doesn't ask in step.
const JITTER: Duration = Duration::from_secs(1);

/// The start is spread over this: shorter than the RFC's ten seconds, since people wait for it.
const SPREAD: Duration = Duration::from_millis(500);

/// REQUESTs before the offer is given up: after 4 + 8 + 16 s another server may be better.
const REQUESTS: u32 = 3;

/// REQUESTs for a lease of before: where nobody answers, it still holds (RFC 2131 §3.2).
const REBOOT_REQUESTS: u32 = 2;

/// Probes for a conflict and the wait after each. The RFC's 4 to 7 s are for links between strangers;
/// here a server has just said that the address is free.
const PROBES: u32 = 2;
const PROBE_WAIT: Duration = Duration::from_millis(500);

/// Before an address is asked for again after a conflict (RFC 2131 §3.1, step 5).
const AFTER_CONFLICT: Duration = Duration::from_secs(10);

/// Without a lease for so long, [`Event::Unanswered`] says so: a person who waits looks for the box
/// about then.
const UNANSWERED: Duration = Duration::from_secs(15);

/// Renewals aren't repeated more often (RFC 2131 §4.4.5).
const SHORTEST_RENEWAL: Duration = Duration::from_secs(60);

/// A lease that is shorter would be renewed all the time.
const SHORTEST_LEASE_S: u32 = 30;

/// A lease without an end.
const FOR_EVER: u32 = u32::MAX;

/// An address that was leased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address and its network.
    pub address: InterfaceAddress,
    /// The router.
    pub router: Option<Ipv4Addr>,
    /// Name servers, the first asked first.
    pub dns: Vec<Ipv4Addr>,
    /// The domain of the network.
    pub domain: Option<String>,
    /// Who leased it.
    pub server: Ipv4Addr,
    /// When it ends; never where there is nothing.
    pub until: Option<Instant>,
    server_mac: Mac,
    t1: Option<Instant>,
    t2: Option<Instant>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// This address may be used from now on, and no other.
    Leased(Lease),
    /// The address must not be used any more.
    Lost,
    /// No lease came for a while; the client goes on trying.
    Unanswered,
}

/// What the client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this frame.
    Transmit(Vec<u8>),
    /// Take note.
    Event(Event),
}

#[derive(Clone, Debug)]
enum State {
    /// No cable.
    Down,
    /// Nothing asked yet.
    Init { until: Instant },
    /// DISCOVER was sent.
    Selecting { tries: u32, until: Instant },
    /// REQUEST was sent for an offer.
    Requesting {
        offer: Reply,
        tries: u32,
        until: Instant,
    },
    /// It is ours if nobody else has it.
    Probing {
        lease: Lease,
        probes: u32,
        until: Instant,
    },
    /// REQUEST was sent for the lease of before.
    Rebooting { tries: u32, until: Instant },
    /// In use.
    Bound,
    /// In use; its server is asked for more time.
    Renewing { until: Instant },
    /// In use; any server is asked for more time.
    Rebinding { until: Instant },
}

/// The client of one port.
#[derive(Clone, Debug)]
pub struct Client {
    mac: Mac,
    host_name: String,
    chance: Chance,
    state: State,
    lease: Option<Lease>,
    xid: u32,
    began: Instant,
    /// When [`Event::Unanswered`] is due.
    unanswered: Option<Instant>,
    /// Offers in a row that were taken back.
    refused: u32,
    outputs: VecDeque<Output>,
}

impl Client {
    /// For the port with this hardware address, on a machine of this name (its first label is told to
    /// the server). `seed` is for what has to differ between machines.
    #[must_use]
    pub fn new(now: Instant, mac: Mac, host_name: &str, seed: u64) -> Self {
        let label = host_name.split('.').next().unwrap_or_default();
        let mixed = mac.iter().fold(seed, |seed, &octet| {
            seed.wrapping_mul(0x0100_0000_01B3) ^ u64::from(octet)
        });
        Self {
            mac,
            host_name: label.to_owned(),
            chance: Chance(mixed),
            state: State::Down,
            lease: None,
            xid: 0,
            began: now,
            unanswered: Some(now + UNANSWERED),
            refused: 0,
            outputs: VecDeque::new(),
        }
    }

    /// The lease in use.
    #[must_use]
    pub const fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// A cable was plugged in, or out.
    pub fn handle_carrier(&mut self, now: Instant, carrier: bool) {
        match (carrier, &self.state) {
            (true, State::Down) if self.lease.is_some() => {
                // It may be another network: asked before it is relied on for long.
                self.begin(now);
                self.reboot(now, 1);
            }
            (true, State::Down) => self.start(now, SPREAD),
            (false, _) => {
                self.state = State::Down;
                self.refused = 0;
            }
            (true, _) => {}
        }
    }

    /// A frame came in.
    pub fn handle_frame(&mut self, now: Instant, octets: &[u8]) {
        match read(octets, self.mac) {
            Some(Heard::Reply(reply)) if reply.xid == self.xid => self.handle_reply(now, reply),
            Some(Heard::Arp { mac, own, target }) => self.handle_arp(now, mac, own, target),
            Some(Heard::Reply(_)) | None => {}
        }
    }

    /// The time of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.unanswered.is_some_and(|at| at <= now) {
            self.unanswered = None;
            self.tell(Event::Unanswered);
        }
        let ended = (self.lease.as_ref())
            .and_then(|lease| lease.until)
            .is_some_and(|until| until <= now);
        if ended {
            self.lose(now);
            if !matches!(self.state, State::Down) {
                self.start(now, SPREAD);
            }
            return;
        }
        if self.state_timeout().is_none_or(|at| at > now) {
            return;
        }
        match self.state.clone() {
            State::Down => {}
            State::Init { .. } => {
                self.new_exchange();
                self.discover(now, 1);
            }
            State::Selecting { tries, .. } => self.discover(now, tries + 1),
            State::Requesting { tries, .. } if tries >= REQUESTS => {
                self.start(now, SPREAD);
            }
            State::Requesting { offer, tries, .. } => self.request(now, offer, tries + 1),
            State::Probing { lease, probes, .. } if probes >= PROBES => self.bind(lease),
            State::Probing { lease, probes, .. } => self.probe(now, lease, probes + 1),
            State::Rebooting { tries, .. } if tries >= REBOOT_REQUESTS => {
                self.state = State::Bound;
                if self.state_timeout().is_some_and(|t1| t1 <= now) {
                    self.renew(now);
                }
            }
            State::Rebooting { tries, .. } => self.reboot(now, tries + 1),
            State::Bound => {
                self.new_exchange();
                self.begin(now);
                self.renew(now);
            }
            State::Renewing { .. } | State::Rebinding { .. } => self.renew(now),
        }
    }

    /// What the client wants next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let lease_end = self.lease.as_ref().and_then(|lease| lease.until);
        [self.state_timeout(), self.unanswered, lease_end]
            .into_iter()
            .flatten()
            .min()
    }

    /// Gives the address back: the port is to be used otherwise. The client is of no use after that.
    pub fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.new_exchange();
            self.transmit(frame(&Message {
                own: Some(lease.address.address()),
                server: Some(lease.server),
                to: Some((lease.server_mac, lease.server)),
                ..self.message(Word::Release, 0)
            }));
        }
        self.unanswered = None;
        self.state = State::Down;
    }

    fn state_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Down => None,
            State::Init { until }
            | State::Selecting { until, .. }
            | State::Requesting { until, .. }
            | State::Probing { until, .. }
            | State::Rebooting { until, .. }
            | State::Renewing { until }
            | State::Rebinding { until } => Some(*until),
            State::Bound => self.lease.as_ref()?.t1,
        }
    }

    fn handle_reply(&mut self, now: Instant, reply: Reply) {
        match (self.state.clone(), reply.answer) {
            (State::Selecting { .. }, Answer::Offer) => {
                if self.lease_of(now, &reply).is_some() {
                    self.request(now, reply, 1);
                }
            }
            (State::Requesting { offer, .. }, Answer::Ack) => {
                if let Some(lease) = self.lease_of(now, &reply)
                    && reply.server == offer.server
                {
                    self.probe(now, lease, 1);
                }
            }
            (State::Requesting { offer, .. }, Answer::Nak) => {
                if reply.server == offer.server {
                    self.start_refused(now);
                }
            }
            (
                State::Rebooting { .. } | State::Renewing { .. } | State::Rebinding { .. },
                Answer::Ack,
            ) => {
                self.extend(now, &reply);
            }
            (
                State::Rebooting { .. } | State::Renewing { .. } | State::Rebinding { .. },
                Answer::Nak,
            ) => {
                self.lose(now);
                self.start(now, SPREAD);
            }
            (State::Down | State::Init { .. } | State::Probing { .. } | State::Bound, _)
            | (State::Selecting { .. }, Answer::Ack | Answer::Nak)
            | (
                State::Requesting { .. }
                | State::Rebooting { .. }
                | State::Renewing { .. }
                | State::Rebinding { .. },
                Answer::Offer,
            ) => {}
        }
    }

    fn handle_arp(&mut self, now: Instant, mac: Mac, own: Ipv4Addr, target: Ipv4Addr) {
        let State::Probing { lease, .. } = &self.state else {
            return;
        };
        let address = lease.address.address();
        let is_taken = own == address || (own.is_unspecified() && target == address);
        if mac == self.mac || !is_taken {
            return;
        }
        let server = lease.server;
        self.transmit(frame(&Message {
            requested: Some(address),
            server: Some(server),
            ..self.message(Word::Decline, 0)
        }));
        if self.lease.is_some() {
            self.lose(now);
        }
        self.start(now, SPREAD);
        self.state = State::Init {
            until: now + AFTER_CONFLICT,
        };
    }

    /// What a reply gives, where a machine can use it.
    fn lease_of(&self, now: Instant, reply: &Reply) -> Option<Lease> {
        let prefix_len = match reply.mask {
            Some(mask) => InterfaceAddress::prefix_of(mask)?,
            None => prefix_of_class(reply.address),
        };
        let seconds = reply.lease_s.filter(|&seconds| seconds > 0)?;
        // An offer says how long, an ACK is what counts; both count from the last request.
        let after = |seconds: u32| now + Duration::from_secs(seconds.into());
        let lease_s = seconds.max(SHORTEST_LEASE_S);
        let half_s = lease_s / 2;
        // A server that says "at once" would be asked again with each answer.
        let shortest_s = u32::try_from(SHORTEST_RENEWAL.as_secs()).unwrap_or(u32::MAX);
        let least_s = half_s.min(shortest_s);
        let t2_s = (reply.t2_s.filter(|t2| (least_s..lease_s).contains(t2)))
            .unwrap_or(lease_s - lease_s / 8);
        let t1_s = (reply.t1_s.filter(|t1| (least_s..t2_s).contains(t1)))
            .unwrap_or(half_s)
            .min(t2_s);
        let ends = seconds != FOR_EVER;
        Some(Lease {
            address: InterfaceAddress::new(reply.address, prefix_len).ok()?,
            router: reply.router,
            dns: reply.dns.clone(),
            domain: reply.domain.clone(),
            server: reply.server?,
            server_mac: reply.from,
            t1: ends.then(|| after(t1_s)),
            t2: ends.then(|| after(t2_s)),
            until: ends.then(|| after(lease_s)),
        })
    }

    /// More time for the lease. A server that gives another address than was asked for is passed over
    /// (RFC 2131 §4.4.5).
    fn extend(&mut self, now: Instant, reply: &Reply) {
        let own = self.lease.as_ref().map(|lease| lease.address.address());
        if let Some(lease) = self.lease_of(now, reply)
            && own == Some(lease.address.address())
        {
            self.state = State::Bound;
            self.lease = Some(lease.clone());
            self.tell(Event::Leased(lease));
        }
    }

    fn bind(&mut self, lease: Lease) {
        self.state = State::Bound;
        self.unanswered = None;
        self.refused = 0;
        let announcement = arp_announcement(self.mac, lease.address.address());
        self.lease = Some(lease.clone());
        self.tell(Event::Leased(lease));
        self.transmit(announcement);
    }

    fn lose(&mut self, now: Instant) {
        if self.lease.take().is_some() {
            self.unanswered = Some(now + UNANSWERED);
            self.tell(Event::Lost);
        }
    }

    /// From the beginning, within a while.
    fn start(&mut self, now: Instant, within: Duration) {
        self.begin(now);
        self.state = State::Init {
            until: now + self.chance.up_to(within),
        };
    }

    /// From the beginning, after an offer that was taken back: at once for the first. Two servers that
    /// disagree would say so again and again, and everybody hears it.
    fn start_refused(&mut self, now: Instant) {
        self.start(now, SPREAD);
        if self.refused > 0 {
            self.state = State::Init {
                until: now + self.wait(self.refused),
            };
        }
        self.refused = self.refused.saturating_add(1);
    }

    fn begin(&mut self, now: Instant) {
        self.began = now;
        self.new_exchange();
    }

    fn new_exchange(&mut self) {
        self.xid = u32::try_from(self.chance.next() >> 32).unwrap_or(0);
    }

    fn discover(&mut self, now: Instant, tries: u32) {
        self.transmit(frame(&self.message(Word::Discover, self.secs(now))));
        self.state = State::Selecting {
            tries,
            until: now + self.wait(tries),
        };
    }

    fn request(&mut self, now: Instant, offer: Reply, tries: u32) {
        self.transmit(frame(&Message {
            requested: Some(offer.address),
            server: offer.server,
            ..self.message(Word::Request, self.secs(now))
        }));
        self.state = State::Requesting {
            offer,
            tries,
            until: now + self.wait(tries),
        };
    }

    fn probe(&mut self, now: Instant, lease: Lease, probes: u32) {
        let probe = arp_probe(self.mac, lease.address.address());
        self.transmit(probe);
        self.state = State::Probing {
            lease,
            probes,
            until: now + PROBE_WAIT,
        };
    }

    fn reboot(&mut self, now: Instant, tries: u32) {
        let requested = self.lease.as_ref().map(|lease| lease.address.address());
        self.transmit(frame(&Message {
            requested,
            ..self.message(Word::Request, self.secs(now))
        }));
        self.state = State::Rebooting {
            tries,
            until: now + self.wait(tries),
        };
    }

    /// Asks for more time: the server up to T2, then every one. Repeated after half of what is left.
    fn renew(&mut self, now: Instant) {
        let Some(lease) = self.lease.clone() else {
            return self.start(now, SPREAD);
        };
        let renews = lease.t2.is_none_or(|t2| now < t2);
        self.transmit(frame(&Message {
            own: Some(lease.address.address()),
            to: renews.then_some((lease.server_mac, lease.server)),
            ..self.message(Word::Request, self.secs(now))
        }));
        let limit = if renews { lease.t2 } else { lease.until };
        let left = limit.map_or(SHORTEST_RENEWAL, |limit| limit - now);
        let next = now + (left / 2).max(SHORTEST_RENEWAL);
        // T2 and the end are kept however short what is left is.
        let until = limit.map_or(next, |limit| next.min(limit));
        self.state = if renews {
            State::Renewing { until }
        } else {
            State::Rebinding { until }
        };
    }

    fn wait(&mut self, tries: u32) -> Duration {
        let wait = FIRST_WAIT.saturating_mul(1 << (tries - 1).min(10));
        wait.min(LONGEST_WAIT) - JITTER + self.chance.up_to(JITTER * 2)
    }

    fn secs(&self, now: Instant) -> u16 {
        u16::try_from((now - self.began).as_secs()).unwrap_or(u16::MAX)
    }

    fn message(&self, word: Word, secs: u16) -> Message<'_> {
        Message {
            word,
            xid: self.xid,
            secs,
            mac: self.mac,
            own: None,
            requested: None,
            server: None,
            to: None,
            host_name: &self.host_name,
        }
    }

    fn transmit(&mut self, octets: Vec<u8>) {
        self.outputs.push_back(Output::Transmit(octets));
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

/// The network of an address whose mask nobody said (RFC 791 §3.2).
fn prefix_of_class(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0..=127 => 8,
        128..=191 => 16,
        192.. => 24,
    }
}

/// What differs from machine to machine: the generator SplitMix64, which takes any seed.
#[derive(Clone, Debug)]
struct Chance(u64);

impl Chance {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next() % most.saturating_add(1))
    }
}

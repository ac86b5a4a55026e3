//! Datagrams of sources that nobody knows, and messages on connections that have proved nothing: how many
//! are looked at. The rest is passed over before it is read, at the price of one look into a table; a
//! connection is closed.
//!
//! ```text
//!   stranger --login, request or answer in a dialog--> known for an hour since the last: no limit
//!      | 50 a second, 200 at once; beyond: passed over
//! ```
//! Anybody can send a datagram in another's name, and nobody can open a connection so: what came in datagrams
//! does not count against connections.
//!
//! The limit is for those who only ask. An office of thousands of phones behind one address is known
//! from its first login on, which a burst leaves room for; and phones that were registered before a
//! restart are known at once. A source is an IPv4 address or an IPv6 network of 64 bits, since who has
//! one address of such a network has them all.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;

use model::{Flow, Instant};

use super::Seeded;

/// Time of one: 50 a second. A stranger needs two for a login.
const EACH: Duration = Duration::from_millis(20);
/// How many at once, as time: 200. The phones of an office that all start together send each one before
/// the first is answered; those passed over come again after T1, when the address is known.
const BURST: Duration = Duration::from_secs(4);
/// How long a source stays known: as long as the longest registration that the exchange grants.
const KNOWN: Duration = Duration::from_secs(3600);
/// How long it counts as just shown.
const NOTED: Duration = Duration::from_mins(1);
/// Sources of each kind that are remembered: twice as many at most. More known ones than the exchange may
/// have extensions (20,000), so that these are never forgotten for strangers or one another.
const REMEMBERED: usize = 32_768;

/// Where datagrams come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => {
                let network = v6.to_bits() >> 64;
                Self::V6(u64::try_from(network).unwrap_or(0))
            }
        }
    }
}

/// A stranger, by the generic cell rate algorithm (ITU-T I.371, Annex A).
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it will be empty.
    empty: Instant,
    /// It has been told of.
    told: bool,
}

/// What to do with what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is of one who is known, or within the limit.
    Admit,
    /// It is beyond it. `first`: the one before was not.
    Ignore {
        /// The one before was not.
        first: bool,
    },
}

/// The sources.
#[derive(Debug)]
pub(super) struct Sources {
    /// Until when.
    known: Generations<Instant>,
    /// By datagrams.
    strangers: Generations<Bucket>,
    /// On connections.
    callers: Generations<Bucket>,
}

impl Sources {
    pub(super) fn new(seeded: Seeded) -> Self {
        Self {
            known: Generations::new(seeded),
            strangers: Generations::new(seeded),
            callers: Generations::new(seeded),
        }
    }

    /// Something came.
    pub(super) fn admit(&mut self, now: Instant, flow: Flow) -> Verdict {
        if self.is_known(now, flow.remote.ip()) {
            return Verdict::Admit;
        }
        let source = Source::from(flow.remote.ip());
        let fresh = Bucket {
            empty: now,
            told: false,
        };
        let strangers = if flow.transport.is_stream() {
            &mut self.callers
        } else {
            &mut self.strangers
        };
        let bucket = strangers.entry(source, fresh);
        if bucket.empty <= now {
            *bucket = fresh;
        }
        if bucket.empty.since(now) + EACH > BURST {
            return Verdict::Ignore {
                first: !core::mem::replace(&mut bucket.told, true),
            };
        }
        bucket.empty += EACH;
        Verdict::Admit
    }

    /// Whether it has shown so within the hour.
    pub(super) fn is_known(&self, now: Instant, address: IpAddr) -> bool {
        (self.known.get(Source::from(address))).is_some_and(|until| *until > now)
    }

    /// The source has shown that it belongs here. Every message of a call does: it is noted anew once a
    /// minute only.
    pub(super) fn prove(&mut self, now: Instant, address: IpAddr) {
        let source = Source::from(address);
        let lasts = |until: &Instant| *until > now + (KNOWN - NOTED);
        if !self.known.get(source).is_some_and(lasts) {
            let until = now + KNOWN;
            *self.known.entry(source, until) = until;
        }
    }
}

/// A map that forgets what was not asked for longest: where the young are many, the old go and the young
/// are the old. So forgetting costs nothing at the time of a datagram.
#[derive(Debug)]
struct Generations<V> {
    young: HashMap<Source, V, Seeded>,
    old: HashMap<Source, V, Seeded>,
}

impl<V: Copy> Generations<V> {
    fn new(seeded: Seeded) -> Self {
        Self {
            young: HashMap::with_hasher(seeded),
            old: HashMap::with_hasher(seeded),
        }
    }

    fn get(&self, source: Source) -> Option<&V> {
        self.young.get(&source).or_else(|| self.old.get(&source))
    }

    /// The value of a source, young from now on.
    fn entry(&mut self, source: Source, new: V) -> &mut V {
        if !self.young.contains_key(&source) && self.young.len() >= REMEMBERED {
            core::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        let old = &self.old;
        self.young
            .entry(source)
            .or_insert_with(|| old.get(&source).copied().unwrap_or(new))
    }
}

#[cfg(test)]
mod tests {
    use model::Transport;

    use super::*;

    fn sources() -> Sources {
        Sources::new(Seeded::new([7; 32]))
    }

    fn v4(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    fn from(transport: Transport, address: IpAddr) -> Flow {
        Flow {
            transport,
            local: ([192, 0, 2, 1], 5060).into(),
            remote: (address, 5060).into(),
        }
    }

    fn admit(sources: &mut Sources, ms: u64, address: IpAddr) -> Verdict {
        sources.admit(Instant::from_millis(ms), from(Transport::Udp, address))
    }

    fn taken(sources: &mut Sources, ms: u64, address: IpAddr, datagrams: usize) -> usize {
        (0..datagrams)
            .filter(|_| admit(sources, ms, address) == Verdict::Admit)
            .count()
    }

    #[test]
    fn a_stranger_has_a_burst_and_then_fifty_a_second() {
        let mut sources = sources();
        assert_eq!(taken(&mut sources, 0, v4(1), 1000), 200);
        assert_eq!(taken(&mut sources, 1000, v4(1), 1000), 50);
        assert_eq!(taken(&mut sources, 1019, v4(1), 1000), 0);
        assert_eq!(taken(&mut sources, 1020, v4(1), 1000), 1);
        assert_eq!(
            taken(&mut sources, 1020, v4(2), 1000),
            200,
            "each for itself"
        );
        assert_eq!(
            taken(&mut sources, 60_000, v4(1), 1000),
            200,
            "after a pause"
        );
    }

    #[test]
    fn datagrams_in_its_name_do_not_count_against_its_connections() {
        let mut sources = sources();
        assert_eq!(taken(&mut sources, 0, v4(1), 1000), 200);
        let mut on_connections = |transport, count: usize| {
            (0..count)
                .filter(|_| {
                    let flow = from(transport, v4(1));
                    sources.admit(Instant::ZERO, flow) == Verdict::Admit
                })
                .count()
        };
        assert_eq!(on_connections(Transport::Tls, 150), 150);
        assert_eq!(on_connections(Transport::Tcp, 1000), 50);
    }

    #[test]
    fn it_is_told_once() {
        let mut sources = sources();
        let mut told = |ms| {
            (0..1000)
                .filter(|_| admit(&mut sources, ms, v4(1)) == Verdict::Ignore { first: true })
                .count()
        };
        assert_eq!((told(0), told(10), told(1000)), (1, 0, 0));
        assert_eq!(told(5001), 1, "it was quiet for as long as the burst lasts");
    }

    #[test]
    fn the_addresses_of_one_network_are_one_source() {
        let mut sources = sources();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(taken(&mut sources, 0, address("2001:db8::1"), 200), 200);
        assert_eq!(taken(&mut sources, 0, address("2001:db8::2"), 10), 0);
        assert_eq!(taken(&mut sources, 0, address("2001:db8:0:1::1"), 10), 10);
        assert_eq!(taken(&mut sources, 0, address("192.0.2.1"), 200), 200);
        assert_eq!(taken(&mut sources, 0, address("::ffff:192.0.2.1"), 10), 0);
    }

    #[test]
    fn who_is_known_has_no_limit_for_an_hour() {
        let mut sources = sources();
        sources.prove(Instant::ZERO, v4(1));
        assert_eq!(taken(&mut sources, 3_599_999, v4(1), 1000), 1000);
        assert_eq!(taken(&mut sources, 3_600_000, v4(1), 1000), 200);
    }

    #[test]
    fn who_shows_it_again_stays_known() {
        let mut sources = sources();
        let at = |minutes: u64| minutes * 60_000;
        for minutes in [0, 29] {
            sources.prove(Instant::from_millis(at(minutes)), v4(1));
        }
        assert_eq!(taken(&mut sources, at(89) - 1, v4(1), 1000), 1000);
        assert_eq!(taken(&mut sources, at(89), v4(1), 1000), 200);
        for minutes in [90, 119, 121, 180] {
            sources.prove(Instant::from_millis(at(minutes)), v4(1));
        }
        assert_eq!(taken(&mut sources, at(240) - 1, v4(1), 1000), 1000);
        assert_eq!(taken(&mut sources, at(240), v4(1), 1000), 200);
    }

    #[test]
    fn strangers_are_bounded_and_push_out_nobody_who_is_known() {
        let mut sources = sources();
        sources.prove(Instant::ZERO, v4(1));
        for stranger in 2..200_000 {
            admit(&mut sources, 0, v4(stranger));
        }
        let remembered = sources.strangers.young.len() + sources.strangers.old.len();
        assert!(remembered <= 2 * REMEMBERED, "{remembered}");
        assert_eq!(taken(&mut sources, 0, v4(1), 1000), 1000);
        // One that goes on all the time is not forgotten among them.
        let mut passed = 0;
        for stranger in 2..200_000 {
            admit(&mut sources, 0, v4(stranger));
            passed += taken(&mut sources, 0, v4(u32::MAX), 1);
        }
        assert_eq!(passed, 200);
    }
}

//! The client in a network of virtual time.

use core::net::Ipv4Addr;
use core::time::Duration;

use model::Instant;
use proptest::prelude::*;
use smoltcp::wire::DhcpMessageType as Word;

use super::client::{Client, Event, Lease, Output};
use super::message::{Heard, Mac, arp, read};
use super::server::{SERVER_MAC, Said, Server, listen};

const MAC: Mac = [2, 0, 0, 0, 0, 1];
const STRANGER: Mac = [2, 0, 0, 0, 0, 9];

/// A lease as this server gives it, for tests of what comes of it.
pub(in super::super) fn lease(address: &str, router: Option<&str>) -> Lease {
    let address: model::system::InterfaceAddress = address.parse().expect("an address");
    let [a, b, c, d] = address.address().octets();
    let mut server = Server::new([a, b, c]);
    server.next = Ipv4Addr::new(a, b, c, d);
    let mut world = World::new(server, 0, 1);
    world.run(5);
    let mut lease = world.client.lease().expect("a lease").clone();
    lease.address = address;
    lease.router = router.map(|text| text.parse().expect("an address"));
    lease
}

struct World {
    now: Instant,
    client: Client,
    server: Server,
    /// Frames under way: when they arrive, whether at the client, and what they are.
    wire: Vec<(Instant, bool, Vec<u8>)>,
    /// Of a hundred.
    loss: u64,
    chance: u64,
    events: Vec<(u64, Event)>,
    /// What the client said, lost or not, with the millisecond.
    said: Vec<(u64, Said)>,
    arps: Vec<(u64, Ipv4Addr, Ipv4Addr)>,
    /// An address that somebody has who doesn't ask the server.
    squatter: Option<Ipv4Addr>,
}

impl World {
    fn new(server: Server, loss: u64, seed: u64) -> Self {
        let now = Instant::from_millis(1000);
        let mut client = Client::new(now, MAC, "box.example.com", seed);
        client.handle_carrier(now, true);
        Self {
            now,
            client,
            server,
            wire: Vec::new(),
            loss,
            chance: seed | 1,
            events: Vec::new(),
            said: Vec::new(),
            arps: Vec::new(),
            squatter: None,
        }
    }

    fn random(&mut self) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance
    }

    fn send(&mut self, to_client: bool, frame: Vec<u8>) {
        if self.random() % 100 >= self.loss {
            let delay = Duration::from_millis(1 + self.random() % 20);
            self.wire.push((self.now + delay, to_client, frame));
        }
    }

    fn drain(&mut self) {
        let at = self.now.as_millis();
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Event(event) => self.events.push((at, event)),
                Output::Transmit(frame) => {
                    self.said.extend(listen(&frame).map(|said| (at, said)));
                    if let Some(Heard::Arp { own, target, .. }) = read(&frame, STRANGER) {
                        self.arps.push((at, own, target));
                    }
                    self.send(false, frame);
                }
            }
        }
    }

    /// Lets so many seconds pass.
    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        self.drain();
        loop {
            let arrival = self.wire.iter().map(|(at, _, _)| *at).min();
            let timeout = self.client.poll_timeout();
            let Some(next) = [arrival, timeout].into_iter().flatten().min() else {
                break;
            };
            if next > end {
                break;
            }
            assert!(next >= self.now || timeout == Some(next), "time goes on");
            self.now = self.now.max(next);
            if timeout == Some(next) {
                self.client.handle_timeout(self.now);
                let again = self.client.poll_timeout();
                assert!(again.is_none_or(|at| at > self.now), "it would spin");
            } else if let Some(index) = self.wire.iter().position(|(at, _, _)| *at == next) {
                let (_, to_client, frame) = self.wire.remove(index);
                self.arrive(to_client, &frame);
            }
            self.drain();
        }
        self.now = end;
    }

    fn arrive(&mut self, to_client: bool, frame: &[u8]) {
        if to_client {
            self.client.handle_frame(self.now, frame);
            return;
        }
        if let Some(Heard::Arp { target, .. }) = read(frame, STRANGER)
            && self.squatter == Some(target)
        {
            self.send(true, arp(STRANGER, target, target));
        }
        if let Some(answer) = self.server.handle(frame) {
            self.send(true, answer);
        }
    }

    fn address(&self) -> Option<Ipv4Addr> {
        self.client.lease().map(|lease| lease.address.address())
    }

    fn words(&self) -> Vec<Word> {
        self.said.iter().map(|(_, said)| said.word).collect()
    }

    fn has_lost(&self) -> bool {
        self.events.iter().any(|(_, event)| *event == Event::Lost)
    }
}

fn site() -> Server {
    Server::new([192, 168, 5])
}

fn nth(last: u8) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::new(192, 168, 5, last))
}

#[test]
fn an_address_is_asked_for_probed_and_announced() {
    let mut world = World::new(site(), 0, 7);
    world.run(3);
    let lease = world.client.lease().expect("a lease").clone();
    assert_eq!(lease.address.to_string(), "192.168.5.100/24");
    assert_eq!(lease.router, nth(1));
    assert_eq!(lease.dns, [Ipv4Addr::new(192, 168, 5, 53)]);
    assert_eq!(lease.domain.as_deref(), Some("example.com"));
    assert_eq!(world.words(), [Word::Discover, Word::Request]);
    let request = &world.said[1].1;
    assert_eq!((request.requested, request.server), (nth(100), nth(1)));
    assert_eq!(request.xid, world.said[0].1.xid);
    assert_eq!(request.host_name.as_deref(), Some("box"));
    assert_eq!(request.asked_for, [1, 3, 6, 12, 15, 51, 58, 59]);
    let [(at, event)] = world.events.as_slice() else {
        panic!("one event: {:?}", world.events);
    };
    assert_eq!(*event, Event::Leased(lease));
    let unspecified = Ipv4Addr::UNSPECIFIED;
    let address = Ipv4Addr::new(192, 168, 5, 100);
    let owners: Vec<_> = world.arps.iter().map(|(_, own, _)| *own).collect();
    assert_eq!(owners, [unspecified, unspecified, address]);
    assert!(world.arps[1].0 < *at, "it is probed before it is used");
    assert!(world.arps.iter().all(|(_, _, target)| *target == address));
}

#[test]
fn waits_double_and_are_never_the_same() {
    let mut server = site();
    server.silent = true;
    let mut world = World::new(server, 0, 3);
    world.run(300);
    let at: Vec<u64> = world.said.iter().map(|(at, _)| *at).collect();
    let gaps: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (gap, expected) in gaps.iter().zip([4, 8, 16, 32, 64, 64]) {
        let range = (expected - 1) * 1000..=(expected + 1) * 1000;
        assert!(range.contains(gap), "{gaps:?}");
    }
    assert!(gaps.len() >= 6, "it goes on: {gaps:?}");
    assert!(world.words().iter().all(|word| *word == Word::Discover));
}

#[test]
fn where_nobody_answers_it_says_so_after_15_seconds_and_goes_on() {
    let mut server = site();
    server.silent = true;
    let mut world = World::new(server, 0, 3);
    world.run(60);
    assert_eq!(world.events, [(16_000, Event::Unanswered)]);
    world.server.silent = false;
    world.run(70);
    assert!(matches!(world.events[1].1, Event::Leased(_)));
    assert_eq!(world.events.len(), 2);
}

#[test]
fn without_a_cable_nothing_is_sent_and_the_fallback_comes_nevertheless() {
    let mut world = World::new(site(), 0, 3);
    world.client.handle_carrier(world.now, false);
    world.run(60);
    assert!(world.said.is_empty());
    assert_eq!(world.events, [(16_000, Event::Unanswered)]);
    world.client.handle_carrier(world.now, true);
    world.run(5);
    assert_eq!(world.address(), nth(100));
}

#[test]
fn on_a_bad_network_a_lease_comes_and_is_kept() {
    for seed in 1..=100 {
        let mut world = World::new(site(), 20, seed);
        world.run(400);
        let address = world.address();
        assert!(address.is_some(), "seed {seed}: {:?}", world.words());
        let given = world.server.given.get(&MAC).copied();
        assert_eq!(address, given, "seed {seed}");
        // Ten times the lease; with a fifth of all frames lost, ten tries each time.
        world.run(10 * 3600);
        assert!(!world.has_lost(), "seed {seed}");
        assert_eq!(world.address(), given, "seed {seed}");
    }
}

#[test]
fn a_lease_is_renewed_at_half_its_time_with_its_own_server() {
    let mut world = World::new(site(), 0, 5);
    world.run(10);
    let before = world.said.len();
    world.run(1800);
    let [(_, renewal)] = &world.said[before..] else {
        panic!("one renewal: {:?}", world.words());
    };
    assert_eq!(renewal.word, Word::Request);
    assert_eq!((Some(renewal.own), renewal.requested), (nth(100), None));
    assert_eq!((renewal.to_mac, Some(renewal.to)), (SERVER_MAC, nth(1)));
    assert_eq!(renewal.server, None, "RFC 2131 §4.3.2");
    let until = world.client.lease().and_then(|lease| lease.until);
    assert!(until.is_some_and(|until| until > world.now + Duration::from_secs(3500)));
}

#[test]
fn the_server_says_when_a_lease_is_renewed() {
    let mut server = site();
    server.options = vec![
        (58, 600_u32.to_be_bytes().to_vec()),
        (59, 900_u32.to_be_bytes().to_vec()),
    ];
    let mut world = World::new(server, 0, 5);
    world.run(10);
    world.server.silent = true;
    let before = world.said.len();
    world.run(1000);
    let later = &world.said[before..];
    assert!((599_000..=606_000).contains(&(later[0].0)), "{later:?}");
    let to_everyone = later.iter().find(|(_, said)| said.to_mac != SERVER_MAC);
    let (at, rebinding) = to_everyone.expect("any server is asked");
    assert!((899_000..=906_000).contains(at), "{at}");
    assert_eq!(Some(rebinding.own), nth(100));
}

#[test]
fn a_server_that_wants_a_lease_renewed_all_the_time_is_not_obeyed() {
    for (t1, t2) in [(0, 900), (1, 3000), (0, 0)] {
        let mut server = site();
        server.options = vec![
            (58, u32::to_be_bytes(t1).to_vec()),
            (59, u32::to_be_bytes(t2).to_vec()),
        ];
        let mut world = World::new(server, 0, 5);
        world.run(10);
        let before = world.said.len();
        world.run(3000);
        let renewals = world.said.len() - before;
        assert!((1..=3).contains(&renewals), "{renewals}");
    }
}

#[test]
fn a_lease_that_nobody_extends_ends() {
    let mut world = World::new(site(), 0, 5);
    world.run(10);
    world.server.silent = true;
    let until = world.client.lease().and_then(|lease| lease.until);
    let until = until.expect("it ends").as_millis();
    world.run(3500);
    assert!(!world.has_lost());
    world.run(200);
    let lost = (until, Event::Lost);
    let unanswered = (until + 15_000, Event::Unanswered);
    assert_eq!(world.events[1..], [lost, unanswered]);
    world.server.silent = false;
    world.run(70);
    assert_eq!(world.address(), nth(100));
}

#[test]
fn a_lease_that_is_refused_is_given_up_at_once() {
    let mut world = World::new(site(), 0, 5);
    world.run(10);
    world
        .server
        .given
        .insert(MAC, Ipv4Addr::new(192, 168, 5, 200));
    world.run(1800);
    assert!(world.has_lost());
    world.run(20);
    assert_eq!(world.address(), nth(200));
}

#[test]
fn an_offer_that_is_taken_back_is_asked_for_anew() {
    let mut server = site();
    server.refuses = true;
    let mut world = World::new(server, 0, 5);
    world.run(10);
    assert_eq!(world.address(), None);
    // Not as fast as the network can.
    assert!(world.said.len() < 100, "{}", world.said.len());
    world.server.refuses = false;
    world.run(10);
    assert_eq!(world.address(), nth(100));
}

#[test]
fn who_is_refused_again_and_again_asks_less_and_less_often() {
    let mut server = site();
    server.refuses = true;
    let mut world = World::new(server, 0, 5);
    world.run(300);
    // DISCOVER and REQUEST, after 0, 4, 8, 16, 32, 64, 64 and 64 s.
    assert!(
        (12..=20).contains(&world.said.len()),
        "{}",
        world.said.len()
    );
    world.server.refuses = false;
    world.run(70);
    assert_eq!(world.address(), nth(100));
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let mut world = World::new(site(), 0, 5);
    world.squatter = nth(100);
    world.run(9);
    assert_eq!(
        world.words(),
        [Word::Discover, Word::Request, Word::Decline]
    );
    let decline = &world.said[2].1;
    assert_eq!((decline.requested, decline.server), (nth(100), nth(1)));
    assert!(world.events.is_empty(), "it is never used");
    world.run(10);
    assert_eq!(world.address(), nth(101));
    assert!(world.said[3].0 - world.said[2].0 >= 10_000, "RFC 2131 §3.1");
}

#[test]
fn a_cable_that_was_out_for_a_while_keeps_the_address() {
    let mut world = World::new(site(), 0, 5);
    world.run(10);
    world.client.handle_carrier(world.now, false);
    world.run(60);
    let before = world.said.len();
    world.client.handle_carrier(world.now, true);
    world.run(5);
    let [(_, request)] = &world.said[before..] else {
        panic!("one request: {:?}", world.words());
    };
    assert_eq!((request.requested, request.server), (nth(100), None));
    assert_eq!(request.own, Ipv4Addr::UNSPECIFIED);
    assert_eq!(world.address(), nth(100));
    assert!(!world.has_lost());
    // Where the server is away just then it holds all the same.
    world.client.handle_carrier(world.now, false);
    world.server.silent = true;
    world.client.handle_carrier(world.now, true);
    world.run(60);
    assert_eq!(world.address(), nth(100));
}

#[test]
fn in_another_network_the_address_of_before_is_given_up() {
    let mut world = World::new(site(), 0, 5);
    world.run(10);
    world.client.handle_carrier(world.now, false);
    world.server = Server::new([10, 0, 7]);
    world.client.handle_carrier(world.now, true);
    world.run(10);
    assert!(world.has_lost());
    assert_eq!(world.address(), Some(Ipv4Addr::new(10, 0, 7, 100)));
}

#[test]
fn an_address_that_is_no_longer_needed_is_given_back() {
    let mut world = World::new(site(), 0, 5);
    world.run(10);
    world.client.release();
    world.run(1);
    let (_, release) = world.said.last().expect("a message");
    assert_eq!(release.word, Word::Release);
    assert_eq!((Some(release.own), release.server), (nth(100), nth(1)));
    assert_eq!((release.to_mac, Some(release.to)), (SERVER_MAC, nth(1)));
    assert_eq!(
        (release.host_name.as_ref(), release.requested),
        (None, None)
    );
    assert!(world.server.given.is_empty());
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_lease_without_an_end_asks_for_nothing() {
    let mut server = site();
    server.lease_s = u32::MAX;
    let mut world = World::new(server, 0, 5);
    world.run(10);
    assert_eq!(world.address(), nth(100));
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn what_no_machine_can_use_is_passed_over() {
    let offers: [(u8, Vec<u8>); 3] = [
        (1, vec![255, 0, 255, 0]),
        (51, vec![0, 0, 0, 0]),
        (54, vec![1, 2]),
    ];
    for option in offers {
        let mut server = site();
        server.options.push(option.clone());
        let mut world = World::new(server, 0, 5);
        world.run(100);
        assert_eq!(world.address(), None, "{option:?}");
    }
    let mut server = site();
    server.options = vec![
        (15, b"evil\nnameserver 6.6.6.6".to_vec()),
        (6, vec![0, 0, 0, 0, 9, 9, 9, 9]),
        (3, vec![10, 0, 0, 1, 10, 0, 0, 2]),
    ];
    let mut world = World::new(server, 0, 5);
    world.run(5);
    let lease = world.client.lease().expect("a lease");
    assert_eq!(lease.domain, None);
    assert_eq!(lease.dns, [Ipv4Addr::new(9, 9, 9, 9)]);
    assert_eq!(lease.router, Some(Ipv4Addr::new(10, 0, 0, 1)));
}

proptest! {
    /// Cables, answers, silence and garbage in any order: no panic, no spinning, and at most one
    /// address, which the server gave.
    #[test]
    fn nothing_confuses_it(
        seed in any::<u64>(),
        steps in prop::collection::vec((0..7_u8, 0..5000_u64, any::<u8>()), 0..60),
    ) {
        let mut world = World::new(site(), 10, seed);
        let mut used: Option<Ipv4Addr> = None;
        for (what, seconds, octet) in steps {
            match what {
                0 => world.client.handle_carrier(world.now, octet % 2 == 0),
                1 => world.server.silent = octet % 2 == 0,
                2 => world.server.refuses = octet % 2 == 0,
                3 => world.squatter = nth(100 + octet % 8),
                4 => world.server.lease_s = u32::from(octet) * 20,
                5 => {
                    for (_, _, frame) in &mut world.wire {
                        let at = usize::from(octet) % frame.len();
                        frame[at] ^= octet;
                        frame.truncate(frame.len() - usize::from(octet) % 3);
                    }
                    // What is cut off at the server's is not what is tested.
                    world.wire.retain(|(_, to_client, _)| *to_client);
                    world.run(1);
                }
                _ => world.run(seconds),
            }
        }
        world.run(10);
        for (_, event) in &world.events {
            match event {
                Event::Leased(lease) => {
                    let address = lease.address.address();
                    prop_assert!(used.is_none_or(|used| used == address), "not told: {used:?}");
                    used = Some(address);
                }
                Event::Lost => prop_assert!(used.take().is_some()),
                Event::Unanswered => prop_assert_eq!(used, None),
            }
        }
        prop_assert_eq!(used, world.address());
    }

    #[test]
    fn no_frame_is_a_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&octets, MAC);
    }
}

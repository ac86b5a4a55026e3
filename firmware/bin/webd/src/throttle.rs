//! How fast passwords may be guessed: by account and by address, twice as slow with each failure.
//!
//! An attempt counts as failed from its start, so that a hundred at once are a hundred. An address
//! that has logged in to an account before isn't held up by what others try on that account: nobody
//! locks the administrator out by guessing.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use model::Source;

/// Failures of one account before it is held up.
const FREE_ACCOUNT: u32 = 5;
/// Failures of one address before it is held up; several people may sit behind one.
const FREE_ADDRESS: u32 = 10;
/// The longest hold of an account.
const MAX_ACCOUNT: Duration = Duration::from_secs(60);
/// The longest hold of an address.
const MAX_ADDRESS: Duration = Duration::from_secs(15 * 60);
/// Failures are forgotten after so long without a new one.
const MEMORY: Duration = Duration::from_secs(60 * 60);
/// Keys remembered at most: half a megabyte.
const MAX_KEYS: usize = 4096;
/// Pairs of account and address remembered as known.
const MAX_KNOWN: usize = 1024;

/// What an attempt is counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(Source),
    /// An account's part of what is counted for an address: never held up itself.
    Both(String, Source),
}

#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    last: Instant,
    until: Instant,
}

/// Counts failed logins.
#[derive(Debug, Default)]
pub struct Throttle {
    counts: HashMap<Key, Count>,
    known: VecDeque<(String, Source)>,
}

/// Too early: how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooEarly {
    /// Until an attempt may be made.
    pub wait: Duration,
}

impl Throttle {
    /// Begins an attempt and counts it as failed.
    ///
    /// # Errors
    /// [`TooEarly`]; the attempt isn't counted then.
    pub fn begin(&mut self, now: Instant, account: &str, address: IpAddr) -> Result<(), TooEarly> {
        let (account, address) = (normal(account), Source::of(address));
        let known = self.known.contains(&(account.clone(), address));
        let both = Key::Both(account.clone(), address);
        let mut keys = vec![(Key::Address(address), FREE_ADDRESS, MAX_ADDRESS)];
        if !known {
            keys.push((Key::Account(account), FREE_ACCOUNT, MAX_ACCOUNT));
        }
        let wait = keys
            .iter()
            .filter_map(|(key, ..)| self.counts.get(key))
            .map(|count| count.until.saturating_duration_since(now))
            .max()
            .unwrap_or_default();
        if !wait.is_zero() {
            return Err(TooEarly { wait });
        }
        for (key, free, longest) in keys {
            self.count(now, key, free, longest);
        }
        self.count(now, both, u32::MAX, Duration::ZERO);
        Ok(())
    }

    /// The attempt was good: the account starts again, and the address without what failed on this
    /// account; what it tried on others stays. The two know each other.
    pub fn succeed(&mut self, now: Instant, account: &str, address: IpAddr) {
        let pair = (normal(account), Source::of(address));
        self.counts.remove(&Key::Account(pair.0.clone()));
        let own = self.counts.remove(&Key::Both(pair.0.clone(), pair.1));
        self.give_back(
            now,
            &Key::Address(pair.1),
            own.map_or(1, |own| own.failures),
        );
        self.known.retain(|known| *known != pair);
        if self.known.len() >= MAX_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(pair);
    }

    /// The attempt was neither: it wasn't made, for want of time or memory.
    pub fn cancel(&mut self, now: Instant, account: &str, address: IpAddr) {
        let (account, address) = (normal(account), Source::of(address));
        for key in [
            Key::Account(account.clone()),
            Key::Address(address),
            Key::Both(account, address),
        ] {
            self.give_back(now, &key, 1);
        }
    }

    fn give_back(&mut self, now: Instant, key: &Key, failures: u32) {
        if let Some(count) = self.counts.get_mut(key) {
            count.failures = count.failures.saturating_sub(failures);
            count.until = now;
        }
    }

    fn count(&mut self, now: Instant, key: Key, free: u32, longest: Duration) {
        if self.counts.len() >= MAX_KEYS && !self.counts.contains_key(&key) {
            self.make_room(now);
        }
        let count = self.counts.entry(key).or_insert(Count {
            failures: 0,
            last: now,
            until: now,
        });
        if now.saturating_duration_since(count.last) > MEMORY {
            count.failures = 0;
        }
        count.failures = count.failures.saturating_add(1);
        count.last = now;
        if let Some(over) = count.failures.checked_sub(free) {
            let hold = Duration::from_secs(1 << over.min(16)).min(longest);
            count.until = now + hold;
        }
    }

    fn make_room(&mut self, now: Instant) {
        self.counts
            .retain(|_, count| now.saturating_duration_since(count.last) <= MEMORY);
        while self.counts.len() >= MAX_KEYS {
            let Some(oldest) = self
                .counts
                .iter()
                .min_by_key(|(_, count)| (count.until, count.last))
                .map(|(key, _)| key.clone())
            else {
                return;
            };
            self.counts.remove(&oldest);
        }
    }
}

fn normal(account: &str) -> String {
    account
        .chars()
        .take(64)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn other(n: u32) -> IpAddr {
        IpAddr::V4((0xc633_6400 + n).into())
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let mut waits = Vec::new();
        for n in 0..14 {
            while let Err(early) = throttle.begin(now, "Admin", other(n)) {
                waits.push(early.wait.as_secs());
                now += early.wait;
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn a_burst_does_not_get_past() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let let_in = (0..100)
            .filter(|_| throttle.begin(now, "ADMIN", HERE).is_ok())
            .count();
        assert_eq!(let_in, 5);
    }

    #[test]
    fn guessing_many_names_from_one_address_is_held_up_too() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let let_in = (0..100)
            .filter(|n| throttle.begin(now, &format!("user{n}"), HERE).is_ok())
            .count();
        assert_eq!(let_in, 10);
    }

    #[test]
    fn others_do_not_lock_out_who_has_been_here() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        assert!(throttle.begin(now, "Admin", HERE).is_ok());
        throttle.succeed(now, "admin", HERE);
        for n in 0..50 {
            let _ = throttle.begin(now, "Admin", other(n));
        }
        assert!(throttle.begin(now, "Admin", other(99)).is_err());
        assert!(throttle.begin(now, "Admin", HERE).is_ok());
    }

    #[test]
    fn whoever_gets_in_is_not_forgiven_what_was_tried_on_others() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let mut guesses = 0;
        for n in 0..100 {
            // An account of one's own in between, to start anew.
            if throttle.begin(now, "mallory", HERE).is_ok() {
                throttle.succeed(now, "mallory", HERE);
            }
            guesses += u32::from(throttle.begin(now, &format!("user{n}"), HERE).is_ok());
        }
        assert_eq!(guesses, FREE_ADDRESS);
    }

    #[test]
    fn who_mistypes_and_gets_in_starts_again() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..100 {
            for _ in 0..4 {
                assert!(throttle.begin(now, "winston", HERE).is_ok());
            }
            throttle.succeed(now, "winston", HERE);
        }
    }

    #[test]
    fn the_table_has_a_bound() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..3 * 4096 {
            let _ = throttle.begin(now, &format!("user{n}"), other(n));
        }
        assert!(throttle.counts.len() <= MAX_KEYS);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_count_as_one() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let let_in = (0..100_u16)
            .filter(|n| {
                let address = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, *n]);
                throttle.begin(now, &format!("user{n}"), address).is_ok()
            })
            .count();
        assert_eq!(let_in, 10);
    }
}

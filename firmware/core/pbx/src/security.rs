//! Rows for the Security log about requests that were not believed.
//!
//! Whoever guesses passwords sends thousands of requests a second; whoever has set up the phones of an
//! office wrongly sends as many from one address, and wants to know which. So of a source the first
//! failure of each account is told at once, for a few accounts a second; what else fails is counted and
//! told at the end of the second, by the same words, which the log folds into one row. An account is
//! told at once again when its source was quiet for a second.
//! Credentials that answer no challenge of ours may come from anywhere, whatever their source says: they
//! are no login, and are counted by the minute without a name. Banning the source is not done here.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use model::Instant;
use sip::endpoint::AuthenticationFailure;

const WINDOW: Duration = Duration::from_secs(1);

/// A row a minute says all there is to say of requests that nobody answers for.
const UNASKED_WINDOW: Duration = Duration::from_secs(60);

/// Sources watched at a time, a bound of memory: more of them within a second is a distributed
/// attack, of which a thousand rows say enough.
const MAX_SOURCES: usize = 1000;

/// Accounts of a source that are told by name: in a second, and until it is quiet. More are no office any
/// more that somebody set up, but a list of names that somebody tries.
const NAMES_A_SECOND: u32 = 10;
const NAMES: usize = 100;

/// Rows a second that only tell another account of a source told already: the log keeps 100,000 rows.
const FURTHER_ROWS: u32 = 50;

/// Longest part of a claimed user name that is shown.
const MAX_NAME_CHARS: usize = 64;

/// What failed of one source.
#[derive(Debug, Default)]
struct Failures {
    /// Accounts that a row has named, and why they failed: how often since, with no row that tells it.
    accounts: BTreeMap<(Box<str>, &'static str), u32>,
    /// How many of them were named in this second.
    named: u32,
    /// Failures of further accounts that no row has told yet.
    untold: u32,
    /// Something more failed in this second.
    any: bool,
}

/// Limits the rows.
#[derive(Debug, Default)]
pub(crate) struct SecurityLog {
    /// By source, until it is quiet for a second.
    sources: BTreeMap<IpAddr, Failures>,
    /// When the second of a source ends; all last equally long, so they end in order.
    ends: VecDeque<(Instant, IpAddr)>,
    /// Failures of sources beyond the limit.
    unseen: u32,
    /// Rows about further accounts of a source, and the end of their second.
    further: (u32, Instant),
    /// Wrong credentials that answer no challenge of ours, and when they are told.
    unasked: u32,
    unasked_told: Option<Instant>,
    /// Sources that send too much without a login: how many, the first of them, and when it is told.
    ignored: Option<(u32, IpAddr, Instant)>,
}

impl SecurityLog {
    /// A request with wrong credentials came; returns the row, if it is time for one.
    pub(crate) fn failed(
        &mut self,
        now: Instant,
        source: IpAddr,
        username: &str,
        failure: AuthenticationFailure,
    ) -> Option<String> {
        if failure == AuthenticationFailure::Unasked {
            self.unasked = self.unasked.saturating_add(1);
            self.unasked_told.get_or_insert(now + UNASKED_WINDOW);
            return None;
        }
        let name = shown(username);
        let why = words(failure);
        (self.is_told(now, source, &name, why)).then(|| row(&name, source, why))
    }

    /// Whether a failure gets a row of its own; else it is counted.
    fn is_told(&mut self, now: Instant, source: IpAddr, name: &str, why: &'static str) -> bool {
        let account = (name.into(), why);
        let Some(failures) = self.sources.get_mut(&source) else {
            if self.sources.len() >= MAX_SOURCES {
                self.unseen = self.unseen.saturating_add(1);
                return false;
            }
            let failures = Failures {
                accounts: BTreeMap::from([(account, 0)]),
                named: 1,
                untold: 0,
                any: false,
            };
            self.sources.insert(source, failures);
            self.ends.push_back((now + WINDOW, source));
            return true;
        };
        failures.any = true;
        if self.further.1 <= now {
            self.further = (0, now + WINDOW);
        }
        if let Some(untold) = failures.accounts.get_mut(&account) {
            *untold = untold.saturating_add(1);
            return false;
        }
        let room = failures.named < NAMES_A_SECOND
            && failures.accounts.len() < NAMES
            && self.further.0 < FURTHER_ROWS;
        if room {
            failures.accounts.insert(account, 0);
            failures.named += 1;
            self.further.0 += 1;
            return true;
        }
        failures.untold = failures.untold.saturating_add(1);
        false
    }

    /// A source sends more than it may without a login. It may be made up too.
    pub(crate) fn ignored(&mut self, now: Instant, source: IpAddr) {
        let (count, _, _) = (self.ignored).get_or_insert((0, source, now + UNASKED_WINDOW));
        *count = count.saturating_add(1);
    }

    /// Rows about the seconds that have ended, and for how many failures each stands.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(String, u32)> {
        let mut rows = Vec::new();
        if self.further.1 <= now {
            self.further = (0, now + WINDOW);
        }
        while let Some(&(ends, source)) = self.ends.front() {
            if ends > now {
                break;
            }
            self.ends.pop_front();
            let Some(failures) = self.sources.get_mut(&source) else {
                continue;
            };
            let count = failures.accounts.values().filter(|untold| **untold > 0);
            // One row each source has; several are the rows of further accounts.
            let is_alone = failures.untold == 0 && count.count() == 1;
            let mut told = 0;
            for ((name, why), untold) in &mut failures.accounts {
                let times = core::mem::take(untold);
                if times == 0 {
                    continue;
                }
                if is_alone {
                    rows.push((row(name, source, why), times));
                } else if told < NAMES_A_SECOND && self.further.0 < FURTHER_ROWS {
                    told += 1;
                    self.further.0 += 1;
                    rows.push((row(name, source, why), times));
                } else {
                    failures.untold = failures.untold.saturating_add(times);
                }
            }
            if failures.untold > 0 {
                let text =
                    format!("SIP - authentication of further names failed for host {source}");
                rows.push((text, failures.untold));
            }
            if failures.any {
                (failures.named, failures.untold, failures.any) = (0, 0, false);
                self.ends.push_back((now + WINDOW, source));
            } else {
                self.sources.remove(&source);
            }
        }
        if self.unseen > 0 && self.sources.len() < MAX_SOURCES {
            let text = "SIP - authentication failed for further hosts";
            rows.push((text.into(), self.unseen));
            self.unseen = 0;
        }
        if self.unasked_told.is_some_and(|told| told <= now) {
            let text = "SIP - request with wrong credentials for no challenge of ours; its source may be made up";
            rows.push((text.into(), self.unasked));
            self.unasked = 0;
            self.unasked_told = None;
        }
        if let Some((count, first, _)) = self.ignored.take_if(|(_, _, told)| *told <= now) {
            let text = format!(
                "SIP - hosts that sent too much without a login were ignored {count} times within a minute, {first} the first"
            );
            rows.push((text, 1));
        }
        rows
    }

    /// When the next second ends.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let first = self.ends.front().map(|(ends, _)| *ends);
        let ignored = self.ignored.map(|(_, _, told)| told);
        [first, self.unasked_told, ignored]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Text from outside as it may stand in a log: one line, not too long.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME_CHARS)
        .collect()
}

/// The same for all of a series.
fn row(name: &str, source: IpAddr, why: &str) -> String {
    format!("SIP - authentication of `{name}` failed for host {source}: {why}")
}

const fn words(failure: AuthenticationFailure) -> &'static str {
    match failure {
        AuthenticationFailure::UnknownUser => "unknown user name",
        AuthenticationFailure::WrongPassword => "wrong password",
        AuthenticationFailure::NotAllowed => "acted for another extension",
        AuthenticationFailure::Replayed => "credentials were used before",
        AuthenticationFailure::Unasked => "credentials for no challenge of ours",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_of_a_source_has_a_row_a_second() {
        let mut log = SecurityLog::default();
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let wrong = AuthenticationFailure::WrongPassword;
        let at = Instant::from_millis;
        assert_eq!(
            log.failed(at(0), one, "1\r\n01", wrong).as_deref(),
            Some("SIP - authentication of `101` failed for host 10.0.0.1: wrong password")
        );
        for ms in 1..500 {
            assert_eq!(log.failed(at(ms), one, "101", wrong), None);
        }
        assert!(log.failed(at(500), two, "101", wrong).is_some());
        assert_eq!(log.timeout(), Some(at(1000)));
        let text = "SIP - authentication of `101` failed for host 10.0.0.1: wrong password";
        assert_eq!(log.expire(at(1000)), [(text.into(), 499)]);
        assert_eq!(log.failed(at(1001), one, "101", wrong), None);
        assert!(log.expire(at(1999)).is_empty());
        assert_eq!(log.expire(at(2000)).len(), 1);
        assert!(log.expire(at(3000)).is_empty());
        assert_eq!(log.timeout(), None);
    }

    /// The rows of so many accounts that all fail at once and again in each of so many seconds; the rows of
    /// each second.
    fn rows_of(sources: u8, accounts: u32, seconds: u64) -> Vec<usize> {
        let mut log = SecurityLog::default();
        let wrong = AuthenticationFailure::WrongPassword;
        let mut rows = Vec::new();
        for second in 0..seconds {
            let now = Instant::from_millis(1000 * second);
            let mut count = log.expire(now).len();
            for account in 0..accounts {
                for source in 0..sources {
                    let source = IpAddr::from([10, 0, 0, source]);
                    let name = (100 + account).to_string();
                    count += usize::from(log.failed(now, source, &name, wrong).is_some());
                }
            }
            rows.push(count);
        }
        rows
    }

    #[test]
    fn each_account_behind_one_address_is_named() {
        assert_eq!(rows_of(1, 8, 1), [8]);
        // Then what goes on is told by the second, and who failed is told with it.
        assert_eq!(rows_of(1, 8, 4), [8, 0, 8, 8]);
        // More of them are named in the next seconds; of ten a second it is told how often they fail.
        assert_eq!(rows_of(1, 25, 5), [10, 11, 16, 11, 11]);
    }

    #[test]
    fn a_list_of_names_fills_no_log() {
        let rows = rows_of(1, 5000, 20);
        assert_eq!(rows[..3], [10, 11, 21]);
        assert_eq!(rows[12..], [11; 8]);
        // 20 addresses, each once; then their accounts share what there is.
        assert_eq!(rows_of(20, 5000, 3), [20 + 50, 20 + 50, 20 + 50]);
    }

    #[test]
    fn made_up_sources_fill_no_log() {
        let mut log = SecurityLog::default();
        let unasked = AuthenticationFailure::Unasked;
        for n in 0..5000_u32 {
            let source = IpAddr::from(n.to_be_bytes());
            assert_eq!(log.failed(Instant::ZERO, source, "", unasked), None);
        }
        assert_eq!(log.timeout(), Some(Instant::from_millis(60_000)));
        assert!(log.expire(Instant::from_millis(59_999)).is_empty());
        let rows = log.expire(Instant::from_millis(60_000));
        assert_eq!(rows.len(), 1);
        assert!(rows.iter().all(|(_, times)| *times == 5000));
        assert_eq!(log.timeout(), None);
    }

    #[test]
    fn who_is_ignored_is_told_by_the_minute() {
        let mut log = SecurityLog::default();
        log.ignored(Instant::ZERO, IpAddr::from([192, 0, 2, 7]));
        log.ignored(Instant::from_millis(5), IpAddr::from([192, 0, 2, 8]));
        assert_eq!(log.timeout(), Some(Instant::from_millis(60_000)));
        assert!(log.expire(Instant::from_millis(59_999)).is_empty());
        assert_eq!(
            log.expire(Instant::from_millis(60_000)),
            [(
                "SIP - hosts that sent too much without a login were ignored 2 times within a minute, 192.0.2.7 the first"
                    .into(),
                1
            )]
        );
        assert_eq!(log.timeout(), None);
    }

    #[test]
    fn sources_are_bounded() {
        let mut log = SecurityLog::default();
        for n in 0..2000_u32 {
            let source = IpAddr::from(n.to_be_bytes());
            log.failed(Instant::ZERO, source, "x", AuthenticationFailure::Replayed);
        }
        assert_eq!(log.sources.len(), MAX_SOURCES);
        assert_eq!(
            log.expire(Instant::from_millis(1000)),
            [("SIP - authentication failed for further hosts".into(), 1000)]
        );
        assert!(log.sources.is_empty());
    }
}

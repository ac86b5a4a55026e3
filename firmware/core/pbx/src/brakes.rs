//! What extensions have used of the limits of the fraud protection (PRM-2): calls outside that there are, and
//! time talked to costly numbers within the last hour and the last day.
//!
//! In memory alone: a restart forgets it, and whoever could restart the exchange has no need to steal calls.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use model::config::{Brake, Used};
use model::{ExtensionId, Instant, LegId};

/// Time that is over is kept by pieces of so many seconds: what is just leaving an hour counts no more.
const PIECE_S: u64 = 300;

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;

/// An extension that came upon a limit is told of for so long.
const TOLD: Duration = Duration::from_secs(DAY_S);

/// To whose account a call outside goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// By whose rights it left.
    pub(crate) extension: ExtensionId,
    /// Its number is costly.
    pub(crate) costly: bool,
}

/// A limit that an extension came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Which.
    pub(crate) brake: Brake,
    /// When last.
    pub(crate) at: Instant,
    /// How often some limit was.
    pub(crate) times: u32,
}

/// What one has used, or all.
#[derive(Debug, Default)]
struct Account {
    calls: u32,
    /// Lines that talk to costly numbers, and since when.
    talking: BTreeMap<LegId, Instant>,
    /// Seconds talked by those that are over, by pieces of time, the oldest first.
    talked: VecDeque<(u64, u32)>,
}

impl Account {
    fn used(&self, now: Instant) -> Used {
        let now_s = seconds(now);
        let within = |span_s: u64| {
            let from_s = now_s.saturating_sub(span_s);
            let over = self.talked.iter().rev();
            let over = over.take_while(|(piece, _)| piece * PIECE_S >= from_s);
            let over = over.map(|(_, talked)| u64::from(*talked));
            let lasting = self.talking.values();
            let lasting = lasting.map(|since| (now_s - seconds(*since).min(now_s)).min(span_s));
            u32::try_from(over.chain(lasting).sum::<u64>()).unwrap_or(u32::MAX)
        };
        Used {
            calls: self.calls,
            hour_s: within(HOUR_S),
            day_s: within(DAY_S),
        }
    }

    /// A line that has talked since then is over.
    fn hung_up(&mut self, since: Instant, now: Instant) {
        let (mut from_s, to_s) = (seconds(since), seconds(now));
        from_s = from_s.max(to_s.saturating_sub(DAY_S));
        while from_s < to_s {
            let piece = from_s / PIECE_S;
            let until_s = to_s.min((piece + 1) * PIECE_S);
            let talked = u32::try_from(until_s - from_s).unwrap_or(u32::MAX);
            match self
                .talked
                .binary_search_by_key(&piece, |(known, _)| *known)
            {
                Ok(index) => {
                    if let Some((_, known)) = self.talked.get_mut(index) {
                        *known = known.saturating_add(talked);
                    }
                }
                Err(index) => self.talked.insert(index, (piece, talked)),
            }
            from_s = until_s;
        }
    }

    /// Forgets what is older than a day.
    fn forget(&mut self, now: Instant) {
        let from_s = seconds(now).saturating_sub(DAY_S);
        while (self.talked.front()).is_some_and(|(piece, _)| piece * PIECE_S < from_s) {
            self.talked.pop_front();
        }
    }

    fn is_empty(&self) -> bool {
        self.calls == 0 && self.talked.is_empty()
    }
}

fn seconds(at: Instant) -> u64 {
    at.as_millis() / 1000
}

/// The accounts of all.
#[derive(Debug, Default)]
pub(crate) struct Brakes {
    lines: BTreeMap<LegId, Charge>,
    accounts: BTreeMap<ExtensionId, Account>,
    all: Account,
    reached: BTreeMap<ExtensionId, Reached>,
    /// When those who talk are to be looked at.
    pub(crate) look: Option<Instant>,
    /// The piece of time in which old ones were forgotten last.
    forgotten: u64,
}

impl Brakes {
    /// What an extension has used, or all of them.
    pub(crate) fn used(&self, now: Instant, of: Option<ExtensionId>) -> Used {
        let account = match of {
            Some(extension) => self.accounts.get(&extension),
            None => Some(&self.all),
        };
        account.map_or(Used::default(), |account| account.used(now))
    }

    /// A call leaves.
    pub(crate) fn begins(&mut self, line: LegId, charge: Charge) {
        self.lines.insert(line, charge);
        self.all.calls += 1;
        self.accounts.entry(charge.extension).or_default().calls += 1;
    }

    /// It is answered.
    pub(crate) fn answered(&mut self, now: Instant, line: LegId) {
        let Some(charge) = self.lines.get(&line).filter(|charge| charge.costly) else {
            return;
        };
        self.all.talking.insert(line, now);
        let account = self.accounts.entry(charge.extension).or_default();
        account.talking.insert(line, now);
        self.look = Some(now);
    }

    /// It is over.
    pub(crate) fn ended(&mut self, now: Instant, line: LegId) {
        let Some(charge) = self.lines.remove(&line) else {
            return;
        };
        let own = self.accounts.entry(charge.extension).or_default();
        for account in [own, &mut self.all] {
            account.calls = account.calls.saturating_sub(1);
            if let Some(since) = account.talking.remove(&line) {
                account.hung_up(since, now);
            }
        }
        let piece = seconds(now) / PIECE_S;
        if piece != self.forgotten {
            self.forgotten = piece;
            self.all.forget(now);
            (self.accounts.values_mut()).for_each(|account| account.forget(now));
        }
        self.accounts.retain(|_, account| !account.is_empty());
    }

    /// Those who talk to costly numbers, with how many lines.
    pub(crate) fn talking(&self) -> Vec<(ExtensionId, u32)> {
        let lines = |account: &Account| u32::try_from(account.talking.len()).unwrap_or(u32::MAX);
        (self.accounts.iter())
            .filter(|(_, account)| !account.talking.is_empty())
            .map(|(extension, account)| (*extension, lines(account)))
            .collect()
    }

    /// The lines of an extension that talk to costly numbers.
    pub(crate) fn lines_of(&self, extension: ExtensionId) -> Vec<LegId> {
        let account = self.accounts.get(&extension);
        account.map_or(Vec::new(), |account| {
            account.talking.keys().copied().collect()
        })
    }

    /// An extension came upon a limit.
    pub(crate) fn came_upon(&mut self, now: Instant, extension: ExtensionId, brake: Brake) {
        let times = self.last_reached(now, extension).map_or(0, |one| one.times);
        let reached = Reached {
            brake,
            at: now,
            times: times.saturating_add(1),
        };
        self.reached.insert(extension, reached);
    }

    /// The limit that an extension came upon last, within a day.
    pub(crate) fn last_reached(&self, now: Instant, extension: ExtensionId) -> Option<Reached> {
        let reached = self.reached.get(&extension).copied();
        reached.filter(|reached| now.since(reached.at) < TOLD)
    }

    /// All of whom there is something to tell, by id.
    pub(crate) fn known(&self) -> Vec<ExtensionId> {
        let mut known: Vec<ExtensionId> = self.accounts.keys().copied().collect();
        known.extend(self.reached.keys());
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Forgets extensions that are gone; lines that they left behind end by themselves.
    pub(crate) fn retain(&mut self, is_there: impl Fn(ExtensionId) -> bool) {
        self.reached.retain(|extension, _| is_there(*extension));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ExtensionId = ExtensionId::new(1);

    fn at(minutes: u64) -> Instant {
        Instant::from_millis(minutes * 60_000)
    }

    fn charge(costly: bool) -> Charge {
        Charge {
            extension: ONE,
            costly,
        }
    }

    fn minutes(brakes: &Brakes, now: Instant) -> (u32, u32, u32) {
        let used = brakes.used(now, Some(ONE));
        assert_eq!(used, brakes.used(now, None));
        (used.calls, used.hour_s / 60, used.day_s / 60)
    }

    #[test]
    fn calls_count_from_the_start_and_time_from_the_answer() {
        let mut brakes = Brakes::default();
        let (cheap, costly) = (LegId::new(1), LegId::new(2));
        brakes.begins(cheap, charge(false));
        brakes.begins(costly, charge(true));
        assert_eq!(minutes(&brakes, at(10)), (2, 0, 0));
        brakes.answered(at(10), cheap);
        assert_eq!(brakes.look, None);
        brakes.answered(at(10), costly);
        assert_eq!(brakes.look, Some(at(10)));
        assert_eq!(minutes(&brakes, at(40)), (2, 30, 30));
        brakes.ended(at(40), cheap);
        brakes.ended(at(40), costly);
        assert_eq!(minutes(&brakes, at(40)), (0, 30, 30));
        assert_eq!(brakes.talking(), []);
        brakes.ended(at(41), costly);
        assert_eq!(minutes(&brakes, at(41)), (0, 30, 30));
    }

    #[test]
    fn what_is_older_than_an_hour_or_a_day_counts_no_more() {
        let mut brakes = Brakes::default();
        let line = LegId::new(1);
        brakes.begins(line, charge(true));
        brakes.answered(at(0), line);
        assert_eq!(minutes(&brakes, at(90)), (1, 60, 90));
        brakes.ended(at(90), line);
        assert_eq!(minutes(&brakes, at(90)), (0, 60, 90));
        assert_eq!(minutes(&brakes, at(120)), (0, 30, 90));
        assert_eq!(minutes(&brakes, at(150)), (0, 0, 90));
        let day = 24 * 60;
        assert_eq!(minutes(&brakes, at(day + 30)), (0, 0, 60));
        assert_eq!(minutes(&brakes, at(day + 90)), (0, 0, 0));
        // Nothing is kept of it.
        brakes.begins(line, charge(false));
        brakes.ended(at(day + 95), line);
        assert!(brakes.accounts.is_empty() && brakes.all.is_empty() && brakes.lines.is_empty());
    }

    #[test]
    fn a_line_of_days_is_kept_as_one_day() {
        let mut brakes = Brakes::default();
        let line = LegId::new(1);
        brakes.begins(line, charge(true));
        brakes.answered(at(0), line);
        brakes.ended(at(7 * 24 * 60), line);
        assert_eq!(minutes(&brakes, at(7 * 24 * 60)), (0, 60, 24 * 60));
        assert_eq!(brakes.all.talked.len(), 288);
    }

    #[test]
    fn who_came_upon_a_limit_is_known_for_a_day() {
        let mut brakes = Brakes::default();
        brakes.came_upon(at(1), ONE, Brake::ExtensionCalls);
        brakes.came_upon(at(2), ONE, Brake::ExtensionHour);
        let reached = brakes.last_reached(at(3), ONE).expect("it did");
        assert_eq!((reached.brake, reached.times), (Brake::ExtensionHour, 2));
        assert_eq!(brakes.known(), [ONE]);
        assert_eq!(brakes.last_reached(at(2 + 24 * 60), ONE), None);
        brakes.retain(|_| false);
        assert_eq!(brakes.known(), []);
    }
}

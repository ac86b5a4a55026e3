//! How long the logs are kept and where they go besides (LOG-1): settings of the machine, in a file of
//! their own beside the store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::WallTime;
use platform::files;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};
use tokio::sync::watch;
use tokio::time::interval;
use utoipa::ToSchema;

use crate::clock;
use crate::hub::{Hub, LOGS};
use crate::syslog::{self, Syslog};

/// The file in the data directory.
const FILE: &str = "logs.json";
/// The shortest time that rows are kept.
const LOOK: Duration = Duration::from_secs(60 * 60);
/// A clock that goes wrong by as much within an hour was set.
const APART: Duration = Duration::from_secs(5 * 60);
/// Fewer tell nothing; the store keeps no more.
pub const ROWS: std::ops::RangeInclusive<u32> = 100..=100_000;

/// As many rows as there may be, each as long as it may be, are no more.
pub const MEGABYTES: std::ops::RangeInclusive<u32> = 1..=200;

/// How the logs are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Older rows are removed.
    pub keep: Keep,
    /// Of each log so many of the newest rows are kept.
    #[schema(example = 100_000, minimum = 100, maximum = 100_000)]
    pub rows: u32,
    /// Of each log so many of the newest rows as have so many MB of text (1,000,000 octets); nothing: all.
    #[serde(default)]
    #[schema(example = 20, minimum = 1, maximum = 200)]
    pub megabytes: Option<u32>,
    /// Where new rows are sent besides; nothing: nowhere.
    #[serde(default)]
    pub syslog: Option<Syslog>,
}

/// How long rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// An hour.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 365 days.
    Year,
    /// Until newer ones take their room.
    Always,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            keep: Keep::Always,
            rows: *ROWS.end(),
            megabytes: None,
            syslog: None,
        }
    }
}

impl Keep {
    /// What is older than the answer is removed.
    fn before(self, now: WallTime) -> Option<WallTime> {
        let hours = match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
            Self::Year => 365 * 24,
            Self::Always => return None,
        };
        let us = now.as_unix_micros() - hours * 3_600_000_000;
        Some(WallTime::from_unix_micros(us))
    }
}

/// The settings in force. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keeping {
    settings: Arc<watch::Sender<LogSettings>>,
    path: PathBuf,
}

impl Keeping {
    /// With the settings as they are kept; starts to remove and to send.
    #[must_use]
    pub fn start(data: &Path, store: Store, hub: &Hub) -> Self {
        let path = data.join(FILE);
        let (settings, changed) = watch::channel(files::read_settings(&path).unwrap_or_default());
        tokio::spawn(remove_old(store, changed.clone()));
        tokio::spawn(syslog::send_rows(hub.rows(), changed));
        Self {
            settings: Arc::new(settings),
            path,
        }
    }

    /// As they are.
    #[must_use]
    pub fn settings(&self) -> LogSettings {
        self.settings.borrow().clone()
    }

    /// Keeps other settings; they hold at once.
    ///
    /// # Errors
    /// Where the file can't be written: nothing has changed then.
    pub fn set(&self, settings: LogSettings) -> io::Result<()> {
        files::write_settings(&self.path, &settings)?;
        self.settings.send_replace(settings);
        Ok(())
    }
}

/// Removes what is too old or too much, each hour and whenever the settings change.
async fn remove_old(store: Store, mut changed: watch::Receiver<LogSettings>) {
    let mut ticks = interval(LOOK);
    let mut ages = Ages::default();
    loop {
        let at = tokio::select! {
            biased;
            // When it was due: an hour is not to be over a moment too early.
            due = ticks.tick() => due.into_std(),
            change = changed.changed() => {
                if change.is_err() {
                    return;
                }
                Instant::now()
            }
        };
        let settings = changed.borrow().clone();
        let store = store.clone();
        let now = clock::now();
        let before = if ages.are_known(at, now) {
            settings.keep.before(now)
        } else {
            None
        };
        let removed = tokio::task::spawn_blocking(move || remove(&store, before, &settings)).await;
        if let Ok(Err(error)) = removed {
            tracing::error!(%error, "Old rows of the logs can't be removed.");
        }
    }
}

fn remove(
    store: &Store,
    before: Option<WallTime>,
    settings: &LogSettings,
) -> Result<(), StoreError> {
    for kind in LOGS {
        if let Some(before) = before {
            store.log_clear(kind, before, i64::MAX)?;
        }
        if settings.rows < *ROWS.end() {
            store.log_trim(kind, settings.rows)?;
        }
        if let Some(megabytes) = settings.megabytes {
            store.log_trim_size(kind, u64::from(megabytes) * 1_000_000)?;
        }
    }
    Ok(())
}

/// Whether the clock can be asked how old a row is: not before an hour has passed since the start, and since
/// it was set. One that is a year ahead would have all logs removed, and has so long to be put right.
#[derive(Debug, Default)]
struct Ages {
    clock: Option<Clock>,
}

/// What was seen of the clock on the wall, by the one that never steps.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Since when it was not set.
    since: Instant,
    /// The hourly look that the next ones are measured from.
    looked: (Instant, WallTime),
}

impl Ages {
    fn are_known(&mut self, now: Instant, wall: WallTime) -> bool {
        let anew = Clock {
            since: now,
            looked: (now, wall),
        };
        let clock = self.clock.get_or_insert(anew);
        let (then, wall_then) = clock.looked;
        let passed = now.saturating_duration_since(then);
        let passed_us = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        let shown_us = wall.as_unix_micros() - wall_then.as_unix_micros();
        let apart = Duration::from_micros(shown_us.abs_diff(passed_us));
        if apart > APART {
            tracing::warn!("The clock was set by {apart:?}: old rows of the logs stay for now.");
            *clock = anew;
        } else if passed >= LOOK {
            clock.looked = (now, wall);
        }
        now.saturating_duration_since(clock.since) >= LOOK
    }
}

#[cfg(test)]
mod tests {
    use store::{LogKind, LogQuery};

    use super::*;

    #[test]
    fn a_clock_that_was_just_set_makes_no_row_old() {
        let (mut now, mut wall) = (Instant::now(), WallTime::from_unix_seconds(1_795_332_953));
        let mut ages = Ages::default();
        let mut look = |passed: Duration, set_s: i64| {
            now += passed;
            let us = i64::try_from(passed.as_micros()).expect("short");
            wall = WallTime::from_unix_micros(wall.as_unix_micros() + us + set_s * 1_000_000);
            ages.are_known(now, wall)
        };
        assert!(!look(Duration::ZERO, 0), "the start");
        assert!(look(LOOK, 0));
        assert!(look(LOOK, 2), "slewed");
        let year_s = 365 * 86_400;
        assert!(!look(LOOK, year_s));
        assert!(!look(LOOK, -year_s), "put right");
        assert!(look(LOOK, 0));
        assert!(!look(LOOK, year_s));
        assert!(look(LOOK, 0), "it stays so");
    }

    #[test]
    fn what_is_older_than_it_is_kept_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let now = WallTime::from_unix_seconds(1_795_332_953);
        for hours in [30, 23] {
            let at = now.as_unix_micros() - hours * 3_600_000_000;
            let text = format!("{hours} hours ago");
            let at = WallTime::from_unix_micros(at);
            (store.log_append(LogKind::Warning, at, &text)).expect("written");
        }
        let settings = LogSettings {
            keep: Keep::Day,
            ..LogSettings::default()
        };
        let left = || {
            let rows = store.log_query(LogKind::Warning, &LogQuery::default());
            let rows = rows.expect("read").into_iter();
            rows.map(|row| row.text).collect::<Vec<_>>()
        };
        remove(&store, None, &settings).expect("removed");
        assert_eq!(left(), ["23 hours ago", "30 hours ago"]);
        remove(&store, settings.keep.before(now), &settings).expect("removed");
        assert_eq!(left(), ["23 hours ago"]);
    }

    #[test]
    fn looks_between_the_hours_make_no_row_old_any_sooner() {
        let (start, wall) = (Instant::now(), WallTime::from_unix_seconds(1_795_332_953));
        let mut ages = Ages::default();
        let mut look = |passed_s: u64, set_s: i64| {
            let now = start + Duration::from_secs(passed_s);
            let passed_us = i64::try_from(passed_s).expect("short") * 1_000_000;
            let us = wall.as_unix_micros() + passed_us + set_s * 1_000_000;
            ages.are_known(now, WallTime::from_unix_micros(us))
        };
        assert!(!look(0, 0));
        assert!(!look(5, 0), "settings are changed");
        assert!(!look(3599, 0));
        assert!(look(3600, 0));
        assert!(look(3605, 0), "settings hold at once");
        // Set little by little, with a look after each.
        assert!(look(3700, 200));
        assert!(!look(3800, 400));
        assert!(!look(3805, 400));
        assert!(!look(7399, 400));
        assert!(look(7400, 400));
    }
}

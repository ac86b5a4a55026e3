//! How long the logs are kept and where they go besides (LOG-1): settings of the machine, in a file of
//! their own beside the store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

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
/// Fewer tell nothing; the store keeps no more.
pub const ROWS: std::ops::RangeInclusive<u32> = 100..=100_000;

/// How the logs are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Older rows are removed.
    pub keep: Keep,
    /// Of each log so many of the newest rows are kept.
    #[schema(example = 100_000, minimum = 100, maximum = 100_000)]
    pub rows: u32,
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
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            change = changed.changed() => if change.is_err() { return },
        }
        let settings = changed.borrow_and_update().clone();
        let store = store.clone();
        let removed = tokio::task::spawn_blocking(move || remove(&store, &settings)).await;
        if let Ok(Err(error)) = removed {
            tracing::error!(%error, "Old rows of the logs can't be removed.");
        }
    }
}

fn remove(store: &Store, settings: &LogSettings) -> Result<(), StoreError> {
    for kind in LOGS {
        if let Some(before) = settings.keep.before(clock::now()) {
            store.log_clear(kind, before, i64::MAX)?;
        }
        if settings.rows < *ROWS.end() {
            store.log_trim(kind, settings.rows)?;
        }
    }
    Ok(())
}

//! The time of day of the machine: NTP, the zone, and a clock that never goes back at a start.
//!
//! [`Manager`] does it all in a program's loop. The zone reaches programs by a link, as the C library
//! and others know it: `/etc/localtime` leads to `/run/localtime`, and that to the zone's file. Programs
//! look at it when they start; some, the administration among them, again after some minutes.

mod discipline;
mod manager;
pub mod sntp;
mod zone;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use model::WallTime;
use model::system::TimeSettings;
use tracing::warn;

pub use manager::{Manager, Paths};

use crate::{clock, data, files, sys};

/// What a machine is delivered with: servers for everyone, and the zone that belongs to no country.
#[must_use]
pub fn delivered() -> TimeSettings {
    TimeSettings {
        zone: "Etc/UTC".into(),
        // As many as are asked: one that is wrong is found out by the others.
        servers: (0..4).map(|n| format!("{n}.pool.ntp.org")).collect(),
    }
}

/// Where the settings are kept, in a data folder.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data::system(data).join("time.json")
}

/// Where the time itself is noted now and then.
fn note(data: &Path) -> PathBuf {
    data::system(data).join("clock.json")
}

/// Notes what time it is, for a start without a battery.
///
/// # Errors
/// What the disk says.
fn remember(data: &Path) -> io::Result<()> {
    files::write_settings(&note(data), &clock::wall())
}

/// A system is in use for so long after it was made.
const IN_USE: Duration = Duration::from_secs(20 * 365 * 86_400);

/// Whoever makes systems may have a clock that is ahead.
const AHEAD: Duration = Duration::from_secs(86_400);

/// When this program was made.
fn made() -> Option<WallTime> {
    let program = std::env::current_exe().and_then(std::fs::metadata);
    let made = program.and_then(|program| program.modified()).ok()?;
    Some(WallTime::default() + made.duration_since(UNIX_EPOCH).ok()?)
}

/// Whether it may be this time, for a system that was made then. Whoever answers for the servers must not
/// have certificates be valid that are not any more, or not yet.
fn is_plausible(made: Option<WallTime>, time: WallTime) -> bool {
    made.is_none_or(|made| made <= time + AHEAD && time <= made + IN_USE)
}

/// Sets the clock to the time noted last or this program was made at, where it says less: a board
/// whose battery is empty must not date calls and certificates decades back.
pub fn never_go_back(data: &Path) {
    let noted: Option<WallTime> = files::read_settings(&note(data));
    let made = made();
    let noted = noted.filter(|noted| is_plausible(made, *noted));
    let floor = noted.max(made).unwrap_or_default();
    if clock::wall() < floor {
        warn!("the clock says what was long ago: going on from when it was last right");
        if let Err(error) = sys::clock::step(floor) {
            warn!(%error, "the clock can't be set");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_taken_of_before_the_system_was_made_or_of_long_after() {
        let at = |years: u64| WallTime::default() + Duration::from_secs(years * 365 * 86_400);
        let made = Some(at(56));
        for (time, is_taken) in [
            (at(0), false),
            (at(55), false),
            (at(56), true),
            (at(75), true),
        ] {
            assert_eq!(is_plausible(made, time), is_taken, "{time:?}");
            assert!(is_plausible(None, time), "where nobody knows");
        }
        assert!(!is_plausible(made, at(77)));
    }

    #[test]
    fn as_delivered_one_wrong_server_is_found_out() {
        let servers = delivered().servers;
        assert_eq!(servers.len(), 4);
        assert!(
            servers
                .iter()
                .all(|server| server.ends_with(".pool.ntp.org"))
        );
    }
}

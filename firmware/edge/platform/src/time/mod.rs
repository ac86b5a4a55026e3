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
use std::time::UNIX_EPOCH;

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
        servers: vec!["pool.ntp.org".into()],
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

/// Sets the clock to the time noted last or this program was made at, where it says less: a board
/// whose battery is empty must not date calls and certificates decades back.
pub fn never_go_back(data: &Path) {
    let noted: Option<WallTime> = files::read_settings(&note(data));
    let made = std::env::current_exe()
        .and_then(std::fs::metadata)
        .and_then(|program| program.modified())
        .ok()
        .and_then(|made| made.duration_since(UNIX_EPOCH).ok())
        .map(|made| WallTime::default() + made);
    let floor = noted.max(made).unwrap_or_default();
    if clock::wall() < floor {
        warn!("the clock says what was long ago: going on from when it was last right");
        if let Err(error) = sys::clock::step(floor) {
            warn!(%error, "the clock can't be set");
        }
    }
}

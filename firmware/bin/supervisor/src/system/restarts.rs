//! How often programs ended by themselves since the start: a number in a file, from PID 1, which restarts
//! them, to the `system` child, which is asked. It goes with the power, as the start does.

use std::fs;
use std::path::{Path, PathBuf};

use tracing::warn;

/// Says how often; `run` is the folder of sockets.
pub fn tell(run: &Path, count: u32) {
    let file = file(run);
    let new = file.with_added_extension("new");
    // It is found whole or not at all.
    let told = fs::write(&new, count.to_string()).and_then(|()| fs::rename(&new, &file));
    if let Err(error) = told {
        warn!(%error, "nobody is told how often programs ended");
    }
}

/// How often; nothing said is never.
pub fn told(run: &Path) -> u32 {
    let text = fs::read_to_string(file(run)).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// Beside the folder of sockets: in there others write too, and could have it lead elsewhere.
fn file(run: &Path) -> PathBuf {
    run.with_added_extension("restarts")
}

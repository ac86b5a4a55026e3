//! Signals of a process that another one started.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};

/// Lets every signal through again: a process inherits the mask of the one that started it, and the
/// supervisor blocks those that it reads from a descriptor. To be called before any thread is started.
///
/// # Errors
/// What the kernel says.
pub fn unblock_all() -> Result<(), Errno> {
    SigSet::all().thread_unblock()
}

/// The signals that tell a process to stop in order. SIGHUP, which says that the terminal has gone
/// away, is one of them unless whoever started the process had it ignored, as `nohup` does.
#[must_use]
pub fn stops() -> Vec<Signal> {
    let mut stops = vec![Signal::SIGTERM, Signal::SIGINT];
    if !is_ignored(Signal::SIGHUP) {
        stops.push(Signal::SIGHUP);
    }
    stops
}

/// Whether this process ignores a signal.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (signal as i32 - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_known() {
        // Rust ignores SIGPIPE from the start.
        assert!(is_ignored(Signal::SIGPIPE));
        assert!(!is_ignored(Signal::SIGTERM));
    }
}

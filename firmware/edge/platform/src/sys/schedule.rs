//! Real-time priority and locked memory for the media thread.

use std::io;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// Gives the calling thread `SCHED_FIFO` at `priority` (1 to 99).
///
/// # Errors
/// Where the process may not: it needs `CAP_SYS_NICE` or `RLIMIT_RTPRIO`.
pub fn make_real_time(priority: u8) -> io::Result<()> {
    let parameters = libc::sched_param {
        sched_priority: i32::from(priority),
    };
    // SAFETY: parameters is a live sched_param; 0 means the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Which memory is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// All there is and will be.
    All,
    /// What there was then.
    Current,
}

/// Keeps every page of the process in memory once touched: those of now, and where there is no limit
/// to it those that come. Beyond a limit on locked memory a process that locks what comes gets no
/// memory any more, and aborts.
///
/// # Errors
/// Where the process may not: it needs `RLIMIT_MEMLOCK`, best without a limit.
pub fn lock_memory() -> io::Result<Locked> {
    let locked = if lift_limit() {
        Locked::All
    } else {
        Locked::Current
    };
    // MCL_ONFAULT: else the whole reserve of every thread's stack would be taken at once.
    let flags = libc::MCL_CURRENT
        | libc::MCL_ONFAULT
        | match locked {
            Locked::All => libc::MCL_FUTURE,
            Locked::Current => 0,
        };
    // SAFETY: mlockall takes flags only.
    let result = unsafe { libc::mlockall(flags) };
    if result == 0 {
        Ok(locked)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// True where there is no limit on locked memory, or none any more.
fn lift_limit() -> bool {
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    unlimited || setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY).is_ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const CHILD: &str = "PLATFORM_TEST_LOCKS";

    /// Under a limit that it can't lift.
    #[test]
    fn child() {
        if std::env::var_os(CHILD).is_some() {
            // All that there is now may be too much already.
            assert!(!matches!(lock_memory(), Ok(Locked::All)));
            let blocks: Vec<Vec<u8>> = (0..64).map(|_| Vec::with_capacity(16 << 20)).collect();
            assert_eq!(blocks.len(), 64);
        }
    }

    #[test]
    fn a_limit_on_locked_memory_costs_no_memory_later() {
        let given_up = ["--bounding-set=-all", "--inh-caps=-all"];
        let possible = Command::new("setpriv").args(given_up).arg("true").output();
        if !possible.is_ok_and(|output| output.status.success()) {
            return;
        }
        let script = r#"for kib in 524288 8192; do ulimit -l $kib && break; done; exec "$0" "$@""#;
        let output = Command::new("setpriv")
            .args(given_up)
            .args(["sh", "-c", script])
            .arg(std::env::current_exe().expect("a program"))
            .args(["--exact", "sys::schedule::tests::child"])
            .env(CHILD, "1")
            .output()
            .expect("started");
        assert!(output.status.success(), "{output:?}");
    }
}

//! Real-time priority and locked memory for the media thread.

use std::io;

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

/// Keeps every page of the process, now and later, in memory once touched.
///
/// # Errors
/// Where the process may not: it needs `CAP_IPC_LOCK` or `RLIMIT_MEMLOCK`.
pub fn lock_memory() -> io::Result<()> {
    // MCL_ONFAULT: else the whole reserve of every thread's stack would be taken at once.
    let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
    // SAFETY: mlockall takes flags only.
    let result = unsafe { libc::mlockall(flags) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

//! Setting the clock of the machine.

use core::mem::zeroed;
use std::io;
use std::time::Duration;

use model::WallTime;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_settime};

/// How wrong a clock may be that a server was just asked for, in microseconds: the kernel adds 0.5 ms
/// each second and counts the clock as wrong from 16 s.
const ERROR_US: libc::c_long = 100_000;

/// Sets the clock.
///
/// # Errors
/// Where the process may not: it needs `CAP_SYS_TIME`.
pub fn step(to: WallTime) -> io::Result<()> {
    let after = to.since(WallTime::default());
    clock_settime(
        ClockId::CLOCK_REALTIME,
        TimeSpec::from_duration(Duration::new(after.as_secs(), after.subsec_nanos())),
    )?;
    right()
}

/// Lets the clock run 0.5 ms a second faster or slower until it has made up for so many microseconds.
///
/// # Errors
/// Where the process may not: it needs `CAP_SYS_TIME`.
pub fn slew(us: i64) -> io::Result<()> {
    // SAFETY: all-zero octets are a valid timex: nothing is to be changed.
    let mut change: libc::timex = unsafe { zeroed() };
    change.modes = libc::ADJ_OFFSET_SINGLESHOT;
    change.offset = long(us)?;
    adjust(change)?;
    right()
}

/// A number in the kernel's `long`, which has 32 bits on some machines.
fn long<T: TryFrom<i64>>(number: i64) -> io::Result<T> {
    T::try_from(number).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// The clock has the time: from now on the kernel sets the one with the battery by it.
fn right() -> io::Result<()> {
    // SAFETY: all-zero octets are a valid timex: nothing is to be changed.
    let mut change: libc::timex = unsafe { zeroed() };
    change.modes = libc::ADJ_STATUS | libc::ADJ_MAXERROR | libc::ADJ_ESTERROR;
    change.maxerror = ERROR_US;
    change.esterror = ERROR_US;
    adjust(change)
}

fn adjust(mut change: libc::timex) -> io::Result<()> {
    // SAFETY: change is a live timex that the kernel reads and fills.
    let result = unsafe { libc::adjtimex(&raw mut change) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

//! How long a watchdog waits, `linux/watchdog.h`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `_IOWR('W', 6, int)`
const SET_TIMEOUT: libc::Ioctl = 0xC004_5706_u32 as libc::Ioctl;

/// Has it wait for so many seconds; says for how many it waits now, since each has steps of its own.
///
/// # Errors
/// Where it can't wait for so long, or is none.
pub fn set_timeout(device: &File, seconds: u16) -> io::Result<libc::c_int> {
    let mut seconds = libc::c_int::from(seconds);
    // SAFETY: the kernel reads and writes one int, which lives until the call returns.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), SET_TIMEOUT, &raw mut seconds) };
    if done == 0 {
        Ok(seconds)
    } else {
        Err(io::Error::last_os_error())
    }
}

//! Tells the kernel of a partition that has grown, while others of its disk are in use.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `linux/blkpg.h`
#[repr(C)]
struct Argument {
    operation: libc::c_int,
    flags: libc::c_int,
    length: libc::c_int,
    data: *mut Partition,
}

#[repr(C)]
struct Partition {
    /// In bytes.
    start: libc::c_longlong,
    length: libc::c_longlong,
    number: libc::c_int,
    device_name: [u8; 64],
    volume_name: [u8; 64],
}

const RESIZE: libc::c_int = 3;

/// `_IO(0x12, 105)`
const BLKPG: libc::Ioctl = 0x1269;

/// The kernel takes over the new size of a partition; `start` and `length` are in bytes.
///
/// # Errors
/// Where the kernel refuses: no such partition, or it would overlap another.
pub fn resize_partition(disk: &File, number: u8, start: u64, length: u64) -> io::Result<()> {
    let bytes = |value: u64| {
        libc::c_longlong::try_from(value).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
    };
    let mut partition = Partition {
        start: bytes(start)?,
        length: bytes(length)?,
        number: libc::c_int::from(number),
        device_name: [0; 64],
        volume_name: [0; 64],
    };
    let mut argument = Argument {
        operation: RESIZE,
        flags: 0,
        length: libc::c_int::try_from(size_of::<Partition>()).unwrap_or(0),
        data: &raw mut partition,
    };
    // SAFETY: the argument has the kernel's layout, and what it points to lives until the call returns.
    let done = unsafe { libc::ioctl(disk.as_raw_fd(), BLKPG, &raw mut argument) };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

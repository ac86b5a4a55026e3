//! Signals of a process that another one started.

use nix::errno::Errno;
use nix::sys::signal::SigSet;

/// Lets every signal through again: a process inherits the mask of the one that started it, and the
/// supervisor blocks those that it reads from a descriptor. To be called before any thread is started.
///
/// # Errors
/// What the kernel says.
pub fn unblock_all() -> Result<(), Errno> {
    SigSet::all().thread_unblock()
}

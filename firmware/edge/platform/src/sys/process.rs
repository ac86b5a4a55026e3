//! Processes that end with the one that started them.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What is started by this command gets SIGTERM when the *thread* that starts it ends, however that
/// comes; and it starts with every signal let through, so that it hears that. To be started from a
/// thread that lives as long as the process.
pub fn end_with_parent(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: between fork and exec only these system calls are made, all of them async-signal-safe;
    // nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) != 0 {
                return Err(io::Error::last_os_error());
            }
            // It may have ended before it was asked for.
            if u32::try_from(libc::getppid()) != Ok(parent) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            let mut none = core::mem::MaybeUninit::uninit();
            if libc::sigemptyset(none.as_mut_ptr()) != 0
                || libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), core::ptr::null_mut()) != 0
            {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
    }
}

//! Processes that end with the one that started them.

use std::ffi::CStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::slots::LOADER_FOLDER;

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

/// What a process may do that is started by root and isn't root.
#[derive(Clone, Copy, Debug)]
pub struct Rights {
    /// Its user.
    pub user: u32,
    /// Its only group.
    pub group: u32,
    /// It may take real-time priority and lock its memory.
    pub real_time: bool,
    /// A mounted folder that isn't there for it, nor for what it starts.
    pub hidden: Option<&'static CStr>,
}

/// Real-time priorities up to that of the media thread and a little more.
const REAL_TIME_PRIORITY: libc::rlim_t = 60;

/// Files and sockets: the process takes of them what its own limits need.
const FILES: libc::rlim_t = 65_536;

/// What is started by this command runs with these rights: no capability, and no program it starts can
/// gain any. Files it makes are its group's too.
pub fn confine(command: &mut Command, rights: Rights) {
    // SAFETY: between fork and exec only these system calls are made, all of them async-signal-safe;
    // nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            let limit = |resource, most| {
                let limits = libc::rlimit {
                    rlim_cur: most,
                    rlim_max: most,
                };
                done(libc::setrlimit(resource, &raw const limits))
            };
            limit(libc::RLIMIT_CORE, 0)?;
            limit(libc::RLIMIT_NOFILE, FILES)?;
            if rights.real_time {
                limit(libc::RLIMIT_RTPRIO, REAL_TIME_PRIORITY)?;
                limit(libc::RLIMIT_MEMLOCK, libc::RLIM_INFINITY)?;
            }
            if let Some(hidden) = rights.hidden {
                hide(hidden)?;
            }
            libc::umask(0o007);
            done(libc::setgroups(1, &raw const rights.group))?;
            done(libc::setgid(rights.group))?;
            done(libc::setuid(rights.user))?;
            done(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        });
    }
}

/// From here on this process has mounts of its own, and one less.
fn hide(folder: &CStr) -> io::Result<()> {
    let private = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: system calls alone, with strings that live as long as the program; the pointers that are
    // null are those the kernel doesn't read for such a call.
    unsafe {
        done(libc::unshare(libc::CLONE_NEWNS))?;
        let (none, root) = (core::ptr::null(), c"/".as_ptr());
        done(libc::mount(none, root, none, private, core::ptr::null()))?;
        // Mounted for moments: where it was mounted just now, nobody would take it away here.
        let _ = libc::umount2(LOADER_FOLDER.as_ptr(), libc::MNT_DETACH);
        done(libc::umount2(folder.as_ptr(), libc::MNT_DETACH))
    }
}

/// What is started by this command leads a session of its own on the terminal that is its standard
/// input: so keys such as Ctrl-C are the session's, and so is the end of the line.
pub fn take_terminal(command: &mut Command) {
    // SAFETY: between fork and exec only these system calls are made, all of them async-signal-safe;
    // nothing is allocated.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() < 0 {
                return Err(io::Error::last_os_error());
            }
            done(libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, 1))
        });
    }
}

fn done(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

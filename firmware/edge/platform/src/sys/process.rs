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
    /// What it may take of memory, and who goes first where there is too little.
    pub memory: Memory,
}

/// What a process may take of the machine's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the kernel adds to its share, in thousandths, when it looks for one to end: proc(5),
    /// `oom_score_adj`.
    pub share: &'static CStr,
    /// Octets that it may write to, stacks and all.
    pub most: Option<u64>,
}

/// Real-time priorities up to that of the media thread and a little more.
const REAL_TIME_PRIORITY: libc::rlim_t = 60;

/// Files and sockets: the process takes of them what its own limits need.
const FILES: libc::rlim_t = 65_536;

/// Threads of a user: webd has some twenty, pbxd fewer, and a session of ssh two processes.
const THREADS: libc::rlim_t = 256;

/// What is started by this command, and what that starts, has no more than this.
pub fn limit_memory(command: &mut Command, memory: Memory) {
    // SAFETY: between fork and exec only system calls are made, all of them async-signal-safe;
    // nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            write_own(c"/proc/self/oom_score_adj", memory.share);
            match memory.most {
                Some(most) => limit(libc::RLIMIT_DATA, most),
                None => Ok(()),
            }
        });
    }
}

/// Who is no root may say that he goes earlier, and not that he goes later: then it stays.
fn write_own(path: &CStr, text: &CStr) {
    let octets = text.to_bytes();
    // SAFETY: the strings end in a null and live until the calls return.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if file >= 0 {
            libc::write(file, octets.as_ptr().cast(), octets.len());
            libc::close(file);
        }
    }
}

fn limit(resource: libc::__rlimit_resource_t, most: libc::rlim_t) -> io::Result<()> {
    let limits = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: the kernel reads the limits only, which live until the call returns.
    done(unsafe { libc::setrlimit(resource, &raw const limits) })
}

/// What is started by this command runs with these rights: no capability, and no program it starts can
/// gain any. Files it makes are its group's too.
pub fn confine(command: &mut Command, rights: Rights) {
    limit_memory(command, rights.memory);
    // SAFETY: between fork and exec only these system calls are made, all of them async-signal-safe;
    // nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            limit(libc::RLIMIT_CORE, 0)?;
            limit(libc::RLIMIT_NOFILE, FILES)?;
            limit(libc::RLIMIT_NPROC, THREADS)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_has_its_limits_of_memory() {
        let mut command = Command::new("cat");
        command.args(["/proc/self/oom_score_adj", "/proc/self/limits"]);
        let memory = Memory {
            share: c"700",
            most: Some(77 << 20),
        };
        limit_memory(&mut command, memory);
        let output = command.output().expect("started");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.starts_with("700\n"), "{said}");
        let data = said.lines().find(|line| line.starts_with("Max data size"));
        assert!(data.is_some_and(|line| line.contains("80740352")), "{said}");
    }
}

//! The terminal: its modes, its bytes. A serial line nobody takes from, or that sends rubbish, stops
//! nothing.

use std::io::{self, Stdin, Stdout};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::sys::termios::{
    ControlFlags, InputFlags, LocalFlags, OutputFlags, SetArg, SpecialCharacterIndices, Termios,
    cfmakeraw, tcgetattr, tcsetattr,
};

/// More waits only where nobody takes it, and is dropped.
const MOST_WAITING: usize = 64 * 1024;

/// Standard input and output.
pub struct Terminal {
    input: Stdin,
    output: Stdout,
    /// As it was found, where it is a terminal.
    modes: Option<Termios>,
    flags: [Option<OFlag>; 2],
    waiting: Vec<u8>,
}

/// What a terminal can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Move the cursor and clear as a VT100 does.
    Screen,
    /// Print lines.
    Lines,
}

impl Kind {
    /// By the name in `TERM`; unknown ones can print.
    pub fn of(name: &str) -> Self {
        let screens = ["vt", "linux", "ansi", "xterm", "screen", "tmux", "rxvt"];
        if screens.iter().any(|screen| name.starts_with(screen)) {
            Self::Screen
        } else {
            Self::Lines
        }
    }
}

impl Terminal {
    /// Takes the terminal over.
    pub fn open(kind: Kind) -> io::Result<Self> {
        let (input, output) = (io::stdin(), io::stdout());
        let modes = tcgetattr(&input).ok();
        if let Some(modes) = &modes {
            tcsetattr(&input, SetArg::TCSANOW, &wanted(modes.clone(), kind))?;
        }
        let flags = [never_wait(input.as_fd()), never_wait(output.as_fd())];
        Ok(Self {
            input,
            output,
            modes,
            flags,
            waiting: Vec::new(),
        })
    }

    /// What was typed; none at its end.
    pub fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = [0; 512];
        match nix::unistd::read(&self.input, &mut bytes) {
            Ok(0) => Ok(None),
            Ok(count) => Ok(Some(bytes.iter().take(count).copied().collect())),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Some(Vec::new())),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything was sent.
    pub const fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Sends, now or when there is room.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.extend_from_slice(bytes);
        }
        self.flush()
    }

    /// Sends what waits, as far as there is room.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match nix::unistd::write(&self.output, &self.waiting) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What to wait for.
    pub fn waits_for(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let output = (!self.is_idle()).then(|| (self.output.as_fd(), PollFlags::POLLOUT));
        let input = (self.input.as_fd(), PollFlags::POLLIN);
        [Some(input), output].into_iter().flatten()
    }
}

impl Drop for Terminal {
    /// As it was: the next program may be a shell.
    fn drop(&mut self) {
        for (fd, flags) in [self.input.as_fd(), self.output.as_fd()]
            .into_iter()
            .zip(self.flags)
        {
            if let Some(flags) = flags {
                let _ = fcntl(fd, FcntlArg::F_SETFL(flags));
            }
        }
        if let Some(modes) = &self.modes {
            let _ = tcsetattr(&self.input, SetArg::TCSANOW, modes);
        }
    }
}

fn wanted(mut modes: Termios, kind: Kind) -> Termios {
    match kind {
        Kind::Screen => cfmakeraw(&mut modes),
        Kind::Lines => {
            modes.input_flags = InputFlags::ICRNL | InputFlags::IGNBRK;
            modes.output_flags = OutputFlags::OPOST | OutputFlags::ONLCR;
            // No signals: Ctrl-C ends nothing here.
            modes.local_flags =
                LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ECHOE | LocalFlags::ECHOK;
            modes.control_flags.remove(ControlFlags::CSIZE);
            modes.control_flags.insert(ControlFlags::CS8);
        }
    }
    // A line without modem signals is no line hung up; and Ctrl-S must not stop it for ever.
    modes
        .control_flags
        .insert(ControlFlags::CLOCAL | ControlFlags::CREAD);
    if let Some(least) = modes
        .control_chars
        .get_mut(SpecialCharacterIndices::VMIN as usize)
        && kind == Kind::Screen
    {
        *least = 1;
    }
    modes
}

fn never_wait(fd: BorrowedFd<'_>) -> Option<OFlag> {
    let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL).ok()?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).ok()?;
    Some(flags)
}

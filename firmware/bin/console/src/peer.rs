//! A connection to another process: lines over a Unix socket, never waited for.
//!
//! It is made when there is something to ask, and given up where an answer doesn't come in time; the
//! next question makes it anew.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

/// How long an answer may take: writing settings to a slow card, and making them so.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The longest line that is taken: what the menu asks has short answers.
const MOST: usize = model::system::MAX_LINE;

/// The other process.
#[derive(Debug)]
pub struct Peer {
    path: PathBuf,
    stream: Option<UnixStream>,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// How many lines are owed, and since when.
    owed: usize,
    since: Instant,
}

impl Peer {
    /// Behind this socket.
    pub fn new(path: PathBuf, now: Instant) -> Self {
        Self {
            path,
            stream: None,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            owed: 0,
            since: now,
        }
    }

    /// It owes nothing.
    pub const fn is_idle(&self) -> bool {
        self.owed == 0
    }

    /// Sends a question of one line, which gets an answer of one line. False where there is nobody.
    pub fn ask(&mut self, line: &str, now: Instant) -> bool {
        if self.stream.is_none() {
            self.stream = self.connect().ok();
        }
        if self.stream.is_none() {
            return false;
        }
        if self.owed == 0 {
            self.since = now;
        }
        self.owed += 1;
        self.outgoing.extend_from_slice(line.as_bytes());
        self.outgoing.push(b'\n');
        true
    }

    /// Its socket and what to wait for.
    pub fn waits_for(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let mut events = PollFlags::POLLIN;
        events.set(PollFlags::POLLOUT, !self.outgoing.is_empty());
        Some((self.stream.as_ref()?.as_fd(), events))
    }

    /// Sends and takes what there is: the lines that came, and whether it is gone with answers owed.
    pub fn pump(&mut self, now: Instant) -> (Vec<String>, bool) {
        if self.stream.is_none() {
            return (Vec::new(), false);
        }
        let fine = self.exchange().is_ok();
        let lines = self.lines();
        self.owed = self.owed.saturating_sub(lines.len());
        if !lines.is_empty() {
            self.since = now;
        }
        let late = self.owed > 0 && now.duration_since(self.since) > ANSWER_WITHIN;
        if fine && !late && self.incoming.len() <= MOST {
            return (lines, false);
        }
        self.stream = None;
        self.incoming.clear();
        self.outgoing.clear();
        (lines, core::mem::take(&mut self.owed) > 0)
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        connect(
            std::os::fd::AsRawFd::as_raw_fd(&socket),
            &UnixAddr::new(&self.path)?,
        )?;
        Ok(UnixStream::from(socket))
    }

    fn exchange(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        while !self.outgoing.is_empty() {
            match stream.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let mut bytes = [0; 4096];
        while self.incoming.len() <= MOST {
            match stream.read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.incoming.extend(bytes.iter().take(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(end) = self.incoming.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.incoming.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn an_answer_that_does_not_come_is_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let start = Instant::now();
        let mut peer = Peer::new(path.clone(), start);
        assert!(!peer.ask("?", start), "there is nobody yet");
        assert!(peer.is_idle());
        let _silent = UnixListener::bind(path).expect("a socket");
        assert!(peer.ask("?", start));
        assert_eq!(peer.pump(start + ANSWER_WITHIN), (Vec::new(), false));
        let late = start + ANSWER_WITHIN + Duration::from_millis(1);
        assert_eq!(peer.pump(late), (Vec::new(), true));
        assert!(peer.is_idle() && peer.waits_for().is_none());
        assert!(peer.ask("?", late), "and it is tried again");
    }

    #[test]
    fn what_was_said_before_it_went_away_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).expect("a socket");
        let now = Instant::now();
        let mut peer = Peer::new(path, now);
        assert!(peer.ask("first?", now) && peer.ask("second?", now));
        let (mut other, _) = listener.accept().expect("a connection");
        assert_eq!(peer.pump(now), (Vec::new(), false));
        let mut bytes = [0; 64];
        let count = other.read(&mut bytes).expect("read");
        assert_eq!(&bytes[..count], b"first?\nsecond?\n");
        other.write_all(b"yes\nn").expect("written");
        drop(other);
        assert_eq!(peer.pump(now), (vec!["yes".to_owned()], true));
    }
}

//! One connection: lines of questions in, lines of answers out, and who is at its other end.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use anyhow::Result;
use model::system::{Ask, MAX_LINE, Reply};
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::unistd::{Uid, User};
use tracing::warn;

/// Answers that wait for an asker who doesn't read; beyond, it isn't heard any more.
const UNREAD: usize = 2 * MAX_LINE;

/// The users that administer the machine, besides root; the last one is who comes in by ssh.
const ADMINISTRATORS: [&str; 3] = ["webd", "console", super::remote::USER];

/// One who asks.
pub struct Asker {
    stream: UnixStream,
    may: bool,
    heard: Vec<u8>,
    questions: VecDeque<Result<Ask, String>>,
    unsent: Vec<u8>,
    is_there: bool,
}

impl Asker {
    /// At the other end of a connection.
    pub fn new(stream: UnixStream) -> Result<Self> {
        let user = getsockopt(&stream, PeerCredentials)?.uid();
        let may = may_ask(Uid::from_raw(user), Uid::effective(), |name| {
            User::from_name(name).ok().flatten().map(|user| user.uid)
        });
        Self::of(stream, may)
    }

    /// One who `may` ask, or not.
    pub(super) fn of(stream: UnixStream, may: bool) -> Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            may,
            heard: Vec::new(),
            questions: VecDeque::new(),
            unsent: Vec::new(),
            is_there: true,
        })
    }

    /// Whether it may ask anything at all.
    pub const fn may(&self) -> bool {
        self.may
    }

    /// False once it has gone.
    pub const fn is_there(&self) -> bool {
        self.is_there
    }

    /// What the loop waits for.
    pub fn poll(&self) -> PollFd<'_> {
        let flags = if self.unsent.is_empty() {
            PollFlags::POLLIN
        } else {
            PollFlags::POLLOUT
        };
        PollFd::new(self.stream.as_fd(), flags)
    }

    /// The next question. Nothing more is read while answers wait.
    pub fn next_question(&mut self) -> Option<Result<Ask, String>> {
        self.flush();
        if self.questions.is_empty() && self.unsent.is_empty() && self.is_there {
            self.read();
        }
        self.questions.pop_front()
    }

    fn read(&mut self) {
        let mut piece = [0; 4096];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    self.is_there = false;
                    break;
                }
                Ok(length) => self.heard.extend_from_slice(&piece[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_there &= error.kind() == ErrorKind::WouldBlock;
                    break;
                }
            }
            if self.heard.len() > MAX_LINE {
                break;
            }
        }
        while let Some(end) = self.heard.iter().position(|&octet| octet == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            let question = serde_json::from_slice(&line).map_err(|error| error.to_string());
            self.questions.push_back(question);
        }
        if self.heard.len() > MAX_LINE {
            warn!("a question is too long: its asker isn't heard any more");
            self.is_there = false;
        }
    }

    /// Answers.
    pub fn tell(&mut self, reply: &Reply) {
        match serde_json::to_vec(reply) {
            Ok(mut line) => {
                line.push(b'\n');
                self.unsent.append(&mut line);
            }
            Err(error) => {
                warn!(%error, "an answer can't be written");
                self.is_there = false;
            }
        }
        self.flush();
        if self.unsent.len() > UNREAD {
            self.is_there = false;
        }
    }

    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(length) => drop(self.unsent.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_there &= error.kind() == ErrorKind::WouldBlock;
                    return;
                }
            }
        }
    }
}

/// Root, the user this program runs as, and those who administer. The exchange itself, which talks to
/// the whole network, is none of them.
fn may_ask(user: Uid, own: Uid, named: impl Fn(&str) -> Option<Uid>) -> bool {
    user.is_root() || user == own || ADMINISTRATORS.iter().any(|name| named(name) == Some(user))
}

#[cfg(test)]
mod tests {
    use model::system::Request;

    use super::*;

    #[test]
    fn only_those_who_administer_may_ask() {
        let named = |name: &str| match name {
            "webd" => Some(Uid::from_raw(102)),
            _ => None,
        };
        let root = Uid::from_raw(0);
        assert!(may_ask(root, root, named));
        assert!(may_ask(Uid::from_raw(102), root, named));
        assert!(may_ask(Uid::from_raw(1000), Uid::from_raw(1000), named));
        for other in [101, 103, 1000, 65_534] {
            assert!(!may_ask(Uid::from_raw(other), root, named), "{other}");
        }
    }

    fn pair() -> (UnixStream, Asker) {
        let (near, far) = UnixStream::pair().expect("a pair");
        (near, Asker::new(far).expect("an asker"))
    }

    #[test]
    fn questions_come_by_the_line_in_whatever_pieces() {
        let (mut near, mut asker) = pair();
        let ask = Ask {
            by: "console".into(),
            request: Request::Health,
        };
        let line = serde_json::to_string(&ask).expect("JSON");
        near.write_all(&line.as_bytes()[..10]).expect("sent");
        assert!(asker.next_question().is_none());
        near.write_all(&line.as_bytes()[10..]).expect("sent");
        near.write_all(b"\nnonsense\n").expect("sent");
        assert_eq!(asker.next_question(), Some(Ok(ask)));
        assert!(matches!(asker.next_question(), Some(Err(_))));
        assert!(asker.next_question().is_none());
        assert!(asker.is_there());
        drop(near);
        assert!(asker.next_question().is_none());
        assert!(!asker.is_there());
    }

    #[test]
    fn a_line_without_an_end_ends_the_connection() {
        let (mut near, mut asker) = pair();
        near.set_nonblocking(true).expect("set");
        let piece = vec![b'x'; 4096];
        for _ in 0..=MAX_LINE / piece.len() + 16 {
            let _ = near.write(&piece);
            assert!(asker.next_question().is_none());
        }
        assert!(!asker.is_there());
    }

    #[test]
    fn an_asker_who_does_not_read_is_asked_for_nothing_more() {
        let (mut near, mut asker) = pair();
        let long = Reply::Failed {
            text: "x".repeat(100_000),
        };
        for _ in 0..4 {
            asker.tell(&long);
        }
        assert!(asker.is_there());
        assert!(!asker.unsent.is_empty());
        near.write_all(b"{}\n").expect("sent");
        assert!(asker.next_question().is_none(), "answers wait");
        for _ in 0..8 {
            asker.tell(&long);
        }
        assert!(!asker.is_there());
    }
}

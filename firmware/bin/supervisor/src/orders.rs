//! What the `system` child asks of the supervisor itself: a word a line, on the child's standard output.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::str::FromStr;

/// The longest line that is kept until its end comes; no order is as long.
const LINE: usize = 256;

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Stop the exchange and start it again.
    RestartExchange,
    /// Stop the administration and start it again.
    RestartAdministration,
    /// Start the menu over ssh.
    StartRemoteMenu,
    /// Stop it, and end who is in it.
    StopRemoteMenu,
    /// Keep the running system: it has proved itself.
    Proved,
    /// Stop everything and restart the machine.
    Reboot,
    /// Stop everything and power off.
    PowerOff,
}

const WORDS: [(Order, &str); 7] = [
    (Order::RestartExchange, "restart-exchange"),
    (Order::RestartAdministration, "restart-administration"),
    (Order::StartRemoteMenu, "start-remote-menu"),
    (Order::StopRemoteMenu, "stop-remote-menu"),
    (Order::Proved, "proved"),
    (Order::Reboot, "reboot"),
    (Order::PowerOff, "power-off"),
];

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(order, _)| order == self);
        f.write_str(word.map_or("", |(_, word)| word))
    }
}

/// A word that is no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoOrder;

impl FromStr for Order {
    type Err = NoOrder;

    fn from_str(text: &str) -> Result<Self, NoOrder> {
        let found = WORDS.iter().find(|(_, word)| *word == text.trim());
        found.map(|(order, _)| *order).ok_or(NoOrder)
    }
}

/// Orders as they come from a child: whole lines, whatever they come in.
#[derive(Debug)]
pub struct Incoming<R> {
    /// None once it has ended: an ended pipe would wake whoever waits for it all the time.
    pipe: Option<R>,
    unfinished: Vec<u8>,
}

impl<R: Read> Incoming<R> {
    /// From a child's standard output, which is to be read without waiting; none where there is none.
    pub const fn new(pipe: Option<R>) -> Self {
        Self {
            pipe,
            unfinished: Vec::new(),
        }
    }

    /// What is to be waited for.
    pub const fn pipe(&self) -> Option<&R> {
        self.pipe.as_ref()
    }

    /// The lines that are whole by now.
    pub fn lines(&mut self) -> Vec<String> {
        let mut octets = [0; LINE];
        let Some(pipe) = &mut self.pipe else {
            return Vec::new();
        };
        match pipe.read(&mut octets) {
            Ok(0) => self.pipe = None,
            Ok(count) => self.unfinished.extend_from_slice(&octets[..count]),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.pipe = None,
        }
        let mut lines = Vec::new();
        while let Some(end) = self.unfinished.iter().position(|&octet| octet == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim().to_owned());
        }
        if self.unfinished.len() > LINE {
            self.unfinished.clear();
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;

    use super::*;

    /// What each reading gives.
    struct Pipe(VecDeque<io::Result<&'static str>>);

    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let text = self.0.pop_front().unwrap_or(Ok(""))?;
            buffer[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }

    fn incoming(reads: impl IntoIterator<Item = io::Result<&'static str>>) -> Incoming<Pipe> {
        Incoming::new(Some(Pipe(reads.into_iter().collect())))
    }

    #[test]
    fn an_order_that_comes_in_parts_is_one() {
        let wait = || Err(ErrorKind::WouldBlock.into());
        let mut orders = incoming([Ok("reb"), wait(), Ok("oot\npower"), Ok("-off\n")]);
        let none: [&str; 0] = [];
        assert_eq!(orders.lines(), none);
        assert_eq!(orders.lines(), none);
        assert_eq!(orders.lines(), ["reboot"]);
        assert_eq!(orders.lines(), ["power-off"]);
    }

    #[test]
    fn a_child_that_has_gone_is_not_waited_for() {
        let mut orders = incoming([Ok("reboot\nhalf")]);
        assert_eq!(orders.lines(), ["reboot"]);
        assert!(orders.pipe().is_some());
        assert!(orders.lines().is_empty());
        assert!(orders.pipe().is_none());
        assert!(orders.lines().is_empty());
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_for_ever() {
        let long: &str = Box::leak("x".repeat(LINE).into_boxed_str());
        let mut orders = incoming([Ok(long), Ok(long), Ok("reboot\n")]);
        assert!(orders.lines().is_empty());
        assert!(orders.lines().is_empty());
        assert_eq!(orders.lines(), ["reboot"]);
    }

    #[test]
    fn orders_are_read_as_they_are_written() {
        for (order, word) in WORDS {
            assert_eq!(order.to_string(), word);
            assert_eq!(format!("{order}\n").parse(), Ok(order));
        }
        assert_eq!("rm".parse::<Order>(), Err(NoOrder));
    }
}

//! What the `system` child asks of the supervisor itself: a word a line, on the child's standard output.

use std::fmt;
use std::str::FromStr;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_they_are_written() {
        for (order, word) in WORDS {
            assert_eq!(order.to_string(), word);
            assert_eq!(format!("{order}\n").parse(), Ok(order));
        }
        assert_eq!("rm".parse::<Order>(), Err(NoOrder));
    }
}

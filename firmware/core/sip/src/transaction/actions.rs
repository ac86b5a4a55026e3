//! What a transaction machine wants done, in order.

use core::fmt;
use core::ops::Deref;
use core::time::Duration;

/// Timers by their names in RFC 3261 table 4 and RFC 6026 §7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TimerName {
    /// INVITE again.
    A,
    /// No answer to INVITE.
    B,
    /// Answers to INVITE that come again are acknowledged so long.
    D,
    /// Request other than INVITE again.
    E,
    /// No answer to a request other than INVITE.
    F,
    /// Final refusal of INVITE again.
    G,
    /// No ACK.
    H,
    /// ACKs that come again are absorbed so long.
    I,
    /// Requests that come again are answered so long.
    J,
    /// Answers that come again are absorbed so long.
    K,
    /// INVITEs that come again after a 2xx are absorbed so long (RFC 6026).
    L,
    /// 2xx that come again or from other forks are passed on so long (RFC 6026).
    M,
    /// The user has not said a word yet: 100 Trying.
    Trying,
}

impl TimerName {
    /// A machine has two timers at most at a time: one that sends again, one that ends its state.
    pub(crate) const fn slot(self) -> usize {
        match self {
            Self::A | Self::E | Self::G | Self::Trying => 0,
            Self::B
            | Self::D
            | Self::F
            | Self::H
            | Self::I
            | Self::J
            | Self::K
            | Self::L
            | Self::M => 1,
        }
    }
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send the request (client) or the last answer (server).
    Send,
    /// Send 100 Trying, and keep it as the last answer.
    SendTrying,
    /// Send ACK for the final refusal.
    SendAck,
    /// Start a timer, in place of the one in its slot.
    Start(TimerName, Duration),
    /// Stop the timer in the slot of this one.
    Stop(TimerName),
    /// Hand the message to the user.
    Tell,
    /// Tell the user that time ran out.
    TellTimeout,
    /// Tell the user that the transport failed.
    TellTransportFailed,
    /// Forget the transaction.
    Terminate,
}

/// The longest list any transition makes: stop two timers, acknowledge, tell, start, terminate.
const LONGEST: usize = 6;

/// Up to six actions, without allocation.
#[derive(Clone, Copy)]
pub(crate) struct Actions {
    list: [Action; LONGEST],
    len: usize,
}

impl Actions {
    /// Nothing to do.
    pub(crate) const NONE: Self = Self {
        list: [Action::Terminate; LONGEST],
        len: 0,
    };

    /// These.
    pub(crate) fn of<const N: usize>(actions: [Action; N]) -> Self {
        const { assert!(N <= LONGEST) };
        let mut all = Self::NONE;
        for (place, action) in all.list.iter_mut().zip(actions) {
            *place = action;
        }
        all.len = N;
        all
    }
}

impl Deref for Actions {
    type Target = [Action];

    fn deref(&self) -> &[Action] {
        &self.list[..self.len]
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

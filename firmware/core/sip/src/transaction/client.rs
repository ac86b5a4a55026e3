//! Client transaction of every request but INVITE and ACK: RFC 3261 §17.1.2, figure 6.
//!
//! ```text
//!           request             1xx: tell              final: tell
//!   (start) --------> Trying ------------> Proceeding --------------> Completed --K--> (end)
//!                      | E: send again      | E: send again, T2         absorbs answers
//!                      | F: timeout         | F: timeout
//!                      +----- final: tell -----------------------------^
//! ```

use core::time::Duration;

use super::{Action, Actions, ClientEvent, T1, T1_64, T2, T4, TimerName, doubled};

use Action::{Send, Start, Stop, Tell, TellTimeout, TellTransportFailed, Terminate};

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The request is on its way.
    Trying {
        /// What Timer E was last set to.
        e: Duration,
        /// No timers for sending again.
        reliable: bool,
    },
    /// A provisional answer came.
    Proceeding {
        /// As in `Trying`.
        reliable: bool,
    },
    /// The final answer came.
    Completed,
    /// Over.
    Terminated,
}

impl Client {
    /// Sends the request.
    pub(crate) fn start(reliable: bool) -> (Self, Actions) {
        let trying = Self::Trying { e: T1, reliable };
        if reliable {
            return (trying, Actions::of([Send, Start(TimerName::F, T1_64)]));
        }
        let actions = [Send, Start(TimerName::E, T1), Start(TimerName::F, T1_64)];
        (trying, Actions::of(actions))
    }

    /// Takes an event.
    pub(crate) fn on(&mut self, event: ClientEvent) -> Actions {
        match (*self, event) {
            (Self::Trying { e, reliable }, ClientEvent::Timer(TimerName::E)) => {
                let e = doubled(e);
                *self = Self::Trying { e, reliable };
                Actions::of([Send, Start(TimerName::E, e)])
            }
            (Self::Proceeding { .. }, ClientEvent::Timer(TimerName::E)) => {
                Actions::of([Send, Start(TimerName::E, T2)])
            }
            (Self::Trying { .. } | Self::Proceeding { .. }, ClientEvent::Timer(TimerName::F)) => {
                *self = Self::Terminated;
                Actions::of([Stop(TimerName::E), TellTimeout, Terminate])
            }
            (Self::Trying { reliable, .. }, ClientEvent::Provisional) => {
                *self = Self::Proceeding { reliable };
                Actions::of([Tell])
            }
            (Self::Proceeding { .. }, ClientEvent::Provisional) => Actions::of([Tell]),
            (
                Self::Trying { reliable, .. } | Self::Proceeding { reliable },
                ClientEvent::Success | ClientEvent::Failure,
            ) => self.complete(reliable),
            (Self::Trying { .. } | Self::Proceeding { .. }, ClientEvent::TransportFailed) => {
                *self = Self::Terminated;
                Actions::of([TellTransportFailed, Terminate])
            }
            (Self::Completed, ClientEvent::Timer(TimerName::K)) => {
                *self = Self::Terminated;
                Actions::of([Terminate])
            }
            (
                Self::Completed,
                ClientEvent::Provisional
                | ClientEvent::Success
                | ClientEvent::Failure
                | ClientEvent::TransportFailed,
            )
            | (
                Self::Trying { .. } | Self::Proceeding { .. } | Self::Completed,
                ClientEvent::Timer(_),
            )
            | (Self::Terminated, _) => Actions::NONE,
        }
    }

    /// True while no answer of any kind has come.
    pub(crate) const fn is_trying(&self) -> bool {
        matches!(self, Self::Trying { .. })
    }

    /// True until a final answer came or none can come.
    pub(crate) const fn is_unanswered(&self) -> bool {
        matches!(self, Self::Trying { .. } | Self::Proceeding { .. })
    }

    fn complete(&mut self, reliable: bool) -> Actions {
        if reliable {
            // Timer K is zero (RFC 3261 §17.1.2.2).
            *self = Self::Terminated;
            return Actions::of([Tell, Terminate]);
        }
        *self = Self::Completed;
        Actions::of([Stop(TimerName::E), Tell, Start(TimerName::K, T4)])
    }
}

//! INVITE client transaction: RFC 3261 §17.1.1 and figure 5, with Accepted of RFC 6026 §7.2.
//!
//! ```text
//!            INVITE                 1xx                     300-699: ACK, tell
//!   (start) -------> Calling -----------> Proceeding -------------------------> Completed --D--> (end)
//!                     | A: send again        | 1xx: tell                        300-699: ACK
//!                     | B: timeout           |
//!                     | 2xx: tell            | 2xx: tell
//!                     +----------> Accepted <+
//!                                   | 2xx: tell      M --> (end)
//! ```
//! In Proceeding the user may start Timer B again, so that an INVITE nobody waits for does not last.
//! A connection that closes ends the transaction in Proceeding too: nothing can come any more.

use core::time::Duration;

use super::{Action, Actions, ClientEvent, T1, T1_64, TIMER_D, TimerName};

use Action::{Send, SendAck, Start, Stop, Tell, TellTimeout, TellTransportFailed, Terminate};

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InviteClient {
    /// The INVITE is on its way.
    Calling {
        /// What Timer A was last set to.
        a: Duration,
        /// No timers for sending again.
        reliable: bool,
    },
    /// A provisional answer came.
    Proceeding {
        /// As in `Calling`.
        reliable: bool,
    },
    /// A 2xx came; the user acknowledges it.
    Accepted,
    /// A refusal came; we acknowledge it.
    Completed,
    /// Over.
    Terminated,
}

impl InviteClient {
    /// Sends the INVITE.
    pub(crate) fn start(reliable: bool) -> (Self, Actions) {
        let calling = Self::Calling { a: T1, reliable };
        if reliable {
            return (calling, Actions::of([Send, Start(TimerName::B, T1_64)]));
        }
        let actions = [Send, Start(TimerName::A, T1), Start(TimerName::B, T1_64)];
        (calling, Actions::of(actions))
    }

    /// Takes an event.
    pub(crate) fn on(&mut self, event: ClientEvent) -> Actions {
        match (*self, event) {
            (Self::Calling { a, reliable }, ClientEvent::Timer(TimerName::A)) => {
                let a = a * 2;
                *self = Self::Calling { a, reliable };
                Actions::of([Send, Start(TimerName::A, a)])
            }
            // In Proceeding it runs only where the user has started it again: see `Core::bound`.
            (Self::Calling { .. } | Self::Proceeding { .. }, ClientEvent::Timer(TimerName::B)) => {
                *self = Self::Terminated;
                Actions::of([Stop(TimerName::A), TellTimeout, Terminate])
            }
            (Self::Calling { reliable, .. }, ClientEvent::Provisional) => {
                *self = Self::Proceeding { reliable };
                Actions::of([Stop(TimerName::A), Stop(TimerName::B), Tell])
            }
            (Self::Proceeding { .. }, ClientEvent::Provisional) => Actions::of([Tell]),
            (Self::Calling { .. } | Self::Proceeding { .. }, ClientEvent::Success) => {
                *self = Self::Accepted;
                Actions::of([Stop(TimerName::A), Tell, Start(TimerName::M, T1_64)])
            }
            (
                Self::Calling { reliable, .. } | Self::Proceeding { reliable },
                ClientEvent::Failure,
            ) => self.complete(reliable),
            (Self::Calling { .. } | Self::Proceeding { .. }, ClientEvent::TransportFailed) => {
                *self = Self::Terminated;
                Actions::of([TellTransportFailed, Terminate])
            }
            // RFC 6026 §7.2: each 2xx goes to the user, again or from another fork.
            (Self::Accepted, ClientEvent::Success) => Actions::of([Tell]),
            (Self::Completed, ClientEvent::Failure) => Actions::of([SendAck]),
            (Self::Accepted, ClientEvent::Timer(TimerName::M))
            | (Self::Completed, ClientEvent::Timer(TimerName::D) | ClientEvent::TransportFailed) => {
                *self = Self::Terminated;
                Actions::of([Terminate])
            }
            // A 2xx needs no connection of ours any more: the callee sends it where it can.
            (Self::Accepted, ClientEvent::TransportFailed)
            | (Self::Accepted, ClientEvent::Provisional | ClientEvent::Failure)
            | (Self::Completed, ClientEvent::Provisional | ClientEvent::Success)
            | (
                Self::Calling { .. } | Self::Proceeding { .. } | Self::Accepted | Self::Completed,
                ClientEvent::Timer(_),
            )
            | (Self::Terminated, _) => Actions::NONE,
        }
    }

    /// True while no answer of any kind has come.
    pub(crate) const fn is_calling(&self) -> bool {
        matches!(self, Self::Calling { .. })
    }

    /// True while a CANCEL makes sense: a provisional answer came, and no final one.
    pub(crate) const fn is_proceeding(&self) -> bool {
        matches!(self, Self::Proceeding { .. })
    }

    /// True until a final answer came or none can come.
    pub(crate) const fn is_unanswered(&self) -> bool {
        matches!(self, Self::Calling { .. } | Self::Proceeding { .. })
    }

    fn complete(&mut self, reliable: bool) -> Actions {
        if reliable {
            // Timer D is zero (RFC 3261 §17.1.1.2).
            *self = Self::Terminated;
            return Actions::of([SendAck, Tell, Terminate]);
        }
        *self = Self::Completed;
        Actions::of([
            Stop(TimerName::A),
            SendAck,
            Tell,
            Start(TimerName::D, TIMER_D),
        ])
    }
}

//! INVITE server transaction: RFC 3261 §17.2.1 and figure 7, with Accepted of RFC 6026 §7.1.
//!
//! ```text
//!            INVITE               300-699: send               ACK
//!   (start) -------> Proceeding ---------------> Completed --------> Confirmed --I--> (end)
//!                     | INVITE: 1xx again         | INVITE, G: send again
//!                     | 1xx: send                 | H: timeout
//!                     |
//!                     | 2xx: send        2xx: send
//!                     +-----------> Accepted --L--> (end)
//!                                    INVITE: absorbed    ACK: tell
//! ```

use core::time::Duration;

use super::{Action, Actions, ServerEvent, T1, T1_64, T4, TRYING_AFTER, TimerName, doubled};

use Action::{Send, SendTrying, Start, Stop, Tell, TellTimeout, TellTransportFailed, Terminate};

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InviteServer {
    /// No final answer yet.
    Proceeding {
        /// Something was sent that can be sent again.
        answered: bool,
        /// No timers for sending again.
        reliable: bool,
    },
    /// A refusal was sent.
    Completed {
        /// What Timer G was last set to.
        g: Duration,
        /// As in `Proceeding`.
        reliable: bool,
    },
    /// The refusal was acknowledged.
    Confirmed,
    /// A 2xx was sent; the user sends it again and waits for ACK.
    Accepted,
    /// Over.
    Terminated,
}

impl InviteServer {
    /// An INVITE came.
    pub(crate) fn start(reliable: bool) -> (Self, Actions) {
        let proceeding = Self::Proceeding {
            answered: false,
            reliable,
        };
        (
            proceeding,
            Actions::of([Start(TimerName::Trying, TRYING_AFTER)]),
        )
    }

    /// Takes an event.
    pub(crate) fn on(&mut self, event: ServerEvent) -> Actions {
        match (*self, event) {
            (Self::Proceeding { answered, reliable }, event) => {
                self.proceeding(answered, reliable, event)
            }
            (Self::Completed { g, reliable }, event) => self.completed(g, reliable, event),
            (Self::Confirmed, ServerEvent::Timer(TimerName::I))
            | (Self::Accepted, ServerEvent::Timer(TimerName::L)) => {
                *self = Self::Terminated;
                Actions::of([Terminate])
            }
            (Self::Accepted, ServerEvent::Success) => Actions::of([Send]),
            (Self::Accepted, ServerEvent::Ack) => Actions::of([Tell]),
            (
                Self::Accepted,
                ServerEvent::Request
                | ServerEvent::Provisional
                | ServerEvent::Failure
                | ServerEvent::Timer(_)
                | ServerEvent::TransportFailed,
            )
            | (Self::Confirmed | Self::Terminated, _) => Actions::NONE,
        }
    }

    /// True while a final answer can still be given, and CANCEL has an effect.
    pub(crate) const fn is_proceeding(&self) -> bool {
        matches!(self, Self::Proceeding { .. })
    }

    /// True while a refusal waits for its ACK.
    pub(crate) const fn is_unacknowledged(&self) -> bool {
        matches!(self, Self::Completed { .. })
    }

    fn proceeding(&mut self, answered: bool, reliable: bool, event: ServerEvent) -> Actions {
        let heard = Self::Proceeding {
            answered: true,
            reliable,
        };
        match event {
            ServerEvent::Request if answered => Actions::of([Send]),
            ServerEvent::Timer(TimerName::Trying) => {
                *self = heard;
                Actions::of([SendTrying])
            }
            ServerEvent::Provisional => {
                *self = heard;
                Actions::of([Stop(TimerName::Trying), Send])
            }
            ServerEvent::Success => {
                *self = Self::Accepted;
                Actions::of([Stop(TimerName::Trying), Send, Start(TimerName::L, T1_64)])
            }
            ServerEvent::Failure => {
                *self = Self::Completed { g: T1, reliable };
                if reliable {
                    return Actions::of([
                        Stop(TimerName::Trying),
                        Send,
                        Start(TimerName::H, T1_64),
                    ]);
                }
                Actions::of([Send, Start(TimerName::G, T1), Start(TimerName::H, T1_64)])
            }
            // The user decides whether a caller that can't be reached is still worth ringing for.
            ServerEvent::TransportFailed => Actions::of([TellTransportFailed]),
            ServerEvent::Request | ServerEvent::Ack | ServerEvent::Timer(_) => Actions::NONE,
        }
    }

    fn completed(&mut self, g: Duration, reliable: bool, event: ServerEvent) -> Actions {
        match event {
            ServerEvent::Request => Actions::of([Send]),
            ServerEvent::Timer(TimerName::G) => {
                let g = doubled(g);
                *self = Self::Completed { g, reliable };
                Actions::of([Send, Start(TimerName::G, g)])
            }
            ServerEvent::Timer(TimerName::H) => {
                *self = Self::Terminated;
                Actions::of([Stop(TimerName::G), TellTimeout, Terminate])
            }
            ServerEvent::Ack if reliable => {
                // Timer I is zero.
                *self = Self::Terminated;
                Actions::of([Stop(TimerName::H), Terminate])
            }
            ServerEvent::Ack => {
                *self = Self::Confirmed;
                Actions::of([Stop(TimerName::G), Start(TimerName::I, T4)])
            }
            ServerEvent::TransportFailed => {
                *self = Self::Terminated;
                Actions::of([Terminate])
            }
            ServerEvent::Provisional
            | ServerEvent::Success
            | ServerEvent::Failure
            | ServerEvent::Timer(_) => Actions::NONE,
        }
    }
}

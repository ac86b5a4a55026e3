//! Server transaction of every request but INVITE and ACK: RFC 3261 §17.2.2, figure 8; RFC 4320.
//!
//! ```text
//!           request            1xx: send                final: send
//!   (start) --------> Trying ------------> Proceeding --------------> Completed --J--> (end)
//!                      | request: absorbed  | request: send again      request: send again
//!                      +------- final: send ---------------------------^
//! ```
//! Two additions of RFC 4320: 100 Trying is sent of itself, but not before the client would send
//! only every T2; and where the user gives no answer in 64·T1 none is sent any more, for the client
//! has given up (§4.2). The latter is also why a user that forgets a request loses no memory.

use super::{Action, Actions, LATE_TRYING_AFTER, ServerEvent, T1_64, TimerName};

use Action::{Send, SendTrying, Start, Stop, TellTimeout, Terminate};

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// No answer yet.
    Trying {
        /// Nothing is sent again by the client.
        reliable: bool,
    },
    /// 1xx was sent.
    Proceeding {
        /// As in `Trying`.
        reliable: bool,
    },
    /// The final answer was sent.
    Completed,
    /// Over.
    Terminated,
}

impl Server {
    /// A request came.
    pub(crate) fn start(reliable: bool) -> (Self, Actions) {
        let actions = [
            Start(TimerName::Trying, LATE_TRYING_AFTER),
            Start(TimerName::J, T1_64),
        ];
        (Self::Trying { reliable }, Actions::of(actions))
    }

    /// Takes an event.
    pub(crate) fn on(&mut self, event: ServerEvent) -> Actions {
        match (*self, event) {
            (Self::Trying { reliable }, ServerEvent::Timer(TimerName::Trying)) => {
                *self = Self::Proceeding { reliable };
                Actions::of([SendTrying])
            }
            (
                Self::Trying { reliable } | Self::Proceeding { reliable },
                ServerEvent::Provisional,
            ) => {
                *self = Self::Proceeding { reliable };
                Actions::of([Stop(TimerName::Trying), Send])
            }
            (
                Self::Trying { reliable } | Self::Proceeding { reliable },
                ServerEvent::Success | ServerEvent::Failure,
            ) => self.complete(reliable),
            (Self::Proceeding { .. } | Self::Completed, ServerEvent::Request) => {
                Actions::of([Send])
            }
            (Self::Trying { .. } | Self::Proceeding { .. }, ServerEvent::Timer(TimerName::J)) => {
                *self = Self::Terminated;
                Actions::of([Stop(TimerName::Trying), TellTimeout, Terminate])
            }
            (Self::Completed, ServerEvent::Timer(TimerName::J) | ServerEvent::TransportFailed) => {
                *self = Self::Terminated;
                Actions::of([Terminate])
            }
            (
                Self::Trying { .. },
                ServerEvent::Request
                | ServerEvent::Ack
                | ServerEvent::Timer(_)
                | ServerEvent::TransportFailed,
            )
            | (
                Self::Proceeding { .. },
                ServerEvent::Ack | ServerEvent::Timer(_) | ServerEvent::TransportFailed,
            )
            | (
                Self::Completed,
                ServerEvent::Ack
                | ServerEvent::Provisional
                | ServerEvent::Success
                | ServerEvent::Failure
                | ServerEvent::Timer(_),
            )
            | (Self::Terminated, _) => Actions::NONE,
        }
    }

    fn complete(&mut self, reliable: bool) -> Actions {
        if reliable {
            // Timer J is zero.
            *self = Self::Terminated;
            return Actions::of([Stop(TimerName::Trying), Stop(TimerName::J), Send, Terminate]);
        }
        *self = Self::Completed;
        Actions::of([Stop(TimerName::Trying), Send, Start(TimerName::J, T1_64)])
    }
}

//! The pool of media ports: which are free, who holds which, which the media thread still closes.
//!
//! ```text
//!            take()            first Open            last release()        Closed
//!   FREE ───────────► HELD ───────────────► OPEN ───────────────► CLOSING ────────► FREE
//!     ▲                 │ last release()
//!     └─────────────────┘
//! ```
//!
//! Ports are reused in the order in which they became free, so that each rests as long as it can:
//! late packets of the old call find nobody. Several legs may hold one port: the phones of an
//! extension that ring together share it until one of them answers.

use std::collections::VecDeque;

use model::PortId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Held { holders: u16, open: bool },
    Closing,
}

/// What has to be done after a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// Nothing: others hold it, or it was never opened.
    Nothing,
    /// Tell the media thread to close it.
    Close,
}

/// The pool.
#[derive(Debug)]
pub(crate) struct Ports {
    /// UDP port by `PortId`.
    numbers: Vec<u16>,
    states: Vec<State>,
    free: VecDeque<PortId>,
}

impl Ports {
    /// A pool of the ports with these UDP port numbers; index = `PortId`.
    pub(crate) fn new(numbers: Vec<u16>) -> Self {
        let count = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
        Self {
            states: vec![State::Free; usize::from(count)],
            free: (0..count).map(PortId::new).collect(),
            numbers,
        }
    }

    /// A free port, held once; none where all are busy.
    pub(crate) fn take(&mut self) -> Option<PortId> {
        let port = self.free.pop_front()?;
        if let Some(state) = self.state(port) {
            *state = State::Held {
                holders: 1,
                open: false,
            };
        }
        Some(port)
    }

    /// One more holds it.
    pub(crate) fn hold(&mut self, port: PortId) {
        if let Some(State::Held { holders, .. }) = self.state(port) {
            *holders = holders.saturating_add(1);
        }
    }

    /// One less holds it.
    pub(crate) fn release(&mut self, port: PortId) -> Released {
        let Some(state) = self.state(port) else {
            return Released::Nothing;
        };
        match state {
            State::Held { holders: 2.., .. } => {
                if let State::Held { holders, .. } = state {
                    *holders -= 1;
                }
                Released::Nothing
            }
            State::Held { open: true, .. } => {
                *state = State::Closing;
                Released::Close
            }
            State::Held { open: false, .. } => {
                *state = State::Free;
                self.free.push_back(port);
                Released::Nothing
            }
            State::Free | State::Closing => Released::Nothing,
        }
    }

    /// Whether the media thread has been told to open it.
    pub(crate) fn is_open(&self, port: PortId) -> bool {
        matches!(
            self.states.get(usize::from(port.raw())),
            Some(State::Held { open: true, .. })
        )
    }

    /// The media thread is being told to open it.
    pub(crate) fn opened(&mut self, port: PortId) {
        if let Some(State::Held { open, .. }) = self.state(port) {
            *open = true;
        }
    }

    /// The media thread has closed it.
    pub(crate) fn closed(&mut self, port: PortId) {
        if let Some(state) = self.state(port)
            && *state == State::Closing
        {
            *state = State::Free;
            self.free.push_back(port);
        }
    }

    /// UDP port of its RTP.
    pub(crate) fn number(&self, port: PortId) -> u16 {
        self.numbers
            .get(usize::from(port.raw()))
            .copied()
            .unwrap_or(0)
    }

    /// How many are not free.
    pub(crate) fn in_use(&self) -> usize {
        self.states.len() - self.free.len()
    }

    fn state(&mut self, port: PortId) -> Option<&mut State> {
        self.states.get_mut(usize::from(port.raw()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_rests_before_it_is_used_again() {
        let mut ports = Ports::new(vec![10_000, 10_002, 10_004]);
        let first = ports.take().expect("free");
        assert_eq!(ports.number(first), 10_000);
        ports.opened(first);
        assert_eq!(ports.release(first), Released::Close);
        assert_eq!(ports.in_use(), 1, "until the media thread has closed it");
        ports.closed(first);
        assert_eq!(ports.in_use(), 0);
        let order: Vec<u16> = core::iter::from_fn(|| ports.take())
            .map(|port| port.raw())
            .collect();
        assert_eq!(order, [1, 2, 0]);
        assert_eq!(ports.take(), None);
    }

    #[test]
    fn a_port_never_opened_needs_no_closing() {
        let mut ports = Ports::new(vec![10_000]);
        let port = ports.take().expect("free");
        ports.hold(port);
        assert_eq!(ports.release(port), Released::Nothing);
        assert_eq!(ports.in_use(), 1);
        assert_eq!(ports.release(port), Released::Nothing);
        assert_eq!(ports.in_use(), 0);
        assert_eq!(ports.release(port), Released::Nothing, "once too often");
        ports.closed(port);
        assert_eq!(ports.take(), Some(port));
        assert_eq!(ports.take(), None);
    }
}

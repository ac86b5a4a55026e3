//! Whose TLS handshake is under way: few at a time, and no source has all turns.
//!
//! A handshake costs memory and a signature, and whoever begins one and says no more costs them for
//! as long as we wait. So they take turns, in order, and each source waits for its own share first.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use model::Source;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Handshakes at once: each takes one to three round trips, so even at 200 ms there are 30 a second.
const AT_ONCE: usize = 16;

/// Of one source: half, so that others get through beside one that begins and never ends.
const AT_ONCE_OF_SOURCE: usize = 8;

/// Connections that wait for their turn: all phones of an office after a power cut.
const WAITING: usize = 512;

/// Of one source, those with a turn among them. The others come again.
const OF_SOURCE: usize = 256;

/// Gives out turns.
#[derive(Clone, Debug)]
pub(super) struct Handshakes(Rc<Turns>);

#[derive(Debug)]
struct Turns {
    turns: Arc<Semaphore>,
    there: Cell<usize>,
    shares: RefCell<HashMap<Source, Share>>,
}

#[derive(Debug)]
struct Share {
    turns: Arc<Semaphore>,
    there: usize,
}

/// A place in the queue, and then a turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Rc<Turns>,
    source: Source,
    share: Arc<Semaphore>,
    turn: Option<[OwnedSemaphorePermit; 2]>,
}

impl Handshakes {
    pub(super) fn new() -> Self {
        Self(Rc::new(Turns {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            there: Cell::new(0),
            shares: RefCell::default(),
        }))
    }

    /// A place in the queue; none where too many wait.
    pub(super) fn enter(&self, source: Source) -> Option<Place> {
        let mut shares = self.0.shares.borrow_mut();
        if self.0.there.get() >= WAITING + AT_ONCE {
            return None;
        }
        let share = shares.entry(source).or_insert_with(|| Share {
            turns: Arc::new(Semaphore::new(AT_ONCE_OF_SOURCE)),
            there: 0,
        });
        if share.there >= OF_SOURCE {
            return None;
        }
        share.there += 1;
        self.0.there.set(self.0.there.get() + 1);
        Some(Place {
            of: Rc::clone(&self.0),
            source,
            share: Arc::clone(&share.turns),
            turn: None,
        })
    }
}

impl Place {
    /// Waits for the turn.
    pub(super) async fn turn(&mut self) {
        let own = Arc::clone(&self.share).acquire_owned().await;
        let all = Arc::clone(&self.of.turns).acquire_owned().await;
        // Nobody closes the semaphores.
        self.turn = own.ok().zip(all.ok()).map(|(own, all)| [own, all]);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.there.set(self.of.there.get().saturating_sub(1));
        let mut shares = self.of.shares.borrow_mut();
        if let Some(share) = shares.get_mut(&self.source) {
            share.there -= 1;
            if share.there == 0 {
                shares.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn source(n: u8) -> Source {
        Source::of([192, 0, 2, n].into())
    }

    /// The place, where its turn has come.
    fn turn(place: &mut Place) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let mut turn = Box::pin(place.turn());
        matches!(turn.as_mut().poll(&mut context), Poll::Ready(()))
    }

    #[test]
    fn few_are_under_way_at_once_and_half_of_one_source() {
        let handshakes = Handshakes::new();
        let mut enter = |n| {
            let mut place = handshakes.enter(source(n)).expect("there is room");
            turn(&mut place).then_some(place)
        };
        let mut begun: Vec<Place> = (0..100).filter_map(|_| enter(1)).collect();
        assert_eq!(begun.len(), AT_ONCE_OF_SOURCE);
        begun.extend((2..100).filter_map(&mut enter));
        assert_eq!(begun.len(), AT_ONCE);
        assert!(enter(100).is_none());
        begun.pop();
        assert!(enter(100).is_some());
        drop(begun);
        assert!(handshakes.0.shares.borrow().is_empty());
        assert_eq!(handshakes.0.there.get(), 0);
    }

    #[test]
    fn the_queue_is_bounded_and_shared() {
        let handshakes = Handshakes::new();
        let fill = |n| -> Vec<Place> {
            (0..1000)
                .map_while(|_| handshakes.enter(source(n)))
                .collect()
        };
        let one = fill(1);
        assert_eq!(one.len(), OF_SOURCE);
        let others: Vec<Place> = (2..200).flat_map(fill).collect();
        assert_eq!(one.len() + others.len(), WAITING + AT_ONCE);
        drop(one);
        assert!(handshakes.enter(source(1)).is_some());
    }
}

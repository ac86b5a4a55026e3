//! Whose TLS handshake is under way, and when its cryptography is done.
//!
//! ```text
//!  accepted --> Hello --ClientHello came--> Turn --its turn--> Finish --> open, the place is free
//!                 | silent: 3 s               | pace            | silent: 5 s
//! ```
//! Whoever begins a handshake and says no more costs memory for as long as we wait, and nothing else: the
//! key exchange and the signature are made for those that have spoken, one at a time. Where all places are
//! taken, one of the source that has most gives way, the one that has been silent for longest before others.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use model::Source;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::spawn_local;
use tokio::time::sleep;

/// Handshakes under way: all phones of an office after a power cut.
const PLACES: usize = 512;

/// A key exchange and a signature in so long: with an RSA key they take one to two milliseconds of the
/// thread that all calls go through. 500 phones are through in two seconds.
const PACE: Duration = Duration::from_millis(4);

/// Gives out places and turns.
#[derive(Clone, Debug)]
pub(super) struct Handshakes(Rc<Table>);

#[derive(Debug)]
struct Table {
    most: usize,
    turns: Arc<Semaphore>,
    places: RefCell<Places>,
}

#[derive(Debug, Default)]
struct Places {
    /// In the order they came.
    all: BTreeMap<u64, Entry>,
    sources: HashMap<Source, Share>,
    last: u64,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    /// The peer's word is waited for.
    silent: bool,
    /// Dropped with it: the place is gone.
    _stay: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Share {
    /// One waits among all sources at a time: who has many waits for itself.
    turn: Arc<Semaphore>,
    there: usize,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Rc<Table>,
    id: u64,
    share: Arc<Semaphore>,
}

/// Its other end is dropped where the place has given way to another; nothing is ever sent on it.
pub(super) type Gone = oneshot::Receiver<()>;

/// The turn of one place.
#[derive(Debug)]
pub(super) struct Turn {
    _permits: Option<[OwnedSemaphorePermit; 2]>,
}

impl Handshakes {
    pub(super) fn new() -> Self {
        Self::with(PLACES)
    }

    pub(super) fn with(most: usize) -> Self {
        Self(Rc::new(Table {
            most,
            turns: Arc::new(Semaphore::new(1)),
            places: RefCell::default(),
        }))
    }

    /// A place; none where all are taken, and nobody is to give way to this source. What comes with it
    /// ends where it has to give way itself.
    pub(super) fn enter(&self, source: Source) -> Option<(Place, Gone)> {
        let mut places = self.0.places.borrow_mut();
        if places.all.len() >= self.0.most {
            let victim = places.victim(source)?;
            places.remove(victim);
        }
        let id = places.last;
        places.last += 1;
        let (stay, gone) = oneshot::channel();
        let entry = Entry {
            source,
            silent: true,
            _stay: stay,
        };
        places.all.insert(id, entry);
        let share = places.sources.entry(source).or_insert_with(|| Share {
            turn: Arc::new(Semaphore::new(1)),
            there: 0,
        });
        share.there += 1;
        let place = Place {
            of: Rc::clone(&self.0),
            id,
            share: Arc::clone(&share.turn),
        };
        Some((place, gone))
    }
}

impl Places {
    fn there(&self, source: Source) -> usize {
        self.sources.get(&source).map_or(0, |share| share.there)
    }

    /// Who gives way to another of this source: among the sources that have most, whoever has been silent
    /// for longest; else the last to come of a source that has more than this one.
    fn victim(&self, source: Source) -> Option<u64> {
        let most = self.sources.values().map(|share| share.there).max()?;
        let mut of_most = (self.all.iter()).filter(|(_, entry)| self.there(entry.source) == most);
        let silent = of_most.clone().find(|(_, entry)| entry.silent);
        let last = || {
            of_most
                .next_back()
                .filter(|_| most > self.there(source) + 1)
        };
        silent.or_else(last).map(|(id, _)| *id)
    }

    fn remove(&mut self, id: u64) {
        let Some(entry) = self.all.remove(&id) else {
            return;
        };
        if let Some(share) = self.sources.get_mut(&entry.source) {
            share.there -= 1;
            if share.there == 0 {
                self.sources.remove(&entry.source);
            }
        }
    }
}

impl Place {
    /// Whether the peer is waited for, rather than we ourselves.
    pub(super) fn set_silent(&self, silent: bool) {
        if let Some(entry) = self.of.places.borrow_mut().all.get_mut(&self.id) {
            entry.silent = silent;
        }
    }

    /// Waits for the turn.
    pub(super) async fn turn(&self) -> Turn {
        let own = Arc::clone(&self.share).acquire_owned().await;
        let all = Arc::clone(&self.of.turns).acquire_owned().await;
        // Nobody closes the semaphores.
        Turn {
            _permits: own.ok().zip(all.ok()).map(|(own, all)| [own, all]),
        }
    }
}

impl Turn {
    /// The work is done; the next one's comes in a while, whatever becomes of the handshake.
    pub(super) fn done(self) {
        spawn_local(async move {
            sleep(PACE).await;
            drop(self);
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.places.borrow_mut().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    fn source(n: u16) -> Source {
        let [high, low] = n.to_be_bytes();
        Source::of([192, 0, high, low].into())
    }

    fn context() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    type Held = (Place, Gone);

    fn has_given_way((_, gone): &mut Held) -> bool {
        gone.try_recv() == Err(TryRecvError::Closed)
    }

    /// As many places as there are, of these sources by turns; who has spoken is not silent.
    fn filled(handshakes: &Handshakes, sources: u16, spoken: bool) -> Vec<Held> {
        (0..PLACES)
            .map(|n| {
                let of = u16::try_from(n).expect("few") % sources;
                let place = handshakes.enter(source(of)).expect("there is room");
                place.0.set_silent(!spoken);
                place
            })
            .collect()
    }

    #[test]
    fn a_few_sources_keep_no_other_out_whether_they_speak_or_not() {
        for sources in [1, 2, 3, 20] {
            for spoken in [false, true] {
                let handshakes = Handshakes::new();
                let mut places = filled(&handshakes, sources, spoken);
                // An office of a dozen phones each with an address of its own.
                let office: Vec<Held> = (100..112)
                    .map(|n| handshakes.enter(source(n)).expect("a place"))
                    .collect();
                let gone: Vec<usize> = (places.iter_mut().enumerate())
                    .filter_map(|(n, place)| has_given_way(place).then_some(n))
                    .collect();
                assert_eq!(gone.len(), 12);
                // Of the silent the oldest, of the others the youngest.
                assert_eq!(gone[0] == 0, !spoken, "{gone:?}");
                assert_eq!(handshakes.0.places.borrow().all.len(), PLACES);
                drop((places, office));
                assert!(handshakes.0.places.borrow().all.is_empty());
                assert!(handshakes.0.places.borrow().sources.is_empty());
            }
        }
    }

    #[test]
    fn of_the_source_that_has_most_the_one_silent_for_longest_gives_way() {
        let handshakes = Handshakes::with(5);
        let mut places: Vec<Held> = [1, 2, 2, 2, 1]
            .map(|n| handshakes.enter(source(n)).expect("there is room"))
            .into();
        places[1].0.set_silent(false);
        // The third gives way to anyone, its own source among them.
        for newcomer in [2, 1, 3] {
            places.push(handshakes.enter(source(newcomer)).expect("a place"));
            let gone: Vec<usize> = (places.iter_mut().enumerate())
                .filter_map(|(n, place)| has_given_way(place).then_some(n))
                .collect();
            match newcomer {
                2 => assert_eq!(gone, [2]),
                1 => assert_eq!(gone, [2, 3]),
                _ => assert_eq!(gone, [0, 2, 3]),
            }
        }
    }

    #[test]
    fn where_all_have_spoken_nobody_gives_way_to_one_who_has_as_many() {
        let handshakes = Handshakes::with(4);
        let places: Vec<Held> = [1, 1, 2, 2]
            .map(|n| handshakes.enter(source(n)).expect("there is room"))
            .into();
        for (place, _) in &places {
            place.set_silent(false);
        }
        assert!(handshakes.enter(source(1)).is_none());
        assert!(handshakes.enter(source(2)).is_none());
        assert!(handshakes.enter(source(3)).is_some());
    }

    #[test]
    fn the_next_turn_keeps_its_pace_where_the_handshake_of_this_one_is_gone() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let handshakes = Handshakes::with(1);
            let first = handshakes.enter(source(1)).expect("a place");
            let turn = first.0.turn().await;
            let start = tokio::time::Instant::now();
            turn.done();
            let next = handshakes.enter(source(2)).expect("a place");
            drop(first);
            let _turn = next.0.turn().await;
            assert!(start.elapsed() >= PACE);
        });
    }

    #[test]
    fn turns_come_one_at_a_time_and_to_sources_in_order() {
        let handshakes = Handshakes::new();
        let many: Vec<Held> = (0..100)
            .map(|_| handshakes.enter(source(1)).expect("a place"))
            .collect();
        let mut waiting: Vec<_> = many
            .iter()
            .map(|(place, _)| Box::pin(place.turn()))
            .collect();
        let mut poll = |n: usize| match waiting[n].as_mut().poll(&mut context()) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        };
        let first = poll(0).expect("nobody else has it");
        assert!((1..100).all(|n| poll(n).is_none()));
        let (one, _gone) = handshakes.enter(source(2)).expect("a place");
        let mut other = pin!(one.turn());
        assert!(other.as_mut().poll(&mut context()).is_pending());
        drop(first);
        // The hundred had the first; now another source has come to it.
        assert!(poll(1).is_none());
        let Poll::Ready(turn) = other.poll(&mut context()) else {
            panic!("it waits for one other turn at most");
        };
        assert!(poll(1).is_none());
        drop(turn);
        assert!(poll(1).is_some());
    }
}

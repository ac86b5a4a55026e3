//! Open connections and their framers (RFC 3261 §18.3, RFC 5626 §3.5.1).
//!
//! Anybody can open a connection, so it is worth nothing until something was *proved* on it: a digest,
//! a dialog known by its tags, an address that is trusted. Till then it lives on sufferance:
//!
//! ```text
//!  opened --> unproven --30 s without a message, two minutes, a message over 16 KiB, more messages than its
//!                |       source may send, five wrong passwords, its place is needed--> closed
//!                | proved
//!                v
//!             proven ----30 s with an unfinished message--> closed
//! ```

use std::collections::{BTreeMap, BTreeSet};

use model::{Flow, Instant, Source};

use super::limits::{
    SHARE_OF_ONE_SOURCE, STREAM_PATIENCE, STREAMS, UNPROVEN_LIFE, UNPROVEN_OCTETS, WRONG_TRIES,
};
use super::{Core, IdMap, TimerHandle, TimerKey};
use crate::message::Limits;
use crate::stream::{Framer, Side};

/// One connection, in order of opening. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(u64);

/// The connections.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// How many there may be.
    most: usize,
    all: BTreeMap<Flow, Stream>,
    flows: IdMap<StreamId, Flow>,
    /// The oldest first.
    unproven: BTreeSet<StreamId>,
    sources: BTreeMap<Source, Crowd>,
    last: u64,
}

#[derive(Debug)]
struct Stream {
    id: StreamId,
    framer: Framer,
    proven: bool,
    /// When it has to have proved something.
    until: Instant,
    /// How many wrong credentials came on it before that.
    wrong: u8,
    timer: Option<TimerHandle>,
}

/// The connections of one source.
#[derive(Debug, Default)]
struct Crowd {
    open: usize,
    unproven: BTreeSet<StreamId>,
}

/// Whether there is a place for one more connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Yes.
    Free,
    /// That of this one.
    Of(Flow),
    /// No: all have proved something.
    No,
}

impl Streams {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.min(STREAMS),
            ..Self::default()
        }
    }

    /// The place for a new connection.
    pub(crate) fn room_for(&self, flow: Flow) -> Room {
        let crowd = self.sources.get(&Source::of(flow.remote.ip()));
        let oldest = match crowd {
            Some(crowd) if crowd.open >= self.most / SHARE_OF_ONE_SOURCE => crowd.unproven.first(),
            Some(_) | None if self.all.len() >= self.most => self.unproven.first(),
            Some(_) | None => return Room::Free,
        };
        oldest
            .and_then(|id| self.flows.get(id))
            .map_or(Room::No, |flow| Room::Of(*flow))
    }

    /// Notes a new connection.
    pub(crate) fn open(&mut self, core: &mut Core, flow: Flow) {
        self.close(core, flow);
        self.last += 1;
        let id = StreamId(self.last);
        let timer = core
            .timers
            .start(core.now + STREAM_PATIENCE, TimerKey::Stream(id));
        let stream = Stream {
            id,
            // Who opened it makes no difference: pings come only from who opened it, and we send none.
            framer: Framer::new(Side::Acceptor, Limits::DEFAULT),
            proven: false,
            until: core.now + UNPROVEN_LIFE,
            wrong: 0,
            timer: Some(timer),
        };
        self.all.insert(flow, stream);
        self.flows.insert(id, flow);
        self.unproven.insert(id);
        let crowd = self
            .sources
            .entry(Source::of(flow.remote.ip()))
            .or_default();
        crowd.open += 1;
        crowd.unproven.insert(id);
    }

    /// True while a connection is open.
    pub(crate) fn is_open(&self, flow: Flow) -> bool {
        self.all.contains_key(&flow)
    }

    /// An open connection.
    pub(crate) fn id(&self, flow: Flow) -> Option<StreamId> {
        self.all.get(&flow).map(|stream| stream.id)
    }

    /// The framer of an open connection.
    pub(crate) fn framer(&mut self, flow: Flow) -> Option<&mut Framer> {
        self.all.get_mut(&flow).map(|stream| &mut stream.framer)
    }

    /// True where who is on the connection has shown that he belongs here.
    pub(crate) fn is_proven(&self, flow: Flow) -> bool {
        self.all.get(&flow).is_some_and(|stream| stream.proven)
    }

    /// Counts wrong credentials; false where there were too many. Who has proved something may carry
    /// others.
    pub(crate) fn may_try_again(&mut self, flow: Flow) -> bool {
        let Some(stream) = self.all.get_mut(&flow).filter(|stream| !stream.proven) else {
            return true;
        };
        stream.wrong = stream.wrong.saturating_add(1);
        stream.wrong < WRONG_TRIES
    }

    /// Who is on the connection has shown that he belongs here.
    pub(crate) fn prove(&mut self, core: &mut Core, flow: Flow) {
        let Some(stream) = self.all.get_mut(&flow).filter(|stream| !stream.proven) else {
            return;
        };
        stream.proven = true;
        core.timers.stop_in(&mut stream.timer);
        self.unproven.remove(&stream.id);
        if let Some(crowd) = self.sources.get_mut(&Source::of(flow.remote.ip())) {
            crowd.unproven.remove(&stream.id);
        }
    }

    /// All that came was looked at, with a whole message in it or not. False where what is left is
    /// more than the connection may leave.
    pub(crate) fn settle(&mut self, core: &mut Core, flow: Flow, progress: bool) -> bool {
        let Some(stream) = self.all.get_mut(&flow) else {
            return true;
        };
        let unfinished = stream.framer.unfinished();
        if stream.proven && unfinished.is_none() {
            core.timers.stop_in(&mut stream.timer);
        } else if progress || stream.timer.is_none() {
            let mut at = core.now + STREAM_PATIENCE;
            if !stream.proven {
                at = at.min(stream.until);
            }
            core.timers
                .restart(&mut stream.timer, at, TimerKey::Stream(stream.id));
        }
        stream.proven || unfinished.unwrap_or_default() <= UNPROVEN_OCTETS
    }

    /// The connection whose time has run out.
    pub(crate) fn overdue(&mut self, id: StreamId) -> Option<Flow> {
        let flow = *self.flows.get(&id)?;
        self.all.get_mut(&flow)?.timer = None;
        Some(flow)
    }

    /// Forgets a connection.
    pub(crate) fn close(&mut self, core: &mut Core, flow: Flow) {
        let Some(mut stream) = self.all.remove(&flow) else {
            return;
        };
        core.timers.stop_in(&mut stream.timer);
        self.flows.remove(&stream.id);
        self.unproven.remove(&stream.id);
        let source = Source::of(flow.remote.ip());
        if let Some(crowd) = self.sources.get_mut(&source) {
            crowd.open -= 1;
            crowd.unproven.remove(&stream.id);
            if crowd.open == 0 {
                self.sources.remove(&source);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

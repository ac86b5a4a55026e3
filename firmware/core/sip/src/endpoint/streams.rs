//! Open connections and their framers (RFC 3261 §18.3, RFC 5626 §3.5.1).

use std::collections::BTreeMap;

use model::Flow;

use super::limits::STREAMS;
use crate::message::Limits;
use crate::stream::{Framer, Side};

/// The connections.
#[derive(Debug)]
pub(crate) struct Streams(BTreeMap<Flow, Framer>);

impl Streams {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Notes a new connection; false where there are too many.
    pub(crate) fn open(&mut self, flow: Flow) -> bool {
        if !self.0.contains_key(&flow) && self.0.len() >= STREAMS {
            return false;
        }
        // Who opened it makes no difference: pings come only from who opened it, and we send none.
        let framer = Framer::new(Side::Acceptor, Limits::DEFAULT);
        self.0.insert(flow, framer);
        true
    }

    /// The framer of an open connection.
    pub(crate) fn framer(&mut self, flow: Flow) -> Option<&mut Framer> {
        self.0.get_mut(&flow)
    }

    /// Forgets a connection.
    pub(crate) fn close(&mut self, flow: Flow) {
        self.0.remove(&flow);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

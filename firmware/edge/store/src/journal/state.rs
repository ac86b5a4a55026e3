//! What the journal's records amount to: what a snapshot has to say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Binding, CallId, CallRecord, ExtensionId, WallTime};

use super::frame::{self, Entry};
use super::{LiveRecord, Recovered};

/// A registration whose end moves by more is not the same any more. Most phones register for an hour, and
/// before half of it is over.
const GOES_ON: Duration = Duration::from_secs(3600);

/// The frames that count, by what they are about.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By extension and then contact, so that a look-up needs no text of its own.
    bindings: BTreeMap<ExtensionId, BTreeMap<String, Arc<[u8]>>>,
    open: BTreeMap<CallId, Arc<[u8]>>,
    closed: BTreeMap<CallId, Arc<[u8]>>,
    left: Vec<Arc<[u8]>>,
    pub(super) last_call: Option<CallId>,
}

impl State {
    /// Takes in an entry read from a file; false where it isn't understood.
    pub(super) fn replay(&mut self, bytes: &[u8], entry: &Entry) -> bool {
        match entry {
            Entry::Live(record) => self.apply(bytes, record),
            Entry::Stored(calls) => self.stored(calls),
            Entry::LastCall(call) => self.last_call = self.last_call.max(Some(*call)),
            Entry::End => {}
            Entry::Unknown => return false,
        }
        true
    }

    /// Takes in a record and the frame that says it.
    pub(super) fn apply(&mut self, bytes: &[u8], record: &LiveRecord) {
        match record {
            LiveRecord::BindingPut(binding) => {
                let contacts = self.bindings.entry(binding.extension).or_default();
                if let Some(frame) = contacts.get_mut(&binding.contact) {
                    *frame = bytes.into();
                } else {
                    contacts.insert(binding.contact.clone(), bytes.into());
                }
            }
            LiveRecord::BindingRemove { extension, contact } => {
                self.remove(*extension, contact);
            }
            LiveRecord::CallOpened(call) => {
                let id = call.record.call;
                self.open.insert(id, bytes.into());
                self.last_call = self.last_call.max(Some(id));
            }
            LiveRecord::CallClosed(call) => {
                self.open.remove(&call.call);
                self.closed.insert(call.call, bytes.into());
                self.last_call = self.last_call.max(Some(call.call));
            }
            LiveRecord::DialogLeft(_) => self.left.push(bytes.into()),
            LiveRecord::DialogsTaken => self.left.clear(),
        }
    }

    /// Whether a registration merely goes on: without this one the phone is still found where it is, and for
    /// no longer or shorter than it may be.
    pub(super) fn goes_on(&self, new: &Binding) -> bool {
        let known = (self.bindings.get(&new.extension))
            .and_then(|contacts| contacts.get(&new.contact))
            .and_then(|frame| frame::binding_of(frame));
        known.is_some_and(|known| {
            let moved = new
                .expires
                .since(known.expires)
                .max(known.expires.since(new.expires));
            known.flow == new.flow && moved <= GOES_ON
        })
    }

    /// Calls that the history has now.
    pub(super) fn stored(&mut self, calls: &[CallId]) {
        for call in calls {
            self.closed.remove(call);
        }
    }

    /// Drops registrations that are over, and says what is left.
    pub(super) fn recover(&mut self, now: WallTime) -> Recovered {
        let bindings: Vec<Binding> = self
            .bindings
            .values()
            .flat_map(BTreeMap::values)
            .filter_map(|bytes| frame::binding_of(bytes))
            .collect();
        let (live, over): (Vec<_>, Vec<_>) = bindings
            .into_iter()
            .partition(|binding| binding.expires > now);
        for binding in over {
            self.remove(binding.extension, &binding.contact);
        }
        Recovered {
            bindings: live,
            closed: self.unstored(),
            open: (self.open.values())
                .filter_map(|bytes| frame::open_call_of(bytes))
                .collect(),
            left: (self.left.iter())
                .filter_map(|bytes| frame::dialog_of(bytes))
                .collect(),
            last_call_id: self.last_call,
            ..Recovered::default()
        }
    }

    /// Calls that are over and not known to be in the history.
    pub(super) fn unstored(&self) -> Vec<CallRecord> {
        calls(&self.closed)
    }

    /// How many these are.
    pub(super) fn unstored_len(&self) -> usize {
        self.closed.len()
    }

    /// A call is over, and is not kept.
    pub(super) fn forget(&mut self, call: CallId) {
        self.open.remove(&call);
        self.last_call = self.last_call.max(Some(call));
    }

    /// One of these.
    pub(super) fn unstored_call(&self, call: CallId) -> Option<CallRecord> {
        self.closed
            .get(&call)
            .and_then(|bytes| frame::call_of(bytes))
    }

    /// Every frame of a snapshot but the last call id and the end.
    pub(super) fn frames(&self) -> Vec<Arc<[u8]>> {
        let bindings = self.bindings.values().flat_map(BTreeMap::values);
        bindings
            .chain(self.closed.values())
            .chain(self.open.values())
            .chain(&self.left)
            .cloned()
            .collect()
    }

    fn remove(&mut self, extension: ExtensionId, contact: &str) {
        if let Some(contacts) = self.bindings.get_mut(&extension) {
            contacts.remove(contact);
            if contacts.is_empty() {
                self.bindings.remove(&extension);
            }
        }
    }
}

fn calls(frames: &BTreeMap<CallId, Arc<[u8]>>) -> Vec<CallRecord> {
    frames
        .values()
        .filter_map(|bytes| frame::call_of(bytes))
        .collect()
}

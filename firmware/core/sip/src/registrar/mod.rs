//! The registrar: where the phones of an extension are (RFC 3261 §10.3, RFC 3327, RFC 5626).
//!
//! Requests come here authenticated and for their own address of record.
//!
//! ```text
//!  (none) --contact--> bound --the same contact, or instance and reg-id--> bound (refreshed)
//!                        | expires=0, `*`, limit, account gone: removed
//!                        | its time: expired         | its connection closed, outbound: removed
//! ```

mod contact;
mod flows;
mod register;

use core::ops::Bound;
use std::collections::BTreeMap;

use model::{ExtensionId, Flow, Instant};

use crate::endpoint::limits::BINDINGS_PER_EXTENSION;
use crate::endpoint::{Binding, BindingChange, Core, Event, TimerHandle, TimerKey};
use crate::message::Uri;

pub(crate) use contact::Phone;

use flows::Flows;

/// The contacts of one extension.
#[derive(Debug, Default)]
struct Record {
    /// The preferred first, and of equal ones the one registered first.
    bindings: Vec<Binding>,
    /// `q` of each, in thousandths.
    preferences: Vec<u16>,
    /// Runs out with the earliest of them.
    timer: Option<TimerHandle>,
}

/// The contacts of all extensions.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    records: BTreeMap<ExtensionId, Record>,
    flows: Flows,
}

impl Registrar {
    pub(crate) const fn new() -> Self {
        Self {
            records: BTreeMap::new(),
            flows: Flows::new(),
        }
    }

    /// The contacts of an extension.
    pub(crate) fn bindings(&self, extension: ExtensionId) -> &[Binding] {
        self.records
            .get(&extension)
            .map_or(&[], |record| record.bindings.as_slice())
    }

    /// The phone that a session over a connection is with: of an extension, or of any that registered
    /// on it; `uri` is its Contact.
    pub(crate) fn phone_at(
        &self,
        extension: Option<ExtensionId>,
        flow: Flow,
        uri: &Uri,
    ) -> Option<Phone> {
        if !flow.transport.is_stream() {
            return None;
        }
        let extensions = extension.map_or_else(|| self.flows.extensions(flow), |one| vec![one]);
        extensions
            .into_iter()
            .flat_map(|extension| self.bindings(extension))
            .map(|binding| {
                (
                    binding,
                    binding.flow == flow,
                    binding.contact.equivalent(uri),
                )
            })
            .filter(|(_, here, same)| *here || *same)
            .max_by_key(|(_, here, same)| (*here, *same))
            .map(|(binding, ..)| Phone::of(binding))
    }

    /// Where a phone registered last, among the flows that will do.
    pub(crate) fn way_to(&self, phone: &Phone, will_do: impl Fn(Flow) -> bool) -> Option<Flow> {
        self.bindings(phone.extension())
            .iter()
            .filter(|binding| phone.has(binding) && will_do(binding.flow))
            .max_by_key(|binding| binding.expires)
            .map(|binding| binding.flow)
    }

    /// The contacts of the extensions after this one, by extension.
    pub(crate) fn after(&self, extension: Option<ExtensionId>) -> impl Iterator<Item = &Binding> {
        let from = extension.map_or(Bound::Unbounded, Bound::Excluded);
        self.records
            .range((from, Bound::Unbounded))
            .flat_map(|(_, record)| record.bindings.iter())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.after(None).count()
    }

    /// Takes contacts from before a restart, without telling of them.
    pub(crate) fn restore(&mut self, core: &mut Core, bindings: Vec<Binding>) {
        for binding in bindings {
            if binding.expires <= core.now {
                continue;
            }
            let extension = binding.extension;
            let record = self.records.entry(extension).or_default();
            let known = record
                .bindings
                .iter()
                .position(|old| contact::same(old, &binding));
            // Of two the one that lasts longer is the newer.
            if let Some(at) = known
                && record
                    .bindings
                    .get(at)
                    .is_some_and(|old| old.expires < binding.expires)
            {
                record.remove(at, &mut self.flows);
                record.insert(binding, 1000, &mut self.flows);
            } else if known.is_none() && record.bindings.len() < BINDINGS_PER_EXTENSION {
                record.insert(binding, 1000, &mut self.flows);
            }
            record.restart(core, extension);
        }
    }

    /// Removes the contacts of extensions that are gone.
    pub(crate) fn retain(&mut self, core: &mut Core, stays: impl Fn(ExtensionId) -> bool) {
        let gone: Vec<ExtensionId> = self
            .records
            .keys()
            .filter(|extension| !stays(**extension))
            .copied()
            .collect();
        for extension in gone {
            self.remove_where(core, extension, BindingChange::Removed, |_| true);
        }
    }

    /// Some contacts of an extension have run out.
    pub(crate) fn on_timer(&mut self, core: &mut Core, extension: ExtensionId) {
        if let Some(record) = self.records.get_mut(&extension) {
            record.timer = None;
        }
        let now = core.now;
        self.remove_where(core, extension, BindingChange::Expired, |binding| {
            binding.expires <= now
        });
    }

    /// A connection is closed: who registered by outbound comes again on another one (RFC 5626 §5.3);
    /// who did not may have closed it to save power, and is called on a new one.
    pub(crate) fn on_closed(&mut self, core: &mut Core, flow: Flow) {
        if !flow.transport.is_stream() {
            return;
        }
        let on_it = |binding: &Binding| binding.flow == flow && binding.ends_with_flow();
        for extension in self.flows.extensions(flow) {
            self.remove_where(core, extension, BindingChange::Removed, on_it);
        }
        for extension in self.flows.extensions(flow) {
            core.event(Event::Parted { extension });
        }
    }

    fn remove_where(
        &mut self,
        core: &mut Core,
        extension: ExtensionId,
        change: BindingChange,
        goes: impl Fn(&Binding) -> bool,
    ) {
        let Some(record) = self.records.get_mut(&extension) else {
            return;
        };
        let mut at = 0;
        while let Some(binding) = record.bindings.get(at) {
            if goes(binding) {
                let binding = record.remove(at, &mut self.flows);
                tell(core, change, binding);
            } else {
                at += 1;
            }
        }
        record.restart(core, extension);
        self.tidy(extension);
    }

    fn tidy(&mut self, extension: ExtensionId) {
        if self
            .records
            .get(&extension)
            .is_some_and(|record| record.bindings.is_empty())
        {
            self.records.remove(&extension);
        }
    }
}

impl Record {
    /// Adds a contact in its place.
    fn insert(&mut self, binding: Binding, preference: u16, flows: &mut Flows) {
        flows.add(&binding);
        let at = self
            .preferences
            .iter()
            .position(|other| *other < preference)
            .unwrap_or(self.preferences.len());
        self.bindings.insert(at, binding);
        self.preferences.insert(at, preference);
    }

    fn remove(&mut self, at: usize, flows: &mut Flows) -> Binding {
        self.preferences.remove(at);
        let binding = self.bindings.remove(at);
        flows.remove(&binding);
        binding
    }

    fn next_expiry(&self) -> Option<Instant> {
        self.bindings.iter().map(|binding| binding.expires).min()
    }

    fn restart(&mut self, core: &mut Core, extension: ExtensionId) {
        match self.next_expiry() {
            Some(at) => core
                .timers
                .restart(&mut self.timer, at, TimerKey::Bindings(extension)),
            None => core.timers.stop_in(&mut self.timer),
        }
    }
}

fn tell(core: &mut Core, change: BindingChange, binding: Binding) {
    core.event(Event::Binding {
        change,
        binding: Box::new(binding),
    });
}

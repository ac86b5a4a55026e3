//! Who registered on which connection, so that its end need not look at everybody.

use std::collections::BTreeMap;

use model::{ExtensionId, Flow};

use crate::endpoint::Binding;

/// How many contacts an extension has on a connection.
#[derive(Debug, Default)]
pub(super) struct Flows(BTreeMap<(Flow, ExtensionId), usize>);

impl Flows {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A contact is registered. Datagrams have no connection.
    pub(super) fn add(&mut self, binding: &Binding) {
        if binding.flow.transport.is_stream() {
            *self.0.entry((binding.flow, binding.extension)).or_default() += 1;
        }
    }

    /// A contact is gone.
    pub(super) fn remove(&mut self, binding: &Binding) {
        let key = (binding.flow, binding.extension);
        if let Some(count) = self.0.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&key);
            }
        }
    }

    /// The extensions with contacts on a connection.
    pub(super) fn extensions(&self, flow: Flow) -> Vec<ExtensionId> {
        let (first, last) = (ExtensionId::new(0), ExtensionId::new(u32::MAX));
        self.0
            .range((flow, first)..=(flow, last))
            .map(|((_, extension), _)| *extension)
            .collect()
    }
}

//! Phones that are registered and do not respond: their power or their network is gone.
//!
//! A phone gets here where it lets a request go by without any answer, and leaves with its next
//! registration, call or answer. It is called like any other: it may be back without a word.

use std::collections::BTreeMap;

use model::control::LastPhone;
use model::{ExtensionId, Flow, Instant, LegId};
use sip::endpoint::{Binding, BindingChange};

use super::Exchange;
use crate::switch::Output;

/// Since when, by extension and the way to its phone. There are no more than contacts.
#[derive(Debug, Default)]
pub(super) struct Unresponsive(BTreeMap<ExtensionId, Vec<(Flow, Instant)>>);

impl Unresponsive {
    /// Since when the phone at the other end of a flow has not responded.
    pub(super) fn since(&self, extension: ExtensionId, flow: Flow) -> Option<Instant> {
        let phones = self.0.get(&extension)?;
        let found = phones.iter().find(|(known, _)| is_same(*known, flow));
        found.map(|(_, since)| *since)
    }

    /// Keeps those that `there` says of; true where one has gone.
    fn retain(&mut self, extension: ExtensionId, there: impl Fn(Flow) -> bool) -> bool {
        let Some(phones) = self.0.get_mut(&extension) else {
            return false;
        };
        let before = phones.len();
        phones.retain(|(flow, _)| there(*flow));
        let gone = phones.len() < before;
        if phones.is_empty() {
            self.0.remove(&extension);
        }
        gone
    }
}

impl Exchange {
    /// A phone has not answered what was asked of it.
    pub(super) fn unanswered(&mut self, flow: Flow) {
        let whose: Vec<ExtensionId> = (self.endpoint.all_bindings())
            .filter(|binding| is_same(binding.flow, flow))
            .map(|binding| binding.extension)
            .collect();
        for extension in whose {
            if self.unresponsive.since(extension, flow).is_some() {
                continue;
            }
            let phones = self.unresponsive.0.entry(extension).or_default();
            phones.push((flow, self.now));
            self.live.registrations_changed(extension);
            // The exchange's call to itself is nobody's business.
            if let Some(party) = self
                .directory
                .party(extension)
                .filter(|_| !extension.is_hidden())
            {
                self.outputs.push_back(Output::Warning(format!(
                    "The phone of extension {} at {} ({}) does not respond: is it switched on and \
                     connected?",
                    party.number,
                    flow.remote,
                    flow.transport.to_string().to_uppercase(),
                )));
            }
        }
    }

    /// A party has given a sign of life.
    pub(super) fn responds(&mut self, id: LegId) {
        let leg = self.legs.get(id);
        if let Some((extension, flow)) = leg.and_then(|leg| Some((leg.extension()?, leg.flow))) {
            self.responds_at(extension, flow);
        }
    }

    /// A phone has given a sign of life.
    pub(super) fn responds_at(&mut self, extension: ExtensionId, flow: Flow) {
        let other = |known: Flow| !is_same(known, flow);
        if self.unresponsive.retain(extension, other) {
            self.live.registrations_changed(extension);
        }
    }

    /// The contacts of an extension have changed: what is no contact any more is forgotten.
    pub(super) fn forget_unresponsive(&mut self, extension: ExtensionId) {
        let bindings = self.endpoint.bindings(extension);
        let there = |flow| bindings.iter().any(|binding| is_same(binding.flow, flow));
        self.unresponsive.retain(extension, there);
    }

    /// Keeps which phone was the last of an extension that has none any more.
    pub(super) fn last_phone(&mut self, change: BindingChange, binding: &Binding) {
        let extension = binding.extension;
        if !self.endpoint.bindings(extension).is_empty() {
            self.last_phones.remove(&extension);
        } else if !extension.is_hidden() {
            let phone = LastPhone {
                address: binding.flow.remote.to_string(),
                transport: binding.flow.transport,
                user_agent: binding.user_agent.clone(),
                until: self.wall(),
                left: change == BindingChange::Removed,
            };
            self.last_phones.insert(extension, phone);
        }
    }

    /// The call of a party is over because its phone is gone.
    pub(super) fn lose(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.interface.is_none()) {
            leg.lost = true;
            let flow = leg.flow;
            self.unanswered(flow);
        }
    }
}

/// The same phone, by whichever address of ours.
fn is_same(a: Flow, b: Flow) -> bool {
    (a.transport, a.remote) == (b.transport, b.remote)
}

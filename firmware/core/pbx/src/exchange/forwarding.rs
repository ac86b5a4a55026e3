//! Calls that go on elsewhere by the rules of a user (USR-3), and those that were sent on before they came.

use model::config::Target;
use model::explain::Forwarding;
use model::{CallId, ExtensionId};
use sip::endpoint::IncomingInvite;

use super::Exchange;
use crate::route::{Route, Rules, forward};

impl Exchange {
    /// Where a call goes on by the rules of the user who was called.
    pub(crate) fn forward(
        &self,
        caller: Option<ExtensionId>,
        rules: &Rules,
        rule: (Forwarding, &Target),
    ) -> Route {
        forward(&self.directory, self, caller, rules, rule)
    }

    /// The rules of a user have led a call away from this extension, if none before.
    pub(crate) fn is_sent_on(&mut self, call: CallId, from: ExtensionId) {
        let party = self.directory.party(from);
        if let Some(state) = self.calls.get_mut(&call)
            && state.forwarded_from.is_none()
        {
            state.forwarded_from = party;
        }
    }
}

/// How often a call says to have been sent on (RFC 5806 §3, RFC 7044 §5): what goes round in a circle by way
/// of other networks is known by it.
pub(super) fn forwards(invite: &IncomingInvite) -> u8 {
    let headers = &invite.request.headers;
    let diverted: usize = (headers.diversions().unwrap_or_default().iter())
        .map(|address| {
            let counter = address.params.value("counter");
            counter.and_then(|text| text.parse().ok()).unwrap_or(1)
        })
        .fold(0, usize::saturating_add);
    let retargeted = (headers.history_infos().unwrap_or_default().iter())
        .filter(|entry| {
            let uri = entry.uri.to_string().to_ascii_lowercase();
            uri.contains(";cause=") || uri.contains("cause%3d")
        })
        .count();
    u8::try_from(diverted.max(retargeted)).unwrap_or(u8::MAX)
}

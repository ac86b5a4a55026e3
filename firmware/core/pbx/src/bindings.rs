//! Registered contacts in their three forms: the endpoint's, the one kept over a restart, the one shown.

use model::control::Registration;
use model::{Instant, WallTime};
use sip::endpoint::Binding;
use sip::message::Uri;

use crate::exchange::Clock;

/// As it is kept over a restart.
pub(crate) fn kept(binding: &Binding, clock: Clock) -> model::Binding {
    model::Binding {
        extension: binding.extension,
        contact: binding.contact.to_string(),
        instance: binding.instance.clone(),
        reg_id: binding.reg_id,
        path: binding.path.iter().map(Uri::to_string).collect(),
        flow: binding.flow,
        call_id: binding.call_id.clone(),
        cseq: binding.cseq,
        user_agent: binding.user_agent.clone(),
        expires: clock.wall(binding.expires),
    }
}

/// As the endpoint wants it after a restart; none where what was kept can't be read any more. It ends
/// at `latest`, whatever the clock says: one that is behind would keep it for years.
pub(crate) fn restored(binding: &model::Binding, clock: Clock, latest: Instant) -> Option<Binding> {
    Some(Binding {
        extension: binding.extension,
        contact: binding.contact.parse().ok()?,
        instance: binding.instance.clone(),
        reg_id: binding.reg_id,
        path: (binding.path.iter())
            .map(|uri| uri.parse().ok())
            .collect::<Option<_>>()?,
        flow: binding.flow,
        call_id: binding.call_id.clone(),
        cseq: binding.cseq,
        user_agent: binding.user_agent.clone(),
        expires: clock.moment(binding.expires).min(latest),
    })
}

/// As it is shown.
pub(crate) fn shown(
    binding: &Binding,
    clock: Clock,
    reachable: bool,
    unresponsive_since: Option<WallTime>,
) -> Registration {
    Registration {
        extension: binding.extension,
        contact: binding.contact.to_string(),
        address: binding.flow.remote.to_string(),
        transport: binding.flow.transport,
        user_agent: binding.user_agent.clone(),
        expires: clock.wall(binding.expires),
        reachable,
        unresponsive_since,
    }
}

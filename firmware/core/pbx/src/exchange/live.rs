//! What those who watch see: calls as they stand, registered phones, quality while it is measured.
//!
//! Notices are collected while an input is handled and come out once at its end, and only where
//! something that is shown has changed: a call has a handful of them in its life. While nobody watches
//! there are none, and the media thread is not asked for its measurements; who begins to watch asks for
//! what there is.

use core::net::SocketAddr;
use core::ops::Bound;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use media::Command;
use model::control::{ActiveCall, ActiveLeg, CallState as Shown, Notice, Registration};
use model::{CallId, Codec, ExtensionId, Instant, LegId, LegSide};
use sip::endpoint::Binding;

use super::Exchange;
use crate::bindings;
use crate::call::{CallState, Phase, SIDES};
use crate::leg::Leg;

/// Each call is measured every five seconds: RTCP itself is not quicker (RFC 3550 §6.2).
const ROUNDS: u64 = 10;
/// A tenth of the calls at a time, so that the ring to the media thread is never flooded.
const ROUND: Duration = Duration::from_millis(500);

/// What of a call was shown last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Face {
    state: Shown,
    legs: [Option<(LegId, Option<Codec>, SocketAddr)>; 2],
    called: Option<ExtensionId>,
}

/// What watchers have seen, and what is new.
#[derive(Debug, Default)]
pub(super) struct Live {
    changed: BTreeSet<CallId>,
    measured: BTreeSet<CallId>,
    registrations: BTreeSet<ExtensionId>,
    faces: BTreeMap<CallId, Face>,
    /// When the next round of measuring begins, and which; none while nobody watches.
    round: Option<(Instant, u64)>,
}

impl Live {
    pub(super) fn changed(&mut self, call: CallId) {
        if self.is_watched() {
            self.changed.insert(call);
        }
    }

    pub(super) fn measured(&mut self, call: CallId) {
        if self.is_watched() {
            self.measured.insert(call);
        }
    }

    pub(super) fn registrations_changed(&mut self, extension: ExtensionId) {
        if self.is_watched() {
            self.registrations.insert(extension);
        }
    }

    pub(super) fn ended(&mut self, call: CallId) {
        self.changed.remove(&call);
        self.measured.remove(&call);
        self.faces.remove(&call);
    }

    pub(super) const fn is_watched(&self) -> bool {
        self.round.is_some()
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.round.map(|(at, _)| at)
    }
}

impl Exchange {
    /// Someone watches, or nobody any more.
    pub(crate) fn watch(&mut self, watched: bool) {
        if watched && !self.live.is_watched() {
            self.live.round = Some((self.now, 0));
        } else if !watched {
            self.live = Live::default();
        }
    }

    /// Asks the media thread for its measurements where it is time.
    pub(super) fn live_timer(&mut self) {
        let Some((at, round)) = self.live.round else {
            return;
        };
        if at > self.now {
            return;
        }
        self.live.round = Some((self.now + ROUND, (round + 1) % ROUNDS));
        let connected = (self.calls.values())
            .filter(|call| call.id.raw() % ROUNDS == round && call.phase == Phase::Connected);
        let ports: Vec<_> = connected
            .flat_map(|call| SIDES.map(|side| call.leg(side)))
            .filter_map(|leg| self.legs.get(leg?)?.port)
            .filter(|port| self.ports.is_open(*port))
            .collect();
        for port in ports {
            self.media(Command::Report { port });
        }
    }

    /// The end of an input: tells what has changed.
    pub(crate) fn tell_watchers(&mut self) {
        for extension in core::mem::take(&mut self.live.registrations) {
            self.registrations_notice(extension);
        }
        let measured = core::mem::take(&mut self.live.measured);
        let mut changed = core::mem::take(&mut self.live.changed);
        changed.extend(measured.iter().copied());
        for id in changed {
            let Some(call) = self.calls.get(&id) else {
                continue;
            };
            let face = self.face(call);
            if self.live.faces.get(&id) == Some(&face) && !measured.contains(&id) {
                continue;
            }
            let call = self.active(call);
            self.live.faces.insert(id, face);
            self.notice(Notice::Call { call });
        }
    }

    /// All calls as they stand, the oldest first.
    pub(crate) fn active_calls(&self) -> Vec<ActiveCall> {
        self.active_calls_after(None, usize::MAX)
    }

    /// So many of those after this one.
    pub(crate) fn active_calls_after(&self, after: Option<CallId>, most: usize) -> Vec<ActiveCall> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let calls = self.calls.range((from, Bound::Unbounded));
        calls
            .take(most)
            .map(|(_, call)| self.active(call))
            .collect()
    }

    /// All registered phones, by extension.
    pub(crate) fn registrations(&self) -> Vec<Registration> {
        self.registrations_after(None, usize::MAX)
    }

    /// Those of the extensions after this one, until there are so many.
    pub(crate) fn registrations_after(
        &self,
        after: Option<ExtensionId>,
        most: usize,
    ) -> Vec<Registration> {
        let mut found: Vec<Registration> = Vec::new();
        for binding in self.endpoint.bindings_after(after) {
            // No extension is cut in two.
            let last = found.last().map(|phone| phone.extension);
            if found.len() >= most && last != Some(binding.extension) {
                break;
            }
            found.push(self.shown(binding));
        }
        found
    }

    /// A registered phone as it stands.
    pub(super) fn shown(&self, binding: &Binding) -> Registration {
        let reachable = self.endpoint.can_reach(binding);
        let since = (self.unresponsive).since(binding.extension, binding.flow);
        let since = since.map(|since| self.clock.wall(since));
        bindings::shown(binding, self.clock, reachable, since)
    }

    fn face(&self, call: &CallState) -> Face {
        Face {
            state: self.shown_state(call),
            legs: SIDES.map(|side| {
                let id = call.leg(side)?;
                let leg = self.legs.get(id)?;
                Some((id, leg.codec(), leg.flow.remote))
            }),
            called: call.called.as_ref().and_then(|party| party.extension),
        }
    }

    fn shown_state(&self, call: &CallState) -> Shown {
        match call.phase {
            Phase::Setup => Shown::Setup,
            Phase::Ringing => Shown::Ringing,
            Phase::Connected => {
                let held = SIDES.into_iter().any(|side| {
                    (call.leg(side).and_then(|id| self.legs.get(id))).is_some_and(Leg::holds)
                });
                if held { Shown::Held } else { Shown::Connected }
            }
        }
    }

    fn active(&self, call: &CallState) -> ActiveCall {
        ActiveCall {
            call: call.id,
            state: self.shown_state(call),
            caller: call.caller.clone(),
            dialled: call.dialled.clone(),
            called: call.called.clone(),
            started: self.clock.wall(call.started),
            answered: call.answered.map(|moment| self.clock.wall(moment)),
            legs: SIDES
                .into_iter()
                .filter_map(|side| Some(self.active_leg(side, self.legs.get(call.leg(side)?)?)))
                .collect(),
        }
    }

    fn active_leg(&self, side: LegSide, leg: &Leg) -> ActiveLeg {
        ActiveLeg {
            side,
            party: leg.party.clone(),
            address: Some(leg.flow.remote.to_string()),
            user_agent: leg.user_agent.clone(),
            interface: leg.interface.as_deref().map(str::to_owned),
            codec: leg.codec(),
            encrypted: leg.is_encrypted(),
            quality: leg.quality,
            silent_since: leg.silent_since.map(|since| self.clock.wall(since)),
        }
    }
}

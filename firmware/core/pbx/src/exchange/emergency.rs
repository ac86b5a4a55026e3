//! Calls for help (EMG-1): no limit stops them, they take a line from an ordinary call where all are in use,
//! and an administrator is told.

use model::explain::Caller;
use model::{CallId, Cause, Disposition, EndedBy, ExtensionId, InterfaceId, SrtpPolicy};

use super::Exchange;
use crate::call::{CallState, Outcome, SIDES};
use crate::leg::Failure;
use crate::switch::Output;

/// Calls for help of one extension at a time that pass all limits; more are as others. An extension may be
/// a gateway with several people behind it.
const MAX_CALLS_FOR_HELP: usize = 4;

impl Exchange {
    /// Whether an extension that dials this calls for help.
    pub(crate) fn is_for_help(&self, caller: ExtensionId, dialled: &str) -> bool {
        !caller.is_hidden() && self.directory.emergency(dialled).is_some()
    }

    /// Whether an extension calls for help in so many calls already that another can only do harm.
    pub(crate) fn calls_enough_for_help(&self, caller: ExtensionId) -> bool {
        let own =
            |call: &&CallState| call.emergency && call.origin == Some(Caller::Extension(caller));
        self.calls.values().filter(own).count() >= MAX_CALLS_FOR_HELP
    }

    /// A call for help begins.
    pub(crate) fn help_is_called(&mut self, call: CallId) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        // A transferred call is one too, though its INVITE said nothing of it.
        state.emergency = true;
        let row = format!(
            "Emergency call of {} to {}",
            described(state),
            state.dialled
        );
        self.outputs.push_back(Output::Warning(row));
    }

    /// Whether a way that refused what was offered is to be tried once more, encrypted or not.
    pub(crate) fn relax(
        &mut self,
        call: CallId,
        interface: InterfaceId,
        failure: &Failure,
    ) -> bool {
        let required = (self.directory.interface(interface))
            .is_some_and(|interface| interface.srtp == SrtpPolicy::Required);
        let relaxed = required && matches!(failure.status.code(), 415 | 488 | 606);
        if let Some(state) = self.calls.get_mut(&call) {
            state.relaxed = relaxed;
        }
        relaxed
    }

    /// Somebody has answered.
    pub(crate) fn help_is_reached(&mut self, call: CallId, by: InterfaceId) {
        let name = self
            .directory
            .interface(by)
            .map_or("", |one| one.name.as_str());
        let Some(state) = self.calls.get(&call) else {
            return;
        };
        let row = format!(
            "Emergency call of {} to {} was answered by {name}",
            described(state),
            state.dialled
        );
        self.outputs.push_back(Output::Warning(row));
    }

    /// Nobody could be reached.
    pub(crate) fn help_is_not_reached(&mut self, call: CallId, failure: &Failure) {
        let Some(state) = self.calls.get(&call) else {
            return;
        };
        let row = format!(
            "Emergency call of {} to {} was not put through: {}. See the interfaces on the page Call \
             Routing, and explain the call on the page Call Explainer",
            described(state),
            state.dialled,
            failure.cause.text()
        );
        self.outputs.push_back(Output::Warning(row));
    }

    /// Ends an ordinary call by an interface, or any where none is named, the last that began; false where
    /// there is none.
    pub(crate) fn make_room(&mut self, interface: Option<InterfaceId>) -> bool {
        let interface = interface.and_then(|id| self.directory.interface(id));
        let goes_by_it = |call: &CallState| {
            let Some(name) = interface.map(|interface| interface.name.as_str()) else {
                return true;
            };
            let of_halves = SIDES.into_iter().filter_map(|side| call.leg(side));
            let mut legs = of_halves.chain(call.ringing.iter().copied());
            legs.any(|leg| {
                (self.legs.get(leg)).is_some_and(|leg| leg.interface.as_deref() == Some(name))
            })
        };
        let found = (self.calls.values().rev())
            .find(|call| !call.emergency && call.outcome.is_none() && goes_by_it(call))
            .map(|call| (call.id, call.answered.is_some(), told(call)));
        let Some((id, answered, told)) = found else {
            return false;
        };
        let mut outcome = Outcome::failed(Failure::of_cause(Cause::PREEMPTION));
        outcome.ended_by = EndedBy::Exchange;
        if answered {
            outcome.disposition = Disposition::Answered;
        }
        let row = format!("The call of {told} was ended to make room for an emergency call");
        self.outputs.push_back(Output::Warning(row));
        self.doom(id, outcome);
        true
    }
}

fn told(call: &CallState) -> String {
    format!("{} to {}", described(call), call.dialled)
}

fn described(call: &CallState) -> String {
    match &call.caller.name {
        Some(name) => format!("{} ({name})", call.caller.number),
        None => call.caller.number.clone(),
    }
}

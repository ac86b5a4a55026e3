//! The fraud protection (PRM-2) while calls last: what is used up ends them, and what administrators are told.

use core::time::Duration;

use model::config::{Brake, FraudProtection};
use model::control::{BrakeReached, Brakes, BrakesOf};
use model::{CallId, Cause, EndedBy, ExtensionId};

use super::Exchange;
use crate::call::Outcome;
use crate::decision;

/// How often those are looked at whose minutes are nearly used up.
const SOON: Duration = Duration::from_secs(10);

impl Exchange {
    /// Ends what has used up its minutes, and looks again when the next may have.
    pub(super) fn brake(&mut self) {
        if self.brakes.look.is_none_or(|look| look > self.now) {
            return;
        }
        self.brakes.look = None;
        let protection = self.directory.configuration().fraud_protection.clone();
        if !protection.enabled {
            return;
        }
        let mut next: Option<Duration> = None;
        for (extension, lines) in self.brakes.talking() {
            let group = self.directory.permissions_of(extension);
            if group.is_some_and(|group| !group.fraud_protection) {
                continue;
            }
            let left = self.look_at_talking(&protection, extension, lines);
            next = next.into_iter().chain(left).min();
        }
        self.brakes.look = next.map(|left| self.now + left.max(SOON));
    }

    /// How long an extension may talk on; none where it may for ever, or no more.
    fn look_at_talking(
        &mut self,
        protection: &FraudProtection,
        extension: ExtensionId,
        lines: u32,
    ) -> Option<Duration> {
        let used = self.brakes.used(self.now, Some(extension));
        let Some(brake) = protection.ends(used) else {
            let left = protection.extension.left_s(used, lines);
            return left.map(|left| Duration::from_secs(u64::from(left) + 1));
        };
        for line in self.brakes.lines_of(extension) {
            if let Some(call) = self.legs.get(line).map(|leg| leg.call) {
                self.end_by_brake(call, extension, brake);
            }
        }
        None
    }

    fn end_by_brake(&mut self, call: CallId, extension: ExtensionId, brake: Brake) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        state.brake = Some(brake);
        let number = (state.called.as_ref()).map_or(String::new(), |party| party.number.clone());
        let outcome = Outcome::answered(Cause::CALL_REJECTED, EndedBy::Exchange);
        self.doom(call, outcome);
        self.brakes.came_upon(self.now, extension, brake);
        let row = decision::ended_by_brake(&self.directory, extension, &number, brake);
        self.tell_both(row, 1);
    }

    /// What is used of the limits.
    pub(crate) fn brakes_used(&self) -> Brakes {
        let known = self.brakes.known().into_iter();
        let of = |extension: ExtensionId| BrakesOf {
            extension,
            used: self.brakes.used(self.now, Some(extension)),
            reached: (self.brakes.last_reached(self.now, extension)).map(|reached| BrakeReached {
                brake: reached.brake,
                at: self.clock.wall(reached.at),
                times: reached.times,
            }),
        };
        let nothing = model::config::Used::default();
        Brakes {
            exchange: self.brakes.used(self.now, None),
            extensions: (known.map(of))
                .filter(|one| one.used != nothing || one.reached.is_some())
                .collect(),
        }
    }
}

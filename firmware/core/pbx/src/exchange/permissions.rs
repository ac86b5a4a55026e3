//! Calls to the outside that an extension may not make (PRM-1, PRM-2): what administrators are told of them.

use model::explain::{Caller, Step};

use super::Exchange;
use crate::decision;
use crate::route::Route;
use crate::switch::Output;

impl Exchange {
    /// Tells the logs of a call that its caller may not make, where it is one.
    pub(crate) fn tell_refused(&mut self, origin: Caller, dialled: &str, route: &Route) {
        let mut refused = None;
        for step in &route.steps {
            if let Step::Brakes {
                extension,
                brake: Some(brake),
                ..
            } = step
            {
                self.brakes.came_upon(self.now, *extension, *brake);
                refused.get_or_insert(*extension);
            }
        }
        let not_permitted = (route.decision.as_ref()).is_err_and(|failure| failure.not_permitted);
        let caller = match origin {
            Caller::Extension(caller) if not_permitted => refused.unwrap_or(caller),
            Caller::Extension(_) | Caller::Interface(_) => match refused {
                // By the rules of a user it would have left in the name of this one.
                Some(extension) => extension,
                None => return,
            },
        };
        if !self.refusals.refused(self.now, caller) {
            return;
        }
        let row = decision::refused(&self.directory, caller, dialled, &route.steps);
        if let Some(row) = row {
            self.tell_both(row, 1);
        }
    }

    /// Tells of further such calls, once their minute is over.
    pub(super) fn tell_refusals(&mut self) {
        for (extension, times) in self.refusals.expire(self.now) {
            let of = extension
                .and_then(|id| self.directory.extension(id))
                .map_or("further extensions".to_owned(), |one| {
                    format!("extension {}", one.number)
                });
            self.tell_both(format!("Further calls of {of} refused"), times);
        }
    }

    /// A row in the Security log and in the Warning log.
    pub(super) fn tell_both(&mut self, row: String, times: u32) {
        let series = match times {
            1 => String::new(),
            times => format!(", {times} times within a minute"),
        };
        self.outputs
            .push_back(Output::Warning(format!("{row}{series}")));
        self.security_row(row, times);
    }
}

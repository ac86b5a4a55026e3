//! What the ringing rules of a user make of a call (USR-3).
//!
//! ```text
//!  always ───────────────► on to its target, by the target's own rules
//!  not to be disturbed ──► busy ──► on, where a rule says so
//!  what rings: the extensions and numbers listed, or else the called extension
//!       └ nothing of it can be reached ──► on, where a rule says so
//! ```
//!
//! The rules of a user apply once to a call: what goes on to an extension of the same user rings that one
//! alone, what comes back to a user who has sent it on already goes no further. Whom a rule calls outside is
//! called by the rights of the extension whose rule it is.

use core::time::Duration;

use model::config::{Ringing, Target, User};
use model::explain::{Forwarding, Step};
use model::{Cause, DialTarget, ExtensionId, Number, UserId};
use sip::message::StatusCode;

use super::{Attempt, Decider, Destination, Diversion, Past, absent, unknown};
use crate::leg::Failure;

/// How often a call is sent on, here and before it came: five colleagues who stand in for one another are
/// more than any office has; what is sent on more often goes round in a circle.
pub(crate) const MAX_FORWARDS: u8 = 5;

/// Calls that are sent outside for one extension at a time. Where a network brings them back without a word
/// of where they have been, the circle ends here.
pub(crate) const MAX_FORWARDED_OUTSIDE: usize = 10;

/// What rings for a user, and where a call goes on that it does not lead to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The extension that was called.
    pub(crate) called: ExtensionId,
    /// What rings; never empty.
    pub(crate) rings: Vec<Ringer>,
    /// For how long, where the rules say so.
    pub(crate) limit: Option<Duration>,
    /// Where the call goes on if they are busy.
    pub(crate) busy: Option<Target>,
    /// Where it goes on if they do not answer.
    pub(crate) no_answer: Option<Target>,
    /// What has become of the call so far.
    pub(crate) past: Past,
}

/// One of those who ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ringer {
    /// Who.
    pub(crate) who: Who,
    /// Its phones are the user's: who refuses there refuses for all.
    pub(crate) own: bool,
    /// When it begins.
    pub(crate) after: Duration,
    /// For how long it rings.
    pub(crate) limit: Option<Duration>,
}

/// Who rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The phones of an extension.
    Phones(ExtensionId),
    /// Somebody outside, by the first way that takes the call; never empty.
    Outside(Vec<Attempt>),
}

impl Rules {
    /// Where a call goes on that found no answer.
    pub(crate) fn goes_on(&self, failure: &Failure) -> Option<(Forwarding, &Target)> {
        use model::Disposition::{Busy, Rejected};
        match failure.disposition() {
            Busy | Rejected => Some((Forwarding::Busy, self.busy.as_ref()?)),
            _ => Some((Forwarding::NoAnswer, self.no_answer.as_ref()?)),
        }
    }
}

impl<'a> Decider<'a> {
    /// The user whose rules say what rings for an extension; an error where they have sent the call on
    /// already.
    pub(super) fn ruler(&self, id: ExtensionId) -> Result<Option<&'a User>, Failure> {
        let directory = self.directory;
        let user = (directory.extension(id)).and_then(|extension| directory.user_of(extension));
        let Some(user) = user.filter(|user| user.ringing != Ringing::default()) else {
            return Ok(None);
        };
        match self.past.users.iter().position(|seen| *seen == user.id) {
            None => Ok(Some(user)),
            // To another extension of theirs.
            Some(at) if at + 1 == self.past.users.len() => Ok(None),
            Some(_) => Err(circle()),
        }
    }

    /// What the rules of a user make of a call to one of their extensions.
    pub(super) fn by_rules(
        &mut self,
        caller: Option<ExtensionId>,
        called: ExtensionId,
        user: &User,
    ) -> Result<Destination, Failure> {
        let rules = &user.ringing;
        self.past.users.push(user.id);
        // Whom all calls go to reaches the user.
        let always = rules.always.as_ref();
        if let Some(to) = always.filter(|to| caller.is_none() || self.whose(to) != caller) {
            return self.forward(caller, called, Forwarding::Always, to);
        }
        let busy = Failure::new(StatusCode::BUSY_HERE, Cause::USER_BUSY);
        if rules.do_not_disturb {
            self.steps.push(Step::DoNotDisturb { extension: called });
            return match &rules.busy {
                Some(to) => self.forward(caller, called, Forwarding::Busy, to),
                None => Err(busy),
            };
        }
        let rings = self.rings(caller, called, user);
        if rings.is_empty() {
            return match &rules.no_answer {
                Some(to) => self.forward(caller, called, Forwarding::NoAnswer, to),
                None => Err(absent()),
            };
        }
        for (why, to) in [
            (Forwarding::Busy, &rules.busy),
            (Forwarding::NoAnswer, &rules.no_answer),
        ] {
            if let Some(to) = to {
                self.steps.push(self.step(why, to));
            }
        }
        Ok(Destination::User(Rules {
            called,
            rings,
            limit: rules.no_answer_s.map(|s| Duration::from_secs(s.into())),
            busy: rules.busy.clone(),
            no_answer: rules.no_answer.clone(),
            past: self.past.clone(),
        }))
    }

    /// Those who ring and can be reached.
    fn rings(
        &mut self,
        caller: Option<ExtensionId>,
        called: ExtensionId,
        user: &User,
    ) -> Vec<Ringer> {
        let itself = model::config::Ring {
            target: Target::Extension(called),
            after_s: 0,
            for_s: None,
        };
        let listed = match user.ringing.rings.as_slice() {
            [] => core::slice::from_ref(&itself),
            listed => listed,
        };
        let mut ringers = Vec::with_capacity(listed.len());
        for ring in listed {
            let extension = self.whose(&ring.target);
            self.steps.push(Step::Ring {
                extension,
                number: number_of(&ring.target),
                after_s: ring.after_s,
                for_s: ring.for_s,
            });
            let who = match (extension, &ring.target) {
                (Some(id), _) => self.phones(caller, id, user.id),
                (None, Target::Number(number)) => {
                    let outside = self.divert(called, Forwarding::Rings, number);
                    outside.ok().and_then(|destination| match destination {
                        Destination::Outside(attempts) => Some(Who::Outside(attempts)),
                        _ => None,
                    })
                }
                (None, Target::Extension(_)) => None,
            };
            let owner = extension.and_then(|id| self.directory.extension(id)?.user);
            ringers.extend(who.map(|who| Ringer {
                who,
                own: owner == Some(user.id),
                after: Duration::from_secs(ring.after_s.into()),
                limit: ring.for_s.map(|s| Duration::from_secs(s.into())),
            }));
        }
        ringers
    }

    /// The phones of an extension that rings by the rules of a user. Those of others are not disturbed
    /// against their will.
    fn phones(
        &mut self,
        caller: Option<ExtensionId>,
        id: ExtensionId,
        user: UserId,
    ) -> Option<Who> {
        if caller == Some(id) {
            self.steps.push(Step::Own);
            return None;
        }
        let active = self.is_active(id);
        let owner = (self.directory.extension(id))
            .and_then(|extension| self.directory.user_of(extension))
            .filter(|owner| owner.id != user);
        if !active || id.is_hidden() {
            self.steps.push(Step::Called {
                extension: id,
                active,
            });
            return None;
        }
        if owner.is_some_and(|owner| owner.ringing.do_not_disturb) {
            self.steps.push(Step::DoNotDisturb { extension: id });
            return None;
        }
        let registered = self.moment.registered(id);
        self.steps.push(Step::Phones { registered });
        (registered > 0).then_some(Who::Phones(id))
    }

    /// Sends the call on.
    pub(super) fn forward(
        &mut self,
        caller: Option<ExtensionId>,
        by: ExtensionId,
        why: Forwarding,
        to: &Target,
    ) -> Result<Destination, Failure> {
        let extension = self.whose(to);
        self.steps.push(self.step(why, to));
        self.past.forwards = self.past.forwards.saturating_add(1);
        if self.past.forwards > MAX_FORWARDS {
            self.steps.push(Step::Circle);
            return Err(circle());
        }
        match (extension, to) {
            (Some(id), _) if !id.is_hidden() => self.extension(caller, id),
            (None, Target::Number(number)) => self.divert(by, why, number),
            (Some(_), _) | (None, Target::Extension(_)) => Err(unknown()),
        }
    }

    /// Calls a number outside in the name of an extension. Nobody is sent to those who help.
    fn divert(
        &mut self,
        by: ExtensionId,
        why: Forwarding,
        number: &Number,
    ) -> Result<Destination, Failure> {
        if self.directory.emergency(number.as_str()).is_some() {
            return Err(unknown());
        }
        // What rings among others is not counted yet.
        let counter = match why {
            Forwarding::Rings => self.past.forwards.saturating_add(1),
            Forwarding::Always | Forwarding::Busy | Forwarding::NoAnswer => self.past.forwards,
        };
        if counter > MAX_FORWARDS || self.moment.forwarded(by) >= MAX_FORWARDED_OUTSIDE {
            self.steps.push(Step::Circle);
            return Err(circle());
        }
        self.diverting = Some(Diversion { by, why, counter });
        let destination = self.outside(by, number);
        self.diverting = None;
        // That the extension may not call there is no fault of the caller's.
        destination.map_err(|failure| {
            if failure.not_permitted {
                absent()
            } else {
                failure
            }
        })
    }

    fn step(&self, why: Forwarding, to: &Target) -> Step {
        Step::Forwarded {
            why,
            extension: self.whose(to),
            number: number_of(to),
        }
    }

    /// The extension that a target stands for.
    fn whose(&self, target: &Target) -> Option<ExtensionId> {
        match target {
            Target::Extension(id) => Some(*id),
            Target::Number(number) => {
                let DialTarget::Extension(id) = self.directory.plan().lookup(number)?;
                Some(id)
            }
        }
    }
}

fn number_of(target: &Target) -> Option<String> {
    match target {
        Target::Extension(_) => None,
        Target::Number(number) => Some(number.to_string()),
    }
}

/// The call would go round in a circle.
fn circle() -> Failure {
    Failure::new(StatusCode::LOOP_DETECTED, Cause::EXCHANGE_ROUTING_ERROR)
}

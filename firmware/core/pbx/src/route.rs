//! What a dialled number leads to, from inside or from outside.
//!
//! A pure function of the configuration, of what is registered, who calls and what was dialled. It
//! decides and says step by step why, so that the same rules serve a call and its explanation.
//! Ringing, codecs and limits belong to the call.
//!
//! ```text
//!  an extension dials: emergency number ─► the routes of emergency calls
//!                        └ no other ─► dial plan ─► that extension
//!                        └ nothing ─► the route with the longest prefix, if the caller's permissions
//!                                     allow the number and no brake holds it ─► its interfaces in turn
//!  an interface calls: external number ─► the extension it is mapped to
//!                        └ none ─► rewritten, dial plan ─► that extension
//!                                    └ nothing ─► the operator
//! ```
//!
//! What an extension leads to is the matter of its user's rules: `ringing`.

mod brakes;
mod ringing;

use model::config::{
    CallerId, IdentityHeader, Interface, Partner, Permission, Route as ConfiguredRoute, Target,
    Used, WeekTime,
};
use model::explain::{Caller, Explanation, Forwarding, Step, Verdict};
use model::{Cause, DialTarget, ExtensionId, InterfaceId, Number, UserId};
use sip::message::StatusCode;

use crate::brakes::Charge;
use crate::directory::Directory;
use crate::exchange::ANONYMOUS;
use crate::leg::Failure;
use sip::sdp::Warning;

pub(crate) use ringing::{Ringer, Rules, Who};

/// What a decision needs to know of the moment.
pub(crate) trait Moment {
    /// How many contacts an extension has.
    fn registered(&self, extension: ExtensionId) -> usize;
    /// Whether an interface can carry a call.
    fn is_ready(&self, interface: InterfaceId) -> bool;
    /// How many calls have been sent outside by the rules of an extension's user, and last.
    fn forwarded(&self, by: ExtensionId) -> usize;
    /// What an extension has used of the limits of the fraud protection, or all of them.
    fn used(&self, by: Option<ExtensionId>) -> Used;
    /// What time it is in the week.
    fn week_time(&self) -> WeekTime;
}

/// Where a call has been before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// How often it was sent on, before it came and here.
    pub(crate) forwards: u8,
    /// By whose rules here.
    pub(crate) users: Vec<UserId>,
}

/// How a call came to be sent outside by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Diversion {
    /// The extension that was called.
    pub(crate) by: ExtensionId,
    /// By which rule.
    pub(crate) why: Forwarding,
    /// How often the call was sent on, this time among them.
    pub(crate) counter: u8,
}

impl Diversion {
    /// Why, as a network is told (RFC 5806 §5).
    pub(crate) const fn reason(self) -> &'static str {
        match self.why {
            Forwarding::Always => "unconditional",
            Forwarding::Busy => "user-busy",
            Forwarding::NoAnswer => "no-answer",
            Forwarding::Rings => "follow-me",
        }
    }
}

/// One way out, and the numbers as they are sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// By which interface.
    pub(crate) interface: InterfaceId,
    /// The called number.
    pub(crate) called: String,
    /// The calling number.
    pub(crate) calling: String,
    /// The called party is not to see it.
    pub(crate) hidden: bool,
    /// It was called elsewhere, and sent here by a rule.
    pub(crate) diversion: Option<Diversion>,
    /// To whose account it goes; to nobody's where no limit holds.
    pub(crate) charge: Option<Charge>,
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// All phones of an extension.
    Extension(ExtensionId),
    /// What rings by the rules of a user.
    User(Rules),
    /// Out, by the first way that takes it; never empty.
    Outside(Vec<Attempt>),
    /// Out to those who help; never empty.
    Emergency(Vec<Attempt>),
}

impl Destination {
    /// Whether it is this extension, or what rings for it.
    pub(crate) fn is_for(&self, extension: ExtensionId) -> bool {
        match self {
            Self::Extension(id) => *id == extension,
            Self::User(rules) => rules.called == extension,
            Self::Outside(_) | Self::Emergency(_) => false,
        }
    }
}

/// A decision and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// The steps taken; the last one is where it was decided.
    pub(crate) steps: Vec<Step>,
    /// Whom the number stands for, even where the call is refused.
    pub(crate) called: Option<ExtensionId>,
    /// The decision.
    pub(crate) decision: Result<Destination, Failure>,
}

impl Route {
    /// Whether a rule leads the call away from the extension that was called.
    pub(crate) fn is_sent_on(&self) -> bool {
        let called = self.called;
        match &self.decision {
            Ok(Destination::Extension(id)) => called.is_some_and(|called| called != *id),
            Ok(Destination::User(rules)) => called.is_some_and(|called| called != rules.called),
            Ok(Destination::Outside(_)) => called.is_some(),
            Ok(Destination::Emergency(_)) | Err(_) => false,
        }
    }

    /// The way and what it came to, for people.
    pub(crate) fn explained(self) -> Explanation {
        Explanation {
            verdict: match self.decision {
                Ok(
                    Destination::Extension(extension)
                    | Destination::User(Rules {
                        called: extension, ..
                    }),
                ) => Verdict::Rings { extension },
                Ok(Destination::Outside(_) | Destination::Emergency(_)) => Verdict::Leaves,
                Err(failure) => Verdict::Refused {
                    status: failure.status.code(),
                    cause: failure.cause.value(),
                },
            },
            steps: self.steps,
        }
    }
}

/// Decides where a call goes.
pub(crate) fn route(
    directory: &Directory,
    moment: &dyn Moment,
    origin: Caller,
    dialled: &str,
    past: Past,
) -> Route {
    let mut decider = Decider::new(directory, moment, past);
    let decision = decider.decide(origin, dialled);
    decider.decided(decision)
}

/// Sends a call on by a rule of the user who was called.
pub(crate) fn forward(
    directory: &Directory,
    moment: &dyn Moment,
    caller: Option<ExtensionId>,
    rules: &Rules,
    (why, to): (Forwarding, &Target),
) -> Route {
    let mut decider = Decider::new(directory, moment, rules.past.clone());
    let decision = decider.forward(caller, rules.called, why, to);
    decider.decided(decision)
}

/// The calling number that an interface shows for an extension, where no rule of the route makes one.
///
/// The number that rings the extension, where there is one: who is called back, rings. Another
/// exchange knows the extensions; a provider knows the numbers it gave us, and its account.
fn number_outside(
    directory: &Directory,
    interface: &Interface,
    id: ExtensionId,
    internal: &str,
) -> String {
    if let Some(mapping) = directory.number_of(interface, id) {
        return mapping.number.to_string();
    }
    let rule = &interface.incoming.called;
    let in_block = (directory.blocks(interface))
        .filter(|mapping| mapping.extension.is_none())
        .find_map(|mapping| {
            // The rule undone: what it strips is the block's, what it adds goes.
            let kept = mapping.number.as_str().get(..rule.strip.into())?;
            let number = format!("{kept}{}", internal.strip_prefix(&rule.prefix)?);
            mapping.number.matches(&number).then_some(number)
        });
    in_block.unwrap_or_else(|| match (interface.partner, interface.main_number()) {
        (Partner::Provider, Some(main)) => main.to_string(),
        (Partner::Provider, None) if !interface.server.username.is_empty() => {
            interface.server.username.clone()
        }
        (Partner::Provider | Partner::Exchange, _) => internal.to_owned(),
    })
}

/// Who those outside see.
#[derive(Clone, Copy, Debug)]
struct Shown {
    /// Whose number it is.
    extension: ExtensionId,
    /// The network alone is told.
    hidden: bool,
}

struct Decider<'a> {
    directory: &'a Directory,
    moment: &'a dyn Moment,
    steps: Vec<Step>,
    called: Option<ExtensionId>,
    past: Past,
    /// By whose rule the call is sent outside now.
    diverting: Option<Diversion>,
    /// Calls that leave by this decision.
    leaving: u32,
}

impl<'a> Decider<'a> {
    fn new(directory: &'a Directory, moment: &'a dyn Moment, past: Past) -> Self {
        Self {
            directory,
            moment,
            steps: Vec::with_capacity(6),
            called: None,
            past,
            diverting: None,
            leaving: 0,
        }
    }

    fn decided(self, decision: Result<Destination, Failure>) -> Route {
        Route {
            steps: self.steps,
            called: self.called,
            decision,
        }
    }

    fn decide(&mut self, origin: Caller, dialled: &str) -> Result<Destination, Failure> {
        match origin {
            Caller::Extension(caller) => self.by_extension(caller, dialled),
            Caller::Interface(interface) => self.by_interface(interface, dialled),
        }
    }

    fn is_active(&self, id: ExtensionId) -> bool {
        let extension = self.directory.extension(id);
        extension.is_some_and(|extension| self.directory.is_active(extension))
    }

    fn by_extension(&mut self, caller: ExtensionId, dialled: &str) -> Result<Destination, Failure> {
        let active = self.is_active(caller);
        self.steps.push(Step::Caller {
            extension: caller,
            active,
        });
        // Whoever it is: those who may not call may call for help (USR-4).
        if !caller.is_hidden()
            && let Some((number, by)) = self.directory.emergency(dialled)
        {
            return self.emergency(caller, number, by);
        }
        if !active {
            return Err(Failure::new(StatusCode::FORBIDDEN, Cause::CALL_REJECTED));
        }
        let number = self.number(dialled)?;
        // Hidden extensions reach one another and nobody else, and nobody else reaches them.
        let target = (self.directory.plan().lookup(&number))
            .filter(|DialTarget::Extension(id)| id.is_hidden() == caller.is_hidden());
        self.steps.push(Step::DialPlan { target });
        match target {
            Some(DialTarget::Extension(id)) => self.extension(Some(caller), id),
            None if caller.is_hidden() => Err(unknown()),
            None => self.outside(caller, &number),
        }
    }

    /// By the routes that were chosen for it, then that whose prefix was dialled, then all others; each
    /// interface once, those that don't seem to work last: a provider may put through what it did not let
    /// register. The number goes as it is: what rewriting rules would make of it reaches nobody.
    fn emergency(
        &mut self,
        caller: ExtensionId,
        number: &Number,
        by: Option<&ConfiguredRoute>,
    ) -> Result<Destination, Failure> {
        self.steps.push(Step::Emergency {
            number: number.to_string(),
            prefix: by.map_or_else(String::new, |route| route.prefix.clone()),
        });
        let configuration = self.directory.configuration();
        let is_chosen =
            |route: &&ConfiguredRoute| configuration.emergency.routes.contains(&route.id);
        let mut routes: Vec<&ConfiguredRoute> = configuration.emergency_routes().collect();
        if let Some(by) = by.filter(|by| !is_chosen(by)) {
            routes.retain(|route| route.id != by.id);
            routes.insert(
                routes.iter().take_while(|route| is_chosen(route)).count(),
                by,
            );
        }
        let mut attempts: Vec<(bool, Attempt)> = Vec::new();
        for route in routes {
            let known: Vec<InterfaceId> = attempts.iter().map(|(_, one)| one.interface).collect();
            let at = self.steps.len();
            let own = Shown {
                extension: caller,
                hidden: false,
            };
            let new = self.attempts(own, number.as_str(), route, Some(&known));
            // A route that adds no way is not worth a word: there may be a thousand.
            if !new.is_empty() {
                let step = Step::Route {
                    route: Some(route.id),
                    prefix: route.prefix.clone(),
                };
                self.steps.insert(at, step);
            }
            attempts.extend(new);
        }
        attempts.sort_by_key(|(ready, _)| !ready);
        if attempts.is_empty() {
            return Err(Failure::of_cause(Cause::NETWORK_OUT_OF_ORDER).past_network());
        }
        let attempts = attempts.into_iter().map(|(_, attempt)| attempt).collect();
        Ok(Destination::Emergency(attempts))
    }

    fn number(&mut self, dialled: &str) -> Result<Number, Failure> {
        let number: Option<Number> = dialled.parse().ok();
        self.steps.push(Step::Dialled {
            text: dialled.to_owned(),
            valid: number.is_some(),
        });
        number.ok_or_else(unknown)
    }

    fn extension(
        &mut self,
        caller: Option<ExtensionId>,
        id: ExtensionId,
    ) -> Result<Destination, Failure> {
        self.called.get_or_insert(id);
        let active = self.is_active(id);
        self.steps.push(Step::Called {
            extension: id,
            active,
        });
        if !active {
            return Err(absent());
        }
        if caller == Some(id) {
            self.steps.push(Step::Own);
            return Err(Failure::new(StatusCode::BUSY_HERE, Cause::USER_BUSY));
        }
        if let Some(user) = self.ruler(id)? {
            return self.by_rules(caller, id, user);
        }
        let registered = self.moment.registered(id);
        self.steps.push(Step::Phones { registered });
        if registered == 0 {
            return Err(absent());
        }
        Ok(Destination::Extension(id))
    }

    fn outside(&mut self, caller: ExtensionId, number: &Number) -> Result<Destination, Failure> {
        let directory = self.directory;
        let Some(route) = directory.route_for(number.as_str()) else {
            self.steps.push(Step::Route {
                route: None,
                prefix: String::new(),
            });
            return Err(unknown());
        };
        self.steps.push(Step::Route {
            route: Some(route.id),
            prefix: route.prefix.clone(),
        });
        self.permitted(caller, number)?;
        let called = route.outgoing.called.apply(number.as_str());
        let charge = self.braked(caller, number, route, &called)?;
        let shown = self.shown(caller);
        let attempts = self.attempts(shown, &called, route, None);
        let attempts: Vec<Attempt> = (attempts.into_iter())
            .filter_map(|(ready, attempt)| ready.then_some(Attempt { charge, ..attempt }))
            .collect();
        if attempts.is_empty() {
            return Err(Failure::of_cause(Cause::NETWORK_OUT_OF_ORDER).past_network());
        }
        Ok(Destination::Outside(attempts))
    }

    /// Whether the caller's call permission group allows a number outside, as it was dialled (PRM-1).
    fn permitted(&mut self, caller: ExtensionId, number: &Number) -> Result<(), Failure> {
        let Some(group) = self.directory.permissions_of(caller) else {
            return Ok(());
        };
        let (permission, rule) = group.judge(number.as_str());
        self.steps.push(Step::Permission {
            group: group.id,
            rule: rule.map(|rule| rule.prefix.clone()),
            permission,
        });
        match permission {
            Permission::Allow => Ok(()),
            Permission::Deny => Err(Failure::not_permitted(NOT_PERMITTED)),
        }
    }

    /// What an extension shows outside (USR-2).
    fn shown(&mut self, caller: ExtensionId) -> Shown {
        let extension = self.directory.extension(caller);
        let caller_id = extension.map_or(CallerId::Own, |extension| extension.caller_id);
        if caller_id != CallerId::Own {
            self.steps.push(Step::CallerId {
                extension: caller_id.other(),
            });
        }
        Shown {
            extension: caller_id.other().unwrap_or(caller),
            hidden: caller_id == CallerId::Hidden,
        }
    }

    /// The ways of a route, and whether each can carry a call now; for help those that are `known` already
    /// are left out.
    fn attempts(
        &mut self,
        Shown { extension, hidden }: Shown,
        called: &str,
        route: &ConfiguredRoute,
        known: Option<&[InterfaceId]>,
    ) -> Vec<(bool, Attempt)> {
        let directory = self.directory;
        let internal = (directory.extension(extension)).map_or("", |e| e.number.as_str());
        let interfaces = (route.interfaces.iter()).filter_map(|id| directory.interface(*id));
        // Those that are disabled are told of where they are passed over, and no way to help.
        let interfaces = interfaces.filter(|interface| {
            known.is_none_or(|known| interface.enabled && !known.contains(&interface.id))
        });
        let mut attempts = Vec::new();
        for interface in interfaces {
            let rule = &route.outgoing.calling;
            let calling = if rule.is_identity() {
                number_outside(directory, interface, extension, internal)
            } else {
                rule.apply(internal)
            };
            let ready = !called.is_empty() && self.moment.is_ready(interface.id);
            self.steps.push(Step::Attempt {
                interface: interface.id,
                ready,
                called: called.to_owned(),
                calling: if hidden && interface.server.identity == IdentityHeader::From {
                    ANONYMOUS.to_owned()
                } else {
                    calling.clone()
                },
            });
            if interface.enabled {
                let attempt = Attempt {
                    interface: interface.id,
                    called: called.to_owned(),
                    calling,
                    hidden,
                    diversion: self.diverting,
                    charge: None,
                };
                attempts.push((ready, attempt));
            }
        }
        attempts
    }

    fn by_interface(&mut self, id: InterfaceId, dialled: &str) -> Result<Destination, Failure> {
        self.steps.push(Step::Incoming { interface: id });
        let directory = self.directory;
        let interface = directory.interface(id).ok_or_else(unknown)?;
        let number = self.number(dialled);
        let mapping =
            (number.as_ref().ok()).and_then(|number| directory.mapping(interface, number.as_str()));
        let mapped = mapping.and_then(|mapping| mapping.extension);
        self.steps.push(Step::External {
            number: mapping.map(|mapping| mapping.number.to_string()),
            extension: mapped,
        });
        if let Some(extension) = mapped {
            return self.extension(None, extension);
        }
        if let Ok(number) = number {
            let internal = interface.incoming.called.apply(number.as_str());
            let target = (internal.parse().ok())
                .and_then(|number| directory.plan().lookup(&number))
                .filter(|DialTarget::Extension(id)| !id.is_hidden());
            self.steps.push(Step::Rewritten { to: internal });
            self.steps.push(Step::DialPlan { target });
            if let Some(DialTarget::Extension(extension)) = target {
                return self.extension(None, extension);
            }
        }
        self.steps.push(Step::Operator {
            extension: interface.operator,
        });
        match interface.operator {
            Some(operator) => self.extension(None, operator),
            None => Err(unknown()),
        }
    }
}

/// What a phone may show (RFC 3261 §20.43: 399 is for people).
const NOT_PERMITTED: Warning = Warning {
    code: 399,
    text: "This extension may not call this number",
};

fn absent() -> Failure {
    Failure::new(
        StatusCode::TEMPORARILY_UNAVAILABLE,
        Cause::SUBSCRIBER_ABSENT,
    )
}

fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, Cause::UNALLOCATED_NUMBER)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Disposition;

    use super::*;
    use crate::testing::configuration;

    /// Extensions with an id below 3 have a phone, and the hidden ones; interfaces with an odd id
    /// are ready.
    struct Two;

    impl Moment for Two {
        fn registered(&self, id: ExtensionId) -> usize {
            usize::from(id.raw() < 3 || id.is_hidden())
        }

        fn is_ready(&self, id: InterfaceId) -> bool {
            id.raw() % 2 == 1
        }

        fn forwarded(&self, _: ExtensionId) -> usize {
            0
        }

        fn used(&self, _: Option<ExtensionId>) -> Used {
            Used::default()
        }

        fn week_time(&self) -> WeekTime {
            WeekTime { day: 0, minute: 0 }
        }
    }

    type Decision = Result<Destination, (u16, u8, Disposition)>;

    fn decision(
        change: impl FnOnce(&mut model::config::Configuration),
        dialled: &str,
    ) -> (Vec<Step>, Decision) {
        let mut configuration = configuration(3);
        change(&mut configuration);
        let directory = Directory::new(Arc::new(configuration));
        // 103 has no phone.
        let route = route(
            &directory,
            &Two,
            Caller::Extension(ExtensionId::new(1)),
            dialled,
            Past::default(),
        );
        let decision = route.decision.map_err(|failure| {
            (
                failure.status.code(),
                failure.cause.value(),
                failure.disposition(),
            )
        });
        (route.steps, decision)
    }

    #[test]
    fn an_internal_number_leads_to_its_extension() {
        let (steps, decision) = decision(|_| (), "102");
        let extension = ExtensionId::new(2);
        assert_eq!(decision, Ok(Destination::Extension(extension)));
        assert_eq!(
            steps,
            [
                Step::Caller {
                    extension: ExtensionId::new(1),
                    active: true
                },
                Step::Dialled {
                    text: "102".into(),
                    valid: true
                },
                Step::DialPlan {
                    target: Some(DialTarget::Extension(extension))
                },
                Step::Called {
                    extension,
                    active: true
                },
                Step::Phones { registered: 1 },
            ]
        );
    }

    #[test]
    fn hidden_extensions_reach_one_another_and_nobody_else() {
        let mut configuration = configuration(3);
        let [caller, called] = ExtensionId::HIDDEN;
        configuration.extensions[1].id = caller;
        configuration.extensions[2].id = called;
        let directory = Directory::new(Arc::new(configuration));
        let decision = |from, dialled| {
            let route = route(
                &directory,
                &Two,
                Caller::Extension(from),
                dialled,
                Past::default(),
            );
            (route.called, route.decision.map_err(|f| f.status.code()))
        };
        let found = Ok(Destination::Extension(called));
        assert_eq!(decision(caller, "103"), (Some(called), found));
        assert_eq!(decision(caller, "101"), (None, Err(404)));
        assert_eq!(decision(ExtensionId::new(1), "103"), (None, Err(404)));
    }

    #[test]
    fn every_refusal_has_its_reason() {
        use Disposition::{Busy, Rejected, UnknownNumber, Unreachable};
        assert_eq!(decision(|_| (), "199").1, Err((404, 1, UnknownNumber)));
        assert_eq!(decision(|_| (), "alice").1, Err((404, 1, UnknownNumber)));
        assert_eq!(decision(|_| (), "").1, Err((404, 1, UnknownNumber)));
        assert_eq!(decision(|_| (), "101").1, Err((486, 17, Busy)));
        assert_eq!(decision(|_| (), "103").1, Err((480, 20, Unreachable)));
        let disabled =
            |n: usize| move |c: &mut model::config::Configuration| c.extensions[n].enabled = false;
        assert_eq!(decision(disabled(1), "102").1, Err((480, 20, Unreachable)));
        assert_eq!(decision(disabled(0), "102").1, Err((403, 21, Rejected)));
        let user_disabled = |c: &mut model::config::Configuration| c.users[1].enabled = false;
        assert_eq!(
            decision(user_disabled, "102").1,
            Err((480, 20, Unreachable))
        );
    }
}

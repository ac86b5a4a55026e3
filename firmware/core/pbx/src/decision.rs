//! What becomes of calls and why, in sentences for the Debug log. Nothing is written where nobody asked
//! for it.

use core::fmt::Write;

use model::config::{Brake, Permission};
use model::explain::{Caller, Explanation, Forwarding, Step, Verdict};
use model::{CallId, CallRecord, PermissionGroupId};

use crate::directory::Directory;
use crate::leg::Leg;

/// Where a dialled number leads to, step by step.
pub(crate) fn routed(
    directory: &Directory,
    call: CallId,
    origin: Caller,
    dialled: &str,
    way: &Explanation,
) -> String {
    let words = Words(directory);
    let mut text = format!(
        "Call {call}: {} dialled {dialled:?}",
        match origin {
            Caller::Extension(id) => words.extension(id),
            Caller::Interface(id) => words.interface(id),
        }
    );
    words.tell(&mut text, way);
    text
}

/// Where a call goes on by the rules of a user who was not reached.
pub(crate) fn sent_on(directory: &Directory, call: CallId, way: &Explanation) -> String {
    let mut text = format!("Call {call} goes on");
    Words(directory).tell(&mut text, way);
    text
}
/// Something that a party did.
pub(crate) fn of_leg(leg: &Leg, what: &str) -> String {
    let by = leg
        .interface
        .as_deref()
        .map_or(String::new(), |name| format!(" by {name}"));
    format!(
        "Call {}: {} at {}{by} {what}",
        leg.call, leg.party.number, leg.flow
    )
}

/// The end.
pub(crate) fn ended(record: &CallRecord) -> String {
    format!(
        "Call {} has ended: {:?}, cause {}, ended by {:?}",
        record.call, record.disposition, record.cause, record.ended_by
    )
}

/// Why a call to the outside is refused to an extension, for the Warning and the Security log.
pub(crate) fn refused(
    directory: &Directory,
    caller: model::ExtensionId,
    dialled: &str,
    steps: &[Step],
) -> Option<String> {
    let words = Words(directory);
    let mut to = dialled;
    let why = steps.iter().find_map(|step| match step {
        Step::Permission {
            group,
            rule,
            permission: permission @ Permission::Deny,
        } => Some(words.permission(*group, rule.as_deref(), *permission)),
        Step::Brakes {
            brake: Some(brake), ..
        } => Some(braked(*brake)),
        Step::Forwarded {
            number: Some(number),
            ..
        }
        | Step::Ring {
            number: Some(number),
            ..
        } => {
            to = number;
            None
        }
        _ => None,
    })?;
    let caller = words.extension(caller);
    Some(format!("Call of {caller} to {to} refused: {why}"))
}

/// A call to a costly number that the fraud protection has ended, for the same logs.
pub(crate) fn ended_by_brake(
    directory: &Directory,
    caller: model::ExtensionId,
    called: &str,
    brake: Brake,
) -> String {
    let caller = Words(directory).extension(caller);
    format!("Call of {caller} to {called} ended: {}", braked(brake))
}

/// A limit of the fraud protection.
fn braked(brake: Brake) -> String {
    let why = match brake {
        Brake::ExtensionCalls => "so many calls outside it has already",
        Brake::ExtensionHour => "its minutes of an hour to costly numbers are used up",
        Brake::ExtensionDay => "its minutes of a day to costly numbers are used up",
        Brake::ExchangeCalls => "so many calls outside the exchange has already",
        Brake::ExchangeHour => {
            "the minutes of an hour of the exchange to costly numbers are used up"
        }
        Brake::ExchangeDay => "the minutes of a day of the exchange to costly numbers are used up",
        Brake::OutOfHours => "costly numbers are not called at this time",
    };
    format!("fraud protection, {why}")
}

/// Names of what there is.
struct Words<'a>(&'a Directory);

impl Words<'_> {
    /// Each step, and what it comes to.
    fn tell(&self, text: &mut String, way: &Explanation) {
        for step in &way.steps {
            let _ = write!(text, "\n  {}", self.step(step));
        }
        let _ = match way.verdict {
            Verdict::Rings { extension } => {
                write!(text, "\n  = {} rings", self.extension(extension))
            }
            Verdict::Leaves => write!(text, "\n  = it leaves by the first of these that takes it"),
            Verdict::Refused { status, cause } => {
                write!(text, "\n  = refused: SIP status {status}, cause {cause}")
            }
        };
    }

    fn extension(&self, id: model::ExtensionId) -> String {
        (self.0.extension(id)).map_or_else(
            || format!("extension ID={id}"),
            |one| format!("extension {}", one.number),
        )
    }

    fn interface(&self, id: model::InterfaceId) -> String {
        let interfaces = &self.0.configuration().interfaces;
        (interfaces.iter().find(|one| one.id == id)).map_or_else(
            || format!("interface ID={id}"),
            |one| format!("interface {}", one.name),
        )
    }

    fn permission(
        &self,
        group: PermissionGroupId,
        rule: Option<&str>,
        permission: Permission,
    ) -> String {
        let named = (self.0.configuration().permission_group(group)).map_or_else(
            || format!("ID={group}"),
            |group| format!("{:?}", group.name),
        );
        let says = match permission {
            Permission::Allow => "allows",
            Permission::Deny => "denies",
        };
        match rule {
            Some(prefix) => {
                format!("call permission group {named} {says} numbers that begin with {prefix}")
            }
            None => format!("call permission group {named} {says} all that no rule of it fits"),
        }
    }

    fn target(&self, extension: Option<model::ExtensionId>, number: Option<&str>) -> String {
        extension.map_or_else(
            || number.unwrap_or_default().into(),
            |id| self.extension(id),
        )
    }

    fn step(&self, step: &Step) -> String {
        let may = |active: bool| if active { "may be used" } else { "is disabled" };
        match step {
            Step::Caller { extension, active } => {
                format!(
                    "the caller, {}, {}",
                    self.extension(*extension),
                    may(*active)
                )
            }
            Step::Incoming { interface } => format!("it came by {}", self.interface(*interface)),
            Step::Dialled { text, valid: true } => format!("{text:?} is a number"),
            Step::Dialled { text, valid: false } => format!("{text:?} is no number"),
            Step::External {
                number: Some(number),
                extension,
            } => format!(
                "it is the external number {number}{}",
                extension.map_or(String::new(), |id| format!(
                    ", mapped to {}",
                    self.extension(id)
                ))
            ),
            Step::External { number: None, .. } => {
                "it is no external number of the interface".into()
            }
            Step::Rewritten { to } => format!("the rule of the interface makes it {to}"),
            Step::DialPlan {
                target: Some(model::DialTarget::Extension(id)),
            } => {
                format!("in the dial plan it is {}", self.extension(*id))
            }
            Step::DialPlan { target: None } => "the dial plan does not have it".into(),
            Step::Operator { extension } => extension.map_or_else(
                || "the interface has no operator".into(),
                |id| format!("the operator gets it: {}", self.extension(id)),
            ),
            Step::Called { extension, active } => {
                format!("the called {} {}", self.extension(*extension), may(*active))
            }
            Step::Emergency { number, prefix } if prefix.is_empty() => {
                format!("it is the emergency number {number}")
            }
            Step::Emergency { number, prefix } => {
                format!("behind the prefix {prefix:?} it is the emergency number {number}")
            }
            Step::Forwarded {
                why,
                extension,
                number,
            } => {
                let to = self.target(*extension, number.as_deref());
                match why {
                    Forwarding::Always | Forwarding::Rings => format!("all calls go on to {to}"),
                    Forwarding::Busy => format!("where the user is busy it goes on to {to}"),
                    Forwarding::NoAnswer => format!("where nobody answers it goes on to {to}"),
                }
            }
            Step::DoNotDisturb { extension } => format!(
                "the user of {} is not to be disturbed",
                self.extension(*extension)
            ),
            Step::Ring {
                extension,
                number,
                after_s,
                for_s,
            } => format!(
                "{} rings after {after_s} s{}",
                self.target(*extension, number.as_deref()),
                for_s.map_or(String::new(), |s| format!(", for {s} s"))
            ),
            Step::Circle => "it has been sent on too often, and goes no further".into(),
            Step::Own => "it is the caller's own number".into(),
            Step::Phones { registered } => format!("phones that are registered: {registered}"),
            Step::CallerId { extension } => extension.map_or_else(
                || "the caller hides its number".into(),
                |id| format!("the caller shows the number of {}", self.extension(id)),
            ),
            Step::Route {
                route: Some(id),
                prefix,
            } => format!("route ID={id} with prefix {prefix:?} fits"),
            Step::Route { route: None, .. } => "no route fits".into(),
            Step::Permission {
                group,
                rule,
                permission,
            } => self.permission(*group, rule.as_deref(), *permission),
            Step::Brakes {
                costly,
                used,
                brake,
                ..
            } => {
                let costly = (costly.as_ref()).map_or("it is not costly".to_owned(), |prefix| {
                    format!("it is costly by {prefix:?}")
                });
                let used = format!(
                    "{} calls outside, {} s an hour and {} s a day to costly numbers",
                    used.calls, used.hour_s, used.day_s
                );
                let brake = brake.map_or("nothing holds it".to_owned(), braked);
                format!("{costly}; so far {used}: {brake}")
            }
            Step::Attempt {
                interface,
                ready,
                called,
                calling,
            } => format!(
                "{} {}: to {called}, from {calling}",
                self.interface(*interface),
                if *ready {
                    "can carry it"
                } else {
                    "is passed over, as it can carry no call now"
                }
            ),
        }
    }
}

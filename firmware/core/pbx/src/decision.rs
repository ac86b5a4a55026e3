//! What becomes of calls and why, in sentences for the Debug log. Nothing is written where nobody asked
//! for it.

use core::fmt::Write;

use model::explain::{Caller, Explanation, Step, Verdict};
use model::{CallId, CallRecord};

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
    for step in &way.steps {
        let _ = write!(text, "\n  {}", words.step(step));
    }
    let _ = match way.verdict {
        Verdict::Rings { extension } => {
            write!(text, "\n  = {} rings", words.extension(extension))
        }
        Verdict::Leaves => write!(text, "\n  = it leaves by the first of these that takes it"),
        Verdict::Refused { status, cause } => {
            write!(text, "\n  = refused: SIP status {status}, cause {cause}")
        }
    };
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

/// Names of what there is.
struct Words<'a>(&'a Directory);

impl Words<'_> {
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
            Step::Own => "it is the caller's own number".into(),
            Step::Phones { registered } => format!("phones that are registered: {registered}"),
            Step::Route {
                route: Some(id),
                prefix,
            } => format!("route ID={id} with prefix {prefix:?} fits"),
            Step::Route { route: None, .. } => "no route fits".into(),
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

//! What a dialled number leads to.
//!
//! A pure function of the configuration, the registrations, who calls and what was dialled. It
//! decides and says step by step why, so that the same rules serve a call and its explanation.
//! Ringing, codecs and limits belong to the call.

use model::{Cause, DialTarget, ExtensionId, Number};
use serde::Serialize;
use sip::message::StatusCode;

use crate::directory::Directory;
use crate::leg::Failure;

/// One step of the way from a dialled number to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Whether the caller may call at all.
    Caller {
        /// Who.
        extension: ExtensionId,
        /// It and its user are enabled.
        active: bool,
    },
    /// Whether what was dialled is a number.
    Dialled {
        /// As it came, its escapes undone.
        text: String,
        /// It has digits, `*`, `#` and a leading `+` only.
        valid: bool,
    },
    /// What the dial plan says.
    DialPlan {
        /// What the number stands for; none where nothing has it.
        target: Option<DialTarget>,
    },
    /// Whether the called extension may be called.
    Called {
        /// Who.
        extension: ExtensionId,
        /// It and its user are enabled.
        active: bool,
    },
    /// A caller who dialled its own number.
    Own,
    /// How many phones the called extension has at the moment.
    Phones {
        /// Registered contacts.
        registered: usize,
    },
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// All phones of an extension.
    Extension(ExtensionId),
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

/// Decides where a call goes. `registered` says how many contacts an extension has that can be called.
pub(crate) fn route(
    directory: &Directory,
    registered: impl Fn(ExtensionId) -> usize,
    caller: ExtensionId,
    dialled: &str,
) -> Route {
    let mut steps = Vec::with_capacity(5);
    let mut called = None;
    let decision = decide(
        directory,
        registered,
        caller,
        dialled,
        &mut steps,
        &mut called,
    );
    Route {
        steps,
        called,
        decision,
    }
}

fn decide(
    directory: &Directory,
    registered: impl Fn(ExtensionId) -> usize,
    caller: ExtensionId,
    dialled: &str,
    steps: &mut Vec<Step>,
    called: &mut Option<ExtensionId>,
) -> Result<Destination, Failure> {
    let active = |id| {
        directory
            .extension(id)
            .is_some_and(|extension| directory.is_active(extension))
    };
    let caller_active = active(caller);
    steps.push(Step::Caller {
        extension: caller,
        active: caller_active,
    });
    if !caller_active {
        return Err(Failure::new(StatusCode::FORBIDDEN, Cause::CALL_REJECTED));
    }

    let number: Option<Number> = dialled.parse().ok();
    steps.push(Step::Dialled {
        text: dialled.to_owned(),
        valid: number.is_some(),
    });
    // Hidden extensions reach one another and nobody else, and nobody else reaches them.
    let target = number
        .and_then(|number| directory.plan().lookup(&number))
        .filter(|DialTarget::Extension(id)| id.is_hidden() == caller.is_hidden());
    if steps_valid(steps) {
        steps.push(Step::DialPlan { target });
    }
    let Some(DialTarget::Extension(id)) = target else {
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            Cause::UNALLOCATED_NUMBER,
        ));
    };
    *called = Some(id);

    let called_active = active(id);
    steps.push(Step::Called {
        extension: id,
        active: called_active,
    });
    if !called_active {
        return Err(Failure::new(
            StatusCode::TEMPORARILY_UNAVAILABLE,
            Cause::SUBSCRIBER_ABSENT,
        ));
    }
    if id == caller {
        steps.push(Step::Own);
        return Err(Failure::new(StatusCode::BUSY_HERE, Cause::USER_BUSY));
    }
    let phones = registered(id);
    steps.push(Step::Phones { registered: phones });
    if phones == 0 {
        return Err(Failure::new(
            StatusCode::TEMPORARILY_UNAVAILABLE,
            Cause::SUBSCRIBER_ABSENT,
        ));
    }
    Ok(Destination::Extension(id))
}

fn steps_valid(steps: &[Step]) -> bool {
    !matches!(steps.last(), Some(Step::Dialled { valid: false, .. }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Disposition;

    use super::*;
    use crate::testing::configuration;

    type Decision = Result<Destination, (u16, u8, Disposition)>;

    fn decision(
        change: impl FnOnce(&mut model::config::Configuration),
        dialled: &str,
    ) -> (Vec<Step>, Decision) {
        let mut configuration = configuration(3);
        change(&mut configuration);
        let directory = Directory::new(Arc::new(configuration));
        // 103 has no phone.
        let registered = |id: ExtensionId| usize::from(id.raw() < 3);
        let route = route(&directory, registered, ExtensionId::new(1), dialled);
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
            let route = route(&directory, |_| 1, from, dialled);
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

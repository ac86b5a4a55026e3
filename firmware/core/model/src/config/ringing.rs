//! Ringing rules of users (USR-3): what rings for a call to one of their extensions, and where it goes on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Configuration, FaultCode, Faults, User, limits};
use crate::{DialPlan, DialTarget, ExtensionId, Number, UserId};

/// Whom a rule calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The phones of an extension.
    Extension(ExtensionId),
    /// A number, as the user would dial it.
    Number(Number),
}

impl Target {
    /// The extension, where it is one.
    #[must_use]
    pub const fn extension(&self) -> Option<ExtensionId> {
        match self {
            Self::Extension(id) => Some(*id),
            Self::Number(_) => None,
        }
    }
}

/// Something that rings, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// Whom.
    pub target: Target,
    /// So many seconds after the call came; at once where nothing else rings.
    pub after_s: u16,
    /// For so many seconds; as long as the call rings where nothing is said.
    pub for_s: Option<u16>,
}

/// What a user wants done with calls to their extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ringing {
    /// What rings; nothing listed is the called extension.
    pub rings: Vec<Ring>,
    /// Nothing rings: callers are told that the user is busy.
    pub do_not_disturb: bool,
    /// All calls go on there, and nothing rings here.
    pub always: Option<Target>,
    /// Calls go on there where the user is busy, refuses, or is not to be disturbed.
    pub busy: Option<Target>,
    /// Calls go on there where nobody answers, or nothing can be reached.
    pub no_answer: Option<Target>,
    /// When nobody has answered, in seconds; the exchange's own limit where nothing is said.
    pub no_answer_s: Option<u16>,
}

impl Ringing {
    /// The targets of all rules.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let forwards = [&self.always, &self.busy, &self.no_answer];
        (self.rings.iter().map(|ring| &ring.target)).chain(forwards.into_iter().flatten())
    }

    /// Whether a rule calls an extension.
    #[must_use]
    pub fn calls(&self, extension: ExtensionId) -> bool {
        self.targets()
            .any(|target| target.extension() == Some(extension))
    }

    /// The same without an extension that goes.
    #[must_use]
    pub fn without(mut self, gone: ExtensionId) -> Self {
        let stays = |target: &Target| target.extension() != Some(gone);
        self.rings.retain(|ring| stays(&ring.target));
        for forward in [&mut self.always, &mut self.busy, &mut self.no_answer] {
            *forward = forward.take().filter(stays);
        }
        self
    }

    fn check(&self, at: &str, known: &BTreeSet<ExtensionId>, faults: &mut Faults) {
        if self.rings.len() > limits::RINGS {
            faults.add(
                format!("{at}/rings"),
                FaultCode::TooMany,
                "at most 10 numbers ring for a user",
            );
        }
        let mut seen = BTreeSet::new();
        for (index, ring) in self.rings.iter().enumerate() {
            if !seen.insert(&ring.target) {
                faults.add(
                    format!("{at}/rings/{index}/target"),
                    FaultCode::NumberTaken,
                    "this number is listed twice: keep one of them",
                );
            }
            if ring.after_s > limits::RING_AFTER_MAX_S {
                faults.add(
                    format!("{at}/rings/{index}/after_s"),
                    FaultCode::OutOfRange,
                    "use 0 to 170 seconds",
                );
            }
            if ring.for_s.is_some_and(|s| !limits::RING_FOR_S.contains(&s)) {
                faults.add(
                    format!("{at}/rings/{index}/for_s"),
                    FaultCode::OutOfRange,
                    "use 5 to 180 seconds",
                );
            }
        }
        let limit = self.no_answer_s;
        if limit.is_some_and(|s| !limits::RING_FOR_S.contains(&s)) {
            faults.add(
                format!("{at}/no_answer_s"),
                FaultCode::OutOfRange,
                "use 5 to 180 seconds",
            );
        }
        let named = [
            ("always", &self.always),
            ("busy", &self.busy),
            ("no_answer", &self.no_answer),
        ];
        let forwards = named
            .into_iter()
            .filter_map(|(name, target)| Some((name.to_owned(), target.as_ref()?)));
        let rings = self.rings.iter().enumerate();
        let rings = rings.map(|(index, ring)| (format!("rings/{index}/target"), &ring.target));
        for (name, target) in forwards.chain(rings) {
            if target.extension().is_some_and(|id| !known.contains(&id)) {
                faults.add(
                    format!("{at}/{name}"),
                    FaultCode::UnknownReference,
                    "there is no such extension: choose another",
                );
            }
        }
    }
}

impl Configuration {
    pub(super) fn check_ringing(&self, faults: &mut Faults) {
        let known: BTreeSet<ExtensionId> = self.extensions.iter().map(|e| e.id).collect();
        for (index, user) in self.users.iter().enumerate() {
            (user.ringing).check(&format!("/users/{index}/ringing"), &known, faults);
        }
        self.check_circles(faults);
    }

    /// Calls that would only ever go on: users who forward all calls to one another. What goes on where
    /// somebody is busy or does not answer ends by itself, and may be mutual.
    fn check_circles(&self, faults: &mut Faults) {
        if self.users.iter().all(|user| user.ringing.always.is_none()) {
            return;
        }
        let plan = DialPlan::build(self).unwrap_or_default();
        let owners: BTreeMap<ExtensionId, UserId> = (self.extensions.iter())
            .filter_map(|extension| Some((extension.id, extension.user?)))
            .collect();
        let next = |user: &User| {
            let id = match user.ringing.always.as_ref()? {
                Target::Extension(id) => *id,
                Target::Number(number) => {
                    let DialTarget::Extension(id) = plan.lookup(number)?;
                    id
                }
            };
            // Who forwards to an extension of their own has that one alone ring.
            owners.get(&id).filter(|owner| **owner != user.id)
        };
        for (index, user) in self.users.iter().enumerate() {
            let mut way = vec![user];
            while let Some(next) = way.last().and_then(|last| self.user(*next(last)?)) {
                let circle = next.id == user.id;
                // One that this user only leads into is told of those who are in it.
                if !circle && way.iter().any(|seen| seen.id == next.id) {
                    break;
                }
                way.push(next);
                if circle {
                    let names: Vec<&str> = way.iter().map(|user| user.name.as_str()).collect();
                    faults.add(
                        format!("/users/{index}/ringing/always"),
                        FaultCode::Circle,
                        &format!(
                            "calls would go round in a circle: {}. Forward them elsewhere",
                            names.join(" → ")
                        ),
                    );
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{extension, user};
    use super::*;

    /// Users 1 to 3 with extensions 101 to 103.
    fn configuration() -> Configuration {
        let mut configuration = Configuration::initial();
        for (n, name) in [(1, "jana"), (2, "petr"), (3, "eva")] {
            configuration.users.push(user(n, name));
            let mut extension = extension(n, &(100 + n).to_string());
            extension.user = Some(UserId::new(n));
            configuration.extensions.push(extension);
        }
        configuration
    }

    fn to(id: u32) -> Option<Target> {
        Some(Target::Extension(ExtensionId::new(id)))
    }

    fn number(digits: &str) -> Option<Target> {
        Some(Target::Number(digits.parse().expect("a number")))
    }

    fn faults(configuration: &Configuration) -> Vec<(String, FaultCode)> {
        let faults = configuration.check().into_iter();
        faults.map(|f| (f.path, f.code)).collect()
    }

    #[test]
    fn users_who_forward_all_calls_to_one_another_are_named() {
        let mut configuration = configuration();
        configuration.users[0].ringing.always = to(2);
        assert_eq!(faults(&configuration), []);
        configuration.users[1].ringing.always = to(3);
        // By the number it is the same extension.
        configuration.users[2].ringing.always = number("102");
        let told = configuration.check();
        let paths: Vec<&str> = told.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/users/1/ringing/always", "/users/2/ringing/always"]
        );
        assert!(told[0].text.contains("petr → eva → petr"), "{told:?}");
        configuration.users[2].ringing.always = number("9102");
        assert_eq!(faults(&configuration), []);
    }

    #[test]
    fn who_stands_in_for_each_other_goes_round_in_no_circle() {
        let mut configuration = configuration();
        configuration.users[0].ringing.always = to(1);
        configuration.users[1].ringing.no_answer = to(3);
        configuration.users[2].ringing.no_answer = to(2);
        configuration.users[2].ringing.busy = to(2);
        assert_eq!(faults(&configuration), []);
    }

    #[test]
    fn rules_have_targets_that_there_are_and_times_within_limits() {
        let mut configuration = configuration();
        let ring = |target: Option<Target>, after_s, for_s| Ring {
            target: target.expect("a target"),
            after_s,
            for_s,
        };
        configuration.users[0].ringing = Ringing {
            rings: vec![
                ring(to(1), 0, None),
                ring(to(1), 0, Some(5)),
                ring(to(9), 171, Some(4)),
            ],
            busy: to(8),
            no_answer_s: Some(181),
            ..Ringing::default()
        };
        let at = |path: &str, code| (format!("/users/0/ringing/{path}"), code);
        assert_eq!(
            faults(&configuration),
            [
                at("rings/1/target", FaultCode::NumberTaken),
                at("rings/2/after_s", FaultCode::OutOfRange),
                at("rings/2/for_s", FaultCode::OutOfRange),
                at("no_answer_s", FaultCode::OutOfRange),
                at("busy", FaultCode::UnknownReference),
                at("rings/2/target", FaultCode::UnknownReference),
            ]
        );
    }

    #[test]
    fn an_extension_that_goes_is_taken_out_of_the_rules() {
        let ringing = Ringing {
            rings: vec![Ring {
                target: Target::Extension(ExtensionId::new(1)),
                after_s: 0,
                for_s: None,
            }],
            busy: to(1),
            no_answer: number("777"),
            ..Ringing::default()
        };
        assert!(ringing.calls(ExtensionId::new(1)));
        let left = ringing.without(ExtensionId::new(1));
        assert_eq!(
            left,
            Ringing {
                no_answer: number("777"),
                ..Ringing::default()
            }
        );
    }
}

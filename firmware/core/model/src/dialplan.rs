//! The dial plan as one number space: a number is one thing only (USR-5).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::config::{Configuration, Fault, FaultCode};
use crate::{ExtensionId, ExtensionNumber, Number};

/// What a number in the dial plan stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum DialTarget {
    /// An extension.
    Extension(ExtensionId),
}

/// A line of the dial plan page (USR-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialPlanEntry<'a> {
    /// The number.
    pub number: &'a ExtensionNumber,
    /// What it stands for.
    pub target: DialTarget,
    /// What the administrator wrote about it.
    pub description: &'a str,
}

/// Every internal number of a configuration and what it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialPlan {
    numbers: BTreeMap<ExtensionNumber, (DialTarget, String)>,
    /// Emergency numbers that are dialled directly.
    reserved: BTreeSet<String>,
}

impl DialPlan {
    /// Collects the numbers of `configuration`.
    ///
    /// # Errors
    /// One fault for each number that is given twice, at the later place.
    pub fn build(configuration: &Configuration) -> Result<Self, Vec<Fault>> {
        let emergency = &configuration.emergency;
        let mut plan = Self {
            reserved: (emergency.numbers.iter())
                .filter(|_| emergency.direct)
                .map(|entry| entry.number.to_string())
                .collect(),
            ..Self::default()
        };
        let mut faults = Vec::new();
        for (index, extension) in configuration.extensions.iter().enumerate() {
            let entry = (
                DialTarget::Extension(extension.id),
                extension.description.clone(),
            );
            if plan
                .numbers
                .insert(extension.number.clone(), entry)
                .is_some()
            {
                faults.push(Fault {
                    path: format!("/extensions/{index}/number"),
                    code: FaultCode::NumberTaken,
                    text: format!(
                        "{} is already in the dial plan: choose another number",
                        extension.number
                    ),
                });
            }
        }
        if faults.is_empty() {
            Ok(plan)
        } else {
            Err(faults)
        }
    }

    /// What `number` stands for.
    #[must_use]
    pub fn lookup(&self, number: &Number) -> Option<DialTarget> {
        let number: ExtensionNumber = number.as_str().parse().ok()?;
        self.numbers.get(&number).map(|(target, _)| *target)
    }

    /// All lines, by number.
    pub fn entries(&self) -> impl Iterator<Item = DialPlanEntry<'_>> {
        self.numbers
            .iter()
            .map(|(number, (target, description))| DialPlanEntry {
                number,
                target: *target,
                description,
            })
    }

    /// The first unused number from `first` on, of the same count of digits; none where all are taken.
    #[must_use]
    pub fn first_unused(&self, first: &ExtensionNumber) -> Option<ExtensionNumber> {
        self.first_unused_but(first, &BTreeSet::new())
    }

    /// Likewise, and none of these.
    #[must_use]
    pub fn first_unused_but(
        &self,
        first: &ExtensionNumber,
        avoided: &BTreeSet<ExtensionNumber>,
    ) -> Option<ExtensionNumber> {
        let width = first.as_str().len();
        let mut candidate: u64 = first.as_str().parse().ok()?;
        loop {
            let text = format!("{candidate:0width$}");
            if text.len() > width {
                return None;
            }
            let number: ExtensionNumber = text.parse().ok()?;
            let is_free =
                !self.numbers.contains_key(&number) && !self.reserved.contains(number.as_str());
            if is_free && !avoided.contains(&number) {
                return Some(number);
            }
            candidate = candidate.checked_add(1)?;
        }
    }
}

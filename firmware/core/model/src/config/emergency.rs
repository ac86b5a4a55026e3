//! Emergency numbers (EMG-1): what is looked at before everything else.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Configuration, FaultCode, Faults, Partner, Route, limits};
use crate::{InterfaceId, Number, RouteId};

/// Emergency numbers of each country: its ISO 3166-1 alpha-2 code, and the numbers.
const PRESETS: &str = include_str!("emergency.csv");

/// A number that everybody may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyNumber {
    /// As it is dialled, and as it is sent.
    pub number: Number,
    /// What the administrator wrote about it.
    pub description: String,
}

/// The emergency numbers and their ways out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// The numbers.
    pub numbers: Vec<EmergencyNumber>,
    /// They can be dialled without the prefix of a route; no extension can have one of them then.
    pub direct: bool,
    /// The routes whose interfaces are tried first, in this order; all others come after them.
    pub routes: Vec<RouteId>,
}

impl Emergency {
    /// What holds where nobody has set anything: the numbers of the country, dialled directly, by all
    /// routes.
    #[must_use]
    pub fn preset(country: &str) -> Self {
        Self {
            numbers: (preset_numbers(country))
                .filter_map(|number| {
                    Some(EmergencyNumber {
                        number: number.parse().ok()?,
                        description: String::new(),
                    })
                })
                .collect(),
            direct: true,
            routes: Vec::new(),
        }
    }
}

/// The countries that have presets, by code.
pub fn preset_countries() -> impl Iterator<Item = &'static str> {
    PRESETS.lines().filter_map(|line| line.split(',').next())
}

fn preset_numbers(country: &str) -> impl Iterator<Item = &'static str> {
    let own = PRESETS.lines().filter_map(|line| line.split_once(','));
    let own = own.filter(move |(code, _)| *code == country);
    own.flat_map(|(_, numbers)| numbers.split(' '))
}

impl Configuration {
    /// The emergency numbers of the country, without those that extensions have: for a configuration in
    /// which nobody has set any.
    #[must_use]
    pub fn preset_emergency(&self) -> Emergency {
        let mut emergency = Emergency::preset(&self.general.country);
        let taken: BTreeSet<&str> = self.extensions.iter().map(|e| e.number.as_str()).collect();
        (emergency.numbers).retain(|number| !taken.contains(number.number.as_str()));
        emergency
    }

    /// The routes of emergency calls, the first first: those that were chosen, then all others, since no
    /// way is left out where help is needed: to a provider before another exchange, the longest prefix
    /// first. What is disabled is none.
    pub fn emergency_routes(&self) -> impl Iterator<Item = &Route> {
        let chosen = &self.emergency.routes;
        let leads_to_provider = |route: &Route| {
            let first = route.interfaces.first();
            let interface = |id: &InterfaceId| self.interfaces.iter().find(|one| one.id == *id);
            (first.and_then(interface)).is_some_and(|one| one.partner == Partner::Provider)
        };
        let mut routes: Vec<&Route> = self.routes.iter().filter(|route| route.enabled).collect();
        routes.sort_by_key(|route| {
            let place = chosen.iter().position(|id| *id == route.id);
            let length = core::cmp::Reverse(route.prefix.len());
            (
                place.unwrap_or(usize::MAX),
                !leads_to_provider(route),
                length,
            )
        });
        routes.into_iter()
    }

    /// Whether a call for help can leave: some route of emergency calls has an interface that is enabled.
    #[must_use]
    pub fn help_can_be_reached(&self) -> bool {
        !self.ways_to_help().is_empty()
    }

    /// The enabled interfaces by which a call for help can leave.
    #[must_use]
    pub fn ways_to_help(&self) -> BTreeSet<InterfaceId> {
        let enabled: BTreeSet<InterfaceId> = (self.interfaces.iter())
            .filter(|interface| interface.enabled)
            .map(|interface| interface.id)
            .collect();
        (self.emergency_routes())
            .flat_map(|route| route.interfaces.iter().copied())
            .filter(|id| enabled.contains(id))
            .collect()
    }

    pub(super) fn check_emergency(&self, faults: &mut Faults) {
        let emergency = &self.emergency;
        if emergency.numbers.len() > limits::EMERGENCY_NUMBERS {
            faults.add(
                "/emergency/numbers".into(),
                FaultCode::TooMany,
                "the exchange holds at most 100 emergency numbers",
            );
        }
        let mut seen = BTreeSet::new();
        for (index, number) in emergency.numbers.iter().enumerate() {
            let at = |field: &str| format!("/emergency/numbers/{index}/{field}");
            faults.check_text(&at("description"), &number.description);
            if !seen.insert(number.number.as_str()) {
                faults.add(
                    at("number"),
                    FaultCode::NumberTaken,
                    "this number is listed twice: keep one of them",
                );
            }
        }
        let routes: BTreeSet<RouteId> = self.routes.iter().map(|route| route.id).collect();
        let chosen: BTreeSet<RouteId> = emergency.routes.iter().copied().collect();
        if !chosen.is_subset(&routes) {
            faults.add(
                "/emergency/routes".into(),
                FaultCode::UnknownReference,
                "emergency calls use this route: choose another for them first",
            );
        }
        if chosen.len() != emergency.routes.len() {
            faults.add(
                "/emergency/routes".into(),
                FaultCode::OutOfRange,
                "choose each route once",
            );
        }
        if !emergency.direct {
            return;
        }
        for (index, extension) in self.extensions.iter().enumerate() {
            if seen.contains(extension.number.as_str()) {
                faults.add(
                    format!("/extensions/{index}/number"),
                    FaultCode::EmergencyNumber,
                    "this is an emergency number: choose a different one",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(country: &str) -> Vec<String> {
        let preset = Emergency::preset(country);
        preset
            .numbers
            .iter()
            .map(|n| n.number.to_string())
            .collect()
    }

    #[test]
    fn every_country_has_numbers_that_can_be_dialled() {
        for country in preset_countries() {
            let all = preset_numbers(country).count();
            assert!(all > 0 && numbers(country).len() == all, "{country}");
            assert!(all <= limits::EMERGENCY_NUMBERS / 4, "{country}");
        }
        assert!(numbers("US").contains(&"911".to_owned()));
        assert!(numbers("CZ").contains(&"112".to_owned()));
        assert_eq!(numbers("XX"), [""; 0]);
    }

    #[test]
    fn chapter_18_3_no_extension_equals_an_emergency_number_that_is_dialled_directly() {
        let mut configuration = Configuration::initial();
        configuration
            .extensions
            .push(super::super::tests::extension(1, "112"));
        let codes = |configuration: &Configuration| {
            let faults = configuration.check();
            faults.iter().map(|fault| fault.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(&configuration), [FaultCode::EmergencyNumber]);
        configuration.emergency.direct = false;
        assert_eq!(codes(&configuration), []);
        // Who had the extension before there were presets keeps it.
        configuration.emergency = configuration.preset_emergency();
        assert_eq!(codes(&configuration), []);
    }
}

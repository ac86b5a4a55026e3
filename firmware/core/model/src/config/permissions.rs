//! Call permission groups (PRM-1): which numbers outside an extension may call.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::routing::is_digits;
use super::{Configuration, FaultCode, Faults, limits};
use crate::PermissionGroupId;

/// What a rule does with the numbers that it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// They may be called.
    Allow,
    /// They may not.
    Deny,
}

/// One rule of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionRule {
    /// What the number begins with, as it is dialled: with the prefix for calls out.
    pub prefix: String,
    /// What becomes of it.
    pub permission: Permission,
}

/// An ordered list of rules: the first that fits a dialled number decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionGroup {
    /// Never reused.
    pub id: PermissionGroupId,
    /// What people know it by; unique without regard to case.
    pub name: String,
    /// What the administrator wrote about it.
    pub description: String,
    /// The rules, the first first.
    pub rules: Vec<PermissionRule>,
    /// What becomes of a number that no rule fits.
    pub default: Permission,
    /// The fraud protection holds for its extensions.
    #[serde(default = "yes")]
    pub fraud_protection: bool,
}

const fn yes() -> bool {
    true
}

impl PermissionGroup {
    /// Whether a number may be called, and the rule that says so; none where it is the default.
    #[must_use]
    pub fn judge(&self, dialled: &str) -> (Permission, Option<&PermissionRule>) {
        let rule = (self.rules.iter()).find(|rule| dialled.starts_with(&rule.prefix));
        (rule.map_or(self.default, |rule| rule.permission), rule)
    }
}

impl Configuration {
    /// The call permission group with this id.
    #[must_use]
    pub fn permission_group(&self, id: PermissionGroupId) -> Option<&PermissionGroup> {
        let groups = &self.permission_groups;
        let index = groups.binary_search_by_key(&id, |group| group.id).ok()?;
        groups.get(index)
    }

    pub(super) fn check_permission_groups(&self, faults: &mut Faults) {
        if self.permission_groups.len() > limits::PERMISSION_GROUPS {
            faults.add(
                "/permission_groups".into(),
                FaultCode::TooMany,
                "the exchange holds at most 200 call permission groups",
            );
        }
        let mut names = BTreeSet::new();
        for (index, group) in self.permission_groups.iter().enumerate() {
            let at = |field: &str| format!("/permission_groups/{index}/{field}");
            faults.check_text(&at("name"), &group.name);
            if group.name.trim().is_empty() {
                faults.add(at("name"), FaultCode::InvalidName, "enter a name");
            } else if !names.insert(group.name.trim().to_lowercase()) {
                faults.add(
                    at("name"),
                    FaultCode::NameTaken,
                    "another group has this name: choose a different one",
                );
            }
            faults.check_text(&at("description"), &group.description);
            if group.rules.len() > limits::PERMISSION_RULES {
                faults.add(
                    at("rules"),
                    FaultCode::TooMany,
                    "a group has at most 500 rules",
                );
            }
            for (rule, PermissionRule { prefix, .. }) in group.rules.iter().enumerate() {
                // What fits every number is the default.
                if prefix.is_empty() || !is_digits(prefix) {
                    faults.add(
                        at(&format!("rules/{rule}/prefix")),
                        FaultCode::InvalidNumber,
                        "use digits, * and #",
                    );
                }
            }
        }
        let groups: BTreeSet<PermissionGroupId> =
            self.permission_groups.iter().map(|g| g.id).collect();
        for (index, extension) in self.extensions.iter().enumerate() {
            let group = extension.permission_group;
            if group.is_some_and(|id| !groups.contains(&id)) {
                faults.add(
                    format!("/extensions/{index}/permission_group"),
                    FaultCode::UnknownReference,
                    "there is no such call permission group: choose another, or none",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Permission::{Allow, Deny};

    fn group(rules: &[(&str, Permission)], default: Permission) -> PermissionGroup {
        PermissionGroup {
            id: PermissionGroupId::new(1),
            name: "Office".into(),
            description: String::new(),
            rules: (rules.iter())
                .map(|(prefix, permission)| PermissionRule {
                    prefix: (*prefix).into(),
                    permission: *permission,
                })
                .collect(),
            default,
            fraud_protection: true,
        }
    }

    fn permission() -> impl Strategy<Value = Permission> {
        prop_oneof![Just(Allow), Just(Deny)]
    }

    #[test]
    fn chapter_23_2_the_order_of_the_rules_decides() {
        let first = group(&[("900123456", Allow), ("900", Deny)], Allow);
        assert_eq!(first.judge("900123456").0, Allow);
        assert_eq!(first.judge("900123457").0, Deny);
        let turned = group(&[("900", Deny), ("900123456", Allow)], Allow);
        assert_eq!(turned.judge("900123456").0, Deny);
    }

    #[test]
    fn chapter_23_2_restrictions_for_calls_of_a_specific_user() {
        let group = group(
            &[
                ("0900654321", Allow),
                ("0900", Deny),
                ("05550111", Deny),
                ("05550222", Deny),
            ],
            Allow,
        );
        for (dialled, permission, rule) in [
            ("0900654321", Allow, Some("0900654321")),
            ("0900654322", Deny, Some("0900")),
            ("05550111", Deny, Some("05550111")),
            ("05550222", Deny, Some("05550222")),
            ("05550333", Allow, None),
            // The prefix for calls out is part of what is compared.
            ("900654322", Allow, None),
        ] {
            let (judged, by) = group.judge(dialled);
            assert_eq!(
                (judged, by.map(|rule| rule.prefix.as_str())),
                (permission, rule),
                "{dialled}"
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_group_is_told_at_its_field() {
        let mut configuration = Configuration::initial();
        let extension = super::super::tests::extension(1, "101");
        configuration.extensions = vec![extension];
        configuration.permission_groups = vec![group(&[("0900", Deny)], Allow)];
        configuration.extensions[0].permission_group = Some(PermissionGroupId::new(1));
        assert_eq!(configuration.check(), []);

        let mut second = group(&[("", Deny), ("9OO", Deny), ("+420", Allow)], Allow);
        second.id = PermissionGroupId::new(2);
        second.name = "OFFICE ".into();
        second.description = "two\nlines".into();
        configuration.permission_groups.push(second);
        configuration.extensions[0].permission_group = Some(PermissionGroupId::new(3));
        let faults = configuration.check().into_iter();
        let faults: Vec<_> = faults.map(|fault| (fault.path, fault.code)).collect();
        let at = |field: &str| format!("/permission_groups/1/{field}");
        assert_eq!(
            faults,
            [
                (at("name"), FaultCode::NameTaken),
                (at("description"), FaultCode::InvalidText),
                (at("rules/0/prefix"), FaultCode::InvalidNumber),
                (at("rules/1/prefix"), FaultCode::InvalidNumber),
                (
                    "/extensions/0/permission_group".into(),
                    FaultCode::UnknownReference
                ),
            ]
        );
    }

    proptest! {
        /// The first rule that fits decides, whatever comes after it; every number is judged.
        #[test]
        fn the_first_rule_that_fits_decides(
            rules in prop::collection::vec(("[0-2]{1,3}", permission()), 0..8),
            default in permission(),
            dialled in "[0-2]{1,5}",
            later in ("[0-2]{1,3}", permission()),
        ) {
            let listed: Vec<_> = rules.iter().map(|(prefix, what)| (prefix.as_str(), *what)).collect();
            let own = group(&listed, default);
            let (judged, by) = own.judge(&dialled);
            let fits = |prefix: &str| dialled.get(..prefix.len()) == Some(prefix);
            let first = listed.iter().position(|(prefix, _)| fits(prefix));
            prop_assert_eq!(by, first.map(|index| &own.rules[index]));
            prop_assert_eq!(judged, first.map_or(default, |index| listed[index].1));
            // A rule behind the one that decided changes nothing.
            if let Some(index) = first {
                let mut more = listed.clone();
                more.insert(index + 1, (later.0.as_str(), later.1));
                prop_assert_eq!(group(&more, default).judge(&dialled).0, judged);
            }
        }
    }
}

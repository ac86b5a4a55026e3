//! The configuration in force, indexed for quick questions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::config::{Configuration, Extension, Interface, Mapping, PermissionGroup, Route, User};
use model::{DialPlan, ExtensionId, InterfaceId, Number, Party, UserId};
use sip::endpoint::{Account, Urgent};

/// A configuration and the indexes that thousands of calls a minute need.
#[derive(Debug)]
pub(crate) struct Directory {
    configuration: Arc<Configuration>,
    plan: DialPlan,
    extensions: BTreeMap<ExtensionId, usize>,
    users: BTreeMap<UserId, usize>,
    /// By the digest user name, which is unique.
    names: BTreeMap<String, ExtensionId>,
    interfaces: BTreeMap<InterfaceId, usize>,
    /// Of each interface.
    external: BTreeMap<InterfaceId, External>,
    /// The enabled ones, by prefix.
    routes: BTreeMap<String, usize>,
}

/// The external numbers of an interface, by what they are asked for: there may be ten thousand.
#[derive(Debug, Default)]
struct External {
    /// Single numbers, without a leading `+`.
    single: HashMap<String, usize>,
    /// Blocks, in their order.
    blocks: Vec<usize>,
    /// The first single number that rings an extension.
    ringing: HashMap<ExtensionId, usize>,
}

impl External {
    fn new(interface: &Interface) -> Self {
        let mut external = Self::default();
        for (index, mapping) in interface.numbers.iter().enumerate() {
            if mapping.number.is_block() {
                external.blocks.push(index);
                continue;
            }
            let number = bare(mapping.number.as_str()).to_owned();
            external.single.entry(number).or_insert(index);
            if let Some(extension) = mapping.extension {
                external.ringing.entry(extension).or_insert(index);
            }
        }
        external
    }
}

/// Whether a route's prefix is only dialled, and no part of the numbers that are reached by it.
fn takes_prefix_off(route: &Route) -> bool {
    usize::from(route.outgoing.called.strip) == route.prefix.len()
}

/// A leading `+` makes no difference.
fn bare(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

impl Directory {
    /// Indexes a configuration. One with a number given twice (which [`Configuration::check`] does
    /// not let through) gets an empty dial plan.
    pub(crate) fn new(configuration: Arc<Configuration>) -> Self {
        Self {
            plan: DialPlan::build(&configuration).unwrap_or_default(),
            extensions: (configuration.extensions.iter().enumerate())
                .map(|(index, extension)| (extension.id, index))
                .collect(),
            users: (configuration.users.iter().enumerate())
                .map(|(index, user)| (user.id, index))
                .collect(),
            names: (configuration.extensions.iter())
                .map(|extension| (extension.sip_username.clone(), extension.id))
                .collect(),
            interfaces: (configuration.interfaces.iter().enumerate())
                .map(|(index, interface)| (interface.id, index))
                .collect(),
            external: (configuration.interfaces.iter())
                .map(|interface| (interface.id, External::new(interface)))
                .collect(),
            routes: (configuration.routes.iter().enumerate())
                .filter(|(_, route)| route.enabled)
                .map(|(index, route)| (route.prefix.clone(), index))
                .collect(),
            configuration,
        }
    }

    /// The configuration itself.
    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Its number space.
    pub(crate) const fn plan(&self) -> &DialPlan {
        &self.plan
    }

    /// The extension with this id.
    pub(crate) fn extension(&self, id: ExtensionId) -> Option<&Extension> {
        self.configuration
            .extensions
            .get(*self.extensions.get(&id)?)
    }

    /// The extension with this digest user name, enabled or not.
    pub(crate) fn named(&self, username: &str) -> Option<ExtensionId> {
        self.names.get(username).copied()
    }

    /// The user of an extension.
    pub(crate) fn user_of(&self, extension: &Extension) -> Option<&User> {
        let index = self.users.get(&extension.user?)?;
        self.configuration.users.get(*index)
    }

    /// Whether it may register and call: it and its user are enabled (USR-4).
    pub(crate) fn is_active(&self, extension: &Extension) -> bool {
        extension.enabled && self.user_of(extension).is_none_or(|user| user.enabled)
    }

    /// The call permission group of an extension; none where all is allowed.
    pub(crate) fn permissions_of(&self, id: ExtensionId) -> Option<&PermissionGroup> {
        let group = self.extension(id)?.permission_group?;
        self.configuration.permission_group(group)
    }

    /// The interface with this id.
    pub(crate) fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        self.configuration
            .interfaces
            .get(*self.interfaces.get(&id)?)
    }

    /// The external number of an interface that this one is: a single one before the block that it is in.
    pub(crate) fn mapping<'a>(
        &self,
        interface: &'a Interface,
        number: &str,
    ) -> Option<&'a Mapping> {
        let external = self.external.get(&interface.id)?;
        let at = |index: &usize| interface.numbers.get(*index);
        (external.single.get(bare(number)).and_then(at))
            .or_else(|| (self.blocks(interface)).find(|mapping| mapping.number.matches(number)))
    }

    /// The external numbers of an interface that are blocks.
    pub(crate) fn blocks<'a>(&self, interface: &'a Interface) -> impl Iterator<Item = &'a Mapping> {
        let external = self.external.get(&interface.id);
        (external.into_iter().flat_map(|external| &external.blocks))
            .filter_map(|index| interface.numbers.get(*index))
    }

    /// The single external number of an interface that rings an extension; of several the first.
    pub(crate) fn number_of<'a>(
        &self,
        interface: &'a Interface,
        extension: ExtensionId,
    ) -> Option<&'a Mapping> {
        let index = self.external.get(&interface.id)?.ringing.get(&extension)?;
        interface.numbers.get(*index)
    }

    /// The enabled route whose prefix fits a dialled number; of several that with the longest.
    pub(crate) fn route_for(&self, dialled: &str) -> Option<&Route> {
        let ends = (0..=dialled.len()).rev();
        let index = ends
            .filter_map(|end| dialled.get(..end))
            .find_map(|prefix| self.routes.get(prefix))?;
        self.configuration.routes.get(*index)
    }

    /// The emergency number that a dialled one stands for, and the route whose prefix was dialled before
    /// it, where one was.
    pub(crate) fn emergency(&self, dialled: &str) -> Option<(&Number, Option<&Route>)> {
        let emergency = &self.configuration.emergency;
        let find = |text: &str| {
            (emergency.numbers.iter())
                .map(|entry| &entry.number)
                .find(|number| number.as_str() == text)
        };
        if emergency.direct
            && let Some(number) = find(dialled)
        {
            return Some((number, None));
        }
        // What an extension has is the extension's, whatever it begins with.
        let whole: Option<Number> = dialled.parse().ok();
        if whole.is_some_and(|number| self.plan.lookup(&number).is_some()) {
            return None;
        }
        // The longest prefix first, as for any number.
        (0..dialled.len()).rev().find_map(|end| {
            let (prefix, rest) = dialled.split_at_checked(end)?;
            let index = self.routes.get(prefix)?;
            let route = self.configuration.routes.get(*index)?;
            takes_prefix_off(route).then_some((find(rest)?, Some(route)))
        })
    }

    /// What is dialled for help.
    pub(crate) fn urgent(&self) -> Urgent {
        let numbers = self.configuration.emergency.numbers.iter();
        Urgent {
            numbers: numbers.map(|entry| entry.number.to_string()).collect(),
            direct: self.configuration.emergency.direct,
            prefixes: (self.configuration.routes.iter())
                .filter(|route| route.enabled && takes_prefix_off(route))
                .map(|route| route.prefix.clone())
                .collect(),
        }
    }

    /// How an extension is shown to others: its number, and the name given to it for that, or else
    /// its user's full name, or else its own description.
    pub(crate) fn party(&self, id: ExtensionId) -> Option<Party> {
        let extension = self.extension(id)?;
        let own = extension.caller_name.as_deref();
        let name = own
            .or_else(|| Some(self.user_of(extension)?.full_name.as_str()))
            .filter(|name| !name.is_empty())
            .unwrap_or(&extension.description);
        Some(Party {
            number: extension.number.to_string(),
            name: (!name.is_empty()).then(|| name.to_owned()),
            extension: Some(id),
        })
    }

    /// The digest identities of all that may register and call; those of disabled extensions and users may
    /// call for help (USR-4).
    pub(crate) fn accounts(&self) -> Vec<Account> {
        let nobody_to_help = self.configuration.emergency.numbers.is_empty();
        (self.configuration.extensions.iter())
            .filter(|extension| !nobody_to_help || self.is_active(extension))
            .map(|extension| Account {
                extension: extension.id,
                username: extension.sip_username.clone(),
                password: extension.sip_password.clone(),
                aor_user: extension.number.to_string(),
                loopback_only: extension.id.is_hidden(),
                urgent_only: !self.is_active(extension),
            })
            .collect()
    }

    /// Whether a digest user name is that of a hidden extension.
    pub(crate) fn is_hidden(&self, username: &str) -> bool {
        (ExtensionId::HIDDEN.into_iter())
            .filter_map(|id| self.extension(id))
            .any(|extension| extension.sip_username == username)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{configuration, interface};

    proptest! {
        /// Indexed or looked through, it is the same mapping.
        #[test]
        fn an_external_number_is_found_as_by_looking_through_all(
            numbers in prop::collection::vec(("\\+?[0-2X]{1,3}", prop::option::of(1_u32..4)), 0..12),
            asked in "\\+?[0-2]{1,3}",
            extension in 1_u32..4,
        ) {
            let listed: Vec<_> = numbers.iter().map(|(number, id)| (number.as_str(), *id)).collect();
            let own = interface(1, "10.9.0.1", &listed);
            let mut configuration = configuration(3);
            configuration.interfaces = vec![own.clone()];
            let directory = Directory::new(Arc::new(configuration));
            let fits = || own.numbers.iter().filter(|mapping| mapping.number.matches(&asked));
            let found = fits().find(|mapping| !mapping.number.is_block()).or(fits().next());
            prop_assert_eq!(directory.mapping(&own, &asked), found);
            let id = ExtensionId::new(extension);
            let rings = |mapping: &&Mapping| mapping.extension == Some(id) && !mapping.number.is_block();
            prop_assert_eq!(directory.number_of(&own, id), own.numbers.iter().find(rings));
        }
    }
}

//! The configuration in force, indexed for quick questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::config::{Configuration, Extension, Interface, Route, User};
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
    /// The enabled ones, by prefix.
    routes: BTreeMap<String, usize>,
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

    /// The interface with this id.
    pub(crate) fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        self.configuration
            .interfaces
            .get(*self.interfaces.get(&id)?)
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
        // The longest prefix first, as for any number.
        (1..dialled.len()).rev().find_map(|end| {
            let (prefix, rest) = dialled.split_at_checked(end)?;
            let index = self.routes.get(prefix)?;
            Some((find(rest)?, self.configuration.routes.get(*index)))
        })
    }

    /// What is dialled for help.
    pub(crate) fn urgent(&self) -> Urgent {
        let numbers = self.configuration.emergency.numbers.iter();
        Urgent {
            numbers: numbers.map(|entry| entry.number.to_string()).collect(),
            prefixes: self.routes.keys().cloned().collect(),
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

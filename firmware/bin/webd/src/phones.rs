//! How many phones each extension has, as the exchange tells it at the moment.

use std::collections::BTreeMap;

use model::ExtensionId;
use model::control::{Reply, Request};

use crate::app::App;

/// Registered phones by extension.
#[derive(Debug, Default)]
pub struct Phones(BTreeMap<ExtensionId, Count>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    registered: u32,
    /// Of these, those that can be called now.
    reachable: u32,
    /// Those that do not respond.
    unresponsive: u32,
}

impl Phones {
    /// As it is now; nothing where the exchange does not answer.
    pub async fn now(app: &App) -> Option<Self> {
        let Ok(Reply::Registrations { registrations }) =
            app.control.ask(Request::Registrations).await
        else {
            return None;
        };
        let mut phones = Self::default();
        for registration in registrations {
            let count = phones.0.entry(registration.extension).or_default();
            count.registered += 1;
            count.reachable += u32::from(registration.reachable);
            count.unresponsive += u32::from(registration.unresponsive_since.is_some());
        }
        Some(phones)
    }

    /// Those of an extension.
    #[must_use]
    pub fn of(&self, extension: ExtensionId) -> u32 {
        self.0.get(&extension).map_or(0, |count| count.registered)
    }

    /// Whether an extension has phones, and none of them can be called now.
    #[must_use]
    pub fn are_away(&self, extension: ExtensionId) -> bool {
        let count = self.0.get(&extension);
        count.is_some_and(|count| count.reachable == 0)
    }

    /// Whether a phone of the extension does not respond.
    #[must_use]
    pub fn are_silent(&self, extension: ExtensionId) -> bool {
        let count = self.0.get(&extension);
        count.is_some_and(|count| count.unresponsive > 0)
    }

    /// Extensions that have one or more.
    #[must_use]
    pub fn extensions(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

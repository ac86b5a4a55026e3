//! Which number an extension shows outside (USR-2).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Configuration, FaultCode, Faults};
use crate::ExtensionId;

/// What those outside see of an extension that calls them. Inside it is always the extension itself, and so
/// it is to those who help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "show", content = "extension", rename_all = "snake_case")]
pub enum CallerId {
    /// Its own number.
    #[default]
    Own,
    /// No number.
    Hidden,
    /// The number of another extension.
    Extension(ExtensionId),
}

impl CallerId {
    /// The other extension whose number is shown.
    #[must_use]
    pub const fn other(self) -> Option<ExtensionId> {
        match self {
            Self::Extension(id) => Some(id),
            Self::Own | Self::Hidden => None,
        }
    }
}

impl Configuration {
    pub(super) fn check_caller_ids(&self, faults: &mut Faults) {
        let known: BTreeSet<ExtensionId> = self.extensions.iter().map(|e| e.id).collect();
        for (index, extension) in self.extensions.iter().enumerate() {
            let Some(other) = extension.caller_id.other() else {
                continue;
            };
            if other == extension.id || !known.contains(&other) {
                faults.add(
                    format!("/extensions/{index}/caller_id/extension"),
                    FaultCode::UnknownReference,
                    "choose another extension that there is",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::extension;
    use super::*;

    #[test]
    fn chapter_8_2_the_other_extension_is_another_one_that_exists() {
        let mut configuration = Configuration::initial();
        configuration.extensions = vec![extension(1, "101"), extension(2, "102")];
        let mut faults_of = |caller_id| {
            configuration.extensions[0].caller_id = caller_id;
            let faults = configuration.check().into_iter();
            faults.map(|f| (f.path, f.code)).collect::<Vec<_>>()
        };
        let other = |id| CallerId::Extension(ExtensionId::new(id));
        for right in [CallerId::Own, CallerId::Hidden, other(2)] {
            assert_eq!(faults_of(right), [], "{right:?}");
        }
        for wrong in [other(1), other(3)] {
            let path = "/extensions/0/caller_id/extension".to_owned();
            assert_eq!(
                faults_of(wrong),
                [(path, FaultCode::UnknownReference)],
                "{wrong:?}"
            );
        }
    }
}

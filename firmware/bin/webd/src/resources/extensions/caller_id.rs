//! Which number an extension shows outside, as the API writes and reads it.

use model::{ExtensionId, config};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What those outside see of an extension that calls them. Other extensions, and those who help, always
/// see its own number.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(tag = "show", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallerId {
    /// Its own number.
    #[default]
    Own,
    /// No number.
    Hidden,
    /// The number of another extension.
    Extension {
        /// Its id.
        extension: u32,
    },
}

impl From<config::CallerId> for CallerId {
    fn from(caller_id: config::CallerId) -> Self {
        match caller_id {
            config::CallerId::Own => Self::Own,
            config::CallerId::Hidden => Self::Hidden,
            config::CallerId::Extension(id) => Self::Extension {
                extension: id.raw(),
            },
        }
    }
}

impl From<CallerId> for config::CallerId {
    fn from(caller_id: CallerId) -> Self {
        match caller_id {
            CallerId::Own => Self::Own,
            CallerId::Hidden => Self::Hidden,
            CallerId::Extension { extension } => Self::Extension(ExtensionId::new(extension)),
        }
    }
}

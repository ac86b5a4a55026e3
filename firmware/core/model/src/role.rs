//! What a user may do on the administration, and in which language.

use serde::{Deserialize, Serialize};

/// Rights on the administration (WEB-5), the lower first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user's own page only.
    User,
    /// Sees the whole server, changes nothing.
    ReadOnly,
    /// Sees and changes the whole server.
    ReadWrite,
}

/// Language of pages, mails and announcements (WEB-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Czech.
    Cs,
}

//! Users as the API writes and reads them.

use model::{Secret, config};
use serde::{Deserialize, Serialize};
use store::{Orphans, Snapshot};
use utoipa::ToSchema;

use crate::resources::extensions::{CreatedExtension, ExtensionCreation};
use crate::revision::etag;
use crate::words::{Language, Person, Role};

use super::ringing::RingingRules;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// The user.
    #[serde(flatten)]
    pub(super) person: Person,
    /// True where a password is set: without one the user can't log in.
    has_password: bool,
    /// The user's extensions, by id.
    pub(super) extensions: Vec<ExtensionOfUser>,
    /// What becomes of calls to them.
    ringing: RingingRules,
    /// For If-Match.
    #[schema(example = "\"r17\"")]
    etag: String,
}

/// An extension of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtensionOfUser {
    /// Never reused.
    pub(super) id: u32,
    /// What is dialled.
    #[schema(example = "122")]
    pub(super) number: String,
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub struct Users {
    /// How many users the search finds.
    pub(super) total: u64,
    /// Those on this page.
    pub(super) users: Vec<User>,
}

/// A user to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCreation {
    /// Login name: unique without regard to case.
    #[schema(
        example = "winston.smith",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    pub(super) name: String,
    /// Name shown to people.
    #[serde(default)]
    #[schema(
        example = "Winston Smith",
        max_length = 128,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$"
    )]
    pub(super) full_name: String,
    /// Address for messages.
    #[serde(default)]
    #[schema(
        example = "winston@example.com",
        max_length = 254,
        pattern = r"^[!-?A-~]+@[!-?A-~]*\.[!-?A-~]*$"
    )]
    pub(super) email: Option<String>,
    /// Language of pages and messages.
    #[serde(default = "english")]
    pub(super) language: Language,
    /// Rights on the administration.
    #[serde(default = "no_rights")]
    pub(super) role: Role,
    /// A disabled user neither logs in nor calls.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// 8 to 128 characters, not the user name, not a common one. Without one the user can't log in.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128,
        example = "correct horse battery staple")]
    pub(super) password: Option<Secret>,
    /// Ids of extensions that are the user's from now on, whosever they were.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub(super) extensions: Vec<u32>,
    /// Extensions to be added, which are the user's.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub(super) new_extensions: Vec<ExtensionCreation>,
}

/// What replaces a user; all of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Login name: unique without regard to case.
    #[schema(
        example = "winston.smith",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    pub(super) name: String,
    /// Name shown to people.
    #[schema(
        example = "Winston Smith",
        max_length = 128,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$"
    )]
    pub(super) full_name: String,
    /// Address for messages; none where it is left out.
    #[serde(default)]
    #[schema(
        example = "winston@example.com",
        max_length = 254,
        pattern = r"^[!-?A-~]+@[!-?A-~]*\.[!-?A-~]*$"
    )]
    pub(super) email: Option<String>,
    /// Language of pages and messages.
    pub(super) language: Language,
    /// Rights on the administration.
    pub(super) role: Role,
    /// A disabled user neither logs in nor calls.
    pub(super) enabled: bool,
    /// What becomes of calls to the user's extensions; as it was where left out.
    #[serde(default)]
    pub(super) ringing: Option<RingingRules>,
    /// Ids of the extensions that are the user's: others that were are nobody's then. As they were where left out.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub(super) extensions: Option<Vec<u32>>,
    /// Extensions to be added, which are the user's too.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub(super) new_extensions: Vec<ExtensionCreation>,
}

/// A user who was just added or changed, with the extensions that were added.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedUser {
    /// The user.
    #[serde(flatten)]
    pub(super) user: User,
    /// The extensions that were added, in their order, with their SIP passwords.
    pub(super) new_extensions: Vec<CreatedExtension>,
}

/// A password to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// 8 to 128 characters, not the user name, not a common one.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128,
        example = "correct horse battery staple")]
    pub(super) password: Secret,
}

/// What becomes of the extensions of a user who is removed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionsThen {
    /// They stay and are nobody's.
    #[default]
    Detach,
    /// They stay, are nobody's and disabled.
    Disable,
    /// They go too.
    Remove,
}

impl User {
    pub(super) fn new(snapshot: &Snapshot, user: &config::User) -> Self {
        let extensions = snapshot
            .configuration
            .extensions
            .iter()
            .filter(|extension| extension.user == Some(user.id))
            .map(|extension| ExtensionOfUser {
                id: extension.id.raw(),
                number: extension.number.to_string(),
            })
            .collect();
        let revision = snapshot.revisions.users.get(&user.id);
        Self {
            has_password: snapshot.with_password.contains(&user.id),
            extensions,
            ringing: user.ringing.clone().into(),
            etag: revision.map(|revision| etag(*revision)).unwrap_or_default(),
            person: user.clone().into(),
        }
    }
}

impl From<ExtensionsThen> for Orphans {
    fn from(then: ExtensionsThen) -> Self {
        match then {
            ExtensionsThen::Detach => Self::Detach,
            ExtensionsThen::Disable => Self::Disable,
            ExtensionsThen::Remove => Self::Remove,
        }
    }
}

const fn english() -> Language {
    Language::En
}

const fn no_rights() -> Role {
    Role::User
}

const fn yes() -> bool {
    true
}

//! Extensions as the API writes and reads them.

use model::{ExtensionNumber, PermissionGroupId, Secret, UserId, config};
use serde::{Deserialize, Serialize};
use store::{NewExtension, Snapshot};
use utoipa::ToSchema;

use crate::input::optional_id;
use crate::password;
use crate::phones::Phones;
use crate::problem::{FieldCode, Problem};
use crate::revision::etag;
use crate::words::{Codec, Srtp, shown_name};

use super::caller_id::CallerId;

/// An extension.
#[derive(Debug, Serialize, ToSchema)]
pub struct Extension {
    /// Never reused.
    id: u32,
    /// What is dialled; unique in the dial plan.
    #[schema(example = "122")]
    pub(super) number: String,
    /// What the administrator wrote about it.
    #[schema(example = "Reception")]
    pub(super) description: String,
    /// Id of the user whose it is.
    pub(super) user: Option<u32>,
    /// The full name of the user, or else the login name.
    #[schema(example = "Winston Smith")]
    pub(super) user_name: Option<String>,
    /// The name it is shown by in calls; the user's full name, or else the description, where there
    /// is none.
    #[schema(example = "Front desk")]
    pub(super) caller_name: Option<String>,
    /// Which number it shows outside.
    caller_id: CallerId,
    /// A disabled extension neither registers nor calls.
    pub(super) enabled: bool,
    /// True where it may register and call: it and its user are enabled.
    active: bool,
    /// SIP user name of its phones.
    #[schema(example = "122")]
    pub(super) sip_username: String,
    /// True where the SIP password is easy to guess: generate another one.
    password_is_weak: bool,
    /// Registered phones; nothing where the exchange does not answer.
    #[schema(example = 1)]
    pub(super) phones: Option<u32>,
    /// Codecs offered and accepted, the preferred first.
    codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    srtp: Srtp,
    /// Id of the call permission group that says which numbers outside it may call; nothing allows all.
    permission_group: Option<u32>,
    /// For If-Match.
    #[schema(example = "\"r17\"")]
    etag: String,
}

/// A page of extensions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Extensions {
    /// How many extensions the search finds.
    pub(super) total: u64,
    /// Those on this page.
    pub(super) extensions: Vec<Extension>,
}

/// An extension that was just added, with its SIP password.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedExtension {
    /// The extension.
    #[serde(flatten)]
    extension: Extension,
    /// For its phones; it isn't shown again.
    #[schema(example = "mXb7RkTq2wHcZ9sYfLpN")]
    sip_password: String,
}

/// An extension to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionCreation {
    /// What is dialled; unique in the dial plan.
    #[schema(example = "122", min_length = 1, max_length = 16, pattern = "^[0-9]+$")]
    pub(super) number: String,
    /// What the administrator writes about it.
    #[serde(default)]
    #[schema(
        example = "Reception",
        max_length = 128,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$"
    )]
    pub(super) description: String,
    /// Id of the user whose it is.
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) user: Option<u32>,
    /// The name it is shown by in calls; the user's full name, or else the description, where left
    /// out.
    #[serde(default)]
    #[schema(
        example = "Front desk",
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$"
    )]
    pub(super) caller_name: Option<String>,
    /// Which number it shows outside; its own where left out.
    #[serde(default)]
    pub(super) caller_id: CallerId,
    /// A disabled extension neither registers nor calls.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// SIP user name of its phones; the number where left out.
    #[serde(default)]
    #[schema(
        example = "122",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    pub(super) sip_username: Option<String>,
    /// SIP password of its phones: 8 to 64 printable ASCII characters; a strong random one where
    /// left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 64,
        pattern = "^[!-~]+$")]
    pub(super) sip_password: Option<Secret>,
    /// Codecs offered and accepted, the preferred first, each once.
    #[serde(default = "usual_codecs")]
    #[schema(value_type = BTreeSet<Codec>, min_items = 1, max_items = 8)]
    pub(super) codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    #[serde(default = "offered")]
    pub(super) srtp: Srtp,
    /// Id of the call permission group that says which numbers outside it may call; all where left out.
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) permission_group: Option<u32>,
}

/// What replaces an extension; all of it but the SIP password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionChange {
    /// What is dialled; unique in the dial plan.
    #[schema(example = "122", min_length = 1, max_length = 16, pattern = "^[0-9]+$")]
    pub(super) number: String,
    /// What the administrator writes about it.
    #[schema(
        example = "Reception",
        max_length = 128,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$"
    )]
    pub(super) description: String,
    /// Id of the user whose it is; nobody's where left out.
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) user: Option<u32>,
    /// The name it is shown by in calls; the user's full name, or else the description, where left
    /// out.
    #[serde(default)]
    #[schema(
        example = "Front desk",
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$"
    )]
    pub(super) caller_name: Option<String>,
    /// Which number it shows outside; its own where left out.
    #[serde(default)]
    pub(super) caller_id: CallerId,
    /// A disabled extension neither registers nor calls.
    pub(super) enabled: bool,
    /// SIP user name of its phones.
    #[schema(
        example = "122",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    pub(super) sip_username: String,
    /// Codecs offered and accepted, the preferred first, each once.
    #[schema(value_type = BTreeSet<Codec>, min_items = 1, max_items = 8)]
    pub(super) codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    #[serde(default = "offered")]
    pub(super) srtp: Srtp,
    /// Id of the call permission group that says which numbers outside it may call; all where left out.
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) permission_group: Option<u32>,
}

/// The SIP password to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSipPassword {
    /// 8 to 64 printable ASCII characters; a strong random one where left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 64,
        pattern = "^[!-~]+$")]
    pub(super) password: Option<Secret>,
}

/// A SIP password that was just set.
#[derive(Debug, Serialize, ToSchema)]
pub struct SipPassword {
    /// For the phones; it isn't shown again.
    #[schema(example = "mXb7RkTq2wHcZ9sYfLpN")]
    sip_password: String,
}

/// A number that nothing has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestion {
    /// The number.
    #[schema(example = "123")]
    number: String,
}

impl Extension {
    /// As the API writes it.
    pub fn new(
        snapshot: &Snapshot,
        phones: Option<&Phones>,
        extension: &config::Extension,
    ) -> Self {
        let revision = snapshot.revisions.extensions.get(&extension.id);
        let user = extension
            .user
            .and_then(|user| snapshot.configuration.user(user));
        Self {
            id: extension.id.raw(),
            number: extension.number.to_string(),
            description: extension.description.clone(),
            user: extension.user.map(model::UserId::raw),
            user_name: user.map(|user| shown_name(user).to_owned()),
            caller_name: extension.caller_name.clone(),
            caller_id: extension.caller_id.into(),
            enabled: extension.enabled,
            active: snapshot.configuration.is_active(extension),
            sip_username: extension.sip_username.clone(),
            password_is_weak: password::is_weak(
                extension.sip_password.expose(),
                &[&extension.sip_username, extension.number.as_str()],
            ),
            phones: phones.map(|phones| phones.of(extension.id)),
            codecs: extension
                .codecs
                .iter()
                .map(|codec| (*codec).into())
                .collect(),
            srtp: extension.srtp.into(),
            permission_group: extension
                .permission_group
                .map(model::PermissionGroupId::raw),
            etag: revision.map(|revision| etag(*revision)).unwrap_or_default(),
        }
    }
}

impl ExtensionCreation {
    /// Whose it is, where that is said.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.user.map(UserId::new)
    }

    /// What is asked for, with a password made where there is none.
    ///
    /// # Errors
    /// A number that is none; [`crate::problem::Code::Internal`] where no password can be made.
    pub fn read(self) -> Result<NewExtension, Problem> {
        let number = number(&self.number)?;
        Ok(NewExtension {
            sip_username: self.sip_username.unwrap_or_else(|| number.to_string()),
            number,
            description: self.description,
            user: self.user.map(UserId::new),
            caller_name: self.caller_name,
            caller_id: self.caller_id.into(),
            enabled: self.enabled,
            sip_password: match self.sip_password {
                Some(password) => password,
                None => random_sip_password()?,
            },
            codecs: self.codecs.into_iter().map(Into::into).collect(),
            srtp: self.srtp.into(),
            permission_group: self.permission_group.map(PermissionGroupId::new),
        })
    }
}

impl CreatedExtension {
    /// The extension, and what its phones log in with.
    pub fn new(extension: Extension, sip_password: &str) -> Self {
        Self {
            extension,
            sip_password: sip_password.to_owned(),
        }
    }
}

impl SipPassword {
    pub(super) fn new(sip_password: &str) -> Self {
        Self {
            sip_password: sip_password.to_owned(),
        }
    }
}

impl Suggestion {
    pub(super) fn new(number: &ExtensionNumber) -> Self {
        Self {
            number: number.to_string(),
        }
    }
}

const fn yes() -> bool {
    true
}

const fn offered() -> Srtp {
    Srtp::Offered
}

fn usual_codecs() -> Vec<Codec> {
    model::Codec::DEFAULT.map(Into::into).to_vec()
}

/// What is dialled, where it is a number.
pub(super) fn number(text: &str) -> Result<ExtensionNumber, Problem> {
    text.parse().map_err(|error: model::InvalidNumber| {
        Problem::field("/number", FieldCode::InvalidNumber, error.to_string())
    })
}

/// A SIP password of chance.
pub(super) fn random_sip_password() -> Result<Secret, Problem> {
    password::random_sip_password().map_err(|error| {
        tracing::error!(%error, "No password can be made.");
        Problem::internal()
    })
}

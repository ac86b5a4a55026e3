//! The configuration: what can be read of it, and the one way to change it.
//!
//! A change is one transaction: take the write lock, load, apply, check, write the rows that
//! differ, raise the version by one, say so in the Config log, commit to disk.

use std::collections::BTreeMap;

use model::config::{Configuration, Extension, General, User};
use model::{
    Codec, ConfigVersion, ExtensionId, ExtensionNumber, Language, Role, Secret, UserId, WallTime,
};

use crate::{ChangeError, Store, StoreError};

/// Who makes a change, for the Config log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Login name, or what stands for it, such as `console`.
    pub name: String,
    /// Address the request came from.
    pub host: String,
}

/// What the author saw when deciding on the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there now.
    Anything,
    /// The object at this revision ([`Revisions`]); an addition, which has no object yet, takes any.
    Object(ConfigVersion),
    /// The whole configuration at this version.
    Configuration(ConfigVersion),
}

/// A user to be added; the id is given by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Login name.
    pub name: String,
    /// Name shown to people.
    pub full_name: String,
    /// Address for messages.
    pub email: Option<String>,
    /// Language of pages and messages.
    pub language: Language,
    /// Rights on the administration.
    pub role: Role,
    /// A disabled user neither logs in nor calls.
    pub enabled: bool,
    /// Argon2 hash of the password (PHC string); without one the user can't log in.
    pub password_hash: Option<Secret>,
}

/// An extension to be added; the id is given by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExtension {
    /// Its number, unique in the dial plan.
    pub number: ExtensionNumber,
    /// What the administrator wrote about it.
    pub description: String,
    /// Whose it is.
    pub user: Option<UserId>,
    /// A disabled extension neither registers nor calls.
    pub enabled: bool,
    /// Digest user name of its phones, unique.
    pub sip_username: String,
    /// Digest password of its phones.
    pub sip_password: Secret,
    /// Codecs offered and accepted, the preferred first.
    pub codecs: Vec<Codec>,
}

/// What becomes of the extensions of a user who is removed (USR-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// They stay as they are and are nobody's.
    Detach,
    /// They stay, are nobody's and disabled.
    Disable,
    /// They go too.
    Remove,
}

/// A change of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Adds a user.
    AddUser(NewUser),
    /// Puts this in place of the user with its id. A user who is disabled is logged out.
    UpdateUser(User),
    /// Removes a user and logs it out.
    RemoveUser {
        /// Who.
        user: UserId,
        /// What becomes of the extensions.
        extensions: Orphans,
    },
    /// Sets a user's password and ends the user's sessions.
    SetUserPassword {
        /// Whose.
        user: UserId,
        /// Argon2 hash (PHC string); none takes the password away.
        hash: Option<Secret>,
        /// Token of the session that does it: the one that goes on.
        keep_session: Option<Secret>,
    },
    /// Adds an extension.
    AddExtension(NewExtension),
    /// Puts this in place of the extension with its id.
    UpdateExtension(Extension),
    /// Removes an extension.
    RemoveExtension(ExtensionId),
    /// Changes what concerns the whole exchange.
    UpdateGeneral(General),
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The version now; the one before where nothing differed.
    pub version: ConfigVersion,
    /// False where everything was so already: nothing was stored or logged.
    pub different: bool,
    /// The users added, in the order of the operations.
    pub users: Vec<UserId>,
    /// The extensions added, in the order of the operations.
    pub extensions: Vec<ExtensionId>,
}

/// At which version each object last changed: what [`Expected::Object`] is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revisions {
    /// Of the general part.
    pub general: ConfigVersion,
    /// Of each user. A password is not part of it.
    pub users: BTreeMap<UserId, ConfigVersion>,
    /// Of each extension.
    pub extensions: BTreeMap<ExtensionId, ConfigVersion>,
}

/// The configuration at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What an administrator decided.
    pub configuration: Configuration,
    /// When each part of it last changed.
    pub revisions: Revisions,
}

/// What a login is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub user: User,
    /// Argon2 hash of the password, where one is set.
    pub hash: Option<Secret>,
}

impl Store {
    /// The configuration as it is now.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn load(&self) -> Result<Configuration, StoreError> {
        todo!()
    }

    /// The configuration as it is now, with the revisions of its parts.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        todo!()
    }

    /// The version of the configuration now. Cheap.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn version(&self) -> Result<ConfigVersion, StoreError> {
        todo!()
    }

    /// Makes one change and says what it did once it is safe on the disk.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing was changed then.
    pub fn change(
        &self,
        now: WallTime,
        author: &Author,
        expected: Expected,
        operation: Operation,
    ) -> Result<Changed, ChangeError> {
        self.change_all(now, author, expected, vec![operation])
    }

    /// Makes several changes, all or none; the version grows by one. [`Expected::Object`] is
    /// compared with the object of every operation.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing was changed then.
    pub fn change_all(
        &self,
        now: WallTime,
        author: &Author,
        expected: Expected,
        operations: Vec<Operation>,
    ) -> Result<Changed, ChangeError> {
        let _ = (now, author, expected, operations);
        todo!()
    }

    /// The user of this login name (without regard to case) and the hash to compare with.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn credentials(&self, name: &str) -> Result<Option<Credentials>, StoreError> {
        let _ = name;
        todo!()
    }

    /// True until the first account has its password: nothing else may be reachable (WEB-2).
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn needs_first_password(&self) -> Result<bool, StoreError> {
        todo!()
    }

    /// Sets the password of the first account, once in the life of the data directory.
    ///
    /// # Errors
    /// [`ChangeError::AlreadySet`] for everyone but the first who tries.
    pub fn set_first_password(
        &self,
        now: WallTime,
        host: &str,
        hash: &Secret,
    ) -> Result<UserId, ChangeError> {
        let _ = (now, host, hash);
        todo!()
    }
}

//! The configuration: what can be read of it, and the one way to change it.
//!
//! A change is one transaction: take the write lock, load, apply, check, write the rows that
//! differ, raise the version by one, say so in the Config log, commit to disk.

mod apply;
mod describe;
mod item;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use model::config::{CallerId, Configuration, Extension, Fault, FaultCode, General, User};
use model::{
    Codec, ConfigVersion, ExtensionId, ExtensionNumber, Language, PermissionGroupId, Role, Secret,
    SrtpPolicy, UserId, WallTime,
};

use rusqlite::Transaction;

use self::apply::{Applier, Edit};
use self::item::NextIds;
use crate::db::lock;
use crate::{ChangeError, Store, StoreError, log, session};

pub use self::item::{Item, ItemId};
pub(crate) use self::rows::user as user_from_row;

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
    /// The name it is shown by in calls, where it is not its user's.
    pub caller_name: Option<String>,
    /// Which number it shows outside.
    pub caller_id: CallerId,
    /// A disabled extension neither registers nor calls.
    pub enabled: bool,
    /// Digest user name of its phones, unique.
    pub sip_username: String,
    /// Digest password of its phones.
    pub sip_password: Secret,
    /// Codecs offered and accepted, the preferred first.
    pub codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    pub srtp: SrtpPolicy,
    /// Which numbers outside it may call; all of them where there is none.
    pub permission_group: Option<PermissionGroupId>,
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
    /// Adds an extension. Its user may be [`UserId::ADDED`], as in [`Self::GiveExtension`]: the one whom this
    /// change added last.
    AddExtension(NewExtension),
    /// Puts this in place of the extension with its id.
    UpdateExtension(Extension),
    /// Gives an extension to a user, whosever it was, or takes it away; the rest of it may be anything, so
    /// that [`Expected::Object`] is not compared with it.
    GiveExtension {
        /// Which.
        extension: ExtensionId,
        /// Whose it is then.
        user: Option<UserId>,
    },
    /// Removes an extension.
    RemoveExtension(ExtensionId),
    /// Changes what concerns the whole exchange.
    UpdateGeneral(General),
    /// Adds a part of another kind; the store gives the id.
    AddItem(Item),
    /// Puts this in place of the part with its id.
    UpdateItem(Item),
    /// Removes a part.
    RemoveItem(ItemId),
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
    /// The parts of other kinds added, in the order of the operations.
    pub items: Vec<ItemId>,
}

/// At which version each object last changed: what [`Expected::Object`] is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revisions {
    /// Of the general part.
    pub general: ConfigVersion,
    /// Of each user. Which extensions the user has is part of it, a password is not.
    pub users: BTreeMap<UserId, ConfigVersion>,
    /// Of each extension.
    pub extensions: BTreeMap<ExtensionId, ConfigVersion>,
    /// Of each part of another kind.
    pub items: BTreeMap<ItemId, ConfigVersion>,
}

/// The configuration at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What an administrator decided.
    pub configuration: Configuration,
    /// When each part of it last changed.
    pub revisions: Revisions,
    /// The users who have a password.
    pub with_password: BTreeSet<UserId>,
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
        Ok(self.snapshot()?.configuration)
    }

    /// The configuration as it is now, with the revisions of its parts.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.config.read(rows::load)
    }

    /// Numbers that extensions had before, the last 5,000; some may have them again.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn former_numbers(&self) -> Result<BTreeSet<ExtensionNumber>, StoreError> {
        self.inner.config.read(rows::former_numbers)
    }

    /// The version of the configuration now. Cheap.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn version(&self) -> Result<ConfigVersion, StoreError> {
        self.inner.config.read(rows::load_version)
    }

    /// Who made the change that gave this version, and when; an object's revision is such a version.
    /// None for the first version, and for one that the Config log doesn't reach back to.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn changed_by(
        &self,
        version: ConfigVersion,
    ) -> Result<Option<(Author, WallTime)>, StoreError> {
        self.inner.config.read(|tx| rows::changed_by(tx, version))
    }

    /// Makes one change and says what it did once it is safe on the disk. A process that is killed
    /// before the answer may have made it or not, but never a part of it.
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
        let change = Change {
            now,
            author,
            expected,
            keep: self.inner.limits.log_rows,
        };
        let (changed, snapshot) = self.inner.config.write(|tx| {
            let version = rows::load_version(tx)?;
            let cached = lock(&self.inner.cache).take();
            let snapshot = match cached {
                Some(snapshot) if snapshot.configuration.version == version => snapshot,
                _ => rows::load(tx)?,
            };
            change.make(tx, snapshot, operations)
        })?;
        // Only now is it what the database holds. A change by another thread in between has
        // another version, and the comparison above finds out.
        *lock(&self.inner.cache) = Some(snapshot);
        Ok(changed)
    }

    /// Whether [`Self::change_all`] would make these changes now; nothing is stored.
    ///
    /// # Errors
    /// As there.
    pub fn check_all(&self, operations: Vec<Operation>) -> Result<(), ChangeError> {
        self.inner.config.read(|tx| {
            let mut snapshot = rows::load(tx)?;
            Ok(apply(tx, &mut snapshot, Expected::Anything, operations).map(drop))
        })?
    }

    /// The user of this login name (without regard to case) and the hash to compare with.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn credentials(&self, name: &str) -> Result<Option<Credentials>, StoreError> {
        self.inner.config.read(|tx| rows::credentials(tx, name))
    }

    /// True until the first account has its password: nothing else may be reachable (WEB-2).
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn needs_first_password(&self) -> Result<bool, StoreError> {
        self.inner.config.read(rows::needs_first_password)
    }

    /// Sets the password of the first account, once in the life of the data directory or since
    /// [`Self::forget_first_password`].
    ///
    /// # Errors
    /// [`ChangeError::AlreadySet`] for everyone but the first who tries.
    pub fn set_first_password(
        &self,
        now: WallTime,
        host: &str,
        hash: &Secret,
    ) -> Result<UserId, ChangeError> {
        self.inner.config.write(|tx| {
            if !rows::needs_first_password(tx)? {
                return Err(ChangeError::AlreadySet);
            }
            let snapshot = rows::load(tx)?;
            let first = first_account(&snapshot)?;
            let author = Author {
                name: first.name.clone(),
                host: host.to_owned(),
            };
            rows::set_first_password_set(tx, true)?;
            self.change_first_password(tx, now, &author, snapshot, Some(hash.clone()))
        })
    }

    /// Takes the password of the first account away and ends its sessions: it is to be set anew, as at
    /// the first visit. Twice is once.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn forget_first_password(&self, now: WallTime, author: &Author) -> Result<(), ChangeError> {
        self.inner.config.write(|tx| {
            if rows::needs_first_password(tx)? {
                return Ok(());
            }
            let snapshot = rows::load(tx)?;
            // Before the change: without it nobody would be left who can log in.
            rows::set_first_password_set(tx, false)?;
            self.change_first_password(tx, now, author, snapshot, None)?;
            Ok(())
        })
    }

    fn change_first_password(
        &self,
        tx: &Transaction<'_>,
        now: WallTime,
        author: &Author,
        snapshot: Snapshot,
        hash: Option<Secret>,
    ) -> Result<UserId, ChangeError> {
        let user = first_account(&snapshot)?.id;
        let change = Change {
            now,
            author,
            expected: Expected::Anything,
            keep: self.inner.limits.log_rows,
        };
        let operation = Operation::SetUserPassword {
            user,
            hash,
            keep_session: None,
        };
        change.make(tx, snapshot, vec![operation])?;
        Ok(user)
    }
}

/// Whose password the first visit sets.
fn first_account(snapshot: &Snapshot) -> Result<&User, ChangeError> {
    let mut users = snapshot.configuration.users.iter();
    let first = users.find(|user| user.enabled && user.role == Role::ReadWrite);
    first.ok_or(ChangeError::NotFound("user"))
}

/// What operations make of the configuration in memory.
struct Applied {
    edits: Vec<Edit>,
    changed: Changed,
    objects: Vec<Option<String>>,
}

/// Applies operations, and checks what comes of it.
fn apply(
    tx: &Transaction<'_>,
    snapshot: &mut Snapshot,
    expected: Expected,
    operations: Vec<Operation>,
) -> Result<Applied, ChangeError> {
    let current = snapshot.configuration.version;
    if let Expected::Configuration(seen) = expected
        && seen != current
    {
        return Err(ChangeError::Conflict { current });
    }
    let (next_user, next_extension) = rows::next_ids(tx)?;
    let mut applier = Applier {
        snapshot,
        expected,
        next_user,
        next_extension,
        next_items: NextIds::load(tx)?,
        edits: Vec::new(),
        changed: Changed {
            version: current,
            different: false,
            users: Vec::new(),
            extensions: Vec::new(),
            items: Vec::new(),
        },
    };
    let mut objects = Vec::with_capacity(operations.len());
    for operation in operations {
        objects.push(applier.apply(operation)?);
    }
    let Applier {
        snapshot,
        mut edits,
        changed,
        ..
    } = applier;
    edits.retain(Edit::differs);
    if !edits.is_empty() {
        let faults = snapshot.configuration.check();
        if !faults.is_empty() {
            return Err(ChangeError::Faults { faults, objects });
        }
    }
    Ok(Applied {
        edits,
        changed,
        objects,
    })
}

/// A change under way, in the transaction that makes it.
struct Change<'a> {
    now: WallTime,
    author: &'a Author,
    expected: Expected,
    keep: u32,
}

impl Change<'_> {
    /// Makes it of the configuration as it is; returns it as it is then.
    fn make(
        &self,
        tx: &Transaction<'_>,
        mut snapshot: Snapshot,
        operations: Vec<Operation>,
    ) -> Result<(Changed, Snapshot), ChangeError> {
        let current = snapshot.configuration.version;
        let applied = apply(tx, &mut snapshot, self.expected, operations)?;
        let Applied {
            edits,
            mut changed,
            objects,
        } = applied;
        if edits.is_empty() {
            return Ok((changed, snapshot));
        }
        changed.version = ConfigVersion::new(current.raw() + 1);
        changed.different = true;
        for edit in &edits {
            self.write(tx, &mut snapshot, edit, changed.version)?;
        }
        if !rows::has_administrator(tx)? {
            let first = objects.first().and_then(Option::as_deref);
            let faults = vec![no_administrator(first)];
            return Err(ChangeError::Faults { faults, objects });
        }
        rows::store_version(tx, changed.version)?;
        snapshot.configuration.version = changed.version;
        Ok((changed, snapshot))
    }

    /// Writes the rows of one edit, and what the Config log says of it.
    fn write(
        &self,
        tx: &Transaction<'_>,
        snapshot: &mut Snapshot,
        edit: &Edit,
        version: ConfigVersion,
    ) -> Result<(), ChangeError> {
        let revisions = &mut snapshot.revisions;
        match edit {
            Edit::General { after, .. } => {
                rows::put_general(tx, after, version)?;
                revisions.general = version;
            }
            Edit::User {
                after: Some(user), ..
            } => {
                rows::put_user(tx, user, version)?;
                revisions.users.insert(user.id, version);
                if !user.enabled {
                    session::close_all(tx, user.id, None)?;
                }
            }
            Edit::User {
                before,
                after: None,
            } => {
                if let Some(user) = before {
                    rows::delete_user(tx, user.id)?;
                    revisions.users.remove(&user.id);
                    snapshot.with_password.remove(&user.id);
                }
            }
            Edit::Extension {
                before,
                after: Some((extension, _)),
            } => {
                rows::put_extension(tx, extension, version)?;
                if let Some((before, _)) = before
                    && before.number != extension.number
                {
                    rows::put_former_number(tx, &before.number, version)?;
                }
                revisions.extensions.insert(extension.id, version);
                let owner = before.as_ref().and_then(|(before, _)| before.user);
                if owner != extension.user {
                    touch(tx, snapshot, [owner, extension.user], version)?;
                }
            }
            Edit::Extension {
                before,
                after: None,
            } => {
                if let Some((extension, _)) = before {
                    rows::delete_extension(tx, extension.id)?;
                    rows::put_former_number(tx, &extension.number, version)?;
                    revisions.extensions.remove(&extension.id);
                    touch(tx, snapshot, [extension.user, None], version)?;
                }
            }
            Edit::Item {
                after: Some(item), ..
            } => {
                item::store(tx, item, version)?;
                revisions.items.insert(item.id(), version);
            }
            Edit::Item {
                before,
                after: None,
            } => {
                if let Some(item) = before {
                    item::delete(tx, item.id())?;
                    revisions.items.remove(&item.id());
                }
            }
            Edit::Password {
                user,
                hash,
                keep_session,
                ..
            } => {
                rows::put_password(tx, user.id, hash.as_ref())?;
                if hash.is_some() {
                    snapshot.with_password.insert(user.id);
                } else {
                    snapshot.with_password.remove(&user.id);
                }
                session::close_all(tx, user.id, keep_session.as_ref())?;
            }
        }
        if let Some(text) = describe::describe(edit) {
            log::append_config(tx, self.keep, self.now, self.author, Some(version), &text)?;
        }
        Ok(())
    }
}

/// Users have other extensions than before: what was based on those is no longer.
fn touch(
    tx: &Transaction<'_>,
    snapshot: &mut Snapshot,
    users: [Option<UserId>; 2],
    version: ConfigVersion,
) -> Result<(), ChangeError> {
    for id in users.into_iter().flatten() {
        if let Some(user) = snapshot.configuration.user(id) {
            rows::put_user(tx, user, version)?;
            snapshot.revisions.users.insert(id, version);
        }
    }
    Ok(())
}

fn no_administrator(object: Option<&str>) -> Fault {
    Fault {
        path: object.unwrap_or("/users").to_owned(),
        code: FaultCode::LastAdministrator,
        text: "nobody could change the configuration any more: first give another enabled user \
               the right to read and write and a password"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests;

//! An operation on the configuration in memory: what it makes of it, and what has to be written.

use model::config::{CallerId, Configuration, Extension, General, Ringing, User};
use model::{ConfigVersion, ExtensionId, Secret, UserId};

use super::item::{self, Item, ItemId, NextIds};
use super::{Changed, Expected, Operation, Orphans, Snapshot};
use crate::ChangeError;

/// One object that an operation touched.
pub(super) enum Edit {
    General {
        before: General,
        after: General,
    },
    User {
        before: Option<User>,
        after: Option<User>,
    },
    /// With the name of the user it belongs to, before and after.
    Extension {
        before: Option<(Extension, Option<String>)>,
        after: Option<(Extension, Option<String>)>,
    },
    Item {
        before: Option<Item>,
        after: Option<Item>,
    },
    Password {
        user: User,
        hash: Option<Secret>,
        keep_session: Option<Secret>,
        /// A user is added with it: nobody is logged in yet, and the addition is what is logged.
        initial: bool,
    },
}

impl Edit {
    /// False where the object stays as it is.
    pub(super) fn differs(&self) -> bool {
        match self {
            Self::General { before, after } => before != after,
            Self::User { before, after } => before != after,
            Self::Extension { before, after } => before != after,
            Self::Item { before, after } => before != after,
            Self::Password { .. } => true,
        }
    }
}

/// Applies operations one after the other.
pub(super) struct Applier<'a> {
    pub(super) snapshot: &'a mut Snapshot,
    pub(super) expected: Expected,
    pub(super) next_user: UserId,
    pub(super) next_extension: ExtensionId,
    pub(super) next_items: NextIds,
    pub(super) edits: Vec<Edit>,
    pub(super) changed: Changed,
}

impl Applier<'_> {
    /// Applies one; returns where its object stands now, as a JSON pointer.
    pub(super) fn apply(&mut self, operation: Operation) -> Result<Option<String>, ChangeError> {
        match operation {
            Operation::AddUser(new) => {
                let user = User {
                    id: self.next_user,
                    name: new.name,
                    full_name: new.full_name,
                    email: new.email,
                    language: new.language,
                    role: new.role,
                    enabled: new.enabled,
                    ringing: Ringing::default(),
                };
                self.next_user = UserId::new(self.next_user.raw() + 1);
                self.changed.users.push(user.id);
                self.edits.push(Edit::User {
                    before: None,
                    after: Some(user.clone()),
                });
                if new.password_hash.is_some() {
                    self.edits.push(Edit::Password {
                        user: user.clone(),
                        hash: new.password_hash,
                        keep_session: None,
                        initial: true,
                    });
                }
                let users = &mut self.configuration().users;
                users.push(user);
                Ok(Some(format!("/users/{}", users.len() - 1)))
            }
            Operation::UpdateUser(user) => {
                let index = self.user(user.id)?;
                let before =
                    std::mem::replace(&mut self.configuration().users[index], user.clone());
                self.edits.push(Edit::User {
                    before: Some(before),
                    after: Some(user),
                });
                Ok(Some(format!("/users/{index}")))
            }
            Operation::RemoveUser { user, extensions } => {
                let index = self.user(user)?;
                self.orphan(user, extensions);
                let before = self.configuration().users.remove(index);
                self.edits.push(Edit::User {
                    before: Some(before),
                    after: None,
                });
                Ok(None)
            }
            Operation::SetUserPassword {
                user,
                hash,
                keep_session,
            } => {
                let index = self.user(user)?;
                let user = self.configuration().users[index].clone();
                self.edits.push(Edit::Password {
                    user,
                    hash,
                    keep_session,
                    initial: false,
                });
                Ok(Some(format!("/users/{index}")))
            }
            Operation::AddExtension(new) => {
                let extension = Extension {
                    id: self.next_extension,
                    number: new.number,
                    description: new.description,
                    user: self.known(new.user),
                    caller_name: new.caller_name,
                    caller_id: new.caller_id,
                    enabled: new.enabled,
                    sip_username: new.sip_username,
                    sip_password: new.sip_password,
                    codecs: new.codecs,
                    srtp: new.srtp,
                    permission_group: new.permission_group,
                };
                self.next_extension = ExtensionId::new(self.next_extension.raw() + 1);
                self.changed.extensions.push(extension.id);
                let owner = self.name_of(extension.user);
                self.edits.push(Edit::Extension {
                    before: None,
                    after: Some((extension.clone(), owner)),
                });
                let extensions = &mut self.configuration().extensions;
                extensions.push(extension);
                Ok(Some(format!("/extensions/{}", extensions.len() - 1)))
            }
            Operation::UpdateExtension(extension) => {
                let index = self.extension(extension.id)?;
                self.replace_extension(index, extension);
                Ok(Some(format!("/extensions/{index}")))
            }
            Operation::GiveExtension { extension, user } => {
                let index = self.place_of(extension)?;
                let given = Extension {
                    user: self.known(user),
                    ..self.configuration().extensions[index].clone()
                };
                self.replace_extension(index, given);
                Ok(Some(format!("/extensions/{index}")))
            }
            Operation::RemoveExtension(id) => {
                let index = self.extension(id)?;
                self.remove_extension(index);
                Ok(None)
            }
            Operation::UpdateGeneral(general) => {
                self.expect(self.snapshot.revisions.general)?;
                let before = std::mem::replace(&mut self.configuration().general, general.clone());
                // What nobody has set is that of the country that it is now.
                let items = &self.snapshot.revisions.items;
                let [emergency, protection] =
                    [ItemId::Emergency, ItemId::FraudProtection].map(|id| !items.contains_key(&id));
                let configuration = self.configuration();
                if emergency {
                    configuration.emergency = configuration.preset_emergency();
                }
                if protection {
                    configuration.fraud_protection = configuration.preset_fraud_protection();
                }
                self.edits.push(Edit::General {
                    before,
                    after: general,
                });
                Ok(Some("/general".into()))
            }
            Operation::AddItem(new) => {
                let configuration = &mut self.snapshot.configuration;
                let added = &self.changed.items;
                let (edit, id, at) = item::add(configuration, &mut self.next_items, new, added);
                self.changed.items.push(id);
                self.edits.push(edit);
                Ok(Some(at))
            }
            Operation::UpdateItem(item) => {
                self.expect_item(item.id())?;
                let id = item.id();
                let configuration = &mut self.snapshot.configuration;
                let edit = item::update(configuration, item, &self.changed.items)?;
                self.edits.push(edit);
                Ok(Some(item::pointer(self.configuration(), id)))
            }
            Operation::RemoveItem(id) => {
                self.expect_item(id)?;
                let edit = item::remove(self.configuration(), id)?;
                self.edits.push(edit);
                Ok(None)
            }
        }
    }

    /// What becomes of the extensions of a user who goes.
    fn orphan(&mut self, user: UserId, what: Orphans) {
        // From the last on: a removal moves only those behind it.
        for index in (0..self.configuration().extensions.len()).rev() {
            let extension = &self.configuration().extensions[index];
            if extension.user != Some(user) {
                continue;
            }
            let detached = Extension {
                user: None,
                ..extension.clone()
            };
            match what {
                Orphans::Detach => self.replace_extension(index, detached),
                Orphans::Disable => self.replace_extension(
                    index,
                    Extension {
                        enabled: false,
                        ..detached
                    },
                ),
                Orphans::Remove => self.remove_extension(index),
            }
        }
    }

    fn replace_extension(&mut self, index: usize, extension: Extension) {
        let before = std::mem::replace(
            &mut self.configuration().extensions[index],
            extension.clone(),
        );
        let names = (self.name_of(before.user), self.name_of(extension.user));
        self.edits.push(Edit::Extension {
            before: Some((before, names.0)),
            after: Some((extension, names.1)),
        });
    }

    fn remove_extension(&mut self, index: usize) {
        let before = self.configuration().extensions.remove(index);
        let interfaces = item::without_extension(self.configuration(), before.id);
        self.edits.extend(interfaces);
        self.hide_who_showed(before.id);
        self.ring_without(before.id);
        let owner = self.name_of(before.user);
        self.edits.push(Edit::Extension {
            before: Some((before, owner)),
            after: None,
        });
    }

    /// Those who showed the number of an extension that goes show none: never their own against their will.
    fn hide_who_showed(&mut self, gone: ExtensionId) {
        for index in 0..self.configuration().extensions.len() {
            let extension = &self.configuration().extensions[index];
            if extension.caller_id == CallerId::Extension(gone) {
                let hidden = Extension {
                    caller_id: CallerId::Hidden,
                    ..extension.clone()
                };
                self.replace_extension(index, hidden);
            }
        }
    }

    /// No rule calls an extension that goes.
    fn ring_without(&mut self, gone: ExtensionId) {
        let mut edits = Vec::new();
        for user in &mut self.configuration().users {
            if !user.ringing.calls(gone) {
                continue;
            }
            let before = user.clone();
            user.ringing = before.ringing.clone().without(gone);
            edits.push(Edit::User {
                before: Some(before),
                after: Some(user.clone()),
            });
        }
        self.edits.extend(edits);
    }

    /// The place of the user that an operation is about, where it is as the author expects it.
    fn user(&mut self, id: UserId) -> Result<usize, ChangeError> {
        let index = self
            .configuration()
            .users
            .binary_search_by_key(&id, |user| user.id)
            .map_err(|_| ChangeError::NotFound("user"))?;
        // One added by an earlier operation of the same change has no revision yet.
        if let Some(&revision) = self.snapshot.revisions.users.get(&id) {
            self.expect(revision)?;
        }
        Ok(index)
    }

    fn place_of(&mut self, id: ExtensionId) -> Result<usize, ChangeError> {
        self.configuration()
            .extensions
            .binary_search_by_key(&id, |extension| extension.id)
            .map_err(|_| ChangeError::NotFound("extension"))
    }

    /// As [`Self::place_of`], where it is as the author expects it.
    fn extension(&mut self, id: ExtensionId) -> Result<usize, ChangeError> {
        let index = self.place_of(id)?;
        if let Some(&revision) = self.snapshot.revisions.extensions.get(&id) {
            self.expect(revision)?;
        }
        Ok(index)
    }

    fn expect_item(&self, id: ItemId) -> Result<(), ChangeError> {
        match self.snapshot.revisions.items.get(&id) {
            Some(revision) => self.expect(*revision),
            None => Ok(()),
        }
    }

    fn expect(&self, current: ConfigVersion) -> Result<(), ChangeError> {
        match self.expected {
            Expected::Object(seen) if seen != current => Err(ChangeError::Conflict { current }),
            Expected::Object(_) | Expected::Anything | Expected::Configuration(_) => Ok(()),
        }
    }

    /// The id of the user whom this change added last, where that one is meant.
    fn known(&self, user: Option<UserId>) -> Option<UserId> {
        match user {
            Some(UserId::ADDED) => self.changed.users.last().copied().or(user),
            user => user,
        }
    }

    fn name_of(&mut self, id: Option<UserId>) -> Option<String> {
        let id = id?;
        let users = &self.configuration().users;
        let index = users.binary_search_by_key(&id, |user| user.id).ok()?;
        Some(users[index].name.clone())
    }

    fn configuration(&mut self) -> &mut Configuration {
        &mut self.snapshot.configuration
    }
}

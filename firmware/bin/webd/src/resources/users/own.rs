//! The extensions that are sent with a user: they are given and added in the change that stores the user.

use std::collections::BTreeSet;

use model::{ExtensionId, Secret, UserId};
use store::{Changed, Operation, Snapshot};

use crate::app::App;
use crate::phones::Phones;
use crate::problem::{FieldCode, FieldError};
use crate::resources::extensions::{CreatedExtension, Extension, ExtensionCreation};

/// Extensions given in one request: no user has nearly so many phones.
const MOST_GIVEN: usize = 500;
/// Extensions added in one request: a body of the largest size has room for about so many.
const MOST_NEW: usize = 50;

/// What is to be done besides the user's own operation.
#[derive(Debug, Default)]
pub(super) struct Own {
    operations: Vec<Operation>,
    /// Where each operation's fields are in the body, beginning with the user's own.
    pub(super) places: Vec<String>,
    /// Of the extensions that are added, in their order.
    passwords: Vec<Secret>,
}

impl Own {
    /// What `user` takes to have the extensions `given`, where any are named, and the `new` ones.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub(super) fn read(
        snapshot: &Snapshot,
        user: UserId,
        given: Option<Vec<u32>>,
        new: Vec<ExtensionCreation>,
    ) -> Result<Self, Vec<FieldError>> {
        let mut own = Self::default();
        own.places.push(String::new());
        let mut errors = Vec::new();
        if let Some(given) = given {
            own.give(snapshot, user, &given, &mut errors);
        }
        own.add(user, new, &mut errors);
        if errors.is_empty() {
            Ok(own)
        } else {
            Err(errors)
        }
    }

    fn give(
        &mut self,
        snapshot: &Snapshot,
        user: UserId,
        given: &[u32],
        errors: &mut Vec<FieldError>,
    ) {
        if given.len() > MOST_GIVEN {
            let text = "use at most 500 extensions";
            errors.push(FieldError::new("/extensions", FieldCode::TooMany, text));
            return;
        }
        let mut seen = BTreeSet::new();
        for (index, id) in given.iter().enumerate() {
            let at = format!("/extensions/{index}");
            let id = ExtensionId::new(*id);
            if !seen.insert(id) {
                errors.push(FieldError::new(at, FieldCode::Duplicate, "name it once"));
                continue;
            }
            match snapshot.configuration.extension(id) {
                None => {
                    let text = "there is no such extension: it may have been removed";
                    errors.push(FieldError::new(at, FieldCode::UnknownReference, text));
                }
                Some(extension) if extension.user == Some(user) => {}
                Some(_) => self.push(Self::to(id, Some(user)), at),
            }
        }
        for extension in &snapshot.configuration.extensions {
            if extension.user == Some(user) && !seen.contains(&extension.id) {
                self.push(Self::to(extension.id, None), "/extensions".to_owned());
            }
        }
    }

    fn add(&mut self, user: UserId, new: Vec<ExtensionCreation>, errors: &mut Vec<FieldError>) {
        if new.len() > MOST_NEW {
            let text = "add at most 50 extensions at once";
            errors.push(FieldError::new("/new_extensions", FieldCode::TooMany, text));
            return;
        }
        for (index, new) in new.into_iter().enumerate() {
            let at = format!("/new_extensions/{index}");
            if new.user().is_some_and(|id| id != user) {
                let text = "it is the user's with whom it is sent: leave this out";
                errors.push(FieldError::new(
                    format!("{at}/user"),
                    FieldCode::Invalid,
                    text,
                ));
                continue;
            }
            match new.read() {
                Ok(mut new) => {
                    new.user = Some(user);
                    self.passwords.push(new.sip_password.clone());
                    self.push(Operation::AddExtension(new), at);
                }
                Err(problem) => errors.extend(problem.into_errors(&at)),
            }
        }
    }

    const fn to(extension: ExtensionId, user: Option<UserId>) -> Operation {
        Operation::GiveExtension { extension, user }
    }

    fn push(&mut self, operation: Operation, place: String) {
        self.operations.push(operation);
        self.places.push(place);
    }

    /// All that is to be done, `of_user` first.
    pub(super) fn with(&mut self, of_user: Operation) -> Vec<Operation> {
        let mut operations = vec![of_user];
        operations.append(&mut self.operations);
        operations
    }

    /// What was added, with the passwords.
    pub(super) async fn added(
        self,
        app: &App,
        snapshot: &Snapshot,
        changed: &Changed,
    ) -> Vec<CreatedExtension> {
        if changed.extensions.is_empty() {
            return Vec::new();
        }
        let phones = Phones::now(app).await;
        (changed.extensions.iter().zip(self.passwords))
            .filter_map(|(id, password)| {
                let extension = snapshot.configuration.extension(*id)?;
                let extension = Extension::new(snapshot, phones.as_ref(), extension);
                Some(CreatedExtension::new(extension, password.expose()))
            })
            .collect()
    }
}

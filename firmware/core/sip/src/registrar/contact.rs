//! When two contacts are the same binding (RFC 3261 §10.3 step 7, RFC 5626 §6), and whose it is.

use model::ExtensionId;

use crate::endpoint::Binding;
use crate::message::Uri;

/// True where `new` takes the place of `old`: by instance and reg-id where both have them, else by
/// the comparison of URIs.
pub(super) fn same(old: &Binding, new: &Binding) -> bool {
    match (&old.instance, &new.instance) {
        (Some(one), Some(other)) if old.reg_id.is_some() && new.reg_id.is_some() => {
            one == other && old.reg_id == new.reg_id
        }
        _ => old.contact.equivalent(&new.contact),
    }
}

/// A phone as it registered, to be known again when it registers on another connection.
#[derive(Clone, Debug)]
pub(crate) struct Phone {
    extension: ExtensionId,
    instance: Option<String>,
    contact: Uri,
}

impl Phone {
    pub(super) fn of(binding: &Binding) -> Self {
        Self {
            extension: binding.extension,
            instance: binding.instance.clone(),
            contact: binding.contact.clone(),
        }
    }

    /// One that no contact is known of: how it described itself in a dialog.
    pub(crate) const fn in_dialog(
        extension: ExtensionId,
        instance: Option<String>,
        contact: Uri,
    ) -> Self {
        Self {
            extension,
            instance,
            contact,
        }
    }

    pub(crate) fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    pub(crate) const fn extension(&self) -> ExtensionId {
        self.extension
    }

    /// True where a contact is this phone's: by instance where both have one, else by its address.
    pub(super) fn has(&self, binding: &Binding) -> bool {
        match (&self.instance, &binding.instance) {
            (Some(one), Some(other)) => one == other,
            _ => self.contact.equivalent(&binding.contact),
        }
    }
}

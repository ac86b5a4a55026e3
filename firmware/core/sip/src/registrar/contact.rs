//! When two contacts are the same binding (RFC 3261 §10.3 step 7, RFC 5626 §6).

use crate::endpoint::Binding;

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

//! A forgotten password of the first account: the console asks for it to be set anew, by a marker in the
//! data folder that survives a power cut, and restarts this process.

use std::path::Path;

use anyhow::Context;
use store::{Author, Store};

use crate::clock;

/// Does what the marker asks for, and empties it. Killed in between, the next start does it again,
/// which changes nothing more.
///
/// # Errors
/// Where store or folder can't be written; the marker stays then.
pub fn forget_if_asked(store: &Store, data: &Path) -> anyhow::Result<()> {
    if !platform::data::password_reset_is_asked(data).context("the data folder can't be read")? {
        return Ok(());
    }
    let author = Author {
        name: "console".into(),
        host: "localhost".into(),
    };
    store
        .forget_first_password(clock::now(), &author)
        .context("the password can't be forgotten")?;
    platform::data::password_reset_done(data).context("the marker can't be emptied")?;
    tracing::warn!("The password of the first account is to be set anew, as the console asked.");
    Ok(())
}

//! What is new in the data folder gets the mode that goes with the folder's own (`model::rights`),
//! whatever the umask.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use model::rights;

/// Makes a folder where it isn't there, and those above it; one that is there gets its mode.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let wanted = rights::of_folder(of_parent(path)?);
    settle(path, wanted)
}

/// Opens a file, new or not.
pub(crate) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let wanted = rights::of_file(of_parent(path)?);
    let file = options.mode(wanted).open(path)?;
    settle(path, wanted)?;
    Ok(file)
}

/// Gives a file its mode, by name.
pub(crate) fn settle_file(path: &Path) -> io::Result<()> {
    settle(path, rights::of_file(of_parent(path)?))
}

fn settle(path: &Path, wanted: u32) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o7777 == wanted {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(wanted)) {
        // It is another user's, who sees to it; whether it can be used, its use tells.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

fn of_parent(path: &Path) -> io::Result<u32> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok(fs::metadata(parent)?.permissions().mode())
}

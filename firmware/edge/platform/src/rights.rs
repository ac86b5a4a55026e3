//! What is new in the data folder gets the mode that goes with the folder's own (`model::rights`),
//! whatever the umask.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use model::rights;

/// Makes a folder of the data folder, unless it is there.
///
/// # Errors
/// What the disk says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut owner_only = DirBuilder::new();
    owner_only
        .recursive(true)
        .mode(0o700)
        .create(parent(path))?;
    let mode = rights::of_folder(mode_of(parent(path))?);
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a file that nobody else is to write, in place of one of that name.
///
/// # Errors
/// What the disk says.
pub fn make_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mode = rights::of_file(mode_of(parent(path))?) & 0o640;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

fn mode_of(folder: &Path) -> io::Result<u32> {
    Ok(fs::metadata(folder)?.permissions().mode())
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

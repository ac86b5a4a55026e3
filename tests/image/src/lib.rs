//! Where the parts of an image stand in the project; the tests look at them.

use std::path::{Path, PathBuf};

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/image lies two folders below the root")
        .to_path_buf()
}

/// The folders of `board/` that describe a board, by name.
#[must_use]
pub fn boards() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("board")).expect("the project has boards");
    let mut names: Vec<String> = folders
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "common")
        .collect();
    names.sort();
    names
}

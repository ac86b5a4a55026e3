//! House rules as ordinary tests: what lints can't see is held here.
//!
//! Each rule is a test in `tests/`; this library only finds the files.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/tidy lies two folders below the root")
        .to_path_buf()
}

/// Every file that git tracks or would track, relative to the root.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    let listing = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let text = String::from_utf8(listing.stdout).expect("file names are UTF-8");
    text.split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect()
}

/// The tracked files whose name ends so.
#[must_use]
pub fn files_ending(suffix: &str) -> Vec<PathBuf> {
    files()
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect()
}

/// The text of a tracked file.
#[must_use]
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).expect("a tracked file is text")
}

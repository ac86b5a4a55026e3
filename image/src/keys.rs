//! Files of keys.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use platform::update::{Origin, PrivateKey};

/// Makes a key in a new file.
pub fn make(path: &Path, origin: Origin) -> Result<PrivateKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("random bytes")?;
    let key = PrivateKey::new(origin, seed);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| path.display().to_string())?;
    writeln!(file, "{}", key.text())?;
    file.sync_all()?;
    Ok(key)
}

/// Reads a key.
pub fn read(path: &Path) -> Result<PrivateKey> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.parse().with_context(|| path.display().to_string())
}

/// The key of this machine, made where there is none yet.
pub fn for_development(path: &Path) -> Result<PrivateKey> {
    if path.exists() {
        read(path)
    } else {
        make(path, Origin::Development)
    }
}

//! The supervisor's file: `{"password": "…"}`, for this user and group only.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use model::Secret;
use model::config::limits::{SIP_PASSWORD_MAX_CHARS, SIP_PASSWORD_MIN_CHARS};
use serde::Deserialize;

/// A file longer than this is not ours.
const MAX_BYTES: u64 = 4096;

/// What others than the owner and those of the group that may read it must not have.
const FORBIDDEN: u32 = 0o027;

#[derive(Deserialize)]
struct Content {
    password: Secret,
}

/// Reads the password; none where there is no file.
///
/// # Errors
/// In words for an administrator.
pub fn read(path: &Path) -> Result<Option<Secret>> {
    let name = path.display();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{name} can't be read")),
    };
    let mode = file.metadata().with_context(|| format!("{name}"))?;
    ensure!(
        mode.permissions().mode() & FORBIDDEN == 0,
        "{name} can be read or changed by others: its mode has to be 0600 or 0640"
    );
    let mut text = Vec::new();
    file.take(MAX_BYTES)
        .read_to_end(&mut text)
        .with_context(|| format!("{name} can't be read"))?;
    let password = parse(&text).with_context(|| format!("{name}"))?;
    Ok(Some(password))
}

fn parse(text: &[u8]) -> Result<Secret> {
    // What serde says of it may quote it.
    let content: Content = serde_json::from_slice(text)
        .ok()
        .context("it is not of the form {\"password\": \"…\"}")?;
    let password = content.password.expose();
    ensure!(
        (SIP_PASSWORD_MIN_CHARS..=SIP_PASSWORD_MAX_CHARS).contains(&password.len())
            && password.bytes().all(|octet| octet.is_ascii_graphic()),
        "its password has to be of 8 to 64 printable characters without spaces or accents"
    );
    Ok(content.password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_and_nothing_else() {
        let good = parse(br#"{"password": "a-random-one"}"#).expect("a password");
        assert_eq!(good.expose(), "a-random-one");
        for wrong in [
            "",
            "a-random-one",
            "{}",
            r#"{"password": 12345678}"#,
            r#"{"password": "short"}"#,
            r#"{"password": "with a space"}"#,
        ] {
            let error = parse(wrong.as_bytes()).expect_err(wrong).to_string();
            assert!(!error.contains("random"), "{error}");
        }
    }
}

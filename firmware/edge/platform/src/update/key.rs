//! Keys of updates: who made one, in a line of text.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, SignatureError, SigningKey, VerifyingKey};
use thiserror::Error;

/// Who a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made on a developer's machine by itself; no product trusts it.
    Development,
    /// The builder's own, kept well.
    Product,
}

impl Origin {
    const fn word(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Product => "product",
        }
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a key is one line: `operator-box-{kind} development|product BASE64`")]
pub struct InvalidKey {
    kind: &'static str,
}

const PRIVATE: &str = "private-key";
const PUBLIC: &str = "public-key";

/// What signs. Nothing prints it but [`Self::text`].
#[derive(Clone)]
pub struct PrivateKey {
    origin: Origin,
    seed: [u8; 32],
}

impl PrivateKey {
    /// From 32 random bytes.
    #[must_use]
    pub const fn new(origin: Origin, seed: [u8; 32]) -> Self {
        Self { origin, seed }
    }

    /// Whose it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// What checks its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey {
            origin: self.origin,
            key: SigningKey::from(self).verifying_key(),
        }
    }

    /// The line that is kept in a file.
    #[must_use]
    pub fn text(&self) -> String {
        line(PRIVATE, self.origin, &self.seed)
    }
}

impl From<&PrivateKey> for SigningKey {
    fn from(key: &PrivateKey) -> Self {
        Self::from_bytes(&key.seed)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl FromStr for PrivateKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (origin, seed) = parse(PRIVATE, text)?;
        Ok(Self { origin, seed })
    }
}

/// What checks signatures; it stands in every system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    origin: Origin,
    key: VerifyingKey,
}

impl PublicKey {
    /// Whose it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    pub(super) fn verify(&self, bytes: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.key.verify_strict(bytes, signature)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(PUBLIC, self.origin, self.key.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (origin, bytes) = parse(PUBLIC, text)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| InvalidKey { kind: PUBLIC })?;
        Ok(Self { origin, key })
    }
}

fn line(kind: &str, origin: Origin, bytes: &[u8; 32]) -> String {
    format!(
        "operator-box-{kind} {} {}",
        origin.word(),
        STANDARD.encode(bytes)
    )
}

fn parse(kind: &'static str, text: &str) -> Result<(Origin, [u8; 32]), InvalidKey> {
    let wrong = InvalidKey { kind };
    let mut words = text.split_ascii_whitespace();
    if words
        .next()
        .and_then(|word| word.strip_prefix("operator-box-"))
        != Some(kind)
    {
        return Err(wrong);
    }
    let origin = match words.next() {
        Some("development") => Origin::Development,
        Some("product") => Origin::Product,
        _ => return Err(wrong),
    };
    let bytes = words.next().and_then(|word| STANDARD.decode(word).ok());
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(wrong)?;
    if words.next().is_some() {
        return Err(wrong);
    }
    Ok((origin, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_lines_of_text() {
        let key = PrivateKey::new(Origin::Product, [3; 32]);
        let again: PrivateKey = key.text().parse().expect("the same");
        assert_eq!(again.public(), key.public());
        assert_eq!(again.origin(), Origin::Product);
        let public: PublicKey = key.public().to_string().parse().expect("the same");
        assert_eq!(public, key.public());
        assert!(key.text().parse::<PublicKey>().is_err(), "the other kind");
        assert!(!format!("{key:?}").contains("AwMD"), "no secret is shown");
    }
}

//! Hash algorithms and their session variants (RFC 7616 §3.3, RFC 8760 §2).

use core::fmt;

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};

/// A digest algorithm, ordered by preference: what RFC 7616 means by SHA-512-256 is disputed (its
/// own example isn't FIPS 180-4's), so that comes after SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `MD5`, and what is meant where none is named.
    Md5,
    /// `MD5-sess`
    Md5Sess,
    /// `SHA-512-256`
    Sha512T256,
    /// `SHA-512-256-sess`
    Sha512T256Sess,
    /// `SHA-256`
    Sha256,
    /// `SHA-256-sess`
    Sha256Sess,
}

impl Algorithm {
    /// The name as it travels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha512T256 => "SHA-512-256",
            Self::Sha512T256Sess => "SHA-512-256-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Md5,
            Self::Md5Sess,
            Self::Sha512T256,
            Self::Sha512T256Sess,
            Self::Sha256,
            Self::Sha256Sess,
        ]
        .into_iter()
        .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// True where the password's hash covers nonce and cnonce (RFC 7616 §3.4.2).
    #[must_use]
    pub const fn is_session(self) -> bool {
        matches!(
            self,
            Self::Md5Sess | Self::Sha512T256Sess | Self::Sha256Sess
        )
    }

    /// The algorithm without its session variant: what a stored hash is made with.
    #[must_use]
    pub const fn base(self) -> Self {
        match self {
            Self::Md5 | Self::Md5Sess => Self::Md5,
            Self::Sha512T256 | Self::Sha512T256Sess => Self::Sha512T256,
            Self::Sha256 | Self::Sha256Sess => Self::Sha256,
        }
    }

    /// The hash of the parts joined by colons, in lower-case hexadecimal: `H(a:b:c)`.
    pub(super) fn hash(self, parts: &[&[u8]]) -> String {
        match self.base() {
            Self::Md5 | Self::Md5Sess => joined::<Md5>(parts),
            Self::Sha512T256 | Self::Sha512T256Sess => joined::<Sha512_256>(parts),
            Self::Sha256 | Self::Sha256Sess => joined::<Sha256>(parts),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Octets in lower-case hexadecimal.
pub(super) fn hex(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len() * 2);
    for octet in octets {
        for nibble in [octet >> 4, octet & 0x0f] {
            out.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    out
}

fn joined<D: Digest>(parts: &[&[u8]]) -> String {
    let mut hash = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hex(&hash.finalize())
}

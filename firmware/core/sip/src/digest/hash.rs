//! The three hashes of the scheme (RFC 7616 §3.4.1 to §3.4.3, RFC 2617 §3.2.2), and what is stored
//! in place of a password.

use core::fmt;

use model::Secret;

use super::Algorithm;
use super::wire::{Credentials, Qop};

/// `H(username:realm:password)` in hexadecimal: as good as the password within its realm, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1(String);

/// What a password is known by.
#[derive(Clone, Debug)]
pub enum PasswordHashes {
    /// The password itself.
    Password(Secret),
    /// Its hashes for one username and realm; an absent one can't be logged in with.
    Precomputed {
        /// For MD5.
        md5: Option<Ha1>,
        /// For SHA-256.
        sha256: Option<Ha1>,
    },
}

impl Ha1 {
    /// Makes the hash of a password (the algorithm's session variant makes no difference).
    #[must_use]
    pub fn new(algorithm: Algorithm, username: &str, realm: &str, password: &Secret) -> Self {
        Self(algorithm.hash(&[
            username.as_bytes(),
            realm.as_bytes(),
            password.expose().as_bytes(),
        ]))
    }

    /// Takes a stored hash, in hexadecimal.
    #[must_use]
    pub fn from_hex(hash: &str) -> Self {
        Self(hash.to_ascii_lowercase())
    }

    /// The hash in hexadecimal, to be stored as carefully as a password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(…)")
    }
}

impl PasswordHashes {
    /// The hash for an algorithm; `None` where it isn't known.
    #[must_use]
    pub fn ha1(&self, algorithm: Algorithm, username: &str, realm: &str) -> Option<Ha1> {
        match (self, algorithm.base()) {
            (Self::Password(password), base) => Some(Ha1::new(base, username, realm, password)),
            (Self::Precomputed { md5, .. }, Algorithm::Md5) => md5.clone(),
            (Self::Precomputed { sha256, .. }, Algorithm::Sha256) => sha256.clone(),
            (Self::Precomputed { .. }, _) => None,
        }
    }
}

/// The `response` that these credentials should have. The method and the body come from the
/// request, all else from the credentials.
pub(super) fn response(ha1: &Ha1, credentials: &Credentials, method: &str, body: &[u8]) -> String {
    let algorithm = credentials.algorithm;
    let cnonce = credentials.cnonce.as_deref().unwrap_or_default();
    // RFC 7616 §3.4.2
    let a1 = if algorithm.is_session() {
        algorithm.hash(&[
            ha1.0.as_bytes(),
            credentials.nonce.as_bytes(),
            cnonce.as_bytes(),
        ])
    } else {
        ha1.0.clone()
    };
    // RFC 7616 §3.4.3
    let (method, uri) = (method.as_bytes(), credentials.uri.as_bytes());
    let a2 = match credentials.qop {
        Some(Qop::AuthInt) => {
            let body = algorithm.hash(&[body]);
            algorithm.hash(&[method, uri, body.as_bytes()])
        }
        Some(Qop::Auth) | None => algorithm.hash(&[method, uri]),
    };
    // RFC 7616 §3.4.1; without qop RFC 2069's form.
    match credentials.qop {
        Some(qop) => algorithm.hash(&[
            a1.as_bytes(),
            credentials.nonce.as_bytes(),
            credentials.nc.as_bytes(),
            cnonce.as_bytes(),
            qop.name().as_bytes(),
            a2.as_bytes(),
        ]),
        None => algorithm.hash(&[a1.as_bytes(), credentials.nonce.as_bytes(), a2.as_bytes()]),
    }
}

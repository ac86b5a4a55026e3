//! The server's end: challenges, and the check of credentials (RFC 7616 §3.3, §3.4.6, §5; RFC 3261 §22.4).

use core::time::Duration;

use model::Instant;
use subtle::ConstantTimeEq;

use crate::message::{AuthValue, HeaderName, Headers, Request, Uri};

use super::hash::response;
use super::nonce::Nonce;
use super::{Algorithm, Challenge, Credentials, NonceTable, PasswordHashes, Qop};

/// How the `uri` of credentials must agree with the Request-URI (RFC 7616 §3.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UriCheck {
    /// Not at all.
    Off,
    /// The same host, and the same user where it names one: ports, parameters and users get lost on the
    /// way through older proxies and phones.
    Target,
    /// The same URI by the comparison of RFC 3261 §19.1.4.
    Whole,
}

/// What a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// How long a nonce may be used.
    pub nonce_life: Duration,
    /// Which algorithms are offered and accepted.
    pub offer: DigestOffer,
    /// Accept credentials without qop, as old phones send them. Their nonce has no count, so a
    /// replay is only stopped by the nonce's age.
    pub without_qop: bool,
    /// How the URIs must agree.
    pub uri_check: UriCheck,
}

/// Which algorithms are offered, and in which order. Only what was offered is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestOffer {
    /// MD5 alone. Every phone takes it; those from before RFC 8760 give up where they see another
    /// algorithm, be it in the first challenge (SIPp 3.6) or the last (baresip 1.0).
    Md5,
    /// SHA-256, then MD5: a phone takes the first that it knows (RFC 8760 §2.3).
    Sha256ThenMd5,
    /// SHA-256 alone.
    Sha256,
}

impl DigestOffer {
    const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Md5 => &[Algorithm::Md5],
            Self::Sha256ThenMd5 => &[Algorithm::Sha256, Algorithm::Md5],
            Self::Sha256 => &[Algorithm::Sha256],
        }
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            // Longer than a call's set-up, shorter than anybody needs to abuse a sniffed request
            // without qop; phones that refresh a registration hourly are told `stale` and go on.
            nonce_life: Duration::from_secs(300),
            offer: DigestOffer::Sha256ThenMd5,
            without_qop: true,
            uri_check: UriCheck::Target,
        }
    }
}

/// Why credentials are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The nonce is too old, unknown or its count was used; the rest was right. Challenge anew
    /// with `stale`: this is no failed attempt.
    #[error("nonce is stale")]
    Stale,
    /// The response doesn't prove the password: a failed attempt.
    #[error("wrong password")]
    WrongResponse,
    /// The URI is not that of the request: a failed attempt.
    #[error("credentials are for another URI")]
    OtherUri,
    /// An algorithm or qop that was not offered.
    #[error("algorithm or qop was not offered")]
    NotOffered,
}

/// A realm's gatekeeper.
#[derive(Debug)]
pub struct Server {
    realm: String,
    key: Vec<u8>,
    options: ServerOptions,
    issued: u32,
    table: NonceTable,
}

impl Server {
    /// A server for a realm. `key` is secret chance, 32 octets or more; with a new key the nonces
    /// of the old one are stale.
    #[must_use]
    pub fn new(realm: &str, key: &[u8], options: ServerOptions, table: NonceTable) -> Self {
        Self {
            realm: realm.to_owned(),
            key: key.to_vec(),
            options,
            issued: 0,
            table,
        }
    }

    /// Another realm, another offer. Nonces stay good: they are of neither. Credentials for the old
    /// realm aren't found any more, so that who sends them is challenged anew.
    pub fn reconfigure(&mut self, realm: &str, offer: DigestOffer) {
        realm.clone_into(&mut self.realm);
        self.options.offer = offer;
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Challenges for a 401 or 407, in the order that [`DigestOffer`] says. `stale` after
    /// [`Refusal::Stale`].
    pub fn challenges(&mut self, now: Instant, stale: bool) -> Vec<AuthValue> {
        self.challenges_to(0, now, stale)
    }

    /// The same for an asker: any number that stands for where the request came from.
    pub fn challenges_to(&mut self, asker: u32, now: Instant, stale: bool) -> Vec<AuthValue> {
        self.issued = self.issued.wrapping_add(1);
        let nonce = Nonce::new(now, asker, self.issued).sealed(&self.key);
        self.options
            .offer
            .algorithms()
            .iter()
            .map(|&algorithm| {
                Challenge {
                    realm: self.realm.clone(),
                    nonce: nonce.clone(),
                    opaque: None,
                    stale,
                    algorithm,
                    qop: vec![Qop::Auth],
                }
                .to_value()
            })
            .collect()
    }

    /// The request's credentials for this realm in `Authorization` or `Proxy-Authorization`, where
    /// there are any that can be read. Whose they claim to be is in their `username`.
    #[must_use]
    pub fn credentials(&self, headers: &Headers, name: &HeaderName) -> Option<Credentials> {
        headers
            .values(name)
            .filter_map(|value| crate::message::Field::parse(value.as_bytes()).ok())
            .filter_map(|value: AuthValue| Credentials::from_value(&value).ok().flatten())
            .find(|credentials| credentials.realm == self.realm)
    }

    /// True for credentials that answer a challenge of ours to this asker, still valid: whoever sends
    /// them has received it, so the source of the request is not made up. Credentials may be right
    /// without it: phones change their address.
    #[must_use]
    pub fn is_answer_of(&self, asker: u32, now: Instant, credentials: &Credentials) -> bool {
        Nonce::open(&credentials.nonce, &self.key).is_some_and(|nonce| {
            nonce.is_for(asker) && !nonce.is_expired(now, self.options.nonce_life)
        })
    }

    /// Checks credentials of a request against what is known of their user's password.
    ///
    /// For an unknown user the caller verifies against a made-up password all the same, so that
    /// neither time nor answer tells.
    ///
    /// # Errors
    /// Why they are not accepted.
    pub fn verify(
        &mut self,
        now: Instant,
        request: &Request,
        credentials: &Credentials,
        password: &PasswordHashes,
    ) -> Result<(), Refusal> {
        self.check_offer(credentials)?;
        let ha1 = password
            .ha1(credentials.algorithm, &credentials.username, &self.realm)
            .ok_or(Refusal::NotOffered)?;
        let ours = response(&ha1, credentials, request.method.as_str(), &request.body);
        let theirs = credentials.response.to_ascii_lowercase();
        if !bool::from(ours.as_bytes().ct_eq(theirs.as_bytes())) {
            return Err(Refusal::WrongResponse);
        }
        if !self.uris_agree(&request.uri, &credentials.uri) {
            return Err(Refusal::OtherUri);
        }
        self.use_nonce(now, credentials)
    }

    fn check_offer(&self, credentials: &Credentials) -> Result<(), Refusal> {
        let algorithm = self
            .options
            .offer
            .algorithms()
            .contains(&credentials.algorithm.base());
        let qop = credentials.qop.is_some()
            || (self.options.without_qop && credentials.algorithm == Algorithm::Md5);
        if algorithm && qop {
            Ok(())
        } else {
            Err(Refusal::NotOffered)
        }
    }

    fn uris_agree(&self, of_request: &Uri, of_credentials: &str) -> bool {
        if self.options.uri_check == UriCheck::Off {
            return true;
        }
        let Ok(claimed) = Uri::parse(of_credentials.as_bytes()) else {
            return false;
        };
        if claimed.equivalent(of_request) {
            return true;
        }
        self.options.uri_check == UriCheck::Target
            && claimed.host().is_some()
            && claimed.host() == of_request.host()
            && claimed
                .user()
                .is_none_or(|user| of_request.user() == Some(user))
    }

    fn use_nonce(&mut self, now: Instant, credentials: &Credentials) -> Result<(), Refusal> {
        let life = self.options.nonce_life;
        self.table.expire(now, life);
        let nonce = Nonce::open(&credentials.nonce, &self.key)
            .filter(|nonce| !nonce.is_expired(now, life))
            .ok_or(Refusal::Stale)?;
        if credentials.qop.is_none() || self.table.try_use(nonce, credentials.nonce_count()) {
            Ok(())
        } else {
            Err(Refusal::Stale)
        }
    }
}

//! The client's end: which challenge to answer, and the answers (RFC 7616 §3.4, §3.7; RFC 3261 §22.2, §22.3).

use model::Secret;

use crate::message::{AuthValue, HeaderError, HeaderName, Response};

use super::hash::response;
use super::{Challenge, Credentials, Ha1, Qop};

/// Who challenged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// A user agent server or registrar: 401.
    Server,
    /// A proxy: 407.
    Proxy,
}

/// Why a challenge can't be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// A challenge breaks the grammar.
    #[error(transparent)]
    Malformed(#[from] HeaderError),
    /// No challenge is of a scheme, algorithm and qop that this crate knows.
    #[error("no challenge can be answered")]
    Unsupported,
}

/// The answer to one challenge, for as many requests as its nonce lasts.
#[derive(Clone, Debug)]
pub struct Client {
    side: Side,
    challenge: Challenge,
    username: String,
    ha1: Ha1,
    nc: u32,
    /// The cnonce of the first request: the session algorithms hash that one only (RFC 7616 §3.4.2).
    session_cnonce: Option<String>,
}

impl Client {
    /// Takes the strongest challenge of a 401 or 407 that can be answered.
    ///
    /// Where [`Client::is_stale`] then says no and the request already carried credentials, they
    /// were wrong: trying them again would only lock the account.
    ///
    /// # Errors
    /// Where there is none.
    pub fn new(refusal: &Response, username: &str, password: &Secret) -> Result<Self, ClientError> {
        let side = if refusal.headers.contains(&Side::Proxy.challenge_name()) {
            Side::Proxy
        } else {
            Side::Server
        };
        let challenge = Self::choose(&refusal.headers.auth(side.challenge_name())?)
            .ok_or(ClientError::Unsupported)?;
        Ok(Self::answering(challenge, side, username, password))
    }

    /// Answers this challenge.
    #[must_use]
    pub fn answering(challenge: Challenge, side: Side, username: &str, password: &Secret) -> Self {
        let ha1 = Ha1::new(challenge.algorithm, username, &challenge.realm, password);
        Self {
            side,
            challenge,
            username: username.to_owned(),
            ha1,
            nc: 0,
            session_cnonce: None,
        }
    }

    /// The strongest challenge; the first of equals (RFC 8760 §2.4). Unreadable ones are passed over.
    #[must_use]
    pub fn choose(challenges: &[AuthValue]) -> Option<Challenge> {
        challenges
            .iter()
            .filter_map(|value| Challenge::from_value(value).ok().flatten())
            .reduce(|best, next| {
                if next.algorithm > best.algorithm {
                    next
                } else {
                    best
                }
            })
    }

    /// True where the server says that only the nonce was too old.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.challenge.stale
    }

    /// The realm that asks.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.challenge.realm
    }

    /// The field that the credentials go into.
    #[must_use]
    pub const fn header_name(&self) -> HeaderName {
        match self.side {
            Side::Server => HeaderName::Authorization,
            Side::Proxy => HeaderName::ProxyAuthorization,
        }
    }

    /// Credentials for one request. `uri` is its Request-URI as printed; `cnonce` is fresh
    /// chance, 8 octets or more.
    #[must_use]
    pub fn authorize(&mut self, method: &str, uri: &str, body: &[u8], cnonce: &[u8]) -> AuthValue {
        // RFC 7616 §3.4.3: `auth` does for both; `auth-int` where nothing else is offered.
        let qop = if self.challenge.qop.contains(&Qop::Auth) {
            Some(Qop::Auth)
        } else {
            self.challenge.qop.first().copied()
        };
        let session = self.challenge.algorithm.is_session();
        let cnonce = super::algorithm::hex(cnonce);
        let cnonce = if session {
            self.session_cnonce.get_or_insert(cnonce).clone()
        } else {
            cnonce
        };
        if qop.is_some() {
            self.nc = self.nc.saturating_add(1);
        }
        let mut credentials = Credentials {
            username: self.username.clone(),
            realm: self.challenge.realm.clone(),
            nonce: self.challenge.nonce.clone(),
            uri: uri.to_owned(),
            response: String::new(),
            algorithm: self.challenge.algorithm,
            cnonce: (qop.is_some() || session).then_some(cnonce),
            opaque: self.challenge.opaque.clone(),
            qop,
            nc: qop.map_or_else(String::new, |_| format!("{:08x}", self.nc)),
        };
        credentials.response = response(&self.ha1, &credentials, method, body);
        credentials.to_value()
    }
}

impl Side {
    /// The field that such a challenge comes in.
    #[must_use]
    pub const fn challenge_name(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::WwwAuthenticate,
            Self::Proxy => HeaderName::ProxyAuthenticate,
        }
    }
}

//! Challenges and credentials of the Digest scheme as values (RFC 7616 §3.3, §3.4; RFC 3261 §22.4).

use crate::message::{AuthValue, Malformed, ParamValue, Params};

use super::Algorithm;

/// How much a response protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qop {
    /// Method and URI.
    Auth,
    /// Those and the body.
    AuthInt,
}

/// A challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What the password is for.
    pub realm: String,
    /// The server's unique text.
    pub nonce: String,
    /// Text to be sent back as it is.
    pub opaque: Option<String>,
    /// The credentials were right but their nonce too old: try again without asking anybody.
    pub stale: bool,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// What the server accepts; empty for a server of RFC 2069.
    pub qop: Vec<Qop>,
}

/// Credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub username: String,
    /// The challenge's realm.
    pub realm: String,
    /// The challenge's nonce.
    pub nonce: String,
    /// The Request-URI as the client sent it.
    pub uri: String,
    /// The proof, in hexadecimal.
    pub response: String,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The client's unique text.
    pub cnonce: Option<String>,
    /// The challenge's opaque text.
    pub opaque: Option<String>,
    /// What is protected; `None` from a client of RFC 2069.
    pub qop: Option<Qop>,
    /// How many requests were sent with this nonce, as sent: eight hexadecimal digits. The digits'
    /// case is hashed, so they are kept as they are. Empty where there is no qop.
    pub nc: String,
}

impl Qop {
    /// The name as it travels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt]
            .into_iter()
            .find(|qop| qop.name().eq_ignore_ascii_case(name))
    }
}

impl Challenge {
    /// Reads a challenge. `Ok(None)`: of a scheme or algorithm this crate can't answer.
    ///
    /// # Errors
    /// Where it is a Digest challenge without realm or nonce.
    pub fn from_value(value: &AuthValue) -> Result<Option<Self>, Malformed> {
        if !value.is("Digest") {
            return Ok(None);
        }
        let Some(algorithm) = algorithm(&value.params) else {
            return Ok(None);
        };
        let qop = match value.params.value("qop") {
            None => Vec::new(),
            Some(list) => {
                let known: Vec<_> = list
                    .split(',')
                    .filter_map(|name| Qop::from_name(name.trim()))
                    .collect();
                if known.is_empty() {
                    return Ok(None);
                }
                known
            }
        };
        let text = |name| value.params.value(name).map(str::to_owned);
        Ok(Some(Self {
            realm: text("realm").ok_or(Malformed("challenge without realm"))?,
            nonce: text("nonce").ok_or(Malformed("challenge without nonce"))?,
            opaque: text("opaque"),
            stale: text("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            algorithm,
            qop,
        }))
    }

    /// The challenge as a header field's value.
    #[must_use]
    pub fn to_value(&self) -> AuthValue {
        let mut params = Params::new();
        params.set("realm", ParamValue::quoted(self.realm.as_str()));
        params.set("nonce", ParamValue::quoted(self.nonce.as_str()));
        if let Some(opaque) = &self.opaque {
            params.set("opaque", ParamValue::quoted(opaque.as_str()));
        }
        if self.stale {
            params.set("stale", "true");
        }
        params.set("algorithm", self.algorithm.name());
        if !self.qop.is_empty() {
            let names: Vec<_> = self.qop.iter().map(|qop| qop.name()).collect();
            params.set("qop", ParamValue::quoted(names.join(",")));
        }
        digest(params)
    }
}

impl Credentials {
    /// Reads credentials. `Ok(None)`: of a scheme, algorithm or qop this crate does not know.
    ///
    /// # Errors
    /// Where they are Digest credentials and lack what they must have.
    pub fn from_value(value: &AuthValue) -> Result<Option<Self>, Malformed> {
        if !value.is("Digest") {
            return Ok(None);
        }
        let params = &value.params;
        let Some(algorithm) = algorithm(params) else {
            return Ok(None);
        };
        let qop = match params.value("qop") {
            None => None,
            Some(name) => match Qop::from_name(name) {
                None => return Ok(None),
                known => known,
            },
        };
        let text = |name| params.value(name).map(str::to_owned);
        let nc = match (qop, params.value("nc")) {
            (None, _) => String::new(),
            (Some(_), None) => return Err(Malformed("qop without nc")),
            (Some(_), Some(nc)) if nonce_count(nc).is_some() => nc.to_owned(),
            (Some(_), Some(_)) => return Err(Malformed("nc")),
        };
        let cnonce = text("cnonce");
        // RFC 7616 §3.4: MUST be there with qop; the session algorithms hash it too.
        if cnonce.is_none() && (qop.is_some() || algorithm.is_session()) {
            return Err(Malformed("no cnonce"));
        }
        Ok(Some(Self {
            username: text("username").ok_or(Malformed("no username"))?,
            realm: text("realm").ok_or(Malformed("no realm"))?,
            nonce: text("nonce").ok_or(Malformed("no nonce"))?,
            uri: text("uri").ok_or(Malformed("no uri"))?,
            response: text("response").ok_or(Malformed("no response"))?,
            algorithm,
            cnonce,
            opaque: text("opaque"),
            qop,
            nc,
        }))
    }

    /// The credentials as a header field's value.
    #[must_use]
    pub fn to_value(&self) -> AuthValue {
        let mut params = Params::new();
        params.set("username", ParamValue::quoted(self.username.as_str()));
        params.set("realm", ParamValue::quoted(self.realm.as_str()));
        params.set("nonce", ParamValue::quoted(self.nonce.as_str()));
        params.set("uri", ParamValue::quoted(self.uri.as_str()));
        params.set("response", ParamValue::quoted(self.response.as_str()));
        params.set("algorithm", self.algorithm.name());
        if let Some(cnonce) = &self.cnonce {
            params.set("cnonce", ParamValue::quoted(cnonce.as_str()));
        }
        if let Some(opaque) = &self.opaque {
            params.set("opaque", ParamValue::quoted(opaque.as_str()));
        }
        if let Some(qop) = self.qop {
            params.set("qop", qop.name());
            params.set("nc", self.nc.as_str());
        }
        digest(params)
    }

    /// How many requests were sent with this nonce; 0 where there is no qop.
    #[must_use]
    pub fn nonce_count(&self) -> u32 {
        nonce_count(&self.nc).unwrap_or(0)
    }
}

/// The algorithm named, MD5 where none is; `None` where it is unknown.
fn algorithm(params: &Params) -> Option<Algorithm> {
    match params.value("algorithm") {
        None => Some(Algorithm::Md5),
        Some(name) => Algorithm::from_name(name),
    }
}

/// RFC 7616 §3.4: `nc-value = 8LHEX`; capitals are seen.
fn nonce_count(text: &str) -> Option<u32> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(text, 16).ok()
}

fn digest(params: Params) -> AuthValue {
    AuthValue {
        scheme: "Digest".to_owned(),
        params,
    }
}

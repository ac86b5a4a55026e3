//! The phone's half of digest authentication (RFC 7616 §3.4), written apart from the exchange's.

use md5::Digest as _;

/// The best algorithm a phone knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// What all phones know.
    #[default]
    Md5,
    /// What RFC 8760 adds; such a phone knows MD5 too.
    Sha256,
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&md5::Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&sha2::Sha256::digest(text.as_bytes())),
        }
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A challenge that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The protection space.
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// What the credentials are made with.
    pub algorithm: Algorithm,
    /// The server knows `qop=auth`.
    pub qop: bool,
    /// Only the nonce was old.
    pub stale: bool,
}

impl Challenge {
    /// The challenge for this algorithm among those of a response; else the first that a phone with
    /// it knows.
    #[must_use]
    pub fn choose<'a>(values: impl Iterator<Item = &'a str>, algorithm: Algorithm) -> Option<Self> {
        let known: Vec<Self> = values
            .filter_map(Self::parse)
            .filter(|challenge| {
                challenge.algorithm == Algorithm::Md5 || algorithm == Algorithm::Sha256
            })
            .collect();
        let preferred = known
            .iter()
            .find(|challenge| challenge.algorithm == algorithm);
        preferred.or_else(|| known.first()).cloned()
    }

    fn parse(value: &str) -> Option<Self> {
        let params = value.strip_prefix("Digest ")?;
        let get = |name| quoted_param(params, name);
        let algorithm = match get("algorithm").as_deref() {
            None | Some("MD5") => Algorithm::Md5,
            Some("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        Some(Self {
            realm: get("realm")?,
            nonce: get("nonce")?,
            algorithm,
            qop: get("qop").is_some_and(|qop| qop.split(',').any(|one| one.trim() == "auth")),
            stale: get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The Authorization header.
    #[must_use]
    pub fn answer(
        &self,
        (username, password): (&str, &str),
        method: &str,
        uri: &str,
        count: u32,
        cnonce: &str,
    ) -> String {
        let hash = |text: String| self.algorithm.hash(&text);
        let ha1 = hash(format!("{username}:{}:{password}", self.realm));
        let ha2 = hash(format!("{method}:{uri}"));
        let nonce = &self.nonce;
        let (response, tail) = if self.qop {
            let response = hash(format!("{ha1}:{nonce}:{count:08x}:{cnonce}:auth:{ha2}"));
            let tail = format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\"");
            (response, tail)
        } else {
            (hash(format!("{ha1}:{nonce}:{ha2}")), String::new())
        };
        format!(
            "Digest username=\"{username}\", realm=\"{}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm={}{tail}",
            self.realm,
            self.algorithm.name(),
        )
    }
}

/// A parameter of a list separated by commas, with or without quotes.
fn quoted_param(params: &str, name: &str) -> Option<String> {
    let mut rest = params;
    loop {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        let (found, tail) = rest.split_once('=')?;
        let (value, tail) = match tail.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => tail.split_at(tail.find(',').unwrap_or(tail.len())),
        };
        if found.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_owned());
        }
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2617 §3.5.
    #[test]
    fn the_example_of_the_standard() {
        let challenge = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let challenge = Challenge::choose([challenge].into_iter(), Algorithm::Md5).unwrap();
        let answer = challenge.answer(
            ("Mufasa", "Circle Of Life"),
            "GET",
            "/dir/index.html",
            1,
            "0a4f113b",
        );
        assert!(
            answer.contains("6629fae49393a05397450978507c4ef1"),
            "{answer}"
        );
    }
}

//! Revisions of objects as entity tags (RFC 9110 §8.8.3, §13.1.1): a change says what it is based on.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use model::ConfigVersion;
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::Expected;

use crate::problem::{Code, Problem};

/// The entity tag of a revision: `"r17"`.
#[must_use]
pub fn etag(revision: ConfigVersion) -> String {
    format!("\"r{revision}\"")
}

/// The entity tag of settings that have no revision: it stands for what they say.
#[must_use]
pub fn etag_of(settings: &impl Serialize) -> String {
    let said = serde_json::to_vec(settings).unwrap_or_default();
    let digest = Sha256::digest(said);
    let digits: String = digest
        .iter()
        .take(12)
        .map(|octet| format!("{octet:02x}"))
        .collect();
    format!("\"s{digits}\"")
}

/// The header of [`etag_of`].
#[must_use]
pub fn header_of(settings: &impl Serialize) -> [(HeaderName, String); 1] {
    [(header::ETAG, etag_of(settings))]
}

/// The header of [`etag`].
#[must_use]
pub fn header(revision: ConfigVersion) -> [(HeaderName, String); 1] {
    [(header::ETAG, etag(revision))]
}

/// What the one who changes an object saw of it: the `If-Match` header, which must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whatever is there.
    Anything,
    /// One of these tags.
    Tags(Vec<String>),
}

impl IfMatch {
    /// What to tell the store, where `current` is the object's revision now.
    ///
    /// # Errors
    /// 412 with the revision there is.
    pub fn expect(&self, current: ConfigVersion) -> Result<Expected, Problem> {
        match self {
            Self::Anything => Ok(Expected::Anything),
            Self::Tags(tags) if tags.contains(&etag(current)) => Ok(Expected::Object(current)),
            Self::Tags(_) => Err(store::ChangeError::Conflict { current }.into()),
        }
    }

    /// True where this is what was seen.
    #[must_use]
    pub fn holds(&self, current: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag == current),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim();
        if rest == "*" {
            return Some(Self::Anything);
        }
        let mut tags = Vec::new();
        loop {
            // A tag may have a comma in it, but no quote (RFC 9110 §8.8.3).
            let opaque = rest.strip_prefix("W/").unwrap_or(rest);
            let end = opaque.strip_prefix('"')?.find('"')? + 2 + (rest.len() - opaque.len());
            let (tag, after) = rest.split_at_checked(end)?;
            tags.push(tag.to_owned());
            match after.trim_start().strip_prefix(',') {
                Some(more) => rest = more.trim_start(),
                None if after.trim().is_empty() => return Some(Self::Tags(tags)),
                None => return None,
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(IF_MATCH) else {
            return Err(Problem::new(
                Code::IfMatchRequired,
                "Send the ETag of the object you read in an If-Match header, or `If-Match: *` to \
                 change it whatever it is now.",
            ));
        };
        value.to_str().ok().and_then(Self::parse).ok_or_else(|| {
            Problem::new(
                Code::InvalidHeader,
                "If-Match takes the ETag as it was received, with its quotes, or *.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_strongly() {
        let now = ConfigVersion::new(7);
        let expect = |text: &str| {
            IfMatch::parse(text).map(|tags| tags.expect(now).map_err(|problem| problem.code()))
        };
        assert_eq!(expect("*"), Some(Ok(Expected::Anything)));
        assert_eq!(expect("\"r7\""), Some(Ok(Expected::Object(now))));
        assert_eq!(expect("\"r6\", \"r7\""), Some(Ok(Expected::Object(now))));
        assert_eq!(expect("\"r6\""), Some(Err(Code::Changed)));
        assert_eq!(expect("W/\"r7\""), Some(Err(Code::Changed)));
        assert_eq!(
            expect("\"a,b\" ,W/\"\", \"r7\""),
            Some(Ok(Expected::Object(now)))
        );
        assert_eq!(expect("\"r7\" \"r8\""), None);
        assert_eq!(expect("\"r7\","), None);
        assert_eq!(expect("r7"), None);
        assert_eq!(expect(""), None);
    }
}

//! `Event` and `Subscription-State` (RFC 6665 §8.2).

use super::{Field, display_field};
use crate::message::Params;
use crate::message::chars::{Cursor, seconds, text};
use crate::message::error::Malformed;

/// An event package and which subscription to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The package: `message-summary`, `dialog`, `refer`.
    pub package: String,
    /// `;id=…` and others.
    pub params: Params,
}

/// The state of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// `active`, `pending`, `terminated`, or another.
    pub state: String,
    /// `;expires=…`, `;reason=…`, `;retry-after=…`
    pub params: Params,
}

impl Event {
    /// A package without an id.
    #[must_use]
    pub fn new(package: &str) -> Self {
        Self {
            package: package.to_owned(),
            params: Params::new(),
        }
    }

    /// Which of several subscriptions in one dialog.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.params.value("id")
    }
}

impl SubscriptionState {
    /// A subscription that goes on for the time given.
    #[must_use]
    pub fn active(expires_s: u32) -> Self {
        Self {
            state: "active".to_owned(),
            params: Params::new().with("expires", expires_s.to_string()),
        }
    }

    /// A subscription that waits for leave.
    #[must_use]
    pub fn pending(expires_s: u32) -> Self {
        Self {
            state: "pending".to_owned(),
            params: Params::new().with("expires", expires_s.to_string()),
        }
    }

    /// A subscription that has ended.
    #[must_use]
    pub fn terminated(reason: &str) -> Self {
        Self {
            state: "terminated".to_owned(),
            params: Params::new().with("reason", reason),
        }
    }

    /// True where it has ended.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.state.eq_ignore_ascii_case("terminated")
    }

    /// The seconds it has left.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        seconds(self.params.value("expires")?.as_bytes(), "expires").ok()
    }

    /// Why it ended.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.params.value("reason")
    }

    /// The seconds to wait before subscribing anew.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        seconds(self.params.value("retry-after")?.as_bytes(), "retry-after").ok()
    }
}

impl Field for Event {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        token_and_params(value).map(|(package, params)| Self { package, params })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.package.as_bytes());
        self.params.write(out);
    }
}

impl Field for SubscriptionState {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        token_and_params(value).map(|(state, params)| Self { state, params })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.state.as_bytes());
        self.params.write(out);
    }
}

fn token_and_params(value: &[u8]) -> Result<(String, Params), Malformed> {
    let mut cursor = Cursor::new(value);
    cursor.skip_blanks();
    let token = text(cursor.token("token")?);
    let params = Params::take(&mut cursor)?;
    cursor.finish("octets after the parameters")?;
    Ok((token, params))
}

display_field!(Event, SubscriptionState);

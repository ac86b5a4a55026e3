//! Text that must not reach a log.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A password or key. `Debug` hides it; it is readable by [`Secret::expose`] alone.
///
/// It is serialised in the clear, for the store and the control socket; API types don't contain it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_it() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}

//! Header fields in typed form, one family a file.
//!
//! [`Field`] reads one value (a line, or one element of a comma list) and prints it.

mod address;
mod auth;
mod cseq;
mod date;
mod event;
mod media_type;
mod numbers;
mod reason;
mod reliable;
mod replaces;
mod retry;
mod timer;
mod tokens;
mod via;
mod warning;

pub use address::{Contact, Contacts, NameAddr};
pub use auth::AuthValue;
pub use cseq::{CSeq, CallId};
pub use date::Date;
pub use event::{Event, SubscriptionState};
pub use media_type::MediaType;
pub use numbers::{DeltaSeconds, MaxForwards, Text};
pub use reason::Reason;
pub use reliable::{RAck, RSeq};
pub use replaces::Replaces;
pub use retry::RetryAfter;
pub use timer::{MinSe, Refresher, SessionExpires};
pub use tokens::{Privacy, Tokens};
pub use via::{Transport, Via};
pub use warning::Warning;

use super::error::Malformed;

/// One value of a header field in typed form.
pub trait Field: Sized {
    /// Reads a value, unfolded.
    ///
    /// # Errors
    /// Where it breaks the field's grammar.
    fn parse(value: &[u8]) -> Result<Self, Malformed>;

    /// Prints the value at the end of `out`.
    fn write(&self, out: &mut Vec<u8>);
}

/// `Display` by way of [`Field::write`], and the raw value of a borrowed field.
macro_rules! display_field {
    ($($name:ty),*) => {
        $(impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut out = Vec::with_capacity(64);
                crate::message::fields::Field::write(self, &mut out);
                f.write_str(&crate::message::chars::text(&out))
            }
        }

        impl From<&$name> for crate::message::HeaderValue {
            fn from(field: &$name) -> Self {
                Self::of(field)
            }
        })*
    };
}
pub(crate) use display_field;

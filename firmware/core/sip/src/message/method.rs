//! Methods (RFC 3261 §7.1): the known ones by name, any other token kept. Case matters.

use core::fmt;

use super::chars::is_token;

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The method of a request.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Method {
            $($(#[$doc])* $name,)*
            /// A method this crate gives no meaning to.
            Other(ExtensionMethod),
        }

        impl Method {
            /// The method's token.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(ExtensionMethod(token)) => token,
                }
            }

            /// Reads a method; `None` where it is no token.
            #[must_use]
            pub fn from_bytes(token: &[u8]) -> Option<Self> {
                match token {
                    $(bytes if bytes == $text.as_bytes() => Some(Self::$name),)*
                    _ => ExtensionMethod::new(token).map(Self::Other),
                }
            }
        }
    };
}

methods! {
    /// RFC 3261 §13.
    Invite = "INVITE";
    /// RFC 3261 §13.2.2.4.
    Ack = "ACK";
    /// RFC 3261 §15.
    Bye = "BYE";
    /// RFC 3261 §9.
    Cancel = "CANCEL";
    /// RFC 3261 §10.
    Register = "REGISTER";
    /// RFC 3261 §11.
    Options = "OPTIONS";
    /// RFC 6086.
    Info = "INFO";
    /// RFC 3262.
    Prack = "PRACK";
    /// RFC 6665.
    Subscribe = "SUBSCRIBE";
    /// RFC 6665.
    Notify = "NOTIFY";
    /// RFC 3903.
    Publish = "PUBLISH";
    /// RFC 3515.
    Refer = "REFER";
    /// RFC 3428.
    Message = "MESSAGE";
    /// RFC 3311.
    Update = "UPDATE";
}

impl Method {
    /// True where a 2xx answer makes a dialog (RFC 3261 §12.1, RFC 6665 §4.4, RFC 3515 §2.4.4).
    #[must_use]
    pub const fn makes_dialog(&self) -> bool {
        matches!(self, Self::Invite | Self::Subscribe | Self::Refer)
    }
}

/// The token of a method this crate does not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtensionMethod(Box<str>);

impl ExtensionMethod {
    fn new(token: &[u8]) -> Option<Self> {
        if token.is_empty() || !token.iter().copied().all(is_token) {
            return None;
        }
        core::str::from_utf8(token)
            .ok()
            .map(|token| Self(token.into()))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

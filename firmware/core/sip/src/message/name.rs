//! Names of header fields: known ones, their compact forms, and any other token (RFC 3261 §7.3.1, §20).

use core::fmt;
use core::hash::{Hash, Hasher};

use bytes::Bytes;

use super::chars::is_token;

macro_rules! names {
    ($($name:ident = $text:literal $(, $compact:literal)?;)*) => {
        /// The name of a header field. Comparison ignores case; printing is canonical and long.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $text, "`")] $name,)*
            /// A name this crate gives no meaning to, kept as it was spelled.
            Other(ExtensionName),
        }

        impl HeaderName {
            /// The name as printed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(name) => name.as_str(),
                }
            }

            fn compact(letter: u8) -> Option<Self> {
                match letter {
                    $($($compact => Some(Self::$name),)?)*
                    _ => None,
                }
            }

            #[cfg(test)]
            pub(crate) const KNOWN: &[Self] = &[$(Self::$name,)*];
        }

        const KNOWN: &[(&str, HeaderName)] = &[$(($text, HeaderName::$name),)*];
    };
}

/// The known names by [`bucket`]: a chain each, so that a name is compared with one or two others.
struct Buckets {
    first: [Option<u8>; 64],
    next: [Option<u8>; KNOWN.len()],
}

const BUCKETS: Buckets = {
    let mut first = [None; 64];
    let mut next = [None; KNOWN.len()];
    let mut at = KNOWN.len();
    while at > 0 {
        at -= 1;
        let bucket = bucket(KNOWN[at].0.as_bytes());
        next[at] = first[bucket];
        first[bucket] = Some(at as u8);
    }
    Buckets { first, next }
};

/// By length, first and last letter.
const fn bucket(name: &[u8]) -> usize {
    match name {
        [first, .., last] => {
            let letters =
                first.to_ascii_lowercase() as usize * 5 + last.to_ascii_lowercase() as usize;
            (letters + name.len()) % 64
        }
        _ => 0,
    }
}

names! {
    Via = "Via", b'v';
    From = "From", b'f';
    To = "To", b't';
    CallId = "Call-ID", b'i';
    CSeq = "CSeq";
    Contact = "Contact", b'm';
    MaxForwards = "Max-Forwards";
    ContentType = "Content-Type", b'c';
    ContentLength = "Content-Length", b'l';
    Route = "Route";
    RecordRoute = "Record-Route";
    Allow = "Allow";
    Supported = "Supported", b'k';
    Require = "Require";
    UserAgent = "User-Agent";
    Expires = "Expires";
    Authorization = "Authorization";
    ProxyAuthorization = "Proxy-Authorization";
    Accept = "Accept";
    AcceptContact = "Accept-Contact", b'a';
    AcceptEncoding = "Accept-Encoding";
    AcceptLanguage = "Accept-Language";
    AlertInfo = "Alert-Info";
    AllowEvents = "Allow-Events", b'u';
    AnswerMode = "Answer-Mode";
    AuthenticationInfo = "Authentication-Info";
    CallInfo = "Call-Info";
    ContentDisposition = "Content-Disposition";
    ContentEncoding = "Content-Encoding", b'e';
    ContentLanguage = "Content-Language";
    Date = "Date";
    Diversion = "Diversion";
    ErrorInfo = "Error-Info";
    Event = "Event", b'o';
    FlowTimer = "Flow-Timer";
    HistoryInfo = "History-Info";
    Identity = "Identity", b'y';
    InReplyTo = "In-Reply-To";
    Join = "Join";
    MimeVersion = "MIME-Version";
    MinExpires = "Min-Expires";
    MinSe = "Min-SE";
    Organization = "Organization";
    PAssertedIdentity = "P-Asserted-Identity";
    PPreferredIdentity = "P-Preferred-Identity";
    PEarlyMedia = "P-Early-Media";
    Path = "Path";
    Priority = "Priority";
    Privacy = "Privacy";
    ProxyAuthenticate = "Proxy-Authenticate";
    ProxyRequire = "Proxy-Require";
    RAck = "RAck";
    RSeq = "RSeq";
    Reason = "Reason";
    ReferSub = "Refer-Sub";
    ReferTo = "Refer-To", b'r';
    ReferredBy = "Referred-By", b'b';
    RejectContact = "Reject-Contact", b'j';
    RemotePartyId = "Remote-Party-ID";
    Replaces = "Replaces";
    ReplyTo = "Reply-To";
    RequestDisposition = "Request-Disposition", b'd';
    RetryAfter = "Retry-After";
    Server = "Server";
    ServiceRoute = "Service-Route";
    SessionExpires = "Session-Expires", b'x';
    SipEtag = "SIP-ETag";
    SipIfMatch = "SIP-If-Match";
    Subject = "Subject", b's';
    SubscriptionState = "Subscription-State";
    TargetDialog = "Target-Dialog";
    Timestamp = "Timestamp";
    Unsupported = "Unsupported";
    UserToUser = "User-to-User";
    Warning = "Warning";
    WwwAuthenticate = "WWW-Authenticate";
}

impl HeaderName {
    /// Reads a name, long or compact, in any case; `None` where it is no token.
    #[must_use]
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        Self::known(name).or_else(|| {
            is_name(name).then(|| Self::Other(ExtensionName::of(Bytes::copy_from_slice(name))))
        })
    }

    /// As [`HeaderName::from_bytes`], keeping an unknown name as a slice of `input`.
    pub(crate) fn from_slice(input: &Bytes, name: &[u8]) -> Option<Self> {
        Self::known(name).or_else(|| {
            is_name(name).then(|| Self::Other(ExtensionName::of(input.slice_ref(name))))
        })
    }

    fn known(name: &[u8]) -> Option<Self> {
        if let [letter] = name {
            return Self::compact(letter.to_ascii_lowercase());
        }
        let mut at = BUCKETS.first.get(bucket(name)).copied().flatten();
        while let Some(place) = at {
            let (text, known) = KNOWN.get(usize::from(place))?;
            if text.as_bytes().eq_ignore_ascii_case(name) {
                return Some(known.clone());
            }
            at = BUCKETS.next.get(usize::from(place)).copied().flatten();
        }
        None
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A header field's name that is not in the list. In a box, since few fields have one: so a field
/// takes 48 octets, and twenty of them are an allocation of the quick kind (up to 1,032 octets).
#[derive(Clone)]
pub struct ExtensionName(Box<Bytes>);

impl ExtensionName {
    fn of(name: Bytes) -> Self {
        Self(Box::new(name))
    }

    /// The name as it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Tokens are ASCII; the constructors let nothing else in.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for ExtensionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for ExtensionName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ExtensionName {}

impl Hash for ExtensionName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.iter() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().copied().all(is_token)
}

//! Header fields by their names, in typed form: what each is and how often it may stand
//! (RFC 3261 §20, table 2, and the extensions' own tables).

use super::error::HeaderError;
use super::fields::{
    AuthValue, CSeq, CallId, Contacts, Date, DeltaSeconds, Event, MaxForwards, MediaType, MinSe,
    NameAddr, Privacy, RAck, RSeq, Reason, Replaces, RetryAfter, SessionExpires, SubscriptionState,
    Text, Tokens, Via, Warning,
};
use super::{HeaderName, Headers, Malformed, Method};

/// Fields that must be there, once.
macro_rules! required {
    ($($(#[$doc:meta])* $method:ident: $name:ident -> $type:ty;)*) => {
        impl Headers {
            $($(#[$doc])*
            ///
            /// # Errors
            /// Where it is missing, repeated or malformed.
            pub fn $method(&self) -> Result<$type, HeaderError> {
                self.typed(HeaderName::$name)
            })*
        }
    };
}

/// Fields that may be there, once.
macro_rules! optional {
    ($($(#[$doc:meta])* $method:ident: $name:ident -> $type:ty;)*) => {
        impl Headers {
            $($(#[$doc])*
            ///
            /// # Errors
            /// Where it is repeated or malformed.
            pub fn $method(&self) -> Result<Option<$type>, HeaderError> {
                self.typed_opt(HeaderName::$name)
            })*
        }
    };
}

/// Numbers that may be there, once.
macro_rules! numbers {
    ($($(#[$doc:meta])* $method:ident: $name:ident as $wrapper:ident -> $type:ty;)*) => {
        impl Headers {
            $($(#[$doc])*
            ///
            /// # Errors
            /// Where it is repeated or malformed.
            pub fn $method(&self) -> Result<Option<$type>, HeaderError> {
                self.typed_opt(HeaderName::$name)
                    .map(|value| value.map(|$wrapper(number)| number))
            })*
        }
    };
}

/// Comma lists.
macro_rules! lists {
    ($($(#[$doc:meta])* $method:ident: $name:ident -> $type:ty;)*) => {
        impl Headers {
            $($(#[$doc])*
            /// Empty where absent.
            ///
            /// # Errors
            /// Where an element is malformed.
            pub fn $method(&self) -> Result<Vec<$type>, HeaderError> {
                self.typed_list(HeaderName::$name)
            })*
        }
    };
}

/// Lists of tokens.
macro_rules! tokens {
    ($($(#[$doc:meta])* $method:ident: $name:ident;)*) => {
        impl Headers {
            $($(#[$doc])*
            ///
            /// # Errors
            /// Where an element is no token.
            pub fn $method(&self) -> Result<Tokens, HeaderError> {
                let name = HeaderName::$name;
                let list = Tokens::collect(self.elements(&name));
                list.map_err(|what| HeaderError::malformed(name, what))
            })*
        }
    };
}

required! {
    /// `From`.
    from: From -> NameAddr;
    /// `To`.
    to: To -> NameAddr;
    /// `Call-ID`.
    call_id: CallId -> CallId;
    /// `CSeq`.
    cseq: CSeq -> CSeq;
}

optional! {
    /// `Content-Type`.
    content_type: ContentType -> MediaType;
    /// `Refer-To` (RFC 3515 §2.1).
    refer_to: ReferTo -> NameAddr;
    /// `Referred-By` (RFC 3892 §2.1).
    referred_by: ReferredBy -> NameAddr;
    /// `Replaces` (RFC 3891 §6.1).
    replaces: Replaces -> Replaces;
    /// `Session-Expires` (RFC 4028 §4).
    session_expires: SessionExpires -> SessionExpires;
    /// `RAck` (RFC 3262 §7.2).
    rack: RAck -> RAck;
    /// `Retry-After`.
    retry_after: RetryAfter -> RetryAfter;
    /// `Event` (RFC 6665 §8.2.1).
    event: Event -> Event;
    /// `Subscription-State` (RFC 6665 §8.2.3).
    subscription_state: SubscriptionState -> SubscriptionState;
    /// `Date`.
    date: Date -> Date;
    /// `Reply-To`.
    reply_to: ReplyTo -> NameAddr;
}

numbers! {
    /// `Max-Forwards`.
    max_forwards: MaxForwards as MaxForwards -> u8;
    /// `Expires`, in seconds.
    expires: Expires as DeltaSeconds -> u32;
    /// `Min-Expires`, in seconds.
    min_expires: MinExpires as DeltaSeconds -> u32;
    /// `Min-SE`, in seconds (RFC 4028 §5).
    min_se: MinSe as MinSe -> u32;
    /// `RSeq` (RFC 3262 §7.1).
    rseq: RSeq as RSeq -> u32;
    /// `User-Agent`.
    user_agent: UserAgent as Text -> String;
    /// `Server`.
    server: Server as Text -> String;
    /// `Subject`.
    subject: Subject as Text -> String;
}

lists! {
    /// All `Via`, the topmost first.
    vias: Via -> Via;
    /// `Route`.
    routes: Route -> NameAddr;
    /// `Record-Route`.
    record_routes: RecordRoute -> NameAddr;
    /// `Path` (RFC 3327 §4).
    paths: Path -> NameAddr;
    /// `Service-Route` (RFC 3608 §5).
    service_routes: ServiceRoute -> NameAddr;
    /// `P-Asserted-Identity` (RFC 3325 §9.1).
    asserted_identities: PAssertedIdentity -> NameAddr;
    /// `P-Preferred-Identity` (RFC 3325 §9.2).
    preferred_identities: PPreferredIdentity -> NameAddr;
    /// `Remote-Party-ID`.
    remote_party_ids: RemotePartyId -> NameAddr;
    /// `Diversion` (RFC 5806).
    diversions: Diversion -> NameAddr;
    /// `History-Info` (RFC 7044).
    history_infos: HistoryInfo -> NameAddr;
    /// `Alert-Info`: URIs of ring tones, or of their names.
    alert_infos: AlertInfo -> NameAddr;
    /// `Reason` (RFC 3326 §2).
    reasons: Reason -> Reason;
    /// `Warning`.
    warnings: Warning -> Warning;
    /// `Accept`.
    accepts: Accept -> MediaType;
}

tokens! {
    /// `Supported`: option tags.
    supported: Supported;
    /// `Require`: option tags.
    require: Require;
    /// `Proxy-Require`: option tags.
    proxy_require: ProxyRequire;
    /// `Unsupported`: option tags.
    unsupported: Unsupported;
    /// `Allow-Events`: event packages.
    allow_events: AllowEvents;
}

impl Headers {
    /// The topmost `Via`; the others are not looked at.
    ///
    /// # Errors
    /// Where it is missing or malformed.
    pub fn via(&self) -> Result<Via, HeaderError> {
        self.typed_first(HeaderName::Via)
    }

    /// The `Contact` fields.
    ///
    /// # Errors
    /// Where one is malformed, or `*` stands beside an address.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        let name = HeaderName::Contact;
        let contacts = Contacts::collect(self.elements(&name));
        contacts.map_err(|what| HeaderError::malformed(name, what))
    }

    /// The methods of `Allow`; `None` where it is absent, which is not the same as empty.
    ///
    /// # Errors
    /// Where one is no token.
    pub fn allow(&self) -> Result<Option<Vec<Method>>, HeaderError> {
        let name = HeaderName::Allow;
        if !self.contains(&name) {
            return Ok(None);
        }
        let methods = self
            .elements(&name)
            .filter(|element| !element.is_empty())
            .map(|element| Method::from_bytes(element).ok_or(Malformed("method")))
            .collect();
        match methods {
            Ok(methods) => Ok(Some(methods)),
            Err(what) => Err(HeaderError::malformed(name, what)),
        }
    }

    /// `Privacy`; nothing asked for where it is absent (RFC 3323 §4.2).
    ///
    /// # Errors
    /// Where it is repeated or malformed.
    pub fn privacy(&self) -> Result<Privacy, HeaderError> {
        self.typed_opt(HeaderName::Privacy)
            .map(Option::unwrap_or_default)
    }

    /// Challenges or credentials: one of the four fields that have them, one value a line.
    ///
    /// # Errors
    /// Where one is malformed.
    pub fn auth(&self, name: HeaderName) -> Result<Vec<AuthValue>, HeaderError> {
        self.typed_lines(name)
    }
}

//! Identifiers: one type each, so that a call can't be taken for a leg.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($repr);

        impl $name {
            /// Wraps a raw value.
            #[must_use]
            pub const fn new(raw: $repr) -> Self {
                Self(raw)
            }

            /// The raw value, for storage and logs.
            #[must_use]
            pub const fn raw(self) -> $repr {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A user of the exchange. Never reused.
    UserId(u32)
);
id!(
    /// An extension, whatever its number becomes. Never reused.
    ExtensionId(u32)
);
id!(
    /// A way to another network. Never reused.
    InterfaceId(u32)
);
id!(
    /// A route of outgoing calls. Never reused.
    RouteId(u32)
);
id!(
    /// A call permission group. Never reused.
    PermissionGroupId(u32)
);
id!(
    /// A call, unique over restarts and never reused; it names the call in logs and history.
    CallId(u64)
);
id!(
    /// One party's half of a call, unique while the process lives.
    LegId(u64)
);
id!(
    /// A slot of the media graph: one RTP and one RTCP socket. Reused after the call.
    PortId(u16)
);
id!(
    /// A version of the configuration; it grows by one with every change.
    ConfigVersion(u64)
);

impl ExtensionId {
    /// The two extensions of the exchange's call to itself: nobody configures them and no list shows
    /// them. The store counts up from 1 and never gets so far.
    pub const HIDDEN: [Self; 2] = [Self(u32::MAX - 1), Self(u32::MAX)];

    /// Whether it is one of [`ExtensionId::HIDDEN`].
    #[must_use]
    pub const fn is_hidden(self) -> bool {
        self.0 >= Self::HIDDEN[0].0
    }
}

impl UserId {
    /// In an extension that is added together with its user: that user, who has no id yet.
    pub const ADDED: Self = Self(0);
}

impl InterfaceId {
    /// In a route that is added together with its interface: that interface, which has no id yet.
    pub const ADDED: Self = Self(0);
}

//! Where a registered phone is reached, in the form that outlives a restart.

use core::fmt;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{ExtensionId, WallTime};

/// How SIP messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// One message a datagram.
    Udp,
    /// A stream, messages framed by Content-Length.
    Tcp,
    /// TCP under TLS.
    Tls,
}

impl Transport {
    /// True where bytes come as a stream over a connection.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The name in a Via header (RFC 3261 §20.42).
    #[must_use]
    pub const fn via_name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.via_name())
    }
}

/// A path between the exchange and a peer: which of our addresses, which of theirs, by what.
///
/// A stream connection is named by it too: there is one at most for each transport and peer address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flow {
    /// How bytes travel.
    pub transport: Transport,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport, self.remote)
    }
}

/// One contact of one extension (RFC 3261 §10), as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Whose phone it is.
    pub extension: ExtensionId,
    /// The Contact URI as registered.
    pub contact: String,
    /// `+sip.instance` of RFC 5626, where the phone gave one.
    pub instance: Option<String>,
    /// `reg-id` of RFC 5626, where the phone gave one.
    pub reg_id: Option<u32>,
    /// Path headers of RFC 3327, the first first.
    pub path: Vec<String>,
    /// The flow the REGISTER came on: requests to the phone go back on it.
    pub flow: Flow,
    /// Call-ID of the REGISTER.
    pub call_id: String,
    /// `CSeq` number of the REGISTER.
    pub cseq: u32,
    /// `User-Agent`, where given.
    pub user_agent: Option<String>,
    /// When the binding ends.
    pub expires: WallTime,
}

//! By which way a peer is reached: where answers go, and where a phone is called.
//!
//! ```text
//!  answers over UDP: rport, or behind NAT ----> the port that the request came from (RFC 3581 §4)
//!                    else --------------------> the port in its Via (RFC 3261 §18.2.2)
//!  calls:            UDP, an open connection -> the way it registered by
//!                    TCP, closed -------------> where its Contact says that it listens, if no NAT is between
//!                    TLS, closed -------------> none, until it comes back (RFC 5626 §5.3)
//! ```
//! Phones open their TLS connection themselves: there is no certificate of theirs to check.

use model::{ExtensionId, Flow, Transport};

use super::{Binding, Endpoint, Target};
use crate::message::{Uri, Via};

/// Where SIP is listened for, if nothing else is said (RFC 3261 §19.1.2).
const PORT: u16 = 5060;

impl Endpoint {
    /// The contacts of an extension that can be called now, the preferred first, and how.
    pub fn reachable(&self, extension: ExtensionId) -> impl Iterator<Item = (&Binding, Target)> {
        let bindings = self.registrar.bindings(extension).iter();
        bindings.filter_map(|binding| Some((binding, self.target(binding)?)))
    }

    /// Whether a contact can be called now. Of UDP nobody knows: it is said to be there until it ends.
    #[must_use]
    pub fn can_reach(&self, binding: &Binding) -> bool {
        self.target(binding).is_some()
    }

    fn target(&self, binding: &Binding) -> Option<Target> {
        let Binding { flow, contact, .. } = binding;
        let is_there = !flow.transport.is_stream() || self.streams.is_open(*flow);
        let flow = if is_there {
            *flow
        } else {
            listens_at(*flow, binding.path.first().unwrap_or(contact))?
        };
        Some(Target {
            uri: contact.clone(),
            route: binding.path.clone(),
            flow,
        })
    }
}

/// Where the peer of a closed connection listens for another one, by the URI of the next hop to it. A NAT
/// lets nobody in, and shows by another address.
pub(super) fn listens_at(closed: Flow, next_hop: &Uri) -> Option<Flow> {
    let uri = next_hop.as_sip().filter(|uri| !uri.secure)?;
    let by_tcp = uri
        .transport()
        .is_none_or(|transport| transport.eq_ignore_ascii_case("tcp"));
    let here = uri.host.ip()?.to_canonical() == closed.remote.ip().to_canonical();
    (closed.transport == Transport::Tcp && by_tcp && here)
        .then(|| with_port(closed, uri.port.unwrap_or(PORT)))
}

/// The way on which a request came, as answers to it go back. A phone behind NAT that does not know of
/// RFC 3581 has its own address in the Via: its port there leads nowhere, so it is treated as if it did.
pub(super) fn way_back(via: &Via, flow: Flow) -> Flow {
    let here = via.host.ip().map(|ip| ip.to_canonical()) == Some(flow.remote.ip().to_canonical());
    if flow.transport != Transport::Udp || via.wants_rport() || !here {
        return flow;
    }
    with_port(flow, via.port.unwrap_or(PORT))
}

/// Nobody is at port zero.
fn with_port(mut flow: Flow, port: u16) -> Flow {
    if port != 0 {
        flow.remote.set_port(port);
    }
    flow
}

//! Whether what comes in a dialog comes from its peer (RFC 3261 §22, §26.2.1).
//!
//! Who knows the tags of a dialog is not yet its peer: logs and proxies know them too. What was begun
//! over TLS is served over TLS alone; and an extension's phone that speaks from another address has to
//! prove itself there, then its dialog follows it. A new port of the same address is no other address:
//! NAT and new connections bring that about all the time.

use model::{Flow, Transport};

use super::{AuthenticationFailure, Endpoint, SessionId};
use crate::message::{Request, StatusCode};
use crate::transaction::ServerId;

impl Endpoint {
    /// Whether a request in a dialog is the peer's; where it is not, it has been answered.
    pub(super) fn is_from_peer(
        &mut self,
        flow: Flow,
        request: &Request,
        (session, at): (SessionId, usize),
    ) -> bool {
        let peer = self.sessions.get_mut(session).and_then(|own| own.peer(at));
        let Some((known, account)) = peer else {
            return true;
        };
        if is_weaker(flow, known) {
            // 481 would tell the peer that its dialog is gone; 403 is about this request alone
            // (RFC 5057 §5.1).
            self.forbid(flow, request);
            return false;
        }
        let Some(extension) = account.filter(|_| is_elsewhere(flow, known)) else {
            self.prove_source(flow);
            return true;
        };
        match self.proved(flow, request, true) {
            Some(proved) if proved.extension == extension => true,
            Some(other) => {
                let failure = AuthenticationFailure::NotAllowed;
                self.authentication_failed(flow, other.username, failure);
                self.forbid(flow, request);
                false
            }
            None => false,
        }
    }

    /// Whether an ACK is the peer's. It can't be challenged (RFC 3261 §22.1): from another address it
    /// says that our 2xx arrived, but not where sound is to go.
    pub(super) fn is_ack_from_peer(
        &mut self,
        flow: Flow,
        request: &Request,
        (session, at): (SessionId, usize),
    ) -> bool {
        let peer = self.sessions.get_mut(session).and_then(|own| own.peer(at));
        peer.is_none_or(|(known, account)| {
            let describes = !request.body.is_empty() && account.is_some();
            let doubtful = describes && is_elsewhere(flow, known);
            !doubtful && !is_weaker(flow, known)
        })
    }

    /// Whether a request that fits a transaction may belong to it.
    pub(super) fn is_weaker_than_transaction(&self, flow: Flow, id: ServerId) -> bool {
        let transaction = self.core.servers.get(id);
        transaction.is_some_and(|transaction| is_weaker(flow, transaction.flow))
    }

    pub(super) fn forbid(&mut self, flow: Flow, request: &Request) {
        let response = self.core.response_to(request, StatusCode::FORBIDDEN);
        self.respond_without_state(flow, response);
    }
}

/// True where what was encrypted would be so no more.
pub(super) fn is_weaker(flow: Flow, known: Flow) -> bool {
    known.transport == Transport::Tls && flow.transport != Transport::Tls
}

fn is_elsewhere(flow: Flow, known: Flow) -> bool {
    flow.remote.ip().to_canonical() != known.remote.ip().to_canonical()
}

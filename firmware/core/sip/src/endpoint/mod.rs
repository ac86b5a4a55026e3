//! The endpoint: everything SIP of the exchange behind one pair of bytes-in and bytes-out.

mod api;

use bytes::Bytes;
use model::{Cause, ExtensionId, Instant};

pub use api::*;

use crate::message::{Replaces, StatusCode};

/// A user agent and registrar for all phones and peers of the exchange (RFC 3261 §8, §10, §13).
///
/// One input, then `poll_output` to `None`, then `poll_timeout`.
#[derive(Debug)]
pub struct Endpoint {}

#[allow(unused_variables, missing_docs, clippy::todo, clippy::needless_pass_by_value)]
impl Endpoint {
    pub fn new(now: Instant, config: EndpointConfig) -> Self { todo!() }
    pub fn handle_input(&mut self, now: Instant, input: Input) { todo!() }
    pub fn poll_output(&mut self) -> Option<Output> { todo!() }
    pub fn poll_timeout(&self) -> Option<Instant> { todo!() }

    /// Accounts in force from now on; bindings of accounts that are gone end.
    pub fn set_accounts(&mut self, now: Instant, accounts: Vec<Account>) { todo!() }
    pub fn set_admission(&mut self, admission: Admission) { todo!() }
    /// Bindings known from before a restart.
    pub fn restore_bindings(&mut self, now: Instant, bindings: Vec<Binding>) { todo!() }
    pub fn bindings(&self, extension: ExtensionId) -> &[Binding] { todo!() }
    pub fn all_bindings(&self) -> impl Iterator<Item = &Binding> { std::iter::empty() }

    pub fn invite(&mut self, now: Instant, invite: OutgoingInvite) -> SessionId { todo!() }
    /// Provisional response 101 to 199; with SDP, reliably where the peer can (RFC 3262).
    pub fn ring(&mut self, now: Instant, session: SessionId, status: StatusCode, sdp: Option<Bytes>) { todo!() }
    /// 200 with our answer, or our offer where the INVITE had none.
    pub fn accept(&mut self, now: Instant, session: SessionId, sdp: Bytes) { todo!() }
    pub fn refuse(&mut self, now: Instant, session: SessionId, refusal: Refusal) { todo!() }
    /// Ends the session by what its state asks for: CANCEL, BYE, or a final response.
    pub fn end(&mut self, now: Instant, session: SessionId, cause: Option<Cause>) { todo!() }
    /// Makes an offer in the session (UPDATE or re-INVITE); 491 is retried by itself.
    pub fn offer(&mut self, now: Instant, session: SessionId, sdp: Bytes) { todo!() }
    pub fn answer(&mut self, now: Instant, session: SessionId, sdp: Bytes) { todo!() }
    pub fn refuse_offer(&mut self, now: Instant, session: SessionId, status: StatusCode) { todo!() }
    /// 202, and a NOTIFY that says 100 Trying.
    pub fn accept_refer(&mut self, now: Instant, refer: ReferId) { todo!() }
    pub fn refuse_refer(&mut self, now: Instant, refer: ReferId, status: StatusCode) { todo!() }
    /// NOTIFY with a sipfrag; a final status ends the subscription.
    pub fn notify_refer(&mut self, now: Instant, refer: ReferId, status: StatusCode) { todo!() }
    /// The session of a dialog named by Replaces (RFC 3891 §3).
    pub fn find_dialog(&self, replaces: &Replaces) -> Option<SessionId> { todo!() }
}

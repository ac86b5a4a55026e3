//! What a request has to pass before a session or the registrar sees it (RFC 3261 §8.2, §9.2, §12.2.2).
//!
//! In this order: known transaction; admission; method, URI scheme, Require, Max-Forwards, body;
//! dialog; digest; room. Who fails gets an answer that leaves no state behind (§8.2.7, §26.3.2.4): its To
//! tag is a hash of the request, so a repeated request gets a repeated answer.

use core::hash::BuildHasher;
use std::sync::Arc;

use model::Flow;

use super::auth::{Asker, Verdict};
use super::reach::way_back;
use super::{
    Account, AuthenticationFailure, Endpoint, Event, IncomingInvite, ReferId, ServerTold,
    SessionId, kept,
};
use crate::message::{
    Essentials, HeaderName, HeaderValue, Method, Replaces, Request, Response, StatusCode, Uri, Via,
};
use crate::session::{Called, InDialog, Session, sdp_in};
use crate::transaction::{Key, ServerEvent, cancelled_key, merge_key, server_key};

impl Endpoint {
    pub(super) fn on_request(&mut self, flow: Flow, mut request: Request) {
        let Ok(mut essentials) = request.essentials() else {
            self.bad_request(flow, request);
            return;
        };
        complete_via(&mut essentials.via, flow);
        // From here on the sender is where answers reach it.
        let flow = way_back(&essentials.via, flow);
        request
            .headers
            .set_first_element(&HeaderName::Via, &essentials.via);
        let keys = self.core.servers.keys;
        let key = server_key(
            keys,
            &request,
            &essentials.via,
            &essentials.call_id,
            &essentials.cseq,
        );
        if let Some(id) = self.core.servers.matching(key) {
            if self.is_weaker_than_transaction(flow, id) {
                return;
            }
            let event = if request.method == Method::Ack {
                ServerEvent::Ack
            } else {
                ServerEvent::Request
            };
            let told = self.core.server_event(id, event);
            if request.method == Method::Ack
                && let Some((session, ServerTold::Ack)) = told
            {
                let seq = essentials.cseq.seq;
                self.in_session(session, |session, core| session.on_ack(core, &request, seq));
            }
            return;
        }
        match request.method {
            Method::Ack => self.on_ack(flow, &request, &essentials),
            Method::Cancel => self.on_cancel(key, flow, &Arc::new(request), &essentials),
            _ => self.on_new_request(key, flow, &Arc::new(request), &essentials),
        }
    }

    /// RFC 3261 §8.1.1, §8.2: something every request must have is missing or malformed.
    fn bad_request(&mut self, flow: Flow, mut request: Request) {
        if request.method == Method::Ack {
            return;
        }
        let Ok(mut via) = request.headers.via() else {
            return;
        };
        complete_via(&mut via, flow);
        let flow = way_back(&via, flow);
        request.headers.set_first_element(&HeaderName::Via, via);
        let response = self.core.response_to(&request, StatusCode::BAD_REQUEST);
        self.respond_without_state(flow, response);
    }

    /// ACK for a 2xx (RFC 3261 §13.3.1.4); any other that matches nothing is absorbed.
    fn on_ack(&mut self, flow: Flow, request: &Request, essentials: &Essentials) {
        let found = self.find(essentials);
        if let Some((id, at)) = found
            && self.is_ack_from_peer(flow, request, (id, at))
        {
            let seq = essentials.cseq.seq;
            self.in_session(id, |session, core| session.on_ack(core, request, seq));
        }
    }

    /// CANCEL (RFC 3261 §9.2).
    fn on_cancel(&mut self, key: Key, flow: Flow, request: &Arc<Request>, essentials: &Essentials) {
        let invite = cancelled_key(
            self.core.servers.keys,
            request,
            &essentials.via,
            &essentials.call_id,
            &essentials.cseq,
        );
        let invite = (self.core.servers.matching(invite))
            .filter(|invite| !self.is_weaker_than_transaction(flow, *invite));
        let Some(invite) = invite else {
            let status = StatusCode::CALL_DOES_NOT_EXIST;
            let response = self.core.response_to(request, status);
            self.respond_without_state(flow, response);
            return;
        };
        let transaction = self.core.servers.get(invite);
        let open = transaction.is_some_and(|transaction| transaction.is_open_invite());
        let session = transaction.and_then(|transaction| transaction.session);
        let server = self.core.serve(key, flow, Arc::clone(request));
        let tag = session
            .and_then(|id| self.sessions.get_mut(id))
            .map(|session| session.local_tag().to_owned())
            .unwrap_or_else(|| self.stateless_tag(request));
        self.core.respond_tagged(server, StatusCode::OK, &tag);
        if let (true, Some(session)) = (open, session) {
            self.in_session(session, |session, core| {
                session.on_cancel(core, invite, request);
            });
        }
    }

    fn on_new_request(
        &mut self,
        key: Key,
        flow: Flow,
        request: &Arc<Request>,
        essentials: &Essentials,
    ) {
        // There is no REGISTER in a dialog, whatever its To says.
        let outside = essentials.to.tag().is_none() || request.method == Method::Register;
        if outside && let Some(response) = self.not_admitted(flow, request) {
            self.refusals += 1;
            self.respond_without_state(flow, response);
            return;
        }
        if let Err(response) = self.inspect(flow, request, essentials, outside) {
            self.respond_without_state(flow, *response);
            return;
        }
        if !outside {
            self.on_request_in_dialog(key, flow, request, essentials);
            return;
        }
        match request.method {
            Method::Options => self.on_options(flow, request),
            Method::Register | Method::Invite | Method::Refer => {
                self.on_request_with_credentials(key, flow, request, essentials);
            }
            // These have a meaning in dialogs only.
            _ => {
                let status = StatusCode::CALL_DOES_NOT_EXIST;
                let response = self.core.response_to(request, status);
                self.respond_without_state(flow, response);
            }
        }
    }

    /// OPTIONS outside of dialogs (RFC 3261 §11): a sign of life for anybody.
    fn on_options(&mut self, flow: Flow, request: &Request) {
        let mut response = self.core.response_to(request, StatusCode::OK);
        let values = &self.core.values;
        let headers = &mut response.headers;
        headers.push(HeaderName::Allow, values.allow.clone());
        headers.push(HeaderName::Accept, values.accept.clone());
        headers.push(HeaderName::Supported, values.supported_all.clone());
        self.respond_without_state(flow, response);
    }

    fn on_request_in_dialog(
        &mut self,
        key: Key,
        flow: Flow,
        request: &Arc<Request>,
        essentials: &Essentials,
    ) {
        let found = self.find(essentials);
        let room = self.core.servers.len() < 2 * self.core.config.server_transactions;
        let (Some((id, at)), true) = (found, room) else {
            let status = if room {
                StatusCode::CALL_DOES_NOT_EXIST
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            let response = self.core.response_to(request, status);
            self.respond_without_state(flow, response);
            return;
        };
        if !self.is_from_peer(flow, request, (id, at)) {
            return;
        }
        // Whoever that is has proved himself before, from the same address or on this connection.
        self.streams.prove(&mut self.core, flow);
        let server = self.core.serve(key, flow, Arc::clone(request));
        let refer = self.next_refer(&request.method, id);
        let incoming = InDialog {
            at,
            server,
            request,
            essentials,
            refer,
        };
        self.in_session(id, |session, core| session.on_request(core, incoming));
        if request.method == Method::Refer {
            self.tidy_refers();
        }
    }

    fn next_refer(&mut self, method: &Method, session: SessionId) -> ReferId {
        if *method == Method::Refer {
            self.last_refer += 1;
            self.refers.insert(ReferId(self.last_refer), session);
        }
        ReferId(self.last_refer)
    }

    /// Forgets the names of transfers that are over.
    pub(super) fn tidy_refers(&mut self) {
        let sessions = &mut self.sessions;
        self.refers.retain(|refer, session| {
            sessions
                .get_mut(*session)
                .is_some_and(|session| session.has_refer(*refer))
        });
    }

    fn find(&self, essentials: &Essentials) -> Option<(SessionId, usize)> {
        let local_tag = essentials.to.tag()?;
        let remote_tag = essentials.from.tag().unwrap_or_default();
        self.sessions
            .find(essentials.call_id.as_str(), local_tag, remote_tag)
            .map(|(session, at)| (session.id(), at))
    }

    fn on_request_with_credentials(
        &mut self,
        key: Key,
        flow: Flow,
        request: &Arc<Request>,
        essentials: &Essentials,
    ) {
        let by_address =
            request.method == Method::Invite && self.trusted.contains(&flow.remote.ip());
        let account = if by_address {
            None
        } else {
            let proved = self.authenticate(flow, request, essentials);
            if proved.is_none() {
                return;
            }
            proved
        };
        self.streams.prove(&mut self.core, flow);
        if let Some(response) = self.is_full(flow, request) {
            self.refusals += 1;
            self.respond_without_state(flow, response);
            return;
        }
        let from_tag = essentials.from.tag().unwrap_or_default();
        let merge_key = merge_key(
            self.core.servers.keys,
            from_tag,
            &essentials.call_id,
            &essentials.cseq,
        );
        if self.core.servers.is_merged(merge_key) {
            let response = self.core.response_to(request, StatusCode::LOOP_DETECTED);
            self.respond_without_state(flow, response);
            return;
        }
        let server = self.core.serve(key, flow, Arc::clone(request));
        self.core.servers.watch_for_merging(server, merge_key);
        match (&request.method, account) {
            (Method::Invite, account) => {
                self.on_invite(server, flow, request, essentials, account);
            }
            (Method::Register, Some(account)) => {
                let response =
                    self.registrar
                        .register(&mut self.core, &account, flow, request, essentials);
                let response = response.with_to_tag(&self.stateless_tag(request));
                self.core.respond(server, &response);
                self.say_farewells_to(account.extension);
            }
            // REFER makes sense here only where there is a call to transfer.
            _ => {
                let tag = self.stateless_tag(request);
                self.core
                    .respond_tagged(server, StatusCode::FORBIDDEN, &tag);
            }
        }
    }

    /// Whose request it is; where nobody's, it has been answered.
    fn authenticate(
        &mut self,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
    ) -> Option<Account> {
        let account = self.proved(flow, request, self.is_urgent(flow, request))?;
        if request.method != Method::Register || names(&essentials.to.uri, &account) {
            return Some(account);
        }
        let failure = AuthenticationFailure::NotAllowed;
        self.authentication_failed(flow, account.username, failure);
        // RFC 3261 §10.3 step 4: who it is is known, and other credentials are not asked for.
        self.forbid(flow, request);
        None
    }

    /// Whom the credentials of a request prove; where nobody, it has been challenged. `urgent`: those who
    /// may call urgent numbers only count too.
    pub(super) fn proved(
        &mut self,
        flow: Flow,
        request: &Request,
        urgent: bool,
    ) -> Option<Account> {
        let asker = Asker {
            address: flow.remote.ip(),
            urgent,
        };
        let (failed, stale) = match self.gatekeeper.check(self.core.now, asker, request) {
            Verdict::Proved(account) => {
                let account = account.clone();
                self.prove_source(flow);
                return Some(account);
            }
            Verdict::Missing => (None, false),
            Verdict::Stale => (None, true),
            Verdict::Wrong { username, failure } => (Some((username, failure)), false),
            Verdict::Unasked => {
                let failure = AuthenticationFailure::Unasked;
                (Some((String::new(), failure)), false)
            }
        };
        let is_wrong = failed.is_some();
        if let Some((username, failure)) = failed {
            self.authentication_failed(flow, username, failure);
        }
        self.challenge(flow, request, stale);
        if is_wrong {
            self.count_wrong(flow);
        }
        None
    }

    pub(super) fn authentication_failed(
        &mut self,
        flow: Flow,
        username: String,
        failure: AuthenticationFailure,
    ) {
        self.core.event(Event::AuthenticationFailed {
            flow,
            username,
            failure,
        });
    }

    fn challenge(&mut self, flow: Flow, request: &Request, stale: bool) {
        let mut response = self.core.response_to(request, StatusCode::UNAUTHORIZED);
        self.gatekeeper
            .challenge(self.core.now, flow.remote.ip(), stale, &mut response);
        self.respond_without_state(flow, response);
    }

    /// A call.
    fn on_invite(
        &mut self,
        server: crate::transaction::ServerId,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
        account: Option<Account>,
    ) {
        let replaces = match self.replaced(request) {
            Ok(replaces) => replaces,
            Err(status) => {
                let tag = self.stateless_tag(request);
                self.core.respond_tagged(server, status, &tag);
                return;
            }
        };
        let account = account.map(|account| account.extension);
        let invite = IncomingInvite {
            flow,
            account,
            request_uri: request.uri.clone(),
            from: essentials.from.clone(),
            to: essentials.to.clone(),
            sdp: sdp_in(&request.headers, &request.body),
            replaces,
            user_agent: kept::product(&request.headers),
            request: request.clone(),
        };
        let called = Called {
            server,
            request,
            essentials,
            id: self.sessions.next_id(),
        };
        if let Some(mut session) = Session::called(&mut self.core, &called, invite) {
            let phone = account
                .zip(session.target())
                .and_then(|(account, uri)| self.registrar.phone_at(Some(account), flow, uri));
            session.is_with(phone);
            self.sessions.add(session);
        }
    }

    /// The session that an INVITE wants to take the place of (RFC 3891 §3).
    fn replaced(&self, request: &Request) -> Result<Option<SessionId>, StatusCode> {
        let replaces: Option<Replaces> = request
            .headers
            .replaces()
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        let Some(replaces) = replaces else {
            return Ok(None);
        };
        if request.headers.contains(&HeaderName::Join) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let find = |from_tag: &str| {
            self.sessions
                .find(replaces.call_id.as_str(), &replaces.to_tag, from_tag)
        };
        let found = match replaces.from_tag.as_str() {
            // §6.1: zero stands for no tag, of a peer of RFC 2543.
            "0" => find("0").or_else(|| find("")),
            from_tag => find(from_tag),
        };
        let Some((session, _)) = found else {
            return Err(StatusCode::CALL_DOES_NOT_EXIST);
        };
        match (session.is_confirmed(), session.is_calling()) {
            (true, _) if replaces.early_only => Err(StatusCode::BUSY_HERE),
            (true, _) | (false, true) => Ok(Some(session.id())),
            // It has ended and waits for nothing but the answer to BYE.
            (false, false) if session.is_ending() => Err(StatusCode::DECLINE),
            // An early dialog that we did not begin.
            (false, false) => Err(StatusCode::CALL_DOES_NOT_EXIST),
        }
    }

    /// Sends an answer and forgets it.
    pub(super) fn respond_without_state(&mut self, flow: Flow, response: Response) {
        let tag = self.tag_for(&response.headers);
        let bytes = self.core.print_response(&response.with_to_tag(&tag));
        self.core.transmit(flow, bytes);
    }

    /// The same tag for the same request, without remembering it (RFC 3261 §8.2.7).
    fn stateless_tag(&self, request: &Request) -> String {
        self.tag_for(&request.headers)
    }

    fn tag_for(&self, headers: &crate::message::Headers) -> String {
        let value = |name| headers.raw(&name).map(HeaderValue::as_bytes);
        let hash = self.stateless.hash_one((
            value(HeaderName::Via),
            value(HeaderName::CallId),
            value(HeaderName::CSeq),
            value(HeaderName::From),
        ));
        format!("{hash:016x}")
    }
}

/// Notes where the request came from (RFC 3261 §18.2.1, RFC 3581 §4).
pub(super) fn complete_via(via: &mut Via, flow: Flow) {
    via.set_received(flow.remote.ip());
    if via.wants_rport() {
        via.set_rport(flow.remote.port());
    }
}

/// True where an address of record is the account's.
fn names(uri: &Uri, account: &Account) -> bool {
    uri.user().is_some_and(|user| user == account.aor_user)
}

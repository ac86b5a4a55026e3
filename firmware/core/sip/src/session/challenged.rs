//! Who we are to a peer that asks (RFC 3261 §22.2, §22.3): credentials for requests of ours.
//!
//! ```text
//!  request --401, 407: with credentials, the next number--> request
//!     | challenged again: only where `stale` says that they were right (RFC 7616 §3.3), and once
//! ```
//! Once challenged, later requests carry credentials by themselves (RFC 3261 §22.1), and so does the ACK of
//! an INVITE, which nobody may challenge.

use model::Flow;

use super::{Session, Stage};
use crate::digest::Client;
use crate::endpoint::{ClientUser, Core, Credentials, Outcome, Purpose};
use crate::message::{CSeq, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use crate::session::offers::Asked;
use crate::transaction::ClientId;

/// Challenges of one request that are answered: one, and one that says `stale`.
const CHALLENGES: u8 = 2;
/// Requests without an answer that are kept for it: an offer, a BYE, an OPTIONS, and a NOTIFY for each transfer
/// are seven.
const OPEN: usize = 8;

/// Our credentials, and what they were used for.
#[derive(Debug)]
pub(super) struct Own {
    credentials: Credentials,
    /// Answers the last challenge.
    client: Option<Client>,
    /// What the last INVITE had.
    of_invite: Option<(HeaderName, HeaderValue)>,
    /// Requests in the dialog that have no final answer.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    id: ClientId,
    /// As it was sent, without Via.
    request: Request,
    challenges: u8,
}

impl Own {
    pub(super) const fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            client: None,
            of_invite: None,
            open: Vec::new(),
        }
    }

    /// Takes a challenge; false where it can't be answered, or the answer was wrong: `answered` says how
    /// many challenges the request was sent again for.
    pub(super) fn take(&mut self, answered: u8, challenge: &Response) -> bool {
        let Credentials { username, password } = &self.credentials;
        let Ok(client) = Client::new(challenge, username, password) else {
            return false;
        };
        if answered > 0 && !client.is_stale() {
            return false;
        }
        self.client = Some(client);
        true
    }

    /// Adds credentials, where they were asked for before.
    pub(super) fn authorize(&mut self, core: &mut Core, request: &mut Request) {
        let Some(client) = &mut self.client else {
            return;
        };
        let mut cnonce = String::with_capacity(16);
        core.random.token(16, &mut cnonce);
        let uri = request.uri.to_string();
        let method = request.method.as_str();
        let value = client.authorize(method, &uri, &request.body, cnonce.as_bytes());
        let (name, value) = (client.header_name(), HeaderValue::from(value));
        request.headers.set(name.clone(), value.clone());
        if request.method == Method::Invite {
            self.of_invite = Some((name, value));
        }
    }

    /// What the ACK of the last INVITE has too (RFC 3261 §22.1).
    pub(super) const fn of_invite(&self) -> Option<&(HeaderName, HeaderValue)> {
        self.of_invite.as_ref()
    }

    fn keep(&mut self, id: ClientId, request: Request, challenges: u8) {
        if self.open.len() >= OPEN {
            self.open.remove(0);
        }
        let open = Open {
            id,
            request,
            challenges,
        };
        self.open.push(open);
    }
}

impl Session {
    /// Sends a request in a dialog.
    pub(super) fn send(
        &mut self,
        core: &mut Core,
        flow: Flow,
        mut request: Request,
        purpose: Purpose,
    ) -> ClientId {
        let user = ClientUser {
            session: self.id,
            purpose,
        };
        let Some(own) = &mut self.own else {
            return core.request(flow, request, user);
        };
        own.authorize(core, &mut request);
        let id = core.request(flow, request.clone(), user);
        own.keep(id, request, 0);
        id
    }

    /// True where a request in a dialog was challenged, and has gone out again with credentials.
    pub(super) fn is_repeated(
        &mut self,
        core: &mut Core,
        id: ClientId,
        purpose: Purpose,
        outcome: &Outcome,
    ) -> bool {
        let Some(own) = &mut self.own else {
            return false;
        };
        let Some(at) = own.open.iter().position(|open| open.id == id) else {
            return false;
        };
        let challenge = match outcome {
            Outcome::Response(response) if response.status.is_provisional() => return false,
            Outcome::Response(response) => Some(response),
            Outcome::Timeout | Outcome::TransportFailed => None,
        };
        let Open {
            mut request,
            challenges,
            ..
        } = own.open.remove(at);
        let Some(challenge) = challenge.filter(|response| {
            response.status == StatusCode::UNAUTHORIZED
                || response.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        }) else {
            return false;
        };
        if challenges >= CHALLENGES || !own.take(challenges, challenge) {
            return false;
        }
        let tag = request
            .headers
            .to()
            .ok()
            .and_then(|to| to.tag().map(Box::from));
        let tag: Box<str> = tag.unwrap_or_default();
        let Some(dialog) = self
            .dialogs
            .iter_mut()
            .find(|dialog| dialog.remote_tag == tag)
        else {
            return false;
        };
        let cseq = CSeq::new(dialog.next_seq(), request.method.clone());
        request.headers.set(HeaderName::CSeq, cseq);
        own.authorize(core, &mut request);
        let user = ClientUser {
            session: self.id,
            purpose,
        };
        let new = core.request(dialog.flow, request.clone(), user);
        own.keep(new, request, challenges + 1);
        self.goes_on_as(id, new);
        true
    }

    /// Who waits for the answer to a request waits for that to the other now.
    fn goes_on_as(&mut self, old: ClientId, new: ClientId) {
        if let Stage::Ending { bye: Some(bye) } = &mut self.stage
            && bye.client == old
        {
            bye.client = new;
        }
        if let Asked::Request { client, .. } = &mut self.offers.asked
            && *client == old
        {
            *client = new;
        }
        if self.offers.refreshing == Some(old) {
            self.offers.refreshing = Some(new);
        }
    }
}

//! Our own registrations at the servers of others (RFC 3261 §10.2): kept up, and tried again where they fail.
//!
//! ```text
//!  register --> asking --2xx--> registered --half of the time granted--> asking
//!                 | 401, 407: once more with credentials, and again where `stale` says that they were right
//!                 | 423: once more for as long as is wanted
//!                 | else, or no answer: waiting --back-off--> asking
//!  unregister --> REGISTER with Expires 0, where anything was granted; nobody waits for the answer
//! ```
//! A refresh that fails counts at once: a server that does not answer takes no calls either.

use core::time::Duration;
use std::collections::BTreeMap;

use model::Instant;

use super::{
    ClientUser, Core, Credentials, Endpoint, Event, Outcome, Purpose, SessionId, Target,
    TimerHandle, TimerKey,
};
use crate::digest::Client;
use crate::message::{
    CSeq, Contacts, HeaderName, HeaderValue, Host, Method, NameAddr, Request, Response, SipUri,
    StatusCode, Uri,
};
use crate::session::own_uri;
use crate::transaction::ClientId;

/// Asked for, in seconds: a firewall that has forgotten us remembers within half of it.
const EXPIRES_S: u32 = 600;
/// The shortest that is taken from a server that grants less; a second between two requests at least.
const LEAST_GRANTED_S: u32 = 2;
/// The longest that is believed: a server that restarts is found out within half of it.
const MOST_GRANTED_S: u32 = 3600;
/// How long until the next try, the first to the last; then as the last.
const BACK_OFF_S: [u32; 5] = [2, 5, 10, 20, 40];
/// Where the server refuses our credentials: more tries would only lock the account.
const WRONG_CREDENTIALS_S: u32 = 300;
/// The longest that a server may send us away for.
const MOST_RETRY_AFTER_S: u32 = 600;
/// Challenges that one request answers: one, and one that says `stale`.
const CHALLENGES: u8 = 2;

/// Names one of our registrations; the exchange gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(pub u32);

/// A registration to be kept up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The registrar, and the way there.
    pub target: Target,
    /// The address that is registered, without its host: that of the registrar.
    pub user: String,
    /// The host of our Contact, where it is not our address on the flow.
    pub contact_host: Option<Host>,
    /// What challenges are answered with.
    pub credentials: Option<Credentials>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    kept: BTreeMap<RegistrationId, Kept>,
}

#[derive(Debug)]
struct Kept {
    registration: Registration,
    call_id: String,
    tag: String,
    cseq: u32,
    /// Answers the last challenge.
    client: Option<Client>,
    /// The request without an answer.
    asking: Option<ClientId>,
    /// Challenges that the present request was sent again for.
    challenged: u8,
    /// How long we ask for.
    expires_s: u32,
    /// The server has us.
    registered: bool,
    /// Tries in sequence that failed.
    failed: usize,
    timer: Option<TimerHandle>,
}

impl Kept {
    fn new(core: &mut Core, registration: Registration) -> Self {
        let mut call_id = String::with_capacity(20);
        core.random.token(20, &mut call_id);
        Self {
            registration,
            call_id,
            tag: core.random.tag(),
            cseq: 0,
            client: None,
            asking: None,
            challenged: 0,
            expires_s: EXPIRES_S,
            registered: false,
            failed: 0,
            timer: None,
        }
    }

    fn contact(&self) -> Uri {
        let flow = self.registration.target.flow;
        let own = own_uri(flow, &self.registration.user);
        let uri = match &self.registration.contact_host {
            Some(host) => SipUri::new(host.clone())
                .with_user(&self.registration.user)
                .with_port(own.port),
            None => own,
        };
        match flow.transport {
            model::Transport::Udp => uri.into(),
            model::Transport::Tcp => uri.with_param("transport", "tcp").into(),
            model::Transport::Tls => uri.with_param("transport", "tls").into(),
        }
    }

    /// Sends REGISTER.
    fn ask(&mut self, core: &mut Core, expires_s: u32, purpose: Purpose) -> ClientId {
        let target = &self.registration.target;
        let host =
            (target.uri.host().cloned()).unwrap_or_else(|| Host::from(target.flow.remote.ip()));
        let address = SipUri::new(host).with_user(&self.registration.user);
        self.cseq += 1;
        let mut request = Request::new(Method::Register, target.uri.clone());
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, core.values.max_forwards.clone());
        for route in &target.route {
            headers.push(HeaderName::Route, NameAddr::new(route.clone()));
        }
        headers.push(
            HeaderName::From,
            NameAddr::new(address.clone()).with_tag(&self.tag),
        );
        headers.push(HeaderName::To, NameAddr::new(address));
        headers.push(HeaderName::CallId, self.call_id.clone());
        headers.push(HeaderName::CSeq, CSeq::new(self.cseq, Method::Register));
        headers.push(HeaderName::Contact, NameAddr::new(self.contact()));
        headers.push(HeaderName::Expires, expires_s.to_string());
        core.values.introduce(headers);
        headers.push(HeaderName::UserAgent, core.values.product.clone());
        if let Some(client) = &mut self.client {
            let mut cnonce = String::with_capacity(16);
            core.random.token(16, &mut cnonce);
            let uri = request.uri.to_string();
            let value = client.authorize("REGISTER", &uri, &[], cnonce.as_bytes());
            request
                .headers
                .set(client.header_name(), HeaderValue::from(value));
        }
        let user = ClientUser {
            session: SessionId(0),
            purpose,
        };
        core.request(target.flow, request, user)
    }

    /// Takes a challenge; false where it can't be answered, or says that the credentials are wrong.
    fn challenge(&mut self, response: &Response) -> bool {
        let Some(Credentials { username, password }) = &self.registration.credentials else {
            return false;
        };
        if self.challenged >= CHALLENGES {
            return false;
        }
        let Ok(client) = Client::new(response, username, password) else {
            return false;
        };
        // The first refusal of a refresh may only mean that the nonce is old, whatever the server says.
        if self.challenged > 0 && !client.is_stale() {
            return false;
        }
        self.challenged += 1;
        self.client = Some(client);
        true
    }

    /// How long the server has granted, in seconds.
    fn granted(&self, response: &Response) -> u32 {
        let own = self.contact();
        let contacts = response.headers.contacts().ok();
        let of_contact = (contacts.as_ref())
            .map_or(&[][..], Contacts::list)
            .iter()
            .find(|contact| contact.uri.equivalent(&own))
            .and_then(|contact| contact.expires().ok().flatten());
        of_contact
            .or_else(|| response.headers.expires().ok().flatten())
            .unwrap_or(self.expires_s)
            .clamp(LEAST_GRANTED_S, MOST_GRANTED_S)
    }
}

impl Endpoint {
    /// Registers at a server and keeps it up, in place of what was registered by this name.
    /// [`Event::Registered`] and [`Event::NotRegistered`] say how it stands.
    pub fn register(&mut self, now: Instant, id: RegistrationId, registration: Registration) {
        self.at(now);
        let same = (self.registrations.kept.get(&id))
            .is_some_and(|kept| kept.registration == registration);
        if same {
            return;
        }
        self.unregister(now, id);
        let kept = Kept::new(&mut self.core, registration);
        self.registrations.kept.insert(id, kept);
        self.ask_to_register(id);
    }

    /// Ends a registration.
    pub fn unregister(&mut self, now: Instant, id: RegistrationId) {
        self.at(now);
        let Some(mut kept) = self.registrations.kept.remove(&id) else {
            return;
        };
        self.core.timers.stop_in(&mut kept.timer);
        // What is not answered yet may have been granted all the same.
        if kept.registered || kept.asking.is_some() {
            kept.ask(&mut self.core, 0, Purpose::Stray);
        }
    }

    fn ask_to_register(&mut self, id: RegistrationId) {
        if let Some(kept) = self.registrations.kept.get_mut(&id) {
            self.core.timers.stop_in(&mut kept.timer);
            let expires_s = kept.expires_s;
            kept.asking = Some(kept.ask(&mut self.core, expires_s, Purpose::Register(id)));
        }
    }

    /// It is time to register anew.
    pub(super) fn on_registration_timer(&mut self, id: RegistrationId) {
        if let Some(kept) = self.registrations.kept.get_mut(&id) {
            kept.timer = None;
            kept.challenged = 0;
            self.ask_to_register(id);
        }
    }

    /// What came of a REGISTER of ours.
    pub(super) fn on_registration(
        &mut self,
        id: RegistrationId,
        client: ClientId,
        outcome: &Outcome,
    ) {
        let Some(kept) = self.registrations.kept.get_mut(&id) else {
            return;
        };
        // The answer to an earlier one says nothing of this.
        if kept.asking != Some(client) {
            return;
        }
        let response = match outcome {
            Outcome::Response(response) if response.status.is_provisional() => return,
            Outcome::Response(response) => Some(response),
            Outcome::Timeout | Outcome::TransportFailed => None,
        };
        kept.asking = None;
        let Some(response) = response else {
            self.registration_failed(id, None, None);
            return;
        };
        match response.status {
            status if status.is_success() => {
                let granted_s = kept.granted(response);
                kept.registered = true;
                kept.challenged = 0;
                kept.failed = 0;
                let at = self.core.now + Duration::from_secs(granted_s.into()) / 2;
                let timer = TimerKey::Registration(id);
                self.core.timers.restart(&mut kept.timer, at, timer);
                self.core.event(Event::Registered { id });
            }
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                if kept.challenge(response) {
                    self.ask_to_register(id);
                } else {
                    self.registration_failed(id, Some(response.status), Some(WRONG_CREDENTIALS_S));
                }
            }
            StatusCode::INTERVAL_TOO_BRIEF => {
                let wanted = response.headers.min_expires().ok().flatten();
                match wanted.filter(|wanted| *wanted > kept.expires_s && *wanted <= MOST_GRANTED_S)
                {
                    Some(wanted) => {
                        kept.expires_s = wanted;
                        self.ask_to_register(id);
                    }
                    None => self.registration_failed(id, Some(response.status), None),
                }
            }
            status => {
                let retry = response.headers.retry_after().ok().flatten();
                let wanted = match status {
                    StatusCode::FORBIDDEN => Some(WRONG_CREDENTIALS_S),
                    _ => retry.map(|retry| retry.seconds.min(MOST_RETRY_AFTER_S)),
                };
                self.registration_failed(id, Some(status), wanted);
            }
        }
    }

    /// The server does not have us, or may not; `wait_s` is how long it wants to be left alone.
    fn registration_failed(
        &mut self,
        id: RegistrationId,
        status: Option<StatusCode>,
        wait_s: Option<u32>,
    ) {
        let Some(kept) = self.registrations.kept.get_mut(&id) else {
            return;
        };
        kept.registered = false;
        let back_off = BACK_OFF_S[kept.failed.min(BACK_OFF_S.len() - 1)];
        kept.failed += 1;
        let wait_s = wait_s.map_or(back_off, |wait_s| wait_s.max(back_off));
        // A quarter more or less: boxes that failed together do not come back together.
        let ms = u64::from(wait_s) * 750 + u64::from(self.core.random.below(wait_s * 500 + 1));
        let at = self.core.now + Duration::from_millis(ms);
        let timer = TimerKey::Registration(id);
        self.core.timers.restart(&mut kept.timer, at, timer);
        self.core.event(Event::NotRegistered { id, status });
    }
}

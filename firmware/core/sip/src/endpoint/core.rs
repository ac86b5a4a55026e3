//! What every part of the endpoint works with: the time, chance, timers, transactions and the way out.
//!
//! It carries out what the transaction machines want done. It knows no session and no registration;
//! what they have to hear comes back as [`Told`] and [`ServerTold`].

use ::core::hash::BuildHasher;
use ::core::net::{IpAddr, Ipv4Addr, SocketAddr};
use ::core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use model::{Flow, Instant, Transport};

use super::peer::is_weaker;
use super::streams::StreamId;
use super::values::Values;
use super::{
    Closing, EndpointConfig, Event, Output, Random, ReferId, RegistrationId, Seeded, SessionId,
    Timers,
};
use crate::message::{
    CSeq, Essentials, HeaderName, HeaderValue, Headers, Method, Request, Response, StatusCode, Via,
};
use crate::transaction::{
    Action, Actions, ClientEvent, ClientId, Clients, Key, Keys, ServerEvent, ServerId, Servers,
    TimerName, branch_with_cookie,
};

/// Whose timer ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerKey {
    /// A client transaction's.
    Client(ClientId, TimerName),
    /// A server transaction's.
    Server(ServerId, TimerName),
    /// A session's.
    Session(SessionId, crate::session::SessionTimer),
    /// The earliest end among an extension's bindings.
    Bindings(model::ExtensionId),
    /// The next dialogs of before a restart are to be ended.
    Farewells,
    /// A registration of ours is to be asked for.
    Registration(RegistrationId),
    /// A connection's that has something left to prove or to finish.
    Stream(StreamId),
}

/// What a request of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The INVITE that makes the session.
    Invite,
    /// An INVITE in the session: an offer, or a refresh only.
    Reinvite,
    /// UPDATE with an offer, or without one to refresh.
    Update,
    /// PRACK; of which fork.
    Prack,
    /// CANCEL of the first INVITE.
    Cancel,
    /// The end of the session.
    Bye,
    /// How a transfer goes.
    Notify(ReferId),
    /// OPTIONS: whether the peer is there.
    Options,
    /// The end of a dialog that no session wants: nobody waits for the answer.
    Stray,
    /// REGISTER: a registration of ours.
    Register(RegistrationId),
}

impl Purpose {
    /// A request that whoever is still there answers at once.
    const fn is_within_session(self) -> bool {
        matches!(
            self,
            Self::Reinvite | Self::Update | Self::Prack | Self::Bye | Self::Notify(_)
        )
    }
}

/// Who uses a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientUser {
    /// The session.
    pub(crate) session: SessionId,
    /// What for.
    pub(crate) purpose: Purpose,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// An answer came.
    Response(Box<Response>),
    /// None came in time.
    Timeout,
    /// It could not be sent, or its connection is gone.
    TransportFailed,
}

/// What a client transaction tells its user.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Which transaction; it may be gone by now.
    pub(crate) id: ClientId,
    /// Its user.
    pub(crate) user: ClientUser,
    /// By which way its request went last.
    pub(crate) flow: Flow,
    /// What it says.
    pub(crate) outcome: Outcome,
    /// From which connection to which the peer has moved.
    pub(crate) moved: Option<(Flow, Flow)>,
}

/// What a server transaction tells the session that has to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerTold {
    /// The ACK for its 2xx came with the INVITE's own branch (RFC 2543).
    Ack,
    /// It has ended without an answer of the session, or without ACK.
    Timeout,
    /// The caller can't be reached any more.
    TransportFailed,
}

/// The shared part.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) now: Instant,
    pub(crate) config: EndpointConfig,
    pub(crate) random: Random,
    pub(crate) timers: Timers<TimerKey>,
    pub(crate) clients: Clients<ClientUser>,
    pub(crate) servers: Servers,
    pub(crate) values: Values,
    /// Spreads what is to come again.
    spread: Seeded,
    outputs: VecDeque<Output>,
    /// Where messages are printed; kept for its memory.
    paper: Vec<u8>,
    /// The last Via but for its branch: most requests go by the same transport and address of ours.
    via: (Transport, SocketAddr, String),
}

impl Core {
    pub(crate) fn new(now: Instant, config: EndpointConfig) -> Self {
        let random = Random::new(config.seed);
        let keys = Keys::new(&random);
        let spread = Seeded::new(random.derive("spread of Retry-After"));
        Self {
            now,
            values: Values::new(&config.product),
            config,
            random,
            timers: Timers::new(),
            clients: Clients::new(),
            servers: Servers::new(keys),
            spread,
            outputs: VecDeque::new(),
            paper: Vec::new(),
            via: (
                Transport::Udp,
                SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
                String::new(),
            ),
        }
    }

    /// The next thing for the shell.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells the exchange.
    pub(crate) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Sends octets.
    pub(crate) fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Transmit { flow, bytes });
    }

    /// Seconds for Retry-After, from three fifths to twice those wanted: callers refused together do
    /// not come back together. The same Call-ID gets the same; so that a repeated request gets a
    /// repeated answer.
    pub(crate) fn spread(&self, seconds: u32, headers: &Headers) -> u32 {
        let call_id = headers.raw(&HeaderName::CallId).map(HeaderValue::as_bytes);
        let least = seconds * 3 / 5;
        let steps = u64::from(seconds * 2 - least + 1);
        let step = self.spread.hash_one(call_id) % steps;
        least + u32::try_from(step).unwrap_or(0)
    }

    /// A request as it is sent; it takes no more than its length, since some are kept for half a minute.
    pub(crate) fn print_request(&mut self, request: &Request) -> Bytes {
        self.paper.clear();
        request.write_to(&mut self.paper);
        Bytes::copy_from_slice(&self.paper)
    }

    /// A response as it is sent.
    pub(crate) fn print_response(&mut self, response: &Response) -> Bytes {
        self.paper.clear();
        response.write_to(&mut self.paper);
        Bytes::copy_from_slice(&self.paper)
    }

    /// Has a connection closed.
    pub(crate) fn close_stream(&mut self, flow: Flow, why: Closing) {
        self.outputs.push_back(Output::CloseStream { flow, why });
    }
}

/// Client transactions.
impl Core {
    /// `Via` of ours (RFC 3261 §18.1.1); rport is asked for always (RFC 3581 §3).
    fn via(&mut self, flow: Flow, branch: &str) -> HeaderValue {
        let (transport, local, text) = &mut self.via;
        if text.is_empty() || (*transport, *local) != (flow.transport, flow.local) {
            let name = flow.transport.via_name();
            *text = format!("SIP/2.0/{name} {};rport;branch=", flow.local);
            (*transport, *local) = (flow.transport, flow.local);
        }
        HeaderValue::new([text.as_bytes(), branch.as_bytes()].concat())
    }

    /// Sends a request in a transaction of its own; the Via is added here.
    pub(crate) fn request(
        &mut self,
        flow: Flow,
        mut request: Request,
        user: ClientUser,
    ) -> ClientId {
        let id = self.clients.next_id();
        let branch = branch_with_cookie(&mut self.random, id);
        let via = self.via(flow, &branch);
        request.headers.push_front(HeaderName::Via, via);
        let wire = self.print_request(&request);
        let actions = self.clients.add(id, branch, flow, request, wire, user);
        self.run_client(id, actions, None, false);
        id
    }

    /// Sends CANCEL for an INVITE of ours (RFC 3261 §9.1).
    pub(crate) fn cancel(&mut self, invite: ClientId, reason: Option<HeaderValue>) {
        let Some(transaction) = self.clients.get(invite) else {
            return;
        };
        let Some(original) = &transaction.invite else {
            return;
        };
        let (flow, user) = (transaction.flow, transaction.user);
        let branch: Box<str> = transaction.branch().into();
        let mut request = repeated(original, Method::Cancel);
        request
            .headers
            .copy_from(&original.headers, &HeaderName::To);
        if let Some(reason) = reason {
            request.headers.push(HeaderName::Reason, reason);
        }
        let wire = self.print_request(&request);
        let id = self.clients.next_id();
        let user = ClientUser {
            purpose: Purpose::Cancel,
            ..user
        };
        let actions = self.clients.add(id, branch, flow, request, wire, user);
        if let Some(transaction) = self.clients.get_mut(invite) {
            transaction.cancel = Some(id);
        }
        self.run_client(id, actions, None, false);
    }

    /// Takes a response; `None` where no transaction has asked for it, or its user need not hear of it.
    pub(crate) fn on_response(
        &mut self,
        flow: Flow,
        response: Response,
        essentials: &Essentials,
    ) -> Option<Told> {
        let branch = essentials.via.branch()?;
        let id = self.clients.matching(branch, &essentials.cseq.method)?;
        let sent_by = self.clients.get(id)?.flow;
        if is_weaker(flow, sent_by) {
            return None;
        }
        // RFC 3261 §18.2.2: it comes by another connection where the peer has lost the one of the request.
        let moves = flow != sent_by && flow.transport.is_stream() && sent_by.transport.is_stream();
        let moved = moves.then_some((sent_by, flow));
        if moves {
            self.clients.move_to(id, flow);
        }
        let event = match response.status.class() {
            1 => ClientEvent::Provisional,
            2 => ClientEvent::Success,
            _ => ClientEvent::Failure,
        };
        let told = self.client_event(id, event, Some(response))?;
        Some(Told { moved, ..told })
    }

    /// Hands an event to a client transaction.
    pub(crate) fn client_event(
        &mut self,
        id: ClientId,
        event: ClientEvent,
        response: Option<Response>,
    ) -> Option<Told> {
        let transaction = self.clients.get_mut(id)?;
        match event {
            ClientEvent::Timer(name) => transaction.timers[name.slot()] = None,
            // From now on it isn't sent again.
            ClientEvent::Success | ClientEvent::Failure => transaction.wire = Bytes::new(),
            ClientEvent::Provisional | ClientEvent::TransportFailed => {}
        }
        let silent = transaction.is_silent();
        let actions = transaction.on(event);
        self.run_client(id, actions, response, silent)
    }

    /// `silent` where no answer of any kind had come.
    fn run_client(
        &mut self,
        id: ClientId,
        actions: Actions,
        response: Option<Response>,
        silent: bool,
    ) -> Option<Told> {
        let transaction = self.clients.get(id)?;
        let (user, flow) = (transaction.user, transaction.flow);
        let mut outcome = None;
        let mut tell = false;
        for action in actions.iter() {
            match *action {
                Action::Send => {
                    let transaction = self.clients.get(id)?;
                    self.transmit(transaction.flow, transaction.wire.clone());
                }
                Action::SendAck => self.acknowledge_refusal(id, response.as_ref()),
                Action::Start(name, after) => {
                    let at = self.now + after;
                    let transaction = self.clients.get_mut(id)?;
                    let place = &mut transaction.timers[name.slot()];
                    self.timers.restart(place, at, TimerKey::Client(id, name));
                }
                Action::Stop(name) => {
                    let transaction = self.clients.get_mut(id)?;
                    self.timers.stop_in(&mut transaction.timers[name.slot()]);
                }
                Action::Tell => tell = true,
                Action::TellTimeout => {
                    outcome = Some(Outcome::Timeout);
                    if silent && user.purpose.is_within_session() {
                        self.event(Event::Unanswered { flow });
                    }
                }
                Action::TellTransportFailed => outcome = Some(Outcome::TransportFailed),
                Action::Terminate => self.forget_client(id),
                // A client machine never answers.
                Action::SendTrying => {}
            }
        }
        if tell {
            outcome = response.map(|response| Outcome::Response(Box::new(response)));
        }
        outcome.map(|outcome| Told {
            id,
            user,
            flow,
            outcome,
            moved: None,
        })
    }

    /// Gives an INVITE that has a provisional answer this much time from now on.
    pub(crate) fn bound(&mut self, id: ClientId, time: Duration) {
        let at = self.now + time;
        if let Some(transaction) = self.clients.get_mut(id)
            && transaction.is_proceeding_invite()
        {
            let place = &mut transaction.timers[TimerName::B.slot()];
            self.timers
                .restart(place, at, TimerKey::Client(id, TimerName::B));
        }
    }

    /// Ends a transaction whose answer does not matter any more.
    pub(crate) fn forget_client(&mut self, id: ClientId) {
        if let Some(mut gone) = self.clients.remove(id) {
            for place in &mut gone.timers {
                self.timers.stop_in(place);
            }
        }
    }

    /// ACK for 300 to 699: part of the transaction (RFC 3261 §17.1.1.3).
    fn acknowledge_refusal(&mut self, id: ClientId, response: Option<&Response>) {
        let Some(transaction) = self.clients.get_mut(id) else {
            return;
        };
        let flow = transaction.flow;
        if transaction.ack.is_none()
            && let (Some(invite), Some(response)) = (&transaction.invite, response)
        {
            let mut ack = repeated(invite, Method::Ack);
            ack.headers.copy_from(&response.headers, &HeaderName::To);
            transaction.ack = Some(ack.to_bytes());
        }
        if let Some(ack) = transaction.ack.clone() {
            self.transmit(flow, ack);
        }
    }
}

/// Server transactions.
impl Core {
    /// Makes a transaction for a request.
    pub(crate) fn serve(&mut self, key: Key, flow: Flow, request: Arc<Request>) -> ServerId {
        let (id, actions) = self.servers.add(key, flow, request);
        self.run_server(id, actions);
        id
    }

    /// Hands an event to a server transaction.
    pub(crate) fn server_event(
        &mut self,
        id: ServerId,
        event: ServerEvent,
    ) -> Option<(SessionId, ServerTold)> {
        let transaction = self.servers.get_mut(id)?;
        if let ServerEvent::Timer(name) = event {
            transaction.timers[name.slot()] = None;
        }
        let session = transaction.session;
        let actions = transaction.on(event);
        let told = self.run_server(id, actions)?;
        session.map(|session| (session, told))
    }

    /// Answers a request; nothing happens where it has its final answer. The octets sent come back.
    pub(crate) fn respond(&mut self, id: ServerId, response: &Response) -> Option<Bytes> {
        let transaction = self.servers.get_mut(id)?;
        let actions = transaction.on(match response.status.class() {
            1 => ServerEvent::Provisional,
            2 => ServerEvent::Success,
            _ => ServerEvent::Failure,
        });
        if actions.is_empty() {
            return None;
        }
        let wire = self.print_response(response);
        if let Some(transaction) = self.servers.get_mut(id) {
            transaction.wire = wire.clone();
            if response.status.class() > 1 {
                transaction.request = None;
            }
        }
        self.run_server(id, actions);
        Some(wire)
    }

    /// Answers a request with a status and no more.
    pub(crate) fn respond_status(&mut self, id: ServerId, status: StatusCode) {
        if let Some(response) = self.response(id, status) {
            self.respond(id, &response);
        }
    }

    /// The same, with our tag in the To where the request had none.
    pub(crate) fn respond_tagged(&mut self, id: ServerId, status: StatusCode, tag: &str) {
        if let Some(response) = self.response(id, status) {
            self.respond(id, &response.with_to_tag(tag));
        }
    }

    /// A response to a request, to be completed; `None` where the request is forgotten.
    pub(crate) fn response(&self, id: ServerId, status: StatusCode) -> Option<Response> {
        let transaction = self.servers.get(id)?;
        Some(self.response_to(transaction.request.as_ref()?, status))
    }

    /// A response to a request, to be completed.
    pub(crate) fn response_to(&self, request: &Request, status: StatusCode) -> Response {
        let mut response = Response::to(request, status);
        response
            .headers
            .push(HeaderName::Server, self.values.product.clone());
        response
    }

    fn run_server(&mut self, id: ServerId, actions: Actions) -> Option<ServerTold> {
        let mut told = None;
        for action in actions.iter() {
            match *action {
                Action::Send => {
                    let transaction = self.servers.get(id)?;
                    self.transmit(transaction.flow, transaction.wire.clone());
                }
                Action::SendTrying => {
                    let trying = self.response(id, StatusCode::TRYING)?;
                    let trying = self.print_response(&trying);
                    let transaction = self.servers.get_mut(id)?;
                    transaction.wire = trying.clone();
                    let flow = transaction.flow;
                    self.transmit(flow, trying);
                }
                Action::Start(name, after) => {
                    let at = self.now + after;
                    let transaction = self.servers.get_mut(id)?;
                    let place = &mut transaction.timers[name.slot()];
                    self.timers.restart(place, at, TimerKey::Server(id, name));
                }
                Action::Stop(name) => {
                    let transaction = self.servers.get_mut(id)?;
                    self.timers.stop_in(&mut transaction.timers[name.slot()]);
                }
                Action::Tell => told = Some(ServerTold::Ack),
                Action::TellTimeout => told = Some(ServerTold::Timeout),
                Action::TellTransportFailed => told = Some(ServerTold::TransportFailed),
                Action::Terminate => {
                    if let Some(mut gone) = self.servers.remove(id) {
                        for place in &mut gone.timers {
                            self.timers.stop_in(place);
                        }
                    }
                }
                // A server machine never acknowledges.
                Action::SendAck => {}
            }
        }
        told
    }
}

/// Sends an ACK for a 2xx: a transaction of its own that waits for nothing. The octets come back, to be
/// sent again with each 2xx (RFC 3261 §13.2.2.4).
pub(crate) fn send_ack(core: &mut Core, flow: Flow, mut ack: Request) -> Bytes {
    let id = core.clients.next_id();
    let branch = branch_with_cookie(&mut core.random, id);
    let via = core.via(flow, &branch);
    ack.headers.push_front(HeaderName::Via, via);
    let wire = core.print_request(&ack);
    core.transmit(flow, wire.clone());
    wire
}

/// ACK and CANCEL repeat these fields of their INVITE: topmost Via, From, Call-ID, `CSeq` number, Route
/// (RFC 3261 §9.1, §17.1.1.3). To is for the caller to add.
fn repeated(invite: &Request, method: Method) -> Request {
    let mut request = Request::new(method.clone(), invite.uri.clone());
    let headers = &mut request.headers;
    if let Some(via) = invite.headers.raw(&HeaderName::Via) {
        headers.push(HeaderName::Via, via.clone());
    }
    headers.push(HeaderName::MaxForwards, 70);
    for name in [HeaderName::From, HeaderName::CallId, HeaderName::Route] {
        headers.copy_from(&invite.headers, &name);
    }
    if let Ok(CSeq { seq, .. }) = invite.headers.cseq() {
        headers.push(HeaderName::CSeq, CSeq::new(seq, method));
    }
    request
}

/// True where the first Via is ours: a request that has come back (RFC 3261 §16.3 in spirit).
pub(crate) fn is_our_via(via: &Via, flow: Flow) -> bool {
    via.host.ip() == Some(flow.local.ip()) && via.port.unwrap_or(5060) == flow.local.port()
}

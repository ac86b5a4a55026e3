//! An endpoint under a clock of its own, with what it sent and told in two queues.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use model::{ExtensionId, Flow, Instant, Secret, Transport};

use crate::endpoint::{Account, Closing, Endpoint, EndpointConfig, Event, Input, Output};
use crate::message::{HeaderName, Limits, Message, Request, Response};

/// The box.
pub(super) const BOX: &str = "192.0.2.1:5060";
/// The phone of extension 100.
pub(super) const ALICE: &str = "192.0.2.10:5060";
/// The phone of extension 200.
pub(super) const BOB: &str = "192.0.2.20:5060";

/// The UDP flow between the box and an address.
pub(super) fn flow(remote: &str) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: BOX.parse().unwrap(),
        remote: remote.parse().unwrap(),
    }
}

/// The same over a stream.
pub(super) fn stream(transport: Transport, remote: &str) -> Flow {
    Flow {
        transport,
        ..flow(remote)
    }
}

/// A message that the endpoint sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) flow: Flow,
    pub(super) at_ms: u64,
    pub(super) bytes: Bytes,
}

impl Sent {
    /// Read by the same parser that everybody's messages pass.
    pub(super) fn message(&self) -> Message {
        Message::parse_bytes(&self.bytes, &Limits::DEFAULT).expect("what is sent can be read")
    }

    /// `INVITE` or `200 INVITE`.
    pub(super) fn summary(&self) -> String {
        match self.message() {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => {
                let cseq = response.headers.cseq().expect("CSeq");
                format!("{} {}", response.status, cseq.method)
            }
        }
    }

    pub(super) fn request(&self) -> Request {
        match self.message() {
            Message::Request(request) => request,
            Message::Response(_) => panic!("not a request: {self}"),
        }
    }

    pub(super) fn response(&self) -> Response {
        match self.message() {
            Message::Response(response) => response,
            Message::Request(_) => panic!("not a response: {self}"),
        }
    }

    /// All values of a header, joined by `, `; empty where it is absent.
    pub(super) fn header(&self, name: &str) -> String {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let message = self.message();
        let values: Vec<String> = message
            .headers()
            .values(&name)
            .map(crate::message::HeaderValue::to_text)
            .collect();
        values.join(", ")
    }

    pub(super) fn body(&self) -> String {
        String::from_utf8(self.message().body().to_vec()).unwrap()
    }

    pub(super) fn tag(&self, name: &str) -> String {
        let headers = self.message().headers().clone();
        let address = match name {
            "From" => headers.from(),
            _ => headers.to(),
        };
        address.unwrap().tag().unwrap_or_default().to_owned()
    }
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "\n--- {} ms to {}\n{}",
            self.at_ms,
            self.flow,
            String::from_utf8_lossy(&self.bytes)
        )
    }
}

/// The tape.
pub(super) struct Tape {
    pub(super) endpoint: Endpoint,
    now_ms: u64,
    pub(super) sent: VecDeque<Sent>,
    pub(super) events: VecDeque<Event>,
    pub(super) closed: VecDeque<(Flow, Closing)>,
    /// Connections that the endpoint was told of.
    open: BTreeSet<Flow>,
}

impl Tape {
    /// Extensions 100 (id 1) and 200 (id 2); the password of both is `secret`.
    pub(super) fn new() -> Self {
        Self::with(config())
    }

    pub(super) fn with(config: EndpointConfig) -> Self {
        let mut endpoint = Endpoint::new(Instant::ZERO, config);
        endpoint.set_accounts(Instant::ZERO, vec![account(1, "100"), account(2, "200")]);
        Self {
            endpoint,
            now_ms: 0,
            sent: VecDeque::new(),
            events: VecDeque::new(),
            closed: VecDeque::new(),
            open: BTreeSet::new(),
        }
    }

    pub(super) fn now(&self) -> Instant {
        Instant::from_millis(self.now_ms)
    }

    /// The clock shows this many milliseconds; on the way there all timers run out in time.
    pub(super) fn at(&mut self, ms: u64) {
        while let Some(next) = self.endpoint.poll_timeout()
            && next <= Instant::from_millis(ms)
        {
            self.now_ms = next.as_millis().max(self.now_ms);
            self.endpoint.handle_input(next, Input::Timeout);
            self.drain();
        }
        self.now_ms = ms;
    }

    /// So many milliseconds later.
    pub(super) fn after(&mut self, ms: u64) {
        self.at(self.now_ms + ms);
    }

    /// A message comes in.
    pub(super) fn recv(&mut self, flow: Flow, text: &str) {
        self.recv_bytes(flow, text.as_bytes());
    }

    /// Over a stream, on a connection that is opened where there is none.
    pub(super) fn recv_bytes(&mut self, flow: Flow, bytes: &[u8]) {
        if flow.transport.is_stream() && !self.open.contains(&flow) {
            self.input(Input::StreamOpened { flow });
        }
        let bytes = Bytes::copy_from_slice(bytes);
        let input = if flow.transport.is_stream() {
            Input::StreamData { flow, bytes }
        } else {
            Input::Datagram { flow, bytes }
        };
        self.input(input);
    }

    pub(super) fn input(&mut self, input: Input) {
        match input {
            Input::StreamOpened { flow } => drop(self.open.insert(flow)),
            Input::StreamClosed { flow } => drop(self.open.remove(&flow)),
            _ => {}
        }
        self.endpoint.handle_input(self.now(), input);
        self.drain();
    }

    /// The exchange does something.
    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Endpoint, Instant) -> T) -> T {
        let now = self.now();
        let result = act(&mut self.endpoint, now);
        self.drain();
        result
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { flow, bytes } => self.sent.push_back(Sent {
                    flow,
                    at_ms: self.now_ms,
                    bytes,
                }),
                Output::Event(event) => self.events.push_back(event),
                Output::CloseStream { flow, why } => {
                    self.open.remove(&flow);
                    self.closed.push_back((flow, why));
                }
            }
        }
    }

    /// The next message sent; it has to be this one: `INVITE`, `200 INVITE`.
    #[track_caller]
    pub(super) fn sends(&mut self, summary: &str) -> Sent {
        let Some(sent) = self.sent.pop_front() else {
            panic!("{summary} was not sent; events: {:?}", self.events);
        };
        assert_eq!(sent.summary(), summary, "{sent}");
        sent
    }

    /// The clock runs until something is sent; it has to be this.
    #[track_caller]
    pub(super) fn sends_in_time(&mut self, summary: &str) -> Sent {
        while self.sent.is_empty()
            && let Some(next) = self.endpoint.poll_timeout()
        {
            self.at(next.as_micros().div_ceil(1000));
        }
        self.sends(summary)
    }

    /// Nothing more was sent.
    #[track_caller]
    pub(super) fn sends_nothing(&self) {
        if let Some(sent) = self.sent.front() {
            panic!("sent: {sent}");
        }
    }

    /// The next event.
    #[track_caller]
    pub(super) fn event(&mut self) -> Event {
        self.events.pop_front().expect("an event")
    }

    /// No more events.
    #[track_caller]
    pub(super) fn no_event(&self) {
        assert!(self.events.is_empty(), "{:?}", self.events);
    }

    /// Everything is over after a while: no transaction, session or timer is left.
    #[track_caller]
    pub(super) fn ends_clean(&mut self) {
        self.after(400_000);
        let counts = self.endpoint.counts();
        assert_eq!(
            (counts.transactions, counts.sessions, counts.timers),
            (0, 0, counts.bindings.min(1)),
            "{counts:?}"
        );
    }
}

pub(super) fn config() -> EndpointConfig {
    EndpointConfig {
        realm: "box.example".to_owned(),
        digest: crate::digest::DigestOffer::Sha256ThenMd5,
        product: "Box".to_owned(),
        seed: [42; 32],
        expires_s: (60, 3600, 7200),
        session_expires_s: 1800,
        sessions: 200,
        server_transactions: 50_000,
        streams: crate::endpoint::STREAMS,
    }
}

pub(super) fn account(id: u32, name: &str) -> Account {
    Account {
        extension: ExtensionId::new(id),
        username: name.to_owned(),
        password: Secret::new("secret"),
        aor_user: name.to_owned(),
        loopback_only: false,
        urgent_only: false,
    }
}

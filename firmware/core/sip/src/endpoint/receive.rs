//! Octets to messages, messages and time-outs to transactions (RFC 3261 §17, §18).

use bytes::Bytes;
use model::{Flow, Instant};

use super::core::TimerKey;
use super::reach::way_back;
use super::sources::Verdict;
use super::streams::Room;
use super::{Closing, Endpoint, Event, Input};
use crate::message::{Limits, Message, ParseError, Response};
use crate::stream::{Frame, Framer};
use crate::transaction::{ClientEvent, ServerEvent, TimerName};

impl Endpoint {
    /// Takes one input; what it leads to comes out of `poll_output`.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.at(now);
        match input {
            Input::Datagram { flow, bytes } => self.on_datagram(flow, &bytes),
            Input::StreamOpened { flow } => self.stream_opened(flow),
            Input::StreamData { flow, bytes } => self.on_stream(flow, &bytes),
            Input::StreamClosed { flow } => self.stream_ended(flow),
            // A connection that takes nothing more is given up.
            Input::SendFailed { flow } if flow.transport.is_stream() => self.stream_ended(flow),
            Input::SendFailed { flow } => self.transport_failed(flow),
            Input::Timeout => self.on_timeout(),
        }
    }

    fn on_datagram(&mut self, flow: Flow, bytes: &Bytes) {
        if self.is_admitted(flow) {
            self.on_message(flow, bytes);
        }
    }

    /// Whether something of a sender that has proved nothing by this way is looked at.
    fn is_admitted(&mut self, flow: Flow) -> bool {
        let source = flow.remote.ip();
        match self.sources.admit(self.core.now, flow) {
            Verdict::Admit => true,
            Verdict::Ignore { .. } if self.trusted.contains(&source) => true,
            Verdict::Ignore { first } => {
                if first {
                    self.core.event(Event::Ignored { flow });
                }
                false
            }
        }
    }

    /// What came on a flow shows that its sender belongs here.
    pub(super) fn prove_source(&mut self, flow: Flow) {
        self.sources.prove(self.core.now, flow.remote.ip());
    }

    fn stream_opened(&mut self, flow: Flow) {
        match self.streams.room_for(flow) {
            Room::Free => {}
            Room::Of(oldest) => self.give_up(oldest, Closing::GivesWay),
            Room::No => {
                self.core.close_stream(flow, Closing::NoRoom);
                return;
            }
        }
        self.streams.open(&mut self.core, flow);
        // A request of ours that goes there had the connection opened: to a registered phone, that is.
        let ours = !self.core.clients.on_flow(flow).is_empty();
        if ours || self.trusted.contains(&flow.remote.ip()) {
            self.streams.prove(&mut self.core, flow);
        }
    }

    fn on_stream(&mut self, flow: Flow, bytes: &Bytes) {
        // What is left of a connection that is closed already belongs to nobody.
        let Some(framer) = self.streams.framer(flow) else {
            return;
        };
        framer.push(bytes);
        // However many pings came at once, one sign of life answers them.
        let mut answered = false;
        let mut progress = false;
        // A message may close the stream it came on.
        while let Some(frame) = self.streams.framer(flow).and_then(Framer::next) {
            let costs = match &frame {
                Ok(Frame::Message(_)) => true,
                Ok(Frame::Ping) => !answered,
                Ok(Frame::Pong) | Err(_) => false,
            };
            if costs && !self.streams.is_proven(flow) && !self.is_admitted(flow) {
                // Passed over as a datagram is, it would not come again: the peer has to know.
                self.give_up(flow, Closing::TooMany);
                return;
            }
            match frame {
                Ok(Frame::Message(bytes)) => {
                    progress = true;
                    self.on_message(flow, &bytes);
                }
                Ok(Frame::Ping) if answered => {}
                Ok(Frame::Ping) => {
                    answered = true;
                    self.core.transmit(flow, Bytes::from_static(Framer::PONG));
                }
                Ok(Frame::Pong) => {}
                // RFC 3261 §18.3: where a message ends can't be told any more.
                Err(_) => self.give_up(flow, Closing::Nonsense),
            }
        }
        if !self.streams.settle(&mut self.core, flow, progress) {
            self.give_up(flow, Closing::TooLong);
        }
    }

    /// Credentials that came on a flow were wrong: a connection has so many tries.
    pub(super) fn count_wrong(&mut self, flow: Flow) {
        if !self.streams.may_try_again(flow) {
            self.give_up(flow, Closing::TooWrong);
        }
    }

    /// Closes a connection.
    fn give_up(&mut self, flow: Flow, why: Closing) {
        self.core.close_stream(flow, why);
        self.stream_ended(flow);
    }

    /// A connection is no more.
    fn stream_ended(&mut self, flow: Flow) {
        self.streams.close(&mut self.core, flow);
        self.transport_failed(flow);
        self.registrar.on_closed(&mut self.core, flow);
    }

    fn on_message(&mut self, flow: Flow, bytes: &Bytes) {
        if self.overheard {
            let bytes = bytes.clone();
            self.core.event(Event::Heard { flow, bytes });
        }
        match Message::parse_bytes(bytes, &Limits::DEFAULT) {
            Ok(Message::Request(request)) => self.on_request(flow, request),
            Ok(Message::Response(response)) => self.on_response(flow, response),
            Err(error) => self.on_malformed(flow, error),
        }
    }

    /// What can be answered is; keep-alives and the rest are dropped.
    fn on_malformed(&mut self, flow: Flow, error: ParseError) {
        let Some(rejected) = error.rejected else {
            return;
        };
        let mut response = rejected.response();
        let mut back = flow;
        if let Ok(mut via) = response.headers.via() {
            super::server::complete_via(&mut via, flow);
            back = way_back(&via, flow);
            response
                .headers
                .set_first_element(&crate::message::HeaderName::Via, via);
        }
        self.respond_without_state(back, response);
    }

    fn on_response(&mut self, flow: Flow, response: Response) {
        let Ok(essentials) = response.essentials() else {
            return;
        };
        if self.is_forgotten(&response, &essentials) {
            self.end_forgotten(flow, &response, &essentials);
            return;
        }
        if let Some(told) = self.core.on_response(flow, response, &essentials) {
            self.prove_source(flow);
            self.streams.prove(&mut self.core, flow);
            self.on_told(told);
        }
    }

    /// Requests that wait for an answer by this way fail at once.
    fn transport_failed(&mut self, flow: Flow) {
        for id in self.core.clients.on_flow(flow) {
            let told = self
                .core
                .client_event(id, ClientEvent::TransportFailed, None);
            if let Some(told) = told {
                self.on_told(told);
            }
        }
        for id in self.core.servers.invites_on(flow) {
            if let Some((session, told)) = self.core.server_event(id, ServerEvent::TransportFailed)
            {
                self.in_session(session, |session, core| {
                    session.on_server_told(core, id, told);
                });
            }
        }
    }

    fn on_timeout(&mut self) {
        let now = self.core.now;
        while let Some(key) = self.core.timers.expired(now) {
            match key {
                TimerKey::Client(id, name) => self.on_client_timer(id, name),
                TimerKey::Server(id, name) => {
                    let told = self.core.server_event(id, ServerEvent::Timer(name));
                    if let Some((session, told)) = told {
                        self.in_session(session, |session, core| {
                            session.on_server_told(core, id, told);
                        });
                    }
                }
                TimerKey::Session(id, timer) => {
                    self.in_session(id, |session, core| session.on_timer(core, timer));
                }
                TimerKey::Bindings(extension) => {
                    self.registrar.on_timer(&mut self.core, extension);
                }
                TimerKey::Farewells => self.say_farewells(),
                TimerKey::Registration(id) => self.on_registration_timer(id),
                TimerKey::Stream(id) => {
                    if let Some(flow) = self.streams.overdue(id) {
                        self.give_up(flow, Closing::TooSlow);
                    }
                }
            }
        }
        self.tidy_refers();
    }

    fn on_client_timer(&mut self, id: crate::transaction::ClientId, name: TimerName) {
        if let Some(told) = self.core.client_event(id, ClientEvent::Timer(name), None) {
            self.on_told(told);
        }
    }
}

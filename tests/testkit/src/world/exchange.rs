//! The exchange itself: the real switch and the real graph, and what is checked of everything they say.

use core::net::SocketAddr;
use std::collections::BTreeSet;
use std::sync::Arc;

use media::{Channel, Command, Event, Graph};
use model::config::Configuration;
use model::{Binding, CallId, Disposition, Flow, Instant, KeptDialog, OpenCall, PortId, Transport};
use pbx::{Output, Switch, SwitchConfig};
use rtp::rtcp::NtpClock;
use sip::message::{Limits, Message};

use super::{RTP_BASE, WALL, World};
use crate::phone::message::{Msg, uri_of};

/// The longest datagram: the payload of an Ethernet frame.
const MTU: usize = 1472;

/// A packet of the graph: from which port of ours, to where.
pub(super) type Rtp = (u16, SocketAddr, Vec<u8>);

/// The exchange under test.
pub(super) struct Exchange {
    pub(super) switch: Switch,
    pub(super) graph: Graph,
    pub(super) ports: u16,
    open: BTreeSet<PortId>,
    closing: BTreeSet<PortId>,
    /// Events at this moment.
    pub(super) spins: u32,
}

impl Exchange {
    pub(super) fn new(
        now: Instant,
        configuration: Configuration,
        seed: [u8; 32],
        ports: u16,
        (bindings, dialogs): (Vec<Binding>, Vec<KeptDialog>),
        first_call: u64,
    ) -> Self {
        let wall = WALL + now.since(Instant::ZERO);
        let config = SwitchConfig {
            configuration: Arc::new(configuration),
            wall,
            seed,
            first_call: CallId::new(first_call),
            rtp_ports: (0..ports).map(|port| RTP_BASE + 2 * port).collect(),
            streams: sip::endpoint::STREAMS,
            bindings,
            dialogs,
            product: "Operator Box".into(),
        };
        Self {
            switch: Switch::new(now, config),
            graph: Graph::new(ports.into(), NtpClock::new(now, wall)),
            ports,
            open: BTreeSet::new(),
            closing: BTreeSet::new(),
            spins: 0,
        }
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.switch.poll_timeout()
    }

    pub(super) fn has_open_ports(&self) -> bool {
        !(self.open.is_empty() && self.closing.is_empty())
    }

    /// What the graph has to tell next.
    pub(super) fn media_event(&mut self) -> Option<Event> {
        let event = self.graph.poll_event()?;
        if let Event::Closed { port, .. } = &event {
            self.closing.remove(port);
        }
        Some(event)
    }

    pub(super) fn tick(&mut self, now: Instant) -> Vec<Rtp> {
        let mut out = Vec::new();
        self.graph.tick(now, &mut |packet| out.push(rtp(&packet)));
        out
    }

    pub(super) fn packet(
        &mut self,
        now: Instant,
        to: u16,
        source: SocketAddr,
        octets: &mut [u8],
    ) -> Vec<Rtp> {
        let mut out = Vec::new();
        let index = to.wrapping_sub(RTP_BASE);
        let channel = if index.is_multiple_of(2) {
            Channel::Rtp
        } else {
            Channel::Rtcp
        };
        if index / 2 < self.ports {
            let port = PortId::new(index / 2);
            self.graph
                .packet(now, port, channel, source, octets, &mut |packet| {
                    out.push(rtp(&packet));
                });
        }
        out
    }

    fn command(&mut self, now: Instant, command: Command) -> Result<(), String> {
        let fits = match &command {
            Command::Open { port, .. } => !self.closing.contains(port) && self.open.insert(*port),
            Command::Close { port } => self.open.remove(port) && self.closing.insert(*port),
            Command::Connect { a, b, .. } => self.open.contains(a) && self.open.contains(b),
            Command::Update { port, .. }
            | Command::Disconnect { port }
            | Command::Play { port, .. }
            | Command::Stop { port }
            | Command::SendDigit { port, .. }
            | Command::Report { port } => self.open.contains(port),
        };
        self.graph.command(now, command);
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{command:?} does not fit open ports {:?}",
                self.open
            ))
        }
    }
}

fn rtp(packet: &media::Transmit<'_>) -> Rtp {
    let odd = u16::from(packet.channel == Channel::Rtcp);
    let from = RTP_BASE + 2 * packet.port.raw() + odd;
    (from, packet.to, packet.octets.to_vec())
}

impl World {
    /// Carries out what the switch wants, in its order, and checks each of it.
    pub(super) fn carry_out(&mut self) {
        // A message that acknowledges an end has left, so what is to be kept must not come after it.
        let mut acknowledged: Option<String> = None;
        let mut found = Vec::new();
        while let Some(output) = self.exchange.switch.poll_output() {
            match output {
                Output::Transmit { flow, bytes } => {
                    let msg = self.check_message(flow, &bytes);
                    acknowledged = acknowledged.or_else(|| acknowledges_an_end(msg.as_ref()?));
                    self.exchange_sends(flow, bytes.to_vec());
                }
                Output::CloseStream { flow, .. } => self.exchange_closes(flow),
                Output::Media(command) => {
                    if let Err(fault) = self.exchange.command(self.now, command) {
                        self.broken(&fault);
                    }
                    self.media_out();
                }
                Output::BindingPut(binding) => {
                    let contact = &binding.contact;
                    self.tape.note(
                        self.now,
                        format!("binding {contact} of {}", binding.extension),
                    );
                    self.journal
                        .insert((binding.extension, contact.clone()), *binding);
                }
                Output::BindingRemove { extension, contact } => {
                    self.tape
                        .note(self.now, format!("no binding {contact} of {extension}"));
                    if self.journal.remove(&(extension, contact.clone())).is_none() {
                        self.broken(&format!("a binding is removed that never was: {contact}"));
                    }
                }
                Output::CallOpened(call) => self.call_opened(*call),
                Output::CallClosed(record) => {
                    let again = self.closed.contains_key(&record.call);
                    if let Some(message) = acknowledged.as_ref().filter(|_| !again) {
                        self.broken(&format!(
                            "the record of call {} comes after {message}",
                            record.call
                        ));
                    }
                    if !self.opened.contains(&record.call) {
                        self.broken(&format!(
                            "call {} is closed but was not opened",
                            record.call
                        ));
                    }
                    let text = format!(
                        "call {} closed{}: {:?}, cause {}, by {:?}",
                        record.call,
                        if again { " again" } else { "" },
                        record.disposition,
                        record.cause.value(),
                        record.ended_by
                    );
                    self.tape.note(self.now, text);
                    self.under_way.remove(&record.call);
                    self.closed.entry(record.call).or_default().push(*record);
                }
                Output::Notice(notice) => self.notices.push(*notice),
                Output::Heard { .. } => {}
                Output::Decision { text, .. } => self.tape.note(self.now, &text),
                Output::Security { text, .. } => {
                    self.tape.note(self.now, &text);
                    self.security.push(text);
                }
                Output::Warning(row) => self.tape.note(self.now, row),
                // Servers are named by their addresses here.
                Output::LookUp {
                    interface,
                    host,
                    port,
                    transport,
                } => {
                    let flow = |ip| Flow {
                        transport,
                        local: Self::local(),
                        remote: SocketAddr::new(ip, port.unwrap_or(5060)),
                    };
                    let flows = host.parse().ok().map(flow).into_iter().collect();
                    found.push(pbx::Input::LookedUp { interface, flows });
                }
            }
        }
        for found in found {
            self.exchange.switch.handle_input(self.now, found);
            self.carry_out();
        }
    }

    /// A call came in, or was answered: what is left of it if nothing follows.
    fn call_opened(&mut self, open: OpenCall) {
        let record = &open.record;
        let call = record.call;
        if record.disposition != Disposition::Interrupted || self.closed.contains_key(&call) {
            self.broken(&format!("call {call} opens as {:?}", record.disposition));
        }
        if !self.opened.contains(&call) {
            self.tape.note(self.now, format!("call {call} opened"));
            self.opened.push(call);
        } else if record.answered.is_none() && self.under_way.get(&call) == Some(&open) {
            self.broken(&format!("call {call} is opened twice"));
        } else if record.answered.is_some() {
            self.tape.note(self.now, format!("call {call} answered"));
            // It is all that is left of the call where the process is killed.
            if record.legs.len() != 2 || record.legs.iter().any(|leg| leg.address.is_none()) {
                self.broken(&format!("call {call} is answered by {:?}", record.legs));
            }
        }
        self.under_way.insert(call, open);
    }

    /// Packets that a command makes the graph send come with the next tick; none is lost on the way.
    fn media_out(&self) {
        if self.exchange.graph.events_lost() > 0 {
            self.broken("the graph has lost events");
        }
    }

    /// What every message of the exchange has to be.
    fn check_message(&self, flow: Flow, octets: &[u8]) -> Option<Msg> {
        if octets.iter().all(|octet| matches!(octet, b'\r' | b'\n')) || self.lenient {
            return None;
        }
        let text = || String::from_utf8_lossy(octets).into_owned();
        if flow.transport == Transport::Udp && octets.len() > MTU {
            self.broken(&format!(
                "{} octets in a datagram:\n{}",
                octets.len(),
                text()
            ));
        }
        if let Err(error) = Message::parse(octets, &Limits::DEFAULT) {
            self.broken(&format!(
                "our parser refuses what we send: {error}\n{}",
                text()
            ));
        }
        let msg = match Msg::parse(octets).and_then(|msg| msg.basics().map(|_| msg)) {
            Ok(msg) => msg,
            Err(error) => self.broken(&format!("rsip refuses what we send: {error}\n{}", text())),
        };
        let length = msg
            .header("Content-Length")
            .and_then(|value| value.parse().ok());
        if length != Some(msg.body().len()) {
            self.broken(&format!("Content-Length is {length:?}:\n{}", text()));
        }
        self.check_kept(&msg);
        Some(msg)
    }

    /// A 200 to REGISTER names what is kept already, and nothing else.
    fn check_kept(&self, msg: &Msg) {
        if msg.status() != Some(200)
            || !msg
                .header("CSeq")
                .is_some_and(|cseq| cseq.ends_with("REGISTER"))
        {
            return;
        }
        let to = uri_of(msg.header("To").unwrap_or_default());
        let user = to
            .strip_prefix("sip:")
            .and_then(|rest| rest.split('@').next())
            .unwrap_or_default();
        let Some(extension) = self.extension(user) else {
            return;
        };
        let listed: BTreeSet<&str> = msg.headers("Contact").map(uri_of).collect();
        let kept: BTreeSet<&str> = (self.journal.keys())
            .filter(|(of, _)| *of == extension)
            .map(|(_, contact)| contact.as_str())
            .collect();
        if listed != kept {
            self.broken(&format!(
                "a 200 to REGISTER lists {listed:?}, kept are {kept:?}"
            ));
        }
    }
}

/// A message after which a peer believes that its call is over.
fn acknowledges_an_end(msg: &Msg) -> Option<String> {
    let status = msg.status()?;
    let cseq = msg.header("CSeq")?;
    let ends = (cseq.ends_with("BYE") && status == 200)
        || (cseq.ends_with("INVITE") && status >= 300 && !matches!(status, 401 | 407 | 491 | 488));
    ends.then(|| format!("{status} to {cseq}"))
}

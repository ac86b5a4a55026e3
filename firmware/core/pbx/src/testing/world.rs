//! A switch, its phones and a media thread that does nothing, on a wire without delay.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use model::config::Configuration;
use model::{Binding, CallId, CallRecord, ExtensionId, Instant, PortId, Quality, WallTime};

use super::configuration;
use super::phone::Phone;
use crate::{Input, Output, Switch, SwitchConfig};

/// Civil time at the start.
pub(crate) const START: WallTime = WallTime::from_unix_seconds(1_700_000_000);

/// Marks a phone that is none of ours: a provider's server.
pub(crate) const OUTSIDE: ExtensionId = ExtensionId::new(0);

pub(crate) struct World {
    pub(crate) switch: Switch,
    pub(crate) now: Instant,
    pub(crate) phones: Vec<Phone>,
    /// What the switch let out, in short words.
    pub(crate) log: Vec<String>,
    /// Call records in the order in which they came out.
    pub(crate) records: Vec<CallRecord>,
    pub(crate) notices: usize,
    /// Where the media thread was told to send, by port.
    pub(crate) remote: BTreeMap<u16, SocketAddr>,
    /// Ports that the media thread has open: commands for others are a fault.
    open: BTreeSet<PortId>,
    /// The media thread answers `Close`.
    pub(crate) media_answers: bool,
}

impl World {
    /// Extensions 101, 102 … each with a registered phone, in that order.
    pub(crate) fn new(count: u32) -> Self {
        Self::with(count, |_| (), |_| ())
    }

    /// The same, but no phone is registered yet.
    pub(crate) fn unregistered(count: u32) -> Self {
        Self::made(count, |_| (), |_| (), false)
    }

    /// The same, with another configuration or other phones.
    pub(crate) fn with(
        count: u32,
        change: impl FnOnce(&mut Configuration),
        phones: impl FnOnce(&mut Vec<(ExtensionId, Phone)>),
    ) -> Self {
        Self::made(count, change, phones, true)
    }

    fn made(
        count: u32,
        change: impl FnOnce(&mut Configuration),
        phones: impl FnOnce(&mut Vec<(ExtensionId, Phone)>),
        registered: bool,
    ) -> Self {
        let mut configuration = configuration(count);
        change(&mut configuration);
        let mut all: Vec<(ExtensionId, Phone)> = (1..=count)
            .map(|n| {
                let phone = Phone::new(&(100 + n).to_string(), &format!("10.0.1.{n}:5060"));
                (ExtensionId::new(n), phone)
            })
            .collect();
        phones(&mut all);
        let now = Instant::from_millis(1000);
        let switch = Switch::new(
            now,
            SwitchConfig {
                configuration: Arc::new(configuration),
                wall: START,
                seed: [7; 32],
                first_call: CallId::new(1),
                rtp_ports: (0..40).map(|n| 10_000 + 2 * n).collect(),
                streams: sip::endpoint::STREAMS,
                bindings: (all.iter())
                    .filter(|(id, _)| registered && *id != OUTSIDE)
                    .map(binding)
                    .collect(),
                dialogs: Vec::new(),
                product: "Operator Box".into(),
            },
        );
        let mut world = Self {
            switch,
            now,
            phones: all.into_iter().map(|(_, phone)| phone).collect(),
            log: Vec::new(),
            records: Vec::new(),
            notices: 0,
            remote: BTreeMap::new(),
            open: BTreeSet::new(),
            media_answers: true,
        };
        for (phone, bytes) in world.drain() {
            world.send(phone, bytes);
        }
        world.log.clear();
        world
    }

    /// A phone sends a message; everything that follows at this moment happens.
    pub(crate) fn send(&mut self, phone: usize, bytes: Bytes) {
        let mut wire = VecDeque::from([(phone, bytes)]);
        while let Some((phone, bytes)) = wire.pop_front() {
            let flow = self.phones[phone].flow();
            self.input(Input::Sip(sip::endpoint::Input::Datagram { flow, bytes }));
            wire.extend(self.drain());
        }
    }

    /// Something else happens.
    pub(crate) fn happen(&mut self, input: Input) {
        self.input(input);
        let wire = self.drain();
        for (phone, bytes) in wire {
            self.send(phone, bytes);
        }
    }

    /// Time passes, every timer at its moment.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(next) = self.switch.poll_timeout().filter(|next| *next <= until) {
            assert!(next >= self.now || self.now > Instant::ZERO);
            self.now = self.now.max(next);
            self.happen(Input::Timeout);
        }
        self.now = until;
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.pass(Duration::from_millis(ms));
    }

    fn input(&mut self, input: Input) {
        self.switch.handle_input(self.now, input);
    }

    /// Takes all outputs; returns what the phones send because of them.
    fn drain(&mut self) -> Vec<(usize, Bytes)> {
        let mut replies = Vec::new();
        let mut closed = Vec::new();
        let mut found: Vec<(_, Vec<model::Flow>)> = Vec::new();
        while let Some(output) = self.switch.poll_output() {
            match output {
                Output::Transmit { flow, bytes } => {
                    let line = bytes
                        .split(|byte| *byte == b'\r')
                        .next()
                        .unwrap_or_default();
                    self.log.push(format!(
                        "{} < {}",
                        flow.remote.ip(),
                        String::from_utf8_lossy(line).replace("SIP/2.0 ", "")
                    ));
                    let phone = (self.phones.iter()).position(|p| p.address == flow.remote);
                    if let Some(phone) = phone {
                        let answers = self.phones[phone].receive(&bytes);
                        replies.extend(answers.into_iter().map(|bytes| (phone, bytes)));
                    }
                }
                Output::Media(command) => {
                    self.check(command);
                    if let media::Command::Open { port, settings }
                    | media::Command::Update { port, settings } = command
                        && let Some(remote) = settings.remote
                    {
                        self.remote.insert(port.raw(), remote);
                    }
                    let text = format!("{command:?}");
                    let name = text.split(' ').next().unwrap_or_default();
                    self.log.push(match command {
                        media::Command::Connect { a, b, talk } => {
                            let early = if talk { "" } else { " early" };
                            format!("Connect {} {}{early}", a.raw(), b.raw())
                        }
                        media::Command::Open { port, settings }
                        | media::Command::Update { port, settings } => format!(
                            "{name} {} {:?} send={} receive={}",
                            port.raw(),
                            settings.send_codec,
                            settings.may_send,
                            settings.may_receive
                        ),
                        media::Command::Play { port, .. } => format!("Play {}", port.raw()),
                        media::Command::Stop { port } => format!("Stop {}", port.raw()),
                        media::Command::Disconnect { port } => {
                            format!("Disconnect {}", port.raw())
                        }
                        media::Command::SendDigit { port, digit, .. } => {
                            format!("SendDigit {} {digit}", port.raw())
                        }
                        media::Command::Report { port } => {
                            closed.push((port, false));
                            continue;
                        }
                        media::Command::Close { port } => {
                            closed.push((port, true));
                            format!("Close {}", port.raw())
                        }
                    });
                }
                Output::CallClosed(record) => {
                    self.log.push(shown(&record));
                    self.records.push(*record);
                }
                Output::CallOpened(call) => {
                    self.log.push(format!("opened {}", call.record.call));
                }
                Output::Notice(_) => self.notices += 1,
                Output::Heard { bytes, .. } => {
                    let text = String::from_utf8_lossy(&bytes);
                    self.log.push(format!("heard {text}"));
                }
                Output::Decision { text, .. } => self.log.push(text),
                Output::BindingPut(binding) => self.log.push(format!("put {}", binding.contact)),
                Output::BindingRemove { contact, .. } => self.log.push(format!("remove {contact}")),
                Output::Security { text, times: 1 } => self.log.push(text),
                Output::Security { text, times } => self.log.push(format!("{text}, {times} times")),
                Output::Warning(row) => self.log.push(row),
                Output::LookUp {
                    interface, host, ..
                } => {
                    let remotes = host.split('_').filter_map(|host| host.parse().ok());
                    let flows = remotes.map(|ip| model::Flow {
                        remote: SocketAddr::new(ip, 5060),
                        ..self.phones[0].flow()
                    });
                    found.push((interface, flows.collect()));
                }
                Output::CloseStream { .. } => {}
            }
        }
        for (interface, flows) in found {
            self.input(Input::LookedUp { interface, flows });
            replies.extend(self.drain());
        }
        if self.media_answers {
            for (port, close) in closed {
                let quality = quality(port);
                let event = if close {
                    media::Event::Closed { port, quality }
                } else {
                    media::Event::Report { port, quality }
                };
                self.input(Input::Media(event));
                replies.extend(self.drain());
            }
        }
        replies
    }

    /// The media thread is told to open what is closed, and all else of what is open.
    fn check(&mut self, command: media::Command) {
        use media::Command::{
            Close, Connect, Disconnect, Open, Play, Report, SendDigit, Stop, Update,
        };
        let fits = match command {
            Open { port, .. } => self.open.insert(port),
            Close { port } => self.open.remove(&port),
            Connect { a, b, .. } => a != b && self.open.contains(&a) && self.open.contains(&b),
            Update { port, .. }
            | Disconnect { port }
            | Play { port, .. }
            | Stop { port }
            | SendDigit { port, .. }
            | Report { port } => self.open.contains(&port),
        };
        assert!(fits, "{command:?} {:?}", self.open);
    }

    /// The lines of the log since the last look.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        core::mem::take(&mut self.log)
    }

    /// The last record of a call.
    pub(crate) fn record(&self, call: u64) -> &CallRecord {
        (self.records.iter().rev())
            .find(|record| record.call.raw() == call)
            .expect("the call has a record")
    }
}

/// What the media thread measured on a port: its packets tell the ports apart.
pub(crate) fn quality(port: PortId) -> Quality {
    Quality {
        packets_sent: u64::from(port.raw()) + 1,
        ..Quality::default()
    }
}

/// A record in short words.
pub(crate) fn shown(record: &CallRecord) -> String {
    let measured = record.legs.iter().any(|leg| leg.quality.is_some());
    format!(
        "closed {} {:?} {} by {:?}{}",
        record.call,
        record.disposition,
        record.cause.value(),
        record.ended_by,
        if measured { " measured" } else { "" }
    )
}

fn binding((extension, phone): &(ExtensionId, Phone)) -> Binding {
    Binding {
        extension: *extension,
        contact: phone.contact(),
        instance: None,
        reg_id: None,
        path: Vec::new(),
        flow: phone.flow(),
        call_id: format!("r-{}", phone.address),
        cseq: 1,
        user_agent: Some("Test/1".into()),
        expires: START + Duration::from_secs(3600),
    }
}

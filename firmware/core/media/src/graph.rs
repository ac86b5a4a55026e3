//! The graph: packets in, packets out, commands, events and the tick.
//!
//! Where both parties of a connection share a codec, a packet is passed on the moment it comes, under
//! the other stream's numbers. Where they don't, it waits in the jitter buffer for the tick, which
//! decodes, conceals and encodes. The tick also plays tones and digits, sends RTCP and finds silence.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use dsp::dtmf::{DtmfDigit, DtmfReport};
use heapless::Deque;
use model::{Instant, PortId};
use rtp::event::{EventCode, EventReport};
use rtp::jitter::Frame;
use rtp::packet::{HEADER_LEN, Header, Packet, PacketError, PayloadType};
use rtp::rtcp::NtpClock;
use rtp::stats::Arrival;

use crate::coder::framing;
use crate::port::{Port, TICKS_PER_MS};
use crate::protection;
use crate::report;
use crate::silence::silent_for;
use crate::{Command, Event, PortSettings};

/// How often [`Graph::tick`] is to be called.
pub const TICK: Duration = Duration::from_millis(20);

/// Samples of one tick at 8 kHz, and of each packet of our own: every phone takes 20 ms (RFC 3551 §4.2),
/// whatever it would like best. What is passed on stays as long as it came.
pub(crate) const SAMPLES: usize = 160;

/// Events that wait for the signalling loop. More than a tick of 500 calls makes.
const EVENTS: usize = 1024;

/// Ticks without sound before a jitter buffer is left alone.
const DRY_TICKS: u8 = 25;

/// Which of a port's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The even port.
    Rtp,
    /// The odd port above it.
    Rtcp,
}

/// A packet to be sent.
#[derive(Debug)]
pub struct Transmit<'a> {
    /// From which port.
    pub port: PortId,
    /// From which of its sockets.
    pub channel: Channel,
    /// From which address of ours.
    pub from: IpAddr,
    /// To where.
    pub to: SocketAddr,
    /// The packet.
    pub octets: &'a [u8],
}

/// Where packets go that are to be sent.
pub type Sink<'s> = dyn FnMut(Transmit<'_>) + 's;

/// All ports and what connects them. Nothing is allocated after [`Graph::new`].
pub struct Graph {
    ports: Vec<Port>,
    ntp: NtpClock,
    events: Deque<Event, EVENTS>,
    /// Ports whose end could not be told yet.
    closing: Vec<PortId>,
    /// Events that found no room.
    events_lost: u64,
}

impl Graph {
    /// A graph of `count` closed ports; `ntp` joins civil time to ours for sender reports.
    #[must_use]
    pub fn new(count: usize, ntp: NtpClock) -> Self {
        let ids = (0..count).filter_map(|id| u16::try_from(id).ok());
        Self {
            ports: ids.map(|id| Port::new(PortId::new(id))).collect(),
            ntp,
            events: Deque::new(),
            closing: Vec::with_capacity(count),
            events_lost: 0,
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Events that were lost because nobody took them.
    #[must_use]
    pub fn events_lost(&self) -> u64 {
        self.events_lost
    }

    /// Carries out a command. One for a port that isn't there is passed over.
    pub fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Open { port, settings } => {
                if let Some(port) = self.port(port) {
                    port.open(now, settings);
                    port.next_report = now + report::first_wait(settings.seed);
                }
            }
            Command::Update { port, settings } => {
                if let Some(port) = self.open_port(port) {
                    port.update(now, settings);
                }
            }
            Command::Connect { a, b, talk } => self.connect(a, b, talk),
            Command::Disconnect { port } => self.disconnect(port),
            Command::Play { port, tone } => {
                if let Some(port) = self.open_port(port) {
                    port.tone = Some(dsp::tone::ToneGenerator::new(tone));
                }
            }
            Command::Stop { port } => {
                if let Some(port) = self.open_port(port) {
                    port.tone = None;
                }
            }
            Command::SendDigit {
                port,
                digit,
                duration_ms,
            } => {
                if let (Some(port), Some(digit)) =
                    (self.open_port(port), DtmfDigit::from_char(digit))
                {
                    port.send_digit(now, digit, duration_ms);
                }
            }
            Command::Report { port } => {
                if let Some(open) = self.open_port(port) {
                    let quality = open.quality(now);
                    self.tell(Event::Report { port, quality });
                }
            }
            Command::Close { port } => self.close(port),
        }
    }

    /// A packet came to a port. What is to be sent at once goes to `out`; `octets` is written over.
    pub fn packet(
        &mut self,
        now: Instant,
        port: PortId,
        channel: Channel,
        source: SocketAddr,
        octets: &mut [u8],
        out: &mut Sink<'_>,
    ) {
        let octets = match self.open_port(port) {
            Some(open) => match protection::opened(now, open, channel, source, octets) {
                Some(opened) => opened,
                None => return,
            },
            None => return,
        };
        if channel == Channel::Rtcp {
            self.rtcp(now, port, source, octets);
            return;
        }
        match Packet::parse(octets) {
            Ok(packet) => {
                let payload = offset(octets, packet.payload);
                let header = packet.header;
                self.rtp(now, port, source, header, payload, octets, out);
            }
            // RFC 5761: RTCP on the RTP port, where that was agreed.
            Err(PacketError::Rtcp) => self.rtcp(now, port, source, octets),
            Err(PacketError::Truncated | PacketError::Version) => {
                if let Some(port) = self.open_port(port) {
                    port.latch.receive(now, source, None);
                }
            }
        }
    }

    /// Makes the sound of the next 20 ms where packets alone don't, and does what is due.
    pub fn tick(&mut self, now: Instant, out: &mut Sink<'_>) {
        for index in 0..self.ports.len() {
            let Some(port) = self.ports.get_mut(index) else {
                continue;
            };
            if port.settings.is_none() {
                continue;
            }
            self.sound(now, index, out);
            self.watch(now, index, out);
        }
        while let Some(port) = self.closing.pop() {
            if self.events.is_full() {
                self.closing.push(port);
                break;
            }
            self.finish(now, port);
        }
    }

    fn port(&mut self, id: PortId) -> Option<&mut Port> {
        self.ports.get_mut(usize::from(id.raw()))
    }

    fn open_port(&mut self, id: PortId) -> Option<&mut Port> {
        self.port(id).filter(|port| port.settings.is_some())
    }

    fn peer_of(&self, id: PortId) -> Option<PortId> {
        self.ports
            .get(usize::from(id.raw()))
            .and_then(|port| port.peer)
    }

    fn tell(&mut self, event: Event) {
        if self.events.push_back(event).is_err() {
            self.events_lost += 1;
        }
    }

    fn connect(&mut self, a: PortId, b: PortId, talk: bool) {
        if a == b || self.open_port(a).is_none() || self.open_port(b).is_none() {
            return;
        }
        if self.peer_of(a) != Some(b) {
            self.disconnect(a);
            self.disconnect(b);
            for (from, to) in [(a, b), (b, a)] {
                if let Some(port) = self.open_port(from) {
                    port.peer = Some(to);
                    port.jitter.reset();
                    port.feeding = 0;
                }
            }
        }
        for id in [a, b] {
            if let Some(port) = self.open_port(id) {
                port.talks = talk;
            }
        }
    }

    fn disconnect(&mut self, id: PortId) {
        let peer = self.peer_of(id);
        for id in [Some(id), peer].into_iter().flatten() {
            if let Some(port) = self.port(id) {
                port.peer = None;
                port.talks = false;
            }
        }
    }

    fn close(&mut self, id: PortId) {
        if self.open_port(id).is_none() {
            return;
        }
        self.disconnect(id);
        // The tick tells it, after what still waits to be told, and says goodbye by RTCP.
        if self.closing.len() < self.closing.capacity() && !self.closing.contains(&id) {
            self.closing.push(id);
        }
    }

    fn finish(&mut self, now: Instant, id: PortId) {
        // It may have been connected again since it was told to close.
        self.disconnect(id);
        if let Some(port) = self.open_port(id) {
            let quality = port.quality(now);
            port.settings = None;
            port.protection = None;
            self.tell(Event::Closed { port: id, quality });
        }
    }

    fn rtcp(&mut self, now: Instant, id: PortId, source: SocketAddr, octets: &[u8]) {
        let ntp = self.ntp;
        if let Some(port) = self.open_port(id) {
            report::receive(now, ntp, port, source, octets);
        }
    }

    fn rtp(
        &mut self,
        now: Instant,
        id: PortId,
        source: SocketAddr,
        header: Header,
        payload: core::ops::Range<usize>,
        octets: &mut [u8],
        out: &mut Sink<'_>,
    ) {
        let Some(port) = self.open_port(id) else {
            return;
        };
        let Some(settings) = port.settings else {
            return;
        };
        let codec = port.codec_of(header.payload_type);
        let is_event = settings.receive_event == Some(header.payload_type.number());
        let agreed = codec.is_some() || is_event;
        if !agreed && header.payload_type == COMFORT_NOISE && port.latch.keep(now, source) {
            port.comfort_noise(now, &header);
            return;
        }
        let stream = agreed.then_some(header.ssrc);
        if !port.latch.receive(now, source, stream).is_accepted() {
            return;
        }
        port.is_alive(now);
        let first = !core::mem::replace(&mut port.heard, true);
        // An event's timestamp is its start, not its packet's time.
        let clock = codec.map(|_| header.timestamp);
        let lost = port.reception.lost_packets();
        let arrival = port
            .reception
            .receive(now, header.ssrc, header.sequence, clock);
        match arrival {
            Arrival::First | Arrival::Restarted => port.silence.heard(now, None),
            Arrival::InOrder | Arrival::Reordered => {
                let missed = port.reception.lost_packets().saturating_sub(lost);
                port.silence.heard(now, Some(missed));
            }
            Arrival::Duplicate | Arrival::Suspect => {}
        }
        let peer = port.peer;
        let released = match arrival {
            // Its numbers and its clock have nothing to do with those before.
            Arrival::First | Arrival::Restarted => port.begin_stream(),
            Arrival::InOrder | Arrival::Reordered | Arrival::Duplicate | Arrival::Suspect => None,
        };
        if first {
            self.tell(Event::Heard { port: id, source });
        }
        if let Some(key) = released {
            self.tell_key(id, key);
        }
        if !settings.may_receive || matches!(arrival, Arrival::Duplicate | Arrival::Suspect) {
            return;
        }
        if is_event {
            self.event(now, id, &header, payload, octets, out);
            return;
        }
        let Some(codec) = codec else { return };
        if settings.detect_digits {
            self.detect(id, codec, octets.get(payload.clone()).unwrap_or_default());
        }
        let Some(to) = peer else { return };
        let Some(target) = self.open_port(to) else {
            return;
        };
        let Some(target_settings) = target.settings else {
            return;
        };
        if target.is_playing() {
            return;
        }
        if codec == target_settings.send_codec {
            let payload_type = target_settings.send_payload_type;
            pass_on(now, target, &header, payload_type, payload, octets, out);
        } else if codec.is_transcoded()
            && target_settings.send_codec.is_transcoded()
            && let Some(port) = self.open_port(id)
        {
            if port.jitter_codec != codec {
                port.reset_jitter(codec);
            }
            if let Some(payload) = octets.get(payload) {
                port.jitter
                    .put(now, header.sequence, header.timestamp, payload);
                port.feeding = DRY_TICKS;
            }
        }
    }

    /// A telephone event: told, and passed on as the other side understands it.
    fn event(
        &mut self,
        now: Instant,
        id: PortId,
        header: &Header,
        payload: core::ops::Range<usize>,
        octets: &mut [u8],
        out: &mut Sink<'_>,
    ) {
        let Some(port) = self.open_port(id) else {
            return;
        };
        port.jitter.note_other(header.sequence);
        let content = octets.get(payload.clone()).unwrap_or_default();
        let reports = port.receiving_event.receive(now, header.timestamp, content);
        let peer = port.peer;
        let mut pressed = None;
        for report in reports {
            if let EventReport::Start(code) = report {
                pressed = Some(code);
            }
            self.tell_key(id, report);
        }
        let Some(target) = peer.and_then(|peer| self.open_port(peer)) else {
            return;
        };
        match target.settings.and_then(|settings| settings.send_event) {
            Some(payload_type) if !target.is_playing() => {
                pass_on(now, target, header, payload_type, payload, octets, out);
            }
            Some(_) => {}
            None => {
                if let Some(digit) = pressed.and_then(|code| DtmfDigit::from_event(code.0)) {
                    target.send_digit(now, digit, IN_BAND_DIGIT_MS);
                }
            }
        }
    }

    fn tell_key(&mut self, port: PortId, report: EventReport) {
        if let EventReport::End { code, duration } = report
            && let Some(digit) = EventCode::to_char(code)
        {
            let duration_ms = u16::try_from(duration / u32::from(TICKS_PER_MS)).unwrap_or(u16::MAX);
            self.tell(Event::Digit {
                port,
                digit,
                duration_ms,
            });
        }
    }

    fn detect(&mut self, id: PortId, codec: model::Codec, payload: &[u8]) {
        let Some(port) = self.open_port(id) else {
            return;
        };
        let mut found: heapless::Vec<(DtmfDigit, u16), 4> = heapless::Vec::new();
        let mut samples = [0; SAMPLES];
        for part in payload.chunks(framing(codec).octets) {
            let count = port.hear(codec, part, &mut samples);
            port.detector
                .feed(samples.get(..count).unwrap_or_default(), |report| {
                    if let DtmfReport::Up { digit, duration_ms } = report {
                        let duration_ms = u16::try_from(duration_ms).unwrap_or(u16::MAX);
                        // Four keys in one packet are no keys.
                        let _full = found.push((digit, duration_ms));
                    }
                });
        }
        for (digit, duration_ms) in found {
            self.tell(Event::Digit {
                port: id,
                digit: digit.to_char(),
                duration_ms,
            });
        }
    }

    /// What the tick sends to the port at `index`.
    fn sound(&mut self, now: Instant, index: usize, out: &mut Sink<'_>) {
        let Some(port) = self.ports.get_mut(index) else {
            return;
        };
        port.next_digit(now);
        if port.sending_event.is_sending() {
            send_event(now, port, out);
            return;
        }
        let mut samples = [0; SAMPLES];
        let mut source = None;
        if let Some(digit) = &mut port.digit {
            digit.fill(&mut samples);
            if digit.is_finished() {
                port.digit = None;
            }
        } else if let Some(tone) = &mut port.tone {
            tone.fill(&mut samples);
            if tone.is_finished() {
                port.tone = None;
            }
        } else {
            let Some(peer) = port.peer else { return };
            source = Some(peer);
        }
        if let Some(source) = source {
            let Some(source) = self.open_port(source) else {
                return;
            };
            if !take(now, source, &mut samples) {
                return;
            }
        }
        if let Some(port) = self.ports.get_mut(index) {
            send_audio(now, port, &samples, out);
        }
    }

    /// RTCP and silence.
    fn watch(&mut self, now: Instant, index: usize, out: &mut Sink<'_>) {
        let ntp = self.ntp;
        let awaited = self.is_awaited(index);
        let Some(port) = self.ports.get_mut(index) else {
            return;
        };
        // Of one that is about to be closed the end is how it was when it was told to.
        if (port.peer.is_some() || !self.closing.contains(&port.id))
            && port.silence.watch(now, awaited)
        {
            let report = Event::Report {
                port: port.id,
                quality: port.quality(now),
            };
            self.tell(report);
        }
        let Some(port) = self.ports.get_mut(index) else {
            return;
        };
        let ended = port.receiving_event.expire(now);
        let id = port.id;
        if now >= port.next_report {
            report::send(now, ntp, port, out);
        }
        let silent = silent_for(now, port);
        if let Some(report) = ended {
            self.tell_key(id, report);
        }
        if let Some(for_ms) = silent {
            self.tell(Event::Silent { port: id, for_ms });
        }
    }

    /// Whether something of the party is to be heard: who holds the other, or is held, may be silent.
    fn is_awaited(&self, index: usize) -> bool {
        let listens = |port: &Port| port.settings.is_some_and(|settings| settings.may_send);
        let Some(port) = self.ports.get(index) else {
            return false;
        };
        let other = port
            .peer
            .and_then(|peer| self.ports.get(usize::from(peer.raw())));
        port.talks
            && listens(port)
            && port.settings.is_some_and(|settings| settings.may_receive)
            && other.is_some_and(listens)
    }
}

/// RFC 3389 §4: comfort noise at 8 kHz, which some phones send unasked while nobody speaks.
const COMFORT_NOISE: PayloadType = match PayloadType::new(13) {
    Some(number) => number,
    None => unreachable!(),
};

/// A key passed on as sound: long enough for any detector (ITU-T Q.24 asks for 40 ms).
const IN_BAND_DIGIT_MS: u16 = 120;

/// Where `part` lies in `whole`.
fn offset(whole: &[u8], part: &[u8]) -> core::ops::Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start.saturating_add(part.len())
}

/// Passes a packet on under the numbers of the target's stream, in the buffer it came in.
fn pass_on(
    now: Instant,
    target: &mut Port,
    header: &Header,
    payload_type: u8,
    payload: core::ops::Range<usize>,
    octets: &mut [u8],
    out: &mut Sink<'_>,
) {
    let (Some(to), Some(settings), Some(payload_type)) = (
        target.destination(),
        target.settings,
        PayloadType::new(payload_type),
    ) else {
        return;
    };
    let outgoing = &mut target.outgoing;
    let header = if settings.send_event == Some(payload_type.number()) {
        outgoing.relay_event(now, header, payload_type, payload.len())
    } else {
        outgoing.relay(now, header, payload_type, payload.len())
    };
    // The payload begins after a header at least as long as ours.
    let start = payload.start.saturating_sub(HEADER_LEN);
    let Some(packet) = octets.get_mut(start..payload.end) else {
        return;
    };
    let Some(head) = packet.first_chunk_mut::<HEADER_LEN>() else {
        return;
    };
    *head = header.octets();
    let packet = Transmit {
        port: target.id,
        channel: Channel::Rtp,
        from: settings.local_ip,
        to,
        octets: packet,
    };
    protection::send(target, packet, false, out);
}

fn send_audio(now: Instant, port: &mut Port, samples: &[i16; SAMPLES], out: &mut Sink<'_>) {
    let Some((to, settings, payload_type)) =
        sendable(port, |settings| Some(settings.send_payload_type))
    else {
        return;
    };
    let mut packet = [0; HEADER_LEN + SAMPLES];
    let (head, payload) = packet.split_at_mut(HEADER_LEN);
    let len = port.encoder.encode(samples, payload);
    if len == 0 {
        return;
    }
    let header = port.outgoing.audio(now, payload_type, SAMPLES as u32, len);
    head.copy_from_slice(&header.octets());
    let packet = Transmit {
        port: port.id,
        channel: Channel::Rtp,
        from: settings.local_ip,
        to,
        octets: packet.get(..HEADER_LEN + len).unwrap_or_default(),
    };
    protection::send(port, packet, false, out);
}

fn send_event(now: Instant, port: &mut Port, out: &mut Sink<'_>) {
    let Some(event) = port.sending_event.next() else {
        return;
    };
    let Some((to, settings, payload_type)) = sendable(port, |settings| settings.send_event) else {
        return;
    };
    let header = port.outgoing.event(now, payload_type, &event);
    let mut packet = [0; HEADER_LEN + 4];
    let Ok(len) = header.write(&event.payload, &mut packet) else {
        return;
    };
    let packet = Transmit {
        port: port.id,
        channel: Channel::Rtp,
        from: settings.local_ip,
        to,
        octets: packet.get(..len).unwrap_or_default(),
    };
    protection::send(port, packet, false, out);
}

fn sendable(
    port: &Port,
    number: impl Fn(&PortSettings) -> Option<u8>,
) -> Option<(SocketAddr, PortSettings, PayloadType)> {
    let settings = port.settings?;
    let to = port.destination()?;
    let payload_type = PayloadType::new(number(&settings)?)?;
    Some((to, settings, payload_type))
}

/// Takes 20 ms from a port's jitter buffer, concealed where something is missing. False where nothing
/// is being sent.
fn take(now: Instant, source: &mut Port, samples: &mut [i16; SAMPLES]) -> bool {
    if source.feeding == 0 {
        return false;
    }
    let mut heard = false;
    for frame in samples.chunks_exact_mut(framing(source.jitter_codec).ticks as usize) {
        match source.jitter.take(now) {
            // What is too short for a frame is as good as lost.
            Frame::Audio(payload) if source.decoder.decode(payload, frame) > 0 => {
                source.concealer.good(frame);
                heard = true;
            }
            Frame::Audio(_) | Frame::Lost => {
                source.concealer.conceal(frame);
                heard = true;
            }
            Frame::Empty => frame.fill(0),
        }
    }
    source.feeding = if heard {
        DRY_TICKS
    } else {
        source.feeding.saturating_sub(1)
    };
    heard
}

#[cfg(test)]
mod tests;

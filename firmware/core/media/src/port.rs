//! One port: what came from a party, what is sent to it, and what was measured.

use core::net::SocketAddr;

use dsp::dtmf::{DtmfDetector, DtmfDigit, DtmfGenerator, DtmfTiming};
use dsp::plc::Concealer;
use dsp::tone::ToneGenerator;
use heapless::Deque;
use model::{Codec, Instant, PortId, Quality};
use rtp::event::{EventReceiver, EventReport, EventSender};
use rtp::jitter::{JitterBuffer, JitterConfig};
use rtp::latch::{Latch, LatchConfig, LatchPolicy};
use rtp::packet::{Header, PayloadType};
use rtp::quality::Measured;
use rtp::stats::{Reception, RemoteView};

use crate::PortSettings;
use crate::coder::{Decoder, Encoder, framing, impairment};
use crate::protection::Protection;
use crate::silence::Silence;
use crate::stream::Outgoing;

/// Ticks of the media clock in a millisecond, at 8 kHz.
pub(crate) const TICKS_PER_MS: u16 = 8;

/// An event packet every 20 ms (RFC 4733 §2.5.1.2 asks for the packet interval of the audio).
const EVENT_INTERVAL: u16 = 20 * TICKS_PER_MS;

/// Shorter keys are noise: Q.24 asks for 40 ms at least.
const SHORTEST_EVENT: u16 = 20 * TICKS_PER_MS;

/// Digits that wait: more than anyone keys ahead; a number dialled in one go fits.
const DIGITS: usize = 32;

/// Rest between two digits: Q.24 asks for 40 ms at least.
const DIGIT_REST_TICKS: u8 = 3;

/// Frames of the jitter buffer, in ms: packets of 10, 20, 30 … ms are made of them.
pub(crate) const FRAME_MS: u16 = 10;

/// A slot of the graph. A closed one waits for the next call with its buffers in place.
pub(crate) struct Port {
    pub(crate) id: PortId,
    pub(crate) settings: Option<PortSettings>,
    pub(crate) peer: Option<PortId>,
    pub(crate) latch: Latch,
    /// What comes and goes is encrypted.
    pub(crate) protection: Option<Protection>,
    pub(crate) outgoing: Outgoing,
    pub(crate) reception: Reception,
    /// What is played to the party in place of what it is connected to.
    pub(crate) tone: Option<ToneGenerator>,
    /// A digit in band; then what was before.
    pub(crate) digit: Option<DtmfGenerator>,
    pub(crate) sending_event: EventSender,
    /// Digits that wait for the one being sent, with their lengths in ms.
    digits: Deque<(DtmfDigit, u16), DIGITS>,
    /// Ticks of rest still to be kept before the next of them.
    rest: u8,
    pub(crate) receiving_event: EventReceiver,
    pub(crate) detector: DtmfDetector,
    /// What came and has to be decoded; used where the other side has another codec.
    pub(crate) jitter: JitterBuffer,
    pub(crate) jitter_codec: Codec,
    pub(crate) decoder: Decoder,
    /// Makes what we send, where it is not passed on.
    pub(crate) encoder: Encoder,
    /// Decodes for `detector`, and the codec it does that for.
    pub(crate) ear: (Codec, Decoder),
    /// Frames still to be taken until the buffer counts as dry.
    pub(crate) feeding: u8,
    pub(crate) concealer: Concealer,
    /// When the party last gave a sign of life, by RTP or RTCP; at first, when it could begin to.
    pub(crate) alive: Instant,
    /// The party has answered, and so has the other one: it is to be heard.
    pub(crate) talks: bool,
    pub(crate) silence: Silence,
    /// RTP has come from where the party is now.
    pub(crate) heard: bool,
    pub(crate) told_silent: Option<Instant>,
    pub(crate) next_report: Instant,
    pub(crate) rtcp_source: Option<SocketAddr>,
    /// What the party's RTCP says of what we send.
    pub(crate) remote: RemoteView,
}

impl Port {
    pub(crate) fn new(id: PortId) -> Self {
        Self {
            id,
            settings: None,
            peer: None,
            latch: Latch::new(LatchConfig {
                policy: LatchPolicy::Strict,
                signalled: None,
                signalling_ip: None,
            }),
            protection: None,
            outgoing: Outgoing::new(0),
            reception: Reception::new(Codec::Pcma.clock_rate_hz()),
            tone: None,
            digit: None,
            sending_event: EventSender::new(EVENT_INTERVAL),
            digits: Deque::new(),
            rest: 0,
            receiving_event: EventReceiver::new(SHORTEST_EVENT),
            detector: DtmfDetector::new(),
            jitter: JitterBuffer::new(JitterConfig::g711(FRAME_MS, None)),
            jitter_codec: Codec::Pcma,
            decoder: Decoder::new(Codec::Pcma),
            encoder: Encoder::new(Codec::Pcma),
            ear: (Codec::Pcma, Decoder::new(Codec::Pcma)),
            feeding: 0,
            concealer: Concealer::new(),
            alive: Instant::ZERO,
            talks: false,
            silence: Silence::default(),
            heard: false,
            told_silent: None,
            next_report: Instant::ZERO,
            rtcp_source: None,
            remote: RemoteView::default(),
        }
    }

    pub(crate) fn open(&mut self, now: Instant, settings: PortSettings) {
        self.latch = Latch::new(latch_config(&settings));
        self.protection = None;
        let _begins = Protection::update(&mut self.protection, settings.srtp.as_ref());
        self.outgoing = Outgoing::new(settings.seed);
        self.outgoing.set_clock(settings.send_codec.clock_rate_hz());
        self.reception = Reception::new(settings.send_codec.clock_rate_hz());
        self.tone = None;
        self.digit = None;
        self.sending_event = EventSender::new(EVENT_INTERVAL);
        self.digits.clear();
        self.rest = 0;
        self.receiving_event = EventReceiver::new(SHORTEST_EVENT);
        self.detector = DtmfDetector::new();
        self.reset_jitter(settings.send_codec);
        self.encoder = Encoder::new(settings.send_codec);
        self.ear = (settings.send_codec, Decoder::new(settings.send_codec));
        self.feeding = 0;
        self.concealer = Concealer::new();
        self.alive = now;
        self.talks = false;
        self.silence = Silence::default();
        self.heard = false;
        self.told_silent = None;
        self.rtcp_source = None;
        self.remote = RemoteView::default();
        self.peer = None;
        self.settings = Some(settings);
    }

    /// New settings after a negotiation: streams go on, and the source may move where it was told to.
    pub(crate) fn update(&mut self, now: Instant, settings: PortSettings) {
        let moved = self.settings.is_none_or(|old| {
            old.remote != settings.remote || old.signalling_ip != settings.signalling_ip
        });
        if moved {
            self.latch.rearm(latch_config(&settings));
            self.rtcp_source = None;
        }
        // Who held the other may have been silent meanwhile: its silence counts from now on.
        let resumed = self.settings.is_some_and(|old| {
            (!old.may_receive && settings.may_receive) || (!old.may_send && settings.may_send)
        });
        if resumed || moved {
            self.heard = false;
            self.alive = now;
        }
        self.told_silent = None;
        if Protection::update(&mut self.protection, settings.srtp.as_ref()) {
            self.outgoing.begin_anew();
        }
        if (self.settings).is_none_or(|old| old.send_codec != settings.send_codec) {
            self.encoder = Encoder::new(settings.send_codec);
            let clock_hz = settings.send_codec.clock_rate_hz();
            self.outgoing.set_clock(clock_hz);
            self.reception.set_clock(clock_hz);
        }
        self.settings = Some(settings);
    }

    /// Something came of the party.
    pub(crate) fn is_alive(&mut self, now: Instant) {
        self.alive = now;
        self.told_silent = None;
    }

    /// Comfort noise came, which is not played: who suppresses silence is there, and loses nothing.
    pub(crate) fn comfort_noise(&mut self, now: Instant, header: &Header) {
        self.is_alive(now);
        self.silence.comfort_noise();
        self.reception
            .receive(now, header.ssrc, header.sequence, None);
        self.jitter.note_other(header.sequence);
    }

    /// Another stream of the party begins; a key that was held in the one before is released.
    pub(crate) fn begin_stream(&mut self) -> Option<EventReport> {
        self.jitter.reset();
        self.decoder = Decoder::new(self.jitter_codec);
        self.concealer = Concealer::new();
        self.receiving_event.reset()
    }

    /// Empties the jitter buffer for a stream of this codec.
    pub(crate) fn reset_jitter(&mut self, codec: Codec) {
        self.jitter_codec = codec;
        self.decoder = Decoder::new(codec);
        self.jitter.reset_for(framing(codec));
    }

    /// Decodes what came, for the detector of digits.
    pub(crate) fn hear(&mut self, codec: Codec, payload: &[u8], samples: &mut [i16]) -> usize {
        if self.ear.0 != codec {
            self.ear = (codec, Decoder::new(codec));
        }
        self.ear.1.decode(payload, samples)
    }

    /// The codec of what comes with this payload type.
    pub(crate) fn codec_of(&self, payload_type: PayloadType) -> Option<Codec> {
        self.settings?
            .receive
            .iter()
            .flatten()
            .find(|(number, _)| *number == payload_type.number())
            .map(|(_, codec)| *codec)
    }

    /// Where RTP goes; none before the party's address is known, or where it may not be sent any.
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        self.settings
            .filter(|settings| settings.may_send)
            .and_then(|_| self.latch.destination())
    }

    /// Where RTCP goes (RFC 3605, RFC 5761; symmetric like RTP).
    pub(crate) fn rtcp_destination(&self) -> Option<SocketAddr> {
        let settings = self.settings?;
        let rtp = self.latch.destination()?;
        if settings.rtcp_mux {
            return Some(rtp);
        }
        self.rtcp_source
            .filter(|source| source.ip() == rtp.ip())
            .or_else(|| {
                settings
                    .remote_rtcp
                    .filter(|told| settings.remote == Some(rtp) && told.port() != 0)
            })
            .or_else(|| Some(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?)))
    }

    /// True where the tick has sound to make for this port by itself.
    pub(crate) fn is_playing(&self) -> bool {
        self.tone.is_some() || self.is_sending_digit()
    }

    /// Sends a digit to the party, after those that wait already; one too many is dropped.
    pub(crate) fn send_digit(&mut self, now: Instant, digit: DtmfDigit, duration_ms: u16) {
        if self.settings.is_none() {
            return;
        }
        if self.digits.push_back((digit, duration_ms)).is_ok() && !self.is_sending_digit() {
            self.next_digit(now);
        }
    }

    /// The tick: when one digit is over, the next one's time comes.
    pub(crate) fn next_digit(&mut self, now: Instant) {
        if self.is_sending_digit() {
            self.rest = DIGIT_REST_TICKS;
        } else if self.rest > 0 {
            self.rest -= 1;
        } else if let Some((digit, duration_ms)) = self.digits.pop_front() {
            self.rest = DIGIT_REST_TICKS;
            self.start_digit(now, digit, duration_ms);
        }
    }

    fn is_sending_digit(&self) -> bool {
        self.digit.is_some() || self.sending_event.is_sending()
    }

    /// Begins a digit: as an event where agreed, else as sound.
    fn start_digit(&mut self, now: Instant, digit: DtmfDigit, duration_ms: u16) {
        let Some(settings) = self.settings else {
            return;
        };
        if settings.send_event.is_some() {
            let ticks = u32::from(duration_ms) * u32::from(TICKS_PER_MS);
            let code = rtp::event::EventCode(digit.event());
            self.sending_event
                .start(code, EVENT_VOLUME, ticks, self.outgoing.clock(now));
        } else {
            let timing = DtmfTiming {
                on_ms: duration_ms,
                ..DtmfTiming::default()
            };
            self.digit = Some(DtmfGenerator::new(digit, timing));
        }
    }

    /// What was measured up to now.
    pub(crate) fn quality(&self, now: Instant) -> Quality {
        let codec = self
            .settings
            .map_or(Codec::Pcma, |settings| settings.send_codec);
        Measured {
            sent_packets: self.outgoing.packets(),
            reception: &self.reception,
            jitter: None,
            foreign_packets: self.latch.dropped(),
            remote: self.remote,
            impairment: impairment(codec),
            silence: self.silence.measured(now),
        }
        .quality()
    }
}

/// RFC 4733 §2.3.3: -10 dBm0, the level of a telephone's keys.
const EVENT_VOLUME: u8 = 10;

fn latch_config(settings: &PortSettings) -> LatchConfig {
    LatchConfig {
        policy: LatchPolicy::Symmetric,
        signalled: settings.remote,
        signalling_ip: Some(settings.signalling_ip),
    }
}

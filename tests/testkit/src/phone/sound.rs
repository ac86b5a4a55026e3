//! A phone's voice and ear in one call: RTP out by the clock, RTP in, and what was heard.
//!
//! The voice is one tone, a multiple of 50 Hz, so that every packet of 20 ms has the same payload.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use dsp::dtmf::{DtmfDetector, DtmfReport};
use dsp::g711::Law;
use dsp::g722;
use model::{Instant, MasterKey, SrtpSuite};
use rtp::srtp::{Fault, MAX_OVERHEAD, Receiver, Sender};

/// Samples of a packet.
const SAMPLES: usize = 160;
/// A packet is sent this often.
const PACKET: Duration = Duration::from_millis(20);
/// Packets kept for listening: four seconds.
const KEPT: usize = 200;

/// A packet that was heard.
#[derive(Clone, Debug)]
struct Heard {
    at: Instant,
    payload_type: u8,
    payload: Vec<u8>,
}

/// What was counted of one call's RTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets sent.
    pub sent: u64,
    /// Packets that came.
    pub received: u64,
    /// Sources heard: there should be one.
    pub sources: BTreeSet<u32>,
    /// Payload types heard.
    pub payload_types: BTreeSet<u8>,
    /// The first extended sequence number and the last.
    span: Option<(u64, u64)>,
}

impl Counts {
    /// Packets that never came, by sequence numbers.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.span.map_or(0, |(first, last)| {
            (last - first + 1).saturating_sub(self.received)
        })
    }
}

/// Voice and ear.
#[derive(Clone)]
pub struct Sound {
    /// The phone's RTP port.
    pub port: u16,
    /// What was counted.
    pub counts: Counts,
    /// Digits heard as events (RFC 4733).
    pub digits: String,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    next_at: Option<Instant>,
    pressing: VecDeque<(u8, u16, bool)>,
    event_began: u32,
    heard: VecDeque<Heard>,
    last_event: Option<u32>,
    /// What a packet of the voice holds, by codec and tone.
    payload: Option<(u8, f32, [u8; SAMPLES])>,
    /// G.722 goes on from packet to packet.
    wideband: g722::Encoder,
    /// Of its keys.
    chance: u64,
    protection: Option<Protection>,
}

/// An encrypted stream.
#[derive(Clone)]
struct Protection {
    keys: (MasterKey, MasterKey),
    sender: Sender,
    receiver: Receiver,
}

impl core::fmt::Debug for Sound {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Sound({}, {:?})", self.port, self.counts)
    }
}

/// What the voice needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) to: SocketAddr,
    pub(crate) codec: u8,
    pub(crate) event: Option<u8>,
    pub(crate) hz: f32,
    pub(crate) speaks: bool,
}

impl Sound {
    pub(crate) fn new(port: u16, chance: u64) -> Self {
        Self {
            port,
            counts: Counts::default(),
            digits: String::new(),
            ssrc: chance as u32,
            sequence: (chance >> 32) as u16,
            timestamp: (chance >> 16) as u32,
            next_at: None,
            pressing: VecDeque::new(),
            event_began: 0,
            heard: VecDeque::new(),
            last_event: None,
            payload: None,
            wideband: g722::Encoder::new(),
            chance,
            protection: None,
        }
    }

    /// Our key for a suite.
    pub(crate) fn key(&self, suite: SrtpSuite) -> MasterKey {
        let chance = self.chance.to_be_bytes();
        let octets: Vec<u8> = (0..suite.key_len() + suite.salt_len())
            .map(|n| chance[n % 8].wrapping_mul(n as u8 | 1))
            .collect();
        MasterKey::new(suite, &octets).expect("as long as it is to be")
    }

    /// What is agreed now: our key and theirs, or none.
    pub(crate) fn agree(&mut self, keys: Option<(MasterKey, MasterKey)>) {
        if self.protection.as_ref().map(|now| now.keys) != keys {
            self.protection = keys.map(|(ours, theirs)| Protection {
                keys: (ours, theirs),
                sender: Sender::new(&ours),
                receiver: Receiver::new(&theirs),
            });
        }
    }

    /// Begins to speak, if it doesn't already.
    pub(crate) fn start(&mut self, now: Instant) {
        self.next_at.get_or_insert(now);
    }

    pub(crate) fn stop(&mut self) {
        self.next_at = None;
    }

    pub(crate) const fn next_at(&self) -> Option<Instant> {
        self.next_at
    }

    /// Presses a digit for 100 ms by RFC 4733.
    pub(crate) fn press(&mut self, digit: char) {
        let code = "0123456789*#ABCD".find(digit).unwrap_or(0) as u8;
        // Five packets of 20 ms each, the end three times (§2.5.1.4).
        for n in 1..=4 {
            self.pressing.push_back((code, n * SAMPLES as u16, false));
        }
        for _ in 0..3 {
            self.pressing.push_back((code, 5 * SAMPLES as u16, true));
        }
    }

    /// The packet that is due.
    pub(crate) fn packet(&mut self, now: Instant, voice: &Voice) -> Option<Vec<u8>> {
        let due = self.next_at.filter(|due| *due <= now)?;
        self.next_at = Some(due + PACKET);
        let event = (!self.pressing.is_empty()).then_some(voice.event).flatten();
        let packet = if let Some(number) = event {
            let (code, duration, end) = self.pressing.pop_front()?;
            let marker = duration == SAMPLES as u16 && !end;
            if marker {
                self.event_began = self.timestamp;
            }
            let flags = if end { 0x8a } else { 0x0a };
            let [high, low] = duration.to_be_bytes();
            let began = self.event_began;
            self.rtp(number, marker, began, &[code, flags, high, low])
        } else if voice.speaks {
            let payload = self.payload_of(voice)?;
            let now = self.timestamp;
            self.rtp(voice.codec, false, now, &payload)
        } else {
            self.timestamp = self.timestamp.wrapping_add(SAMPLES as u32);
            return None;
        };
        self.timestamp = self.timestamp.wrapping_add(SAMPLES as u32);
        self.counts.sent += 1;
        Some(packet)
    }

    fn payload_of(&mut self, voice: &Voice) -> Option<[u8; SAMPLES]> {
        if voice.codec == G722 {
            let mut payload = [0; SAMPLES];
            let samples: [i16; 2 * SAMPLES] = core::array::from_fn(|n| tone(voice.hz, n, 16_000.0));
            self.wideband.encode_block(&samples, &mut payload);
            return Some(payload);
        }
        if let Some((codec, hz, payload)) = self.payload
            && codec == voice.codec
            && hz.to_bits() == voice.hz.to_bits()
        {
            return Some(payload);
        }
        // Of what the exchange passes on only, what it says is nobody's affair.
        let Some(law) = law(voice.codec) else {
            return Some([voice.codec; SAMPLES]);
        };
        let mut payload = [0; SAMPLES];
        for (n, octet) in payload.iter_mut().enumerate() {
            *octet = law.encode(tone(voice.hz, n, 8000.0));
        }
        self.payload = Some((voice.codec, voice.hz, payload));
        Some(payload)
    }

    fn rtp(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
        out.extend(self.sequence.to_be_bytes());
        out.extend(timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(payload);
        if let Some(protection) = &mut self.protection {
            let len = out.len();
            out.resize(len + MAX_OVERHEAD, 0);
            let len = protection.sender.protect(&mut out, len);
            out.truncate(len.expect("each number is used once"));
        }
        self.sequence = self.sequence.wrapping_add(1);
        out
    }

    /// Takes in a packet; says what is wrong with it.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        event: Option<u8>,
        octets: &[u8],
    ) -> Result<(), String> {
        let mut octets = octets.to_vec();
        if let Some(protection) = &mut self.protection {
            match protection.receiver.unprotect(&mut octets) {
                Ok(len) => octets.truncate(len),
                // The network doubles packets.
                Err(Fault::Replayed) => return Ok(()),
                Err(fault) => return Err(fault.to_string()),
            }
        }
        let [
            first,
            second,
            high,
            low,
            t0,
            t1,
            t2,
            t3,
            s0,
            s1,
            s2,
            s3,
            payload @ ..,
        ] = &octets[..]
        else {
            return Err("short RTP".into());
        };
        if *first != 0x80 {
            return Err(format!("first octet of RTP is {first:02x}"));
        }
        let payload_type = second & 0x7f;
        let sequence = u16::from_be_bytes([*high, *low]);
        let timestamp = u32::from_be_bytes([*t0, *t1, *t2, *t3]);
        self.counts.received += 1;
        self.counts
            .sources
            .insert(u32::from_be_bytes([*s0, *s1, *s2, *s3]));
        self.counts.payload_types.insert(payload_type);
        let extended = match self.counts.span {
            None => u64::from(sequence) + 65_536,
            Some((_, last)) => {
                let step = sequence.wrapping_sub(last as u16) as i16;
                last.saturating_add_signed(step.into())
            }
        };
        let (low, high) = self.counts.span.unwrap_or((extended, extended));
        self.counts.span = Some((low.min(extended), high.max(extended)));
        if Some(payload_type) == event {
            let [code, flags, ..] = payload else {
                return Err("short telephone-event".into());
            };
            if flags & 0x80 != 0 && self.last_event != Some(timestamp) {
                self.last_event = Some(timestamp);
                self.digits
                    .extend("0123456789*#ABCD".chars().nth((*code).into()));
            }
            return Ok(());
        }
        if self.heard.len() == KEPT {
            self.heard.pop_front();
        }
        self.heard.push_back(Heard {
            at: now,
            payload_type,
            payload: payload.to_vec(),
        });
        Ok(())
    }

    /// The sound heard since a moment.
    #[must_use]
    pub fn samples(&self, since: Instant) -> Vec<i16> {
        let mut samples = Vec::new();
        let mut wideband = g722::Decoder::new();
        for packet in self.heard.iter().filter(|packet| packet.at > since) {
            if packet.payload_type == G722 {
                let mut wide = vec![0; 2 * packet.payload.len()];
                wideband.decode_block(&packet.payload, &mut wide);
                let pairs = wide.as_chunks::<2>().0.iter();
                samples.extend(pairs.map(|[a, b]| a.midpoint(*b)));
                continue;
            }
            let Some(law) = law(packet.payload_type) else {
                continue;
            };
            samples.extend(packet.payload.iter().map(|octet| law.decode(*octet)));
        }
        samples
    }

    /// Digits heard as tones in the last four seconds.
    #[must_use]
    pub fn tones(&self) -> String {
        let mut detector = DtmfDetector::new();
        let mut digits = String::new();
        let mut samples = self.samples(Instant::ZERO);
        samples.extend([0; 800]);
        detector.feed(&samples, |report| {
            if let DtmfReport::Down(digit) = report {
                digits.push(digit.to_char());
            }
        });
        digits
    }
}

/// G.722's payload type.
const G722: u8 = 9;

/// A sample of the voice.
fn tone(hz: f32, n: usize, rate: f32) -> i16 {
    let turn = hz * n as f32 / rate * core::f32::consts::TAU;
    (turn.sin() * 8000.0) as i16
}

const fn law(payload_type: u8) -> Option<Law> {
    match payload_type {
        0 => Some(Law::Mu),
        8 => Some(Law::A),
        _ => None,
    }
}

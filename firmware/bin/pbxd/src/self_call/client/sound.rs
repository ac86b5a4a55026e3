//! A phone's voice and ear: one tone out by the clock, and what came in, measured.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use dsp::g711::Law;
use dsp::measure::{dominant_frequency, tone_level_dbm0};
use dsp::mix::level_dbm0;
use dsp::tone::{ToneGenerator, ToneSpec};
use model::Codec;
use rtp::packet::{Header, MAX_PACKET, Packet, PayloadType, RtpTime, SequenceNumber, Ssrc};
use rtp::stats::Reception;
use sip::sdp::{Capabilities, MediaCodec, Negotiated, Negotiation};

use crate::clock::Clock;

const RATE_HZ: u32 = 8000;

/// A packet of 20 ms.
const SAMPLES: usize = 160;
const PACKET: Duration = Duration::from_millis(20);

/// Packets that each phone sends at least, and has to hear: a second and more, however unevenly a busy
/// machine lets the two run.
const SENT: u32 = 75;
const HEARD: usize = 50;

/// Longer than this it isn't waited for them.
const LONGEST: Duration = Duration::from_secs(4);

/// The first packets are not measured: the way is found, the jitter buffer fills.
const SKIPPED: usize = 10;

/// Packets measured at least, and at most: half a second, which tells 2 Hz.
const LEAST: usize = 15;
const MOST: usize = 25;

/// What may be amiss: between A-law and µ-law a tone loses a tenth of a decibel.
const FREQUENCY_HZ: f32 = 5.0;
const LEVEL_DB: f32 = 3.0;
const ECHO_DB: f32 = 20.0;
const LOSS: f64 = 0.05;

/// ITU-T E.180's middle.
const LEVEL_DBM0: f32 = -10.0;

/// A-law's own silence is at -66 dBm0.
const SILENCE_DBM0: f32 = -60.0;

/// Attempts to find two free ports beside each other.
const PORTS_TRIED: usize = 50;

/// What a phone says. A multiple of 50 Hz: all its packets are the same, so that a lost one moves no phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone(u16);

impl Tone {
    /// The caller's.
    pub const CALLER: Self = Self(600);
    /// The called phone's.
    pub const CALLED: Self = Self(1000);
}

/// Sockets and session description.
pub struct Sound {
    rtp: UdpSocket,
    /// What the exchange reports comes here, and to nobody else's port.
    _rtcp: UdpSocket,
    law: Law,
    negotiation: Negotiation,
}

/// What came in.
#[derive(Debug)]
pub struct Heard {
    /// By their numbers in order, from the first that came on.
    packets: BTreeMap<i32, Vec<i16>>,
    reception: Reception,
}

impl Sound {
    /// A voice with one codec.
    pub fn new(law: Law) -> Result<Self> {
        let (rtp, rtcp) = ports()?;
        let mut capabilities = Capabilities::new(rtp.local_addr()?, [codec_of(law)]);
        capabilities.telephone_event = false;
        Ok(Self {
            negotiation: Negotiation::new(1, capabilities),
            rtp,
            _rtcp: rtcp,
            law,
        })
    }

    /// Our offer.
    pub fn offer(&mut self) -> Result<Bytes> {
        Ok(self.negotiation.offer()?)
    }

    /// Where sound goes by the answer to it.
    pub fn answered(&mut self, answer: &[u8]) -> Result<SocketAddr> {
        let agreed = (self.negotiation.answer_received(answer))
            .context("the exchange's session description")?;
        self.agreed(agreed)
    }

    /// Our answer to an offer, and where sound goes.
    pub fn answer(&mut self, offer: &[u8]) -> Result<(Bytes, SocketAddr)> {
        (self.negotiation.offer_received(offer)).context("the exchange's session description")?;
        let answer = self.negotiation.answer()?;
        Ok((answer.body, self.agreed(answer.media)?))
    }

    fn agreed(&self, agreed: Option<Negotiated>) -> Result<SocketAddr> {
        let agreed = agreed.context("the exchange refused the sound")?;
        ensure!(
            agreed.send.codec == MediaCodec::Known(codec_of(self.law)),
            "the exchange chose {}, which was not offered",
            agreed.send.codec.encoding_name()
        );
        (agreed.remote).context("the exchange does not say where sound goes")
    }

    /// Speaks and listens until both was enough.
    pub fn talk(&self, to: SocketAddr, tone: Tone, until: Instant) -> Result<Heard> {
        let clock = Clock::start();
        let mut heard = Heard {
            packets: BTreeMap::new(),
            reception: Reception::new(RATE_HZ),
        };
        let payload = self.payload(tone);
        let mut octets = [0; MAX_PACKET];
        let mut sent = 0;
        let mut due = Instant::now();
        let until = until.min(due + LONGEST);
        while sent < SENT || heard.packets.len() < HEARD {
            let now = Instant::now();
            if now >= until {
                break;
            }
            if now >= due {
                let count = self.header(tone, sent).write(&payload, &mut octets)?;
                // An exchange that has closed the port is found out by what isn't heard.
                drop(
                    self.rtp
                        .send_to(octets.get(..count).unwrap_or_default(), to),
                );
                sent += 1;
                due += PACKET;
                continue;
            }
            self.rtp.set_read_timeout(Some(due - now))?;
            if let Ok((count, source)) = self.rtp.recv_from(&mut octets)
                && source == to
            {
                heard.take(&clock, octets.get(..count).unwrap_or_default());
            }
        }
        Ok(heard)
    }

    fn payload(&self, tone: Tone) -> [u8; SAMPLES] {
        let mut samples = [0; SAMPLES];
        let spec = ToneSpec::continuous(tone.0).with_level_dbm0(LEVEL_DBM0);
        ToneGenerator::new(spec).fill(&mut samples);
        let mut payload = [0; SAMPLES];
        self.law.encode_block(&samples, &mut payload);
        payload
    }

    fn header(&self, tone: Tone, sent: u32) -> Header {
        Header {
            marker: sent == 0,
            payload_type: match self.law {
                Law::A => PayloadType::PCMA,
                Law::Mu => PayloadType::PCMU,
            },
            sequence: SequenceNumber(u16::try_from(sent % 65_536).unwrap_or(0)),
            timestamp: RtpTime(sent.wrapping_mul(SAMPLES as u32)),
            ssrc: Ssrc(tone.0.into()),
        }
    }
}

impl Heard {
    fn take(&mut self, clock: &Clock, octets: &[u8]) {
        let Ok(packet) = Packet::parse(octets) else {
            return;
        };
        let header = packet.header;
        let law = match header.payload_type {
            PayloadType::PCMA => Law::A,
            PayloadType::PCMU => Law::Mu,
            _ => return,
        };
        let (now, time) = (clock.now(), Some(header.timestamp));
        (self.reception).receive(now, header.ssrc, header.sequence, time);
        let mut samples = vec![0; packet.payload.len()];
        law.decode_block(packet.payload, &mut samples);
        // A call of seconds never comes half way round the numbers.
        let last = self.packets.last_key_value().map(|(number, _)| *number);
        let number = match last {
            Some(last) => {
                let before = SequenceNumber((last & 0xffff) as u16);
                last + i32::from(header.sequence.minus(before))
            }
            None => 0x1_0000 + i32::from(header.sequence.0),
        };
        self.packets.insert(number, samples);
    }

    /// Whether it was the other phone's tone as it was sent, and not one's own; the part that was lost.
    pub fn judge(&self, tone: Tone, own: Tone) -> Result<f64> {
        let came = self.packets.len();
        ensure!(came > 0, "it heard nothing");
        ensure!(
            came >= SKIPPED + LEAST,
            "it heard {came} packets and no more"
        );
        let samples: Vec<i16> = (self.packets.values())
            .skip(SKIPPED)
            .take(MOST)
            .flatten()
            .copied()
            .collect();
        let hz = f32::from(tone.0);
        ensure!(level_dbm0(&samples) > SILENCE_DBM0, "it heard silence");
        let strongest = dominant_frequency(&samples, RATE_HZ).context("it heard silence")?;
        ensure!(
            (strongest - hz).abs() <= FREQUENCY_HZ,
            "it heard a tone of {strongest:.0} Hz in place of {hz} Hz"
        );
        let level = tone_level_dbm0(&samples, hz, RATE_HZ);
        ensure!(
            (level - LEVEL_DBM0).abs() <= LEVEL_DB,
            "it heard the tone at {level:.1} dBm0 in place of {LEVEL_DBM0}"
        );
        let echo = tone_level_dbm0(&samples, own.0.into(), RATE_HZ);
        ensure!(echo <= level - ECHO_DB, "it heard itself at {echo:.1} dBm0");
        let (got, lost) = (
            self.reception.received_packets(),
            self.reception.lost_packets(),
        );
        let loss = lost as f64 / (got + lost).max(1) as f64;
        ensure!(loss <= LOSS, "{:.0} % of the sound was lost", 100.0 * loss);
        Ok(loss)
    }
}

const fn codec_of(law: Law) -> Codec {
    match law {
        Law::A => Codec::Pcma,
        Law::Mu => Codec::Pcmu,
    }
}

/// RTP at an even port, RTCP one above it (RFC 3550 §11).
fn ports() -> Result<(UdpSocket, UdpSocket)> {
    for _ in 0..PORTS_TRIED {
        let first = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = first.local_addr()?.port();
        // The one beside it on the other side of the pair.
        let Ok(second) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port ^ 1)) else {
            continue;
        };
        return Ok(if port.is_multiple_of(2) {
            (first, second)
        } else {
            (second, first)
        });
    }
    anyhow::bail!("there are no two free UDP ports beside each other")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a phone heard where `change` lets the packets of the other through.
    fn heard(tone: Tone, law: Law, change: impl Fn(u32, &mut Vec<u8>) -> bool) -> Heard {
        let sound = Sound::new(law).expect("ports");
        let clock = Clock::start();
        let mut heard = Heard {
            packets: BTreeMap::new(),
            reception: Reception::new(RATE_HZ),
        };
        for sent in 0..SENT {
            let mut octets = vec![0; 12 + SAMPLES];
            let payload = sound.payload(tone);
            let mut header = sound.header(tone, sent);
            // They wrap in the middle of the call.
            header.sequence = header.sequence.plus(65_500);
            header.write(&payload, &mut octets).expect("room");
            if change(sent, &mut octets) {
                heard.take(&clock, &octets);
            }
        }
        heard
    }

    fn fault(heard: &Heard) -> String {
        match heard.judge(Tone::CALLED, Tone::CALLER) {
            Ok(loss) => panic!("passed with a loss of {loss}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_tone_as_it_was_sent_passes() {
        for law in [Law::A, Law::Mu] {
            let all = heard(Tone::CALLED, law, |_, _| true);
            assert_eq!(all.packets.len(), SENT as usize);
            let loss = all.judge(Tone::CALLED, Tone::CALLER).expect("passed");
            assert_eq!(loss, 0.0);
        }
        let few = heard(Tone::CALLED, Law::A, |sent, _| sent != 40);
        let loss = few.judge(Tone::CALLED, Tone::CALLER).expect("passed");
        assert!((loss - 1.0 / 75.0).abs() < 1e-9, "{loss}");
    }

    #[test]
    fn what_is_wrong_has_its_words() {
        let pcma = |change: &dyn Fn(u32, &mut Vec<u8>) -> bool| {
            fault(&heard(Tone::CALLED, Law::A, change))
        };
        assert_eq!(pcma(&|_, _| false), "it heard nothing");
        assert_eq!(pcma(&|n, _| n < 24), "it heard 24 packets and no more");
        let silent = |_: u32, octets: &mut Vec<u8>| {
            octets[12..].fill(Law::A.silence());
            true
        };
        assert_eq!(pcma(&silent), "it heard silence");
        assert_eq!(pcma(&|n, _| n % 10 != 3), "11 % of the sound was lost");
        let faint = |_: u32, octets: &mut Vec<u8>| {
            for octet in &mut octets[12..] {
                *octet = Law::A.encode(Law::A.decode(*octet) / 2);
            }
            true
        };
        let fault_of_level = pcma(&faint);
        assert!(fault_of_level.contains("-16"), "{fault_of_level}");
        let own = heard(Tone::CALLER, Law::A, |_, _| true);
        let own = fault(&own);
        assert_eq!(own, "it heard a tone of 600 Hz in place of 1000 Hz");
        let both = |_: u32, octets: &mut Vec<u8>| {
            let echo = Sound::new(Law::A).expect("ports").payload(Tone::CALLER);
            for (octet, echo) in octets[12..].iter_mut().zip(echo) {
                *octet = Law::A.encode(Law::A.decode(*octet) + Law::A.decode(echo) / 4);
            }
            true
        };
        let fault_of_echo = pcma(&both);
        assert!(
            fault_of_echo.starts_with("it heard itself at"),
            "{fault_of_echo}"
        );
    }
}

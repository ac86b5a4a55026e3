//! The one stream a party receives from us, whatever its sound is made of.
//!
//! Relayed packets of changing sources, tones and digits all leave with one SSRC, one run of sequence
//! numbers and one media clock (RFC 3550 §5.1), so that a party notices a transfer by its ears only.
//! A gap in what is relayed stays a gap: the receiver can tell loss from silence.

use model::Instant;
use rtp::event::EventPacket;
use rtp::packet::{Header, PayloadType, RtpTime, SequenceNumber, Ssrc};
use rtp::rtcp::{NtpTime, SenderInfo};

/// Further apart than this, two packets of a source are a new start of it, not loss (RFC 3550 §A.1).
const MAX_DROPOUT: i16 = 3000;

/// How a source's numbers become ours.
#[derive(Clone, Copy, Debug)]
struct Translation {
    from: Ssrc,
    sequence: u16,
    clock: u32,
    /// Something else was sent since: sequence numbers have moved on.
    stale: bool,
}

/// One outgoing stream.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    ssrc: Ssrc,
    /// The clock of its codec.
    clock_hz: u32,
    /// The highest number sent.
    sequence: SequenceNumber,
    /// The media clock at the packet of that number.
    timestamp: RtpTime,
    /// When that was sent; none before the first packet.
    at: Option<Instant>,
    packets: u64,
    octets: u32,
    translation: Option<Translation>,
    /// The event that is passed on: its source, its beginning there, and here.
    event: Option<(Ssrc, RtpTime, RtpTime)>,
}

impl Outgoing {
    /// A stream that has sent nothing; `seed` is random.
    pub(crate) fn new(seed: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = seed.to_be_bytes();
        Self {
            ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
            clock_hz: 8000,
            // RFC 3550 §5.1: random starts make known-plaintext attacks harder.
            // RFC 4568 §6.4: the first half of the numbers, so that packets lost at the start hide no rollover.
            sequence: SequenceNumber(u16::from_be_bytes([e & 0x7f, f])),
            timestamp: RtpTime(u32::from_be_bytes([g, h, a ^ e, b ^ f])),
            at: None,
            packets: 0,
            octets: 0,
            translation: None,
            event: None,
        }
    }

    /// What follows is another stream of ours, under an SSRC that was never used here.
    pub(crate) fn begin_anew(&mut self) {
        self.ssrc = Ssrc(self.ssrc.0.wrapping_add(1));
        // In the first half of the numbers, as at the start.
        self.sequence = SequenceNumber(self.sequence.0 & 0x7fff);
        self.translation = None;
        self.event = None;
    }

    /// What follows is of a codec with this clock.
    pub(crate) const fn set_clock(&mut self, clock_hz: u32) {
        self.clock_hz = clock_hz;
    }

    /// Our SSRC.
    pub(crate) fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Packets sent.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// The header under which a source's packet is passed on.
    pub(crate) fn relay(
        &mut self,
        now: Instant,
        source: &Header,
        payload_type: PayloadType,
        payload_len: usize,
    ) -> Header {
        let known = self.translation.filter(|known| {
            known.from == source.ssrc
                && (known.stale
                    || source
                        .sequence
                        .plus(known.sequence)
                        .minus(self.sequence)
                        .unsigned_abs()
                        < MAX_DROPOUT.unsigned_abs())
        });
        let (translation, fresh) = match known {
            Some(known) if !known.stale => (known, false),
            Some(known) => (self.renumbered(now, known, source), false),
            None => (self.translate(now, source), true),
        };
        self.translation = Some(translation);
        let header = Header {
            marker: source.marker || fresh,
            payload_type,
            sequence: source.sequence.plus(translation.sequence),
            timestamp: source.timestamp.plus(translation.clock),
            ssrc: self.ssrc,
        };
        self.count(payload_len);
        if header.sequence.is_newer_than(self.sequence) || self.at.is_none() {
            self.sequence = header.sequence;
            self.timestamp = header.timestamp;
            self.at = Some(now);
        }
        header
    }

    /// The header under which a source's telephone event is passed on: all packets of one event have
    /// the timestamp of its beginning (RFC 4733 §2.2.1), though sound of ours may be sent in between.
    pub(crate) fn relay_event(
        &mut self,
        now: Instant,
        source: &Header,
        payload_type: PayloadType,
        payload_len: usize,
    ) -> Header {
        let began = self.at;
        let clock = self.timestamp.plus(self.elapsed(now));
        let mut header = self.relay(now, source, payload_type, payload_len);
        // The timestamp of a long event lies far back, but our clock has gone on.
        if began.is_some() && clock.minus(self.timestamp) > 0 {
            self.timestamp = clock;
            self.at = Some(now);
        }
        match self.event {
            Some((from, began, ours)) if from == source.ssrc && began == source.timestamp => {
                header.timestamp = ours;
            }
            _ => self.event = Some((source.ssrc, source.timestamp, header.timestamp)),
        }
        header
    }

    /// The header of a packet of our own sound, `ticks` of the media clock after the one before, or
    /// later by the time that has passed.
    pub(crate) fn audio(
        &mut self,
        now: Instant,
        payload_type: PayloadType,
        ticks: u32,
        payload_len: usize,
    ) -> Header {
        let elapsed = self.elapsed(now);
        // A tick that comes a little early or late is still the next one.
        let resumed = self.at.is_none() || elapsed > ticks.saturating_mul(3);
        let advance = if resumed { elapsed.max(ticks) } else { ticks };
        self.sequence = self.sequence.next();
        self.timestamp = self.timestamp.plus(advance);
        self.at = Some(now);
        self.interrupt();
        self.count(payload_len);
        Header {
            marker: resumed,
            payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        }
    }

    /// Where the media clock stands at `now`: the start of an event that begins now.
    pub(crate) fn clock(&self, now: Instant) -> RtpTime {
        self.timestamp.plus(self.elapsed(now).max(1))
    }

    /// The header of a packet of a telephone event of ours (RFC 4733 §2.5.1).
    pub(crate) fn event(
        &mut self,
        now: Instant,
        payload_type: PayloadType,
        event: &EventPacket,
    ) -> Header {
        let clock = self.clock(now);
        self.sequence = self.sequence.next();
        self.timestamp = clock;
        self.at = Some(now);
        self.interrupt();
        self.count(event.payload.len());
        Header {
            marker: event.marker,
            payload_type,
            sequence: self.sequence,
            timestamp: event.timestamp,
            ssrc: self.ssrc,
        }
    }

    /// What a sender report says of the stream (RFC 3550 §6.4.1).
    pub(crate) fn report(&self, now: Instant, ntp: NtpTime) -> SenderInfo {
        SenderInfo {
            ntp,
            timestamp: self.timestamp.plus(self.elapsed(now)),
            packets: u32::try_from(self.packets & u64::from(u32::MAX)).unwrap_or(u32::MAX),
            octets: self.octets,
        }
    }

    /// A new source begins at the number after our last, at the clock of now.
    fn translate(&self, now: Instant, source: &Header) -> Translation {
        let clock = if self.at.is_some() {
            self.clock(now)
        } else {
            self.timestamp
        };
        Translation {
            from: source.ssrc,
            sequence: self.sequence.next().0.wrapping_sub(source.sequence.0),
            clock: clock.0.wrapping_sub(source.timestamp.0),
            stale: false,
        }
    }

    /// The same source goes on after something else was sent: new numbers, the same clock if it has
    /// not fallen behind.
    fn renumbered(&self, now: Instant, known: Translation, source: &Header) -> Translation {
        let fresh = self.translate(now, source);
        let clock = source.timestamp.plus(known.clock);
        if clock.minus(self.timestamp) > 0 {
            Translation {
                clock: known.clock,
                ..fresh
            }
        } else {
            fresh
        }
    }

    fn interrupt(&mut self) {
        if let Some(translation) = &mut self.translation {
            translation.stale = true;
        }
    }

    fn elapsed(&self, now: Instant) -> u32 {
        let Some(at) = self.at else { return 0 };
        let us = now.as_micros().saturating_sub(at.as_micros());
        u32::try_from(us * u64::from(self.clock_hz) / 1_000_000).unwrap_or(u32::MAX)
    }

    fn count(&mut self, payload_len: usize) {
        self.packets += 1;
        self.octets = self
            .octets
            .wrapping_add(u32::try_from(payload_len).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const PCMA: PayloadType = PayloadType::PCMA;

    fn source(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header {
            marker: false,
            payload_type: PCMA,
            sequence: SequenceNumber(sequence),
            timestamp: RtpTime(timestamp),
            ssrc: Ssrc(ssrc),
        }
    }

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn loss_and_order_of_a_source_pass_through() {
        let mut out = Outgoing::new(1);
        let first = out.relay(ms(0), &source(7, 100, 16_000), PCMA, 160);
        let third = out.relay(ms(40), &source(7, 102, 16_320), PCMA, 160);
        let second = out.relay(ms(41), &source(7, 101, 16_160), PCMA, 160);
        assert!(first.marker && !third.marker);
        assert_eq!(third.sequence.minus(first.sequence), 2);
        assert_eq!(second.sequence.minus(first.sequence), 1);
        assert_eq!(third.timestamp.minus(first.timestamp), 320);
        assert_eq!(second.timestamp.minus(first.timestamp), 160);
        assert_eq!(out.packets(), 3);
    }

    #[test]
    fn a_new_source_goes_on_where_the_old_one_was() {
        let mut out = Outgoing::new(2);
        let old = out.relay(ms(0), &source(7, 100, 16_000), PCMA, 160);
        let new = out.relay(ms(500), &source(9, 60_000, 5), PCMA, 160);
        assert_eq!(new.sequence.minus(old.sequence), 1);
        assert_eq!(new.timestamp.minus(old.timestamp), 4000);
        assert!(new.marker, "another source is a talkspurt");
        assert_eq!(new.ssrc, old.ssrc);
    }

    #[test]
    fn a_source_goes_on_after_a_tone() {
        let mut out = Outgoing::new(3);
        let before = out.relay(ms(0), &source(7, 100, 16_000), PCMA, 160);
        let tone: Vec<Header> = (1..=5)
            .map(|i| out.audio(ms(20 * i), PCMA, 160, 160))
            .collect();
        assert_eq!(tone[0].timestamp.minus(before.timestamp), 160);
        assert_eq!(tone[4].sequence.minus(before.sequence), 5);
        let after = out.relay(ms(120), &source(7, 106, 16_960), PCMA, 160);
        assert_eq!(after.sequence.minus(tone[4].sequence), 1);
        assert_eq!(
            after.timestamp.minus(before.timestamp),
            960,
            "its own clock"
        );
    }

    #[test]
    fn a_source_that_starts_anew_does_not_look_like_loss() {
        let mut out = Outgoing::new(4);
        let before = out.relay(ms(0), &source(7, 100, 16_000), PCMA, 160);
        let after = out.relay(ms(20), &source(7, 40_000, 16_160), PCMA, 160);
        assert_eq!(after.sequence.minus(before.sequence), 1);
    }

    #[test]
    fn a_key_that_is_passed_on_does_not_set_the_clock_back() {
        let event = PayloadType::new(101).expect("seven bits");
        let mut out = Outgoing::new(5);
        let before = out.relay(ms(0), &source(7, 100, 16_000), PCMA, 160);
        for n in 1..=50 {
            let key = out.relay_event(ms(20 * n), &source(7, 100 + n as u16, 16_160), event, 4);
            assert_eq!(key.timestamp.minus(before.timestamp), 160);
        }
        let tone = out.audio(ms(1020), PCMA, 160, 160);
        assert_eq!(tone.timestamp.minus(before.timestamp), 8160);
    }

    #[test]
    fn silence_moves_the_clock_of_a_tone() {
        let mut out = Outgoing::new(5);
        let first = out.audio(ms(0), PCMA, 160, 160);
        let next = out.audio(ms(20), PCMA, 160, 160);
        let late = out.audio(ms(1020), PCMA, 160, 160);
        assert!(first.marker && !next.marker && late.marker);
        assert_eq!(late.timestamp.minus(next.timestamp), 8000);
        let report = out.report(ms(1020) + Duration::from_millis(10), NtpTime(0));
        assert_eq!(report.timestamp.minus(late.timestamp), 80);
        assert_eq!((report.packets, report.octets), (3, 480));
    }
}

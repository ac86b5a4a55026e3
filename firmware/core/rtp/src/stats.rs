//! What is received of a stream, and what the far end says it receives of ours.
//!
//! Owns RFC 3550 Appendix A.1 (validity of sequence numbers), A.3 (loss) and A.8 (interarrival jitter), and the
//! sums over a call whose far end changes its source. What that means for the ear is [`crate::quality`]'s affair.

use crate::packet::{RtpTime, SequenceNumber, Ssrc};
use crate::rtcp::{NtpTime, ReportBlock, SenderInfo, report_units, round_trip};
use core::time::Duration;
use model::Instant;

/// What a packet is in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The first packet of a source not heard before: the jitter buffer begins anew.
    First,
    /// The next packet, or one after a gap.
    InOrder,
    /// A packet overtaken by others.
    Reordered,
    /// A packet that was here before.
    Duplicate,
    /// Far off the sequence: counted only if the next one confirms it.
    Suspect,
    /// It confirmed that the source began its numbers anew.
    Restarted,
}

/// Reception of one leg's audio, over all its sources.
#[derive(Clone, Debug)]
pub struct Reception {
    clock_hz: u32,
    source: Option<Source>,
    /// Of sources gone by.
    received_before: u64,
    lost_before: u64,
    duplicate_packets: u64,
    reordered_packets: u64,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: Ssrc,
    /// Sequence numbers in 64 bits: the first counted, and the highest.
    base: u64,
    highest: u64,
    /// Whether two packets in sequence have been heard.
    valid: bool,
    /// The number that would confirm a restart.
    suspect: Option<SequenceNumber>,
    /// Which of the 64 packets up to `highest` were heard, that one in bit 0.
    heard: u64,
    unique: u64,
    duplicates: u64,
    expected_prior: u64,
    received_prior: u64,
    transit: Option<u32>,
    /// In sixteenths of a tick.
    jitter_q4: u32,
    sender_report: Option<(u32, Instant)>,
}

// RFC 3550 Appendix A.1; MIN_SEQUENTIAL is 2.
const MAX_DROPOUT: u16 = 3000;
const MAX_MISORDER: u16 = 100;

impl Reception {
    /// Nothing heard yet.
    #[must_use]
    pub fn new(clock_hz: u32) -> Self {
        Self {
            clock_hz: clock_hz.max(1),
            source: None,
            received_before: 0,
            lost_before: 0,
            duplicate_packets: 0,
            reordered_packets: 0,
        }
    }

    /// What follows is of another codec, with this clock.
    pub fn set_clock(&mut self, clock_hz: u32) {
        let clock_hz = clock_hz.max(1);
        if core::mem::replace(&mut self.clock_hz, clock_hz) != clock_hz
            && let Some(source) = &mut self.source
        {
            source.transit = None;
            source.jitter_q4 = 0;
        }
    }

    /// A packet arrived. `timestamp` is given for audio, whose timing says something of the network; an event's
    /// timestamp stands still.
    pub fn receive(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        sequence: SequenceNumber,
        timestamp: Option<RtpTime>,
    ) -> Arrival {
        let arrival = match &mut self.source {
            Some(source) if source.ssrc == ssrc => source.receive(sequence),
            Some(_) | None => {
                self.fold(Source::new(ssrc, sequence));
                Arrival::First
            }
        };
        match arrival {
            Arrival::Suspect => return arrival,
            Arrival::Restarted => self.fold(Source::restarted(ssrc, sequence)),
            Arrival::Duplicate => self.duplicate_packets += 1,
            Arrival::Reordered => self.reordered_packets += 1,
            Arrival::First | Arrival::InOrder => {}
        }
        if let Some((source, timestamp)) = self.source.as_mut().zip(timestamp) {
            source.time(arrival_ticks(now, self.clock_hz), timestamp);
        }
        arrival
    }

    /// A sender report of the source arrived; the next report repeats its time.
    pub fn sender_report(&mut self, now: Instant, ssrc: Ssrc, info: &SenderInfo) {
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc == ssrc) {
            source.sender_report = Some((info.ntp.middle(), now));
        }
    }

    /// The block our next report bears; none before the source is known to be one.
    // RFC 3550 §6.4.1, Appendix A.3
    pub fn report(&mut self, now: Instant) -> Option<ReportBlock> {
        let source = self.source.as_mut().filter(|source| source.valid)?;
        let (expected, received) = (source.expected(), source.unique + source.duplicates);
        let expected_now = expected - source.expected_prior;
        let received_now = received - source.received_prior;
        (source.expected_prior, source.received_prior) = (expected, received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (lost_now << 8).checked_div(expected_now).unwrap_or(0);
        let lost = i64::try_from(expected).unwrap_or(i64::MAX)
            - i64::try_from(received).unwrap_or(i64::MAX);
        let (last_report, at) = source.sender_report.unwrap_or((0, now));
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost: fraction.min(255) as u8,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7F_FFFF) as i32,
            highest_sequence: source.highest as u32,
            jitter: source.jitter_q4 >> 4,
            last_report,
            since_last_report: if last_report == 0 {
                0
            } else {
                report_units(now.since(at))
            },
        })
    }

    /// The source heard now.
    #[must_use]
    pub fn ssrc(&self) -> Option<Ssrc> {
        self.source.map(|source| source.ssrc)
    }

    /// Packets received, each once.
    #[must_use]
    pub fn received_packets(&self) -> u64 {
        self.received_before + self.source.map_or(0, |source| source.unique)
    }

    /// Packets that never came.
    #[must_use]
    pub fn lost_packets(&self) -> u64 {
        self.lost_before + self.source.map_or(0, |source| source.lost())
    }

    /// Packets that came again.
    #[must_use]
    pub fn duplicate_packets(&self) -> u64 {
        self.duplicate_packets
    }

    /// Packets overtaken by others.
    #[must_use]
    pub fn reordered_packets(&self) -> u64 {
        self.reordered_packets
    }

    /// Interarrival jitter of the source heard now.
    #[must_use]
    pub fn jitter_us(&self) -> u32 {
        let ticks_q4 = self.source.map_or(0, |source| source.jitter_q4);
        ticks_us(ticks_q4, u64::from(self.clock_hz) * 16)
    }

    fn fold(&mut self, next: Source) {
        if let Some(before) = self.source.replace(next) {
            self.received_before += before.unique;
            self.lost_before += before.lost();
        }
    }
}

impl Source {
    fn new(ssrc: Ssrc, sequence: SequenceNumber) -> Self {
        // One cycle up, so that a straggler before the first packet has a number too.
        let number = 1 << 16 | u64::from(sequence.0);
        Self {
            ssrc,
            base: number,
            highest: number,
            valid: false,
            suspect: Some(sequence.next()),
            heard: 1,
            unique: 1,
            duplicates: 0,
            expected_prior: 0,
            received_prior: 0,
            transit: None,
            jitter_q4: 0,
            sender_report: None,
        }
    }

    /// Begins with the packet that confirmed it.
    fn restarted(ssrc: Ssrc, sequence: SequenceNumber) -> Self {
        Self {
            valid: true,
            suspect: None,
            ..Self::new(ssrc, sequence)
        }
    }

    fn receive(&mut self, sequence: SequenceNumber) -> Arrival {
        let ahead = sequence.0.wrapping_sub(self.highest as u16);
        let behind = ahead.wrapping_neg();
        if !self.valid && ahead > MAX_MISORDER && behind > MAX_MISORDER {
            // On probation nothing is believed of the first packet but its source.
            *self = Self::new(self.ssrc, sequence);
            return Arrival::Suspect;
        }
        if ahead == 0 {
            self.duplicates += 1;
            return Arrival::Duplicate;
        }
        if ahead < MAX_DROPOUT {
            self.highest += u64::from(ahead);
            self.heard = self.heard.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.unique += 1;
            (self.valid, self.suspect) = (true, None);
            return Arrival::InOrder;
        }
        if behind <= MAX_MISORDER {
            return self.straggler(behind);
        }
        if self.suspect.replace(sequence.next()) == Some(sequence) {
            return Arrival::Restarted;
        }
        Arrival::Suspect
    }

    fn straggler(&mut self, behind: u16) -> Arrival {
        // Beyond the 64 remembered, a straggler is taken at its word.
        let bit = 1u64.checked_shl(u32::from(behind)).unwrap_or(0);
        if self.heard & bit != 0 {
            self.duplicates += 1;
            return Arrival::Duplicate;
        }
        self.heard |= bit;
        self.unique += 1;
        self.base = self.base.min(self.highest - u64::from(behind));
        Arrival::Reordered
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.unique)
    }

    // RFC 3550 Appendix A.8, the integer version.
    fn time(&mut self, arrival: u32, timestamp: RtpTime) {
        let transit = arrival.wrapping_sub(timestamp.0);
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit.wrapping_sub(before) as i32)
                .unsigned_abs()
                .min(MOST_JITTER);
            self.jitter_q4 = self.jitter_q4 + difference
                - ((self.jitter_q4 + 8) >> 4).min(self.jitter_q4 + difference);
        }
    }
}

/// A larger difference is a clock begun anew, not jitter; it also keeps the sum within its bits.
const MOST_JITTER: u32 = 1 << 20;

fn arrival_ticks(now: Instant, clock_hz: u32) -> u32 {
    (u128::from(now.as_micros()) * u128::from(clock_hz) / 1_000_000) as u32
}

fn ticks_us(ticks: u32, clock_hz: u64) -> u32 {
    u32::try_from(u64::from(ticks) * 1_000_000 / clock_hz.max(1)).unwrap_or(u32::MAX)
}

/// What the far end says of our stream, and how far away it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoteView {
    /// Packets of ours it misses.
    pub lost_packets: Option<u32>,
    /// Part of them it missed lately, in 1/256.
    pub fraction_lost: Option<u8>,
    /// The jitter it sees, in microseconds.
    pub jitter_us: Option<u32>,
    /// The last round trip.
    pub round_trip: Option<Duration>,
}

impl RemoteView {
    /// A report on our stream arrived when our clock said `now`.
    pub fn report(&mut self, now: NtpTime, block: &ReportBlock, clock_hz: u32) {
        self.lost_packets = Some(block.cumulative_lost.max(0).unsigned_abs());
        self.fraction_lost = Some(block.fraction_lost);
        self.jitter_us = Some(ticks_us(block.jitter, u64::from(clock_hz)));
        self.round_trip =
            round_trip(now, block.last_report, block.since_last_report).or(self.round_trip);
    }
}

#[cfg(test)]
mod tests;

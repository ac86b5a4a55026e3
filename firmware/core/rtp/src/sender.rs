//! The stream we send: its numbers, its clock and the counts its sender reports tell.
//!
//! Owns sequence numbers, timestamps and the marker (RFC 3550 §5.1, RFC 3551 §4.1). Random starts and the SSRC are
//! drawn outside and handed in.

use crate::event::EventPacket;
use crate::packet::{Header, PayloadType, RtpTime, SequenceNumber, Ssrc};
use crate::rtcp::{NtpTime, SenderInfo};

/// One outgoing stream.
#[derive(Clone, Debug)]
pub struct Sender {
    ssrc: Ssrc,
    sequence: SequenceNumber,
    timestamp: RtpTime,
    /// The next audio packet begins a talkspurt.
    talkspurt: bool,
    packets: u32,
    octets: u32,
}

impl Sender {
    /// A stream that has sent nothing; the first packet bears these numbers.
    #[must_use]
    pub fn new(ssrc: Ssrc, sequence: SequenceNumber, timestamp: RtpTime) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
            talkspurt: true,
            packets: 0,
            octets: 0,
        }
    }

    /// The header of the next audio packet, of `ticks` of media clock and `payload_octets`.
    pub fn audio(
        &mut self,
        payload_type: PayloadType,
        ticks: u32,
        payload_octets: usize,
    ) -> Header {
        let marker = core::mem::take(&mut self.talkspurt);
        let header = self.header(payload_type, marker, self.timestamp, payload_octets);
        self.timestamp = self.timestamp.plus(ticks);
        header
    }

    /// The header of a telephone-event packet; the media clock runs on by [`Sender::silence`].
    // RFC 4733 §2.5.1: events share SSRC, sequence numbers and clock with the audio.
    pub fn event(&mut self, payload_type: PayloadType, event: &EventPacket) -> Header {
        self.header(
            payload_type,
            event.marker,
            event.timestamp,
            event.payload.len(),
        )
    }

    /// Lets the media clock run on by `ticks` without a packet; the next audio is marked.
    pub fn silence(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.plus(ticks);
        self.talkspurt = true;
    }

    /// The next audio packet is marked: another source begins, a talkspurt in the receiver's eyes.
    pub fn begin_talkspurt(&mut self) {
        self.talkspurt = true;
    }

    /// Who sends.
    #[must_use]
    pub fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// The media clock: the timestamp of the next sample.
    #[must_use]
    pub fn timestamp(&self) -> RtpTime {
        self.timestamp
    }

    /// Packets sent.
    #[must_use]
    pub fn packets(&self) -> u32 {
        self.packets
    }

    /// What a sender report says of this stream at the time `ntp`.
    // RFC 3550 §6.4.1
    #[must_use]
    pub fn report(&self, ntp: NtpTime) -> SenderInfo {
        SenderInfo {
            ntp,
            timestamp: self.timestamp,
            packets: self.packets,
            octets: self.octets,
        }
    }

    fn header(
        &mut self,
        payload_type: PayloadType,
        marker: bool,
        timestamp: RtpTime,
        octets: usize,
    ) -> Header {
        let header = Header {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.next();
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventCode, EventSender};

    #[test]
    fn a_talkspurt_is_marked_and_numbers_run_on() {
        let mut sender = Sender::new(Ssrc(1), SequenceNumber(0xFFFF), RtpTime(u32::MAX - 159));
        let first = sender.audio(PayloadType::PCMU, 160, 160);
        let second = sender.audio(PayloadType::PCMU, 160, 160);
        assert!(first.marker && !second.marker);
        assert_eq!(
            (second.sequence, second.timestamp),
            (SequenceNumber(0), RtpTime(0))
        );
        sender.silence(480);
        let third = sender.audio(PayloadType::PCMU, 160, 160);
        assert!(third.marker);
        assert_eq!(
            (third.sequence, third.timestamp),
            (SequenceNumber(1), RtpTime(640))
        );
        let report = sender.report(NtpTime(5));
        assert_eq!(
            (report.packets, report.octets, report.timestamp),
            (3, 480, RtpTime(800))
        );
    }

    #[test]
    fn events_keep_their_timestamp_and_take_numbers() {
        let payload_type = PayloadType::new(101).expect("below 128");
        let mut sender = Sender::new(Ssrc(1), SequenceNumber(10), RtpTime(1000));
        let mut events = EventSender::new(160);
        events.start(EventCode(5), 10, 320, sender.timestamp());
        let mut seen = Vec::new();
        while let Some(event) = events.next() {
            let header = sender.event(payload_type, &event);
            sender.silence(160);
            seen.push((header.sequence.0, header.timestamp.0, header.marker));
        }
        assert_eq!(
            seen,
            [
                (10, 1000, true),
                (11, 1000, false),
                (12, 1000, false),
                (13, 1000, false)
            ]
        );
    }
}

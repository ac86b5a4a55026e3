//! RTCP: what the two ends tell each other of their streams.
//!
//! Owns the wire form of RFC 3550 §6 (sender and receiver reports, source description, goodbye), read without
//! copying and written into the caller's buffer, and the round trip they give. What is reported is counted in
//! [`crate::stats`]; when to report is the media graph's affair ([`REPORT_INTERVAL`]).

mod time;
mod write;

pub(crate) use time::report_units;
pub use time::{NtpClock, NtpTime, round_trip};
pub use write::{MAX_REPORTS, Writer};

use crate::packet::{RtpTime, Ssrc};
use core::time::Duration;

/// How often a stream of audio is reported on.
// RFC 3550 §6.2: five seconds at least, which two participants' traffic stays far below.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Why octets are no RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// A packet is longer than the datagram, or shorter than its own contents.
    #[error("an RTCP packet is shorter than it says")]
    Truncated,
    /// A packet of another version than 2.
    #[error("an RTCP packet is not version 2")]
    Version,
}

/// A datagram of one or more packets.
#[derive(Clone, Copy, Debug)]
pub struct Compound<'a> {
    octets: &'a [u8],
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpPacket<'a> {
    /// From one who sends (type 200).
    SenderReport {
        /// Who reports.
        ssrc: Ssrc,
        /// What it has sent.
        info: SenderInfo,
        /// What it hears.
        reports: Reports<'a>,
    },
    /// From one who only hears (type 201).
    ReceiverReport {
        /// Who reports.
        ssrc: Ssrc,
        /// What it hears.
        reports: Reports<'a>,
    },
    /// Who the sources are (type 202).
    SourceDescription(SourceDescription<'a>),
    /// Sources that leave (type 203).
    Goodbye(Goodbye<'a>),
    /// Anything else: application-defined, feedback, extended reports.
    Other {
        /// The packet type.
        packet_type: u8,
        /// Its content behind the common header.
        body: &'a [u8],
    },
}

/// What a sender says of its stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// When the report was sent, by the sender's wall clock.
    pub ntp: NtpTime,
    /// The same moment on the media clock.
    pub timestamp: RtpTime,
    /// Packets sent since the stream began; wraps.
    pub packets: u32,
    /// Payload octets sent since the stream began; wraps.
    pub octets: u32,
}

/// What a receiver says of one stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream reported on.
    pub ssrc: Ssrc,
    /// Part lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, within 24 bits; duplicates make it negative.
    pub cumulative_lost: i32,
    /// The highest sequence number, its cycles in the upper half.
    pub highest_sequence: u32,
    /// Interarrival jitter in ticks of the media clock.
    pub jitter: u32,
    /// Middle of the NTP time of the last sender report heard, 0 for none.
    pub last_report: u32,
    /// How long ago that was, in 1/65 536 s.
    pub since_last_report: u32,
}

impl<'a> Compound<'a> {
    /// Checks the lengths of all packets in a datagram.
    ///
    /// # Errors
    /// Says why it is no RTCP. A compound that begins with another packet than a report is taken (RFC 5506).
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtcpError> {
        let mut rest = datagram;
        loop {
            let (_, after) = split_packet(rest)?;
            if after.is_empty() {
                return Ok(Self { octets: datagram });
            }
            rest = after;
        }
    }

    /// The packets in order. One whose contents contradict its length is left out.
    pub fn packets(&self) -> impl Iterator<Item = RtcpPacket<'a>> + use<'a> {
        let mut rest = self.octets;
        core::iter::from_fn(move || {
            let (packet, after) = split_packet(rest).ok()?;
            rest = after;
            Some(packet)
        })
        .filter_map(|raw| raw.read())
    }
}

struct Raw<'a> {
    count: u8,
    packet_type: u8,
    body: &'a [u8],
}

// RFC 3550 §6.4.1: version, padding, count; type; length in 32-bit words less one.
fn split_packet(octets: &[u8]) -> Result<(Raw<'_>, &[u8]), RtcpError> {
    let (&[first, packet_type, l0, l1], rest) = octets
        .split_first_chunk::<4>()
        .ok_or(RtcpError::Truncated)?;
    if first >> 6 != 2 {
        return Err(RtcpError::Version);
    }
    let len = usize::from(u16::from_be_bytes([l0, l1])) * 4;
    let (mut body, rest) = rest.split_at_checked(len).ok_or(RtcpError::Truncated)?;
    if first & 0x20 != 0 {
        let padding = usize::from(*body.last().ok_or(RtcpError::Truncated)?);
        let len = body
            .len()
            .checked_sub(padding)
            .ok_or(RtcpError::Truncated)?;
        body = body.get(..len).ok_or(RtcpError::Truncated)?;
    }
    Ok((
        Raw {
            count: first & 0x1F,
            packet_type,
            body,
        },
        rest,
    ))
}

impl<'a> Raw<'a> {
    fn read(self) -> Option<RtcpPacket<'a>> {
        let count = usize::from(self.count);
        match self.packet_type {
            200 => {
                let (ssrc, rest) = split_u32(self.body)?;
                let (&ntp, rest) = rest.split_first_chunk::<8>()?;
                let (timestamp, rest) = split_u32(rest)?;
                let (packets, rest) = split_u32(rest)?;
                let (octets, rest) = split_u32(rest)?;
                let ntp = NtpTime(u64::from_be_bytes(ntp));
                let info = SenderInfo {
                    ntp,
                    timestamp: RtpTime(timestamp),
                    packets,
                    octets,
                };
                let reports = Reports {
                    octets: rest.get(..count * REPORT_LEN)?,
                };
                Some(RtcpPacket::SenderReport {
                    ssrc: Ssrc(ssrc),
                    info,
                    reports,
                })
            }
            201 => {
                let (ssrc, rest) = split_u32(self.body)?;
                let reports = Reports {
                    octets: rest.get(..count * REPORT_LEN)?,
                };
                Some(RtcpPacket::ReceiverReport {
                    ssrc: Ssrc(ssrc),
                    reports,
                })
            }
            202 => Some(RtcpPacket::SourceDescription(SourceDescription {
                octets: self.body,
                count,
            })),
            203 => {
                let (sources, rest) = self.body.split_at_checked(count * 4)?;
                let reason = rest
                    .split_first()
                    .and_then(|(&len, text)| text.get(..usize::from(len)));
                Some(RtcpPacket::Goodbye(Goodbye {
                    sources,
                    reason: reason.unwrap_or_default(),
                }))
            }
            packet_type => Some(RtcpPacket::Other {
                packet_type,
                body: self.body,
            }),
        }
    }
}

fn split_u32(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (&number, rest) = octets.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(number), rest))
}

const REPORT_LEN: usize = 24;

/// The report blocks of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reports<'a> {
    octets: &'a [u8],
}

impl<'a> Reports<'a> {
    /// The blocks in order.
    pub fn iter(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        self.octets
            .as_chunks::<REPORT_LEN>()
            .0
            .iter()
            .filter_map(|block| ReportBlock::read(block))
    }

    /// The block on one stream: what the far end hears of ours.
    #[must_use]
    pub fn of(&self, ssrc: Ssrc) -> Option<ReportBlock> {
        self.iter().find(|block| block.ssrc == ssrc)
    }
}

impl ReportBlock {
    fn read(octets: &[u8]) -> Option<Self> {
        let (ssrc, rest) = split_u32(octets)?;
        let (loss, rest) = split_u32(rest)?;
        let (highest_sequence, rest) = split_u32(rest)?;
        let (jitter, rest) = split_u32(rest)?;
        let (last_report, rest) = split_u32(rest)?;
        let (since_last_report, _) = split_u32(rest)?;
        Some(Self {
            ssrc: Ssrc(ssrc),
            fraction_lost: (loss >> 24) as u8,
            // 24 bits, signed.
            cumulative_lost: ((loss << 8) as i32) >> 8,
            highest_sequence,
            jitter,
            last_report,
            since_last_report,
        })
    }
}

/// Who the sources are (RFC 3550 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    octets: &'a [u8],
    count: usize,
}

/// One item said of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdesItem<'a> {
    /// Whom it describes.
    pub ssrc: Ssrc,
    /// What it is: 1 CNAME, 2 NAME, 6 TOOL …
    pub kind: u8,
    /// The text.
    pub text: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    /// Every item of every source, until one contradicts its length.
    pub fn items(&self) -> impl Iterator<Item = SdesItem<'a>> + use<'a> {
        let (mut rest, mut left, mut chunk) = (self.octets, self.count, None);
        core::iter::from_fn(move || {
            loop {
                let (ssrc, start) = match chunk {
                    Some(open) => open,
                    None => {
                        left = left.checked_sub(1)?;
                        let start = rest.len();
                        let (ssrc, after) = split_u32(rest)?;
                        rest = after;
                        (Ssrc(ssrc), start)
                    }
                };
                let (&kind, after) = rest.split_first()?;
                if kind == 0 {
                    // A chunk ends in zeros up to the next 32-bit boundary.
                    let used = start - after.len();
                    rest = after.get((4 - used % 4) % 4..)?;
                    chunk = None;
                    continue;
                }
                let (&len, after) = after.split_first()?;
                let (text, after) = after.split_at_checked(usize::from(len))?;
                rest = after;
                chunk = Some((ssrc, start));
                return Some(SdesItem { ssrc, kind, text });
            }
        })
    }

    /// The canonical name of a source.
    #[must_use]
    pub fn cname(&self, ssrc: Ssrc) -> Option<&'a [u8]> {
        self.items()
            .find(|item| item.ssrc == ssrc && item.kind == CNAME)
            .map(|item| item.text)
    }
}

const CNAME: u8 = 1;

/// Sources that leave (RFC 3550 §6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a> {
    sources: &'a [u8],
    /// Why, or nothing.
    pub reason: &'a [u8],
}

impl<'a> Goodbye<'a> {
    /// The sources.
    pub fn sources(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        self.sources
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&octets| Ssrc(u32::from_be_bytes(octets)))
    }
}

#[cfg(test)]
mod tests;

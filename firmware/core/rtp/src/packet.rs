//! The RTP packet on the wire, read without copying and written into the caller's buffer.
//!
//! Owns RFC 3550 §5.1 and §5.3.1 (fixed header, CSRC list, one header extension, padding) and the numbers in it,
//! each of which wraps. Which payload type means which codec is SDP's affair.

use core::fmt;

/// The synchronisation source: who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A packet's number in its stream; wraps at 65 536.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SequenceNumber(pub u16);

impl SequenceNumber {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The number `count` packets later.
    #[must_use]
    pub const fn plus(self, count: u16) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// How many packets this one is after `earlier`, by the shorter way round; negative if before.
    #[must_use]
    pub const fn minus(self, earlier: Self) -> i16 {
        self.0.wrapping_sub(earlier.0) as i16
    }

    /// Whether this number comes after `other`, by the shorter way round.
    #[must_use]
    pub const fn is_newer_than(self, other: Self) -> bool {
        self.minus(other) > 0
    }
}

/// A moment on a stream's media clock, in its own ticks (samples for G.711); wraps at 2³².
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RtpTime(pub u32);

impl RtpTime {
    /// The moment `ticks` later.
    #[must_use]
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }

    /// How many ticks this is after `earlier`, by the shorter way round; negative if before.
    #[must_use]
    pub const fn minus(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }
}

/// What the payload is: seven bits, given their meaning by SDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadType(u8);

impl PayloadType {
    /// G.711 µ-law (RFC 3551 §6).
    pub const PCMU: Self = Self(0);
    /// G.711 A-law (RFC 3551 §6).
    pub const PCMA: Self = Self(8);
    /// Comfort noise (RFC 3389 §4).
    pub const COMFORT_NOISE: Self = Self(13);

    /// A payload type; above 127 there is none.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 128 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Octets of the fixed header.
pub const HEADER_LEN: usize = 12;

/// The largest packet handled: what an Ethernet frame carries (1500 less IPv4 and UDP headers).
pub const MAX_PACKET: usize = 1472;

/// Why octets are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Shorter than its own header, lists or padding say.
    #[error("the packet is shorter than it says")]
    Truncated,
    /// Version other than 2: something else, or STUN or DTLS on the same port (RFC 7983 §7).
    #[error("the packet is not RTP version 2")]
    Version,
    /// RTCP on the RTP port (RFC 5761 §4).
    #[error("the packet is RTCP")]
    Rtcp,
}

/// The buffer given is smaller than what is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the buffer is too small")]
pub struct BufferTooSmall;

/// A view of one packet received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The fixed header.
    pub header: Header,
    /// The header extension, if any.
    pub extension: Option<Extension<'a>>,
    /// The payload, without padding.
    pub payload: &'a [u8],
    csrcs: &'a [u8],
}

/// A header extension (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// "Defined by profile".
    pub profile: u16,
    /// Its data: whole 32-bit words.
    pub data: &'a [u8],
}

/// The fields of the fixed header; with [`Header::write`] a packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// First packet of a talkspurt, or of an event.
    pub marker: bool,
    /// What the payload is.
    pub payload_type: PayloadType,
    /// The packet's number.
    pub sequence: SequenceNumber,
    /// When its first sample was taken.
    pub timestamp: RtpTime,
    /// Who sends.
    pub ssrc: Ssrc,
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// Says why it is no RTP packet; RTCP is told apart so that a shared port can be sorted.
    // RFC 3550 §5.1, Appendix A.1 (header validity checks)
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        if is_rtcp(datagram) {
            return Err(PacketError::Rtcp);
        }
        let (&[first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3], rest) = datagram
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(PacketError::Truncated)?;
        if first >> 6 != 2 {
            return Err(PacketError::Version);
        }
        let csrc_len = usize::from(first & 0x0F) * 4;
        let (csrcs, mut rest) = rest
            .split_at_checked(csrc_len)
            .ok_or(PacketError::Truncated)?;
        let mut extension = None;
        if first & 0x10 != 0 {
            let (&[p0, p1, l0, l1], after) = rest
                .split_first_chunk::<4>()
                .ok_or(PacketError::Truncated)?;
            let len = usize::from(u16::from_be_bytes([l0, l1])) * 4;
            let (data, after) = after.split_at_checked(len).ok_or(PacketError::Truncated)?;
            extension = Some(Extension {
                profile: u16::from_be_bytes([p0, p1]),
                data,
            });
            rest = after;
        }
        if first & 0x20 != 0 {
            // The last octet counts the padding, itself included.
            let padding = usize::from(*rest.last().ok_or(PacketError::Truncated)?);
            let len = rest.len().checked_sub(padding).filter(|_| padding > 0);
            rest = len
                .and_then(|len| rest.get(..len))
                .ok_or(PacketError::Truncated)?;
        }
        let header = Header {
            marker: second & 0x80 != 0,
            payload_type: PayloadType(second & 0x7F),
            sequence: SequenceNumber(u16::from_be_bytes([s0, s1])),
            timestamp: RtpTime(u32::from_be_bytes([t0, t1, t2, t3])),
            ssrc: Ssrc(u32::from_be_bytes([r0, r1, r2, r3])),
        };
        Ok(Self {
            header,
            extension,
            payload: rest,
            csrcs,
        })
    }

    /// The contributing sources, where a mixer names them.
    pub fn csrcs(&self) -> impl Iterator<Item = Ssrc> + 'a {
        self.csrcs
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&octets| Ssrc(u32::from_be_bytes(octets)))
    }
}

impl Header {
    /// Writes header and payload; returns the packet's length.
    ///
    /// # Errors
    /// When `out` is too small.
    pub fn write(&self, payload: &[u8], out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let len = HEADER_LEN + payload.len();
        let out = out.get_mut(..len).ok_or(BufferTooSmall)?;
        let (head, body) = out
            .split_first_chunk_mut::<HEADER_LEN>()
            .ok_or(BufferTooSmall)?;
        *head = self.octets();
        body.copy_from_slice(payload);
        Ok(len)
    }

    /// The twelve octets of the header, for who puts the payload behind them itself.
    #[must_use]
    pub fn octets(&self) -> [u8; HEADER_LEN] {
        let [s0, s1] = self.sequence.0.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.0.to_be_bytes();
        let [r0, r1, r2, r3] = self.ssrc.0.to_be_bytes();
        let second = self.payload_type.0 | if self.marker { 0x80 } else { 0 };
        [0x80, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]
    }
}

/// Whether a datagram is RTCP where both share a port.
// RFC 5761 §4: RTCP packet types 192 to 223 fall on RTP payload types 64 to 95, which RTP must not use then.
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: Header = Header {
        marker: true,
        payload_type: PayloadType::PCMA,
        sequence: SequenceNumber(0xFFFE),
        timestamp: RtpTime(0x0102_0304),
        ssrc: Ssrc(0xDEAD_BEEF),
    };

    #[test]
    fn what_is_written_is_read_again() {
        let mut out = [0; 200];
        let len = HEADER
            .write(&[1, 2, 3], &mut out)
            .expect("200 octets are enough");
        assert_eq!(len, 15);
        assert_eq!(
            out[..12],
            [0x80, 0x88, 0xFF, 0xFE, 1, 2, 3, 4, 0xDE, 0xAD, 0xBE, 0xEF]
        );
        let packet = Packet::parse(&out[..len]).expect("our own packet");
        assert_eq!(packet.header, HEADER);
        assert_eq!(packet.payload, [1, 2, 3]);
        assert_eq!(HEADER.write(&[0; 189], &mut out), Err(BufferTooSmall));
    }

    #[test]
    fn lists_extension_and_padding_are_taken_off() {
        let mut datagram = vec![0xB2, 0x00, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        datagram.extend([0, 0, 0, 7, 0, 0, 0, 8]); // two CSRCs
        datagram.extend([0xBE, 0xDE, 0, 1, 9, 9, 9, 9]); // extension of one word
        datagram.extend([0x55, 0x66, 0, 2]); // payload, two octets of padding
        let packet = Packet::parse(&datagram).expect("valid");
        assert!(packet.csrcs().eq([Ssrc(7), Ssrc(8)]));
        assert_eq!(
            packet.extension,
            Some(Extension {
                profile: 0xBEDE,
                data: &[9; 4]
            })
        );
        assert_eq!(packet.payload, [0x55, 0x66]);
        for len in 0..datagram.len() {
            let cut = Packet::parse(&datagram[..len]);
            assert!(cut.is_err() || len > 28, "{len}");
        }
    }

    #[test]
    fn what_lies_is_refused() {
        let mut datagram = [0u8; 13];
        assert_eq!(Packet::parse(&datagram), Err(PacketError::Version));
        assert_eq!(Packet::parse(&datagram[..11]), Err(PacketError::Truncated));
        datagram[0] = 0xA0; // padding of nothing, and of more than there is
        assert_eq!(Packet::parse(&datagram), Err(PacketError::Truncated));
        datagram[12] = 2;
        assert_eq!(Packet::parse(&datagram), Err(PacketError::Truncated));
        datagram[12] = 1;
        assert!(Packet::parse(&datagram).is_ok_and(|p| p.payload.is_empty()));
        datagram[1] = 200;
        assert_eq!(Packet::parse(&datagram), Err(PacketError::Rtcp));
        assert!(is_rtcp(&datagram));
    }

    #[test]
    fn numbers_wrap() {
        assert_eq!(SequenceNumber(0xFFFF).next(), SequenceNumber(0));
        assert!(SequenceNumber(3).is_newer_than(SequenceNumber(0xFFF0)));
        assert_eq!(SequenceNumber(0xFFF0).minus(SequenceNumber(0)), -16);
        assert_eq!(RtpTime(u32::MAX).plus(160).minus(RtpTime(u32::MAX)), 160);
        assert_eq!(PayloadType::new(128), None);
    }

    proptest! {
        #[test]
        fn no_octets_panic(datagram in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(packet) = Packet::parse(&datagram) {
                prop_assert!(packet.payload.len() + HEADER_LEN <= datagram.len());
                prop_assert!(packet.csrcs().count() <= 15);
            }
        }
    }
}

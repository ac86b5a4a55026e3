//! Telephone events (RFC 4733): keys pressed, sent as what they are instead of how they sound.
//!
//! Owns the payload, the sender's packets (start, updates, three ends, segments of long events) and the receiver's
//! sorting of many packets into one key pressed and released. How a digit sounds is the `dsp` crate's affair.

mod receiver;

pub use receiver::{EventReceiver, EventReport, EventReports};

use crate::packet::RtpTime;

/// Which event (RFC 4733 §3.2 table 3): 0-9 the digits, 10 `*`, 11 `#`, 12-15 `A`-`D`, 16 flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventCode(pub u8);

const CHARS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

impl EventCode {
    /// Hook flash.
    pub const FLASH: Self = Self(16);

    /// The event of a key: `0`-`9`, `*`, `#`, `A`-`D` in either case, `!` for flash.
    #[must_use]
    pub fn from_char(c: char) -> Option<Self> {
        let c = c.to_ascii_uppercase();
        if c == '!' {
            return Some(Self::FLASH);
        }
        (0u8..)
            .zip(CHARS)
            .find(|&(_, known)| known == c)
            .map(|(code, _)| Self(code))
    }

    /// The key of an event, `!` for flash; none for fax tones and the like.
    #[must_use]
    pub fn to_char(self) -> Option<char> {
        if self == Self::FLASH {
            Some('!')
        } else {
            CHARS.get(usize::from(self.0)).copied()
        }
    }
}

/// The payload of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPayload {
    /// Which event.
    pub code: EventCode,
    /// The event is over; `duration` is its whole length.
    pub end: bool,
    /// Level in -dBm0, 0 to 63.
    pub volume: u8,
    /// Length so far, in ticks of the media clock.
    pub duration: u16,
}

impl EventPayload {
    /// Octets on the wire.
    pub const LEN: usize = 4;

    /// Reads a payload's first event; packed further events (§2.5.1.5) no phone sends.
    // RFC 4733 §2.3
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[code, flags, d0, d1] = payload.first_chunk::<4>()?;
        Some(Self {
            code: EventCode(code),
            end: flags & 0x80 != 0,
            volume: flags & 0x3F,
            duration: u16::from_be_bytes([d0, d1]),
        })
    }

    /// The four octets; the volume stays within its six bits.
    #[must_use]
    pub fn octets(&self) -> [u8; Self::LEN] {
        let [d0, d1] = self.duration.to_be_bytes();
        let end = if self.end { 0x80 } else { 0 };
        [self.code.0, end | self.volume.min(63), d0, d1]
    }
}

/// One packet of an event, but for the numbers the stream gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// The payload.
    pub payload: [u8; EventPayload::LEN],
    /// Set on an event's first packet.
    pub marker: bool,
    /// When the event, or this segment of it, began.
    pub timestamp: RtpTime,
}

/// Sends one event at a time: [`EventSender::next`] once per packet interval until it gives `None`.
#[derive(Clone, Debug)]
pub struct EventSender {
    interval: u16,
    event: Option<Sending>,
}

#[derive(Clone, Copy, Debug)]
struct Sending {
    code: EventCode,
    volume: u8,
    /// Start of this segment.
    timestamp: RtpTime,
    /// Sent of this segment.
    elapsed: u16,
    /// Still to send, beyond `elapsed`; `None` until told to stop.
    left: Option<u32>,
    first: bool,
    ends_sent: u8,
}

// RFC 4733 §2.5.1.4: the final packet is sent three times in all.
const END_PACKETS: u8 = 3;

impl EventSender {
    /// A sender asked for a packet every `interval` ticks of the media clock (160 for 20 ms at 8 kHz).
    #[must_use]
    pub fn new(interval: u16) -> Self {
        Self {
            interval: interval.max(1),
            event: None,
        }
    }

    /// Begins an event of `duration` ticks at `timestamp`, ending one under way without further ado.
    pub fn start(&mut self, code: EventCode, volume: u8, duration: u32, timestamp: RtpTime) {
        self.begin(code, volume, Some(duration.max(1)), timestamp);
    }

    /// Begins an event that lasts until [`EventSender::stop`].
    pub fn hold(&mut self, code: EventCode, volume: u8, timestamp: RtpTime) {
        self.begin(code, volume, None, timestamp);
    }

    /// Ends the event: the next packets are its end.
    pub fn stop(&mut self) {
        if let Some(event) = &mut self.event
            && event.ends_sent == 0
        {
            // One never sent at all still lasts one interval, or the far end would drop it.
            event.left = Some(if event.first {
                u32::from(self.interval)
            } else {
                0
            });
        }
    }

    /// Whether an event is under way; audio is not sent meanwhile.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.event.is_some()
    }

    /// The packet due now, one interval after the last; `None` when the event has been sent whole.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would end for good; the next event begins anew"
    )]
    pub fn next(&mut self) -> Option<EventPacket> {
        let event = self.event.as_mut()?;
        let marker = core::mem::take(&mut event.first);
        if event.ends_sent == 0 {
            event.advance(self.interval);
        }
        let end = event.left == Some(0);
        let payload = EventPayload {
            code: event.code,
            end,
            volume: event.volume,
            duration: event.elapsed,
        };
        let packet = EventPacket {
            payload: payload.octets(),
            marker,
            timestamp: event.timestamp,
        };
        if end {
            event.ends_sent += 1;
            if event.ends_sent == END_PACKETS {
                self.event = None;
            }
        }
        Some(packet)
    }

    fn begin(&mut self, code: EventCode, volume: u8, left: Option<u32>, timestamp: RtpTime) {
        let first = true;
        self.event = Some(Sending {
            code,
            volume,
            timestamp,
            elapsed: 0,
            left,
            first,
            ends_sent: 0,
        });
    }
}

impl Sending {
    /// One interval on, into the next segment where the duration's 16 bits are full.
    // RFC 4733 §2.5.1.3
    fn advance(&mut self, interval: u16) {
        let step = self
            .left
            .map_or(u32::from(interval), |left| left.min(u32::from(interval)));
        self.left = self.left.map(|left| left - step);
        let step = step as u16;
        match self.elapsed.checked_add(step) {
            Some(elapsed) => self.elapsed = elapsed,
            None => {
                self.timestamp = self.timestamp.plus(u32::from(self.elapsed));
                self.elapsed = step;
            }
        }
    }
}

#[cfg(test)]
mod tests;

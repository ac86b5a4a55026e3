//! DTMF: the sixteen digits, a generator and an in-band detector.
//!
//! Owns the two-tone code of ITU-T Q.23. Digits as RTP events (RFC 4733) are carried by the `rtp` crate; the event
//! code of a digit is the link between the two.

mod detector;

use crate::mix::{clip, sine_peak};
use crate::oscillator::Oscillator;

pub use detector::{DtmfDetector, DtmfReport};

/// One of the sixteen digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DtmfDigit(u8);

/// In the order of RFC 4733 §3.2 table 3.
const CHARS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

// Q.23 §6: the frequencies of the low group (rows) and the high group (columns).
const LOW_HZ: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH_HZ: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// Event codes by row and column.
const KEYPAD: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];

impl DtmfDigit {
    /// Every digit, in the order of the event codes.
    pub fn all() -> impl Iterator<Item = DtmfDigit> {
        (0..16).map(DtmfDigit)
    }

    /// `0`-`9`, `*`, `#`, `A`-`D` in either case.
    #[must_use]
    pub fn from_char(c: char) -> Option<Self> {
        let c = c.to_ascii_uppercase();
        (0u8..)
            .zip(CHARS)
            .find(|&(_, known)| known == c)
            .map(|(code, _)| Self(code))
    }

    /// The digit of an event code of RFC 4733 §3.2.
    #[must_use]
    pub fn from_event(code: u8) -> Option<Self> {
        (code < 16).then_some(Self(code))
    }

    /// As dialled.
    #[must_use]
    pub fn to_char(self) -> char {
        CHARS.get(usize::from(self.0)).copied().unwrap_or('?')
    }

    /// The event code of RFC 4733 §3.2.
    #[must_use]
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The low and the high frequency.
    #[must_use]
    pub fn frequencies_hz(self) -> (f32, f32) {
        let mut found = (0.0, 0.0);
        for (keys, low) in KEYPAD.iter().zip(LOW_HZ) {
            for (&key, high) in keys.iter().zip(HIGH_HZ) {
                if key == self.0 {
                    found = (low, high);
                }
            }
        }
        found
    }

    fn at(row: usize, column: usize) -> Option<Self> {
        KEYPAD.get(row)?.get(column).copied().map(Self)
    }
}

/// How a digit is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DtmfTiming {
    /// Level of the low group; the high group is 2 dB above it.
    pub low_dbm0: f32,
    /// Tone, in ms.
    pub on_ms: u16,
    /// Pause after it, in ms.
    pub off_ms: u16,
}

impl Default for DtmfTiming {
    // Q.24 table A.1: at least 40 ms each; twice that passes any exchange. The line eats more of the high group,
    // hence its 2 dB (ETSI ES 201 235-2 §4.2.2).
    fn default() -> Self {
        Self {
            low_dbm0: -10.0,
            on_ms: 100,
            off_ms: 80,
        }
    }
}

/// Plays one digit and the pause after it, at 8 kHz.
#[derive(Clone, Debug)]
pub struct DtmfGenerator {
    low: Oscillator,
    high: Oscillator,
    low_peak: f32,
    high_peak: f32,
    on_left: u32,
    off_left: u32,
    faded: u16,
}

/// Samples of fade at each edge (2 ms).
const RAMP: u16 = 16;
/// How much louder the high group is sent.
const PRE_EMPHASIS_DB: f32 = 2.0;

impl DtmfGenerator {
    /// Starts the digit.
    #[must_use]
    pub fn new(digit: DtmfDigit, timing: DtmfTiming) -> Self {
        let (low_hz, high_hz) = digit.frequencies_hz();
        Self {
            low: Oscillator::new(low_hz),
            high: Oscillator::new(high_hz),
            low_peak: sine_peak(timing.low_dbm0),
            high_peak: sine_peak(timing.low_dbm0 + PRE_EMPHASIS_DB),
            on_left: u32::from(timing.on_ms) * 8,
            off_left: u32::from(timing.off_ms) * 8,
            faded: 0,
        }
    }

    /// Fills a block and returns how many samples belong to the digit and its pause; the rest is silence, or room
    /// for the next digit.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        let mut used = 0;
        for sample in out.iter_mut() {
            *sample = 0;
            if self.on_left > 0 {
                self.faded = (self.faded + 1)
                    .min(RAMP)
                    .min(u16::try_from(self.on_left).unwrap_or(RAMP));
                let value = self.low.next() * self.low_peak + self.high.next() * self.high_peak;
                *sample = clip((value * f32::from(self.faded) / f32::from(RAMP)).round() as i32);
                self.on_left -= 1;
            } else if self.off_left > 0 {
                self.off_left -= 1;
            } else {
                continue;
            }
            used += 1;
        }
        used
    }

    /// Whether digit and pause are over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.on_left == 0 && self.off_left == 0
    }
}

#[cfg(test)]
mod tests;

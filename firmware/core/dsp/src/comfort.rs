//! Comfort noise: what a listener hears in place of dead silence.
//!
//! Owns a seeded noise source with the gentle slope of a room, and the level octet of RFC 3389 §3.1. The spectral
//! coefficients of RFC 3389 §3.2 are not used: without them a receiver still hears the right loudness.

use crate::mix::{LOWEST_DBOV, clip};

/// A source of noise; the same seed gives the same noise.
#[derive(Clone, Debug)]
pub struct ComfortNoise {
    state: u32,
    smoothed: f32,
    amplitude: f32,
    level_dbov: f32,
}

/// Pole of the one-pole low-pass: room noise falls off towards high frequencies.
const POLE: f32 = 0.6;

impl ComfortNoise {
    /// Noise of that level; any seed will do.
    #[must_use]
    pub fn new(seed: u32, level_dbov: f32) -> Self {
        // Zero is the one state xorshift never leaves.
        let mut noise = Self {
            state: seed | 1 << 31,
            smoothed: 0.0,
            amplitude: 0.0,
            level_dbov,
        };
        noise.set_level_dbov(level_dbov);
        noise
    }

    /// Changes the level from the next block on; at -127 dBov or below there is silence.
    pub fn set_level_dbov(&mut self, level_dbov: f32) {
        self.level_dbov = level_dbov;
        // A uniform source on -1..1 has variance 1/3; the pole multiplies it by 1/(1 - pole²).
        let rms = if level_dbov <= LOWEST_DBOV {
            0.0
        } else {
            32768.0 * 10f32.powf(level_dbov.min(0.0) / 20.0)
        };
        self.amplitude = rms * (3.0 * (1.0 - POLE * POLE)).sqrt();
    }

    /// The level in dBov.
    #[must_use]
    pub fn level_dbov(&self) -> f32 {
        self.level_dbov
    }

    /// Fills a block.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            self.smoothed = POLE * self.smoothed + self.amplitude * self.uniform();
            *sample = clip(self.smoothed.round() as i32);
        }
    }

    // Marsaglia's xorshift: not for secrets.
    fn uniform(&mut self) -> f32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state as f32 / (u32::MAX / 2) as f32 - 1.0
    }
}

/// The level in dBov of a comfort-noise payload; an empty payload says nothing.
// RFC 3389 §3.1: one octet, -dBov, the top bit zero.
#[must_use]
pub fn level_of_payload(payload: &[u8]) -> Option<f32> {
    payload.first().map(|octet| -f32::from(octet & 0x7F))
}

/// The comfort-noise payload of a level in dBov.
#[must_use]
pub fn payload_of_level(level_dbov: f32) -> [u8; 1] {
    [(-level_dbov).round().clamp(0.0, 127.0) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::level_dbov;

    #[test]
    fn noise_has_its_level_and_repeats_with_its_seed() {
        for level in [-30.0, -45.0, -60.0] {
            let (mut a, mut b) = ([0; 8000], [0; 8000]);
            ComfortNoise::new(7, level).fill(&mut a);
            ComfortNoise::new(7, level).fill(&mut b);
            assert_eq!(a, b);
            assert!((level_dbov(&a) - level).abs() < 0.5, "{}", level_dbov(&a));
        }
    }

    #[test]
    fn the_lowest_level_is_silence() {
        let mut block = [1; 160];
        ComfortNoise::new(0, -127.0).fill(&mut block);
        assert_eq!(block, [0; 160]);
    }

    #[test]
    fn the_payload_carries_the_level() {
        assert_eq!(payload_of_level(-54.2), [54]);
        assert_eq!(level_of_payload(&[54, 1, 2]), Some(-54.0));
        assert_eq!(level_of_payload(&[]), None);
        assert_eq!(payload_of_level(f32::NAN), [0]);
    }
}

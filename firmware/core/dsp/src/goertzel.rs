//! Goertzel's filter: amplitude and phase of one frequency in a block, at one multiplication a sample.
//!
//! Owns the recursion only; what a level means is decided by the detectors.

use core::f32::consts::TAU;

/// The running filter of one frequency.
#[derive(Clone, Copy, Debug)]
pub struct Goertzel {
    cos: f32,
    sin: f32,
    s1: f32,
    s2: f32,
}

/// What a filter found: the complex amplitude, not yet divided by the block's length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phasor {
    /// Real part.
    pub re: f32,
    /// Imaginary part.
    pub im: f32,
}

impl Phasor {
    /// Squared magnitude.
    #[must_use]
    pub fn power(self) -> f32 {
        self.re * self.re + self.im * self.im
    }

    /// How far this phasor is ahead of `earlier`, in -π..π.
    #[must_use]
    pub fn phase_after(self, earlier: Phasor) -> f32 {
        let re = self.re * earlier.re + self.im * earlier.im;
        let im = self.im * earlier.re - self.re * earlier.im;
        im.atan2(re)
    }
}

impl Goertzel {
    /// A filter for `frequency_hz` in samples taken at `rate_hz`.
    #[must_use]
    pub fn new(frequency_hz: f32, rate_hz: f32) -> Self {
        let (sin, cos) = (TAU * frequency_hz / rate_hz).sin_cos();
        Self {
            cos,
            sin,
            s1: 0.0,
            s2: 0.0,
        }
    }

    /// One sample in.
    #[inline]
    pub fn push(&mut self, sample: f32) {
        let s0 = sample + 2.0 * self.cos * self.s1 - self.s2;
        self.s2 = self.s1;
        self.s1 = s0;
    }

    /// The phasor since the last call, as seen at the block's last sample; starts the next block.
    pub fn finish(&mut self) -> Phasor {
        let phasor = Phasor {
            re: self.s1 - self.cos * self.s2,
            im: self.sin * self.s2,
        };
        self.s1 = 0.0;
        self.s2 = 0.0;
        phasor
    }
}

/// Squared amplitude of `frequency_hz` in a block: a sine of peak `a` gives about `a²`.
#[must_use]
pub fn power(block: &[i16], frequency_hz: f32, rate_hz: f32) -> f32 {
    let mut filter = Goertzel::new(frequency_hz, rate_hz);
    for &sample in block {
        filter.push(f32::from(sample));
    }
    let scale = 2.0 / block.len().max(1) as f32;
    filter.finish().power() * scale * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_found_at_its_own_frequency_only() {
        let block: [i16; 400] =
            core::array::from_fn(|n| (8000.0 * (TAU * 1000.0 * n as f32 / 8000.0).sin()) as i16);
        assert!((power(&block, 1000.0, 8000.0).sqrt() - 8000.0).abs() < 20.0);
        assert!(power(&block, 1200.0, 8000.0).sqrt() < 80.0);
        assert_eq!(power(&[], 1200.0, 8000.0), 0.0);
    }

    #[test]
    fn the_phase_between_two_blocks_tells_the_frequency() {
        let (nominal, real, n) = (1000.0, 1010.0, 100);
        let mut filter = Goertzel::new(nominal, 8000.0);
        let mut found = [Phasor::default(); 2];
        for (block, phasor) in found.iter_mut().enumerate() {
            for i in 0..n {
                filter.push((TAU * real * (block * n + i) as f32 / 8000.0).cos());
            }
            *phasor = filter.finish();
        }
        let expected = TAU * nominal * n as f32 / 8000.0;
        let advance = found[1].phase_after(found[0]) - expected;
        let offset_hz = (advance / TAU - (advance / TAU).round()) * 8000.0 / n as f32;
        assert!((offset_hz - 10.0).abs() < 1.0, "{offset_hz}");
    }
}

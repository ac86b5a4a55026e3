//! Measuring whole recordings, for tests and self-tests: what frequency, how loud.
//!
//! The one module here that may allocate; the media tick does not call it. Levels follow [`crate::mix`].

use crate::goertzel;
use crate::mix;

/// The strongest frequency of a recording in Hz, to about 1 Hz; `None` in silence or under 40 samples.
#[must_use]
pub fn dominant_frequency(samples: &[i16], rate_hz: u32) -> Option<f32> {
    strongest_frequencies(samples, rate_hz, 1).first().copied()
}

/// Up to `count` strongest frequencies, strongest first; each at most 30 dB below the recording's level.
#[must_use]
pub fn strongest_frequencies(samples: &[i16], rate_hz: u32, count: usize) -> Vec<f32> {
    // Two seconds are plenty for 1 Hz and keep the search quick.
    let samples = samples.get(..2 * rate_hz as usize).unwrap_or(samples);
    let total = mix::mean_square(samples);
    if samples.len() < 40 || total < 1.0 {
        return Vec::new();
    }
    let rate = rate_hz as f32;
    let windowed = hann(samples);
    let width = rate / samples.len() as f32;
    let step = (width / 2.0).max(1.0);
    let steps = (rate / 2.0 / step) as usize;
    let mut found: Vec<f32> = Vec::new();
    let spectrum: Vec<f32> = (0..steps)
        .map(|n| goertzel::power(&windowed, n as f32 * step, rate))
        .collect();
    let mut order: Vec<usize> = (0..steps).collect();
    order.sort_by(|&a, &b| spectrum[b].total_cmp(&spectrum[a]));
    for n in order {
        // Hann halves the amplitude: a² becomes a²/4, and a sine's mean square is a²/2.
        if found.len() == count || spectrum[n] * 2.0 < total / 1000.0 {
            break;
        }
        let coarse = n as f32 * step;
        if found
            .iter()
            .all(|f: &f32| (f - coarse).abs() > 3.0 * width.max(step))
        {
            found.push(refine(&windowed, coarse, step, rate));
        }
    }
    found
}

/// Level of one frequency in a recording, in dBm0.
#[must_use]
pub fn tone_level_dbm0(samples: &[i16], frequency_hz: f32, rate_hz: u32) -> f32 {
    let mean_square =
        goertzel::power(samples, frequency_hz, rate_hz as f32) / 2.0 / (32768.0 * 32768.0);
    (10.0 * mean_square.log10()).max(mix::LOWEST_DBOV) + mix::DBM0_OF_DBOV
}

/// How much louder `signal` is than its difference from `other`, in dB: what a codec or a concealment costs.
#[must_use]
pub fn signal_to_difference_db(signal: &[i16], other: &[i16]) -> f32 {
    let difference: Vec<i16> = signal
        .iter()
        .zip(other)
        .map(|(a, b)| a.saturating_sub(*b))
        .collect();
    mix::level_dbov(signal) - mix::level_dbov(&difference)
}

fn hann(samples: &[i16]) -> Vec<i16> {
    let scale = core::f32::consts::TAU / samples.len() as f32;
    samples
        .iter()
        .enumerate()
        .map(|(n, &s)| {
            (f32::from(s) * 0.5 * (1.0 - (scale * (n as f32 + 0.5)).cos())).round() as i16
        })
        .collect()
}

fn refine(windowed: &[i16], coarse: f32, step: f32, rate: f32) -> f32 {
    let (mut low, mut high) = (coarse - step, coarse + step);
    for _ in 0..12 {
        let third = (high - low) / 3.0;
        if goertzel::power(windowed, low + third, rate)
            < goertzel::power(windowed, high - third, rate)
        {
            low += third;
        } else {
            high -= third;
        }
    }
    f32::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f32::consts::TAU;

    fn sine(hz: f32, peak: f32, n: usize) -> f32 {
        peak * (TAU * hz * n as f32 / 8000.0).sin()
    }

    #[test]
    fn a_tone_is_named_within_a_hertz() {
        for hz in [60.0, 425.0, 441.3, 1000.0, 3399.0] {
            let tone: Vec<i16> = (0..4000).map(|n| sine(hz, 5000.0, n) as i16).collect();
            let found = dominant_frequency(&tone, 8000).unwrap_or_default();
            assert!((found - hz).abs() < 1.0, "{hz}: {found}");
        }
    }

    #[test]
    fn two_tones_are_told_apart_and_measured() {
        let tone: Vec<i16> = (0..4000)
            .map(|n| (sine(350.0, 5000.0, n) + sine(440.0, 4000.0, n)) as i16)
            .collect();
        let found = strongest_frequencies(&tone, 8000, 4);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            (found[0] - 350.0).abs() < 1.0 && (found[1] - 440.0).abs() < 1.0,
            "{found:?}"
        );
        let level = tone_level_dbm0(&tone, 350.0, 8000);
        assert!(
            (level - (3.17 + 20.0 * (5000f32 / 32768.0).log10())).abs() < 0.1,
            "{level}"
        );
    }

    #[test]
    fn silence_has_no_frequency() {
        assert_eq!(dominant_frequency(&[0; 800], 8000), None);
        assert_eq!(dominant_frequency(&[], 8000), None);
    }
}

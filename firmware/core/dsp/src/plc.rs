//! Packet loss concealment, after ITU-T G.711 Appendix I.
//!
//! Owns the last 48.75 ms of what was played, the search for the pitch in it, and the seams: a lost stretch goes on
//! with the last pitch periods, fades from 10 ms on, is silent at 60 ms, and flows into the next good frame by
//! overlap-add. Unlike the appendix the output is not delayed by 3.75 ms: a replacement begins at the height where
//! the voice broke off and comes down to the repeated period within a quarter of it.

use crate::mix::clip;

/// Conceals what is lost of one stream at 8 kHz; give it every frame, good or lost, in order.
#[derive(Clone, Debug)]
pub struct Concealer {
    /// The past, oldest first.
    history: [i16; HISTORY],
    /// The past as it was when the loss began.
    heard: [i16; HISTORY],
    /// The periods being repeated.
    cycle: [f32; 3 * MAX_PITCH],
    cycle_len: usize,
    cycle_at: usize,
    pitch: usize,
    /// How far the end of what was heard lies above the end of the period before: the seam's height.
    step: f32,
    /// Samples concealed since the last good frame.
    lost: usize,
}

// G.711 Appendix I §I.2: pitch of 66 to 200 Hz, correlated over 20 ms, within a history of 48.75 ms.
const MIN_PITCH: usize = 40;
const MAX_PITCH: usize = 120;
const WINDOW: usize = 160;
const HISTORY: usize = 390;
const MS: usize = 8;
/// Samples at full level before the fade begins, and the end of the fade.
const FADE_FROM: usize = 10 * MS;
const FADE_TO: usize = 60 * MS;
/// Longest overlap with the next good frame.
const MAX_OVERLAP: usize = 10 * MS;

impl Default for Concealer {
    fn default() -> Self {
        Self::new()
    }
}

impl Concealer {
    /// A stream of which nothing was heard: its first losses are silence.
    #[must_use]
    pub fn new() -> Self {
        Self {
            history: [0; HISTORY],
            heard: [0; HISTORY],
            cycle: [0.0; 3 * MAX_PITCH],
            cycle_len: 0,
            cycle_at: 0,
            pitch: MIN_PITCH,
            step: 0.0,
            lost: 0,
        }
    }

    /// A frame that arrived. After a loss its beginning is blended with the replacement.
    pub fn good(&mut self, frame: &mut [i16]) {
        if self.lost > 0 {
            // §I.2.7: a quarter period, and 4 ms more for each further 10 ms lost.
            let further = self.lost.saturating_sub(10 * MS) / (10 * MS) * 4 * MS;
            let overlap = (self.pitch / 4 + further).min(MAX_OVERLAP).min(frame.len());
            for (n, sample) in frame.iter_mut().take(overlap).enumerate() {
                let weight = (n as f32 + 1.0) / (overlap as f32 + 1.0);
                let replacement = self.replacement();
                self.lost += 1;
                *sample = clip(
                    (f32::from(*sample) * weight + replacement * (1.0 - weight)).round() as i32,
                );
            }
            self.lost = 0;
        }
        self.remember(frame);
    }

    /// Fills in for a frame that did not arrive.
    pub fn conceal(&mut self, out: &mut [i16]) {
        if self.lost == 0 {
            self.heard = self.history;
            self.pitch = self.find_pitch();
            let before = self.heard[HISTORY - 1 - self.pitch];
            self.step = f32::from(self.heard[HISTORY - 1]) - f32::from(before);
            self.cycle_at = 0;
            self.build_cycle(1);
        }
        for sample in out.iter_mut() {
            // §I.2.5: from 10 ms on two periods, from 20 ms on three, lest the repetition buzz.
            if self.lost == 10 * MS || self.lost == 20 * MS {
                self.build_cycle(self.lost / (10 * MS) + 1);
                // The newest period stands last now: go on at the very sample.
                self.cycle_at += self.pitch;
            }
            let mut value = self.replacement();
            let blend = self.pitch / 4;
            if self.lost < blend {
                let weight = (self.lost as f32 + 1.0) / (blend as f32 + 1.0);
                value += self.step * (1.0 - weight);
            }
            self.lost = self.lost.saturating_add(1);
            *sample = clip(value.round() as i32);
        }
        self.remember(out);
    }

    /// Whether the last frame was concealed.
    #[must_use]
    pub fn is_concealing(&self) -> bool {
        self.lost > 0
    }

    /// The next repeated sample, faded.
    fn replacement(&mut self) -> f32 {
        if self.cycle_len == 0 || self.lost >= FADE_TO {
            return 0.0;
        }
        let value = self.cycle.get(self.cycle_at).copied().unwrap_or(0.0);
        self.cycle_at = (self.cycle_at + 1) % self.cycle_len;
        let faded = self.lost.saturating_sub(FADE_FROM) as f32 / (FADE_TO - FADE_FROM) as f32;
        value * (1.0 - faded)
    }

    /// Takes the last `periods` periods as the cycle, its end made to flow into its beginning.
    fn build_cycle(&mut self, periods: usize) {
        // Three of the longest periods and the quarter before them are just the history.
        let len = periods * self.pitch;
        let start = HISTORY - len;
        let blend = self.pitch / 4;
        for (n, slot) in self.cycle.iter_mut().take(len).enumerate() {
            let mut value = f32::from(self.heard[start + n]);
            // The last quarter becomes what led up to the beginning, one cycle earlier.
            if n + blend >= len {
                let weight = (n + blend - len + 1) as f32 / (blend + 1) as f32;
                value = value * (1.0 - weight) + f32::from(self.heard[start + n - len]) * weight;
            }
            *slot = value;
        }
        self.cycle_len = len;
    }

    /// The lag at which the last 20 ms look most like what was before them.
    fn find_pitch(&self) -> usize {
        // §I.2.3: first every other lag and sample, then all of them around the best.
        let coarse = (MIN_PITCH..=MAX_PITCH).step_by(2);
        let best = self.best_lag(coarse, 2);
        self.best_lag(
            best.saturating_sub(1).max(MIN_PITCH)..=(best + 1).min(MAX_PITCH),
            1,
        )
    }

    fn best_lag(&self, lags: impl Iterator<Item = usize>, step: usize) -> usize {
        let recent = &self.history[HISTORY - WINDOW..];
        let mut best = (MIN_PITCH, f32::NEG_INFINITY);
        for lag in lags {
            let earlier = &self.history[HISTORY - WINDOW - lag..HISTORY - lag];
            let (mut product, mut energy) = (0.0, 1.0);
            for (&a, &b) in recent.iter().zip(earlier).step_by(step) {
                product += f32::from(a) * f32::from(b);
                energy += f32::from(b) * f32::from(b);
            }
            let likeness = product / energy.sqrt();
            if likeness > best.1 {
                best = (lag, likeness);
            }
        }
        best.0
    }

    fn remember(&mut self, frame: &[i16]) {
        let keep = frame.len().min(HISTORY);
        self.history.copy_within(keep.., 0);
        let newest = frame.get(frame.len() - keep..).unwrap_or_default();
        self.history[HISTORY - keep..].copy_from_slice(newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{dominant_frequency, signal_to_difference_db};
    use crate::mix::level_dbov;
    use core::f32::consts::TAU;

    fn voice(samples: usize) -> Vec<i16> {
        // A pitch of 125 Hz with a few harmonics.
        let sample = |n: usize| {
            (1..6u8)
                .map(|h| {
                    4000.0 / f32::from(h) * (TAU * 125.0 * f32::from(h) * n as f32 / 8000.0).sin()
                })
                .sum()
        };
        (0..samples)
            .map(|n| clip(f32::round(sample(n)) as i32))
            .collect()
    }

    fn run(input: &[i16], is_lost: impl Fn(usize) -> bool) -> Vec<i16> {
        let mut concealer = Concealer::new();
        let mut out = input.to_vec();
        for (n, frame) in out.chunks_mut(160).enumerate() {
            if is_lost(n) {
                concealer.conceal(frame);
            } else {
                concealer.good(frame);
            }
        }
        out
    }

    #[test]
    fn without_loss_nothing_changes() {
        let input = voice(4000);
        assert_eq!(run(&input, |_| false), input);
    }

    #[test]
    fn one_lost_frame_of_a_steady_voice_is_hardly_missed() {
        let input = voice(4800);
        let out = run(&input, |n| n == 10);
        let snr_db = signal_to_difference_db(&input[1600..1920], &out[1600..1920]);
        assert!(snr_db > 12.0, "{snr_db}");
        let silenced = {
            let mut s = input.clone();
            s[1600..1760].fill(0);
            s
        };
        assert!(snr_db > 8.0 + signal_to_difference_db(&input[1600..1920], &silenced[1600..1920]));
    }

    #[test]
    fn the_pitch_goes_on() {
        let tone: Vec<i16> = (0..4800)
            .map(|n| (8000.0 * (TAU * 190.0 * n as f32 / 8000.0).sin()) as i16)
            .collect();
        let out = run(&tone, |n| n % 5 == 4);
        let found = dominant_frequency(&out, 8000).unwrap_or_default();
        assert!((found - 190.0).abs() < 4.0, "{found}");
    }

    #[test]
    fn a_long_loss_fades_to_silence_within_sixty_milliseconds() {
        let input = voice(4800);
        let out = run(&input, |n| n >= 10);
        let level = |ms: usize| level_dbov(&out[1600 + ms * 8..1600 + (ms + 8) * 8]);
        assert!(level(0) > level_dbov(&input) - 3.0);
        assert!(level(24) < level(0) - 1.5);
        assert!(level(44) < level(0) - 8.0);
        assert!(out[1600 + 480..].iter().all(|&s| s == 0));
    }

    #[test]
    fn seams_have_no_clicks() {
        let input = voice(8000);
        let steepest = |samples: &[i16]| {
            samples
                .windows(2)
                .map(|w| (i32::from(w[1]) - i32::from(w[0])).abs())
                .max()
                .unwrap_or_default()
        };
        for lost in 1..6 {
            let out = run(&input, |n| {
                (10..10 + lost).contains(&n) || (20..20 + lost).contains(&n)
            });
            assert!(
                steepest(&out) <= steepest(&input) * 3 / 2,
                "{lost}: {} {}",
                steepest(&out),
                steepest(&input)
            );
        }
    }

    #[test]
    fn frames_of_any_length_and_a_stream_that_starts_lost() {
        let mut concealer = Concealer::new();
        let mut block = [1; 333];
        concealer.conceal(&mut block);
        assert_eq!(block, [0; 333]);
        for n in [0, 1, 7, 80, 333] {
            concealer.good(&mut block[..n]);
            concealer.conceal(&mut block[..n]);
        }
        let mut long = vec![i16::MIN; 1000];
        concealer.good(&mut long);
        concealer.conceal(&mut long);
        assert!(concealer.is_concealing());
    }
}

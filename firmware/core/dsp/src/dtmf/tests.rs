//! Digits through levels, twist, offsets and noise; and what must not be taken for a digit.

use super::*;
use crate::comfort::ComfortNoise;
use crate::g711::Law;
use crate::mix;
use std::f32::consts::TAU;

const RATE: f32 = 8000.0;

/// A digit made without the generator under test.
struct Key {
    digit: DtmfDigit,
    low_dbm0: f32,
    high_dbm0: f32,
    offset: f32,
    on_ms: usize,
    off_ms: usize,
}

impl Key {
    fn new(digit: DtmfDigit) -> Self {
        Self {
            digit,
            low_dbm0: -10.0,
            high_dbm0: -10.0,
            offset: 0.0,
            on_ms: 40,
            off_ms: 40,
        }
    }

    fn samples(&self, phase: f32) -> Vec<i16> {
        let (low_hz, high_hz) = self.digit.frequencies_hz();
        let (low, high) = (sine_peak(self.low_dbm0), sine_peak(self.high_dbm0));
        let factor = TAU * (1.0 + self.offset) / RATE;
        let tone = |n: usize| {
            low * (low_hz * factor * n as f32 + phase).sin()
                + high * (high_hz * factor * n as f32 + 2.0 * phase).sin()
        };
        (0..self.on_ms * 8)
            .map(|n| clip(tone(n) as i32))
            .chain(vec![0; self.off_ms * 8])
            .collect()
    }
}

fn detect(samples: &[i16]) -> String {
    let mut found = String::new();
    let mut detector = DtmfDetector::new();
    for block in samples.chunks(160) {
        detector.feed(block, |report| {
            if let DtmfReport::Down(digit) = report {
                found.push(digit.to_char());
            }
        });
    }
    found
}

/// How many of the sixteen digits, each begun at `shifts` places of the detector's block, are found exactly once.
fn found_of_all(change: impl Fn(&mut Key), noise: Option<f32>) -> (usize, usize) {
    let (mut found, mut sent) = (0, 0);
    for digit in DtmfDigit::all() {
        for shift in (0..102).step_by(17) {
            let mut key = Key::new(digit);
            change(&mut key);
            let mut samples = vec![0; 200 + shift];
            samples.extend(key.samples(shift as f32));
            samples.extend([0; 400]);
            if let Some(level_dbov) = noise {
                let mut hiss = vec![0; samples.len()];
                ComfortNoise::new(shift as u32 + 1, level_dbov).fill(&mut hiss);
                mix::add(&mut samples, &hiss);
            }
            for sample in &mut samples {
                *sample = Law::A.decode(Law::A.encode(*sample));
            }
            sent += 1;
            found += usize::from(detect(&samples) == digit.to_char().to_string());
        }
    }
    (found, sent)
}

fn all_found(change: impl Fn(&mut Key), noise: Option<f32>) {
    let (found, sent) = found_of_all(change, noise);
    assert_eq!(found, sent);
}

fn none_found(change: impl Fn(&mut Key), noise: Option<f32>) {
    assert_eq!(found_of_all(change, noise).0, 0);
}

#[test]
fn a_digit_has_a_letter_and_an_event_code() {
    for digit in DtmfDigit::all() {
        assert_eq!(DtmfDigit::from_char(digit.to_char()), Some(digit));
        assert_eq!(DtmfDigit::from_event(digit.event()), Some(digit));
        let (low, high) = digit.frequencies_hz();
        assert!(low > 0.0 && high > 0.0);
    }
    assert_eq!(DtmfDigit::from_char('d').map(DtmfDigit::event), Some(15));
    assert_eq!(DtmfDigit::from_char('x'), None);
    assert_eq!(DtmfDigit::from_event(16), None);
}

#[test]
fn every_level_of_q24_is_heard_and_crosstalk_is_not() {
    for level_dbm0 in [-3.0, -10.0, -20.0, -26.0, -32.0] {
        all_found(
            |key| (key.low_dbm0, key.high_dbm0) = (level_dbm0, level_dbm0),
            None,
        );
    }
    none_found(|key| (key.low_dbm0, key.high_dbm0) = (-45.0, -45.0), None);
}

#[test]
fn twist_of_eight_decibels_either_way_is_heard() {
    all_found(|key| (key.low_dbm0, key.high_dbm0) = (-8.0, -16.0), None);
    all_found(|key| (key.low_dbm0, key.high_dbm0) = (-16.0, -8.0), None);
    none_found(|key| (key.low_dbm0, key.high_dbm0) = (-8.0, -22.0), None);
}

#[test]
fn frequencies_off_by_1_8_percent_are_heard_by_3_5_percent_not() {
    for offset in [-0.018, -0.015, 0.015, 0.018] {
        all_found(|key| key.offset = offset, None);
    }
    for offset in [-0.05, -0.035, 0.035, 0.05] {
        none_found(|key| key.offset = offset, None);
        none_found(|key| (key.offset, key.on_ms) = (offset, 200), None);
    }
}

#[test]
fn forty_milliseconds_are_enough_and_twenty_are_not() {
    all_found(|key| key.on_ms = 40, None);
    none_found(|key| key.on_ms = 20, None);
}

#[test]
fn noise_fifteen_decibels_below_is_no_hindrance() {
    // Two tones of -10 dBm0 make -7 dBm0.
    let level_dbov = |snr_db: f32| -7.0 - snr_db - mix::DBM0_OF_DBOV;
    all_found(|key| key.on_ms = 60, Some(level_dbov(24.0)));
    let (found, sent) = found_of_all(|key| key.on_ms = 60, Some(level_dbov(15.0)));
    assert!(found * 100 >= sent * 98, "{found} of {sent}");
}

#[test]
fn a_quick_dialler_is_followed() {
    let number = "0123456789*#ABCD11223344";
    for start in 0..20 {
        let mut samples = vec![0; start * 7];
        for digit in number.chars().filter_map(DtmfDigit::from_char) {
            samples.extend(Key::new(digit).samples(1.0));
        }
        assert_eq!(detect(&samples), number);
    }
}

#[test]
fn the_generator_is_understood_and_the_duration_told() {
    let mut samples = Vec::new();
    let number = "159*#D";
    for digit in number.chars().filter_map(DtmfDigit::from_char) {
        let mut generator = DtmfGenerator::new(digit, DtmfTiming::default());
        let mut block = [0; 160];
        while !generator.is_finished() {
            let used = generator.fill(&mut block);
            samples.extend_from_slice(&block[..used]);
        }
    }
    assert_eq!(samples.len(), number.len() * 180 * 8);
    assert_eq!(detect(&samples), number);
    let mut detector = DtmfDetector::new();
    detector.feed(&samples, |report| {
        if let DtmfReport::Up { duration_ms, .. } = report {
            assert!(duration_ms.abs_diff(100) <= 15, "{duration_ms}");
        }
    });
}

#[test]
fn a_dropout_of_one_block_does_not_double_a_digit() {
    let digit = DtmfDigit(5);
    let mut samples = Key {
        on_ms: 120,
        ..Key::new(digit)
    }
    .samples(0.0);
    samples[400..480].fill(0);
    assert_eq!(detect(&samples), "5");
}

#[test]
fn supervisory_tones_are_no_digits() {
    use crate::tone::{Country, ToneGenerator, ToneKind, ToneSpec};
    for country in Country::known() {
        for kind in ToneKind::ALL {
            let mut samples = vec![0; 8 * 6000];
            ToneGenerator::new(ToneSpec::for_country(country, kind)).fill(&mut samples);
            assert_eq!(detect(&samples), "", "{} {kind:?}", country.as_str());
        }
    }
}

#[test]
fn noise_is_no_digit() {
    for seed in 1..20 {
        let mut samples = vec![0; 8000 * 10];
        ComfortNoise::new(seed * 77_777, -20.0).fill(&mut samples);
        assert_eq!(detect(&samples), "");
    }
}

/// A cheap voice: a gliding pulse train through three gliding resonances, half a second each.
#[test]
fn a_voice_is_no_digit() {
    let mut found = String::new();
    let mut random = Random(12_345);
    for _ in 0..400 {
        let pitch_hz = 80.0 + 200.0 * random.next();
        let glide = (random.next() - 0.5) * 60.0;
        let formants = [
            300.0 + 600.0 * random.next(),
            900.0 + 1300.0 * random.next(),
            2400.0 + 600.0 * random.next(),
        ];
        found += &detect(&vowel(4000, pitch_hz, glide, formants));
    }
    assert_eq!(found, "");
}

fn vowel(samples: usize, pitch_hz: f32, glide_hz: f32, formants: [f32; 3]) -> Vec<i16> {
    let mut phase = 0.0;
    let mut state = [[0.0f32; 2]; 3];
    let mut out = Vec::with_capacity(samples);
    for n in 0..samples {
        phase += (pitch_hz + glide_hz * n as f32 / samples as f32) / RATE;
        let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
        phase -= phase.floor();
        let mut value = 0.0;
        for (hz, s) in formants.iter().zip(&mut state) {
            let radius = 0.97f32;
            let y = pulse + 2.0 * radius * (TAU * hz / RATE).cos() * s[0] - radius * radius * s[1];
            (s[1], s[0]) = (s[0], y);
            value += y;
        }
        out.push(clip((value * 3000.0) as i32));
    }
    out
}

/// Chords of two to four harmonic notes, anywhere on the scale, half a second each.
#[test]
fn music_is_rarely_a_digit() {
    let mut random = Random(99);
    let mut found = String::new();
    for _ in 0..400 {
        let notes: Vec<f32> = (0..3)
            .map(|_| 110.0 * 2f32.powf((random.next() * 36.0).floor() / 12.0))
            .collect();
        let sample = |n: usize| {
            let mut value = 0.0;
            for hz in &notes {
                for harmonic in 1..=4u8 {
                    let h = f32::from(harmonic);
                    value += 2500.0 / h * (TAU * hz * h * n as f32 / RATE).sin();
                }
            }
            clip(value as i32)
        };
        found += &detect(&(0..4000).map(sample).collect::<Vec<_>>());
    }
    assert_eq!(found, "");
}

/// Whistling sweeps through the band, two at a time.
#[test]
fn a_sweep_is_no_digit() {
    let sweep = |seconds: f32, from_hz: f32, to_hz: f32| -> Vec<i16> {
        let total = (seconds * RATE) as usize;
        let mut phase = 0.0;
        (0..total)
            .map(|n| {
                phase += TAU * (from_hz + (to_hz - from_hz) * n as f32 / total as f32) / RATE;
                (6000.0 * phase.sin()) as i16
            })
            .collect()
    };
    assert_eq!(detect(&sweep(4.0, 300.0, 3400.0)), "");
    let mut two = sweep(4.0, 600.0, 1000.0);
    mix::add(&mut two, &sweep(4.0, 1000.0, 1700.0));
    assert!(detect(&two).len() <= 4, "{}", detect(&two));
}

struct Random(u32);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }
}

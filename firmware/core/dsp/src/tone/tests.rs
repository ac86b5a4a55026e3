//! Tones as heard: frequencies, cadences, levels, and no jump between blocks.

use super::*;
use crate::measure::{strongest_frequencies, tone_level_dbm0};
use crate::mix::level_dbm0;

fn play(spec: ToneSpec, ms: usize) -> Vec<i16> {
    let mut samples = vec![0; ms * 8];
    ToneGenerator::new(spec).fill(&mut samples);
    samples
}

fn country(code: &str, kind: ToneKind) -> ToneSpec {
    ToneSpec::for_country(Country::parse(code).unwrap_or(Country(*b"XX")), kind)
}

#[test]
fn every_country_has_every_tone() {
    assert_eq!(Country::known().count(), 38);
    for entry in COUNTRIES {
        for text in entry.tones {
            assert!(
                text.is_empty() || ToneSpec::parse(text).is_ok(),
                "{} {text}",
                entry.code
            );
        }
        assert!(entry.ringing_ms.len().is_multiple_of(2) && !entry.ringing_ms.is_empty());
    }
    for known in Country::known() {
        for kind in ToneKind::ALL {
            let samples = play(ToneSpec::for_country(known, kind), 1000);
            assert!(level_dbm0(&samples) > -30.0, "{} {kind:?}", known.as_str());
        }
    }
    assert_eq!(country("ZZ", ToneKind::Dial), ToneSpec::continuous(425));
    assert_eq!(country("uk", ToneKind::Busy), country("GB", ToneKind::Busy));
}

#[test]
fn czech_dial_tone_is_a_morse_a() {
    let samples = play(country("CZ", ToneKind::Dial), 1980 * 2);
    let loud = |from_ms: usize, to_ms: usize| level_dbm0(&samples[from_ms * 8..to_ms * 8]);
    for start in [0, 1980] {
        assert!((loud(start + 5, start + 330) - -13.0).abs() < 0.1);
        assert!(loud(start + 333, start + 660) < -100.0);
        assert!((loud(start + 665, start + 1320) - -13.0).abs() < 0.1);
        assert!(loud(start + 1323, start + 1980) < -100.0);
    }
    let found = strongest_frequencies(&samples[..330 * 8], 8000, 3);
    assert_eq!(found.len(), 1);
    assert!((found[0] - 425.0).abs() < 1.0);
}

#[test]
fn american_ringback_is_two_frequencies_of_equal_level() {
    let samples = play(country("US", ToneKind::Ringback), 2000);
    let mut found = strongest_frequencies(&samples, 8000, 3);
    found.sort_by(f32::total_cmp);
    assert_eq!(found.len(), 2);
    assert!((found[0] - 440.0).abs() < 1.0 && (found[1] - 480.0).abs() < 1.0);
    assert!((level_dbm0(&samples) - -13.0).abs() < 0.1);
    assert!((tone_level_dbm0(&samples, 440.0, 8000) - -16.0).abs() < 0.1);
}

#[test]
fn a_modulated_tone_keeps_its_level_and_has_sidebands() {
    let samples = play(country("IN", ToneKind::Dial), 2000);
    assert!((level_dbm0(&samples) - -13.0).abs() < 0.1);
    let mut found = strongest_frequencies(&samples, 8000, 3);
    found.sort_by(f32::total_cmp);
    for (found, expected) in found.iter().zip([375.0, 400.0, 425.0]) {
        assert!((found - expected).abs() < 1.0, "{found}");
    }
}

#[test]
fn special_information_plays_once_and_ends() {
    let spec = country("US", ToneKind::SpecialInformation);
    assert!(spec.ends());
    let mut generator = ToneGenerator::new(spec);
    let mut block = [0; 160];
    let mut samples = Vec::new();
    while !generator.is_finished() && samples.len() < 80_000 {
        generator.fill(&mut block);
        samples.extend_from_slice(&block);
    }
    assert!(
        (samples.len() as i32 - 990 * 8).abs() <= 320,
        "{}",
        samples.len()
    );
    for (n, hz) in [950.0, 1400.0, 1800.0].into_iter().enumerate() {
        let third = &samples[n * 330 * 8 + 80..(n + 1) * 330 * 8];
        assert!((strongest_frequencies(third, 8000, 1)[0] - hz).abs() < 1.0);
    }
    generator.fill(&mut block);
    assert_eq!(block, [0; 160]);
}

#[test]
fn the_weak_segment_is_ten_decibels_down() {
    let samples = play(country("AU", ToneKind::Congestion), 1500);
    let (strong, weak) = (&samples[40..370 * 8], &samples[755 * 8..1120 * 8]);
    assert!((level_dbm0(strong) - level_dbm0(weak) - 10.0).abs() < 0.2);
}

#[test]
fn blocks_of_any_length_join_without_a_seam() {
    let spec = country("CZ", ToneKind::Dial);
    let whole = play(spec, 3000);
    let mut generator = ToneGenerator::new(spec);
    let mut joined = Vec::new();
    for n in (1..=200).cycle() {
        let mut block = vec![0; n];
        generator.fill(&mut block);
        joined.extend_from_slice(&block);
        if joined.len() >= whole.len() {
            break;
        }
    }
    assert_eq!(whole, joined[..whole.len()]);
}

#[test]
fn no_step_is_larger_than_the_sine_itself_makes() {
    let samples = play(country("CZ", ToneKind::Busy), 3000);
    let steepest = std::f32::consts::TAU * 425.0 / 8000.0 * sine_peak(-13.0);
    let largest = samples
        .windows(2)
        .map(|w| (i32::from(w[1]) - i32::from(w[0])).abs())
        .max();
    assert!(largest.unwrap_or_default() as f32 <= steepest * 1.25);
}

#[test]
fn what_is_no_tone_is_refused() {
    for (text, error) in [
        ("", ToneError::Empty),
        ("x", ToneError::Number),
        ("425/", ToneError::Number),
        ("425/0", ToneError::Number),
        ("4000", ToneError::Number),
        ("0+425", ToneError::Number),
        ("1+2+3+4", ToneError::TooLong),
        ("425/100 !425/100", ToneError::OnceAfterRepeated),
    ] {
        assert_eq!(ToneSpec::parse(text), Err(error), "{text}");
    }
    let long = "425/1 ".repeat(MAX_SEGMENTS + 1);
    assert_eq!(ToneSpec::parse(&long), Err(ToneError::TooLong));
}

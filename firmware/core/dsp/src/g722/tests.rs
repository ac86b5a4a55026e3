//! What a call hears of G.722, and that it is the standard's to the bit.

use proptest::prelude::*;

use super::*;
use crate::measure::{dominant_frequency, signal_to_difference_db, tone_level_dbm0};

/// Samples that both filters are late: 11 of the 12 pairs, less what the phases differ.
const DELAY: usize = 22;

fn there(samples: &[i16]) -> Vec<u8> {
    let mut octets = vec![0; samples.len() / 2];
    let count = Encoder::new().encode_block(samples, &mut octets);
    assert_eq!(count, octets.len());
    octets
}

fn back(octets: &[u8]) -> Vec<i16> {
    let mut samples = vec![0; octets.len() * 2];
    let count = Decoder::new().decode_block(octets, &mut samples);
    assert_eq!(count, samples.len());
    samples
}

fn tone(hz: f32, level: f32, count: usize) -> Vec<i16> {
    let turn = core::f32::consts::TAU * hz / RATE_HZ as f32;
    (0..count)
        .map(|n| ((n as f32 * turn).sin() * level) as i16)
        .collect()
}

/// The same on any machine: a sum of sawteeth with pauses and steps in it, and some noise.
fn sample() -> Vec<i16> {
    let mut noise = 1_u32;
    (0..32_000_i32)
        .map(|n| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let loud = [0, 1, 4, 16][(n / 1600 % 4) as usize];
            let saw = (n * 37 % 800 - 400) + (n * 211 % 640 - 320) + (n * n / 64 % 512 - 256);
            (saw * loud + (noise >> 24) as i32 - 128) as i16
        })
        .collect()
}

/// FNV-1a.
fn digest(octets: impl Iterator<Item = u8>) -> u64 {
    octets.fold(0xcbf2_9ce4_8422_2325, |digest, octet| {
        (digest ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What another implementation makes of the same octets and samples, kept as its digest.
#[test]
fn both_ways_are_the_standards_to_the_bit() {
    let samples = sample();
    let octets = there(&samples);
    let heard = back(&octets);
    let any: Vec<u8> = (0..20_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let heard = heard.iter().flat_map(|sample| sample.to_le_bytes());
    let strange = back(&any);
    let strange = strange.iter().flat_map(|sample| sample.to_le_bytes());
    assert_eq!(
        [
            digest(octets.iter().copied()),
            digest(heard),
            digest(strange)
        ],
        [
            0xe7a4_7593_9702_db1c,
            0x9ce7_ca1f_d9d7_a202,
            0x5f81_3fe1_8577_d582
        ]
    );
}

#[test]
fn a_tone_keeps_frequency_and_level_up_to_seven_kilohertz() {
    for hz in [100.0, 1000.0, 3000.0, 4500.0, 6500.0] {
        let samples = tone(hz, 8000.0, 6400);
        let heard = back(&there(&samples));
        let heard = &heard[1600..];
        let found = dominant_frequency(heard, RATE_HZ).expect("a tone");
        assert!((found - hz).abs() < 3.0, "{found} Hz of {hz}");
        let [sent, came] = [&samples[1600..], heard].map(|part| tone_level_dbm0(part, hz, RATE_HZ));
        assert!((sent - came).abs() < 0.5, "{hz} Hz: {sent} dBm0, {came}");
    }
}

#[test]
fn little_is_lost_at_any_level_of_speech() {
    // Far better than G.711's 38 dB is not to be had in the lower band, and less in the upper.
    for (hz, least) in [
        (300.0, 30.0),
        (1000.0, 30.0),
        (3000.0, 25.0),
        (6000.0, 10.0),
    ] {
        for level in [300.0, 3000.0, 20_000.0] {
            let samples = tone(hz, level, 16_000);
            let heard = back(&there(&samples));
            let ratio =
                signal_to_difference_db(&samples[1600..16_000 - DELAY], &heard[1600 + DELAY..]);
            assert!(ratio > least, "{hz} Hz at {level}: {ratio} dB");
        }
    }
}

#[test]
fn silence_stays_silent() {
    let heard = back(&there(&[0; 3200]));
    assert!(heard.iter().all(|sample| sample.abs() <= 4), "{heard:?}");
}

#[test]
fn it_comes_back_from_loss() {
    // The predictors forget by and by: a second after a lost packet nothing is heard of it.
    let octets = there(&tone(700.0, 6000.0, 48_000));
    let whole = back(&octets);
    let mut decoder = Decoder::new();
    let mut heard = vec![0; whole.len() - 640];
    let first = decoder.decode_block(&octets[..4000], &mut heard);
    decoder.decode_block(&octets[4320..], &mut heard[first..]);
    let (end, whole_end) = (heard.len() - 8000, whole.len() - 8000);
    let ratio = signal_to_difference_db(&whole[whole_end..], &heard[end..]);
    assert!(ratio > 30.0, "{ratio} dB");
}

#[test]
fn blocks_are_as_long_as_both_sides_have_room() {
    let mut octets = [0; 10];
    assert_eq!(Encoder::new().encode_block(&[0; 7], &mut octets), 3);
    assert_eq!(Encoder::new().encode_block(&[0; 80], &mut octets), 10);
    let mut samples = [0; 9];
    assert_eq!(Decoder::new().decode_block(&octets, &mut samples), 8);
    assert_eq!(Decoder::new().decode_block(&octets[..2], &mut samples), 4);
}

#[test]
fn it_does_not_matter_how_a_stream_is_cut() {
    let samples = sample();
    let whole = there(&samples);
    let mut encoder = Encoder::new();
    let mut parts = Vec::new();
    for part in samples.chunks(320) {
        let mut octets = [0; 160];
        let count = encoder.encode_block(part, &mut octets);
        parts.extend_from_slice(&octets[..count]);
    }
    assert_eq!(parts, whole);
}

proptest! {
    #[test]
    fn nothing_overflows(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
        let heard = back(&octets);
        there(&heard);
    }

    #[test]
    fn neither_does_any_sound(samples in prop::collection::vec(any::<i16>(), 0..2000)) {
        back(&there(&samples));
    }
}

/// A tone at 8 kHz.
fn narrow_tone(hz: f32, level: f32, count: usize) -> Vec<i16> {
    let turn = core::f32::consts::TAU * hz / 8000.0;
    (0..count)
        .map(|n| ((n as f32 * turn).sin() * level) as i16)
        .collect()
}

#[test]
fn a_tone_of_the_lower_band_passes_between_narrow_and_wide() {
    // Near the bands' border the filter alone keeps the mirrored tone away, there is no upper band to cancel it.
    for (hz, mirrored_db) in [(300.0, 50.0), (1000.0, 40.0), (3000.0, 18.0)] {
        let narrow = narrow_tone(hz, 8000.0, 16_000);
        let mut octets = vec![0; narrow.len()];
        assert_eq!(
            NarrowEncoder::new().encode_block(&narrow, &mut octets),
            octets.len()
        );
        let mut same = vec![0; octets.len()];
        let mut decoder = NarrowDecoder::new();
        assert_eq!(decoder.decode_block(&octets, &mut same), same.len());
        let ratio = signal_to_difference_db(&narrow[800..], &same[800..]);
        assert!(ratio > 25.0, "{hz} Hz: {ratio} dB");
        let wide = back(&octets);
        let sent = tone_level_dbm0(&narrow[800..], hz, 8000);
        let came = tone_level_dbm0(&wide[1600..], hz, RATE_HZ);
        assert!((sent - came).abs() < 0.5, "{hz} Hz: {sent} dBm0, {came}");
        let mirrored = tone_level_dbm0(&wide[1600..], 8000.0 - hz, RATE_HZ);
        assert!(mirrored < sent - mirrored_db, "{hz} Hz: {mirrored} dBm0");
        let mut heard = vec![0; 16_000];
        let octets = there(&tone(hz, 8000.0, 32_000));
        NarrowDecoder::new().decode_block(&octets, &mut heard);
        let came = tone_level_dbm0(&heard[800..], hz, 8000);
        assert!((sent - came).abs() < 0.7, "{hz} Hz: {sent} dBm0, {came}");
    }
}

#[test]
fn narrow_silence_is_silent_and_blocks_are_as_long_as_both_sides_have_room() {
    let mut octets = [0; 160];
    assert_eq!(
        NarrowEncoder::new().encode_block(&[0; 200], &mut octets),
        160
    );
    let mut samples = [1; 10];
    assert_eq!(NarrowDecoder::new().decode_block(&octets, &mut samples), 10);
    assert!(back(&octets).iter().all(|sample| sample.abs() <= 4));
    assert_eq!(
        NarrowDecoder::new().decode_block(&octets[..3], &mut samples),
        3
    );
}

//! What a call hears of GSM, and that it is the standard's to the bit.

use proptest::prelude::*;

use super::*;
use crate::measure::{dominant_frequency, tone_level_dbm0};

fn there(samples: &[i16]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let frames = samples.as_chunks::<FRAME_SAMPLES>().0.iter();
    frames.flat_map(|frame| encoder.encode(frame)).collect()
}

fn back(octets: &[u8]) -> Vec<i16> {
    let mut decoder = Decoder::new();
    let frames = octets.as_chunks::<FRAME_OCTETS>().0.iter();
    frames.flat_map(|frame| decoder.decode(frame)).collect()
}

/// The same on any machine: sawteeth with pauses and steps in them, and some noise.
fn sample() -> Vec<i16> {
    let mut noise = 1_u32;
    (0..16_000_i32)
        .map(|n| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let loud = [0, 1, 4, 16][(n / 1600 % 4) as usize];
            let saw = (n * 37 % 800 - 400) + (n * 211 % 640 - 320) + (n * n / 64 % 512 - 256);
            (saw * loud + (noise >> 24) as i32 - 128) as i16
        })
        .collect()
}

/// FNV-1a.
fn digest(octets: impl IntoIterator<Item = u8>) -> u64 {
    octets
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |digest, octet| {
            (digest ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// What another implementation makes of the same samples and octets, kept as its digest.
#[test]
fn both_ways_are_the_standards_to_the_bit() {
    let octets = there(&sample());
    let mut any: Vec<u8> = (0..400 * FRAME_OCTETS as u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for frame in any.chunks_mut(FRAME_OCTETS) {
        frame[0] = 0xD0 | frame[0] & 0xF;
    }
    let heard = |octets: &[u8]| digest(back(octets).iter().flat_map(|x| x.to_le_bytes()));
    let digests = [digest(octets.clone()), heard(&octets), heard(&any)];
    assert_eq!(
        digests.map(|digest| format!("{digest:016x}")),
        ["bdc3c2728b8a06c4", "25b4440d2b53f5a1", "35da05e802843aca"]
    );
}

#[test]
fn a_tone_keeps_frequency_and_level() {
    for hz in [300.0, 600.0, 1000.0, 2000.0] {
        let turn = core::f32::consts::TAU * hz / 8000.0;
        let sent: Vec<i16> = (0..16_000)
            .map(|n| ((n as f32 * turn).sin() * 8000.0) as i16)
            .collect();
        let heard = back(&there(&sent));
        let found = dominant_frequency(&heard[1600..], 8000).expect("a tone");
        assert!((found - hz).abs() < 3.0, "{found} Hz of {hz}");
        let (sent, came) = (&sent[1600..], &heard[1600..]);
        let [sent, came] = [sent, came].map(|samples| tone_level_dbm0(samples, hz, 8000));
        assert!((sent - came).abs() < 1.5, "{hz} Hz: {sent} dBm0, {came}");
    }
}

#[test]
fn silence_stays_silent() {
    let heard = back(&there(&[0; 8000]));
    assert!(heard.iter().all(|sample| sample.abs() <= 64), "{heard:?}");
}

#[test]
fn what_is_written_is_read() {
    for frame in there(&sample()).as_chunks::<FRAME_OCTETS>().0 {
        assert_eq!(Frame::of(frame).octets(), *frame);
    }
}

proptest! {
    #[test]
    fn any_octets_are_decoded(octets in proptest::collection::vec(any::<u8>(), 33 * 8)) {
        prop_assert_eq!(back(&octets).len(), 8 * FRAME_SAMPLES);
    }

    #[test]
    fn any_samples_are_encoded(samples in proptest::collection::vec(any::<i16>(), 160 * 4)) {
        prop_assert_eq!(there(&samples).len(), 4 * FRAME_OCTETS);
    }
}

//! The judge is judged: right tones are told from wrong ones, tone from silence, at every level, rate and phase tried.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Seeded noise, so that a failure comes back.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    }

    fn over(&mut self, wave: &Wave, db: f64) -> Wave {
        let amplitude = f64::from(i16::MAX) * 10f64.powf(db / 20.0);
        let noisy = wave
            .samples
            .iter()
            .map(|&sample| (f64::from(sample) + self.next() * amplitude) as i16);
        Wave {
            rate: wave.rate,
            samples: noisy.collect(),
        }
    }
}

#[test]
fn any_tone_is_told_from_any_other() {
    let mut noise = Noise(7);
    for rate in [8000, 16_000] {
        for hz in [300, 440, 455, 1000, 1004, 1850, 3100] {
            for db in [-3.0, -25.0, -40.0] {
                for phase in [0.0, 2.5] {
                    let tone = Wave::sine(rate, f64::from(hz), db, phase, SECOND);
                    let tone = noise.over(&tone, db - 15.0);
                    assert_eq!(
                        tone.tone_time(hz),
                        SECOND,
                        "{hz} Hz at {db} dB, {rate}/s: {tone}"
                    );
                    assert_eq!(
                        tone.tone_time(if hz < 700 { 1000 } else { 440 } + 60),
                        Duration::ZERO,
                        "{hz} Hz at {db} dB: {tone}"
                    );
                    assert_eq!(tone.silent_time(), Duration::ZERO);
                }
            }
        }
    }
}

#[test]
fn silence_and_noise_are_no_tone() {
    let silence = Wave::from_samples(8000, vec![0; 8000]);
    assert_eq!(silence.silent_time(), SECOND);
    let direct_current = Wave::from_samples(8000, vec![8000; 8000]);
    assert_eq!(direct_current.silent_time(), SECOND);
    let hiss = Noise(1).over(&silence, -70.0);
    assert_eq!(hiss.silent_time(), SECOND);
    let loud = Noise(2).over(&silence, -10.0);
    assert_eq!(loud.silent_time(), Duration::ZERO);
    assert!(
        loud.windows()
            .iter()
            .all(|content| matches!(content, Content::Other { .. })),
        "{loud}"
    );
    assert!(loud.assert_tone(1000, Duration::from_millis(100)).is_err());
}

#[test]
fn two_tones_at_once_are_neither() {
    let (a, b) = (
        Wave::tone(8000, 440, SECOND),
        Wave::tone(8000, 1000, SECOND),
    );
    let both = a.samples.iter().zip(&b.samples).map(|(a, b)| a / 2 + b / 2);
    let both = Wave::from_samples(8000, both.collect());
    assert_eq!(
        (both.tone_time(440), both.tone_time(1000)),
        (Duration::ZERO, Duration::ZERO)
    );
}

#[test]
fn a_recording_is_told_in_words() {
    let mut samples = vec![0; 4000];
    samples.extend(Wave::tone(8000, 1000, SECOND).samples);
    samples.extend(Wave::tone(8000, 440, SECOND).samples);
    let wave = Wave::from_samples(8000, samples);
    assert_eq!(
        wave.to_string(),
        "0.0-0.5 s silence, 0.5-1.5 s 1000 Hz at -10 dB, 1.5-2.5 s 440 Hz at -10 dB"
    );
    let error = wave
        .assert_tone(440, 2 * SECOND)
        .map_err(|error| error.to_string());
    assert!(error.is_err_and(|text| {
        text.starts_with("440 Hz was heard for 1s, not 2s; heard: 0.0-0.5 s silence")
    }));
    assert!(
        wave.after(SECOND * 2)
            .assert_no_tone(1000, Duration::ZERO)
            .is_ok()
    );
}

#[test]
fn a_file_comes_back_as_it_was() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.wav");
    let wave = Wave::tone(8000, 1000, SECOND);
    for channels in [2, 1] {
        wave.write(&path, channels)?;
        assert_eq!(Wave::read(&path)?, wave);
    }

    // As a recorder leaves it while it still writes: no length yet.
    let mut bytes = fs::read(&path)?;
    bytes[40..44].fill(0);
    assert_eq!(Wave::parse(&bytes)?, wave);

    for end in 0..44 {
        assert!(Wave::parse(&bytes[..end]).is_err(), "cut at {end}");
    }
    Ok(())
}

#[test]
fn alaw_is_the_standards() {
    // G.711 table 1a: the ends, the smallest steps, and a segment boundary.
    for (sample, code) in [
        (0, 0xD5),
        (-1, 0x55),
        (16, 0xD4),
        (-17, 0x54),
        (i16::MAX, 0xAA),
        (i16::MIN, 0x2A),
        (512, 0xF5),
        (1024, 0xE5),
    ] {
        assert_eq!(alaw(sample), code, "{sample}");
    }
}

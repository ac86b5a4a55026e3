//! Sound as samples: tones to play, and what a recording holds.
//!
//! A recording is judged in windows of 100 ms. In each, Goertzel filters over the telephone band find the strongest
//! frequency, its level, and how much of all the energy it is.

use std::{f64::consts::TAU, fmt, fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};

/// Below this a window is silence (dB relative to full scale). G.711's quietest step is near -72 dBFS.
const SILENCE_DB: f64 = -50.0;
/// A window is one tone if the strongest frequency holds this much of its energy.
const PURITY: f64 = 0.7;
/// A tone may be off by this much: a window of 100 ms can't tell finer than 10 Hz.
const TOLERANCE_HZ: f64 = 15.0;
const WINDOW_MS: u32 = 100;
const STEP_HZ: f64 = 10.0;
const BAND_HZ: (u32, u32) = (200, 3400);

/// Mono sound of 16 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    rate: u32,
    samples: Vec<i16>,
}

/// What one window holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Content {
    Silence,
    Tone { hz: f64, db: f64 },
    Other { db: f64 },
}

impl Wave {
    /// A sine at -10 dBFS.
    pub fn tone(rate: u32, hz: u32, length: Duration) -> Self {
        Self::sine(rate, f64::from(hz), -10.0, 0.0, length)
    }

    /// These samples.
    pub fn from_samples(rate: u32, samples: Vec<i16>) -> Self {
        Self { rate, samples }
    }

    /// Reads a RIFF file of 16-bit PCM; the left channel if there are several. A file still being written (its
    /// lengths not filled in yet) is read to its end.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        Self::parse(&bytes).with_context(|| format!("{} as a WAV file", path.display()))
    }

    /// Writes a RIFF file with the same sound in every channel.
    pub fn write(&self, path: &Path, channels: u16) -> Result<()> {
        let width = 2 * channels;
        let data = u32::try_from(self.samples.len() * usize::from(width))?;
        let mut bytes = Vec::with_capacity(44 + self.samples.len() * usize::from(width));
        bytes.extend_from_slice(b"RIFF");
        bytes.extend_from_slice(&(36 + data).to_le_bytes());
        bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
        bytes.extend_from_slice(&channels.to_le_bytes());
        bytes.extend_from_slice(&self.rate.to_le_bytes());
        bytes.extend_from_slice(&(self.rate * u32::from(width)).to_le_bytes());
        bytes.extend_from_slice(&width.to_le_bytes());
        bytes.extend_from_slice(b"\x10\0data");
        bytes.extend_from_slice(&data.to_le_bytes());
        for sample in &self.samples {
            bytes.extend(sample.to_le_bytes().repeat(usize::from(channels)));
        }
        fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
    }

    /// Writes raw G.711 A-law, as SIPp plays it.
    pub fn write_alaw(&self, path: &Path) -> Result<()> {
        let bytes: Vec<u8> = self.samples.iter().map(|&sample| alaw(sample)).collect();
        fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.samples.len() as f64 / f64::from(self.rate.max(1)))
    }

    /// The part from `start` on.
    pub fn after(&self, start: Duration) -> Self {
        let skip = (start.as_secs_f64() * f64::from(self.rate)) as usize;
        Self {
            rate: self.rate,
            samples: self.samples.get(skip..).unwrap_or_default().to_vec(),
        }
    }

    /// How long this tone is heard, all windows added up.
    pub fn tone_time(&self, hz: u32) -> Duration {
        let near = |content: &Content| matches!(content, Content::Tone { hz: heard, .. } if (heard - f64::from(hz)).abs() <= TOLERANCE_HZ);
        self.window_time(
            self.windows()
                .iter()
                .filter(|content| near(content))
                .count(),
        )
    }

    /// How long nothing is heard, all windows added up.
    pub fn silent_time(&self) -> Duration {
        self.window_time(
            self.windows()
                .iter()
                .filter(|content| **content == Content::Silence)
                .count(),
        )
    }

    /// Fails unless the tone is heard for at least so long; says what is heard instead.
    pub fn assert_tone(&self, hz: u32, at_least: Duration) -> Result<()> {
        let heard = self.tone_time(hz);
        ensure!(
            heard >= at_least,
            "{hz} Hz was heard for {heard:?}, not {at_least:?}; heard: {self}"
        );
        Ok(())
    }

    /// Fails if this tone is heard for more than so long.
    pub fn assert_no_tone(&self, hz: u32, at_most: Duration) -> Result<()> {
        let heard = self.tone_time(hz);
        ensure!(
            heard <= at_most,
            "{hz} Hz was heard for {heard:?}, more than {at_most:?}; heard: {self}"
        );
        Ok(())
    }

    /// What each window of 100 ms holds.
    pub(crate) fn windows(&self) -> Vec<Content> {
        let window = (self.rate * WINDOW_MS / 1000).max(1) as usize;
        self.samples
            .chunks_exact(window)
            .map(|samples| content(samples, f64::from(self.rate)))
            .collect()
    }

    fn window_time(&self, count: usize) -> Duration {
        Duration::from_millis(u64::from(WINDOW_MS)) * u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn sine(rate: u32, hz: f64, db: f64, phase: f64, length: Duration) -> Self {
        let amplitude = f64::from(i16::MAX) * 10f64.powf(db / 20.0);
        let count = (length.as_secs_f64() * f64::from(rate)).round() as usize;
        let sample = |n: usize| {
            ((TAU * hz * n as f64 / f64::from(rate) + phase).sin() * amplitude).round() as i16
        };
        Self {
            rate,
            samples: (0..count).map(sample).collect(),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(
            bytes.get(..4) == Some(b"RIFF") && bytes.get(8..12) == Some(b"WAVE"),
            "no RIFF header"
        );
        let mut rest = bytes.get(12..).unwrap_or_default();
        let mut format = None;
        while let Some((head, body)) = rest.split_at_checked(8) {
            let size = u32_at(head, 4)? as usize;
            match &head[..4] {
                b"fmt " => {
                    let (kind, channels) = (u16_at(body, 0)?, u16_at(body, 2)?);
                    let (rate, bits) = (u32_at(body, 4)?, u16_at(body, 14)?);
                    // 0xFFFE: the extensible form, here of PCM.
                    ensure!(
                        matches!(kind, 1 | 0xFFFE) && bits == 16 && channels > 0,
                        "not PCM of 16 bits"
                    );
                    format = Some((rate, usize::from(channels)));
                }
                b"data" => {
                    let (rate, channels) = format.context("data before fmt")?;
                    let data = if size == 0 {
                        body
                    } else {
                        body.get(..size).unwrap_or(body)
                    };
                    let left = data
                        .chunks_exact(2 * channels)
                        .map(|frame| i16::from_le_bytes([frame[0], frame[1]]));
                    return Ok(Self {
                        rate,
                        samples: left.collect(),
                    });
                }
                _ => {}
            }
            // Chunks are padded to an even length.
            rest = body.get(size + size % 2..).unwrap_or_default();
        }
        bail!("no data chunk")
    }
}

impl fmt::Display for Wave {
    /// `0.0-0.4 s silence, 0.4-2.9 s 1000 Hz at -10 dB`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let windows = self.windows();
        if windows.is_empty() {
            return write!(f, "nothing ({:.2} s)", self.length().as_secs_f64());
        }
        let mut start = 0;
        for end in 1..=windows.len() {
            if windows
                .get(end)
                .is_some_and(|next| windows[start].like(*next))
            {
                continue;
            }
            let seconds = |window: usize| window as f64 * f64::from(WINDOW_MS) / 1000.0;
            let comma = if start == 0 { "" } else { ", " };
            write!(
                f,
                "{comma}{:.1}-{:.1} s {}",
                seconds(start),
                seconds(end),
                windows[start]
            )?;
            start = end;
        }
        Ok(())
    }
}

impl Content {
    fn like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Silence, Self::Silence) | (Self::Other { .. }, Self::Other { .. }) => true,
            (Self::Tone { hz: a, .. }, Self::Tone { hz: b, .. }) => (a - b).abs() <= TOLERANCE_HZ,
            _ => false,
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence => write!(f, "silence"),
            Self::Tone { hz, db } => write!(f, "{hz:.0} Hz at {db:.0} dB"),
            Self::Other { db } => write!(f, "other sound at {db:.0} dB"),
        }
    }
}

fn content(samples: &[i16], rate: f64) -> Content {
    let mean = samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / samples.len() as f64;
    let sound: Vec<f64> = samples
        .iter()
        .map(|&sample| f64::from(sample) - mean)
        .collect();
    let power = sound.iter().map(|sample| sample * sample).sum::<f64>() / sound.len() as f64;
    // A full-scale sine is 0 dB.
    let full = f64::from(i16::MAX).powi(2) / 2.0;
    let db = 10.0 * (power / full).max(1e-12).log10();
    if db < SILENCE_DB {
        return Content::Silence;
    }
    let steps = (f64::from(BAND_HZ.1 - BAND_HZ.0) / STEP_HZ) as u32;
    let (mut hz, mut strongest) = (0.0, 0.0);
    for step in 0..=steps {
        let bin = f64::from(BAND_HZ.0) + f64::from(step) * STEP_HZ;
        let found = goertzel(&sound, bin / rate);
        if found > strongest {
            (hz, strongest) = (bin, found);
        }
        // More than half of all: no other can be stronger.
        if strongest / power >= PURITY {
            break;
        }
    }
    // A tone between two bins shows in both: look closer around the best one.
    let (hz, strongest) = (-4..=4)
        .map(|n| hz + f64::from(n))
        .map(|hz| (hz, goertzel(&sound, hz / rate)))
        .fold(
            (hz, strongest),
            |best, bin| if bin.1 > best.1 { bin } else { best },
        );
    if strongest / power >= PURITY {
        Content::Tone { hz, db }
    } else {
        Content::Other { db }
    }
}

/// The mean power at one frequency (cycles per sample).
fn goertzel(sound: &[f64], frequency: f64) -> f64 {
    let turn = TAU * frequency;
    let coefficient = 2.0 * turn.cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in sound {
        (one, two) = (sample + coefficient * one - two, one);
    }
    let power = one * one + two * two - coefficient * one * two;
    2.0 * power / (sound.len() as f64).powi(2)
}

/// G.711 A-law.
fn alaw(sample: i16) -> u8 {
    let positive = sample >= 0;
    let magnitude = if positive {
        sample
    } else {
        -(sample.saturating_add(1))
    } >> 4;
    let (mut segment, mut rest) = (0u8, magnitude);
    while rest > 31 {
        rest >>= 1;
        segment += 1;
    }
    let code = if magnitude < 32 {
        magnitude as u8
    } else {
        (segment + 1) << 4 | (rest as u8 & 0x0F)
    };
    (code | if positive { 0x80 } else { 0 }) ^ 0x55
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let bytes = bytes.get(at..at + 2).context("cut short")?;
    Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    Ok(u32::from(u16_at(bytes, at)?) | u32::from(u16_at(bytes, at + 2)?) << 16)
}

#[cfg(test)]
mod tests;

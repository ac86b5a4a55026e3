//! GSM full rate: speech of a telephone in 13 kbit/s.
//!
//! Owns both directions of GSM 06.10 (ETSI EN 300 961), 20 ms in 33 octets as RTP has them (RFC 3551 §4.5.8.1). The
//! vocal tract is a filter of eight reflection coefficients, sent as log area ratios (§3.1.4 to §3.1.9, [`tract`]);
//! the voice's period is a tap in what was heard before (§3.1.14 to §3.1.17); what is left is every third sample at
//! three bits (§3.1.18 to §3.1.21, [`pulses`]). The arithmetic is the standard's, bit by bit (§5): both ends go on
//! from what they heard, and have to stay in step.

mod bits;
mod pulses;
mod tract;

use bits::{Reader, Writer};
use pulses::Pulses;
use tract::{Areas, Tract};

/// Octets of a frame.
pub const FRAME_OCTETS: usize = 33;

/// Samples of a frame, at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;

/// Samples of a part of a frame.
const PART: usize = 40;

/// How far the voice's period may lie back.
const PAST: usize = 120;

/// What a frame says (§1.7, table 1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Frame {
    areas: Areas,
    parts: [Part; 4],
}

/// What it says of each 5 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    /// How many samples the voice's period lies back: 40 to 120.
    lag: i16,
    /// How strong it is: one of four gains.
    gain: u8,
    pulses: Pulses,
}

/// The quantized gains, and where the intervals between them end (tables 5.3a, 5.3b).
const GAINS: [i16; 4] = [3277, 11_469, 21_299, 32_767];
const GAIN_ENDS: [i16; 3] = [6554, 16_384, 26_214];

/// Sound to octets.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// The filter that takes away what is constant: its input and output (§5.2.2).
    offset: (i16, i32),
    /// The sample before, for the pre-emphasis (§5.2.3).
    before: i16,
    tract: Tract,
    /// What the decoder has heard: the residual, the newest last.
    heard: [i16; PAST],
}

/// Octets to sound.
#[derive(Clone, Debug)]
pub struct Decoder {
    tract: Tract,
    heard: [i16; PAST],
    /// The last lag that was in range (§5.3.2).
    lag: usize,
    /// The sample before, for the de-emphasis (§5.3.5).
    before: i16,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// The beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            offset: (0, 0),
            before: 0,
            tract: Tract::new(),
            heard: [0; PAST],
        }
    }

    /// Encodes 20 ms.
    pub fn encode(&mut self, samples: &[i16; FRAME_SAMPLES]) -> [u8; FRAME_OCTETS] {
        let mut signal = samples.map(|sample| self.prepared(sample));
        let areas = tract::analysed(&mut signal);
        self.tract.take_out(&areas, &mut signal);
        let mut frame = Frame {
            areas,
            ..Frame::default()
        };
        let residuals = signal.as_chunks::<PART>().0;
        for (residual, part) in residuals.iter().zip(&mut frame.parts) {
            *part = self.part(residual);
        }
        frame.octets()
    }

    /// §5.2.1 to §5.2.3: 13 bits, without what is constant, and brighter.
    fn prepared(&mut self, sample: i16) -> i16 {
        let sample = sample >> 3 << 2;
        let (input, output) = self.offset;
        let step = i32::from(sample.wrapping_sub(input)) << 15;
        let high = (output >> 15) as i16;
        let low = (output - (i32::from(high) << 15)) as i16;
        let step = step.wrapping_add(times_rounded(low, 32_735).into());
        let output = (i32::from(high) * 32_735).saturating_add(step);
        self.offset = (sample, output);
        let now = (output.saturating_add(16_384) >> 15) as i16;
        let before = core::mem::replace(&mut self.before, now);
        now.saturating_add(times_rounded(before, -28_180))
    }

    /// 5 ms: the period, and the pulses of what it does not say.
    fn part(&mut self, residual: &[i16; PART]) -> Part {
        let (lag, gain) = self.period(residual);
        let predicted = predicted(&self.heard, usize::from(lag.unsigned_abs()), gain);
        let mut rest = *residual;
        for (rest, predicted) in rest.iter_mut().zip(predicted) {
            *rest = rest.saturating_sub(predicted);
        }
        let pulses = pulses::chosen(&rest);
        remember(&mut self.heard, &pulses.placed(), &predicted);
        Part { lag, gain, pulses }
    }

    /// §5.2.11: where what was heard before is most like this, and how strong it is there.
    fn period(&self, residual: &[i16; PART]) -> (i16, u8) {
        let loudest = (residual.iter().map(|x| x.saturating_abs()).max()).unwrap_or_default();
        let room = if loudest == 0 {
            0
        } else {
            i32::from(loudest).leading_zeros() as i32 - 17
        };
        let scale = if room > 6 { 0 } else { 6 - room };
        let scaled = residual.map(|x| i32::from(x >> scale));
        let mut best = (40_usize, 0_i32);
        for lag in 40..=PAST {
            let past = (self.heard.iter().skip(PAST - lag)).map(|x| i32::from(*x));
            let alike = scaled.iter().zip(past).map(|(now, past)| now * past).sum();
            if alike > best.1 {
                best = (lag, alike);
            }
        }
        let (lag, alike) = best;
        let alike = alike << 1 >> (6 - scale);
        let past = (self.heard.iter().skip(PAST - lag).take(PART)).map(|x| i32::from(x >> 3));
        let power = past.map(|x| x * x).sum::<i32>() << 1;
        let gain = if alike <= 0 {
            0
        } else if alike >= power {
            3
        } else {
            let shift = power.leading_zeros() - 1;
            let (alike, power) = ((alike << shift >> 16) as i16, (power << shift >> 16) as i16);
            let ends = GAIN_ENDS.iter();
            ends.take_while(|end| alike > times(power, **end)).count() as u8
        };
        (lag as i16, gain)
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// The beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tract: Tract::new(),
            heard: [0; PAST],
            lag: 40,
            before: 0,
        }
    }

    /// Decodes a frame. Its signature, of four bits, is not looked at: some phones leave it out.
    pub fn decode(&mut self, octets: &[u8; FRAME_OCTETS]) -> [i16; FRAME_SAMPLES] {
        let frame = Frame::of(octets);
        let mut signal = [0; FRAME_SAMPLES];
        for (part, out) in frame.parts.iter().zip(signal.as_chunks_mut::<PART>().0) {
            let lag = usize::from(part.lag.unsigned_abs());
            if (40..=PAST).contains(&lag) {
                self.lag = lag;
            }
            let predicted = predicted(&self.heard, self.lag, part.gain);
            remember(&mut self.heard, &part.pulses.placed(), &predicted);
            out.copy_from_slice(&self.heard[PAST - PART..]);
        }
        self.tract.put_in(&frame.areas, &mut signal);
        signal.map(|sample| self.finished(sample))
    }

    /// §5.3.5 to §5.3.7: as dark as it was, in 13 bits of 16.
    fn finished(&mut self, sample: i16) -> i16 {
        self.before = sample.saturating_add(times_rounded(self.before, 28_180));
        self.before.saturating_add(self.before) & !7
    }
}

/// §5.2.12, §5.3.2: what the period says of the next part.
fn predicted(heard: &[i16; PAST], lag: usize, gain: u8) -> [i16; PART] {
    let gain = GAINS[usize::from(gain & 3)];
    let mut predicted = [0; PART];
    // A period is as long as a part at least: it never reads what it writes.
    for (predicted, past) in predicted.iter_mut().zip(heard.iter().skip(PAST - lag)) {
        *predicted = times_rounded(gain, *past);
    }
    predicted
}

/// §5.2.18, §5.3.2: what the far end has heard then.
fn remember(heard: &mut [i16; PAST], pulses: &[i16; PART], predicted: &[i16; PART]) {
    heard.copy_within(PART.., 0);
    let newest = heard.iter_mut().skip(PAST - PART);
    for ((heard, pulse), predicted) in newest.zip(pulses).zip(predicted) {
        *heard = pulse.saturating_add(*predicted);
    }
}

impl Frame {
    /// RFC 3551 §4.5.8.1, tables 2 and 3.
    fn octets(&self) -> [u8; FRAME_OCTETS] {
        let mut out = Writer::new();
        out.put(0xD, 4);
        self.areas.write(&mut out);
        for part in &self.parts {
            out.put(part.lag as u8, 7);
            out.put(part.gain, 2);
            part.pulses.write(&mut out);
        }
        out.octets
    }

    fn of(octets: &[u8; FRAME_OCTETS]) -> Self {
        let mut bits = Reader::new(octets);
        let _signature = bits.take(4);
        Self {
            areas: Areas::read(&mut bits),
            parts: core::array::from_fn(|_| Part {
                lag: bits.take(7).into(),
                gain: bits.take(2),
                pulses: Pulses::read(&mut bits),
            }),
        }
    }
}

/// §5.1: the product of two fractions of 15 bits.
fn times(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b)) >> 15;
    product.min(i16::MAX.into()) as i16
}

/// The same, rounded.
fn times_rounded(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b) + 16_384) >> 15;
    product.min(i16::MAX.into()) as i16
}

#[cfg(test)]
mod tests;

//! G.722 at 64 kbit/s: speech of 50 Hz to 7 kHz in as many octets as G.711.
//!
//! Owns both directions of ITU-T G.722, mode 1: the sound at 16 kHz is cut in two bands by a quadrature mirror
//! filter (§3.1, §4.4), and each band is coded by adaptive differential PCM, the lower in six bits a sample and the
//! upper in two (§3.2 to §3.6). The names of the clauses' blocks stand at their functions, and the arithmetic is
//! theirs, bit by bit: so encoder and decoder stay in step for as long as a call lasts. Unlike elsewhere in this
//! crate blocks are at 16 kHz: two samples an octet. That RTP counts them as if at 8 kHz (RFC 3551 §4.5.2) is the
//! caller's affair.
//!
//! The lower band by itself is sound at 8 kHz: [`NarrowEncoder`] and [`NarrowDecoder`] speak with the other codecs
//! of telephones, at half the work and without a change of rate.

/// Samples per second, on the side where they are samples.
pub const RATE_HZ: u32 = 16_000;

/// Samples of an octet.
const PAIR: usize = 2;

/// Sound to octets.
#[derive(Clone, Debug)]
pub struct Encoder {
    low: Band,
    high: Band,
    filter: Mirror,
}

/// Octets to sound.
#[derive(Clone, Debug)]
pub struct Decoder {
    low: Band,
    high: Band,
    filter: Mirror,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// The beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self {
            low: Band::new(LOW_STEP),
            high: Band::new(HIGH_STEP),
            filter: Mirror::default(),
        }
    }

    /// Encodes as many pairs of samples as both slices hold; returns how many octets that makes.
    pub fn encode_block(&mut self, samples: &[i16], octets: &mut [u8]) -> usize {
        let pairs = samples.as_chunks::<PAIR>().0;
        for (pair, octet) in pairs.iter().zip(octets.iter_mut()) {
            *octet = self.encode(*pair);
        }
        pairs.len().min(octets.len())
    }

    fn encode(&mut self, pair: [i16; PAIR]) -> u8 {
        let [odd, even] = self.filter.push(pair.map(i32::from));
        let (low, high) = ((even + odd) >> 14, (even - odd) >> 14);
        let low_code = self.low.quantized_low(low);
        let high_code = self.high.quantized_high(high);
        self.low.adapt_low(low_code);
        self.high.adapt_high(high_code);
        high_code << 6 | low_code
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
    pub fn new() -> Self {
        Self {
            low: Band::new(LOW_STEP),
            high: Band::new(HIGH_STEP),
            filter: Mirror::default(),
        }
    }

    /// Decodes as many octets as both slices hold, two samples each; returns how many samples that makes.
    pub fn decode_block(&mut self, octets: &[u8], samples: &mut [i16]) -> usize {
        let pairs = samples.as_chunks_mut::<PAIR>().0;
        let count = pairs.len().min(octets.len());
        for (octet, pair) in octets.iter().zip(pairs) {
            *pair = self.decode(*octet);
        }
        count * PAIR
    }

    fn decode(&mut self, octet: u8) -> [i16; PAIR] {
        let high_code = octet >> 6;
        let low = self.low.decoded_low(octet & 0x3F);
        let high = limited(self.high.signal + self.high.scaled(TWO_BITS[usize::from(high_code)]));
        self.high.adapt_high(high_code);
        let [first, second] = self.filter.push([low + high, low - high]);
        // The two sums are of the two phases: the later tap's sum is the earlier sample.
        [second >> 11, first >> 11].map(|sample| saturated(sample) as i16)
    }
}

/// Sound at 8 kHz to octets: the lower band, under an upper one of silence.
#[derive(Clone, Debug)]
pub struct NarrowEncoder(Band);

/// Octets to sound at 8 kHz: the lower band alone.
#[derive(Clone, Debug)]
pub struct NarrowDecoder(Band);

/// The upper band's bits of silence: the least step, which rounds to nothing at the far end.
const SILENT_HIGH: u8 = 0b1100_0000;

impl Default for NarrowEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl NarrowEncoder {
    /// The beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self(Band::new(LOW_STEP))
    }

    /// Encodes as many samples as both slices hold; returns how many octets that makes.
    pub fn encode_block(&mut self, samples: &[i16], octets: &mut [u8]) -> usize {
        for (sample, octet) in samples.iter().zip(octets.iter_mut()) {
            // The filter halves what it makes a band of.
            let code = self.0.quantized_low(i32::from(*sample) >> 1);
            self.0.adapt_low(code);
            *octet = SILENT_HIGH | code;
        }
        samples.len().min(octets.len())
    }
}

impl Default for NarrowDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl NarrowDecoder {
    /// The beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self(Band::new(LOW_STEP))
    }

    /// Decodes as many octets as both slices hold; returns how many samples that makes.
    pub fn decode_block(&mut self, octets: &[u8], samples: &mut [i16]) -> usize {
        for (octet, sample) in octets.iter().zip(samples.iter_mut()) {
            let low = self.0.decoded_low(octet & 0x3F);
            *sample = saturated(2 * low) as i16;
        }
        octets.len().min(samples.len())
    }
}

/// The filter of 24 taps that both ends have (TRANSMIT QMF, RECEIVE QMF; Table 11).
#[derive(Clone, Debug, Default)]
struct Mirror {
    /// Two delay lines of twelve, the oldest first: every other sample.
    lines: [[i32; TAPS.len()]; PAIR],
}

const TAPS: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

impl Mirror {
    /// Takes a pair, and gives what both lines add up to.
    fn push(&mut self, pair: [i32; PAIR]) -> [i32; PAIR] {
        for (line, value) in self.lines.iter_mut().zip(pair) {
            line.copy_within(1.., 0);
            line[TAPS.len() - 1] = value;
        }
        let [first, second] = &self.lines;
        [
            first.iter().zip(TAPS).map(|(x, h)| x * h).sum(),
            (second.iter().zip(TAPS.iter().rev()))
                .map(|(x, h)| x * h)
                .sum(),
        ]
    }
}

/// The state of one band, the same in encoder and decoder.
#[derive(Clone, Debug)]
struct Band {
    /// The prediction of the next sample (PREDIC).
    signal: i32,
    /// What the zeros contribute to it (FILTEZ).
    zeros_part: i32,
    /// The last two reconstructed signals, the newest first (RECONS).
    reconstructed: [i32; 2],
    /// The last two of them without the poles' part (PARREC).
    partial: [i32; 2],
    /// Coefficients of the two poles (UPPOL1, UPPOL2).
    poles: [i32; 2],
    /// Coefficients of the six zeros (UPZERO).
    zeros: [i32; 6],
    /// The last six quantized differences, the newest first.
    differences: [i32; 6],
    /// The logarithm of the step (LOGSCL, LOGSCH).
    log_step: i32,
    /// The step (SCALEL, SCALEH).
    step: i32,
}

/// The least steps, with which a stream begins.
const LOW_STEP: i32 = 32;
const HIGH_STEP: i32 = 8;

impl Band {
    const fn new(step: i32) -> Self {
        Self {
            signal: 0,
            zeros_part: 0,
            reconstructed: [0; 2],
            partial: [0; 2],
            poles: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
            log_step: 0,
            step,
        }
    }

    /// A table's value at the present step.
    const fn scaled(&self, value: i32) -> i32 {
        (self.step * value) >> 15
    }

    /// SUBTRA, QUANTL: the six bits of the lower band.
    fn quantized_low(&self, sample: i32) -> u8 {
        let difference = saturated(sample - self.signal);
        let size = magnitude(difference);
        let place = (DECISIONS.iter())
            .position(|decision| size < (decision * self.step) >> 12)
            .unwrap_or(DECISIONS.len()) as u8;
        // The two lowest intervals of the negative side come last: codes 0 to 3 have too few ones for the line.
        match (difference < 0, place) {
            (true, 0 | 1) => 63 - place,
            (true, _) => 33 - place,
            (false, _) => 61 - place,
        }
    }

    /// INVQBL, RECONS: what six bits mean; then follows them.
    fn decoded_low(&mut self, code: u8) -> i32 {
        let low = limited(self.signal + self.scaled(SIX_BITS[usize::from(code)]));
        self.adapt_low(code);
        low
    }

    /// SUBTRA, QUANTH: the two bits of the upper band.
    fn quantized_high(&self, sample: i32) -> u8 {
        let difference = saturated(sample - self.signal);
        let is_small = magnitude(difference) < (564 * self.step) >> 12;
        match (difference < 0, is_small) {
            (true, true) => 1,
            (true, false) => 0,
            (false, true) => 3,
            (false, false) => 2,
        }
    }

    /// Follows a code of the lower band, as the far end does (INVQAL, LOGSCL, SCALEL). Its last two bits say too
    /// little to be followed: other modes use them for data.
    fn adapt_low(&mut self, code: u8) {
        let code = usize::from(code >> 2 & 0xF);
        let difference = self.scaled(FOUR_BITS[code]);
        self.rescale(LOW_WEIGHTS[code], 18_432, 8);
        self.predict(difference);
    }

    /// The same of the upper band (INVQAH, LOGSCH, SCALEH).
    fn adapt_high(&mut self, code: u8) {
        let code = usize::from(code & 3);
        let difference = self.scaled(TWO_BITS[code]);
        self.rescale(HIGH_WEIGHTS[code], 22_528, 10);
        self.predict(difference);
    }

    /// A loud sample makes the step larger, a quiet one smaller.
    fn rescale(&mut self, weight: i32, most: i32, shift: i32) {
        self.log_step = (((self.log_step * 127) >> 7) + weight).clamp(0, most);
        let fraction = POWERS[(self.log_step >> 6 & 31) as usize];
        let right = shift - (self.log_step >> 11);
        let linear = if right < 0 {
            fraction << -right
        } else {
            fraction >> right
        };
        self.step = linear << 2;
    }

    /// BLOCK 4: takes a quantized difference in, and predicts the next sample.
    fn predict(&mut self, difference: i32) {
        let reconstructed = saturated(self.signal + difference);
        let partial = saturated(self.zeros_part + difference);
        self.move_poles(partial);
        self.move_zeros(difference);
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.partial = [partial, self.partial[0]];
        // FILTEP, FILTEZ, PREDIC.
        let [near, far] = [0, 1].map(|n| twice(self.reconstructed[n], self.poles[n]));
        let poles_part = saturated(near + far);
        let zeros = self.zeros.iter().zip(self.differences);
        self.zeros_part = saturated(zeros.map(|(zero, past)| twice(past, *zero)).sum());
        self.signal = saturated(poles_part + self.zeros_part);
    }

    /// UPPOL2, UPPOL1: the poles follow the signs of what was predicted by the zeros alone.
    fn move_poles(&mut self, partial: i32) {
        let [first, second] = self.poles;
        let alike = self.partial.map(|past| (past < 0) == (partial < 0));
        let four_times = saturated(first << 2);
        let pulled = if alike[0] { -four_times } else { four_times };
        let pushed = if alike[1] { 128 } else { -128 };
        let second = (pushed + (pulled.min(i32::from(i16::MAX)) >> 7) + ((second * 32_512) >> 15))
            .clamp(-12_288, 12_288);
        let pushed = if alike[0] { 192 } else { -192 };
        let most = saturated(15_360 - second);
        let first = saturated(pushed + ((first * 32_640) >> 15)).clamp(-most, most);
        self.poles = [first, second];
    }

    /// UPZERO: likewise the zeros, by the signs of the differences.
    fn move_zeros(&mut self, difference: i32) {
        let by = if difference == 0 { 0 } else { 128 };
        for (zero, past) in self.zeros.iter_mut().zip(self.differences) {
            let alike = (past < 0) == (difference < 0);
            let pushed = if alike { by } else { -by };
            *zero = saturated(pushed + ((*zero * 32_640) >> 15));
        }
    }
}

/// What a coefficient makes of a past value, which counts double.
fn twice(past: i32, coefficient: i32) -> i32 {
    (saturated(2 * past) * coefficient) >> 15
}

/// The size of a difference as the quantizers see it: one less below zero.
const fn magnitude(difference: i32) -> i32 {
    if difference < 0 {
        -(difference + 1)
    } else {
        difference
    }
}

fn saturated(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

/// LIMIT: what a band gives to the filter.
fn limited(value: i32) -> i32 {
    value.clamp(-16_384, 16_383)
}

/// Where the intervals of the lower band end, in 1/4096 of the step (Table 14).
const DECISIONS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

/// The values of six bits, in 1/32768 of the step (Table 14).
const SIX_BITS: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168,
    -2776, -2400, -2032, -1688, -1360, -1040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512,
    12_280, 11_192, 10_232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168,
    2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// The values of their first four bits (Table 14).
const FOUR_BITS: [i32; 16] = [
    0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584,
    1200, 0,
];

/// The values of the upper band's two bits (Table 14).
const TWO_BITS: [i32; 4] = [-7408, -1616, 7408, 1616];

/// How those four bits move the logarithm of the step (Table 14).
const LOW_WEIGHTS: [i32; 16] = [
    -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
];

/// How the two bits do.
const HIGH_WEIGHTS: [i32; 4] = [798, -214, 798, -214];

/// 2048 · 2^(n/32) (Table 15).
const POWERS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

#[cfg(test)]
mod tests;

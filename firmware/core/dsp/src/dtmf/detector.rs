//! The in-band DTMF detector.
//!
//! Owns the decision "this is a key, not a voice": eight Goertzel filters over blocks of 102 samples (12.75 ms), two
//! like blocks in a row for a digit, two unlike ones for its end. The limits are those administrations gave in
//! ITU-T Q.24 table A.1; where they differ, the wider operating limit is served:
//!
//! | | operates | rejects |
//! |---|---|---|
//! | frequency | ±1.8 % | ±3.5 % |
//! | level per tone | -3 (the law's overload) to -32 dBm0 | -45 dBm0 |
//! | twist | ±8 dB | |
//! | duration | 40 ms | 20 ms |
//! | pause | 40 ms | 12 ms (taken for a dropout) |
//!
//! Voice is told from keys by purity: nearly all the energy must lie in exactly one low and one high tone, both
//! where Q.23 puts them. The phase between two blocks gives each tone's true frequency, which the filters alone,
//! 78 Hz wide, could not.

use super::{DtmfDigit, HIGH_HZ, LOW_HZ};
use crate::goertzel::{Goertzel, Phasor};
use core::f32::consts::{PI, TAU};

/// What the detector has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtmfReport {
    /// A digit has begun; it has been heard for about 26 ms.
    Down(DtmfDigit),
    /// The digit has ended.
    Up {
        /// Which.
        digit: DtmfDigit,
        /// How long it sounded, to about 13 ms.
        duration_ms: u32,
    },
}

/// Listens for digits in a stream of samples at 8 kHz, in blocks of any length.
#[derive(Clone, Debug)]
pub struct DtmfDetector {
    filters: [Goertzel; 8],
    energy: f32,
    filled: usize,
    previous: Option<Block>,
    /// The digit held and its length in blocks.
    held: Option<(DtmfDigit, u32)>,
    misses: u32,
}

/// One block that looks like a digit.
#[derive(Clone, Copy, Debug)]
struct Block {
    row: usize,
    column: usize,
    low: Phasor,
    high: Phasor,
    energy: f32,
}

/// 12.75 ms: two blocks fit into the shortest digit wherever it begins, and 20 ms of tone cannot fill two.
const BLOCK: usize = 102;
/// Squared amplitude a tone must have: -36 dBm0, so that -32 dBm0 is heard in a block it fills but partly.
const LEAST_POWER: f32 = 130_000.0;
/// How many times the low group may outweigh the high one, and the other way round: the 8 dB promised and the 2 dB by
/// which 1209 Hz leaking into the filter of 941 Hz may falsify it, and a little.
const MOST_TWIST: f32 = 12.0;
/// How many times the strongest tone must outweigh each other one of its group (7 dB).
const STANDS_OUT: f32 = 5.0;
/// Part of the energy in the two tones, for a block alone: tones off by 1.8 % lose up to a third in the filters.
const PURE_ALONE: f32 = 0.60;
/// The same with the loss made good, for a pair of blocks.
const PURE_PAIR: f32 = 0.80;
/// Between 1.8 % and 3.5 % of Q.24, with room for noise on both sides.
const MOST_OFFSET: f32 = 0.026;
/// Unlike blocks that end a digit; one alone is a dropout.
const MISSES_TO_END: u32 = 2;

impl Default for DtmfDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl DtmfDetector {
    /// A detector that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        let mut filters = [Goertzel::new(0.0, 8000.0); 8];
        for (filter, hz) in filters.iter_mut().zip(LOW_HZ.into_iter().chain(HIGH_HZ)) {
            *filter = Goertzel::new(hz, 8000.0);
        }
        Self {
            filters,
            energy: 0.0,
            filled: 0,
            previous: None,
            held: None,
            misses: 0,
        }
    }

    /// Listens to a block; `report` is called for each digit that begins or ends in it.
    pub fn feed(&mut self, samples: &[i16], mut report: impl FnMut(DtmfReport)) {
        for &sample in samples {
            let value = f32::from(sample);
            self.energy += value * value;
            for filter in &mut self.filters {
                filter.push(value);
            }
            self.filled += 1;
            if self.filled == BLOCK {
                let block = self.finish_block();
                self.judge(block, &mut report);
                self.filled = 0;
            }
        }
    }

    /// The digit sounding now.
    #[must_use]
    pub fn held(&self) -> Option<DtmfDigit> {
        self.held.map(|(digit, _)| digit)
    }

    fn finish_block(&mut self) -> Option<Block> {
        let phasors = {
            let mut phasors = [Phasor::default(); 8];
            for (phasor, filter) in phasors.iter_mut().zip(&mut self.filters) {
                *phasor = filter.finish();
            }
            phasors
        };
        let energy = core::mem::take(&mut self.energy);
        let (lows, highs) = phasors.split_at(4);
        let (row, low) = strongest(lows)?;
        let (column, high) = strongest(highs)?;
        let block = Block {
            row,
            column,
            low,
            high,
            energy,
        };
        let (low, high) = (low.power(), high.power());
        let fits = low.min(high) >= LEAST_POWER * SCALE
            && low <= high * MOST_TWIST
            && high <= low * MOST_TWIST
            && purity(low + high, energy) >= PURE_ALONE;
        fits.then_some(block)
    }

    fn judge(&mut self, block: Option<Block>, report: &mut impl FnMut(DtmfReport)) {
        let pair = self
            .previous
            .zip(block)
            .filter(|(earlier, later)| is_digit(earlier, later));
        let digit = pair.and_then(|(_, later)| DtmfDigit::at(later.row, later.column));
        // Only a pair is proof, but a digit's last whole block still counts for its length.
        let continues = block.and_then(|b| DtmfDigit::at(b.row, b.column));
        self.previous = block;
        match (self.held, digit) {
            (None, Some(digit)) => self.begin(digit, report),
            (Some((held, _)), Some(digit)) if held != digit => {
                self.end(report);
                self.begin(digit, report);
            }
            (Some((held, blocks)), _) if continues == Some(held) => {
                self.held = Some((held, blocks + 1 + self.misses));
                self.misses = 0;
            }
            (Some(_), _) => {
                self.misses += 1;
                if self.misses >= MISSES_TO_END {
                    self.end(report);
                }
            }
            (None, None) => {}
        }
    }

    fn begin(&mut self, digit: DtmfDigit, report: &mut impl FnMut(DtmfReport)) {
        self.held = Some((digit, 2));
        self.misses = 0;
        report(DtmfReport::Down(digit));
    }

    fn end(&mut self, report: &mut impl FnMut(DtmfReport)) {
        self.misses = 0;
        if let Some((digit, blocks)) = self.held.take() {
            // A digit fills half a block more at either end, on average.
            let duration_ms = (blocks + 1) * BLOCK as u32 / 8;
            report(DtmfReport::Up { digit, duration_ms });
        }
    }
}

/// A sine of peak `a` over a whole block gives a filter power of `a²·(N/2)²`.
const SCALE: f32 = (BLOCK as f32 / 2.0) * (BLOCK as f32 / 2.0);

/// Part of a block's energy that two tones of that filter power hold: a sine's energy is `a²·N/2`.
fn purity(power: f32, energy: f32) -> f32 {
    if energy <= 0.0 {
        0.0
    } else {
        power / (energy * BLOCK as f32 / 2.0)
    }
}

/// The strongest of a group, if it stands out from the others.
fn strongest(group: &[Phasor]) -> Option<(usize, Phasor)> {
    let (index, &best) = group
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.power().total_cmp(&b.power()))?;
    let stands_out = |(other, phasor): (usize, &Phasor)| {
        other == index || phasor.power() * STANDS_OUT <= best.power()
    };
    group
        .iter()
        .enumerate()
        .all(stands_out)
        .then_some((index, best))
}

/// Whether two blocks in a row are one digit: the same tones, on their frequencies, pure and steady.
fn is_digit(earlier: &Block, later: &Block) -> bool {
    if (earlier.row, earlier.column) != (later.row, later.column) {
        return false;
    }
    let (Some(&low_hz), Some(&high_hz)) = (LOW_HZ.get(later.row), HIGH_HZ.get(later.column)) else {
        return false;
    };
    let low_off_hz = offset_hz(earlier.low, later.low, low_hz);
    let high_off_hz = offset_hz(earlier.high, later.high, high_hz);
    if low_off_hz.abs() > low_hz * MOST_OFFSET || high_off_hz.abs() > high_hz * MOST_OFFSET {
        return false;
    }
    let (low_loss, high_loss) = (filter_loss(low_off_hz), filter_loss(high_off_hz));
    [earlier, later].into_iter().all(|block| {
        let power = block.low.power() / low_loss + block.high.power() / high_loss;
        purity(power, block.energy) >= PURE_PAIR
    })
}

/// How far a tone lies from its filter, by the phase it gained in a block; unambiguous to ±39 Hz, and further out
/// the filter has lost too much for the block to pass alone.
fn offset_hz(earlier: Phasor, later: Phasor, filter_hz: f32) -> f32 {
    let expected = TAU * filter_hz * BLOCK as f32 / 8000.0;
    let turns = (later.phase_after(earlier) - expected) / TAU;
    (turns - turns.round()) * 8000.0 / BLOCK as f32
}

/// What a filter lets through of a tone off its centre: sinc².
fn filter_loss(offset_hz: f32) -> f32 {
    let x = PI * offset_hz * BLOCK as f32 / 8000.0;
    if x.abs() < 0.01 {
        1.0
    } else {
        (x.sin() / x).powi(2)
    }
}

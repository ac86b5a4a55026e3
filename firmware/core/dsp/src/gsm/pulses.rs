//! What neither tract nor period say of 5 ms: thirteen pulses, every third sample (§3.1.18 to §3.1.22, §5.2.13 to
//! §5.2.17).

use super::bits::{Reader, Writer};
use super::{PART, times, times_rounded};

/// Pulses of a part.
const COUNT: usize = 13;

/// The pulses as they are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pulses {
    /// The place of the first: 0 to 3.
    grid: u8,
    /// The logarithm of the greatest.
    size: u8,
    /// Each in three bits.
    codes: [u8; COUNT],
}

/// The filter that leaves what a third of the samples can say (table 5.4).
const WEIGHTS: [i16; 11] = [-134, -374, 0, 2054, 5741, 8192, 5741, 2054, 0, -374, -134];

/// One over the mantissa, and the mantissa (tables 5.5, 5.6).
const INVERSES: [i16; 8] = [
    29_128, 26_215, 23_832, 21_846, 20_165, 18_725, 17_476, 16_384,
];
const MANTISSAS: [i16; 8] = [
    18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767,
];

/// The pulses that are nearest to what is left.
pub(super) fn chosen(rest: &[i16; PART]) -> Pulses {
    let weighted = weighted(rest);
    let mut best = (0, 0);
    for grid in 0..4 {
        let taken = weighted.iter().skip(grid).step_by(3).take(COUNT);
        let energy = taken.map(|x| i32::from(x >> 2).pow(2)).sum::<i32>();
        if energy > best.1 {
            best = (grid, energy);
        }
    }
    let grid = best.0;
    let mut taken = [0; COUNT];
    for (pulse, sample) in taken.iter_mut().zip(weighted.iter().skip(grid).step_by(3)) {
        *pulse = *sample;
    }
    let greatest = (taken.iter().map(|x| x.saturating_abs()).max()).unwrap_or_default();
    let size = size_of(greatest);
    let (exponent, mantissa) = parts_of(size);
    Pulses {
        grid: grid as u8,
        size,
        codes: taken.map(|pulse| {
            let scaled = pulse << (6 - exponent);
            (times(scaled, INVERSES[mantissa]) >> 12).wrapping_add(4) as u8 & 7
        }),
    }
}

/// §5.2.13.
fn weighted(rest: &[i16; PART]) -> [i16; PART] {
    const MARGIN: usize = WEIGHTS.len() / 2;
    let mut wide = [0; PART + 2 * MARGIN];
    wide[MARGIN..MARGIN + PART].copy_from_slice(rest);
    core::array::from_fn(|at| {
        let near = wide.iter().skip(at).zip(WEIGHTS);
        let sum: i32 = near
            .map(|(x, weight)| i32::from(*x) * i32::from(weight))
            .sum();
        ((sum + 4096) >> 13).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    })
}

/// §5.2.15: six bits, three of them an exponent.
fn size_of(greatest: i16) -> u8 {
    let (mut exponent, mut rest) = (0, greatest >> 9);
    while rest > 0 && exponent < 6 {
        exponent += 1;
        rest >>= 1;
    }
    ((greatest >> (exponent + 5)) + (exponent << 3)) as u8
}

/// The exponent and mantissa of a size.
fn parts_of(size: u8) -> (i16, usize) {
    let size = i16::from(size);
    let mut exponent = if size > 15 { (size >> 3) - 1 } else { 0 };
    let mut mantissa = size - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, usize::from((mantissa - 8).unsigned_abs()) & 7)
}

impl Pulses {
    /// §5.2.16, §5.2.17: the pulses as the far end has them, in their places.
    pub(super) fn placed(&self) -> [i16; PART] {
        let (exponent, mantissa) = parts_of(self.size);
        let shift = 6 - exponent;
        let half = if shift > 0 { 1 << (shift - 1) } else { 0 };
        let mut placed = [0; PART];
        let places = placed.iter_mut().skip(self.grid.into()).step_by(3);
        for (place, code) in places.zip(self.codes) {
            let value = ((i16::from(code) << 1) - 7) << 12;
            *place = times_rounded(MANTISSAS[mantissa], value).saturating_add(half) >> shift;
        }
        placed
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.put(self.grid, 2);
        out.put(self.size, 6);
        for code in self.codes {
            out.put(code, 3);
        }
    }

    pub(super) fn read(bits: &mut Reader<'_>) -> Self {
        Self {
            grid: bits.take(2),
            size: bits.take(6),
            codes: core::array::from_fn(|_| bits.take(3)),
        }
    }
}

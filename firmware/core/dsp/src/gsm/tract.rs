//! The vocal tract: eight reflection coefficients, and the lattice filter of them (§3.1.4 to §3.1.11, §3.2.3,
//! §5.2.4 to §5.2.10, §5.3.3, §5.3.4).

use super::bits::{Reader, Writer};
use super::{FRAME_SAMPLES, times, times_rounded};

/// Its order.
const ORDER: usize = 8;

/// Log area ratios, as they are sent: each counted from its least value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas([u8; ORDER]);

/// How a ratio is quantized (tables 5.1, 5.2).
struct Scale {
    factor: i16,
    inverse: i16,
    offset: i16,
    least: i16,
    bits: usize,
}

const fn scale(factor: i16, inverse: i16, offset: i16, least: i16, bits: usize) -> Scale {
    Scale {
        factor,
        inverse,
        offset,
        least,
        bits,
    }
}

const SCALES: [Scale; ORDER] = [
    scale(20_480, 13_107, 0, -32, 6),
    scale(20_480, 13_107, 0, -32, 6),
    scale(20_480, 13_107, 2048, -16, 5),
    scale(20_480, 13_107, -2560, -16, 5),
    scale(13_964, 19_223, 94, -8, 4),
    scale(15_360, 17_476, -1792, -8, 4),
    scale(8534, 31_454, -341, -4, 3),
    scale(9036, 29_708, -1144, -4, 3),
];

/// The tract of 20 ms. What the scaling of the autocorrelation cuts off `signal` stays cut off (§5.2.4).
pub(super) fn analysed(signal: &mut [i16; FRAME_SAMPLES]) -> Areas {
    let reflections = reflections(&autocorrelation(signal));
    let mut areas = Areas::default();
    for ((area, scale), reflection) in areas.0.iter_mut().zip(&SCALES).zip(reflections) {
        let ratio = times(scale.factor, ratio_of(reflection));
        let ratio = ratio.saturating_add(scale.offset).saturating_add(256) >> 9;
        let most = -scale.least - 1;
        *area = (ratio.clamp(scale.least, most) - scale.least) as u8;
    }
    areas
}

/// §5.2.4.
fn autocorrelation(signal: &mut [i16; FRAME_SAMPLES]) -> [i32; ORDER + 1] {
    let loudest = (signal.iter().map(|x| x.saturating_abs()).max()).unwrap_or_default();
    let scale = if loudest == 0 {
        0
    } else {
        4 - (i32::from(loudest).leading_zeros() as i32 - 17)
    };
    if scale > 0 {
        for sample in signal.iter_mut() {
            *sample = times_rounded(*sample, 16_384 >> (scale - 1));
        }
    }
    let sums = core::array::from_fn(|lag| {
        let pairs = signal.iter().skip(lag).zip(signal.iter());
        let sum: i32 = pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        sum << 1
    });
    if scale > 0 {
        for sample in signal.iter_mut() {
            *sample <<= scale;
        }
    }
    sums
}

/// §5.2.5: Schur's recursion.
fn reflections(sums: &[i32; ORDER + 1]) -> [i16; ORDER] {
    let mut reflections = [0; ORDER];
    if sums[0] == 0 {
        return reflections;
    }
    let room = sums[0].leading_zeros() - 1;
    let mut forward = sums.map(|sum| (sum << room >> 16) as i16);
    let mut backward = forward;
    for (done, reflection) in reflections.iter_mut().enumerate() {
        let size = forward[1].saturating_abs();
        if forward[0] < size {
            break;
        }
        let share = quotient(size, forward[0]);
        *reflection = if forward[1] > 0 { -share } else { share };
        forward[0] = forward[0].saturating_add(times_rounded(forward[1], *reflection));
        for at in 1..ORDER - done {
            let (next, back) = (forward[at + 1], backward[at]);
            forward[at] = next.saturating_add(times_rounded(back, *reflection));
            backward[at] = back.saturating_add(times_rounded(next, *reflection));
        }
    }
    reflections
}

/// §5.1: a fraction of 15 bits of two numbers, the first not the greater one.
fn quotient(part: i16, whole: i16) -> i16 {
    if part == whole {
        return i16::MAX;
    }
    let whole = i32::from(whole).max(1);
    ((i32::from(part) << 15) / whole) as i16
}

/// §5.2.6: the logarithm, in three straight lines.
fn ratio_of(reflection: i16) -> i16 {
    let size = match reflection.saturating_abs() {
        size @ ..22_118 => size >> 1,
        size @ 22_118..31_130 => size - 11_059,
        size => (size - 26_112) << 2,
    };
    if reflection < 0 { -size } else { size }
}

/// §5.2.9.2: back from it.
fn reflection_of(ratio: i16) -> i16 {
    let size = match ratio.saturating_abs() {
        size @ ..11_059 => size << 1,
        size @ 11_059..20_070 => size + 11_059,
        size => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -size } else { size }
}

impl Areas {
    /// §5.2.8: the ratios that are meant.
    fn ratios(&self) -> [i16; ORDER] {
        let mut ratios = [0; ORDER];
        for ((ratio, scale), code) in ratios.iter_mut().zip(&SCALES).zip(self.0) {
            let value = (i16::from(code) + scale.least) << 10;
            let value = value.saturating_sub(scale.offset << 1);
            let value = times_rounded(scale.inverse, value);
            *ratio = value.saturating_add(value);
        }
        ratios
    }

    pub(super) fn write(&self, out: &mut Writer) {
        for (code, scale) in self.0.into_iter().zip(&SCALES) {
            out.put(code, scale.bits);
        }
    }

    pub(super) fn read(bits: &mut Reader<'_>) -> Self {
        let mut areas = Self::default();
        for (code, scale) in areas.0.iter_mut().zip(&SCALES) {
            *code = bits.take(scale.bits);
        }
        areas
    }
}

/// The filter, and what it goes on from.
#[derive(Clone, Debug)]
pub(super) struct Tract {
    /// The ratios of the frame before.
    ratios: [i16; ORDER],
    line: [i16; ORDER + 1],
}

impl Tract {
    pub(super) const fn new() -> Self {
        Self {
            ratios: [0; ORDER],
            line: [0; ORDER + 1],
        }
    }

    /// §5.2.10: leaves what the tract does not explain.
    pub(super) fn take_out(&mut self, areas: &Areas, signal: &mut [i16; FRAME_SAMPLES]) {
        self.each_stretch(areas, signal, |line, reflections, sample| {
            let mut through = *sample;
            let mut saved = *sample;
            for (place, reflection) in line.iter_mut().zip(reflections) {
                let before = core::mem::replace(place, saved);
                saved = before.saturating_add(times_rounded(*reflection, through));
                through = through.saturating_add(times_rounded(*reflection, before));
            }
            *sample = through;
        });
    }

    /// §5.3.4: gives the tract back to it.
    pub(super) fn put_in(&mut self, areas: &Areas, signal: &mut [i16; FRAME_SAMPLES]) {
        self.each_stretch(areas, signal, |line, reflections, sample| {
            let mut value = *sample;
            for (at, reflection) in reflections.iter().enumerate().rev() {
                value = value.saturating_sub(times_rounded(*reflection, line[at]));
                line[at + 1] = line[at].saturating_add(times_rounded(*reflection, value));
            }
            line[0] = value;
            *sample = value;
        });
    }

    /// §5.2.9.1: the tract goes over from that of the frame before in steps.
    fn each_stretch(
        &mut self,
        areas: &Areas,
        signal: &mut [i16; FRAME_SAMPLES],
        each: impl Fn(&mut [i16; ORDER + 1], &[i16; ORDER], &mut i16),
    ) {
        let ratios = areas.ratios();
        let before = core::mem::replace(&mut self.ratios, ratios);
        let between: [fn(i16, i16) -> i16; 4] = [
            |old, new| (old >> 2).saturating_add(new >> 2).saturating_add(old >> 1),
            |old, new| (old >> 1).saturating_add(new >> 1),
            |old, new| (old >> 2).saturating_add(new >> 2).saturating_add(new >> 1),
            |_, new| new,
        ];
        let mut from = 0;
        for (until, ratio) in [13, 27, 40, FRAME_SAMPLES].into_iter().zip(between) {
            let mut reflections = [0; ORDER];
            for ((reflection, old), new) in reflections.iter_mut().zip(before).zip(ratios) {
                *reflection = reflection_of(ratio(old, new));
            }
            for sample in &mut signal[from..until] {
                each(&mut self.line, &reflections, sample);
            }
            from = until;
        }
    }
}

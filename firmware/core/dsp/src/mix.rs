//! Adding, scaling and measuring blocks of samples.
//!
//! Owns the arithmetic of bridges and conferences and the two level scales. The order in which ports are mixed is
//! the media graph's affair.
//!
//! Levels: 0 dBov is a full-scale square wave, so a full-scale sine is -3.01 dBov; that sine is +3.17 dBm0
//! (RFC 6464 §3, ITU-T G.711 table 2a), hence dBm0 = dBov + 6.18.

/// What is added to a level in dBov to give it in dBm0.
pub const DBM0_OF_DBOV: f32 = 6.18;

/// The level given for a block of zeros; RFC 6464 §3 ends its scale here too.
pub const LOWEST_DBOV: f32 = -127.0;

/// Adds `block` to `acc`, clipping at full scale. The longer slice's tail is left alone.
pub fn add(acc: &mut [i16], block: &[i16]) {
    for (sum, &sample) in acc.iter_mut().zip(block) {
        *sum = sum.saturating_add(sample);
    }
}

/// Adds `block` to a conference sum, which has room for 65 536 full-scale members.
pub fn sum(acc: &mut [i32], block: &[i16]) {
    for (sum, &sample) in acc.iter_mut().zip(block) {
        *sum = sum.saturating_add(i32::from(sample));
    }
}

/// What one member of a conference hears: the sum without itself, clipped.
pub fn without(acc: &[i32], own: &[i16], out: &mut [i16]) {
    for ((out, &sum), &own) in out.iter_mut().zip(acc).zip(own) {
        *out = clip(sum.saturating_sub(i32::from(own)));
    }
}

/// The sum for one who listens only, clipped.
pub fn saturate(acc: &[i32], out: &mut [i16]) {
    for (out, &sum) in out.iter_mut().zip(acc) {
        *out = clip(sum);
    }
}

/// An amplification, made from decibels once and applied often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gain {
    /// Q12: 4096 leaves the samples as they are.
    factor: i32,
}

impl Gain {
    /// No change.
    pub const UNITY: Gain = Gain { factor: 1 << 12 };
    /// Silence.
    pub const MUTE: Gain = Gain { factor: 0 };

    /// A gain in decibels; above +24 dB it stays at +24 dB, below -72 dB it mutes.
    #[must_use]
    pub fn from_db(gain_db: f32) -> Self {
        let factor = 4096.0 * 10f32.powf(gain_db.min(24.0) / 20.0);
        // `as` saturates and turns NaN into 0: no input panics.
        Gain {
            factor: factor.round() as i32,
        }
    }

    /// Scales a block in place, clipping at full scale.
    pub fn apply(self, block: &mut [i16]) {
        if self == Self::UNITY {
            return;
        }
        for sample in block {
            *sample = clip((i32::from(*sample) * self.factor + (1 << 11)) >> 12);
        }
    }
}

/// Mean square of a block, 0 for an empty one.
#[must_use]
pub fn mean_square(block: &[i16]) -> f32 {
    if block.is_empty() {
        return 0.0;
    }
    let energy: u64 = block
        .iter()
        .map(|&s| u64::from(s.unsigned_abs()).pow(2))
        .sum();
    (energy as f64 / block.len() as f64) as f32
}

/// Level of a block in dBov, -127 at least.
#[must_use]
pub fn level_dbov(block: &[i16]) -> f32 {
    let mean = mean_square(block) / (32768.0 * 32768.0);
    (10.0 * mean.log10()).max(LOWEST_DBOV)
}

/// Level of a block in dBm0.
#[must_use]
pub fn level_dbm0(block: &[i16]) -> f32 {
    level_dbov(block) + DBM0_OF_DBOV
}

/// Peak of a sine of that level, in samples' units.
#[must_use]
pub(crate) fn sine_peak(level_dbm0: f32) -> f32 {
    32768.0 * 10f32.powf((level_dbm0 - DBM0_OF_DBOV) / 20.0) * core::f32::consts::SQRT_2
}

/// The nearest sample.
#[inline]
pub(crate) fn clip(value: i32) -> i16 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_clips_and_never_wraps() {
        let mut acc = [30_000, -30_000, 1, 7];
        add(&mut acc, &[30_000, -30_000, 2]);
        assert_eq!(acc, [i16::MAX, i16::MIN, 3, 7]);
    }

    #[test]
    fn a_member_hears_all_but_itself() {
        let (a, b, c) = ([30_000, 1], [20_000, 10], [-25_000, 100]);
        let mut acc = [0; 2];
        for block in [&a, &b, &c] {
            sum(&mut acc, block);
        }
        let mut out = [0; 2];
        without(&acc, &c, &mut out);
        assert_eq!(out, [i16::MAX, 11]);
        without(&acc, &a, &mut out);
        assert_eq!(out, [-5_000, 110]);
        saturate(&acc, &mut out);
        assert_eq!(out, [25_000, 111]);
    }

    #[test]
    fn six_decibels_double() {
        let mut block = [1000, -1000, 20_000, i16::MIN];
        Gain::from_db(6.0206).apply(&mut block);
        assert_eq!(block, [2000, -2000, i16::MAX, i16::MIN]);
        Gain::MUTE.apply(&mut block);
        assert_eq!(block, [0; 4]);
        assert_eq!(Gain::from_db(0.0), Gain::UNITY);
        assert_eq!(Gain::from_db(f32::NAN).factor, Gain::from_db(24.0).factor);
        assert_eq!(Gain::from_db(f32::NEG_INFINITY), Gain::MUTE);
    }

    #[test]
    fn levels_stand_where_the_scales_put_them() {
        assert!((level_dbov(&[i16::MIN; 80])).abs() < 0.001);
        assert_eq!(level_dbov(&[0; 80]), LOWEST_DBOV);
        assert_eq!(level_dbov(&[]), LOWEST_DBOV);
        assert!((sine_peak(3.17) - 32768.0).abs() < 30.0);
    }
}

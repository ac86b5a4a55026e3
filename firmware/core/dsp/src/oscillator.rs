//! A sine source whose phase never drifts: a 32-bit phase that wraps where the circle does.
//!
//! Owns the phase and the sine's polynomial, so a tone is the same on every machine.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oscillator {
    phase: u32,
    step: u32,
}

impl Oscillator {
    /// Gives zeros.
    pub(crate) const SILENT: Oscillator = Oscillator { phase: 0, step: 0 };

    /// A source of that frequency at 8 kHz, from phase zero.
    pub(crate) fn new(frequency_hz: f32) -> Self {
        let mut oscillator = Self::SILENT;
        oscillator.tune(frequency_hz);
        oscillator
    }

    /// Changes the frequency and keeps the phase; 0 Hz is silence.
    pub(crate) fn tune(&mut self, frequency_hz: f32) {
        self.step = (f64::from(frequency_hz) * 4_294_967_296.0 / 8000.0).round() as u32;
        if self.step == 0 {
            self.phase = 0;
        }
    }

    /// The next value, in -1..=1.
    #[inline]
    pub(crate) fn next(&mut self) -> f32 {
        let value = sine(self.phase);
        self.phase = self.phase.wrapping_add(self.step);
        value
    }
}

// The phase as a signed number is -π..π; folding it to -π/2..π/2 leaves a range where five terms are exact to 4e-6.
#[inline]
fn sine(phase: u32) -> f32 {
    let quarter = 1 << 30;
    let signed = phase as i32;
    let folded = match signed {
        n if n > quarter => i32::MIN.wrapping_sub(n),
        n if n < -quarter => i32::MIN.wrapping_sub(n),
        n => n,
    };
    let x = folded as f32 * (core::f32::consts::PI / 2_147_483_648.0);
    let x2 = x * x;
    x * (1.0 - x2 / 6.0 * (1.0 - x2 / 20.0 * (1.0 - x2 / 42.0 * (1.0 - x2 / 72.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomial_is_a_sine() {
        for n in 0..1000u32 {
            let phase = n.wrapping_mul(4_294_967);
            let exact = (f64::from(phase) / 4_294_967_296.0 * std::f64::consts::TAU).sin();
            assert!((f64::from(sine(phase)) - exact).abs() < 5e-6, "{n}");
        }
    }

    #[test]
    fn a_second_holds_a_whole_number_of_periods() {
        let mut oscillator = Oscillator::new(1000.0);
        for _ in 0..8000 {
            oscillator.next();
        }
        assert_eq!(oscillator.phase, 0);
    }
}

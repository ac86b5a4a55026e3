//! Supervisory tones: what a country's exchange plays, and a generator for it.
//!
//! Owns [`ToneSpec`] (a cadence of fixed size that crosses rings by copy), its text form, and the generator. The
//! facts per country stand in `tone/countries.rs` (ITU-T E.180 Supplement 2). When a tone is played is the
//! exchange's affair.

mod countries;

use crate::mix::{clip, sine_peak};
use crate::oscillator::Oscillator;
use countries::{COUNTRIES, CountryTones, INTERNATIONAL};

/// A country by its two letters (ISO 3166), known here or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// A country of two ASCII letters, in either case; `UK` is taken for `GB`.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        if !code.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let code = code.map(|letter| letter.to_ascii_uppercase());
        Some(Self(if &code == b"UK" { *b"GB" } else { code }))
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("XX")
    }

    /// Every country whose tones are known, by letters.
    pub fn known() -> impl Iterator<Item = Country> {
        COUNTRIES
            .iter()
            .filter_map(|entry| Country::parse(entry.code))
    }

    fn entry(self) -> &'static CountryTones {
        COUNTRIES
            .iter()
            .find(|entry| entry.code == self.as_str())
            .unwrap_or(&INTERNATIONAL)
    }

    /// The cadence of ringing current for analogue phones: on, off, on, off … in ms, repeated.
    #[must_use]
    pub fn ringing_ms(self) -> &'static [u16] {
        self.entry().ringing_ms
    }
}

/// Which tone, in the words of ITU-T E.182.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToneKind {
    /// The exchange is ready for digits.
    Dial,
    /// The called line is engaged.
    Busy,
    /// The called line is being rung.
    Ringback,
    /// No way through: circuits or equipment engaged.
    Congestion,
    /// Another call is waiting.
    CallWaiting,
    /// Special information: three rising tones, an announcement follows.
    SpecialInformation,
}

impl ToneKind {
    /// Every kind.
    pub const ALL: [ToneKind; 6] = [
        ToneKind::Dial,
        ToneKind::Busy,
        ToneKind::Ringback,
        ToneKind::Congestion,
        ToneKind::CallWaiting,
        ToneKind::SpecialInformation,
    ];
}

/// Segments a cadence may have: the longest known (Germany's call waiting) has 20.
pub const MAX_SEGMENTS: usize = 24;

// ITU-T E.180: tones are sent at -10 dBm0 ± 5 dB; -13 keeps well below speech peaks.
const DEFAULT_LEVEL_DBM0: f32 = -13.0;

/// A tone as played: up to [`MAX_SEGMENTS`] segments, first the ones played once, then the ones repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToneSpec {
    segments: [Segment; MAX_SEGMENTS],
    len: u8,
    level_dbm0: f32,
}

/// One stretch of a cadence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Segment {
    sound: Sound,
    /// `None`: without end.
    duration_ms: Option<u16>,
    once: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Sound {
    #[default]
    Silence,
    Frequencies {
        hz: [u16; 3],
        /// Amplitude modulation of the first frequency.
        modulation_hz: u16,
        weak: bool,
    },
}

/// Why a tone's text is no tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToneError {
    /// No segment at all.
    Empty,
    /// More than [`MAX_SEGMENTS`] segments or three frequencies.
    TooLong,
    /// A number is missing, zero where it may not be, or above 3999 Hz.
    Number,
    /// A segment played once stands after a repeated one.
    OnceAfterRepeated,
}

impl core::fmt::Display for ToneError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ToneError::Empty => "the tone has no segment",
            ToneError::TooLong => "the tone has too many segments or frequencies",
            ToneError::Number => "a frequency or duration of the tone is missing or out of range",
            ToneError::OnceAfterRepeated => "a segment played once follows a repeated one",
        })
    }
}

impl core::error::Error for ToneError {}

impl ToneSpec {
    /// The tone of a country; where it is not known, the international one of ITU-T E.180.
    #[must_use]
    pub fn for_country(country: Country, kind: ToneKind) -> Self {
        let of = |entry: &CountryTones| ToneSpec::parse(entry.tones[kind as usize]).ok();
        of(country.entry())
            .or_else(|| of(&INTERNATIONAL))
            .unwrap_or(Self::continuous(425))
    }

    /// One frequency without end, at the default level.
    #[must_use]
    pub fn continuous(frequency_hz: u16) -> Self {
        let mut spec = Self::empty();
        spec.segments[0].sound = Sound::Frequencies {
            hz: [frequency_hz.min(MAX_HZ), 0, 0],
            modulation_hz: 0,
            weak: false,
        };
        spec.len = 1;
        spec
    }

    /// Reads `350+440`, `425/500 0/500`, `!950/330 !1400/330 0/1000`, `400*25/400 0/200`: segments of Hz and ms;
    /// `0` is silence, `+` adds, `*` modulates, `@` is 10 dB weaker, `!` plays once, no `/ms` lasts without end.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, ToneError> {
        let mut spec = Self::empty();
        for word in text.split_ascii_whitespace() {
            let segment = Segment::parse(word)?;
            let at = usize::from(spec.len);
            if segment.once && at > 0 && !spec.segments[at - 1].once {
                return Err(ToneError::OnceAfterRepeated);
            }
            *spec.segments.get_mut(at).ok_or(ToneError::TooLong)? = segment;
            spec.len += 1;
        }
        if spec.len == 0 {
            Err(ToneError::Empty)
        } else {
            Ok(spec)
        }
    }

    /// The same tone at another level: the power of all its frequencies together.
    #[must_use]
    pub fn with_level_dbm0(mut self, level_dbm0: f32) -> Self {
        self.level_dbm0 = level_dbm0;
        self
    }

    /// Whether the tone ends by itself.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.segments()
            .iter()
            .all(|segment| segment.once && segment.duration_ms.is_some())
    }

    fn empty() -> Self {
        Self {
            segments: [Segment::default(); MAX_SEGMENTS],
            len: 0,
            level_dbm0: DEFAULT_LEVEL_DBM0,
        }
    }

    fn segments(&self) -> &[Segment] {
        self.segments
            .get(..usize::from(self.len))
            .unwrap_or_default()
    }
}

/// Above this a tone would fold back.
const MAX_HZ: u16 = 3999;

impl Segment {
    fn parse(word: &str) -> Result<Self, ToneError> {
        let number = |text: &str| text.parse::<u16>().map_err(|_| ToneError::Number);
        let (once, word) = word
            .strip_prefix('!')
            .map_or((false, word), |rest| (true, rest));
        let (sound, duration_ms) = match word.split_once('/') {
            Some((sound, ms)) => (sound, Some(number(ms)?)),
            None => (word, None),
        };
        if duration_ms == Some(0) {
            return Err(ToneError::Number);
        }
        if sound == "0" {
            return Ok(Self {
                sound: Sound::Silence,
                duration_ms,
                once,
            });
        }
        let (sound, weak) = sound
            .strip_suffix('@')
            .map_or((sound, false), |rest| (rest, true));
        let (carriers, modulation) = sound.split_once('*').unwrap_or((sound, ""));
        let modulation_hz = if modulation.is_empty() {
            0
        } else {
            number(modulation)?
        };
        let mut hz = [0; 3];
        for (n, text) in carriers.split('+').enumerate() {
            *hz.get_mut(n).ok_or(ToneError::TooLong)? = number(text)?;
        }
        if hz[0] == 0 || hz.iter().any(|&f| f > MAX_HZ) || modulation_hz > MAX_HZ {
            return Err(ToneError::Number);
        }
        Ok(Self {
            sound: Sound::Frequencies {
                hz,
                modulation_hz,
                weak,
            },
            duration_ms,
            once,
        })
    }
}

/// Plays a [`ToneSpec`] at 8 kHz, block after block, without a jump between blocks.
#[derive(Clone, Debug)]
pub struct ToneGenerator {
    spec: ToneSpec,
    segment: usize,
    /// Samples left of the segment; `None` without end.
    left: Option<u32>,
    carriers: [Oscillator; 3],
    modulator: Oscillator,
    sound: Sound,
    peak: f32,
    /// 0..=`RAMP`: how far the sound is faded in.
    ramp: u16,
    finished: bool,
}

/// Samples of fade at each edge of a cadence: 2 ms, short against any cadence, long enough not to click.
const RAMP: u16 = 16;
/// Depth of amplitude modulation.
const DEPTH: f32 = 0.9;

impl ToneGenerator {
    /// Starts at the tone's beginning.
    #[must_use]
    pub fn new(spec: ToneSpec) -> Self {
        let mut generator = Self {
            spec,
            segment: 0,
            left: None,
            carriers: [Oscillator::SILENT; 3],
            modulator: Oscillator::SILENT,
            sound: Sound::Silence,
            peak: 0.0,
            ramp: 0,
            finished: false,
        };
        generator.enter(0);
        generator
    }

    /// Fills a block: tone, pauses, and silence once the tone has ended.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.next_sample();
        }
    }

    /// Whether a tone that ends has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    fn next_sample(&mut self) -> i16 {
        while self.left == Some(0) {
            self.advance();
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        let audible = !self.finished && self.segment().is_some_and(|s| s.sound != Sound::Silence);
        self.ramp = if audible {
            (self.ramp + 1).min(RAMP)
        } else {
            self.ramp.saturating_sub(1)
        };
        if self.ramp == 0 {
            return 0;
        }
        let mut value: f32 = self.carriers.iter_mut().map(Oscillator::next).sum();
        if let Sound::Frequencies {
            modulation_hz: 1.., ..
        } = self.sound
        {
            value *= 1.0 + DEPTH * self.modulator.next();
        }
        clip((value * self.peak * f32::from(self.ramp) / f32::from(RAMP)).round() as i32)
    }

    fn segment(&self) -> Option<&Segment> {
        self.spec.segments().get(self.segment)
    }

    // To the next segment; after the last one back to the first that is not played once.
    fn advance(&mut self) {
        let segments = self.spec.segments();
        let repeated = || segments.iter().position(|segment| !segment.once);
        match Some(self.segment + 1)
            .filter(|&next| next < segments.len())
            .or_else(repeated)
        {
            Some(next) => self.enter(next),
            None => {
                self.finished = true;
                self.left = None;
            }
        }
    }

    fn enter(&mut self, index: usize) {
        self.segment = index;
        let Some(&segment) = self.segment() else {
            self.finished = true;
            self.left = None;
            return;
        };
        self.left = segment.duration_ms.map(|ms| u32::from(ms) * 8);
        // The pause keeps the sound it fades out of, and equal sounds keep their phase.
        if segment.sound == Sound::Silence || segment.sound == self.sound {
            return;
        }
        if let Sound::Frequencies {
            hz,
            modulation_hz,
            weak,
        } = segment.sound
        {
            for (carrier, hz) in self.carriers.iter_mut().zip(hz) {
                carrier.tune(f32::from(hz));
            }
            self.modulator.tune(f32::from(modulation_hz));
            let count = hz.iter().filter(|&&f| f != 0).count().max(1) as f32;
            // Power adds: n sines of peak p have n·p²/2, and modulation adds depth²/2 of it.
            let modulated = if modulation_hz == 0 {
                1.0
            } else {
                1.0 + DEPTH * DEPTH / 2.0
            };
            let level_dbm0 = self.spec.level_dbm0 - if weak { 10.0 } else { 0.0 };
            self.peak = sine_peak(level_dbm0) / (count * modulated).sqrt();
            self.sound = segment.sound;
        }
    }
}

#[cfg(test)]
mod tests;

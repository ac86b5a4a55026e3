//! What can be seen of a world.

use core::time::Duration;

use model::control::{ActiveCall, FailedLogin, LastPhone, Registration};
use model::{CallRecord, ExtensionId, Instant};

use super::{Line, PhoneId, World};
use crate::phone::{Call, Phone, State};

/// How much sound is listened to.
const WINDOW: Duration = Duration::from_millis(300);

impl World {
    /// The first phone of a number.
    #[must_use]
    pub fn phone(&self, number: &str) -> PhoneId {
        let found = self
            .phones
            .iter()
            .position(|phone| phone.profile.number == number);
        let Some(index) = found else {
            self.broken(&format!("{number} has no phone"));
        };
        PhoneId(index)
    }

    /// All phones, the oldest first.
    pub fn phones(&self) -> impl Iterator<Item = PhoneId> + use<> {
        (0..self.phones.len()).map(PhoneId)
    }

    /// A phone as it stands.
    #[must_use]
    pub fn at(&self, phone: PhoneId) -> &Phone {
        &self.phones[phone.0]
    }

    /// A call of a phone as it stands.
    #[must_use]
    pub fn call(&self, line: impl Into<Line>) -> &Call {
        let line = line.into();
        &self.phones[line.phone.0].calls[self.index(line)]
    }

    /// The line that a phone has in hand, by its number.
    #[must_use]
    pub fn line(&self, phone: PhoneId) -> Line {
        let index = Some(self.index(phone.into()));
        Line { phone, index }
    }

    fn state(&self, line: Line) -> Option<State> {
        let phone = &self.phones[line.phone.0];
        let index = line.index.or_else(|| phone.current())?;
        phone.calls.get(index).map(|call| call.state)
    }

    /// Somebody calls it.
    #[must_use]
    pub fn is_ringing(&self, line: impl Into<Line>) -> bool {
        self.state(line.into()) == Some(State::Ringing)
    }

    /// It has called, and hears that it rings.
    #[must_use]
    pub fn hears_ringing(&self, line: impl Into<Line>) -> bool {
        matches!(self.state(line.into()), Some(State::Calling(180 | 183)))
    }

    /// It is in a call that was answered.
    #[must_use]
    pub fn is_talking(&self, line: impl Into<Line>) -> bool {
        self.state(line.into()) == Some(State::Talking)
    }

    /// The call is over, or there never was one.
    #[must_use]
    pub fn is_over(&self, line: impl Into<Line>) -> bool {
        self.state(line.into())
            .is_none_or(|state| matches!(state, State::Over(_)))
    }

    /// How the call ended.
    #[must_use]
    pub fn end(&self, line: impl Into<Line>) -> Option<crate::phone::End> {
        match self.state(line.into()) {
            Some(State::Over(end)) => Some(end),
            _ => None,
        }
    }

    /// What the phone has heard in the last 300 ms: its strongest frequency.
    #[must_use]
    pub fn hears(&self, line: impl Into<Line>) -> Option<f32> {
        let since = Instant::from_micros(self.now.as_micros() - WINDOW.as_micros() as u64);
        let samples = self.call(line).sound.samples(since);
        let energy: i64 = samples
            .iter()
            .map(|one| i64::from(*one) * i64::from(*one))
            .sum();
        // Less than half of what should have come is no sound; nor is what lies 50 dB below a voice.
        if samples.len() < 1200 || energy / 1200 < 400 {
            return None;
        }
        // 100 ms are enough to tell voices apart.
        dsp::measure::dominant_frequency(&samples[samples.len() - 800..], 8000)
    }

    /// The tone a phone speaks with.
    #[must_use]
    pub fn voice(&self, phone: PhoneId) -> f32 {
        self.phones[phone.0].profile.voice_hz
    }

    /// The one hears the other's voice.
    #[must_use]
    pub fn hears_voice(&self, line: impl Into<Line>, of: PhoneId) -> bool {
        let voice = self.voice(of);
        self.hears(line)
            .is_some_and(|heard| (heard - voice).abs() < 10.0)
    }

    /// Both hear each other.
    pub fn assert_talk(&self, a: impl Into<Line>, b: impl Into<Line>) {
        let (a, b) = (a.into(), b.into());
        assert_hears(self, a, self.voice(b.phone));
        assert_hears(self, b, self.voice(a.phone));
    }

    /// The final record of the n-th call.
    #[must_use]
    pub fn record(&self, n: usize) -> &CallRecord {
        let call = self.opened.get(n);
        let Some(record) = call.and_then(|call| self.closed.get(call)?.last()) else {
            self.broken(&format!(
                "there is no record {n}; opened: {:?}",
                self.opened
            ));
        };
        record
    }

    /// Final records, the first call first.
    #[must_use]
    pub fn records(&self) -> Vec<&CallRecord> {
        (self.opened.iter())
            .filter_map(|call| self.closed.get(call)?.last())
            .collect()
    }

    /// Calls that came in.
    #[must_use]
    pub const fn calls_opened(&self) -> usize {
        self.opened.len()
    }

    /// The calls there are.
    #[must_use]
    pub fn calls(&self) -> Vec<ActiveCall> {
        self.exchange.switch.calls()
    }

    /// What a stop in order still waits for.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.exchange.switch.unfinished()
    }

    /// The phones that are registered.
    #[must_use]
    pub fn registrations(&self) -> Vec<Registration> {
        self.exchange.switch.registrations()
    }

    /// The last login that failed for an extension.
    #[must_use]
    pub fn failed_login(&self, extension: ExtensionId) -> Option<FailedLogin> {
        let (failed, _) = self.exchange.switch.failed_logins();
        (failed.into_iter()).find(|failed| failed.extension == extension)
    }

    /// The last phone of an extension that has none.
    #[must_use]
    pub fn last_phone(&self, extension: ExtensionId) -> Option<LastPhone> {
        self.exchange.switch.last_phone(extension)
    }

    /// Registered contacts of a number.
    #[must_use]
    pub fn contacts(&self, number: &str) -> Vec<String> {
        let Some(extension) = self.extension(number) else {
            return Vec::new();
        };
        (self.registrations().into_iter())
            .filter(|one| one.extension == extension)
            .map(|one| one.contact)
            .collect()
    }

    /// Media ports that are not free.
    #[must_use]
    pub fn ports_in_use(&self) -> usize {
        self.exchange.switch.ports_in_use()
    }

    /// Requests refused because of overload.
    #[must_use]
    pub fn overload_refusals(&self) -> u64 {
        self.exchange.switch.overload_refusals()
    }
}

/// A phone hears this tone, to 10 Hz.
pub fn assert_hears(world: &World, line: impl Into<Line>, hz: f32) {
    let line = line.into();
    let heard = world.hears(line);
    let name = &world.at(line.phone).name;
    assert!(
        heard.is_some_and(|heard| (heard - hz).abs() < 10.0),
        "{name} should hear {hz} Hz and hears {heard:?}"
    );
}

/// A phone hears nothing.
pub fn assert_silence(world: &World, line: impl Into<Line>) {
    let line = line.into();
    let heard = world.hears(line);
    let name = &world.at(line.phone).name;
    assert!(
        heard.is_none(),
        "{name} should hear nothing and hears {heard:?}"
    );
}

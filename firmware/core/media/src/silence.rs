//! Silence: how long nothing has come of a party that is to be heard, because its phone has died or the
//! network is cut.
//!
//! Gaps that are shorter than [`SILENT_AFTER`] are loss, which sequence numbers tell. A longer one counts
//! in full, unless the party sends nothing by its own will, as when it is muted or suppresses silence. That
//! it says by comfort noise (RFC 3389), by reports that say that it has sent nothing (RFC 3550 §6.4), or in
//! the end by sequence numbers that go on where they were.

use core::time::Duration;

use model::Instant;
use rtp::quality::Silent;

use crate::port::Port;

/// So long a gap is silence: no network's jitter lasts as long, nor does a phone take so long to begin after an
/// answer, a hold or a move; and who hears nothing for so long asks whether anybody is there.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(2);

/// The usual length of a packet (RFC 3551 §4.2), by which silence is counted in packets.
const PACKET_MS: u64 = 20;

/// Where numbers go on by less than a quarter of what silence could hold, nothing was sent: packets are 60 ms
/// long at most.
const LEAST_PART: u64 = 4;

/// A party that may speak is reported silent this often while it is.
const SILENT_EVERY: Duration = Duration::from_secs(5);

/// What is known of a party's silence.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Silence {
    /// When it was heard last, or from when on it is to be heard; none while it need not be.
    since: Option<Instant>,
    /// It sends nothing by its own will.
    wanted: bool,
    /// It was silent at the last tick.
    told: bool,
    /// Silences that are over.
    over: Duration,
    /// What did not come in them, as far as numbers don't tell it.
    packets: u64,
    /// How many packets it says to have sent.
    reported: Option<u32>,
}

impl Silence {
    /// The tick. True where silence has begun or ended.
    pub(crate) fn watch(&mut self, now: Instant, awaited: bool) -> bool {
        if awaited {
            self.since.get_or_insert(now);
        } else if self.since.is_some() {
            self.count(now);
            self.since = None;
        }
        let silent = !self.present(now).is_zero();
        core::mem::replace(&mut self.told, silent) != silent
    }

    /// A packet came. `missed`: how many its number says are missing before it; none where its stream has
    /// just begun.
    pub(crate) fn heard(&mut self, now: Instant, missed: Option<u64>) {
        let silent = self.present(now);
        match missed {
            Some(missed) if missed < packets(silent) / LEAST_PART => {}
            Some(_) => self.over += silent,
            None => self.count(now),
        }
        self.since = self.since.map(|_| now);
        self.wanted = false;
    }

    /// Comfort noise came: until the party speaks there is nothing to be heard.
    pub(crate) fn comfort_noise(&mut self) {
        self.wanted = true;
    }

    /// A report of the party came: how many packets it has sent; none where it has sent nothing of late.
    pub(crate) fn reported(&mut self, sent: Option<u32>) {
        let before = self.reported;
        self.reported = sent.or(before);
        self.wanted |= sent.is_none() || sent == before;
    }

    /// What was measured up to now.
    pub(crate) fn measured(&self, now: Instant) -> Silent {
        let present = self.present(now);
        Silent {
            total: self.over + present,
            present,
            packets: self.packets + packets(present),
        }
    }

    fn present(&self, now: Instant) -> Duration {
        (self.since.filter(|_| !self.wanted))
            .map(|since| now.since(since))
            .filter(|silent| *silent >= SILENT_AFTER)
            .unwrap_or_default()
    }

    fn count(&mut self, now: Instant) {
        let silent = self.present(now);
        self.over += silent;
        self.packets += packets(silent);
    }
}

fn packets(silent: Duration) -> u64 {
    u64::try_from(silent.as_millis()).unwrap_or(u64::MAX) / PACKET_MS
}

/// For how long a party that may speak has given no sign of life, where it is time to say so.
pub(crate) fn silent_for(now: Instant, port: &mut Port) -> Option<u32> {
    let settings = port.settings?;
    if !settings.may_receive {
        return None;
    }
    let since = port.alive;
    let told = port.told_silent.unwrap_or(since);
    if now - told < SILENT_EVERY {
        return None;
    }
    port.told_silent = Some(now);
    Some(u32::try_from((now - since).as_millis()).unwrap_or(u32::MAX))
}

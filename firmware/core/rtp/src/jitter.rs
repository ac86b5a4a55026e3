//! The adaptive jitter buffer: packets in as the network has them, frames out as the clock wants them.
//!
//! Owns the play-out point: how long a frame waits so that the late ones are still in time, and no longer. Memory is
//! taken once, at construction. Concealing what is lost is the caller's affair ([`Frame::Lost`]).
//!
//! ```text
//!              lowest frame has waited the target delay
//!   Buffering ────────────────────────────────────────▶ Playing ──╮ take: audio, lost or empty, one frame on
//!       ▲                                                  │  ▲───╯ held back to grow, one skipped to shrink
//!       ╰──────── nothing buffered for UNDERRUN ◀──────────╯
//! ```
//!
//! Frames are placed by timestamp, not by number, so a pause (DTX) is no loss, and a packet of any length plays in
//! any tick: packets of sample-wise codecs are split into frames. The delay grows at once when packets come late and
//! shrinks when they have been punctual for seconds, in silence if it can. A clock drifting against ours is jitter
//! that never returns, and is made good the same way.

mod slots;
mod spread;

use crate::packet::{RtpTime, SequenceNumber};
use core::time::Duration;
use model::Instant;
use slots::Slots;
use spread::Spread;

/// What a buffer is made for.
#[derive(Clone, Copy, Debug)]
pub struct JitterConfig {
    /// Rate of the media clock.
    pub clock_hz: u32,
    /// Media clock ticks of one frame: what [`JitterBuffer::take`] gives.
    pub frame_ticks: u32,
    /// Most octets of one frame.
    pub frame_octets: usize,
    /// Every frame has just `frame_octets`, and packets of several frames are to be split (G.711, G.722, linear).
    pub split: bool,
    /// The delay never shrinks below this.
    pub min_delay_ms: u16,
    /// The delay never grows above this; the capacity.
    pub max_delay_ms: u16,
    /// Tells frames that may be dropped or doubled unheard.
    pub is_silent: Option<fn(&[u8]) -> bool>,
}

impl JitterConfig {
    /// G.711 in frames of `frame_ms`: 10 plays packets of any usual length, 20 suits packets of 20, 40, 60 ms.
    #[must_use]
    pub const fn g711(frame_ms: u16, is_silent: Option<fn(&[u8]) -> bool>) -> Self {
        Self {
            clock_hz: 8000,
            frame_ticks: frame_ms as u32 * 8,
            frame_octets: frame_ms as usize * 8,
            split: true,
            min_delay_ms: 20,
            max_delay_ms: 300,
            is_silent,
        }
    }
}

/// How the packets of a stream are cut.
#[derive(Clone, Copy, Debug)]
pub struct Framing {
    /// As [`JitterConfig::frame_ticks`].
    pub ticks: u32,
    /// As [`JitterConfig::frame_octets`]; not more than the buffer was made for.
    pub octets: usize,
    /// As [`JitterConfig::is_silent`].
    pub is_silent: Option<fn(&[u8]) -> bool>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It waits for its time.
    Stored,
    /// Its time is over: dropped.
    Late,
    /// It was here before: dropped.
    Duplicate,
    /// Its clock is seconds off the stream's: dropped, but if the next agrees with it the stream has begun anew.
    Suspect,
    /// It confirmed that the stream has begun anew, and waits for its time.
    Restarted,
    /// Empty, or longer than a frame and not to be split, or longer than the buffer: dropped.
    Unfit,
}

/// What is to be played in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The payload of one frame.
    Audio(&'a [u8]),
    /// A frame that should be here: to be concealed.
    Lost,
    /// Nothing is being sent, or nothing may be played yet: silence or comfort noise.
    Empty,
}

/// Counts since construction, in frames, and where the delay stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// Frames given out as audio.
    pub played_frames: u32,
    /// Frames given out as lost.
    pub lost_frames: u32,
    /// Packets of which nothing came in time.
    pub late_packets: u32,
    /// Frames that came after their time.
    pub late_frames: u32,
    /// Frames that came twice.
    pub duplicate_frames: u32,
    /// Frames dropped because more came than the buffer holds.
    pub overflow_frames: u32,
    /// Frames skipped to shorten the delay.
    pub skipped_frames: u32,
    /// Frames waited to lengthen the delay.
    pub stretched_frames: u32,
    /// Times the stream began anew.
    pub restarts: u32,
    /// What the delay should be, in ms.
    pub target_ms: u32,
    /// What a frame waited last, beyond the fastest packet's way, in ms.
    pub delay_ms: u32,
}

/// One stream's buffer.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    config: JitterConfig,
    slots: Slots,
    spread: Spread,
    /// Where timestamps are counted from; none before the first packet.
    anchor: Option<Anchor>,
    /// The frame to be played next; none older will be.
    next: i64,
    playing: bool,
    /// Which of the 64 frames before `next` were played, newest in bit 0.
    played: u64,
    /// Frames missed in a row with nothing buffered.
    missed: u32,
    newest_played: Option<SequenceNumber>,
    newest_other: Option<SequenceNumber>,
    /// The number that would confirm a restart.
    suspect: Option<SequenceNumber>,
    /// When an audible frame was skipped or delayed last.
    touched_at: Instant,
    /// The moment of the last tick, and how many frames were taken at it before.
    taken_at: Option<Instant>,
    taken_before: u32,
    stats: JitterStats,
}

/// A timestamp and its place in the unwrapped count.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    timestamp: RtpTime,
    ticks: i64,
}

/// With nothing buffered this long, no more is concealed; G.711 Appendix I is silent by then.
const UNDERRUN_US: i64 = 100_000;
/// A clock this far off the stream's is another clock. Stalls of the network are shorter, or end the call.
const RESTART_US: i64 = 2_000_000;
/// Audible frames are skipped or delayed no more often than this.
const TOUCH_PAUSE_US: i64 = 500_000;

impl JitterBuffer {
    /// Takes the memory for `max_delay_ms` and a burst on top.
    #[must_use]
    pub fn new(config: JitterConfig) -> Self {
        let clock_hz = config.clock_hz.max(1);
        let frame_ticks = config.frame_ticks.max(1);
        let config = JitterConfig {
            clock_hz,
            frame_ticks,
            ..config
        };
        let frame_us = frame_us(&config);
        let frames = i64::from(config.max_delay_ms) * 1000 / frame_us + 4;
        Self {
            slots: Slots::new(frames.clamp(4, 1024) as usize, config.frame_octets),
            spread: Spread::new(),
            anchor: None,
            next: i64::MIN,
            playing: false,
            played: 0,
            missed: 0,
            newest_played: None,
            newest_other: None,
            suspect: None,
            touched_at: Instant::ZERO,
            taken_at: None,
            taken_before: 0,
            stats: JitterStats::default(),
            config,
        }
    }

    /// A packet arrived.
    pub fn put(
        &mut self,
        now: Instant,
        sequence: SequenceNumber,
        timestamp: RtpTime,
        payload: &[u8],
    ) -> Put {
        let (frames, octets) = self.frames_of(payload);
        if frames == 0 || frames > self.slots.capacity() {
            return Put::Unfit;
        }
        let mut outcome = Put::Stored;
        let mut ticks = self.unwrap(timestamp);
        let mut transit_us = micros(now).saturating_sub(self.micros_of(ticks));
        if self
            .spread
            .fastest_us()
            .is_some_and(|fastest| transit_us.abs_diff(fastest) > RESTART_US as u64)
        {
            // RFC 3550 Appendix A.1: two packets in sequence make a restart believable.
            if self.suspect.replace(sequence.next()) != Some(sequence) {
                return Put::Suspect;
            }
            self.reset();
            self.stats.restarts += 1;
            outcome = Put::Restarted;
            ticks = self.unwrap(timestamp);
            transit_us = micros(now).saturating_sub(self.micros_of(ticks));
        }
        self.suspect = None;
        self.anchor = Some(Anchor { timestamp, ticks });
        self.spread.observe(now, transit_us);
        let first = ticks.div_euclid(i64::from(self.config.frame_ticks));
        let mut stored = 0u32;
        let mut late = 0u32;
        for (n, chunk) in payload.chunks(octets).take(frames).enumerate() {
            match self.store(first + n as i64, sequence, chunk) {
                Put::Late => late += 1,
                Put::Stored => stored += 1,
                Put::Duplicate | Put::Suspect | Put::Restarted | Put::Unfit => {}
            }
        }
        match (stored, late) {
            (1.., _) => outcome,
            (0, 1..) => {
                self.stats.late_packets += 1;
                Put::Late
            }
            (0, 0) => Put::Duplicate,
        }
    }

    /// Empties the buffer for a stream of another codec. The memory stays as it is: of longer frames it holds
    /// as many.
    pub fn reset_for(&mut self, framing: Framing) {
        self.config.frame_ticks = framing.ticks.max(1);
        self.config.frame_octets = framing.octets.min(self.slots.octets_per_slot());
        self.config.is_silent = framing.is_silent;
        self.reset();
    }

    /// A packet of the stream that is not for this buffer (a telephone event): its number is not a lost one.
    pub fn note_other(&mut self, sequence: SequenceNumber) {
        if self
            .newest_other
            .is_none_or(|newest| sequence.is_newer_than(newest))
        {
            self.newest_other = Some(sequence);
        }
    }

    /// The next frame; to be called once per `frame_ticks` of our clock. Where a tick is as long as several frames,
    /// all are taken at one `now`.
    pub fn take(&mut self, now: Instant) -> Frame<'_> {
        let now = self.due(now);
        if !self.playing {
            let Some(lowest) = self.slots.lowest() else {
                return Frame::Empty;
            };
            if self.delay_us(now, lowest) < self.target_us() {
                return Frame::Empty;
            }
            self.advance_to(lowest);
            self.playing = true;
            self.missed = 0;
        }
        let frame_us = frame_us(&self.config);
        let target_us = self.target_us();
        let delay_us = self.delay_us(now, self.next);
        self.stats.delay_ms = (delay_us / 1000).clamp(0, 60_000) as u32;
        if self.wait(now, target_us - delay_us, frame_us) {
            return Frame::Lost;
        }
        if delay_us - target_us > frame_us + frame_us / 2 {
            self.skip(now);
        }
        self.play(frame_us)
    }

    /// When the frame taken at `now` is to sound: behind those already taken at the same moment.
    fn due(&mut self, now: Instant) -> Instant {
        self.taken_before = if self.taken_at == Some(now) {
            self.taken_before.saturating_add(1)
        } else {
            0
        };
        self.taken_at = Some(now);
        let ahead_us = i64::from(self.taken_before).saturating_mul(frame_us(&self.config));
        now + Duration::from_micros(ahead_us.unsigned_abs())
    }

    /// Forgets the stream: another SSRC follows, or the latch has moved. Counts go on.
    pub fn reset(&mut self) {
        self.slots.clear();
        self.spread = Spread::new();
        self.anchor = None;
        self.next = i64::MIN;
        self.playing = false;
        self.played = 0;
        self.newest_played = None;
        self.newest_other = None;
        self.suspect = None;
    }

    /// Counts and delays.
    #[must_use]
    pub fn stats(&self) -> JitterStats {
        JitterStats {
            target_ms: (self.target_us() / 1000) as u32,
            ..self.stats
        }
    }

    /// How many frames a packet makes, and of how many octets.
    fn frames_of(&self, payload: &[u8]) -> (usize, usize) {
        let octets = self.config.frame_octets.max(1);
        match payload.len() {
            0 => (0, octets),
            len if len <= octets => (1, octets),
            len if self.config.split => (len.div_ceil(octets), octets),
            _ => (0, octets),
        }
    }

    fn store(&mut self, frame: i64, sequence: SequenceNumber, payload: &[u8]) -> Put {
        if frame < self.next {
            let age = self.next - 1 - frame;
            if age < 64 && self.played & 1 << age != 0 {
                self.stats.duplicate_frames += 1;
                return Put::Duplicate;
            }
            self.stats.late_frames += 1;
            return Put::Late;
        }
        // What more came than the buffer holds pushes out the oldest.
        let oldest = frame - self.slots.capacity() as i64 + 1;
        if oldest > self.next && self.next != i64::MIN
            || self.slots.lowest().is_some_and(|lowest| lowest < oldest)
        {
            self.stats.overflow_frames += self.advance_to(oldest);
        }
        if self.slots.put(frame, sequence, payload) {
            Put::Stored
        } else {
            self.stats.duplicate_frames += 1;
            Put::Duplicate
        }
    }

    /// Lets this tick pass to lengthen the delay, where nothing is heard of it, where much is to be made good, or
    /// else now and then.
    fn wait(&mut self, now: Instant, deficit_us: i64, frame_us: i64) -> bool {
        let unheard = self.is_next_unheard();
        let wait = deficit_us >= 2 * frame_us || deficit_us > 0 && (unheard || self.is_rested(now));
        if wait {
            self.stats.stretched_frames += 1;
            if !unheard {
                self.touched_at = now;
            }
        }
        wait
    }

    /// Leaves out a frame to shorten the delay.
    fn skip(&mut self, now: Instant) {
        let unheard = self.is_next_unheard();
        let more_wait = self
            .slots
            .lowest()
            .is_some_and(|lowest| lowest > self.next || self.slots.len() > 1);
        if more_wait && (unheard || self.is_rested(now)) {
            if !unheard {
                self.touched_at = now;
            }
            self.stats.skipped_frames += 1;
            self.advance_to(self.next + 1);
        }
    }

    fn is_next_unheard(&self) -> bool {
        self.slots.get(self.next).is_none_or(|frame| {
            self.config
                .is_silent
                .is_some_and(|is_silent| is_silent(frame))
        })
    }

    fn is_rested(&self, now: Instant) -> bool {
        micros(now).saturating_sub(micros(self.touched_at)) >= TOUCH_PAUSE_US
    }

    fn play(&mut self, frame_us: i64) -> Frame<'_> {
        let frame = self.next;
        let lowest = self.slots.lowest();
        let paused = lowest.is_some_and(|lowest| lowest > frame && self.is_pause_before(lowest));
        let present = self.slots.get(frame).is_some();
        self.advance_to(frame + 1);
        if present && let Some((sequence, payload)) = self.slots.taken(frame) {
            self.played |= 1;
            self.missed = 0;
            self.newest_played = Some(sequence);
            self.stats.played_frames += 1;
            return Frame::Audio(payload);
        }
        if paused {
            return Frame::Empty;
        }
        if lowest.is_none() {
            self.missed += 1;
            if i64::from(self.missed) * frame_us > UNDERRUN_US {
                // Time stops here: what was only delayed is still played.
                self.next = frame;
                self.played >>= 1;
                self.playing = false;
                return Frame::Empty;
            }
        }
        self.stats.lost_frames += 1;
        Frame::Lost
    }

    /// The sender paused, and lost nothing, if the packet after the gap bears the next number.
    fn is_pause_before(&self, frame: i64) -> bool {
        let newest = match (self.newest_played, self.newest_other) {
            (Some(played), Some(other)) if other.is_newer_than(played) => Some(other),
            (played, _) => played,
        };
        newest
            .zip(self.slots.sequence(frame))
            .is_some_and(|(newest, later)| later.minus(newest) == 1)
    }

    /// Makes `frame` the next to play; returns how many stored ones are dropped by it.
    fn advance_to(&mut self, frame: i64) -> u32 {
        let by = frame.saturating_sub(self.next);
        if by <= 0 {
            return 0;
        }
        self.played = if by < 64 { self.played << by } else { 0 };
        self.next = frame;
        self.slots.drop_below(frame)
    }

    fn target_us(&self) -> i64 {
        let least = i64::from(self.config.min_delay_ms) * 1000;
        let most = (i64::from(self.config.max_delay_ms) * 1000).max(least);
        self.spread.jitter_us().clamp(least, most)
    }

    /// How long a frame has waited since the fastest packet would have brought it.
    fn delay_us(&self, now: Instant, frame: i64) -> i64 {
        let ticks = frame.saturating_mul(i64::from(self.config.frame_ticks));
        let due_us = self
            .micros_of(ticks)
            .saturating_add(self.spread.fastest_us().unwrap_or(0));
        micros(now).saturating_sub(due_us)
    }

    fn unwrap(&self, timestamp: RtpTime) -> i64 {
        self.anchor.map_or(0, |anchor| {
            anchor.ticks + i64::from(timestamp.minus(anchor.timestamp))
        })
    }

    fn micros_of(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(1_000_000) / i64::from(self.config.clock_hz)
    }
}

fn frame_us(config: &JitterConfig) -> i64 {
    (i64::from(config.frame_ticks) * 1_000_000 / i64::from(config.clock_hz)).max(1)
}

fn micros(now: Instant) -> i64 {
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

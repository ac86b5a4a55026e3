//! Receiving telephone events: from packets, some lost, some late, some thrice, to one key pressed and released.
//!
//! Owns RFC 4733 §2.5.2. An event is told by its timestamp; its first packet that shows enough duration reports the
//! start, its first end packet the end. Where all ends are lost, a later event or [`EventReceiver::expire`] ends it.
//!
//! ```text
//!   Idle --packet--> Short --duration >= least--> Held --end | other event | silence--> Idle (remembers timestamp)
//! ```

use super::{EventCode, EventPayload};
use crate::packet::RtpTime;
use core::time::Duration;
use model::Instant;

/// What the far end's user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventReport {
    /// A key is pressed.
    Start(EventCode),
    /// It is released.
    End {
        /// Which key.
        code: EventCode,
        /// How long it was held, in ticks of the media clock.
        duration: u32,
    },
}

/// Up to three reports of one packet, in order: the end of the event before, start, end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventReports([Option<EventReport>; 3]);

impl Iterator for EventReports {
    type Item = EventReport;

    fn next(&mut self) -> Option<EventReport> {
        self.0.iter_mut().find_map(Option::take)
    }
}

impl EventReports {
    fn push(&mut self, report: EventReport) {
        if let Some(free) = self.0.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(report);
        }
    }
}

/// Sorts the event packets of one stream.
#[derive(Clone, Debug)]
pub struct EventReceiver {
    least_duration: u16,
    current: Option<Current>,
    /// Start of the newest event, over or not: packets of it or of older ones are echoes.
    newest: Option<RtpTime>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    code: EventCode,
    /// Start of this segment.
    timestamp: RtpTime,
    /// Longest duration seen of this segment.
    duration: u16,
    /// Duration of the segments before.
    before: u32,
    reported: bool,
    heard_at: Instant,
}

/// An event of which nothing was heard this long is over: three of the longest update intervals in use, 50 ms, and
/// then some for jitter.
// RFC 4733 §2.5.2.2: "three packet intervals"
const LOST_END: Duration = Duration::from_millis(200);

impl EventReceiver {
    /// A receiver that ignores events shorter than `least_duration` ticks; 0 takes all.
    #[must_use]
    pub fn new(least_duration: u16) -> Self {
        Self {
            least_duration,
            current: None,
            newest: None,
        }
    }

    /// An event packet of the stream.
    pub fn receive(&mut self, now: Instant, timestamp: RtpTime, payload: &[u8]) -> EventReports {
        let mut reports = EventReports::default();
        let Some(payload) = EventPayload::parse(payload) else {
            return reports;
        };
        let mut current = match self.current.take() {
            Some(current) if current.timestamp == timestamp => current,
            // An echo of an event that is over, or a straggler of one overtaken.
            kept if self
                .newest
                .is_some_and(|newest| timestamp.minus(newest) <= 0)
                && !self.is_restart(timestamp) =>
            {
                self.current = kept;
                return reports;
            }
            Some(earlier) if earlier.continues_at(timestamp, payload.code) => Current {
                timestamp,
                duration: 0,
                before: earlier.before.saturating_add(u32::from(earlier.duration)),
                ..earlier
            },
            earlier => {
                if let Some(report) = earlier.and_then(|e| e.end()) {
                    reports.push(report);
                }
                Current {
                    code: payload.code,
                    timestamp,
                    duration: 0,
                    before: 0,
                    reported: false,
                    heard_at: now,
                }
            }
        };
        self.newest = Some(timestamp);
        current.heard_at = now;
        // Reordered updates do not shorten an event.
        current.duration = current.duration.max(payload.duration);
        if !current.reported && current.duration >= self.least_duration {
            current.reported = true;
            reports.push(EventReport::Start(current.code));
        }
        if payload.end {
            if let Some(report) = current.end() {
                reports.push(report);
            }
        } else {
            self.current = Some(current);
        }
        reports
    }

    /// Ends an event whose end was lost; to be called now and then, at the latest at [`EventReceiver::poll_timeout`].
    pub fn expire(&mut self, now: Instant) -> Option<EventReport> {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return None;
        }
        self.current.take().and_then(|current| current.end())
    }

    /// When the event under way will be taken for over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.current.map(|current| current.heard_at + LOST_END)
    }

    /// Forgets all: the stream's clock began anew (another SSRC). A key held is released.
    pub fn reset(&mut self) -> Option<EventReport> {
        self.newest = None;
        self.current.take().and_then(|current| current.end())
    }

    // A clock that jumps back by more than any reordering is a clock begun anew: 2 s at 8 kHz.
    fn is_restart(&self, timestamp: RtpTime) -> bool {
        self.newest
            .is_some_and(|newest| timestamp.minus(newest) < -RESTART_TICKS)
    }
}

const RESTART_TICKS: i32 = 16_000;

impl Current {
    /// The next segment of an event too long for 16 bits begins where this one ended, or, if updates were lost, up
    /// to where it would be full.
    // RFC 4733 §2.5.1.3; only an event near the limit can have a next segment.
    fn continues_at(&self, timestamp: RtpTime, code: EventCode) -> bool {
        let since = timestamp.minus(self.timestamp);
        code == self.code
            && self.duration > u16::MAX / 2
            && since >= i32::from(self.duration)
            && since <= 0xFFFF
    }

    fn end(&self) -> Option<EventReport> {
        let duration = self.before.saturating_add(u32::from(self.duration));
        self.reported.then_some(EventReport::End {
            code: self.code,
            duration,
        })
    }
}

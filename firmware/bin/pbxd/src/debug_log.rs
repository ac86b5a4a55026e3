//! The Debug log (LOG-1): SIP messages and what becomes of calls, for who looks for a fault. It is off
//! until an administrator wants it, ends by itself, and is in memory alone: no card is written full.

use std::collections::VecDeque;
use std::time::Duration;

use model::control::{DebugLog as Told, DebugRow};
use model::{Flow, Instant, WallTime};

/// Rows are kept up to so many octets, the newest: some thousand messages, on the smallest board too.
const KEPT_OCTETS: usize = 2 * 1024 * 1024;

/// What a row takes besides its text.
const ROW_OCTETS: usize = 64;

/// Rows told at a time, in octets: they are written while calls wait. Who asks comes again for more.
const TOLD_OCTETS: usize = 128 * 1024;

/// Rows a second: a person reads none of more, and writing them down is work.
const ROWS_A_SECOND: u32 = 500;

const SECOND: Duration = Duration::from_secs(1);

/// The longest it lasts: a fault that shows once a day is found within one.
pub const MOST_MINUTES: u16 = 24 * 60;

/// What is wanted, and what there is.
#[derive(Debug, Default)]
pub struct DebugLog {
    messages: bool,
    decisions: bool,
    /// When it ends, by either clock.
    ends: Option<(Instant, WallTime)>,
    rows: VecDeque<DebugRow>,
    /// What they take.
    octets: usize,
    last: u64,
    /// Rows of this second, and when it ends; and how many had no room in it.
    second: (u32, Instant),
    left_out: u32,
}

impl DebugLog {
    /// Begins, or ends where nothing is wanted. What is there stays.
    pub fn set(
        &mut self,
        now: Instant,
        wall: WallTime,
        messages: bool,
        decisions: bool,
        minutes: u16,
    ) {
        self.messages = messages;
        self.decisions = decisions;
        let span = SECOND * 60 * u32::from(minutes.clamp(1, MOST_MINUTES));
        self.ends = (messages || decisions).then(|| (now + span, wall + span));
    }

    /// Ends it where its time is over; true where it did.
    pub fn expire(&mut self, now: Instant) -> bool {
        let over = self.ends.is_some_and(|(ends, _)| ends <= now);
        if over {
            (self.messages, self.decisions, self.ends) = (false, false, None);
        }
        over
    }

    /// Whether messages are wanted, and decisions.
    pub const fn wants(&self) -> (bool, bool) {
        (self.messages, self.decisions)
    }

    /// A message that came, or is sent.
    pub fn message(&mut self, now: Instant, at: WallTime, came: bool, flow: Flow, message: &[u8]) {
        // Keep-alives say nothing.
        if !self.messages || message.iter().all(u8::is_ascii_whitespace) || !self.has_room(now, at)
        {
            return;
        }
        let (from, to) = (flow.remote, flow.local);
        let way = if came {
            format!("Received from {from} at {to}")
        } else {
            format!("Sent to {from} from {to}")
        };
        let text = format!("{way}, {}\n{}", flow.transport, sip::shown(message));
        self.push(at, text);
    }

    /// What becomes of a call.
    pub fn decision(&mut self, now: Instant, at: WallTime, text: String) {
        if self.decisions && self.has_room(now, at) {
            self.push(at, text);
        }
    }

    /// The rows after one, the oldest first: as many as may be told at a time.
    pub fn told(&self, after: Option<u64>) -> Told {
        let after = after.unwrap_or(0);
        let first = self.rows.partition_point(|row| row.number <= after);
        let mut octets = 0;
        let rows: Vec<DebugRow> = (self.rows.range(first..))
            .take_while(|row| {
                let room = octets < TOLD_OCTETS;
                octets += row.text.len();
                room
            })
            .cloned()
            .collect();
        Told {
            messages: self.messages,
            decisions: self.decisions,
            until: self.ends.map(|(_, until)| until),
            more: first + rows.len() < self.rows.len(),
            rows,
        }
    }

    fn has_room(&mut self, now: Instant, at: WallTime) -> bool {
        if self.second.1 <= now {
            self.second = (0, now + SECOND);
            let left_out = core::mem::take(&mut self.left_out);
            if left_out > 0 {
                self.push(
                    at,
                    format!("{left_out} rows are left out here: too many within a second"),
                );
            }
        }
        self.second.0 += 1;
        let room = self.second.0 <= ROWS_A_SECOND;
        self.left_out += u32::from(!room);
        room
    }

    fn push(&mut self, at: WallTime, text: String) {
        self.last += 1;
        self.octets += ROW_OCTETS + text.len();
        self.rows.push_back(DebugRow {
            number: self.last,
            at,
            text,
        });
        while self.octets > KEPT_OCTETS
            && let Some(oldest) = self.rows.pop_front()
        {
            self.octets -= ROW_OCTETS + oldest.text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Transport;

    use super::*;

    const WALL: WallTime = WallTime::from_unix_seconds(1_800_000_000);

    fn flow() -> Flow {
        Flow {
            transport: Transport::Udp,
            local: ([10, 0, 0, 1], 5060).into(),
            remote: ([10, 0, 0, 7], 5062).into(),
        }
    }

    fn at(s: u64) -> Instant {
        Instant::from_millis(s * 1000)
    }

    #[test]
    fn nothing_is_kept_until_it_is_wanted_and_it_ends_by_itself() {
        let mut log = DebugLog::default();
        log.message(at(0), WALL, true, flow(), b"OPTIONS sip:a SIP/2.0\r\n\r\n");
        log.decision(at(0), WALL, "Call 1".into());
        assert!(log.told(None).rows.is_empty());
        log.set(at(0), WALL, true, false, 15);
        log.message(at(1), WALL, true, flow(), b"OPTIONS sip:a SIP/2.0\r\n\r\n");
        log.message(at(1), WALL, false, flow(), b"\r\n");
        log.decision(at(1), WALL, "Call 1".into());
        assert!(!log.expire(at(899)));
        let told = log.told(None);
        assert_eq!(told.until, Some(WALL + SECOND * 900));
        let texts: Vec<&str> = told.rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(
            texts,
            ["Received from 10.0.0.7:5062 at 10.0.0.1:5060, UDP\nOPTIONS sip:a SIP/2.0"]
        );
        assert!(log.expire(at(900)));
        assert_eq!(log.wants(), (false, false));
        log.message(
            at(901),
            WALL,
            true,
            flow(),
            b"OPTIONS sip:a SIP/2.0\r\n\r\n",
        );
        let told = log.told(None);
        assert_eq!(
            (told.rows.len(), told.until),
            (1, None),
            "what was seen stays"
        );
    }

    #[test]
    fn it_has_a_size_a_pace_and_comes_piece_by_piece() {
        let mut log = DebugLog::default();
        log.set(at(0), WALL, true, true, 60);
        for n in 0..1000_u64 {
            log.decision(at(0), WALL, format!("row {n}"));
        }
        log.decision(at(1), WALL, "later".into());
        let told = log.told(None);
        assert_eq!(told.rows.len(), 502);
        assert_eq!(
            told.rows[500].text,
            "500 rows are left out here: too many within a second"
        );
        let long = "x".repeat(7000);
        for n in 2..1002 {
            log.decision(at(n), WALL, long.clone());
        }
        assert!(log.octets <= KEPT_OCTETS && log.octets > KEPT_OCTETS - 8000);
        let (mut after, mut seen) = (None, 0);
        loop {
            let told = log.told(after);
            assert!(told.rows.iter().map(|row| row.text.len()).sum::<usize>() < TOLD_OCTETS + 8000);
            seen += told.rows.len();
            after = told.rows.last().map(|row| row.number);
            if !told.more {
                break;
            }
        }
        assert_eq!(seen, log.rows.len());
        assert!(log.told(after).rows.is_empty());
    }
}

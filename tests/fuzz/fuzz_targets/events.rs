//! RFC 4733 receiver: whatever packets come in whatever order, keys are pressed and released in
//! turns, and none stays pressed.
//!
//! Eight octets a packet: how much time passes, how the timestamp moves (two), the payload (four),
//! and how often the packet comes.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use model::Instant;
use rtp::event::{EventCode, EventReceiver, EventReport};
use rtp::packet::RtpTime;

/// The key that is pressed.
#[derive(Default)]
struct Keyboard(Option<EventCode>);

impl Keyboard {
    fn take(&mut self, report: EventReport) {
        match report {
            EventReport::Start(code) => assert_eq!(self.0.replace(code), None, "pressed twice"),
            EventReport::End { code, .. } => assert_eq!(self.0.take(), Some(code)),
        }
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some((least, packets)) = octets.split_first() else {
        return;
    };
    let mut receiver = EventReceiver::new(u16::from(*least) * 8);
    let mut keyboard = Keyboard::default();
    let mut now = Instant::from_millis(1000);
    let mut timestamp = RtpTime(u32::MAX - 1000);
    for packet in packets.chunks(8) {
        let [wait, high, low, payload @ ..] = packet else {
            break;
        };
        now += Duration::from_millis(u64::from(*wait) * 4);
        if let Some(report) = receiver.expire(now) {
            keyboard.take(report);
        }
        let step = i32::from(i16::from_be_bytes([*high, *low])) * 40;
        timestamp = RtpTime(timestamp.0.wrapping_add_signed(step));
        let times = payload.get(4).map_or(1, |times| times % 4 + 1);
        for _ in 0..times {
            for report in receiver.receive(now, timestamp, payload) {
                keyboard.take(report);
            }
        }
        assert!(receiver.poll_timeout().is_none_or(|at| at > now));
        if payload.get(4) == Some(&0xFF)
            && let Some(report) = receiver.reset()
        {
            keyboard.take(report);
        }
    }
    if let Some(at) = receiver.poll_timeout() {
        receiver
            .expire(at)
            .into_iter()
            .for_each(|report| keyboard.take(report));
    }
    assert_eq!(keyboard.0, None, "still pressed");
    assert_eq!(receiver.poll_timeout(), None);
});

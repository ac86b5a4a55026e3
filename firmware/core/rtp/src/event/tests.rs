//! Keys through a network that loses, doubles and reorders.

use super::*;
use model::Instant;
use proptest::prelude::*;

fn key(c: char) -> EventCode {
    EventCode::from_char(c).expect("a key")
}

fn packets_of(code: EventCode, duration: u32, timestamp: RtpTime) -> Vec<EventPacket> {
    let mut sender = EventSender::new(160);
    sender.start(code, 10, duration, timestamp);
    std::iter::from_fn(|| sender.next()).collect()
}

fn deliver(receiver: &mut EventReceiver, packets: &[EventPacket]) -> Vec<EventReport> {
    let mut reports = Vec::new();
    for packet in packets {
        reports.extend(receiver.receive(Instant::ZERO, packet.timestamp, &packet.payload));
    }
    reports
}

fn pressed(code: EventCode, duration: u32) -> [EventReport; 2] {
    [
        EventReport::Start(code),
        EventReport::End { code, duration },
    ]
}

#[test]
fn a_key_is_a_start_updates_and_three_ends() {
    let packets = packets_of(key('#'), 480, RtpTime(9));
    let payloads: Vec<_> = packets
        .iter()
        .filter_map(|p| EventPayload::parse(&p.payload))
        .collect();
    assert_eq!(
        payloads.iter().map(|p| p.duration).collect::<Vec<_>>(),
        [160, 320, 480, 480, 480]
    );
    assert_eq!(
        payloads.iter().map(|p| p.end).collect::<Vec<_>>(),
        [false, false, true, true, true]
    );
    assert!(
        payloads
            .iter()
            .all(|p| p.code == EventCode(11) && p.volume == 10)
    );
    assert!(
        packets
            .iter()
            .enumerate()
            .all(|(n, p)| p.marker == (n == 0) && p.timestamp == RtpTime(9))
    );
}

#[test]
fn a_key_held_lasts_until_released() {
    let mut sender = EventSender::new(400);
    sender.hold(key('A'), 10, RtpTime(0));
    for n in 1..=5u16 {
        let payload = sender
            .next()
            .and_then(|p| EventPayload::parse(&p.payload))
            .expect("held");
        assert_eq!((payload.duration, payload.end), (400 * n, false));
    }
    sender.stop();
    let ends: Vec<_> = std::iter::from_fn(|| sender.next()).collect();
    assert_eq!(ends.len(), 3);
    assert!(
        ends.iter()
            .all(|p| EventPayload::parse(&p.payload).is_some_and(|p| p.end && p.duration == 2000))
    );
    assert!(!sender.is_sending());
}

#[test]
fn a_key_released_before_its_first_packet_is_still_sent() {
    let mut sender = EventSender::new(160);
    sender.hold(key('1'), 10, RtpTime(0));
    sender.stop();
    let packets: Vec<_> = std::iter::from_fn(|| sender.next()).collect();
    assert_eq!(
        deliver(&mut EventReceiver::new(0), &packets),
        pressed(key('1'), 160)
    );
}

#[test]
fn every_subset_of_packets_with_one_in_it_is_one_key() {
    let packets = packets_of(key('7'), 640, RtpTime(u32::MAX - 100));
    for mask in 1u32..1 << packets.len() {
        let kept: Vec<_> = packets
            .iter()
            .enumerate()
            .filter(|(n, _)| mask & 1 << n != 0)
            .map(|(_, p)| *p)
            .collect();
        let mut receiver = EventReceiver::new(0);
        let mut reports = deliver(&mut receiver, &kept);
        reports.extend(receiver.expire(Instant::from_millis(200)));
        assert_eq!(reports.len(), 2, "{mask:b}");
        assert_eq!(reports[0], EventReport::Start(key('7')));
    }
}

#[test]
fn late_and_doubled_packets_are_no_second_key() {
    let mut receiver = EventReceiver::new(0);
    let first = packets_of(key('1'), 320, RtpTime(1000));
    let second = packets_of(key('1'), 320, RtpTime(2000));
    let mut reports = deliver(&mut receiver, &first);
    reports.extend(deliver(&mut receiver, &first));
    reports.extend(deliver(&mut receiver, &second));
    reports.extend(deliver(&mut receiver, &first));
    reports.extend(deliver(&mut receiver, &second));
    assert_eq!(
        reports,
        [pressed(key('1'), 320), pressed(key('1'), 320)].concat()
    );
}

#[test]
fn a_lost_end_is_told_by_the_next_key_or_by_silence() {
    let mut receiver = EventReceiver::new(0);
    let reports = deliver(
        &mut receiver,
        &packets_of(key('1'), 320, RtpTime(1000))[..1],
    );
    assert_eq!(reports, [EventReport::Start(key('1'))]);
    let reports = deliver(
        &mut receiver,
        &packets_of(key('2'), 320, RtpTime(5000))[..1],
    );
    assert_eq!(
        reports,
        [
            EventReport::End {
                code: key('1'),
                duration: 160
            },
            EventReport::Start(key('2'))
        ]
    );
    assert_eq!(receiver.expire(Instant::from_millis(199)), None);
    assert_eq!(receiver.poll_timeout(), Some(Instant::from_millis(200)));
    let end = EventReport::End {
        code: key('2'),
        duration: 160,
    };
    assert_eq!(receiver.expire(Instant::from_millis(200)), Some(end));
    assert_eq!(receiver.poll_timeout(), None);
}

#[test]
fn a_long_event_goes_on_in_segments_and_stays_one() {
    let packets = packets_of(EventCode::FLASH, 200_000, RtpTime(7));
    let mut starts: Vec<u32> = packets.iter().map(|p| p.timestamp.0).collect();
    starts.dedup();
    assert_eq!(starts.len(), 4);
    assert_eq!(packets.iter().filter(|p| p.marker).count(), 1);
    assert_eq!(
        deliver(&mut EventReceiver::new(0), &packets),
        pressed(EventCode::FLASH, 200_000)
    );
}

#[test]
fn too_short_a_touch_is_ignored() {
    let mut receiver = EventReceiver::new(240);
    assert_eq!(
        deliver(&mut receiver, &packets_of(key('3'), 160, RtpTime(0))),
        []
    );
    assert_eq!(
        deliver(&mut receiver, &packets_of(key('4'), 320, RtpTime(900))),
        pressed(key('4'), 320)
    );
}

#[test]
fn a_clock_begun_anew_does_not_deafen() {
    let mut receiver = EventReceiver::new(0);
    deliver(
        &mut receiver,
        &packets_of(key('1'), 320, RtpTime(1_000_000)),
    );
    assert_eq!(
        deliver(&mut receiver, &packets_of(key('2'), 320, RtpTime(50))),
        pressed(key('2'), 320)
    );
    receiver.reset();
    assert_eq!(
        deliver(&mut receiver, &packets_of(key('3'), 320, RtpTime(20))),
        pressed(key('3'), 320)
    );
}

#[test]
fn keys_have_their_codes() {
    for (c, code) in [
        ('0', 0),
        ('9', 9),
        ('*', 10),
        ('#', 11),
        ('a', 12),
        ('D', 15),
        ('!', 16),
    ] {
        assert_eq!(EventCode::from_char(c), Some(EventCode(code)));
        assert_eq!(EventCode(code).to_char(), Some(c.to_ascii_uppercase()));
    }
    assert_eq!(EventCode::from_char('x'), None);
    assert_eq!(EventCode(32).to_char(), None);
    assert_eq!(EventPayload::parse(&[1, 2, 3]), None);
}

#[test]
fn a_key_held_without_end_is_counted_to_the_limit() {
    let mut receiver = EventReceiver::new(0);
    let payload = EventPayload {
        code: EventCode(1),
        end: false,
        volume: 10,
        duration: u16::MAX,
    };
    let mut timestamp = RtpTime(0);
    for _ in 0..=u32::from(u16::MAX) + 2 {
        receiver.receive(Instant::ZERO, timestamp, &payload.octets());
        timestamp = timestamp.plus(u32::from(u16::MAX));
    }
    let end = EventReport::End {
        code: EventCode(1),
        duration: u32::MAX,
    };
    assert_eq!(receiver.reset(), Some(end));
}

proptest! {
    /// Whatever arrives, starts and ends alternate and belong together.
    #[test]
    fn reports_always_pair(packets in proptest::collection::vec((any::<u8>(), any::<u16>(), 0u32..5, 0u64..300), 0..60)) {
        let mut receiver = EventReceiver::new(0);
        let (mut now, mut held) = (Instant::ZERO, None);
        for (flags, duration, start, wait_ms) in packets {
            now += core::time::Duration::from_millis(wait_ms);
            let payload = EventPayload { code: EventCode(flags & 3), end: flags & 0x80 != 0, volume: 0, duration };
            let mut reports: Vec<_> = receiver.expire(now).into_iter().collect();
            reports.extend(receiver.receive(now, RtpTime(start.wrapping_mul(40_000)), &payload.octets()));
            for report in reports {
                match report {
                    EventReport::Start(code) => prop_assert_eq!(held.replace(code), None),
                    EventReport::End { code, .. } => prop_assert_eq!(held.take(), Some(code)),
                }
            }
        }
    }
}

//! Streams through networks of every temper: who is heard, when, and in what order.

use super::*;
use core::time::Duration;
use proptest::prelude::*;

const TICK: Duration = Duration::from_millis(20);

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// 20 ms of G.711 that tells its own number.
fn payload(n: u16) -> [u8; 160] {
    let [high, low] = n.to_be_bytes();
    let mut octets = [high; 160];
    octets[1] = low;
    octets
}

fn number(frame: Frame<'_>) -> Option<u16> {
    match frame {
        Frame::Audio(&[high, low, ..]) => Some(u16::from_be_bytes([high, low])),
        Frame::Audio(_) | Frame::Lost | Frame::Empty => None,
    }
}

fn put(buffer: &mut JitterBuffer, now: Instant, n: u16) -> Put {
    buffer.put(
        now,
        SequenceNumber(n),
        RtpTime(u32::from(n) * 160),
        &payload(n),
    )
}

fn g711() -> JitterBuffer {
    JitterBuffer::new(JitterConfig::g711(20, None))
}

/// Sends packet `n` at 20 ms · n; it arrives `way_ms(n)` later or never. Returns what was played at each tick.
fn run(
    buffer: &mut JitterBuffer,
    packets: u16,
    way_ms: impl Fn(u16) -> Option<u64>,
) -> Vec<Option<u16>> {
    let mut arrivals: Vec<(u64, u16)> = (0..packets)
        .filter_map(|n| Some((u64::from(n) * 20 + way_ms(n)?, n)))
        .collect();
    arrivals.sort_unstable();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut heard = Vec::new();
    for tick in 0..u64::from(packets) + 30 {
        let now = ms(tick * 20 + 5);
        while let Some((at, n)) = arrivals.next_if(|&(at, _)| ms(at) <= now) {
            put(buffer, ms(at), n);
        }
        heard.push(number(buffer.take(now)));
    }
    heard
}

fn in_order(heard: &[Option<u16>]) -> bool {
    heard.iter().flatten().is_sorted_by(|a, b| a < b)
}

#[test]
fn a_perfect_network_costs_the_least_delay_and_loses_nothing() {
    let mut buffer = g711();
    let heard = run(&mut buffer, 500, |_| Some(30));
    assert!(heard.iter().flatten().copied().eq(0..500));
    assert_eq!(buffer.stats().played_frames, 500);
    let first = heard.iter().position(Option::is_some).unwrap_or_default();
    // Sent at 0, here at 30 ms, played at the tick after 50 ms.
    assert_eq!(first, 3);
}

#[test]
fn jitter_is_paid_with_delay_and_not_with_loss() {
    let mut buffer = g711();
    let heard = run(&mut buffer, 1000, |n| Some(30 + u64::from(n) * 7919 % 60));
    let played = heard.iter().flatten().count();
    assert!(played >= 985, "{played} {:?}", buffer.stats());
    assert!(in_order(&heard));
    assert!(
        (50..=80).contains(&buffer.stats().target_ms),
        "{:?}",
        buffer.stats()
    );
}

#[test]
fn the_delay_shrinks_when_the_network_calms_down() {
    let mut buffer = JitterBuffer::new(JitterConfig::g711(20, Some(|_| true)));
    let heard = run(&mut buffer, 1500, |n| {
        Some(if n < 300 {
            30 + u64::from(n) * 7919 % 100
        } else {
            30
        })
    });
    assert!(in_order(&heard));
    assert_eq!(buffer.stats().target_ms, 20);
    let last = heard.iter().rposition(Option::is_some).unwrap_or_default();
    // Packet 1499 is sent in tick 1499 and here one or two ticks later.
    assert!(last <= 1499 + 4, "{last}");
    assert!(buffer.stats().skipped_frames >= 2);
}

#[test]
fn the_delay_shrinks_in_speech_too_only_slower() {
    let mut buffer = g711();
    run(&mut buffer, 1500, |n| {
        Some(if n < 300 {
            30 + u64::from(n) * 7919 % 100
        } else {
            30
        })
    });
    assert!(buffer.stats().delay_ms <= 60, "{:?}", buffer.stats());
}

#[test]
fn a_lost_packet_is_lost_and_a_pause_is_not() {
    let mut buffer = g711();
    let mut frames = Vec::new();
    // Packet 5 is lost; between 9 and 10 the sender pauses for 60 ms.
    let sent = |n: u16| u32::from(n) + if n >= 10 { 3 } else { 0 };
    for tick in 0..25u32 {
        let now = ms(u64::from(tick) * 20);
        for n in (0..20).filter(|&n| n != 5 && sent(n) == tick) {
            buffer.put(now, SequenceNumber(n), RtpTime(sent(n) * 160), &payload(n));
        }
        frames.push(match buffer.take(now) {
            Frame::Audio(_) => 'a',
            Frame::Lost => 'L',
            Frame::Empty => '.',
        });
    }
    let frames: String = frames.into_iter().collect();
    assert!(frames.starts_with(".aaaaaLaaaa"), "{frames}");
    assert!(
        frames[11..].starts_with("LL.aaaaaaaa") || frames[11..].starts_with("L..aaaaaaaa"),
        "{frames}"
    );
}

#[test]
fn numbers_taken_by_key_presses_are_not_lost() {
    let config = JitterConfig {
        min_delay_ms: 60,
        ..JitterConfig::g711(20, None)
    };
    let mut buffer = JitterBuffer::new(config);
    let mut frames = Vec::new();
    for tick in 0..8u16 {
        match tick {
            1 => buffer.note_other(SequenceNumber(1)),
            _ => assert_eq!(
                put(&mut buffer, ms(u64::from(tick) * 20), tick),
                Put::Stored
            ),
        }
        frames.push(buffer.take(ms(u64::from(tick) * 20)) == Frame::Empty);
    }
    assert_eq!(frames, [true, true, true, false, true, false, false, false]);
    assert_eq!(buffer.stats().lost_frames, 0);
}

#[test]
fn reordered_packets_are_put_right_and_doubles_dropped() {
    let mut buffer = JitterBuffer::new(JitterConfig {
        min_delay_ms: 60,
        ..JitterConfig::g711(20, None)
    });
    assert_eq!(put(&mut buffer, ms(0), 65_535), Put::Stored);
    let two = buffer.put(
        ms(40),
        SequenceNumber(1),
        RtpTime(65_537 * 160),
        &payload(1),
    );
    assert_eq!(two, Put::Stored);
    let one = buffer.put(
        ms(41),
        SequenceNumber(0),
        RtpTime(65_536 * 160),
        &payload(0),
    );
    assert_eq!(one, Put::Stored);
    let again = buffer.put(
        ms(42),
        SequenceNumber(0),
        RtpTime(65_536 * 160),
        &payload(0),
    );
    assert_eq!(again, Put::Duplicate);
    let frames: Vec<_> = (3..6)
        .map(|tick| number(buffer.take(ms(tick * 20))))
        .collect();
    assert_eq!(frames, [Some(65_535), Some(0), Some(1)]);
    assert_eq!(put(&mut buffer, ms(110), 65_535), Put::Duplicate);
}

#[test]
fn packets_of_other_lengths_fit_frames_of_ten_milliseconds() {
    for packet_ms in [10u16, 20, 30, 40, 60] {
        let mut buffer = JitterBuffer::new(JitterConfig::g711(10, None));
        let octets: Vec<u8> = (0..=255)
            .cycle()
            .take(usize::from(packet_ms) * 8 * 20)
            .collect();
        let mut packets = (0u16..).zip(octets.chunks(usize::from(packet_ms) * 8));
        let mut heard = Vec::new();
        for tick in 0..u64::from(packet_ms) * 2 + 20 {
            let now = ms(tick * 10);
            if tick * 10 % u64::from(packet_ms) == 0
                && let Some((n, packet)) = packets.next()
            {
                let timestamp = RtpTime(u32::from(n) * u32::from(packet_ms) * 8);
                assert_eq!(
                    buffer.put(now, SequenceNumber(n), timestamp, packet),
                    Put::Stored
                );
            }
            if let Frame::Audio(payload) = buffer.take(now) {
                heard.extend_from_slice(payload);
            }
        }
        assert_eq!(heard, octets, "{packet_ms} ms");
    }
}

#[test]
fn two_frames_of_one_tick_need_no_more_delay_than_one() {
    // Packets of 20 ms against a tick of 20 ms that takes two frames of 10, at every phase between the two.
    for phase_ms in 0..20 {
        let mut buffer = JitterBuffer::new(JitterConfig::g711(10, None));
        let mut frames = 0;
        for tick in 0..1000u16 {
            let sent = u64::from(tick) * 20;
            let timestamp = RtpTime(u32::MAX - 5000).plus(u32::from(tick) * 160);
            let sequence = SequenceNumber(65_000).plus(tick);
            buffer.put(
                ms(sent + u64::from(tick % 3)),
                sequence,
                timestamp,
                &payload(tick),
            );
            for _ in 0..2 {
                frames += u32::from(buffer.take(ms(sent + 3 + phase_ms)) != Frame::Empty);
            }
        }
        let stats = buffer.stats();
        assert!(
            frames >= 1994 && stats.played_frames + stats.stretched_frames == frames,
            "{stats:?}"
        );
        assert!(
            stats.skipped_frames + stats.stretched_frames <= 1,
            "{phase_ms} {stats:?}"
        );
        assert!(stats.delay_ms <= 45, "{phase_ms} {stats:?}");
    }
}

#[test]
fn a_stream_begun_anew_is_believed_at_its_second_packet() {
    let mut buffer = g711();
    run(&mut buffer, 50, |_| Some(30));
    let now = ms(2000);
    let anew = |n: u16| {
        (
            SequenceNumber(7000 + n),
            RtpTime(0xF000_0000 + u32::from(n) * 160),
        )
    };
    let (sequence, timestamp) = anew(0);
    assert_eq!(
        buffer.put(now, sequence, timestamp, &payload(0)),
        Put::Suspect
    );
    let (sequence, timestamp) = anew(1);
    assert_eq!(
        buffer.put(now + TICK, sequence, timestamp, &payload(1)),
        Put::Restarted
    );
    assert_eq!(number(buffer.take(now + TICK * 3)), Some(1));
    assert_eq!(buffer.stats().restarts, 1);
}

#[test]
fn one_stray_packet_of_another_clock_disturbs_nothing() {
    let mut buffer = g711();
    for n in 0..100u16 {
        let now = ms(u64::from(n) * 20);
        put(&mut buffer, now, n);
        if n == 50 {
            let stray = buffer.put(
                now,
                SequenceNumber(30_000),
                RtpTime(0x8000_0000),
                &payload(9),
            );
            assert_eq!(stray, Put::Suspect);
        }
        assert_eq!(number(buffer.take(now)), n.checked_sub(1));
    }
}

#[test]
fn a_stall_of_the_network_is_caught_up_with() {
    let mut buffer = g711();
    // Packets 100 to 114 are held up and arrive together.
    let heard = run(&mut buffer, 1500, |n| {
        Some(if (100..115).contains(&n) {
            30 + u64::from(115 - n) * 20
        } else {
            30
        })
    });
    assert!(in_order(&heard));
    assert!(heard.iter().flatten().count() > 1450);
    assert!(buffer.stats().delay_ms <= 60, "{:?}", buffer.stats());
}

#[test]
fn a_flood_drops_the_oldest_and_stays_within_the_capacity() {
    let mut buffer = g711();
    for n in 0..200 {
        put(&mut buffer, ms(1), n);
    }
    assert!(buffer.stats().overflow_frames >= 180);
    let heard: Vec<_> = (1..30)
        .filter_map(|tick| number(buffer.take(ms(tick * 20))))
        .collect();
    assert!(heard.is_sorted() && heard.last() == Some(&199), "{heard:?}");
}

#[test]
fn drifting_clocks_neither_fill_nor_drain_the_buffer() {
    // 200 ppm either way for ten minutes is 120 ms, six frames.
    for drift_ppm in [-200i64, 200] {
        let mut buffer = g711();
        let (mut n, mut played) = (0u16, 0);
        let arrival_us =
            |n: u16| i64::from(n) * (20_000 + drift_ppm / 50) + i64::from(n % 7) * 1000;
        for tick in 0..30_000i64 {
            let now_us = tick * 20_000 + 5000;
            while arrival_us(n) <= now_us {
                put(&mut buffer, Instant::from_micros(arrival_us(n) as u64), n);
                n += 1;
            }
            let now = Instant::from_micros(now_us as u64);
            played += u32::from(number(buffer.take(now)).is_some());
            let delay_ms = buffer.stats().delay_ms;
            assert!(
                tick < 100 || (15..=55).contains(&delay_ms),
                "{tick} {:?}",
                buffer.stats()
            );
        }
        let stats = buffer.stats();
        assert!(played >= 29_980, "{played} {stats:?}");
        assert!(
            stats.skipped_frames + stats.stretched_frames + stats.lost_frames <= 10,
            "{stats:?}"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut buffer = JitterBuffer::new(JitterConfig {
        split: false,
        ..JitterConfig::g711(20, None)
    });
    assert_eq!(
        buffer.put(ms(0), SequenceNumber(0), RtpTime(0), &[]),
        Put::Unfit
    );
    assert_eq!(
        buffer.put(ms(0), SequenceNumber(0), RtpTime(0), &[0; 161]),
        Put::Unfit
    );
    assert_eq!(
        g711().put(ms(0), SequenceNumber(0), RtpTime(0), &[0; 9000]),
        Put::Unfit
    );
    assert_eq!(buffer.take(ms(100)), Frame::Empty);
}

proptest! {
    /// Any network: frames in order, never one twice, and the wait bounded.
    #[test]
    fn any_network_keeps_order_and_bounds(ways in proptest::collection::vec(proptest::option::weighted(0.9, 0u64..400), 1..300)) {
        let mut buffer = g711();
        let heard = run(&mut buffer, ways.len() as u16, |n| ways[usize::from(n)]);
        prop_assert!(in_order(&heard));
        for (tick, n) in heard.iter().enumerate().filter_map(|(tick, n)| Some((tick as u64, (*n)?))) {
            // Longest way, capacity, and the tick itself.
            prop_assert!(tick * 20 <= u64::from(n) * 20 + 400 + 300 + 120, "{n} at {tick}");
        }
    }

    /// Any packets at all: no panic, and audio is always something that was put.
    #[test]
    fn any_packets_do_no_harm(
        packets in proptest::collection::vec((any::<u16>(), any::<u32>(), 0usize..700, 0u64..5_000_000, any::<bool>()), 0..200),
    ) {
        let mut buffer = JitterBuffer::new(JitterConfig::g711(20, Some(|octets| octets.len() < 100)));
        let mut now = Instant::from_micros(u64::MAX / 4);
        for (sequence, timestamp, len, wait_us, near) in packets {
            now += Duration::from_micros(if near { wait_us / 1000 } else { wait_us });
            let timestamp = if near { timestamp % 5000 } else { timestamp };
            buffer.put(now, SequenceNumber(sequence), RtpTime(timestamp), &[7; 700][..len]);
            if let Frame::Audio(payload) = buffer.take(now) {
                prop_assert!(!payload.is_empty() && payload.iter().all(|&octet| octet == 7));
            }
        }
    }
}

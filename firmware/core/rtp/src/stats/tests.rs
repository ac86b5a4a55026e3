//! Streams that lose, double, reorder, jump and change their source.

use super::*;
use proptest::prelude::*;

const A: Ssrc = Ssrc(0xA);
const B: Ssrc = Ssrc(0xB);

fn hear(reception: &mut Reception, sequence: u16) -> Arrival {
    reception.receive(Instant::ZERO, A, SequenceNumber(sequence), None)
}

fn heard(sequences: impl IntoIterator<Item = u16>) -> Reception {
    let mut reception = Reception::new(8000);
    for sequence in sequences {
        hear(&mut reception, sequence);
    }
    reception
}

#[test]
fn losses_doubles_and_stragglers_are_told_apart() {
    let mut reception = heard([65_533, 65_534, 65_535, 0]);
    assert_eq!(hear(&mut reception, 3), Arrival::InOrder);
    assert_eq!(hear(&mut reception, 2), Arrival::Reordered);
    assert_eq!(hear(&mut reception, 2), Arrival::Duplicate);
    assert_eq!(hear(&mut reception, 3), Arrival::Duplicate);
    assert_eq!(hear(&mut reception, 65_535), Arrival::Duplicate);
    assert_eq!(
        (reception.received_packets(), reception.lost_packets()),
        (6, 1)
    );
    assert_eq!(
        (reception.duplicate_packets(), reception.reordered_packets()),
        (3, 1)
    );
}

#[test]
fn the_first_packets_may_come_in_the_wrong_order() {
    let reception = heard([11, 10, 12, 9]);
    assert_eq!(
        (reception.received_packets(), reception.lost_packets()),
        (4, 0)
    );
}

#[test]
fn a_report_tells_the_loss_since_the_last_one() {
    let mut reception = heard((0..100).filter(|n| n % 4 != 1));
    let report = reception.report(Instant::ZERO).expect("valid by now");
    assert_eq!((report.fraction_lost, report.cumulative_lost), (64, 25));
    assert_eq!(report.highest_sequence & 0xFFFF, 99);
    for sequence in 100..200 {
        hear(&mut reception, sequence);
    }
    let report = reception.report(Instant::ZERO).expect("valid");
    assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 25));
    let report = reception.report(Instant::ZERO).expect("valid");
    assert_eq!(report.fraction_lost, 0);
    assert_eq!(heard([5]).report(Instant::ZERO), None);
}

#[test]
fn a_jump_is_believed_when_confirmed() {
    let mut reception = heard(0..50);
    assert_eq!(hear(&mut reception, 20_000), Arrival::Suspect);
    assert_eq!(hear(&mut reception, 50), Arrival::InOrder);
    assert_eq!(hear(&mut reception, 30_000), Arrival::Suspect);
    assert_eq!(hear(&mut reception, 30_001), Arrival::Restarted);
    assert_eq!(hear(&mut reception, 30_002), Arrival::InOrder);
    assert_eq!(
        (reception.received_packets(), reception.lost_packets()),
        (53, 0)
    );
}

#[test]
fn another_source_begins_anew_and_the_sums_go_on() {
    let mut reception = heard([1, 2, 4]);
    let arrival = reception.receive(Instant::ZERO, B, SequenceNumber(40_000), None);
    assert_eq!((arrival, reception.ssrc()), (Arrival::First, Some(B)));
    reception.receive(Instant::ZERO, B, SequenceNumber(40_002), None);
    assert_eq!(
        (reception.received_packets(), reception.lost_packets()),
        (5, 2)
    );
}

#[test]
fn even_arrival_has_no_jitter_and_uneven_one_has_its_measure() {
    let run = |late_us: fn(u32) -> u64| {
        let mut reception = Reception::new(8000);
        for n in 0..1000 {
            let now = Instant::from_micros(u64::from(n) * 20_000 + late_us(n));
            let timestamp = RtpTime(u32::MAX - 500).plus(n * 160);
            reception.receive(now, A, SequenceNumber(n as u16), Some(timestamp));
        }
        reception.jitter_us()
    };
    assert_eq!(run(|_| 0), 0);
    // Every other packet 10 ms late: each differs from the last by 10 ms.
    let jitter_us = run(|n| u64::from(n % 2) * 10_000);
    assert!(jitter_us.abs_diff(10_000) < 300, "{jitter_us}");
}

#[test]
fn a_sender_report_is_repeated_with_its_age() {
    let mut reception = heard(0..5);
    let info = SenderInfo {
        ntp: NtpTime(0x0001_0002_0003_0004),
        timestamp: RtpTime(0),
        packets: 5,
        octets: 800,
    };
    reception.sender_report(Instant::from_millis(1000), B, &info);
    assert_eq!(
        reception
            .report(Instant::from_millis(2000))
            .map(|r| (r.last_report, r.since_last_report)),
        Some((0, 0))
    );
    reception.sender_report(Instant::from_millis(1000), A, &info);
    let report = reception.report(Instant::from_millis(2500)).expect("valid");
    assert_eq!(
        (report.last_report, report.since_last_report),
        (0x0002_0003, 3 << 15)
    );
}

#[test]
fn the_far_end_tells_what_it_hears() {
    let mut remote = RemoteView::default();
    let block = ReportBlock {
        ssrc: A,
        fraction_lost: 3,
        cumulative_lost: -2,
        highest_sequence: 7,
        jitter: 80,
        last_report: 1 << 16,
        since_last_report: 1 << 16,
    };
    remote.report(NtpTime((2 << 32) + (1 << 31)), &block, 8000);
    assert_eq!(remote.lost_packets, Some(0));
    assert_eq!(remote.jitter_us, Some(10_000));
    assert_eq!(remote.round_trip, Some(Duration::from_millis(500)));
}

proptest! {
    /// Any numbers: nothing panics, and what is received was at most what came.
    #[test]
    fn any_stream_is_counted(packets in proptest::collection::vec((any::<bool>(), any::<u16>(), any::<u32>(), any::<bool>()), 0..300)) {
        let mut reception = Reception::new(8000);
        let mut near = 0u16;
        for (n, &(jump, sequence, timestamp, source)) in packets.iter().enumerate() {
            near = if jump { sequence } else { near.wrapping_add(sequence % 5) };
            let now = Instant::from_millis(n as u64 * 20);
            let ssrc = if source || n % 50 != 0 { A } else { B };
            reception.receive(now, ssrc, SequenceNumber(near), Some(RtpTime(timestamp)));
            reception.report(now);
        }
        prop_assert!(reception.received_packets() <= packets.len() as u64);
        prop_assert!(reception.duplicate_packets() + reception.reordered_packets() <= packets.len() as u64);
    }

    /// Any order within 64 packets and any loss: every packet is received or lost.
    #[test]
    fn received_and_lost_make_the_whole(kept in proptest::collection::vec(any::<bool>(), 3..200), shuffle in any::<u64>()) {
        let mut order: Vec<u16> = (0..kept.len() as u16).collect();
        for chunk in order.chunks_mut(30) {
            chunk.rotate_left((shuffle % chunk.len() as u64) as usize);
        }
        let sent: Vec<u16> = order.into_iter().filter(|&n| kept[usize::from(n)]).collect();
        let reception = heard(sent.iter().copied());
        let span = sent.iter().max().zip(sent.iter().min()).map_or(0, |(max, min)| u64::from(max - min) + 1);
        prop_assert_eq!(reception.received_packets(), sent.len() as u64);
        prop_assert_eq!(reception.received_packets() + reception.lost_packets(), span);
    }
}

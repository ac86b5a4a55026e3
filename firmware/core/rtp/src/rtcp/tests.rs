//! Reports there and back, the round trip, and datagrams that lie.

use super::*;
use model::{Instant, WallTime};
use proptest::prelude::*;

const INFO: SenderInfo = SenderInfo {
    ntp: NtpTime(0x0102_0304_0506_0708),
    timestamp: RtpTime(77),
    packets: 1000,
    octets: 160_000,
};

const REPORT: ReportBlock = ReportBlock {
    ssrc: Ssrc(0xAABB_CCDD),
    fraction_lost: 12,
    cumulative_lost: -3,
    highest_sequence: 0x0001_FFFF,
    jitter: 40,
    last_report: 0x0304_0506,
    since_last_report: 65_536,
};

fn compound(out: &mut [u8]) -> usize {
    let mut writer = Writer::new(out);
    writer
        .sender_report(Ssrc(1), &INFO, &[REPORT])
        .expect("room");
    writer.sdes_cname(Ssrc(1), b"box@example").expect("room");
    writer.bye(Ssrc(1)).expect("room");
    writer.finish()
}

#[test]
fn a_compound_comes_back_as_written() {
    let mut out = [0; 200];
    let len = compound(&mut out);
    let compound = Compound::parse(&out[..len]).expect("our own compound");
    let packets: Vec<_> = compound.packets().collect();
    let [
        RtcpPacket::SenderReport {
            ssrc,
            info,
            reports,
        },
        RtcpPacket::SourceDescription(sdes),
        RtcpPacket::Goodbye(bye),
    ] = packets[..]
    else {
        unreachable!("three packets were written: {packets:?}");
    };
    assert_eq!((ssrc, info), (Ssrc(1), INFO));
    assert_eq!(reports.of(REPORT.ssrc), Some(REPORT));
    assert_eq!(reports.of(Ssrc(9)), None);
    assert_eq!(sdes.cname(Ssrc(1)), Some(&b"box@example"[..]));
    assert!(bye.sources().eq([Ssrc(1)]));
}

#[test]
fn names_of_every_length_are_padded_right() {
    for len in 0..20 {
        let mut out = [0xFF; 100];
        let mut writer = Writer::new(&mut out);
        writer.receiver_report(Ssrc(2), &[]).expect("room");
        writer
            .sdes_cname(Ssrc(2), &b"abcdefghijklmnopqrst"[..len])
            .expect("room");
        let end = writer.finish();
        assert_eq!(end % 4, 0);
        let compound = Compound::parse(&out[..end]).expect("valid");
        let Some(RtcpPacket::SourceDescription(sdes)) = compound.packets().nth(1) else {
            unreachable!("the second packet is the description");
        };
        assert_eq!(sdes.items().count(), 1);
        assert_eq!(sdes.cname(Ssrc(2)).map(<[u8]>::len), Some(len));
    }
}

#[test]
fn several_sources_and_items_are_told_apart() {
    // Two chunks: CNAME "a" and TOOL "bc" of 5; CNAME "" of 6.
    let body = [
        0, 0, 0, 5, 1, 1, b'a', 6, 2, b'b', b'c', 0, 0, 0, 0, 6, 1, 0, 0, 0,
    ];
    let datagram = [&[0x82, 202, 0, 5][..], &body].concat();
    let compound = Compound::parse(&datagram).expect("valid");
    let Some(RtcpPacket::SourceDescription(sdes)) = compound.packets().next() else {
        unreachable!("it is a description");
    };
    let items: Vec<_> = sdes
        .items()
        .map(|item| (item.ssrc.0, item.kind, item.text))
        .collect();
    assert_eq!(items, [(5, 1, &b"a"[..]), (5, 6, b"bc"), (6, 1, b"")]);
}

#[test]
fn unknown_packets_are_kept_and_lying_ones_left_out() {
    let datagram = [
        &[0x80, 207, 0, 1, 1, 2, 3, 4][..],         // an extended report
        &[0x9F, 201, 0, 1, 0, 0, 0, 1],             // 31 reports in no octets
        &[0xA1, 203, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4], // a goodbye with padding
    ]
    .concat();
    let packets: Vec<_> = Compound::parse(&datagram)
        .expect("lengths fit")
        .packets()
        .collect();
    assert_eq!(packets.len(), 2);
    assert_eq!(
        packets[0],
        RtcpPacket::Other {
            packet_type: 207,
            body: &[1, 2, 3, 4]
        }
    );
    assert!(matches!(packets[1], RtcpPacket::Goodbye(bye) if bye.sources().eq([Ssrc(9)])));
    assert_eq!(
        Compound::parse(&datagram[..7]).map(|_| ()),
        Err(RtcpError::Truncated)
    );
    assert_eq!(Compound::parse(&[]).map(|_| ()), Err(RtcpError::Truncated));
    assert_eq!(
        Compound::parse(&[0, 200, 0, 0]).map(|_| ()),
        Err(RtcpError::Version)
    );
}

#[test]
fn what_does_not_fit_is_not_half_written() {
    for room in 0..200 {
        let mut out = vec![0; room];
        let mut writer = Writer::new(&mut out);
        let _ = writer.sender_report(Ssrc(1), &INFO, &[REPORT]);
        let _ = writer.sdes_cname(Ssrc(1), b"box@example");
        let len = writer.finish();
        assert!(len == 0 || Compound::parse(&out[..len]).is_ok(), "{room}");
    }
    let mut out = [0; 2000];
    assert!(
        Writer::new(&mut out)
            .receiver_report(Ssrc(1), &[REPORT; 32])
            .is_err()
    );
    assert!(
        Writer::new(&mut out)
            .receiver_report(Ssrc(1), &[REPORT; 31])
            .is_ok()
    );
    assert!(
        Writer::new(&mut out)
            .sdes_cname(Ssrc(1), &[b'x'; 256])
            .is_err()
    );
}

#[test]
fn the_round_trip_is_what_remains() {
    let clock = NtpClock::new(
        Instant::from_millis(0),
        WallTime::from_unix_seconds(1_800_000_000),
    );
    let sent = clock.ntp(Instant::from_millis(1000));
    let heard = clock.ntp(Instant::from_millis(1000 + 5000 + 80));
    let round = round_trip(heard, sent.middle(), 5 << 16).expect("positive");
    assert!(round.as_millis().abs_diff(80) <= 1, "{round:?}");
    assert_eq!(round_trip(heard, 0, 0), None);
    assert_eq!(round_trip(heard, sent.middle(), 6 << 16), None);
    assert_eq!(
        NtpTime::from_wall(WallTime::from_unix_micros(500_000)).0,
        (2_208_988_800 << 32) + (1 << 31)
    );
}

#[test]
fn the_example_of_the_standard_is_computed_alike() {
    // RFC 3550 §6.4.1, figure 2: A = b710:8000, DLSR = 0005:4000, LSR = b705:2000, delay 6.125 s.
    let delay = round_trip(NtpTime(0xB710_8000 << 16), 0xB705_2000, 0x0005_4000);
    assert_eq!(delay, Some(Duration::from_micros(6_125_000)));
}

proptest! {
    #[test]
    fn no_octets_panic(datagram in proptest::collection::vec(any::<u8>(), 0..200), first in 0x80u8..0xC0, kind in 199u8..208, words in 0u16..20) {
        let mut datagram = datagram;
        if let Some(head) = datagram.first_chunk_mut::<4>() {
            *head = [first, kind, 0, words as u8];
        }
        if let Ok(compound) = Compound::parse(&datagram) {
            for packet in compound.packets() {
                match packet {
                    RtcpPacket::SenderReport { reports, .. } | RtcpPacket::ReceiverReport { reports, .. } => {
                        prop_assert!(reports.iter().count() <= MAX_REPORTS);
                    }
                    RtcpPacket::SourceDescription(sdes) => prop_assert!(sdes.items().count() <= datagram.len()),
                    RtcpPacket::Goodbye(bye) => prop_assert!(bye.sources().count() <= 31),
                    RtcpPacket::Other { body, .. } => prop_assert!(body.len() <= datagram.len()),
                }
            }
        }
    }
}

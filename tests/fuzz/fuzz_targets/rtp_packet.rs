//! Any octets as RTP and as RTCP: nothing panics, the parts lie within the whole, and what is
//! written of what was read is read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Instant;
use rtp::event::EventPayload;
use rtp::packet::{HEADER_LEN, Packet, PacketError, is_rtcp};
use rtp::rtcp::{Compound, NtpTime, ReportBlock, RtcpPacket, Writer, round_trip};
use rtp::stats::{Reception, RemoteView};

fuzz_target!(|octets: &[u8]| {
    match Packet::parse(octets) {
        Ok(packet) => rtp(octets, &packet),
        Err(error) => assert_eq!(error == PacketError::Rtcp, is_rtcp(octets)),
    }
    if let Ok(compound) = Compound::parse(octets) {
        for packet in compound.packets() {
            rtcp(&packet);
        }
    }
    if let Some(event) = EventPayload::parse(octets) {
        assert_eq!(EventPayload::parse(&event.octets()), Some(event));
    }
});

fn rtp(octets: &[u8], packet: &Packet<'_>) {
    let lists = packet.csrcs().count() * 4 + packet.extension.map_or(0, |e| 4 + e.data.len());
    assert!(HEADER_LEN + lists + packet.payload.len() <= octets.len());
    assert!(octets.as_ptr_range().contains(&packet.payload.as_ptr()) || packet.payload.is_empty());
    let mut out = vec![0; HEADER_LEN + packet.payload.len()];
    let len = packet.header.write(packet.payload, &mut out).expect("room");
    let again = Packet::parse(&out[..len]).expect("what is written can be read");
    assert_eq!(
        (again.header, again.payload),
        (packet.header, packet.payload)
    );
}

fn rtcp(packet: &RtcpPacket<'_>) {
    let mut out = [0; 4096];
    let mut writer = Writer::new(&mut out);
    match packet {
        RtcpPacket::SenderReport {
            ssrc,
            info,
            reports,
        } => {
            let mut reception = Reception::new(8000);
            reception.sender_report(Instant::ZERO, *ssrc, info);
            let blocks: Vec<ReportBlock> = reports.iter().inspect(view).collect();
            writer.sender_report(*ssrc, info, &blocks).expect("room");
        }
        RtcpPacket::ReceiverReport { ssrc, reports } => {
            let blocks: Vec<ReportBlock> = reports.iter().inspect(view).collect();
            writer.receiver_report(*ssrc, &blocks).expect("room");
        }
        RtcpPacket::SourceDescription(description) => {
            for item in description.items().take(1000) {
                let _ = description.cname(item.ssrc);
                writer.sdes_cname(item.ssrc, item.text).expect("room");
                let len = writer.finish();
                let again = Compound::parse(&out[..len]).expect("our own");
                let named = again.packets().any(|packet| {
                    matches!(packet, RtcpPacket::SourceDescription(d) if d.cname(item.ssrc) == Some(item.text))
                });
                assert!(named);
                writer = Writer::new(&mut out);
            }
            return;
        }
        RtcpPacket::Goodbye(goodbye) => {
            assert!(goodbye.sources().count() <= 31);
            return;
        }
        RtcpPacket::Other { .. } => return,
    }
    let len = writer.finish();
    let again = Compound::parse(&out[..len]).expect("what is written can be read");
    let again = again.packets().next().expect("one packet");
    match (packet, &again) {
        (
            RtcpPacket::SenderReport {
                ssrc,
                info,
                reports,
            },
            RtcpPacket::SenderReport {
                ssrc: other,
                info: said,
                reports: told,
            },
        ) => {
            assert_eq!((ssrc, info), (other, said));
            assert!(reports.iter().eq(told.iter()));
        }
        (
            RtcpPacket::ReceiverReport { ssrc, reports },
            RtcpPacket::ReceiverReport {
                ssrc: other,
                reports: told,
            },
        ) => {
            assert_eq!(ssrc, other);
            assert!(reports.iter().eq(told.iter()));
        }
        _ => panic!("another packet"),
    }
}

fn view(block: &ReportBlock) {
    let now = NtpTime(u64::from(block.highest_sequence) << 32 | u64::from(block.jitter));
    let _ = round_trip(now, block.last_report, block.since_last_report);
    let mut view = RemoteView::default();
    view.report(now, block, 8000);
}

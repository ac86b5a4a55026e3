//! RTCP of a port: reports to the party on both streams, and what its reports say (RFC 3550 §6).
//!
//! Each leg has reports of its own; nothing is passed through, since each of our streams is ours.

use core::net::SocketAddr;
use core::time::Duration;

use model::{Codec, Instant};
use rtp::packet::Ssrc;
use rtp::rtcp::{Compound, NtpClock, REPORT_INTERVAL, RtcpPacket, Writer};

use crate::graph::{Channel, Sink, Transmit};
use crate::port::Port;
use crate::protection;

/// A compound packet of ours: a sender report with one block, and a name.
const LARGEST: usize = 128;

/// When a port reports first: spread, so that calls set up together don't report together (RFC 3550 §6.2).
pub(crate) fn first_wait(seed: u64) -> Duration {
    REPORT_INTERVAL / 2 + spread(seed, REPORT_INTERVAL / 2)
}

/// Reports to the party.
pub(crate) fn send(now: Instant, ntp: NtpClock, port: &mut Port, out: &mut Sink<'_>) {
    let Some(settings) = port.settings else {
        return;
    };
    // RFC 3550 §6.3.1: half to one and a half of the interval, anew each time.
    let chance = settings.seed ^ now.as_micros().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    port.next_report = now + REPORT_INTERVAL / 2 + spread(chance, REPORT_INTERVAL);
    let Some(to) = port.rtcp_destination() else {
        return;
    };
    let mut packet = [0; LARGEST];
    let Some(len) = compose(now, ntp, port, &mut packet) else {
        return;
    };
    let packet = Transmit {
        port: port.id,
        channel: if settings.rtcp_mux {
            Channel::Rtp
        } else {
            Channel::Rtcp
        },
        from: settings.local_ip,
        to,
        octets: packet.get(..len).unwrap_or_default(),
    };
    protection::send(port, packet, true, out);
}

fn compose(now: Instant, ntp: NtpClock, port: &mut Port, packet: &mut [u8]) -> Option<usize> {
    let ssrc = port.outgoing.ssrc();
    let block = port.reception.report(now);
    let blocks = block.as_slice();
    let mut writer = Writer::new(packet);
    if port.outgoing.packets() > 0 {
        let info = port.outgoing.report(now, ntp.ntp(now));
        writer.sender_report(ssrc, &info, blocks).ok()?;
    } else {
        writer.receiver_report(ssrc, blocks).ok()?;
    }
    let mut name = [0; 16];
    writer.sdes_cname(ssrc, cname(ssrc, &mut name)).ok()?;
    Some(writer.finish())
}

/// A name that says nothing of the host: the SSRC is random already (RFC 7022 §4.2).
fn cname(ssrc: Ssrc, name: &mut [u8; 16]) -> &[u8] {
    for (index, digit) in name.iter_mut().take(8).enumerate() {
        let nibble = (ssrc.0 >> (28 - index * 4)) & 0xf;
        *digit = b"0123456789abcdef"
            .get(nibble as usize)
            .copied()
            .unwrap_or(b'0');
    }
    name.get(..8).unwrap_or_default()
}

/// Takes in what the party reports.
pub(crate) fn receive(
    now: Instant,
    ntp: NtpClock,
    port: &mut Port,
    source: SocketAddr,
    octets: &[u8],
) {
    // Only the party that is heard may speak of the call.
    if !port.latch.permits_rtcp(source) {
        return;
    }
    let Ok(compound) = Compound::parse(octets) else {
        return;
    };
    port.rtcp_source = Some(source);
    port.is_alive(now);
    let codec = port
        .settings
        .map_or(Codec::Pcma, |settings| settings.send_codec);
    let clock_hz = codec.clock_rate_hz();
    for packet in compound.packets() {
        let reports = match packet {
            RtcpPacket::SenderReport {
                ssrc,
                info,
                reports,
            } => {
                port.latch.keep_stream(now, ssrc);
                port.reception.sender_report(now, ssrc, &info);
                port.silence.reported(Some(info.packets));
                reports
            }
            RtcpPacket::ReceiverReport { ssrc, reports } => {
                port.latch.keep_stream(now, ssrc);
                port.silence.reported(None);
                reports
            }
            RtcpPacket::SourceDescription(_)
            | RtcpPacket::Goodbye(_)
            | RtcpPacket::Other { .. } => continue,
        };
        if let Some(block) = reports.of(port.outgoing.ssrc()) {
            port.remote.report(ntp.ntp(now), &block, clock_hz);
        }
    }
}

/// Some part of `whole`, by `chance`.
fn spread(chance: u64, whole: Duration) -> Duration {
    let us = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX).max(1);
    Duration::from_micros(chance.wrapping_mul(0xd129_42fd_3a5b_21d7) % us)
}

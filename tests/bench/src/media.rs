//! The media graph without sockets: packets passed on, in the clear and encrypted, and the tick.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use media::{Channel, Command, Graph, MAX_PAYLOADS, PortSettings, TICK};
use model::{Codec, Instant, MasterKey, MasterKeys, PortId, SrtpSuite, WallTime};
use rtp::rtcp::NtpClock;
use rtp::srtp::{MAX_OVERHEAD, Sender};

use crate::cost::Meter;
use crate::table::{Figure, figure};

/// Calls at a time; each has two ports.
const CALLS: u16 = 100;

/// Ticks measured: ten seconds of sound.
const TICKS: u64 = 500;

/// Ticks before: streams are accepted, jitter buffers are full.
const WARM: u64 = 50;

/// RTP header.
const HEADER: usize = 12;

/// Both of them: every pair of codecs that are transcoded.
pub fn run() -> Result<Vec<Figure>> {
    let relayed = measure(Codec::Pcma, Codec::Pcma, None)?;
    let share = |run: &Run| {
        let second = 1e9 / TICK.as_nanos() as f64;
        let packets = run.packets.spent.as_nanos() as f64 / TICKS as f64;
        100.0 * (packets + run.ticks.each_ns(TICKS)) * second / 1e9
    };
    let packets = TICKS * u64::from(CALLS) * 2;
    let text = |meter: &Meter, count| {
        format!(
            "{:.0} ns, {} allocations",
            meter.each_ns(count),
            meter.allocations
        )
    };
    let mut figures = vec![
        figure("media: packet passed on", text(&relayed.packets, packets)),
        figure(
            &format!("  tick of {CALLS} calls passed on"),
            text(&relayed.ticks, TICKS),
        ),
        figure(
            &format!("  {CALLS} calls passed on, without sockets"),
            format!("{:.2} % of a core", share(&relayed)),
        )
        .against("with sockets: 8 promised; rtpengine 10"),
    ];
    for suite in SrtpSuite::ALL {
        let run = measure(Codec::Pcma, Codec::Pcma, Some(suite))?;
        let name = suite.name();
        figures.extend([
            figure(
                &format!("media: packet decrypted, encrypted with another key, {name}"),
                text(&run.packets, packets),
            ),
            figure(
                &format!("  {CALLS} calls passed on, both legs {name}, without sockets"),
                format!("{:.2} % of a core", share(&run)),
            ),
        ]);
    }
    for (at, caller) in Codec::DEFAULT.into_iter().enumerate() {
        for callee in Codec::DEFAULT.into_iter().skip(at + 1) {
            let run = measure(caller, callee, None)?;
            let mark = if (caller, callee) == (Codec::Pcma, Codec::Pcmu) {
                "with sockets: 12 promised; Asterisk 48"
            } else {
                ""
            };
            let (caller, callee) = (caller.encoding_name(), callee.encoding_name());
            let cost = format!("{:.2} % of a core", share(&run));
            figures.extend([
                figure(
                    &format!("media: packet of a call {caller} to {callee} taken in"),
                    text(&run.packets, packets),
                ),
                figure(
                    &format!("  tick of {CALLS} calls {caller} to {callee}"),
                    text(&run.ticks, TICKS),
                ),
                figure(
                    &format!("  {CALLS} calls {caller} to {callee}, without sockets"),
                    cost,
                )
                .against(mark),
            ]);
        }
    }
    Ok(figures)
}

struct Run {
    packets: Meter,
    ticks: Meter,
}

fn measure(caller: Codec, callee: Codec, suite: Option<SrtpSuite>) -> Result<Run> {
    let mut now = Instant::from_millis(1000);
    let wall = WallTime::from_unix_seconds(1_800_000_000);
    let ports = CALLS * 2;
    let mut graph = Graph::new(ports.into(), NtpClock::new(now, wall));
    let codec_of = |port: u16| {
        if port.is_multiple_of(2) {
            caller
        } else {
            callee
        }
    };
    for port in 0..ports {
        graph.command(
            now,
            Command::Open {
                port: PortId::new(port),
                settings: PortSettings {
                    srtp: suite.map(|suite| keys(port, suite)),
                    ..settings(port, codec_of(port))
                },
            },
        );
    }
    for call in 0..CALLS {
        graph.command(
            now,
            Command::Connect {
                a: PortId::new(call * 2),
                b: PortId::new(call * 2 + 1),
                talk: true,
            },
        );
    }
    let mut run = Run {
        packets: Meter::new(),
        ticks: Meter::new(),
    };
    let sender = |port| suite.map(|suite| Sender::new(&keys(port, suite).receive));
    let mut phones: Vec<Option<Sender>> = (0..ports).map(sender).collect();
    let mut sent = 0_u64;
    for turn in 0..WARM + TICKS {
        if turn == WARM {
            run.packets.restart();
            run.ticks.restart();
            sent = 0;
        }
        let mut packets: Vec<Vec<u8>> = (0..ports)
            .zip(&mut phones)
            .map(|(port, phone)| said(packet(port, codec_of(port), turn), phone.as_mut()))
            .collect();
        let Run {
            packets: passing,
            ticks,
        } = &mut run;
        let mut sink = |_: media::Transmit<'_>| sent += 1;
        passing.run(|| {
            for (port, octets) in (0..ports).zip(&mut packets) {
                let (id, source) = (PortId::new(port), address(port));
                graph.packet(now, id, Channel::Rtp, source, octets, &mut sink);
            }
        });
        now += TICK;
        ticks.run(|| graph.tick(now, &mut sink));
        while graph.poll_event().is_some() {}
    }
    ensure!(
        run.packets.allocations == 0 && run.ticks.allocations == 0,
        "the media graph allocates"
    );
    ensure!(
        sent >= TICKS * u64::from(ports),
        "{sent} packets were sent: sound is missing"
    );
    Ok(run)
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 20_000 + port))
}

fn settings(port: u16, codec: Codec) -> PortSettings {
    let number = codec.static_payload_type().unwrap_or_default();
    let mut receive = [None; MAX_PAYLOADS];
    receive[0] = Some((number, codec));
    PortSettings {
        local_ip: [192, 0, 2, 1].into(),
        remote: Some(address(port)),
        remote_rtcp: None,
        rtcp_mux: false,
        signalling_ip: address(port).ip(),
        send_codec: codec,
        send_payload_type: number,
        receive,
        send_event: Some(101),
        receive_event: Some(101),
        may_send: true,
        may_receive: true,
        srtp: None,
        seed: 0x1234_5678_9abc_def0 + u64::from(port),
        detect_digits: false,
    }
}

/// Keys of a port.
fn keys(port: u16, suite: SrtpSuite) -> MasterKeys {
    let key = |of: u8| {
        let octets: Vec<u8> = (0..MasterKey::MAX as u8)
            .map(|n| n ^ of ^ (port as u8))
            .collect();
        let len = suite.key_len() + suite.salt_len();
        MasterKey::new(suite, &octets[..len]).expect("as long as it is to be")
    };
    MasterKeys {
        send: key(0x55),
        receive: key(0xaa),
    }
}

/// As it leaves the phone.
fn said(mut packet: Vec<u8>, phone: Option<&mut Sender>) -> Vec<u8> {
    if let Some(phone) = phone {
        let len = packet.len();
        packet.resize(len + MAX_OVERHEAD, 0);
        let len = phone.protect(&mut packet, len).expect("a packet of RTP");
        packet.truncate(len);
    }
    packet
}

/// 20 ms of something that changes from sample to sample.
fn packet(port: u16, codec: Codec, turn: u64) -> Vec<u8> {
    let payload = match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 => 160,
        Codec::Gsm => 33,
        Codec::G729 | Codec::Ilbc | Codec::Speex | Codec::Opus => 20,
    };
    let mut octets = vec![0; HEADER + payload];
    let [.., high, low] = turn.to_be_bytes();
    let stamp = u32::try_from(turn * 160).unwrap_or_default();
    octets[0] = 0x80;
    octets[1] = codec.static_payload_type().unwrap_or_default();
    octets[2..4].copy_from_slice(&[high, low]);
    octets[4..8].copy_from_slice(&stamp.to_be_bytes());
    octets[8..12].copy_from_slice(&u32::from(port + 1).to_be_bytes());
    for (place, octet) in octets[HEADER..].iter_mut().enumerate() {
        *octet = low
            .wrapping_mul(31)
            .wrapping_add(place.to_le_bytes()[0].wrapping_mul(7));
    }
    octets
}

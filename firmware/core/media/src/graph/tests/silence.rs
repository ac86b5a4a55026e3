//! How long nothing comes of a party that is to be heard.

use model::Quality;
use rtp::rtcp::{NtpTime, SenderInfo, Writer};

use super::*;

/// Ticks of a second.
const SECOND: usize = 50;

/// What was told of the party on A unasked, as it fell silent and was heard again.
fn told(world: &mut World) -> Vec<bool> {
    let events = world.events().into_iter();
    let told = events.filter_map(|event| match event {
        Event::Report { port: A, quality } => Some(quality.silent_now_ms > 0),
        _ => None,
    });
    told.collect()
}

fn quality(world: &mut World) -> Quality {
    world.command(Command::Report { port: A });
    let last = world
        .events()
        .into_iter()
        .rev()
        .find_map(|event| match event {
            Event::Report { port: A, quality } => Some(quality),
            _ => None,
        });
    last.expect("asked for")
}

/// The party on A has talked for a second.
fn talking() -> (World, Talker) {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    speaks(&mut world, &mut a, SECOND);
    assert_eq!(told(&mut world), [false; 0]);
    (world, a)
}

fn speaks(world: &mut World, talker: &mut Talker, ticks: usize) {
    for _ in 0..ticks {
        world.turn(&mut [talker]);
    }
}

fn is_silent(world: &mut World, ticks: usize) {
    for _ in 0..ticks {
        world.turn(&mut []);
    }
}

/// A compound of the party on A: it says to have sent so many packets, or none of late.
fn report(world: &mut World, packets: Option<u32>) {
    let mut packet = [0; 128];
    let mut writer = Writer::new(&mut packet);
    match packets {
        Some(packets) => {
            let info = SenderInfo {
                ntp: NtpTime(0),
                timestamp: RtpTime(0),
                packets,
                octets: 0,
            };
            writer.sender_report(Ssrc(42), &info, &[]).expect("it fits");
        }
        None => writer.receiver_report(Ssrc(42), &[]).expect("it fits"),
    }
    writer.sdes_cname(Ssrc(42), b"a").expect("it fits");
    let len = writer.finish();
    let from = SocketAddr::new(address(A).ip(), 4001);
    world.packet(A, Channel::Rtcp, from, &packet[..len]);
}

#[test]
fn a_party_that_falls_silent_is_told_at_once_and_counts_as_lost() {
    let (mut world, mut a) = talking();
    // The last packet came a tick ago.
    is_silent(&mut world, 2 * SECOND - 2);
    assert_eq!(told(&mut world), [false; 0]);
    is_silent(&mut world, 1);
    assert_eq!(told(&mut world), [true]);
    is_silent(&mut world, 41 * SECOND);
    let silent = quality(&mut world);
    assert_eq!((silent.silent_ms, silent.silent_now_ms), (43_000, 43_000));
    assert_eq!(silent.packets_lost, 43 * 50);
    assert!(silent.mos_hundredths < Some(200), "{silent:?}");
    // Its phone has started again: another stream.
    a.sequence = a.sequence.wrapping_add(20_000);
    speaks(&mut world, &mut a, SECOND);
    assert_eq!(told(&mut world), [false]);
    let heard = quality(&mut world);
    assert_eq!((heard.silent_now_ms, heard.silent_ms / 100), (0, 430));
    assert!((2100..2200).contains(&heard.packets_lost), "{heard:?}");
}

#[test]
fn what_a_cut_network_has_lost_is_counted_once() {
    let (mut world, mut a) = talking();
    for _ in 0..10 * SECOND {
        a.speak();
        world.turn(&mut []);
    }
    speaks(&mut world, &mut a, 1);
    assert_eq!(told(&mut world), [true, false]);
    let quality = quality(&mut world);
    assert_eq!((quality.packets_lost, quality.silent_now_ms), (500, 0));
    assert_eq!(quality.silent_ms, 10_020);
}

#[test]
fn a_party_that_sends_nothing_by_its_own_will_has_lost_nothing() {
    // Its numbers go on where they were.
    let (mut world, mut a) = talking();
    is_silent(&mut world, 10 * SECOND);
    speaks(&mut world, &mut a, 1);
    let muted = quality(&mut world);
    assert_eq!((muted.packets_lost, muted.silent_ms), (0, 0));
    // It says by comfort noise that there will be nothing.
    let noise = a.packet(13, &[60], SAMPLES as u32);
    world.packet(A, Channel::Rtp, address(A), &noise);
    is_silent(&mut world, 60 * SECOND);
    let suppressed = quality(&mut world);
    assert_eq!((suppressed.packets_lost, suppressed.silent_ms), (0, 0));
    // Once it has spoken again, it is to be heard.
    speaks(&mut world, &mut a, 1);
    is_silent(&mut world, 10 * SECOND);
    assert!(quality(&mut world).silent_ms >= 9900);
}

#[test]
fn a_party_whose_reports_say_that_it_sends_nothing_is_not_missed() {
    for last in [Some(50), None] {
        let (mut world, _) = talking();
        report(&mut world, Some(40));
        is_silent(&mut world, 5 * SECOND);
        // What it sent before it fell silent is new in this report.
        report(&mut world, Some(50));
        is_silent(&mut world, 5 * SECOND);
        assert_eq!(quality(&mut world).silent_ms, 10_020);
        report(&mut world, last);
        is_silent(&mut world, 60 * SECOND);
        let muted = quality(&mut world);
        assert_eq!((muted.packets_lost, muted.silent_ms), (0, 0), "{last:?}");
    }
    // It sends, and nothing of it comes.
    let (mut world, _) = talking();
    for second in 0..20 {
        report(&mut world, Some(50 * second));
        is_silent(&mut world, SECOND);
    }
    assert_eq!(quality(&mut world).silent_ms, 20_020);
}

#[test]
fn on_hold_nobody_is_missed() {
    let held = |port, may_send, may_receive| PortSettings {
        may_send,
        may_receive,
        ..settings(port, Codec::Pcma)
    };
    for (port, may_send, may_receive) in [
        (A, false, true),
        (A, false, false),
        (A, true, false),
        (B, false, true),
    ] {
        let (mut world, mut a) = talking();
        let settings = held(port, may_send, may_receive);
        world.command(Command::Update { port, settings });
        is_silent(&mut world, 60 * SECOND);
        let settings = held(port, true, true);
        world.command(Command::Update { port, settings });
        is_silent(&mut world, SECOND);
        a.sequence = a.sequence.wrapping_add(61 * SECOND as u16);
        speaks(&mut world, &mut a, 2);
        assert_eq!(quality(&mut world).silent_ms, 0);
        // Then it is again.
        is_silent(&mut world, 3 * SECOND);
        assert_eq!(quality(&mut world).silent_now_ms, 3020);
    }
}

#[test]
fn before_both_have_answered_nobody_is_missed() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let connect = |world: &mut World, talk| {
        world.command(Command::Connect { a: B, b: A, talk });
    };
    connect(&mut world, false);
    is_silent(&mut world, 20 * SECOND);
    assert_eq!(quality(&mut world).silent_ms, 0);
    connect(&mut world, true);
    is_silent(&mut world, 3 * SECOND);
    assert_eq!(quality(&mut world).silent_now_ms, 2980);
    // What one lost stays lost, and who is connected to nobody is not missed.
    world.command(Command::Disconnect { port: A });
    is_silent(&mut world, 20 * SECOND);
    let quality = quality(&mut world);
    assert_eq!((quality.silent_ms, quality.silent_now_ms), (3000, 0));
}

#[test]
fn the_silence_at_the_end_of_a_call_is_told_with_its_end() {
    let (mut world, _) = talking();
    is_silent(&mut world, 5 * SECOND);
    for port in [A, B] {
        world.command(Command::Close { port });
    }
    is_silent(&mut world, 1);
    let closed = world.events().into_iter().find_map(|event| match event {
        Event::Closed { port: A, quality } => Some(quality),
        _ => None,
    });
    let closed = closed.expect("it was told to close");
    assert_eq!((closed.silent_ms, closed.silent_now_ms), (5040, 5040));
}

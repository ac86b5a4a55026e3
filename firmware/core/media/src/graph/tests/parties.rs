//! Signs of life of a party, and streams that begin anew.

use rtp::rtcp::Writer;

use super::*;

/// What was told of silence on port A.
fn silent(world: &mut World) -> Vec<u32> {
    let events = world.events().into_iter();
    let silent = events.filter_map(|event| match event {
        Event::Silent { port: A, for_ms } => Some(for_ms),
        _ => None,
    });
    silent.collect()
}

fn receiver_report(ssrc: u32) -> Vec<u8> {
    let mut packet = [0; 128];
    let mut writer = Writer::new(&mut packet);
    writer.receiver_report(Ssrc(ssrc), &[]).expect("it fits");
    writer.sdes_cname(Ssrc(ssrc), b"a").expect("it fits");
    let len = writer.finish();
    packet[..len].to_vec()
}

#[test]
fn who_sends_reports_only_is_not_silent() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    world.turn(&mut [&mut a]);
    let from = SocketAddr::new(address(A).ip(), 4001);
    for turn in 0..5000 {
        if turn % 240 == 0 {
            world.packet(A, Channel::Rtcp, from, &receiver_report(42));
        }
        world.turn(&mut []);
    }
    assert_eq!(silent(&mut world), [0; 0]);
    // Somebody else's are no sign of the party, and neither is what is no report.
    let thief = "192.0.2.66:4001".parse().expect("an address");
    for turn in 0..500 {
        if turn % 50 == 0 {
            world.packet(A, Channel::Rtcp, thief, &receiver_report(42));
            world.packet(A, Channel::Rtcp, from, &[0x80, 201, 0, 9]);
        }
        world.turn(&mut []);
    }
    assert_eq!(silent(&mut world), [5000, 10_000]);
}

#[test]
fn comfort_noise_is_a_sign_of_life_and_no_loss() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    for turn in 0..1000 {
        if turn % 100 == 0 {
            world.turn(&mut [&mut a]);
        } else if turn % 10 == 0 {
            let noise = a.packet(13, &[60], SAMPLES as u32);
            world.packet(A, Channel::Rtp, address(A), &noise);
            world.turn(&mut []);
        } else {
            world.turn(&mut []);
        }
    }
    world.command(Command::Report { port: A });
    let events = world.events();
    let told = |event: &Event| matches!(event, Event::Silent { port: A, .. });
    assert!(!events.iter().any(told));
    let quality = events.iter().find_map(|event| match event {
        Event::Report { port: A, quality } => Some(*quality),
        _ => None,
    });
    let quality = quality.expect("asked for");
    assert_eq!((quality.packets_lost, quality.packets_foreign), (0, 0));
    assert_eq!(world.rtp(B).len(), 10, "it is not passed on");
    // From anywhere but where the party speaks it is nothing.
    world.sent.clear();
    for _ in 0..300 {
        let noise = a.packet(13, &[60], SAMPLES as u32);
        world.packet(A, Channel::Rtp, address(B), &noise);
        world.turn(&mut []);
    }
    assert_eq!(silent(&mut world).len(), 1);
}

#[test]
fn a_stray_of_the_same_host_does_not_take_a_muted_party_over() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    world.turn(&mut [&mut a]);
    let mut stray = Talker::new(A, Codec::Pcma);
    stray.address.set_port(5000);
    world.sent.clear();
    for _ in 0..1000 {
        let mut octets = stray.speak();
        octets[11] = 7;
        world.packet(A, Channel::Rtp, stray.address, &octets);
        world.turn(&mut []);
    }
    assert_eq!(world.rtp(B).len(), 0);
    world.turn(&mut [&mut a]);
    assert_eq!(world.rtp(B).len(), 1);
}

#[test]
fn a_key_held_in_a_stream_that_another_one_follows_is_released() {
    let mut world = World::of(Codec::Pcma, Codec::Pcma);
    let mut a = Talker::new(A, Codec::Pcma);
    let press = |world: &mut World, a: &mut Talker, ssrc: u8, start: u32, end: bool| {
        let mut payload = [5, 10, 3, 0x20];
        payload[1] |= u8::from(end) << 7;
        let mut octets = a.event(&EventPacket {
            payload,
            marker: false,
            timestamp: RtpTime(start),
        });
        octets[11] = ssrc;
        world.packet(A, Channel::Rtp, address(A), &octets);
    };
    press(&mut world, &mut a, 1, 900_000, false);
    assert!(matches!(world.events()[..], [Event::Heard { .. }]));
    // The other stream's clock lies a little before this one's.
    a.sequence = 100;
    press(&mut world, &mut a, 2, 899_000, false);
    assert!(matches!(
        world.events()[..],
        [Event::Digit { digit: '5', .. }]
    ));
    press(&mut world, &mut a, 2, 899_000, true);
    assert!(matches!(
        world.events()[..],
        [Event::Digit { digit: '5', .. }]
    ));
}

#[test]
fn another_stream_of_a_party_is_heard_from_its_first_packet() {
    let mut world = World::of(Codec::Pcma, Codec::Pcmu);
    let mut a = Talker::new(A, Codec::Pcma);
    for _ in 0..50 {
        world.turn(&mut [&mut a]);
    }
    // Less than a second behind: the old stream's clock would call all of it late.
    a.timestamp = a.timestamp.wrapping_sub(6400);
    world.sent.clear();
    for _ in 0..20 {
        let mut octets = a.speak();
        octets[11] = 9;
        world.packet(A, Channel::Rtp, address(A), &octets);
        world.turn(&mut []);
    }
    let heard = world.heard(B, Codec::Pcmu);
    let steady = &heard[heard.len() - 2000..];
    let found = dominant_frequency(steady, 8000).expect("a tone");
    assert!((found - 1000.0).abs() < 5.0, "{found} Hz");
    assert!(tone_level_dbm0(steady, 1000.0, 8000) > -15.0);
}

#[test]
fn packets_leave_as_long_as_they_came_or_as_we_make_them() {
    for (codec, expected) in [(Codec::Pcma, vec![240; 20]), (Codec::Pcmu, vec![160; 28])] {
        let mut world = World::of(Codec::Pcma, codec);
        let mut a = Talker::new(A, Codec::Pcma);
        for turn in 0..60 {
            // A packet of 30 ms every 30 ms, as near as turns of 20 ms come.
            if turn % 3 != 2 && turn / 3 * 2 + turn % 3 < 20 {
                let octets = a.packet(8, &[0xd5; 240], 240);
                world.packet(A, Channel::Rtp, address(A), &octets);
            }
            world.turn(&mut []);
        }
        let mut lengths: Vec<usize> = (world.rtp(B).iter())
            .map(|packet| packet.payload.len())
            .collect();
        lengths.truncate(expected.len());
        assert_eq!(lengths, expected);
    }
}

#[test]
fn a_tone_goes_on_after_a_digit_in_band() {
    let mut b = settings(B, Codec::Pcma);
    b.send_event = None;
    let mut world = World::with(settings(A, Codec::Pcma), b);
    let mut a = Talker::new(A, Codec::Pcma);
    world.turn(&mut [&mut a]);
    let tone = ToneSpec::continuous(425);
    world.command(Command::Play { port: B, tone });
    press(&mut world, &mut a, '5');
    for _ in 0..50 {
        world.turn(&mut []);
    }
    world.sent.clear();
    for _ in 0..20 {
        world.turn(&mut [&mut a]);
    }
    let heard = world.heard(B, Codec::Pcma);
    let found = dominant_frequency(&heard, 8000).expect("a tone");
    assert!((found - 425.0).abs() < 5.0, "{found} Hz");
    world.command(Command::Stop { port: B });
    world.sent.clear();
    world.turn(&mut [&mut a]);
    assert_eq!(world.rtp(B).len(), 1, "the other party again");
}

//! New offers in a call: hold, resume, another codec.

use model::control::CallState;

use super::*;

#[test]
fn hold_lets_the_other_hear_a_tone_until_resumed() {
    let mut world = World::new(2);
    connected(&mut world);
    seen(&mut world, 1);
    world.take_log();
    reoffer(&mut world, 0, "8 0", "sendonly");
    let answer = world.phones[0].dialogs[0].sdp.clone().expect("an answer");
    assert!(answer.contains("a=recvonly"), "{answer}");
    assert_eq!(
        lines(&world, &["Update", "Play"]),
        ["Update 0 Pcma send=false receive=true", "Play 1"]
    );
    assert_eq!(world.switch.calls()[0].state, CallState::Held);
    world.take_log();
    reoffer(&mut world, 0, "8 0", "sendrecv");
    assert_eq!(
        lines(&world, &["Update", "Stop", "Connect"]),
        ["Update 0 Pcma send=true receive=true", "Stop 1"]
    );
    assert_eq!(world.switch.calls()[0].state, CallState::Connected);
    assert!(seen(&mut world, 1).is_empty(), "the other is not asked");
    bye(&mut world, 0, 0);
    nothing_left(&mut world);
}

#[test]
fn both_hold_and_neither_is_sent_anything() {
    let mut world = World::new(2);
    connected(&mut world);
    world.take_log();
    reoffer(&mut world, 0, "8", "sendonly");
    reoffer(&mut world, 1, "8", "inactive");
    assert_eq!(lines(&world, &["Play", "Stop"]), ["Play 1", "Stop 1"]);
    world.take_log();
    reoffer(&mut world, 0, "8", "sendrecv");
    assert_eq!(lines(&world, &["Play", "Stop"]), ["Play 0"]);
    reoffer(&mut world, 1, "8", "sendrecv");
    assert_eq!(lines(&world, &["Play", "Stop"]), ["Play 0", "Stop 0"]);
    bye(&mut world, 1, 0);
    nothing_left(&mut world);
}

#[test]
fn who_holds_may_be_silent() {
    let mut world = World::new(2);
    connected(&mut world);
    reoffer(&mut world, 0, "8", "sendonly");
    let silent = media::Event::Silent {
        port: model::PortId::new(0),
        for_ms: 600_000,
    };
    world.happen(crate::Input::Media(silent));
    assert_eq!(world.switch.calls().len(), 1);
}

#[test]
fn another_codec_in_mid_call() {
    let mut world = World::new(2);
    connected(&mut world);
    world.take_log();
    reoffer(&mut world, 0, "0", "sendrecv");
    assert_eq!(
        lines(&world, &["Update", "Connect"]),
        ["Update 0 Pcmu send=true receive=true"]
    );
    world.take_log();
    reoffer(&mut world, 0, "0", "sendrecv");
    assert_eq!(
        lines(&world, &["Update", "Connect", "Play"]),
        [""; 0],
        "a refresh"
    );
    reoffer(&mut world, 0, "18", "sendrecv");
    assert_eq!(
        seen(&mut world, 0).last().map(String::as_str),
        Some("488"),
        "refused, and the call goes on"
    );
    assert_eq!(world.switch.calls().len(), 1);
}

#[test]
fn an_offer_is_asked_for_in_mid_call() {
    let mut world = World::new(2);
    connected(&mut world);
    world.take_log();
    let invite = world.phones[0].request(0, "INVITE", "", None);
    world.send(0, invite);
    let offer = world.phones[0].dialogs[0].sdp.clone().expect("our offer");
    assert!(offer.contains("m=audio 10000 "), "{offer}");
    // The plain ACK has no answer: what was agreed holds.
    assert_eq!(world.switch.calls().len(), 1);
    reoffer(&mut world, 0, "8", "sendonly");
    assert_eq!(lines(&world, &["Play"]), ["Play 1"]);
}

#[test]
fn a_phone_that_moved_says_where_it_is_now() {
    let mut world = World::new(2);
    connected(&mut world);
    world.take_log();
    let offer = (world.phones[0].sdp("8 0", "sendrecv")).replace("10.0.1.1", "10.0.9.9");
    let invite = world.phones[0].request(0, "INVITE", "", Some(&offer));
    world.send(0, invite);
    assert_eq!(
        lines(&world, &["Update"]),
        ["Update 0 Pcma send=true receive=true"]
    );
    assert_eq!(world.remote[&0].to_string(), "10.0.9.9:4000");
}

#[test]
fn the_answer_to_a_refresh_may_say_where_it_is_now() {
    let mut world = World::new(2);
    dial(&mut world, 0, "102");
    let timer = [
        ("Session-Expires", "90;refresher=uac"),
        ("Require", "timer"),
    ];
    let sdp = world.phones[1].sdp("8", "sendrecv");
    for (host, updates) in [("10.0.1.2", 0), ("10.0.9.9", 1), ("10.0.9.9", 0)] {
        world.take_log();
        let sdp = sdp.replace("c=IN IP4 10.0.1.2", &format!("c=IN IP4 {host}"));
        let ok = world.phones[1].respond(0, 200, &timer, Some(&sdp));
        world.send(1, ok);
        assert_eq!(lines(&world, &["Update"]).len(), updates, "{host}");
        assert_eq!(world.remote[&1].to_string(), format!("{host}:4000"));
        world.pass_ms(45_000);
    }
    assert_eq!(world.switch.calls().len(), 1);
}

#[test]
fn a_phone_that_reaches_us_by_another_address_is_told_that_one() {
    let mut world = World::new(2);
    connected(&mut world);
    let mut flow = world.phones[0].flow();
    flow.local = "10.0.7.1:5060".parse().expect("an address");
    for body in [Some(world.phones[0].sdp("8 0", "sendrecv")), None] {
        let bytes = world.phones[0].request(0, "INVITE", "", body.as_deref());
        let input = sip::endpoint::Input::Datagram { flow, bytes };
        world.happen(crate::Input::Sip(input));
        let sdp = world.phones[0].dialogs[0].sdp.clone().expect("one of ours");
        assert!(sdp.contains("c=IN IP4 10.0.7.1"), "{sdp}");
    }
}

#[test]
fn hold_by_the_old_address_of_zeros() {
    let mut world = World::new(2);
    connected(&mut world);
    world.take_log();
    let offer =
        (world.phones[1].sdp("8", "sendrecv")).replace("c=IN IP4 10.0.1.2", "c=IN IP4 0.0.0.0");
    let invite = world.phones[1].request(0, "INVITE", "", Some(&offer));
    world.send(1, invite);
    assert_eq!(lines(&world, &["Play"]), ["Play 0"]);
    reoffer(&mut world, 1, "8", "sendrecv");
    assert_eq!(lines(&world, &["Stop"]), ["Stop 0"]);
}

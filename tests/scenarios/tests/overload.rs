//! The exchange can't keep up: new calls wait, calls under way go on.

use testkit::{End, World};

#[test]
fn a_short_delay_changes_nothing() {
    let mut w = World::of(["101", "102"]);
    w.load(400_000);
    w.run_for(50);
    w.load(0);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn one_late_datagram_in_a_quiet_moment_closes_nothing() {
    for wait_ms in [50, 120, 500, 900] {
        let mut w = World::of(["101", "102"]);
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.run_for(5000);
        w.load(3_000_000);
        w.run_for(wait_ms);
        w.register(b);
        let call = w.dial(a, "102");
        w.run_for(200);
        assert!(w.hears_ringing(call), "{wait_ms}");
        assert_eq!(w.at(b).registering.status, Some(200));
        assert_eq!(w.overload_refusals(), 0);
        w.finish();
    }
}

#[test]
fn a_lasting_delay_limits_calls_and_then_refuses_all() {
    let mut w = World::of(["101", "102", "103", "104"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.load_for(800_000, 600);
    let call = w.dial(w.phone("103"), "104");
    w.load_for(800_000, 300);
    assert_eq!(w.end(call), Some(End::Refused(503)));
    let busy = w
        .at(w.phone("103"))
        .inbox
        .back()
        .and_then(|msg| msg.header("Retry-After").map(str::to_owned));
    assert!(busy.is_some(), "the phone is told when to try again");
    w.assert_talk(a, b);
    w.hang_up(a);
    w.load_for(800_000, 200);
    assert!(w.is_over(b), "a call under way is ended as ever");
    w.load(0);
    w.run_for(10_000);
    w.talk(w.phone("103"), w.phone("104"));
    w.finish();
}

#[test]
fn a_phone_that_registers_during_overload_comes_back() {
    let mut w = World::of(["101", "102"]);
    let phone = w.add_phone("102");
    w.load_for(800_000, 600);
    w.register(phone);
    w.load_for(800_000, 500);
    assert_eq!(w.at(phone).registering.status, Some(503));
    w.load(0);
    w.run_for(20_000);
    assert_eq!(w.at(phone).registering.status, Some(200));
    w.finish();
}

#[test]
fn hold_and_transfer_go_on_in_overload() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.load_for(800_000, 600);
    w.hold(a);
    w.load_for(800_000, 300);
    assert_eq!(w.call(a).renegotiated, Some(200));
    w.resume(a);
    w.load_for(800_000, 300);
    w.transfer(b, "103");
    w.load_for(800_000, 300);
    let c = w.phone("103");
    if w.is_ringing(c) {
        w.answer(c);
        w.load_for(800_000, 1500);
        w.assert_talk(a, c);
    }
    w.load(0);
    w.finish();
}

#[test]
fn a_flood_of_calls_from_one_phone_leaves_the_others_alone() {
    let mut w = World::builder()
        .extensions(["101", "102", "103"])
        .ports(16)
        .build();
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    let c = w.phone("103");
    for _ in 0..100 {
        w.dial(c, "199");
        w.run_for(5);
    }
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_flood_without_credentials_costs_no_state() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    for n in 0..2000_u32 {
        let octets = format!(
            "INVITE sip:102@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKf{n}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:101@10.0.0.1>;tag={n}\r\nTo: <sip:102@10.0.0.1>\r\n\
             Call-ID: flood{n}\r\nCSeq: 1 INVITE\r\nContact: <sip:x@198.51.100.9>\r\nContent-Length: 0\r\n\r\n"
        );
        w.inject("198.51.100.9:5060".parse().unwrap(), octets.as_bytes());
        if n % 20 == 0 {
            w.run_for(1);
        }
    }
    assert_eq!(w.calls().len(), 1);
    w.run_for(400);
    w.assert_talk(a, b);
    w.finish();
    assert_eq!(w.records().len(), 1);
}

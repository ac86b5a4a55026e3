//! Phones on TCP: chunks cut anywhere, connections that break.

use model::Transport;
use testkit::{Network, PhoneId, World};

/// Two phones, those of `tcp` on TCP.
fn world(seed: u64, tcp: [bool; 2]) -> (World, PhoneId, PhoneId) {
    let mut w = World::builder()
        .extensions(["101", "102"])
        .seed(seed)
        .without_phones()
        .build();
    let (a, b) = (w.add_phone("101"), w.add_phone("102"));
    for (phone, tcp) in [(a, tcp[0]), (b, tcp[1])] {
        if tcp {
            w.set(phone, |p| p.transport = Transport::Tcp);
        }
        w.register(phone);
    }
    w.run_for(500);
    (w, a, b)
}

#[test]
fn every_flow_works_on_any_mix_of_transports() {
    for (seed, tcp) in [[true, true], [true, false], [false, true]]
        .into_iter()
        .enumerate()
    {
        let (mut w, a, b) = world(seed as u64, tcp);
        let (a, b) = w.talk(a, b);
        w.run_for(500);
        w.hold(a);
        w.run_for(300);
        w.resume(a);
        w.run_for(700);
        w.assert_talk(a, b);
        w.hang_up(b);
        w.run_for(300);
        w.dial(a.phone, "102");
        w.run_for(500);
        w.hang_up(a.phone);
        w.run_for(300);
        assert!(w.is_over(b.phone));
        w.finish();
    }
}

#[test]
fn a_connection_that_breaks_in_a_call_is_opened_again() {
    for caller in [true, false] {
        let (mut w, a, b) = world(1, [true, true]);
        let (a, b) = w.talk(a, b);
        w.run_for(500);
        let who = if caller { a } else { b };
        w.break_stream(who.phone);
        w.run_for(200);
        w.assert_talk(a, b);
        w.register(who.phone);
        w.run_for(500);
        w.hang_up(who);
        w.run_for(500);
        assert!(w.is_over(a) && w.is_over(b));
        w.finish();
    }
}

#[test]
fn a_phone_whose_connection_is_gone_is_not_waited_for() {
    let (mut w, a, b) = world(1, [false, true]);
    w.break_stream(b);
    let call = w.dial(a, "102");
    w.run_for(500);
    assert!(w.is_over(call));
    w.register(b);
    w.run_for(500);
    w.talk(a, b);
    w.finish();
}

#[test]
fn a_connection_that_breaks_while_it_rings() {
    for ms in 0..20 {
        let (mut w, a, b) = world(ms, [true, true]);
        w.set(b, |p| p.answers_after_ms = Some(10));
        w.dial(a, "102");
        w.run_for(ms);
        w.break_stream(if ms % 2 == 0 { a } else { b });
        w.run_for(500);
        w.forgiving = true;
        w.finish();
    }
}

#[test]
fn nonsense_on_a_connection_closes_it_alone() {
    let (mut w, a, b) = world(1, [true, false]);
    let c = w.add_phone("101");
    w.set(c, |p| p.transport = Transport::Tcp);
    w.register(c);
    w.run_for(500);
    w.lenient = true;
    w.forgiving = true;
    let (a, b) = w.talk(a, b);
    w.send_raw(c, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    w.run_for(300);
    w.send_raw(c, &[b'A'; 200_000]);
    w.run_for(2000);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_slow_connection() {
    let network = Network::quiet().delay_ms(400);
    let mut w = World::builder()
        .extensions(["101", "102"])
        .without_phones()
        .network(network)
        .build();
    let (a, b) = (w.add_phone("101"), w.add_phone("102"));
    for phone in [a, b] {
        w.set(phone, |p| p.transport = Transport::Tcp);
        w.register(phone);
    }
    w.run_for(5000);
    w.talk(a, b);
    w.run_for(2000);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn idle_and_slow_connections_lock_no_phone_out() {
    for said in [&b""[..], b"\r\n", b"REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: "] {
        let (mut w, a, b) = world(1, [true, true]);
        let (a, b) = w.talk(a, b);
        for n in 0..6000_u16 {
            let [high, low] = n.to_be_bytes();
            w.connect(([172, 16, high, low], 40_000).into(), said);
        }
        assert!(w.turned_away.len() > 1500, "{}", w.turned_away.len());
        let c = w.add_phone("102");
        w.set(c, |p| p.transport = Transport::Tcp);
        w.register(c);
        w.run_for(500);
        assert_eq!(w.contacts("102").len(), 2);
        w.run_for(30_000);
        assert_eq!(w.turned_away.len(), 6000, "all had half a minute");
        w.assert_talk(a, b);
        w.hang_up(a);
        w.run_for(300);
        w.dial(a.phone, "102");
        w.run_for(500);
        assert!(w.is_ringing(c));
        w.finish();
    }
}

#[test]
fn a_call_is_ended_where_its_phone_has_registered_anew() {
    let (mut w, a, b) = world(1, [true, true]);
    let (a, b) = w.talk(a, b);
    w.run_for(500);
    w.break_stream(b.phone);
    w.run_for(200);
    w.register(b.phone);
    w.run_for(500);
    w.hang_up(a);
    w.run_for(200);
    assert!(w.is_over(b), "the BYE found it");
    w.finish();
}

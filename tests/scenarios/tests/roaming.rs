//! Phones that go on elsewhere in a call: the sound follows, and nobody else takes it.

use core::net::SocketAddr;

use model::Transport;
use testkit::{Keys, Line, Method, PhoneId, State, World, assert_silence};

/// Where the phone goes on, and one more place.
const ELSEWHERE: [u8; 4] = [198, 51, 100, 20];
const FURTHER: [u8; 4] = [198, 51, 100, 30];

/// A phone at its desk talks with one that is behind NAT and will move.
fn talking(transport: Transport) -> (World, Line, Line) {
    let mut w = World::builder()
        .extensions(["101", "102", "103"])
        .without_phones()
        .build();
    let (a, b): (PhoneId, PhoneId) = (w.add_phone("101"), w.add_phone_behind_nat("102"));
    let c = w.add_phone("103");
    w.set(b, |p| p.transport = transport);
    for phone in [a, b, c] {
        w.register(phone);
    }
    w.run_for(200);
    let (a, b) = w.talk(a, b);
    w.run_for(700);
    w.assert_talk(a, b);
    (w, a, b)
}

/// The last packet's like, for whoever would go on with the stream.
fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x2a; 160]);
    packet
}

#[test]
fn a_phone_that_roams_behind_nat_is_heard_and_hears() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut w, a, b) = talking(transport);
        for place in [ELSEWHERE, FURTHER] {
            w.roam(b.phone, place);
            w.run_for(1000);
            assert_silence(&w, a);
            w.resume(b);
            w.run_for(900);
            w.assert_talk(a, b);
            let shown = w.calls()[0].legs[1].address.clone().expect("an address");
            let place = core::net::Ipv4Addr::from(place).to_string();
            assert!(shown.starts_with(&place), "{shown}");
        }
        w.finish();
    }
}

#[test]
fn any_request_of_a_phone_that_roams_takes_its_sound_along() {
    let (mut w, a, b) = talking(Transport::Udp);
    w.roam(b.phone, ELSEWHERE);
    w.run_for(1000);
    assert_silence(&w, a);
    // It does not know that its router has another address now, so it describes nothing anew.
    w.press(b, "5", Keys::Info);
    w.run_for(900);
    w.assert_talk(a, b);
    assert_eq!(w.call(a).sound.digits, "5");
    w.finish();
}

#[test]
fn a_call_that_roams_is_stolen_by_no_third_address() {
    let (mut w, a, b) = talking(Transport::Udp);
    let thief: SocketAddr = "198.51.100.66:18000".parse().unwrap();
    let old: SocketAddr = "203.0.113.11:18000".parse().unwrap();
    w.roam(b.phone, ELSEWHERE);
    w.run_for(1000);
    w.resume(b);
    // They are there first, and stay; one of them where the phone was.
    for n in 0..100 {
        w.inject_rtp(thief, b, &packet(1000 + n, 0xdead_beef));
        w.inject_rtp(old, b, &packet(2000 + n, 0xbeef_dead));
        w.run_for(20);
    }
    w.assert_talk(a, b);
    w.finish();
    assert!(w.strays.is_empty(), "nothing went to them");
}

#[test]
fn whoever_can_not_prove_to_be_the_phone_moves_no_sound() {
    let (mut w, a, b) = talking(Transport::Udp);
    let thief: SocketAddr = "198.51.100.66:5060".parse().unwrap();
    let call = w.call(b).clone();
    let tag = call.remote_tag.unwrap_or_default();
    let body = "v=0\r\no=- 1 9 IN IP4 198.51.100.66\r\ns=-\r\nc=IN IP4 198.51.100.66\r\nt=0 0\r\n\
                m=audio 18000 RTP/AVP 8\r\n";
    let offer = format!(
        "INVITE sip:102@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.66:5060;branch=z9hG4bKt\r\n\
         Max-Forwards: 70\r\nFrom: <sip:102@10.0.0.1>;tag={}\r\nTo: <sip:101@10.0.0.1>;tag={tag}\r\n\
         Call-ID: {}\r\nCSeq: 900 INVITE\r\nContact: <sip:102@198.51.100.66>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        call.local_tag,
        call.call_id,
        body.len(),
    );
    w.inject(thief, offer.as_bytes());
    for n in 0..100 {
        w.inject_rtp(
            SocketAddr::new(thief.ip(), 18000),
            b,
            &packet(1000 + n, 0xdead_beef),
        );
        w.run_for(20);
    }
    w.assert_talk(a, b);
    let refused = w.strays.pop().expect("an answer");
    assert!(String::from_utf8_lossy(&refused.1).starts_with("SIP/2.0 401"));
    assert!(w.strays.is_empty(), "nothing else went to it");
    w.finish();
}

#[test]
fn a_phone_roams_while_it_holds_the_other_and_while_it_is_held() {
    for holder in [0, 1] {
        let (mut w, a, b) = talking(Transport::Udp);
        w.hold([a, b][holder]);
        w.run_for(2000);
        w.roam(b.phone, ELSEWHERE);
        w.run_for(2000);
        w.request(b, Method::Options, &[], None);
        w.run_for(500);
        w.resume([a, b][holder]);
        w.run_for(900);
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn a_phone_that_roams_while_it_is_transferred_goes_on_with_either() {
    for answers in [true, false] {
        let (mut w, a, b) = talking(Transport::Udp);
        let c = w.phone("103");
        w.transfer(a, "103");
        w.run_for(500);
        assert!(w.is_ringing(c));
        w.roam(b.phone, ELSEWHERE);
        w.run_for(500);
        w.resume(b);
        w.run_for(500);
        if answers {
            w.answer(c);
            w.run_for(2000);
            w.assert_talk(b, c);
        } else {
            w.refuse(c, 486);
            w.run_for(2000);
            w.assert_talk(a, b);
        }
        w.restart();
        w.run_for(3000);
        for line in [a, b, Line::from(c)] {
            let state = w.at(line.phone).calls.last().map(|call| call.state);
            assert!(matches!(state, Some(State::Over(_))), "{state:?}");
        }
        w.finish();
    }
}

#[test]
fn a_crash_ends_the_call_of_a_phone_that_has_roamed() {
    for offers in [true, false] {
        let (mut w, a, b) = talking(Transport::Udp);
        w.roam(b.phone, ELSEWHERE);
        if offers {
            w.resume(b);
        } else {
            w.press(b, "5", Keys::Info);
        }
        w.run_for(900);
        w.restart();
        w.run_for(3000);
        assert!(w.is_over(a) && w.is_over(b), "{offers}");
        w.finish();
    }
}

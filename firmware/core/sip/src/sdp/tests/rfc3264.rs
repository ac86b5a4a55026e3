//! The examples of RFC 3264 §10, with us as one of the parties. We take audio alone, so lines of
//! video and separate event streams, which Bob accepts in the text, are refused here.

use super::*;

fn alice(version: u64, lines: &str) -> Vec<u8> {
    body(&format!(
        "v=0
        o=alice 2890844526 {version} IN IP4 host.anywhere.com
        s=
        c=IN IP4 host.anywhere.com
        t=0 0
        {lines}"
    ))
}

fn bob(version: u64, lines: &str) -> Vec<u8> {
    body(&format!(
        "v=0
        o=bob 2890844730 {version} IN IP4 host.example.com
        s=
        c=IN IP4 host.example.com
        t=0 0
        {lines}"
    ))
}

/// §10.1, first exchange: one audio and two video streams.
const BASIC: &str = "m=audio 49170 RTP/AVP 0
    a=rtpmap:0 PCMU/8000
    m=video 51372 RTP/AVP 31
    a=rtpmap:31 H261/90000
    m=video 53000 RTP/AVP 32
    a=rtpmap:32 MPV/90000";

#[test]
fn basic_exchange_as_bob() {
    let mut bob = leg(&[PCMU]);
    let (answer, media) = exchange(&mut bob, &alice(2_890_844_526, BASIC));
    assert_eq!(ports(&answer), [4000, 0, 0]);
    assert_eq!(formats(&answer, 0), "0");
    assert_eq!(formats(&answer, 1), "31");
    assert_eq!(formats(&answer, 2), "32");
    let media = media.unwrap();
    assert_eq!(
        media.remote_host,
        Some(("host.anywhere.com".to_owned(), 49170))
    );
    assert_eq!(media.remote, None);
    assert_eq!(media.direction, Direction::SendRecv);

    // Bob moves his audio to another port.
    bob.set_capabilities(Capabilities {
        address: at("192.0.2.1:65422"),
        ..bob.capabilities().clone()
    });
    let offer = parse(&bob.offer().unwrap());
    assert_eq!(ports(&offer), [65422, 0, 0]);
    assert_eq!(offer.origin.version, answer.origin.version + 1);
    let answered = alice(
        2_890_844_527,
        "m=audio 49170 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        m=video 0 RTP/AVP 31
        m=video 0 RTP/AVP 32",
    );
    let media = bob.answer_received(&answered).unwrap().unwrap();
    assert_eq!(media.local, at("192.0.2.1:65422"));
}

#[test]
fn basic_exchange_as_alice() {
    let mut alice = leg(&[PCMU]).with_tolerance(Tolerance::Strict);
    alice.offer().unwrap();
    let answer = bob(
        2_890_844_730,
        "m=audio 49920 RTP/AVP 0
        a=rtpmap:0 PCMU/8000",
    );
    assert!(alice.answer_received(&answer).unwrap().is_some());

    // Bob changes his port and adds a receive-only stream of telephone events.
    let offer = bob(
        2_890_844_731,
        "m=audio 65422 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        m=audio 51434 RTP/AVP 110
        a=rtpmap:110 telephone-events/8000
        a=recvonly",
    );
    let (answer, media) = exchange(&mut alice, &offer);
    assert_eq!(ports(&answer), [4000, 0]);
    assert_eq!(
        media.unwrap().remote_host,
        Some(("host.example.com".to_owned(), 65422))
    );
}

#[test]
fn one_of_n_codecs() {
    // §10.2: Alice has the memory for one codec at a time; she starts inactive with three.
    let g723 = named("G723", 8000, None);
    let g729 = named("G729", 8000, None);
    let mut alice = leg(&[PCMU, g723.clone(), g729]);
    alice.set_capabilities(Capabilities {
        direction: Direction::Inactive,
        telephone_event: false,
        ..alice.capabilities().clone()
    });
    let mut bob = Negotiation::new(
        2002,
        Capabilities {
            address: at("192.0.2.2:54344"),
            telephone_event: false,
            ..capabilities(&[PCMU, g723.clone()])
        },
    );

    let offer = alice.offer().unwrap();
    assert_eq!(formats(&parse(&offer), 0), "0 4 18");
    let (answer, media) = exchange(&mut bob, &offer);
    assert_eq!(formats(&answer, 0), "0 4");
    assert_eq!(media.unwrap().direction, Direction::Inactive);
    let media = alice.answer_received(&answer.to_bytes()).unwrap().unwrap();
    assert_eq!(media.direction, Direction::Inactive);
    assert_eq!(media.send.codec, PCMU);

    // She picks G.723 and makes the stream active.
    alice.set_capabilities(Capabilities {
        codecs: vec![g723.clone()],
        direction: Direction::SendRecv,
        ..alice.capabilities().clone()
    });
    let offer = alice.offer().unwrap();
    assert_eq!(formats(&parse(&offer), 0), "4");
    assert_eq!(parse(&offer).origin.version, 2);
    let (answer, media) = exchange(&mut bob, &offer);
    assert_eq!(formats(&answer, 0), "4");
    assert_eq!(answer.origin.version, 2);
    assert_eq!(media.unwrap().direction, Direction::SendRecv);
    let media = alice.answer_received(&answer.to_bytes()).unwrap().unwrap();
    assert_eq!((media.send.codec, media.send.payload_type), (g723, 4));
    assert_eq!(media.direction, Direction::SendRecv);
}

/// §8: "the new SDP MUST contain a matching media stream for each in the previous". §5 allows an offer
/// without any only where the session has none yet.
#[test]
fn an_offer_without_lines_takes_no_line_away() {
    let mut bob = leg(&[PCMU]);
    let first = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 0");
    let (_, media) = exchange(&mut bob, &first);
    assert!(media.is_some());
    let error = bob.offer_received(&body("v=0")).unwrap_err();
    let (expected, found) = (1, 0);
    assert_eq!(error, NegotiationError::LineMismatch { expected, found });
    assert_eq!(error.status(), 488);
    assert_eq!(
        bob.current(),
        media.as_ref(),
        "what was agreed before holds"
    );
    let (_, again) = exchange(&mut bob, &first);
    assert_eq!(again, media);
}

/// RFC 4028 §7.4: a refresh by re-INVITE says again what was said last, offer or answer; its answer may
/// say something new (§8).
#[test]
fn the_answer_to_a_refresh_may_change_what_is_agreed() {
    for we_answered in [true, false] {
        let mut bob = leg(&[PCMU, PCMA]);
        let first = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 8 0");
        if we_answered {
            exchange(&mut bob, &first);
        } else {
            bob.offer().unwrap();
            bob.answer_received(&first).unwrap();
        }
        let before = bob.current().cloned();
        assert_eq!(bob.refresh_answered(&first), Ok(false), "{we_answered}");
        let moved = body("v=0\nc=IN IP4 192.0.2.10\nm=audio 6000 RTP/AVP 8 0\na=recvonly");
        assert_eq!(bob.refresh_answered(&moved), Ok(true), "{we_answered}");
        let media = bob.current().unwrap();
        assert_eq!(media.remote, Some(at("192.0.2.10:6000")));
        assert_eq!(media.direction, Direction::SendOnly);
        assert_eq!(media.receive, before.unwrap().receive);
        assert!(bob.refresh_answered(b"nonsense").is_err());
        assert_eq!(bob.current().unwrap().remote, Some(at("192.0.2.10:6000")));
    }
}

/// Who holds us hears nothing of us: the refresh does not offer to send, and so its answer can't tell.
#[test]
fn a_refresh_does_not_end_a_hold() {
    let mut bob = leg(&[PCMU]);
    let hold = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 0\na=sendonly");
    exchange(&mut bob, &hold);
    assert!(bob.current().unwrap().held_by_remote);
    let moved = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 6000 RTP/AVP 0\na=sendonly");
    assert_eq!(bob.refresh_answered(&moved), Ok(true));
    let media = bob.current().unwrap();
    assert!(media.held_by_remote);
    assert_eq!(media.direction, Direction::RecvOnly);
    assert_eq!(
        leg(&[PCMU]).refresh_answered(&moved),
        Err(NegotiationError::NothingPending)
    );
}

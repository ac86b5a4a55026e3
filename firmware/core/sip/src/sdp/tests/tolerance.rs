//! Answers that break the rules: what the tolerant side makes of them, and what the strict one says.

use super::*;

/// Offers PCMA (8), PCMU (0), iLBC (96) and telephone events (101), and takes this answer.
fn answered(tolerance: Tolerance, lines: &str) -> Result<Option<Negotiated>, NegotiationError> {
    let mut leg = leg(&[PCMA, PCMU, named("iLBC", 8000, None)]).with_tolerance(tolerance);
    let offer = parse(&leg.offer().unwrap());
    assert_eq!(formats(&offer, 0), "8 0 96 101");
    let result = leg.answer_received(&body(&format!("v=0\nc=IN IP4 192.0.2.9\n{lines}")));
    assert_eq!(leg.offer_pending(), result.is_err());
    if result.is_err() {
        assert_eq!(leg.current(), None);
    }
    result
}

fn tolerant(lines: &str) -> Negotiated {
    answered(Tolerance::Tolerant, lines).unwrap().unwrap()
}

#[test]
fn changed_payload_types() {
    let lines = "m=audio 5000 RTP/AVP 110 97
        a=rtpmap:110 iLBC/8000
        a=rtpmap:97 telephone-event/8000";
    let media = tolerant(lines);
    assert_eq!(media.send.payload_type, 110);
    // Ours first; then the rest of our offer; then their number, in case they use it.
    assert_eq!(payload_types(&media.receive), [96, 8, 0, 110]);
    assert_eq!(
        media.telephone_event,
        Some(TelephoneEvents {
            send_payload_type: 97,
            receive_payload_type: 101
        })
    );
    let strict = answered(Tolerance::Strict, lines).unwrap().unwrap();
    assert_eq!(payload_types(&strict.receive), [96]);
}

#[test]
fn codecs_that_were_not_offered() {
    let lines = "m=audio 5000 RTP/AVP 18 9 0 97\na=rtpmap:97 opus/48000/2";
    let media = tolerant(lines);
    assert_eq!(
        media.send,
        CodecChoice {
            codec: PCMU,
            payload_type: 0
        }
    );
    assert_eq!(
        answered(Tolerance::Strict, lines),
        Err(NegotiationError::ForeignCodec)
    );
    // None of them offered: no call.
    let none = answered(Tolerance::Tolerant, "m=audio 5000 RTP/AVP 18 101");
    assert_eq!(none, Err(NegotiationError::NoCommonCodec));
}

#[test]
fn several_codecs_first_is_sent_any_may_arrive() {
    for tolerance in [Tolerance::Strict, Tolerance::Tolerant] {
        let media = answered(tolerance, "m=audio 5000 RTP/AVP 0 8")
            .unwrap()
            .unwrap();
        assert_eq!(media.send.codec, PCMU);
        assert_eq!(media.received(0), Some(&PCMU));
        assert_eq!(media.received(8), Some(&PCMA));
        assert_eq!(media.received(18), None);
        assert_eq!(media.telephone_event, None);
    }
}

#[test]
fn missing_rtpmaps() {
    // Our own dynamic numbers come back without a word.
    let media = tolerant("m=audio 5000 RTP/AVP 96 101");
    assert_eq!(media.send.codec.encoding_name(), "iLBC");
    assert!(media.telephone_event.is_some());
}

#[test]
fn too_few_and_too_many_lines() {
    let mut leg = leg(&[PCMA]);
    let first = body("v=0\nc=IN IP4 192.0.2.9\nm=video 6000 RTP/AVP 31\nm=audio 5000 RTP/AVP 8");
    exchange(&mut leg, &first);
    leg.offer().unwrap();
    // The video line is left out of the answer, so audio is not where it was.
    let media = leg
        .answer_received(&body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5002 RTP/AVP 8"))
        .unwrap()
        .unwrap();
    assert_eq!(media.remote, Some(at("192.0.2.9:5002")));
    assert_eq!(ports(&parse(&leg.offer().unwrap())), [0, 4000]);

    let lines = "m=audio 5000 RTP/AVP 8\nm=video 0 RTP/AVP 31\nm=audio 5004 RTP/AVP 0";
    assert_eq!(tolerant(lines).remote, Some(at("192.0.2.9:5000")));
    assert_eq!(
        answered(Tolerance::Strict, lines),
        Err(NegotiationError::LineMismatch {
            expected: 1,
            found: 3
        })
    );
    // Nothing at all is a refusal.
    assert_eq!(answered(Tolerance::Tolerant, ""), Ok(None));
    assert_eq!(
        answered(Tolerance::Tolerant, "m=video 6000 RTP/AVP 31"),
        Ok(None)
    );
    assert_eq!(
        answered(Tolerance::Strict, "m=video 6000 RTP/AVP 31"),
        Err(NegotiationError::NoAudio)
    );
}

#[test]
fn a_shrunken_offer_is_answered_as_it_is() {
    let mut leg = leg(&[PCMA]);
    let two = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 8\nm=video 6000 RTP/AVP 31");
    exchange(&mut leg, &two);
    let one = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 8");
    let (answer, _) = exchange(&mut leg, &one);
    assert_eq!(ports(&answer), [4000]);
}

#[test]
fn a_second_answer_replaces_the_first() {
    // 183 from the announcement, 200 from the phone, with different descriptions.
    let early = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 8");
    let late = body("v=0\nc=IN IP4 192.0.2.10\nm=audio 6000 RTP/AVP 0");
    let mut leg = leg(&[PCMA, PCMU]);
    leg.offer().unwrap();
    leg.answer_received(&early).unwrap();
    let media = leg.answer_received(&late).unwrap().unwrap();
    assert_eq!(
        (media.remote, &media.send.codec),
        (Some(at("192.0.2.10:6000")), &PCMU)
    );
    assert_eq!(leg.current(), Some(&media));
    // A useless one after it changes nothing.
    assert!(
        leg.answer_received(b"v=0\r\nm=audio 1 RTP/AVP 18\r\nc=IN IP4 192.0.2.9")
            .is_err()
    );
    assert_eq!(leg.current(), Some(&media));

    let mut strict = super::leg(&[PCMA, PCMU]).with_tolerance(Tolerance::Strict);
    strict.offer().unwrap();
    strict.answer_received(&early).unwrap();
    assert_eq!(
        strict.answer_received(&late),
        Err(NegotiationError::NothingPending)
    );
}

#[test]
fn an_unusable_answer_changes_nothing() {
    let mut leg = leg(&[PCMA]);
    let good = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 8");
    leg.offer().unwrap();
    let agreed = leg.answer_received(&good).unwrap();
    for bad in [
        "garbage",
        "v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 18",
        "v=0\nc=IN IP6 2001:db8::9\nm=audio 5000 RTP/AVP 8",
        "v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/SAVP 8",
    ] {
        leg.offer().unwrap();
        assert!(leg.answer_received(&body(bad)).is_err(), "{bad}");
        assert_eq!(leg.pending(), PendingOffer::Ours);
        assert_eq!(leg.current(), agreed.as_ref());
        leg.rollback();
        assert_eq!(leg.current(), agreed.as_ref());
    }
}

#[test]
fn a_direction_for_the_whole_session_and_a_missing_connection() {
    let mut leg = leg(&[PCMA]);
    let offer = body("v=0\no=- 1 1 IN IP4 192.0.2.9\na=sendonly\nm=audio 5000 RTP/AVP 8");
    let (_, media) = exchange(&mut leg, &offer);
    let media = media.unwrap();
    assert_eq!(media.direction, Direction::RecvOnly);
    assert_eq!(media.remote, Some(at("192.0.2.9:5000")));
}

/// RFC 5761 §4: with the marker set, 64 to 95 are RTCP.
#[test]
fn a_payload_type_that_looks_like_rtcp_is_not_used() {
    let mut bob = leg(&[named("iLBC", 8000, None), PCMU]);
    let offer = |pt: u8, more: &str| {
        body(&format!(
            "v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP {pt} 72{more}
            a=rtpmap:{pt} iLBC/8000\na=rtpmap:72 telephone-event/8000"
        ))
    };
    for taken in [63, 96] {
        let media = exchange(&mut bob.clone(), &offer(taken, " 0")).1.unwrap();
        assert_eq!(payload_types(&media.receive), [taken, 0]);
        assert_eq!(media.telephone_event, None);
    }
    for left in [64, 95] {
        let media = exchange(&mut bob.clone(), &offer(left, " 0")).1.unwrap();
        assert_eq!(payload_types(&media.receive), [0]);
        assert_eq!(
            bob.offer_received(&offer(left, "")).unwrap_err(),
            NegotiationError::NoCommonCodec
        );
    }
    let answer = "m=audio 5000 RTP/AVP 70 0\na=rtpmap:70 iLBC/8000";
    assert_eq!(tolerant(answer).send.payload_type, 0);
}

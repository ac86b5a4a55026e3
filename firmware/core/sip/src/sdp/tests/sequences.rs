//! Hold, resume, re-offers, refusals and glare: what happens after the first exchange.

use super::*;

/// Two legs of ours that talk to each other, A at port 4000 and B at port 5000.
struct Pair {
    a: Negotiation,
    b: Negotiation,
}

impl Pair {
    fn new(a: &[MediaCodec], b: &[MediaCodec]) -> Self {
        let b = Capabilities {
            address: at("192.0.2.2:5000"),
            ..capabilities(b)
        };
        Self {
            a: leg(a).with_tolerance(Tolerance::Strict),
            b: Negotiation::new(2002, b).with_tolerance(Tolerance::Strict),
        }
    }

    /// A connected pair with both codecs.
    fn connected() -> Self {
        let mut pair = Self::new(&[PCMA, PCMU], &[PCMA, PCMU]);
        pair.a_offers();
        pair
    }

    fn a_offers(&mut self) -> (Direction, Direction) {
        Self::run(&mut self.a, &mut self.b)
    }

    fn b_offers(&mut self) -> (Direction, Direction) {
        let (b, a) = Self::run(&mut self.b, &mut self.a);
        (a, b)
    }

    /// Directions after the exchange: of the offerer, of the answerer.
    fn run(from: &mut Negotiation, to: &mut Negotiation) -> (Direction, Direction) {
        let offer = from.offer().unwrap();
        to.offer_received(&offer).unwrap();
        let answered = to.answer().unwrap();
        let ours = from.answer_received(&answered.body).unwrap().unwrap();
        let theirs = answered.media.unwrap();
        assert_eq!(ours.direction, theirs.direction.reversed());
        assert_eq!(ours.remote, Some(theirs.local).filter(|_| from_hears(to)));
        (ours.direction, theirs.direction)
    }
}

/// `leg` told a real address.
fn from_hears(leg: &Negotiation) -> bool {
    leg.hold() != Hold::ZeroAddress
}

use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

#[test]
fn hold_resume_and_hold_again() {
    let mut pair = Pair::connected();
    for _ in 0..2 {
        pair.a.set_hold(Hold::SendOnly);
        assert_eq!(pair.a_offers(), (SendOnly, RecvOnly));
        pair.a.set_hold(Hold::No);
        assert_eq!(pair.a_offers(), (SendRecv, SendRecv));
    }
    // Each of the five offers differed from the one before.
    assert_eq!(pair.a.local_description().unwrap().origin.version, 5);
    assert_eq!(pair.b.local_description().unwrap().origin.version, 5);
}

#[test]
fn both_hold_and_resume_one_after_the_other() {
    let mut pair = Pair::connected();
    pair.a.set_hold(Hold::SendOnly);
    assert_eq!(pair.a_offers(), (SendOnly, RecvOnly));
    pair.b.set_hold(Hold::SendOnly);
    assert_eq!(pair.b_offers(), (Inactive, Inactive));
    pair.a.set_hold(Hold::No);
    assert_eq!(pair.a_offers(), (RecvOnly, SendOnly));
    pair.b.set_hold(Hold::No);
    assert_eq!(pair.b_offers(), (SendRecv, SendRecv));
}

#[test]
fn a_refresh_by_the_held_side_does_not_end_the_hold() {
    let mut pair = Pair::connected();
    pair.a.set_hold(Hold::SendOnly);
    pair.a_offers();
    assert_eq!(pair.b_offers(), (SendOnly, RecvOnly));
    assert!(pair.b.current().unwrap().held_by_remote);
}

#[test]
fn hold_without_music_and_hold_of_the_old_way() {
    let mut pair = Pair::connected();
    pair.a.set_hold(Hold::Inactive);
    assert_eq!(pair.a_offers(), (Inactive, Inactive));
    assert!(!pair.a.current().unwrap().held_by_remote);
    assert!(pair.b.current().unwrap().held_by_remote);
    pair.a.set_hold(Hold::ZeroAddress);
    let offer = parse(&pair.a.offer().unwrap());
    assert!(offer.connection.as_ref().unwrap().address.is_unspecified());
    pair.a.rollback();
    let (ours, theirs) = pair.a_offers();
    assert_eq!((ours, theirs), (SendOnly, RecvOnly));
    assert_eq!(pair.b.current().unwrap().remote, None);
    pair.a.set_hold(Hold::No);
    assert_eq!(pair.a_offers(), (SendRecv, SendRecv));
    assert_eq!(pair.b.current().unwrap().remote, Some(at("192.0.2.1:4000")));
}

#[test]
fn hold_the_old_way_on_ipv6() {
    let mut phone = leg(&[PCMA]);
    phone.set_capabilities(Capabilities {
        address: at("[2001:db8::1]:4000"),
        ..phone.capabilities().clone()
    });
    phone.set_hold(Hold::ZeroAddress);
    let offer = String::from_utf8(phone.offer().unwrap().to_vec()).unwrap();
    assert!(offer.contains("c=IN IP6 ::\r\n"), "{offer}");
    assert!(offer.contains("IN IP6 2001:db8::1\r\n"), "{offer}");
    // And the other way: a leg with both families takes it.
    let (_, media) = exchange(&mut leg(&[PCMA]), offer.as_bytes());
    assert_eq!(media.unwrap().remote, None);
}

#[test]
fn the_version_stays_where_nothing_changes() {
    let mut pair = Pair::connected();
    for _ in 0..3 {
        pair.a_offers();
        pair.b_offers();
    }
    assert_eq!(pair.a.local_description().unwrap().origin.version, 1);
    assert_eq!(pair.b.local_description().unwrap().origin.version, 1);
}

#[test]
fn a_refused_offer_leaves_everything_as_it_was() {
    let mut pair = Pair::connected();
    let before = pair.a.current().cloned();
    pair.a.set_hold(Hold::SendOnly);
    pair.a.offer().unwrap();
    assert_eq!(pair.a.pending(), PendingOffer::Ours);
    // 488 or 491 came back.
    pair.a.rollback();
    pair.a.set_hold(Hold::No);
    assert_eq!(pair.a.pending(), PendingOffer::None);
    assert_eq!(pair.a.current().cloned(), before);
    // The refused description had version 2; the next one must not be older.
    assert_eq!(parse(&pair.a.offer().unwrap()).origin.version, 3);
}

#[test]
fn glare_is_told_and_changes_nothing() {
    let mut pair = Pair::connected();
    let ours = pair.a.offer().unwrap();
    let theirs = pair.b.offer().unwrap();
    let refused = pair.a.offer_received(&theirs).unwrap_err();
    assert_eq!(
        (refused.clone(), refused.status()),
        (NegotiationError::OurOfferPending, 491)
    );
    assert_eq!(pair.b.offer_received(&ours).unwrap_err().status(), 491);
    assert_eq!(pair.a.offer(), Err(NegotiationError::OurOfferPending));
    pair.b.rollback();
    pair.b.offer_received(&ours).unwrap();
    assert!(pair.b.offer_pending());
    // A second offer before the answer: RFC 3261 §14.2.
    assert_eq!(pair.b.offer_received(&ours).unwrap_err().status(), 500);
    assert_eq!(pair.b.offer(), Err(NegotiationError::TheirOfferPending));
    let answer = pair.b.answer().unwrap().body;
    assert!(pair.a.answer_received(&answer).unwrap().is_some());
}

/// Before the call is answered one that can't be used says little: the 200 has another.
#[test]
fn an_answer_that_makes_no_sense_leaves_room_for_one_that_does() {
    let mut pair = Pair::new(&[PCMA], &[PCMA]);
    let offer = pair.a.offer().unwrap();
    pair.b.offer_received(&offer).unwrap();
    let answer = pair.b.answer().unwrap().body;
    let text = core::str::from_utf8(&answer).unwrap();
    for bad in [
        "",
        "v=1",
        "v=0\r\n",
        &text.replace("RTP/AVP 8", "RTP/AVP 77"),
    ] {
        assert!(pair.a.answer_received(bad.as_bytes()).is_err(), "{bad}");
        assert_eq!(pair.a.pending(), PendingOffer::Ours);
    }
    assert!(pair.a.answer_received(&answer).unwrap().is_some());
    assert_eq!(pair.a.pending(), PendingOffer::None);
}

#[test]
fn answers_and_offers_out_of_turn() {
    let mut pair = Pair::connected();
    assert_eq!(pair.b.answer(), Err(NegotiationError::NothingPending));
    let answer = pair.b.local_description().unwrap().to_bytes();
    // The same answer again, as 183 and 200 bring it.
    assert_eq!(
        pair.a.answer_received(&answer).unwrap().as_ref(),
        pair.a.current()
    );
    // B never offered anything.
    assert_eq!(
        pair.b.answer_received(&answer),
        Err(NegotiationError::NothingPending)
    );
    let offer = pair.a.offer().unwrap();
    pair.b.offer_received(&offer).unwrap();
    assert_eq!(
        pair.b.answer_received(&answer),
        Err(NegotiationError::NothingPending)
    );
    assert_eq!(pair.b.pending(), PendingOffer::Theirs);
}

#[test]
fn an_unacceptable_offer_is_refused_before_it_rings() {
    let mut leg = leg(&[PCMA]);
    let offer = |lines: &str| body(&format!("v=0\nc=IN IP4 192.0.2.9\n{lines}"));
    for (lines, error) in [
        ("m=video 4000 RTP/AVP 31", NegotiationError::NoAudio),
        ("m=audio 0 RTP/AVP 8", NegotiationError::NoAudio),
        ("m=audio 4000 RTP/AVP 0", NegotiationError::NoCommonCodec),
        (
            "m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000",
            NegotiationError::NoCommonCodec,
        ),
        (
            "m=audio 4000 RTP/SAVP 8",
            NegotiationError::UnsupportedTransport,
        ),
        (
            "m=audio 4000 RTP/AVP 8\nc=IN IP6 2001:db8::9",
            NegotiationError::UnsupportedAddress,
        ),
        (
            "m=audio 4000 RTP/AVP 8\nc=IN IP4 239.1.1.1/15",
            NegotiationError::UnsupportedAddress,
        ),
        (
            "m=audio 4000 RTP/SAVP 8\nm=audio 4002 RTP/AVP 0",
            NegotiationError::NoCommonCodec,
        ),
    ] {
        let refused = leg.offer_received(&offer(lines)).unwrap_err();
        assert_eq!((refused.clone(), refused.status()), (error, 488), "{lines}");
        assert_eq!(leg.pending(), PendingOffer::None);
    }
    assert_eq!(leg.offer_received(b"nonsense").unwrap_err().status(), 400);
    assert_eq!(leg.local_description(), None);
}

#[test]
fn codecs_may_shrink_between_offer_and_answer() {
    let mut b = leg(&[PCMA, PCMU]);
    b.offer_received(&body("v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 0 8"))
        .unwrap();
    b.set_capabilities(capabilities(&[named("G729", 8000, None)]));
    assert_eq!(b.answer(), Err(NegotiationError::NoCommonCodec));
    assert_eq!(b.pending(), PendingOffer::Theirs);
    b.set_capabilities(capabilities(&[PCMA]));
    assert_eq!(b.answer().unwrap().media.unwrap().send.codec, PCMA);
}

#[test]
fn lines_keep_their_places_and_may_come_back() {
    let mut leg = leg(&[PCMA]).with_tolerance(Tolerance::Strict);
    let offer = |video: u16, audio: u16| {
        body(&format!(
            "v=0
            c=IN IP4 192.0.2.9
            m=video {video} RTP/AVP 31
            m=image 0 udptl t38
            m=audio {audio} RTP/AVP 8"
        ))
    };
    let (answer, _) = exchange(&mut leg, &offer(5000, 5002));
    assert_eq!(ports(&answer), [0, 0, 4000]);
    assert_eq!(formats(&answer, 1), "t38");

    // Audio is switched off, and on again.
    let (answer, media) = exchange(&mut leg, &offer(5000, 0));
    assert_eq!((ports(&answer), media), (vec![0, 0, 0], None));
    assert_eq!(leg.current(), None);
    let (answer, media) = exchange(&mut leg, &offer(0, 5004));
    assert_eq!(ports(&answer), [0, 0, 4000]);
    assert_eq!(media.unwrap().remote, Some(at("192.0.2.9:5004")));

    // Our own offer keeps all lines, in their order and transport.
    let ours = parse(&leg.offer().unwrap());
    assert_eq!(ports(&ours), [0, 0, 4000]);
    assert_eq!(ours.media[1].protocol.name(), "udptl");
    leg.rollback();

    // RFC 3264 §8: lines can't be taken away.
    let fewer = body("v=0\nc=IN IP4 192.0.2.9\nm=video 0 RTP/AVP 31\nm=audio 5004 RTP/AVP 8");
    assert_eq!(
        leg.offer_received(&fewer).unwrap_err(),
        NegotiationError::LineMismatch {
            expected: 3,
            found: 2
        }
    );
}

#[test]
fn a_line_switched_off_in_another_transport_comes_back_in_ours() {
    let mut leg = leg(&[PCMA]);
    let offer = |line: &str| body(&format!("v=0\nc=IN IP4 192.0.2.9\nm=audio {line} 8"));
    let (answer, _) = exchange(&mut leg, &offer("5000 RTP/AVPF"));
    assert_eq!(answer.media[0].protocol, Protocol::RtpAvpf);
    let (_, media) = exchange(&mut leg, &offer("0 RTP/SAVP"));
    assert_eq!(media, None);
    assert_eq!(
        parse(&leg.offer().unwrap()).media[0].protocol,
        Protocol::RtpAvp
    );
}

#[test]
fn the_far_end_may_refuse_our_stream() {
    let mut leg = leg(&[PCMA]);
    leg.offer().unwrap();
    let refused = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 0 RTP/AVP 8");
    assert_eq!(leg.answer_received(&refused), Ok(None));
    assert_eq!(leg.current(), None);
    // We may offer it again, in its place.
    assert_eq!(ports(&parse(&leg.offer().unwrap())), [4000]);
}

#[test]
fn payload_types_keep_their_meaning_through_the_session() {
    let (opus, ilbc) = (
        named("opus", 48000, Some("useinbandfec=1")),
        named("iLBC", 8000, None),
    );
    let mut leg = leg(&[ilbc.clone(), PCMA]);
    let (answer, _) = exchange(
        &mut leg,
        &body(
            "v=0
            c=IN IP4 192.0.2.9
            m=audio 5000 RTP/AVP 98 8 96
            a=rtpmap:98 iLBC/8000
            a=rtpmap:96 telephone-event/8000",
        ),
    );
    assert_eq!(formats(&answer, 0), "98 8 96");
    // Our offer adds a codec: the old ones keep their numbers, the new one gets a free one.
    leg.set_capabilities(capabilities(&[opus, PCMA, ilbc]));
    let offer = parse(&leg.offer().unwrap());
    assert_eq!(formats(&offer, 0), "97 8 98 96");
    assert_eq!(offer.media[0].fmtp(97), Some("useinbandfec=1"));
    assert_eq!(offer.media[0].fmtp(96), Some("0-16"));
}

#[test]
fn a_static_number_that_the_far_end_gave_away_is_not_used_twice() {
    let ilbc = named("iLBC", 8000, None);
    let mut leg = leg(&[ilbc, PCMU]);
    let odd = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 0\na=rtpmap:0 iLBC/8000");
    let (answer, _) = exchange(&mut leg, &odd);
    assert_eq!(formats(&answer, 0), "0");
    assert_eq!(formats(&parse(&leg.offer().unwrap()), 0), "0 96 101");
}

#[test]
fn order_and_preference_of_the_answer() {
    let offer = body("v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 0 8 18");
    let g729 = named("G729", 8000, None);
    let answer = |change: &dyn Fn(&mut Capabilities)| {
        let mut own = capabilities(&[g729.clone(), PCMA, PCMU]);
        change(&mut own);
        let mut leg = Negotiation::new(1, own);
        let (answer, media) = exchange(&mut leg, &offer);
        assert_eq!(
            media.unwrap().send.payload_type.to_string(),
            answer.media[0].formats[0]
        );
        formats(&answer, 0)
    };
    assert_eq!(answer(&|_| {}), "0 8 18");
    assert_eq!(answer(&|own| own.order = CodecOrder::Ours), "18 8 0");
    assert_eq!(answer(&|own| own.preferred = Some(PCMA)), "8 0 18");
    assert_eq!(answer(&|own| own.answer_with_one = true), "0");
    assert_eq!(
        answer(&|own| {
            own.preferred = Some(named("opus", 48000, None));
            own.order = CodecOrder::Ours;
            own.answer_with_one = true;
        }),
        "18"
    );
}

#[test]
fn packets_are_as_long_as_the_far_end_wants() {
    let ptime = |attributes: &str| {
        let offer = body(&format!(
            "v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 8\n{attributes}"
        ));
        exchange(&mut leg(&[PCMA]), &offer).1.unwrap().ptime_ms
    };
    assert_eq!(ptime(""), 20);
    assert_eq!(ptime("a=ptime:30"), 30);
    assert_eq!(ptime("a=ptime:25"), 20);
    assert_eq!(ptime("a=ptime:0"), 20);
    assert_eq!(ptime("a=ptime:5"), 10);
    assert_eq!(ptime("a=ptime:65535"), 60);
    assert_eq!(ptime("a=ptime:40\na=maxptime:30"), 30);
    assert_eq!(ptime("a=maxptime:10"), 10);
}

#[test]
fn where_rtcp_goes() {
    let rtcp = |attributes: &str, mux: bool| {
        let offer = body(&format!(
            "v=0\nc=IN IP4 192.0.2.9\nm=audio 5000 RTP/AVP 8\n{attributes}"
        ));
        let mut leg = leg(&[PCMA]);
        leg.set_capabilities(Capabilities {
            rtcp_mux: mux,
            ..capabilities(&[PCMA])
        });
        let (answer, media) = exchange(&mut leg, &offer);
        let media = media.unwrap();
        assert_eq!(answer.media[0].rtcp_mux(), media.rtcp_mux);
        (media.remote_rtcp, media.rtcp_mux)
    };
    assert_eq!(rtcp("", true), (Some(at("192.0.2.9:5001")), false));
    assert_eq!(
        rtcp("a=rtcp:7000", true),
        (Some(at("192.0.2.9:7000")), false)
    );
    let elsewhere = "a=rtcp:7000 IN IP4 192.0.2.10";
    assert_eq!(rtcp(elsewhere, true), (Some(at("192.0.2.10:7000")), false));
    assert_eq!(rtcp("a=rtcp-mux", true), (Some(at("192.0.2.9:5000")), true));
    assert_eq!(
        rtcp("a=rtcp-mux", false),
        (Some(at("192.0.2.9:5001")), false)
    );
}

#[test]
fn the_family_of_the_offer_picks_our_address() {
    let mut leg = leg(&[PCMA]);
    leg.set_capabilities(Capabilities {
        alternative: Some(at("[2001:db8::1]:4000")),
        ..capabilities(&[PCMA])
    });
    let offer = body("v=0\nc=IN IP6 2001:db8::9\nm=audio 5000 RTP/AVP 8");
    let (answer, media) = exchange(&mut leg, &offer);
    let media = media.unwrap();
    assert_eq!(media.local, at("[2001:db8::1]:4000"));
    assert_eq!(media.remote, Some(at("[2001:db8::9]:5000")));
    assert_eq!(
        answer.connection.unwrap().address.ip(),
        Some(media.local.ip())
    );
    // A later offer of ours stays in that family.
    let offer = parse(&leg.offer().unwrap());
    assert_eq!(
        offer.connection.unwrap().address.ip(),
        Some(media.local.ip())
    );
}

#[test]
fn an_offer_needs_a_codec() {
    assert_eq!(leg(&[]).offer(), Err(NegotiationError::NoCommonCodec));
    let mut doubled = leg(&[PCMA, PCMA, PCMU]);
    assert_eq!(formats(&parse(&doubled.offer().unwrap()), 0), "8 0 101");
    let many: Vec<_> = (0..40)
        .map(|n| named(&format!("X{n}"), 8000, None))
        .collect();
    let offer = parse(&leg(&many).offer().unwrap());
    assert_eq!(offer.media[0].formats.len(), Capabilities::MAX_CODECS + 1);
}

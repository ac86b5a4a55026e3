//! What holds for every input: no panic, print and parse agree, two of our own agree.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// The same cases in every run; `PROPTEST_CASES` asks for more than 256.
fn seeded() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(3264),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Lines from which descriptions are put together.
const LINES: [&str; 40] = [
    "v=0",
    "o=- 1 1 IN IP4 192.0.2.9",
    "o=a b 7 99999999999999999999 IN IP6 ::1",
    "s=-",
    "s= ",
    "t=0 0",
    "c=IN IP4 192.0.2.9",
    "c=IN IP4 0.0.0.0",
    "c=IN IP6 2001:db8::9",
    "c=IN IP4 host.example",
    "c=IN IP4 224.2.1.1/127",
    "c=ATM NSAP 47.0091",
    "m=audio 5000 RTP/AVP 8 0 101",
    "m=audio 5002 RTP/AVP 0 96 97",
    "m=audio 0 RTP/AVP 8",
    "m=audio 5004 RTP/SAVP 8",
    "m=audio 65535 RTP/AVPF 8",
    "m=video 6000 RTP/AVP 31",
    "m=image 0 udptl t38",
    "m=audio 5006/2 RTP/AVP 8",
    "a=rtpmap:96 iLBC/8000",
    "a=rtpmap:97 telephone-event/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=rtpmap:8 PCMA/8000/1",
    "a=rtpmap:0 X/1",
    "a=fmtp:96 mode=20",
    "a=fmtp:101 0-15",
    "a=ptime:30",
    "a=maxptime:5",
    "a=sendrecv",
    "a=sendonly",
    "a=recvonly",
    "a=inactive",
    "a=rtcp:7000 IN IP4 192.0.2.8",
    "a=rtcp-mux",
    "a=mid:x",
    "a=crypto:1 X inline:y",
    "a=foo: bar ",
    "b=AS:64",
    "x=\u{20ac} odd",
];

/// Mostly sensible text.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => prop::sample::select(&LINES[..]).prop_map(str::to_owned),
        1 => "[a-z]=[ -~]{0,30}",
        1 => "a=(rtpmap|fmtp|rtcp|ptime|candidate|mid)[: ]{0,2}[0-9a-zA-Z/ .:-]{0,20}",
        1 => "[cmo]=[a-zA-Z]{1,5} [0-9]{0,5}[/0-9]{0,2} [A-Z0-9/]{1,8} [0-9 ]{0,9}",
    ];
    (prop::collection::vec(line, 0..24), any::<bool>()).prop_map(|(lines, crlf)| {
        let mut text = String::from("v=0\r\nc=IN IP4 192.0.2.9\r\n");
        for line in lines {
            text.push_str(&line);
            text.push_str(if crlf { "\r\n" } else { "\n" });
        }
        text.into_bytes()
    })
}

/// Sensible text with some bytes changed, taken away or repeated.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    (text(), prop::collection::vec(change, 0..12)).prop_map(|(mut bytes, changes)| {
        for (index, byte, how) in changes {
            let at = index.index(bytes.len().max(1));
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        bytes
    })
}

fn codec() -> impl Strategy<Value = MediaCodec> {
    prop_oneof![
        Just(PCMA),
        Just(PCMU),
        Just(named("iLBC", 8000, Some("mode=20"))),
        Just(named("G729", 8000, None)),
        Just(named("AMR", 8000, Some("octet-align=1"))),
        Just(named("AMR", 8000, None)),
        Just(named("opus", 48000, None)),
    ]
}

fn any_capabilities() -> impl Strategy<Value = Capabilities> {
    (
        prop::collection::vec(codec(), 0..6),
        prop::sample::select(&Direction::ALL[..]),
        prop::option::of(codec()),
        (
            any::<bool>(),
            any::<bool>(),
            any::<bool>(),
            any::<bool>(),
            any::<bool>(),
        ),
        prop::sample::select(&[10_u16, 20, 30, 40, 60][..]),
        4000..4010_u16,
    )
        .prop_map(|(codecs, direction, preferred, flags, ptime_ms, port)| {
            let (telephone_event, rtcp_mux, ours, one, dual) = flags;
            Capabilities {
                telephone_event,
                rtcp_mux,
                direction,
                preferred,
                ptime_ms,
                address: SocketAddr::new([192, 0, 2, 1].into(), port),
                alternative: dual.then(|| at("[2001:db8::1]:4000")),
                order: if ours {
                    CodecOrder::Ours
                } else {
                    CodecOrder::Offerer
                },
                answer_with_one: one,
                ..capabilities(&codecs)
            }
        })
}

fn any_hold() -> impl Strategy<Value = Hold> {
    prop::sample::select(&[Hold::No, Hold::SendOnly, Hold::Inactive, Hold::ZeroAddress][..])
}

/// A step in the life of a leg.
#[derive(Clone, Debug)]
enum Step {
    Offer,
    Answer,
    OfferReceived(Vec<u8>),
    AnswerReceived(Vec<u8>),
    Rollback,
    Hold(Hold),
    Capabilities(Capabilities),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Offer),
        3 => Just(Step::Answer),
        3 => mutated().prop_map(Step::OfferReceived),
        3 => mutated().prop_map(Step::AnswerReceived),
        1 => Just(Step::Rollback),
        1 => any_hold().prop_map(Step::Hold),
        1 => any_capabilities().prop_map(Step::Capabilities),
    ]
}

/// The version counts the changes of content between descriptions sent one after the other.
fn check_version(before: Option<&SessionDescription>, after: &SessionDescription) {
    let Some(before) = before else {
        assert_eq!(after.origin.version, 1);
        return;
    };
    let mut same = after.clone();
    same.origin.version = before.origin.version;
    let step = u64::from(same != *before);
    assert_eq!(after.origin.version, before.origin.version + step);
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = SessionDescription::parse(&bytes);
    }

    #[test]
    fn what_is_printed_is_read_as_the_same(bytes in mutated()) {
        if let Ok(read) = SessionDescription::parse(&bytes) {
            let printed = read.to_bytes();
            prop_assert_eq!(&parse(&printed), &read);
            prop_assert_eq!(read.to_bytes(), printed);
        }
    }

    #[test]
    fn an_answer_holds_to_its_offer(bytes in mutated(), own in any_capabilities(), hold in any_hold()) {
        let mut leg = Negotiation::new(1, own.clone());
        leg.set_hold(hold);
        let Ok(offer) = leg.offer_received(&bytes).cloned() else { return Ok(()) };
        let answered = leg.answer().expect("an offer that was taken can be answered");
        let answer = parse(&answered.body);
        prop_assert_eq!(answer.media.len(), offer.media.len());
        let mut in_use = 0;
        for (ours, theirs) in answer.media.iter().zip(&offer.media) {
            prop_assert_eq!(&ours.kind, &theirs.kind);
            prop_assert_eq!(&ours.protocol, &theirs.protocol);
            prop_assert!(ours.formats.iter().all(|format| theirs.formats.contains(format)));
            if ours.port == 0 { continue }
            in_use += 1;
            prop_assert!(theirs.port != 0);
            prop_assert_eq!(&ours.kind, &MediaKind::Audio);
            for (payload_type, codec) in ours.codecs() {
                prop_assert!(theirs.codec(payload_type).is_some_and(|c| c.matches(&codec)));
            }
            let (said, asked) = (answer.direction_of(ours), offer.direction_of(theirs));
            prop_assert_eq!(said.and(asked.reversed()), said);
            prop_assert_eq!(said.and(own.direction), said);
        }
        prop_assert_eq!(in_use, usize::from(answered.media.is_some()));
        if let Some(media) = &answered.media {
            prop_assert!(media.receive.iter().any(|c| c.codec.matches(&media.send.codec)));
            prop_assert!((10..=60).contains(&media.ptime_ms));
            prop_assert!(media.remote.is_none_or(|r| r.is_ipv4() == media.local.is_ipv4()));
            prop_assert!(media.remote.is_some() || media.remote_host.is_some() || !media.direction.may_send());
        }
        prop_assert_eq!(leg.current(), answered.media.as_ref());
    }

    #[test]
    fn a_leg_survives_any_life(steps in prop::collection::vec(step(), 1..30), strict in any::<bool>()) {
        let tolerance = if strict { Tolerance::Strict } else { Tolerance::Tolerant };
        let mut leg = leg(&[PCMA, PCMU]).with_tolerance(tolerance);
        for step in steps {
            let sent = leg.local_description().cloned();
            let agreed = leg.current().cloned();
            let pending = leg.pending();
            let printed = match step {
                Step::Offer => leg.offer().ok(),
                Step::Answer => leg.answer().ok().map(|answered| answered.body),
                Step::OfferReceived(bytes) => {
                    let taken = leg.offer_received(&bytes).is_ok();
                    prop_assert!(!taken || pending == PendingOffer::None);
                    prop_assert_eq!(leg.pending(), if taken { PendingOffer::Theirs } else { pending });
                    None
                }
                Step::AnswerReceived(bytes) => {
                    if leg.answer_received(&bytes).is_err() {
                        prop_assert_eq!(leg.current(), agreed.as_ref());
                        prop_assert_eq!(leg.pending(), pending);
                    } else {
                        prop_assert_eq!(leg.pending(), PendingOffer::None);
                    }
                    None
                }
                Step::Rollback => {
                    leg.rollback();
                    prop_assert_eq!(leg.pending(), PendingOffer::None);
                    prop_assert_eq!(leg.current(), agreed.as_ref());
                    None
                }
                Step::Hold(hold) => { leg.set_hold(hold); None }
                Step::Capabilities(own) => { leg.set_capabilities(own); None }
            };
            match printed {
                Some(printed) => {
                    let printed = parse(&printed);
                    check_version(sent.as_ref(), &printed);
                    prop_assert_eq!(leg.local_description(), Some(&printed));
                }
                None => prop_assert_eq!(leg.local_description(), sent.as_ref()),
            }
        }
    }

    #[test]
    fn two_of_ours_agree_or_both_refuse(
        a in any_capabilities(),
        b in any_capabilities(),
        turns in prop::collection::vec((any::<bool>(), any_hold(), any_capabilities()), 0..6),
    ) {
        let strict = |id, own| Negotiation::new(id, own).with_tolerance(Tolerance::Strict);
        let (mut a, mut b) = (strict(1, a), strict(2, b));
        let mut turns = turns.into_iter();
        let mut turn = Some((true, Hold::No, a.capabilities().clone()));
        while let Some((a_turn, hold, own)) = turn {
            let (from, to) = if a_turn { (&mut a, &mut b) } else { (&mut b, &mut a) };
            from.set_hold(hold);
            from.set_capabilities(own);
            let before = (from.current().cloned(), to.current().cloned());
            if let Ok(offer) = from.offer() {
                match to.offer_received(&offer).map(|_| ()) {
                    Ok(()) => {
                        let answered = to.answer().unwrap();
                        let ours = from.answer_received(&answered.body).unwrap().unwrap();
                        let theirs = answered.media.unwrap();
                        prop_assert!(ours.send.codec.matches(&theirs.send.codec));
                        prop_assert_eq!(&ours.send.payload_type, &theirs.send.payload_type);
                        prop_assert_eq!(payload_types(&ours.receive), payload_types(&theirs.receive));
                        prop_assert_eq!(ours.direction, theirs.direction.reversed());
                        prop_assert_eq!(ours.rtcp_mux, theirs.rtcp_mux);
                        prop_assert_eq!(ours.telephone_event, theirs.telephone_event);
                        prop_assert!(ours.remote.is_none_or(|remote| remote == theirs.local));
                        prop_assert!(theirs.remote.is_none_or(|remote| remote == ours.local));
                    }
                    Err(error) => {
                        prop_assert_eq!(error.status(), 488);
                        from.rollback();
                        prop_assert_eq!((from.current().cloned(), to.current().cloned()), before);
                    }
                }
            }
            prop_assert!(!a.offer_pending() && !b.offer_pending());
            turn = turns.next();
        }
    }
}

//! The examples of RFC 4317 in which audio plays a part. Where both parties accept more than one
//! stream we stand in for Bob, and refuse all but one line of audio. Where we are Alice, iLBC is 96
//! and not 97.

use super::*;

fn alice(version: u64, lines: &str) -> Vec<u8> {
    alice_at("host.atlanta.example.com", version, lines)
}

fn alice_at(host: &str, version: u64, lines: &str) -> Vec<u8> {
    body(&format!(
        "v=0
        o=alice 2890844526 {version} IN IP4 host.atlanta.example.com
        s=
        c=IN IP4 {host}
        t=0 0
        {lines}"
    ))
}

fn bob(version: u64, lines: &str) -> Vec<u8> {
    bob_at("host.biloxi.example.com", version, lines)
}

fn bob_at(host: &str, version: u64, lines: &str) -> Vec<u8> {
    body(&format!(
        "v=0
        o=bob 2808844564 {version} IN IP4 {host}
        s=
        c=IN IP4 {host}
        t=0 0
        {lines}"
    ))
}

fn ilbc() -> MediaCodec {
    named("iLBC", 8000, None)
}

/// Alice with PCMU, PCMA, iLBC (97) and no telephone events, as in most examples.
fn plain(codecs: &[MediaCodec]) -> Negotiation {
    let capabilities = Capabilities {
        telephone_event: false,
        ..capabilities(codecs)
    };
    Negotiation::new(7, capabilities)
}

const THREE_AND_VIDEO: &str = "m=audio 49170 RTP/AVP 0 8 97
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:97 iLBC/8000
    m=video 51372 RTP/AVP 31 32
    a=rtpmap:31 H261/90000
    a=rtpmap:32 MPV/90000";

#[test]
fn section_2_1_one_codec_of_three() {
    let mut bob = plain(&[PCMU]);
    let (answer, media) = exchange(&mut bob, &alice(2_890_844_526, THREE_AND_VIDEO));
    assert_eq!(
        (formats(&answer, 0).as_str(), ports(&answer)),
        ("0", vec![4000, 0])
    );
    assert_eq!(media.unwrap().send.codec, PCMU);
}

#[test]
fn section_2_2_two_codecs_then_one() {
    let mut bob = plain(&[PCMU, PCMA]);
    let (answer, media) = exchange(&mut bob, &alice(2_890_844_526, THREE_AND_VIDEO));
    assert_eq!(formats(&answer, 0), "0 8");
    // Either may arrive.
    assert_eq!(payload_types(&media.unwrap().receive), [0, 8]);

    let second = alice(
        2_890_844_527,
        "m=audio 51372 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        m=video 0 RTP/AVP 31
        a=rtpmap:31 H261/90000",
    );
    let (second_answer, media) = exchange(&mut bob, &second);
    assert_eq!(formats(&second_answer, 0), "0");
    assert_eq!(second_answer.media[1].port, 0);
    assert_eq!(second_answer.origin.version, answer.origin.version + 1);
    let media = media.unwrap();
    assert_eq!(payload_types(&media.receive), [0]);
    assert_eq!(media.remote_host.map(|(_, port)| port), Some(51372));
}

#[test]
fn section_2_3_the_answer_changes_the_payload_type() {
    let mut alice = plain(&[PCMU, PCMA, ilbc()]).with_tolerance(Tolerance::Strict);
    let offer = parse(&alice.offer().unwrap());
    let ours = offer.media[0]
        .codecs()
        .find(|(_, codec)| codec.matches(&ilbc()))
        .unwrap()
        .0;
    let answer = bob(
        2_808_844_564,
        "m=audio 49172 RTP/AVP 99\na=rtpmap:99 iLBC/8000",
    );
    let media = alice.answer_received(&answer).unwrap().unwrap();
    assert_eq!((media.send.payload_type, &media.send.codec), (99, &ilbc()));
    assert_eq!(payload_types(&media.receive), [ours]);
}

#[test]
fn section_2_4_two_audio_streams() {
    let mut bob = leg(&[ilbc()]);
    let offer = alice(
        2_890_844_526,
        "m=audio 49170 RTP/AVP 0 97
        a=rtpmap:0 PCMU/8000
        a=rtpmap:97 iLBC/8000
        m=audio 49172 RTP/AVP 98
        a=rtpmap:98 telephone-event/8000
        a=sendonly",
    );
    let (answer, media) = exchange(&mut bob, &offer);
    assert_eq!(formats(&answer, 0), "97");
    assert_eq!(ports(&answer), [4000, 0]);
    let media = media.unwrap();
    assert_eq!(media.telephone_event, None);
    assert_eq!(media.direction, Direction::SendRecv);
}

#[test]
fn section_2_5_a_new_address_of_the_far_end_leaves_our_version() {
    let mut alice = plain(&[ilbc()]);
    let offer = parse(&alice.offer().unwrap());
    let audio = |port: u16| format!("m=audio {port} RTP/AVP 96\na=rtpmap:96 iLBC/8000");
    alice
        .answer_received(&bob(2_808_844_564, &audio(49174)))
        .unwrap();
    let moved = bob_at("newhost.biloxi.example.com", 2_808_844_565, &audio(49178));
    let (answer, media) = exchange(&mut alice, &moved);
    assert_eq!(answer.origin.version, offer.origin.version);
    assert_eq!(
        media.unwrap().remote_host,
        Some(("newhost.biloxi.example.com".to_owned(), 49178))
    );
}

#[test]
fn section_2_6_the_second_audio_line_is_the_one() {
    let mut bob = leg(&[ilbc()]);
    let offer = alice(
        2_890_844_526,
        "m=audio 49170 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        m=audio 51372 RTP/AVP 97 101
        a=rtpmap:97 iLBC/8000
        a=rtpmap:101 telephone-event/8000",
    );
    let (answer, media) = exchange(&mut bob, &offer);
    assert_eq!(ports(&answer), [0, 4000]);
    assert_eq!(formats(&answer, 1), "97 101");
    assert!(media.unwrap().telephone_event.is_some());
    // A later offer of ours keeps it there.
    assert_eq!(ports(&parse(&bob.offer().unwrap())), [0, 4000]);
}

#[test]
fn section_2_7_and_4_2_video_comes_and_changes() {
    let mut bob = plain(&[PCMU]);
    let audio = "m=audio 49170 RTP/AVP 0\na=rtpmap:0 PCMU/8000";
    let (first, _) = exchange(&mut bob, &alice(1, audio));
    let with_video = format!("{audio}\nm=video 49172 RTP/AVP 31\na=rtpmap:31 H261/90000");
    let (second, media) = exchange(&mut bob, &alice(2, &with_video));
    assert_eq!(ports(&first), [4000]);
    assert_eq!(ports(&second), [4000, 0]);
    assert_eq!(second.origin.version, first.origin.version + 1);
    assert!(media.is_some());
    let (third, _) = exchange(
        &mut bob,
        &alice(3, &with_video.replace("AVP 31", "AVP 31 32")),
    );
    assert_eq!(formats(&third, 1), "31 32");
}

#[test]
fn section_3_1_answered_on_hold_then_resumed() {
    let mut alice = plain(&[PCMU, ilbc()]);
    alice.offer().unwrap();
    let held = bob(
        2_808_844_564,
        "m=audio 49172 RTP/AVP 97
        a=rtpmap:97 iLBC/8000
        a=sendonly",
    );
    let media = alice.answer_received(&held).unwrap().unwrap();
    assert_eq!(media.direction, Direction::RecvOnly);
    assert!(media.held_by_remote);

    let resumed = bob(
        2_808_844_565,
        "m=audio 49170 RTP/AVP 97\na=rtpmap:97 iLBC/8000",
    );
    let (answer, media) = exchange(&mut alice, &resumed);
    assert_eq!(formats(&answer, 0), "97");
    assert_eq!(answer.origin.version, 2);
    assert_eq!(media.unwrap().direction, Direction::SendRecv);
}

#[test]
fn section_3_2_and_4_1_a_second_stream_of_events_is_refused_again_and_again() {
    let mut alice = leg(&[PCMU, ilbc()]);
    alice.offer().unwrap();
    let one = "m=audio 49170 RTP/AVP 97\na=rtpmap:97 iLBC/8000";
    alice.answer_received(&bob(1, one)).unwrap();
    let events = "m=audio 48282 RTP/AVP 98
        c=IN IP4 mediaserver.biloxi.example.com
        a=rtpmap:98 telephone-event/8000
        a=recvonly";
    let (answer, media) = exchange(&mut alice, &bob(2, &format!("{one}\n{events}")));
    assert_eq!(ports(&answer), [4000, 0]);
    assert_eq!(media.unwrap().direction, Direction::SendRecv);

    let held = format!("{one}\na=sendonly\n{events}");
    let (answer, media) = exchange(&mut alice, &bob(3, &held));
    assert_eq!(ports(&answer), [4000, 0]);
    assert_eq!(media.unwrap().direction, Direction::RecvOnly);
    assert_eq!(answer.direction_of(&answer.media[0]), Direction::RecvOnly);
}

#[test]
fn section_4_3_video_deleted() {
    let mut alice = plain(&[ilbc()]);
    let lines = |video: u16| {
        format!(
            "m=audio 49174 RTP/AVP 97
            a=rtpmap:97 iLBC/8000
            m=video {video} RTP/AVP 31
            a=rtpmap:31 H261/90000"
        )
    };
    exchange(&mut alice, &bob(1, &lines(49170)));
    let (answer, media) = exchange(&mut alice, &bob(2, &lines(0)));
    assert_eq!(ports(&answer), [4000, 0]);
    // We had refused the video anyway: nothing changed on our side.
    assert_eq!(answer.origin.version, 1);
    assert!(media.is_some());
}

#[test]
fn section_5_1_no_media_then_audio() {
    let mut bob = plain(&[ilbc()]);
    let (answer, media) = exchange(&mut bob, &alice(2_890_844_526, ""));
    assert!(answer.media.is_empty());
    assert_eq!(media, None);
    assert!(bob.current().is_none());
    let audio = "m=audio 49170 RTP/AVP 97\na=rtpmap:97 iLBC/8000";
    let (answer, media) = exchange(&mut bob, &alice(2_890_844_527, audio));
    assert_eq!(ports(&answer), [4000]);
    assert!(media.is_some());
}

#[test]
fn section_5_2_offered_at_0_0_0_0_then_resumed() {
    let mut bob = plain(&[ilbc()]);
    let audio = |port: u16| format!("m=audio {port} RTP/AVP 97\na=rtpmap:97 iLBC/8000");
    let (_, media) = exchange(&mut bob, &alice_at("0.0.0.0", 1, &audio(23442)));
    let media = media.unwrap();
    assert_eq!((media.remote, media.remote_rtcp), (None, None));
    assert!(!media.direction.may_send());
    let (_, media) = exchange(&mut bob, &alice(2, &audio(49170)));
    assert_eq!(media.unwrap().direction, Direction::SendRecv);
}

#[test]
fn section_5_3_answered_at_0_0_0_0_then_resumed() {
    let mut alice = plain(&[ilbc()]);
    let audio = |port: u16| format!("m=audio {port} RTP/AVP 96\na=rtpmap:96 iLBC/8000");
    alice.offer().unwrap();
    let held = body(&format!(
        "v=0
        o=bob 2808844564 2808844564 IN IP4 host.biloxi.example.com
        s=
        c=IN IP4 0.0.0.0
        t=0 0
        {}",
        audio(9322)
    ));
    let media = alice.answer_received(&held).unwrap().unwrap();
    assert_eq!((media.direction, media.remote), (Direction::RecvOnly, None));
    let (answer, media) = exchange(&mut alice, &bob(2_808_844_565, &audio(49172)));
    assert_eq!(answer.origin.version, 1);
    assert_eq!(media.unwrap().direction, Direction::SendRecv);
}

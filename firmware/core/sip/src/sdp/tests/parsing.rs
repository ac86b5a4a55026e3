//! Reading what is not quite right, refusing what is too much, printing what is.

use super::*;

const FULL: &str = "v=0\r\n\
    o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n\
    s=Call to John Smith\r\n\
    i=SDP Offer #1\r\n\
    u=http://www.jdoe.example.com/home.html\r\n\
    e=Jane Doe <jane@jdoe.example.com>\r\n\
    p=+1 617 555-6011\r\n\
    c=IN IP4 198.51.100.1\r\n\
    b=CT:64\r\n\
    t=3724394400 3724398000\r\n\
    r=7d 1h 0 25h\r\n\
    t=0 0\r\n\
    z=3730928400 -1h 3749680800 0\r\n\
    k=prompt\r\n\
    a=group:BUNDLE one two\r\n\
    a=sendonly\r\n\
    m=audio 49170/2 RTP/AVP 0 96\r\n\
    i=voice\r\n\
    c=IN IP6 2001:db8::1\r\n\
    b=AS:64\r\n\
    k=clear:secret\r\n\
    a=rtpmap:96 L16/16000/2\r\n\
    a=fmtp:96 emphasis=50-15; channel-order=DV.LRLRCS\r\n\
    a=ptime:20\r\n\
    a=maxptime:60\r\n\
    a=rtcp:53020 IN IP6 2001:db8::2\r\n\
    a=rtcp-mux\r\n\
    a=mid:one\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n\
    a=ice-ufrag:8hhY\r\n\
    a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n\
    a=candidate:1 1 UDP 2130706431 192.0.2.3 8998 typ host\r\n\
    a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n\
    a=inactive\r\n\
    m=video 49180 RTP/SAVPF 99\r\n\
    a=mid:two\r\n\
    m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n";

#[test]
fn a_full_description_is_read_and_printed_unchanged() {
    let description = parse(FULL.as_bytes());
    assert_eq!(description.to_string(), FULL);

    assert_eq!(description.origin.session_id, 3_724_394_400);
    assert_eq!(description.origin.version, 3_724_394_405);
    assert_eq!(description.name, "Call to John Smith");
    let audio = &description.media[0];
    assert_eq!((audio.port, audio.port_count), (49170, Some(2)));
    assert_eq!(
        audio.connection.as_ref().and_then(|c| c.address.ip()),
        Some("2001:db8::1".parse().unwrap())
    );
    assert_eq!(audio.codec(0), Some(PCMU));
    let l16 = audio.codec(96).unwrap();
    assert_eq!(
        (l16.encoding_name(), l16.clock_rate_hz(), l16.channels()),
        ("L16", 16000, 2)
    );
    assert_eq!(l16.fmtp(), Some("emphasis=50-15; channel-order=DV.LRLRCS"));
    assert_eq!(
        (audio.ptime_ms(), audio.max_ptime_ms()),
        (Some(20), Some(60))
    );
    assert_eq!(audio.rtcp().map(|rtcp| rtcp.port), Some(53020));
    assert!(audio.rtcp_mux());
    assert_eq!(audio.mid(), Some("one"));
    assert_eq!(description.direction_of(audio), Direction::Inactive);
    assert_eq!(
        description.direction_of(&description.media[1]),
        Direction::SendOnly
    );
    assert_eq!(description.media[1].protocol, Protocol::RtpSavpf);
    assert_eq!(description.media[2].kind, MediaKind::Application);
}

#[test]
fn keys_do_not_show_in_debug_output() {
    let shown = format!("{:?}", parse(FULL.as_bytes()));
    for secret in ["d0RmdmcmVCspeEc3", "asd88fgpdd777", "clear:secret"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn line_ends_order_and_missing_lines_do_not_matter() {
    let wanted = parse(
        b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n",
    );
    for odd in [
        "v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 8\na=sendonly\n",
        "v=0\rc=IN IP4 192.0.2.9\rm=audio 4000 RTP/AVP 8\ra=sendonly",
        "c=IN IP4 192.0.2.9\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 8\r\na=sendonly\r\n\0\0",
        "s=\r\nv=0\r\nt=\r\nc=in ip4 192.0.2.9 \r\nm=AUDIO  4000 rtp/avp 8 \r\nA=x\r\na=SendOnly\r\n",
        " v=0\n  c=IN IP4 192.0.2.9\n m=audio 4000 RTP/AVP 8\n\ta=sendonly\n",
        "m=audio 4000 RTP/AVP 8\nno line at all\n=\na=sendonly\nc=IN IP4 192.0.2.9\nt=0 0\no=broken",
    ] {
        let mut read = parse(odd.as_bytes());
        read.media[0].lines.clear();
        // Where c= comes after m= it belongs to that line.
        if read.connection.is_none() {
            read.connection = read.media[0].connection.take();
        }
        assert_eq!(read, wanted, "{odd:?}");
    }
}

#[test]
fn unknown_lines_and_attributes_are_kept_in_order() {
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\nw=one\r\ny=two\r\n\
        a=X-nat:0\r\na=foo\r\na=foo:\r\nm=audio 4000 RTP/AVP 8\r\nx=three\r\n\
        a=silenceSupp:off - - - -\r\na=rtpmap:nonsense\r\na=ptime:soon\r\n";
    assert_eq!(parse(text.as_bytes()).to_string(), text);
}

#[test]
fn text_that_is_not_utf_8_costs_only_its_own_bytes() {
    let read = parse(b"v=0\no=J\xfcrg 1 1 IN IP4 192.0.2.9\ns=Gespr\xe4ch \xe2\x82\xac\nt=0 0\n");
    assert_eq!(read.origin.username, "J?rg");
    assert_eq!(read.name, "Gespr?ch €");
}

#[test]
fn origins_of_real_phones() {
    let origin = |line: &str| parse(format!("v=0\no={line}\n").as_bytes()).origin;
    let spaces = origin("John Doe 12 13 IN IP4 192.0.2.9");
    assert_eq!(
        (spaces.username.as_str(), spaces.session_id),
        ("John_Doe", 12)
    );
    let nobody = origin("12 13 IN IP4 192.0.2.9");
    assert_eq!((nobody.username.as_str(), nobody.version), ("-", 13));
    let host = origin("- 12 13 IN IP4 phone.example.com");
    assert_eq!(host.address.ip(), None);
    // Longer than 64 bits: still different from the next one.
    let (a, b) = (
        origin("- 1 99999999999999999999999 IN IP4 192.0.2.9"),
        origin("- 1 100000000000000000000000 IN IP4 192.0.2.9"),
    );
    assert_ne!(a.version, b.version);
}

#[test]
fn addresses_of_every_kind() {
    let address = |line: &str| {
        SessionDescription::parse(format!("v=0\nc={line}\n").as_bytes())
            .map(|d| d.connection.unwrap().address)
    };
    let ip = |text: &str| Ok(Address::Ip(text.parse().unwrap()));
    assert_eq!(address("IN IP4 192.0.2.9"), ip("192.0.2.9"));
    assert_eq!(address("IN IP6 2001:db8::9"), ip("2001:db8::9"));
    assert_eq!(address("IN IP6 [2001:db8::9]"), ip("2001:db8::9"));
    assert_eq!(address("IN IP6 fe80::9%eth0"), ip("fe80::9"));
    assert_eq!(address("IN IP4 2001:db8::9"), ip("2001:db8::9"));
    assert_eq!(address("IN IP6 ::ffff:192.0.2.9"), ip("192.0.2.9"));
    assert_eq!(address("IN IP4 224.2.1.1/127/3"), ip("224.2.1.1"));
    assert!(matches!(
        address("IN IP4 phone.example.com"),
        Ok(Address::Host { ipv6: false, .. })
    ));
    assert!(matches!(
        address("ATM NSAP 47.0091"),
        Ok(Address::Other { .. })
    ));
    assert_eq!(address("IN IP4"), Err(SdpError::MalformedConnection));
}

#[test]
fn static_payload_types_need_no_rtpmap_and_dynamic_ones_do() {
    let read = parse(&body(
        "v=0
        m=audio 4000 RTP/AVP 0 8 9 18 3 96 97 98 200 x
        a=rtpmap:0 PCMU
        a=rtpmap:9 G722/16000
        a=rtpmap:97 pcma/8000/1
        a=rtpmap:98 opus/0
        a=rtpmap:200 PCMA/8000",
    ));
    let codecs: Vec<_> = read.media[0].codecs().collect();
    assert_eq!(
        codecs,
        [
            (0, PCMU),
            (8, PCMA),
            // RFC 3551 §4.5.2: the clock of G.722 is 8000 by an old mistake.
            (9, read.media[0].codec(9).unwrap()),
            (18, read.media[0].codec(18).unwrap()),
            (3, read.media[0].codec(3).unwrap()),
            (97, PCMA),
        ]
    );
    assert_eq!(codecs[2].1.clock_rate_hz(), 8000);
    assert_eq!(codecs[3].1.encoding_name(), "G729");
}

#[test]
fn what_is_no_description_is_refused() {
    for bytes in [
        &b""[..],
        b"\r\n\r\n",
        b"hello",
        b"INVITE sip:a@b SIP/2.0\r\n",
        &[0xff; 300],
    ] {
        assert_eq!(SessionDescription::parse(bytes), Err(SdpError::NotSdp));
    }
    assert_eq!(
        SessionDescription::parse(b"v=1\r\n"),
        Err(SdpError::UnknownVersion)
    );
    for line in [
        "audio",
        "audio x RTP/AVP 0",
        "audio 70000 RTP/AVP 0",
        "audio -1 RTP/AVP 0",
        "audio 4000",
        "audio 4000 RTP/AVP",
        "",
    ] {
        let text = format!("v=0\r\nm=audio 0 RTP/AVP\r\nm={line}\r\n");
        assert_eq!(
            SessionDescription::parse(text.as_bytes()),
            Err(SdpError::MalformedMedia { index: 1 }),
            "{line}"
        );
    }
}

#[test]
fn every_limit_has_its_reason() {
    let limit = |text: String| SessionDescription::parse(text.as_bytes()).map(|_| ());
    let line = "m=audio 4000 RTP/AVP 8\n";

    assert_eq!(limit(format!("v=0\n{}", line.repeat(16))), Ok(()));
    let too_many = Err(SdpError::TooLarge(Limit::MediaLines));
    assert_eq!(limit(format!("v=0\n{}", line.repeat(17))), too_many);

    assert_eq!(limit(format!("v=0\n{}", "a=x\n".repeat(256))), Ok(()));
    let too_many = Err(SdpError::TooLarge(Limit::Attributes));
    assert_eq!(
        limit(format!("v=0\n{}{line}a=x\n", "a=x\n".repeat(256))),
        too_many
    );

    assert_eq!(
        limit(format!("v=0\nm=audio 1 RTP/AVP{}", " 8".repeat(64))),
        Ok(())
    );
    let too_many = Err(SdpError::TooLarge(Limit::Formats));
    assert_eq!(
        limit(format!("v=0\nm=audio 1 RTP/AVP{}", " 8".repeat(65))),
        too_many
    );

    let mut text = String::from("v=0\n");
    while text.len() < 16 * 1024 {
        text.push_str("i=padding\n");
    }
    text.truncate(16 * 1024);
    assert_eq!(limit(text.clone()), Ok(()));
    text.push('\n');
    assert_eq!(limit(text), Err(SdpError::TooLarge(Limit::Size)));
}

#[test]
fn what_is_built_by_hand_cannot_break_out_of_its_line() {
    let mut description = parse(b"v=0\nm=audio 4000 RTP/AVP 8\n");
    description.origin.username = "a b\r\nm=video 1 RTP/AVP 31".to_owned();
    description.name = "evil\r\na=inactive".to_owned();
    description.media[0].formats = vec![];
    description.media[0]
        .attributes
        .push(Attribute::Mid("x\ny=1".to_owned()));
    let printed = description.to_string();
    let read = parse(printed.as_bytes());
    assert_eq!(read.media.len(), 1);
    assert_eq!(read.direction_of(&read.media[0]), Direction::SendRecv);
    assert!(printed.contains("m=audio 4000 RTP/AVP 0\r\n"));
    assert_eq!(parse(read.to_string().as_bytes()), read);
}

#[test]
fn codecs_differ_by_name_clock_channels_and_what_changes_the_payload() {
    let g729 = named("G729", 8000, None);
    assert!(g729.matches(&named("g729", 8000, Some("annexb=no"))));
    assert!(!g729.matches(&named("G729", 16000, None)));
    let amr = |fmtp| named("AMR-WB", 16000, fmtp);
    assert!(amr(None).matches(&amr(Some("mode-set=0,2; octet-align=0"))));
    assert!(!amr(None).matches(&amr(Some("octet-align=1;mode-change-capability=2"))));
    assert!(!PCMA.matches(&PCMU));
}

#[test]
fn directions_are_a_small_algebra() {
    for a in Direction::ALL {
        assert_eq!(a.reversed().reversed(), a);
        assert_eq!(a.and(a), a);
        assert_eq!(Direction::from_flags(a.may_send(), a.may_receive()), a);
        for b in Direction::ALL {
            assert_eq!(a.and(b), b.and(a));
            assert_eq!(a.and(b).reversed(), a.reversed().and(b.reversed()));
        }
    }
    assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
}

#[test]
fn errors_carry_the_answer_to_send() {
    let answer = |error: NegotiationError| (error.status(), error.warning().map(|w| w.code));
    assert_eq!(answer(NegotiationError::NoAudio), (488, Some(304)));
    assert_eq!(answer(NegotiationError::NoCommonCodec), (488, Some(305)));
    assert_eq!(
        answer(NegotiationError::UnsupportedTransport),
        (488, Some(302))
    );
    assert_eq!(
        answer(NegotiationError::UnsupportedAddress),
        (488, Some(301))
    );
    assert_eq!(answer(NegotiationError::OurOfferPending), (491, None));
    assert_eq!(answer(NegotiationError::TheirOfferPending), (500, None));
    assert_eq!(answer(SdpError::NotSdp.into()), (400, Some(307)));
    assert_eq!(answer(SdpError::TooLarge(Limit::Size).into()).0, 413);
}

#[test]
fn what_an_extension_may_use_is_known_by_its_name() {
    let text = body(
        "v=0
         c=IN IP4 192.0.2.9
         m=audio 4000 RTP/AVP 18 97 98 99 100 9 3
         a=rtpmap:97 ILBC/8000
         a=fmtp:97 mode=20
         a=rtpmap:98 speex/8000
         a=rtpmap:99 opus/48000/2
         a=rtpmap:100 speex/16000",
    );
    let offer = parse(&text);
    let codecs: Vec<_> = offer.media[0]
        .codecs()
        .map(|(_, codec)| codec.codec())
        .collect();
    use Codec::{G722, G729, Gsm, Ilbc, Opus, Speex};
    assert_eq!(
        codecs,
        [
            Some(G729),
            Some(Ilbc),
            Some(Speex),
            Some(Opus),
            None,
            Some(G722),
            Some(Gsm)
        ]
    );
    for codec in Codec::ALL {
        assert_eq!(MediaCodec::from(codec).codec(), Some(codec));
        assert_eq!(
            MediaCodec::from(codec).known().is_some(),
            codec.is_transcoded()
        );
    }
}

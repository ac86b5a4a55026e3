//! First offers in the manner of phones and stacks one meets. Each must give a call.

use super::*;

struct Expected {
    /// The codec we should send, and its number.
    send: (&'static str, u8),
    remote: &'static str,
    telephone_event: Option<u8>,
    ports: &'static [u16],
}

fn accepts(phone: &str, expected: &Expected) {
    let mut leg = leg(&[PCMA, PCMU]);
    leg.offer_received(&body(phone)).expect(phone);
    let answered = leg.answer().expect(phone);
    let answer = parse(&answered.body);
    let media = answered.media.expect(phone);
    let (name, payload_type) = expected.send;
    assert_eq!(media.send.codec.encoding_name(), name);
    assert_eq!(media.send.payload_type, payload_type);
    assert_eq!(media.remote, Some(at(expected.remote)));
    assert_eq!(
        media.telephone_event.map(|te| te.send_payload_type),
        expected.telephone_event
    );
    assert_eq!(ports(&answer), expected.ports);
    // What we make of it goes through a strict reader, and survives a second turn.
    assert_eq!(parse(answer.to_string().as_bytes()), answer);
    let again = parse(phone_again(&mut leg, phone).as_slice());
    assert_eq!(again, answer);
    let read = parse(&body(phone));
    assert_eq!(parse(read.to_string().as_bytes()), read);
}

fn phone_again(leg: &mut Negotiation, phone: &str) -> Vec<u8> {
    leg.offer_received(&body(phone)).expect(phone);
    leg.answer().expect(phone).body.to_vec()
}

#[test]
fn pjsua() {
    accepts(
        "v=0
        o=- 3911234567 3911234567 IN IP4 192.0.2.50
        s=pjmedia
        b=AS:117
        t=0 0
        a=X-nat:0
        m=audio 4002 RTP/AVP 96 97 98 99 3 0 8 9 120 121 122
        c=IN IP4 192.0.2.50
        b=TIAS:96000
        a=rtcp:4003 IN IP4 192.0.2.50
        a=sendrecv
        a=rtpmap:96 speex/16000
        a=rtpmap:97 speex/8000
        a=rtpmap:98 speex/32000
        a=rtpmap:99 iLBC/8000
        a=fmtp:99 mode=30
        a=rtpmap:3 GSM/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:9 G722/8000
        a=rtpmap:120 telephone-event/16000
        a=fmtp:120 0-16
        a=rtpmap:121 telephone-event/8000
        a=fmtp:121 0-16
        a=rtpmap:122 telephone-event/32000
        a=fmtp:122 0-16
        a=ssrc:1234567890 cname:0a1b2c3d4e5f",
        &Expected {
            send: ("PCMU", 0),
            remote: "192.0.2.50:4002",
            telephone_event: Some(121),
            ports: &[4000],
        },
    );
}

#[test]
fn baresip() {
    accepts(
        "v=0
        o=- 1583249375 2089573456 IN IP4 192.0.2.51
        s=-
        c=IN IP4 192.0.2.51
        t=0 0
        a=tool:baresip 1.0.0
        m=audio 10020 RTP/AVP 96 0 8 101
        b=AS:125
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 stereo=1;sprop-stereo=1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=rtcp:10021
        a=sendrecv
        a=label:1
        a=rtcp-rsize
        a=ssrc:2693182341 cname:sip:alice@192.0.2.51
        a=ptime:20",
        &Expected {
            send: ("PCMU", 0),
            remote: "192.0.2.51:10020",
            telephone_event: Some(101),
            ports: &[4000],
        },
    );
}

#[test]
fn linphone() {
    accepts(
        "v=0
        o=alice 2713 3421 IN IP4 192.0.2.52
        s=Talk
        c=IN IP4 192.0.2.52
        t=0 0
        a=ice-pwd:6bdd2d4a5a4c6e6d7b0d2f3a
        a=ice-ufrag:1b7bd9d3
        a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
        a=record:off
        m=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99 100
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:97 speex/16000
        a=fmtp:97 vbr=on
        a=rtpmap:98 speex/8000
        a=fmtp:98 vbr=on
        a=fmtp:18 annexb=yes
        a=rtpmap:101 telephone-event/48000
        a=rtpmap:99 telephone-event/16000
        a=rtpmap:100 telephone-event/8000
        a=candidate:1 1 UDP 2130706303 192.0.2.52 7078 typ host
        a=candidate:1 2 UDP 2130706302 192.0.2.52 7079 typ host
        a=rtcp-fb:* trr-int 5000
        a=rtcp-fb:* ccm tmmbr
        m=video 9078 RTP/AVPF 96
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:* nack pli",
        &Expected {
            send: ("PCMU", 0),
            remote: "192.0.2.52:7078",
            telephone_event: Some(100),
            ports: &[4000, 0],
        },
    );
}

#[test]
fn cisco() {
    accepts(
        "v=0
        o=Cisco-SIPUA 26842 0 IN IP4 192.0.2.53
        s=SIP Call
        b=AS:4064
        t=0 0
        m=audio 27514 RTP/AVP 114 9 124 113 115 0 8 116 18 101
        c=IN IP4 192.0.2.53
        b=TIAS:64000
        a=rtpmap:114 opus/48000/2
        a=fmtp:114 maxplaybackrate=16000;sprop-maxcapturerate=16000;maxaveragebitrate=64000;stereo=0;sprop-stereo=0;usedtx=0
        a=rtpmap:9 G722/8000
        a=rtpmap:124 ISAC/16000
        a=rtpmap:113 AMR-WB/16000
        a=fmtp:113 octet-align=0;mode-change-capability=2
        a=rtpmap:115 AMR-WB/16000
        a=fmtp:115 octet-align=1;mode-change-capability=2
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:116 iLBC/8000
        a=fmtp:116 mode=20
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=yes
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=sendrecv
        m=application 0 RTP/AVP",
        &Expected {
            send: ("PCMU", 0),
            remote: "192.0.2.53:27514",
            telephone_event: Some(101),
            ports: &[4000, 0],
        },
    );
}

#[test]
fn snom() {
    // Two lines for the same audio, secured first.
    accepts(
        "v=0
        o=root 1531748963 1531748963 IN IP4 192.0.2.54
        s=call
        c=IN IP4 192.0.2.54
        t=0 0
        m=audio 58744 RTP/SAVP 9 0 8 3 99 112 18 101
        a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:H0TlaIuOFUpSEv5dJoQVi4pUwkxQhSGJyBRRtLDx
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=ptime:20
        a=sendrecv
        m=audio 58746 RTP/AVP 9 8 0 3 99 112 18 101
        a=rtpmap:9 G722/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:3 GSM/8000
        a=rtpmap:99 G726-32/8000
        a=rtpmap:112 AAL2-G726-32/8000
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=sendrecv",
        &Expected {
            send: ("PCMA", 8),
            remote: "192.0.2.54:58746",
            telephone_event: Some(101),
            ports: &[0, 4000],
        },
    );
}

#[test]
fn yealink() {
    accepts(
        "v=0
        o=- 20015 20015 IN IP4 192.0.2.55
        s=SDP data
        c=IN IP4 192.0.2.55
        t=0 0
        m=audio 11780 RTP/AVP 9 8 0 18 101
        a=rtpmap:9 G722/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=ptime:20
        a=sendrecv
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15",
        &Expected {
            send: ("PCMA", 8),
            remote: "192.0.2.55:11780",
            telephone_event: Some(101),
            ports: &[4000],
        },
    );
}

#[test]
fn an_old_gateway_without_manners() {
    // No o=, s= or t=, no rtpmap, a comment, a name for the codec without its clock.
    accepts(
        "v=0
        c=IN IP4 192.0.2.56
        ; sent by firmware 1.2
        m=audio 20000 RTP/AVP 4 8 13 97
        a=rtpmap:97 telephone-event
        a=ptime:30",
        &Expected {
            send: ("PCMA", 8),
            remote: "192.0.2.56:20000",
            telephone_event: Some(97),
            ports: &[4000],
        },
    );
}

#[test]
fn a_fax_gateway_and_a_phone_with_text() {
    accepts(
        "v=0
        o=gw 1 1 IN IP4 192.0.2.57
        s=-
        c=IN IP4 192.0.2.57
        t=0 0
        m=image 21000 udptl t38
        a=T38FaxVersion:0
        a=T38MaxBitRate:14400
        a=T38FaxUdpEC:t38UDPRedundancy
        m=text 21002 RTP/AVP 98
        a=rtpmap:98 t140/1000
        m=audio 21004 RTP/AVP 8 0
        a=silenceSupp:off - - - -",
        &Expected {
            send: ("PCMA", 8),
            remote: "192.0.2.57:21004",
            telephone_event: None,
            ports: &[0, 0, 4000],
        },
    );
}

#[test]
fn a_browser_is_refused_for_its_transport() {
    let offer = body(
        "v=0
        o=- 4611731400430051336 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0
        m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:4ZcD
        a=ice-pwd:2/1muCWoOi3uLifh0NuRHlZa
        a=fingerprint:sha-256 75:74:5A:A6:A4:E5:52:F4:A7:67:4C:01:C7:EE:91:3F
        a=setup:actpass
        a=mid:0
        a=sendrecv
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2",
    );
    let refused = leg(&[PCMA]).offer_received(&offer).unwrap_err();
    assert_eq!(refused, NegotiationError::UnsupportedTransport);
    let read = parse(&offer);
    assert!(
        read.attributes
            .contains(&Attribute::Group("BUNDLE 0".to_owned()))
    );
}

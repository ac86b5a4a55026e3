//! Two legs of one call: the same codec on both wherever they can.

use super::relay::{answer_towards, common_codec, offer_towards, payload_map};
use super::*;

/// Runs a call from a phone that offers `lines`, through legs A and B with these codecs, to a phone
/// that answers with the codecs it has, in its own order.
fn call(
    lines: &str,
    a: &[MediaCodec],
    b: &[MediaCodec],
    callee: &[MediaCodec],
) -> Result<(Negotiated, Negotiated), NegotiationError> {
    let mut a = Negotiation::new(1, capabilities(a));
    let mut b = Negotiation::new(2, capabilities(b));
    let mut phone = Negotiation::new(
        3,
        Capabilities {
            address: at("192.0.2.20:6000"),
            order: CodecOrder::Ours,
            ..capabilities(callee)
        },
    );
    let offer = body(&format!("v=0\nc=IN IP4 192.0.2.10\n{lines}"));
    let offer = a.offer_received(&offer)?.clone();
    b.set_capabilities(offer_towards(a.capabilities(), &offer, b.capabilities()));
    let to_callee = b.offer()?;
    phone.offer_received(&to_callee)?;
    let from_callee = phone.answer()?.body;
    let callee = b.answer_received(&from_callee)?.unwrap();
    a.set_capabilities(answer_towards(a.capabilities(), &callee));
    Ok((a.answer()?.media.unwrap(), callee))
}

fn g729(fmtp: Option<&str>) -> MediaCodec {
    named("G729", 8000, fmtp)
}

#[test]
fn the_callers_order_is_offered_to_the_callee() {
    let own = capabilities(&[PCMA, PCMU, g729(None)]);
    let offer = parse(&body("v=0\nm=audio 5000 RTP/AVP 18 0\na=fmtp:18 annexb=no"));
    let towards = offer_towards(&own, &offer, &own);
    assert_eq!(towards.codecs, [g729(Some("annexb=no")), PCMU, PCMA]);
    // Nothing that the caller lacks and we can't transcode.
    let offer = parse(&body("v=0\nm=audio 5000 RTP/AVP 0"));
    assert_eq!(offer_towards(&own, &offer, &own).codecs, [PCMU, PCMA]);
    // Nothing to transcode from: only what can be passed on.
    let offer = parse(&body("v=0\nm=audio 5000 RTP/AVP 18"));
    assert_eq!(offer_towards(&own, &offer, &own).codecs, [g729(None)]);
    assert!(
        offer_towards(&capabilities(&[PCMA]), &offer, &own)
            .codecs
            .is_empty()
    );
}

#[test]
fn both_legs_end_with_the_callees_choice() {
    // Every phone speaks both; the callee likes µ-law.
    let both = [PCMA, PCMU];
    let (a, b) = call("m=audio 5000 RTP/AVP 8 0", &both, &both, &[PCMU, PCMA]).unwrap();
    assert_eq!(common_codec(&a, &b), Some(&PCMU));
    assert_eq!(payload_types(&a.receive), [0]);
}

#[test]
fn no_common_codec_between_phones_means_transcoding() {
    let both = [PCMA, PCMU];
    let (a, b) = call("m=audio 5000 RTP/AVP 8", &both, &both, &[PCMU]).unwrap();
    assert_eq!((a.send.codec.clone(), b.send.codec.clone()), (PCMA, PCMU));
    assert_eq!(common_codec(&a, &b), None);
    assert_eq!(payload_map(&a, &b), []);
}

#[test]
fn a_codec_we_do_not_know_is_passed_on_with_its_parameters() {
    let all = [PCMA, g729(None)];
    let lines = "m=audio 5000 RTP/AVP 18 8 96
        a=fmtp:18 annexb=no
        a=rtpmap:96 telephone-event/8000";
    let (a, b) = call(lines, &all, &all, &[g729(Some("annexb=no"))]).unwrap();
    assert!(common_codec(&a, &b).is_some());
    assert_eq!(a.receive[0].codec.fmtp(), Some("annexb=no"));
    // Events are 96 on one side and 101 on the other.
    assert_eq!(payload_map(&a, &b), [(18, 18), (96, 101)]);
    assert_eq!(payload_map(&b, &a), [(18, 18), (101, 96)]);
    // The callee has another one only: the call fails, it can't be transcoded.
    let refused = call("m=audio 5000 RTP/AVP 18", &all, &all, &[PCMA]).unwrap_err();
    assert_eq!(refused.status(), 488);
}

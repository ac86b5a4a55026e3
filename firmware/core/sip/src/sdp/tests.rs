//! Tests of session descriptions and their negotiation, and what they share.

mod encryption;
mod parsing;
mod phones;
mod properties;
mod relaying;
mod rfc3264;
mod rfc4317;
mod sequences;
mod tolerance;

use core::net::SocketAddr;

use model::Codec;

use super::*;

/// A body from text in the source: blanks before lines are dropped, lines end in CRLF.
fn body(text: &str) -> Vec<u8> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .flat_map(|line| [line, "\r\n"])
        .collect::<String>()
        .into_bytes()
}

fn parse(bytes: &[u8]) -> SessionDescription {
    SessionDescription::parse(bytes).expect("a session description")
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn named(name: &str, clock_rate_hz: u32, fmtp: Option<&str>) -> MediaCodec {
    MediaCodec::Named(NamedCodec {
        name: name.to_owned(),
        clock_rate_hz,
        channels: 1,
        fmtp: fmtp.map(str::to_owned),
    })
}

const PCMU: MediaCodec = MediaCodec::Known(Codec::Pcmu);
const PCMA: MediaCodec = MediaCodec::Known(Codec::Pcma);

/// A leg of ours at 192.0.2.1:4000 with these codecs.
fn capabilities(codecs: &[MediaCodec]) -> Capabilities {
    Capabilities {
        codecs: codecs.to_vec(),
        ..Capabilities::new(at("192.0.2.1:4000"), [])
    }
}

fn leg(codecs: &[MediaCodec]) -> Negotiation {
    Negotiation::new(1001, capabilities(codecs))
}

/// Takes an offer and answers it.
fn exchange(leg: &mut Negotiation, offer: &[u8]) -> (SessionDescription, Option<Negotiated>) {
    leg.offer_received(offer).expect("the offer is acceptable");
    let answered = leg.answer().expect("it is answered");
    (parse(&answered.body), answered.media)
}

/// The formats of a line, as printed.
fn formats(description: &SessionDescription, line: usize) -> String {
    description.media[line].formats.join(" ")
}

fn ports(description: &SessionDescription) -> Vec<u16> {
    description.media.iter().map(|line| line.port).collect()
}

fn payload_types(choices: &[CodecChoice]) -> Vec<u8> {
    choices.iter().map(|choice| choice.payload_type).collect()
}

//! What we print: our own lines in offers and answers, and the payload types they use.
//!
//! RFC 3264 §5 (the first offer), §8 (later ones). A number once given to a codec keeps its meaning
//! for the whole session (§8.3.2).

use core::net::SocketAddr;

use super::attribute::{Attribute, Direction, Fmtp, RtpMap};
use super::capabilities::{Capabilities, Hold};
use super::codec::MediaCodec;
use super::crypto;
use super::description::{Address, Connection, Origin, RawLine, SessionDescription};
use super::error::NegotiationError;
use super::media::{MediaDescription, MediaKind, Protocol};
use super::negotiated::CodecChoice;

/// Events 0 to 9, *, #, A to D and flash (RFC 4733 §3.2).
const EVENTS: &str = "0-16";
/// The number nearly everybody uses for telephone events.
const TELEPHONE_EVENT: u8 = 101;

/// An offer of ours, and what is needed to read its answer.
#[derive(Clone, Debug)]
pub(super) struct OurOffer {
    /// What was sent.
    pub(super) description: SessionDescription,
    /// The position of our audio line.
    pub(super) line: usize,
    /// The codecs offered.
    pub(super) codecs: Vec<CodecChoice>,
    /// The payload type offered for telephone events.
    pub(super) telephone_event: Option<u8>,
    /// What we could do when we made it.
    pub(super) capabilities: Capabilities,
    /// The direction offered.
    pub(super) direction: Direction,
    /// The address offered.
    pub(super) local: SocketAddr,
}

/// The meaning of a payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    Codec(MediaCodec),
    TelephoneEvent,
}

/// The payload types that the far end sends to us, by what we said so far; the latest first.
#[derive(Clone, Debug, Default)]
pub(super) struct PayloadTypes {
    given: Vec<(u8, Meaning)>,
}

impl PayloadTypes {
    /// The number of a codec; a new one if it had none. None where the numbers have run out.
    pub(super) fn of_codec(&mut self, codec: &MediaCodec) -> Option<u8> {
        let given = self.given.iter().find(|(_, meaning)| match meaning {
            Meaning::Codec(known) => known.matches(codec),
            Meaning::TelephoneEvent => false,
        });
        if let Some((payload_type, _)) = given {
            return Some(*payload_type);
        }
        let payload_type = codec
            .static_payload_type()
            .filter(|pt| self.is_free(*pt))
            .or_else(|| self.free(|pt| pt != TELEPHONE_EVENT))?;
        self.learn(payload_type, Meaning::Codec(codec.clone()));
        Some(payload_type)
    }

    /// The number of telephone events.
    pub(super) fn of_telephone_event(&mut self) -> Option<u8> {
        let given = self
            .given
            .iter()
            .find(|(_, meaning)| *meaning == Meaning::TelephoneEvent);
        if let Some((payload_type, _)) = given {
            return Some(*payload_type);
        }
        let payload_type = Some(TELEPHONE_EVENT)
            .filter(|pt| self.is_free(*pt))
            .or_else(|| self.free(|_| true))?;
        self.learn(payload_type, Meaning::TelephoneEvent);
        Some(payload_type)
    }

    /// Takes over the numbers of an answer of ours, which are those of the offer.
    pub(super) fn learn_answer(&mut self, codecs: &[CodecChoice], telephone_event: Option<u8>) {
        for choice in codecs {
            self.learn(choice.payload_type, Meaning::Codec(choice.codec.clone()));
        }
        if let Some(payload_type) = telephone_event {
            self.learn(payload_type, Meaning::TelephoneEvent);
        }
    }

    fn learn(&mut self, payload_type: u8, meaning: Meaning) {
        self.given.retain(|(given, _)| *given != payload_type);
        self.given.insert(0, (payload_type, meaning));
    }

    fn is_free(&self, payload_type: u8) -> bool {
        self.given.iter().all(|(given, _)| *given != payload_type)
    }

    /// RFC 3551 §3: dynamic numbers are 96 to 127, then those that no profile assigns and that
    /// can't be taken for RTCP (RFC 5761 §4).
    fn free(&self, allowed: impl Fn(u8) -> bool) -> Option<u8> {
        (96..=127)
            .chain(35..=63)
            .find(|pt| allowed(*pt) && self.is_free(*pt))
    }
}

/// Our audio line.
#[derive(Clone, Debug)]
pub(super) struct AudioLine<'a> {
    pub(super) port: u16,
    pub(super) protocol: Protocol,
    pub(super) codecs: &'a [CodecChoice],
    pub(super) telephone_event: Option<u8>,
    pub(super) ptime_ms: u16,
    pub(super) rtcp_mux: bool,
    pub(super) direction: Direction,
    pub(super) mid: Option<String>,
    /// Lines of keys.
    pub(super) crypto: Vec<Attribute>,
}

impl AudioLine<'_> {
    pub(super) fn print(self) -> MediaDescription {
        let mut formats = Vec::new();
        let mut attributes = Vec::new();
        for choice in self.codecs {
            let (payload_type, codec) = (choice.payload_type, &choice.codec);
            formats.push(payload_type.to_string());
            attributes.push(Attribute::RtpMap(RtpMap {
                payload_type,
                encoding: codec.encoding_name().to_owned(),
                clock_rate_hz: codec.clock_rate_hz(),
                channels: Some(codec.channels()).filter(|n| *n != 1),
            }));
            if let Some(parameters) = codec.fmtp() {
                attributes.push(Attribute::Fmtp(Fmtp {
                    payload_type,
                    parameters: parameters.to_owned(),
                }));
            }
        }
        if let Some(payload_type) = self.telephone_event {
            formats.push(payload_type.to_string());
            attributes.push(Attribute::RtpMap(RtpMap {
                payload_type,
                encoding: "telephone-event".to_owned(),
                clock_rate_hz: 8000,
                channels: None,
            }));
            attributes.push(Attribute::Fmtp(Fmtp {
                payload_type,
                parameters: EVENTS.to_owned(),
            }));
        }
        attributes.push(Attribute::Ptime(self.ptime_ms));
        if self.rtcp_mux {
            attributes.push(Attribute::RtcpMux);
        }
        attributes.push(Attribute::Direction(self.direction));
        attributes.extend(self.crypto);
        attributes.extend(self.mid.map(Attribute::Mid));
        MediaDescription {
            kind: MediaKind::Audio,
            port: self.port,
            port_count: None,
            protocol: self.protocol,
            formats,
            connection: None,
            lines: Vec::new(),
            attributes,
        }
    }
}

/// The same line with port 0: refused, or off (RFC 3264 §6, §8.2).
pub(super) fn refused(line: &MediaDescription) -> MediaDescription {
    MediaDescription {
        kind: line.kind.clone(),
        port: 0,
        port_count: None,
        protocol: line.protocol.clone(),
        formats: line.formats.clone(),
        connection: None,
        lines: Vec::new(),
        attributes: line
            .mid()
            .map(|mid| Attribute::Mid(mid.to_owned()))
            .into_iter()
            .collect(),
    }
}

/// A description of ours around its lines. The version is put in when it is sent.
pub(super) fn description(
    session_id: u64,
    local: SocketAddr,
    hold: Hold,
    media: Vec<MediaDescription>,
) -> SessionDescription {
    let address = match hold {
        Hold::ZeroAddress => Address::unspecified(local.ip()),
        Hold::No | Hold::SendOnly | Hold::Inactive => Address::Ip(local.ip()),
    };
    SessionDescription {
        origin: Origin {
            username: "-".to_owned(),
            session_id,
            version: 0,
            address: Address::Ip(local.ip()),
        },
        name: "-".to_owned(),
        connection: Some(Connection {
            address,
            multicast: None,
        }),
        lines: vec![RawLine {
            kind: 't',
            value: "0 0".to_owned(),
        }],
        attributes: Vec::new(),
        media,
    }
}

/// Makes an offer that keeps the `lines` of the session; `line` is that of our audio.
pub(super) fn make(
    session_id: u64,
    capabilities: &Capabilities,
    hold: Hold,
    lines: &[MediaDescription],
    line: usize,
    local: SocketAddr,
    payload_types: &mut PayloadTypes,
) -> Result<OurOffer, NegotiationError> {
    let mut codecs: Vec<CodecChoice> = Vec::new();
    for codec in capabilities.usable_codecs() {
        if codecs.iter().any(|choice| choice.codec.matches(codec)) {
            continue;
        }
        if let Some(payload_type) = payload_types.of_codec(codec) {
            codecs.push(CodecChoice {
                codec: codec.clone(),
                payload_type,
            });
        }
    }
    if codecs.is_empty() {
        return Err(NegotiationError::NoCommonCodec);
    }
    let telephone_event = if capabilities.telephone_event {
        payload_types.of_telephone_event()
    } else {
        None
    };
    let direction = capabilities.direction.and(hold.direction());
    let previous = lines.get(line);
    let protocol = previous.map(|p| p.protocol.clone());
    let (protocol, crypto) = match &capabilities.encryption {
        Some(encryption) => {
            // What they have asked for once they get again.
            let asked = previous.is_some_and(crypto::has_keys);
            let crypto = if encryption.offered || asked {
                encryption.lines()
            } else {
                Vec::new()
            };
            let usual = if encryption.required {
                Protocol::RtpSavp
            } else {
                Protocol::RtpAvp
            };
            let fits = |protocol: &Protocol| {
                (protocol.is_secure_rtp() && !crypto.is_empty())
                    || (protocol.is_plain_rtp() && (asked || !encryption.required))
            };
            (protocol.filter(fits).unwrap_or(usual), crypto)
        }
        None => (
            protocol
                .filter(Protocol::is_plain_rtp)
                .unwrap_or(Protocol::RtpAvp),
            Vec::new(),
        ),
    };
    let audio = AudioLine {
        port: local.port(),
        protocol,
        codecs: &codecs,
        telephone_event,
        ptime_ms: capabilities.ptime_ms,
        rtcp_mux: capabilities.rtcp_mux,
        direction,
        mid: previous.and_then(|p| p.mid()).map(str::to_owned),
        crypto,
    }
    .print();
    let mut media: Vec<MediaDescription> = lines.iter().map(refused).collect();
    match media.get_mut(line) {
        Some(slot) => *slot = audio,
        None => media.push(audio),
    }
    Ok(OurOffer {
        description: description(session_id, local, hold, media),
        line,
        codecs,
        telephone_event,
        capabilities: capabilities.clone(),
        direction,
        local,
    })
}

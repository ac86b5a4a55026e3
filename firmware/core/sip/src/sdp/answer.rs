//! Reading the other side: which line of an offer to take and what to answer (RFC 3264 §6), and
//! what an answer to our offer means (§7).

use core::net::{IpAddr, SocketAddr};

use model::MasterKeys;

use super::attribute::{Attribute, Direction};
use super::capabilities::{Capabilities, CodecOrder, Hold, Tolerance};
use super::codec::MediaCodec;
use super::crypto;
use super::description::{Address, SessionDescription};
use super::error::NegotiationError;
use super::media::{MediaDescription, MediaKind, looks_like_rtcp};
use super::negotiated::{CodecChoice, Negotiated, TelephoneEvents};
use super::offer::{self, AudioLine, OurOffer};

/// The shortest packet we send, in ms; also the step between lengths.
const PTIME_STEP_MS: u16 = 10;
/// The longest packet we send, in ms: above it one lost packet is a lost syllable.
const PTIME_MAX_MS: u16 = 60;

/// An answer to their offer, not yet sent.
#[derive(Clone, Debug)]
pub(super) struct OurAnswer {
    /// What to send; the version is put in later.
    pub(super) description: SessionDescription,
    /// The position of the audio line.
    pub(super) line: usize,
    /// What it means. None: the far end switched the stream off.
    pub(super) media: Option<Negotiated>,
}

/// An audio line that can be taken.
struct Usable<'a> {
    line: &'a MediaDescription,
    far: Far,
    local: SocketAddr,
    codecs: Vec<Common>,
    telephone_event: Option<u8>,
    /// Both keys, and the line that answers with ours.
    srtp: Option<(MasterKeys, Attribute)>,
}

/// A codec of both sides.
struct Common {
    payload_type: u8,
    ours: MediaCodec,
    theirs: MediaCodec,
}

/// Where the far end receives, and which way it wants media to flow.
struct Far {
    remote: Option<SocketAddr>,
    host: Option<(String, u16)>,
    direction: Direction,
}

/// Whether there is an answer to an offer; the same as [`make`], without what it would say.
pub(super) fn check(
    offer: &SessionDescription,
    capabilities: &Capabilities,
    previous: Option<usize>,
) -> Result<(), NegotiationError> {
    choose(offer, capabilities, previous).map(drop)
}

/// Answers an offer. `previous` is the position of the audio line in use so far.
pub(super) fn make(
    session_id: u64,
    offer: &SessionDescription,
    capabilities: &Capabilities,
    hold: Hold,
    previous: Option<usize>,
) -> Result<OurAnswer, NegotiationError> {
    let (index, usable) = match choose(offer, capabilities, previous)? {
        Choice::Take(index, usable) => (index, usable),
        Choice::Off(index) => {
            let media = offer.media.iter().map(offer::refused).collect();
            return Ok(OurAnswer {
                description: offer::description(session_id, capabilities.address, hold, media),
                line: index,
                media: None,
            });
        }
    };
    let direction = usable
        .far
        .direction
        .reversed()
        .and(capabilities.direction)
        .and(hold.direction());
    let rtcp_mux = capabilities.rtcp_mux && usable.line.rtcp_mux();
    let receive: Vec<CodecChoice> = usable.codecs.iter().map(Common::receive).collect();
    let Some(send) = usable.codecs.first().map(Common::send) else {
        return Err(NegotiationError::NoCommonCodec);
    };
    let (srtp, crypto) = usable.srtp.unzip();
    let mut audio = Some(
        AudioLine {
            port: usable.local.port(),
            protocol: usable.line.protocol.clone(),
            codecs: &receive,
            telephone_event: usable.telephone_event,
            ptime_ms: capabilities.ptime_ms,
            rtcp_mux,
            direction,
            mid: usable.line.mid().map(str::to_owned),
            crypto: crypto.into_iter().collect(),
        }
        .print(),
    );
    let media = offer
        .media
        .iter()
        .enumerate()
        .map(|(at, line)| {
            audio
                .take_if(|_| at == index)
                .unwrap_or_else(|| offer::refused(line))
        })
        .collect();
    Ok(OurAnswer {
        description: offer::description(session_id, usable.local, hold, media),
        line: index,
        media: Some(Negotiated {
            local: usable.local,
            remote: usable.far.remote,
            remote_rtcp: usable.far.rtcp(usable.line, rtcp_mux),
            remote_host: usable.far.host,
            send,
            receive,
            telephone_event: usable.telephone_event.map(|pt| TelephoneEvents {
                send_payload_type: pt,
                receive_payload_type: pt,
            }),
            ptime_ms: packet_ms(usable.line, capabilities.ptime_ms),
            direction,
            held_by_remote: !usable.far.direction.may_receive(),
            rtcp_mux,
            srtp,
        }),
    })
}

enum Choice<'a> {
    Take(usize, Usable<'a>),
    Off(usize),
}

/// The audio line in use so far if it can be taken, else the first one that can.
fn choose<'a>(
    offer: &'a SessionDescription,
    capabilities: &Capabilities,
    previous: Option<usize>,
) -> Result<Choice<'a>, NegotiationError> {
    let audio = || {
        offer
            .media
            .iter()
            .enumerate()
            .filter(|(_, line)| line.kind == MediaKind::Audio)
    };
    let kept = audio().filter(|(at, _)| Some(*at) == previous);
    let others = audio().filter(|(at, _)| Some(*at) != previous);
    let mut nearest = NegotiationError::NoAudio;
    for (at, line) in kept.chain(others).filter(|(_, line)| line.port != 0) {
        match usable(offer, line, capabilities) {
            Ok(usable) => return Ok(Choice::Take(at, usable)),
            Err(error) if closeness(&error) > closeness(&nearest) => nearest = error,
            Err(_) => {}
        }
    }
    // RFC 3264 §5: no lines at all say that streams come later.
    if offer.media.is_empty() {
        return Ok(Choice::Off(0));
    }
    // RFC 3264 §8.2: a stream of the session is taken away by port 0.
    if nearest == NegotiationError::NoAudio
        && previous.is_some()
        && let Some((at, _)) = audio()
            .find(|(at, _)| Some(*at) == previous)
            .or_else(|| audio().next())
    {
        return Ok(Choice::Off(at));
    }
    Err(nearest)
}

/// How near a line came to be taken; the nearest one's fault is told.
const fn closeness(error: &NegotiationError) -> u8 {
    match error {
        NegotiationError::UnsupportedTransport => 1,
        NegotiationError::UnsupportedAddress => 2,
        NegotiationError::NoCommonCodec => 3,
        _ => 0,
    }
}

fn usable<'a>(
    offer: &SessionDescription,
    line: &'a MediaDescription,
    capabilities: &Capabilities,
) -> Result<Usable<'a>, NegotiationError> {
    if !line.protocol.is_rtp() {
        return Err(NegotiationError::UnsupportedTransport);
    }
    let encryption = capabilities.encryption.as_ref();
    let srtp = encryption.and_then(|encryption| encryption.answer(line));
    let required = encryption.is_some_and(|encryption| encryption.required && !encryption.lenient);
    if srtp.is_none() && (required || line.protocol.is_secure_rtp()) {
        return Err(NegotiationError::UnsupportedTransport);
    }
    let far = Far::of(offer, line)?;
    let local = local_for(offer, line, capabilities)?;
    let mut codecs: Vec<Common> = Vec::new();
    for (payload_type, theirs) in line.codecs().filter(|(_, codec)| codec.is_voice()) {
        if codecs.iter().any(|common| common.theirs.matches(&theirs)) {
            continue;
        }
        if let Some(ours) = capabilities.usable_codecs().find(|c| c.matches(&theirs)) {
            codecs.push(Common {
                payload_type,
                ours: ours.clone(),
                theirs,
            });
        }
    }
    if codecs.is_empty() {
        return Err(NegotiationError::NoCommonCodec);
    }
    let rank = |codec: &MediaCodec| match capabilities.order {
        CodecOrder::Offerer => None,
        CodecOrder::Ours => capabilities.codecs.iter().position(|c| c.matches(codec)),
    };
    let is_preferred = |codec: &MediaCodec| {
        capabilities
            .preferred
            .as_ref()
            .is_some_and(|preferred| preferred.matches(codec))
    };
    codecs.sort_by_key(|common| (!is_preferred(&common.theirs), rank(&common.theirs)));
    if capabilities.answer_with_one {
        codecs.truncate(1);
    }
    let telephone_event = line
        .codecs()
        .find(|(_, codec)| capabilities.telephone_event && codec.is_telephone_event())
        .map(|(payload_type, _)| payload_type);
    Ok(Usable {
        line,
        far,
        local,
        codecs,
        telephone_event,
        srtp,
    })
}

impl Common {
    fn receive(&self) -> CodecChoice {
        CodecChoice {
            codec: self.ours.clone(),
            payload_type: self.payload_type,
        }
    }

    fn send(&self) -> CodecChoice {
        CodecChoice {
            codec: self.theirs.clone(),
            payload_type: self.payload_type,
        }
    }
}

impl Far {
    fn of(
        description: &SessionDescription,
        line: &MediaDescription,
    ) -> Result<Self, NegotiationError> {
        let mut far = Self {
            remote: None,
            host: None,
            direction: description.direction_of(line),
        };
        match far_address(description, line) {
            // RFC 3264 §8.4, RFC 6157 §5: held the old way, nothing may be sent there.
            address if address.is_unspecified() => {
                far.direction = far.direction.and(Direction::SendOnly);
            }
            Address::Ip(ip) if !is_unicast(*ip) => {
                return Err(NegotiationError::UnsupportedAddress);
            }
            Address::Ip(ip) => far.remote = Some(SocketAddr::new(*ip, line.port)),
            Address::Host { name, .. } => far.host = Some((name.clone(), line.port)),
            Address::Other { .. } => return Err(NegotiationError::UnsupportedAddress),
        }
        Ok(far)
    }

    /// RFC 3605 §2.1, RFC 5761 §5.1.1; by default the port above that of RTP.
    fn rtcp(&self, line: &MediaDescription, rtcp_mux: bool) -> Option<SocketAddr> {
        let rtp = self.remote?;
        if rtcp_mux {
            return Some(rtp);
        }
        let (ip, port) = match line.rtcp() {
            Some(rtcp) => (
                rtcp.ip.filter(|ip| is_unicast(*ip)).unwrap_or(rtp.ip()),
                rtcp.port,
            ),
            None => (rtp.ip(), rtp.port().checked_add(1)?),
        };
        (port != 0).then(|| SocketAddr::new(ip, port))
    }
}

/// An address that a stream of ours may go to.
fn is_unicast(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

/// `c=`; where it is missing against RFC 8866 §5.7, the maker's own address.
fn far_address<'a>(description: &'a SessionDescription, line: &'a MediaDescription) -> &'a Address {
    description
        .connection_of(line)
        .map_or(&description.origin.address, |c| &c.address)
}

/// Our address of the family that the far end uses.
fn local_for(
    description: &SessionDescription,
    line: &MediaDescription,
    capabilities: &Capabilities,
) -> Result<SocketAddr, NegotiationError> {
    match far_address(description, line) {
        Address::Ip(ip) => capabilities
            .address_for(*ip)
            // A held line says nothing about the family: many write 0.0.0.0 for either.
            .or_else(|| ip.is_unspecified().then_some(capabilities.address))
            .ok_or(NegotiationError::UnsupportedAddress),
        Address::Host { ipv6, .. } => Ok([Some(capabilities.address), capabilities.alternative]
            .into_iter()
            .flatten()
            .find(|own| own.is_ipv6() == *ipv6)
            .unwrap_or(capabilities.address)),
        Address::Other { .. } => Err(NegotiationError::UnsupportedAddress),
    }
}

/// The length of packets to send: what the line asks for in steps of 10 ms, else `ours_ms`.
fn packet_ms(line: &MediaDescription, ours_ms: u16) -> u16 {
    let wanted = line.ptime_ms().filter(|ms| *ms > 0).unwrap_or(ours_ms);
    let wanted = line
        .max_ptime_ms()
        .filter(|ms| *ms > 0)
        .map_or(wanted, |max| wanted.min(max))
        .clamp(PTIME_STEP_MS, PTIME_MAX_MS);
    wanted - wanted % PTIME_STEP_MS
}

/// What an answer to `ours` means. None: the far end refused the stream.
pub(super) fn read(
    answer: &SessionDescription,
    ours: &OurOffer,
    tolerance: Tolerance,
) -> Result<Option<Negotiated>, NegotiationError> {
    let (expected, found) = (ours.description.media.len(), answer.media.len());
    if tolerance == Tolerance::Strict && expected != found {
        return Err(NegotiationError::LineMismatch { expected, found });
    }
    let Some(line) = answered_line(answer, ours.line, tolerance)? else {
        return Ok(None);
    };
    if !line.protocol.is_rtp() {
        return Err(NegotiationError::UnsupportedTransport);
    }
    let srtp = answered_keys(line, ours)?;
    let far = Far::of(answer, line)?;
    let local = match far.remote {
        Some(remote) if remote.is_ipv4() != ours.local.is_ipv4() => {
            local_for(answer, line, &ours.capabilities)?
        }
        _ => ours.local,
    };
    let codecs = Answered::read(line, ours, tolerance)?;
    let rtcp_mux = ours.capabilities.rtcp_mux && line.rtcp_mux();
    Ok(Some(Negotiated {
        local,
        remote: far.remote,
        remote_rtcp: far.rtcp(line, rtcp_mux),
        send: codecs.send,
        receive: codecs.receive,
        telephone_event: codecs.telephone_event,
        ptime_ms: packet_ms(line, ours.capabilities.ptime_ms),
        direction: ours.direction.and(far.direction.reversed()),
        held_by_remote: ours.direction.may_send() && !far.direction.may_receive(),
        rtcp_mux,
        remote_host: far.host,
        srtp,
    }))
}

/// The keys that an answer agrees on; none where it is in the clear and may be.
fn answered_keys(
    line: &MediaDescription,
    ours: &OurOffer,
) -> Result<Option<MasterKeys>, NegotiationError> {
    let offered = ours.description.media.get(ours.line);
    let encryption = ours.capabilities.encryption.as_ref();
    let asked = offered.is_some_and(crypto::has_keys);
    let keys = encryption
        .filter(|_| asked)
        .and_then(|encryption| encryption.answered(line));
    let lenient = encryption.is_some_and(|encryption| encryption.lenient);
    let must = line.protocol.is_secure_rtp()
        // Who answers keys with keys encrypts: without one that we can, it would be noise.
        || asked && crypto::has_keys(line)
        || !lenient
            && (encryption.is_some_and(|encryption| encryption.required)
                || offered.is_some_and(|offered| offered.protocol.is_secure_rtp()));
    if keys.is_none() && must {
        return Err(NegotiationError::UnsupportedTransport);
    }
    Ok(keys)
}

/// The line that answers ours; None where it is refused.
fn answered_line(
    answer: &SessionDescription,
    index: usize,
    tolerance: Tolerance,
) -> Result<Option<&MediaDescription>, NegotiationError> {
    let in_use = |line: &&MediaDescription| line.kind == MediaKind::Audio && line.port != 0;
    let at = answer.media.get(index);
    if let Some(line) = at.filter(in_use) {
        return Ok(Some(line));
    }
    let elsewhere = answer.media.iter().find(in_use);
    if tolerance == Tolerance::Tolerant && elsewhere.is_some() {
        return Ok(elsewhere);
    }
    match at {
        Some(line) if line.port == 0 => Ok(None),
        _ if tolerance == Tolerance::Tolerant => Ok(None),
        _ => Err(NegotiationError::NoAudio),
    }
}

/// The payload types of an answer.
struct Answered {
    send: CodecChoice,
    receive: Vec<CodecChoice>,
    telephone_event: Option<TelephoneEvents>,
}

impl Answered {
    fn read(
        line: &MediaDescription,
        ours: &OurOffer,
        tolerance: Tolerance,
    ) -> Result<Self, NegotiationError> {
        let tolerant = tolerance == Tolerance::Tolerant;
        let mut taken: Vec<(CodecChoice, u8)> = Vec::new();
        let mut event = None;
        for payload_type in line.payload_types().filter(|pt| !looks_like_rtcp(*pt)) {
            let said = line.codec(payload_type);
            // A number of ours without an rtpmap still means what we said.
            let offered = ours.codecs.iter().find(|choice| match &said {
                Some(codec) => choice.codec.matches(codec),
                None => tolerant && choice.payload_type == payload_type,
            });
            let is_event = match &said {
                Some(codec) => codec.is_telephone_event(),
                None => tolerant && ours.telephone_event == Some(payload_type),
            };
            match offered {
                Some(offered) => taken.push((
                    CodecChoice {
                        codec: said.unwrap_or_else(|| offered.codec.clone()),
                        payload_type,
                    },
                    offered.payload_type,
                )),
                None if is_event => event = event.or(Some(payload_type)),
                None if tolerant => {}
                None => return Err(NegotiationError::ForeignCodec),
            }
        }
        let Some((send, _)) = taken.first() else {
            return Err(NegotiationError::NoCommonCodec);
        };
        Ok(Self {
            send: send.clone(),
            receive: receivable(&taken, ours, tolerance),
            telephone_event: ours.telephone_event.zip(event).map(|(receive, send)| {
                TelephoneEvents {
                    send_payload_type: send,
                    receive_payload_type: receive,
                }
            }),
        })
    }
}

/// What may arrive after an answer that took `taken` (their choice, our number).
fn receivable(
    taken: &[(CodecChoice, u8)],
    ours: &OurOffer,
    tolerance: Tolerance,
) -> Vec<CodecChoice> {
    let mut receive: Vec<CodecChoice> = Vec::new();
    let mut add = |codec: &MediaCodec, payload_type: u8| {
        if receive
            .iter()
            .all(|known| known.payload_type != payload_type)
        {
            receive.push(CodecChoice {
                codec: codec.clone(),
                payload_type,
            });
        }
    };
    // RFC 3264 §7: the numbers that count for us are those of our offer.
    for choice in ours.codecs_by_number(taken.iter().map(|(_, number)| *number)) {
        add(&choice.codec, choice.payload_type);
    }
    if tolerance == Tolerance::Tolerant {
        // Some send what they did not answer, or with the numbers of their own answer.
        for choice in &ours.codecs {
            add(&choice.codec, choice.payload_type);
        }
        for (choice, _) in taken {
            if ours.telephone_event != Some(choice.payload_type) {
                add(&choice.codec, choice.payload_type);
            }
        }
    }
    receive
}

impl OurOffer {
    fn codecs_by_number(
        &self,
        numbers: impl Iterator<Item = u8>,
    ) -> impl Iterator<Item = &CodecChoice> {
        numbers.filter_map(|number| self.codecs.iter().find(|c| c.payload_type == number))
    }
}

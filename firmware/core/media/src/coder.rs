//! What a port's codecs remember of their streams: payloads to samples at 8 kHz, and back.
//!
//! Owns the choice of the codec; the arithmetic is `dsp`'s. All are made in place, so that another codec in
//! mid-call takes no memory. The tick works at 8 kHz: of G.722 it hears and makes the lower band, since whoever
//! is at the other end of a transcoded call has no more.

use dsp::g711::Law;
use dsp::g722::{NarrowDecoder, NarrowEncoder};
use dsp::gsm;
use model::Codec;
use rtp::jitter::Framing;
use rtp::quality::Impairment;

/// Samples to payloads, for one stream of ours.
#[derive(Clone, Debug)]
pub(crate) enum Encoder {
    G711(Law),
    G722(NarrowEncoder),
    Gsm(gsm::Encoder),
    /// Nothing of our own is said in it.
    PassedOn,
}

/// Payloads to samples, for one stream of a party.
#[derive(Clone, Debug)]
pub(crate) enum Decoder {
    G711(Law),
    G722(NarrowDecoder),
    Gsm(gsm::Decoder),
    /// Nothing of it is heard.
    PassedOn,
}

impl Encoder {
    /// The beginning of a stream.
    pub(crate) const fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::G711(Law::A),
            Codec::Pcmu => Self::G711(Law::Mu),
            Codec::G722 => Self::G722(NarrowEncoder::new()),
            Codec::Gsm => Self::Gsm(gsm::Encoder::new()),
            Codec::G729 | Codec::Ilbc | Codec::Speex | Codec::Opus => Self::PassedOn,
        }
    }

    /// Encodes samples, whole frames of them; octets written.
    pub(crate) fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        match self {
            Self::G711(law) => law.encode_block(samples, payload),
            Self::G722(encoder) => encoder.encode_block(samples, payload),
            Self::Gsm(encoder) => {
                let frames = samples.as_chunks().0.iter();
                let places = payload.as_chunks_mut().0.iter_mut();
                let written = frames.zip(places).map(|(frame, place)| {
                    *place = encoder.encode(frame);
                    place.len()
                });
                written.sum()
            }
            Self::PassedOn => 0,
        }
    }
}

impl Decoder {
    /// The beginning of a stream.
    pub(crate) const fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::G711(Law::A),
            Codec::Pcmu => Self::G711(Law::Mu),
            Codec::G722 => Self::G722(NarrowDecoder::new()),
            Codec::Gsm => Self::Gsm(gsm::Decoder::new()),
            Codec::G729 | Codec::Ilbc | Codec::Speex | Codec::Opus => Self::PassedOn,
        }
    }

    /// Decodes a payload into at most `samples.len()` samples; how many.
    pub(crate) fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        match self {
            Self::G711(law) => law.decode_block(payload, samples),
            Self::G722(decoder) => decoder.decode_block(payload, samples),
            Self::Gsm(decoder) => {
                let frames = payload.as_chunks().0.iter();
                let places = samples.as_chunks_mut().0.iter_mut();
                let written = frames.zip(places).map(|(frame, place)| {
                    *place = decoder.decode(frame);
                    place.len()
                });
                written.sum()
            }
            Self::PassedOn => 0,
        }
    }
}

/// Tells a payload of silence.
type IsSilent = fn(&[u8]) -> bool;

/// How the jitter buffer cuts packets: by 10 ms where any length can be cut, so that packets of any are played.
/// Octets alone tell silence in G.711 only. What is passed on has no buffer.
pub(crate) const fn framing(codec: Codec) -> Framing {
    let (ticks, octets, is_silent): (_, _, Option<IsSilent>) = match codec {
        Codec::Pcma => (80, 80, Some(|payload| Law::A.is_silent(payload))),
        Codec::Pcmu => (80, 80, Some(|payload| Law::Mu.is_silent(payload))),
        Codec::G722 | Codec::G729 | Codec::Ilbc | Codec::Speex | Codec::Opus => (80, 80, None),
        Codec::Gsm => (gsm::FRAME_SAMPLES as u32, gsm::FRAME_OCTETS, None),
    };
    Framing {
        ticks,
        octets,
        is_silent,
    }
}

/// What a codec does to speech.
pub(crate) const fn impairment(codec: Codec) -> Impairment {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::Opus => Impairment::G711_CONCEALED,
        Codec::Gsm => Impairment::GSM,
        // Of iLBC and Speex the table says nothing; they are of its kind.
        Codec::G729 | Codec::Ilbc | Codec::Speex => Impairment::G729A,
    }
}

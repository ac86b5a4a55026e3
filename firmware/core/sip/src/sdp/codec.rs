//! What a payload type carries, and when two descriptions of it mean the same codec.
//!
//! The table of static payload types is RFC 3551 §6.

use model::Codec;

use super::attribute::RtpMap;

/// A codec of an RTP stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCodec {
    /// One the exchange can encode and decode.
    Known(Codec),
    /// One it can pass on only, from one leg to another that speaks it too.
    Named(NamedCodec),
}

/// A codec known by its description alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCodec {
    /// Encoding name of `rtpmap`.
    pub name: String,
    /// Clock rate of `rtpmap`, in Hz.
    pub clock_rate_hz: u32,
    /// Channels; 1 where `rtpmap` says nothing.
    pub channels: u8,
    /// Parameters of `fmtp`, as written.
    pub fmtp: Option<String>,
}

impl From<Codec> for MediaCodec {
    /// As we offer it. Parameters are those that both ends of what is passed on can keep to.
    fn from(codec: Codec) -> Self {
        if codec.is_transcoded() {
            return Self::Known(codec);
        }
        Self::Named(NamedCodec {
            name: codec.encoding_name().to_owned(),
            clock_rate_hz: codec.clock_rate_hz(),
            channels: codec.channels(),
            // RFC 4856 §2.1.9: without this word either end may send descriptions of silence.
            fmtp: (codec == Codec::G729).then(|| "annexb=no".to_owned()),
        })
    }
}

impl MediaCodec {
    /// The codec that it is, where an extension may use it.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        let mut all = Codec::ALL.into_iter();
        all.find(|codec| Self::from(*codec).matches(self))
    }

    /// Encoding name of `rtpmap`.
    #[must_use]
    pub fn encoding_name(&self) -> &str {
        match self {
            Self::Known(codec) => codec.encoding_name(),
            Self::Named(codec) => &codec.name,
        }
    }

    /// Clock rate of `rtpmap`, in Hz.
    #[must_use]
    pub const fn clock_rate_hz(&self) -> u32 {
        match self {
            Self::Known(codec) => codec.clock_rate_hz(),
            Self::Named(codec) => codec.clock_rate_hz,
        }
    }

    /// Channels of `rtpmap`.
    #[must_use]
    pub const fn channels(&self) -> u8 {
        match self {
            Self::Known(_) => 1,
            Self::Named(codec) => codec.channels,
        }
    }

    /// Parameters of `fmtp`.
    #[must_use]
    pub fn fmtp(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Named(codec) => codec.fmtp.as_deref(),
        }
    }

    /// The payload type that RFC 3551 §6 gives it.
    #[must_use]
    pub fn static_payload_type(&self) -> Option<u8> {
        STATIC
            .iter()
            .find(|(_, name, clock_rate_hz, channels)| {
                name.eq_ignore_ascii_case(self.encoding_name())
                    && *clock_rate_hz == self.clock_rate_hz()
                    && *channels == self.channels()
            })
            .map(|(payload_type, ..)| *payload_type)
    }

    /// Telephone events (RFC 4733) at the only rate we use.
    pub(super) fn is_telephone_event(&self) -> bool {
        self.encoding_name().eq_ignore_ascii_case("telephone-event") && self.clock_rate_hz() == 8000
    }

    /// It can carry a call alone: neither events nor comfort noise nor redundancy.
    pub(super) fn is_voice(&self) -> bool {
        !["telephone-event", "tone", "CN", "red"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(self.encoding_name()))
    }

    /// The codec the exchange knows, if it is one.
    #[must_use]
    pub const fn known(&self) -> Option<Codec> {
        match self {
            Self::Known(codec) => Some(*codec),
            Self::Named(_) => None,
        }
    }

    /// Both mean the same codec, so that what one end sends the other can decode.
    ///
    /// Parameters count only where streams differ without agreement on them.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.encoding_name()
            .eq_ignore_ascii_case(other.encoding_name())
            && self.clock_rate_hz() == other.clock_rate_hz()
            && self.channels() == other.channels()
            && ESSENTIAL
                .iter()
                .filter(|(name, ..)| name.eq_ignore_ascii_case(self.encoding_name()))
                .all(|(_, parameter, default)| {
                    let ours = parameter_of(self.fmtp(), parameter).unwrap_or(default);
                    let theirs = parameter_of(other.fmtp(), parameter).unwrap_or(default);
                    ours.eq_ignore_ascii_case(theirs)
                })
    }
}

/// Static payload types: number, name, clock rate in Hz, channels.
const STATIC: [(u8, &str, u32, u8); 17] = [
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (5, "DVI4", 8000, 1),
    (6, "DVI4", 16000, 1),
    (7, "LPC", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44100, 2),
    (11, "L16", 44100, 1),
    (12, "QCELP", 8000, 1),
    (13, "CN", 8000, 1),
    (14, "MPA", 90000, 1),
    (15, "G728", 8000, 1),
    (16, "DVI4", 11025, 1),
    (17, "DVI4", 22050, 1),
    (18, "G729", 8000, 1),
];

/// Parameters that change the payload itself: codec, parameter, its default.
const ESSENTIAL: [(&str, &str, &str); 3] = [
    // RFC 4867 §8.1, §8.2.
    ("AMR", "octet-align", "0"),
    ("AMR-WB", "octet-align", "0"),
    // RFC 5577 §5.1: no default; an empty one matches an empty one.
    ("G7221", "bitrate", ""),
];

fn parameter_of<'a>(fmtp: Option<&'a str>, parameter: &str) -> Option<&'a str> {
    fmtp?.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case(parameter)
            .then_some(value.trim())
    })
}

/// The meaning of a payload type.
pub(super) fn resolve(
    payload_type: u8,
    rtpmap: Option<&RtpMap>,
    fmtp: Option<&str>,
) -> Option<MediaCodec> {
    let fixed = STATIC.iter().find(|(pt, ..)| *pt == payload_type);
    let (name, clock_rate_hz, channels) = match (rtpmap, fixed) {
        // Some phones write G722/16000 for payload type 9; RFC 3551 §4.5.2 says 8000.
        (Some(map), Some((_, name, clock_rate_hz, channels)))
            if map.encoding.eq_ignore_ascii_case(name) =>
        {
            (*name, *clock_rate_hz, *channels)
        }
        (Some(map), _) => (
            map.encoding.as_str(),
            map.clock_rate_hz,
            map.channels.unwrap_or(1),
        ),
        (None, Some((_, name, clock_rate_hz, channels))) => (*name, *clock_rate_hz, *channels),
        (None, None) => return None,
    };
    let known = Codec::ALL.into_iter().find(|codec| {
        codec.is_transcoded()
            && codec.encoding_name().eq_ignore_ascii_case(name)
            && codec.clock_rate_hz() == clock_rate_hz
            && channels == 1
    });
    Some(known.map_or_else(
        || {
            MediaCodec::Named(NamedCodec {
                name: name.to_owned(),
                clock_rate_hz,
                channels,
                fmtp: fmtp.map(str::to_owned),
            })
        },
        MediaCodec::Known,
    ))
}

/// The clock rate to assume for a payload type whose `rtpmap` names none, in Hz.
pub(super) fn static_clock_rate_hz(payload_type: u8) -> u32 {
    STATIC
        .iter()
        .find(|(pt, ..)| *pt == payload_type)
        .map_or(8000, |(_, _, clock_rate_hz, _)| *clock_rate_hz)
}

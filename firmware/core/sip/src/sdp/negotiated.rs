//! The result of an offer and its answer: all that the media graph needs to know.

use core::net::SocketAddr;

use model::MasterKeys;

use super::attribute::Direction;
use super::codec::MediaCodec;

/// What both ends agreed on for the audio stream of a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Our own RTP address, of the pair if we have two.
    pub local: SocketAddr,
    /// Where RTP goes. None: held by the old way (`c=0.0.0.0`), or a name, see
    /// [`remote_host`](Self::remote_host).
    pub remote: Option<SocketAddr>,
    /// Where RTCP goes; the address of RTP where `rtcp_mux` is set.
    pub remote_rtcp: Option<SocketAddr>,
    /// Name and port of the far end where it gave a name instead of an address.
    pub remote_host: Option<(String, u16)>,
    /// What we send, with the payload type the far end wants for it.
    pub send: CodecChoice,
    /// What may arrive: the agreed ones first, in order of preference.
    pub receive: Vec<CodecChoice>,
    /// Telephone events (RFC 4733), where both ends have them.
    pub telephone_event: Option<TelephoneEvents>,
    /// Length of the packets that the far end would like best, in ms, else our own (RFC 8866 §6.4: a wish).
    pub ptime_ms: u16,
    /// Ours: whether we may send and may receive.
    pub direction: Direction,
    /// The far end put us on hold by itself: it does not want what we would send. False where we
    /// did not offer to send, as its answer says nothing then.
    pub held_by_remote: bool,
    /// RTP and RTCP share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// Both are encrypted, with these keys.
    pub srtp: Option<MasterKeys>,
}

/// A codec and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecChoice {
    /// The codec.
    pub codec: MediaCodec,
    /// Its payload type.
    pub payload_type: u8,
}

/// Payload types of telephone events, at 8 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvents {
    /// The one we send with.
    pub send_payload_type: u8,
    /// The one that arrives.
    pub receive_payload_type: u8,
}

impl Negotiated {
    /// The codec of a payload type that arrived.
    #[must_use]
    pub fn received(&self, payload_type: u8) -> Option<&MediaCodec> {
        self.receive
            .iter()
            .find(|choice| choice.payload_type == payload_type)
            .map(|choice| &choice.codec)
    }
}

//! The words between the signalling loop and the media thread.
//!
//! All are `Copy`: they cross a bounded single-producer single-consumer ring and are dropped in the
//! real-time thread, where nothing may be freed.

use core::net::{IpAddr, SocketAddr};

use dsp::tone::ToneSpec;
use model::{Codec, MasterKeys, PortId, Quality};

/// What the signalling loop asks of the media thread.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Start a port. It sends and accepts nothing before.
    Open {
        /// Which; it must be free.
        port: PortId,
        /// How.
        settings: PortSettings,
    },
    /// New settings after an offer and answer; streams go on where they can.
    Update {
        /// Which.
        port: PortId,
        /// How.
        settings: PortSettings,
    },
    /// What comes from either goes to the other; ends what either was connected to before.
    Connect {
        /// One.
        a: PortId,
        /// The other.
        b: PortId,
        /// Both have answered: of each something is to be heard, unless one holds the other.
        talk: bool,
    },
    /// End the connection of this port and its other.
    Disconnect {
        /// Which.
        port: PortId,
    },
    /// Play a tone towards the party, in place of what it is connected to, until `Stop`.
    Play {
        /// To whom.
        port: PortId,
        /// What.
        tone: ToneSpec,
    },
    /// End the tone.
    Stop {
        /// Of whom.
        port: PortId,
    },
    /// Send a DTMF digit to the party: RFC 4733 where agreed, else in band.
    SendDigit {
        /// To whom.
        port: PortId,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long, in ms.
        duration_ms: u16,
    },
    /// Tell what was measured so far.
    Report {
        /// Of whom.
        port: PortId,
    },
    /// End the port; [`Event::Closed`] follows, and then it is free.
    Close {
        /// Which.
        port: PortId,
    },
}

/// The most payload types a port takes at once.
pub const MAX_PAYLOADS: usize = 8;

/// What a port has agreed with its party (RFC 3264).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSettings {
    /// Our address towards the party: packets leave from it.
    pub local_ip: IpAddr,
    /// Where the party said it wants RTP.
    pub remote: Option<SocketAddr>,
    /// Where the party said it wants RTCP; none derives it from `remote` (RFC 3605).
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP comes and goes on the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// Source address of the party's signalling: the one other place RTP may come from behind NAT.
    pub signalling_ip: IpAddr,
    /// What we send.
    pub send_codec: Codec,
    /// Its payload type.
    pub send_payload_type: u8,
    /// What we take: payload type and codec.
    pub receive: [Option<(u8, Codec)>; MAX_PAYLOADS],
    /// Payload type of telephone-event we send.
    pub send_event: Option<u8>,
    /// Payload type of telephone-event we take.
    pub receive_event: Option<u8>,
    /// The party may be sent sound.
    pub may_send: bool,
    /// The party may send us sound.
    pub may_receive: bool,
    /// Both ways are encrypted, with these keys: what is not is no packet of the party's then.
    pub srtp: Option<MasterKeys>,
    /// Our SSRC; the first sequence number and timestamp come from it too. Random.
    pub seed: u64,
    /// Listen for DTMF in band and report it, where no telephone-event was agreed.
    pub detect_digits: bool,
}

/// What the media thread tells.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The first valid packet of the party came.
    Heard {
        /// Of whom.
        port: PortId,
        /// From where; RTP goes there from now on.
        source: SocketAddr,
    },
    /// A digit ended.
    Digit {
        /// Of whom.
        port: PortId,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long it was held, in ms.
        duration_ms: u16,
    },
    /// Nothing has come from a party that may send, for so long.
    Silent {
        /// Of whom.
        port: PortId,
        /// How long, in ms.
        for_ms: u32,
    },
    /// Answer to [`Command::Report`]; and told unasked when a party that is to be heard has fallen silent,
    /// and when it has been heard again.
    Report {
        /// Of whom.
        port: PortId,
        /// What was measured.
        quality: Quality,
    },
    /// The port is closed.
    Closed {
        /// Which.
        port: PortId,
        /// What was measured.
        quality: Quality,
    },
}

//! Where media comes from and goes to: symmetric RTP that cannot be stolen.
//!
//! A phone behind NAT cannot know the address its media will come from, so the box must learn it; whoever learns
//! from the first packet of anyone hands calls to anyone ("RTP bleed"). This module owns that decision. It holds no
//! socket: the media thread tells it each valid packet's source, and sends to [`Latch::destination`].
//!
//! ```text
//!            known source, or a stranger on trial (Open)            WINDOW over
//!   Armed ───────────────────────────────────────────▶ Tentative ────────────────▶ Fixed
//!     ▲                                                  │   ▲ a better known one    │ ▲ same IP, other port:
//!     │                                                  └───┘                       └─┘ see below
//!     └───────────────────── rearm (offer/answer) ◀──────────┴───────────────────────┘
//! ```
//!
//! Another port of the latched IP takes over at once where it is the signalled one, after [`SILENCE`] where it goes on
//! with the stream (NAT bound anew keeps the SSRC), and with another stream after [`LONG_SILENCE`], unless the signalled
//! one is latched: behind one address there may be other phones, and a phone may be silent for long.
//! Once fixed, no third IP is ever heard. Best first: the signalled address itself; its IP; the IP that signalling
//! comes from; and, by [`LatchPolicy::Open`] only, a stranger. Compare RFC 4961, RFC 7362 §4.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use model::Instant;

use crate::packet::Ssrc;

/// Whom to believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatchPolicy {
    /// Only the signalled address: a peer not behind NAT.
    Strict,
    /// Also another port of its IP, or the IP that signalling comes from: a phone behind NAT.
    Symmetric,
    /// Also an unknown IP that sends [`TRIAL_PACKETS`] while no known one speaks: NAT with many public addresses, where nothing
    /// better helps. An attacker who guesses the port before the phone speaks is heard until the phone does.
    Open,
}

/// What signalling knows of the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatchConfig {
    /// Whom to believe.
    pub policy: LatchPolicy,
    /// The address in its SDP; none where it has not answered yet.
    pub signalled: Option<SocketAddr>,
    /// The IP its SIP requests or responses come from, as seen here.
    pub signalling_ip: Option<IpAddr>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ours.
    Accept,
    /// Ours, and the first of this address: the destination has changed; the stream is another one.
    Latched(SocketAddr),
    /// Not ours.
    Drop(DropReason),
}

impl Verdict {
    /// Whether the packet is to be played.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        !matches!(self, Verdict::Drop(_))
    }
}

/// Why a packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// No source this call may have.
    Stranger,
    /// A stranger not yet past its trial.
    OnTrial,
    /// A source this call might have had, but another one is latched.
    Latched,
    /// Not an RTP packet of a payload type agreed on.
    Invalid,
}

/// How long a latch may still move to a better known source.
pub const WINDOW: Duration = Duration::from_millis(1500);
/// How long the latched port must be silent before another port of its IP goes on with its stream: NAT bindings are
/// renewed within one packet; half a second is past any jitter and short against a conversation.
pub const SILENCE: Duration = Duration::from_millis(500);
/// How long nothing may have come of a stream, RTCP included, before another one of its IP takes its place: two
/// intervals of RTCP (RFC 3550 §6.2).
pub const LONG_SILENCE: Duration = Duration::from_secs(10);
/// Valid packets in a row that prove a stranger steady: 200 ms of speech.
pub const TRIAL_PACKETS: u8 = 10;

/// The state of one media stream's source.
#[derive(Clone, Debug)]
pub struct Latch {
    config: LatchConfig,
    state: State,
    dropped: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Armed {
        trial: Option<(SocketAddr, u8)>,
    },
    Tentative {
        source: Source,
        rank: Rank,
        since: Instant,
    },
    Fixed {
        source: Source,
    },
}

/// What is latched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    address: SocketAddr,
    ssrc: Ssrc,
    /// Its last packet.
    heard_at: Instant,
    /// The last sign of life, RTCP among them.
    alive_at: Instant,
}

/// How much reason there is to believe a source; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Stranger,
    SignallingIp,
    MediaIp,
    Signalled,
}

impl Latch {
    /// A latch that has heard nothing.
    #[must_use]
    pub fn new(config: LatchConfig) -> Self {
        Self {
            config,
            state: State::Armed { trial: None },
            dropped: 0,
        }
    }

    /// Whether sound from `source` could be ours at all. Changes nothing: where each packet costs much to look into,
    /// as SRTP does, a stranger's is not worth it.
    #[must_use]
    pub fn may_hear(&self, source: SocketAddr) -> bool {
        let source = canonical(source);
        let known = self.rank(source).is_some();
        match self.state {
            State::Armed { .. } => known,
            State::Tentative { source: old, .. } => known || source.ip() == old.address.ip(),
            State::Fixed { source: old } => source.ip() == old.address.ip(),
        }
    }

    /// A packet came from `source`; `stream` is its SSRC where it is RTP of a payload type agreed on (and passed SRTP,
    /// if agreed).
    pub fn receive(&mut self, now: Instant, source: SocketAddr, stream: Option<Ssrc>) -> Verdict {
        let verdict = match stream {
            Some(ssrc) => self.judge(Source {
                address: canonical(source),
                ssrc,
                heard_at: now,
                alive_at: now,
            }),
            None => Verdict::Drop(DropReason::Invalid),
        };
        if !verdict.is_accepted() {
            self.dropped += 1;
        }
        verdict
    }

    /// Something other than sound came from `source`, comfort noise: whether it is the latched one, whose place it keeps.
    pub fn keep(&mut self, now: Instant, source: SocketAddr) -> bool {
        match self.source_mut() {
            Some(latched) if latched.address == canonical(source) => {
                (latched.heard_at, latched.alive_at) = (now, now);
                true
            }
            Some(_) | None => false,
        }
    }

    /// RTCP of a sender came: where it is the latched stream's, that one is silent but there.
    pub fn keep_stream(&mut self, now: Instant, ssrc: Ssrc) {
        if let Some(latched) = self.source_mut()
            && latched.ssrc == ssrc
        {
            latched.alive_at = now;
        }
    }

    /// Where to send: the latched source, or the signalled address until there is one.
    #[must_use]
    pub fn destination(&self) -> Option<SocketAddr> {
        self.latched().or(self.config.signalled)
    }

    /// The latched source.
    #[must_use]
    pub fn latched(&self) -> Option<SocketAddr> {
        match self.state {
            State::Armed { .. } => None,
            State::Tentative { source, .. } | State::Fixed { source } => Some(source.address),
        }
    }

    /// Whether RTCP from `source` may be believed: the IP media goes to (its port is another one).
    #[must_use]
    pub fn permits_rtcp(&self, source: SocketAddr) -> bool {
        self.destination()
            .is_some_and(|peer| canonical(peer).ip() == canonical(source).ip())
    }

    /// Signalling has agreed anew. If the far end's address is what it was, the latch stays; else it opens again.
    pub fn rearm(&mut self, config: LatchConfig) {
        // A refreshed session (RFC 4028) repeats its SDP and must not open the door to a thief.
        if config != self.config || self.latched().is_none() {
            self.config = config;
            self.state = State::Armed { trial: None };
        }
    }

    /// Packets dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        match &mut self.state {
            State::Armed { .. } => None,
            State::Tentative { source, .. } | State::Fixed { source } => Some(source),
        }
    }

    fn judge(&mut self, from: Source) -> Verdict {
        match self.state {
            State::Armed { trial } => self.first(from, trial),
            State::Tentative {
                source,
                rank,
                since,
            } => {
                let over = from.heard_at.since(since) >= WINDOW;
                if from.address == source.address {
                    self.state = match over {
                        false => State::Tentative {
                            source: from,
                            rank,
                            since,
                        },
                        true => State::Fixed { source: from },
                    };
                    return Verdict::Accept;
                }
                if over {
                    self.state = State::Fixed { source };
                    return self.judge(from);
                }
                match self.rank(from.address) {
                    Some(better) if better > rank => self.latch(from, better),
                    _ => self.rebind(from, source),
                }
            }
            State::Fixed { source } if from.address == source.address => {
                self.state = State::Fixed { source: from };
                Verdict::Accept
            }
            State::Fixed { source } => self.rebind(from, source),
        }
    }

    fn first(&mut self, from: Source, trial: Option<(SocketAddr, u8)>) -> Verdict {
        match self.rank(from.address) {
            None => Verdict::Drop(DropReason::Stranger),
            Some(Rank::Stranger) => {
                let heard = match trial {
                    Some((candidate, heard)) if candidate == from.address => heard + 1,
                    // One candidate at a time: a second stranger starts over, so a crowd proves nothing.
                    Some(_) | None => 1,
                };
                if heard >= TRIAL_PACKETS {
                    return self.latch(from, Rank::Stranger);
                }
                self.state = State::Armed {
                    trial: Some((from.address, heard)),
                };
                Verdict::Drop(DropReason::OnTrial)
            }
            Some(rank) => self.latch(from, rank),
        }
    }

    fn latch(&mut self, source: Source, rank: Rank) -> Verdict {
        self.state = match rank {
            Rank::Signalled => State::Fixed { source },
            Rank::MediaIp | Rank::SignallingIp | Rank::Stranger => {
                // The window runs from the first latch, or two could take turns for ever.
                let since = match self.state {
                    State::Tentative { since, .. } => since,
                    State::Armed { .. } | State::Fixed { .. } => source.heard_at,
                };
                State::Tentative {
                    source,
                    rank,
                    since,
                }
            }
        };
        Verdict::Latched(source.address)
    }

    /// Another port of the latched IP: NAT bound anew, or another phone behind it.
    fn rebind(&mut self, from: Source, old: Source) -> Verdict {
        let rank = self.rank(from.address);
        if from.address.ip() != old.address.ip() || self.config.policy == LatchPolicy::Strict {
            let known = rank.is_some_and(|rank| rank > Rank::Stranger);
            return Verdict::Drop(if known {
                DropReason::Latched
            } else {
                DropReason::Stranger
            });
        }
        if rank == Some(Rank::Signalled) {
            return self.latch(from, Rank::Signalled);
        }
        let now = from.heard_at;
        let free = if from.ssrc == old.ssrc {
            now.since(old.heard_at) >= SILENCE
        } else {
            self.rank(old.address) != Some(Rank::Signalled)
                && now.since(old.alive_at) >= LONG_SILENCE
        };
        if !free {
            return Verdict::Drop(DropReason::Latched);
        }
        if let Some(source) = self.source_mut() {
            *source = from;
        }
        Verdict::Latched(from.address)
    }

    /// `None` where the policy knows no reason to believe a source.
    fn rank(&self, from: SocketAddr) -> Option<Rank> {
        let LatchConfig {
            policy,
            signalled,
            signalling_ip,
        } = self.config;
        let signalled = signalled.map(canonical);
        let at_signalling = signalling_ip.is_some_and(|ip| ip.to_canonical() == from.ip());
        // A private address in the SDP of a phone whose signalling comes from a public one is not this network's
        // address of that name: a packet from it is forged, or somebody else's.
        let foreign = |media: SocketAddr| {
            signalling_ip.is_some_and(|ip| !is_private(ip.to_canonical())) && is_private(media.ip())
        };
        let rank = match signalled {
            Some(media) if from == media && (policy == LatchPolicy::Strict || !foreign(media)) => {
                Rank::Signalled
            }
            Some(media) if from.ip() == media.ip() && !foreign(media) => Rank::MediaIp,
            _ if at_signalling => Rank::SignallingIp,
            _ => Rank::Stranger,
        };
        let least = match policy {
            LatchPolicy::Strict => Rank::Signalled,
            LatchPolicy::Symmetric => Rank::SignallingIp,
            LatchPolicy::Open => Rank::Stranger,
        };
        (rank >= least).then_some(rank)
    }
}

/// IPv4 in IPv6 clothes, as a dual-stack socket gives it, is IPv4; flow and scope don't make another peer.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Addresses that mean something in their own network only (RFC 1918, RFC 6598, RFC 3927, RFC 4193, unspecified).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_link_local()
                || v4.is_loopback()
                || v4.is_unspecified()
                || (a == 100 && b & 0xC0 == 64)
        }
        IpAddr::V6(v6) => {
            v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_loopback()
                || v6.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests;

//! SRTP of a port: what comes is proved and decrypted, what leaves is encrypted, as its signalling agreed.

use model::{Instant, MasterKeys};
use rtp::packet::is_rtcp;
use rtp::srtp::{Fault, MAX_OVERHEAD, Receiver, Sender};

use crate::graph::{Channel, Sink, Transmit};
use crate::port::Port;

/// The longest packet that is encrypted: what an Ethernet frame carries.
const LARGEST: usize = 1500;

/// Both directions of a port.
pub(crate) struct Protection {
    keys: MasterKeys,
    sender: Sender,
    receiver: Receiver,
}

impl Protection {
    fn new(keys: &MasterKeys) -> Self {
        Self {
            keys: *keys,
            sender: Sender::new(&keys.send),
            receiver: Receiver::new(&keys.receive),
        }
    }

    /// Other keys after a negotiation. A direction whose key stays goes on with its numbers.
    ///
    /// True where what is sent has to begin anew, under an SSRC that was never used: our key may have been in
    /// use before, and no number may come twice under a key (RFC 3711 §9.1); or another device begins to
    /// hear, which knows of no rollover.
    #[must_use]
    pub(crate) fn update(of: &mut Option<Self>, keys: Option<&MasterKeys>) -> bool {
        match (of.as_mut(), keys) {
            (_, None) => {
                *of = None;
                false
            }
            (None, Some(keys)) => {
                *of = Some(Self::new(keys));
                true
            }
            (Some(old), Some(keys)) => {
                let changed = old.keys != *keys;
                if old.keys.send != keys.send {
                    old.sender = Sender::new(&keys.send);
                }
                if old.keys.receive != keys.receive {
                    old.receiver = old.receiver.rekeyed(&keys.receive);
                }
                old.keys = *keys;
                changed
            }
        }
    }
}

/// What came to a port, proved and decrypted. None where it is not to be used.
pub(crate) fn opened<'o>(
    now: Instant,
    port: &mut Port,
    channel: Channel,
    source: core::net::SocketAddr,
    octets: &'o mut [u8],
) -> Option<&'o mut [u8]> {
    let Some(protection) = &mut port.protection else {
        return Some(octets);
    };
    let is_rtcp = channel == Channel::Rtcp || is_rtcp(octets);
    let is_expected = if is_rtcp {
        port.latch.permits_rtcp(source)
    } else {
        port.latch.may_hear(source)
    };
    if !is_expected {
        if !is_rtcp {
            port.latch.receive(now, source, None);
        }
        return None;
    }
    let receiver = &mut protection.receiver;
    let opened = if is_rtcp {
        receiver.unprotect_rtcp(octets)
    } else {
        receiver.unprotect(octets)
    };
    match opened {
        Ok(len) => octets.get_mut(..len),
        // The network doubles packets; a stranger's are counted.
        Err(Fault::Replayed) => None,
        Err(Fault::Truncated | Fault::NoRoom | Fault::NotAuthentic | Fault::UsedUp) => {
            if channel == Channel::Rtp {
                port.latch.receive(now, source, None);
            }
            None
        }
    }
}

/// Sends a packet, encrypted where that was agreed.
pub(crate) fn send(port: &mut Port, packet: Transmit<'_>, is_rtcp: bool, out: &mut Sink<'_>) {
    let Some(protection) = &mut port.protection else {
        out(packet);
        return;
    };
    let mut sealed = [0; LARGEST + MAX_OVERHEAD];
    let len = packet.octets.len();
    let Some(room) = sealed.get_mut(..len) else {
        return;
    };
    room.copy_from_slice(packet.octets);
    let sender = &mut protection.sender;
    let len = if is_rtcp {
        sender.protect_rtcp(&mut sealed, len)
    } else {
        sender.protect(&mut sealed, len)
    };
    // What can't be encrypted does not leave.
    if let Some(octets) = len.ok().and_then(|len| sealed.get(..len)) {
        out(Transmit { octets, ..packet });
    }
}

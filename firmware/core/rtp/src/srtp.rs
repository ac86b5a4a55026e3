//! SRTP and SRTCP: one direction of a leg, encrypted and authenticated in place.
//!
//! RFC 3711 with AES in counter mode and HMAC-SHA1, and RFC 7714 with AES-GCM, each with keys from the signalling
//! (RFC 4568): no MKI, no key derivation rate, RTCP always encrypted. A [`Sender`] never protects two packets under
//! one number, since that would give the sound away. A [`Receiver`] knows nothing of a packet before it is proved.
//! Neither allocates.

mod cipher;
mod window;

use model::{MasterKey, SrtpSuite};

use crate::packet::HEADER_LEN;
use cipher::Cipher;
use window::{Streams, Window};

/// Octets that the longest tag and the number of SRTCP add to a packet.
pub const MAX_OVERHEAD: usize = 20;

/// Octets of RTCP that stay readable: the first header with its SSRC (RFC 3711 §3.4).
const RTCP_HEADER_LEN: usize = 8;

/// The E flag of SRTCP: the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// Why a packet is not taken, or can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is too short, or its header is longer than it.
    #[error("the packet is too short")]
    Truncated,
    /// There is no room for its tag.
    #[error("there is no room for the tag")]
    NoRoom,
    /// It is not of who has the key, or was changed on its way.
    #[error("the packet is not authentic")]
    NotAuthentic,
    /// It came already, or is older than what is remembered.
    #[error("the packet came already, or too late")]
    Replayed,
    /// The key has been used as often as it may be.
    #[error("the key is used up")]
    UsedUp,
}

/// Protects what we send.
#[derive(Clone)]
pub struct Sender {
    cipher: Cipher,
    stream: Option<(u32, Window)>,
    /// The number of the next RTCP packet.
    next_rtcp: u32,
}

impl Sender {
    /// With our key, of which the other side was told.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        Self {
            cipher: Cipher::new(key),
            stream: None,
            next_rtcp: 0,
        }
    }

    /// Encrypts the RTP packet of `len` octets at the start of `buffer`; returns its new length.
    ///
    /// # Errors
    /// The buffer has no room, the packet is none, or its number was used already.
    pub fn protect(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Fault> {
        let packet = buffer.get(..len).ok_or(Fault::Truncated)?;
        let (header_len, sequence, ssrc) = header(packet)?;
        let mut window = match self.stream {
            Some((known, window)) if known == ssrc => window,
            Some(_) | None => Window::new(u64::from(sequence)),
        };
        let index = window.index(sequence).ok_or(Fault::Replayed)?;
        if index > window::MAX_RTP_INDEX {
            return Err(Fault::UsedUp);
        }
        if !window.is_new(index) {
            return Err(Fault::Replayed);
        }
        let len = self.cipher.seal_rtp(buffer, header_len, len, ssrc, index)?;
        window.accept(index);
        self.stream = Some((ssrc, window));
        Ok(len)
    }

    /// Encrypts the RTCP packet of `len` octets at the start of `buffer`; returns its new length.
    ///
    /// # Errors
    /// The buffer has no room, the packet is none, or the key is used up.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Fault> {
        let packet = buffer.get(..len).ok_or(Fault::Truncated)?;
        let ssrc = rtcp_ssrc(packet)?;
        let index = self.next_rtcp;
        if index & ENCRYPTED != 0 {
            return Err(Fault::UsedUp);
        }
        let len = self.cipher.seal_rtcp(buffer, len, ssrc, index)?;
        self.next_rtcp += 1;
        Ok(len)
    }
}

/// Proves and decrypts what comes.
#[derive(Clone)]
pub struct Receiver {
    cipher: Cipher,
    rtp: Streams,
    rtcp: Streams,
    /// Rollovers that a source may have behind it where none of its packets were seen under this key.
    rollovers: u64,
}

impl Receiver {
    /// With the other side's key.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        Self {
            cipher: Cipher::new(key),
            rtp: Streams::default(),
            rtcp: Streams::default(),
            // The packets before a source's first rollover may all have been lost (RFC 3711 §3.3.1).
            rollovers: 1,
        }
    }

    /// The same party goes on with another key. RFC 3711 §3.3.1 has its rollovers go on too; many begin anew.
    #[must_use]
    pub fn rekeyed(&self, key: &MasterKey) -> Self {
        Self {
            rollovers: self.rtp.rollovers().max(self.rollovers),
            ..Self::new(key)
        }
    }

    /// Proves and decrypts an RTP packet; returns its new length.
    ///
    /// # Errors
    /// It is not to be used. The packet may be half decrypted then.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, Fault> {
        let (header_len, sequence, ssrc) = header(packet)?;
        if let Some(mut window) = self.rtp.of(ssrc) {
            let index = window.index(sequence).ok_or(Fault::Replayed)?;
            if !window.is_new(index) {
                return Err(Fault::Replayed);
            }
            let len = self.cipher.open_rtp(packet, header_len, ssrc, index)?;
            window.accept(index);
            self.rtp.put(ssrc, window);
            return Ok(len);
        }
        // A source not heard yet.
        for rollovers in [0, self.rollovers] {
            let index = (rollovers << 16) + u64::from(sequence);
            match self.cipher.open_rtp(packet, header_len, ssrc, index) {
                Ok(len) => {
                    let mut window = Window::new(index);
                    window.accept(index);
                    self.rtp.put(ssrc, window);
                    return Ok(len);
                }
                Err(Fault::NotAuthentic) => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::NotAuthentic)
    }

    /// Proves and decrypts an RTCP packet; returns its new length.
    ///
    /// # Errors
    /// It is not to be used.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Fault> {
        let ssrc = rtcp_ssrc(packet)?;
        let word = self.cipher.rtcp_word(packet)?;
        // Without UNENCRYPTED_SRTCP (RFC 4568 §6.3.2) all of it is encrypted.
        if word & ENCRYPTED == 0 {
            return Err(Fault::NotAuthentic);
        }
        let index = u64::from(word & !ENCRYPTED);
        let mut window = self.rtcp.of(ssrc).unwrap_or_else(|| Window::new(index));
        if !window.is_new(index) {
            return Err(Fault::Replayed);
        }
        let len = self.cipher.open_rtcp(packet, ssrc, word)?;
        window.accept(index);
        self.rtcp.put(ssrc, window);
        Ok(len)
    }
}

/// Length of the readable part of an RTP packet, its sequence number and its source (RFC 3550 §5.1).
fn header(packet: &[u8]) -> Result<(usize, u16, u32), Fault> {
    let (&[first, _, s0, s1, _, _, _, _, r0, r1, r2, r3], rest) = packet
        .split_first_chunk::<HEADER_LEN>()
        .ok_or(Fault::Truncated)?;
    let mut len = usize::from(first & 0x0F) * 4;
    if first & 0x10 != 0 {
        let &[_, _, high, low] = rest
            .get(len..)
            .and_then(|rest| rest.first_chunk::<4>())
            .ok_or(Fault::Truncated)?;
        len += 4 + usize::from(u16::from_be_bytes([high, low])) * 4;
    }
    if len > rest.len() {
        return Err(Fault::Truncated);
    }
    Ok((
        HEADER_LEN + len,
        u16::from_be_bytes([s0, s1]),
        u32::from_be_bytes([r0, r1, r2, r3]),
    ))
}

fn rtcp_ssrc(packet: &[u8]) -> Result<u32, Fault> {
    let &[_, _, _, _, r0, r1, r2, r3] = packet
        .first_chunk::<RTCP_HEADER_LEN>()
        .ok_or(Fault::Truncated)?;
    Ok(u32::from_be_bytes([r0, r1, r2, r3]))
}

#[cfg(test)]
mod tests;

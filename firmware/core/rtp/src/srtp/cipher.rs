//! The transforms: AES-CM with HMAC-SHA1 (RFC 3711 §4), AES-GCM (RFC 7714), and their session keys.

use aes::cipher::{
    BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper,
    consts::{U12, U16},
};
use aes::{Aes128Enc, Aes256Enc};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{AesGcm, Nonce, Tag};
use ctr::{CtrCore, flavors::Ctr128BE};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::{ENCRYPTED, Fault, MasterKey, RTCP_HEADER_LEN, SrtpSuite};

/// RFC 3711 §5.2, §3.4: 80 bits, for RTCP whatever RTP has.
const CM_TAG_LEN: usize = 10;
/// RFC 4568 §6.2.2.
const SHORT_TAG_LEN: usize = 4;
/// RFC 7714 §14.2.
const GCM_TAG_LEN: usize = 16;
/// The E flag and the number of SRTCP.
const WORD_LEN: usize = 4;

/// What a session key is for: the label of RFC 3711 §4.3.1, §4.3.2.
#[derive(Clone, Copy)]
enum Label {
    RtpKey = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// The session keys of one direction.
#[derive(Clone)]
pub(super) enum Cipher {
    Cm {
        rtp: CounterMode,
        rtcp: CounterMode,
        tag_len: usize,
    },
    Gcm128 {
        rtp: Gcm<Aes128Enc>,
        rtcp: Gcm<Aes128Enc>,
    },
    Gcm256 {
        rtp: Gcm<Aes256Enc>,
        rtcp: Gcm<Aes256Enc>,
    },
}

/// RFC 3711 §4.1.1, §4.2.1.
#[derive(Clone)]
pub(super) struct CounterMode {
    aes: Aes128Enc,
    mac: Hmac<Sha1>,
    salt: [u8; 14],
}

/// RFC 7714 §8, §9.
#[derive(Clone)]
pub(super) struct Gcm<A> {
    aead: AesGcm<A, U12>,
    salt: [u8; 12],
}

impl Cipher {
    pub(super) fn new(key: &MasterKey) -> Self {
        use Label::{RtcpAuthentication, RtcpKey, RtcpSalt, RtpAuthentication, RtpKey, RtpSalt};
        match key.suite() {
            suite @ (SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32) => {
                let session = |cipher, authentication, salt| {
                    CounterMode::new(
                        &derived(key, cipher),
                        &derived(key, authentication),
                        derived(key, salt),
                    )
                };
                Self::Cm {
                    rtp: session(RtpKey, RtpAuthentication, RtpSalt),
                    rtcp: session(RtcpKey, RtcpAuthentication, RtcpSalt),
                    tag_len: if suite == SrtpSuite::AesCm128HmacSha1_32 {
                        SHORT_TAG_LEN
                    } else {
                        CM_TAG_LEN
                    },
                }
            }
            SrtpSuite::AeadAes128Gcm => {
                let session = |cipher, salt| {
                    let aead = AesGcm::new(&derived::<16>(key, cipher).into());
                    let salt = derived(key, salt);
                    Gcm { aead, salt }
                };
                Self::Gcm128 {
                    rtp: session(RtpKey, RtpSalt),
                    rtcp: session(RtcpKey, RtcpSalt),
                }
            }
            SrtpSuite::AeadAes256Gcm => {
                let session = |cipher, salt| {
                    let aead = AesGcm::new(&derived::<32>(key, cipher).into());
                    let salt = derived(key, salt);
                    Gcm { aead, salt }
                };
                Self::Gcm256 {
                    rtp: session(RtpKey, RtpSalt),
                    rtcp: session(RtcpKey, RtcpSalt),
                }
            }
        }
    }

    /// Encrypts a packet of `len` octets and puts its tag behind it.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        header_len: usize,
        len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Fault> {
        match self {
            Self::Cm { rtp, tag_len, .. } => {
                let whole = buffer.get_mut(..len + tag_len).ok_or(Fault::NoRoom)?;
                let (packet, tag) = whole.split_at_mut_checked(len).ok_or(Fault::Truncated)?;
                rtp.encrypt(packet.get_mut(header_len..), ssrc, index)?;
                let proof = rtp.proof(packet, &rollovers(index));
                tag.copy_from_slice(proof.get(..*tag_len).ok_or(Fault::NoRoom)?);
                Ok(len + tag_len)
            }
            Self::Gcm128 { rtp, .. } => rtp.seal_rtp(buffer, header_len, len, ssrc, index),
            Self::Gcm256 { rtp, .. } => rtp.seal_rtp(buffer, header_len, len, ssrc, index),
        }
    }

    /// Proves a packet and decrypts it; the length of what is left.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Fault> {
        match self {
            Self::Cm { rtp, tag_len, .. } => {
                let len = packet.len().checked_sub(*tag_len);
                let len = len.filter(|len| *len >= header_len);
                let len = len.ok_or(Fault::Truncated)?;
                let (packet, tag) = packet.split_at_mut_checked(len).ok_or(Fault::Truncated)?;
                rtp.verify(packet, &rollovers(index), tag)?;
                rtp.encrypt(packet.get_mut(header_len..), ssrc, index)?;
                Ok(len)
            }
            Self::Gcm128 { rtp, .. } => rtp.open_rtp(packet, header_len, ssrc, index),
            Self::Gcm256 { rtp, .. } => rtp.open_rtp(packet, header_len, ssrc, index),
        }
    }

    /// The E flag and the number that an SRTCP packet says it has.
    pub(super) fn rtcp_word(&self, packet: &[u8]) -> Result<u32, Fault> {
        let behind = match self {
            Self::Cm { .. } => CM_TAG_LEN,
            Self::Gcm128 { .. } | Self::Gcm256 { .. } => 0,
        };
        let end = packet.len().checked_sub(behind);
        let before = end.and_then(|end| packet.get(RTCP_HEADER_LEN..end));
        let word = before.and_then(|before| before.last_chunk::<WORD_LEN>());
        Ok(u32::from_be_bytes(*word.ok_or(Fault::Truncated)?))
    }

    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        len: usize,
        ssrc: u32,
        index: u32,
    ) -> Result<usize, Fault> {
        let word = (index | ENCRYPTED).to_be_bytes();
        match self {
            Self::Cm { rtcp, .. } => {
                let proved = len + WORD_LEN;
                let whole = buffer.get_mut(..proved + CM_TAG_LEN);
                let (packet, tag) = whole.ok_or(Fault::NoRoom)?.split_at_mut(proved);
                rtcp.encrypt(packet.get_mut(RTCP_HEADER_LEN..len), ssrc, index.into())?;
                if let Some(end) = packet.last_chunk_mut() {
                    *end = word;
                }
                let proof = rtcp.proof(packet, &[]);
                tag.copy_from_slice(proof.get(..CM_TAG_LEN).ok_or(Fault::NoRoom)?);
                Ok(proved + CM_TAG_LEN)
            }
            Self::Gcm128 { rtcp, .. } => rtcp.seal_rtcp(buffer, len, ssrc, word),
            Self::Gcm256 { rtcp, .. } => rtcp.seal_rtcp(buffer, len, ssrc, word),
        }
    }

    pub(super) fn open_rtcp(
        &self,
        packet: &mut [u8],
        ssrc: u32,
        word: u32,
    ) -> Result<usize, Fault> {
        let index = word & !ENCRYPTED;
        match self {
            Self::Cm { rtcp, .. } => {
                let proved = packet.len().checked_sub(CM_TAG_LEN);
                let (packet, tag) = proved
                    .and_then(|proved| packet.split_at_mut_checked(proved))
                    .ok_or(Fault::Truncated)?;
                rtcp.verify(packet, &[], tag)?;
                let len = packet.len().checked_sub(WORD_LEN);
                let len = len.ok_or(Fault::Truncated)?;
                rtcp.encrypt(packet.get_mut(RTCP_HEADER_LEN..len), ssrc, index.into())?;
                Ok(len)
            }
            Self::Gcm128 { rtcp, .. } => rtcp.open_rtcp(packet, ssrc, word.to_be_bytes()),
            Self::Gcm256 { rtcp, .. } => rtcp.open_rtcp(packet, ssrc, word.to_be_bytes()),
        }
    }
}

impl CounterMode {
    pub(super) fn new(key: &[u8; 16], authentication: &[u8; 20], salt: [u8; 14]) -> Self {
        Self {
            aes: Aes128Enc::new(&(*key).into()),
            mac: <Hmac<Sha1> as KeyInit>::new_from_slice(authentication)
                .expect("HMAC takes a key of any length"),
            salt,
        }
    }

    /// Encrypts, or decrypts what is encrypted (RFC 3711 §4.1.1).
    fn encrypt(&self, part: Option<&mut [u8]>, ssrc: u32, index: u64) -> Result<(), Fault> {
        let mut start = [0; 16];
        xor(&mut start, &self.salt);
        xor(start.get_mut(4..).unwrap_or_default(), &ssrc.to_be_bytes());
        let [_, _, index @ ..] = index.to_be_bytes();
        xor(start.get_mut(8..).unwrap_or_default(), &index);
        counter(&self.aes, &start, part.ok_or(Fault::Truncated)?);
        Ok(())
    }

    fn mac(&self, packet: &[u8], behind: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(packet);
        mac.update(behind);
        mac
    }

    fn proof(&self, packet: &[u8], behind: &[u8]) -> [u8; 20] {
        self.mac(packet, behind).finalize().into_bytes().into()
    }

    /// In a time that says nothing of where it differs.
    fn verify(&self, packet: &[u8], behind: &[u8], tag: &[u8]) -> Result<(), Fault> {
        let mac = self.mac(packet, behind);
        mac.verify_truncated_left(tag)
            .map_err(|_| Fault::NotAuthentic)
    }
}

impl<A> Gcm<A>
where
    A: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    /// RFC 7714 §8.1.
    fn rtp_nonce(&self, ssrc: u32, index: u64) -> [u8; 12] {
        let mut nonce = self.salt;
        xor(nonce.get_mut(2..).unwrap_or_default(), &ssrc.to_be_bytes());
        let [_, _, index @ ..] = index.to_be_bytes();
        xor(nonce.get_mut(6..).unwrap_or_default(), &index);
        nonce
    }

    /// RFC 7714 §9.1.
    fn rtcp_nonce(&self, ssrc: u32, word: [u8; WORD_LEN]) -> [u8; 12] {
        let index = u32::from_be_bytes(word) & !ENCRYPTED;
        self.rtp_nonce(ssrc, index.into())
    }

    fn seal(&self, nonce: [u8; 12], known: &[u8], part: &mut [u8]) -> Result<Tag, Fault> {
        let nonce = Nonce::from(nonce);
        (self.aead)
            .encrypt_inout_detached(&nonce, known, part.into())
            .map_err(|_| Fault::Truncated)
    }

    fn open(
        &self,
        nonce: [u8; 12],
        known: &[u8],
        part: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Fault> {
        let nonce = Nonce::from(nonce);
        let tag = Tag::try_from(tag).map_err(|_| Fault::Truncated)?;
        (self.aead)
            .decrypt_inout_detached(&nonce, known, part.into(), &tag)
            .map_err(|_| Fault::NotAuthentic)
    }

    fn seal_rtp(
        &self,
        buffer: &mut [u8],
        header_len: usize,
        len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Fault> {
        let whole = buffer.get_mut(..len + GCM_TAG_LEN).ok_or(Fault::NoRoom)?;
        let (packet, end) = whole.split_at_mut_checked(len).ok_or(Fault::Truncated)?;
        let (known, part) = packet
            .split_at_mut_checked(header_len)
            .ok_or(Fault::Truncated)?;
        let tag = self.seal(self.rtp_nonce(ssrc, index), known, part)?;
        end.copy_from_slice(&tag);
        Ok(len + GCM_TAG_LEN)
    }

    fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Fault> {
        let len = packet.len().checked_sub(GCM_TAG_LEN);
        let len = len.filter(|len| *len >= header_len);
        let len = len.ok_or(Fault::Truncated)?;
        let (packet, tag) = packet.split_at_mut_checked(len).ok_or(Fault::Truncated)?;
        let (known, part) = packet
            .split_at_mut_checked(header_len)
            .ok_or(Fault::Truncated)?;
        self.open(self.rtp_nonce(ssrc, index), known, part, tag)?;
        Ok(len)
    }

    fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        len: usize,
        ssrc: u32,
        word: [u8; WORD_LEN],
    ) -> Result<usize, Fault> {
        let all = len + GCM_TAG_LEN + WORD_LEN;
        let (packet, end) = (buffer.get_mut(..all).ok_or(Fault::NoRoom)?)
            .split_at_mut_checked(len)
            .ok_or(Fault::Truncated)?;
        let (head, part) = packet
            .split_at_mut_checked(RTCP_HEADER_LEN)
            .ok_or(Fault::Truncated)?;
        let tag = self.seal(self.rtcp_nonce(ssrc, word), &rtcp_known(head, word), part)?;
        let (tag_at, word_at) = end.split_at_mut(GCM_TAG_LEN);
        tag_at.copy_from_slice(&tag);
        word_at.copy_from_slice(&word);
        Ok(all)
    }

    fn open_rtcp(
        &self,
        packet: &mut [u8],
        ssrc: u32,
        word: [u8; WORD_LEN],
    ) -> Result<usize, Fault> {
        let len = packet.len().checked_sub(GCM_TAG_LEN + WORD_LEN);
        let (packet, end) = len
            .and_then(|len| packet.split_at_mut_checked(len))
            .ok_or(Fault::Truncated)?;
        let (head, part) = packet
            .split_at_mut_checked(RTCP_HEADER_LEN)
            .ok_or(Fault::Truncated)?;
        let tag = end.get(..GCM_TAG_LEN).unwrap_or_default();
        self.open(
            self.rtcp_nonce(ssrc, word),
            &rtcp_known(head, word),
            part,
            tag,
        )?;
        Ok(packet.len())
    }
}

/// RFC 7714 §9.2: what is proved, but not encrypted.
fn rtcp_known(head: &[u8], word: [u8; WORD_LEN]) -> [u8; RTCP_HEADER_LEN + WORD_LEN] {
    let mut known = [0; RTCP_HEADER_LEN + WORD_LEN];
    xor(&mut known, head);
    xor(known.get_mut(RTCP_HEADER_LEN..).unwrap_or_default(), &word);
    known
}

/// The rollover counter of a number.
fn rollovers(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// RFC 3711 §4.3.1, §4.3.3, RFC 7714 §11: a session key, without a derivation rate.
fn derived<const N: usize>(key: &MasterKey, label: Label) -> [u8; N] {
    let mut start = [0; 16];
    xor(&mut start, key.salt());
    xor(start.get_mut(7..).unwrap_or_default(), &[label as u8]);
    let mut out = [0; N];
    match key.key().try_into() {
        Ok(long) => counter(&Aes256Enc::new(<&[u8; 32]>::into(long)), &start, &mut out),
        Err(_) => {
            let short: [u8; 16] = key.key().try_into().unwrap_or_default();
            counter(&Aes128Enc::new(&short.into()), &start, &mut out);
        }
    }
    out
}

/// AES in counter mode over `part`, from `start` on.
fn counter<A>(aes: &A, start: &[u8; 16], part: &mut [u8])
where
    A: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let core = CtrCore::<&A, Ctr128BE>::inner_iv_init(aes, start.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(part);
}

fn xor(to: &mut [u8], with: &[u8]) {
    for (octet, with) in to.iter_mut().zip(with) {
        *octet ^= with;
    }
}

#[cfg(test)]
mod tests;

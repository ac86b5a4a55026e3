//! The words of encrypted sound: suites, master keys, and what an administrator asks for.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A crypto suite of SRTP by its name in SDP (RFC 4568 §6.2, RFC 7714 §14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpSuite {
    /// AES in counter mode, HMAC-SHA1 cut to 80 bits: what every phone has.
    AesCm128HmacSha1_80,
    /// The same with 32 bits on RTP; RTCP keeps 80.
    AesCm128HmacSha1_32,
    /// AES-GCM with a key of 128 bits.
    AeadAes128Gcm,
    /// AES-GCM with a key of 256 bits.
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// Every suite, in the order of our offers: phones that look at the first line alone find the usual one.
    pub const ALL: [Self; 4] = [
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
    ];

    /// As it stands in `a=crypto`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// Octets of a master key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Octets of a master salt.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }
}

/// A master key with its salt. `Debug` hides both; it is never serialised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey {
    suite: SrtpSuite,
    octets: [u8; Self::MAX],
}

impl MasterKey {
    /// Octets of the longest key with its salt.
    pub const MAX: usize = 46;

    /// Key and salt, one after the other. None where they are not as long as the suite's.
    #[must_use]
    pub fn new(suite: SrtpSuite, octets: &[u8]) -> Option<Self> {
        if octets.len() != suite.key_len() + suite.salt_len() {
            return None;
        }
        let mut all = [0; Self::MAX];
        all.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(Self { suite, octets: all })
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.octets.split_at(self.suite.key_len()).0
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        let rest = self.octets.split_at(self.suite.key_len()).1;
        rest.split_at(self.suite.salt_len()).0
    }

    /// Key and salt.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        let len = self.suite.key_len() + self.suite.salt_len();
        self.octets.split_at(len).0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.suite.name())
    }
}

/// Both keys of an encrypted stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasterKeys {
    /// Ours: of what we send.
    pub send: MasterKey,
    /// Theirs: of what comes.
    pub receive: MasterKey,
}

/// Whether the sound of an extension or interface is encrypted (SRTP with keys in the signalling, RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SrtpPolicy {
    /// Never: who offers nothing else is refused.
    #[default]
    Off,
    /// Where the other side offers it, and where the signalling that carries the keys is encrypted itself.
    Offered,
    /// Always: who can't is refused.
    Required,
}

impl SrtpPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Off, Self::Offered, Self::Required];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_as_long_as_its_suites_and_not_shown() {
        for suite in SrtpSuite::ALL {
            let len = suite.key_len() + suite.salt_len();
            let octets: Vec<u8> = (1..=len as u8).collect();
            let key = MasterKey::new(suite, &octets).expect("as long as it is to be");
            assert_eq!([key.key(), key.salt()].concat(), octets);
            assert_eq!(key.octets(), octets);
            let shown = format!("{key:?}");
            assert_eq!(shown, format!("MasterKey({}, …)", suite.name()));
            assert_eq!(MasterKey::new(suite, &octets[1..]), None);
        }
    }
}

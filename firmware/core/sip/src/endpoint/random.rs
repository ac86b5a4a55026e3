//! What nobody outside may guess (tags, branches, Call-IDs): SHA-256 of a secret and a counter.
//!
//! The secret comes with the configuration; the endpoint draws no chance of its own, so the same
//! seed and the same input give the same octets.

use core::fmt;

use sha2::{Digest, Sha256};

const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// A generator.
pub(crate) struct Random {
    key: [u8; 32],
    counter: u64,
    block: [u8; 32],
    /// Octets of `block` given out.
    used: usize,
}

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            key: seed,
            counter: 0,
            block: [0; 32],
            used: 32,
        }
    }

    /// Another generator, independent of this one, for the purpose named.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(purpose.as_bytes());
        hash.finalize().into()
    }

    /// The next octet.
    fn octet(&mut self) -> u8 {
        if self.used >= self.block.len() {
            let mut hash = Sha256::new();
            hash.update(self.key);
            hash.update(self.counter.to_be_bytes());
            self.block = hash.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        let octet = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        octet
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u32 {
        u32::from_be_bytes([self.octet(), self.octet(), self.octet(), self.octet()])
    }

    /// A number below `end`, near enough to evenly spread for timers.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let scaled = (u64::from(self.number()) * u64::from(end)) >> 32;
        u32::try_from(scaled).unwrap_or(0)
    }

    /// Appends a token of `len` characters, five bits of chance each.
    pub(crate) fn token(&mut self, len: usize, out: &mut String) {
        for _ in 0..len {
            let digit = DIGITS.get(usize::from(self.octet() & 31)).copied();
            out.push(char::from(digit.unwrap_or(b'0')));
        }
    }

    /// A new tag: 60 bits (RFC 3261 §19.3 wants 32 at least).
    pub(crate) fn tag(&mut self) -> String {
        let mut tag = String::with_capacity(12);
        self.token(12, &mut tag);
        tag
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_tags_and_another_gives_others() {
        let (mut one, mut same, mut other) = (
            Random::new([1; 32]),
            Random::new([1; 32]),
            Random::new([2; 32]),
        );
        let tag = one.tag();
        assert_eq!(tag.len(), 12);
        assert_eq!(tag, same.tag());
        assert_ne!(tag, one.tag());
        assert_ne!(tag, other.tag());
    }

    #[test]
    fn numbers_stay_below_the_end() {
        let mut random = Random::new([3; 32]);
        assert!((0..1000).all(|_| random.below(7) < 7));
    }
}

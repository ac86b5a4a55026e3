//! Hash maps without unseeded chance.
//!
//! A [`Key`] stands for what a peer chooses, however long: 128 bits of SipHash with a secret in front,
//! so that nobody can aim at one bucket or find two that are alike. [`IdMap`] is for our own
//! consecutive numbers.

use core::fmt;
use core::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::collections::HashMap;
use std::hash::DefaultHasher;

use crate::transaction::Key;

/// A map by what stands for something from outside.
pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<IdHasher>>;
/// A map by our own number.
pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Makes hashers that begin with a secret.
#[derive(Clone, Copy)]
pub(crate) struct Seeded(u128);

impl Seeded {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        let (half, _) = secret.split_first_chunk().unwrap_or((&[0; 16], &[]));
        Self(u128::from_be_bytes(*half))
    }
}

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeded(…)")
    }
}

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u128(self.0);
        hasher
    }
}

/// Spreads consecutive numbers by one multiplication.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio.
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

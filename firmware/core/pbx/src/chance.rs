//! Seeded chance for what need not be secret: SSRC seeds and SDP session ids.
//!
//! Tags, branches and nonces, which must not be guessed, are the endpoint's, from a generator of
//! its own.

/// SplitMix64 (Steele, Lea, Flood, 2014).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// From the seed of the switch, folded so that what can be seen tells little of it.
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let folded = seed.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(folded)
    }

    /// The next number.
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

//! Parameters of a frame in their octets, the first bit of all at the top.

use super::FRAME_OCTETS;

/// Octets being filled.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) octets: Frame,
    at: usize,
}

type Frame = [u8; FRAME_OCTETS];

impl Writer {
    pub(super) const fn new() -> Self {
        Self {
            octets: [0; FRAME_OCTETS],
            at: 0,
        }
    }

    /// Appends so many bits of a value, eight at most.
    pub(super) fn put(&mut self, value: u8, bits: usize) {
        for bit in (0..bits).rev() {
            if let Some(octet) = self.octets.get_mut(self.at / 8) {
                *octet |= (value >> bit & 1) << (7 - self.at % 8);
            }
            self.at += 1;
        }
    }
}

/// Octets being read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    octets: &'a Frame,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a Frame) -> Self {
        Self { octets, at: 0 }
    }

    /// Takes so many bits, eight at most.
    pub(super) fn take(&mut self, bits: usize) -> u8 {
        (0..bits).fold(0, |value, _| {
            let octet = self.octets.get(self.at / 8).copied().unwrap_or_default();
            let bit = octet >> (7 - self.at % 8) & 1;
            self.at += 1;
            value << 1 | bit
        })
    }
}

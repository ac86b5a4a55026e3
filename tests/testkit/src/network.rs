//! The network between the exchange and a phone: what it loses, delays, doubles and reorders.
//!
//! It decides the fate of a packet; carrying it is the world's affair.

use core::time::Duration;

use crate::chance::Chance;

/// One direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Packets lost, of a thousand.
    pub loss_permille: u32,
    /// Packets that arrive twice, of a thousand.
    pub duplicate_permille: u32,
    /// Packets that are late by 30 ms more, of a thousand: they arrive behind later ones.
    pub reorder_permille: u32,
    /// The way takes so long, in microseconds.
    pub delay_us: u64,
    /// And by chance up to so much longer, in microseconds.
    pub jitter_us: u64,
    /// Nothing passes.
    pub cut: bool,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            loss_permille: 0,
            duplicate_permille: 0,
            reorder_permille: 0,
            delay_us: 2_000,
            jitter_us: 0,
            cut: false,
        }
    }
}

impl Link {
    /// When the copies of a packet arrive, counted from now: none where it is lost.
    pub(crate) fn fate(&self, chance: &mut Chance) -> Vec<Duration> {
        // Each question is asked of chance whatever the answers, so that one knob does not turn the others.
        let lost = chance.permille(self.loss_permille);
        let twice = chance.permille(self.duplicate_permille);
        let late = chance.permille(self.reorder_permille);
        if lost || self.cut {
            return Vec::new();
        }
        let copies = if twice { 2 } else { 1 };
        (0..copies)
            .map(|_| {
                let us = self.delay_us
                    + chance.below(self.jitter_us + 1)
                    + if late { 30_000 } else { 0 };
                Duration::from_micros(us)
            })
            .collect()
    }
}

/// Both directions between the exchange and one phone. Streams feel the delay and the cut only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// From the phone to the exchange.
    pub up: Link,
    /// From the exchange to the phone.
    pub down: Link,
}

impl Network {
    /// A quiet local network: 2 ms each way, nothing lost.
    #[must_use]
    pub fn quiet() -> Self {
        Self::default()
    }

    /// Loses so many packets of a hundred, both ways.
    #[must_use]
    pub fn lossy(percent: u32) -> Self {
        Self::quiet().each(|link| link.loss_permille = percent * 10)
    }

    /// Everything that a network does at its worst: loss, jitter, doubling, reordering.
    #[must_use]
    pub fn wild(percent: u32) -> Self {
        Self::lossy(percent).each(|link| {
            link.duplicate_permille = 100;
            link.reorder_permille = 100;
            link.jitter_us = 40_000;
        })
    }

    /// With a delay of so many ms each way.
    #[must_use]
    pub fn delay_ms(self, ms: u64) -> Self {
        self.each(|link| link.delay_us = ms * 1000)
    }

    /// With a jitter of so many ms each way.
    #[must_use]
    pub fn jitter_ms(self, ms: u64) -> Self {
        self.each(|link| link.jitter_us = ms * 1000)
    }

    /// With both directions changed.
    #[must_use]
    pub fn each(mut self, change: impl Fn(&mut Link)) -> Self {
        change(&mut self.up);
        change(&mut self.down);
        self
    }
}

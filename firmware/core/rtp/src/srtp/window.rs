//! Packet numbers across rollovers, and which of them were used: RFC 3711 §3.3.1, §3.3.2.

/// Numbers remembered below the highest: 2.5 s of sound, twice what RFC 3711 §3.3.2 asks for.
const WINDOW: u64 = 128;

/// RFC 3711 §3.2.1: the rollover counter has 32 bits.
pub(super) const MAX_RTP_INDEX: u64 = (1 << 48) - 1;

/// Sources of a party remembered at once: one speaks, and the others are those from before a transfer.
const STREAMS: usize = 8;

/// The numbers of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    highest: u64,
    /// Bit n: the highest less n was used.
    used: u128,
}

impl Window {
    /// Nothing used yet; `first` is about where it begins.
    pub(super) const fn new(first: u64) -> Self {
        Self {
            highest: first,
            used: 0,
        }
    }

    /// The number of a packet, rollovers included, by the one that is nearest to the highest. None where that lies
    /// before the first.
    pub(super) const fn index(&self, sequence: u16) -> Option<u64> {
        let step = sequence.wrapping_sub(self.highest as u16).cast_signed();
        self.highest.checked_add_signed(step as i64)
    }

    /// It was not used, as far as is remembered.
    pub(super) const fn is_new(&self, index: u64) -> bool {
        if index > self.highest {
            return true;
        }
        let age = self.highest - index;
        age < WINDOW && self.used & (1 << age) == 0
    }

    pub(super) const fn accept(&mut self, index: u64) {
        if index > self.highest {
            let step = index - self.highest;
            self.used = if step < WINDOW { self.used << step } else { 0 };
            self.highest = index;
        }
        let age = self.highest - index;
        if age < WINDOW {
            self.used |= 1 << age;
        }
    }
}

/// The sources of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Streams {
    /// The one heard last first.
    streams: [Option<(u32, Window)>; STREAMS],
}

impl Streams {
    pub(super) fn of(&self, ssrc: u32) -> Option<Window> {
        let mut streams = self.streams.iter().flatten();
        streams
            .find(|(known, _)| *known == ssrc)
            .map(|(_, window)| *window)
    }

    /// Keeps what is known of a source, in place of the one not heard for longest where there is no room.
    pub(super) fn put(&mut self, ssrc: u32, window: Window) {
        let is_it = |stream: &Option<(u32, Window)>| stream.is_none_or(|(known, _)| known == ssrc);
        let at = self.streams.iter().position(is_it).unwrap_or(STREAMS - 1);
        if let Some(before) = self.streams.get_mut(..=at) {
            before.rotate_right(1);
        }
        if let Some(first) = self.streams.first_mut() {
            *first = Some((ssrc, window));
        }
    }

    /// Rollovers of the source heard last.
    pub(super) fn rollovers(&self) -> u64 {
        let last = self.streams.first().copied().flatten();
        last.map_or(0, |(_, window)| window.highest >> 16)
    }
}

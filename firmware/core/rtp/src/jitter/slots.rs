//! The frames waiting, in a ring made once.
//!
//! Owns memory for `capacity` frames; frame number modulo capacity is its place. Who is late or too early is decided
//! by the buffer.

use crate::packet::SequenceNumber;

#[derive(Clone, Debug)]
pub(super) struct Slots {
    slots: Box<[Slot]>,
    octets: Box<[u8]>,
    octets_per_slot: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    frame: i64,
    sequence: SequenceNumber,
    len: usize,
    /// Waiting; a frame taken leaves its octets until the place is needed.
    waiting: bool,
}

impl Slots {
    pub(super) fn new(capacity: usize, octets_per_slot: usize) -> Self {
        let free = Slot {
            frame: i64::MIN,
            sequence: SequenceNumber(0),
            len: 0,
            waiting: false,
        };
        Self {
            slots: vec![free; capacity].into_boxed_slice(),
            octets: vec![0; capacity * octets_per_slot].into_boxed_slice(),
            octets_per_slot,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn octets_per_slot(&self) -> usize {
        self.octets_per_slot
    }

    /// How many frames wait.
    pub(super) fn len(&self) -> usize {
        self.slots.iter().filter(|slot| slot.waiting).count()
    }

    /// The lowest frame waiting.
    pub(super) fn lowest(&self) -> Option<i64> {
        self.slots
            .iter()
            .filter(|slot| slot.waiting)
            .map(|slot| slot.frame)
            .min()
    }

    /// Stores a frame; false where its place is taken.
    pub(super) fn put(&mut self, frame: i64, sequence: SequenceNumber, payload: &[u8]) -> bool {
        let place = self.place(frame);
        let start = place * self.octets_per_slot;
        let Some((slot, octets)) = self
            .slots
            .get_mut(place)
            .zip(self.octets.get_mut(start..start + payload.len()))
        else {
            return false;
        };
        if slot.waiting || payload.len() > self.octets_per_slot {
            return false;
        }
        octets.copy_from_slice(payload);
        *slot = Slot {
            frame,
            sequence,
            len: payload.len(),
            waiting: true,
        };
        true
    }

    /// A frame waiting.
    pub(super) fn get(&self, frame: i64) -> Option<&[u8]> {
        self.slot(frame).filter(|slot| slot.waiting)?;
        self.octets_of(frame)
    }

    /// The packet number of a frame waiting.
    pub(super) fn sequence(&self, frame: i64) -> Option<SequenceNumber> {
        self.slot(frame)
            .filter(|slot| slot.waiting)
            .map(|slot| slot.sequence)
    }

    /// A frame that waited until a moment ago, once: [`Slots::drop_below`] has let go of it.
    pub(super) fn taken(&mut self, frame: i64) -> Option<(SequenceNumber, &[u8])> {
        let sequence = self.slot(frame)?.sequence;
        self.octets_of(frame).map(|octets| (sequence, octets))
    }

    /// Lets go of all frames below; returns how many.
    pub(super) fn drop_below(&mut self, frame: i64) -> u32 {
        let mut dropped = 0;
        for slot in self
            .slots
            .iter_mut()
            .filter(|slot| slot.waiting && slot.frame < frame)
        {
            slot.waiting = false;
            dropped += 1;
        }
        dropped
    }

    pub(super) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.waiting = false;
            slot.frame = i64::MIN;
        }
    }

    fn place(&self, frame: i64) -> usize {
        frame.rem_euclid(self.slots.len() as i64) as usize
    }

    fn slot(&self, frame: i64) -> Option<&Slot> {
        self.slots
            .get(self.place(frame))
            .filter(|slot| slot.frame == frame)
    }

    fn octets_of(&self, frame: i64) -> Option<&[u8]> {
        let len = self.slot(frame)?.len;
        let start = self.place(frame) * self.octets_per_slot;
        self.octets.get(start..start + len)
    }
}

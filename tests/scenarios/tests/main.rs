//! What the exchange does, told as tapes: one file for each behaviour.

mod administration;
mod attacks;
mod attended_transfers;
mod blind_transfers;
mod calls;
mod capacity;
mod encryption;
mod hold;
mod lossy;
mod media;
mod monkeys;
mod overload;
mod power;
mod quirks;
mod registration;
mod replaces;
mod ringing;
mod roaming;
mod sessions;
mod silence;
mod streams;
mod unresponsive;

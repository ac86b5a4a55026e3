//! What the exchange does, told as tapes: one file for each behaviour.

mod calls;
mod registration;

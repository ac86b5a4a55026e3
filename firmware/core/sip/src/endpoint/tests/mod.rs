//! Tapes: who sends what at which time, read from top to bottom. [`tape`] is the one helper, and
//! [`phone`] the far end it talks to, written as text.

mod phone;
mod tape;

mod call_in;
mod call_out;
mod register;

use phone::Phone;
use tape::{ALICE, BOB, Sent, Tape};

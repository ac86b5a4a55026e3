//! Tapes: who sends what at which time, read from top to bottom. [`tape`] is the one helper, and
//! [`phone`] the far end it talks to, written as text.

mod phone;
mod tape;

mod accounts;
mod asking;
mod call_in;
mod call_out;
mod checks;
mod farewells;
mod info;
mod link;
mod offers;
mod peers;
mod races;
mod register;
mod registration;
mod reliable;
mod session_timer;
mod sources;
mod streams;
mod sufferance;
mod transfer;
mod trunk;

use phone::Phone;
use tape::{ALICE, BOB, Sent, Tape};

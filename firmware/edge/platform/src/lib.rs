//! Linux, as far as the exchange touches it beyond the standard library.
//!
//! [`sys`] holds the system calls; it is the one place outside the line cards with `unsafe` in it.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod board;
pub mod card;
pub mod clock;
pub mod data;
pub mod endings;
pub mod files;
pub mod health;
pub mod kernel_log;
pub mod log;
pub mod mbr;
pub mod modules;
pub mod network;
pub mod rights;
pub mod signals;
pub mod slots;
pub mod ssh;
pub mod sys;
pub mod time;
pub mod update;

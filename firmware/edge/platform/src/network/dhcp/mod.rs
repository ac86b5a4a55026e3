//! A DHCP client: a pure machine of frames and time.

mod client;
pub(super) mod message;
#[cfg(test)]
pub(super) mod server;
#[cfg(test)]
mod tests;

pub use client::{Client, Event, Lease, Output};
#[cfg(test)]
pub(super) use tests::lease;

//! Digest authentication, both ends (RFC 3261 §22, RFC 7616, RFC 8760; RFC 2617 and RFC 2069 peers).
//!
//! A server keeps no state for a challenge: its nonce is a moment and a number under a keyed hash.
//! State, bounded, exists only for nonces that a client proved to know the password for:
//! [`NonceTable`] remembers which nonce counts were used. See [`Server`].
//!
//! A client picks the strongest challenge it can answer and answers it: see [`Client`].
//!
//! No clock and no chance: time, the server's key and the client's cnonce are handed in.

mod algorithm;
mod client;
mod hash;
mod nonce;
mod server;
mod wire;

#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub use client::{Client, ClientError, Side};
pub use hash::{Ha1, PasswordHashes};
pub use nonce::NonceTable;
pub use server::{DigestOffer, Refusal, Server, ServerOptions, UriCheck};
pub use wire::{Challenge, Credentials, Qop};

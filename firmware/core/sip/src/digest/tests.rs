//! The examples of the RFCs, and both ends against each other.

mod examples;
mod exchange;
mod nonces;

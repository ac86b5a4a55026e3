//! The telephony process: signalling loop and real-time media thread.
fn main() {}

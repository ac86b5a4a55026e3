//! Starts, watches and restarts the processes of the exchange.
fn main() {}

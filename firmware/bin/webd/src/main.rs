//! The administration: HTTPS, REST API, live events.
fn main() {}

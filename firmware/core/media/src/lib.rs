//! The media graph: ports, bridges, tones; packet relay where two legs share a codec, the tick where
//! they don't. No allocation, lock or log after construction.

mod api;

pub use api::{Command, Event, MAX_PAYLOADS, PortSettings};

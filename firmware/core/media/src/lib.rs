//! The media graph: ports, connections, tones; packets passed on where two parties share a codec, the
//! tick where they don't. Nothing is allocated, locked or logged after construction.

mod api;
mod coder;
mod graph;
mod port;
mod protection;
mod report;
mod silence;
mod stream;

pub use api::{Command, Event, MAX_PAYLOADS, PortSettings};
pub use graph::{Channel, Graph, Sink, TICK, Transmit};

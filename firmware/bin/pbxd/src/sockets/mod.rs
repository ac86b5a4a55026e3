//! The SIP sockets: datagrams and connections turned into inputs of the switch, and back.

pub mod stream;
pub mod tls;
pub mod udp;

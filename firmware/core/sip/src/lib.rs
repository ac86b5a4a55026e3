//! SIP (RFC 3261) and SDP (RFC 3264) as machines without sockets or clocks.

pub mod digest;
pub mod message;
pub mod sdp;
pub mod stream;

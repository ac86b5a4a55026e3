//! SIP (RFC 3261) and SDP (RFC 3264) as machines without sockets or clocks.

mod dialog;
pub mod digest;
pub mod endpoint;
pub mod message;
mod registrar;
pub mod sdp;
mod session;
mod shown;
pub mod stream;
mod transaction;

pub use shown::shown;

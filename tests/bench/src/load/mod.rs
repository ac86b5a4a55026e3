//! Load on a real `pbxd` through real sockets: registrations, calls, relayed sound, overload.

pub mod message;
pub mod phones;
pub mod process;
pub mod runs;
pub mod sound;

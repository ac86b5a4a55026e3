//! The exchange: legs, calls, routing, features, call records.
//!
//! [`Switch`] owns the SIP endpoint and decides everything; it is a pure function of bytes, media
//! events, time and configuration.

mod switch;

pub use switch::{Input, Load, Output, Switch, SwitchConfig};

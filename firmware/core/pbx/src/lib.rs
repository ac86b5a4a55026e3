//! The exchange: legs, calls, routing, features, call records.
//!
//! [`Switch`] owns the SIP endpoint and decides everything; it is a pure function of bytes, media
//! events, time and configuration.

mod admission;
mod bindings;
mod brakes;
mod call;
mod chance;
mod decision;
mod directory;
mod exchange;
mod executor;
mod leg;
mod logins;
mod ports;
mod record;
mod refusals;
mod route;
mod script;
mod security;
mod switch;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use switch::{Input, Load, Output, Switch, SwitchConfig};

//! The vocabulary of the exchange.
//!
//! Identifiers, units, causes, the typed configuration with its number space, call records, and
//! the messages between processes. No behaviour of a protocol and no I/O lives here; every other
//! crate speaks in these words.

mod cause;
mod codec;
pub mod config;
pub mod control;
mod dialplan;
pub mod explain;
mod id;
mod kept;
mod number;
mod ports;
mod record;
mod registration;
pub mod rights;
mod role;
mod secret;
mod source;
mod srtp;
pub mod system;
mod time;

pub use cause::Cause;
pub use codec::Codec;
pub use dialplan::{DialPlan, DialPlanEntry, DialTarget};
pub use id::{
    CallId, ConfigVersion, ExtensionId, InterfaceId, LegId, PermissionGroupId, PortId, RouteId,
    UserId,
};
pub use kept::{KeptDialog, OpenCall, UnendedDialog};
pub use number::{ExtensionNumber, InvalidNumber, Number};
pub use ports::{InvalidPortRange, PORTS_PER_CALL, PortRange};
pub use record::{CallRecord, Disposition, EndedBy, LegRecord, LegSide, Party, Quality};
pub use registration::{Binding, Flow, Transport};
pub use role::{Language, Role};
pub use secret::Secret;
pub use source::Source;
pub use srtp::{MasterKey, MasterKeys, SrtpPolicy, SrtpSuite};
pub use time::{Instant, WallTime};

//! What live events say.

use serde::Serialize;
use utoipa::ToSchema;

use crate::words::{Call, Log, LogRow, Registration};

/// The data of each live event, by the event's name. Nothing has this form itself: an event has a
/// name and, as its data, what stands here under the name.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes, and is never made")]
pub struct EventData {
    /// First in a stream, and again where the reader fell behind: how things are.
    hello: Hello,
    /// A call is new or has changed.
    call: Call,
    /// A call is over, and in the history.
    call_ended: CallEnded,
    /// The phones of an extension have changed.
    registrations: RegistrationsChanged,
    /// A way to another network has changed: read it again.
    interface: InterfaceChanged,
    /// The stored configuration is another one: read again what is shown of it.
    config_changed: ConfigChanged,
    /// The exchange took up a configuration.
    config_in_force: ConfigInForce,
    /// A log has a new row.
    log: Logged,
    /// The exchange came or went.
    exchange: ExchangeReachable,
    /// Every 15 seconds: the stream is alive.
    heartbeat: Heartbeat,
    /// Last in a stream.
    bye: Bye,
}

/// The picture a stream begins with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hello {
    /// Version of the stored configuration; nothing where the store is busy.
    pub config_version: Option<u64>,
    /// True where the exchange answers.
    pub exchange: bool,
    /// Calls under way; none where the exchange doesn't answer.
    pub calls: Vec<Call>,
    /// Registered phones; none where the exchange doesn't answer.
    pub registrations: Vec<Registration>,
}

/// A call is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallEnded {
    /// Which.
    pub call: u64,
}

/// The phones of an extension have changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegistrationsChanged {
    /// Id of the extension.
    pub extension: u32,
    /// All it has now.
    pub registrations: Vec<Registration>,
}

/// A way to another network has changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct InterfaceChanged {
    /// Id of the interface.
    pub interface: u32,
}

/// The stored configuration is another one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfigChanged {
    /// Its version.
    pub version: u64,
    /// The login name of who changed it, where known.
    pub by: Option<String>,
}

/// The exchange took up a configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfigInForce {
    /// Its version.
    pub version: u64,
}

/// A log has a new row.
#[derive(Debug, Serialize, ToSchema)]
pub struct Logged {
    /// Which log.
    pub log: Log,
    /// The row.
    pub row: LogRow,
}

/// The exchange came or went.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExchangeReachable {
    /// True where it answers.
    pub reachable: bool,
}

/// The stream is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct Heartbeat {
    /// The time of the box.
    #[schema(format = DateTime)]
    pub time: String,
    /// The session ends in so many seconds where it is not used.
    pub session_remaining_s: u64,
}

/// The stream ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bye {
    /// Why.
    pub reason: ByeReason,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    /// The session is over, or has no right to this any more.
    SessionEnded,
    /// The administration is stopping or starting anew: connect again in a few seconds.
    ShuttingDown,
}

//! Messages between the processes: JSON, one a line, over a Unix socket.
//!
//! `pbxd` listens; `webd` and `console` ask. A connection that has sent [`Request::Watch`] gets a
//! [`Notice`] for each change until it closes, among the replies to what it asks.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::config::{Brake, Fault, Used};
use crate::explain::{Caller, Explanation};
use crate::{
    CallId, Codec, ConfigVersion, ExtensionId, ExtensionNumber, InterfaceId, LegSide, Party,
    Quality, Transport, WallTime,
};

/// The longest line either side accepts, in bytes: 20,000 registrations fit.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// A question, numbered by the asker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Comes back in the [`Reply`].
    pub id: u64,
    /// What is asked.
    pub request: Request,
}

/// What can be asked of `pbxd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// How it is.
    Status,
    /// Load the configuration from the store again; calls under way go on.
    Reload,
    /// The calls there are.
    Calls,
    /// The phones that are registered.
    Registrations,
    /// The phones that were not let in.
    FailedLogins,
    /// The phone that an extension had last.
    LastPhone {
        /// Which.
        extension: ExtensionId,
    },
    /// How the ways to other networks are.
    Interfaces,
    /// What is used of the limits of the fraud protection.
    Brakes,
    /// What would become of a call if somebody dialled now; nobody is called.
    Explain {
        /// Who dials.
        caller: Caller,
        /// What.
        dialled: String,
    },
    /// End a call.
    HangUp {
        /// Which.
        call: CallId,
        /// The user name of the administrator who wants it.
        by: String,
    },
    /// Write the Debug log for a while; nothing wanted ends it.
    Debug {
        /// SIP messages.
        messages: bool,
        /// What becomes of calls, and why.
        decisions: bool,
        /// For how long.
        minutes: u16,
    },
    /// Rows of the Debug log.
    DebugLog {
        /// Those after the one with this number only.
        after: Option<u64>,
    },
    /// Send notices from now on.
    Watch,
    /// The numbers of the exchange's call to itself.
    SelfCall,
}

/// One line from `pbxd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// An answer.
    Reply {
        /// The number of the [`Ask`].
        id: u64,
        /// The answer itself.
        reply: Reply,
    },
    /// Something changed.
    Notice {
        /// What.
        notice: Notice,
    },
}

/// An answer of `pbxd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::Reload`]: the version now in force.
    Reloaded {
        /// Now in force.
        version: ConfigVersion,
    },
    /// To [`Request::Calls`].
    Calls {
        /// The oldest first.
        calls: Vec<ActiveCall>,
    },
    /// To [`Request::Registrations`].
    Registrations {
        /// By extension.
        registrations: Vec<Registration>,
    },
    /// To [`Request::FailedLogins`].
    FailedLogins {
        /// Of each extension the last one; the last first.
        failed: Vec<FailedLogin>,
        /// Those whose user name no extension has; the last first.
        unknown: Vec<UnknownLogin>,
    },
    /// To [`Request::LastPhone`].
    LastPhone {
        /// None where the extension has a phone, or has had none since the exchange was started.
        phone: Option<LastPhone>,
    },
    /// To [`Request::Interfaces`].
    Interfaces {
        /// The enabled ones, by id.
        interfaces: Vec<InterfaceState>,
    },
    /// To [`Request::Brakes`].
    Brakes(Brakes),
    /// To [`Request::Explain`].
    Explained(Explanation),
    /// To [`Request::DebugLog`].
    DebugLog(DebugLog),
    /// To [`Request::SelfCall`]; [`Reply::NotFound`] where there is no such call.
    SelfCall {
        /// The caller's and the called phone's.
        numbers: [ExtensionNumber; 2],
    },
    /// Done; there is nothing to say.
    Done,
    /// There is no such thing.
    NotFound,
    /// The configuration in the store can't be run; the old one stays in force.
    Faulty {
        /// Why.
        faults: Vec<Fault>,
    },
    /// It failed, and why, in words for the log.
    Failed {
        /// Why.
        text: String,
    },
}

/// What is used of the limits of the fraud protection, since the exchange was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brakes {
    /// By all extensions together.
    pub exchange: Used,
    /// By each that has used any or come upon a limit within 24 hours, by id.
    pub extensions: Vec<BrakesOf>,
}

/// What an extension has used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakesOf {
    /// Which.
    pub extension: ExtensionId,
    /// How much.
    pub used: Used,
    /// The limit that it came upon last.
    pub reached: Option<BrakeReached>,
}

/// A limit that was come upon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakeReached {
    /// Which.
    pub brake: Brake,
    /// When last.
    pub at: WallTime,
    /// How often within 24 hours some limit was.
    pub times: u32,
}

/// The Debug log: in memory, and off until it is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebugLog {
    /// SIP messages are written.
    pub messages: bool,
    /// What becomes of calls is written.
    pub decisions: bool,
    /// When it ends; none where it is off.
    pub until: Option<WallTime>,
    /// The oldest first.
    pub rows: Vec<DebugRow>,
    /// There are more after these.
    pub more: bool,
}

/// A row of the Debug log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebugRow {
    /// Grows by one with each.
    pub number: u64,
    /// When.
    pub at: WallTime,
    /// What, in English; some have many lines.
    pub text: String,
}

/// How `pbxd` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Program version.
    pub version: String,
    /// When the process started.
    pub started: WallTime,
    /// How long it has run, in seconds, however the time of day was set meanwhile.
    pub uptime_s: u64,
    /// Configuration in force.
    pub config: ConfigVersion,
    /// Calls there are.
    pub calls: u32,
    /// Phones that are registered.
    pub registrations: u32,
    /// True where the media thread has real-time priority and locked memory.
    pub real_time: bool,
    /// Requests refused because of overload since the start.
    pub overload_refusals: u64,
    /// Where it listens for SIP.
    pub sip: Listening,
}

/// Where SIP is listened for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The addresses; none given means all of the machine.
    pub addresses: Vec<IpAddr>,
    /// Port of UDP and TCP.
    pub port: u16,
    /// Port of TLS; none where there is no certificate to serve it by.
    pub tls_port: Option<u16>,
}

/// A call as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveCall {
    /// Which.
    pub call: CallId,
    /// How far it is.
    pub state: CallState,
    /// Who calls.
    pub caller: Party,
    /// What was dialled.
    pub dialled: String,
    /// Who is called, or whom the number stands for.
    pub called: Option<Party>,
    /// When it came in.
    pub started: WallTime,
    /// When it was answered.
    pub answered: Option<WallTime>,
    /// Both legs, the caller's first.
    pub legs: Vec<ActiveLeg>,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Nothing rings yet.
    Setup,
    /// The called party's phone rings.
    Ringing,
    /// The parties talk.
    Connected,
    /// One party has the other on hold.
    Held,
}

/// A leg as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveLeg {
    /// Which half.
    pub side: LegSide,
    /// Who is on it.
    pub party: Party,
    /// Signalling address.
    pub address: Option<String>,
    /// What the peer calls itself.
    pub user_agent: Option<String>,
    /// The name of the interface it was reached by, or came by.
    pub interface: Option<String>,
    /// Codec in use.
    pub codec: Option<Codec>,
    /// Its sound is encrypted.
    pub encrypted: bool,
    /// Measured so far.
    pub quality: Option<Quality>,
    /// Since when nothing has come from the party, though it is to be heard.
    #[serde(default)]
    pub silent_since: Option<WallTime>,
}

/// A registered phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Whose.
    pub extension: ExtensionId,
    /// Contact URI.
    pub contact: String,
    /// Source address of the REGISTER.
    pub address: String,
    /// By what.
    pub transport: Transport,
    /// What the phone calls itself.
    pub user_agent: Option<String>,
    /// When it ends unless refreshed.
    pub expires: WallTime,
    /// False where its connection is gone and the phone has to open another one before it can be called.
    pub reachable: bool,
    /// Since when it has answered nothing that was asked of it.
    #[serde(default)]
    pub unresponsive_since: Option<WallTime>,
}

/// A phone that is registered no more, and that no other has taken the place of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPhone {
    /// Source address of its last REGISTER.
    pub address: String,
    /// By what.
    pub transport: Transport,
    /// What the phone calls itself.
    pub user_agent: Option<String>,
    /// Until when it was registered.
    pub until: WallTime,
    /// True where it ended its registration itself; otherwise it did not come back in time.
    pub left: bool,
}

/// A phone that was not let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedLogin {
    /// Whose user name it had.
    pub extension: ExtensionId,
    /// When.
    pub at: WallTime,
    /// From where.
    pub host: IpAddr,
    /// Why.
    pub reason: LoginFailure,
}

/// A phone whose user name no extension has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownLogin {
    /// The user name.
    pub username: String,
    /// When it was tried last.
    pub at: WallTime,
    /// From where.
    pub host: IpAddr,
    /// How often so far.
    pub times: u32,
}

/// Why a phone was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginFailure {
    /// Its password is another one.
    WrongPassword,
    /// The extension or its user is disabled.
    Disabled,
    /// It proved to be this extension, and wanted something of another one.
    NotAllowed,
    /// What proved the password was used before.
    Replayed,
}

/// How a way to another network is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceState {
    /// Which.
    pub interface: InterfaceId,
    /// How it is.
    pub condition: InterfaceCondition,
    /// The address of its server that is in use.
    pub address: Option<String>,
    /// Calls that go by it now.
    pub calls: u32,
}

/// Whether an interface can carry a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum InterfaceCondition {
    /// It can.
    Ready,
    /// Nobody knows yet where its server is.
    NotFound,
    /// Its server has not answered yet.
    Registering,
    /// Its server does not have us.
    NotRegistered {
        /// The SIP status it refused with; none where it gave no answer.
        status: Option<u16>,
    },
}

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// A call is new or has changed.
    Call {
        /// As it stands.
        call: ActiveCall,
    },
    /// A call is over; its record is in the history.
    CallEnded {
        /// Which.
        call: CallId,
    },
    /// The phones of an extension have changed.
    Registrations {
        /// Whose.
        extension: ExtensionId,
        /// All it has now.
        registrations: Vec<Registration>,
    },
    /// A way to another network has changed.
    Interface {
        /// As it is.
        interface: InterfaceState,
    },
    /// The Security log has a new row, which can be read.
    Security,
    /// A configuration came into force.
    Config {
        /// Which.
        version: ConfigVersion,
    },
}

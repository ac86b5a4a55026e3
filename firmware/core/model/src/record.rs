//! What the call history keeps of a call.

use serde::{Deserialize, Serialize};

use crate::config::Brake;
use crate::{CallId, Cause, Codec, ExtensionId, WallTime};

/// Who takes part in a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The number shown: an extension's, or what the outside gave.
    pub number: String,
    /// The name shown with it.
    pub name: Option<String>,
    /// The extension, where the party is one of ours.
    pub extension: Option<ExtensionId>,
}

/// How a call ended, in a word a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It was answered.
    Answered,
    /// It rang until the limit.
    NoAnswer,
    /// The called party was busy.
    Busy,
    /// The caller hung up before an answer.
    Cancelled,
    /// The called party refused it.
    Rejected,
    /// No phone of the called party is registered, or none responded.
    Unreachable,
    /// Nothing has the dialled number.
    UnknownNumber,
    /// The caller may not call this number.
    NotPermitted,
    /// It failed otherwise; the cause says how.
    Failed,
    /// The exchange was stopped or restarted while it lasted.
    Interrupted,
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The calling party.
    Caller,
    /// The called party.
    Called,
    /// The exchange: a limit, a fault.
    Exchange,
    /// An administrator.
    Administrator,
    /// The exchange was stopped in order.
    Stop,
}

/// Which half of a call a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegSide {
    /// The half that called in.
    Caller,
    /// The half that was called.
    Called,
}

/// What was measured on one leg, both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// RTP packets sent to the party.
    pub packets_sent: u64,
    /// RTP packets that came from the party.
    pub packets_received: u64,
    /// Packets from the party that never came (RFC 3550 §6.4.1).
    pub packets_lost: u64,
    /// Packets from the party that came too late or twice.
    pub packets_discarded: u64,
    /// Packets refused because they came from a third address.
    pub packets_foreign: u64,
    /// Interarrival jitter of what came, in microseconds.
    pub jitter_us: u32,
    /// Packets lost on the way to the party, as its RTCP reports say.
    pub remote_lost: Option<u32>,
    /// Jitter on the way to the party, as its RTCP reports say, in microseconds.
    pub remote_jitter_us: Option<u32>,
    /// Round-trip time to the party by RTCP, in microseconds.
    pub round_trip_us: Option<u32>,
    /// Estimated listening quality of what came, ITU-T G.107 mapped to MOS, in hundredths (100 to 450).
    pub mos_hundredths: Option<u16>,
    /// How long, in all, nothing came from the party though it was to be heard, in ms. What did not come
    /// meanwhile is among those lost.
    #[serde(default)]
    pub silent_ms: u32,
    /// For how long of that nothing has come up to now, or up to the end, in ms.
    #[serde(default)]
    pub silent_now_ms: u32,
}

/// One leg of a call record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRecord {
    /// Which half.
    pub side: LegSide,
    /// Who was on it.
    pub party: Party,
    /// Signalling address of the phone or peer.
    pub address: Option<String>,
    /// What the peer calls itself.
    pub user_agent: Option<String>,
    /// The name of the interface it was reached by, or came by.
    #[serde(default)]
    pub interface: Option<String>,
    /// The codec in use at the end.
    pub codec: Option<Codec>,
    /// Its sound was encrypted from the answer to the end.
    #[serde(default)]
    pub encrypted: bool,
    /// What was measured, where sound flowed.
    pub quality: Option<Quality>,
    /// Its phone had stopped responding, and so the exchange ended the call.
    #[serde(default)]
    pub stopped_responding: bool,
}

/// One call in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The call.
    pub call: CallId,
    /// Who called.
    pub caller: Party,
    /// What was dialled.
    pub dialled: String,
    /// The calling number that those outside were shown, where the call left last; empty where it was
    /// hidden.
    #[serde(default)]
    pub shown_outside: Option<String>,
    /// The extension that was called, where the rules of its user led the call elsewhere.
    #[serde(default)]
    pub forwarded_from: Option<Party>,
    /// The limit of the fraud protection by which it was refused, or ended.
    #[serde(default)]
    pub brake: Option<Brake>,
    /// Who was reached, or whom the number stands for.
    pub called: Option<Party>,
    /// When the call came in.
    pub started: WallTime,
    /// When it was answered.
    pub answered: Option<WallTime>,
    /// When it ended.
    pub ended: WallTime,
    /// How it ended.
    pub disposition: Disposition,
    /// The cause of the end.
    pub cause: Cause,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// The user name of the administrator who ended it.
    #[serde(default)]
    pub administrator: Option<String>,
    /// The call this one went on from, after a transfer.
    pub transferred_from: Option<CallId>,
    /// Both legs, where there were two; the caller's first.
    pub legs: Vec<LegRecord>,
}

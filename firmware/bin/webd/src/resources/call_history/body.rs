//! Calls of the history as the API writes them.

use model::CallRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock;
use crate::words::{Brake, Disposition, EndedBy, Leg, Party};

/// A call that is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryCall {
    /// The call.
    #[schema(example = 4711)]
    pub id: u64,
    /// Who called.
    pub caller: Party,
    /// What was dialled.
    #[schema(example = "122")]
    pub dialled: String,
    /// The calling number that those outside were shown, where the call left; empty where it was hidden.
    #[schema(example = "5550122")]
    pub shown_outside: Option<String>,
    /// The extension that was called, where the ringing rules of its user led the call elsewhere.
    pub forwarded_from: Option<Party>,
    /// The limit of the fraud protection by which it was refused, or ended.
    pub brake: Option<Brake>,
    /// Who was reached.
    pub called: Option<Party>,
    /// When the call came in.
    #[schema(format = DateTime)]
    pub started: String,
    /// When it was answered.
    #[schema(format = DateTime)]
    pub answered: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    pub ended: String,
    /// From the answer to the end, in seconds; 0 without an answer.
    pub duration_s: u64,
    /// How it ended.
    pub disposition: Disposition,
    /// Q.850 cause value of the end.
    #[schema(example = 16)]
    pub cause: u8,
    /// The cause in words.
    #[schema(example = "normal call clearing")]
    pub cause_text: String,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// The user name of the administrator who ended it.
    #[schema(example = "winston.smith")]
    pub administrator: Option<String>,
    /// The call this one went on from, after a transfer.
    pub transferred_from: Option<u64>,
    /// Both legs, the caller's first.
    pub legs: Vec<Leg>,
}

/// A page of the history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryCalls {
    /// How many calls the filter lets through.
    pub(super) total: u64,
    /// Those on this page.
    pub(super) calls: Vec<HistoryCall>,
}

impl From<CallRecord> for HistoryCall {
    fn from(record: CallRecord) -> Self {
        Self {
            id: record.call.raw(),
            caller: record.caller.into(),
            dialled: record.dialled,
            shown_outside: record.shown_outside,
            forwarded_from: record.forwarded_from.map(Into::into),
            brake: record.brake.map(Into::into),
            called: record.called.map(Into::into),
            started: clock::rfc3339(record.started),
            answered: record.answered.map(clock::rfc3339),
            ended: clock::rfc3339(record.ended),
            duration_s: record
                .answered
                .map_or(0, |answered| record.ended.since(answered).as_secs()),
            disposition: record.disposition.into(),
            cause: record.cause.value(),
            cause_text: record.cause.text().to_owned(),
            ended_by: record.ended_by.into(),
            administrator: record.administrator,
            transferred_from: record.transferred_from.map(model::CallId::raw),
            legs: record.legs.into_iter().map(Into::into).collect(),
        }
    }
}

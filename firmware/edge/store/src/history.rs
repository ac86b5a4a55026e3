//! The call history: appended in batches, each call once, kept to its newest calls.

use std::time::Duration;

use model::{CallId, CallRecord, Disposition, ExtensionId, WallTime};

use crate::{Store, StoreError};

/// How a number is compared with caller, called party and dialled number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberFilter {
    /// One of them has this in it.
    Contains(String),
    /// One of them is this.
    Is(String),
}

/// Which calls; by default all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Started at this moment or later.
    pub from: Option<WallTime>,
    /// Started before this moment.
    pub until: Option<WallTime>,
    /// With this number.
    pub number: Option<NumberFilter>,
    /// From or to one of these extensions; empty for all.
    pub extensions: Vec<ExtensionId>,
    /// That ended in one of these ways; empty for all.
    pub dispositions: Vec<Disposition>,
    /// Talked for so long at least.
    pub min_duration: Option<Duration>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistorySort {
    /// By start.
    #[default]
    Started,
    /// By time talked: from the answer to the end, zero without an answer.
    Duration,
    /// By the caller's number.
    Caller,
    /// By the dialled number.
    Dialled,
    /// By the word for the end.
    Disposition,
}

/// A page of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Which calls.
    pub filter: HistoryFilter,
    /// In which order; calls alike go by start.
    pub sort: HistorySort,
    /// The lowest first; else the highest.
    pub ascending: bool,
    /// Calls left out before the page.
    pub offset: u64,
    /// Calls on the page, at most.
    pub limit: u32,
}

impl Default for HistoryQuery {
    fn default() -> Self {
        Self {
            filter: HistoryFilter::default(),
            sort: HistorySort::default(),
            ascending: false,
            offset: 0,
            limit: 50,
        }
    }
}

/// Calls in numbers, for a dashboard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryStatistics {
    /// How many, and in which way they ended; only what occurred.
    pub by_disposition: Vec<(Disposition, u64)>,
    /// All of them.
    pub calls: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Time talked, together.
    pub talked: Duration,
    /// The mean over calls of the worse leg's MOS, in hundredths.
    pub mos_hundredths: Option<u16>,
}

/// Calls one after the other, the newest first, without holding the database meanwhile.
#[derive(Debug)]
pub struct HistoryExport {
    store: Store,
    filter: HistoryFilter,
}

impl Iterator for HistoryExport {
    type Item = Result<CallRecord, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let _ = (&self.store, &self.filter);
        todo!()
    }
}

impl Store {
    /// Appends calls in one transaction; those already there stay as they are. Returns how many
    /// were new.
    ///
    /// # Errors
    /// Where the database can't be written; none was appended then.
    pub fn history_append(&self, calls: &[CallRecord]) -> Result<usize, StoreError> {
        let _ = calls;
        todo!()
    }

    /// A page of calls.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn history_query(&self, query: &HistoryQuery) -> Result<Vec<CallRecord>, StoreError> {
        let _ = query;
        todo!()
    }

    /// How many calls a filter lets through.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn history_count(&self, filter: &HistoryFilter) -> Result<u64, StoreError> {
        let _ = filter;
        todo!()
    }

    /// One call.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn history_call(&self, call: CallId) -> Result<Option<CallRecord>, StoreError> {
        let _ = call;
        todo!()
    }

    /// All calls a filter lets through, the newest first, for a file of any size.
    #[must_use]
    pub fn history_export(&self, filter: HistoryFilter) -> HistoryExport {
        HistoryExport {
            store: self.clone(),
            filter,
        }
    }

    /// Calls in numbers, over those a filter lets through.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn history_statistics(
        &self,
        filter: &HistoryFilter,
    ) -> Result<HistoryStatistics, StoreError> {
        let _ = filter;
        todo!()
    }

    /// Removes calls that started before a moment, or all; returns how many.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn history_clear(&self, before: Option<WallTime>) -> Result<u64, StoreError> {
        let _ = before;
        todo!()
    }

    /// The highest call id the history ever had; removing calls doesn't lower it. With
    /// [`crate::Recovered::last_call_id`], where new ids go on from.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn last_call_id(&self) -> Result<Option<CallId>, StoreError> {
        todo!()
    }
}

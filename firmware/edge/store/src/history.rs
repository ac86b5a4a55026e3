//! The call history: appended in batches, each call once, kept to its newest calls.

mod filter;
mod rows;

use std::collections::VecDeque;
use std::time::Duration;

use model::{CallId, CallRecord, Disposition, ExtensionId, WallTime};

use rusqlite::{OptionalExtension, Transaction, params, params_from_iter};

use self::filter::{Condition, order};
use crate::db::lock;
use crate::word::unword;
use crate::{Store, StoreError};

/// Calls an export reads at once: short reads, so that the write-ahead log can be folded in between.
const EXPORT_CHUNK: u32 = 500;
/// Calls removed in one transaction, so that a call which ends meanwhile isn't kept waiting.
const REMOVE_CHUNK: u32 = 2000;
/// How far beyond its limit the history grows before the oldest calls go, so that not every call
/// costs a removal: a hundredth of it.
const SLACK: u64 = 100;

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
    /// Those that were answered, however they ended.
    pub answered: u64,
    /// Time talked in them, together.
    pub talked: Duration,
    /// The mean over calls of the worse leg's MOS, in hundredths.
    pub mos_hundredths: Option<u16>,
}

/// Calls one after the other, the newest first, without holding the database meanwhile.
#[derive(Debug)]
pub struct HistoryExport {
    store: Store,
    filter: HistoryFilter,
    chunk: VecDeque<CallRecord>,
    /// Start and id of the last call read; none before the first.
    last: Option<(i64, i64)>,
    over: bool,
}

impl HistoryExport {
    fn read(&self) -> Result<VecDeque<CallRecord>, StoreError> {
        let mut condition = Condition::new(&self.filter);
        if let Some((started, id)) = self.last {
            condition.add("(started, id) < (?, ?)", [started, id]);
        }
        self.store.inner.history.read(|tx| {
            select(
                tx,
                condition,
                order(HistorySort::Started, false),
                EXPORT_CHUNK,
                0,
            )
        })
    }
}

impl Iterator for HistoryExport {
    type Item = Result<CallRecord, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.is_empty() && !self.over {
            match self.read() {
                Ok(chunk) => self.chunk = chunk,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
            self.over = self.chunk.len() < EXPORT_CHUNK as usize;
        }
        let record = self.chunk.pop_front()?;
        self.last = Some((record.started.as_unix_micros(), rows::raw(record.call)));
        Some(Ok(record))
    }
}

impl Store {
    /// Appends calls in one transaction; those already there stay as they are. Returns how many
    /// were new.
    ///
    /// # Errors
    /// Where the database can't be written; none was appended then.
    pub fn history_append(&self, calls: &[CallRecord]) -> Result<usize, StoreError> {
        let new = self.inner.history.write(|tx| {
            let mut new = 0;
            for call in calls {
                new += usize::from(rows::insert(tx, call)?);
            }
            Ok::<_, StoreError>(new)
        })?;
        if let Err(error) = self.history_trim(new as u64) {
            // The calls are in; the next append tries again.
            tracing::warn!(%error, "the oldest calls of the history couldn't be removed");
        }
        Ok(new)
    }

    /// Waits until all calls appended before are on the disk: then a power cut can't take them.
    ///
    /// # Errors
    /// What the disk says. Calls appended before may not outlive a power cut then, ever.
    pub fn history_sync(&self) -> Result<(), StoreError> {
        self.inner.history.sync()
    }

    /// A page of calls.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn history_query(&self, query: &HistoryQuery) -> Result<Vec<CallRecord>, StoreError> {
        let condition = Condition::new(&query.filter);
        let order = order(query.sort, query.ascending);
        self.inner
            .history
            .read(|tx| select(tx, condition, order, query.limit, query.offset))
            .map(Vec::from)
    }

    /// How many calls a filter lets through.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn history_count(&self, filter: &HistoryFilter) -> Result<u64, StoreError> {
        let condition = Condition::new(filter);
        let sql = format!("SELECT count(*) FROM calls{}", condition.clause());
        let count: i64 = self.inner.history.read(|tx| {
            Ok(tx
                .prepare_cached(&sql)?
                .query_row(params_from_iter(condition.values), |row| row.get(0))?)
        })?;
        Ok(count.unsigned_abs())
    }

    /// One call.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn history_call(&self, call: CallId) -> Result<Option<CallRecord>, StoreError> {
        let mut condition = Condition::default();
        condition.add("id = ?", [rows::raw(call)]);
        self.inner
            .history
            .read(|tx| Ok(select(tx, condition, "", 1, 0)?.pop_front()))
    }

    /// All calls a filter lets through, the newest first, for a file of any size.
    #[must_use]
    pub fn history_export(&self, filter: HistoryFilter) -> HistoryExport {
        HistoryExport {
            store: self.clone(),
            filter,
            chunk: VecDeque::new(),
            last: None,
            over: false,
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
        let condition = Condition::new(filter);
        let sql = format!(
            "SELECT disposition, count(*), sum(duration), sum(mos), count(mos), count(answered)
             FROM calls{}
             GROUP BY disposition ORDER BY disposition",
            condition.clause()
        );
        self.inner.history.read(|tx| {
            let mut statement = tx.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(condition.values))?;
            let mut statistics = HistoryStatistics::default();
            let (mut mos, mut graded) = (0, 0);
            while let Some(row) = rows.next()? {
                let disposition = unword(row.get(0)?)?;
                let calls = row.get::<_, i64>(1)?.unsigned_abs();
                statistics.by_disposition.push((disposition, calls));
                statistics.calls += calls;
                statistics.answered += row.get::<_, i64>(5)?.unsigned_abs();
                statistics.talked += Duration::from_micros(row.get::<_, i64>(2)?.unsigned_abs());
                mos += row.get::<_, Option<i64>>(3)?.unwrap_or(0);
                graded += row.get::<_, i64>(4)?;
            }
            statistics.mos_hundredths = mos
                .checked_div(graded)
                .and_then(|mean| u16::try_from(mean).ok());
            Ok(statistics)
        })
    }

    /// Removes calls that started before a moment, or all; returns how many.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn history_clear(&self, before: Option<WallTime>) -> Result<u64, StoreError> {
        let before = before.map_or(i64::MAX, WallTime::as_unix_micros);
        let mut removed = 0;
        loop {
            let now = self.history_remove(before, REMOVE_CHUNK)?;
            removed += now;
            if now < u64::from(REMOVE_CHUNK) {
                self.history_shrink();
                return Ok(removed);
            }
        }
    }

    /// The highest call id the history ever had; removing calls doesn't lower it. With
    /// [`crate::Recovered::last_call_id`], where new ids go on from.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn last_call_id(&self) -> Result<Option<CallId>, StoreError> {
        self.inner.history.read(|tx| {
            let last: Option<i64> = tx
                .query_row("SELECT last_call FROM meta", [], |row| row.get(0))
                .optional()?
                .flatten();
            Ok(last.map(rows::unraw))
        })
    }

    /// Gives the room of what was removed back.
    pub(crate) fn history_shrink(&self) {
        if let Err(error) = self.inner.history.shrink() {
            tracing::debug!(%error, "the history's file keeps its length");
        }
    }

    /// Counts what was appended and removes the oldest calls beyond the limit.
    fn history_trim(&self, new: u64) -> Result<(), StoreError> {
        let limit = self.inner.limits.history_calls;
        let all = HistoryFilter::default();
        let mut known = lock(&self.inner.calls);
        let count = match *known {
            Some(count) => count + new,
            None => self.history_count(&all)?,
        };
        *known = Some(count);
        if count <= limit + limit / SLACK {
            return Ok(());
        }
        // The other process may have cleared some.
        let mut count = self.history_count(&all)?;
        while count > limit {
            let chunk = u32::try_from(count - limit).map_or(REMOVE_CHUNK, |n| n.min(REMOVE_CHUNK));
            let removed = self.history_remove(i64::MAX, chunk)?;
            if removed == 0 {
                break;
            }
            count = count.saturating_sub(removed);
        }
        *known = Some(count);
        Ok(())
    }

    /// Removes the oldest calls that started before a moment, up to a number.
    fn history_remove(&self, before: i64, most: u32) -> Result<u64, StoreError> {
        self.inner.history.write(|tx| {
            let removed = tx
                .prepare_cached(
                    "DELETE FROM calls WHERE id IN
                     (SELECT id FROM calls WHERE started < ?1 ORDER BY started, id LIMIT ?2)",
                )?
                .execute(params![before, most])?;
            Ok(removed as u64)
        })
    }
}

fn select(
    tx: &Transaction<'_>,
    condition: Condition,
    order: &'static str,
    limit: u32,
    offset: u64,
) -> Result<VecDeque<CallRecord>, StoreError> {
    let clause = condition.clause();
    let sql = format!("{}{clause}{order} LIMIT ? OFFSET ?", rows::COLUMNS);
    let mut values = condition.values;
    values.push(i64::from(limit).into());
    values.push(i64::try_from(offset).unwrap_or(i64::MAX).into());
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut calls = VecDeque::new();
    while let Some(row) = rows.next()? {
        calls.push_back(rows::call(tx, row)?);
    }
    Ok(calls)
}

#[cfg(test)]
mod tests;

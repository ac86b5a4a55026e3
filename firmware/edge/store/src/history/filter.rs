//! A filter as SQL: fixed pieces of text, with every value bound.

use model::ExtensionId;
use rusqlite::types::Value;

use super::{HistoryFilter, HistorySort, NumberFilter};
use crate::log::contains_pattern;
use crate::word::{json, word};

/// The condition of a statement and the values to bind to it.
#[derive(Default)]
pub(super) struct Condition {
    pieces: Vec<&'static str>,
    pub(super) values: Vec<Value>,
}

impl Condition {
    pub(super) fn new(filter: &HistoryFilter) -> Self {
        let mut condition = Self::default();
        if let Some(from) = filter.from {
            condition.add("started >= ?", [from.as_unix_micros()]);
        }
        if let Some(until) = filter.until {
            condition.add("started < ?", [until.as_unix_micros()]);
        }
        match &filter.number {
            Some(NumberFilter::Contains(text)) => {
                let pattern = contains_pattern(text);
                condition.add(
                    r"(caller_number LIKE ? ESCAPE '\' OR called_number LIKE ? ESCAPE '\'
                       OR dialled LIKE ? ESCAPE '\')",
                    [pattern.clone(), pattern.clone(), pattern],
                );
            }
            Some(NumberFilter::Is(text)) => condition.add(
                "(caller_number = ? OR called_number = ? OR dialled = ?)",
                [text.clone(), text.clone(), text.clone()],
            ),
            None => {}
        }
        if !filter.extensions.is_empty() {
            let ids: Vec<u32> = filter
                .extensions
                .iter()
                .map(|id| ExtensionId::raw(*id))
                .collect();
            let ids = json(&ids);
            condition.add(
                "(caller_extension IN (SELECT value FROM json_each(?))
                  OR called_extension IN (SELECT value FROM json_each(?)))",
                [ids.clone(), ids],
            );
        }
        if !filter.dispositions.is_empty() {
            let words: Vec<String> = filter.dispositions.iter().map(word).collect();
            condition.add(
                "disposition IN (SELECT value FROM json_each(?))",
                [json(&words)],
            );
        }
        if let Some(least) = filter.min_duration {
            let least = i64::try_from(least.as_micros()).unwrap_or(i64::MAX);
            condition.add("duration >= ?", [least]);
        }
        condition
    }

    /// Adds a piece with as many values as it has question marks.
    pub(super) fn add<V: Into<Value>, const N: usize>(
        &mut self,
        piece: &'static str,
        values: [V; N],
    ) {
        debug_assert_eq!(piece.matches('?').count(), N);
        self.pieces.push(piece);
        self.values.extend(values.map(Into::into));
    }

    /// `WHERE …`, or nothing.
    pub(super) fn clause(&self) -> String {
        if self.pieces.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.pieces.join(" AND "))
        }
    }
}

/// The order of a page; each ends with the id, so that no two calls are equal.
pub(super) const fn order(sort: HistorySort, ascending: bool) -> &'static str {
    match (sort, ascending) {
        (HistorySort::Started, true) => " ORDER BY started, id",
        (HistorySort::Started, false) => " ORDER BY started DESC, id DESC",
        (HistorySort::Duration, true) => " ORDER BY duration, started, id",
        (HistorySort::Duration, false) => " ORDER BY duration DESC, started DESC, id DESC",
        (HistorySort::Caller, true) => " ORDER BY caller_number, started, id",
        (HistorySort::Caller, false) => " ORDER BY caller_number DESC, started DESC, id DESC",
        (HistorySort::Dialled, true) => " ORDER BY dialled, started, id",
        (HistorySort::Dialled, false) => " ORDER BY dialled DESC, started DESC, id DESC",
        (HistorySort::Disposition, true) => " ORDER BY disposition, started, id",
        (HistorySort::Disposition, false) => " ORDER BY disposition DESC, started DESC, id DESC",
    }
}

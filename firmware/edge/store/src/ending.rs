//! Processes that ended by themselves, each told once.

use std::time::Duration;

use model::WallTime;
use rusqlite::params;

use crate::log::{LogKind, append};
use crate::{Store, StoreError};

/// Endings are kept so long: who looks at the box once a week still sees them.
const KEPT: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// A process that ended by itself and was started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: WallTime,
    /// The name of its program.
    pub process: String,
}

impl Store {
    /// Keeps an ending and says it in a log of the history, together; false where that was done before.
    ///
    /// # Errors
    /// Where the database can't be written; neither is done then.
    pub fn ending_append(
        &self,
        ended: &Ended,
        log: LogKind,
        text: &str,
    ) -> Result<bool, StoreError> {
        let at = ended.at.as_unix_micros();
        let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
        let keep = self.inner.limits.log_rows;
        self.inner.history.write(|tx| {
            let new = tx
                .prepare_cached("INSERT OR IGNORE INTO endings (at, process) VALUES (?1, ?2)")?
                .execute(params![at, ended.process])?;
            if new == 0 {
                return Ok(false);
            }
            tx.prepare_cached("DELETE FROM endings WHERE at < ?1")?
                .execute([at - kept])?;
            append(tx, log, keep, ended.at, text)?;
            Ok(true)
        })
    }

    /// What ended since a moment, the first first.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn endings(&self, since: WallTime) -> Result<Vec<Ended>, StoreError> {
        self.inner.history.read(|tx| {
            let mut statement =
                tx.prepare_cached("SELECT at, process FROM endings WHERE at >= ?1 ORDER BY at")?;
            let rows = statement.query_map([since.as_unix_micros()], |row| {
                Ok(Ended {
                    at: WallTime::from_unix_micros(row.get(0)?),
                    process: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogQuery;

    #[test]
    fn an_ending_is_told_once_and_kept_for_a_week() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let ended = |day: i64, process: &str| Ended {
            at: WallTime::from_unix_seconds(1_800_000_000 + day * 24 * 60 * 60),
            process: process.into(),
        };
        for process in ["pbxd", "webd"] {
            assert!(
                store
                    .ending_append(&ended(0, process), LogKind::Warning, process)
                    .unwrap()
            );
            assert!(
                !store
                    .ending_append(&ended(0, process), LogKind::Warning, "again")
                    .unwrap()
            );
        }
        let rows = store
            .log_query(LogKind::Warning, &LogQuery::default())
            .unwrap();
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(texts, ["webd", "pbxd"]);
        assert_eq!(rows[0].at, ended(0, "webd").at);

        assert!(
            store
                .ending_append(&ended(7, "pbxd"), LogKind::Error, "later")
                .unwrap()
        );
        let since = |day| store.endings(ended(day, "").at).unwrap();
        assert_eq!(
            since(0),
            [ended(0, "pbxd"), ended(0, "webd"), ended(7, "pbxd")]
        );
        assert_eq!(since(1), [ended(7, "pbxd")]);
        assert!(
            store
                .ending_append(&ended(9, "pbxd"), LogKind::Warning, "last")
                .unwrap()
        );
        assert_eq!(since(0), [ended(7, "pbxd"), ended(9, "pbxd")]);
    }
}

//! What must outlive the process: journal before answers, history behind them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use model::{Binding, CallId, CallRecord, Cause, Disposition, EndedBy, WallTime};
use store::{Journal, LiveRecord, LogKind, Store, Writer};
use tokio::sync::Notify;
use tracing::{error, info};

/// How often what was journalled is brought to the disk: what a power cut may take of the history.
const SYNC_EVERY: Duration = Duration::from_secs(2);

/// How long the last calls may take to be stored at the end.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// Journal and history.
pub struct Live {
    journal: Journal,
    writer: Writer,
    /// The Security log has rows that nobody was told of.
    security: Arc<Notify>,
    /// The writer was full: offer what is unstored again.
    behind: bool,
    /// The journal could not be written; said once.
    broken: bool,
    stop: Arc<AtomicBool>,
}

/// What was there when the process started.
pub struct Before {
    /// Phones that were registered.
    pub bindings: Vec<Binding>,
    /// The id of the next call.
    pub next_call: CallId,
}

impl Live {
    /// Opens both, and closes the calls that the last process left open.
    pub fn open(data: &Path, store: &Store, now: WallTime) -> Result<(Self, Before)> {
        let (mut journal, recovered) = Journal::open(data, now).context("the journal")?;
        if recovered.torn_bytes > 0 {
            info!(
                bytes = recovered.torn_bytes,
                "a half-written end of the journal was cut off"
            );
        }
        let interrupted: Vec<CallRecord> = recovered
            .open
            .into_iter()
            .map(|call| interrupted(call, now))
            .collect();
        if !interrupted.is_empty() {
            info!(calls = interrupted.len(), "calls were cut by the restart");
            let records: Vec<LiveRecord> = interrupted
                .iter()
                .cloned()
                .map(LiveRecord::CallClosed)
                .collect();
            journal.append(&records).context("the journal")?;
        }
        let last_stored = store.last_call_id().context("the call history")?;
        let last = last_stored.max(recovered.last_call_id);
        let before = Before {
            bindings: recovered.bindings,
            next_call: CallId::new(last.map_or(1, |id| id.raw().saturating_add(1))),
        };
        let security = Arc::new(Notify::new());
        let told = Arc::clone(&security);
        let logged = move |kind| {
            if kind == LogKind::Security {
                told.notify_one();
            }
        };
        let writer = Writer::start(store.clone(), journal.stored_calls(), logged)
            .context("the history's thread")?;
        let stop = Arc::new(AtomicBool::new(false));
        keep_synced(&journal, stop.clone())?;
        let live = Self {
            journal,
            writer,
            security,
            behind: true,
            broken: false,
            stop,
        };
        Ok((live, before))
    }

    /// Keeps records: when this returns they outlive the process. Where the disk refuses, the
    /// exchange goes on without: phones matter more than their history.
    pub fn keep(&mut self, records: &[LiveRecord]) {
        if records.is_empty() {
            return;
        }
        match self.journal.append(records) {
            Ok(()) => self.broken = false,
            Err(error) if !self.broken => {
                self.broken = true;
                error!(%error, "registrations and calls can't be kept over a restart");
            }
            Err(_) => {}
        }
        for record in records {
            if let LiveRecord::CallClosed(call) = record
                && self.writer.call(call.clone()).is_err()
            {
                self.behind = true;
            }
        }
    }

    /// A row for the Security log.
    pub fn security(&self, at: WallTime, text: String) {
        if self.writer.log(LogKind::Security, at, text).is_err() {
            error!("a row of the Security log was lost: the disk can't keep up");
        }
    }

    /// Waits until the Security log has a new row, or several.
    pub async fn security_row(&self) {
        self.security.notified().await;
    }

    /// Offers again what the writer had no room for. Called now and then.
    pub fn catch_up(&mut self) {
        if !std::mem::take(&mut self.behind) {
            return;
        }
        for call in self.journal.unstored() {
            if self.writer.call(call).is_err() {
                self.behind = true;
                return;
            }
        }
    }

    /// Stores everything; called at the end.
    pub fn finish(mut self) {
        self.catch_up();
        if !self.writer.flush(FLUSH_WITHIN) {
            error!("the last calls could not be stored; they are in the journal");
        }
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn interrupted(call: CallRecord, now: WallTime) -> CallRecord {
    CallRecord {
        ended: now,
        disposition: Disposition::Interrupted,
        cause: Cause::TEMPORARY_FAILURE,
        ended_by: EndedBy::Exchange,
        ..call
    }
}

fn keep_synced(journal: &Journal, stop: Arc<AtomicBool>) -> Result<()> {
    let syncer = journal.syncer();
    std::thread::Builder::new()
        .name("journal-sync".into())
        .spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(SYNC_EVERY);
                if let Err(error) = syncer.sync() {
                    error!(%error, "the journal can't be brought to the disk");
                }
            }
        })
        .context("the journal's thread")?;
    Ok(())
}

//! What must outlive the process: journal before answers, history behind them.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model::{
    Binding, CallId, CallRecord, Cause, Disposition, EndedBy, KeptDialog, OpenCall, UnendedDialog,
    WallTime,
};
use platform::log::Row;
use store::{Journal, LiveRecord, LogKind, Store, Writer};
use tokio::sync::Notify;
use tracing::{debug, error, info, warn};

/// How often what was journalled is brought to the disk: what a power cut may take of the history.
const SYNC_EVERY: Duration = Duration::from_secs(2);

/// So many of these pass until registrations that merely go on are brought there too: half a minute.
/// A card is worn by each, however little it brings.
const REFRESHES_EVERY: u32 = 15;

/// Calls offered to the history again in one go: they are read back on the signalling thread, which
/// takes some milliseconds.
const CATCH_UP: usize = 1000;

/// Parties of calls that began before are not told of the restart: after so long a power cut nobody holds
/// a phone any more, and its address may be another's.
const TOLD_WITHIN: Duration = Duration::from_hours(24);

/// How long the last calls may take to be stored at the end.
/// Clearing calls comes before it, and the supervisor waits for both.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

const UNKEPT: &str = "registrations and calls can't be kept over a restart";

/// Journal and history.
pub struct Live {
    journal: Journal,
    writer: Writer,
    /// The Security log has rows that nobody was told of.
    security: Arc<Notify>,
    /// Calls to offer to the writer: it was full, or the last process didn't get to it. The journal
    /// has them.
    waiting: VecDeque<CallId>,
    /// The journal could not be written; said once.
    broken: bool,
    /// The last row of the Security log was lost; said once.
    rows_lost: bool,
    /// Dialogs of before that the journal has: when their call began, or their process stopped.
    before: BTreeMap<DialogName, WallTime>,
    stop: Arc<AtomicBool>,
    syncing: JoinHandle<()>,
}

/// What tells dialogs apart: Call-ID, and our end with its tag.
type DialogName = (String, String);

fn name(dialog: &KeptDialog) -> DialogName {
    (dialog.call_id.clone(), dialog.local.clone())
}

/// What was there when the process started.
pub struct Before {
    /// Phones that were registered.
    pub bindings: Vec<Binding>,
    /// Dialogs of the calls that were under way, and those that an orderly stop could not end.
    pub dialogs: Vec<KeptDialog>,
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
        let mut broken = false;
        let is_recent = |unended: &UnendedDialog| now.since(unended.stopped) <= TOLD_WITHIN;
        let mut unended = recovered.left;
        let mut interrupted = Vec::with_capacity(recovered.open.len());
        let mut records = Vec::new();
        for OpenCall { record, dialogs } in recovered.open {
            let stopped = record.started;
            let of_call = (dialogs.into_iter())
                .map(|dialog| UnendedDialog { stopped, dialog })
                .filter(is_recent);
            for dialog in of_call {
                // Until its party is told: this process may end before, or not even begin. It is left before
                // its call is closed, for of what is written a power cut may leave the beginning alone.
                records.push(LiveRecord::DialogLeft(dialog.clone()));
                unended.push(dialog);
            }
            let record = self::interrupted(record, now);
            records.push(LiveRecord::CallClosed(record.clone()));
            interrupted.push(record);
        }
        if !interrupted.is_empty() {
            warn!(
                calls = interrupted.len(),
                "calls were cut by the restart of the exchange"
            );
        }
        let left_at = (unended.iter()).map(|unended| (name(&unended.dialog), unended.stopped));
        let left_at = left_at.collect();
        let recent = unended.into_iter().filter(is_recent);
        let dialogs = recent.map(|unended| unended.dialog).collect();
        if !records.is_empty() {
            // Where it stays refused, the next start finds them open and closes them then.
            if let Err(error) = journal.append(&records) {
                broken = true;
                error!(%error, "{UNKEPT}");
            }
        }
        let closed = recovered.closed.iter().chain(&interrupted);
        let waiting = closed.map(|record| record.call).collect();
        let last_stored = store.last_call_id().context("the call history")?;
        let last = last_stored.max(recovered.last_call_id);
        let before = Before {
            bindings: recovered.bindings,
            dialogs,
            next_call: CallId::new(last.map_or(1, |id| id.raw().saturating_add(1))),
        };
        let security = Arc::new(Notify::new());
        let told = Arc::clone(&security);
        let logged = move |_| told.notify_one();
        let writer = Writer::start(store.clone(), journal.stored_calls(), logged)
            .context("the history's thread")?;
        let stop = Arc::new(AtomicBool::new(false));
        let syncing = keep_synced(&journal, stop.clone())?;
        let live = Self {
            journal,
            writer,
            security,
            waiting,
            broken,
            rows_lost: false,
            before: left_at,
            stop,
            syncing,
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
                error!(%error, "{UNKEPT}");
            }
            Err(_) => {}
        }
        for record in records {
            if let LiveRecord::CallClosed(call) = record
                && self.writer.call(call.clone()).is_err()
            {
                self.waiting.push_back(call.call);
            }
        }
    }

    /// Nothing is left to do for the dialogs of before.
    pub fn dialogs_ended(&mut self) {
        if !core::mem::take(&mut self.before).is_empty() {
            self.keep(&[LiveRecord::DialogsTaken]);
        }
    }

    /// Leaves dialogs to the next process: these, and none of before but those that are among them.
    pub fn leave(&mut self, dialogs: Vec<KeptDialog>, now: WallTime) {
        let before = core::mem::take(&mut self.before);
        let taken = (!before.is_empty()).then_some(LiveRecord::DialogsTaken);
        let left = (dialogs.into_iter()).map(|dialog| UnendedDialog {
            // Stopping often makes nobody be told for longer.
            stopped: before.get(&name(&dialog)).copied().unwrap_or(now),
            dialog,
        });
        let left = left.map(LiveRecord::DialogLeft);
        let records: Vec<LiveRecord> = taken.into_iter().chain(left).collect();
        self.keep(&records);
    }

    /// A row for the Security log that stands for so many.
    pub fn security(&mut self, at: WallTime, text: String, times: u32) {
        let lost = self.writer.series(at, text, times).is_err();
        if lost && !self.rows_lost {
            error!("rows of the Security log are lost: the disk can't keep up");
        }
        self.rows_lost = lost;
    }

    /// A row for the Warning or the Error log.
    pub fn row(&self, row: Row) {
        let kind = if row.is_error {
            LogKind::Error
        } else {
            LogKind::Warning
        };
        // Where it can't be kept it is in the output of the process; saying so would make another.
        let _ = self.writer.log(kind, row.at, row.text);
    }

    /// Waits until a log has a new row, or several.
    pub async fn security_row(&self) {
        self.security.notified().await;
    }

    /// Offers again what the writer had no room for, and lets the journal forget what it has stored.
    /// Called now and then.
    pub fn catch_up(&mut self) {
        if let Err(error) = self.journal.append(&[]) {
            // It will be forgotten later: see `keep` for the rest.
            debug!(%error, "the journal can't be written");
        }
        for _ in 0..CATCH_UP {
            let Some(&id) = self.waiting.front() else {
                return;
            };
            // It may be stored by now.
            if let Some(call) = self.journal.unstored_call(id)
                && self.writer.call(call).is_err()
            {
                return;
            }
            self.waiting.pop_front();
        }
    }

    /// Whether all is well with the threads behind it.
    ///
    /// # Errors
    /// Where one has failed.
    pub fn check(&self) -> Result<()> {
        ensure!(self.writer.is_running(), "the history's thread has failed");
        ensure!(
            !self.syncing.is_finished(),
            "the journal's thread has failed"
        );
        Ok(())
    }

    /// Stores everything; called at the end.
    pub fn finish(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let start = Instant::now();
        loop {
            self.catch_up();
            let rest = FLUSH_WITHIN.saturating_sub(start.elapsed());
            if !self.writer.flush(rest) {
                error!("the last calls could not be stored; they are in the journal");
                break;
            }
            if self.waiting.is_empty() {
                break;
            }
        }
        // What was stored is forgotten, the rest is on the disk.
        self.catch_up();
        if let Err(error) = self.journal.syncer().sync() {
            error!(%error, "the journal can't be brought to the disk");
        }
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

fn keep_synced(journal: &Journal, stop: Arc<AtomicBool>) -> Result<JoinHandle<()>> {
    let syncer = journal.syncer();
    std::thread::Builder::new()
        .name("journal-sync".into())
        .spawn(move || {
            let mut turn = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(SYNC_EVERY);
                turn = turn.wrapping_add(1);
                let synced = if turn.is_multiple_of(REFRESHES_EVERY) {
                    syncer.sync()
                } else {
                    syncer.sync_what_is_new()
                };
                if let Err(error) = synced {
                    error!(%error, "the journal can't be brought to the disk");
                }
            }
        })
        .context("the journal's thread")
}

#[cfg(test)]
mod tests {
    use model::Party;

    use super::*;

    /// More than the writer's queue has room for.
    const MANY: u64 = 6000;

    fn now() -> WallTime {
        WallTime::from_unix_seconds(1_800_000_000)
    }

    fn call(id: u64) -> CallRecord {
        CallRecord {
            call: CallId::new(id),
            caller: Party {
                number: "100".into(),
                name: None,
                extension: None,
            },
            dialled: "200".into(),
            called: None,
            started: now(),
            answered: None,
            ended: now(),
            disposition: Disposition::Cancelled,
            cause: Cause::NORMAL_CALL_CLEARING,
            ended_by: EndedBy::Caller,
            shown_outside: None,
            forwarded_from: None,
            brake: None,
            administrator: None,
            transferred_from: None,
            legs: Vec::new(),
        }
    }

    /// A folder whose last process closed some calls and left others open, and stored none.
    fn left_behind(closed: u64, open: u64) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(dir.path(), now()).expect("a journal");
        let records: Vec<LiveRecord> = (1..=closed)
            .map(|id| LiveRecord::CallClosed(call(id)))
            .chain((closed + 1..=closed + open).map(|id| LiveRecord::CallOpened(call(id).into())))
            .collect();
        journal.append(&records).expect("appended");
        dir
    }

    fn dialog(call_id: &str) -> KeptDialog {
        KeptDialog {
            extension: None,
            instance: None,
            flow: model::Flow {
                transport: model::Transport::Udp,
                local: ([10, 0, 0, 1], 5060).into(),
                remote: ([10, 0, 0, 2], 5060).into(),
            },
            call_id: call_id.into(),
            local: "<sip:100@10.0.0.1>;tag=1".into(),
            remote: "<sip:101@10.0.0.2>;tag=2".into(),
            target: "sip:101@10.0.0.2".into(),
            routes: Vec::new(),
            seq: 1,
        }
    }

    #[test]
    fn parties_of_a_call_of_long_ago_are_not_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let opened = |id: u64, dialogs: &[KeptDialog]| {
            LiveRecord::CallOpened(OpenCall {
                record: call(id),
                dialogs: dialogs.to_vec(),
            })
        };
        let (one, other) = (dialog("one"), dialog("other"));
        let open = |later: Duration| {
            let (mut journal, _) = Journal::open(dir.path(), now()).expect("a journal");
            let records = [opened(1, &[]), opened(1, &[one.clone(), other.clone()])];
            journal.append(&records).expect("appended");
            drop(journal);
            let store = Store::open(dir.path()).expect("a store");
            let (mut live, before) = Live::open(dir.path(), &store, now() + later).expect("opened");
            live.dialogs_ended();
            live.finish();
            before.dialogs
        };
        let day = Duration::from_hours(24);
        assert_eq!(open(day), [one.clone(), other.clone()]);
        assert_eq!(open(day + Duration::from_secs(1)), []);
    }

    #[test]
    fn what_a_stop_could_not_end_is_left_to_one_next_process() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let open = |later: Duration| {
            let (live, before) = Live::open(dir.path(), &store, now() + later).expect("opened");
            (live, before.dialogs)
        };
        let day = Duration::from_hours(24);
        for (later, told) in [(day, 2), (day + Duration::from_secs(1), 0)] {
            let (mut live, none) = open(Duration::ZERO);
            assert_eq!(none, []);
            let left = vec![dialog("one"), dialog("other")];
            live.leave(left.clone(), now());
            live.finish();
            let (mut live, dialogs) = open(later);
            assert_eq!(dialogs, left[..told]);
            live.dialogs_ended();
            live.finish();
        }
        assert_eq!(open(Duration::ZERO).1, [], "they were taken");
    }

    #[test]
    fn dialogs_are_taken_again_until_their_parties_were_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(dir.path(), now()).expect("a journal");
        let (one, other) = (dialog("one"), dialog("other"));
        let opened = OpenCall {
            record: call(1),
            dialogs: vec![one.clone()],
        };
        let left = UnendedDialog {
            stopped: now(),
            dialog: other.clone(),
        };
        let records = [LiveRecord::CallOpened(opened), LiveRecord::DialogLeft(left)];
        journal.append(&records).expect("appended");
        drop(journal);
        let store = Store::open(dir.path()).expect("a store");
        let open = |later: Duration| {
            let (live, before) = Live::open(dir.path(), &store, now() + later).expect("opened");
            (live, before.dialogs)
        };
        let all = [other.clone(), one];
        // It ends before it is at work, each time.
        for _ in 0..3 {
            let (live, dialogs) = open(Duration::ZERO);
            assert_eq!(dialogs, all);
            live.finish();
        }
        // An orderly stop leaves those that were not told, and no others.
        let (mut live, _) = open(Duration::ZERO);
        live.leave(vec![other.clone()], now());
        live.finish();
        let (live, dialogs) = open(Duration::ZERO);
        assert_eq!(dialogs, std::slice::from_ref(&other));
        live.finish();
        // However often: not after a day.
        let (mut live, dialogs) = open(Duration::from_hours(20));
        assert_eq!(dialogs, [other]);
        live.leave(dialogs, now() + Duration::from_hours(20));
        live.finish();
        let (mut live, dialogs) = open(Duration::from_hours(24) + Duration::from_secs(1));
        assert_eq!(dialogs, []);
        live.dialogs_ended();
        live.finish();
        let (live, dialogs) = open(Duration::ZERO);
        assert_eq!(dialogs, []);
        live.finish();
    }

    #[test]
    fn wherever_a_power_cut_stops_a_start_no_dialog_is_lost() {
        let dir = tempfile::tempdir().expect("a folder");
        let all: Vec<KeptDialog> = ["left", "one", "other", "third"].map(dialog).into();
        let opened = |id, dialogs: &[KeptDialog]| {
            LiveRecord::CallOpened(OpenCall {
                record: call(id),
                dialogs: dialogs.to_vec(),
            })
        };
        let left = |dialog: &KeptDialog, stopped| {
            LiveRecord::DialogLeft(UnendedDialog {
                stopped,
                dialog: dialog.clone(),
            })
        };
        let long_ago = WallTime::from_unix_seconds(1_700_000_000);
        let (mut journal, _) = Journal::open(dir.path(), now()).expect("a journal");
        let records = [
            left(&dialog("of long ago"), long_ago),
            left(&all[0], now()),
            opened(1, &all[1..3]),
            opened(2, &all[3..]),
        ];
        journal.append(&records).expect("appended");
        drop(journal);
        let log = |dir: &Path| dir.join("live/0000000000000000.log");
        let before = std::fs::read(log(dir.path())).expect("a log");
        let store = Store::open(dir.path()).expect("a store");
        let (live, found) = Live::open(dir.path(), &store, now()).expect("opened");
        assert_eq!(found.dialogs, all);
        let after = std::fs::read(log(dir.path())).expect("a log");
        live.finish();
        assert!(after.len() > before.len() && after.starts_with(&before));
        for length in before.len()..=after.len() {
            let torn = tempfile::tempdir().expect("a folder");
            std::fs::create_dir(torn.path().join("live")).expect("a folder");
            std::fs::write(log(torn.path()), &after[..length]).expect("written");
            let (_journal, found) = Journal::open(torn.path(), now()).expect("a journal");
            let open = found.open.iter().flat_map(|call| &call.dialogs);
            let kept: Vec<_> = (found.left.iter().map(|left| &left.dialog))
                .chain(open)
                .collect();
            assert!(all.iter().all(|dialog| kept.contains(&dialog)), "{length}");
        }
    }

    fn stored(store: &Store) -> u64 {
        store
            .history_count(&store::HistoryFilter::default())
            .expect("counted")
    }

    #[test]
    fn any_number_of_calls_is_caught_up_without_a_call_coming_in() {
        let dir = left_behind(MANY, 10);
        let store = Store::open(dir.path()).expect("a store");
        let (mut live, before) = Live::open(dir.path(), &store, now()).expect("opened");
        assert_eq!(before.next_call, CallId::new(MANY + 11));
        let mut turns = 0;
        while !live.waiting.is_empty() {
            live.catch_up();
            // As if a second had gone by.
            assert!(live.writer.flush(Duration::from_secs(60)));
            turns += 1;
        }
        assert_eq!(stored(&store), MANY + 10);
        assert_eq!(turns, (MANY + 10).div_ceil(CATCH_UP as u64));
        live.catch_up();
        assert_eq!(live.journal.unstored(), []);
        live.check().expect("all threads run");
    }

    const FULL: &str = "PBXD_TEST_FULL_DISK";

    /// Not a test of its own: starts in a folder where no file can grow, for the test below.
    #[test]
    fn child() {
        let Some(data) = std::env::var_os(FULL) else {
            return;
        };
        let data = Path::new(&data);
        let store = Store::open(data).expect("a store");
        let (mut live, before) = Live::open(data, &store, now()).expect("it starts");
        assert!(live.broken);
        assert_eq!(before.next_call, CallId::new(MANY + 11));
        // What was cut comes to the history from here.
        assert_eq!(live.waiting.len(), MANY as usize + 10);
        assert!(live.journal.unstored_call(CallId::new(MANY + 10)).is_some());
        live.keep(&[LiveRecord::CallClosed(call(MANY + 11))]);
    }

    #[test]
    fn a_full_disk_keeps_no_exchange_from_starting() {
        let dir = left_behind(MANY, 10);
        drop(Store::open(dir.path()).expect("a store"));
        let status = std::process::Command::new("sh")
            .args(["-c", r#"trap '' XFSZ; ulimit -f 512; exec "$0" "$@""#])
            .arg(std::env::current_exe().expect("this program"))
            .args(["--exact", "live::tests::child"])
            .env(FULL, dir.path())
            .status()
            .expect("it starts");
        assert!(status.success());
        let (_journal, found) = Journal::open(dir.path(), now()).expect("a journal");
        assert_eq!(found.open.len(), 10, "the next start closes them");
    }

    #[test]
    fn a_stop_stores_all_and_leaves_a_journal_that_knows_it() {
        let dir = left_behind(MANY, 10);
        let store = Store::open(dir.path()).expect("a store");
        let (mut live, _) = Live::open(dir.path(), &store, now()).expect("opened");
        live.keep(&[LiveRecord::CallClosed(call(MANY + 11))]);
        live.finish();
        assert_eq!(stored(&store), MANY + 11);
        let (_journal, found) = Journal::open(dir.path(), now()).expect("a journal");
        assert_eq!((found.closed, found.open), (Vec::new(), Vec::new()));
    }
}

//! What the writer's thread stores, and whom it tells.

use model::{CallId, Cause, Disposition, EndedBy, Party};

use super::*;
use crate::{HistoryFilter, Journal, LiveRecord, LogQuery};

const LONG: Duration = Duration::from_secs(60);

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
        dialled: id.to_string(),
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

fn count(store: &Store) -> u64 {
    store.history_count(&HistoryFilter::default()).unwrap()
}

#[test]
fn calls_go_from_the_journal_to_the_history() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    let writer = Writer::start(store.clone(), journal.stored_calls(), |_| ()).unwrap();
    for id in 1..=1000 {
        journal.append(&[LiveRecord::CallClosed(call(id))]).unwrap();
        writer.call(call(id)).unwrap();
    }
    writer.log(LogKind::Warning, now(), "a row").unwrap();
    assert!(writer.flush(LONG));
    assert_eq!(count(&store), 1000);
    let rows = store
        .log_query(LogKind::Warning, &LogQuery::default())
        .unwrap();
    assert_eq!(rows.len(), 1);
    journal.append(&[]).unwrap();
    assert_eq!(journal.unstored(), []);
}

#[test]
fn many_calls_do_not_wait_for_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    let writer = Writer::start(store, journal.stored_calls(), |_| ()).unwrap();
    for id in 1..=SYNC_AT as u64 {
        journal.append(&[LiveRecord::CallClosed(call(id))]).unwrap();
        writer.call(call(id)).unwrap();
    }
    // Nobody asks for it, and nothing comes after them.
    let begun = Instant::now();
    while !journal.unstored().is_empty() {
        assert!(begun.elapsed() < SYNC_WITHIN, "they wait");
        thread::sleep(Duration::from_millis(10));
        journal.append(&[]).unwrap();
    }
}

#[test]
fn what_is_queued_is_stored_when_it_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let writer = Writer::start(store.clone(), StoredCalls::default(), |_| ()).unwrap();
    for id in 1..=500 {
        writer.call(call(id)).unwrap();
    }
    drop(writer);
    assert_eq!(count(&store), 500);
}

#[test]
fn a_call_that_is_refused_keeps_no_other_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store
        .inner
        .history
        .write(|tx| {
            tx.execute_batch(
                "CREATE TRIGGER bad BEFORE INSERT ON calls WHEN new.dialled = '13'
                 BEGIN SELECT raise(ABORT, 'bad'); END",
            )
        })
        .unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    let all: Vec<LiveRecord> = (1..=20)
        .map(|id| LiveRecord::CallClosed(call(id)))
        .collect();
    journal.append(&all).unwrap();
    let writer = Writer::start(store.clone(), journal.stored_calls(), |_| ()).unwrap();
    for record in journal.unstored() {
        writer.call(record).unwrap();
    }
    assert!(writer.flush(LONG));
    assert_eq!(count(&store), 19);
}

#[test]
fn a_thread_that_died_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let writer = Writer::start(store, StoredCalls::default(), |_| ()).unwrap();
    assert!(writer.is_running());
    writer.offer(Message::Panic).unwrap();
    while writer.is_running() {
        std::thread::yield_now();
    }
    assert!(!writer.flush(Duration::ZERO));
}

#[test]
fn a_history_that_breaks_is_replaced_and_the_call_is_in_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let webd = Store::open(dir.path()).unwrap();
    store.history_append(&[call(1)]).unwrap();
    assert_eq!(count(&webd), 1);
    let path = dir.path().join("history.db");
    store.inner.history.fold();
    let length = std::fs::metadata(&path).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let garbage = vec![0x55; usize::try_from(length).unwrap() - 4096];
    std::os::unix::fs::FileExt::write_all_at(&file, &garbage, 4096).unwrap();
    let writer = Writer::start(store.clone(), StoredCalls::default(), |_| ()).unwrap();
    writer.call(call(2)).unwrap();
    assert!(writer.flush(LONG));
    assert_eq!((count(&store), count(&webd)), (1, 1));
    assert!(store.history_call(CallId::new(2)).unwrap().is_some());
}

#[test]
fn a_disk_that_fails_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    // Without room for another page, as on a full disk.
    let pages = |limit: i64| {
        store
            .inner
            .history
            .write(|tx| tx.pragma_update_and_check(None, "max_page_count", limit, |_| Ok(())))
            .unwrap();
    };
    pages(1);
    let writer = Writer::start(store.clone(), StoredCalls::default(), |_| ()).unwrap();
    let mut queued = 0;
    while writer.call(call(queued + 1)).is_ok() {
        queued += 1;
    }
    assert!(queued >= QUEUE as u64, "a queue full and a batch in work");
    assert!(!writer.flush(Duration::from_millis(100)));
    pages(1 << 30);
    assert!(writer.flush(LONG));
    assert_eq!(count(&store), queued);
}

/// Counts warnings, of whatever thread has it as its own.
struct Warnings(Arc<std::sync::atomic::AtomicU32>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn lost_rows_are_told_once_until_one_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let sql = |text: &str| store.inner.history.write(|tx| tx.execute_batch(text));
    let (_queue, receiver) = sync_channel(1);
    let worker = Worker {
        store: store.clone(),
        stored: StoredCalls::default(),
        logged: |_| (),
        receiver,
        shared: Arc::default(),
        committed: Committed::default(),
        unsynced: false,
        lost_rows: Cell::default(),
    };
    let said = Arc::default();
    tracing::subscriber::with_default(Warnings(Arc::clone(&said)), || {
        for spell in 1..=2 {
            sql("ALTER TABLE error_log RENAME TO away").unwrap();
            for _ in 0..5 {
                worker.store_row(LogKind::Error, now(), "a row");
            }
            assert_eq!(said.load(Ordering::Relaxed), spell);
            sql("ALTER TABLE away RENAME TO error_log").unwrap();
            worker.store_row(LogKind::Error, now(), "a row");
            assert_eq!(worker.lost_rows.get(), 0);
        }
    });
}

#[test]
fn a_row_is_told_once_it_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (sender, told) = std::sync::mpsc::channel();
    let reader = store.clone();
    let logged = move |kind| {
        let rows = reader.log_query(kind, &LogQuery::default()).unwrap();
        sender.send((kind, rows.len())).unwrap();
    };
    let writer = Writer::start(store, StoredCalls::default(), logged).unwrap();
    for _ in 0..3 {
        writer.log(LogKind::Security, now(), "a row").unwrap();
    }
    assert!(writer.flush(LONG));
    let told: Vec<_> = told.try_iter().collect();
    assert_eq!(told, [1, 2, 3].map(|rows| (LogKind::Security, rows)));
}

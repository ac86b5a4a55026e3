//! What the journal keeps over a kill, wherever it strikes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use model::{Cause, Disposition, EndedBy, Flow, KeptDialog, Party, Transport};
use proptest::prelude::*;

use super::*;

/// Long after every test's last moment.
const LATER: i64 = 10_000;

fn at(s: i64) -> WallTime {
    WallTime::from_unix_seconds(s)
}

fn binding(extension: u32, contact: u32, cseq: u32) -> Binding {
    Binding {
        extension: ExtensionId::new(extension),
        contact: format!("sip:{extension}@10.0.0.{contact}:5060;ob"),
        instance: Some("<urn:uuid:00000000-0000-1000-8000-000A95A0E128>".into()),
        reg_id: None,
        path: Vec::new(),
        flow: Flow {
            transport: Transport::Udp,
            local: "10.0.0.1:5060".parse().unwrap(),
            remote: "10.0.0.7:49152".parse().unwrap(),
        },
        call_id: "a84b4c76e66710".into(),
        cseq,
        user_agent: Some("Phone \u{17e}lu\u{165}ou\u{10d}k\u{fd} \"1\"\r\n".into()),
        expires: at(LATER),
    }
}

fn call(id: u64) -> CallRecord {
    CallRecord {
        call: CallId::new(id),
        caller: Party {
            number: "100".into(),
            name: Some("Jana".into()),
            extension: Some(ExtensionId::new(1)),
        },
        dialled: "200".into(),
        called: None,
        started: at(1),
        answered: None,
        ended: at(2),
        disposition: Disposition::NoAnswer,
        cause: Cause::NO_ANSWER,
        ended_by: EndedBy::Exchange,
        shown_outside: None,
        forwarded_from: None,
        brake: None,
        administrator: None,
        transferred_from: None,
        legs: Vec::new(),
    }
}

fn dialog(id: u64, side: u16) -> KeptDialog {
    KeptDialog {
        extension: (side == 1).then(|| ExtensionId::new(1)),
        instance: None,
        flow: Flow {
            transport: Transport::Udp,
            local: "10.0.0.1:5060".parse().unwrap(),
            remote: ([10, 0, 0, 7], 5060 + side).into(),
        },
        call_id: format!("{id}.{side}"),
        local: "\"Jana\" <sip:100@10.0.0.1:5060>;tag=7f3a.1".into(),
        remote: "\"\u{17e}lu\u{165}ou\u{10d}k\u{fd}\" <sip:101@10.0.0.1>;tag=a6c8".into(),
        target: "sip:101@10.0.0.7:49152;ob".into(),
        routes: (0..side)
            .map(|hop| format!("sip:10.0.0.{hop};lr"))
            .collect(),
        seq: 1,
    }
}

/// Of every second call both parties have answered.
fn open_call(id: u64) -> OpenCall {
    let dialogs = if id.is_multiple_of(2) {
        vec![dialog(id, 0), dialog(id, 1)]
    } else {
        Vec::new()
    };
    OpenCall {
        record: call(id),
        dialogs,
    }
}

fn left(id: u64) -> LiveRecord {
    LiveRecord::DialogLeft(UnendedDialog {
        stopped: at(3),
        dialog: dialog(id, 1),
    })
}

fn gone(extension: u32, contact: u32) -> LiveRecord {
    let Binding {
        extension, contact, ..
    } = binding(extension, contact, 0);
    LiveRecord::BindingRemove { extension, contact }
}

fn open(dir: &Path, limit: u64) -> (Journal, Recovered) {
    Journal::open_with(dir, at(0), limit).unwrap()
}

fn copy(from: &Path, to: &Path, keep: impl Fn(&str) -> bool) {
    fs::create_dir_all(to.join("live")).unwrap();
    for entry in fs::read_dir(from.join("live")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name != "lock" && keep(&name) {
            fs::copy(entry.path(), to.join("live").join(name)).unwrap();
        }
    }
}

/// What a journal should say, kept the simple way.
#[derive(Clone, Debug, Default, PartialEq)]
struct Expected {
    bindings: BTreeMap<(u32, String), Binding>,
    open: BTreeMap<u64, OpenCall>,
    closed: BTreeMap<u64, CallRecord>,
    left: Vec<UnendedDialog>,
    last: Option<CallId>,
}

impl Expected {
    fn apply(&mut self, record: &LiveRecord) {
        match record.clone() {
            LiveRecord::BindingPut(binding) => {
                let key = (binding.extension.raw(), binding.contact.clone());
                self.bindings.insert(key, binding);
            }
            LiveRecord::BindingRemove { extension, contact } => {
                self.bindings.remove(&(extension.raw(), contact));
            }
            LiveRecord::CallOpened(call) => {
                let id = call.record.call;
                self.last = self.last.max(Some(id));
                self.open.insert(id.raw(), call);
            }
            LiveRecord::CallClosed(call) => {
                self.last = self.last.max(Some(call.call));
                self.open.remove(&call.call.raw());
                self.closed.insert(call.call.raw(), call);
            }
            LiveRecord::DialogLeft(dialog) => self.left.push(dialog),
            LiveRecord::DialogsTaken => self.left.clear(),
        }
    }

    fn of(records: &[LiveRecord]) -> Self {
        let mut expected = Self::default();
        records.iter().for_each(|record| expected.apply(record));
        expected
    }

    fn check(&self, found: &Recovered) {
        assert_eq!(
            found.bindings,
            self.bindings.values().cloned().collect::<Vec<_>>()
        );
        assert_eq!(found.open, self.open.values().cloned().collect::<Vec<_>>());
        assert_eq!(
            found.closed,
            self.closed.values().cloned().collect::<Vec<_>>()
        );
        assert_eq!(found.left, self.left);
        assert_eq!(found.last_call_id, self.last);
        assert_eq!(found.unknown_records, 0);
    }
}

fn some_of_each() -> Vec<LiveRecord> {
    vec![
        LiveRecord::BindingPut(binding(1, 1, 1)),
        LiveRecord::CallOpened(open_call(1)),
        LiveRecord::BindingPut(binding(2, 1, 1)),
        LiveRecord::BindingPut(binding(1, 1, 2)),
        LiveRecord::CallClosed(call(1)),
        LiveRecord::CallOpened(open_call(2)),
        left(3),
        LiveRecord::DialogsTaken,
        left(4),
        left(5),
        gone(2, 1),
    ]
}

#[test]
fn what_was_appended_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, found) = open(dir.path(), LOG_BYTES);
    assert_eq!(found, Recovered::default());
    journal.append(&some_of_each()).unwrap();
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path(), |_| true);
    let (_journal, found) = open(killed.path(), LOG_BYTES);
    Expected::of(&some_of_each()).check(&found);
    assert_eq!(found.torn_bytes, 0);
}

#[test]
fn one_process_has_it_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path(), LOG_BYTES);
    assert!(matches!(
        Journal::open(dir.path(), at(0)),
        Err(JournalError::InUse(_))
    ));
    drop(journal);
    Journal::open(dir.path(), at(0)).unwrap();
}

#[test]
fn a_registration_that_is_over_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut short = binding(1, 1, 1);
    short.expires = at(100);
    let (mut journal, _) = open(dir.path(), LOG_BYTES);
    let records = [short, binding(2, 1, 1)].map(LiveRecord::BindingPut);
    journal.append(&records).unwrap();
    drop(journal);
    let (_journal, found) = Journal::open(dir.path(), at(100)).unwrap();
    assert_eq!(found.bindings, [binding(2, 1, 1)]);
}

#[test]
fn a_torn_end_is_cut_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), LOG_BYTES);
    let log = dir.path().join("live/0000000000000000.log");
    let records = some_of_each();
    // The length of the file after each record, and before the first.
    let mut ends = vec![fs::metadata(&log).unwrap().len()];
    for record in &records {
        journal.append(std::slice::from_ref(record)).unwrap();
        ends.push(fs::metadata(&log).unwrap().len());
    }
    drop(journal);
    let bytes = fs::read(&log).unwrap();
    for length in 0..=bytes.len() {
        let torn = tempfile::tempdir().unwrap();
        let log = torn.path().join("live/0000000000000000.log");
        fs::create_dir(torn.path().join("live")).unwrap();
        fs::write(&log, &bytes[..length]).unwrap();
        let whole = ends[1..]
            .iter()
            .filter(|end| **end <= length as u64)
            .count();
        let mut expected = Expected::of(&records[..whole]);
        let (mut journal, found) = open(torn.path(), LOG_BYTES);
        expected.check(&found);
        let kept = if (length as u64) < ends[0] {
            0
        } else {
            ends[whole]
        };
        assert_eq!(found.torn_bytes, length as u64 - kept);
        // And it goes on from there.
        let next = LiveRecord::CallOpened(open_call(9));
        journal.append(std::slice::from_ref(&next)).unwrap();
        expected.apply(&next);
        drop(journal);
        let (_journal, found) = open(torn.path(), LOG_BYTES);
        expected.check(&found);
        assert_eq!(found.torn_bytes, 0);
    }
}

#[test]
fn calls_the_history_has_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), LOG_BYTES);
    let records = [call(1), call(2), call(3)].map(LiveRecord::CallClosed);
    journal.append(&records).unwrap();
    journal.stored_calls().add([CallId::new(1), CallId::new(3)]);
    journal.append(&[]).unwrap();
    assert_eq!(journal.unstored(), [call(2)]);
    drop(journal);
    let (_journal, found) = open(dir.path(), LOG_BYTES);
    assert_eq!(found.closed, [call(2)]);
    assert_eq!(found.last_call_id, Some(CallId::new(3)));
}

#[test]
fn it_stays_small_however_much_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), 20_000);
    let stored = journal.stored_calls();
    let mut records = Vec::new();
    for n in 0..2000_u32 {
        let batch = [
            LiveRecord::BindingPut(binding(n % 10, 1, n)),
            LiveRecord::CallOpened(open_call(u64::from(n))),
            LiveRecord::CallClosed(call(u64::from(n))),
        ];
        journal.append(&batch).unwrap();
        stored.add([CallId::new(u64::from(n))]);
        records.extend(batch);
        // However slow the machine is, the thread that writes snapshots gets its turns.
        if n % 100 == 0
            && let Some(thread) = journal.snapshot.take()
        {
            thread.join().unwrap();
        }
    }
    journal.append(&[]).unwrap();
    drop(journal);
    let files = fs::read_dir(dir.path().join("live")).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes < 500_000, "{bytes}");
    let mut expected = Expected::of(&records);
    expected.closed.clear();
    expected.check(&open(dir.path(), 20_000).1);
}

#[test]
fn the_files_tell_the_same_at_every_step_of_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut records = some_of_each();
    let (mut journal, _) = open(dir.path(), 1);
    for record in &records {
        journal.append(std::slice::from_ref(record)).unwrap();
        // One snapshot each time.
        if let Some(thread) = journal.snapshot.take() {
            thread.join().unwrap();
        }
    }
    copy(dir.path(), before.path(), |_| true);
    let last = LiveRecord::CallOpened(open_call(7));
    journal.append(std::slice::from_ref(&last)).unwrap();
    records.push(last);
    drop(journal);
    copy(dir.path(), after.path(), |_| true);
    let expected = Expected::of(&records);
    let check = |build: &dyn Fn(&Path)| {
        let mixed = tempfile::tempdir().unwrap();
        build(mixed.path());
        expected.check(&open(mixed.path(), LOG_BYTES).1);
        // And once more, after whatever that cleaned up.
        expected.check(&open(mixed.path(), LOG_BYTES).1);
    };
    let is_log = |name: &str| name.ends_with(".log");
    // Appended to the new log, and no snapshot yet.
    check(&|mixed| {
        copy(before.path(), mixed, |_| true);
        copy(after.path(), mixed, is_log);
    });
    // A part of it.
    check(&|mixed| {
        copy(before.path(), mixed, |_| true);
        copy(after.path(), mixed, is_log);
        fs::write(mixed.join("live/0000000000000007.tmp"), b"OBLIVE1\nxxxx").unwrap();
    });
    // It has its name, and nothing was removed.
    check(&|mixed| {
        copy(before.path(), mixed, |_| true);
        copy(after.path(), mixed, |_| true);
    });
    // All is done.
    check(&|mixed| copy(after.path(), mixed, |_| true));
    // A power cut left it damaged, while the older ones are there.
    check(&|mixed| {
        copy(before.path(), mixed, |_| true);
        copy(after.path(), mixed, is_log);
        let newest = fs::read_dir(after.path().join("live")).unwrap();
        let newest = newest
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|ext| ext == "snapshot"))
            .unwrap();
        let bytes = fs::read(&newest).unwrap();
        let name = mixed.join("live").join(newest.file_name().unwrap());
        fs::write(name, &bytes[..bytes.len() - 3]).unwrap();
    });
}

#[test]
fn newer_files_are_set_aside_and_records_not_understood_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), LOG_BYTES);
    journal.append(&some_of_each()).unwrap();
    drop(journal);
    let log = dir.path().join("live/0000000000000000.log");
    let mut bytes = fs::read(&log).unwrap();
    let payload = b"?{}";
    let length = (payload.len() as u32).to_le_bytes();
    // The CRC of the length and these three bytes.
    let mut frame = Vec::new();
    frame.extend(length);
    frame.extend(frame::tests::crc_of(&length, payload));
    frame.extend(payload);
    bytes.extend(frame);
    fs::write(&log, &bytes).unwrap();
    let (journal, found) = open(dir.path(), LOG_BYTES);
    assert_eq!((found.unknown_records, found.torn_bytes), (1, 0));
    assert_eq!(found.open, [open_call(2)]);
    drop(journal);
    bytes[6] = b'2';
    fs::write(&log, &bytes).unwrap();
    let (journal, found) = open(dir.path(), LOG_BYTES);
    assert_eq!(found.open, []);
    drop(journal);
    let aside = dir.path().join("live/0000000000000000.log.newer");
    assert_eq!(fs::read(aside).unwrap(), bytes);
}

#[test]
fn a_file_that_can_not_be_read_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), LOG_BYTES);
    journal.append(&some_of_each()).unwrap();
    drop(journal);
    for _ in 0..2 {
        // A folder in its place can't be read either.
        let broken = dir.path().join("live/0000000000000001.log");
        fs::create_dir(&broken).unwrap();
        let (mut journal, found) = open(dir.path(), LOG_BYTES);
        Expected::of(&some_of_each()).check(&found);
        journal.append(&some_of_each()).unwrap();
        drop(journal);
        Expected::of(&some_of_each()).check(&open(dir.path(), LOG_BYTES).1);
        fs::remove_file(&broken).unwrap();
    }
}

#[test]
fn what_the_disk_refused_for_a_while_is_made_good() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), LOG_BYTES);
    let mut records = some_of_each();
    journal.append(&records).unwrap();
    // A file that takes nothing.
    let log = dir.path().join("live/0000000000000000.log");
    let good = std::mem::replace(&mut journal.file, Arc::new(File::open(log).unwrap()));
    let refused = [
        gone(1, 1),
        LiveRecord::BindingPut(binding(3, 1, 1)),
        LiveRecord::CallClosed(call(2)),
        LiveRecord::CallOpened(open_call(3)),
    ];
    assert!(journal.append(&refused).is_err());
    records.extend(refused);
    assert_eq!(journal.unstored(), [call(1), call(2)]);
    for _ in 0..10 {
        journal.append(&[]).unwrap();
        assert!(journal.snapshot.is_none());
    }
    journal.file = good;
    let after = [LiveRecord::CallOpened(open_call(4))];
    journal.append(&after).unwrap();
    records.extend(after);
    for _ in 0..=PATIENCE {
        journal.append(&[]).unwrap();
    }
    drop(journal);
    Expected::of(&records).check(&open(dir.path(), LOG_BYTES).1);
}

#[test]
fn files_of_other_names_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    fs::create_dir(&live).unwrap();
    for name in ["2.log", "+000000000000003.snapshot", "old.log"] {
        fs::write(live.join(name), b"OBLIVE1\n").unwrap();
    }
    let (mut journal, recovered) = open(dir.path(), u64::MAX);
    assert_eq!(recovered, Recovered::default());
    journal.append(&some_of_each()).unwrap();
    assert!(live.join("2.log").exists());
}

#[test]
fn a_record_without_end_is_refused_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), LOG_BYTES);
    let mut long = call(5);
    long.dialled = "1".repeat(2 * 1024 * 1024);
    let batch = [
        LiveRecord::CallOpened(open_call(4)),
        LiveRecord::CallOpened(long.into()),
    ];
    assert!(journal.append(&batch).is_err());
    journal.append(&some_of_each()).unwrap();
    drop(journal);
    Expected::of(&some_of_each()).check(&open(dir.path(), LOG_BYTES).1);
}

#[test]
fn it_can_be_synced_while_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), 5_000);
    let syncer = journal.syncer();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..300 {
                journal
                    .append(&[LiveRecord::BindingPut(binding(1, 1, n))])
                    .unwrap();
            }
        });
        for _ in 0..20 {
            syncer.sync().unwrap();
        }
    });
    syncer.sync().unwrap();
    assert_eq!(lock(&syncer.files).len(), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<LiveRecord>),
    Stored(BTreeSet<u64>),
    /// Kill and open again, after so many bytes of a torn record.
    Kill(Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let record = prop_oneof![
        4 => (0..6_u32, 0..3_u32, any::<u32>()).prop_map(|(e, c, s)| LiveRecord::BindingPut(binding(e, c, s))),
        2 => (0..6_u32, 0..3_u32).prop_map(|(e, c)| gone(e, c)),
        2 => (0..12_u64).prop_map(|id| LiveRecord::CallOpened(open_call(id))),
        2 => (0..12_u64).prop_map(|id| LiveRecord::CallClosed(call(id))),
        1 => (0..12_u64).prop_map(left),
        1 => Just(LiveRecord::DialogsTaken),
    ];
    let step = prop_oneof![
        6 => prop::collection::vec(record, 0..5).prop_map(Step::Append),
        2 => prop::collection::btree_set(0..12_u64, 0..4).prop_map(Step::Stored),
        2 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Step::Kill),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_says_what_a_simple_list_says(steps in steps(), limit in 500..6000_u64) {
        let dir = tempfile::tempdir().unwrap();
        let mut expected = Expected::default();
        let (mut journal, _) = open(dir.path(), limit);
        for step in steps {
            match step {
                Step::Append(records) => {
                    journal.append(&records).unwrap();
                    records.iter().for_each(|record| expected.apply(record));
                }
                Step::Stored(ids) => {
                    journal.stored_calls().add(ids.iter().copied().map(CallId::new));
                    journal.append(&[]).unwrap();
                    expected.closed.retain(|id, _| !ids.contains(id));
                }
                Step::Kill(torn) => {
                    (&*journal.file).write_all(&torn).unwrap();
                    drop(journal);
                    let (again, found) = open(dir.path(), limit);
                    expected.check(&found);
                    prop_assert_eq!(found.torn_bytes, torn.len() as u64);
                    journal = again;
                }
            }
            prop_assert_eq!(journal.unstored(), expected.closed.values().cloned().collect::<Vec<_>>());
        }
        drop(journal);
        expected.check(&open(dir.path(), limit).1);
    }
}

//! A disk without room: errors, no panic, and nothing promised is lost.
//!
//! A limit on the size of files stands in for the disk: a write that meets it is cut short and then
//! fails, as on a full disk.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use store::{Blame, HistoryFilter, Journal, LiveRecord, Store, StoreError};

use crate::{Victim, calls, check_databases, now, say};

pub(crate) fn run(dir: &Path) {
    let (mut journal, _) = Journal::open_with(dir, now(), u64::MAX).unwrap();
    let mut refused = 0;
    for id in 1..=10_000 {
        say(&format!("TRY journal {id}"));
        match journal.append(&[LiveRecord::CallClosed(calls::call(id))]) {
            Ok(()) => say("ACK"),
            Err(_) => refused += 1,
        }
        if refused == 20 {
            break;
        }
    }
    assert_eq!(refused, 20);
    let store = Store::open(dir).unwrap();
    for id in 1..=10_000 {
        say(&format!("TRY history {id}"));
        match store.history_append(&[calls::call(id)]) {
            Ok(_) => say("ACK"),
            Err(error) => {
                assert_eq!(error.blame(), Blame::Machine, "{error}");
                refused += 1;
            }
        }
        if refused == 40 {
            return;
        }
    }
    panic!("it never was full");
}

pub(crate) fn start_without_room(dir: &Path) {
    let (mut journal, _) = Journal::open(dir, now()).unwrap();
    journal
        .append(&[LiveRecord::CallClosed(calls::call(1))])
        .unwrap_err();
    assert_eq!(journal.unstored(), [calls::call(1)]);
}

#[test]
fn a_journal_opens_without_room_for_a_single_octet() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", r#"trap '' XFSZ; ulimit -f 0; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap());
    Victim::start_by(shell, "no room", dir.path(), 1).finish();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    let record = LiveRecord::CallClosed(calls::call(2));
    journal.append(&[record]).unwrap();
    drop(journal);
    let (_journal, found) = Journal::open(dir.path(), now()).unwrap();
    assert_eq!((found.closed, found.torn_bytes), (vec![calls::call(2)], 0));
}

/// Has a disk of its own.
pub(crate) fn cure(dir: &Path) {
    let store = Store::open(dir).unwrap();
    store.reserve().unwrap();
    let calls: Vec<_> = (1..=2000).map(calls::call).collect();
    store.history_append(&calls).unwrap();
    let fill = || {
        let mut file = std::fs::File::create(dir.join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &[1; 512]).is_ok() {}
    };
    fill();
    let author = store::Author {
        name: "Admin".into(),
        host: "192.0.2.1".into(),
    };
    let note = || store.config_note(now(), &author, &"x".repeat(1000));
    let refused = (0..10_000).find_map(|_| note().err()).unwrap();
    assert!(matches!(refused, StoreError::DiskFull), "{refused}");
    assert!(store.release_reserve() && !store.release_reserve());
    note().unwrap();
    assert_eq!(store.history_clear(None).unwrap(), 2000);
    // One that starts on a full disk has it too.
    std::fs::remove_file(dir.join("filler")).unwrap();
    store.reserve().unwrap();
    drop(store);
    // Leaves the databases alone, without what belongs to them.
    check_databases(dir);
    fill();
    drop(Store::open(dir).unwrap());
    assert!(!dir.join("reserve").exists());
}

#[test]
fn a_full_disk_is_cured_by_what_was_put_by() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("SKIPPED: only root can mount a disk");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("unshare");
    shell
        .args(["--mount", "sh", "-c"])
        .arg(r#"mount -t tmpfs -o size=32m,mode=0700 none "$STORE_TEST_DIR" && exec "$0" "$@""#)
        .arg(std::env::current_exe().unwrap());
    Victim::start_by(shell, "cure", dir.path(), 1).finish();
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", r#"trap '' XFSZ; ulimit -f 512; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap());
    let done = Victim::start_by(shell, "full", dir.path(), 1).finish();
    let said = |what: &str| -> BTreeSet<u64> {
        let ids = done.iter().filter_map(|line| line.strip_prefix(what));
        ids.map(|id| id.trim().parse().unwrap()).collect()
    };
    let (journal, history) = (said("journal"), said("history"));
    assert!(journal.len() > 100, "{}", journal.len());
    // Each costs some pages of the write-ahead log.
    assert!(history.len() > 5, "{}", history.len());
    let (_journal, found) = Journal::open(dir.path(), now()).unwrap();
    let closed: BTreeSet<u64> = found
        .closed
        .iter()
        .map(|record| record.call.raw())
        .collect();
    assert_eq!(closed, journal);
    assert_eq!(found.torn_bytes, 0, "what was cut short was taken back");
    let store = Store::open(dir.path()).unwrap();
    let stored: BTreeSet<u64> = store
        .history_export(HistoryFilter::default())
        .map(|record| record.unwrap().call.raw())
        .collect();
    assert_eq!(stored, history);
    store.history_append(&[calls::call(99_999)]).unwrap();
    drop(store);
    check_databases(dir.path());
}

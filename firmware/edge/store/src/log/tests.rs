//! What the logs keep and find.

use super::*;
use crate::Limits;

const KINDS: [LogKind; 4] = [
    LogKind::Config,
    LogKind::Security,
    LogKind::Warning,
    LogKind::Error,
];

fn at(s: i64) -> WallTime {
    WallTime::from_unix_seconds(s)
}

#[test]
fn rows_come_back_the_newest_first_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for kind in KINDS {
        for n in 0..25 {
            store.log_append(kind, at(n), &format!("row {n}")).unwrap();
        }
        let mut texts = Vec::new();
        let mut query = LogQuery {
            limit: 10,
            ..LogQuery::default()
        };
        loop {
            let rows = store.log_query(kind, &query).unwrap();
            let Some(last) = rows.last() else { break };
            query.before = Some(last.id);
            texts.extend(rows.into_iter().map(|row| row.text));
        }
        let expected: Vec<String> = (0..25).rev().map(|n| format!("row {n}")).collect();
        assert_eq!(texts, expected);
    }
}

#[test]
fn what_is_new_is_asked_for_by_the_last_id_seen() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.log_append(LogKind::Security, at(1), "old").unwrap();
    let seen = store
        .log_query(LogKind::Security, &LogQuery::default())
        .unwrap()[0]
        .id;
    store.log_append(LogKind::Security, at(2), "new").unwrap();
    let query = LogQuery {
        after: Some(seen),
        ..LogQuery::default()
    };
    let rows = store.log_query(LogKind::Security, &query).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].text.as_str(), rows[0].at), ("new", at(2)));
}

#[test]
fn a_series_is_one_row_with_its_count_and_its_first_and_last_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let rows = || {
        let rows = store.log_query(LogKind::Security, &LogQuery::default());
        let rows = rows.unwrap().into_iter();
        let told = |time: WallTime| time.as_unix_seconds();
        rows.map(|row| (row.text, row.times, told(row.first), told(row.at)))
            .collect::<Vec<_>>()
    };
    let row = |text: &str, times: u32, first: i64, last: i64| (text.to_owned(), times, first, last);
    for (second, text, times) in [(1, "a\n", 1), (2, "a\n", 7), (3, "b", 1), (1800, "a\n", 1)] {
        store.log_append_series(at(second), text, times).unwrap();
    }
    assert_eq!(rows(), [row("a ", 9, 1, 1800), row("b", 1, 3, 3)]);
    let seen = store
        .log_query(LogKind::Security, &LogQuery::default())
        .unwrap()[0]
        .id;
    store.log_append_series(at(1801), "b", 1).unwrap();
    let query = LogQuery {
        after: Some(seen),
        ..LogQuery::default()
    };
    let new = store.log_query(LogKind::Security, &query).unwrap();
    assert_eq!(new.len(), 1, "what goes on is new");
    // Quiet for more than an hour, or too much between: another series.
    store.log_append_series(at(1800 + 3601), "a\n", 1).unwrap();
    assert_eq!(rows()[0], row("a ", 1, 5401, 5401));
    for n in 0..100 {
        store
            .log_append_series(at(5402), &n.to_string(), 1)
            .unwrap();
    }
    store.log_append_series(at(5403), "a\n", 1).unwrap();
    assert_eq!(rows()[0], row("a ", 1, 5403, 5403));
}

#[test]
fn a_series_takes_no_room_of_other_rows() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        log_rows: 10,
        ..Limits::default()
    };
    let store = Store::open_with(dir.path(), limits).unwrap();
    store.log_append_series(at(0), "the one", 1).unwrap();
    for second in 1..1000 {
        store.log_append_series(at(second), "a flood", 1).unwrap();
    }
    let rows = store
        .log_query(LogKind::Security, &LogQuery::default())
        .unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.text.as_str(), row.times))
        .collect();
    assert_eq!(told, [("a flood", 999), ("the one", 1)]);
}

#[test]
fn a_search_takes_wildcards_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for text in ["100% sure", "100 times", "a_b", "aXb", r"back\slash"] {
        store.log_append(LogKind::Warning, at(0), text).unwrap();
    }
    let find = |text: &str| -> Vec<String> {
        let query = LogQuery {
            contains: Some(text.into()),
            ..LogQuery::default()
        };
        let rows = store.log_query(LogKind::Warning, &query).unwrap();
        rows.into_iter().map(|row| row.text).collect()
    };
    assert_eq!(find("100%"), ["100% sure"]);
    assert_eq!(find("a_b"), ["a_b"]);
    assert_eq!(find(r"k\s"), [r"back\slash"]);
    assert_eq!(find("SURE"), ["100% sure"]);
}

#[test]
fn a_row_is_one_line_whatever_it_was_made_of() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let text = format!("a\r\nb\u{1b}[31m{}", "x".repeat(5000));
    store.log_append(LogKind::Error, at(0), &text).unwrap();
    let rows = store
        .log_query(LogKind::Error, &LogQuery::default())
        .unwrap();
    assert!(rows[0].text.starts_with("a  b [31mxxx"));
    assert_eq!(rows[0].text.chars().count(), TEXT_CHARS);
}

#[test]
fn a_log_keeps_its_newest_rows() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        log_rows: 100,
        ..Limits::default()
    };
    let store = Store::open_with(dir.path(), limits).unwrap();
    for kind in KINDS {
        for n in 0..500 {
            store.log_append(kind, at(n), &n.to_string()).unwrap();
        }
        let query = LogQuery {
            limit: 1000,
            ..LogQuery::default()
        };
        let rows = store.log_query(kind, &query).unwrap();
        assert!((100..164).contains(&rows.len()), "{}", rows.len());
        assert_eq!(rows[0].text, "499");
    }
}

#[test]
fn ids_go_on_after_a_log_was_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for kind in KINDS {
        store.log_append(kind, at(0), "a").unwrap();
        store.log_append(kind, at(0), "b").unwrap();
        let last = store.log_query(kind, &LogQuery::default()).unwrap()[0].id;
        assert_eq!(store.log_clear(kind, at(1), last).unwrap(), 2);
        assert!(
            store
                .log_query(kind, &LogQuery::default())
                .unwrap()
                .is_empty()
        );
        store.log_append(kind, at(0), "c").unwrap();
        assert!(store.log_query(kind, &LogQuery::default()).unwrap()[0].id > last);
    }
}

#[test]
fn what_came_later_outlives_a_clearing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for kind in KINDS {
        for (second, text) in [(1, "old"), (2, "older id"), (1, "younger id"), (9, "new")] {
            store.log_append(kind, at(second), text).unwrap();
        }
        let rows = store.log_query(kind, &LogQuery::default()).unwrap();
        assert_eq!(store.log_clear(kind, at(3), rows[2].id).unwrap(), 2);
        let left = store.log_query(kind, &LogQuery::default()).unwrap();
        let left: Vec<&str> = left.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(left, ["new", "younger id"]);
    }
}

#[test]
fn a_log_is_cut_to_a_size() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for kind in KINDS {
        for text in ["oldest", "čtyři", "three", "two", "one"] {
            store.log_append(kind, at(0), text).unwrap();
        }
        let cut = |octets| {
            store.log_trim_size(kind, octets).unwrap();
            let rows = store.log_query(kind, &LogQuery::default()).unwrap();
            rows.into_iter().map(|row| row.text).collect::<Vec<_>>()
        };
        assert_eq!(cut(100).len(), 5);
        // Octets count, not letters.
        assert_eq!(cut(18), ["one", "two", "three", "čtyři"]);
        assert_eq!(cut(17), ["one", "two", "three"]);
        assert_eq!(cut(0), Vec::<String>::new());
        assert_eq!(cut(0), Vec::<String>::new());
    }
}

//! What the call history finds, in which order, and how much of it is kept.

use std::path::Path;

use model::{Cause, Codec, EndedBy, LegRecord, LegSide, Party, Quality};

use super::*;
use crate::Limits;

fn at(s: i64) -> WallTime {
    WallTime::from_unix_seconds(1_800_000_000 + s)
}

fn party(number: &str, extension: Option<u32>) -> Party {
    Party {
        number: number.into(),
        name: extension.map(|id| format!("Name {id}")),
        extension: extension.map(ExtensionId::new),
    }
}

/// Call `id` started at second `id`; from 100 to 200 and answered unless changed.
fn call(id: u64) -> CallRecord {
    let started = i64::try_from(id).unwrap();
    let quality = Quality {
        packets_received: 500,
        mos_hundredths: Some(420),
        round_trip_us: Some(1500),
        ..Quality::default()
    };
    let leg = |side, number, extension| LegRecord {
        side,
        party: party(number, Some(extension)),
        address: Some("10.0.0.5:5060".into()),
        user_agent: None,
        interface: None,
        codec: Some(Codec::Pcma),
        encrypted: true,
        stopped_responding: false,
        quality: Some(quality),
    };
    CallRecord {
        call: CallId::new(id),
        caller: party("100", Some(1)),
        dialled: "200".into(),
        called: Some(party("200", Some(2))),
        started: at(started),
        answered: Some(at(started + 5)),
        ended: at(started + 65),
        disposition: Disposition::Answered,
        cause: Cause::NORMAL_CALL_CLEARING,
        ended_by: EndedBy::Caller,
        shown_outside: None,
        forwarded_from: None,
        brake: Some(model::config::Brake::ExtensionHour),
        administrator: None,
        transferred_from: None,
        legs: vec![
            leg(LegSide::Caller, "100", 1),
            leg(LegSide::Called, "200", 2),
        ],
    }
}

/// A call that nobody answered and that reached nobody.
fn missed(id: u64, from: &str, dialled: &str) -> CallRecord {
    CallRecord {
        caller: party(from, None),
        dialled: dialled.into(),
        called: None,
        answered: None,
        disposition: Disposition::UnknownNumber,
        cause: Cause::UNALLOCATED_NUMBER,
        ended_by: EndedBy::Exchange,
        transferred_from: Some(CallId::new(1)),
        legs: Vec::new(),
        ..call(id)
    }
}

fn open(dir: &Path, calls: &[CallRecord]) -> Store {
    let store = Store::open(dir).unwrap();
    assert_eq!(store.history_append(calls).unwrap(), calls.len());
    store
}

fn ids(calls: &[CallRecord]) -> Vec<u64> {
    calls.iter().map(|record| record.call.raw()).collect()
}

fn find(store: &Store, filter: HistoryFilter) -> Vec<u64> {
    let count = store.history_count(&filter).unwrap();
    let query = HistoryQuery {
        filter: filter.clone(),
        limit: 1000,
        ..HistoryQuery::default()
    };
    let found = ids(&store.history_query(&query).unwrap());
    assert_eq!(found.len() as u64, count);
    let exported: Vec<CallRecord> = store.history_export(filter).map(Result::unwrap).collect();
    assert_eq!(ids(&exported), found);
    found
}

#[test]
fn a_call_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let ended = CallRecord {
        ended_by: EndedBy::Administrator,
        shown_outside: Some(String::new()),
        forwarded_from: None,
        brake: None,
        administrator: Some("winston.smith".into()),
        ..call(1)
    };
    let calls = [ended, missed(2, "+420777123456", "999")];
    let store = open(dir.path(), &calls);
    for record in &calls {
        assert_eq!(
            store.history_call(record.call).unwrap().as_ref(),
            Some(record)
        );
    }
    assert_eq!(store.history_call(CallId::new(3)).unwrap(), None);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let back = store.history_query(&HistoryQuery::default()).unwrap();
    assert_eq!(back, [calls[1].clone(), calls[0].clone()]);
}

#[test]
fn a_call_appended_again_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &[call(1)]);
    let other = CallRecord {
        dialled: "different".into(),
        ..call(1)
    };
    assert_eq!(store.history_append(&[other, call(2)]).unwrap(), 1);
    assert_eq!(store.history_call(CallId::new(1)).unwrap(), Some(call(1)));
}

#[test]
fn a_call_that_is_measured_to_its_end_afterwards_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut begun = call(1);
    begun.legs[0].quality = None;
    let store = open(dir.path(), &[begun.clone()]);
    let whole = Quality {
        packets_received: 1500,
        mos_hundredths: Some(310),
        ..Quality::default()
    };
    let mut measured = begun;
    for leg in &mut measured.legs {
        leg.quality = Some(whole);
    }
    assert_eq!(store.history_append(&[measured.clone()]).unwrap(), 0);
    assert_eq!(store.history_call(measured.call).unwrap(), Some(measured));
    // What is known already is not lost for one that knows less.
    let mut less = call(1);
    less.legs.iter_mut().for_each(|leg| leg.quality = None);
    store.history_append(&[less]).unwrap();
    let kept = store.history_call(CallId::new(1)).unwrap().unwrap();
    assert_eq!(kept.legs[0].quality, Some(whole));
}

#[test]
fn filters_alone_and_together() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(
        dir.path(),
        &[
            call(1),
            missed(2, "777123456", "100"),
            missed(3, "100", "777%"),
            CallRecord {
                caller: party("300", Some(3)),
                called: Some(party("100", Some(1))),
                answered: None,
                disposition: Disposition::Busy,
                ..call(4)
            },
            CallRecord {
                ended: at(1000),
                ..call(5)
            },
        ],
    );
    let all = HistoryFilter::default();
    assert_eq!(find(&store, all.clone()), [5, 4, 3, 2, 1]);
    let from = HistoryFilter {
        from: Some(at(2)),
        until: Some(at(5)),
        ..all.clone()
    };
    assert_eq!(find(&store, from), [4, 3, 2]);
    let number = |number| HistoryFilter {
        number: Some(number),
        ..HistoryFilter::default()
    };
    let contains = |text: &str| number(NumberFilter::Contains(text.into()));
    assert_eq!(find(&store, contains("777")), [3, 2]);
    assert_eq!(find(&store, contains("7%")), [3]);
    assert_eq!(find(&store, contains("' OR 1=1 --")), [0; 0]);
    let is = |text: &str| number(NumberFilter::Is(text.into()));
    assert_eq!(find(&store, is("100")), [5, 4, 3, 2, 1]);
    assert_eq!(find(&store, is("200")), [5, 4, 1]);
    assert_eq!(find(&store, is("77")), [0; 0]);
    let extensions = |raw: &[u32]| HistoryFilter {
        extensions: raw.iter().copied().map(ExtensionId::new).collect(),
        ..HistoryFilter::default()
    };
    assert_eq!(find(&store, extensions(&[1])), [5, 4, 1]);
    assert_eq!(find(&store, extensions(&[3])), [4]);
    assert_eq!(find(&store, extensions(&[2, 3])), [5, 4, 1]);
    let dispositions = |list: &[Disposition]| HistoryFilter {
        dispositions: list.to_vec(),
        ..HistoryFilter::default()
    };
    assert_eq!(find(&store, dispositions(&[Disposition::Busy])), [4]);
    let two = [Disposition::Busy, Disposition::UnknownNumber];
    assert_eq!(find(&store, dispositions(&two)), [4, 3, 2]);
    let long = HistoryFilter {
        min_duration: Some(Duration::from_secs(61)),
        ..all
    };
    assert_eq!(find(&store, long), [5]);
    let together = HistoryFilter {
        from: Some(at(2)),
        number: Some(NumberFilter::Contains("100".into())),
        dispositions: two.to_vec(),
        ..extensions(&[1])
    };
    assert_eq!(find(&store, together), [4]);
}

#[test]
fn pages_follow_each_other_in_every_order() {
    let dir = tempfile::tempdir().unwrap();
    let calls: Vec<CallRecord> = (1..=60)
        .map(|id| CallRecord {
            caller: party(&format!("{}", 100 + id % 7), None),
            dialled: format!("{}", 200 + id % 5),
            ended: at(i64::try_from(100 + (id * 37) % 50).unwrap()),
            ..call(id)
        })
        .collect();
    let store = open(dir.path(), &calls);
    for sort in [
        HistorySort::Started,
        HistorySort::Duration,
        HistorySort::Caller,
        HistorySort::Dialled,
        HistorySort::Disposition,
    ] {
        let key = |record: &CallRecord| {
            let talked = record.ended.since(record.answered.unwrap()).as_micros();
            let first = match sort {
                HistorySort::Started | HistorySort::Disposition => String::new(),
                HistorySort::Duration => format!("{talked:020}"),
                HistorySort::Caller => record.caller.number.clone(),
                HistorySort::Dialled => record.dialled.clone(),
            };
            (first, record.started)
        };
        let mut expected = calls.clone();
        expected.sort_by_key(key);
        for ascending in [true, false] {
            if !ascending {
                expected.reverse();
            }
            let mut found = Vec::new();
            for offset in (0..70).step_by(7) {
                let query = HistoryQuery {
                    sort,
                    ascending,
                    offset,
                    limit: 7,
                    ..HistoryQuery::default()
                };
                found.extend(store.history_query(&query).unwrap());
            }
            assert_eq!(ids(&found), ids(&expected), "{sort:?} {ascending}");
        }
    }
}

#[test]
fn an_export_goes_over_many_chunks_and_equal_starts() {
    let dir = tempfile::tempdir().unwrap();
    let calls: Vec<CallRecord> = (1..=1234)
        .map(|id| CallRecord {
            started: at(i64::try_from(id / 100).unwrap()),
            ..call(id)
        })
        .collect();
    let store = open(dir.path(), &calls);
    let mut export = store.history_export(HistoryFilter::default());
    let mut found = vec![export.next().unwrap().unwrap().call.raw()];
    // A call that ends meanwhile is newer than those to come.
    store.history_append(&[call(5000)]).unwrap();
    found.extend(export.map(|record| record.unwrap().call.raw()));
    let expected: Vec<u64> = (1..=1234).rev().collect();
    assert_eq!(found, expected);
}

#[test]
fn the_oldest_go_beyond_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        history_calls: 200,
        ..Limits::default()
    };
    let store = Store::open_with(dir.path(), limits).unwrap();
    let all = HistoryFilter::default();
    for first in (1..1000).step_by(10) {
        let calls: Vec<CallRecord> = (first..first + 10).map(call).collect();
        store.history_append(&calls).unwrap();
        assert!(store.history_count(&all).unwrap() <= 202);
    }
    let left = find(&store, all.clone());
    assert_eq!((left[0], *left.last().unwrap()), (1000, 801));
    // What the other process clears doesn't count any more.
    let other = Store::open(dir.path()).unwrap();
    assert_eq!(other.history_clear(Some(at(991))).unwrap(), 190);
    for id in 1001..1101 {
        store.history_append(&[call(id)]).unwrap();
    }
    assert_eq!(store.history_count(&all).unwrap(), 110);
    let legs: i64 = store
        .inner
        .history
        .read(|tx| Ok(tx.query_row("SELECT count(*) FROM call_legs", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(legs, 110);
}

#[test]
fn the_last_id_outlives_the_calls() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.last_call_id().unwrap(), None);
    store.history_append(&[call(7), call(3)]).unwrap();
    assert_eq!(store.history_clear(None).unwrap(), 2);
    assert_eq!(store.last_call_id().unwrap(), Some(CallId::new(7)));
}

#[test]
fn calls_in_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let mut bad = call(2);
    bad.legs[1].quality = Some(Quality {
        mos_hundredths: Some(200),
        ..Quality::default()
    });
    let cut = CallRecord {
        disposition: Disposition::Interrupted,
        legs: Vec::new(),
        ..call(4)
    };
    let all = [call(1), bad, missed(3, "1", "2"), cut, call(100)];
    let store = open(dir.path(), &all);
    let filter = HistoryFilter {
        until: Some(at(100)),
        ..HistoryFilter::default()
    };
    let expected = HistoryStatistics {
        by_disposition: vec![
            (Disposition::Answered, 2),
            (Disposition::Interrupted, 1),
            (Disposition::UnknownNumber, 1),
        ],
        calls: 4,
        // A call that was cut is one that was answered: what was talked in it counts.
        answered: 3,
        talked: Duration::from_secs(180),
        mos_hundredths: Some(310),
    };
    assert_eq!(store.history_statistics(&filter).unwrap(), expected);
    let none = HistoryFilter {
        until: Some(at(0)),
        ..HistoryFilter::default()
    };
    let nothing = store.history_statistics(&none).unwrap();
    assert_eq!(nothing, HistoryStatistics::default());
}

#[test]
fn one_extension_and_one_day_are_found_by_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &[call(1)]);
    let plan = |filter: &HistoryFilter| -> String {
        let condition = Condition::new(filter);
        let sql = format!(
            "EXPLAIN QUERY PLAN {}{}{} LIMIT 50",
            rows::COLUMNS,
            condition.clause(),
            order(HistorySort::Started, false)
        );
        let plan: Result<Vec<String>, StoreError> = store.inner.history.read(|tx| {
            let mut statement = tx.prepare(&sql)?;
            let rows = statement.query_map(params_from_iter(condition.values), |row| row.get(3))?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        plan.unwrap().join("\n")
    };
    let own = plan(&HistoryFilter {
        extensions: vec![ExtensionId::new(1)],
        ..HistoryFilter::default()
    });
    assert!(
        own.contains("calls_caller") && own.contains("calls_called"),
        "{own}"
    );
    let day = plan(&HistoryFilter {
        from: Some(at(0)),
        ..HistoryFilter::default()
    });
    assert!(
        day.contains("calls_started") && !day.contains("TEMP B-TREE"),
        "{day}"
    );
    let all = plan(&HistoryFilter::default());
    assert!(
        all.contains("calls_started") && !all.contains("TEMP B-TREE"),
        "{all}"
    );
}

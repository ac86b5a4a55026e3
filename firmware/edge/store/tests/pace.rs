//! How long it takes: the limits are some times what was measured, so that only a change of order
//! breaks them. Run in release with `--nocapture` for the figures themselves.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: panics and figures are what it is for"
)]

use std::time::{Duration, Instant};

use model::config::CallerId;
use model::{
    Binding, CallId, CallRecord, Cause, Codec, Disposition, EndedBy, ExtensionId, Flow, Party,
    Secret, SrtpPolicy, Transport, WallTime,
};
use store::{
    Author, Expected, HistoryFilter, HistoryQuery, Journal, LiveRecord, LogKind, NewExtension,
    NumberFilter, Operation, Store,
};

const fn now() -> WallTime {
    WallTime::from_unix_seconds(1_800_000_000)
}

fn extension(number: u32) -> Operation {
    Operation::AddExtension(NewExtension {
        number: number.to_string().parse().unwrap(),
        description: format!("Room {number}"),
        user: None,
        caller_name: None,
        caller_id: CallerId::Own,
        enabled: true,
        sip_username: number.to_string(),
        sip_password: Secret::new("correct-horse"),
        codecs: Codec::DEFAULT.to_vec(),
        srtp: SrtpPolicy::Off,
        permission_group: None,
    })
}

fn call(id: u64) -> CallRecord {
    CallRecord {
        call: CallId::new(id),
        caller: Party {
            number: (100 + id % 500).to_string(),
            name: Some("Jana Someone".into()),
            extension: Some(ExtensionId::new(u32::try_from(id % 500).unwrap())),
        },
        dialled: (777_000_000 + id).to_string(),
        called: None,
        started: now() + Duration::from_secs(id),
        answered: None,
        ended: now() + Duration::from_secs(id + 20),
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

/// The median of a number of runs.
fn median(what: &str, runs: u32, mut work: impl FnMut(u32)) -> Duration {
    let mut spans: Vec<Duration> = (0..runs)
        .map(|n| {
            let start = Instant::now();
            work(n);
            start.elapsed()
        })
        .collect();
    spans.sort();
    let median = spans[spans.len() / 2];
    println!("{what}: {median:?}, worst {:?}", spans[spans.len() - 1]);
    median
}

#[test]
fn a_change_is_quick_in_a_large_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let author = Author {
        name: "Admin".into(),
        host: "127.0.0.1".into(),
    };
    let change = |operations| {
        store
            .change_all(now(), &author, Expected::Anything, operations)
            .unwrap();
    };
    for (size, limit_ms) in [(5_000, 250), (19_900, 1000)] {
        let there = u32::try_from(store.load().unwrap().extensions.len()).unwrap();
        let start = Instant::now();
        change((there..size).map(|n| extension(10_000 + n)).collect());
        println!("{size} extensions at once: {:?}", start.elapsed());
        let one = median("one more", 20, |n| {
            change(vec![extension(10_000 + size + n)]);
        });
        assert!(one < Duration::from_millis(limit_ms), "{one:?}");
        let load = median("load", 5, |_| drop(store.load().unwrap()));
        assert!(load < Duration::from_millis(4 * limit_ms), "{load:?}");
    }
    let fresh = Store::open(dir.path()).unwrap();
    let start = Instant::now();
    fresh
        .change(now(), &author, Expected::Anything, extension(99_999))
        .unwrap();
    println!("the first change of a process: {:?}", start.elapsed());
}

#[test]
fn a_record_of_the_journal_costs_microseconds() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    let binding = |n: u32| {
        LiveRecord::BindingPut(Binding {
            extension: ExtensionId::new(n % 5000),
            contact: format!("sip:{n}@10.0.0.7:5060;transport=udp"),
            instance: Some("<urn:uuid:00000000-0000-1000-8000-000A95A0E128>".into()),
            reg_id: None,
            path: Vec::new(),
            flow: Flow {
                transport: Transport::Udp,
                local: "10.0.0.1:5060".parse().unwrap(),
                remote: "10.0.0.7:49152".parse().unwrap(),
            },
            call_id: "a84b4c76e66710@10.0.0.7".into(),
            cseq: n,
            user_agent: Some("Phone 1.2.3".into()),
            expires: now() + Duration::from_secs(3600),
        })
    };
    for batch in [1, 16] {
        let batches: Vec<Vec<LiveRecord>> = (0..5000)
            .map(|n| {
                (0..batch)
                    .map(|m| binding((n * batch + m) % 10_000))
                    .collect()
            })
            .collect();
        let what = format!("{batch} registrations in one append");
        let one = median(&what, 5000, |n| {
            journal.append(&batches[n as usize]).unwrap();
        });
        assert!(
            one < Duration::from_micros(100 * u64::from(batch)),
            "{one:?}"
        );
    }
    drop(journal);
    let open = median("open with 10,000 registrations", 3, |_| {
        drop(Journal::open(dir.path(), now()).unwrap());
    });
    assert!(open < Duration::from_secs(5), "{open:?}");
}

#[test]
fn a_long_history_is_searched_in_a_moment() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    const CALLS: u64 = 50_000;
    let calls: Vec<CallRecord> = (1..=CALLS).map(call).collect();
    let start = Instant::now();
    for batch in calls.chunks(256) {
        store.history_append(batch).unwrap();
    }
    println!("{CALLS} calls appended: {:?}", start.elapsed());
    let page = |what: &str, filter: HistoryFilter| {
        let query = HistoryQuery {
            filter,
            ..HistoryQuery::default()
        };
        let page = median(what, 5, |_| {
            assert!(!store.history_query(&query).unwrap().is_empty());
        });
        assert!(page < Duration::from_millis(500), "{what}: {page:?}");
    };
    page("newest page", HistoryFilter::default());
    let own = HistoryFilter {
        extensions: vec![ExtensionId::new(7)],
        ..HistoryFilter::default()
    };
    page("page of one extension", own);
    let number = HistoryFilter {
        number: Some(NumberFilter::Contains("777000001".into())),
        ..HistoryFilter::default()
    };
    page("page of one number, by all calls", number.clone());
    let count = median("count of it", 5, |_| drop(store.history_count(&number)));
    assert!(count < Duration::from_millis(500), "{count:?}");
    let row = median("log row", 200, |_| {
        store.log_append(LogKind::Security, now(), "a row").unwrap();
    });
    assert!(row < Duration::from_millis(20), "{row:?}");
}

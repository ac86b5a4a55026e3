//! The call history and the logs: filters, order, pages, and what a spreadsheet gets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{World, now};
use model::{
    CallId, CallRecord, Cause, Disposition, EndedBy, ExtensionId, LegRecord, LegSide, Party,
    Quality, Role, WallTime,
};
use serde_json::json;
use store::LogKind;

const DAY: i64 = 1_800_000_000;

fn record(id: u64, caller: &str, name: &str, talked_s: Option<i64>) -> CallRecord {
    let at = |s: i64| WallTime::from_unix_seconds(DAY + s);
    let start = i64::try_from(id).unwrap() * 3600;
    CallRecord {
        call: CallId::new(id),
        caller: Party {
            number: caller.into(),
            name: Some(name.into()),
            extension: Some(ExtensionId::new(u32::try_from(id).unwrap())),
        },
        dialled: "122".into(),
        called: None,
        started: at(start),
        answered: talked_s.map(|_| at(start + 5)),
        ended: at(start + 5 + talked_s.unwrap_or(0)),
        disposition: if talked_s.is_some() {
            Disposition::Answered
        } else {
            Disposition::NoAnswer
        },
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

fn leg(side: LegSide, mos_hundredths: u16) -> LegRecord {
    LegRecord {
        side,
        interface: None,
        party: Party {
            number: "122".into(),
            name: None,
            extension: None,
        },
        address: None,
        user_agent: None,
        codec: None,
        encrypted: false,
        stopped_responding: false,
        quality: Some(Quality {
            mos_hundredths: Some(mos_hundredths),
            ..Quality::default()
        }),
    }
}

fn world() -> (World, String) {
    let world = World::new();
    let mut calls = [
        record(1, "101", "Ada", Some(60)),
        record(2, "102", "=cmd|'/c calc'!A1", None),
        record(3, "+420777", "Zoë; \"Z\"", Some(5)),
    ];
    calls[2].legs = vec![leg(LegSide::Caller, 410), leg(LegSide::Called, 355)];
    world.store.history_append(&calls).unwrap();
    let (_, cookie) = world.session(Role::ReadOnly);
    (world, cookie)
}

#[tokio::test]
async fn calls_are_filtered_sorted_and_paged() {
    let (world, cookie) = world();
    let ids = async |query: &str| {
        let answer = world
            .get(&format!("/api/v1/call-history{query}"))
            .cookie(&cookie)
            .send()
            .await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let json = answer.json();
        let ids: Vec<u64> = json["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["id"].as_u64().unwrap())
            .collect();
        (ids, json["total"].as_u64().unwrap())
    };
    assert_eq!(ids("").await, (vec![3, 2, 1], 3));
    assert_eq!(ids("?order=ascending&limit=2").await, (vec![1, 2], 3));
    assert_eq!(ids("?limit=2&offset=2").await, (vec![1], 3));
    assert_eq!(ids("?sort=duration").await.0, [1, 3, 2]);
    assert_eq!(ids("?disposition=no_answer").await, (vec![2], 1));
    assert_eq!(ids("?number=0777").await.0, [3]);
    assert_eq!(ids("?extension=2").await.0, [2]);
    assert_eq!(ids("?min_duration_s=10").await.0, [1]);
    assert_eq!(
        ids("?from=2027-01-15T10:00:00Z&until=2027-01-15T12:00:00%2B01:00")
            .await
            .0,
        [2]
    );
    let one = world
        .get("/api/v1/call-history/1")
        .cookie(&cookie)
        .send()
        .await
        .json();
    assert_eq!(one["duration_s"], 60);
    assert_eq!(one["cause_text"], "normal call clearing");
    assert_eq!(
        world
            .get("/api/v1/call-history/9")
            .cookie(&cookie)
            .send()
            .await
            .code(),
        "not_found"
    );
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let (world, cookie) = world();
    for (query, name, code) in [
        ("limit=0", "?limit", "out_of_range"),
        ("limit=501", "?limit", "out_of_range"),
        ("limit=x", "?limit", "wrong_type"),
        ("offset=-1", "?offset", "wrong_type"),
        ("offset=2000000", "?offset", "out_of_range"),
        ("sort=colour", "?sort", "unknown_value"),
        ("order=up", "?order", "unknown_value"),
        ("disposition=lost", "?disposition", "unknown_value"),
        ("from=yesterday", "?from", "invalid"),
        ("until=2026", "?until", "invalid"),
        ("number=", "?number", "out_of_range"),
        ("extension=a", "?extension", "wrong_type"),
        ("page=2", "?page", "unknown_field"),
    ] {
        let path = format!("/api/v1/call-history?{query}");
        let answer = world.get(&path).cookie(&cookie).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "invalid_query")
        );
        assert_eq!(
            answer.fields(),
            [(name.to_owned(), code.to_owned())],
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_callers_name_does_not_run_in_a_spreadsheet() {
    let (world, cookie) = world();
    let answer = world
        .get("/api/v1/call-history.csv")
        .cookie(&cookie)
        .send()
        .await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = answer.text.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}ID;Started;"));
    assert!(lines[0].ends_with(";Worse MOS (hundredths)"));
    let cells: Vec<&str> = lines[1].split(';').collect();
    let times: Vec<(usize, bool)> = cells[1..4]
        .iter()
        .map(|time| (time.len(), time.contains(['T', 'Z'])))
        .collect();
    assert_eq!(times, [(19, false); 3], "{}", lines[1]);
    assert!(lines[1].ends_with(";355"), "{}", lines[1]);
    assert!(lines[2].ends_with(";caller;;"), "{}", lines[2]);
    assert!(
        lines[1].contains(";'+420777;\"Zoë; \"\"Z\"\"\";122;"),
        "{}",
        lines[1]
    );
    assert!(lines[2].contains(";'=cmd|'/c calc'!A1;"), "{}", lines[2]);
    assert_eq!(lines.len(), 5);
    let some = world
        .get("/api/v1/call-history.csv?disposition=answered")
        .cookie(&cookie)
        .send()
        .await;
    assert_eq!(some.text.split("\r\n").count(), 4);
}

#[tokio::test]
async fn a_large_history_is_sent_whole() {
    let (world, cookie) = world();
    let calls: Vec<CallRecord> = (10..5010)
        .map(|id| record(id, "101", "Ada", None))
        .collect();
    world.store.history_append(&calls).unwrap();
    let answer = world
        .get("/api/v1/call-history.csv")
        .cookie(&cookie)
        .send()
        .await;
    assert_eq!(answer.text.split("\r\n").count(), 5003 + 2);
}

#[tokio::test]
async fn a_log_is_read_from_the_newest_on() {
    let (world, cookie) = world();
    for n in 1..=5 {
        let text = format!("row {n} of five");
        world
            .store
            .log_append(LogKind::Security, now(), &text)
            .unwrap();
    }
    let ask = |query: &str| {
        world
            .get(&format!("/api/v1/logs/security{query}"))
            .cookie(&cookie)
            .send()
    };
    let page = ask("?limit=2").await.json();
    assert_eq!(page["rows"][0]["text"], "row 5 of five");
    let row = page["rows"][0]["row"].as_str().unwrap();
    assert!(
        row.starts_with('[') && row.ends_with("] row 5 of five"),
        "{row}"
    );
    let next = page["next"].as_i64().unwrap();
    let page = ask(&format!("?limit=3&before={next}")).await.json();
    assert_eq!(page["rows"].as_array().unwrap().len(), 3);
    assert_eq!(page["next"], json!(null));
    let newer = ask(&format!("?since={next}")).await.json();
    assert_eq!(newer["rows"].as_array().unwrap().len(), 1);
    let found = ask("?search=ROW%203").await.json();
    assert_eq!(found["rows"][0]["text"], "row 3 of five");
    for query in ["?limit=0", "?limit=1001", "?before=-1", "?until=1"] {
        assert_eq!(ask(query).await.status, 400, "{query}");
    }
    let unknown = world
        .get("/api/v1/logs/nothing")
        .cookie(&cookie)
        .send()
        .await;
    assert_eq!(unknown.code(), "not_found");
}

#[tokio::test]
async fn a_clearing_takes_what_is_older_and_is_itself_logged() {
    let (world, reader) = world();
    let admin = world.admin();
    for n in 1..=3 {
        let text = format!("row {n}");
        world
            .store
            .log_append(LogKind::Security, now(), &text)
            .unwrap();
    }
    let clear = |what: &str, cookie: &str, body: serde_json::Value| {
        world
            .post(&format!("/api/v1/{what}/clear"))
            .cookie(cookie)
            .json(body)
            .send()
    };
    // The second call started at 10:00, the third at 11:00.
    let before = json!({ "before": "2027-01-15T10:30:00Z" });
    let refused = clear("call-history", &reader, before.clone()).await;
    assert_eq!(refused.status, 403);
    let cleared = clear("call-history", &admin, before).await;
    assert_eq!(cleared.json(), json!({ "removed": 2 }), "{cleared:?}");
    let left = world
        .get("/api/v1/call-history")
        .cookie(&admin)
        .send()
        .await;
    assert_eq!(left.json()["total"], 1);

    let all = json!({ "before": "2999-01-01T00:00:00Z" });
    let cleared = clear("logs/security", &admin, all.clone()).await;
    assert_eq!(cleared.json(), json!({ "removed": 3 }));
    assert!(clear("logs/config", &admin, all).await.json()["removed"].as_u64() > Some(0));
    let log = world.get("/api/v1/logs/config").cookie(&admin).send().await;
    let rows = log.json()["rows"].as_array().unwrap().clone();
    assert_eq!(
        rows.len(),
        1,
        "its own clearing is the first row of the log"
    );
    let text = rows[0]["text"].as_str().unwrap();
    assert!(text.starts_with("Cleared config log before "), "{text}");
    assert!(rows[0]["author"].as_str().unwrap().starts_with("someone"));

    for body in [
        json!({}),
        json!({ "before": "soon" }),
        json!({ "before": null }),
    ] {
        assert_eq!(clear("call-history", &admin, body).await.status, 422);
    }
    assert_eq!(
        clear(
            "logs/nothing",
            &admin,
            json!({ "before": "2026-01-01T00:00:00Z" })
        )
        .await
        .status,
        404
    );
}

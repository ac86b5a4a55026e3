//! How long logs are kept, and that their rows reach a syslog server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{World, now};
use model::{Role, WallTime};
use serde_json::{Value, json};
use store::{LogKind, LogQuery};
use tokio::net::UdpSocket;

const PATH: &str = "/api/v1/log-settings";

fn rows(world: &World, kind: LogKind) -> Vec<String> {
    let query = LogQuery {
        limit: 500,
        ..LogQuery::default()
    };
    let rows = world.store.log_query(kind, &query).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

fn settings(keep: &str, rows: u32, syslog: &Value) -> Value {
    json!({ "keep": keep, "rows": rows, "megabytes": null, "syslog": syslog })
}

#[tokio::test]
async fn what_is_too_much_goes_at_once_and_what_is_too_old_not_right_after_a_start() {
    let world = World::new();
    let admin = world.admin();
    let hours_ago =
        |hours: i64| WallTime::from_unix_micros(now().as_unix_micros() - hours * 3_600_000_000);
    for hours in [30, 23] {
        let text = format!("{hours} hours ago");
        world
            .store
            .log_append(LogKind::Warning, hours_ago(hours), &text)
            .unwrap();
    }
    for n in 0..150 {
        world
            .store
            .log_append(LogKind::Security, now(), &n.to_string())
            .unwrap();
    }
    let put = world.put(PATH).header("If-Match", "*").cookie(&admin);
    let answer = put.json(settings("day", 100, &json!(null))).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    while rows(&world, LogKind::Security).len() > 100 {
        tokio::task::yield_now().await;
    }
    // The clock is not known to be right yet.
    assert_eq!(
        rows(&world, LogKind::Warning),
        ["23 hours ago", "30 hours ago"]
    );
    assert_eq!(rows(&world, LogKind::Security)[0], "149");
    assert_eq!(
        rows(&world, LogKind::Config)[0],
        "Changed the logs: kept day, 100 rows"
    );
    let shown = world.get(PATH).cookie(&admin).send().await.json();
    assert_eq!(shown, settings("day", 100, &json!(null)));
}

#[tokio::test]
async fn a_log_is_kept_to_a_size() {
    let world = World::new();
    let admin = world.admin();
    for _ in 0..600 {
        let row = world
            .store
            .log_append(LogKind::Error, now(), &"x".repeat(2000));
        row.unwrap();
    }
    let wished = |megabytes: Value| {
        let body = json!({ "keep": "always", "rows": 100_000, "megabytes": megabytes });
        world
            .put(PATH)
            .header("If-Match", "*")
            .cookie(&admin)
            .json(body)
            .send()
    };
    for wrong in [json!(0), json!(201)] {
        assert_eq!(wished(wrong).await.fields()[0].0, "/megabytes");
    }
    assert_eq!(wished(json!(1)).await.json()["megabytes"], 1);
    while rows(&world, LogKind::Error).len() != 500 {
        tokio::task::yield_now().await;
    }
    let said = &rows(&world, LogKind::Config)[0];
    assert_eq!(said, "Changed the logs: kept always, 100000 rows, 1 MB");
}

#[tokio::test]
async fn rows_are_sent_to_the_server_that_is_set() {
    let world = World::new();
    let admin = world.admin();
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = server.local_addr().unwrap().to_string();
    let syslog = json!({ "server": to, "facility": "local3", "severity": "info" });
    let put = world.put(PATH).header("If-Match", "*").cookie(&admin);
    put.json(settings("always", 100_000, &syslog)).send().await;
    // Rows from before may be sent too.
    let mut message = String::new();
    while !message.contains("Changed the logs") {
        let mut buffer = [0; 2_048];
        let length = server.recv(&mut buffer).await.unwrap();
        message = String::from_utf8_lossy(&buffer[..length]).into_owned();
    }
    assert!(message.starts_with("<158>1 "), "{message}");
    assert!(message.contains("operator-box - config - "), "{message}");
    assert!(
        message.ends_with(&format!("sent to {to} (local3, info)")),
        "{message}"
    );
}

#[tokio::test]
async fn what_can_not_be_is_refused_by_field_and_who_may_only_read_changes_nothing() {
    let world = World::new();
    let admin = world.admin();
    let syslog = json!({ "server": "two words", "facility": "user", "severity": "error" });
    let wrong = settings("week", 99, &syslog);
    let answer = world
        .put(PATH)
        .header("If-Match", "*")
        .cookie(&admin)
        .json(wrong)
        .send()
        .await;
    let fields: Vec<String> = answer
        .fields()
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert_eq!(fields, ["/rows", "/syslog/server"]);
    let (_, reader) = world.session(Role::ReadOnly);
    let put = world.put(PATH).header("If-Match", "*").cookie(&reader);
    let answer = put.json(settings("hour", 100, &json!(null))).send().await;
    assert_eq!(answer.status, 403);
    let shown = world.get(PATH).cookie(&reader).send().await.json();
    assert_eq!(shown, settings("always", 100_000, &json!(null)));
}

#[tokio::test]
async fn who_did_not_see_the_last_change_of_the_logs_changes_nothing() {
    let world = World::new();
    let admin = world.admin();
    let seen = world.get(PATH).cookie(&admin).send().await;
    let tag = seen.header("etag").to_owned();
    let put = |tag: &str, rows: u32| {
        let ask = world.put(PATH).header("If-Match", tag).cookie(&admin);
        ask.json(settings("day", rows, &json!(null))).send()
    };
    let first = put(&tag, 200).await;
    assert_eq!(first.status, 200, "{first:?}");
    let late = put(&tag, 300).await;
    assert_eq!(
        (late.status.as_u16(), late.code().as_str()),
        (412, "changed")
    );
    assert_eq!(late.json()["current_etag"], first.header("etag"));
    assert!(late.json()["changed_by"].is_string());
    assert_eq!(put(first.header("etag"), 300).await.status, 200);
    let careless = world.put(PATH).cookie(&admin);
    let careless = careless.json(settings("day", 400, &json!(null))).send();
    assert_eq!(careless.await.code(), "if_match_required");
    let shown = world.get(PATH).cookie(&admin).send().await.json();
    assert_eq!(shown["rows"], 300);
}

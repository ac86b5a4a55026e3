//! What the exchange tells, and the events: with an exchange, without one, and when it comes and goes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use common::{World, eventually, now, peer};
use futures_util::StreamExt;
use model::control::Notice;
use model::{CallId, ExtensionId, Role, WallTime};
use serde_json::{Value, json};
use store::{Ended, LogKind, LogQuery};

/// Reads server-sent events.
struct Events {
    body: Pin<Box<BodyDataStream>>,
    text: String,
}

impl Events {
    async fn open(world: &World, cookie: &str) -> Self {
        let response = world.get("/api/v1/events").cookie(cookie).open().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: Box::pin(Body::into_data_stream(response.into_body())),
            text: String::new(),
        }
    }

    /// The next event: name and data. Nothing where the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let prefix = format!("{name}: ");
                    let line = event.lines().find_map(|line| line.strip_prefix(&prefix));
                    line.map(str::to_owned)
                };
                let parsed = field("event").zip(field("data"));
                self.text = rest.to_owned();
                if let Some((name, data)) = parsed {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.body.next())
                .await
                .expect("an event comes")?;
            self.text
                .push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    /// The next row of this log.
    async fn wait_for_log(&mut self, log: &str) -> Value {
        loop {
            let logged = self.wait_for("log").await;
            if logged["log"] == log {
                return logged;
            }
        }
    }

    /// The next event of this name.
    async fn wait_for(&mut self, name: &str) -> Value {
        loop {
            let (got, data) = self.next().await.expect("the stream goes on");
            if got == name {
                return data;
            }
        }
    }
}

async fn connected(world: &World, cookie: &str) {
    eventually("the exchange is reached", async || {
        world
            .get("/api/v1/calls")
            .cookie(cookie)
            .send()
            .await
            .status
            == 200
    })
    .await;
}

#[tokio::test]
async fn without_an_exchange_settings_work_and_calls_say_so() {
    let world = World::new();
    let admin = world.admin();
    for path in ["/api/v1/calls", "/api/v1/registrations"] {
        let answer = world.get(path).cookie(&admin).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (503, "exchange_unreachable")
        );
        assert_eq!(answer.header("retry-after"), "5");
    }
    let status = world.get("/api/v1/status").cookie(&admin).send().await;
    assert_eq!(status.json()["exchange"], Value::Null);
    assert!(status.json()["disk"]["free_bytes"].as_u64().unwrap() > 0);
    let added = world
        .post("/api/v1/extensions")
        .cookie(&admin)
        .json(json!({ "number": "122" }))
        .send()
        .await;
    assert_eq!(added.status, 201);

    // The change is told as soon as there is somebody to tell.
    let peer = world.peer();
    eventually("the exchange loads", async || peer.reloads() == 1).await;
    connected(&world, &admin).await;
    drop(peer);
    eventually("the exchange is gone", async || {
        world
            .get("/api/v1/calls")
            .cookie(&admin)
            .send()
            .await
            .status
            == 503
    })
    .await;
    let _peer = world.peer();
    connected(&world, &admin).await;
}

#[tokio::test]
async fn calls_and_registrations_are_the_exchanges() {
    let world = World::new();
    let admin = world.admin();
    let peer = world.peer();
    connected(&world, &admin).await;
    let calls = world
        .get("/api/v1/calls")
        .cookie(&admin)
        .send()
        .await
        .json();
    assert_eq!(calls["calls"][0]["state"], "ringing");
    assert_eq!(calls["calls"][0]["started"], "2027-01-15T08:00:00.000Z");
    let phones = world
        .get("/api/v1/registrations")
        .cookie(&admin)
        .send()
        .await
        .json();
    assert_eq!(phones["registrations"][0]["transport"], "udp");
    assert_eq!(phones["registrations"][0]["reachable"], true);
    assert_eq!(phones["registrations"][1]["reachable"], false);
    let end = |id: u32| {
        world
            .delete(&format!("/api/v1/calls/{id}"))
            .cookie(&admin)
            .send()
    };
    assert_eq!(end(1).await.status, 204);
    assert_eq!(end(2).await.code(), "not_found");
    let query = LogQuery {
        limit: 1,
        ..LogQuery::default()
    };
    let row = world.store.log_query(LogKind::Config, &query).unwrap();
    assert_eq!(row[0].text, "Ended call 1 from 101 to 102");
    let author = row[0].author.clone().unwrap();
    assert_eq!(
        (peer.ended_by(), author.host.as_str()),
        (vec![author.name], "192.0.2.1")
    );
    let status = world
        .get("/api/v1/status")
        .cookie(&admin)
        .send()
        .await
        .json();
    assert_eq!(status["exchange"]["calls"], 1);
    assert_eq!(status["exchange"]["uptime_s"], 4000);
    let setup = world.get("/api/v1/phone-setup").cookie(&admin).send().await;
    assert_eq!(
        setup.json(),
        json!({
            "servers": ["192.0.2.10"],
            "only_here": false,
            "transports": [
                { "transport": "udp", "port": 5060 },
                { "transport": "tcp", "port": 5060 },
                { "transport": "tls", "port": 5061 },
            ],
        })
    );
}

#[tokio::test]
async fn a_stream_begins_with_a_picture_and_goes_on_with_changes() {
    let world = World::new();
    let (_, reader) = world.session(Role::ReadOnly);
    let admin = world.admin();
    let peer = world.peer();
    connected(&world, &admin).await;
    let mut events = Events::open(&world, &reader).await;
    let (name, hello) = events.next().await.unwrap();
    assert_eq!(name, "hello");
    assert_eq!(hello["exchange"], true);
    assert_eq!(hello["calls"][0]["id"], 1);
    assert_eq!(hello["registrations"][0]["extension"], 1);

    peer.notify(&Notice::Call { call: peer::call() });
    assert_eq!(events.wait_for("call").await["dialled"], "102");
    let call = CallId::new(1);
    peer.notify(&Notice::CallEnded { call });
    assert_eq!(events.wait_for("call_ended").await, json!({ "call": 1 }));
    let extension = ExtensionId::new(7);
    let registrations = Vec::new();
    peer.notify(&Notice::Registrations {
        extension,
        registrations,
    });
    assert_eq!(events.wait_for("registrations").await["extension"], 7);

    let body = json!({ "number": "122" });
    world
        .post("/api/v1/extensions")
        .cookie(&admin)
        .json(body)
        .send()
        .await;
    let changed = events.wait_for("config_changed").await;
    assert!(changed["by"].as_str().unwrap().starts_with("someone"));
    // Setting up the world has left rows too.
    let added = "Added extension 122 (ID=1)";
    while events.wait_for_log("config").await["row"]["text"] != added {}

    let login = json!({ "name": "nobody", "password": "guess guess" });
    world.post("/api/v1/session").json(login).send().await;
    let logged = events.wait_for_log("security").await;
    assert_eq!(
        logged["row"]["text"],
        "Login failed for host 192.0.2.1: unknown user"
    );

    drop(peer);
    assert_eq!(
        events.wait_for("exchange").await,
        json!({ "reachable": false })
    );
}

#[tokio::test]
async fn a_slow_reader_gets_a_new_picture() {
    let world = World::new();
    let admin = world.admin();
    let peer = world.peer();
    connected(&world, &admin).await;
    let mut events = Events::open(&world, &admin).await;
    events.wait_for("hello").await;
    // From another thread: the exchange's line is short, and this one reads its other end.
    let many = tokio::task::spawn_blocking(move || {
        for n in 0..300 {
            let call = CallId::new(n);
            peer.notify(&Notice::CallEnded { call });
        }
        peer
    });
    let _peer = many.await.unwrap();
    eventually("all have come", async || {
        world
            .get("/api/v1/calls")
            .cookie(&admin)
            .send()
            .await
            .status
            == 200
    })
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(events.next().await.unwrap().0, "hello");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_the_process() {
    let world = World::new();
    let (_, cookie) = world.session(Role::ReadOnly);
    let admin = world.admin();
    let mut events = Events::open(&world, &cookie).await;
    let mut others = Events::open(&world, &admin).await;
    events.wait_for("hello").await;
    others.wait_for("hello").await;
    let out = world.delete("/api/v1/session").cookie(&cookie).send().await;
    assert_eq!(out.status, 204);
    assert_eq!(
        events.wait_for("bye").await,
        json!({ "reason": "session_ended" })
    );
    assert!(events.next().await.is_none());

    world.end.send_replace(true);
    assert_eq!(
        others.wait_for("bye").await,
        json!({ "reason": "shutting_down" })
    );
    assert!(others.next().await.is_none());
}

#[tokio::test]
async fn streams_have_a_limit() {
    let world = World::new();
    let admin = world.admin();
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Events::open(&world, &admin).await);
    }
    let refused = world.get("/api/v1/events").cookie(&admin).send().await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (429, "too_many_streams")
    );
    open.pop();
    open.push(Events::open(&world, &admin).await);
}

#[tokio::test(start_paused = true)]
async fn a_stream_beats_and_says_how_long_the_session_lasts() {
    let world = World::new();
    let admin = world.admin();
    let mut events = Events::open(&world, &admin).await;
    events.wait_for("hello").await;
    let (name, beat) = events.next().await.unwrap();
    assert_eq!(name, "heartbeat");
    let remaining = beat["session_remaining_s"].as_u64().unwrap();
    assert!((1700..=1800).contains(&remaining), "{remaining}");
    assert!(beat["time"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_phone_that_is_not_let_in_is_told_with_its_extension() {
    let world = World::new();
    let admin = world.admin();
    let failed = || world.get("/api/v1/failed-logins").cookie(&admin).send();
    assert_eq!(failed().await.code(), "exchange_unreachable");
    let _peer = world.peer();
    connected(&world, &admin).await;
    assert_eq!(
        failed().await.json(),
        json!({
            "extensions": [{
                "extension": 2,
                "time": "2027-01-15T08:00:00.000Z",
                "host": "192.0.2.7",
                "reason": "wrong_password",
            }],
            "unknown": [{
                "username": "phone7",
                "time": "2027-01-15T08:00:00.000Z",
                "host": "192.0.2.8",
                "times": 3,
            }],
        })
    );
}

#[tokio::test]
async fn what_is_used_of_the_fraud_protection_is_told() {
    let world = World::new();
    let admin = world.admin();
    let _peer = world.peer();
    connected(&world, &admin).await;
    let path = "/api/v1/fraud-protection/use";
    let used = world.get(path).cookie(&admin).send().await.json();
    let much = json!({ "calls": 2, "hour_s": 600, "day_s": 4000 });
    let one = json!({ "extension": 2, "used": much, "brake": "extension_hour",
        "at": "2027-01-15T08:00:00.000Z", "times": 3 });
    assert_eq!(used, json!({ "exchange": much, "extensions": [one] }));
}

#[tokio::test]
async fn the_last_phone_of_an_extension_is_told() {
    let world = World::new();
    let admin = world.admin();
    let last = |id: u32| {
        let path = format!("/api/v1/extensions/{id}/last-phone");
        world.get(&path).cookie(&admin).send()
    };
    assert_eq!(last(4).await.code(), "exchange_unreachable");
    let _peer = world.peer();
    connected(&world, &admin).await;
    assert_eq!(last(1).await.json(), json!({ "phone": null }));
    assert_eq!(
        last(4).await.json(),
        json!({
            "phone": {
                "address": "192.0.2.14:5060",
                "transport": "udp",
                "user_agent": "Desk 4",
                "until": "2027-01-15T08:00:00.000Z",
                "left": false,
            },
        })
    );
}

#[tokio::test]
async fn the_debug_log_is_begun_for_a_while_and_read_bit_by_bit() {
    let world = World::new();
    let admin = world.admin();
    let set = |body: Value| {
        world
            .put("/api/v1/debug-log")
            .cookie(&admin)
            .json(body)
            .send()
    };
    let wish = json!({ "messages": true, "decisions": false, "minutes": 15 });
    assert_eq!(set(wish.clone()).await.code(), "exchange_unreachable");
    let peer = world.peer();
    connected(&world, &admin).await;
    assert_eq!(set(wish).await.status, 204);
    assert_eq!(peer.debug(), Some((true, false, 15)));
    let row = &world
        .store
        .log_query(LogKind::Config, &LogQuery::default())
        .unwrap()[0];
    assert_eq!(
        row.text,
        "Began the Debug log of SIP messages for 15 minutes"
    );
    assert!(row.author.is_some());
    let long = json!({ "messages": true, "decisions": true, "minutes": 1441 });
    assert_eq!(
        set(long).await.fields(),
        [("/minutes".into(), "out_of_range".into())]
    );

    let read = |query: &str| {
        world
            .get(&format!("/api/v1/debug-log{query}"))
            .cookie(&admin)
            .send()
    };
    let log = read("").await.json();
    assert_eq!(log["until"], "2027-01-15T08:15:00.000Z");
    assert_eq!(
        (&log["messages"], &log["more"]),
        (&json!(true), &json!(false))
    );
    let ids = |log: &Value| -> Vec<i64> {
        let rows = log["rows"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&log), [3, 2, 1]);
    assert_eq!(log["rows"][0]["text"], "row 3\nof two lines");
    assert_eq!(ids(&read("?since=2").await.json()), [3]);
}

/// The items of the start page that need attention, by code.
async fn attention(world: &World, cookie: &str) -> std::collections::BTreeMap<String, Value> {
    let answer = world.get("/api/v1/dashboard").cookie(cookie).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.json()["attention"].as_array().unwrap().clone();
    items
        .into_iter()
        .map(|item| (item["code"].as_str().unwrap().to_owned(), item))
        .collect()
}

#[tokio::test]
async fn the_start_page_counts_and_says_what_needs_attention() {
    let world = World::new();
    let admin = world.admin();
    let alone = attention(&world, &admin).await;
    assert_eq!(alone["exchange_unreachable"]["severity"], "error");
    assert!(alone.contains_key("no_extensions"));

    for (number, password) in [
        ("101", "kR7mQ2xVb9Lp"),
        ("102", "password"),
        ("103", "kR7mQ2xVb9Lp"),
        ("104", "kR7mQ2xVb9Lp"),
    ] {
        let body = json!({ "number": number, "sip_password": password });
        let added = world
            .post("/api/v1/extensions")
            .cookie(&admin)
            .json(body)
            .send()
            .await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    for person in [
        json!({ "name": "winston", "full_name": "Winston Smith", "role": "read_only" }),
        // Nobody needs a password who may do nothing with it.
        json!({ "name": "julia", "role": "user" }),
    ] {
        let added = world
            .post("/api/v1/users")
            .cookie(&admin)
            .json(person)
            .send()
            .await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    let at = |hours: i64| WallTime::from_unix_seconds(now().as_unix_seconds() - hours * 60 * 60);
    for hours in [25, 3, 2] {
        let ended = Ended {
            at: at(hours),
            process: "pbxd".into(),
        };
        assert!(
            world
                .store
                .ending_append(&ended, LogKind::Warning, "it ended")
                .unwrap()
        );
    }
    let _peer = world.peer();
    connected(&world, &admin).await;
    let found = attention(&world, &admin).await;
    assert!(!found.contains_key("exchange_unreachable") && !found.contains_key("no_extensions"));
    let objects = |code: &str| found[code]["objects"].clone();
    let extension = |id: u32, name: &str| json!([{ "kind": "extension", "id": id, "name": name, "host": null, "time": null }]);
    assert_eq!(objects("weak_sip_password"), extension(2, "102"));
    assert_eq!(objects("extension_not_registered"), extension(4, "104"));
    // Its phone is there, but not let in: once is enough.
    let refused = &objects("phone_refused")[0];
    assert_eq!(
        (&refused["id"], &refused["host"]),
        (&json!(2), &json!("192.0.2.7"))
    );
    assert_eq!(refused["time"], "2027-01-15T08:00:00.000Z");
    let unknown = &objects("unknown_login")[0];
    assert_eq!(
        (&unknown["name"], &unknown["host"]),
        (&json!("phone7"), &json!("192.0.2.8"))
    );
    assert!(unknown["id"].is_null());
    // Registered, but nobody can call it.
    assert_eq!(objects("extension_reconnecting"), extension(3, "103"));
    let braked = &objects("fraud_limit_reached")[0];
    assert_eq!(
        (&braked["id"], &braked["name"], &braked["time"]),
        (&json!(2), &json!("102"), &json!("2027-01-15T08:00:00.000Z"))
    );
    assert_eq!(found["user_without_password"]["total"], 1);
    let nobody = &objects("user_without_password")[0];
    assert_eq!(nobody["name"], "Winston Smith");
    let restarted = &found["exchange_restarted"];
    assert_eq!(restarted["total"], 2);
    assert!(restarted["time"].is_string() && found["weak_sip_password"]["time"].is_null());
    assert!(!found.contains_key("administration_restarted"));
    assert!(!found.contains_key("interface_not_ready") && !found.contains_key("help_not_ready"));
    let provider = json!({
        "name": "provider1",
        "partner": "provider",
        "server": { "host": "192.0.2.50", "register": true, "username": "office" },
        "numbers": [],
        "prefix": "9",
    });
    let added = world
        .post("/api/v1/interfaces")
        .cookie(&admin)
        .json(provider)
        .send()
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    let numbers = json!({ "direct": true, "numbers": [{ "number": "112" }], "routes": [] });
    let set = world
        .put("/api/v1/emergency-numbers")
        .cookie(&admin)
        .header("If-Match", "*")
        .json(numbers)
        .send()
        .await;
    assert_eq!(set.status, 200, "{set:?}");
    let found = attention(&world, &admin).await;
    assert_eq!(
        found["interface_not_ready"]["objects"][0]["name"],
        "provider1"
    );
    assert_eq!(found["help_not_ready"]["severity"], "error");
    assert!(!found.contains_key("no_way_to_help"));
    let dashboard = world.get("/api/v1/dashboard").cookie(&admin).send().await;
    let dashboard = dashboard.json();
    assert_eq!(
        dashboard["extensions"],
        json!({ "total": 4, "active": 4, "registered": 2 })
    );
    assert_eq!(dashboard["status"]["exchange"]["calls"], 1);
    assert_eq!(dashboard["today"]["calls"], 0);
    assert!(dashboard["status"]["disk"]["used_bytes"].is_u64());
}

//! The machine under the exchange: what is asked of the supervisor's `system` child, and what is said
//! where there is none.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::World;
use common::machine::Machine;
use model::system::{
    KernelRow, Network, NetworkSettings, RemoteMenu, RemoteMenuSettings, Reply, Request, Slot,
    Slots, Time, TimeSettings, Upgrade,
};
use model::{Role, WallTime};
use serde_json::json;
use store::{LogKind, LogQuery};

fn slots(upgrade: Upgrade) -> Reply {
    Reply::Slots(Slots {
        running: Slot::A,
        version: "0.1.0".into(),
        confirmed: Slot::A,
        other_version: None,
        upgrade,
    })
}

fn network(settings: NetworkSettings, confirm_within_s: Option<u32>) -> Reply {
    Reply::Network(Network {
        settings,
        interfaces: Vec::new(),
        gateway: None,
        dns: Vec::new(),
        confirm_within_s,
    })
}

/// Who did what, as the Config log has it, the newest first.
fn logged(world: &World) -> Vec<(String, String)> {
    let query = LogQuery {
        limit: 50,
        ..LogQuery::default()
    };
    let rows = world.store.log_query(LogKind::Config, &query).unwrap();
    rows.into_iter()
        .map(|row| (row.author.map_or_else(String::new, |a| a.name), row.text))
        .collect()
}

fn uploads(dir: &Path) -> usize {
    fs::read_dir(dir.join("upload")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_machine_of_somebody_else_is_not_administered() {
    let world = World::new();
    let admin = world.admin();
    for path in ["slots", "health", "network", "time", "remote-menu"] {
        let path = format!("/api/v1/system/{path}");
        let answer = world.get(&path).cookie(&admin).send().await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.code(), "no_system", "{path}");
    }
    let ask = world.post("/api/v1/system/upgrade").cookie(&admin);
    let answer = ask.body("application/octet-stream", "x").send().await;
    assert_eq!(answer.code(), "no_system");
    assert_eq!(uploads(world.dir.path()), 0);
    let _machine = Machine::start(world.dir.path(), |_| Reply::ReadOnly);
    let ask = world.post("/api/v1/system/reboot").cookie(&admin);
    assert_eq!(ask.send().await.code(), "no_system");
}

#[tokio::test]
async fn what_is_done_is_in_the_config_log_with_who_did_it() {
    let world = World::new();
    let machine = Machine::start(world.dir.path(), |_| Reply::Done);
    let admin = world.admin();
    for (path, request, text) in [
        ("reboot", Request::Reboot, "Restarted the machine"),
        ("power-off", Request::PowerOff, "Powered the machine off"),
        (
            "restart-exchange",
            Request::RestartExchange,
            "Restarted the exchange",
        ),
        (
            "factory-reset",
            Request::FactoryReset,
            "Reset the machine to the factory settings",
        ),
    ] {
        let path = format!("/api/v1/system/{path}");
        let answer = world.post(&path).cookie(&admin).send().await;
        assert_eq!(answer.status, 204, "{path}");
        let asked = machine.asked().pop().unwrap();
        assert_eq!(asked.request, request);
        assert_eq!(logged(&world)[0], (asked.by, text.to_owned()));
    }
}

#[tokio::test]
async fn the_menu_over_ssh_is_switched_on_for_keys() {
    let world = World::new();
    let machine = Machine::start(world.dir.path(), |ask| match &ask.request {
        Request::SetRemoteMenu { settings } if settings.keys == ["no key"] => Reply::Refused {
            field: "keys[0]".into(),
            text: "this is no public key".into(),
        },
        Request::SetRemoteMenu { settings } => Reply::RemoteMenu(RemoteMenu {
            settings: settings.clone(),
            fingerprint: Some("SHA256:x".into()),
        }),
        _ => Reply::RemoteMenu(RemoteMenu {
            settings: RemoteMenuSettings::default(),
            fingerprint: None,
        }),
    });
    let admin = world.admin();
    let path = "/api/v1/system/remote-menu";
    let answer = world.get(path).cookie(&admin).send().await;
    let off = json!({ "settings": { "enabled": false, "keys": [] }, "fingerprint": null });
    assert_eq!(answer.json(), off);

    let settings = json!({ "enabled": true, "keys": ["ssh-ed25519 AAAA me"] });
    let answer = world
        .put(path)
        .header("If-Match", "*")
        .cookie(&admin)
        .json(settings.clone())
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["settings"], settings);
    assert_eq!(answer.json()["fingerprint"], "SHA256:x");
    let (by, text) = logged(&world).swap_remove(0);
    assert_eq!(text, "Switched the menu over SSH on (1 keys)");
    assert_eq!(machine.asked().pop().unwrap().by, by);

    let wrong = json!({ "enabled": true, "keys": ["no key"] });
    let answer = world
        .put(path)
        .header("If-Match", "*")
        .cookie(&admin)
        .json(wrong)
        .send()
        .await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["errors"][0]["pointer"], "/keys/0");

    let (_, reader) = world.session(Role::ReadOnly);
    let answer = world
        .put(path)
        .header("If-Match", "*")
        .cookie(&reader)
        .json(settings.clone())
        .send()
        .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn who_may_only_read_changes_nothing() {
    let world = World::new();
    let machine = Machine::start(world.dir.path(), |_| slots(Upgrade::None));
    let (_, reader) = world.session(Role::ReadOnly);
    let ask = world.get("/api/v1/system/slots").cookie(&reader);
    assert_eq!(ask.send().await.status, 200);
    for path in ["upgrade", "reboot", "power-off", "factory-reset"] {
        let path = format!("/api/v1/system/{path}");
        let answer = world.post(&path).cookie(&reader).send().await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(machine.asked().len(), 1);
    assert_eq!(uploads(world.dir.path()), 0);
}

#[tokio::test]
async fn an_update_file_larger_than_other_bodies_is_received_and_handed_on() {
    let world = World::new();
    let dir = world.dir.path().to_owned();
    // What an end of the process left there.
    fs::create_dir(dir.join("upload")).unwrap();
    fs::write(dir.join("upload/old.update"), "half").unwrap();
    let data = dir.clone();
    let machine = Machine::start(&dir, move |ask| match &ask.request {
        Request::Upgrade { file } => {
            let path = data.join("upload").join(file);
            assert_eq!(fs::read(&path).unwrap(), vec![b'u'; 3_000_000]);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o640);
            slots(Upgrade::Writing {
                version: String::new(),
                per_cent: 0,
            })
        }
        _ => slots(Upgrade::Failed {
            version: None,
            reason: "the file is for the board a, this is b".into(),
        }),
    });
    let admin = world.admin();
    let ask = world.get("/api/v1/system/slots").cookie(&admin);
    let before = ask.send().await.json();
    assert_eq!(before["upgrade"]["state"], "failed");
    assert_eq!(
        before["upgrade"]["reason"],
        "the file is for the board a, this is b"
    );
    assert_eq!(before["upgrade"]["fault"], "other_board");
    let file = "u".repeat(3_000_000);
    let ask = world.post("/api/v1/system/upgrade").cookie(&admin);
    let answer = ask.body("application/octet-stream", &file).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["upgrade"]["state"], "writing");
    assert_eq!(answer.json()["upgrade"]["version"], json!(null));
    assert!(
        logged(&world)[0]
            .1
            .starts_with("Uploaded an upgrade of 3000000")
    );
    assert_eq!(machine.asked().len(), 3);
    assert_eq!(uploads(&dir), 1, "the old one is gone");
}

#[tokio::test]
async fn a_file_that_is_not_taken_is_removed() {
    let world = World::new();
    let _machine = Machine::start(world.dir.path(), |ask| match ask.request {
        Request::Upgrade { .. } => Reply::Refused {
            field: "file".into(),
            text: "the running system has not proved itself yet".into(),
        },
        _ => slots(Upgrade::None),
    });
    let admin = world.admin();
    let ask = world.post("/api/v1/system/upgrade").cookie(&admin);
    let answer = ask.body("application/octet-stream", "x").send().await;
    assert_eq!(answer.code(), "upgrade_under_way");
    assert!(answer.text.contains("not proved itself"));
    assert_eq!(uploads(world.dir.path()), 0);
    let text = &logged(&world)[0].1;
    assert!(!text.contains("upgrade"), "{text}");
}

#[tokio::test]
async fn a_file_that_may_have_been_taken_stays_until_the_next_one() {
    let world = World::new();
    let machine = Machine::start(world.dir.path(), |ask| match ask.request {
        Request::Upgrade { .. } => None,
        _ => Some(slots(Upgrade::None)),
    });
    let admin = world.admin();
    for _ in 0..2 {
        let ask = world.post("/api/v1/system/upgrade").cookie(&admin);
        let answer = ask.body("application/octet-stream", "x").send().await;
        assert_eq!(answer.code(), "busy");
        assert!(answer.text.contains("see how far"), "{answer:?}");
        assert_eq!(uploads(world.dir.path()), 1);
    }
    assert_eq!(machine.asked().len(), 4);
}

#[tokio::test]
async fn a_file_too_large_is_refused_before_it_is_sent() {
    let world = World::new();
    let _machine = Machine::start(world.dir.path(), |_| slots(Upgrade::None));
    let admin = world.admin();
    let ask = world.post("/api/v1/system/upgrade").cookie(&admin);
    let ask = ask.header("Content-Length", "268435457");
    let answer = ask.body("application/octet-stream", "x").send().await;
    assert_eq!(answer.code(), "too_large");
    assert_eq!(uploads(world.dir.path()), 0);
}

#[tokio::test]
async fn nothing_is_received_while_an_upgrade_is_written() {
    let world = World::new();
    let _machine = Machine::start(world.dir.path(), |_| {
        slots(Upgrade::Writing {
            version: "0.2.0".into(),
            per_cent: 40,
        })
    });
    let admin = world.admin();
    let ask = world.post("/api/v1/system/upgrade").cookie(&admin);
    let answer = ask.body("application/octet-stream", "x").send().await;
    assert_eq!(answer.code(), "upgrade_under_way");
    assert_eq!(uploads(world.dir.path()), 0);
}

#[tokio::test]
async fn the_network_is_changed_and_confirmed() {
    let world = World::new();
    let machine = Machine::start(world.dir.path(), |ask| match &ask.request {
        Request::SetNetwork { settings } => network(settings.clone(), Some(120)),
        _ => Reply::Failed {
            text: "there is no change to confirm".into(),
        },
    });
    let admin = world.admin();
    let wished = json!({
        "host_name": "box",
        "interfaces": [
            { "name": "eth0", "dhcp": false, "address": "10.10.10.1/24" },
            { "name": "eth1", "dhcp": true, "address": null },
        ],
        "gateway": "10.10.10.254",
        "dns": ["10.10.10.254"],
    });
    let ask = world
        .put("/api/v1/system/network")
        .header("If-Match", "*")
        .cookie(&admin);
    let answer = ask.json(wished.clone()).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["settings"], wished);
    assert_eq!(answer.json()["confirm_within_s"], 120);
    assert_eq!(
        logged(&world)[0].1,
        "Changed the network: box (eth0 10.10.10.1/24, eth1 DHCP)"
    );
    let ask = world.post("/api/v1/system/network/confirm").cookie(&admin);
    let answer = ask.send().await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (500, "system_failed".into())
    );
    assert!(answer.text.contains("no change to confirm"));
    assert_eq!(machine.asked().len(), 2);
}

#[tokio::test]
async fn a_network_no_machine_can_have_is_refused_by_field() {
    let world = World::new();
    let machine = Machine::start(world.dir.path(), |_| Reply::Refused {
        field: "interfaces[0].address".into(),
        text: "both ports are in one network".into(),
    });
    let admin = world.admin();
    let put = |body| {
        world
            .put("/api/v1/system/network")
            .header("If-Match", "*")
            .cookie(&admin)
            .json(body)
    };
    let answer = put(json!({
        "host_name": "box",
        "interfaces": [
            { "name": "eth0", "dhcp": false, "address": "10.10.10.0/24" },
            { "name": "eth1", "dhcp": false },
        ],
        "gateway": "nowhere",
        "dns": ["10.1.1.1", "x"],
    }));
    let fields = answer.send().await.fields();
    let pointers: Vec<&str> = fields.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/interfaces/0/address",
            "/interfaces/1/address",
            "/gateway",
            "/dns/1"
        ]
    );
    assert!(machine.asked().is_empty());
    let answer = put(json!({
        "host_name": "box",
        "interfaces": [{ "name": "eth0", "dhcp": true }],
    }));
    let fields = answer.send().await.fields();
    assert_eq!(fields[0].0, "/interfaces/0/address");
}

#[tokio::test]
async fn the_clock_is_shown_and_set() {
    let world = World::new();
    let machine = Machine::start(world.dir.path(), |ask| {
        let time = |zone: &str, servers: Vec<String>, at: i64| {
            Reply::Time(Time {
                settings: TimeSettings {
                    zone: zone.into(),
                    servers,
                },
                now: WallTime::from_unix_micros(at),
                synchronised: None,
                offset_ms: None,
            })
        };
        match &ask.request {
            Request::SetTime { settings } if settings.zone == "Nowhere" => Reply::Refused {
                field: "zone".into(),
                text: "there is no such zone".into(),
            },
            Request::SetTime { settings } => time(&settings.zone, settings.servers.clone(), 0),
            Request::SetClock { now } => time("UTC", Vec::new(), now.as_unix_micros()),
            _ => time("Europe/Prague", vec!["pool.ntp.org".into()], 0),
        }
    });
    let admin = world.admin();
    let shown = world.get("/api/v1/system/time").cookie(&admin).send().await;
    assert_eq!(shown.json()["settings"]["servers"], json!(["pool.ntp.org"]));
    assert_eq!(shown.json()["synchronised"], json!(null));

    let put = |body| {
        world
            .put("/api/v1/system/time")
            .header("If-Match", "*")
            .cookie(&admin)
            .json(body)
    };
    let wished = json!({ "zone": "Asia/Tokyo", "servers": ["10.1.1.1"] });
    let answer = put(wished.clone()).send().await;
    assert_eq!(answer.json()["settings"], wished);
    assert_eq!(
        logged(&world)[0].1,
        "Changed the time: Asia/Tokyo (10.1.1.1)"
    );
    let answer = put(json!({ "zone": "Nowhere" })).send().await;
    assert_eq!(answer.fields()[0].0, "/zone");

    let set = |now: &str| {
        let ask = world.post("/api/v1/system/clock").cookie(&admin);
        ask.json(json!({ "now": now }))
    };
    let answer = set("2026-11-22T08:35:53+01:00").send().await;
    assert_eq!(answer.json()["now"], "2026-11-22T07:35:53.000Z");
    assert_eq!(
        logged(&world)[0].1,
        "Set the clock to 2026-11-22T07:35:53.000Z"
    );
    let answer = set("noon").send().await;
    assert_eq!(answer.fields()[0].0, "/now");
    assert_eq!(machine.asked().len(), 4);
}

#[tokio::test]
async fn the_kernels_log_is_told_from_a_row_on_and_only_of_a_box() {
    let world = World::new();
    let admin = world.admin();
    let row = |number: u64, seconds: i64| KernelRow {
        number,
        at: WallTime::from_unix_seconds(1_800_000_000 + seconds),
        level: 6,
        text: format!("row {number}"),
    };
    let machine = Machine::start(world.dir.path(), move |ask| match &ask.request {
        Request::KernelLog { after: None } => Reply::KernelLog {
            rows: vec![row(7, 0), row(8, 1)],
        },
        Request::KernelLog { after: Some(8) } => Reply::KernelLog {
            rows: vec![row(9, 2)],
        },
        _ => Reply::ReadOnly,
    });
    let log = |query: &str| {
        let path = format!("/api/v1/system/kernel-log{query}");
        world.get(&path).cookie(&admin).send()
    };
    let rows = log("").await.json()["rows"].clone();
    assert_eq!(
        (rows[0]["id"].clone(), rows.as_array().unwrap().len()),
        (json!(8), 2)
    );
    assert_eq!(rows[1]["text"], "row 7");
    assert_eq!(rows[1]["time"], "2027-01-15T08:00:00.000Z");
    assert_eq!(log("?since=8").await.json()["rows"][0]["text"], "row 9");
    // A developer's machine is nobody's business here.
    assert_eq!(log("?since=9").await.code(), "no_system");
    assert_eq!(log("?since=-1").await.status, 400);
    assert_eq!(machine.asked().len(), 3);
}

#[tokio::test]
async fn who_did_not_see_the_last_change_of_the_machine_changes_nothing() {
    let world = World::new();
    let kept = std::sync::Mutex::new((
        TimeSettings {
            zone: "UTC".into(),
            servers: Vec::new(),
        },
        RemoteMenuSettings::default(),
    ));
    let machine = Machine::start(world.dir.path(), move |ask| {
        let mut kept = kept.lock().unwrap();
        match &ask.request {
            Request::SetTime { settings } => kept.0 = settings.clone(),
            Request::SetRemoteMenu { settings } => kept.1 = settings.clone(),
            _ => {}
        }
        match ask.request {
            Request::RemoteMenu | Request::SetRemoteMenu { .. } => Reply::RemoteMenu(RemoteMenu {
                settings: kept.1.clone(),
                fingerprint: None,
            }),
            _ => Reply::Time(Time {
                settings: kept.0.clone(),
                now: WallTime::from_unix_micros(0),
                synchronised: None,
                offset_ms: None,
            }),
        }
    });
    let admin = world.admin();
    let time = |zone: &str| json!({ "zone": zone, "servers": [] });
    let keys =
        |name: &str| json!({ "enabled": true, "keys": [format!("ssh-ed25519 AAAA {name}")] });
    for (path, mine, theirs) in [
        (
            "/api/v1/system/time",
            time("Asia/Tokyo"),
            time("Europe/Prague"),
        ),
        ("/api/v1/system/remote-menu", keys("me"), keys("other")),
    ] {
        let seen = world.get(path).cookie(&admin).send().await;
        let tag = seen.header("etag").to_owned();
        let put = |tag: &str, body: &serde_json::Value| {
            let ask = world.put(path).header("If-Match", tag).cookie(&admin);
            ask.json(body.clone()).send()
        };
        let first = put(&tag, &theirs).await;
        assert_eq!(first.status, 200, "{first:?}");
        let before = machine.asked().len();
        let late = put(&tag, &mine).await;
        assert_eq!(
            (late.status.as_u16(), late.code().as_str()),
            (412, "changed")
        );
        assert_eq!(late.json()["current_etag"], first.header("etag"));
        assert_eq!(machine.asked().len(), before + 1, "only looked at");
        let shown = world.get(path).cookie(&admin).send().await;
        assert_eq!(shown.json()["settings"], theirs);
        assert_eq!(put(shown.header("etag"), &mine).await.status, 200);
        let careless = world.put(path).cookie(&admin).json(mine).send().await;
        assert_eq!(careless.code(), "if_match_required");
    }
}

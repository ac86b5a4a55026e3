//! Getting in: the first visit, logging in and out, guessing, other sites, other names.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{PASSWORD, World, now};
use model::Role;
use serde_json::json;
use store::{LogKind, LogQuery};

fn log(world: &World, kind: LogKind) -> Vec<String> {
    let rows = world.store.log_query(kind, &LogQuery::default()).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

async fn log_in(world: &World, name: &str, password: &str) -> common::Answer {
    world
        .post("/api/v1/session")
        .json(json!({ "name": name, "password": password }))
        .send()
        .await
}

#[tokio::test]
async fn the_first_visit_sets_the_password_once() {
    let world = World::untouched();
    let answer = world.get("/api/v1/first-visit").send().await;
    assert_eq!(answer.json(), json!({ "needed": true, "account": "Admin" }));
    let refused = log_in(&world, "Admin", PASSWORD).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (409, "first_visit")
    );

    let weak = world
        .post("/api/v1/first-visit")
        .json(json!({ "password": "password" }))
        .send()
        .await;
    assert_eq!(weak.status, 422);
    assert_eq!(
        weak.fields(),
        [("/password".into(), "common_password".into())]
    );

    let set = |password: &str| {
        world
            .post("/api/v1/first-visit")
            .json(json!({ "password": password }))
            .send()
    };
    let (one, other) = tokio::join!(set("the first of two"), set("the second of two"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409], "{one:?} {other:?}");
    let (right, wrong) = if one.status == 204 {
        ("the first of two", "the second of two")
    } else {
        ("the second of two", "the first of two")
    };
    assert_eq!(log_in(&world, "Admin", right).await.status, 200);
    assert_eq!(log_in(&world, "Admin", wrong).await.status, 401);
    assert_eq!(set("yet another one").await.code(), "first_visit_over");
}

#[tokio::test]
async fn a_box_without_its_data_lets_nobody_set_the_first_password() {
    let world = World::without_its_data();
    let answer = world.get("/api/v1/first-visit").send().await;
    assert_eq!(
        answer.json(),
        json!({ "needed": false, "account": "Admin" })
    );
    let refused = world
        .post("/api/v1/first-visit")
        .json(json!({ "password": PASSWORD }))
        .send()
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (409, "first_visit_over")
    );
    assert_eq!(log_in(&world, "Admin", PASSWORD).await.status, 401);
    assert!(world.store.needs_first_password().unwrap());
}

#[tokio::test]
async fn logging_in_makes_a_new_session_and_logging_out_ends_it() {
    let world = World::with_password().await;
    let first = log_in(&world, "admin", PASSWORD).await;
    assert_eq!(first.status, 200, "{first:?}");
    let cookie = first.header("set-cookie");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    assert_eq!(first.json()["user"]["name"], "Admin");
    assert_eq!(first.json()["user"]["role"], "read_write");
    assert!(
        log(&world, LogKind::Config)
            .contains(&"Admin - session opened for host 192.0.2.1".to_owned())
    );

    let second = world
        .post("/api/v1/session")
        .cookie(&first.cookie())
        .json(json!({ "name": "Admin", "password": PASSWORD }))
        .send()
        .await;
    assert_ne!(second.cookie(), first.cookie());
    let who = |cookie: String| world.get("/api/v1/session").cookie(&cookie).send();
    assert_eq!(who(first.cookie()).await.code(), "not_logged_in");
    assert_eq!(who(second.cookie()).await.status, 200);

    let out = world
        .delete("/api/v1/session")
        .cookie(&second.cookie())
        .send()
        .await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(who(second.cookie()).await.status, 401);
}

#[tokio::test]
async fn a_stranger_sends_less_than_who_has_logged_in() {
    let world = World::new();
    let name = "x".repeat(4096);
    let stranger = world
        .post("/api/v1/session")
        .json(json!({ "name": name, "password": "p" }));
    assert_eq!(stranger.send().await.code(), "too_large");
    let admin = world.admin();
    let administrator = world
        .post("/api/v1/users")
        .cookie(&admin)
        .json(json!({ "name": name }));
    assert_eq!(administrator.send().await.code(), "invalid");
}

#[tokio::test]
async fn a_wrong_name_is_answered_as_a_wrong_password_is() {
    let world = World::with_password().await;
    let wrong = log_in(&world, "Admin", "wrong horse battery").await;
    let unknown = log_in(&world, "Nobody", "wrong horse battery").await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.text, unknown.text);
    let rows = log(&world, LogKind::Security);
    assert_eq!(
        rows[1],
        "Admin - login failed for host 192.0.2.1: wrong password"
    );
    assert_eq!(rows[0], "Login failed for host 192.0.2.1: unknown user");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_is_not_locked_out() {
    let world = World::with_password().await;
    let home = [198, 51, 100, 1];
    let at_home = || {
        world
            .post("/api/v1/session")
            .from(home)
            .json(json!({ "name": "Admin", "password": PASSWORD }))
            .send()
    };
    assert_eq!(at_home().await.status, 200);
    let mut refused = 0;
    for n in 0..12 {
        let answer = world
            .post("/api/v1/session")
            .from([203, 0, 113, n])
            .json(json!({ "name": "Admin", "password": "guess guess" }))
            .send()
            .await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "too_many_attempts");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
            refused += 1;
        }
    }
    assert!(refused >= 5, "{refused}");
    assert_eq!(at_home().await.status, 200);
}

#[tokio::test]
async fn too_many_at_once_are_told_to_come_again() {
    let world = World::with_password().await;
    let mut statuses = Vec::new();
    let tries = (0..40).map(|n| {
        world
            .post("/api/v1/session")
            .from([203, 0, 113, n])
            .json(json!({ "name": format!("user{n}"), "password": "guess guess" }))
            .send()
    });
    for answer in futures_util::future::join_all(tries).await {
        if answer.status == 503 {
            assert_eq!(answer.code(), "busy");
            assert_eq!(answer.header("retry-after"), "5");
        }
        statuses.push(answer.status.as_u16());
    }
    assert!(
        statuses.contains(&401) && statuses.contains(&503),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn sessions_end_with_what_they_stand_on() {
    let world = World::new();
    let admin = world.admin();
    let who = |cookie: &str| {
        let ask = world.get("/api/v1/session").cookie(cookie);
        async { ask.send().await.status.as_u16() }
    };
    let body = |role: &str, enabled: bool, n: u32| {
        json!({ "name": format!("changed{n}"), "full_name": "", "language": "en", "role": role,
            "enabled": enabled })
    };

    let (user, cookie) = world.session(Role::ReadOnly);
    let path = format!("/api/v1/users/{user}");
    let change = world.put(&path).cookie(&admin).header("If-Match", "*");
    assert_eq!(
        change.json(body("read_only", false, 1)).send().await.status,
        200
    );
    assert_eq!(who(&cookie).await, 401, "disabled");

    let (user, cookie) = world.session(Role::ReadOnly);
    let path = format!("/api/v1/users/{user}");
    let change = world.put(&path).cookie(&admin).header("If-Match", "*");
    assert_eq!(change.json(body("user", true, 2)).send().await.status, 200);
    assert_eq!(who(&cookie).await, 401, "another role");

    let (user, cookie) = world.session(Role::ReadOnly);
    let path = format!("/api/v1/users/{user}/password");
    let set = world.put(&path).cookie(&admin);
    let set = set
        .json(json!({ "password": "a new password" }))
        .send()
        .await;
    assert_eq!(set.status, 204);
    assert_eq!(who(&cookie).await, 401, "another password");

    let (user, cookie) = world.session(Role::ReadOnly);
    let path = format!("/api/v1/users/{user}");
    let gone = world.delete(&path).cookie(&admin).header("If-Match", "*");
    assert_eq!(gone.send().await.status, 204);
    assert_eq!(who(&cookie).await, 401, "removed");
    assert_eq!(who(&admin).await, 200);
}

#[tokio::test]
async fn ones_own_password_needs_the_old_one_and_keeps_the_session() {
    let world = World::with_password().await;
    let here = log_in(&world, "Admin", PASSWORD).await.cookie();
    let there = log_in(&world, "Admin", PASSWORD).await.cookie();
    let set = |current: &str, new: &str| {
        world
            .put("/api/v1/session/password")
            .cookie(&here)
            .json(json!({ "current": current, "password": new }))
            .send()
    };
    let wrong = set("not my password", "another password").await;
    assert_eq!(
        wrong.fields(),
        [("/current".into(), "wrong_password".into())]
    );
    assert_eq!(set(PASSWORD, "admin").await.fields()[0].0, "/password");
    assert_eq!(set(PASSWORD, "another password").await.status, 204);
    let status = |cookie: &str| {
        let ask = world.get("/api/v1/session").cookie(cookie);
        async { ask.send().await.status.as_u16() }
    };
    assert_eq!(status(&here).await, 200);
    assert_eq!(status(&there).await, 401);
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let world = World::new();
    let (_, cookie) = world.session(Role::ReadWrite);
    let post = || {
        world
            .post("/api/v1/users")
            .header("Cookie", &cookie)
            .json(json!({}))
    };
    let code = |answer: common::Answer| (answer.status.as_u16(), answer.code());
    let refused = (403, "cross_site".to_owned());
    assert_eq!(code(post().send().await), refused);
    assert_eq!(
        code(post().header("Sec-Fetch-Site", "cross-site").send().await),
        refused
    );
    assert_eq!(
        code(post().header("Sec-Fetch-Site", "same-site").send().await),
        refused
    );
    assert_eq!(
        code(post().header("Origin", "https://evil.test").send().await),
        refused
    );
    for (name, value) in [
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "https://127.0.0.1:4021"),
        ("X-Requested-With", "curl"),
    ] {
        let answer = post().header(name, value).send().await;
        assert_eq!(answer.status, 422, "{name}: {value}");
    }
    let login = world
        .post("/api/v1/session")
        .header("Sec-Fetch-Site", "cross-site")
        .json(json!({ "name": "Admin", "password": "x" }));
    assert_eq!(code(login.send().await), refused);
}

#[tokio::test]
async fn a_name_that_is_not_the_boxs_is_refused() {
    let world = World::new();
    for good in ["127.0.0.1:4021", "[::1]:4021", "localhost", "PBX.test:4021"] {
        let answer = world.get("/api/v1/first-visit").host(good).send().await;
        assert_eq!(answer.status, 200, "{good}");
    }
    for bad in ["evil.test", "pbx.test.evil.test:4021", ""] {
        let answer = world.get("/api/v1/first-visit").host(bad).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (421, "unknown_host")
        );
    }
}

#[tokio::test]
async fn every_answer_is_closed_against_misuse() {
    let world = World::new();
    for path in [
        "/admin",
        "/api/v1/session",
        "/nothing",
        "/api/v1/openapi.json",
    ] {
        let answer = world.get(path).send().await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        // The pages are kept and looked at anew each time; whether they were built is not known here.
        if path != "/admin" {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("strict-transport-security"), "");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn an_idle_session_ends() {
    let world = World::new();
    let (user, cookie) = world.session(Role::ReadOnly);
    let token = model::Secret::new(cookie.split_once('=').unwrap().1);
    let later = now() + std::time::Duration::from_secs(1801);
    assert!(world.store.session_lookup(later, &token).unwrap().is_none());
    let _ = user;
}

#[tokio::test]
async fn what_a_page_asks_by_itself_keeps_no_session_open() {
    let world = World::new();
    let (user, _) = world.session(Role::ReadOnly);
    let token = model::Secret::new("t".repeat(43));
    let session = store::NewSession {
        token: token.clone(),
        user,
        address: "192.0.2.1".into(),
        idle: std::time::Duration::from_secs(1800),
        absolute: std::time::Duration::from_secs(43200),
    };
    let begun = model::WallTime::from_unix_micros(now().as_unix_micros() - 600_000_000);
    world.store.session_create(begun, &session).unwrap();
    let cookie = format!("__Host-session={}", token.expose());
    let used = || {
        let session = world.store.session_peek(now(), &token).unwrap().unwrap();
        session.last_seen != begun
    };
    let poll = world.get("/api/v1/calls").cookie(&cookie);
    assert_eq!(poll.header("X-Unattended", "1").send().await.status, 503);
    let asks = world.get("/api/v1/session").cookie(&cookie);
    assert_eq!(asks.header("X-Unattended", "1").send().await.status, 200);
    let stream = world.get("/api/v1/events").cookie(&cookie).open().await;
    assert_eq!(stream.status(), 200);
    assert!(!used());
    let asked = world.get("/api/v1/session").cookie(&cookie).send().await;
    assert_eq!(asked.status, 200);
    assert!(used());
}

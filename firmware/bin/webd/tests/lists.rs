//! Lists for pages: searched, sorted, cut; what depends on what; what one changes about oneself.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{World, eventually};
use model::Role;
use serde_json::{Value, json};

async fn add(world: &World, cookie: &str, path: &str, body: Value) -> u64 {
    let added = world.post(path).cookie(cookie).json(body).send().await;
    assert_eq!(added.status, 201, "{added:?}");
    added.json()["id"].as_u64().unwrap()
}

/// A field of the rows of a list, and how many rows there are on all pages.
async fn column(world: &World, cookie: &str, path: &str, field: &str) -> (Vec<Value>, u64) {
    let answer = world
        .get(&format!("/api/v1/{path}"))
        .cookie(cookie)
        .send()
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let json = answer.json();
    let rows = ["users", "extensions", "lines"]
        .into_iter()
        .find_map(|name| json[name].as_array())
        .unwrap();
    let column = rows.iter().map(|row| row[field].clone()).collect();
    (column, json["total"].as_u64().unwrap())
}

/// Three people with an extension each, and one extension of nobody.
async fn office() -> (World, String) {
    let world = World::new();
    let admin = world.admin();
    for (name, full_name, role, number, description) in [
        ("jana", "Jana Dvořáková", "read_only", "103", "Účtárna"),
        ("Adam", "Šimon Černý", "user", "101", "Reception"),
        ("zoe", "", "user", "102", "Lab"),
    ] {
        let body = json!({ "name": name, "full_name": full_name, "role": role });
        let user = add(&world, &admin, "/api/v1/users", body).await;
        let body = json!({ "number": number, "description": description, "user": user });
        add(&world, &admin, "/api/v1/extensions", body).await;
    }
    let body = json!({ "number": "200", "enabled": false });
    add(&world, &admin, "/api/v1/extensions", body).await;
    (world, admin)
}

#[tokio::test]
async fn users_are_found_sorted_and_paged() {
    let (world, admin) = office().await;
    let names = async |query: &str| {
        let path = format!("users?{query}");
        let (names, total) = column(&world, &admin, &path, "name").await;
        let names: Vec<String> = names
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            // Admin and the user of the test.
            .filter(|name| name != "Admin" && !name.starts_with("someone"))
            .collect();
        (names, total)
    };
    assert_eq!(
        names("").await,
        (vec!["Adam".into(), "jana".into(), "zoe".into()], 5)
    );
    assert_eq!(names("search=DVORAK").await, (vec!["jana".into()], 1));
    assert_eq!(names("search=102").await, (vec!["zoe".into()], 1));
    assert_eq!(names("role=user").await.1, 2);
    assert_eq!(names("sort=full_name&role=user").await.0, ["zoe", "Adam"]);
    assert_eq!(names("sort=role&order=descending").await.0[0], "jana");
    assert_eq!(names("sort=extension&role=user").await.0, ["Adam", "zoe"]);
    assert_eq!(names("offset=1&limit=1").await, (vec![], 5));
    assert_eq!(names("enabled=false").await.1, 0);
}

#[tokio::test]
async fn extensions_are_found_sorted_and_paged() {
    let (world, admin) = office().await;
    let numbers = async |query: &str| {
        let path = format!("extensions?{query}");
        column(&world, &admin, &path, "number").await
    };
    assert_eq!(numbers("").await.0, ["101", "102", "103", "200"]);
    assert_eq!(
        numbers("limit=2&offset=1&order=descending").await.0,
        ["103", "102"]
    );
    assert_eq!(numbers("search=uctarna").await, (vec![json!("103")], 1));
    assert_eq!(numbers("search=simon").await.0, ["101"]);
    assert_eq!(numbers("enabled=false").await.0, ["200"]);
    assert_eq!(numbers("sort=user").await.0, ["200", "103", "101", "102"]);
    assert_eq!(
        numbers("registered=true").await.1,
        0,
        "the exchange is not there"
    );

    let of = async |query: &str, field: &str| {
        let path = format!("extensions?{query}");
        column(&world, &admin, &path, field).await.0[0].clone()
    };
    assert_eq!(of("search=101", "user_name").await, "Šimon Černý");
    assert_eq!(of("search=102", "user_name").await, "zoe");
    assert_eq!(of("search=200", "user_name").await, json!(null));
    assert_eq!(of("search=101", "password_is_weak").await, false);
    assert_eq!(of("search=101", "phones").await, json!(null));

    // The exchange of the tests has a phone of each extension with the ids 1 and 3.
    let _peer = world.peer();
    eventually("the exchange is reached", async || {
        of("search=103", "phones").await == 1
    })
    .await;
    assert_eq!(numbers("registered=true").await.0, ["102", "103"]);
    assert_eq!(numbers("registered=false").await.1, 2);
    assert_eq!(
        numbers("sort=phones&order=descending&limit=1").await.0,
        ["103"]
    );
}

#[tokio::test]
async fn the_dial_plan_is_found_sorted_and_paged() {
    let (world, admin) = office().await;
    let numbers = async |query: &str| {
        let path = format!("dial-plan?{query}");
        column(&world, &admin, &path, "number").await
    };
    let help = ["112", "150", "155", "156", "158"];
    let all = [&["101", "102", "103"][..], &help[..], &["200"]].concat();
    assert_eq!(numbers("").await.0, all);
    assert_eq!(numbers("search=lab").await, (vec![json!("102")], 1));
    assert_eq!(
        numbers("sort=description&offset=5&limit=2").await.0,
        ["200", "102"]
    );
    let by_kind = [&["101", "102", "103", "200"][..], &help[..]].concat();
    assert_eq!(numbers("sort=kind").await.0, by_kind);
    let all = world.get("/api/v1/dial-plan?limit=501").cookie(&admin);
    assert_eq!(all.send().await.code(), "invalid_query");
}

#[tokio::test]
async fn before_a_removal_it_is_told_what_depends_on_it() {
    let (world, admin) = office().await;
    let dependents = async |path: &str| {
        let path = format!("/api/v1/{path}/dependents");
        let answer = world.get(&path).cookie(&admin).send().await;
        answer.json()["dependents"].clone()
    };
    let (users, _) = column(&world, &admin, "users?search=jana", "id").await;
    assert_eq!(
        dependents(&format!("users/{}", users[0])).await,
        json!([{ "kind": "extension", "id": 1, "name": "103" }])
    );
    assert_eq!(dependents("users/1").await, json!([]));
    assert_eq!(dependents("extensions/1").await, json!([]));
    let _peer = world.peer();
    let phone = json!([{ "kind": "phone", "id": null, "name": "Phone 1.0 (192.0.2.9:5060)" }]);
    eventually("the exchange is reached", async || {
        dependents("extensions/1").await == phone
    })
    .await;
    assert_eq!(dependents("extensions/2").await, json!([]));
}

#[tokio::test]
async fn everybody_chooses_the_own_language_and_sees_how_long_the_session_lasts() {
    let world = World::new();
    let (_, cookie) = world.session(Role::User);
    let show = || world.get("/api/v1/session").cookie(&cookie).send();
    let session = show().await.json();
    assert_eq!(session["user"]["language"], "en");
    assert_eq!(session["user"]["role"], "user");
    let remaining = session["remaining_s"].as_u64().unwrap();
    assert!((1700..=1800).contains(&remaining), "{remaining}");
    let choose = |language: &str| {
        world
            .put("/api/v1/session/language")
            .cookie(&cookie)
            .json(json!({ "language": language }))
            .send()
    };
    let chosen = choose("cs").await;
    assert_eq!(chosen.json()["user"]["language"], "cs", "{chosen:?}");
    assert_eq!(show().await.json()["user"]["language"], "cs");
    assert_eq!(choose("cs").await.status, 200, "as it is already");
    assert_eq!(choose("de").await.fields()[0].0, "/language");
}

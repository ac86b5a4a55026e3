//! Users with their extensions: all that is sent is stored, or nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{Answer, World};
use serde_json::{Value, json};

struct Desk {
    world: World,
    admin: String,
}

impl Desk {
    fn new() -> Self {
        let world = World::new();
        let admin = world.admin();
        Self { world, admin }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        let path = format!("/api/v1{path}");
        self.world
            .post(&path)
            .cookie(&self.admin)
            .json(body)
            .send()
            .await
    }

    async fn put(&self, path: &str, etag: &str, body: Value) -> Answer {
        let path = format!("/api/v1{path}");
        let ask = self
            .world
            .put(&path)
            .cookie(&self.admin)
            .header("If-Match", etag);
        ask.json(body).send().await
    }

    async fn get(&self, path: &str) -> Value {
        let path = format!("/api/v1{path}");
        let answer = self.world.get(&path).cookie(&self.admin).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The id of a new extension that nobody has.
    async fn extension(&self, number: &str) -> u32 {
        let added = self.post("/extensions", json!({ "number": number })).await;
        assert_eq!(added.status, 201, "{added:?}");
        u32::try_from(added.json()["id"].as_u64().unwrap()).unwrap()
    }
}

fn numbers(user: &Value) -> Vec<&str> {
    let extensions = user["extensions"].as_array().unwrap();
    (extensions.iter())
        .map(|extension| extension["number"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_user_is_stored_with_the_extensions_in_one_change() {
    let desk = Desk::new();
    let free = desk.extension("101").await;
    let before = desk.world.store.version().unwrap();
    let added = desk
        .post(
            "/users",
            json!({ "name": "jana", "full_name": "Jana Novotná", "extensions": [free],
                "new_extensions": [
                    { "number": "102" },
                    { "number": "103", "description": "Lab", "sip_username": "lab", "sip_password": "given-by-hand" }
                ] }),
        )
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    let user = added.json();
    assert_eq!(numbers(&user), ["101", "102", "103"]);
    let made = &user["new_extensions"];
    assert_eq!(made[0]["sip_password"].as_str().unwrap().len(), 20);
    assert_eq!(made[1]["sip_password"], "given-by-hand");
    assert_eq!(
        (&made[1]["sip_username"], &made[1]["user_name"]),
        (&json!("lab"), &json!("Jana Novotná"))
    );
    let after = desk.world.store.version().unwrap();
    assert_eq!(after.raw(), before.raw() + 1);

    // What is left out stays.
    let path = format!("/users/{}", user["id"]);
    let body = json!({ "name": "jana", "full_name": "J. N.", "language": "en", "role": "user", "enabled": true });
    let renamed = desk.put(&path, added.header("etag"), body.clone()).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    assert_eq!(numbers(&renamed.json()), ["101", "102", "103"]);
    assert_eq!(renamed.json()["new_extensions"], json!([]));

    let mut body = body;
    body["extensions"] = json!([made[0]["id"]]);
    body["new_extensions"] = json!([{ "number": "104" }]);
    let changed = desk.put(&path, renamed.header("etag"), body).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(numbers(&changed.json()), ["102", "104"]);
    assert_eq!(
        desk.get(&format!("/extensions/{free}")).await["user"],
        Value::Null
    );
    assert!(!desk.get(&path).await.to_string().contains("sip_password"));
}

#[tokio::test]
async fn of_a_user_with_a_wrong_extension_nothing_is_stored() {
    let desk = Desk::new();
    let free = desk.extension("101").await;
    let jana = desk.post("/users", json!({ "name": "jana" })).await;
    let path = format!("/users/{}", jana.json()["id"]);
    let before = desk.world.store.snapshot().unwrap();
    let own = |given: Value, new: Value| json!({ "extensions": given, "new_extensions": new });
    for (own, code, fields) in [
        (
            own(
                json!([free]),
                json!([{ "number": "102" }, { "number": "101" }]),
            ),
            "conflict",
            vec![
                ("/new_extensions/1/sip_username", "name_taken"),
                ("/new_extensions/1/number", "number_taken"),
            ],
        ),
        (
            own(
                json!([]),
                json!([{ "number": "102" }, { "number": "102", "sip_username": "other" }]),
            ),
            "conflict",
            vec![("/new_extensions/1/number", "number_taken")],
        ),
        (
            own(
                json!([]),
                json!([{ "number": "1o2" }, { "number": "103", "codecs": ["pcma", "pcma"] }, { "number": "" }]),
            ),
            "invalid",
            vec![
                ("/new_extensions/0/number", "invalid_number"),
                ("/new_extensions/2/number", "invalid_number"),
            ],
        ),
        (
            own(
                json!([]),
                json!([{ "number": "102", "sip_password": "short" }]),
            ),
            "invalid",
            vec![("/new_extensions/0/sip_password", "weak_password")],
        ),
        (
            own(json!([]), json!([{ "number": "102", "user": 1 }])),
            "invalid",
            vec![("/new_extensions/0/user", "invalid")],
        ),
        (
            own(json!([]), json!([{ "number": "102", "colour": "red" }])),
            "invalid",
            vec![("/new_extensions/0/colour", "unknown_field")],
        ),
        (
            own(json!([free, 4_000_000, free]), json!([])),
            "invalid",
            vec![
                ("/extensions/1", "unknown_reference"),
                ("/extensions/2", "duplicate"),
            ],
        ),
        (
            own(json!([]), json!(vec![json!({ "number": "7" }); 51])),
            "invalid",
            vec![("/new_extensions", "too_many")],
        ),
        (
            own(json!((1..=501).collect::<Vec<_>>()), json!([])),
            "invalid",
            vec![("/extensions", "too_many")],
        ),
    ] {
        let mut body = json!({ "name": "petr", "full_name": "", "language": "en", "role": "user", "enabled": true });
        for (name, value) in own.as_object().unwrap() {
            body[name] = value.clone();
        }
        for answer in [
            desk.post("/users", body.clone()).await,
            desk.put(&path, "*", body).await,
        ] {
            assert_eq!(answer.code(), code, "{answer:?}");
            let found = answer.fields();
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(at, code)| (at.as_str(), code.as_str()))
                .collect();
            assert_eq!(found, fields);
        }
    }
    let wrong = desk
        .post(
            "/users",
            json!({ "name": "petr", "password": "short", "new_extensions": [{ "number": "" }] }),
        )
        .await;
    let at: Vec<String> = wrong.fields().into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, ["/password", "/new_extensions/0/number"]);
    assert_eq!(desk.world.store.snapshot().unwrap(), before);
}

#[tokio::test]
async fn who_did_not_see_the_extensions_of_a_user_takes_none_away() {
    let desk = Desk::new();
    let jana = desk.post("/users", json!({ "name": "jana" })).await;
    let path = format!("/users/{}", jana.json()["id"]);
    let seen = jana.header("etag");
    let given = desk
        .post(
            "/extensions",
            json!({ "number": "101", "user": jana.json()["id"] }),
        )
        .await;
    assert_eq!(given.status, 201, "{given:?}");
    let body = json!({ "name": "jana", "full_name": "", "language": "en", "role": "user", "enabled": true,
        "extensions": [] });
    let stale = desk.put(&path, seen, body.clone()).await;
    assert_eq!(stale.code(), "changed");
    assert!(
        stale.json()["changed_by"]
            .as_str()
            .unwrap()
            .starts_with("someone")
    );
    let now = desk.get(&path).await;
    assert_eq!(
        (numbers(&now), stale.header("etag")),
        (vec!["101"], now["etag"].as_str().unwrap())
    );
    // An extension's own settings are no part of its user.
    let extension = format!("/extensions/{}", given.json()["id"]);
    let settings = json!({ "number": "101", "description": "Desk", "user": jana.json()["id"], "enabled": true,
        "sip_username": "101", "codecs": ["pcma"] });
    let changed = desk.put(&extension, "*", settings).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let taken = desk.put(&path, now["etag"].as_str().unwrap(), body).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(desk.get(&extension).await["user"], Value::Null);
    assert_eq!(desk.get(&extension).await["description"], "Desk");
}

#[tokio::test]
async fn an_extension_goes_from_one_user_to_another() {
    let desk = Desk::new();
    let jana = desk
        .post(
            "/users",
            json!({ "name": "jana", "new_extensions": [{ "number": "101" }] }),
        )
        .await
        .json();
    let id = &jana["extensions"][0]["id"];
    let petr = desk
        .post("/users", json!({ "name": "petr", "extensions": [id] }))
        .await;
    assert_eq!(petr.status, 201, "{petr:?}");
    assert_eq!(numbers(&petr.json()), ["101"]);
    let now = desk.get(&format!("/users/{}", jana["id"])).await;
    assert_eq!(numbers(&now), [""; 0]);
    assert_ne!(now["etag"], jana["etag"]);
}

#[tokio::test]
async fn a_password_says_which_rule_it_breaks() {
    let desk = Desk::new();
    for (password, code) in [
        ("short", "weak_password"),
        ("Password123", "common_password"),
        ("Winston.Smith", "password_is_name"),
        ("htims.notsniw", "password_is_name"),
    ] {
        let body = json!({ "name": "winston.smith", "password": password });
        let answer = desk.post("/users", body).await;
        assert_eq!(answer.fields(), [("/password".into(), code.into())]);
    }
    let user = desk.post("/users", json!({ "name": "winston" })).await;
    let path = format!("/users/{}/password", user.json()["id"]);
    let answer = desk.put(&path, "*", json!({ "password": "notsniw" })).await;
    assert_eq!(
        answer.fields(),
        [("/password".into(), "weak_password".into())]
    );
    let answer = desk
        .put(&path, "*", json!({ "password": "qwertzuiop" }))
        .await;
    assert_eq!(
        answer.fields(),
        [("/password".into(), "common_password".into())]
    );
}

#[tokio::test]
async fn what_depends_on_an_object_is_told_in_one_form() {
    let desk = Desk::new();
    let jana = desk
        .post("/users", json!({ "name": "jana", "full_name": "Jana" }))
        .await;
    let group = desk
        .post(
            "/call-permission-groups",
            json!({ "name": "Inside", "rules": [], "default": "deny" }),
        )
        .await;
    let (jana, group) = (&jana.json()["id"], &group.json()["id"]);
    let own = json!({ "number": "101", "user": jana, "permission_group": group });
    let own = &desk.post("/extensions", own).await.json()["id"];
    let other = json!({ "number": "102", "caller_id": { "show": "extension", "extension": own } });
    let other = &desk.post("/extensions", other).await.json()["id"];
    let person = json!({ "name": "petr", "full_name": "Petr", "language": "en", "role": "user", "enabled": true });
    let petr = &desk.post("/users", person.clone()).await.json()["id"];
    let mut person = person;
    person["ringing"] = json!({ "busy": { "extension": own } });
    let rules = desk.put(&format!("/users/{petr}"), "*", person).await;
    assert_eq!(rules.status, 200, "{rules:?}");
    let provider = json!({ "name": "provider", "partner": "provider", "operator": own, "prefix": "9",
        "server": { "host": "192.0.2.5", "username": "account" } });
    let provider = &desk.post("/interfaces", provider).await.json()["id"];

    let extension = json!([{ "kind": "extension", "id": own, "name": "101" }]);
    let of_extension = json!([
        { "kind": "interface", "id": provider, "name": "provider" },
        { "kind": "extension", "id": other, "name": "102" },
        { "kind": "user", "id": petr, "name": "Petr" }
    ]);
    let route = json!([{ "kind": "route", "id": 1, "name": "9" }]);
    for (path, expected) in [
        (format!("/users/{jana}"), &extension),
        (format!("/users/{petr}"), &json!([])),
        (format!("/extensions/{own}"), &of_extension),
        (format!("/extensions/{other}"), &json!([])),
        (format!("/interfaces/{provider}"), &route),
        (format!("/call-permission-groups/{group}"), &extension),
    ] {
        let told = desk.get(&format!("{path}/dependents")).await;
        assert_eq!(told, json!({ "dependents": expected }), "{path}");
    }
    for path in [
        "/users/99",
        "/extensions/99",
        "/interfaces/99",
        "/call-permission-groups/99",
    ] {
        let path = format!("/api/v1{path}/dependents");
        let none = desk.world.get(&path).cookie(&desk.admin).send().await;
        assert_eq!(none.code(), "not_found", "{path}");
    }
    // Where they are in the way, the refusal names them too.
    for (path, name) in [
        (format!("/interfaces/{provider}"), ": 9."),
        (format!("/call-permission-groups/{group}"), ": 101."),
    ] {
        let remove = desk.world.delete(&format!("/api/v1{path}"));
        let remove = remove.cookie(&desk.admin).header("If-Match", "*");
        let refused = remove.send().await;
        assert_eq!(refused.code(), "conflict");
        assert!(refused.text.contains(name), "{refused:?}");
    }
}

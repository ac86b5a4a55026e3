//! Users, extensions, dial plan and general settings: every field that can be wrong is named, every
//! change says what it is based on.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{Answer, World, eventually};
use serde_json::{Value, json};
use store::{LogKind, LogQuery};

async fn add(world: &World, cookie: &str, path: &str, body: Value) -> Answer {
    world.post(path).cookie(cookie).json(body).send().await
}

/// `base` with one field different; `null` as value takes the field out.
fn with(base: &Value, field: &str, value: Value) -> Value {
    let mut body = base.clone();
    body[field] = value;
    body
}

#[tokio::test]
async fn a_user_is_added_changed_and_removed() {
    let world = World::new();
    let admin = world.admin();
    let added = add(
        &world,
        &admin,
        "/api/v1/users",
        json!({ "name": "winston", "full_name": "Winston Smith", "email": "w@example.com",
            "role": "read_only", "password": "victory gin and all" }),
    )
    .await;
    assert_eq!(added.status, 201, "{added:?}");
    let mut user = added.json();
    assert_eq!(
        user.as_object_mut().unwrap().remove("new_extensions"),
        Some(json!([]))
    );
    assert_eq!(user["language"], "en");
    assert_eq!(
        (&user["enabled"], &user["has_password"]),
        (&json!(true), &json!(true))
    );
    assert!(!added.text.contains("argon2") && !added.text.contains("victory"));
    let path = added.header("location").to_owned();
    let etag = added.header("etag").to_owned();
    assert_eq!(user["etag"], etag);
    assert_eq!(world.get(&path).cookie(&admin).send().await.json(), user);

    let body = json!({ "name": "winston", "full_name": "W. S.", "language": "cs",
        "role": "user", "enabled": true });
    let changed = world
        .put(&path)
        .cookie(&admin)
        .header("If-Match", &etag)
        .json(body.clone())
        .send()
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.json()["email"], Value::Null);
    assert_ne!(changed.header("etag"), etag);

    let stale = world
        .put(&path)
        .cookie(&admin)
        .header("If-Match", &etag)
        .json(body.clone())
        .send()
        .await;
    assert_eq!(
        (stale.status.as_u16(), stale.code().as_str()),
        (412, "changed")
    );
    assert_eq!(stale.header("etag"), changed.header("etag"));
    assert_eq!(stale.json()["current_etag"], changed.header("etag"));
    let by = stale.json()["changed_by"].as_str().unwrap().to_owned();
    assert!(by.starts_with("someone"), "{by}");
    let without = world.put(&path).cookie(&admin).json(body).send().await;
    assert_eq!(without.code(), "if_match_required");
    assert_eq!(without.status, 428);

    let list = world
        .get("/api/v1/users")
        .cookie(&admin)
        .send()
        .await
        .json();
    let names: Vec<&Value> = list["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["name"])
        .collect();
    assert!(names.contains(&&json!("winston")) && names.contains(&&json!("Admin")));

    let gone = world
        .delete(&path)
        .cookie(&admin)
        .header("If-Match", changed.header("etag"))
        .send()
        .await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(
        world.get(&path).cookie(&admin).send().await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn every_bad_field_of_a_user_is_named() {
    let world = World::new();
    let admin = world.admin();
    let base = json!({ "name": "julia", "full_name": "", "role": "user" });
    for (field, value, code) in [
        ("name", json!("with space"), "invalid_name"),
        ("name", json!("čeněk"), "invalid_name"),
        ("name", json!(""), "invalid_name"),
        ("name", json!("ADMIN"), "name_taken"),
        ("name", json!(7), "wrong_type"),
        ("full_name", json!("x".repeat(129)), "invalid_text"),
        ("full_name", json!("two\nlines"), "invalid_text"),
        ("email", json!("nobody"), "invalid_email"),
        ("language", json!("de"), "unknown_value"),
        ("role", json!("root"), "unknown_value"),
        ("enabled", json!("yes"), "wrong_type"),
        ("password", json!("short"), "weak_password"),
        ("password", json!("aiLUj ailuj".repeat(20)), "weak_password"),
        ("sip", json!(1), "unknown_field"),
    ] {
        let answer = add(&world, &admin, "/api/v1/users", with(&base, field, value)).await;
        let clash = ["number_taken", "name_taken", "unknown_reference"].contains(&code);
        let status = if clash { 409 } else { 422 };
        assert_eq!(answer.status, status, "{field}: {answer:?}");
        assert_eq!(
            answer.fields(),
            [(format!("/{field}"), code.to_owned())],
            "{answer:?}"
        );
    }
    let nameless = add(&world, &admin, "/api/v1/users", json!({})).await;
    assert_eq!(nameless.fields(), [("/name".into(), "missing".into())]);
    let several = json!({ "name": "a b", "full_name": "\u{7}", "email": "x" });
    let several = add(&world, &admin, "/api/v1/users", several).await;
    let fields: Vec<String> = several
        .fields()
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(fields, ["/name", "/full_name", "/email"]);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let world = World::with_password().await;
    let login = json!({ "name": "Admin", "password": common::PASSWORD });
    let login = world.post("/api/v1/session").json(login).send().await;
    let (cookie, id) = (login.cookie(), login.json()["user"]["id"].clone());
    let path = format!("/api/v1/users/{id}");
    let body = json!({ "name": "Admin", "full_name": "", "language": "en", "role": "user",
        "enabled": true });
    for ask in [
        world.put(&path).json(body),
        world.delete(&path).header("Content-Type", "text/plain"),
    ] {
        let answer = ask.cookie(&cookie).header("If-Match", "*").send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (409, "conflict")
        );
        assert_eq!(answer.fields()[0].1, "last_administrator");
    }
}

#[tokio::test]
async fn an_extension_tells_its_password_once() {
    let world = World::new();
    let admin = world.admin();
    let peer = world.peer();
    let added = add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "122" }),
    )
    .await;
    assert_eq!(added.status, 201, "{added:?}");
    let extension = added.json();
    let password = extension["sip_password"].as_str().unwrap();
    assert_eq!(password.len(), 20);
    assert_eq!(extension["sip_username"], "122");
    assert_eq!(extension["codecs"], json!(["pcma", "pcmu", "g722", "gsm"]));
    let path = added.header("location").to_owned();
    let shown = world.get(&path).cookie(&admin).send().await;
    assert!(!shown.text.contains(password) && !shown.text.contains("sip_password"));
    let listed = world.get("/api/v1/extensions").cookie(&admin).send().await;
    assert!(!listed.text.contains(password));

    let body = json!({ "number": "123", "description": "Reception", "caller_name": "Front desk",
        "enabled": true, "sip_username": "desk", "codecs": ["pcmu"] });
    let changed = world
        .put(&path)
        .cookie(&admin)
        .header("If-Match", added.header("etag"))
        .json(body)
        .send()
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.json()["caller_name"], "Front desk");
    let stored = world.store.load().unwrap();
    assert_eq!(stored.extensions[0].sip_password.expose(), password);

    let set = format!("{path}/sip-password");
    let made = add(&world, &admin, &set, json!({})).await;
    assert_eq!(made.status, 200, "{made:?}");
    assert_ne!(made.json()["sip_password"], password);
    let given = add(&world, &admin, &set, json!({ "password": "given-by-hand" })).await;
    assert_eq!(given.json()["sip_password"], "given-by-hand");
    let now = world.get(&path).cookie(&admin).send().await;
    assert_eq!(now.header("etag"), given.header("etag"));
    let weak = add(&world, &admin, &set, json!({ "password": "short" })).await;
    assert_eq!(
        weak.fields(),
        [("/password".into(), "weak_password".into())]
    );

    eventually("the exchange is told", async || peer.reloads() >= 1).await;
    let query = LogQuery::default();
    let rows = world.store.log_query(LogKind::Config, &query).unwrap();
    assert!(
        rows.iter()
            .any(|row| row.text.starts_with("Added extension 122 (ID="))
    );
    assert!(rows.iter().all(|row| !row.text.contains("given-by-hand")));
}

#[tokio::test]
async fn every_bad_field_of_an_extension_is_named() {
    let world = World::new();
    let admin = world.admin();
    let first = json!({ "number": "100", "sip_username": "taken" });
    assert_eq!(
        add(&world, &admin, "/api/v1/extensions", first)
            .await
            .status,
        201
    );
    let base = json!({ "number": "122" });
    for (field, value, code) in [
        ("number", json!("12a"), "invalid_number"),
        ("number", json!(""), "invalid_number"),
        ("number", json!("1".repeat(17)), "invalid_number"),
        ("number", json!("100"), "number_taken"),
        ("number", json!(122), "wrong_type"),
        ("description", json!("x".repeat(129)), "invalid_text"),
        ("caller_name", json!("x".repeat(129)), "invalid_text"),
        ("user", json!(4_000_000), "unknown_reference"),
        ("user", json!(-1), "wrong_type"),
        ("sip_username", json!("a@b"), "invalid_name"),
        ("sip_username", json!("taken"), "name_taken"),
        ("sip_password", json!("short"), "weak_password"),
        ("sip_password", json!("with space in it"), "weak_password"),
        ("codecs", json!([]), "invalid_codecs"),
        ("codecs", json!(["pcma", "pcma"]), "invalid_codecs"),
        ("srtp", json!("always"), "unknown_value"),
        ("enabled", json!(null), "wrong_type"),
        ("e164", json!("x"), "unknown_field"),
    ] {
        let body = with(&base, field, value);
        let answer = add(&world, &admin, "/api/v1/extensions", body).await;
        let clash = ["number_taken", "name_taken", "unknown_reference"].contains(&code);
        let status = if clash { 409 } else { 422 };
        assert_eq!(answer.status, status, "{field}: {answer:?}");
        assert_eq!(
            answer.fields(),
            [(format!("/{field}"), code.to_owned())],
            "{answer:?}"
        );
    }
    let codec = with(&base, "codecs", json!(["pcma", "amr"]));
    let answer = add(&world, &admin, "/api/v1/extensions", codec).await;
    assert_eq!(
        answer.fields(),
        [("/codecs/1".into(), "unknown_value".into())]
    );
}

#[tokio::test]
async fn the_next_free_number_is_offered() {
    let world = World::new();
    let admin = world.admin();
    for number in ["100", "101", "8", "9"] {
        add(
            &world,
            &admin,
            "/api/v1/extensions",
            json!({ "number": number }),
        )
        .await;
    }
    let ask = |query: &str| {
        world
            .get(&format!("/api/v1/extensions/suggestion{query}"))
            .cookie(&admin)
            .send()
    };
    assert_eq!(ask("").await.json(), json!({ "number": "102" }));
    // Somebody had it: people and phones may know it still. Where there is no other it will do.
    let gone = |id: u32| {
        world
            .delete(&format!("/api/v1/extensions/{id}"))
            .cookie(&admin)
            .header("If-Match", "*")
            .send()
    };
    assert_eq!(gone(2).await.status, 204);
    assert_eq!(ask("").await.json(), json!({ "number": "102" }));
    assert_eq!(ask("?first=0100").await.json(), json!({ "number": "0100" }));
    assert_eq!(ask("?first=8").await.code(), "not_found");
    assert_eq!(ask("?first=x").await.code(), "invalid_query");
    assert_eq!(
        ask("?frist=1").await.fields(),
        [("?frist".into(), "unknown_field".into())]
    );
}

#[tokio::test]
async fn removing_a_user_decides_on_the_extensions() {
    for (then, left) in [
        ("", json!([true])),
        ("?extensions=disable", json!([false])),
        ("?extensions=remove", json!([])),
    ] {
        let world = World::new();
        let admin = world.admin();
        let user = add(
            &world,
            &admin,
            "/api/v1/users",
            json!({ "name": "o.brien" }),
        )
        .await;
        let id = user.json()["id"].clone();
        add(
            &world,
            &admin,
            "/api/v1/extensions",
            json!({ "number": "122", "user": id }),
        )
        .await;
        let shown = world
            .get(user.header("location"))
            .cookie(&admin)
            .send()
            .await;
        assert_eq!(shown.json()["extensions"][0]["number"], "122");
        let gone = world
            .delete(&format!("{}{then}", user.header("location")))
            .cookie(&admin)
            .header("If-Match", "*")
            .send()
            .await;
        assert_eq!(gone.status, 204, "{gone:?}");
        let list = world
            .get("/api/v1/extensions")
            .cookie(&admin)
            .send()
            .await
            .json();
        let enabled: Vec<Value> = list["extensions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|extension| extension["enabled"].clone())
            .collect();
        assert_eq!(json!(enabled), left, "{then}");
    }
}

#[tokio::test]
async fn the_dial_plan_is_a_table_too() {
    let world = World::new();
    let admin = world.admin();
    let user = json!({ "name": "ada", "full_name": "Ada Monroe; =1+1" });
    let user = add(&world, &admin, "/api/v1/users", user).await.json();
    add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "114", "user": user["id"] }),
    )
    .await;
    let formula = json!({ "number": "111", "description": "=HYPERLINK(\"x\")" });
    add(&world, &admin, "/api/v1/extensions", formula).await;
    let csv = world
        .get("/api/v1/dial-plan.csv")
        .cookie(&admin)
        .send()
        .await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"dial-plan.csv\""
    );
    assert_eq!(
        csv.text,
        "\u{feff}Extension Number;Type ID;Description\r\n\
         111;1;\"'=HYPERLINK(\"\"x\"\")\"\r\n\
         112;2;\r\n\
         114;1;\"Ada Monroe; =1+1\"\r\n\
         150;2;\r\n155;2;\r\n156;2;\r\n158;2;\r\n"
    );
    let json = world
        .get("/api/v1/dial-plan")
        .cookie(&admin)
        .send()
        .await
        .json();
    assert_eq!(json["lines"][2]["description"], "Ada Monroe; =1+1");
    assert_eq!(
        (&json["lines"][1]["kind"], &json["lines"][1]["id"]),
        (&json!("emergency"), &Value::Null)
    );
}

#[tokio::test]
async fn emergency_numbers_are_in_the_dial_plan_where_they_are_dialled_directly() {
    let world = World::new();
    let admin = world.admin();
    let numbers = async || {
        let plan = world.get("/api/v1/dial-plan").cookie(&admin).send().await;
        let lines = plan.json()["lines"].as_array().unwrap().clone();
        let of = |line: &Value| format!("{} {}", line["number"], line["description"]);
        lines.iter().map(of).collect::<Vec<String>>()
    };
    let set = async |direct: bool| {
        let body = json!({ "numbers": [{ "number": "911", "description": "Fire" }], "direct": direct, "routes": [] });
        let answer = world
            .put("/api/v1/emergency-numbers")
            .cookie(&admin)
            .header("If-Match", "*");
        let answer = answer.json(body).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    set(true).await;
    assert_eq!(numbers().await, ["\"911\" \"Fire\""]);
    // With a prefix alone it leaves the number to others.
    set(false).await;
    assert_eq!(numbers().await, [""; 0]);
}

#[tokio::test]
async fn general_settings_change_with_their_revision() {
    let world = World::new();
    let admin = world.admin();
    let before = world.get("/api/v1/general").cookie(&admin).send().await;
    let put = |etag: &str, body: Value| {
        world
            .put("/api/v1/general")
            .cookie(&admin)
            .header("If-Match", etag)
            .json(body)
            .send()
    };
    let body = with(&before.json(), "country", json!("GB"));
    // An unrelated change doesn't make the revision stale.
    add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "1" }),
    )
    .await;
    let changed = put(before.header("etag"), body.clone()).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(put(before.header("etag"), body.clone()).await.status, 412);
    for (field, value) in [
        ("country", json!("cz")),
        ("realm", json!("a \"b\"")),
        ("no_answer_s", json!(4)),
        ("no_answer_s", json!(-4)),
        ("digest", json!("sha1")),
    ] {
        let answer = put("*", with(&body, field, value)).await;
        assert_eq!(answer.fields()[0].0, format!("/{field}"), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_request_for_the_api_is_told_so() {
    let world = World::new();
    let admin = world.admin();
    let post = |kind: &str, body: &str| {
        world
            .post("/api/v1/users")
            .cookie(&admin)
            .body(kind, body)
            .send()
    };
    let status = |answer: &Answer| (answer.status.as_u16(), answer.code());
    let case = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        status(&post("application/json", "{\"name\":").await),
        case(400, "malformed_json")
    );
    assert_eq!(
        status(&post("application/json", "{} {}").await),
        case(422, "invalid")
    );
    assert_eq!(
        status(&post("text/plain", "{}").await),
        case(415, "unsupported_media_type")
    );
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024));
    assert_eq!(
        status(&post("application/json", &huge).await),
        case(413, "too_large")
    );
    let deep = "[".repeat(60_000);
    assert_eq!(
        post("application/json", &deep).await.status.as_u16() / 100,
        4
    );

    let unknown = world.get("/api/v1/nothing").cookie(&admin).send().await;
    assert_eq!(status(&unknown), case(404, "unknown_path"));
    let method = world
        .ask("PATCH", "/api/v1/users")
        .cookie(&admin)
        .send()
        .await;
    assert_eq!(status(&method), case(405, "method_not_allowed"));
    let mut allow: Vec<&str> = method.header("allow").split(',').collect();
    allow.sort_unstable();
    assert_eq!(allow, ["GET", "HEAD", "POST"]);
    for id in ["0", "999999", "-1", "x", "99999999999999999999"] {
        let answer = world
            .get(&format!("/api/v1/users/{id}"))
            .cookie(&admin)
            .send()
            .await;
        assert_eq!(status(&answer), case(404, "not_found"));
    }
}

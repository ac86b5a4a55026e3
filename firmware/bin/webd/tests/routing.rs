//! Interfaces and routes: added with their route, changed, refused with the field that is wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{Answer, World};
use serde_json::{Value, json};

async fn add(world: &World, cookie: &str, path: &str, body: Value) -> Answer {
    world.post(path).cookie(cookie).json(body).send().await
}

async fn put(world: &World, cookie: &str, path: &str, etag: &str, body: Value) -> Answer {
    let put = world.put(path).cookie(cookie).header("If-Match", etag);
    put.json(body).send().await
}

async fn get(world: &World, cookie: &str, path: &str) -> Value {
    world.get(path).cookie(cookie).send().await.json()
}

/// An account at a provider, as the wizard adds it.
fn provider() -> Value {
    json!({
        "name": "provider1",
        "partner": "provider",
        "server": { "host": "sip.example.com", "username": "5550100", "password": "provider-key",
            "register": true },
        "numbers": [{ "number": "5550100" }],
        "prefix": "9",
    })
}

#[tokio::test]
async fn an_interface_comes_with_the_route_to_it() {
    let world = World::new();
    let admin = world.admin();
    let added = add(&world, &admin, "/api/v1/interfaces", provider()).await;
    assert_eq!(added.status, 201, "{added:?}");
    assert!(!added.text.contains("provider-key"));
    let interface = added.json();
    assert_eq!(interface["server"]["has_password"], true);
    assert_eq!(interface["server"]["transport"], "udp");
    let route = &get(&world, &admin, "/api/v1/routes").await["routes"][0];
    assert_eq!(route["prefix"], "9");
    assert_eq!(route["interfaces"], json!([interface["id"]]));
    // A provider is sent the number without what was dialled to reach it.
    assert_eq!(
        route["outgoing"]["called"],
        json!({ "strip": 1, "prefix": "" })
    );

    let mut other = provider();
    other["name"] = json!("branch");
    other["partner"] = json!("exchange");
    other["prefix"] = json!("8");
    add(&world, &admin, "/api/v1/interfaces", other).await;
    let routes = get(&world, &admin, "/api/v1/routes").await;
    // Numbers of the other exchange begin with the prefix.
    assert_eq!(routes["routes"][0]["prefix"], "8");
    assert_eq!(routes["routes"][0]["outgoing"]["called"]["strip"], 0);
}

#[tokio::test]
async fn a_password_stays_where_none_is_given_and_goes_where_it_is_null() {
    let world = World::new();
    let admin = world.admin();
    let added = add(&world, &admin, "/api/v1/interfaces", provider()).await;
    let path = added.header("location").to_owned();
    let mut body = provider();
    body.as_object_mut().unwrap().remove("prefix");
    body["server"].as_object_mut().unwrap().remove("password");
    body["server"]["port"] = json!(5070);
    let kept = put(&world, &admin, &path, added.header("etag"), body.clone()).await;
    assert_eq!(kept.status, 200, "{kept:?}");
    assert_eq!(kept.json()["server"]["has_password"], true);
    assert_eq!(kept.json()["server"]["port"], 5070);
    let stored = world.store.load().unwrap();
    let password = stored.interfaces[0].server.password.as_ref().unwrap();
    assert_eq!(password.expose(), "provider-key");

    let stale = put(&world, &admin, &path, added.header("etag"), body.clone()).await;
    assert_eq!(stale.code(), "changed");
    body["server"]["password"] = Value::Null;
    let gone = put(&world, &admin, &path, "*", body).await;
    assert_eq!(gone.json()["server"]["has_password"], false);
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named_and_nothing_is_added() {
    let world = World::new();
    let admin = world.admin();
    let set = |pointer: &str, value: Value| {
        let mut body = provider();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (pointer, value, code) in [
        ("/name", json!("two words"), "invalid_name"),
        ("/server/host", json!("sip:provider"), "invalid_name"),
        ("/server/username", json!(""), "invalid_name"),
        ("/server/password", json!(""), "weak_password"),
        ("/numbers/0/number", json!("555O100"), "invalid_number"),
        ("/prefix", json!("nine"), "invalid_number"),
    ] {
        let refused = add(&world, &admin, "/api/v1/interfaces", set(pointer, value)).await;
        assert_eq!(refused.status, 422, "{pointer}: {refused:?}");
        assert_eq!(refused.fields(), [(pointer.to_owned(), code.to_owned())]);
    }
    let all = get(&world, &admin, "/api/v1/interfaces").await;
    assert_eq!(all["interfaces"], json!([]));
    assert_eq!(
        get(&world, &admin, "/api/v1/routes").await["routes"],
        json!([])
    );
}

#[tokio::test]
async fn an_interface_goes_when_no_route_needs_it_any_more() {
    let world = World::new();
    let admin = world.admin();
    let added = add(&world, &admin, "/api/v1/interfaces", provider()).await;
    let path = added.header("location").to_owned();
    let delete = |path: String| {
        let request = world.delete(&path).cookie(&admin).header("If-Match", "*");
        async { request.send().await }
    };
    let dependents = get(&world, &admin, &format!("{path}/dependents")).await;
    assert_eq!(
        dependents["dependents"],
        json!([{ "kind": "route", "id": 1, "name": "9" }])
    );
    let refused = delete(path.clone()).await;
    assert!(refused.status.is_client_error(), "{refused:?}");
    assert!(
        refused.text.contains("take it from the route first"),
        "{refused:?}"
    );
    assert_eq!(delete("/api/v1/routes/1".into()).await.status, 204);
    assert_eq!(delete(path.clone()).await.status, 204);
    assert_eq!(delete(path).await.code(), "not_found");
}

#[tokio::test]
async fn an_extension_names_the_interfaces_that_ring_it() {
    let world = World::new();
    let admin = world.admin();
    let extension = add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "122" }),
    )
    .await;
    let id = extension.json()["id"].clone();
    let mut rings = provider();
    rings["numbers"][0]["extension"] = id.clone();
    let added = add(&world, &admin, "/api/v1/interfaces", rings).await;
    assert_eq!(added.status, 201, "{added:?}");
    let path = format!("/api/v1/extensions/{id}");
    let dependents = get(&world, &admin, &format!("{path}/dependents")).await;
    let interface = json!({ "kind": "interface", "id": 1, "name": "provider1" });
    let listed = dependents["dependents"].as_array().unwrap();
    assert!(listed.contains(&interface), "{dependents}");
    let gone = world.delete(&path).cookie(&admin).header("If-Match", "*");
    assert_eq!(gone.send().await.status, 204);
    let left = get(&world, &admin, added.header("location")).await;
    assert_eq!(
        left["numbers"],
        json!([{ "number": "5550100", "extension": null }])
    );
}

#[tokio::test]
async fn an_extension_shows_the_number_of_another_one_that_names_it_before_it_goes() {
    let world = World::new();
    let admin = world.admin();
    let add = |body| add(&world, &admin, "/api/v1/extensions", body);
    let own = json!({ "show": "own" });
    let shown = add(json!({ "number": "101" })).await.json();
    assert_eq!(shown["caller_id"], own);
    let other = json!({ "show": "extension", "extension": shown["id"] });
    let shows = add(json!({ "number": "102", "caller_id": other })).await;
    assert_eq!(shows.json()["caller_id"], other);
    let nobody = json!({ "show": "extension", "extension": 99 });
    let refused = add(json!({ "number": "103", "caller_id": nobody })).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    let error = &refused.json()["errors"][0];
    assert_eq!(
        [&error["pointer"], &error["code"]],
        ["/caller_id/extension", "unknown_reference"]
    );
    let path = format!("/api/v1/extensions/{}", shown["id"]);
    assert_eq!(
        get(&world, &admin, &format!("{path}/dependents")).await["dependents"],
        json!([{ "kind": "extension", "id": 2, "name": "102" }])
    );
    let gone = world.delete(&path).cookie(&admin).header("If-Match", "*");
    assert_eq!(gone.send().await.status, 204);
    let left = get(&world, &admin, shows.header("location")).await;
    assert_eq!(left["caller_id"], json!({ "show": "hidden" }));
}

/// A user of this name, as it is changed.
fn person(name: &str, ringing: &Value) -> Value {
    json!({ "name": name, "full_name": "", "language": "en", "role": "user", "enabled": true,
        "ringing": ringing })
}

#[tokio::test]
async fn a_user_has_ringing_rules_that_stay_until_others_are_sent() {
    let world = World::new();
    let admin = world.admin();
    let desk = add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "101" }),
    )
    .await;
    let desk = desk.json()["id"].clone();
    let user = add(&world, &admin, "/api/v1/users", json!({ "name": "jana" })).await;
    let path = user.header("location").to_owned();
    let empty = json!({ "rings": [], "do_not_disturb": false, "always": null, "busy": null,
        "no_answer": null, "no_answer_s": null });
    assert_eq!(user.json()["ringing"], empty);
    let rules = json!({
        "rings": [
            { "target": { "extension": desk }, "after_s": 0, "for_s": null },
            { "target": { "number": "90602111111" }, "after_s": 5, "for_s": 20 },
        ],
        "do_not_disturb": false, "always": null, "busy": { "number": "102" },
        "no_answer": null, "no_answer_s": 30,
    });
    let set = |body| put(&world, &admin, &path, "*", body);
    assert_eq!(set(person("jana", &rules)).await.json()["ringing"], rules);
    let mut without = person("jana", &rules);
    without.as_object_mut().unwrap().remove("ringing");
    assert_eq!(set(without).await.json()["ringing"], rules);
    let dependents = format!("/api/v1/extensions/{desk}/dependents");
    assert_eq!(
        get(&world, &admin, &dependents).await["dependents"],
        json!([{ "kind": "user", "id": user.json()["id"], "name": "jana" }])
    );
    for (wrong, pointer, code) in [
        (
            json!({ "always": { "number": "x" } }),
            "/ringing/always/number",
            "invalid_number",
        ),
        (
            json!({ "busy": { "extension": 9 } }),
            "/ringing/busy",
            "unknown_reference",
        ),
        (
            json!({ "no_answer_s": 4 }),
            "/ringing/no_answer_s",
            "out_of_range",
        ),
    ] {
        let error = set(person("jana", &wrong)).await.json()["errors"][0].clone();
        assert_eq!([&error["pointer"], &error["code"]], [pointer, code]);
    }
}

#[tokio::test]
async fn users_who_would_send_calls_round_are_told_who_they_are() {
    let world = World::new();
    let admin = world.admin();
    let mut set = Vec::new();
    for (name, number, next) in [("jana", "101", "102"), ("petr", "102", "101")] {
        let user = add(&world, &admin, "/api/v1/users", json!({ "name": name })).await;
        let extension = json!({ "number": number, "user": user.json()["id"] });
        add(&world, &admin, "/api/v1/extensions", extension).await;
        let rules = person(name, &json!({ "always": { "number": next } }));
        set.push(put(&world, &admin, user.header("location"), "*", rules).await);
    }
    assert_eq!(set[0].status, 200, "{:?}", set[0]);
    assert_eq!(set[1].status, 409, "{:?}", set[1]);
    let errors = &set[1].json()["errors"];
    let own = (errors.as_array().unwrap().iter())
        .find(|error| error["pointer"] == "/ringing/always")
        .unwrap();
    assert_eq!(own["code"], "circle");
    let detail = own["detail"].as_str().unwrap();
    assert!(detail.contains("petr → jana → petr"), "{detail}");
}

#[tokio::test]
async fn who_may_only_read_changes_no_route() {
    let world = World::new();
    let admin = world.admin();
    add(&world, &admin, "/api/v1/interfaces", provider()).await;
    let reader = world.session(model::Role::ReadOnly).1;
    let read = world.get("/api/v1/interfaces").cookie(&reader).send().await;
    assert_eq!(read.status, 200);
    let refused = add(&world, &reader, "/api/v1/interfaces", provider()).await;
    assert_eq!(refused.status, 403, "{refused:?}");
}

#[tokio::test]
async fn a_call_is_explained_without_being_made() {
    let world = World::new();
    let admin = world.admin();
    let _exchange = world.peer();
    add(&world, &admin, "/api/v1/interfaces", provider()).await;
    let extension = add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "122" }),
    )
    .await;
    let id = extension.json()["id"].clone();
    let path = format!("/api/v1/call-explanation?extension={id}&dialled=9777001");
    let explained = get(&world, &admin, &path).await;
    assert_eq!(
        explained["verdict"],
        json!({ "verdict": "refused", "status": 404, "cause": 1 })
    );
    assert_eq!(
        explained["steps"][1],
        json!({ "step": "caller", "extension": id, "active": true })
    );
    let by_interface = "/api/v1/call-explanation?interface=1&dialled=5550100";
    let explained = get(&world, &admin, by_interface).await;
    assert_eq!(
        explained["steps"][1],
        json!({ "step": "incoming", "interface": 1 })
    );
    for (path, code) in [
        ("/api/v1/call-explanation?dialled=1", "invalid_query"),
        (
            "/api/v1/call-explanation?extension=77&dialled=1",
            "not_found",
        ),
    ] {
        let refused = world.get(path).cookie(&admin).send().await;
        assert_eq!(refused.code(), code, "{refused:?}");
    }
}

#[tokio::test]
async fn the_emergency_numbers_are_those_of_the_country_until_others_are_set() {
    let world = World::new();
    let admin = world.admin();
    let path = "/api/v1/emergency-numbers";
    let first = world.get(path).cookie(&admin).send().await;
    let listed = |body: &Value, number: &str| {
        let numbers = body["numbers"].as_array().unwrap();
        numbers.iter().any(|entry| entry["number"] == number)
    };
    assert!(listed(&first.json(), "112") && first.json()["direct"] == true);
    // None of them can be an extension's, nor is one offered.
    let taken = add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "112" }),
    )
    .await;
    assert_eq!(
        taken.fields(),
        [("/number".to_owned(), "emergency_number".to_owned())]
    );
    let offered = get(&world, &admin, "/api/v1/extensions/suggestion?first=112").await;
    assert_eq!(offered["number"], "113");

    let presets = get(&world, &admin, "/api/v1/emergency-numbers/presets").await;
    let all = presets["presets"].as_array().unwrap();
    let united_states = all.iter().find(|preset| preset["country"] == "US").unwrap();
    assert_eq!(united_states["numbers"], json!(["112", "911"]));

    // Another country has others, and whoever read those of the one before is told.
    let general = world.get("/api/v1/general").cookie(&admin).send().await;
    let mut other = general.json();
    other["country"] = "GB".into();
    let moved = put(
        &world,
        &admin,
        "/api/v1/general",
        general.header("etag"),
        other,
    )
    .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    let second = world.get(path).cookie(&admin).send().await;
    assert!(listed(&second.json(), "999") && !listed(&second.json(), "150"));
    assert_ne!(first.header("etag"), second.header("etag"));
    let taken = add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "999" }),
    )
    .await;
    assert_eq!(
        taken.fields(),
        [("/number".to_owned(), "emergency_number".to_owned())]
    );
    let first = second;

    let body = json!({ "numbers": [{ "number": "911", "description": "Help" }], "direct": true });
    let changed = put(&world, &admin, path, first.header("etag"), body.clone()).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.json()["numbers"], body["numbers"]);
    let stale = put(&world, &admin, path, first.header("etag"), body).await;
    assert_eq!(stale.code(), "changed");
    let free = add(
        &world,
        &admin,
        "/api/v1/extensions",
        json!({ "number": "112" }),
    )
    .await;
    assert_eq!(free.status, 201, "{free:?}");

    let wrong = json!({ "numbers": [{ "number": "9l1" }], "direct": true });
    let refused = put(&world, &admin, path, "*", wrong).await;
    assert_eq!(
        refused.fields(),
        [("/numbers/0/number".to_owned(), "invalid_number".to_owned())]
    );
    let wrong = json!({ "numbers": [{ "number": "112" }], "direct": true });
    let refused = put(&world, &admin, path, "*", wrong).await;
    assert_eq!(
        refused.fields(),
        [("/numbers/0/number".to_owned(), "number_taken".to_owned())]
    );
    let wrong = json!({ "numbers": [], "direct": true, "routes": [7] });
    let refused = put(&world, &admin, path, "*", wrong).await;
    assert_eq!(
        refused.fields(),
        [("/routes".to_owned(), "unknown_reference".to_owned())]
    );
}

#[tokio::test]
async fn a_call_permission_group_that_extensions_have_stays() {
    let world = World::new();
    let admin = world.admin();
    let groups = "/api/v1/call-permission-groups";
    let body = json!({
        "name": "No premium rates",
        "rules": [
            { "prefix": "0900654321", "permission": "allow" },
            { "prefix": "0900", "permission": "deny" },
        ],
        "default": "allow",
    });
    let added = add(&world, &admin, groups, body.clone()).await;
    assert_eq!(added.status, 201, "{added:?}");
    let (path, id) = (added.header("location"), added.json()["id"].clone());
    assert_eq!(added.json()["rules"], body["rules"]);

    let extension = json!({ "number": "122", "permission_group": id });
    let extension = add(&world, &admin, "/api/v1/extensions", extension).await;
    assert_eq!(extension.status, 201, "{extension:?}");
    assert_eq!(extension.json()["permission_group"], id);
    let dependents = get(&world, &admin, &format!("{path}/dependents")).await;
    let user = json!({ "kind": "extension", "id": extension.json()["id"], "name": "122" });
    assert_eq!(dependents["dependents"], json!([user]));
    let remove = async || {
        let remove = world.delete(path).cookie(&admin);
        remove.header("If-Match", "*").send().await
    };
    let refused = remove().await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(refused.code(), "conflict");
    assert!(refused.text.contains("122"), "{refused:?}");

    // Whoever is changed without it may call all numbers, and the group can go.
    let whole = json!({ "number": "122", "description": "", "enabled": true, "sip_username": "122",
        "codecs": ["pcma"], "permission_group": null });
    let at = extension.header("location");
    let freed = put(&world, &admin, at, extension.header("etag"), whole.clone()).await;
    assert_eq!(freed.json()["permission_group"], Value::Null, "{freed:?}");
    let removed = remove().await;
    assert_eq!(removed.status, 204, "{removed:?}");
    let mut gone = whole;
    gone["permission_group"] = id;
    let refused = put(&world, &admin, at, "*", gone).await;
    assert_eq!(
        refused.fields(),
        [(
            "/permission_group".to_owned(),
            "unknown_reference".to_owned()
        )]
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_call_permission_group_is_told_at_its_field() {
    let world = World::new();
    let admin = world.admin();
    let groups = "/api/v1/call-permission-groups";
    let group = |name: &str, prefix: &str| {
        json!({ "name": name, "rules": [{ "prefix": prefix, "permission": "deny" }],
            "default": "allow" })
    };
    let added = add(&world, &admin, groups, group("Office", "0900")).await;
    assert_eq!(added.status, 201, "{added:?}");
    for (body, pointer, code) in [
        (group("office", "0900"), "/name", "name_taken"),
        (group(" ", "0900"), "/name", "invalid_name"),
        (group("Hall", ""), "/rules/0/prefix", "invalid_number"),
        (group("Hall", "O900"), "/rules/0/prefix", "invalid_number"),
    ] {
        let refused = add(&world, &admin, groups, body).await;
        assert_eq!(refused.fields(), [(pointer.to_owned(), code.to_owned())]);
    }
    let path = added.header("location");
    let etag = added.header("etag");
    let changed = put(&world, &admin, path, etag, group("Office", "00")).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let stale = put(&world, &admin, path, etag, group("Office", "01")).await;
    assert_eq!(stale.code(), "changed");
    let all = get(&world, &admin, groups).await;
    assert_eq!(all["groups"][0]["rules"][0]["prefix"], "00");
}

#[tokio::test]
async fn the_fraud_protection_is_on_and_can_be_set() {
    let world = World::new();
    let admin = world.admin();
    let path = "/api/v1/fraud-protection";
    let before = world.get(path).cookie(&admin).send().await;
    let limits = |calls: Value, hour: u32, day: u32| json!({ "calls": calls, "minutes_an_hour": hour, "minutes_a_day": day });
    let mut body = before.json();
    assert_eq!(body["enabled"], true);
    assert_eq!(body["extension"], limits(json!(5), 60, 180));
    assert_eq!(body["exchange"], limits(Value::Null, 300, 1200));
    assert_eq!(body["hours"], Value::Null);
    let preset = get(&world, &admin, &format!("{path}/preset")).await;
    assert_eq!(preset["country"], "CZ");
    assert_eq!(
        (&preset["costly"], &preset["exempt"]),
        (&body["costly"], &body["exempt"])
    );
    body["costly"] = json!(["00", "+"]);
    body["extension"]["calls"] = json!(9);
    let open = json!({ "from": "08:00", "to": "17:30" });
    body["hours"] = json!([open, open, open, open, open, null, null]);
    let set = put(&world, &admin, path, before.header("etag"), body.clone()).await;
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!(set.json(), body);
    let stale = put(&world, &admin, path, before.header("etag"), body.clone()).await;
    assert_eq!(stale.code(), "changed");
    for (pointer, value, at, code) in [
        ("/costly/1", json!("O0"), "/costly/1", "invalid_number"),
        (
            "/extension/calls",
            json!(0),
            "/extension/calls",
            "out_of_range",
        ),
        (
            "/exchange/minutes_a_day",
            json!(60_001),
            "/exchange/minutes_a_day",
            "out_of_range",
        ),
        (
            "/hours/2",
            json!({ "from": "18:00", "to": "08:00" }),
            "/hours/2",
            "out_of_range",
        ),
        (
            "/hours/2",
            json!({ "from": "8", "to": "17:00" }),
            "/hours/2/from",
            "invalid",
        ),
        ("/hours", json!([null]), "/hours", "invalid"),
    ] {
        let mut wrong = body.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        let refused = put(&world, &admin, path, "*", wrong).await;
        assert_eq!(
            refused.fields(),
            [(at.to_owned(), code.to_owned())],
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_call_permission_group_may_be_free_of_the_fraud_protection() {
    let world = World::new();
    let admin = world.admin();
    let groups = "/api/v1/call-permission-groups";
    let mut group = json!({ "name": "Switchboard", "rules": [], "default": "allow" });
    let added = add(&world, &admin, groups, group.clone()).await;
    assert_eq!(added.json()["fraud_protection"], true, "{added:?}");
    group["fraud_protection"] = json!(false);
    let path = added.header("location");
    let changed = put(&world, &admin, path, "*", group).await;
    assert_eq!(changed.json()["fraud_protection"], false, "{changed:?}");
}

#[tokio::test]
async fn an_interface_is_checked_before_it_is_added() {
    let world = World::new();
    let admin = world.admin();
    let first = json!({ "name": "first", "partner": "provider", "prefix": "9",
        "server": { "host": "192.0.2.5", "username": "account" } });
    let added = add(&world, &admin, "/api/v1/interfaces", first).await;
    assert_eq!(added.status, 201, "{added:?}");
    let before = world.store.snapshot().unwrap();
    let good = json!({ "name": "second", "partner": "provider", "prefix": "8",
        "server": { "host": "192.0.2.6", "username": "account" } });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(field).unwrap() = value;
        body
    };
    let mut to_exchange = with("/prefix", json!("9"));
    to_exchange["partner"] = json!("exchange");
    for (body, fields) in [
        (with("/name", json!("First")), vec![("/name", "name_taken")]),
        (
            with("/server/host", json!("sip:x")),
            vec![("/server/host", "invalid_name")],
        ),
        (
            // A route to providers does to numbers what another exchange can't use.
            to_exchange,
            vec![("/prefix", "number_taken")],
        ),
    ] {
        let checked = add(&world, &admin, "/api/v1/interfaces/check", body.clone()).await;
        let added = add(&world, &admin, "/api/v1/interfaces", body).await;
        assert_eq!(checked.text, added.text);
        let found = checked.fields();
        let found: Vec<(&str, &str)> = (found.iter())
            .map(|(at, code)| (at.as_str(), code.as_str()))
            .collect();
        assert_eq!(found, fields);
    }
    for prefix in ["8", "9"] {
        let body = with("/prefix", json!(prefix));
        let fine = add(&world, &admin, "/api/v1/interfaces/check", body).await;
        assert_eq!((fine.status.as_u16(), fine.text.as_str()), (204, ""));
    }
    assert_eq!(world.store.snapshot().unwrap(), before);
}

#[tokio::test]
async fn a_new_interface_becomes_the_backup_of_a_route_that_there_is() {
    let world = World::new();
    let admin = world.admin();
    let provider = |name: &str| {
        json!({ "name": name, "partner": "provider", "prefix": "9",
            "server": { "host": "192.0.2.5", "username": "account" } })
    };
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        let added = add(&world, &admin, "/api/v1/interfaces", provider(name)).await;
        assert_eq!(added.status, 201, "{added:?}");
        ids.push(added.json()["id"].clone());
    }
    let routes = get(&world, &admin, "/api/v1/routes").await;
    assert_eq!(
        routes["routes"].as_array().map(Vec::len),
        Some(1),
        "{routes}"
    );
    let route = &routes["routes"][0];
    assert_eq!(route["interfaces"], json!(ids), "{route}");
    assert_eq!(route["outgoing"]["called"]["strip"], 1, "{route}");
}

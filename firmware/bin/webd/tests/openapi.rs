//! The OpenAPI document is a promise: it changes only where somebody looks at the change.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::World;

#[test]
fn the_document_is_as_it_was_looked_at() {
    let document = serde_json::to_value(webd::openapi()).unwrap();
    insta::assert_json_snapshot!(document);
}

#[tokio::test]
async fn the_document_is_served_to_everyone() {
    for world in [World::untouched(), World::new()] {
        let answer = world.get("/api/v1/openapi.json").send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json(),
            serde_json::to_value(webd::openapi()).unwrap()
        );
    }
}

#[test]
fn everything_is_described() {
    let document = serde_json::to_value(webd::openapi()).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{what} has no summary");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{what}: {parameter}");
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let described = property.to_string().contains("description");
            assert!(described, "{name}.{field} has no description");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &serde_json::Value, document: &serde_json::Value) {
        if let Some(reference) = value.get("$ref").and_then(|reference| reference.as_str()) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        match value {
            serde_json::Value::Object(map) => map.values().for_each(|value| walk(value, document)),
            serde_json::Value::Array(list) => list.iter().for_each(|value| walk(value, document)),
            _ => {}
        }
    }
    let document = serde_json::to_value(webd::openapi()).unwrap();
    walk(&document, &document);
}

/// The schema of an answer's field.
fn field(document: &serde_json::Value, schema: &str, field: &str) -> (serde_json::Value, bool) {
    let schema = &document["components"]["schemas"][schema];
    let required = schema["required"].as_array().unwrap();
    let required = required.iter().any(|name| name == field);
    (schema["properties"][field].clone(), required)
}

#[test]
fn an_answer_has_all_its_fields_and_a_body_may_leave_some_out() {
    let document = serde_json::to_value(webd::openapi()).unwrap();
    for (schema, name) in [
        ("Extension", "user"),
        ("Dashboard", "certificate"),
        ("Leg", "codec"),
        ("Leg", "quality"),
    ] {
        assert!(field(&document, schema, name).1, "{schema}.{name}");
    }
    for (schema, name) in [("ExtensionCreation", "user"), ("Problem", "current_etag")] {
        assert!(!field(&document, schema, name).1, "{schema}.{name}");
    }
    let person = &document["components"]["schemas"]["Person"];
    assert_eq!(person["properties"]["email"]["type"][1], "null");
}

#[test]
fn every_list_of_words_has_a_name() {
    fn walk(value: &serde_json::Value, path: &str) {
        let inline = value.get("enum").is_some() && !path.is_empty();
        assert!(!inline, "{path} has words without a name");
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    walk(value, &format!("{path}/{key}"));
                }
            }
            serde_json::Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(n, value)| walk(value, &format!("{path}/{n}"))),
            _ => {}
        }
    }
    let document = serde_json::to_value(webd::openapi()).unwrap();
    walk(&document["paths"], "paths");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            walk(property, &format!("{name}.{field}"));
        }
    }
}

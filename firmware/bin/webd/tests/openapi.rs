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

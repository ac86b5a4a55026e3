//! Every route of the OpenAPI document for everybody: what a role may not do is refused, and what is
//! answered is documented. A new route is in these tests by being in the document.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use axum::response::Response;
use common::World;
use model::Role;
use serde_json::Value;

struct Route {
    method: String,
    path: String,
    access: String,
    operation: Value,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(webd::openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            routes.push(Route {
                method: method.to_uppercase(),
                path: path.replace("{id}", "999999").replace("{log}", "config"),
                access: operation["x-access"].as_str().unwrap().to_owned(),
                operation: operation.clone(),
            });
        }
    }
    assert!(routes.len() >= 33, "the document lacks routes");
    routes
}

impl Route {
    async fn ask(&self, world: &World, cookie: Option<&str>) -> (Response, String) {
        let mut ask = world.ask(&self.method, &self.path).header("If-Match", "*");
        if let Some(cookie) = cookie {
            ask = ask.cookie(cookie);
        }
        if self.operation.get("requestBody").is_some() {
            ask = ask.json(serde_json::json!({}));
        }
        let response = ask.open().await;
        let what = format!("{} {}: {}", self.method, self.path, response.status());
        self.is_documented(&response, &what);
        (response, what)
    }

    fn is_documented(&self, response: &Response, what: &str) {
        let status = response.status();
        let documented = &self.operation["responses"][status.as_str()];
        assert!(documented.is_object(), "not documented: {what}");
        let Some(kind) = response.headers().get("content-type") else {
            return;
        };
        let kind = kind.to_str().unwrap().split(';').next().unwrap();
        assert!(
            documented["content"][kind].is_object(),
            "{kind} not documented: {what}"
        );
    }
}

#[tokio::test]
async fn a_role_does_what_it_may_and_nothing_else() {
    let world = World::new();
    for route in routes() {
        for role in [Role::User, Role::ReadOnly, Role::ReadWrite] {
            let (_, cookie) = world.session(role);
            let (response, what) = route.ask(&world, Some(&cookie)).await;
            let may = match route.access.as_str() {
                "always" | "public" | "own" => true,
                "read" => role >= Role::ReadOnly,
                "write" => role == Role::ReadWrite,
                other => panic!("{other}: {what}"),
            };
            if may {
                assert_ne!(response.status(), 403, "{role:?} {what}");
                assert_ne!(response.status(), 401, "{role:?} {what}");
            } else {
                assert_eq!(response.status(), 403, "{role:?} {what}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_gets_no_further_than_the_door() {
    let world = World::new();
    let ended = format!("__Host-session={}", "x".repeat(43));
    for route in routes() {
        for cookie in [None, Some(ended.as_str())] {
            let (response, what) = route.ask(&world, cookie).await;
            let open = matches!(route.access.as_str(), "always" | "public");
            assert_eq!(response.status() != 401, open, "{what}");
        }
    }
}

#[tokio::test]
async fn before_the_first_visit_everything_says_what_to_do() {
    let world = World::untouched();
    for route in routes() {
        let (response, what) = route.ask(&world, None).await;
        assert_eq!(response.status() == 409, route.access != "always", "{what}");
    }
}

#[tokio::test]
async fn only_what_must_be_is_open() {
    let open: Vec<String> = routes()
        .into_iter()
        .filter(|route| matches!(route.access.as_str(), "always" | "public"))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(
        open,
        [
            "GET /api/v1/first-visit",
            "POST /api/v1/first-visit",
            "GET /api/v1/problems",
            "POST /api/v1/session",
        ]
    );
    for route in routes() {
        let changes = route.method != "GET";
        assert!(
            !(changes && route.access == "read"),
            "{} {}",
            route.method,
            route.path
        );
    }
}

//! The other ports: plain HTTP and HTTPS that lead to the administration (WEB-1).

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::gate::{Hosts, authority};

/// Answers everything with the way to the administration on `port`.
pub fn router(hosts: Hosts, port: u16) -> Router {
    Router::new().fallback(lead).with_state((hosts, port))
}

async fn lead(State((hosts, port)): State<(Hosts, u16)>, request: Request) -> Response {
    let location = authority(&request)
        .filter(|authority| hosts.know(authority.host()))
        .and_then(|authority| {
            HeaderValue::from_str(&format!("https://{}:{port}/admin", authority.host())).ok()
        });
    match location {
        // Not a permanent one: browsers would keep it when the port is another.
        Some(location) => (
            StatusCode::TEMPORARY_REDIRECT,
            [
                (LOCATION, location),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
        )
            .into_response(),
        None => (
            StatusCode::MISDIRECTED_REQUEST,
            "Use the IP address of the box or its own host name.\n",
        )
            .into_response(),
    }
}

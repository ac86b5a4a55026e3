//! The other ports: plain HTTP and HTTPS that lead to the administration (WEB-1), and plain HTTP on its own
//! port, where a browser tries it first.

use std::io;
use std::pin::Pin;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_server::accept::Accept;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gate::{Hosts, authority};
use crate::listener::{Counted, HEADERS, Limited};

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

/// Hands on the connections on which TLS begins, and leads who speaks plain HTTP to where it does.
#[derive(Clone, Debug)]
pub struct Leading {
    limited: Limited,
    router: Router,
}

impl Leading {
    /// `router`: that of [`router`].
    pub const fn new(limited: Limited, router: Router) -> Self {
        Self { limited, router }
    }

    async fn lead(self, stream: Counted) -> io::Result<()> {
        let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
        server
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .keep_alive(false);
        let service = TowerToHyperService::new(self.router);
        let served = server.serve_connection(TokioIo::new(stream), service);
        served.await.map_err(io::Error::other)
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Leading {
    type Stream = Counted;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Counted, S)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let (this, accepted) = (self.clone(), self.limited.accept(stream, service));
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            if timeout(HEADERS, stream.begins_tls()).await?? {
                return Ok((stream, service));
            }
            this.lead(stream).await?;
            Err(io::Error::other("plain HTTP was led to HTTPS"))
        })
    }
}

//! What every request passes before its handler: whose host name it names, from which page it comes,
//! who sends it, and for how long it may take. And what every answer carries.
//!
//! Cross-site requests (CSRF) are told apart without tokens. A browser says by `Sec-Fetch-Site`
//! where a request comes from, older ones by `Origin`; either must be this box. A request with
//! neither doesn't come from a page; where it has a cookie it must carry `X-Requested-With`, which
//! a page of another site can't add without being asked first (and is never allowed).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::Secret;
use store::Session;

use crate::app::App;
use crate::clock;
use crate::problem::{Code, Problem};
use crate::resources::events::EVENTS;
use crate::resources::system::{LONGEST_UPLOAD, UPLOAD};

/// The session's cookie. The prefix binds it to this host and to TLS (RFC 6265bis §4.1.3.2).
pub const COOKIE_NAME: &str = "__Host-session";
/// A page adds it to what nobody asked it for: that is no use of the session.
const UNATTENDED: &str = "x-unattended";
/// A request takes no longer; a stream, once begun, isn't meant.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Who sends a request.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody can be known yet: the first password isn't set.
    FirstVisit,
    /// Without a session.
    Nobody,
    /// Somebody who has logged in.
    Somebody(Box<LoggedIn>),
}

/// Somebody who has logged in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The session and its user as it is now.
    pub session: Session,
    /// The session's token.
    pub token: Secret,
}

/// The address a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct From(pub IpAddr);

/// The names this box answers to. An IP address is always one: DNS can't be made to lie about it.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The names, in any case.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<String> = names
            .into_iter()
            .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
            .chain(["localhost".to_owned()])
            .collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// All names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// True where `host` (without a port) is an address or one of the names.
    #[must_use]
    pub fn know(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        bare.parse::<IpAddr>().is_ok() || self.0.contains(&name)
    }
}

/// What every answer carries; a page that needs more says so itself.
pub async fn headers(request: Request, next: Next) -> Response {
    // No Strict-Transport-Security: it would hold for every port of this host, and turn the warning
    // about a self-signed certificate into a wall.
    const ALWAYS: [(HeaderName, &str); 8] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ];
    let mut response = next.run(request).await;
    for (name, value) in ALWAYS {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Lets in what names this box, comes from it or from no page, and has a known or no sender.
pub async fn enter(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match admit(&app, &mut request).await {
        Ok(()) => match tokio::time::timeout(longest(&request), next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(Code::Timeout, "The box is busy: try again.")
                .retry_after(5)
                .into_response(),
        },
        Err(problem) => problem.into_response(),
    }
}

/// How long a request may take.
fn longest(request: &Request) -> Duration {
    if request.uri().path() == UPLOAD {
        LONGEST_UPLOAD
    } else {
        LONGEST_REQUEST
    }
}

async fn admit(app: &App, request: &mut Request) -> Result<(), Problem> {
    let authority = authority(request)
        .filter(|authority| app.hosts.know(authority.host()))
        .ok_or_else(|| {
            Problem::new(
                Code::UnknownHost,
                "Use the IP address of the box or its own host name; another name is accepted \
                 when it is configured.",
            )
        })?;
    check_origin(request.method(), request.headers(), &authority)?;
    let ConnectInfo(peer) = *request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .ok_or_else(Problem::internal)?;
    // A stream is opened anew by the page itself, and can't have a header of its own.
    let attended = !request.headers().contains_key(UNATTENDED) && request.uri().path() != EVENTS;
    let caller = identify(app, request.headers(), attended).await?;
    let has_session = matches!(caller, Caller::Somebody(_));
    app.connections.asked(peer, has_session);
    let address = From(peer.ip().to_canonical());
    request.extensions_mut().insert(address);
    request.extensions_mut().insert(caller);
    Ok(())
}

async fn identify(app: &App, headers: &HeaderMap, attended: bool) -> Result<Caller, Problem> {
    if app.is_first_visit().await? {
        return Ok(Caller::FirstVisit);
    }
    let Some(token) = token(headers) else {
        return Ok(Caller::Nobody);
    };
    let asked = token.clone();
    let session = app
        .with_store(move |store| match attended {
            true => store.session_lookup(clock::now(), &asked),
            false => store.session_peek(clock::now(), &asked),
        })
        .await?;
    Ok(session.map_or(Caller::Nobody, |session| {
        Caller::Somebody(Box::new(LoggedIn { session, token }))
    }))
}

/// The host that is asked for: HTTP/2 has it in the URI, HTTP/1 in a header.
pub(crate) fn authority(request: &Request) -> Option<Authority> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.clone());
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next()?;
    if hosts.next().is_some() {
        return None;
    }
    host.to_str().ok()?.parse().ok()
}

/// The session token of a request.
pub(crate) fn token(headers: &HeaderMap) -> Option<Secret> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE_NAME && value.len() == 43)
        .map(|(_, value)| Secret::new(value))
}

fn check_origin(
    method: &Method,
    headers: &HeaderMap,
    authority: &Authority,
) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let refused = |why: &str| Err(Problem::new(Code::CrossSite, why));
    if let Some(site) = headers.get("sec-fetch-site") {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Ok(()),
            _ => refused("Changes are made from the box's own pages only."),
        };
    }
    if let Some(origin) = headers.get(ORIGIN) {
        let own = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("https://"))
            .is_some_and(|origin| origin.eq_ignore_ascii_case(authority.as_str()));
        return if own {
            Ok(())
        } else {
            refused("The Origin header is not this box's: make changes from its own pages.")
        };
    }
    if headers.contains_key(COOKIE) && !headers.contains_key("x-requested-with") {
        return refused(
            "A program that sends the session cookie adds a header such as \
             `X-Requested-With: curl` to everything but GET.",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let authority = Authority::from_static("192.0.2.1:4021");
        check_origin(&Method::POST, &map, &authority).is_ok()
    }

    #[test]
    fn a_change_comes_from_the_box_or_from_no_page() {
        const C: (&str, &str) = ("cookie", "__Host-session=x");
        assert!(check(&[C, ("sec-fetch-site", "same-origin")]));
        assert!(check(&[C, ("sec-fetch-site", "none")]));
        assert!(!check(&[C, ("sec-fetch-site", "same-site")]));
        assert!(!check(&[
            ("sec-fetch-site", "cross-site"),
            ("x-requested-with", "x")
        ]));
        assert!(check(&[C, ("origin", "https://192.0.2.1:4021")]));
        assert!(!check(&[C, ("origin", "http://192.0.2.1:4021")]));
        assert!(!check(&[C, ("origin", "https://192.0.2.1")]));
        assert!(!check(&[C, ("origin", "null"), ("x-requested-with", "x")]));
        assert!(!check(&[C]));
        assert!(check(&[C, ("x-requested-with", "curl")]));
        assert!(check(&[]));
    }

    #[test]
    fn names_that_dns_could_lie_about_are_not_ours() {
        let hosts = Hosts::new(["Operator-Box".to_owned()]);
        for good in [
            "operator-box",
            "OPERATOR-BOX.",
            "localhost",
            "10.10.10.1",
            "[::1]",
        ] {
            assert!(hosts.know(good), "{good}");
        }
        for bad in [
            "operator-box.example.com",
            "example.com",
            "10.10.10.1.example.com",
            "",
        ] {
            assert!(!hosts.know(bad), "{bad}");
        }
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        let value = format!("a=b; __Host-session={}; c=d", "x".repeat(43));
        headers.append(COOKIE, HeaderValue::from_str(&value).expect("a value"));
        assert!(token(&headers).is_some());
        headers.insert(COOKIE, HeaderValue::from_static("__Host-session=short"));
        assert!(token(&headers).is_none());
    }
}

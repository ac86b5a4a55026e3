//! What a request is looked at for before anybody is asked who sent it: overload, method, scheme,
//! extensions, hops, body (RFC 3261 §8.2.1 to §8.2.3).

use model::Flow;

use super::core::is_our_via;
use super::limits::{PLAIN_BODY_BYTES, RETRY_AFTER_S, URGENT_RESERVE};
use super::values::{OPTIONS, is_allowed};
use super::{Admission, Endpoint, kept};
use crate::message::{
    Essentials, HeaderName, HeaderValue, Method, Request, Response, RetryAfter, StatusCode, Tokens,
    Uri, Warning,
};

/// A refusal: status and what it needs besides.
type Refused = Box<Response>;

impl Endpoint {
    /// Overload: new work is refused, in-dialog requests go on.
    pub(super) fn not_admitted(&self, flow: Flow, request: &Request) -> Option<Response> {
        match (&self.admission, &request.method) {
            (
                Admission::RefuseCalls { retry_after_s } | Admission::RefuseAll { retry_after_s },
                Method::Invite,
            ) if !self.is_urgent(flow, request) => Some(self.unavailable(request, *retry_after_s)),
            (Admission::RefuseAll { retry_after_s }, Method::Register) => {
                Some(self.unavailable(request, *retry_after_s))
            }
            (Admission::Open | Admission::RefuseCalls { .. } | Admission::RefuseAll { .. }, _) => {
                None
            }
        }
    }

    /// Too much is held already. Asked after the digest: who has none neither uses it up nor hears of it.
    pub(super) fn is_full(&self, flow: Flow, request: &Request) -> Option<Response> {
        let config = &self.core.config;
        let full = |reserve| {
            self.core.servers.len() >= config.server_transactions + reserve
                || (request.method == Method::Invite
                    && self.sessions.len() >= config.sessions + reserve)
        };
        let full = full(0) && (full(URGENT_RESERVE) || !self.is_urgent(flow, request));
        full.then(|| self.unavailable(request, RETRY_AFTER_S))
    }

    /// Whether it is a call to an urgent number by one who has to prove who it is: anybody can send in
    /// the name of a peer that need not.
    pub(super) fn is_urgent(&self, flow: Flow, request: &Request) -> bool {
        request.method == Method::Invite
            && !self.trusted.contains(&flow.remote.ip())
            && (request.uri.user()).is_some_and(|dialled| self.urgent.holds(&dialled))
    }

    fn unavailable(&self, request: &Request, seconds: u32) -> Response {
        let seconds = self.core.spread(seconds, &request.headers);
        let mut response = Response::to(request, StatusCode::SERVICE_UNAVAILABLE);
        response
            .headers
            .push(HeaderName::RetryAfter, RetryAfter::new(seconds));
        response
    }

    /// Method, URI scheme, extensions, hops, body (RFC 3261 §8.2.1 to §8.2.3).
    pub(super) fn inspect(
        &self,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
        outside: bool,
    ) -> Result<(), Refused> {
        let refuse = |status| Box::new(self.core.response_to(request, status));
        if !is_allowed(&request.method) {
            let mut response = refuse(match request.method {
                Method::Other(_) => StatusCode::NOT_IMPLEMENTED,
                _ => StatusCode::METHOD_NOT_ALLOWED,
            });
            response
                .headers
                .push(HeaderName::Allow, self.core.values.allow.clone());
            return Err(response);
        }
        if !matches!(request.uri, Uri::Sip(_)) {
            return Err(refuse(StatusCode::UNSUPPORTED_URI_SCHEME));
        }
        self.inspect_extensions(request)?;
        if outside && request.method == Method::Invite {
            if essentials.max_forwards == Some(0) {
                return Err(refuse(StatusCode::TOO_MANY_HOPS));
            }
            if self.is_loop(flow, request) {
                return Err(refuse(StatusCode::LOOP_DETECTED));
            }
        }
        if let Some(name) = kept::too_long(request, essentials, outside) {
            let mut response = refuse(StatusCode::MESSAGE_TOO_LARGE);
            let warning = Warning {
                code: 399,
                agent: flow.local.to_string(),
                text: format!("{name} is too long"),
            };
            response.headers.push(HeaderName::Warning, warning);
            return Err(response);
        }
        self.inspect_body(request)
    }

    /// An INVITE that has passed us before, seen from one of its Vias.
    fn is_loop(&self, flow: Flow, request: &Request) -> bool {
        request.headers.vias().is_ok_and(|vias| {
            vias.iter().any(|via| {
                is_our_via(via, flow)
                    && via
                        .branch()
                        .and_then(crate::transaction::number_in)
                        .is_some()
            })
        })
    }

    /// RFC 3261 §8.2.2.3
    fn inspect_extensions(&self, request: &Request) -> Result<(), Refused> {
        if !request.headers.contains(&HeaderName::Require) {
            return Ok(());
        }
        let Ok(required) = request.headers.require() else {
            let response = self.core.response_to(request, StatusCode::BAD_REQUEST);
            return Err(Box::new(response));
        };
        let unknown: Vec<&str> = required
            .iter()
            .filter(|tag| !OPTIONS.iter().any(|own| own.eq_ignore_ascii_case(tag)))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut response = self.core.response_to(request, StatusCode::BAD_EXTENSION);
        response
            .headers
            .push(HeaderName::Unsupported, Tokens::new(&unknown));
        Err(Box::new(response))
    }

    /// RFC 3261 §8.2.3
    fn inspect_body(&self, request: &Request) -> Result<(), Refused> {
        let describes = matches!(
            request.method,
            Method::Invite | Method::Update | Method::Prack
        );
        // INFO may carry what its package wants (RFC 6086 §4.2).
        if !describes && request.method != Method::Info && request.body.len() > PLAIN_BODY_BYTES {
            let status = StatusCode::REQUEST_ENTITY_TOO_LARGE;
            return Err(Box::new(self.core.response_to(request, status)));
        }
        if !describes || request.body.is_empty() {
            return Ok(());
        }
        let headers = &request.headers;
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let encoded = headers
            .raw(&HeaderName::ContentEncoding)
            .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
        if encoded {
            let mut response = self.core.response_to(request, status);
            response
                .headers
                .push(HeaderName::AcceptEncoding, "identity");
            return Err(Box::new(response));
        }
        if matches!(headers.content_type(), Ok(Some(kind)) if kind.is_sdp()) {
            return Ok(());
        }
        let optional = headers
            .raw(&HeaderName::ContentDisposition)
            .and_then(HeaderValue::as_str)
            .is_some_and(|value| value.to_ascii_lowercase().contains("handling=optional"));
        if optional {
            return Ok(());
        }
        let mut response = self.core.response_to(request, status);
        response.headers.push(HeaderName::Accept, "application/sdp");
        Err(Box::new(response))
    }
}

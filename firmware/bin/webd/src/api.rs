//! The one way a route gets into the API: with the rights it needs.
//!
//! [`Api`] has a method for each level of rights and no other way to add a route, so none can be
//! forgotten; the level is enforced before the handler and written into the OpenAPI document
//! together with the errors that follow from it.

use axum::extract::{DefaultBodyLimit, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use store::Author;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, RefOr, Required};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::app::App;
use crate::gate::{Caller, From, LoggedIn};
use crate::input::{MAX_BODY, MAX_STRANGERS_BODY};
use crate::problem::{Code, Problem};

/// The name of the security scheme in the OpenAPI document.
pub const SCHEME: &str = "session";

/// What a route asks of who calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Nothing, not even that the first password is set.
    Always,
    /// Nothing.
    Public,
    /// A session.
    Own,
    /// A session of somebody who may see the server.
    Read,
    /// A session of somebody who may change the server.
    Write,
}

impl Need {
    /// The largest body that is read, in bytes.
    const fn largest_body(self) -> usize {
        match self {
            Self::Always | Self::Public => MAX_STRANGERS_BODY,
            Self::Own | Self::Read | Self::Write => MAX_BODY,
        }
    }
}

/// The API while it is put together.
#[must_use]
pub struct Api(OpenApiRouter<App>);

/// Who made a request that needs a session, for handlers.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The session.
    pub logged_in: LoggedIn,
    /// Where the request comes from.
    pub address: From,
}

impl Api {
    /// An API without routes.
    pub fn new(openapi: OpenApi) -> Self {
        Self(OpenApiRouter::with_openapi(openapi))
    }

    /// Adds what everybody may use at any time.
    pub fn always(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.add(Need::Always, routes)
    }

    /// Adds what everybody may use once the first password is set.
    pub fn public(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.add(Need::Public, routes)
    }

    /// Adds what everybody may use who has a session, for things of their own.
    pub fn own(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.add(Need::Own, routes)
    }

    /// Adds what needs the right to see the whole server.
    pub fn read(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.add(Need::Read, routes)
    }

    /// Adds what needs the right to change the whole server.
    pub fn write(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.add(Need::Write, routes)
    }

    /// All routes and their document.
    #[must_use]
    pub fn into_router(self) -> OpenApiRouter<App> {
        self.0
    }

    fn add(self, need: Need, (schemas, mut paths, routes): UtoipaMethodRouter<App>) -> Self {
        for item in paths.paths.values_mut() {
            for (method, operation) in operations(item) {
                document(need, &method, operation);
            }
        }
        let routes = routes
            .route_layer(DefaultBodyLimit::max(need.largest_body()))
            .route_layer(from_fn(move |request, next| guard(need, request, next)));
        Self(self.0.routes((schemas, paths, routes)))
    }
}

impl Actor {
    /// The author of a change, for the Config log.
    #[must_use]
    pub fn author(&self) -> Author {
        Author {
            name: self.logged_in.session.user.name.clone(),
            host: self.address.0.to_string(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let address = parts.extensions.get::<From>();
        match (parts.extensions.get::<Caller>(), address) {
            (Some(Caller::Somebody(logged_in)), Some(address)) => Ok(Self {
                logged_in: (**logged_in).clone(),
                address: *address,
            }),
            _ => Err(not_logged_in()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(Problem::internal)
    }
}

async fn guard(need: Need, request: Request, next: Next) -> Response {
    match check(need, request.extensions().get::<Caller>()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(need: Need, caller: Option<&Caller>) -> Result<(), Problem> {
    let role = match (need, caller) {
        (Need::Always, _) => return Ok(()),
        (_, Some(Caller::FirstVisit)) => {
            return Err(Problem::new(
                Code::FirstVisit,
                "Set the password of the account Admin: POST /api/v1/first-visit.",
            ));
        }
        (Need::Public, _) => return Ok(()),
        (_, None | Some(Caller::Nobody)) => return Err(not_logged_in()),
        (_, Some(Caller::Somebody(logged_in))) => logged_in.session.user.role,
    };
    let enough = match need {
        Need::Always | Need::Public | Need::Own => true,
        Need::Read => role >= model::Role::ReadOnly,
        Need::Write => role >= model::Role::ReadWrite,
    };
    if enough {
        Ok(())
    } else {
        Err(Problem::new(
            Code::Forbidden,
            "Ask an administrator to do it, or for more rights.",
        ))
    }
}

/// There is no session, or it has ended.
pub fn not_logged_in() -> Problem {
    Problem::new(
        Code::NotLoggedIn,
        "Log in: POST /api/v1/session. A session ends after 30 minutes without use and after 12 \
         hours.",
    )
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.map(|operation| (method, operation)))
}

/// Adds to an operation what follows from its rights and its inputs.
fn document(need: Need, method: &HttpMethod, operation: &mut Operation) {
    let level = match need {
        Need::Always => "always",
        Need::Public => "public",
        Need::Own => "own",
        Need::Read => "read",
        Need::Write => "write",
    };
    let extensions = ExtensionsBuilder::new()
        .add("x-access", json!(level))
        .build();
    operation
        .extensions
        .get_or_insert_default()
        .merge(extensions);
    operation.security = Some(if need >= Need::Own {
        vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]
    } else {
        Vec::new()
    });
    let changes = !matches!(method, HttpMethod::Get);
    if changes {
        let parameter = ParameterBuilder::new()
            .name("X-Requested-With")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Any text. A program that sends the session cookie needs it; browsers say by \
                 themselves where a request comes from.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .example(Some(json!("curl")))
            .build();
        operation
            .parameters
            .get_or_insert_default()
            .push(parameter.into());
    }
    let has = |fits: &dyn Fn(&Parameter) -> bool| {
        operation
            .parameters
            .iter()
            .flatten()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if fits(parameter)))
    };
    let if_match = has(&|parameter| parameter.name == "If-Match");
    let query = has(&|parameter| parameter.parameter_in == ParameterIn::Query);
    let path = has(&|parameter| parameter.parameter_in == ParameterIn::Path);
    let body = operation.request_body.as_ref().is_some_and(
        |body| matches!(body, RefOr::T(body) if body.content.contains_key("application/json")),
    );
    let mut statuses = vec![
        (421, "The host name is not one of the box (`unknown_host`)."),
        (
            500,
            "It failed inside the box (`internal`, `system_failed`).",
        ),
        (
            503,
            "The box is busy or the exchange does not answer (`busy`, `timeout`, `exchange_unreachable`, `no_system`).",
        ),
    ];
    if need > Need::Always {
        statuses.push((409, "The first password is not set yet, or it clashes with what is there (`first_visit`, `conflict`)."));
    }
    if need >= Need::Own {
        statuses.push((401, "No session, or it has ended (`not_logged_in`)."));
    }
    if need >= Need::Read || changes {
        statuses.push((403, "The role does not allow it, or the request comes from another site (`forbidden`, `cross_site`)."));
    }
    if query || if_match || body {
        statuses.push((400, "A parameter, a header or the JSON can't be read (`invalid_query`, `invalid_header`, `malformed_json`)."));
    }
    if path {
        statuses.push((404, "There is no such object (`not_found`)."));
    }
    if body {
        statuses.push((
            413,
            "The body is larger than 64 KiB, or than 4 KiB where no session is needed (`too_large`).",
        ));
        statuses.push((
            415,
            "The body is not `application/json` (`unsupported_media_type`).",
        ));
        statuses.push((
            422,
            "Fields are not valid; `errors` names them (`invalid`).",
        ));
    }
    if if_match {
        statuses.push((412, "The object was changed since it was read (`changed`)."));
        statuses.push((428, "The If-Match header is missing (`if_match_required`)."));
    }
    for (status, text) in statuses {
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert_with(|| {
                ResponseBuilder::new()
                    .description(text)
                    .content(
                        "application/problem+json",
                        Content::new(Some(Ref::from_schema_name("Problem"))),
                    )
                    .build()
                    .into()
            });
    }
}

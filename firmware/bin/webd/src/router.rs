//! The whole API on one page: every path, its handler, and the rights it needs.

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{Api, SCHEME};
use crate::app::App;
use crate::event::EventData;
use crate::input::MAX_STRANGERS_BODY;
use crate::list::Order;
use crate::problem::{Code, Problem, ProblemBody};
use crate::resources::{
    call_explainer, call_history, call_permission_groups, calls, dashboard, debug_log, dial_plan,
    emergency, events, extensions, failed_logins, first_visit, fraud_protection, general,
    interfaces, log_settings, logs, phone_setup, problems, registrations, routes, session, status,
    system, users,
};
use crate::words::Log;
use crate::{gate, pages, schema};

/// Where the API is.
pub const BASE: &str = "/api/v1";

fn api() -> OpenApiRouter<App> {
    Api::new(base_document())
        .always(routes!(first_visit::show))
        .always(routes!(first_visit::set))
        .always(routes!(problems::list))
        .public(routes!(session::open))
        .own(routes!(session::show))
        .own(routes!(session::close))
        .own(routes!(session::set_language))
        .own(routes!(session::set_password))
        .read(routes!(users::list))
        .write(routes!(users::add))
        .read(routes!(users::show))
        .write(routes!(users::replace))
        .write(routes!(users::remove))
        .write(routes!(users::set_password))
        .read(routes!(users::dependents))
        .read(routes!(extensions::list))
        .write(routes!(extensions::add))
        .read(routes!(extensions::suggestion))
        .read(routes!(extensions::show))
        .write(routes!(extensions::replace))
        .write(routes!(extensions::remove))
        .write(routes!(extensions::set_sip_password))
        .read(routes!(extensions::dependents))
        .read(routes!(dial_plan::list))
        .read(routes!(dial_plan::export))
        .read(routes!(interfaces::list))
        .write(routes!(interfaces::add))
        .write(routes!(interfaces::check))
        .read(routes!(interfaces::show))
        .write(routes!(interfaces::replace))
        .write(routes!(interfaces::remove))
        .read(routes!(interfaces::dependents))
        .read(routes!(routes::list))
        .write(routes!(routes::add))
        .read(routes!(routes::show))
        .write(routes!(routes::replace))
        .write(routes!(routes::remove))
        .read(routes!(call_permission_groups::list))
        .write(routes!(call_permission_groups::add))
        .read(routes!(call_permission_groups::show))
        .write(routes!(call_permission_groups::replace))
        .write(routes!(call_permission_groups::remove))
        .read(routes!(call_permission_groups::dependents))
        .read(routes!(call_explainer::show))
        .read(routes!(emergency::show))
        .write(routes!(emergency::replace))
        .read(routes!(emergency::presets))
        .read(routes!(fraud_protection::show))
        .write(routes!(fraud_protection::replace))
        .read(routes!(fraud_protection::preset))
        .read(routes!(fraud_protection::used))
        .read(routes!(general::show))
        .write(routes!(general::replace))
        .read(routes!(calls::list))
        .write(routes!(calls::end))
        .read(routes!(registrations::list))
        .read(routes!(registrations::show_last))
        .read(routes!(failed_logins::list))
        .read(routes!(phone_setup::show))
        .read(routes!(call_history::list))
        .read(routes!(call_history::show))
        .read(routes!(call_history::export))
        .write(routes!(call_history::clear))
        .read(routes!(log_settings::show))
        .write(routes!(log_settings::replace))
        .read(routes!(logs::list))
        .write(routes!(logs::clear))
        .read(routes!(debug_log::show))
        .write(routes!(debug_log::set))
        .read(routes!(dashboard::show))
        .read(routes!(status::show))
        .read(routes!(events::listen))
        .read(routes!(system::show_slots))
        .write(routes!(system::upgrade))
        .read(routes!(system::show_health))
        .read(routes!(system::show_kernel_log))
        .read(routes!(system::show_network))
        .write(routes!(system::change_network))
        .write(routes!(system::confirm_network))
        .write(routes!(system::revert_network))
        .read(routes!(system::show_time))
        .write(routes!(system::change_time))
        .write(routes!(system::set_clock))
        .read(routes!(system::show_remote_menu))
        .write(routes!(system::change_remote_menu))
        .write(routes!(system::restart_exchange))
        .write(routes!(system::reboot))
        .write(routes!(system::power_off))
        .write(routes!(system::factory_reset))
        .into_router()
}

/// Everything `webd` serves on its main listener.
pub fn router(app: App) -> Router {
    let (routes, document) = document();
    let document = Json(document);
    Router::new()
        .merge(routes)
        .route(
            "/api/v1/openapi.json",
            get(move || async move { document.clone() }),
        )
        .merge(pages::router())
        .route("/", get(|| async { Redirect::temporary("/admin") }))
        .fallback(unknown_path)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_STRANGERS_BODY))
        .layer(from_fn_with_state(app.clone(), gate::enter))
        .layer(from_fn(gate::headers))
        .with_state(app)
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> Document {
    document().1
}

fn document() -> (Router<App>, Document) {
    let (routes, mut document) = OpenApiRouter::with_openapi(base_document())
        .nest(BASE, api())
        .split_for_parts();
    schema::complete(&mut document);
    (routes, document)
}

fn base_document() -> Document {
    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "Operator Box",
            description = "The administration of the exchange.\n\n\
                Log in with `POST /api/v1/session`; the answer sets a cookie that every further \
                request sends. A program adds the header `X-Requested-With` (any text) to everything \
                but GET. Changing or removing an object needs its `ETag` in `If-Match`. Errors are \
                `application/problem+json` (RFC 9457); `code` says which, `errors` names the fields, \
                `detail` says what to do.",
            license(name = "Apache-2.0", identifier = "Apache-2.0"),
        ),
        components(schemas(
            ProblemBody,
            EventData,
            Log,
            Order,
            call_history::CallSort,
            dial_plan::DialPlanSort,
            extensions::ExtensionSort,
            users::ExtensionsThen,
            users::UserSort,
        )),
        tags(
            (name = "access", description = "First visit and sessions"),
            (name = "configuration", description = "What an administrator decides"),
            (name = "live", description = "What happens now"),
            (name = "records", description = "What happened"),
            (name = "system", description = "The machine under the exchange"),
        ),
    )]
    struct Base;

    let mut document = Base::openapi();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme(
            SCHEME,
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                gate::COOKIE_NAME,
                "Set by POST /api/v1/session.",
            ))),
        );
    document
}

async fn unknown_path(request: Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    Problem::new(
        Code::UnknownPath,
        format!("There is nothing at {path}. The paths there are: /admin and those of /api/v1/openapi.json."),
    )
    .into_response()
}

async fn method_not_allowed() -> Response {
    Problem::new(
        Code::MethodNotAllowed,
        "Use one of the methods that the Allow header lists.",
    )
    .into_response()
}

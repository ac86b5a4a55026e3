//! What concerns the whole exchange.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use model::{ConfigVersion, config};
use serde::{Deserialize, Serialize};
use store::{Operation, Store};
use utoipa::ToSchema;

use crate::api::Actor;
use crate::app::App;
use crate::input::{Body, whole};
use crate::problem::Problem;
use crate::revision::{self, IfMatch};
use crate::words::Digest;

type WithETag<T> = ([(HeaderName, String); 1], Json<T>);

/// What concerns the whole exchange.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct General {
    /// Two-letter code of the country: it chooses the tones callers hear.
    #[schema(example = "CZ", min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$")]
    country: String,
    /// What phones show when they ask for a SIP password.
    #[schema(
        example = "operator-box",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    realm: String,
    /// How long a call rings before it counts as not answered, in seconds.
    #[serde(deserialize_with = "whole")]
    #[schema(example = 60, minimum = 5, maximum = 180)]
    no_answer_s: u32,
    /// What phones prove their password by.
    digest: Digest,
}

/// The general settings
#[utoipa::path(get, path = "/general", operation_id = "show_general", tag = "configuration",
    responses((status = 200, description = "As they are", body = General,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(State(app): State<App>) -> Result<WithETag<General>, Problem> {
    let (revision, general) = read(&app).await?;
    Ok((revision::header(revision), Json(general)))
}

/// Change the general settings
#[utoipa::path(put, path = "/general", operation_id = "change_general", tag = "configuration",
    params(("If-Match" = String, Header, description = "The ETag as it was read, or `*`",
        example = "*")),
    request_body = General,
    responses((status = 200, description = "Changed", body = General,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    if_match: IfMatch,
    Body(body): Body<General>,
) -> Result<WithETag<General>, Problem> {
    let (revision, _) = read(&app).await?;
    let general = config::General {
        country: body.country,
        realm: body.realm,
        no_answer_s: body.no_answer_s,
        digest: body.digest.into(),
    };
    let update = vec![Operation::UpdateGeneral(general)];
    let expected = app.expect(&if_match, revision).await?;
    app.change(actor.author(), expected, update).await?;
    let (revision, general) = read(&app).await?;
    Ok((revision::header(revision), Json(general)))
}

async fn read(app: &App) -> Result<(ConfigVersion, General), Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let general = snapshot.configuration.general;
    Ok((
        snapshot.revisions.general,
        General {
            country: general.country,
            realm: general.realm,
            no_answer_s: general.no_answer_s,
            digest: general.digest.into(),
        },
    ))
}

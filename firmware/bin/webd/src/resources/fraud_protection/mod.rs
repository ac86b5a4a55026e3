//! The fraud protection (PRM-2): its limits, and what is used of them.

mod hours;

use axum::Json;
use axum::extract::State;
use model::control::{Reply, Request};
use model::{ConfigVersion, config, control};
use serde::{Deserialize, Serialize};
use store::{Item, ItemId, Operation, Store};
use utoipa::ToSchema;

use crate::api::Actor;
use crate::app::{App, exchange_failed};
use crate::clock;
use crate::input::Body;
use crate::object::{WithETag, tagged};
use crate::problem::Problem;
use crate::revision::IfMatch;
use crate::words::Brake;

pub use hours::DayHours;

/// How much there may be; where nothing is said there is no limit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FraudLimits {
    /// Calls outside at a time, to whatever numbers.
    #[schema(example = 5, minimum = 1, maximum = 65535)]
    calls: Option<u16>,
    /// Minutes to costly numbers within an hour.
    #[schema(example = 60, minimum = 0, maximum = 6000)]
    minutes_an_hour: Option<u16>,
    /// Minutes to costly numbers within 24 hours.
    #[schema(example = 180, minimum = 0, maximum = 60000)]
    minutes_a_day: Option<u16>,
}

/// Limits of calls to the outside. Calls for help never come upon them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FraudProtection {
    /// It is on.
    enabled: bool,
    /// What costly numbers begin with, behind the prefix for calls out.
    #[schema(example = json!(["+", "00", "900"]), max_items = 500)]
    costly: Vec<String>,
    /// What numbers begin with that are not costly all the same. The longest that fits decides.
    #[schema(example = json!(["+420", "00420"]), max_items = 500)]
    exempt: Vec<String>,
    /// Of each extension. What uses its minutes up is ended.
    extension: FraudLimits,
    /// Of all extensions together. What goes on when they are used up is not ended.
    exchange: FraudLimits,
    /// When costly numbers may be called, in the time of the box: seven days from Monday on, of which those
    /// without hours have none. At any time where nothing is said.
    #[serde(default)]
    #[schema(min_items = 7, max_items = 7)]
    hours: Option<Vec<Option<DayHours>>>,
}

/// What costly numbers begin with, by what is known of the country.
#[derive(Debug, Serialize, ToSchema)]
pub struct FraudPreset {
    /// The country.
    #[schema(example = "CZ")]
    country: String,
    /// What costly numbers begin with.
    costly: Vec<String>,
    /// What others begin with that look like them.
    exempt: Vec<String>,
}

/// What has been used of the limits.
#[derive(Debug, Serialize, ToSchema)]
pub struct FraudUsed {
    /// Calls outside that there are.
    calls: u32,
    /// Seconds talked to costly numbers within the last hour.
    hour_s: u32,
    /// Seconds talked to costly numbers within the last 24 hours.
    day_s: u32,
}

/// What an extension has used.
#[derive(Debug, Serialize, ToSchema)]
pub struct FraudUsedBy {
    /// Id of the extension.
    extension: u32,
    /// How much.
    used: FraudUsed,
    /// The limit that it came upon last, within 24 hours.
    brake: Option<Brake>,
    /// When.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// How often within 24 hours it came upon some limit.
    times: u32,
}

/// What is used of the limits.
#[derive(Debug, Serialize, ToSchema)]
pub struct FraudUse {
    /// By all extensions together.
    exchange: FraudUsed,
    /// By each that has used any, or come upon a limit within 24 hours, by id.
    extensions: Vec<FraudUsedBy>,
}

/// The fraud protection
///
/// On, with what is known of the country, as long as nobody has set anything else.
#[utoipa::path(get, path = "/fraud-protection", operation_id = "show_fraud_protection",
    tag = "configuration",
    responses((status = 200, description = "As it is", body = FraudProtection,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(State(app): State<App>) -> Result<WithETag<FraudProtection>, Problem> {
    let (revision, protection) = read(&app).await?;
    Ok(tagged(revision, protection))
}

/// Change the fraud protection
#[utoipa::path(put, path = "/fraud-protection", operation_id = "change_fraud_protection",
    tag = "configuration",
    params(("If-Match" = String, Header, description = "The ETag as it was read, or `*`",
        example = "*")),
    request_body = FraudProtection,
    responses((status = 200, description = "Changed", body = FraudProtection,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    if_match: IfMatch,
    Body(body): Body<FraudProtection>,
) -> Result<WithETag<FraudProtection>, Problem> {
    let (revision, _) = read(&app).await?;
    let expected = app.expect(&if_match, revision).await?;
    let protection = Item::FraudProtection(body.into_model()?);
    let update = vec![Operation::UpdateItem(protection)];
    app.change(actor.author(), expected, update).await?;
    let (revision, protection) = read(&app).await?;
    Ok(tagged(revision, protection))
}

/// What costly numbers of the country begin with
#[utoipa::path(get, path = "/fraud-protection/preset", operation_id = "show_fraud_preset",
    tag = "configuration",
    responses((status = 200, description = "Of the country of the general settings",
        body = FraudPreset)))]
pub async fn preset(State(app): State<App>) -> Result<Json<FraudPreset>, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let preset = snapshot.configuration.preset_fraud_protection();
    Ok(Json(FraudPreset {
        country: snapshot.configuration.general.country,
        costly: preset.costly,
        exempt: preset.exempt,
    }))
}

/// What is used of the limits
///
/// Since the exchange was started: what was before is forgotten.
#[utoipa::path(get, path = "/fraud-protection/use", operation_id = "show_fraud_use", tag = "live",
    responses((status = 200, description = "At this moment", body = FraudUse)))]
pub async fn used(State(app): State<App>) -> Result<Json<FraudUse>, Problem> {
    match app.ask(Request::Brakes).await? {
        Reply::Brakes(brakes) => Ok(Json(brakes.into())),
        other => Err(exchange_failed(&other)),
    }
}

impl From<config::Used> for FraudUsed {
    fn from(used: config::Used) -> Self {
        Self {
            calls: used.calls,
            hour_s: used.hour_s,
            day_s: used.day_s,
        }
    }
}

impl From<control::Brakes> for FraudUse {
    fn from(brakes: control::Brakes) -> Self {
        let extensions = brakes.extensions.into_iter().map(|one| FraudUsedBy {
            extension: one.extension.raw(),
            used: one.used.into(),
            brake: one.reached.as_ref().map(|reached| reached.brake.into()),
            at: one
                .reached
                .as_ref()
                .map(|reached| clock::rfc3339(reached.at)),
            times: one.reached.map_or(0, |reached| reached.times),
        });
        Self {
            exchange: brakes.exchange.into(),
            extensions: extensions.collect(),
        }
    }
}

impl From<FraudLimits> for config::FraudLimits {
    fn from(limits: FraudLimits) -> Self {
        Self {
            calls: limits.calls,
            minutes_an_hour: limits.minutes_an_hour,
            minutes_a_day: limits.minutes_a_day,
        }
    }
}

impl From<config::FraudLimits> for FraudLimits {
    fn from(limits: config::FraudLimits) -> Self {
        Self {
            calls: limits.calls,
            minutes_an_hour: limits.minutes_an_hour,
            minutes_a_day: limits.minutes_a_day,
        }
    }
}

impl FraudProtection {
    fn into_model(self) -> Result<config::FraudProtection, Problem> {
        Ok(config::FraudProtection {
            enabled: self.enabled,
            costly: self.costly,
            exempt: self.exempt,
            extension: self.extension.into(),
            exchange: self.exchange.into(),
            hours: self.hours.map(hours::into_model).transpose()?,
        })
    }
}

async fn read(app: &App) -> Result<(ConfigVersion, FraudProtection), Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    // Before the first change it is the country's.
    let revision = snapshot.revisions.items.get(&ItemId::FraudProtection);
    let revision = *revision.unwrap_or(&snapshot.revisions.general);
    let protection = snapshot.configuration.fraud_protection;
    Ok((
        revision,
        FraudProtection {
            enabled: protection.enabled,
            costly: protection.costly,
            exempt: protection.exempt,
            extension: protection.extension.into(),
            exchange: protection.exchange.into(),
            hours: protection.hours.map(hours::of_model),
        },
    ))
}

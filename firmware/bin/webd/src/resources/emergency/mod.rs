//! Emergency numbers (EMG-1).

use axum::Json;
use axum::extract::State;
use model::config::{self, FaultCode};
use model::{ConfigVersion, Number, RouteId};
use serde::{Deserialize, Serialize};
use store::{ChangeError, Item, ItemId, Operation, Store};
use utoipa::ToSchema;

use crate::api::Actor;
use crate::app::App;
use crate::input::Body;
use crate::object::{WithETag, tagged};
use crate::problem::{FieldCode, FieldError, Problem};
use crate::revision::IfMatch;

/// A number that everybody may call.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyNumber {
    /// As it is dialled, and as it is sent.
    #[schema(
        example = "112",
        min_length = 1,
        max_length = 32,
        pattern = r"^\+?[0-9*#]+$"
    )]
    number: String,
    /// What the administrator writes about it.
    #[serde(default)]
    #[schema(max_length = 128, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    description: String,
}

/// The emergency numbers and their ways out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// The numbers.
    #[schema(max_items = 100)]
    numbers: Vec<EmergencyNumber>,
    /// They can be dialled without the prefix of a route; no extension can have one of them then.
    direct: bool,
    /// Ids of the routes whose interfaces are tried, in this order. With none all routes are.
    #[serde(default)]
    #[schema(value_type = BTreeSet<u32>, max_items = 1000)]
    routes: Vec<u32>,
}

/// The emergency numbers of a country.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmergencyPreset {
    /// Two-letter code.
    #[schema(example = "US")]
    country: String,
    /// The numbers.
    #[schema(example = json!(["911", "112"]))]
    numbers: Vec<String>,
}

/// The emergency numbers of all countries.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmergencyPresets {
    /// By code.
    presets: Vec<EmergencyPreset>,
}

/// The emergency numbers
///
/// Those of the country, as long as nobody has set others.
#[utoipa::path(get, path = "/emergency-numbers", operation_id = "show_emergency_numbers",
    tag = "configuration",
    responses((status = 200, description = "As they are", body = Emergency,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn show(State(app): State<App>) -> Result<WithETag<Emergency>, Problem> {
    let (revision, emergency) = read(&app).await?;
    Ok(tagged(revision, emergency))
}

/// Change the emergency numbers
#[utoipa::path(put, path = "/emergency-numbers", operation_id = "change_emergency_numbers",
    tag = "configuration",
    params(("If-Match" = String, Header, description = "The ETag as it was read, or `*`",
        example = "*")),
    request_body = Emergency,
    responses((status = 200, description = "Changed", body = Emergency,
        headers(("ETag" = String, description = "For If-Match")))))]
pub async fn replace(
    State(app): State<App>,
    actor: Actor,
    if_match: IfMatch,
    Body(body): Body<Emergency>,
) -> Result<WithETag<Emergency>, Problem> {
    let (revision, _) = read(&app).await?;
    let expected = app.expect(&if_match, revision).await?;
    let emergency = body.into_model()?;
    let update = vec![Operation::UpdateItem(Item::Emergency(emergency.clone()))];
    let changed = app.change_raw(actor.author(), expected, update).await?;
    if let Err(ChangeError::Faults { faults, .. }) = &changed
        && faults
            .iter()
            .any(|fault| fault.code == FaultCode::EmergencyNumber)
    {
        return Err(taken(&app, &emergency).await?);
    }
    changed?;
    let (revision, emergency) = read(&app).await?;
    Ok(tagged(revision, emergency))
}

/// The emergency numbers of all countries
#[utoipa::path(get, path = "/emergency-numbers/presets", operation_id = "list_emergency_presets",
    tag = "configuration",
    responses((status = 200, description = "By country", body = EmergencyPresets)))]
pub async fn presets() -> Json<EmergencyPresets> {
    let presets = config::preset_countries()
        .map(|country| EmergencyPreset {
            country: country.to_owned(),
            numbers: (config::Emergency::preset(country).numbers.iter())
                .map(|entry| entry.number.to_string())
                .collect(),
        })
        .collect();
    Json(EmergencyPresets { presets })
}

impl Emergency {
    fn into_model(self) -> Result<config::Emergency, Problem> {
        let mut numbers = Vec::with_capacity(self.numbers.len());
        for (index, entry) in self.numbers.into_iter().enumerate() {
            let number: Result<Number, _> = entry.number.parse();
            let number = number.map_err(|error| {
                let at = format!("/numbers/{index}/number");
                Problem::field(&at, FieldCode::InvalidNumber, error.to_string())
            })?;
            numbers.push(config::EmergencyNumber {
                number,
                description: entry.description,
            });
        }
        Ok(config::Emergency {
            numbers,
            direct: self.direct,
            routes: self.routes.into_iter().map(RouteId::new).collect(),
        })
    }
}

/// Which of the numbers extensions have.
async fn taken(app: &App, emergency: &config::Emergency) -> Result<Problem, Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    let extensions = &snapshot.configuration.extensions;
    let errors = emergency
        .numbers
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| {
            let has_it =
                |extension: &config::Extension| extension.number.as_str() == entry.number.as_str();
            extensions.iter().any(has_it).then(|| {
                let text =
                    "an extension has this number: give it another, or switch direct dialling off";
                FieldError::new(
                    format!("/numbers/{index}/number"),
                    FieldCode::NumberTaken,
                    text,
                )
            })
        });
    Ok(Problem::conflict(errors.collect()))
}

async fn read(app: &App) -> Result<(ConfigVersion, Emergency), Problem> {
    let snapshot = app.with_store(|store: &Store| store.snapshot()).await?;
    // Before the first change they are the country's.
    let revision = snapshot.revisions.items.get(&ItemId::Emergency);
    let revision = *revision.unwrap_or(&snapshot.revisions.general);
    let emergency = snapshot.configuration.emergency;
    let numbers = emergency.numbers.into_iter().map(|entry| EmergencyNumber {
        number: entry.number.to_string(),
        description: entry.description,
    });
    Ok((
        revision,
        Emergency {
            numbers: numbers.collect(),
            direct: emergency.direct,
            routes: emergency.routes.into_iter().map(RouteId::raw).collect(),
        },
    ))
}

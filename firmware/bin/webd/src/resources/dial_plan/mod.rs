//! The dial plan page (USR-6): every internal number and what it stands for.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use model::config::Configuration;
use model::{DialPlan, DialTarget};
use serde::Serialize;
use store::Store;
use utoipa::ToSchema;

use crate::app::App;
use crate::csv;
use crate::problem::Problem;

/// What a number stands for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialPlanKind {
    /// An extension.
    Extension,
}

/// A line of the dial plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct DialPlanLine {
    /// What is dialled.
    #[schema(example = "122")]
    number: String,
    /// What it stands for.
    kind: DialPlanKind,
    /// The kind as the CSV file has it: 1 is an extension.
    #[schema(example = 1)]
    type_id: u8,
    /// Id of what it stands for.
    id: u32,
    /// What the administrator wrote, or the name of the user.
    #[schema(example = "Winston Smith")]
    description: String,
}

/// The dial plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct DialPlanLines {
    /// By number.
    lines: Vec<DialPlanLine>,
}

/// The dial plan
#[utoipa::path(get, path = "/dial-plan", operation_id = "list_dial_plan", tag = "configuration",
    responses((status = 200, description = "By number", body = DialPlanLines)))]
pub async fn list(State(app): State<App>) -> Result<Json<DialPlanLines>, Problem> {
    Ok(Json(DialPlanLines {
        lines: lines(&app).await?,
    }))
}

/// The dial plan as a file
///
/// Columns `Extension Number;Type ID;Description`, UTF-8 with byte order mark.
#[utoipa::path(get, path = "/dial-plan.csv", operation_id = "export_dial_plan",
    tag = "configuration",
    responses((status = 200, description = "By number", body = String, content_type = "text/csv")))]
pub async fn export(State(app): State<App>) -> Result<Response, Problem> {
    let mut out = csv::BOM.to_owned();
    csv::row(&mut out, ["Extension Number", "Type ID", "Description"]);
    for line in lines(&app).await? {
        let kind = line.type_id.to_string();
        csv::row(&mut out, [line.number.as_str(), &kind, &line.description]);
    }
    Ok(csv::attachment("dial-plan.csv", out))
}

async fn lines(app: &App) -> Result<Vec<DialPlanLine>, Problem> {
    let configuration = app.with_store(|store: &Store| store.load()).await?;
    let plan = DialPlan::build(&configuration).map_err(|_| Problem::internal())?;
    let lines = plan
        .entries()
        .map(|entry| {
            let (kind, type_id, id) = match entry.target {
                DialTarget::Extension(id) => (DialPlanKind::Extension, 1, id.raw()),
            };
            DialPlanLine {
                number: entry.number.to_string(),
                kind,
                type_id,
                id,
                description: description(&configuration, entry.target, entry.description),
            }
        })
        .collect();
    Ok(lines)
}

fn description(configuration: &Configuration, target: DialTarget, written: &str) -> String {
    let DialTarget::Extension(id) = target;
    let user = || {
        let user = configuration.user(configuration.extension(id)?.user?)?;
        Some(if user.full_name.is_empty() {
            user.name.clone()
        } else {
            user.full_name.clone()
        })
    };
    if written.is_empty() {
        user().unwrap_or_default()
    } else {
        written.to_owned()
    }
}

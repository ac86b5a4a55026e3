//! The dial plan page (USR-6): every number that means something inside, and what it stands for. Emergency
//! numbers that are dialled directly are among them, as nothing else can have one of these.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use model::config::Configuration;
use model::{DialPlan, DialTarget};
use serde::{Deserialize, Serialize};
use store::Store;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::csv;
use crate::input::Params;
use crate::list::{Order, Page, Search, folded};
use crate::problem::Problem;
use crate::words::shown_name;

/// What a number stands for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialPlanKind {
    /// An extension.
    Extension,
    /// An emergency number that is dialled directly.
    Emergency,
}

/// A line of the dial plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct DialPlanLine {
    /// What is dialled.
    #[schema(example = "122")]
    number: String,
    /// What it stands for.
    kind: DialPlanKind,
    /// The kind as the CSV file has it: 1 is an extension, 2 an emergency number.
    #[schema(example = 1)]
    type_id: u8,
    /// Id of what it stands for; an emergency number has none.
    id: Option<u32>,
    /// What the administrator wrote, or the name of the user.
    #[schema(example = "Winston Smith")]
    description: String,
}

/// A page of the dial plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct DialPlanLines {
    /// How many lines the search finds.
    total: u64,
    /// Those on this page.
    lines: Vec<DialPlanLine>,
}

/// Which lines, in which order, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DialPlanPage {
    /// Number or description has this in it, in any case and with or without accents.
    #[param(max_length = 64, example = "reception")]
    search: Option<String>,
    /// By what they are sorted.
    #[serde(default)]
    #[param(required = false)]
    sort: DialPlanSort,
    /// Which comes first.
    #[serde(default)]
    #[param(required = false)]
    order: Order,
    /// Lines left out before the page.
    #[serde(default)]
    #[param(default = 0, maximum = 1000000)]
    offset: u32,
    /// Lines on the page; all where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// By what the dial plan is sorted.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialPlanSort {
    /// Number, digit by digit.
    #[default]
    Number,
    /// What it stands for.
    Kind,
    /// Description.
    Description,
}

/// The dial plan
///
/// Extensions, and the emergency numbers that are dialled directly.
#[utoipa::path(get, path = "/dial-plan", operation_id = "list_dial_plan", tag = "configuration",
    params(DialPlanPage),
    responses((status = 200, description = "A page of lines", body = DialPlanLines)))]
pub async fn list(
    State(app): State<App>,
    Params(asked): Params<DialPlanPage>,
) -> Result<Json<DialPlanLines>, Problem> {
    let page = Page::new(asked.offset, asked.limit)?;
    let search = Search::new(asked.search)?;
    let mut lines = lines(&app).await?;
    lines.retain(|line| search.finds(&[&line.number, &line.description]));
    // They come by number, and stay so where they are alike.
    lines.sort_by_cached_key(|line| match asked.sort {
        DialPlanSort::Number => (0, String::new()),
        DialPlanSort::Kind => (line.type_id, String::new()),
        DialPlanSort::Description => (0, folded(&line.description)),
    });
    let (total, lines) = page.cut(lines, asked.order);
    Ok(Json(DialPlanLines { total, lines }))
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
    let emergency = &configuration.emergency;
    let helping = (emergency.numbers.iter())
        .filter(|_| emergency.direct)
        .map(|entry| DialPlanLine {
            number: entry.number.to_string(),
            kind: DialPlanKind::Emergency,
            type_id: 2,
            id: None,
            description: entry.description.clone(),
        });
    let mut lines: Vec<DialPlanLine> = plan
        .entries()
        .map(|entry| {
            let (kind, type_id, id) = match entry.target {
                DialTarget::Extension(id) => (DialPlanKind::Extension, 1, Some(id.raw())),
            };
            DialPlanLine {
                number: entry.number.to_string(),
                kind,
                type_id,
                id,
                description: description(&configuration, entry.target, entry.description),
            }
        })
        .chain(helping)
        .collect();
    lines.sort_by(|one, other| one.number.cmp(&other.number));
    Ok(lines)
}

fn description(configuration: &Configuration, target: DialTarget, written: &str) -> String {
    let DialTarget::Extension(id) = target;
    let user = || {
        let user = configuration.user(configuration.extension(id)?.user?)?;
        Some(shown_name(user).to_owned())
    };
    if written.is_empty() {
        user().unwrap_or_default()
    } else {
        written.to_owned()
    }
}

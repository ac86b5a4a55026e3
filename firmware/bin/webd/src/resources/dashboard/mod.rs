//! The start page (WEB-6): how much there is of what, and what needs attention.

use axum::Json;
use axum::extract::State;
use model::control::{Reply, Request};
use model::{Role, WallTime};
use serde::Serialize;
use store::{HistoryFilter, HistoryStatistics, Snapshot, Store};
use utoipa::ToSchema;

use crate::app::App;
use crate::certificate::Facts;
use crate::clock;
use crate::phones::Phones;
use crate::problem::Problem;
use crate::resources::status::{self, Status};
use crate::words::Disposition;

mod attention;

pub use attention::Attention;

/// What the start page shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dashboard {
    /// How the box is.
    status: Status,
    /// The users.
    users: UserTotals,
    /// The extensions.
    extensions: ExtensionTotals,
    /// The calls since midnight, in the time of the box.
    today: CallTotals,
    /// The certificate of the administration; nothing where it can't be read.
    certificate: Option<Certificate>,
    /// What needs attention, the gravest first; nothing where all is well.
    attention: Vec<Attention>,
}

/// Users in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserTotals {
    /// All of them.
    total: u32,
    /// Those who are enabled.
    enabled: u32,
    /// Those who may change the whole server and are enabled.
    administrators: u32,
}

/// Extensions in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtensionTotals {
    /// All of them.
    total: u32,
    /// Those that may register and call.
    active: u32,
    /// Those with a registered phone; nothing where the exchange does not answer.
    registered: Option<u32>,
}

/// Calls in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallTotals {
    /// Calls that are over.
    calls: u64,
    /// Those that were answered.
    answered: u64,
    /// Time talked, together, in seconds.
    talked_s: u64,
    /// In which way they ended; only what occurred.
    by_disposition: Vec<DispositionCount>,
    /// The mean listening quality of the worse leg, MOS in hundredths (100 to 450); nothing where
    /// none was measured.
    mos_hundredths: Option<u16>,
}

/// How many calls ended in a way.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispositionCount {
    /// The way.
    disposition: Disposition,
    /// How many.
    calls: u64,
}

/// The certificate of the administration.
#[derive(Debug, Serialize, ToSchema)]
pub struct Certificate {
    /// It vouches for itself: browsers warn.
    self_signed: bool,
    /// Whom it is for.
    #[schema(example = "CN=Operator Box")]
    subject: String,
    /// Who vouches for it.
    #[schema(example = "CN=Operator Box")]
    issuer: String,
    /// From when on it is valid.
    #[schema(format = DateTime)]
    from: String,
    /// Until when it is valid.
    #[schema(format = DateTime)]
    until: String,
}

/// The start page
#[utoipa::path(get, path = "/dashboard", operation_id = "show_dashboard", tag = "live",
    responses((status = 200, description = "As things are now", body = Dashboard)))]
pub async fn show(State(app): State<App>) -> Result<Json<Dashboard>, Problem> {
    let status = status::now(&app).await?;
    let phones = Phones::now(&app).await;
    let (refused, unknown) = match app.control.ask(Request::FailedLogins).await {
        Ok(Reply::FailedLogins { failed, unknown }) => (failed, unknown),
        _ => (Vec::new(), Vec::new()),
    };
    let brakes = match app.control.ask(Request::Brakes).await {
        Ok(Reply::Brakes(brakes)) => brakes.extensions,
        _ => Vec::new(),
    };
    let interfaces = match app.control.ask(Request::Interfaces).await {
        Ok(Reply::Interfaces { interfaces }) => interfaces,
        _ => Vec::new(),
    };
    let now = clock::now();
    let data = app.data.clone();
    let day_ago = WallTime::from_unix_micros(
        now.as_unix_micros() - i64::try_from(attention::ENDINGS.as_micros()).unwrap_or(0),
    );
    let (snapshot, today, ended, facts) = app
        .with_store(move |store: &Store| {
            let today = HistoryFilter {
                from: Some(clock::midnight(now)),
                ..HistoryFilter::default()
            };
            let today = store.history_statistics(&today)?;
            let ended = store.endings(day_ago)?;
            let facts = Facts::of_current(&data);
            Ok::<_, store::StoreError>((store.snapshot()?, today, ended, facts))
        })
        .await?;
    let attention = attention::look(&attention::Seen {
        now,
        status: &status,
        snapshot: &snapshot,
        phones: phones.as_ref(),
        refused: &refused,
        unknown: &unknown,
        brakes: &brakes,
        interfaces: &interfaces,
        certificate: facts.as_ref(),
        ended: &ended,
    });
    Ok(Json(Dashboard {
        users: UserTotals::of(&snapshot),
        extensions: ExtensionTotals::of(&snapshot, phones.as_ref()),
        today: today.into(),
        certificate: facts.map(Into::into),
        attention,
        status,
    }))
}

impl UserTotals {
    fn of(snapshot: &Snapshot) -> Self {
        let users = &snapshot.configuration.users;
        let enabled = || users.iter().filter(|user| user.enabled);
        Self {
            total: count(users.len()),
            enabled: count(enabled().count()),
            administrators: count(
                enabled()
                    .filter(|user| user.role == Role::ReadWrite)
                    .count(),
            ),
        }
    }
}

impl ExtensionTotals {
    fn of(snapshot: &Snapshot, phones: Option<&Phones>) -> Self {
        let configuration = &snapshot.configuration;
        let active = configuration
            .extensions
            .iter()
            .filter(|extension| configuration.is_active(extension));
        Self {
            total: count(configuration.extensions.len()),
            active: count(active.count()),
            registered: phones.map(Phones::extensions),
        }
    }
}

impl From<HistoryStatistics> for CallTotals {
    fn from(statistics: HistoryStatistics) -> Self {
        Self {
            calls: statistics.calls,
            answered: statistics.answered,
            talked_s: statistics.talked.as_secs(),
            by_disposition: statistics
                .by_disposition
                .into_iter()
                .map(|(disposition, calls)| DispositionCount {
                    disposition: disposition.into(),
                    calls,
                })
                .collect(),
            mos_hundredths: statistics.mos_hundredths,
        }
    }
}

impl From<Facts> for Certificate {
    fn from(facts: Facts) -> Self {
        let time = |at: WallTime| clock::rfc3339(at);
        Self {
            self_signed: facts.self_signed,
            from: time(facts.from),
            until: time(facts.until),
            subject: facts.subject,
            issuer: facts.issuer,
        }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

//! Which calls of the history, and in which order.

use std::time::Duration;

use model::{ExtensionId, WallTime};
use serde::Deserialize;
use store::{HistoryQuery, HistorySort, NumberFilter};
use utoipa::{IntoParams, ToSchema};

use crate::clock;
use crate::input::parameter;
use crate::list::{Order, Page};
use crate::problem::{FieldCode, Problem};
use crate::words::Disposition;

/// Calls on a page where nobody says how many.
const USUAL: u32 = 50;

/// Which calls.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryFilter {
    /// Started at this time or later (RFC 3339).
    #[param(format = DateTime, example = "2026-11-22T00:00:00Z")]
    from: Option<String>,
    /// Started before this time (RFC 3339).
    #[param(format = DateTime, example = "2026-11-23T00:00:00Z")]
    until: Option<String>,
    /// Caller, called party or dialled number has this in it.
    #[param(min_length = 1, max_length = 64, example = "122")]
    number: Option<String>,
    /// From or to the extension with this id.
    #[param(format = "uint32", maximum = 4_294_967_295_u32)]
    extension: Option<u32>,
    /// That ended this way.
    disposition: Option<Disposition>,
    /// Talked for so many seconds at least.
    #[param(maximum = 1000000)]
    min_duration_s: Option<u32>,
}

/// Which calls, in which order, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryPage {
    // serde(flatten) and deny_unknown_fields exclude each other: the filter's fields stand here again.
    /// Started at this time or later (RFC 3339).
    #[param(format = DateTime, example = "2026-11-22T00:00:00Z")]
    from: Option<String>,
    /// Started before this time (RFC 3339).
    #[param(format = DateTime, example = "2026-11-23T00:00:00Z")]
    until: Option<String>,
    /// Caller, called party or dialled number has this in it.
    #[param(min_length = 1, max_length = 64, example = "122")]
    number: Option<String>,
    /// From or to the extension with this id.
    #[param(format = "uint32", maximum = 4_294_967_295_u32)]
    extension: Option<u32>,
    /// That ended this way.
    disposition: Option<Disposition>,
    /// Talked for so many seconds at least.
    #[param(maximum = 1000000)]
    min_duration_s: Option<u32>,
    /// By what they are sorted.
    #[serde(default)]
    #[param(required = false)]
    sort: CallSort,
    /// Which comes first; the newest, the highest where left out.
    order: Option<Order>,
    /// Calls left out before the page.
    #[serde(default)]
    #[param(default = 0, maximum = 1000000)]
    offset: u32,
    /// Calls on the page.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
}

/// By what calls are sorted.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallSort {
    /// Start.
    #[default]
    Started,
    /// Time talked.
    Duration,
    /// The caller's number.
    Caller,
    /// The dialled number.
    Dialled,
    /// How it ended.
    Disposition,
}

impl HistoryFilter {
    /// As the store takes it.
    ///
    /// # Errors
    /// A parameter that can't be read.
    pub fn parse(self) -> Result<store::HistoryFilter, Problem> {
        if let Some(number) = &self.number
            && !(1..=64).contains(&number.chars().count())
        {
            return Err(parameter(
                "number",
                FieldCode::OutOfRange,
                "use 1 to 64 characters",
            ));
        }
        if self
            .min_duration_s
            .is_some_and(|seconds| seconds > 1_000_000)
        {
            return Err(parameter(
                "min_duration_s",
                FieldCode::OutOfRange,
                "use at most 1000000",
            ));
        }
        Ok(store::HistoryFilter {
            from: time("from", self.from)?,
            until: time("until", self.until)?,
            number: self.number.map(NumberFilter::Contains),
            extensions: self.extension.map(ExtensionId::new).into_iter().collect(),
            dispositions: self.disposition.map(Into::into).into_iter().collect(),
            min_duration: self
                .min_duration_s
                .map(|seconds| Duration::from_secs(seconds.into())),
        })
    }
}

impl HistoryPage {
    /// As the store takes it.
    ///
    /// # Errors
    /// A parameter that can't be read.
    pub fn query(self) -> Result<HistoryQuery, Problem> {
        let page = Page::new(self.offset, self.limit.or(Some(USUAL)))?;
        let filter = HistoryFilter {
            from: self.from,
            until: self.until,
            number: self.number,
            extension: self.extension,
            disposition: self.disposition,
            min_duration_s: self.min_duration_s,
        };
        Ok(HistoryQuery {
            filter: filter.parse()?,
            sort: match self.sort {
                CallSort::Started => HistorySort::Started,
                CallSort::Duration => HistorySort::Duration,
                CallSort::Caller => HistorySort::Caller,
                CallSort::Dialled => HistorySort::Dialled,
                CallSort::Disposition => HistorySort::Disposition,
            },
            ascending: self.order == Some(Order::Ascending),
            offset: page.offset.into(),
            limit: page.limit,
        })
    }
}

fn time(name: &str, text: Option<String>) -> Result<Option<WallTime>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    match clock::parse(&text) {
        Some(time) => Ok(Some(time)),
        None => Err(parameter(
            name,
            FieldCode::Invalid,
            "use a time such as 2026-11-22T08:00:00Z",
        )),
    }
}

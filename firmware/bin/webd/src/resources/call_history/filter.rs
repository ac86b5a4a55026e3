//! Which calls of the history, and in which order.

use std::time::Duration;

use model::{ExtensionId, WallTime};
use serde::Deserialize;
use store::{HistoryQuery, HistorySort, NumberFilter};
use utoipa::{IntoParams, ToSchema};

use crate::clock;
use crate::input::parameter;
use crate::problem::Problem;
use crate::words::Disposition;

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
    #[param(inline)]
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
    #[param(inline)]
    disposition: Option<Disposition>,
    /// Talked for so many seconds at least.
    #[param(maximum = 1000000)]
    min_duration_s: Option<u32>,
    /// By what they are sorted.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// Whether the highest or the lowest comes first.
    #[serde(default)]
    #[param(inline)]
    order: Order,
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
pub enum Sort {
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

/// Which comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The highest, the newest.
    #[default]
    Descending,
    /// The lowest, the oldest.
    Ascending,
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
                "out_of_range",
                "use 1 to 64 characters",
            ));
        }
        if self
            .min_duration_s
            .is_some_and(|seconds| seconds > 1_000_000)
        {
            return Err(parameter(
                "min_duration_s",
                "out_of_range",
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
        let limit = self.limit.unwrap_or(50);
        if !(1..=500).contains(&limit) {
            return Err(parameter("limit", "out_of_range", "use 1 to 500"));
        }
        if self.offset > 1_000_000 {
            return Err(parameter(
                "offset",
                "out_of_range",
                "use at most 1000000, or narrow the time",
            ));
        }
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
                Sort::Started => HistorySort::Started,
                Sort::Duration => HistorySort::Duration,
                Sort::Caller => HistorySort::Caller,
                Sort::Dialled => HistorySort::Dialled,
                Sort::Disposition => HistorySort::Disposition,
            },
            ascending: self.order == Order::Ascending,
            offset: self.offset.into(),
            limit,
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
            "invalid",
            "use a time such as 2026-11-22T08:00:00Z",
        )),
    }
}

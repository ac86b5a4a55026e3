//! Removing records up to a moment: what is asked and answered wherever something is cleared.

use model::WallTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;
use crate::problem::{FieldCode, Problem};

/// What is to be removed. It has to be said: there is no clearing of everything by leaving it out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Clearing {
    /// Everything older than this time (RFC 3339); what came later stays.
    #[schema(format = DateTime, example = "2026-11-22T00:00:00Z")]
    before: String,
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cleared {
    /// How many.
    pub removed: u64,
}

impl Clearing {
    /// The moment.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn before(&self) -> Result<WallTime, Problem> {
        clock::parse(&self.before).ok_or_else(|| {
            Problem::field(
                "/before",
                FieldCode::Invalid,
                "use a time such as 2026-11-22T08:00:00Z",
            )
        })
    }
}

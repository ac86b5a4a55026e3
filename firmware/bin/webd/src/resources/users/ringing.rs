//! Ringing rules (USR-3) as the API writes and reads them.

use model::{ExtensionId, config};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::{FieldCode, Problem};

/// Whom a rule calls.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RingingTarget {
    /// The phones of the extension with this id.
    Extension(u32),
    /// A number, as the user dials it.
    #[schema(example = "90602111111")]
    Number(String),
}

/// Something that rings, and when.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Whom.
    target: RingingTarget,
    /// So many seconds after the call came; at once where nothing else rings.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 170, example = 0)]
    after_s: u16,
    /// For so many seconds; as long as the call rings where left out.
    #[serde(default)]
    #[schema(minimum = 5, maximum = 180, example = 20)]
    for_s: Option<u16>,
}

/// What becomes of calls to the extensions of a user.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RingingRules {
    /// What rings; nothing listed is the extension that was called.
    #[serde(default)]
    #[schema(max_items = 10)]
    rings: Vec<Ring>,
    /// Nothing rings: callers are told that the user is busy.
    #[serde(default)]
    do_not_disturb: bool,
    /// All calls go on there, and nothing rings here.
    #[serde(default)]
    always: Option<RingingTarget>,
    /// Calls go on there where the user is busy, refuses, or is not to be disturbed.
    #[serde(default)]
    busy: Option<RingingTarget>,
    /// Calls go on there where nobody answers, or nothing can be reached.
    #[serde(default)]
    no_answer: Option<RingingTarget>,
    /// When nobody has answered, in seconds; the exchange's own limit where left out.
    #[serde(default)]
    #[schema(minimum = 5, maximum = 180, example = 20)]
    no_answer_s: Option<u16>,
}

impl RingingTarget {
    fn read(self, at: &str) -> Result<config::Target, Problem> {
        match self {
            Self::Extension(id) => Ok(config::Target::Extension(ExtensionId::new(id))),
            Self::Number(text) => match text.parse() {
                Ok(number) => Ok(config::Target::Number(number)),
                Err(error) => {
                    let error: model::InvalidNumber = error;
                    let pointer = format!("/ringing/{at}/number");
                    Err(Problem::field(
                        &pointer,
                        FieldCode::InvalidNumber,
                        error.to_string(),
                    ))
                }
            },
        }
    }
}

impl RingingRules {
    /// As the configuration has them.
    ///
    /// # Errors
    /// A number that is none.
    pub(super) fn read(self) -> Result<config::Ringing, Problem> {
        let optional = |target: Option<RingingTarget>, at: &str| {
            target.map(|target| target.read(at)).transpose()
        };
        Ok(config::Ringing {
            rings: (self.rings.into_iter().enumerate())
                .map(|(index, ring)| {
                    Ok(config::Ring {
                        target: ring.target.read(&format!("rings/{index}/target"))?,
                        after_s: ring.after_s,
                        for_s: ring.for_s,
                    })
                })
                .collect::<Result<_, Problem>>()?,
            do_not_disturb: self.do_not_disturb,
            always: optional(self.always, "always")?,
            busy: optional(self.busy, "busy")?,
            no_answer: optional(self.no_answer, "no_answer")?,
            no_answer_s: self.no_answer_s,
        })
    }
}

impl From<config::Target> for RingingTarget {
    fn from(target: config::Target) -> Self {
        match target {
            config::Target::Extension(id) => Self::Extension(id.raw()),
            config::Target::Number(number) => Self::Number(number.to_string()),
        }
    }
}

impl From<config::Ringing> for RingingRules {
    fn from(rules: config::Ringing) -> Self {
        Self {
            rings: (rules.rings.into_iter())
                .map(|ring| Ring {
                    target: ring.target.into(),
                    after_s: ring.after_s,
                    for_s: ring.for_s,
                })
                .collect(),
            do_not_disturb: rules.do_not_disturb,
            always: rules.always.map(Into::into),
            busy: rules.busy.map(Into::into),
            no_answer: rules.no_answer.map(Into::into),
            no_answer_s: rules.no_answer_s,
        }
    }
}

//! What would become of a call (NEW-1): the rules that calls obey, walked without one.

use axum::Json;
use axum::extract::State;
use model::control::{Reply, Request};
use model::explain::{self, Caller};
use model::{DialTarget, ExtensionId, InterfaceId, PermissionGroupId, RouteId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, exchange_failed};
use crate::input::{Params, parameter};
use crate::object::find;
use crate::problem::{FieldCode, Problem};
use crate::words::{Brake, Permission};

/// Who dials, and what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Question {
    /// Id of the extension that dials; this or an interface.
    extension: Option<u32>,
    /// Id of the interface by which the call comes.
    interface: Option<u32>,
    /// What is dialled.
    #[param(max_length = 128, example = "9777001")]
    dialled: String,
}

/// One step of the way from a dialled number to its end.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Whether the caller may call at all.
    Caller {
        /// Id of the extension.
        extension: u32,
        /// It and its user are enabled.
        active: bool,
    },
    /// By which interface the call came.
    Incoming {
        /// Id of the interface.
        interface: u32,
    },
    /// It is an emergency number: nothing else is looked at.
    Emergency {
        /// As it is sent.
        number: String,
        /// The prefix of a route that was dialled before it; empty where none was.
        prefix: String,
    },
    /// Whether what was dialled is a number.
    Dialled {
        /// As it came.
        text: String,
        /// It has digits, `*`, `#` and a leading `+` only.
        valid: bool,
    },
    /// Which external number of the interface it is.
    External {
        /// The number or the block as configured; nothing where the interface does not have it.
        number: Option<String>,
        /// Id of the extension it is mapped to.
        extension: Option<u32>,
    },
    /// What the rewriting rule of the interface makes of the called number.
    Rewritten {
        /// The number now.
        to: String,
    },
    /// What the dial plan says.
    DialPlan {
        /// Id of the extension that has the number; nothing where none has.
        extension: Option<u32>,
    },
    /// Nothing has the number: the interface's operator gets the call.
    Operator {
        /// Id of the extension; nothing where the interface has no operator.
        extension: Option<u32>,
    },
    /// Whether the called extension may be called.
    Called {
        /// Id of the extension.
        extension: u32,
        /// It and its user are enabled.
        active: bool,
    },
    /// The caller has dialled its own number.
    Own,
    /// How many phones the called extension has at the moment.
    Phones {
        /// Those that can be reached.
        registered: usize,
    },
    /// By the ringing rules of a user the call goes on, or would where a rule says so.
    Forwarded {
        /// Which rule.
        why: Forwarding,
        /// Id of the extension it goes on to.
        extension: Option<u32>,
        /// Or the number, as it is dialled.
        number: Option<String>,
    },
    /// The user of this extension is not to be disturbed.
    DoNotDisturb {
        /// Id of the extension.
        extension: u32,
    },
    /// By the ringing rules of a user this rings.
    Ring {
        /// Id of the extension whose phones ring.
        extension: Option<u32>,
        /// Or the number, as it is dialled.
        number: Option<String>,
        /// So many seconds after the call came.
        after_s: u16,
        /// For so many seconds; until the call ends where nothing is said.
        for_s: Option<u16>,
    },
    /// The call has been sent on too often: it goes no further.
    Circle,
    /// Which route of outgoing calls fits.
    Route {
        /// Id of the route; nothing where none fits.
        route: Option<u32>,
        /// Its prefix.
        prefix: String,
    },
    /// What the call permission group of the caller says of a call to the outside.
    Permission {
        /// Id of the group.
        group: u32,
        /// The prefix of the rule that decided; nothing where no rule fits and the default did.
        rule: Option<String>,
        /// What it says.
        permission: Permission,
    },
    /// What the fraud protection says of a call to the outside.
    Brakes {
        /// Id of the extension by whose rights it would leave.
        extension: u32,
        /// What the number begins with that makes it costly; nothing where it is not.
        costly: Option<String>,
        /// Calls outside that the extension has.
        calls: u32,
        /// How many it may have.
        calls_limit: Option<u16>,
        /// Seconds that it has talked to costly numbers within the last hour.
        hour_s: u32,
        /// Minutes that it may.
        hour_limit_min: Option<u16>,
        /// Seconds within the last 24 hours.
        day_s: u32,
        /// Minutes that it may.
        day_limit_min: Option<u16>,
        /// The limit that it comes upon; nothing where it may leave.
        brake: Option<Brake>,
    },
    /// What those outside see is not the caller's own number.
    CallerId {
        /// Id of the other extension whose number they see; nothing where they see no number.
        extension: Option<u32>,
    },
    /// One interface of the route, in the order in which they are tried.
    Attempt {
        /// Id of the interface.
        interface: u32,
        /// It can carry a call now.
        ready: bool,
        /// The called number as it is sent.
        called: String,
        /// The calling number as it is sent; `anonymous` where none is.
        calling: String,
    },
}

/// Why a call goes on.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forwarding {
    /// All calls do.
    Always,
    /// The user is busy, refuses, or is not to be disturbed.
    Busy,
    /// Nobody answers, or nothing can be reached.
    NoAnswer,
    /// It rings there among others.
    Rings,
}

impl From<explain::Forwarding> for Forwarding {
    fn from(why: explain::Forwarding) -> Self {
        match why {
            explain::Forwarding::Always => Self::Always,
            explain::Forwarding::Busy => Self::Busy,
            explain::Forwarding::NoAnswer => Self::NoAnswer,
            explain::Forwarding::Rings => Self::Rings,
        }
    }
}

/// What a call comes to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The phones of an extension ring.
    Rings {
        /// Id of the extension.
        extension: u32,
    },
    /// It leaves by the first interface of the steps that takes it.
    Leaves,
    /// It is refused.
    Refused {
        /// SIP status.
        #[schema(example = 404)]
        status: u16,
        /// Q.850 cause value.
        #[schema(example = 1)]
        cause: u8,
    },
}

/// What would become of a call, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// In order; the last one decided.
    steps: Vec<Step>,
    /// What it comes to.
    verdict: Verdict,
}

/// What would become of a call
///
/// The rules and registrations of this moment; nobody is called.
#[utoipa::path(get, path = "/call-explanation", operation_id = "explain_call", tag = "telephony",
    params(Question),
    responses((status = 200, description = "Each step, and what it comes to", body = Explanation)))]
pub async fn show(
    State(app): State<App>,
    Params(question): Params<Question>,
) -> Result<Json<Explanation>, Problem> {
    let caller = match (question.extension, question.interface) {
        (Some(id), None) => {
            let id = ExtensionId::new(id);
            find(&app, id).await?;
            Caller::Extension(id)
        }
        (None, Some(id)) => {
            let id = InterfaceId::new(id);
            find(&app, id).await?;
            Caller::Interface(id)
        }
        _ => {
            return Err(parameter(
                "extension",
                FieldCode::Invalid,
                "say either the extension that dials or the interface by which the call comes",
            ));
        }
    };
    let dialled = question.dialled;
    match app.ask(Request::Explain { caller, dialled }).await? {
        Reply::Explained(explanation) => Ok(Json(explanation.into())),
        other => Err(exchange_failed(&other)),
    }
}

impl From<explain::Explanation> for Explanation {
    fn from(explanation: explain::Explanation) -> Self {
        Self {
            steps: explanation.steps.into_iter().map(Into::into).collect(),
            verdict: match explanation.verdict {
                explain::Verdict::Rings { extension } => Verdict::Rings {
                    extension: extension.raw(),
                },
                explain::Verdict::Leaves => Verdict::Leaves,
                explain::Verdict::Refused { status, cause } => Verdict::Refused { status, cause },
            },
        }
    }
}

impl From<explain::Step> for Step {
    fn from(step: explain::Step) -> Self {
        let raw = |id: Option<ExtensionId>| id.map(ExtensionId::raw);
        match step {
            explain::Step::Caller { extension, active } => Self::Caller {
                extension: extension.raw(),
                active,
            },
            explain::Step::Incoming { interface } => Self::Incoming {
                interface: interface.raw(),
            },
            explain::Step::Emergency { number, prefix } => Self::Emergency { number, prefix },
            explain::Step::Dialled { text, valid } => Self::Dialled { text, valid },
            explain::Step::External { number, extension } => Self::External {
                number,
                extension: raw(extension),
            },
            explain::Step::Rewritten { to } => Self::Rewritten { to },
            explain::Step::DialPlan { target } => Self::DialPlan {
                extension: target.map(|DialTarget::Extension(id)| id.raw()),
            },
            explain::Step::Operator { extension } => Self::Operator {
                extension: raw(extension),
            },
            explain::Step::Called { extension, active } => Self::Called {
                extension: extension.raw(),
                active,
            },
            explain::Step::Own => Self::Own,
            explain::Step::Phones { registered } => Self::Phones { registered },
            explain::Step::Forwarded {
                why,
                extension,
                number,
            } => Self::Forwarded {
                why: why.into(),
                extension: raw(extension),
                number,
            },
            explain::Step::DoNotDisturb { extension } => Self::DoNotDisturb {
                extension: extension.raw(),
            },
            explain::Step::Ring {
                extension,
                number,
                after_s,
                for_s,
            } => Self::Ring {
                extension: raw(extension),
                number,
                after_s,
                for_s,
            },
            explain::Step::Circle => Self::Circle,
            explain::Step::Route { route, prefix } => Self::Route {
                route: route.map(RouteId::raw),
                prefix,
            },
            explain::Step::Permission {
                group,
                rule,
                permission,
            } => Self::Permission {
                group: PermissionGroupId::raw(group),
                rule,
                permission: permission.into(),
            },
            explain::Step::Brakes {
                extension,
                costly,
                used,
                limits,
                brake,
            } => Self::Brakes {
                extension: extension.raw(),
                costly,
                calls: used.calls,
                calls_limit: limits.calls,
                hour_s: used.hour_s,
                hour_limit_min: limits.minutes_an_hour,
                day_s: used.day_s,
                day_limit_min: limits.minutes_a_day,
                brake: brake.map(Into::into),
            },
            explain::Step::CallerId { extension } => Self::CallerId {
                extension: raw(extension),
            },
            explain::Step::Attempt {
                interface,
                ready,
                called,
                calling,
            } => Self::Attempt {
                interface: interface.raw(),
                ready,
                called,
                calling,
            },
        }
    }
}

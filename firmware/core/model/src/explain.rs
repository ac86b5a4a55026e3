//! What becomes of a call, said step by step (NEW-1).

use serde::{Deserialize, Serialize};

use crate::config::{Brake, FraudLimits, Permission, Used};
use crate::{DialTarget, ExtensionId, InterfaceId, PermissionGroupId, RouteId};

/// Who dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "caller", content = "id", rename_all = "snake_case")]
pub enum Caller {
    /// An extension.
    Extension(ExtensionId),
    /// Somebody outside, by this interface.
    Interface(InterfaceId),
}

/// Why a call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// One step of the way from a dialled number to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Whether the caller may call at all.
    Caller {
        /// Who.
        extension: ExtensionId,
        /// It and its user are enabled.
        active: bool,
    },
    /// By which interface the call came.
    Incoming {
        /// Which.
        interface: InterfaceId,
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
        /// As it came, its escapes undone.
        text: String,
        /// It has digits, `*`, `#` and a leading `+` only.
        valid: bool,
    },
    /// Which external number of the interface it is.
    External {
        /// The number or the block as configured; none where the interface does not have it.
        number: Option<String>,
        /// Whom it is mapped to.
        extension: Option<ExtensionId>,
    },
    /// What the rewriting rule of the interface makes of the called number.
    Rewritten {
        /// The number now.
        to: String,
    },
    /// What the dial plan says.
    DialPlan {
        /// What the number stands for; none where nothing has it.
        target: Option<DialTarget>,
    },
    /// Nothing has the number: the interface's operator gets the call.
    Operator {
        /// Who; none where the interface has no operator.
        extension: Option<ExtensionId>,
    },
    /// Whether the called extension may be called.
    Called {
        /// Who.
        extension: ExtensionId,
        /// It and its user are enabled.
        active: bool,
    },
    /// A caller who dialled its own number.
    Own,
    /// How many phones the called extension has at the moment.
    Phones {
        /// Registered contacts.
        registered: usize,
    },
    /// By the rules of its user the call goes on, or would where a rule says so.
    Forwarded {
        /// Which rule.
        why: Forwarding,
        /// To this extension.
        extension: Option<ExtensionId>,
        /// Or to this number, as it is dialled.
        number: Option<String>,
    },
    /// The user of this extension is not to be disturbed.
    DoNotDisturb {
        /// Whose phones do not ring.
        extension: ExtensionId,
    },
    /// By the rules of the user this rings.
    Ring {
        /// The phones of this extension.
        extension: Option<ExtensionId>,
        /// Or this number, as it is dialled.
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
        /// Which; none where none fits.
        route: Option<RouteId>,
        /// Its prefix.
        prefix: String,
    },
    /// What the call permission group of the caller says of a call to the outside.
    Permission {
        /// Which group.
        group: PermissionGroupId,
        /// The prefix of the rule that decided; none where no rule fits and the default did.
        rule: Option<String>,
        /// What it says.
        permission: Permission,
    },
    /// What the fraud protection says of a call to the outside.
    Brakes {
        /// By whose rights it would leave.
        extension: ExtensionId,
        /// What it begins with that makes it costly; none where it is not.
        costly: Option<String>,
        /// What the extension has used.
        used: Used,
        /// Of what.
        limits: FraudLimits,
        /// The limit that it comes upon; none where it may leave.
        brake: Option<Brake>,
    },
    /// What those outside see is not the caller's own number.
    CallerId {
        /// The other extension whose number they see; none where they see no number.
        extension: Option<ExtensionId>,
    },
    /// One interface of the route, in the order in which they are tried.
    Attempt {
        /// Which.
        interface: InterfaceId,
        /// It is enabled, its server is known, and it is registered where it has to be.
        ready: bool,
        /// The called number as it is sent.
        called: String,
        /// The calling number as it is sent; `anonymous` where none is.
        calling: String,
    },
}

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The phones of an extension ring.
    Rings {
        /// Whose.
        extension: ExtensionId,
    },
    /// It leaves by the first interface that takes it: see the attempts among the steps.
    Leaves,
    /// It is refused.
    Refused {
        /// SIP status.
        status: u16,
        /// Q.850 cause value.
        cause: u8,
    },
}

/// What would become of a call, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// In order; the last one decided.
    pub steps: Vec<Step>,
    /// What it comes to.
    pub verdict: Verdict,
}

//! What is kept of calls under way, to end them in order should the process not live to do it.

use serde::{Deserialize, Serialize};

use crate::{CallRecord, ExtensionId, Flow, WallTime};

/// A dialog that is up, as far as a BYE in it takes (RFC 3261 §12.2.1.1). Written as on the wire: what it
/// means is the endpoint's to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDialog {
    /// Whose phone is at the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<ExtensionId>,
    /// Its instance (RFC 5626 §4.1), to know it by when it registers anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The way of our requests.
    pub flow: Flow,
    /// Call-ID.
    pub call_id: String,
    /// Our From, with tag.
    pub local: String,
    /// Our To, with the peer's tag.
    pub remote: String,
    /// The peer's Contact.
    pub target: String,
    /// The route set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// `CSeq` number of our last request; later ones are not kept.
    pub seq: u32,
}

/// A call under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCall {
    /// What is known of it; `ended` and what describes the end mean nothing yet.
    #[serde(flatten)]
    pub record: CallRecord,
    /// Of its answered parties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dialogs: Vec<KeptDialog>,
}

/// A dialog of a call that is over, whose peer did not say that it knows: the process had to stop before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnendedDialog {
    /// When the process stopped.
    pub stopped: WallTime,
    /// The dialog.
    pub dialog: KeptDialog,
}

impl From<CallRecord> for OpenCall {
    /// A call that nobody has answered.
    fn from(record: CallRecord) -> Self {
        Self {
            record,
            dialogs: Vec::new(),
        }
    }
}

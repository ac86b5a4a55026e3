//! The picture a stream begins with.

use model::control::{Reply, Request};
use serde::Serialize;
use store::Store;

use crate::app::App;
use crate::words::{Call, Registration};

/// The picture a stream begins with.
#[derive(Debug, Serialize)]
pub struct Hello {
    /// Version of the stored configuration.
    config_version: Option<u64>,
    /// True where the exchange answers.
    exchange: bool,
    /// Calls under way; none where the exchange doesn't answer.
    calls: Vec<Call>,
    /// Registered phones; none where the exchange doesn't answer.
    registrations: Vec<Registration>,
}

impl Hello {
    /// As things are now.
    pub(super) async fn now(app: &App) -> Self {
        let version = app.with_store(|store: &Store| store.version()).await;
        let calls = app.ask(Request::Calls).await;
        let registrations = app.ask(Request::Registrations).await;
        Self {
            config_version: version.ok().map(model::ConfigVersion::raw),
            exchange: calls.is_ok() && registrations.is_ok(),
            calls: match calls {
                Ok(Reply::Calls { calls }) => calls.into_iter().map(Into::into).collect(),
                _ => Vec::new(),
            },
            registrations: match registrations {
                Ok(Reply::Registrations { registrations }) => {
                    registrations.into_iter().map(Into::into).collect()
                }
                _ => Vec::new(),
            },
        }
    }
}

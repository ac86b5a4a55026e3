//! The picture a stream begins with.

use model::control::{Reply, Request};
use store::Store;

use crate::app::App;
use crate::event::Hello;

/// As things are now.
pub(super) async fn now(app: &App) -> Hello {
    let version = app.with_store(|store: &Store| store.version()).await;
    let calls = app.ask(Request::Calls).await;
    let registrations = app.ask(Request::Registrations).await;
    Hello {
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

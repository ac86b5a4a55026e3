//! The administration: HTTPS, REST API, live events.
//!
//! It holds no telephony state: it edits the configuration in `store`, tells `pbxd` to load it, and
//! may be killed at any moment.

mod api;
mod app;
mod certificate;
mod clearing;
mod clock;
mod control;
mod csv;
mod endings;
mod event;
mod forgotten;
mod gate;
mod host;
mod hub;
mod input;
mod keeping;
mod list;
mod listener;
mod object;
mod pages;
mod password;
mod phones;
mod problem;
mod redirect;
mod resources;
mod revision;
mod router;
mod schema;
mod server;
mod settings;
mod syslog;
mod system;
mod throttle;
mod visit;
mod words;

pub use app::{App, Parts};
pub use control::Control;
pub use gate::Hosts;
pub use router::{openapi, router};
pub use server::run;
pub use settings::{Command, Settings, SettingsError, USAGE};
pub use system::System;
pub use visit::visit;

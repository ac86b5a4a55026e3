//! The resources of the API, a folder each; `row` is what their lists have in common. `router` says where they
//! are and who may use them.

pub mod call_explainer;
pub mod call_history;
pub mod call_permission_groups;
pub mod calls;
pub mod dashboard;
pub mod debug_log;
pub mod dial_plan;
pub mod emergency;
pub mod events;
pub mod extensions;
pub mod failed_logins;
pub mod first_visit;
pub mod fraud_protection;
pub mod general;
pub mod interfaces;
pub mod log_settings;
pub mod logs;
pub mod phone_setup;
pub mod problems;
pub mod registrations;
pub mod routes;
pub mod row;
pub mod session;
pub mod status;
pub mod system;
pub mod users;

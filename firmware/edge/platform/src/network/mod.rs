//! The network of the machine: settings, whether they can be, and making them so.
//!
//! [`Manager`] does it all in a program's loop. [`change`] is the one that knows what is set, what is tried, and when it reverts; [`dhcp`] gets
//! addresses; [`plan`](plan()) joins both to what is wanted; [`link`] is the kernel's side.

pub mod change;
mod check;
pub mod dhcp;
pub mod link;
mod manager;
mod netlink;
mod plan;
pub mod resolv;

use std::path::{Path, PathBuf};

pub use check::{Refused, check, is_host_name};
pub use manager::{Manager, Paths, seed};
pub use plan::{Given, Plan, plan};

/// Where the settings are kept, in a data folder.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    crate::data::system(data).join("network.json")
}

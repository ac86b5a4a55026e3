//! The network of the machine: settings, whether they can be, and making them so.
//!
//! [`change`] is the one that knows what is set, what is tried, and when it reverts; [`link`] is the
//! kernel's side.

pub mod change;
mod check;
pub mod link;
mod netlink;
pub mod resolv;

use std::path::{Path, PathBuf};

pub use check::{Refused, check};

/// Where the settings are kept, in a data folder.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    crate::data::system(data).join("network.json")
}

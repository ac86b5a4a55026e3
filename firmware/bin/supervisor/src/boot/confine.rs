//! With what rights each service runs: its own user, no way to more, and limits.

use std::ffi::CStr;
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::User;
use platform::sys::process::{Rights, confine};

/// The service runs as the user of its name; every service shares the group of the data.
pub fn as_user(command: &mut Command, name: &str, real_time: bool) -> Result<()> {
    confined(command, name, real_time, None)
}

/// As [`as_user`], and sees nothing of the data.
pub fn without_data(command: &mut Command, name: &str) -> Result<()> {
    confined(command, name, false, Some(c"/data"))
}

fn confined(
    command: &mut Command,
    name: &str,
    real_time: bool,
    hidden: Option<&'static CStr>,
) -> Result<()> {
    let user = User::from_name(name)
        .context("the users of the system")?
        .with_context(|| format!("the system has no user `{name}`"))?;
    confine(
        command,
        Rights {
            user: user.uid.as_raw(),
            group: user.gid.as_raw(),
            real_time,
            hidden,
        },
    );
    Ok(())
}

//! With what rights each service runs: its own user, no way to more, and limits.

use std::ffi::CStr;
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::User;
use platform::sys::process::{Memory, Rights, confine, limit_memory};

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
            memory: memory_of(name, real_time),
        },
    );
    Ok(())
}

/// What the network and the rest of the machine hang on is ended last, but for the exchange.
pub fn as_needed_most(command: &mut Command) {
    limit_memory(command, NEEDED);
}

/// Nobody is ended before all others have been.
const NEEDED: Memory = Memory {
    share: c"-800",
    most: None,
};

/// Calls are worth most; whoever comes in from outside, or shows things to people, is started again. Where
/// one of them never has enough, the machine has some left for the others.
fn memory_of(name: &str, real_time: bool) -> Memory {
    match name {
        "pbxd" if real_time => NEEDED,
        "pbxd" => Memory {
            share: c"300",
            most: None,
        },
        // Stacks of its threads are 40 of them, passwords at 19 each most of the rest.
        "webd" => Memory {
            share: c"300",
            most: Some(512 << 20),
        },
        "console" => Memory {
            share: c"300",
            most: Some(64 << 20),
        },
        _ => Memory {
            share: c"500",
            most: Some(64 << 20),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_memory_is_short_calls_go_on() {
        let share = |name, real_time| {
            let share = memory_of(name, real_time).share.to_str();
            share.expect("a number").parse::<i32>().expect("a number")
        };
        let exchange = share("pbxd", true);
        for (name, more) in [("webd", 1000), ("console", 1000), ("admin", 1200)] {
            assert!(exchange + more <= share(name, false), "{name}");
            assert!(memory_of(name, false).most.is_some(), "{name}");
        }
        // Its own call is another process, which holds up nobody.
        assert!(share("pbxd", false) > 0);
        assert_eq!(memory_of("pbxd", true).most, None);
    }
}

//! Programs of others that build file systems.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a program to its end and gives what it wrote on its standard output.
///
/// # Errors
/// Where it isn't installed or fails; with what it said.
pub fn run<A: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String> {
    end_of(program, Command::new(program).args(arguments))
}

/// [`run`], with a variable of the environment.
///
/// # Errors
/// Those of [`run`].
pub fn run_with<A: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
    variable: &str,
    value: &OsStr,
) -> Result<String> {
    end_of(
        program,
        Command::new(program).args(arguments).env(variable, value),
    )
}

fn end_of(program: &str, command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        // The tools of file systems live there.
        .env(
            "PATH",
            format!(
                "{}:/usr/sbin:/sbin",
                std::env::var("PATH").unwrap_or_default()
            ),
        )
        .output()
        .with_context(|| format!("{program} is not installed: .ci/image-tools installs it"))?;
    if !output.status.success() {
        bail!(
            "{program} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Prints a line of result.
pub fn print(text: &str) -> Result<()> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

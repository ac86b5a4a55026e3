//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// The menu of the machine on a terminal: its status, network and time, restart and power off.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Options {
    /// The folder with the sockets of the other processes. As a user's shell it is given none.
    #[arg(long, value_name = "DIR", default_value = "/run/operator-box")]
    pub run: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }
}

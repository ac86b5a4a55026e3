//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::PortRange;

/// Starts, watches and restarts the processes of the exchange.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the supervisor can do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The exchange on this machine, until Ctrl-C. RUST_LOG=debug says more.
    Run(Run),
    /// The part that needs root: network, time, health, slots. Asked over a socket.
    System(System),
}

/// How the exchange runs on this machine.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// Where its data is kept.
    #[arg(long, value_name = "DIR", default_value = "var")]
    pub data: PathBuf,

    /// An address SIP listens on; may be given several times. None given means all.
    #[arg(long, value_name = "ADDR")]
    pub sip_address: Vec<IpAddr>,

    /// UDP and TCP port of SIP; TLS is one above.
    #[arg(long, value_name = "PORT", default_value_t = 5060)]
    pub sip_port: u16,

    /// Port of the administration.
    #[arg(long, value_name = "PORT", default_value_t = 4021)]
    pub https_port: u16,

    /// Leave ports 80 and 443 alone, which lead browsers to the administration.
    #[arg(long)]
    pub no_redirect: bool,

    /// First and last UDP port of sound.
    #[arg(long, value_name = "A-B", default_value = "16384-20479")]
    pub rtp_ports: PortRange,

    /// The most calls at once; each takes four UDP ports.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub calls: u16,
}

/// Where the system child finds things.
#[derive(Clone, Debug, Args)]
pub struct System {
    /// Where data is kept.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// Where `system.sock` is made.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,

    /// Show the machine as it is, and change nothing.
    #[arg(long)]
    pub read_only: bool,

    /// What is in DIR goes with the power: the card's can't be used.
    #[arg(long)]
    pub data_in_memory: bool,

    /// The file that names are resolved by.
    #[arg(long, value_name = "FILE", default_value = "/run/resolv.conf")]
    pub resolv: PathBuf,

    /// The link by which programs find the zone.
    #[arg(long, value_name = "FILE", default_value = "/run/localtime")]
    pub local_time: PathBuf,

    /// The home of the user that comes in by ssh.
    #[arg(long, value_name = "DIR", default_value = crate::system::remote::HOME)]
    pub remote_home: PathBuf,

    /// The tz database.
    #[arg(long, value_name = "DIR", default_value = "/usr/share/zoneinfo")]
    pub zones: PathBuf,
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

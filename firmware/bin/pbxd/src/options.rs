//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::PortRange;

use crate::self_call::client;

/// The telephony process of the exchange.
#[derive(Clone, Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// Something else than the exchange itself.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How the exchange runs.
    #[command(flatten)]
    pub options: Options,
}

/// What the program does beside.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Calls through a running exchange, and says whether sound has passed.
    SelfCall(client::Options),
}

/// How the exchange runs.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where data is kept.
    #[arg(long, value_name = "DIR", default_value = "var")]
    pub data: PathBuf,

    /// The Unix socket that the administration asks on.
    #[arg(long, value_name = "PATH", default_value = "var/run/pbxd.sock")]
    pub control: PathBuf,

    /// An address SIP listens on; may be given several times. None given means all.
    #[arg(long, value_name = "ADDR")]
    pub sip_address: Vec<IpAddr>,

    /// UDP and TCP port of SIP.
    #[arg(long, value_name = "PORT", default_value_t = 5060)]
    pub sip_port: u16,

    /// Port of SIP over TLS.
    #[arg(long, value_name = "PORT", default_value_t = 5061)]
    pub sips_port: u16,

    /// First and last UDP port of sound.
    #[arg(long, value_name = "A-B", default_value = "16384-20479")]
    pub rtp_ports: PortRange,

    /// The most calls at once; each takes four UDP ports.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub calls: u16,

    /// A file with the password of the exchange's call to itself, which is possible as long as it is there.
    #[arg(long, value_name = "PATH")]
    pub self_call: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }
}

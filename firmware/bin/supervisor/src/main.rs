//! Starts the processes of the exchange, restarts the one that ends, and stops them in order.
//!
//! `supervisor run` does so as an ordinary process on any Linux machine, with its data in a folder. As
//! the first process of a machine it is the machine's `init`.

mod boot;
mod options;
mod orders;
mod policy;
mod processes;
mod run;
mod system;

use std::process::ExitCode;

use clap::Parser;
use tracing::error;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    if boot::is_first() {
        return boot::run();
    }
    let options = options::Options::parse();
    // Before the log's thread is there: no other thread may take a signal.
    let signals = processes::signals();
    let (log, _until_the_end) = platform::log::to_stderr();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .with_writer(log)
        .with_ansi(platform::log::in_colour())
        .log_internal_errors(false)
        .init();
    let result = match &options.command {
        options::Command::Run(options) => signals.and_then(|signals| run::run(options, &signals)),
        options::Command::System(options) => {
            signals.and_then(|signals| system::run(options, &signals))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

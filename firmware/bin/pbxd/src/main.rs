//! The telephony process: it joins the switch to sockets, media thread, journal and store.

mod clock;
mod control;
mod debug_log;
mod files;
mod listing;
mod live;
mod lookup;
mod media;
mod options;
mod self_call;
mod signalling;
mod sockets;
mod stop;

use std::process::ExitCode;
use std::sync::mpsc::Receiver;

use clap::Parser;
use platform::endings::{self, Endings};
use platform::log::Row;
use tracing::{error, warn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: platform::sys::alloc::Guarded = platform::sys::alloc::Guarded;

fn main() -> ExitCode {
    let unblocked = platform::signals::unblock_all();
    let options::CommandLine { command, options } = options::CommandLine::parse();
    if let Some(options::Command::SelfCall(options)) = command {
        return self_call::client::run(&options);
    }
    let (log, _until_the_end) = platform::log::to_stderr();
    let (for_the_logs, rows) = platform::log::rows();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(log)
        .with_ansi(platform::log::in_colour())
        // A log that can't be written is no reason to stop telephoning.
        .log_internal_errors(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(for_the_logs)
        .init();
    if let Err(error) = unblocked {
        warn!(%error, "the exchange may not stop in order");
    }
    let endings = Endings::of(&options.data);
    endings::leave_panics(endings.clone(), "pbxd");
    match start(options, rows) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("the exchange can't go on: {error:#}");
            // The store may be what it failed for, and the Error log is in it: another process tells of it.
            if let Err(error) = endings.leave_last_words("pbxd", format!("can't go on: {error:#}"))
            {
                warn!(%error, "the Error log will not tell why");
            }
            ExitCode::FAILURE
        }
    }
}

fn start(options: options::Options, rows: Receiver<Row>) -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a cryptography provider is installed already"))?;
    let files = files::Files::provide(options.calls);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, signalling::run(options, files, rows))
}

//! The administration as a process; what it does is in the library.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::Receiver;

use platform::log::Row;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};
use webd::{Command, Settings, USAGE};

/// Threads for the store and for passwords; one request needs one at a time.
const BLOCKING_THREADS: usize = 16;

fn main() -> ExitCode {
    let unblocked = platform::signals::unblock_all();
    let settings = match Settings::parse(std::env::args_os().skip(1), |name| std::env::var_os(name))
    {
        Ok(Command::Run(settings)) => settings,
        Ok(Command::Help) => {
            let _ = std::io::stdout().write_all(USAGE.as_bytes());
            return ExitCode::SUCCESS;
        }
        Ok(Command::Visit(address)) => return visit(address),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "webd: {error}");
            return ExitCode::from(2);
        }
    };
    let filter = EnvFilter::try_from_env("WEBD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let (log, _until_the_end) = platform::log::to_stderr();
    let (for_the_logs, rows) = platform::log::rows();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(log.clone())
        .with_ansi(platform::log::in_colour())
        .with_target(false)
        // A log that can't be written is no reason to end.
        .log_internal_errors(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(for_the_logs)
        .init();
    if let Err(error) = unblocked {
        tracing::warn!(%error, "The administration may not stop in order.");
    }
    match serve(settings, rows, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                "The administration can't run."
            );
            ExitCode::FAILURE
        }
    }
}

/// Says on the standard output why it failed, where it did.
fn visit(address: SocketAddr) -> ExitCode {
    match webd::visit(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stdout(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(
    settings: Settings,
    rows: Receiver<Row>,
    output: impl Write + Send + 'static,
) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()?
        .block_on(webd::run(settings, rows, output))
}

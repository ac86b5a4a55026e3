//! Starts the processes of the exchange, restarts the one that ends, and stops them in order.
//!
//! `supervisor run` does so as an ordinary process on any Linux machine, with its data in a folder.

mod options;
mod policy;
mod run;

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .init();
    let options = match options::Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(options::Stop::Help) => {
            say(options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(options::Stop::Wrong(what)) => {
            complain(&format!("{what}\n\n{}", options::HELP));
            return ExitCode::from(2);
        }
    };
    match run::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the answer to --help")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a command line's complaint")]
fn complain(text: &str) {
    eprintln!("{text}");
}

//! The `system` child: carries out what needs root, for those who ask on its socket.
//!
//! One thread decides, with the state in its hands; each connection has a thread that only reads
//! lines and writes answers. What concerns the supervisor itself is handed to it as an [`Order`] on the
//! standard output.

mod machine;
mod network;
mod server;
mod upgrade;

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signalfd::SignalFd;
use tracing::info;

use crate::options::System;
use crate::orders::Order;
use crate::processes::stop_is_asked;
use machine::Machine;

/// How often what has no event of its own is looked after.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Serves until it is told to stop.
pub fn run(options: &System, signals: &SignalFd) -> Result<()> {
    let (questions, asked) = channel();
    let mut machine = Machine::start(options, questions.clone())?;
    server::listen(&options.run.join("system.sock"), questions).context("the system's socket")?;
    info!("the machine is at service");
    loop {
        match asked.recv_timeout(HOUSEKEEPING) {
            Ok(event) => machine.handle(event),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        machine.keep_house();
        if stop_is_asked(signals) {
            return Ok(());
        }
    }
}

/// Tells the supervisor what to do.
fn order(order: Order) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{order}")?;
    out.flush()
}

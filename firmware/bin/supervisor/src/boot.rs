//! The machine, from the kernel's hand-over to power off: what the supervisor does as PID 1.
//!
//! ```text
//!   kernel ─► initramfs (only where the kernel needs modules) ─► machine ─► services ─► end
//!             modules, slot's root                               mounts,    started,    stopped in order,
//!                                                                data       restarted   disks at rest
//! ```
//!
//! PID 1 waits for nobody without a limit, opens no database and listens on no network.

mod button;
mod confine;
mod data;
mod drivers;
mod initramfs;
mod machine;
mod salvage;
mod services;
mod trial;
mod watchdog;

pub use confine::as_user;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use platform::board::Board;
use tracing::{error, info};

/// How long a machine that can't start shows why, before it starts anew: perhaps the other slot can.
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// Whether this process is the first one.
pub fn is_first() -> bool {
    std::process::id() == 1
}

/// Runs the machine. Where this returns, the kernel would panic: it never does.
pub fn run() -> ExitCode {
    if Path::new(initramfs::LIST).exists() {
        // Nothing is left of this process if all goes well.
        let Err(error) = initramfs::hand_over();
        give_up(&error)
    }
    match whole_life() {
        Ok((end, watchdog)) => machine::end(end, Some(watchdog)),
        Err(error) => give_up(&error),
    }
}

fn whole_life() -> Result<(machine::End, watchdog::Watchdog)> {
    machine::mount_kernel_files()?;
    machine::log_to_kernel();
    let (log, _until_the_end) = platform::log::to_stderr();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(log)
        .with_ansi(false)
        // The kernel's log has the time.
        .without_time()
        .log_internal_errors(false)
        .init();
    let signals = crate::processes::signals()?;
    let start = machine::started_from()?;
    info!(slot = %start.slot, version = env!("CARGO_PKG_VERSION"), "the system starts");
    let mut watchdog = watchdog::Watchdog::open();
    let on_card = machine::prepare_data(start, &mut watchdog);
    let usable = data::usable(on_card, machine::settle, || {
        machine::leave_data();
        machine::data_in_memory()?;
        // Where nothing can be saved the exchange is as delivered.
        machine::save_settings(start, &mut watchdog);
        anyhow::Ok(())
    })?;
    if let data::Usable::InMemory(error) = &usable {
        // Calls are worth more than their history: the exchange runs from memory until it is mended, with the
        // settings that could be read.
        error!("the data can't be used: {error:#}");
        machine::say(&format!("The data on the card can't be used: {error:#}"));
    }
    let circumstances = services::Circumstances {
        is_tried: start.is_tried,
        data_in_memory: matches!(usable, data::Usable::InMemory(_)),
    };
    let board = Board::of_this_machine();
    drivers::load(board.as_ref());
    let end = services::run(&signals, &mut watchdog, circumstances)?;
    Ok((end.on(board.as_ref()), watchdog))
}

fn give_up(error: &anyhow::Error) -> ! {
    machine::say(&format!("The system can't start: {error:#}"));
    std::thread::sleep(SHOWN_FOR);
    machine::end(machine::End::Reboot, None)
}

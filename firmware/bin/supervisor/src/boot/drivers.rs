//! Drivers of the line cards: the kernel's modules that the board's description names. A card that
//! isn't there, or a driver that fails, stops nothing else.

use std::thread;

use platform::board::Board;
use platform::modules::{Modules, NotLoaded};
use tracing::{info, warn};

/// Begins to load them, and doesn't wait: a driver may look for its card for seconds. Before any thread
/// is started signals have to be read by descriptor.
pub fn load(board: Option<&Board>) {
    let wanted = board.map_or_else(Vec::new, |board| board.isdn.modules.clone());
    if wanted.is_empty() {
        return;
    }
    let begun = thread::Builder::new()
        .name("drivers".into())
        .spawn(move || {
            let modules = Modules::of_this_kernel();
            for module in wanted {
                let name = module.name.as_str();
                match modules.load(&module) {
                    Ok(()) => info!(name, "a line card's driver is loaded"),
                    Err(error @ NotLoaded::Missing) => {
                        warn!(name, "a line card's driver is missing: {error}");
                    }
                    Err(error) => warn!(name, "a line card's driver can't be loaded: {error}"),
                }
            }
        });
    if let Err(error) = begun {
        warn!(%error, "no line card's driver can be loaded");
    }
}

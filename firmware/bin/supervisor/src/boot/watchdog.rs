//! The watchdog: hardware, or the kernel's own, that restarts a machine whose PID 1 no longer turns.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::{Duration, Instant};

use tracing::{info, warn};

const DEVICE: &str = "/dev/watchdog";

/// Half a minute is the shortest that watchdogs of PC boards come with.
const EVERY: Duration = Duration::from_secs(5);

/// A watchdog, where there is one.
pub struct Watchdog {
    device: Option<File>,
    kicked: Instant,
}

impl Watchdog {
    /// Opens it, which arms it. It watches over the shutdown too.
    pub fn open() -> Self {
        let device = match OpenOptions::new().write(true).open(DEVICE) {
            Ok(device) => {
                info!("a watchdog restarts the machine if it hangs");
                Some(device)
            }
            Err(error) => {
                warn!(%error, "there is no watchdog: a machine that hangs stays so");
                None
            }
        };
        Self {
            device,
            kicked: Instant::now(),
        }
    }

    /// Says that all is well; to be called at least every few seconds.
    pub fn kick(&mut self) {
        if let Some(device) = &mut self.device
            && self.kicked.elapsed() >= EVERY
        {
            self.kicked = Instant::now();
            let _ = device.write_all(b"1");
        }
    }

    /// Says that nobody will say so any more, and that this is well.
    pub fn disarm(self) {
        if let Some(mut device) = self.device {
            let _ = device.write_all(b"V");
        }
    }
}

//! The image on a machine of QEMU: first start, calls, restarts, crashes, upgrades, power cuts.
//!
//! How often is said by `IMAGE_STARTS`, `IMAGE_POWER_CUTS` and `IMAGE_CUT_UPGRADES`; without them a few,
//! so that the whole takes minutes. What takes long is played where `IMAGE_ALL` is set.

mod calls;
mod crash;
mod measure;
mod mend;
mod menu;
mod power;
mod remote;
mod start;
mod upgrade;
mod variant;

use std::{
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use interop::{BOOTS_WITHIN, Phone};

fn main() -> ExitCode {
    let mut scenarios = Vec::new();
    scenarios.extend(start::scenarios());
    scenarios.extend(calls::scenarios());
    scenarios.extend(crash::scenarios());
    scenarios.extend(menu::scenarios());
    scenarios.extend(mend::scenarios());
    scenarios.extend(upgrade::scenarios());
    scenarios.extend(power::scenarios());
    scenarios.extend(remote::scenarios());
    scenarios.extend(measure::scenarios());
    interop::main(scenarios)
}

/// How often something is done.
fn times(variable: &str, otherwise: u32) -> u32 {
    let said = std::env::var(variable).ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Looks until it is so.
fn until(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + BOOTS_WITHIN;
    while !is_so()? {
        ensure!(Instant::now() < end, "not in time: {what}");
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// Registers a phone, which an exchange that has just started on a slow machine may ask to come again.
fn register(phone: &Phone) -> Result<()> {
    let what = format!("{} is registered", phone.name());
    until(&what, || Ok(phone.try_register()? == 200))
}

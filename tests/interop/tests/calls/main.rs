//! What people do with telephones, done by real ones through the exchange, with sound measured at the far end.
//!
//! `INTEROP_EXCHANGE=kamailio` runs the same table against a foreign proxy: it proves the table.

mod basic;
mod endings;
mod features;
mod load;
mod providers;
mod records;
mod registration;
mod support;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut scenarios = Vec::new();
    scenarios.extend(basic::scenarios());
    scenarios.extend(registration::scenarios());
    scenarios.extend(endings::scenarios());
    scenarios.extend(features::scenarios());
    scenarios.extend(records::scenarios());
    scenarios.extend(providers::scenarios());
    scenarios.extend(load::scenarios());
    interop::main(scenarios)
}
